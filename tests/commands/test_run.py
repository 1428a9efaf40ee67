"""`catalyst run`: which alerts it shows; its demo day, gone on with while it lasts, replaced when it is over."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from catalyst.commands.run import DEMO_S, News, is_over
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


def test_what_was_shown_before_is_only_counted() -> None:
    """At a start the alerts that are out are a number; shown is what comes from then on, and what still waited, each
    once and the oldest first."""
    def listed(*states: str) -> list[dict[str, str]]:
        return [{"id": str(number), "state": state} for number, state in enumerate(states)][::-1]

    found = listed("posted", "dead", "new", "posted", "new")
    news = News(found, found[:2])
    assert news.earlier == 2
    assert [alert["id"] for alert in news.of(found)] == ["3"]
    later = listed("posted", "dead", "posted", "posted", "new", "posted")
    assert [alert["id"] for alert in news.of(later)] == ["2", "5"]
    assert news.of(later) == []
