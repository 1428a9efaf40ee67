"""Faults on purpose, for `catalyst chaos` and the tests: what happens when a point of the code is reached.

`CATALYST_FAULTS` is a list of `ACTOR:ACT@POINT:N`: the N-th time that the actor's process passes the point, ACT
happens. It happens once: a file in the home remembers it, so that the next process passes. With `N+` it happens every
time from the N-th on, in every process, until the list changes; `:ITEM` at the end restricts it to one item id.

Where the list has the word `armed`, the points also look at `faults/armed.json` in the home: faults by name, which a
driver arms and disarms while the house runs (`arm`, `fallen`). A process counts the passes since it first saw the name.
Without a list a point costs one look at a flag.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from catalyst.errors import ConfigError

# In the order in which a message meets them: taken from the link, before its handler; before and after the commit,
# with `intend` and `intended` where it marks jobs as begun; before and after the acknowledgement; before and after a
# frame leaves. Then a job: before its work, before and after an alert's request, after the work. Then timers, the
# start, and the start's own commit.
POINTS = ("receive", "handle", "intend", "commit", "committed", "intended", "ack", "acked", "send", "sent", "job",
          "post", "posted", "worked", "tick", "start", "recover")
ENTRY = re.compile(r"([a-z]+):(kill|crash|raise|loop|stop|swell)@([a-z]+):([1-9][0-9]{0,8})(\+?)(?::(\S{1,64}))?")
ARMED = "armed"
CRASHED = 70  # exit code of a process that ends by its own defect
SWELL_BYTES_PER_S = 50_000_000


class Injected(Exception):
    """What `raise` raises: no error of Catalyst's own, so it is treated as a defect."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the list; `item` restricts it to one item id, `name` is that of the file which remembers it."""

    actor: str
    act: str
    point: str
    at: int
    again: bool
    item: str
    name: str


Reach = Callable[[str, str], None]  # called with the point and the item in hand


def nothing(point: str, item: str) -> None:
    """Where no faults are wanted."""


def read_fault(text: str, name: str = "") -> Fault:
    """One entry. Raises ConfigError that names it."""
    match = ENTRY.fullmatch(text)
    if match is None or match[3] not in POINTS:
        raise ConfigError(f"CATALYST_FAULTS: {text!r} is not ACTOR:ACT@POINT:N; points are {', '.join(POINTS)}")
    name = name or re.sub(r"[^A-Za-z0-9.-]", "_", text)
    return Fault(match[1], match[2], match[3], int(match[4]), bool(match[5]), match[6] or "", name)


def read_faults(entries: Iterable[str]) -> tuple[Fault, ...]:
    """The entries of CATALYST_FAULTS but the word `armed`. Raises ConfigError that names the wrong one."""
    return tuple(read_fault(text) for text in entries if text != ARMED)


def arm(home: Path, faults: Mapping[str, str]) -> None:
    """Let the points of a house whose CATALYST_FAULTS says `armed` know these faults, name -> entry, and no others."""
    folder = home / "faults"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f"{ARMED}.new"
    fresh.write_text(json.dumps(dict(faults)))
    fresh.replace(folder / f"{ARMED}.json")


def fallen(home: Path, name: str) -> float | None:
    """When the fault of this name happened (monotonic, the same in all processes), None while it has not."""
    with suppress(FileNotFoundError, ValueError):  # just made, its time not yet written
        return float((home / "faults" / name).read_text())
    return None


class Faults:
    """The faults of one process."""

    def __init__(self, entries: Iterable[str], actor: str, home: Path):
        entries = tuple(entries)
        self._actor = actor
        self._folder = home / "faults"
        self._fixed = [fault for fault in read_faults(entries) if fault.actor == actor]
        self._list = self._folder / f"{ARMED}.json" if ARMED in entries else None
        self._seen: tuple[int, int] | None = None
        self._faults = tuple(self._fixed)
        self._idle = not self._faults and self._list is None
        self._passed: Counter[str] = Counter()

    def reach(self, point: str, item: str) -> None:
        """Called where `point` is; does what is planned. Raises Injected where that is planned."""
        if self._idle:
            return
        if self._list is not None:
            self._look(self._list)
        for fault in self._faults:
            if fault.point != point or (fault.item and fault.item != item):
                continue
            self._passed[fault.name] += 1
            count = self._passed[fault.name]
            if (count >= fault.at if fault.again else count == fault.at and self._first(fault)):
                act(fault.act)

    def _look(self, file: Path) -> None:
        """Read the armed faults again where the file is another one."""
        try:
            stat = file.stat()
            seen = stat.st_mtime_ns, stat.st_ino
            if seen == self._seen:
                return
            armed = json.loads(file.read_bytes())
        except FileNotFoundError:
            return
        found = [read_fault(text, name) for name, text in armed.items()]
        self._faults = (*self._fixed, *(fault for fault in found if fault.actor == self._actor))
        self._seen = seen

    def _first(self, fault: Fault) -> bool:
        """Whether this fault has not happened yet in this home; from now on it has."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._folder / fault.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            os.write(fd, f"{time.monotonic():.6f}".encode())
            os.close(fd)
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
