"""When a provider that fails again and again is asked, and when it is left alone so that nobody waits for it. Pure.

After three faults in a row it is paused: 1 s, then twice as long after each further one, up to 30 s. When a pause is
over one request goes out as a probe, and the others pass it by until that one is answered. Times are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FAULTS = 3
PAUSED = "paused_until_ms_"  # the statistic of a provider that is left alone, its name behind it
FIRST_S, LONGEST_S = 1.0, 30.0
PROBE_S = 10.0  # longer than any request lasts: a probe that never came back gives way to the next
LONG_S = 30.0  # without a price the operator hears of it
STEADY_S = 60.0  # of answers end it: a provider that comes and goes is one trouble


@dataclass(frozen=True, slots=True)
class Breaker:
    """How a provider does: `faults` in a row, the last one's `reason`; `wait_s` is the length of the pause in force (0:
    none) which ends at `until_s`; `opened_s` when the first of this trouble began, `well_s` when it answered after it.
    """

    faults: int = 0
    reason: str = ""
    wait_s: float = 0.0
    until_s: float = 0.0
    opened_s: float = 0.0
    well_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is paused, or a probe is under way."""
        return self.wait_s > 0

    def is_long(self, now_s: float) -> bool:
        """Whether it is paused since LONG_S or more, and has failed a probe."""
        return self.wait_s > FIRST_S and now_s - self.opened_s >= LONG_S

    def is_over(self, now_s: float) -> bool:
        """Whether it has answered for STEADY_S without a pause."""
        return self.well_s is not None and now_s - self.well_s >= STEADY_S


def asked(before: Breaker, now_s: float) -> Breaker | None:
    """The state when a request goes out now; None where it must not. Of a paused provider it is the probe."""
    if not before.is_open:
        return before
    return None if now_s < before.until_s else replace(before, until_s=now_s + PROBE_S)


def failed(before: Breaker, reason: str, now_s: float, *, is_probe: bool) -> Breaker:
    """The state after a request without an answer. One that was under way when the pause began changes nothing."""
    after = replace(before, faults=before.faults + 1, reason=reason)
    if before.is_open and is_probe:
        wait_s = min(LONGEST_S, 2 * before.wait_s)
        return replace(after, wait_s=wait_s, until_s=now_s + wait_s)
    if before.is_open or after.faults < FAULTS:
        return after
    return replace(after, wait_s=FIRST_S, until_s=now_s + FIRST_S, opened_s=now_s, well_s=None)


def answered(before: Breaker, now_s: float) -> Breaker:
    """The state after an answer, whatever it says of the ticker."""
    return Breaker(well_s=now_s if before.well_s is None else before.well_s)
