"""Bars: CSV files of every shape, VWAP by the day, slots without the hours in which nobody trades."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso, iso
from catalyst.core.axes import percent_text, price_text, price_ticks, volume_text
from catalyst.core.bars import MOST_SLOTS, gather, price_before, read_bars, usable, vwaps
from catalyst.errors import BarsError
from catalyst.messages import Bar

DATA = Path(__file__).resolve().parents[2] / "../shared/data/bars"
HEAD = "time,open,high,low,close,volume\n"
TUESDAY = from_iso("2026-03-03T14:30:00Z")  # 9:30 in New York


def bar(minute: float, price: float = 5.0, volume: float = 100.0) -> Bar:
    """A bar so many minutes after Tuesday's opening bell."""
    return Bar(TUESDAY + round(minute * 60_000), price, price + 0.1, price - 0.1, price + 0.05, volume)


@pytest.mark.parametrize(("text", "start"), [
    (HEAD + "2026-03-02T20:59:00Z,1,4,0.5,2,7800", "2026-03-02T20:59:00.000Z"),
    (HEAD + "2026-03-02T20:59:00,1,4,0.5,2,7800", "2026-03-02T20:59:00.000Z"),
    ("timestamp_et,open,high,low,close,volume\n2014-06-05T04:15:00,1,4,0.5,2,7800", "2014-06-05T08:15:00.000Z"),
    ("Date,Open,Close,High,Low,Volume\n11/5/2019 9:30,1,2,4,0.5,7800", "2019-11-05T14:30:00.000Z"),
    ("Date,Open,High,Low,Close,Adj Close,Volume\n2004-08-19,1,4,0.5,2,9,7800.0", "2004-08-19T04:00:00.000Z"),
    ("\ufeffticker,date,open,high,low,close,volume,vwap\nVIR,2024-01-02,1,4,0.5,2,7800,3", "2024-01-02T05:00:00.000Z"),
])
def test_reads_each_shape(text: str, start: str) -> None:
    """Columns go by name, a time without zone by the column's name, a date is midnight in New York."""
    (found,) = read_bars(text)
    assert iso(found.start_ms) == start
    assert (found.open, found.high, found.low, found.close, found.volume) == (1, 4, 0.5, 2, 7800)


def test_sorts_and_leaves_out_rows_without_prices() -> None:
    """Oldest first; a row of nulls is a gap, a missing volume none."""
    bars = read_bars(HEAD + "2026-03-03T15:00Z,2,2,2,2,\n2026-03-03T14:59Z,null,null,null,null,null\n\n"
                     "2026-03-03T14:58Z,1,1,1,1,5\n")
    assert [(one.open, one.volume) for one in bars] == [(1, 5), (2, 0)]


@pytest.mark.parametrize(("text", "complaint"), [
    ("", "no column for one of"), ("time,open,high,low\n", "no column for one of"),
    ("open,high,low,close\n", "no column of times"), (HEAD + "yesterday,1,1,1,1,1", "line 2"),
    (HEAD + "2026-03-03T15:00Z,1,1", "line 2"),
    (HEAD + "2026-03-03T15:00Z,1,1,1,1,1\n2026-03-03T15:00Z,a,1,1,1,1", "line 3"),
    ("ticker,date,open,high,low,close\nA,2024-01-02,1,1,1,1\nB,2024-01-02,1,1,1,1", "bars of 2 tickers"),
])
def test_complains_of_what_is_no_table_of_bars(text: str, complaint: str) -> None:
    """One error type, with the line."""
    with pytest.raises(BarsError, match=complaint):
        read_bars(text)


@pytest.mark.parametrize(("name", "count"), [
    ("minute_SPY.csv", 5786), ("minute_AAPL.csv", 2303), ("minute_BAC.csv", 3466), ("minute_AIG.csv", 2558),
    ("minute_IBM.csv", 2566), ("daily_BAC.csv", 5849), ("daily_AIG.csv", 5849),
    ("mplfinance_SP500_NOV2019_IDay.csv", 1563), ("mplfinance_yahoofinance-SPY-20200901-20210113.csv", 92),
    ("mplfinance_yahoofinance-AAPL-20040819-20180120.csv", 3379), ("daily_biotech_2024.csv", 252),
])
def test_reads_recorded_files(name: str, count: int) -> None:
    """Every row of real files is a bar, and fits into the slots of a chart."""
    if not (DATA / name).is_file():
        pytest.skip("the recorded bars are not here")
    bars = read_bars((DATA / name).read_text(), "vir")
    assert len(bars) == len(usable(bars)) == count
    series = gather(bars)
    assert series is not None
    assert series.intraday == (not name.startswith(("daily", "mplfinance_yahoo")))
    assert sum(one.volume for one in series.bars) == pytest.approx(sum(one.volume for one in bars))


def test_vwap_begins_anew_each_day_and_needs_volume() -> None:
    """Typical price weighted by volume since the day's first bar; None before the first share."""
    day_min = 24 * 60
    found = vwaps([Bar(TUESDAY, 1, 3, 1, 2, 0), Bar(TUESDAY + 60_000, 1, 3, 1, 2, 10),
                   Bar(TUESDAY + 120_000, 4, 6, 4, 5, 30), bar(day_min, 9, 5)])
    assert found == [None, pytest.approx(2), pytest.approx((2 * 10 + 5 * 30) / 40), pytest.approx(9 + 0.05 / 3)]


def test_nights_have_no_slots_and_quiet_minutes_do() -> None:
    """Four minutes of Tuesday, one of them without a trade, and one of Wednesday: five slots, not a day's worth."""
    series = gather([bar(0), bar(1), bar(3), bar(24 * 60 + 390)])
    assert series is not None
    tuesday, wednesday = date(2026, 3, 3), date(2026, 3, 4)
    assert [(slot.day, slot.session, slot.bar is None) for slot in series.slots] == [
        (tuesday, "regular", False), (tuesday, "regular", False), (tuesday, "regular", True),
        (tuesday, "regular", False), (wednesday, "after_hours", False)]
    assert (series.step, series.count, series.vwap) == ("1-minute", 4, pytest.approx(5 + 0.05 / 3))


def test_a_full_day_is_gathered_into_five_minutes() -> None:
    """960 minutes become 192 slots; a slot has the first open, the extremes, the last close, all the volume."""
    series = gather([bar(minute - 330, 5 + minute % 5) for minute in range(960)])
    assert series is not None
    assert (series.step, len(series.slots), series.count) == ("5-minute", 192, 960)
    first = series.bars[0]
    assert (first.open, first.high, first.low, first.close, first.volume) == (5, 9.1, 4.9, 9.05, 500)


def test_what_cannot_be_drawn_is_left_out() -> None:
    """No price of zero, no infinity, no number that is none; a high below the close is raised to it."""
    bad = [Bar(TUESDAY, *prices, 1) for prices in ((0, 1, 1, 1), (1, float("inf"), 1, 1), (1, 1, float("nan"), 1))]
    assert usable([*bad, Bar(-1, 1, 1, 1, 1, 1), Bar(10**18, 1, 1, 1, 1, 1)]) == []
    assert usable([Bar(TUESDAY, 2, 1, 3, 4, float("nan"))]) == [Bar(TUESDAY, 2, 4, 1, 4, 0.0)]
    assert gather(bad) is None


def test_the_price_before_a_moment_looks_never_ahead() -> None:
    """Inside a bar it is the bar's open, after it the close, before the first there is none."""
    series = gather([bar(0, 5), bar(1, 6)])
    assert series is not None
    assert price_before(series, TUESDAY - 1) is None
    assert price_before(series, TUESDAY + 70_000) == 6
    assert price_before(series, TUESDAY + 59_999) == 5
    assert price_before(series, TUESDAY + 500_000) == 6.05


@given(st.lists(st.builds(Bar, st.integers(-10**15, 10**15), *[st.floats()] * 5)
                | st.builds(bar, st.integers(-3000, 3000), st.floats(0.2, 1e6), st.floats(0, 1e9)), max_size=40))
def test_slots_are_bounded_and_in_order(bars: list[Bar]) -> None:
    """Whatever comes in: at most so many slots, oldest first, volume kept."""
    series = gather(bars)
    if series is None:
        assert usable(bars) == []
        return
    assert len(series.slots) <= MOST_SLOTS
    starts = [slot.start_ms for slot in series.slots]
    assert starts == sorted(set(starts))
    assert series.count == len(usable(bars))


@pytest.mark.parametrize(("price", "text"), [
    (0.00004321, "4.32e-05"), (0.5, "0.5000"), (7.1, "7.10"), (1234.5, "1,234.50"), (71_234.5, "71,234"),
    (2_500_000, "2.50M"), (1e12, "1.00T")])
def test_prices_are_short(price: float, text: str) -> None:
    """Cents for a share, four decimals for a penny stock, no long numbers."""
    assert price_text(price) == text


def test_numbers_at_the_axes() -> None:
    """Steps are round, neighbours differ in their text, changes have a sign."""
    step, prices = price_ticks(6.78, 6.80)
    assert len({price_text(price, step) for price in prices}) == len(prices) >= 3
    assert [volume_text(shares) for shares in (0, 950, 12_345, 1_234_567, 3.4e9)] == ["0", "950", "12K", "1.2M", "3.4B"]
    assert [percent_text(now, 10) for now in (10.001, 11, 9, 35, 500)] == ["0.0%", "+10.0%", "-10.0%", "+250%", "x50"]
