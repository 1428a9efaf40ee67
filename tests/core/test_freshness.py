"""Which items are still news when they are first seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso, iso
from catalyst.core.feeds import Entry
from catalyst.core.freshness import Limits, shown_ms, stale
from catalyst.core.intake import items_of

NOW_MS = from_iso("2026-01-06T16:00:00Z")  # a Tuesday, 11:00 in New York
HOUR_MS = 3_600_000
LIMITS = Limits(HOUR_MS, 8 * HOUR_MS)


def verdict(published_ms: int | None, silent_ms: int | None = 0, *, link: str = "https://wire.example/1",
            limits: Limits = LIMITS, now_ms: int = NOW_MS) -> bool:
    """Whether an item of this time is stale."""
    items = items_of([Entry("1", "A title", link, "", published_ms)], "wire")
    return bool(stale(items, now_ms, silent_ms, limits))


FILING = "https://www.sec.gov/Archives/edgar/data/1/000000000126000001/0000000001-26-000001-index.htm"


@pytest.mark.parametrize(("age_ms", "silent_ms", "expected"), [
    (HOUR_MS, 0, False), (HOUR_MS + 1, 0, True), (-5 * HOUR_MS, 0, False), (None, 0, False),
    (HOUR_MS + 10_000, 10_000, False), (HOUR_MS + 10_001, 10_000, True), (6 * HOUR_MS, 5 * HOUR_MS, False),
    (6 * HOUR_MS + 1, 5 * HOUR_MS, True), (50 * HOUR_MS, None, False), (HOUR_MS + 1, -50 * HOUR_MS, True)])
def test_stories(age_ms: int | None, silent_ms: int | None, expected: bool) -> None:
    """The limit itself is news, as are the undated, the future and what a silence of the source hid."""
    assert verdict(None if age_ms is None else NOW_MS - age_ms, silent_ms) is expected


def test_no_limit() -> None:
    """0 is no limit, for each kind by itself."""
    assert not verdict(0, limits=Limits(0, HOUR_MS))
    assert verdict(0, limits=Limits(HOUR_MS, 0))
    assert not verdict(0, link=FILING, limits=Limits(HOUR_MS, 0))


@pytest.mark.parametrize(("accepted", "now", "expected"), [
    ("2026-01-06T12:00:00Z", "2026-01-06T20:00:00Z", False), ("2026-01-06T12:00:00Z", "2026-01-06T20:00:01Z", True),
    ("2026-01-05T22:45:00Z", "2026-01-06T11:00:30Z", False),  # 17:45 on Monday, shown at 6:00 on Tuesday
    ("2026-01-05T22:45:00Z", "2026-01-06T19:00:01Z", True),
    ("2026-01-02T22:45:00Z", "2026-01-05T11:00:30Z", False)])  # Friday evening, shown on Monday
def test_filings(accepted: str, now: str, expected: bool) -> None:
    """A filing's age counts from when EDGAR shows it."""
    assert verdict(from_iso(accepted), link=FILING, now_ms=from_iso(now)) is expected


@pytest.mark.parametrize(("accepted", "shown"), [
    ("2026-01-06T22:29:59Z", "2026-01-06T22:29:59.000Z"), ("2026-01-06T22:30:00Z", "2026-01-07T11:00:00.000Z"),
    ("2026-07-02T21:30:00Z", "2026-07-06T10:00:00.000Z"),  # Independence Day is observed on Friday the 3rd
    ("2026-10-09T21:45:00Z", "2026-10-13T10:00:00.000Z"),  # Columbus Day: the exchange is open, EDGAR is not
    ("2026-04-02T21:45:00Z", "2026-04-06T10:00:00.000Z"),  # Good Friday: the exchange is closed
    ("2026-01-04T08:00:00Z", "2026-01-05T11:00:00.000Z"), ("2026-10-30T21:45:00Z", "2026-11-02T11:00:00.000Z")])
def test_when_a_filing_is_shown(accepted: str, shown: str) -> None:
    """At once until 17:30 in New York, then at 6:00 of the next working day, in summer and winter time."""
    assert iso(shown_ms(from_iso(accepted))) == shown


@given(st.integers(from_iso("2024-01-01T00:00:00Z"), from_iso("2028-01-01T00:00:00Z")))
def test_shown_after_it_was_accepted(accepted_ms: int) -> None:
    """No filing is shown before it was accepted, none later than after the longest weekend."""
    assert 0 <= shown_ms(accepted_ms) - accepted_ms <= 5 * 24 * HOUR_MS
