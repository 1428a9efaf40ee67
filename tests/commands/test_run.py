"""The demo day of `catalyst run`: gone on with while it lasts, replaced when it is over."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from catalyst.commands.run import DEMO_S, is_over
from catalyst.testing import FakeClock
from catalyst.world.day import Day
from catalyst.world.generate import generate
from catalyst.world.server import World


@pytest.mark.parametrize(("ago_s", "over"), [(0, False), (DEMO_S - 60, False), (DEMO_S + 60, True)])
def test_a_day_is_over_after_its_length(tmp_path: Path, ago_s: float, over: bool) -> None:
    """What the world noted of its beginning tells whether there is something left to play."""
    generate(1, 12, tmp_path / "day", duration_s=60)
    state = tmp_path / "world.json"
    with World(Day.load(tmp_path / "day"), clock=FakeClock(int((time.time() - ago_s) * 1000)), state=state):
        assert is_over(state) is over


def test_a_day_that_was_never_played_is_not_over(tmp_path: Path) -> None:
    """Without a note, or with a damaged one, the day is played."""
    assert not is_over(tmp_path / "world.json")
    (tmp_path / "world.json").write_text('{"started": 5}')
    assert not is_over(tmp_path / "world.json")
