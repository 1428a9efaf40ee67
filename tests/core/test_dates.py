"""Dates of feeds: every common form, and None instead of a guess."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import iso
from catalyst.core.dates import parse_date


@pytest.mark.parametrize(("text", "expected"), [
    ("2025-12-12T18:02:43-05:00", "2025-12-12T23:02:43.000Z"),
    ("2099-12-31T23:59:59-05:00", "2100-01-01T04:59:59.000Z"),
    ("1970-01-01T05:00:00+05:00", "1970-01-01T00:00:00.000Z"),
    ("2025-12-12T18:02:43.1239Z", "2025-12-12T18:02:43.123Z"),
    ("2025-12-12T18:02:43+0530", "2025-12-12T12:32:43.000Z"),
    ("2025-12-12T18:02+01", "2025-12-12T17:02:00.000Z"),
    ("2025-12-12 18:02:43 UTC", "2025-12-12T18:02:43.000Z"),
    ("2025-12-12 18:02:43", "2025-12-12T18:02:43.000Z"),
    ("2025-12-12", "2025-12-12T00:00:00.000Z"),
    ("20251212T180243Z", "2025-12-12T18:02:43.000Z"),
    ("2025-12-31T24:00:00Z", "2026-01-01T00:00:00.000Z"),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
    ("Tue, 26 Aug 2025 02:15:00 +0000", "2025-08-26T02:15:00.000Z"),
    ("Wed, 31 Jan 2024 22:06 GMT", "2024-01-31T22:06:00.000Z"),
    ("Fri, 01 Nov 2013 05:30:00 -0400", "2013-11-01T09:30:00.000Z"),
    ("\n   Mon, 18 Mar 2013  16:37:23\n", "2013-03-18T16:37:23.000Z"),
    ("18 Mar 13 16:37 EST", "2013-03-18T21:37:00.000Z"),
    ("Thu, 1 Jan 2026 00:00:00 PDT", "2026-01-01T07:00:00.000Z"),
    ("Fri Nov  1 05:30:00 2013", "2013-11-01T05:30:00.000Z"),
    ("Fri Nov 01 05:30:00 EDT 2013", "2013-11-01T09:30:00.000Z"),
    ("November 1, 2013", "2013-11-01T00:00:00.000Z"),
    ("Nov. 1st, 2013 at 5:30 p.m. ET", "2013-11-01T21:30:00.000Z"),
    ("January 15, 2026 4:05 PM ET", "2026-01-15T21:05:00.000Z"),
    ("July 15, 2026 12:05 AM Eastern Time", "2026-07-15T04:05:00.000Z"),
    ("11/01/2013 5:30:00 PM", "2013-11-01T17:30:00.000Z"),
    ("25/12/2013", "2013-12-25T00:00:00.000Z"),
    ("12-31-2025", "2025-12-31T00:00:00.000Z"),
    ("31-12-2025 10:00 EST", "2025-12-31T15:00:00.000Z"),
    ("31-Dec-2025 10:00:00 +0100", "2025-12-31T09:00:00.000Z"),
    ("31-Dec-25", "2025-12-31T00:00:00.000Z"),
    ("01.11.2013 17:30", "2013-11-01T17:30:00.000Z"),
    ("2013/11/01 05:30", "2013-11-01T05:30:00.000Z"),
    ("2013-11-01 05:30 PM", "2013-11-01T17:30:00.000Z"),
    ("Fri, 01 Nov 2013 05:30:00 GMT+0200", "2013-11-01T03:30:00.000Z"),
    ("1383284700", "2013-11-01T05:45:00.000Z"),
    ("1383284700123", "2013-11-01T05:45:00.123Z")])
def test_known_forms(text: str, expected: str) -> None:
    """Each form that feeds use gives its moment in UTC."""
    assert iso(parse_date(text)) == expected


@pytest.mark.parametrize("text", [
    "", " ", "today", "10:30", "Friday 10:30", "2821606", "163958", "November", "November 1", "1 November 10:30",
    "2025-13-01", "2025-02-29", "Thu, 31 Feb 2026 10:00:00 GMT", "2025-12-12T25:00:00Z", "2025-12-12T10:61:00Z",
    "Fri, 01 Nov 2013 05:30:00 XYZ", "13:30 PM Nov 1, 2013", "99/99/2013", "0000-00-00T00:00:00Z", "2025-12-12T1",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "x" * 500, "1 2 3 Nov 2013", "2025-12-12T10:00:00+99:00",
    "1970-01-01T00:00:00+05:00", "2100-12-31T23:59:59-05:00", "2025-12-12T10:00:00.10:00", "2025-12-12T10:00:00Z12:34",
    "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", "tag:example.com,2005:1"])
def test_no_guess(text: str) -> None:
    """What is not one whole, possible date is unknown: no part of it is taken from today."""
    assert parse_date(text) is None


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), st.sampled_from(["iso", "rfc"]))
def test_round_trip(moment: datetime, form: str) -> None:
    """Any moment written as ISO 8601 or RFC 2822 comes back to the second."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    text = moment.isoformat() if form == "iso" else format_datetime(moment)
    assert parse_date(text) == int(moment.timestamp()) * 1000


@given(st.text(max_size=120))
def test_any_text(text: str) -> None:
    """No text raises."""
    found = parse_date(text)
    assert found is None or isinstance(found, int)
