"""Which actors there are, in the order of their start, and how a name becomes a class.

The alerter starts first and the fetcher last, so that nothing is taken in before it can go out; stopping is the
reverse.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from catalyst.errors import UsageError

if TYPE_CHECKING:
    from catalyst.runtime.contract import Actor

WORKERS = ("alerter", "tracker", "charter", "market", "classifier", "sec", "web", "fetcher")
SUPERVISOR = "supervisor"
ALL = (*WORKERS, SUPERVISOR)


def load_actor(name: str) -> type[Actor]:
    """The class in `actors/NAME.py`. Raises UsageError for a name that is not on the roster."""
    from catalyst.runtime.contract import Actor  # the command line needs the names only, and quickly

    if name not in ALL:
        raise UsageError(f"there is no actor {name!r}; there are {', '.join(ALL)}")
    module = importlib.import_module(f"actors.{name}")
    found = [value for value in vars(module).values()
             if isinstance(value, type) and issubclass(value, Actor) and value.name == name]
    assert len(found) == 1, f"actors/{name}.py holds {len(found)} actors named {name}"
    return found[0]


def check_names(names: list[str]) -> tuple[str, ...]:
    """`names` in starting order. Raises UsageError for one that cannot be started."""
    for name in names:
        if name not in WORKERS:
            raise UsageError(f"there is no actor {name!r} to start; there are {', '.join(WORKERS)}")
    return tuple(name for name in WORKERS if name in names)
