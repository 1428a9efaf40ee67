"""Counting what was refused, by reason: every one is counted, the log gets a line a minute and reason."""

from __future__ import annotations

from collections import Counter

from catalyst import log
from catalyst.clock import Clock

BETWEEN_LINES_S = 60.0


class Refusals:
    """Counts of one thread; `counts` may be copied by another. Reasons are words of ours, so there are few."""

    def __init__(self, clock: Clock, event: str = "frame_rejected"):
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._event = event
        self._told: dict[str, tuple[float, int]] = {}  # reason -> when it was logged last, the count then

    def add(self, reason: str) -> None:
        """Count one."""
        self.counts[reason] = count = self.counts[reason] + 1
        now_s = self._clock.monotonic_s()
        told = self._told.get(reason)
        if told is None or now_s - told[0] >= BETWEEN_LINES_S:
            self._told[reason] = (now_s, count)
            log.warning(self._event, reason=reason, count=count - (told[1] if told else 0))
