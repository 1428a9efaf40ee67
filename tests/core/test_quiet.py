"""The rules of what is held back: windows of quiet hours, words of a mute, what a repeat is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.quiet import (
    Filter,
    Mute,
    Rules,
    day_began_ms,
    hold,
    is_of,
    is_quiet,
    parse_hours,
    quiet_until_ms,
    what_and_value,
)
from catalyst.errors import ConfigError, UsageError
from catalyst.testing import START_MS
from tests.alerting import ALERT

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> int:
    """UTC milliseconds of a New York time, `2026-01-02 09:00`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() * 1000)


@pytest.mark.parametrize(("hours", "inside", "outside"), [
    ("22:00-06:30", ("2026-01-02 22:00", "2026-01-02 06:29", "2026-01-03 00:00"),
     ("2026-01-02 06:30", "2026-01-02 21:59", "2026-01-02 12:00")),
    ("Sat-Sun 00:00-24:00", ("2026-01-03 00:00", "2026-01-04 23:59"), ("2026-01-02 23:59", "2026-01-05 00:00")),
    ("fri 22:00 - 06:00", ("2026-01-02 22:00", "2026-01-03 05:59"), ("2026-01-02 05:59", "2026-01-03 22:00")),
    ("Fri-Mon 20:00-21:00", ("2026-01-02 20:30", "2026-01-05 20:30"), ("2026-01-06 20:30", "2026-01-08 20:30")),
    ("9:00-9:01", ("2026-01-02 09:00",), ("2026-01-02 09:01", "2026-01-02 08:59")),
    ("01:00-04:00", ("2026-03-08 01:30", "2026-03-08 03:30", "2026-11-01 01:30"), ("2026-03-08 04:00",))])
def test_windows(hours: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    """First minute in, end out; over midnight it belongs to the day of its beginning; local time, also as clocks
    change."""
    rules = Rules(parse_hours([hours]), NEW_YORK)
    assert [is_quiet(rules, at(text)) for text in inside] == [True] * len(inside)
    assert [is_quiet(rules, at(text)) for text in outside] == [False] * len(outside)


def test_several_windows_add_up() -> None:
    """Each alone is enough; none is never quiet."""
    rules = Rules(parse_hours(["22:00-06:30", "Sat-Sun 00:00-24:00"]), NEW_YORK)
    assert is_quiet(rules, at("2026-01-03 12:00"))
    assert is_quiet(rules, at("2026-01-05 23:00"))
    assert not is_quiet(rules, at("2026-01-05 12:00"))
    assert not is_quiet(Rules(), START_MS)


@pytest.mark.parametrize(("now", "ends"), [
    ("2026-01-05 23:00", "2026-01-06 06:30"), ("2026-01-06 06:29", "2026-01-06 06:30"),
    ("2026-01-02 22:30", "2026-01-05 06:30"), ("2026-01-03 12:00", "2026-01-05 06:30"), ("2026-01-05 12:00", None)])
def test_the_end_of_quiet_hours_that_run(now: str, ends: str | None) -> None:
    """Windows that meet are one: a night, a weekend and the next night end together."""
    rules = Rules(parse_hours(["22:00-06:30", "Sat-Sun 00:00-24:00"]), NEW_YORK)
    assert quiet_until_ms(rules, at(now)) == (None if ends is None else at(ends))
    assert day_began_ms(at(now), NEW_YORK) == at(f"{now[:10]} 00:00")


@pytest.mark.parametrize(("hours", "now", "ends"), [
    ("00:00-01:30", "2026-11-01T01:15:00-04:00", "2026-11-01T01:30:00-04:00"),
    ("00:00-01:30", "2026-11-01T01:45:00-04:00", None),
    ("00:00-01:30", "2026-11-01T01:15:00-05:00", "2026-11-01T01:30:00-05:00"),
    ("01:30-02:30", "2026-11-01T01:45:00-04:00", "2026-11-01T01:00:00-05:00"),
    ("01:40-01:20", "2026-11-01T01:45:00-04:00", "2026-11-01T01:20:00-05:00"),
    ("01:00-02:30", "2027-03-14T01:59:00-05:00", "2027-03-14T03:00:00-04:00"),
    ("01:00-04:00", "2027-03-14T01:59:00-05:00", "2027-03-14T04:00:00-04:00")])
def test_the_end_while_the_clocks_change(hours: str, now: str, ends: str | None) -> None:
    """An end that the clock shows twice counts each time; one that it leaves out is the change itself."""
    rules, now_ms = Rules(parse_hours([hours]), NEW_YORK), round(datetime.fromisoformat(now).timestamp() * 1000)
    until_ms = quiet_until_ms(rules, now_ms)
    assert until_ms == (None if ends is None else round(datetime.fromisoformat(ends).timestamp() * 1000))


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 12 * 60), st.sampled_from(["2026-11-01", "2027-03-14"]))
def test_it_is_quiet_until_the_end_that_is_told(start_min: int, end_min: int, minute: int, day: str) -> None:
    """In the nights in which the clocks change: at each minute up to it, and not at it."""
    if start_min == end_min:
        return
    hours = f"{start_min // 60}:{start_min % 60:02d}-{end_min // 60}:{end_min % 60:02d}"
    rules, now_ms = Rules(parse_hours([hours]), NEW_YORK), at(f"{day} 00:00") + minute * 60_000
    until_ms = quiet_until_ms(rules, now_ms)
    assert (until_ms is not None) == is_quiet(rules, now_ms)
    if until_ms is not None:
        assert all(is_quiet(rules, moment_ms) for moment_ms in range(now_ms, until_ms, 60_000))
        assert not is_quiet(rules, until_ms)


@given(st.integers(0, 1_439), st.integers(0, 1_440), st.integers(0, 60 * 1_440))
def test_they_end_where_they_no_longer_run(start_min: int, end_min: int, minute: int) -> None:
    """Also while the clocks change: an end is ahead, and one is told exactly while it is quiet."""
    if start_min == end_min:
        return
    hours = f"{start_min // 60}:{start_min % 60:02d}-{end_min // 60}:{end_min % 60:02d}"
    rules, now_ms = Rules(parse_hours([hours]), NEW_YORK), at("2026-10-01 00:00") + minute * 60_000
    until_ms = quiet_until_ms(rules, now_ms)
    assert (until_ms is not None) == is_quiet(rules, now_ms)
    assert until_ms is None or (until_ms > now_ms and (until_ms - now_ms) <= 8 * 86_400_000)


@pytest.mark.parametrize("text", ["", "night", "22:00", "22-06", "22:00-22:00", "24:00-06:00", "22:00-24:30",
                                  "22:60-23:00", "Foo 22:00-23:00", "Sat-Foo 22:00-23:00", "Saturday 22:00-23:00",
                                  "22:00-06:30 x"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With the text and how it is written right."""
    with pytest.raises(ConfigError, match="CATALYST_QUIET_HOURS"):
        parse_hours([text])


@given(st.integers(0, 1_439), st.integers(0, 1_440), st.integers(0, 7 * 1_440 - 1))
def test_a_window_lasts_as_long_as_it_says(start_min: int, end_min: int, minute: int) -> None:
    """Of a week's minutes, each is quiet exactly where the way from the start is shorter than the window."""
    if start_min == end_min:
        return
    rules = Rules(parse_hours([f"{start_min // 60}:{start_min % 60:02}-{end_min // 60}:{end_min % 60:02}"]))
    moment = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minute)
    length_min = (end_min - start_min) % 1_440 or 1_440
    expected = (minute - start_min) % 1_440 < length_min
    assert is_quiet(rules, round(moment.timestamp() * 1000)) == expected


@pytest.mark.parametrize(("what", "value", "found"), [
    ("ticker", " brk.b ", "BRK-B"), ("ticker", "$acme", "ACME"), ("kind", "Offering Pricing", "offering_pricing"),
    ("kind", "fda-approval", "fda_approval"), ("source", "  PR   Newswire ", "PR Newswire")])
def test_a_mute_has_one_spelling(what: str, value: str, found: str) -> None:
    """As alerts spell tickers and kinds; a source keeps its case."""
    assert what_and_value({"what": what, "value": value}) == (what, found)


@pytest.mark.parametrize("value", ["../x", "---X", "123", ".", "a b"])
def test_what_is_no_ticker_is_refused(value: str) -> None:
    """A mute of it would hold nothing."""
    with pytest.raises(UsageError, match="is no ticker"):
        what_and_value({"what": "ticker", "value": value})


@given(st.text(), st.sampled_from(["ticker", "kind", "source"]))
def test_any_text_is_a_mute_or_refused(value: str, what: str) -> None:
    """What is taken is printable and has its one spelling already."""
    try:
        found = what_and_value({"what": what, "value": value})
    except UsageError:
        return
    assert found[1].isprintable()
    assert what_and_value({"what": what, "value": found[1]}) == found


def test_kinds_by_their_first_words() -> None:
    """Whole words only."""
    assert is_of("offering_pricing", ["offering"])
    assert is_of("offering", ["offering"])
    assert not is_of("offerings", ["offering"])
    assert not is_of("", ["offering"])


def test_a_mute_goes_before_all_else() -> None:
    """Of several reasons the person's own is named; an update of an earlier alert passes the others."""
    rules = Rules(parse_hours(["00:00-24:00"]), filters={"discord": Filter(min_score=1.0)})
    mute = Mute("ticker", "ACME", START_MS, START_MS + 1)
    assert hold(ALERT, [mute], rules, folds=True, now_ms=START_MS, sinks=["discord"])[0] == "muted:ticker ACME"
    assert hold(ALERT, [], rules, folds=True, now_ms=START_MS, sinks=["discord"]) == ("", {})
    assert hold(ALERT, [], rules, folds=False, now_ms=START_MS, sinks=["discord"])[0] == "quiet"
    assert hold(ALERT, [], Rules(filters=rules.filters), folds=False, now_ms=START_MS, sinks=[]) == ("", {})
