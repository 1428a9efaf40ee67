"""When what is in hand is worth a word at once."""

from __future__ import annotations

import math
import os

import pytest

from catalyst.core.watch import SILENT_S
from catalyst.runtime.children import Child
from catalyst.runtime.progress import A_MOMENT_S, Progress
from catalyst.testing import FakeClock


def test_over_its_limit() -> None:
    """A moment after the limit of what is in hand; never with empty hands or without a limit."""
    clock = FakeClock()
    progress = Progress(clock)
    assert progress.over_s() == math.inf
    progress.begin("StoryFound x", 2.5)
    assert progress.over_s() == clock.monotonic_s() + 2.5 + A_MOMENT_S
    progress.begin("beats", 0.0)
    assert progress.over_s() == math.inf
    progress.begin("StoryFound x", 2.5)
    progress.end()
    assert progress.over_s() == math.inf


@pytest.mark.parametrize(("age_s", "limit_s", "silent_s", "is_suspicious"), [
    (0.0, 0.0, 0.5, False), (2.4, 2.5, 0.5, False), (2.6, 2.5, 0.5, True), (9.0, 0.0, 0.5, False),
    (0.0, 0.0, SILENT_S, True)])
def test_who_is_looked_at_at_once(age_s: float, limit_s: float, silent_s: float, is_suspicious: bool) -> None:
    """One who says that it is over its limit, and one who says nothing."""
    child = Child("market", pid=os.getpid(), beat={"current_age_s": age_s, "current_limit_s": limit_s}, beat_s=100.0)
    assert child.is_suspicious(100.0 + silent_s) is is_suspicious
