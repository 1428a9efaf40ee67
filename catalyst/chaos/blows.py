"""The blows themselves: signals, armed faults, sinks in trouble, a full disk, a jumping clock; and what fell when."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psutil

from catalyst.bench.house import House
from catalyst.chaos.houses import post
from catalyst.chaos.plan import Blow
from catalyst.chaos.verdict import KINDS, Hang
from catalyst.errors import UnavailableError
from catalyst.runtime.children import process_state
from catalyst.runtime.control import Control
from catalyst.runtime.faults import arm, fallen
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.testing import wait_until

HANDLERLESS = ("fetcher", "web")  # they loop in a timer
KEEPERS = ("supervisor", "supervisord", "fork server")  # with one of them away nobody finds or starts anything
STOPPED = ("T", "t", "")  # states of proc(5) that a stopped process has, or one that is gone
STOPS_S, GOES_ON_S = 1.0, 0.5
PATIENCE_S = 20.0  # after which an incident belongs to another blow


@dataclass(slots=True)
class Fell:
    """A blow that fell, `at_s` after the first; `back_s` until another process was there, None where that is nothing
    to wait for or has not been seen. `pid` is who was struck, `wall_ms` when by the clock of the incidents."""

    blow: Blow
    target: str
    at_s: float
    moment_s: float
    wall_ms: float
    pid: int | None = None
    back_s: float | None = None
    goes_on: bool = False
    runs_s: float | None = None  # since when it is seen running although it was stopped

    @property
    def act(self) -> str:
        """What is counted: the end of a supervisor is not like that of an actor."""
        return "supervisor" if self.target == SUPERVISOR else self.blow.act


class Blows:
    """Strikes one house. `disk` can `fill` and `free`, `jump` takes seconds; None where no scenario asks for them."""

    def __init__(self, house: House, disk: Any = None, jump: Callable[[float], Any] | None = None):
        self.house = house
        self.fell: list[Fell] = []
        self.done: Counter[str] = Counter()
        self.away: dict[str, Fell] = {}
        self.began_s = time.monotonic()
        self._disk = disk
        self._jump = jump
        self._armed: dict[str, tuple[Blow, str]] = {}  # name of a fault -> its blow and entry
        self._free_s: float | None = None  # when the disk gets its room back

    def strike(self, blow: Blow, number: int) -> None:
        """Let it fall. A loop or growing memory begins when its actor next has something in hand."""
        if blow.act in ("kill", "kill_all", "stop"):
            self._signal(blow)
            return
        if blow.act in ("loop", "swell"):
            # Of messages the second: the first may have met a blow already, and is a dead letter after the third.
            point = "job:1" if blow.act == "swell" else "tick:1" if blow.target in HANDLERLESS else "handle:2"
            self._armed[f"blow{number}"] = (blow, f"{blow.target}:{blow.act}@{point}")
            self._arm()
            return
        if blow.act == "server":
            self._kill_fork_server()
        elif blow.act == "trouble":
            post(self.house, "_trouble", {"what": blow.what, "sink": blow.target, "for_s": blow.for_s})
        elif blow.act == "disk":
            self._disk.fill()
            self._free_s = time.monotonic() + blow.for_s
        elif self._jump is not None:
            self._jump(blow.for_s)
        self._note(blow, blow.target)

    def note_supervisord(self, blow: Blow) -> None:
        """The caller has ended and started it."""
        self._note(blow, "supervisord")

    def _signal(self, blow: Blow) -> None:
        targets = WORKERS if blow.act == "kill_all" else (blow.target,)
        number = signal.SIGSTOP if blow.act == "stop" else signal.SIGKILL
        for target in targets:
            if blow.act == "stop":  # a signal to nobody would be no blow
                wait_until(partial(self.house.pid, target), PATIENCE_S, f"{target} is there")
            self.away[target] = self._made(blow, target, self.house.pid(target))
        for target in targets:
            pid = self.house.kill(target, number)
            if blow.act == "stop" and pid is not None:  # it stops a moment later; until then it seems to have gone on
                with suppress(AssertionError):
                    wait_until(partial(_is_stopped, pid), STOPS_S)
        self.fell += [self.away[target] for target in targets]
        self.done[blow.target or "all"] += 1

    def _kill_fork_server(self) -> None:
        supervisor = self.house.pid(SUPERVISOR)
        with suppress(psutil.Error):
            for child in psutil.Process(supervisor).children() if supervisor else []:
                if "forkserver" in " ".join(child.cmdline()):
                    os.kill(child.pid, signal.SIGKILL)

    def _made(self, blow: Blow, target: str, pid: int | None = None, moment_s: float | None = None) -> Fell:
        now_s = time.monotonic()
        moment_s = now_s if moment_s is None else moment_s
        return Fell(blow, target, moment_s - self.began_s, moment_s, (time.time() - (now_s - moment_s)) * 1000, pid)

    def _note(self, blow: Blow, target: str) -> None:
        self.fell.append(self._made(blow, target))
        self.done[target] += 1

    def _arm(self) -> None:
        arm(self.house.home, {name: entry for name, (_, entry) in self._armed.items()})

    def watch(self) -> None:
        """Note which armed faults fell and who is back: another process, or the stopped one where it was let go on.

        The kernel does so when the supervisor dies: stopped processes of a group that nobody looks after any more get
        SIGCONT (setpgid(2), "orphaned process group").
        """
        now_s = time.monotonic()
        if self._free_s is not None and now_s >= self._free_s:
            self._disk.free()
            self._free_s = None
        for name, (blow, _) in list(self._armed.items()):
            if (moment_s := fallen(self.house.home, name)) is not None:
                del self._armed[name]
                self.done[blow.target] += 1
                if (before := self.away.get(blow.target)) is not None:  # back, and struck again before that was seen
                    before.back_s = moment_s - before.moment_s
                self.away[blow.target] = self._made(blow, blow.target, self.house.pid(blow.target), moment_s)
                self.fell.append(self.away[blow.target])
        for who, struck in list(self.away.items()):
            pid = self.house.pid(who)
            struck.goes_on = self._goes_on(struck, pid, now_s)
            if pid not in (None, struck.pid) or struck.goes_on:
                struck.back_s = time.monotonic() - struck.moment_s
                del self.away[who]

    def _goes_on(self, struck: Fell, pid: int | None, now_s: float) -> bool:
        """Whether a stopped process runs again; one that is being killed seems to, for a moment."""
        if struck.blow.act != "stop" or pid is None or pid != struck.pid or process_state(pid) in STOPPED:
            struck.runs_s = None
            return False
        struck.runs_s = now_s if struck.runs_s is None else struck.runs_s
        return now_s - struck.runs_s >= GOES_ON_S

    def is_down(self, targets: tuple[str, ...]) -> bool:
        """Whether one of them is away or about to be."""
        self.watch()
        return any(target in self.away or self.house.pid(target) is None for target in targets)

    def end(self) -> None:
        """What has not fallen will not fall; the disk gets its room back."""
        self.watch()
        if self._armed:
            self._armed.clear()
            self._arm()
        if self._free_s is not None:
            self._disk.free()
            self._free_s = None

    def hangs(self) -> list[Hang]:
        """What hung, with the time of its incident and its stacks."""
        rows: list[dict[str, Any]] = []
        with Control(self.house.home / "run") as control, suppress(UnavailableError):
            rows = control.ask(SUPERVISOR, "incidents", 10.0, limit=500)["incidents"]
        found = []
        for struck in self.fell:
            kinds = KINDS.get(struck.blow.act, ())
            if not kinds:
                continue
            row = next((row for row in rows if row["subject"] == struck.target and row["kind"] in kinds
                        and -100 <= row["at_ms"] - struck.wall_ms < PATIENCE_S * 1000), None)
            found_s = None if row is None else max(0.0, (row["at_ms"] - struck.wall_ms) / 1000)
            found.append(Hang(struck.blow.act, struck.target, found_s, struck.back_s,
                              (row or {}).get("stacks") or "", self._excuse(struck)))
        return found

    def _excuse(self, struck: Fell) -> str:
        """Why nobody could find or replace it in time: who does was struck, it went on by itself, the clock jumped."""
        if struck.goes_on:
            return "went on by itself"
        end_s = struck.moment_s + (struck.back_s or PATIENCE_S)
        for other in self.fell:
            is_near = struck.moment_s - 5.0 <= other.moment_s <= end_s
            if is_near and (other.target in KEEPERS or other.blow.act in ("clock", "disk")):
                return f"{other.target} was struck too"
        return ""


def _is_stopped(pid: int) -> bool:
    return process_state(pid) in STOPPED
