"""No defect: the clock of every process but the world is set back by an hour AFTER_S after the fetcher's first start.

It is the same run that `wall_clock_timers.py` does not survive.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from catalyst.clock import SystemClock

AFTER_S, BACK_S = 4.0, 3_600.0
HOME = Path(os.environ.get("CATALYST_HOME", "/nowhere"))


def jumped_s() -> float:
    """By how much the wall clock is off by now: nothing, or an hour back. All processes share one file for when."""
    try:
        return -BACK_S if time.time() >= float((HOME / "jumps_at").read_text()) else 0.0
    except (FileNotFoundError, ValueError):
        if (HOME / "db" / "fetcher.db").exists():
            with suppress(FileExistsError), (HOME / "jumps_at").open("x") as file:
                file.write(str(time.time() + AFTER_S))
        return 0.0


def now_ms(self: SystemClock) -> int:
    """The wall clock's milliseconds."""
    return int((time.time() + jumped_s()) * 1000)


if "world" not in sys.orig_argv:
    SystemClock.now_ms = now_ms  # type: ignore[method-assign]
