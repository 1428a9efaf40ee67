"""Bars: CSV files of every shape, VWAP by the day, slots without the hours in which nobody trades."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso, iso
from catalyst.core.axes import percent_text, price_text, price_ticks, visible, volume_text
from catalyst.core.bars import (
    MOST_SLOTS,
    gather,
    in_timeframe,
    longest_gap,
    price_before,
    read_bars,
    timeframe_of,
    usable,
    vwaps,
)
from catalyst.core.splits import split_ratio
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
    """Inside a bar it is the close before it, inside the first its open, after a bar its close, before all none."""
    series = gather([bar(0, 5), bar(1, 6)])
    assert series is not None
    assert price_before(series, TUESDAY - 1) is None
    assert price_before(series, TUESDAY + 10_000) == 5
    assert price_before(series, TUESDAY + 70_000) == 5.05
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
    (0.00004321, "0.0000432"), (0.5, "0.5000"), (7.1, "7.10"), (1234.5, "1,234.50"), (71_234.5, "71,234"),
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


def test_bars_of_days_are_daily_at_whatever_hour_they_are_stamped() -> None:
    """Providers stamp a day's bar at midnight, at the opening bell or at the close; summer time moves them."""
    for hour in (0, 9 * 60 + 30, 16 * 60):
        bars = [Bar(TUESDAY - 34_200_000 + hour * 60_000 + day * 86_400_000, 5, 6, 4, 5, 1) for day in range(20)]
        series = gather(bars)
        assert series is not None
        assert (series.step, series.intraday, len(series.slots)) == ("daily", False, 20)


def test_the_longest_gap_of_a_traded_stock() -> None:
    """An hour without a trade in the regular session is found; five minutes are the least, a thin stock has none."""
    def gap(*minutes: int) -> tuple[int, int] | None:
        series = gather([bar(minute) for minute in minutes])
        assert series is not None
        return longest_gap(series)

    assert gap(*range(60), *range(120, 180)) == (60, 120)
    assert gap(*range(60), *range(64, 100)) is None
    assert gap(0, 1, 60, 120) is None
    assert gap(*range(-100, -60), *range(-20, 30)) is None  # before the bell nothing is missing


@pytest.mark.parametrize(("after", "ratio"), [(50.0, "10:1"), (0.5, "10:1"), (2.6, ""), (9.9, "2:1")])
def test_a_jump_like_a_split(after: float, ratio: str) -> None:
    """Nearly a whole number between two days; any other jump is news."""
    series = gather([Bar(TUESDAY - 34_200_000 + day * 86_400_000, price, price, price, price, 1)
                     for day, price in enumerate([5.0, 5.0, after, after])])
    assert series is not None
    assert set(split_ratio(series).split(":")) == set(ratio.split(":"))


def test_timeframes() -> None:
    """Days of minutes as they are, months and years in bars of days, each with its volume."""
    bars = [bar(minute + day * 1440) for day in range(8) for minute in range(30)]
    assert len(in_timeframe(bars, "1D")) == 30
    assert len(in_timeframe(bars, "5D")) == 150
    daily = in_timeframe(bars, "1M")
    assert [(one.volume, one.open, one.close) for one in daily] == [(3_000, 5.0, 5.05)] * 8
    assert gather(daily).step == "daily"  # type: ignore[union-attr]
    assert [timeframe_of(in_timeframe(bars, name)) for name in ("1D", "5D", "1M")] == ["1D", "5D", "1M"]


def test_a_stray_trade_does_not_flatten_the_rest() -> None:
    """A lone print far off is left out of the scale, never one that must be seen, and never in few bars."""
    bars = [bar(minute) for minute in range(100)]
    stray = Bar(bars[40].start_ms, 5, 50, 5, 5.05, 1)
    assert visible([*bars[:40], stray, *bars[41:]], bars[-2:])[1] < 5.2
    body = Bar(bars[40].start_ms, 50, 50, 50, 50, 1)
    assert visible([*bars[:40], body, *bars[41:]], bars[-2:])[1] < 5.2
    assert visible([*bars[:40], body, *bars[41:]], [body])[1] >= 50
    assert visible([*bars[:10], stray], [])[1] == 50
    half = [Bar(one.start_ms, 10, 10.1, 9.9, 10, 1) for one in bars[50:]]
    assert visible([*bars[:50], *half], [])[1] >= 10.1
