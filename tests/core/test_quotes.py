"""Reading Yahoo's chart: which price counts, and what is no quote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso
from catalyst.core.quotes import (
    MOST_BARS,
    Charted,
    Quote,
    pace_of,
    price_at,
    read_yahoo,
    read_yahoo_chart,
    windows,
    yahoo_symbol,
)
from catalyst.errors import QuoteError
from catalyst.messages import Bar

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/api/yahoo/chart_KLAC.json"


def chart(closes: list[Any] | None = None, *, times: list[Any] | None = None, **meta: Any) -> bytes:
    """A chart's body with these closes a minute apart."""
    closes = [4.0, 4.2] if closes is None else closes
    times = [1_700_000_000 + 60 * place for place in range(len(closes))] if times is None else times
    fields = {"currency": "USD", "symbol": "ABCD", **meta}
    return json.dumps({"chart": {"result": [{"meta": fields, "timestamp": times, "indicators": {"quote": [
        {"close": closes, "volume": [100] * len(closes)}]}}], "error": None}}).encode()


def test_last_close_with_its_time() -> None:
    """The last close is the price, its bar's time the price's time."""
    assert read_yahoo_chart(chart(), "ABCD") == Quote("ABCD", 4.2, 1_700_000_060_000, None, 200, "yahoo")


@pytest.mark.parametrize(("body", "price_usd", "price_ms"), [
    (chart([4.0, None, None]), 4.0, 1_700_000_000_000),
    (chart([4.0, 0, -1]), 4.0, 1_700_000_000_000),
    (chart([4.0, True, "5"]), 4.0, 1_700_000_000_000),
    (chart([4.0, 5.0], times=[1_700_000_060, 1_700_000_000]), 4.0, 1_700_000_060_000),
    (chart([4.0, 5.0], times=[1_700_000_000, None]), 4.0, 1_700_000_000_000),
    (chart(regularMarketPrice=9.0, regularMarketTime=1_700_000_061), 9.0, 1_700_000_061_000),
    (chart(regularMarketPrice=9.0, regularMarketTime=1_700_000_059), 4.2, 1_700_000_060_000),
    (chart(regularMarketPrice=9.0), 4.2, 1_700_000_060_000),
    (chart([], regularMarketPrice=9.0, regularMarketTime=1_700_000_061), 9.0, 1_700_000_061_000),
    (chart([None], regularMarketPrice=9.0), 9.0, None),
])
def test_which_price_counts(body: bytes, price_usd: float, price_ms: int | None) -> None:
    """Gaps and impossible values are skipped; the market price counts where it is newer or alone."""
    quote = read_yahoo_chart(body, "ABCD")
    assert (quote.price_usd, quote.price_ms) == (price_usd, price_ms)


def test_previous_close_and_volume_of_meta() -> None:
    """The day's own numbers are preferred; a previous close of zero is unknown."""
    quote = read_yahoo_chart(chart(previousClose=3.5, chartPreviousClose=3.0, regularMarketVolume=777,
                                   regularMarketTime=1_700_000_030), "ABCD")
    assert (quote.previous_close_usd, quote.volume) == (3.5, 777)
    assert read_yahoo_chart(chart(previousClose=0, chartPreviousClose=3.0), "ABCD").previous_close_usd == 3.0
    assert read_yahoo_chart(chart(previousClose=0), "ABCD").previous_close_usd is None


def volume_of(rows: list[tuple[str, int]], market: str | None, **meta: Any) -> int | None:
    """The volume of a chart with these bars (New York times) and 5,000 shares in its own sum, of `market`."""
    seconds = [from_iso(f"2026-03-{moment}:00-05:00") // 1000 for moment, _ in rows]
    flat = {name: [1.0] * len(rows) for name in ("open", "high", "low", "close")}
    when = {} if market is None else {"regularMarketTime": from_iso(f"2026-03-{market}:00-05:00") // 1000}
    return read_yahoo_chart(json.dumps({"chart": {"result": [{"meta": {
        "currency": "USD", "regularMarketPrice": 1.0, "regularMarketVolume": 5_000, **when, **meta},
        "timestamp": seconds, "indicators": {"quote": [{**flat, "volume": [volume for _, volume in rows]}]}}]}}
        ).encode(), "ABCD").volume


@pytest.mark.parametrize(("rows", "market", "volume"), [
    ([("03T15:59", 70), ("04T08:00", 20), ("04T08:01", 30)], "03T16:00", 50),  # before the bell
    ([("03T15:59", 70), ("04T09:30", 20)], "04T09:30", 5_000),
    ([("04T09:31", 20), ("04T19:59", 30)], "04T16:00", 5_000),
    ([("03T20:30", 20)], "03T16:00", 5_000),  # after midnight UTC it is still that day
    ([("04T08:00", 0), ("04T08:01", 0)], "03T16:00", None),
    ([("04T08:00", 20)], None, 20), ([], "03T16:00", 5_000), ([], None, None)])
def test_volume_is_of_the_newest_day(rows: list[tuple[str, int]], market: str | None, volume: int | None) -> None:
    """The provider's sum counts on its own day in New York; else that of the day's bars, where they state any."""
    assert volume_of(rows, market) == volume


def test_a_volume_beyond_what_an_alert_carries_is_unknown() -> None:
    """It must not cost the alert."""
    rows = [(f"04T{8 + minute // 60:02}:{minute % 60:02}", 10**12) for minute in range(600)]
    assert volume_of(rows, None) == 600 * 10**12
    assert volume_of([*rows, *rows], None) is None


@pytest.mark.parametrize(("body", "reason"), [
    (b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}', "unknown_ticker"),
    (b'{"chart":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}', "provider"),
    (b"<html>Too Many Requests</html>", "malformed"),
    (b"", "malformed"),
    (b'{"a": "\xff"}', "malformed"), (b"null", "malformed"), (b"[]", "malformed"),
    (b'{"chart":{"result":[]}}', "malformed"),
    (b"[" * 100_000, "malformed"), (b'{"chart": NaN}', "malformed"),
    (chart([None, None]), "empty"), (chart([0]), "empty"), (chart([-4.0]), "empty"), (chart([1e300]), "empty"),
    (chart(currency="CAD"), "currency"), (chart(currency=None), "currency"), (chart(symbol="WXYZ"), "wrong_ticker"),
])
def test_what_is_no_quote(body: bytes, reason: str) -> None:
    """Each kind of failure has its word."""
    with pytest.raises(QuoteError) as caught:
        read_yahoo_chart(body, "ABCD")
    assert caught.value.reason == reason


def test_share_classes() -> None:
    """A class share is asked for with a dash and keeps its own name."""
    assert yahoo_symbol("BRK.B") == "BRK-B"
    assert read_yahoo_chart(chart(symbol="BRK-B"), "BRK.B").ticker == "BRK.B"


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
                        lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(st.lists(anything, max_size=6), st.lists(anything, max_size=6), anything, anything, anything)
def test_any_values_give_a_real_price_or_an_error(closes: list[Any], times: list[Any], price: Any, when: Any,
                                                  volume: Any) -> None:
    """Whatever stands in the fields, a quote has a finite price above zero."""
    body = json.dumps({"chart": {"result": [{"meta": {"currency": "USD", "regularMarketPrice": price,
                                                      "regularMarketTime": when, "regularMarketVolume": volume},
                                             "timestamp": times,
                                             "indicators": {"quote": [{"close": closes, "volume": closes}]}}]}})
    try:
        quote = read_yahoo_chart(body.encode(), "ABCD")
    except QuoteError:
        return
    assert math.isfinite(quote.price_usd)
    assert quote.price_usd > 0
    assert quote.volume is None or quote.volume >= 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_quote_error(body: bytes) -> None:
    """Bytes that are no chart raise QuoteError and nothing else."""
    with pytest.raises(QuoteError):
        read_yahoo_chart(body, "ABCD")


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded data is not beside the project")
def test_recorded_answer() -> None:
    """The real answer, with a split under `events`, gives its last close."""
    quote = read_yahoo_chart(RECORDED.read_bytes(), "KLAC")
    assert quote.price_usd == pytest.approx(256.42, abs=0.01)
    assert quote.price_ms == 1_781_530_200_000
    assert quote.previous_close_usd is None
    charted = read_yahoo(RECORDED.read_bytes(), "KLAC")
    assert charted.bars
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in charted.bars)


def table(rows: list[tuple[Any, ...]], **meta: Any) -> bytes:
    """A chart's body with these rows: epoch seconds, open, high, low, close, volume."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    quote = {name: list(column) for name, column in zip(("open", "high", "low", "close", "volume"), columns[1:],
                                                        strict=True)}
    return json.dumps({"chart": {"result": [{"meta": {"currency": "USD", "symbol": "ABCD", **meta},
                                             "timestamp": list(columns[0]), "indicators": {"quote": [quote]}}]}}
                      ).encode()


def test_bars_oldest_first_without_gaps() -> None:
    """Rows with a null, a zero or no time are skipped, a repeated moment counts once, a lost volume is none."""
    rows = [(1_700_000_120, 2, 3, 1, 2.5, 70), (1_700_000_000, 1, 2, 0.5, 1.5, 50), (1_700_000_060, *[None] * 5),
            (1_700_000_180, 1, 0, 1, 1, 5), (None, 1, 2, 0.5, 1.5, 50), (1_700_000_120, 2, 4, 1, 3.5, None),
            (1_700_000_240, 1, 2, None, 1.5, 9)]
    charted = read_yahoo(table(rows), "ABCD")
    assert charted.bars == (Bar(1_700_000_000_000, 1, 2, 0.5, 1.5, 50), Bar(1_700_000_120_000, 2, 4, 1, 3.5, 0))
    assert charted.step_ms == 60_000


def test_bars_are_bounded() -> None:
    """Of too many bars the newest stay, so that a message can carry them."""
    charted = read_yahoo(table([(1_700_000_000 + 60 * n, 1, 1, 1, 1, 1) for n in range(MOST_BARS + 3)]), "ABCD")
    assert len(charted.bars) == MOST_BARS
    assert charted.bars[-1].start_ms == 1_700_000_000_000 + 60_000 * (MOST_BARS + 2)


@pytest.mark.parametrize(("granularity", "step_ms"), [("5m", 300_000), ("30m", 1_800_000), ("1d", 86_400_000),
                                                      ("3mo", 60_000), (None, 60_000), (["1m"], 60_000)])
def test_length_of_the_bars(granularity: Any, step_ms: int) -> None:
    """As the answer itself says; minutes where it says nothing that is known."""
    body = table([(1_700_000_000, 1, 1, 1, 1, 1)], dataGranularity=granularity)
    assert read_yahoo(body, "ABCD").step_ms == step_ms


QUOTE = Quote("ABCD", 9.0, None, None, None, "yahoo")
BARS = (Bar(0, 1.0, 1.3, 0.9, 1.2, 10), Bar(60_000, 1.2, 1.5, 1.1, 1.4, 10), Bar(240_000, 1.6, 2.0, 1.5, 1.9, 10))


@pytest.mark.parametrize(("moment_ms", "market", "price"), [
    (0, None, None),
    (59_999, None, None),
    (60_000, None, (1.2, 0)),
    (119_999, None, (1.2, 0)),
    (120_000, None, (1.4, 60_000)),
    (299_999, None, (1.4, 60_000)),
    (300_000, None, (1.9, 240_000)),
    (10_000_000, None, (1.9, 240_000)),
    (100_000, (1.3, 99_000), (1.3, 99_000)),
    (100_000, (1.3, 100_000), (1.3, 100_000)),
    (100_000, (1.3, 101_000), (1.2, 0)),
    (100_000, (1.3, 60_000), (1.3, 60_000)),
    (130_000, (1.3, 100_000), (1.4, 60_000)),
    (130_000, (1.3, 120_000), (1.3, 120_000)),
    (50_000, (1.3, 40_000), (1.3, 40_000)),
])
def test_price_of_a_moment(moment_ms: int, market: tuple[float, int] | None, price: tuple[float, int] | None) -> None:
    """The last bar that was over gives its close; the market's price counts where it is newer and not too new."""
    assert price_at(Charted(QUOTE, BARS, 60_000, market), moment_ms) == price


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 59)), max_size=30), st.integers(-60, 4_000),
       st.none() | st.integers(0, 4_000), st.sampled_from([60, 300]))
def test_no_price_is_from_after_the_moment(trades: list[tuple[int, int]], moment_s: int, market_s: int | None,
                                           step_s: int) -> None:
    """Whatever was traded when, the price taken was made at or before the moment, and its time is not later."""
    made = sorted({minute * 60 + second for minute, second in trades})  # a trade's price is the second it was made in
    groups: dict[int, list[int]] = {}
    for second in made:
        groups.setdefault(second - second % step_s, []).append(second)
    bars = tuple(Bar(start * 1000, group[0] + 1, group[-1] + 1, group[0] + 1, group[-1] + 1, 1)
                 for start, group in groups.items())
    market = (market_s + 1.0, market_s * 1000) if market_s is not None else None
    found = price_at(Charted(QUOTE, bars, step_s * 1000, market), moment_s * 1000)
    if found is None:
        assert not any(start + step_s <= moment_s for start in groups)
        assert market_s is None or market_s > moment_s
        return
    made_s, time_ms = found[0] - 1, found[1]
    assert made_s <= moment_s
    assert time_ms <= made_s * 1000
    ended = [group[-1] for start, group in groups.items() if start + step_s <= moment_s]
    assert not ended or made_s >= max(ended)


@pytest.mark.parametrize(("since", "now", "first"), [
    ("2026-03-03T15:00:00Z", "2026-03-03T15:00:01Z", "1d"),
    ("2026-03-03T05:00:00Z", "2026-03-04T04:59:00Z", "1d"),
    ("2026-03-03T04:59:00Z", "2026-03-03T05:00:00Z", "5d"),
    ("2026-03-03T21:00:00Z", "2026-03-04T15:00:00Z", "5d"),
    ("2026-03-03T21:00:00Z", "2026-03-07T20:59:00Z", "5d"),
    ("2026-03-03T21:00:00Z", "2026-03-07T21:01:00Z", "1mo"),
    ("2026-03-03T21:00:00Z", "2026-06-07T21:01:00Z", "1mo"),
])
def test_which_window_shows_a_moment(since: str, now: str, first: str) -> None:
    """Minutes on the same day in New York, five of them within four days, else thirty; each has a wider one after."""
    found = [window for window, _ in windows(from_iso(since), from_iso(now))]
    assert found[0] == first
    assert found == ["1d", "5d", "1mo"][["1d", "5d", "1mo"].index(first):][:2]


def minutes(count: int, volume: float, start_ms: int) -> list[Bar]:
    return [Bar(start_ms + number * 60_000, 5, 5, 5, 5, volume) for number in range(count)]


def test_pace_is_that_of_the_newest_ten_minutes_over_the_sessions() -> None:
    """Shares a minute now over shares a minute before, pre-market bars left out of the regular session's."""
    bell = from_iso("2026-03-03T14:30:00Z")
    bars = [*minutes(60, 9_999, bell - 3_600_000), *minutes(30, 100, bell), *minutes(10, 400, bell + 1_800_000)]
    now_ms = bell + 40 * 60_000
    assert pace_of(bars, now_ms) == pytest.approx(4.0)
    assert pace_of(bars, now_ms + 30 * 60_000) is None  # too old
    assert pace_of(bars[:80], bell + 20 * 60_000) is None  # ten minutes of the session before are too few
    assert pace_of([Bar(bar.start_ms, 5, 5, 5, 5, 0.0) for bar in bars], now_ms) is None
    assert pace_of([], now_ms) is None
