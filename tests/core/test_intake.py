"""What a document holds, what of it is backlog, and when a source is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.feeds import Entry
from catalyst.core.intake import (
    Item,
    following_due,
    fresh_ms,
    in_order,
    items_of,
    split_backlog,
    wait_after_failure,
)

NOW_MS = 1_767_362_400_000


def entry(title: str, published_ms: int | None = None, *, link: str = "", name: str = "",
          symbols: tuple[str, ...] = ()) -> Entry:
    """An entry with a link made of its title."""
    link = link or f"https://e.example/{title}"
    return Entry(name or link, title, link, f"About {title}", published_ms, symbols)


def titles(items: list[Item]) -> list[str]:
    """Titles in order."""
    return [item.entry.title for item in items]


def test_one_item_an_id() -> None:
    """Entries of one canonical link are one item, the first of them; the document's order stays."""
    items = items_of([entry("b"), entry("a"), entry("x", link="http://E.example/b/", name="other")], "wire")
    assert titles(items) == ["b", "a"]


def test_company_entry_of_a_filing() -> None:
    """Of a filing's entries the company's counts, wherever it stands; a filing is never joined by its title."""
    name = "urn:tag:sec.gov,2008:accession-number=0000000001-25-000001"
    parties = [entry("4 - Doe John Jr (1) (Reporting)", name=name),
               entry("4 - ACME ROBOTICS INC (2) (Issuer)", name=name)]
    for order in (parties, parties[::-1]):
        (item,) = items_of(order, "sec")
        assert (item.entry.title, item.signature) == ("4 - ACME ROBOTICS INC (2) (Issuer)", "")


def test_keys_of_entries() -> None:
    """A key names an entry by its id alone, unless several items of the document share that id."""
    (before,) = items_of([entry("a", name="1")], "wire")
    (moved,) = items_of([entry("a", name="1", link="https://new.example/")], "wire")
    assert (before.key == moved.key, before.item_id == moved.item_id) == (True, False)
    shared = items_of([entry("a", name="0"), entry("b", name="0")], "wire")
    assert len({item.key for item in shared}) == 2


def test_title_from_summary() -> None:
    """An entry without a title gets one from its summary; one without either is no item."""
    rows = [Entry("1", "", "https://e.example/1", "Only a summary", None),
            Entry("2", "", "https://e.example/2", "", None)]
    assert titles(items_of(rows, "wire")) == ["Only a summary"]


def test_digest_needs_time_and_summary() -> None:
    """Only a whole text with a time can be known again under another link."""
    dated, undated = items_of([entry("a", NOW_MS), entry("b")], "wire")
    assert dated.digest
    assert undated.digest == ""


@pytest.mark.parametrize(("wanted", "undated_too", "news", "backlog"), [
    (0, True, ["edge", "new"], ["older", "old", "undated"]), (1, True, ["old", "edge", "new"], ["older", "undated"]),
    (9, True, ["older", "old", "edge", "new", "undated"], []),
    (0, False, ["edge", "new", "undated"], ["older", "old"])])
def test_backlog(wanted: int, undated_too: bool, news: list[str], backlog: list[str]) -> None:
    """What was published more than 600 s before it was seen is backlog; the newest of it may be let in."""
    items = items_of([entry("undated"), entry("new", NOW_MS), entry("old", NOW_MS - 600_001),
                      entry("edge", NOW_MS - 600_000), entry("older", NOW_MS - 9_000_000)], "wire")
    found, left = split_backlog(items, NOW_MS, wanted, undated_too=undated_too)
    assert (titles(found), titles(left)) == (news, backlog)


@given(st.lists(st.one_of(st.none(), st.integers(0, 2 * 10**12)), max_size=30), st.integers(0, 40), st.booleans())
def test_backlog_loses_nothing(moments: list[int | None], wanted: int, undated_too: bool) -> None:
    """Every item is news or backlog, never both and never neither."""
    items = items_of([entry(f"t{number}", moment) for number, moment in enumerate(moments)], "wire")
    news, backlog = split_backlog(items, NOW_MS, wanted, undated_too=undated_too)
    assert sorted(titles(news) + titles(backlog)) == sorted(titles(items))
    assert titles(news) == titles(in_order(news))


def test_a_correction_comes_behind_its_story() -> None:
    """Of one moment, in whatever order the document has them, the marked one comes last; else time decides."""
    rows = [entry("CORRECTION: Acme Wins Order", NOW_MS), entry("Acme Wins Order", NOW_MS), entry("Later", NOW_MS + 1)]
    wanted = ["Acme Wins Order", "CORRECTION: Acme Wins Order", "Later"]
    assert titles(in_order(items_of(rows, "wire"))) == titles(in_order(items_of(rows[::-1], "wire"))) == wanted


@pytest.mark.parametrize(("late_ms", "expected"), [(0, 10_000), (100, 10_000), (2_499, 10_000), (2_500, 12_500),
                                                   (3_600_000, 3_610_000), (-50, 9_950)])
def test_following_due(late_ms: int, expected: int) -> None:
    """Small delays leave the rhythm as it is; after a long one a new rhythm begins."""
    assert following_due(0, late_ms, 10_000) == expected


@given(st.text(max_size=10), st.integers(1, 1_000), st.integers(100, 86_400_000),
       st.one_of(st.none(), st.floats(0, 1e6)))
def test_waits(name: str, failures: int, pace_ms: int, wish_s: float | None) -> None:
    """A wait is never shorter than the pace or the server's wish (up to an hour), and has an end."""
    wait_ms = wait_after_failure(name, failures, pace_ms, wish_s)
    assert wait_ms >= pace_ms
    assert wait_ms >= min(round((wish_s or 0) * 1000), 3_600_000)
    assert wait_ms <= max(375_000, pace_ms * 1.25, 3_600_000 if wish_s else 0)
    assert wait_ms == wait_after_failure(name, failures, pace_ms, wish_s)


@pytest.mark.parametrize(("server_ms", "expected"), [
    (None, NOW_MS), (NOW_MS - 119_000, NOW_MS), (NOW_MS + 119_000, NOW_MS), (NOW_MS - 121_000, NOW_MS - 121_000),
    (NOW_MS + 172_800_000, NOW_MS + 172_800_000)])
def test_whose_clock_tells_the_age_of_an_item(server_ms: int | None, expected: int) -> None:
    """Ours, unless the source's own differs by minutes: it dates its items by that."""
    assert fresh_ms(NOW_MS, server_ms) == expected
