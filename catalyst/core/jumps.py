"""What a jump of the wall clock does to stamps that were made before it. Pure: stamps, jumps and `now` in, stamps out.

A stamp is what the wall clock showed. Between two jumps it tells time truly; over a jump two stamps differ by the jump
too. So an age is never `now - stamp` alone where a jump may lie between: too old would be deleted, repeated or judged
stale; too young would never end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SMALLEST_MS = 1_500  # what is less is a correction: a leap second, a server of time that steps
MOST = 32  # jumps that are remembered; before the first of them stamps are taken as they are
MOST_UNSURE_MS = 60_000
SLACK_MS = 50  # two processes read the clock one after the other


class Jump(NamedTuple):
    """The wall clock showed `at_ms` and, at once, `at_ms + by_ms`. It was noticed then, and done `unsure_ms` earlier
    at most."""

    at_ms: int
    by_ms: int
    unsure_ms: int = 0


def noticed(jumps: Sequence[Jump], now_ms: int, by_ms: int, passed_ms: int) -> tuple[Jump, ...]:
    """The jumps with one more, which was noticed when the clock showed `now_ms`, `passed_ms` after the last look."""
    unsure_ms = max(0, min(passed_ms, MOST_UNSURE_MS, abs(by_ms) // 2))
    return (*jumps, Jump(now_ms - by_ms, by_ms, unsure_ms))[-MOST:]


def present(stamp_ms: int, now_ms: int, jumps: Sequence[Jump]) -> int:
    """The stamp as the clock that shows `now_ms` would have made it; never later than now.

    A stamp belongs to the newest stretch between two jumps in which the clock can have shown it. After a jump back some
    times are shown twice: then the second time counts.
    """
    moved_ms, latest_ms = 0, now_ms
    for jump in reversed(jumps):
        if jump.at_ms + jump.by_ms - jump.unsure_ms - SLACK_MS <= stamp_ms <= latest_ms + SLACK_MS:
            break
        moved_ms += jump.by_ms
        latest_ms = jump.at_ms
    return min(stamp_ms + moved_ms, now_ms)


def before(now_ms: int, age_ms: int, jumps: Sequence[Jump]) -> int:
    """The moment for which holds: what was stamped before it is older than `age_ms`. What is that old may be younger by
    its stamp, for a time: this errs to keeping.
    """
    moment_ms = now_ms - age_ms
    for jump in reversed(jumps):
        if moment_ms >= jump.at_ms + jump.by_ms:
            break
        moment_ms -= max(0, jump.by_ms)
    return moment_ms
