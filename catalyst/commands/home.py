"""The running actors of one home, as the commands ask them.

An actor that nobody runs (its lock is free) is not asked, so that no command waits for an answer that cannot come;
those of other hosts are. It opens no database and works while the supervisor is down.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any

from catalyst.errors import UnavailableError, UsageError
from catalyst.runtime.control import Control
from catalyst.runtime.ownership import Owner, living_owner
from catalyst.runtime.places import Places
from catalyst.runtime.roster import ALL, SUPERVISOR, WORKERS
from catalyst.settings import Settings, load

ANSWER_S = 2.0
QUERY_ANSWER_S = 10.0  # a query may wait for the transaction in hand and then run for about a second


class Home:
    """Asks the actors of the home that the settings name. A context manager."""

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or load()
        self._places = Places.of(self.settings)
        self._control = Control(self._places)

    def owner(self, actor: str) -> Owner | None:
        """The process that runs `actor`, or None."""
        return living_owner(self.settings.database_folder, actor)

    def alive(self, actors: Iterable[str] = ALL) -> list[str]:
        """Those of `actors` that a process runs here, and those of other hosts, which nobody here can tell."""
        return [actor for actor in actors if self._places.is_remote(actor) or self.owner(actor) is not None]

    @property
    def remote(self) -> tuple[str, ...]:
        """The actors of other hosts."""
        return self._places.remote

    def ask_all(self, actors: Iterable[str], verb: str, timeout_s: float = ANSWER_S, /,
                **arguments: Any) -> dict[str, dict[str, Any]]:
        """Answers by actor of those that run and answer in time; a refusal is an answer with `ok` false."""
        return self._control.ask_all(self.alive(actors), verb, timeout_s, **arguments)

    def ask(self, actor: str, verb: str, timeout_s: float = ANSWER_S, /, **arguments: Any) -> dict[str, Any]:
        """The actor's answer. Raises UnavailableError when there is none, UsageError with the words of a refusal."""
        if not self.alive([actor]):
            raise UnavailableError(f"{actor} is not running")
        answer = self._control.ask_all([actor], verb, timeout_s, **arguments).get(actor)
        if answer is None:
            raise UnavailableError(f"{actor} does not answer within {timeout_s:g} s; see catalyst stacks {actor}")
        if not answer.get("ok"):
            raise UsageError(f"{actor}: {answer.get('error', 'refused')}")
        return answer

    def children(self, timeout_s: float = ANSWER_S) -> dict[str, dict[str, Any]] | None:
        """What the supervisor says of the actors that are meant to run, by name; None when it does not answer."""
        answer = self.ask_all([SUPERVISOR], "children", timeout_s).get(SUPERVISOR, {})
        if not answer.get("ok"):
            return None
        return {child["name"]: child for child in answer["children"]}

    def meant(self) -> tuple[str, ...]:
        """The actors that the settings want to run: what holds while no supervisor says otherwise."""
        return tuple(name for name in WORKERS if not self.settings.actors or name in self.settings.actors)

    def close(self) -> None:
        """Close the sockets."""
        self._control.close()

    def __enter__(self) -> Home:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def known(name: str, names: Iterable[str] = ALL) -> str:
    """The name, if it is one of `names`. Raises UsageError."""
    names = tuple(names)
    if name not in names:
        raise UsageError(f"there is no actor {name!r} here; there are {', '.join(names)}")
    return name
