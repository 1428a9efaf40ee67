"""What the supervisor knows of the processes that it looks after, and how it looks at and signals them.

A process is known by its pidfd, so that a signal never meets a later process with the same number.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from catalyst.core.restarts import RestartState
from catalyst.core.watch import SILENT_S, Blame, Signs, Trouble
from catalyst.errors import UnavailableError
from catalyst.runtime.control import Control
from catalyst.runtime.heartbeat import anonymous_bytes
from catalyst.runtime.ownership import start_time

STACKS_ANSWER_S = 0.5  # the heartbeat thread answers in milliseconds


class Stacks(msgspec.Struct, frozen=True):
    """Whose stacks are wanted, and for which incident."""

    actor: str
    pid: int
    kind: str
    detail: str
    found_ms: int = 0


@dataclass(slots=True)
class Child:
    """One actor. Times are monotonic seconds. `state` is one of starting, running, hung, draining, backoff, parked,
    stopped; a process that is `hung` has been found in `trouble` and is about to be ended."""

    name: str
    state: str = "stopped"
    wanted: bool = True
    pid: int | None = None
    pidfd: int = -1
    began_s: float = 0.0
    ready: bool = False
    ready_s: float = 0.0
    start_at_s: float = 0.0
    set_aside: str = ""  # the folder of its damaged database that the operator was told of
    mismatches: int = 0  # of its process's links, as told
    end_at_s: float | None = None  # SIGTERM, at the latest, to one in trouble: its stacks may take until then
    kill_at_s: float | None = None
    trouble: Trouble | None = None
    blame: Blame = ""  # its end will be for something that it did
    suspect: Blame = ""  # its last end was its own doing: what it had in hand may be the cause
    restarts: int = 0
    told: bool = False
    history: RestartState = field(default_factory=RestartState)
    beat: dict[str, Any] = field(default_factory=dict)
    beat_s: float = 0.0

    def take(self, pid: int, started: int, now_s: float) -> bool:
        """Open the pidfd of `pid`, if it is still the process that started at `started` (-1: any)."""
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        if started >= 0 and start_time(pid) != started:
            os.close(pidfd)
            return False
        self.pid, self.pidfd, self.began_s, self.beat_s = pid, pidfd, now_s, now_s
        self.kill_at_s = self.end_at_s = self.trouble = None
        self.blame, self.mismatches = "", 0
        return True

    def is_ended(self) -> bool:
        """Whether the process has ended."""
        return self.pidfd >= 0 and bool(select.select([self.pidfd], [], [], 0)[0])

    def forget(self) -> None:
        """Close the pidfd of a process that has ended."""
        os.close(self.pidfd)
        self.pid, self.pidfd, self.kill_at_s, self.end_at_s, self.trouble = None, -1, None, None, None

    def signal(self, number: int) -> None:
        """Send a signal to the process, if there is one."""
        if self.pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def row(self, now_s: float) -> dict[str, Any]:
        """What `status` is told of it."""
        return {"name": self.name, "state": self.state, "pid": self.pid, "restarts": self.restarts,
                "wanted": self.wanted, "beat": self.beat, "trouble": self.trouble.detail if self.trouble else None,
                "beat_age_s": now_s - self.beat_s if self.beat else None}

    def enforce(self, now_s: float) -> None:
        """Send what is due: SIGTERM to one in trouble that may still drain, SIGKILL to what does not end."""
        if self.end_at_s is not None and self.trouble is not None and now_s >= self.end_at_s:
            self.end_at_s = None
            if self.trouble.patience_s > 0:
                self.signal(signal.SIGTERM)
            self.kill_at_s = now_s + self.trouble.patience_s
        if self.kill_at_s is not None and now_s >= self.kill_at_s:
            self.signal(signal.SIGKILL)
            self.kill_at_s = None

    def is_suspicious(self, now_s: float) -> bool:
        """Whether it is worth a look at once: beats are missing, or the last one told of something over its limit."""
        age_s, limit_s = _number(self.beat, "current_age_s"), _number(self.beat, "current_limit_s")
        return now_s - self.beat_s >= SILENT_S or 0 < limit_s < age_s

    def signs(self, now_s: float) -> Signs:
        """What the last beat said and, where it is silent or large, what the kernel says."""
        beat, age_s = self.beat, now_s - self.beat_s
        pid = self.pid or 0
        return Signs(age_s, process_state(pid) if age_s > 1 else "", str(beat.get("current", "")),
                     _number(beat, "current_age_s"), _number(beat, "current_limit_s"), str(beat.get("job", "")),
                     _number(beat, "job_age_s"), _number(beat, "job_limit_s"), anonymous_bytes(pid),
                     self.state == "starting")


def process_state(pid: int) -> str:
    """The letter of proc(5) for what a process does now, empty where it does not exist."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat[stat.rindex(b")") + 2:stat.rindex(b")") + 3].decode("ascii", "replace")


def stacks_of(run_folder: Path, name: str, pid: int) -> str:
    """The stacks of all threads as the actor tells them, else what the kernel says of a mute process."""
    with Control(run_folder) as control, suppress(UnavailableError):
        return str(control.ask(name, "stacks", STACKS_ANSWER_S)["stacks"])
    lines = []
    for file in ("status", "wchan", "syscall", "stack"):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/{file}").read_text(errors="replace").strip()
            if file == "status":
                text = "\n".join(line for line in text.splitlines() if line.startswith((
                    "State", "Threads", "VmRSS", "RssAnon", "SigPnd", "SigBlk")))
            lines.append(f"/proc/{pid}/{file}: {text}")
    return "\n".join(lines) or "the process is gone"


def _number(beat: dict[str, Any], name: str) -> float:
    value = beat.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
