"""Faults on purpose, for `catalyst chaos` and the tests: what happens when a point of the code is reached.

`CATALYST_FAULTS` is a list of `ACTOR:ACT@POINT:N`: the N-th time that the actor's process passes the point, ACT
happens. It happens once: a file in the home remembers it, so that the next process passes. With `N+` it happens every
time from the N-th on, in every process, until the list changes; `:ITEM` at the end restricts it to one item id.
Without a list a point costs one look at an empty dict.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from catalyst.errors import ConfigError

# In the order in which a message meets them: taken from the link, before its handler, before and after the commit,
# before and after the acknowledgement, before and after a frame leaves; then jobs, timers, the start.
POINTS = ("receive", "handle", "commit", "committed", "ack", "acked", "send", "sent", "job", "worked", "tick", "start")
ENTRY = re.compile(r"([a-z]+):(kill|crash|raise|loop|stop|swell)@([a-z]+):([1-9][0-9]{0,8})(\+?)(?::(\S{1,64}))?")
CRASHED = 70  # exit code of a process that ends by its own defect
SWELL_BYTES_PER_S = 50_000_000


class Injected(Exception):
    """What `raise` raises: no error of Catalyst's own, so it is treated as a defect."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the list; `item` restricts it to one item id."""

    actor: str
    act: str
    point: str
    at: int
    again: bool
    item: str
    text: str


Reach = Callable[[str, str], None]  # called with the point and the item in hand


def nothing(point: str, item: str) -> None:
    """Where no faults are wanted."""


def read_faults(entries: Iterable[str]) -> tuple[Fault, ...]:
    """The entries of CATALYST_FAULTS. Raises ConfigError that names the wrong one."""
    found = []
    for text in entries:
        match = ENTRY.fullmatch(text)
        if match is None or match[3] not in POINTS:
            raise ConfigError(f"CATALYST_FAULTS: {text!r} is not ACTOR:ACT@POINT:N; points are {', '.join(POINTS)}")
        found.append(Fault(match[1], match[2], match[3], int(match[4]), bool(match[5]), match[6] or "", text))
    return tuple(found)


class Faults:
    """The faults of one process."""

    def __init__(self, entries: Iterable[str], actor: str, home: Path):
        self._faults: dict[str, list[Fault]] = {}
        for fault in read_faults(entries):
            if fault.actor == actor:
                self._faults.setdefault(fault.point, []).append(fault)
        self._folder = home / "faults"
        self._passed: Counter[tuple[str, str]] = Counter()

    def reach(self, point: str, item: str) -> None:
        """Called where `point` is; does what is planned. Raises Injected where that is planned."""
        if not self._faults:
            return
        for fault in self._faults.get(point, ()):
            if fault.item and fault.item != item:
                continue
            self._passed[point, fault.text] += 1
            count = self._passed[point, fault.text]
            if (count >= fault.at if fault.again else count == fault.at and self._first(fault)):
                act(fault.act)

    def _first(self, fault: Fault) -> bool:
        """Whether this fault has not happened yet in this home; from now on it has."""
        name = re.sub(r"[^A-Za-z0-9.-]", "_", fault.text)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError:  # it is there; or it cannot be made on a full disk: then the fault would come again and again
            return False
        return True


def act(name: str) -> None:
    """Let it happen, to this process. Raises Injected for `raise`."""
    if name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "crash":
        os._exit(CRASHED)
    elif name == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif name == "loop":
        _loop()
    elif name == "swell":
        _swell()
    else:
        raise Injected("a fault on purpose")


def _loop() -> NoReturn:
    while True:
        pass


def _swell() -> NoReturn:
    """Take memory for ever, at SWELL_BYTES_PER_S; every page is written to, so that it counts."""
    taken = []
    while True:
        taken.append(bytearray(os.urandom(4096) * (SWELL_BYTES_PER_S // 40_960)))
        time.sleep(0.1)
