import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.core.feeds import parse_feed
from catalyst.errors import ConfigError
from catalyst.testing import FakeClock
from catalyst.world.day import Day
from catalyst.world.recorded import make_day
from catalyst.world.server import World

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside the project")


@needs_data
def test_a_recorded_day_plays_all_its_items(tmp_path):
    """Every link once, spread over the day; at its end each feed has shown all of them."""
    day = make_day(DATA, tmp_path / "day", duration_s=900, releases=150)
    clock = FakeClock()
    with World(Day.load(day.folder), clock=clock) as world:
        half, whole = [], []
        for seen, seconds in ((half, 450), (whole, 450)):
            clock.advance(seconds)
            seen += [entry.link for tape in world.tapes.values()
                     for entry in parse_feed(tape.at(clock.now_ms())[0]).entries]
    assert 0.4 < len(half) / len(whole) < 0.6
    assert len(whole) == len(set(whole)) > 200
    assert day.companies.is_file()


@needs_data
def test_the_script_says_what_it_did_and_what_is_wrong(tmp_path):
    """Exit code 0 with one line, 78 with a plain line when the folder is not empty or the data is not there."""
    words = [sys.executable, str(ROOT / "scripts/make_day"), str(DATA), str(tmp_path / "day"), "--releases", "10"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (78, f"make_day: {tmp_path / 'day'} is not empty\n")
    with pytest.raises(ConfigError, match="no recorded wire feeds"):
        make_day(tmp_path, tmp_path / "other")
