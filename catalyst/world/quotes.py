"""Prices of a day in the shape of Yahoo's chart service.

Bars come from `bars/TICKER.csv`; inside a bar the price moves from its open to its close, so a quote changes between
two minutes and never shows what has not happened yet. Missing minutes are null, as in the original's answers. Days
before come from catalyst.world.history.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalyst.clock import from_iso
from catalyst.errors import ConfigError
from catalyst.messages import Bar
from catalyst.world.day import Shift
from catalyst.world.history import EASTERN, bars_before

INTERVALS_S = {"1m": 60, "2m": 120, "5m": 300, "15m": 900, "30m": 1800, "60m": 3600, "1h": 3600, "1d": 86_400}
_TICKER = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,9}")
_REGULAR = (570, 960)  # minutes of the day: 9:30 to 16:00 Eastern


def until(bar: Bar, share: float) -> Bar:
    """The bar when only `share` (0 to 1) of its time has passed."""
    if share >= 1:
        return bar
    now = round(bar.open + (bar.close - bar.open) * share, 4)
    return Bar(bar.start_ms, bar.open, max(bar.open, now), min(bar.open, now), now, int(bar.volume * share))


class Prices:
    """The price files of a day, read when first asked for."""

    def __init__(self, folder: Path | None, bar_s: int):
        self._folder = folder
        self._bar_ms = bar_s * 1000
        self._bars: dict[str, list[Bar]] = {}

    def chart(self, ticker: str, query: dict[str, str], now_ms: int, shift: Shift) -> tuple[int, dict[str, Any]]:
        """HTTP status and JSON of `/v8/finance/chart/TICKER` at `now_ms`."""
        interval = query.get("interval", "1m")
        if interval not in INTERVALS_S:
            return _refusal(422, "Unprocessable Entity", f"Invalid input - interval={interval} is not supported.")
        bars = self._read(ticker)
        past = self._past(bars, shift.day_ms(now_ms))
        if not past:
            return _refusal(404, "Not Found", "No data found, symbol may be delisted")
        midnight_ms = _midnight_ms(shift.day_start_ms)
        first = bisect_left(past, midnight_ms, key=lambda bar: bar.start_ms)
        previous = past[first - 1].close if first else past[0].open
        today = past[first:] or past[-1:]
        if query.get("includePrePost", "false") != "true":
            today = [bar for bar in today if _is_regular(bar.start_ms)] or today[-1:]
        last = today[-1]
        here = datetime.fromtimestamp(now_ms / 1000, EASTERN)
        meta = {
            "currency": "USD", "symbol": ticker, "exchangeName": "NCM", "fullExchangeName": "NasdaqCM",
            "instrumentType": "EQUITY", "timezone": here.tzname(), "exchangeTimezoneName": EASTERN.key,
            "gmtoffset": int(here.timestamp() - here.replace(tzinfo=UTC).timestamp()) * -1,
            "regularMarketPrice": last.close,
            "regularMarketTime": min(now_ms, shift.real_ms(last.start_ms + self._bar_ms)) // 1000,
            "regularMarketDayHigh": max(bar.high for bar in today),
            "regularMarketDayLow": min(bar.low for bar in today),
            "regularMarketVolume": sum(bar.volume for bar in today), "previousClose": previous,
            "chartPreviousClose": previous, "priceHint": 4, "dataGranularity": interval,
            "range": query.get("range", "1d"),
        }
        here_ms, step_s = shift.real_ms(today[0].start_ms), INTERVALS_S[interval]
        series: dict[int, Bar | None] = {**bars_before(ticker, previous, here_ms, query.get("range", "1d"), step_s)}
        series |= _grid([(shift.real_ms(bar.start_ms) // 1000, bar) for bar in today], step_s)
        return 200, {"chart": {"result": [{"meta": meta, **_columns(series)}], "error": None}}

    def _past(self, bars: list[Bar], day_now_ms: int) -> list[Bar]:
        """What has happened by `day_now_ms`; the last bar cut off at that moment."""
        count = bisect_right(bars, day_now_ms, key=lambda bar: bar.start_ms)
        if not count:
            return []
        share = (day_now_ms - bars[count - 1].start_ms) / self._bar_ms
        return [*bars[: count - 1], until(bars[count - 1], share)]

    def _read(self, ticker: str) -> list[Bar]:
        if ticker in self._bars:
            return self._bars[ticker]
        bars: list[Bar] = []
        if self._folder is not None and _TICKER.fullmatch(ticker):
            file = self._folder / f"{ticker}.csv"
            if file.is_file():
                bars = read_bars(file)
                self._bars[ticker] = bars
        return bars


def read_bars(file: Path) -> list[Bar]:
    """The bars in a CSV file in the day's own time, oldest first; volumes are whole.

    Raises ConfigError that names the file and the line.
    """
    bars: list[Bar] = []
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows, None)
        for row in rows:
            try:
                bars.append(Bar(from_iso(row[0]), float(row[1]), float(row[2]), float(row[3]), float(row[4]),
                                int(row[5])))
            except (ValueError, IndexError) as error:
                raise ConfigError(f"{file}, line {rows.line_num}: {error}") from error
    return sorted(bars, key=lambda bar: bar.start_ms)


def _grid(bars: list[tuple[int, Bar]], step_s: int) -> dict[int, Bar | None]:
    """Bars gathered into real-time steps of `step_s`; a step in which nothing was traded is None."""
    if step_s >= 86_400:
        return {bars[0][0]: _merged([bar for _, bar in bars])}
    steps: dict[int, list[Bar]] = {}
    for second, bar in bars:
        steps.setdefault(second - second % step_s, []).append(bar)
    first, last = min(steps), max(steps)
    return {second: _merged(steps[second]) if second in steps else None
            for second in range(first, last + 1, step_s)}


def _merged(bars: list[Bar]) -> Bar:
    if len(bars) == 1:
        return bars[0]
    return Bar(bars[0].start_ms, bars[0].open, max(bar.high for bar in bars), min(bar.low for bar in bars),
               bars[-1].close, sum(bar.volume for bar in bars))


def _columns(series: dict[int, Bar | None]) -> dict[str, Any]:
    nothing = (None,) * 5
    rows = [nothing if bar is None else (bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in series.values()]
    names = ("open", "high", "low", "close", "volume")
    quote = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return {"timestamp": list(series), "indicators": {"quote": [quote]}}


def _refusal(status: int, code: str, text: str) -> tuple[int, dict[str, Any]]:
    return status, {"chart": {"result": None, "error": {"code": code, "description": text}}}


def _midnight_ms(day_ms: int) -> int:
    local = datetime.fromtimestamp(day_ms / 1000, EASTERN).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(local.timestamp() * 1000)


def _is_regular(day_ms: int) -> bool:
    local = datetime.fromtimestamp(day_ms / 1000, EASTERN)
    return _REGULAR[0] <= local.hour * 60 + local.minute < _REGULAR[1]
