"""When a living actor is in trouble: silent, stuck, with a job over its limit, or too big. Pure.

Two clocks (actors.md; measured there: 40 stops of 10 processes beside 4 busy loops, no false alarm at 3 missed beats):
the heartbeat says that the process lives, the progress that it carries says what its loop is doing and since when. Only
what the process itself said counts as progress: an age is never extrapolated, because a loop that went on since its
last beat is not stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BEAT_S = 1.0
SILENT_S = 3 * BEAT_S
MUTE_S = 2 * SILENT_S  # a process that runs and says nothing: starved, or a call that holds the interpreter
# The same before its first beat: after a reboot it reads its whole database, 100 s for 10 GB on a slow disk.
START_S = 180.0
STALL_S = 1.0  # the watcher itself did not run for so long: it knows nothing about the others' silence
END_S = 0.5  # from SIGTERM to SIGKILL where the loop cannot drain
DRAIN_S = 4.0  # where it can; its running jobs may take 3 s
Kind = Literal["silent", "stuck", "slow_job", "swollen", "too_big"]
Blame = Literal["", "message", "job", "any"]  # which of what a process had in hand may have ended it


@dataclass(frozen=True, slots=True)
class Limits:
    """Anonymous memory in bytes: from `soft_bytes` on an actor is recycled, from `hard_bytes` on killed; 0 = none."""

    soft_bytes: int = 0
    hard_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a process. `state` is that of proc(5) ("T" stopped, "R" running), empty where not asked.

    Of the last beat: `current` is the message, result or timer in hand, with its age and limit; `job` the job that is
    nearest to its limit. `anonymous_bytes` None: unknown. `is_starting`: it has not beaten yet, its age is that of the
    process.
    """

    beat_age_s: float
    state: str = ""
    current: str = ""
    current_age_s: float = 0.0
    current_limit_s: float = 0.0
    job: str = ""
    job_age_s: float = 0.0
    job_limit_s: float = 0.0
    anonymous_bytes: int | None = None
    is_starting: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong. `patience_s`: from SIGTERM to SIGKILL, 0 where only SIGKILL helps."""

    kind: Kind
    detail: str
    patience_s: float
    blame: Blame = "any"


def trouble(signs: Signs, limits: Limits) -> Trouble | None:
    """The trouble that the signs show, the worst first; None where there is none."""
    size = signs.anonymous_bytes
    if size is not None and 0 < limits.hard_bytes <= size:
        return Trouble("too_big", f"{size / 1e6:.0f} MB of anonymous memory, limit {limits.hard_bytes / 1e6:.0f}", 0.0)
    if signs.beat_age_s >= SILENT_S and signs.state in ("T", "t"):  # somebody did it from outside
        return Trouble("silent", f"stopped, no beat for {signs.beat_age_s:.1f} s", 0.0, "")
    if signs.beat_age_s >= (START_S if signs.is_starting else MUTE_S):
        return Trouble("silent", f"no beat for {signs.beat_age_s:.1f} s, process state {signs.state or '?'}", END_S)
    if 0 < signs.current_limit_s < signs.current_age_s:
        return Trouble("stuck", f"{signs.current} for {signs.current_age_s:.1f} s, limit {signs.current_limit_s:g}",
                       END_S, "message" if signs.current[:1].isupper() else "any")  # else a timer, or a job's result
    if 0 < signs.job_limit_s < signs.job_age_s:
        return Trouble("slow_job", f"job {signs.job} for {signs.job_age_s:.1f} s, limit {signs.job_limit_s:g}", DRAIN_S,
                       "job")
    if size is not None and 0 < limits.soft_bytes <= size:
        return Trouble("swollen", f"{size / 1e6:.0f} MB of anonymous memory, limit {limits.soft_bytes / 1e6:.0f}",
                       DRAIN_S)
    return None


def excused_s(passed_s: float) -> float:
    """How much of the others' silence proves nothing: the time since the watcher's own last look, where that is so long
    that it did not run itself (suspend, a starved machine). Silence that it did watch goes on counting."""
    return passed_s if passed_s >= STALL_S else 0.0
