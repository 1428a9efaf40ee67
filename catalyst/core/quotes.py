"""Reads a provider's answer into a quote. It decides nothing about the quote and asks nobody.

A price is a finite number above zero or there is no quote: a gap in the data is skipped, never read as 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from catalyst.errors import QuoteError

MAX_USD = 1e12  # the largest price that a message can carry (catalyst.messages.Usd)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a provider said about one ticker; `price_ms` is when that price was made, None where it does not say."""

    ticker: str
    price_usd: float
    price_ms: int | None
    previous_close_usd: float | None
    volume: int | None
    provider: str
    simulated: bool = False

    def marked(self, provider: str, *, simulated: bool) -> Quote:
        """The same quote under the name of the provider that was asked."""
        return replace(self, provider=provider, simulated=simulated)


def yahoo_symbol(ticker: str) -> str:
    """Yahoo writes a share class with a dash: BRK.B is BRK-B."""
    return ticker.replace(".", "-")


def read_yahoo_chart(body: bytes, ticker: str) -> Quote:
    """The newest price in the body of `/v8/finance/chart/TICKER`, whatever its HTTP status was.

    That is the last close which is not null, or `meta.regularMarketPrice` where its time is newer. Raises QuoteError:
    `unknown_ticker` (Yahoo's "Not Found"), `provider` (another error of Yahoo's), `malformed`, `wrong_ticker`,
    `currency` (not US dollars), `empty` (no price).
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise QuoteError("malformed", str(error)[:200]) from error
    chart = _map(_map(document).get("chart"))
    if complaint := _map(chart.get("error")):
        reason = "unknown_ticker" if complaint.get("code") == "Not Found" else "provider"
        raise QuoteError(reason, str(complaint.get("description"))[:200])
    results = chart.get("result")
    if not isinstance(results, list) or not results:
        raise QuoteError("malformed", "no chart.result")
    result = _map(results[0])
    meta = _map(result.get("meta"))
    symbol = meta.get("symbol")
    if isinstance(symbol, str) and symbol.upper() != yahoo_symbol(ticker).upper():
        raise QuoteError("wrong_ticker", f"asked {ticker}, got {symbol[:20]}")
    if meta.get("currency") != "USD":
        raise QuoteError("currency", str(meta.get("currency"))[:20])
    price_usd, price_ms = _newest(result, meta)
    previous_usd = _price(meta.get("previousClose")) or _price(meta.get("chartPreviousClose"))
    return Quote(ticker, price_usd, price_ms, previous_usd, _volume(result, meta), "yahoo")


def _newest(result: dict[str, Any], meta: dict[str, Any]) -> tuple[float, int | None]:
    """The newest price and its time. Raises QuoteError `empty`."""
    found: list[tuple[int, float]] = []
    for at_s, close in zip(_list(result.get("timestamp")), _column(result, "close"), strict=False):
        price_usd, at_ms = _price(close), _moment(at_s)
        if price_usd is not None and at_ms is not None:
            found.append((at_ms, price_usd))
    last_ms, last_usd = max(found, default=(None, None), key=lambda pair: pair[0])
    market_usd, market_ms = _price(meta.get("regularMarketPrice")), _moment(meta.get("regularMarketTime"))
    if last_usd is None:
        if market_usd is None:
            raise QuoteError("empty", "every price is null")
        return market_usd, market_ms
    if market_usd is not None and market_ms is not None and last_ms is not None and market_ms > last_ms:
        return market_usd, market_ms
    return last_usd, last_ms


def _volume(result: dict[str, Any], meta: dict[str, Any]) -> int | None:
    """Shares traded on the day: the provider's own sum, else that of the bars; None where there is neither."""
    total = _number(meta.get("regularMarketVolume"))
    if total is not None and total >= 0:
        return int(total)
    bars = [amount for amount in map(_number, _column(result, "volume")) if amount is not None and amount >= 0]
    return int(sum(bars)) if bars else None


def _column(result: dict[str, Any], name: str) -> list[Any]:
    quotes = _list(_map(result.get("indicators")).get("quote"))
    return _list(_map(quotes[0]).get(name)) if quotes else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    """A finite number, else None; JSON's true is not 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= MAX_USD and math.isfinite(value) else None


def _price(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _moment(value: Any) -> int | None:
    """UTC milliseconds of epoch seconds."""
    seconds = _number(value)
    return round(seconds * 1000) if seconds is not None and seconds > 0 else None
