"""Time: the only place that asks the machine what time it is.

Wall time is UTC milliseconds since 1970 (`_ms`), used for everything that is stored or shown. Monotonic time is
seconds from an unknown start (`_s`), used for every duration, so that a changed wall clock fires no timer.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4)


class Clock(Protocol):
    """What the runtime needs of time; `catalyst.testing.FakeClock` is the other implementation."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""

    def monotonic_s(self) -> float:
        """Seconds that only ever grow."""

    def since_boot_s(self) -> float:
        """Seconds since the machine started, its sleep included; the same in all its processes."""

    def boot(self) -> str:
        """Names this start of the machine; empty where nothing does."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def since_boot_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC)

    def boot(self) -> str:
        try:
            return BOOT_ID.read_text().strip()
        except OSError:
            return ""


def iso(moment_ms: int | None) -> str | None:
    """UTC ISO text with milliseconds, `2026-01-31T09:30:00.000Z`; None stays None."""
    if moment_ms is None:
        return None
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ms % 1000:03d}Z"


def from_iso(text: str) -> int:
    """UTC milliseconds of an ISO text; a text without a zone is read as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
