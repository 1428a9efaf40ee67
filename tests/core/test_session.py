"""Market sessions over clock changes, holidays and half days."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso
from catalyst.core.session import market_session

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(("local", "session"), [
    ("2026-01-02 03:59:59", "closed"), ("2026-01-02 04:00:00", "premarket"), ("2026-01-02 09:29:59", "premarket"),
    ("2026-01-02 09:30:00", "regular"), ("2026-01-02 15:59:59", "regular"), ("2026-01-02 16:00:00", "after_hours"),
    ("2026-01-02 19:59:59", "after_hours"), ("2026-01-02 20:00:00", "closed"), ("2026-01-02 00:00:00", "closed"),
    ("2026-01-03 12:00:00", "closed"), ("2026-01-04 12:00:00", "closed"),  # a weekend
    ("2026-01-01 12:00:00", "closed"), ("2025-12-31 12:00:00", "regular"),  # the turn of the year
    ("2026-01-19 12:00:00", "closed"), ("2026-02-16 12:00:00", "closed"), ("2026-04-03 12:00:00", "closed"),
    ("2026-05-25 12:00:00", "closed"), ("2026-06-19 12:00:00", "closed"), ("2026-07-03 12:00:00", "closed"),
    ("2026-09-07 12:00:00", "closed"), ("2026-11-26 12:00:00", "closed"), ("2026-12-25 12:00:00", "closed"),
    ("2025-01-09 12:00:00", "closed"),  # a day of mourning
    ("2025-10-13 12:00:00", "regular"), ("2025-11-11 12:00:00", "regular"),  # bank holidays on which it opens
    ("2022-01-01 12:00:00", "closed"), ("2021-12-31 12:00:00", "regular"),  # a Saturday holiday is not moved
    ("2025-07-03 12:59:59", "regular"), ("2025-07-03 13:00:00", "after_hours"), ("2025-07-03 16:59:59", "after_hours"),
    ("2025-07-03 17:00:00", "closed"), ("2025-11-28 13:00:00", "after_hours"), ("2025-12-24 12:59:00", "regular"),
    ("2025-12-24 13:00:00", "after_hours"), ("2024-11-29 17:00:00", "closed"),
    ("2026-03-06 09:30:00", "regular"), ("2026-03-09 09:30:00", "regular"), ("2026-03-09 09:29:00", "premarket"),
    ("2026-10-30 15:59:00", "regular"), ("2026-11-02 16:00:00", "after_hours"),
])
def test_session_by_new_york_time(local: str, session: str) -> None:
    """The clock in New York and the exchange's calendar decide."""
    moment = datetime.fromisoformat(local).replace(tzinfo=NEW_YORK)
    assert market_session(round(moment.timestamp() * 1000)) == session


@pytest.mark.parametrize(("utc", "session"), [
    ("2026-03-06T14:30:00", "regular"), ("2026-03-06T14:29:59", "premarket"),  # winter: New York is UTC-5
    ("2026-03-09T13:30:00", "regular"), ("2026-03-09T13:29:59", "premarket"),  # summer: UTC-4
    ("2026-10-30T20:00:00", "after_hours"), ("2026-11-02T20:00:00", "regular"),
])
def test_clock_change_moves_the_bell_in_utc(utc: str, session: str) -> None:
    """The opening bell rings at another UTC hour after the change of clocks."""
    assert market_session(from_iso(utc)) == session


@given(st.datetimes(min_value=datetime(2015, 1, 1), max_value=datetime(2035, 12, 31)))
def test_nights_and_weekends_are_closed(moment: datetime) -> None:
    """No session ever falls on a weekend or outside 4:00 to 20:00."""
    local = moment.replace(tzinfo=NEW_YORK)
    if local.weekday() >= 5 or not 4 <= local.hour < 20:
        assert market_session(round(local.timestamp() * 1000)) == "closed"
