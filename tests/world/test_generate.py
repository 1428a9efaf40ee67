import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from rapidfuzz import fuzz, process

from catalyst.clock import from_iso
from catalyst.core.corrections import read_mark
from catalyst.core.feeds import parse_feed
from catalyst.errors import ConfigError
from catalyst.testing import FakeClock
from catalyst.world.amended import amended
from catalyst.world.companies import make_companies
from catalyst.world.generate import generate
from catalyst.world.quotes import read_bars
from catalyst.world.server import World
from catalyst.world.stories import Writer, mix

REAL_COMPANIES = Path(__file__).resolve().parents[2] / "../shared/data/reference/company_tickers.json"


def contents(folder):
    return {file.relative_to(folder): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """Two folders of one seed are equal, file for file; another seed differs; an old day is replaced whole."""
    generate(3, 60, tmp_path / "a", duration_s=300)
    generate(4, 90, tmp_path / "b", duration_s=300)
    assert contents(tmp_path / "a") != contents(tmp_path / "b")
    generate(3, 60, tmp_path / "b", duration_s=300)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_every_truth_line_is_in_its_feed_and_nothing_else(day, truth):
    """What the feeds hold at the day's end is what truth.jsonl says, link for link."""
    clock = FakeClock()
    with World(day, clock=clock) as world:
        clock.advance(day.duration_s)
        shown = {name: [entry.link for entry in parse_feed(tape.at(clock.now_ms())[0]).entries]
                 for name, tape in world.tapes.items()}
    for name, links in shown.items():
        assert Counter(links) == Counter(line["link"] for line in truth if line["source"] == name)


def test_the_titles_are_those_of_the_truth(day, truth):
    """A reader of the feeds finds the titles as written, odd ones apart."""
    entries = {entry.link: entry for feed in day.feeds for entry in parse_feed(feed.file.read_bytes()).entries}
    plain = [line for line in truth if line["odd"] in (None, "undated", "quotes", "everyone")]
    assert len(plain) > 100
    for line in plain:
        assert entries[line["link"]].title == line["title"]
        assert (entries[line["link"]].published_ms is None) == (line["published"] is None)


def test_has_all_sorts_of_items(truth):
    """Each sort is there, with a fate and a reason that belong to it."""
    sorts = Counter(line["what"] for line in truth)
    assert set(sorts) - {"weak"} == {
        "catalyst", "noise", "duplicate", "correction", "same_link", "backlog", "no_ticker", "dear", "foreign"}
    assert sorts["duplicate"] + sorts["correction"] == 12
    reasons = {(line["what"], line["reason"]) for line in truth if line["fate"] == "dropped"}
    assert {("dear", "price_ceiling"), ("backlog", "backlog"), ("no_ticker", "no_ticker")} <= reasons
    assert all(line["reason"] is None for line in truth if line["fate"] == "alerted")
    assert {line["fate"] for line in truth if line["what"] == "catalyst"} == {"alerted"}
    assert any(line["odd"] == "undated" for line in truth)


def test_repeats_name_their_first(truth):
    """A duplicate has another link and wire, a correction its story's wire and a mark, the same link has only something
    behind it; all come later."""
    first = {line["link"]: line for line in truth if line["duplicate_of"] is None}
    for line in truth:
        if line["what"] == "duplicate":
            original = first[line["duplicate_of"]]
            assert line["source"] != original["source"]
            assert line["title"] != original["title"]
            assert 0 <= from_iso(line["published"]) - from_iso(original["published"]) <= 60_000
        elif line["what"] == "correction":
            original = first[line["duplicate_of"]]
            assert (line["source"], line["fate"]) == (original["source"], original["fate"])
            assert read_mark(line["title"]).title == original["title"]
            assert 2_000 <= from_iso(line["published"]) - from_iso(original["published"]) <= 300_000
        elif line["what"] == "same_link":
            assert line["link"].startswith(line["duplicate_of"] + "?utm_")
            assert first[line["duplicate_of"]]["fate"] == line["fate"]


def test_corrections_leave_all_other_items_as_they_are():
    """Only duplicates become corrections, one at least; each other story of the seed is the same, byte for byte."""
    random = Random(21)
    companies = make_companies(random, 30)
    plain = Writer(random, companies, 900, None).stories(mix(100, 0.1))
    found = amended(Random(1), plain, 899)
    changed = [story for story in found if story not in plain]
    assert {story.what for story in changed} == {"correction"}
    assert {story.number for story in changed} < {story.number for story in plain if story.what == "duplicate"}
    assert len(found) == len(plain)
    assert [story for story in found if story.what != "correction"] == [story for story in plain if story in found]
    assert changed == [story for story in amended(Random(1), plain, 899) if story.what == "correction"]


def test_entries_are_edited_in_place_on_demand(tmp_path):
    """With `edits` the second appearance of an alerted link is its entry again, id and link the same, with a mark."""
    day = generate(11, 120, tmp_path / "day", duration_s=600, edits=True)
    lines = [json.loads(line) for line in (day.folder / "truth.jsonl").read_text().splitlines()]
    first = {line["link"]: line for line in lines if line["duplicate_of"] is None}
    edits = [line for line in lines if line["link"] == line["duplicate_of"]]
    assert edits
    entries = [entry for feed in day.feeds for entry in parse_feed(feed.file.read_bytes()).entries]
    for line in edits:
        assert (line["what"], line["fate"]) == ("same_link", "alerted")
        (later, earlier) = (entry for entry in entries if entry.link == line["link"])
        assert (later.id, later.title) == (earlier.id, line["title"])
        assert read_mark(later.title).title == earlier.title == first[line["link"]]["title"]


def test_only_the_intended_titles_are_alike(tmp_path):
    """In a big day no two stories share all words of a title, and duplicates are much alike."""
    day = generate(5, 1000, tmp_path / "day")
    lines = [json.loads(line) for line in (day.folder / "truth.jsonl").read_text().splitlines()]
    firsts = [line["title"].lower() for line in lines if line["duplicate_of"] is None]
    alike = [(title, other) for number, title in enumerate(firsts) for other, _, _ in process.extract_iter(
        title, firsts[:number], scorer=fuzz.token_sort_ratio, score_cutoff=95)]
    assert alike == []
    by_link = {line["link"]: line["title"] for line in lines}
    for line in lines:
        if line["what"] == "duplicate":
            assert fuzz.token_set_ratio(line["title"].lower(), by_link[line["duplicate_of"]].lower()) > 80


def test_prices_stay_on_their_side_of_the_ceiling(day, truth):
    """A cheap company is between 0.10 and 10 USD all day long, a dear one always above."""
    dear = {line["ticker"] for line in truth if line["what"] == "dear"}
    cheap = {line["ticker"] for line in truth if line["fate"] == "alerted"}
    assert dear
    assert cheap
    assert not dear & cheap
    for tickers, low, high in ((dear, 10, 1000), (cheap, 0.10, 10)):
        for ticker in tickers:
            bars = read_bars(day.bars / f"{ticker}.csv")
            assert all(low < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high < high
                       for bar in bars)


def test_a_burst_publishes_everything_at_once(tmp_path):
    """All items but the backlog have one moment, and the window shows them all."""
    day = generate(6, 300, tmp_path / "day", duration_s=60, burst_s=20, duplicates=0)
    lines = [json.loads(line) for line in (day.folder / "truth.jsonl").read_text().splitlines()]
    moments = {line["published"] for line in lines if line["what"] != "backlog"} - {None}
    assert moments == {"2026-03-03T14:35:20.000Z"}
    assert not any(line["what"] == "duplicate" for line in lines)
    assert all(feed.window >= sum(line["source"] == feed.name for line in lines) for feed in day.feeds)


@pytest.mark.parametrize(("items", "options", "expected"), [
    (0, {}, "0 items"), (10, {"duplicates": 0.9}, "duplicates"), (10, {"duration_s": 0}, "duration"),
    (10, {"burst_s": 9999}, "burst"),
])
def test_refuses_sizes_that_cannot_be(tmp_path, items, options, expected):
    """A plain line instead of a strange day."""
    with pytest.raises(ConfigError, match=expected):
        generate(1, items, tmp_path / "day", **options)


def test_does_not_write_into_a_folder_of_something_else(tmp_path):
    """A folder that holds other files is left alone."""
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="not a day"):
        generate(1, 10, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("items", [1, 2, 7, 20])
def test_small_days_are_days_too(tmp_path, items):
    """As many lines as were asked for, however few."""
    day = generate(items, items, tmp_path / "day", duration_s=5)
    assert len((day.folder / "truth.jsonl").read_text().splitlines()) == items


@pytest.mark.skipif(not REAL_COMPANIES.is_file(), reason="the recorded data is not beside the project")
def test_no_company_is_a_real_one(tmp_path):
    """Neither ticker nor name nor CIK of a big day is in the SEC's list."""
    day = generate(8, 3000, tmp_path / "day")
    real = json.loads(REAL_COMPANIES.read_text()).values()
    invented = json.loads(day.companies.read_text()).values()
    for field in ("ticker", "cik_str"):
        assert not {row[field] for row in real} & {row[field] for row in invented}
    assert not {row["title"].split()[0].lower() for row in real} & {row["title"].split()[0].lower() for row in invented}
