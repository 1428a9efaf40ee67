import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.core.feeds import parse_feed
from catalyst.errors import ConfigError
from catalyst.testing import FakeClock
from catalyst.world.archive import load_filing
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
def test_recorded_filings_are_filed_again(tmp_path):
    """Each accession of the captures once, all parties together; those with documents give them, others a 404."""
    day = make_day(DATA, tmp_path / "day", duration_s=900, releases=10)
    kept = {path.name for path in day.filings.iterdir()}
    assert len(kept) == 27 + 31
    clock = FakeClock()
    with World(Day.load(day.folder), clock=clock) as world:
        query = {"action": "getcurrent", "output": "atom", "count": "100"}
        clock.advance(900)
        found = {}
        start = 0
        while entries := parse_feed(world.edgar.latest({**query, "start": str(start)}, clock.now_ms()).body).entries:
            start += len(entries)
            for entry in entries:
                found.setdefault(entry.id.rpartition("=")[2], []).append((entry.link, entry.published_ms))
        assert start == 5_057 + 217 + 31 + 34  # captured without repetitions, rebuilt, reports, parties of submissions
        assert kept <= set(found)
        assert all(len({moment for _, moment in entries}) == 1 for entries in found.values())
        for accession, entries in list(found.items())[::40] + [(name, found[name]) for name in kept]:
            path = entries[0][0].partition("/data/")[2].split("/")
            page = world.edgar.archive(path, clock.now_ms())
            assert page.status == (200 if accession in kept else 404)
            filing = load_filing(day.filings, accession)
            for paper in filing.papers if filing else ():
                answer = world.edgar.archive([*path[:2], paper.file], clock.now_ms())
                assert (answer.status, answer.body) == (200, paper.body)
        assert world.edgar.visible(clock.now_ms()) == len(world.edgar) > 1_500


@needs_data
@pytest.mark.parametrize(("duration_s", "every_s"), [(1800, 2.0), (60, 0.5)])
def test_a_compact_day_asks_to_be_polled_more_often(tmp_path, duration_s, every_s):
    """Between two polls the busiest list must not run off its page of a hundred entries."""
    day = make_day(DATA, tmp_path / "day", duration_s=duration_s, releases=10)
    lists = [feed for feed in day.feeds if feed.kind == "edgar"]
    assert [feed.every_s for feed in lists] == pytest.approx([every_s] * len(lists), abs=0.1)


@needs_data
def test_a_recorded_day_without_filings(tmp_path):
    """It has wires only."""
    day = make_day(DATA, tmp_path / "day", duration_s=900, releases=10, filings=False)
    assert {feed.kind for feed in day.feeds} == {"rss"}
    assert day.filings is None


@needs_data
def test_the_script_says_what_it_did_and_what_is_wrong(tmp_path):
    """Exit code 0 with one line, 78 with a plain line when the folder is not empty or the data is not there."""
    words = [sys.executable, str(ROOT / "scripts/make_day"), str(DATA), str(tmp_path / "day"), "--releases", "10"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (78, f"make_day: {tmp_path / 'day'} is not empty\n")
    with pytest.raises(ConfigError, match="no recorded wire feeds"):
        make_day(tmp_path, tmp_path / "other")
