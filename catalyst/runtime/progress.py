"""Progress of the loop: a few plain fields, written by the loop alone and read by the heartbeat thread.

Reading and writing one attribute is atomic in CPython; a heartbeat that catches two fields a moment apart does no harm.
"""

from __future__ import annotations

import math

from catalyst.clock import Clock

A_MOMENT_S = 0.01  # so that the age that is told then is beyond the limit


class Progress:
    """What the loop is doing. `current` is the message, job or timer in hand, `since_s` (monotonic) when it began."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.state = "starting"
        self.loops = 0
        self.current = ""
        self.since_s = clock.monotonic_s()
        self.limit_s = 0.0
        self.handled = 0
        self.failed = 0
        self.snapshot: dict[str, object] = {}  # replaced as a whole by the loop, never changed in place

    def begin(self, what: str, limit_s: float) -> None:
        """`what` is in hand now and should be over within `limit_s`."""
        self.since_s = self._clock.monotonic_s()
        self.limit_s = limit_s
        self.current = what

    def over_s(self) -> float:
        """When what is in hand goes over its limit (monotonic), never where nothing is."""
        return self.since_s + self.limit_s + A_MOMENT_S if self.current and self.limit_s > 0 else math.inf

    def end(self) -> None:
        """Nothing is in hand."""
        self.current = ""
        self.since_s = self._clock.monotonic_s()
