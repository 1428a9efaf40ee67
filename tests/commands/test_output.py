"""Tables, times, sizes and durations."""

from __future__ import annotations

from argparse import ArgumentTypeError
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.commands.output import Local, count, cut, duration_ms, megabytes, plain, seconds, table, when


def test_table() -> None:
    """Columns are aligned, numbers to the right, unknown is a dash, lines end at the width."""
    rows = [("a", 5, None), ("bcd", 1000, "x y")]
    assert table(("NAME", "N", "WHY"), rows).splitlines() == ["NAME     N  WHY", "a        5  -", "bcd   1000  x y"]
    assert table(("NAME", "N", "WHY"), rows, 8).splitlines()[2] == "bcd   1…"
    assert table(("A",), []) == "A"


@given(st.text())
def test_plain(text: str) -> None:
    """Whatever comes in, nothing that a terminal obeys comes out."""
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) == len(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("90s", 90_000), ("10m", 600_000), ("1h", 3_600_000), ("2d", 172_800_000), ("1.5h", 5_400_000), ("0s", 0)])
def test_duration(text: str, expected: int) -> None:
    """A number and a unit."""
    assert duration_ms(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1w", "nans", "infs", "1e99d", "1 h ago"])
def test_no_duration(text: str) -> None:
    """Anything else is a usage error."""
    with pytest.raises(ArgumentTypeError, match="is no duration"):
        duration_ms(text)


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "٣", ""])
def test_no_count(text: str) -> None:
    """Only a whole number counts lines."""
    with pytest.raises(ArgumentTypeError):
        count(text)


def test_figures() -> None:
    """Sizes and ages as a person reads them."""
    assert [megabytes(value) for value in (None, 24_400_000)] == ["-", "24 MB"]
    assert [seconds(value) for value in (None, 0.42, 42.0, 300, 9_000, 200_000)] == [
        "-", "0.4 s", "42 s", "5 m", "2 h", "2 d"]
    assert (when(None), when(2**53), when(0)) == (None, None, "1970-01-01T00:00:00.000Z")
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "ab…")


def test_the_clock_of_a_person() -> None:
    """A moment in either form is told on the clock of CATALYST_TZ, with the zone's short name of that day; what is
    unknown or no moment is a dash."""
    local = Local(ZoneInfo("America/New_York"))
    winter, summer = "2026-01-02T14:00:01.234Z", 1_782_914_400_000
    assert (local.time(winter), local.name(winter)) == ("09:00:01.234", "EST")
    assert local.date_time(summer) == "2026-07-01 10:00:00 EDT"
    assert local.precise(winter) == "2026-01-02 09:00:01.234 EST"
    assert [local.time(odd) for odd in (None, "no time", 2**53)] == ["-"] * 3
    assert local.name(None) in ("EST", "EDT")
