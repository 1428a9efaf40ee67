"""How long to wait between polls: by the market's session and by how often a source changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso
from catalyst.core.pace import BANDS, BOUND_S, SLOWEST_S, changed, pace
from catalyst.core.session import market_session
from catalyst.core.sources import KINDS

MOMENTS = st.integers(from_iso("2025-01-01T00:00:00Z"), from_iso("2027-01-01T00:00:00Z"))
SHARES = st.one_of(st.none(), st.floats(0, 1))


@pytest.mark.parametrize(("moment", "seconds", "why"), [
    ("2026-01-02T14:29:00Z", 20.5, "pre-market"), ("2026-01-02T14:30:00Z", 20.5, "regular session"),
    ("2026-01-02T21:30:00Z", 20.5, "after hours"), ("2026-01-03T01:00:00Z", 82.0, "night"),
    ("2026-01-03T12:00:00Z", 205.0, "no trading day"), ("2026-01-04T23:00:00Z", 205.0, "no trading day"),
    ("2026-12-25T15:00:00Z", 205.0, "no trading day"), ("2026-11-26T15:00:00Z", 205.0, "no trading day"),
    ("2026-11-27T17:30:00Z", 20.5, "regular session"),  # a half day: the bell is at 13:00, the end at 17:00
    ("2026-11-27T19:00:00Z", 20.5, "after hours"), ("2026-11-27T22:30:00Z", 82.0, "night"),
    ("2026-03-06T08:58:00Z", 82.0, "night"), ("2026-03-06T08:59:00Z", 20.5, "soon pre-market"),  # 4:00 is 9:00 UTC
    ("2026-03-09T07:58:00Z", 82.0, "night"), ("2026-03-09T07:59:00Z", 20.5, "soon pre-market"),  # summer time: 8:00
    ("2026-03-09T23:59:00Z", 20.5, "after hours"), ("2026-03-10T00:00:00Z", 82.0, "night"),
    ("2026-10-30T07:59:00Z", 20.5, "soon pre-market"), ("2026-11-02T07:59:00Z", 82.0, "night"),
    ("2026-11-02T08:59:00Z", 20.5, "soon pre-market")])
def test_sessions(moment: str, seconds: float, why: str) -> None:
    """Full pace from 4:00 to 20:00 in New York, in winter and summer; slower at night, slower still on days off."""
    found = pace("rss", None, None, from_iso(moment))
    assert (found.seconds, found.why) == (pytest.approx(seconds, abs=0.1), f"{why}, changes unknown")


@pytest.mark.parametrize("moment", ["2026-01-02T15:00:00Z", "2026-01-03T15:00:00Z", "2026-01-05T08:59:55Z"])
def test_its_own_pace_is_obeyed(moment: str) -> None:
    """`every` counts exactly, at all hours, however the source changes."""
    for change in (None, 0.0, 1.0):
        assert pace("edgar", 0.5, change, from_iso(moment)).seconds == 0.5
        assert pace("rss", 7_200.0, change, from_iso(moment)) == pace("atom", 7_200.0, None, from_iso(moment))


def test_busy_and_quiet_sources() -> None:
    """A source that brings something at most polls comes down to its floor, a quiet one goes up to its cap."""
    at_ms = from_iso("2026-01-02T15:00:00Z")
    assert [pace("rss", None, share, at_ms).seconds for share in (0.0, 0.25, 0.5, 1.0)] == [60, 24.5, 10, 10]
    assert [pace("edgar", None, share, at_ms).seconds for share in (0.0, 0.5)] == [30, 10]
    assert pace("rss", None, 0.314, at_ms).why == "regular session, new at 31% of polls"


def test_the_share_follows() -> None:
    """Ten polls with news make an unknown source a busy one, forty without a quiet one."""
    busy = quiet = None
    for _ in range(10):
        busy = changed(busy, has_news=True)
    for _ in range(40):
        quiet = changed(quiet, has_news=False)
    assert busy is not None
    assert quiet is not None
    assert busy > 0.7
    assert quiet < 0.01
    assert changed(quiet, has_news=True) > quiet


def test_every_kind_has_a_band() -> None:
    """No kind is left out, none may be slower in market hours than promised."""
    assert set(BANDS) == set(KINDS)
    assert all(0 < band.floor_s <= band.cap_s <= BOUND_S for band in BANDS.values())


@given(st.sampled_from(KINDS), SHARES, MOMENTS)
def test_bounds(kind: str, change: float | None, now_ms: int) -> None:
    """The bounds hold at every moment, and no wait of a slow hour ends after market hours have begun."""
    found = pace(kind, None, change, now_ms)
    band = BANDS[kind]
    assert band.floor_s <= found.seconds <= SLOWEST_S
    if market_session(now_ms) != "closed" or market_session(now_ms + round(found.seconds * 1000)) != "closed":
        assert found.seconds <= band.cap_s <= BOUND_S


@given(st.sampled_from(KINDS), st.floats(0, 1), st.floats(0, 1), MOMENTS)
def test_more_news_is_never_slower(kind: str, one: float, other: float, now_ms: int) -> None:
    """In market hours a busier source waits no longer than a quieter one."""
    if market_session(now_ms) != "closed":
        quiet, busy = sorted((one, other))
        assert pace(kind, None, busy, now_ms).seconds <= pace(kind, None, quiet, now_ms).seconds


@given(st.one_of(st.none(), st.floats(0, 1)), st.booleans())
def test_a_share_stays_one(before: float | None, has_news: bool) -> None:
    """The share lies between 0 and 1 for ever."""
    assert 0 <= changed(before, has_news=has_news) <= 1
