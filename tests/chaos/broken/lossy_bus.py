"""No defect: the bus of every process loses one frame in ten on its way out, as a cut connection may.

It is the same run that `high_water_mark.py` does not survive.
"""

from __future__ import annotations

from itertools import count

from catalyst.runtime.bus import Bus
from catalyst.runtime.links import OutLink

EACH = 10
frames = count(1)
send = Bus.send


def lose_some(self: Bus, link: OutLink, frame: bytes) -> bool:
    """Send the frame, or say so and do not."""
    return True if next(frames) % EACH == 0 else send(self, link, frame)


Bus.send = lose_some  # type: ignore[method-assign]
