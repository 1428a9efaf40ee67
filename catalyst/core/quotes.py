"""Reads a provider's answer into a quote and bars, and finds in them the price of a moment. It asks nobody.

A price is a finite number above zero or there is none: a gap in the data is skipped, never read as 0.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, repeat
from typing import Any

import msgspec

from catalyst.core.bars import FIRST_MS, LAST_MS, MAX_VOLUME, midnight_ms, new_york_day
from catalyst.core.session import NEW_YORK, market_session
from catalyst.errors import QuoteError
from catalyst.messages import Bar, Split

MAX_USD = 1e12  # the largest price that a message can carry (catalyst.messages.Usd)
MOST_BARS = 2_000  # that a message can carry (catalyst.messages.ChartWanted)
MOST_SPLITS = 50  # as many as it can (catalyst.messages.PriceSeen)
DAY_MS = 86_400_000
PACE_MS, PACE_BEFORE_MS, PACE_OLD_MS = 600_000, 900_000, 1_200_000
# Yahoo's names of bar lengths (`validRanges` and `dataGranularity` of its chart service), in milliseconds.
STEPS_MS = {"1m": 60_000, "2m": 120_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "60m": 3_600_000,
            "90m": 5_400_000, "1h": 3_600_000, "1d": DAY_MS}


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


@dataclass(frozen=True, slots=True)
class Charted:
    """One answer: the newest quote and the bars behind it, oldest first, each `step_ms` long.

    `market` is the last trade in USD and its time, None where the provider does not say both.
    """

    quote: Quote
    bars: tuple[Bar, ...] = ()
    step_ms: int = STEPS_MS["1m"]
    market: tuple[float, int] | None = None
    splits: tuple[Split, ...] = ()  # within the time of the bars, as far as the provider tells them


def yahoo_symbol(ticker: str) -> str:
    """Yahoo writes a share class with a dash: BRK.B is BRK-B."""
    return ticker.replace(".", "-")


def read_yahoo_chart(body: bytes, ticker: str) -> Quote:
    """The quote alone, as `read_yahoo`."""
    return read_yahoo(body, ticker).quote


def read_yahoo(body: bytes, ticker: str) -> Charted:
    """Quote and bars in the body of `/v8/finance/chart/TICKER`, whatever its HTTP status was.

    The price is the last close which is not null, or `meta.regularMarketPrice` where its time is newer. Of the bars
    the newest MOST_BARS are kept, one a moment (the last one given). Raises QuoteError: `unknown_ticker` (Yahoo's
    "Not Found"), `provider` (another error of Yahoo's), `malformed`, `wrong_ticker`, `currency` (not US dollars),
    `empty` (no price).
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
    quote = Quote(ticker, price_usd, price_ms, previous_usd, _volume(result, meta), "yahoo")
    granularity = meta.get("dataGranularity")
    step_ms = STEPS_MS.get(granularity, STEPS_MS["1m"]) if isinstance(granularity, str) else STEPS_MS["1m"]
    market_usd, market_ms = _price(meta.get("regularMarketPrice")), _moment(meta.get("regularMarketTime"))
    market = (market_usd, market_ms) if market_usd is not None and market_ms is not None else None
    return Charted(quote, _bars(result), step_ms, market, _splits(result))


def price_at(charted: Charted, moment_ms: int) -> tuple[float, int] | None:
    """The last price made at or before a moment, and its time; None where the answer shows none that old.

    That is the close of the last bar that was over by then. A bar under way says nothing: even its open may have been
    traded after the moment, within the bar, as is usual for stocks that change hands once in a few minutes; where they
    do so all the time the close before it is the same price. The bar's time is its beginning, because it does not say
    when the close was made. The market's own price counts where it was made after that bar and not after the moment,
    as far as the provider's times (whole seconds) tell.
    """
    place = bisect_right(charted.bars, moment_ms - charted.step_ms, key=lambda bar: bar.start_ms) - 1
    last = charted.bars[place] if place >= 0 else None
    if charted.market is not None and charted.market[1] <= moment_ms and (
            last is None or charted.market[1] >= last.start_ms + charted.step_ms):
        return charted.market
    return (last.close, last.start_ms) if last is not None else None


def pace_of(bars: Sequence[Bar], now_ms: int) -> float | None:
    """Shares a minute in the last 10 minutes of the bars over shares a minute before, in the same session of the day.

    None where that session has under 15 minutes before, or no trade in them, or the bars end 20 minutes ago. Only
    bars of the session count, else every opening bell would look like news.
    """
    if not bars or not 0 <= now_ms - bars[-1].start_ms <= PACE_OLD_MS:
        return None
    end_ms = bars[-1].start_ms + STEPS_MS["1m"]
    session = market_session(bars[-1].start_ms)
    recent = bars[bisect_right(bars, end_ms - DAY_MS // 2, key=lambda bar: bar.start_ms):]
    same = recent[bisect_left(recent, True, key=lambda bar: market_session(bar.start_ms) == session):]
    before_ms = end_ms - PACE_MS - same[0].start_ms
    before = sum(bar.volume for bar in same if bar.start_ms < end_ms - PACE_MS)
    if before_ms < PACE_BEFORE_MS or before <= 0:
        return None
    newest = sum(bar.volume for bar in same if bar.start_ms >= end_ms - PACE_MS)
    return min(1e9, (newest / PACE_MS) / (before / before_ms))


def windows(since_ms: int, now_ms: int) -> tuple[tuple[str, str], ...]:
    """(range, interval) pairs in which Yahoo shows the price of `since_ms`, the finest first.

    `1d` is the present trading day, or the last one; `5d` five trading days, hence at least five calendar days; `1mo`
    a month. Yahoo gives minutes for about a week, 5 to 30 minutes for 60 days (its own refusals say so). A wider pair
    follows for a ticker that has not been traded since the finer one began.
    """
    pairs = (("1d", "1m"), ("5d", "5m"), ("1mo", "30m"))
    since, now = (datetime.fromtimestamp(moment_ms / 1000, NEW_YORK) for moment_ms in (since_ms, now_ms))
    if since.date() >= now.date():
        return pairs[:2]
    return pairs[1:] if now_ms - since_ms < 4 * DAY_MS else pairs[2:]


def _bars(result: dict[str, Any]) -> tuple[Bar, ...]:
    """Rows that have a time and all four prices; a volume that is no number counts as none."""
    volumes = [value if type(value) is int and 0 <= value <= MAX_USD else max(0.0, _number(value) or 0.0)
               for value in _column(result, "volume")]
    columns = [_prices(result, name) for name in ("open", "high", "low", "close")]
    kept: dict[int, Bar] = {}
    for start_ms, opened, high, low, close, volume in zip(_moments(result), *columns, chain(volumes, repeat(0.0)),
                                                          strict=False):
        if start_ms is None or opened is None or high is None or low is None or close is None:
            continue
        kept[start_ms] = Bar(start_ms, opened, high, low, close, volume)
    return tuple(kept[start_ms] for start_ms in sorted(kept)[-MOST_BARS:])


def _splits(result: dict[str, Any]) -> tuple[Split, ...]:
    """`events.splits`, oldest first: 10 new shares (`numerator`) for 1 (`denominator`) make a tenth of a price."""
    found = []
    for row in map(_map, _map(_map(result.get("events")).get("splits")).values()):
        at_ms, new, old = _moment(row.get("date")), _price(row.get("numerator")), _price(row.get("denominator"))
        if at_ms is not None and FIRST_MS <= at_ms < LAST_MS and new and old and 1e-6 <= old / new <= 1e6:
            found.append(Split(at_ms, old / new))
    return tuple(sorted(found, key=lambda split: split.at_ms)[-MOST_SPLITS:])


def _newest(result: dict[str, Any], meta: dict[str, Any]) -> tuple[float, int | None]:
    """The newest price and its time. Raises QuoteError `empty`."""
    found: list[tuple[int, float]] = []
    for at_ms, price_usd in zip(_moments(result), _prices(result, "close"), strict=False):
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
    """Shares traded on the New York day of the newest bar: the provider's own sum where that is of this day (before the
    bell it is still yesterday's), else that of the day's bars. None where neither is known: bars that all state no
    volume were traded all the same (Yahoo states none outside regular hours).
    """
    bars = [(at_ms, amount) for at_ms, amount, close in zip(_moments(result), map(_number, _column(result, "volume")),
                                                            _prices(result, "close"), strict=False)
            if at_ms is not None and amount is not None and amount >= 0 and close is not None]
    market_ms, total = _moment(meta.get("regularMarketTime")), _number(meta.get("regularMarketVolume"))
    newest_ms = max((at_ms for at_ms, _ in bars), default=market_ms)
    if newest_ms is None or not FIRST_MS <= newest_ms < LAST_MS:
        return None
    began_ms = midnight_ms(new_york_day(newest_ms))
    if total is None or total < 0 or market_ms is None or not began_ms <= market_ms < began_ms + DAY_MS:
        total = sum(amount for at_ms, amount in bars if at_ms >= began_ms) or None
    return int(total) if total is not None and total <= MAX_VOLUME else None


def _column(result: dict[str, Any], name: str) -> list[Any]:
    quotes = _list(_map(result.get("indicators")).get("quote"))
    return _list(_map(quotes[0]).get(name)) if quotes else []


def _prices(result: dict[str, Any], name: str) -> list[float | None]:
    """A column of prices; the common case is decided without a call, for a day has a thousand rows."""
    return [value if type(value) is float and 0 < value <= MAX_USD else _price(value)
            for value in _column(result, name)]


def _moments(result: dict[str, Any]) -> list[int | None]:
    """The times of the rows in UTC milliseconds."""
    return [value * 1000 if type(value) is int and 0 < value <= MAX_USD else _moment(value)
            for value in _list(result.get("timestamp"))]


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
