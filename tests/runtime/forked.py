"""Actors in forked processes, for tests: started in milliseconds, killed by their own pid, always cleaned up."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from catalyst.errors import CatalystError, UnavailableError
from catalyst.runtime.contract import Actor
from catalyst.runtime.control import Control
from catalyst.runtime.run import run_actor
from catalyst.settings import Settings, defaults
from catalyst.testing import wait_until


def fork(work: Callable[[], int]) -> int:
    """Run `work` in a child; its result is the exit code, 70 where it raised. The pid."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = work()
    except CatalystError as error:
        code = error.exit_code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def exit_code(pid: int, timeout_s: float = 10.0) -> int:
    """Wait for a child: its exit code, negative for a signal."""
    def ended() -> tuple[int] | None:
        found, status = os.waitpid(pid, os.WNOHANG)
        return (os.waitstatus_to_exitcode(status),) if found else None

    return wait_until(ended, timeout_s, f"end of {pid}")[0]


class Town:
    """Actors of one home, each in a process of its own."""

    def __init__(self, home: Path, classes: Iterable[type[Actor]], **settings: Any):
        self.classes = {cls.name: cls for cls in classes}
        self.settings: Settings = defaults(home=home, **settings)
        self.pids: dict[str, int] = {}
        self._gone: list[int] = []
        self.control = Control(self.settings.run_folder)

    def start(self, *names: str) -> None:
        """Start actors, all when none is named."""
        for name in names or tuple(self.classes):
            self.pids[name] = fork(lambda name=name: run_actor(  # type: ignore[misc]
                self.classes[name], self.settings, tuple(self.classes)))

    def signal(self, name: str, number: int) -> None:
        """Send a signal."""
        os.kill(self.pids[name], number)

    def kill(self, name: str) -> None:
        """kill -9, and wait until the process is gone."""
        self.signal(name, signal.SIGKILL)
        assert exit_code(self.pids.pop(name)) == -signal.SIGKILL

    def stop(self, name: str, timeout_s: float = 10.0) -> int:
        """SIGTERM; the exit code."""
        self.signal(name, signal.SIGTERM)
        return exit_code(self.pids.pop(name), timeout_s)

    def ask(self, name: str, verb: str, timeout_s: float = 5.0, **arguments: Any) -> dict[str, Any]:
        """An answer on the control socket."""
        return self.control.ask(name, verb, timeout_s, **arguments)

    def ready(self, *names: str) -> None:
        """Wait until the loops run."""
        for name in names or tuple(self.classes):
            wait_until(lambda name=name: self._is_running(name), 10, f"{name} runs")  # type: ignore[misc]

    def _is_running(self, name: str) -> bool:
        try:
            return bool(self.ask(name, "status", 1.0)["state"] == "running")
        except UnavailableError:  # it is still starting
            return False

    def rows(self, name: str, sql: str, *parameters: Any) -> list[list[Any]]:
        """Rows of an actor's database, by its own control socket."""
        return self.ask(name, "query", sql=sql, parameters=list(parameters))["rows"]

    def number(self, name: str, sql: str) -> float:
        """One number of an actor's database; -1 while the actor does not answer."""
        try:
            return self.ask(name, "query", 0.5, sql=sql)["rows"][0][0] or 0
        except UnavailableError:
            return -1

    def close(self) -> None:
        """End whatever still runs."""
        for pid in self.pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            exit_code(pid)
        self.control.close()


@contextmanager
def town(home: Path, *classes: type[Actor], **settings: Any) -> Iterator[Town]:
    """Actors that are ended with the block."""
    made = Town(home, classes, **settings)
    try:
        yield made
    finally:
        made.close()
