"""What a company is worth on the market, in US dollars, as a screener's export or the watch list states it.

A value is one of its day. Whether a contract is large, nobody can say by a value of last year: one of more than
`KEPT_MS` ago counts as unknown, and so does one of a day to come. It opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from catalyst.clock import from_iso, iso

DAY_MS = 86_400_000
KEPT_MS = 90 * DAY_MS
LEAST_USD, MOST_USD = 1e4, 2e13  # beyond them a unit was mistaken: dollars for millions, or the other way round
MILLION = 1e6  # the unit of a bare number under "Market Cap" in Finviz's export: "4572794.13", "33.07", "" for a fund
_SIZES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_CELL = re.compile(r"\$?(\d{1,15}(?:\.\d{1,6})?)([KMBT]?)")


class MarketValue(NamedTuple):
    """Whole US dollars, and the day that they are of: its UTC midnight."""

    usd: float
    at_ms: int

    @classmethod
    def of_day(cls, usd: float, at_ms: int) -> MarketValue:
        """The value of the day of a moment."""
        return cls(float(round(usd)), at_ms - at_ms % DAY_MS)

    @property
    def day(self) -> str:
        """`2026-01-31`."""
        return (iso(self.at_ms) or "")[:10]


def usd_of(cell: str, unit: float | None) -> float | None:
    """The dollars that a cell states: `329.74` times `unit`, or `329.74M`, `2.9T`. None where it states none, where a
    bare number has no known unit, and where no company is worth as much or as little.
    """
    found = _CELL.fullmatch(cell.strip().upper().replace(",", ""))
    if found is None:
        return None
    size = _SIZES[found[2]] if found[2] else unit
    usd = float(found[1]) * size if size is not None else 0.0
    return usd if LEAST_USD <= usd <= MOST_USD else None


def day_ms(text: str) -> int | None:
    """The moment of a day or of an ISO time; None where the text is neither."""
    try:
        return from_iso(text.strip())
    except (ValueError, OverflowError):
        return None


def newest(*lists: Iterable[tuple[str, MarketValue]]) -> dict[str, MarketValue]:
    """One value a ticker out of several lists: the latest, of two of one time the later list's."""
    found: dict[str, MarketValue] = {}
    for ticker, value in (row for rows in lists for row in rows):
        if ticker not in found or value.at_ms >= found[ticker].at_ms:
            found[ticker] = value
    return found


def known_usd(values: Mapping[str, MarketValue], ticker: str, now_ms: int) -> float | None:
    """The market value of a ticker that still counts, None where none is known."""
    value = values.get(ticker)
    return value.usd if value is not None and -DAY_MS <= now_ms - value.at_ms <= KEPT_MS else None
