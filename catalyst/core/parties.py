"""Which of two companies of one title moves: the one that is bought or paid, else the much smaller one.

The order of mention does not say it: "Large to Acquire Small" and "Large and Small Team Up" both begin with the company
whose share the news hardly moves. It finds no tickers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from catalyst.core.companies import Companies, normalise
from catalyst.core.mentions import Text

SHORTEST = 4        # letters of a name's first word that alone tell it, where the name has more words
MUCH_SMALLER = 10   # times as far down the list; the SEC orders company_tickers.json by market value, the largest first
_CLOSED = re.compile(r"\b(?:complet(?:es|ed|ion)|clos(?:es|ed|ing))\b")  # then who was bought is listed no more
_BUYS = re.compile(r"\b(?:(?:acquir(?:e|es|ing)|(?<!share )(?:buy|buys|buying|purchase)|takeover of|take(?:s|n)? over"
                   r"|offer for|bid for|merger with|merge with)(?: (?:all|the|rest of|remainder of|of|outstanding"
                   r"|shares of|rival|peer|biotech|u\.s\.|smaller))*) $")
_IS_BOUGHT = re.compile(r"(?: \w+){0,2}? (?:(?:will|to|would) merge (?:with and )?into"
                        r"|(?:share|stock|unit)?holders (?:will|would|are to) (?:get|receive)"
                        r"|(?:common |ordinary )?shares? will (?:become|convert|be (?:exchanged|converted)))\b")
_IS_PAID = re.compile(r"(?: \w+){0,2}? (?:will receive|is to receive|receives|gets|will get|to receive|may earn"
                      r"|is eligible to (?:receive|earn)) [^.;]{0,30}\$")


class Moved(NamedTuple):
    """The ticker whose share the deal moves, and why in words."""

    ticker: str
    why: str


def moved(title: Text, body: Text, tickers: Sequence[str], companies: Companies) -> Moved | None:
    """Which of `tickers` (US shares of the story) moves when the title names two of them; None: the order of mention
    tells it as well."""
    found = [company for ticker in reversed(tickers) if (company := companies.ticker(ticker)) is not None]
    main = {company.cik: company for company in found}  # of two classes of one company's shares the first
    whole = {company.ticker: normalise(company.title) for company in main.values()}
    firsts = Counter(name.partition(" ")[0] for name in whole.values())
    names = {ticker: name for ticker, written in whole.items() if (name := _name_in(title.lower, written, firsts))}
    if len(names) != 2 or _CLOSED.search(title.lower):
        return None
    for place, text in (("title", title), ("summary", body)):
        bought = [ticker for ticker, name in names.items() if _is_told(text, name, _BUYS, _IS_BOUGHT)]
        if len(bought) == 1:
            return Moved(bought[0], f"the {place} says that it is bought")
    paid = [ticker for ticker, name in names.items() if _is_told(body, name, None, _IS_PAID)]
    if len(paid) == 1:
        return Moved(paid[0], "the summary says that it is paid")
    large, small = sorted(names, key=companies.rank)
    if companies.rank(small) >= MUCH_SMALLER * companies.rank(large):
        return Moved(small, "much the smaller of two companies of the title")
    return None


def _name_in(lower: str, whole: str, firsts: Mapping[str, int]) -> str:
    """The first word of a company's name, all of it where that word is short or begins another's too, if a text in
    small letters has it; else empty."""
    first = whole.partition(" ")[0]
    name = first if len(first) >= SHORTEST and firsts[first] == 1 else whole
    return name if name and any(_places(lower, name)) else ""


def _is_told(text: Text, name: str, before: re.Pattern[str] | None, behind: re.Pattern[str]) -> bool:
    """Whether one of the patterns stands around the name somewhere; what only belongs to the company does not count,
    nor does a common word that is written as the name is ("acquire target companies")."""
    lower = text.lower
    is_small = text.flat == lower  # aggregators write some titles without a capital
    for at, end in _places(lower, name):
        if lower[end:end + 2] != "'s" and (is_small or text.flat[at:end] != name) and (behind.match(lower, end) or (
                before is not None and before.search(lower, max(0, at - 80), at))):
            return True
    return False


def _places(lower: str, name: str) -> Iterator[tuple[int, int]]:
    """Where a name stands as words of its own."""
    return (found.span() for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", lower))
