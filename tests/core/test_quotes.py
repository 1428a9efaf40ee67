"""Reading Yahoo's chart: which price counts, and what is no quote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.quotes import Quote, read_yahoo_chart, yahoo_symbol
from catalyst.errors import QuoteError

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
    quote = read_yahoo_chart(chart(previousClose=3.5, chartPreviousClose=3.0, regularMarketVolume=777), "ABCD")
    assert (quote.previous_close_usd, quote.volume) == (3.5, 777)
    assert read_yahoo_chart(chart(previousClose=0, chartPreviousClose=3.0), "ABCD").previous_close_usd == 3.0
    assert read_yahoo_chart(chart(previousClose=0), "ABCD").previous_close_usd is None


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
