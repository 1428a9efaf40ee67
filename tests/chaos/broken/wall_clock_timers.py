"""Broken on purpose: timers and limits of time go by the wall clock, which is set back by an hour."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from catalyst.clock import SystemClock

runpy.run_path(str(Path(__file__).with_name("clock_set_back.py")))


def monotonic_s(self: SystemClock) -> float:
    """The seconds of the wall clock."""
    return self.now_ms() / 1000


if "world" not in sys.orig_argv:
    SystemClock.monotonic_s = monotonic_s  # type: ignore[method-assign]
