"""Which of two companies of one title moves: the one that is bought, or the smaller of two partners.

The order of mention does not say it: "Large to Acquire Small" and "Large and Small Team Up" both begin with the company
whose share the news hardly moves. It finds no tickers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from catalyst.core.companies import Companies, normalise
from catalyst.core.mentions import Text

SHORTEST = 4        # letters of a name's first word that alone tell it, where the name has more words
MUCH_SMALLER = 10   # times as far down the list; the SEC orders company_tickers.json by market value, the largest first
_BUYS = re.compile(r"\b(?:(?:acquir(?:e|es|ing)|(?<!share )(?:buy|buys|buying)|takeover of|take(?:s|n)? over|offer for"
                   r"|bid for|merger with|merge with)(?: (?:the|rest of|remainder of|all of|rival|peer|biotech"
                   r"|u\.s\.|smaller))*) $")
_DONE = re.compile(r"\b(?:complet(?:es|ed|ion)|clos(?:es|ed|ing)|terminat(?:es|ed|ion)|ends?|abandons?|drops"
                   r"|rejects?)\b")


class Moved(NamedTuple):
    """The ticker whose share the deal moves, and why in words."""

    ticker: str
    why: str


def moved(title: Text, tickers: Sequence[str], companies: Companies) -> Moved | None:
    """Which of `tickers` (US shares that the story writes) moves when the title names two of them; None: the order of
    mention tells it as well."""
    places = {}
    for ticker in tickers:
        company = companies.ticker(ticker)
        if company is not None and (span := _span(title.lower, company.title)) is not None:
            places[ticker] = span
    if len(places) != 2:
        return None
    for ticker, (start, end) in places.items():
        if start and _BUYS.search(title.lower, 0, start) and not title.lower.startswith("'s", end) and (
                not _DONE.search(title.lower, 0, start)):
            return Moved(ticker, "the title says that it is bought")
    if _BUYS.search(title.lower, 0, max(start for start, _ in places.values())):
        return None
    large, small = sorted(places, key=companies.rank)
    if companies.rank(small) >= MUCH_SMALLER * companies.rank(large):
        return Moved(small, "much the smaller of two companies of the title")
    return None


def _span(lower: str, name: str) -> tuple[int, int] | None:
    """Where a title in small letters has a company's name, or its first word where that is long; None: nowhere."""
    whole = normalise(name)
    first = whole.partition(" ")[0]
    for words in (whole, first if len(first) >= SHORTEST or whole == first else ""):
        if words and (found := re.search(rf"(?<!\w){re.escape(words)}(?!\w)", lower)):
            return found.span()
    return None
