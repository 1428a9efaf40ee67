import json

import pytest

from catalyst.clock import from_iso
from catalyst.core.bars import in_timeframe, new_york_day
from catalyst.core.quotes import read_yahoo, read_yahoo_chart
from catalyst.errors import ConfigError
from catalyst.world.day import Shift
from catalyst.world.quotes import Prices, read_bars

START = from_iso("2026-03-03T14:30:00Z")
NOW = 1_767_363_000_000  # a whole minute
SHIFT = Shift(START, NOW, 1.0)
QUERY = {"range": "1d", "interval": "1m", "includePrePost": "true"}
CSV = """time,open,high,low,close,volume
2026-03-02T20:59:00Z,0.9,0.9,0.9,0.90,100
2026-03-03T14:28:00Z,1.0,1.2,0.9,1.10,1000
2026-03-03T14:30:00Z,1.2,1.5,1.1,1.40,2000
2026-03-03T14:31:00Z,1.4,9.0,1.4,2.00,3000
"""


@pytest.fixture
def prices(tmp_path):
    """Prices of one ticker, ABXZ."""
    (tmp_path / "ABXZ.csv").write_text(CSV)
    return Prices(tmp_path, 60)


def chart(prices, at_s, ticker="ABXZ", **query):
    status, body = prices.chart(ticker, {**QUERY, **query}, NOW + int(at_s * 1000), SHIFT)
    return status, body["chart"]["result"][0] if status == 200 else body["chart"]["error"]


def test_has_the_shape_of_yahoos_answer(prices):
    """Timestamps beside five columns, a null where nothing was traded, the price in the meta data."""
    status, result = chart(prices, 60)
    assert status == 200
    minute = NOW // 1000
    assert result["timestamp"] == [minute - 120, minute - 60, minute, minute + 60]
    assert result["indicators"]["quote"][0]["close"] == [1.1, None, 1.4, 1.4]
    assert result["meta"]["chartPreviousClose"] == 0.9
    assert result["meta"]["regularMarketPrice"] == 1.4
    assert result["meta"]["regularMarketTime"] == minute + 60


def test_the_quote_reader_reads_it(prices):
    """Catalyst's own reader of Yahoo's answers finds price, time and previous close."""
    _, body = prices.chart("ABXZ", QUERY, NOW + 90_000, SHIFT)
    quote = read_yahoo_chart(json.dumps(body).encode(), "ABXZ")
    assert (quote.price_usd, quote.previous_close_usd) == (1.7, 0.9)


def test_never_shows_what_has_not_happened(prices):
    """Inside a bar the price goes from open to close; the bar's later high is not there yet."""
    _, result = chart(prices, 90)
    assert result["meta"]["regularMarketPrice"] == 1.7
    assert result["meta"]["regularMarketDayHigh"] == 1.7 > 1.5
    assert result["indicators"]["quote"][0]["high"][-1] == 1.7
    _, later = chart(prices, 3600)
    assert later["meta"]["regularMarketDayHigh"] == 9.0
    assert later["meta"]["regularMarketTime"] == NOW // 1000 + 120


def test_gathers_bars_into_longer_steps(prices):
    """Five-minute steps hold the first open, the extremes, the last close and all volume."""
    _, result = chart(prices, 3600, interval="5m")
    quote = result["indicators"]["quote"][0]
    assert (quote["open"], quote["high"], quote["close"], quote["volume"]) == (
        [1.0, 1.2], [1.2, 9.0], [1.1, 2.0], [1000, 5000])


@pytest.mark.parametrize(("window", "interval", "days"), [("5d", "5m", 5), ("1mo", "1d", 22), ("3mo", "1d", 63),
                                                          ("1y", "1d", 252)])
def test_days_before_the_day(prices, window, interval, days):
    """They end at the close of the day before, are the same each time, lie on weekdays, and the reader reads them."""
    _, body = prices.chart("ABXZ", {**QUERY, "range": window, "interval": interval}, NOW + 3_600_000, SHIFT)
    _, again = prices.chart("ABXZ", {**QUERY, "range": window, "interval": interval}, NOW + 3_660_000, SHIFT)
    assert body["chart"]["result"][0]["timestamp"] == again["chart"]["result"][0]["timestamp"]
    found = read_yahoo(json.dumps(body).encode(), "ABXZ").bars
    shown = in_timeframe(found, {"5d": "5D", "1mo": "1M", "3mo": "3M", "1y": "1Y"}[window])
    assert len({new_york_day(bar.start_ms) for bar in shown}) == days
    assert all(new_york_day(bar.start_ms).weekday() < 5 for bar in shown)
    today = new_york_day(found[-1].start_ms)
    assert [bar for bar in found if new_york_day(bar.start_ms) < today][-1].close == 0.9
    assert all(0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in found)


def test_without_pre_market_only_the_session_counts(prices):
    """The bar of 9:28 Eastern is left out."""
    _, result = chart(prices, 3600, includePrePost="false")
    assert result["indicators"]["quote"][0]["open"] == [1.2, 1.4]


@pytest.mark.parametrize("ticker", ["NONE", "../ABXZ", "", "abxz"])
def test_an_unknown_ticker_is_a_404_with_yahoos_error(prices, ticker):
    """Also for names that are no ticker at all."""
    status, error = chart(prices, 0, ticker)
    assert (status, error["code"]) == (404, "Not Found")


def test_a_day_without_prices_knows_no_ticker():
    """No folder, no price."""
    assert Prices(None, 60).chart("ABXZ", QUERY, NOW, SHIFT)[0] == 404


def test_refuses_an_unknown_interval(prices):
    """422, as Yahoo does."""
    assert chart(prices, 0, interval="7m")[0] == 422


def test_names_the_line_of_a_broken_file(tmp_path):
    """File and line are in the message."""
    (tmp_path / "X.csv").write_text("time,open,high,low,close,volume\n2026-03-03T14:28:00Z,1,2\n")
    with pytest.raises(ConfigError, match=r"X\.csv, line 2"):
        read_bars(tmp_path / "X.csv")
