"""Which titles name a ticker or its company, and by which words such titles are found among many.

A title names a ticker as a word in capitals, or a company by its whole name or its CIK. `words_of` gives the words
under which a title is kept, `wanted` those under which titles that may name a company are looked up; `names` decides
then.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from catalyst.core.companies import LOOSE, Company, normalise
from catalyst.core.ticker_words import ACRONYMS

MOST_WORDS = 40  # of one title
# Words of nearly every headline: no company is looked up by them, but where one begins a title.
_COMMON = ("the a an and or of to in on for with at by from as its is are be will has have announces announce "
           "announced reports report reported results quarter year company inc corp ltd plc llc co group "
           "holdings 8 k 6 10 q filer nasdaq nyse 2024 2025 2026 2027 million us")
COMMON = frozenset(_COMMON.split())
_WORD = re.compile(r"\w+")
_TICKERS = re.compile(  # ARE and ON are tickers too
    r"[:($]\s*([A-Z0-9]+)(?![A-Za-z0-9])|(?<![A-Za-z0-9])([A-Z]{3,5})(?![A-Za-z0-9])")


class Wanted(NamedTuple):
    """Words of which one must be in a title, and two which must both be in it."""

    any_of: tuple[str, ...]
    both: tuple[str, str] | None


def words_of(title: str) -> list[str]:
    """The words of a title that are worth keeping, in small letters, each once."""
    parts = normalise(title).split()
    marked = [(after or apart).lower() for after, apart in _TICKERS.findall(title)]
    words = dict.fromkeys((*parts[:1], *marked, *(word for word in (*_WORD.findall(title.lower()), *parts)
                                                  if word not in COMMON)))
    return list(words)[:MOST_WORDS]


def wanted(ticker: str, company: Company | None) -> Wanted:
    """The words of all titles that `names` can hold for."""
    words = [ticker.partition("-")[0].lower()]
    if company is None:
        return Wanted(tuple(words), None)
    words.append(f"{company.cik:010}")
    name = min(called(company), key=len, default="").split()
    telling = [word for word in name if word not in COMMON]
    if len(telling) > 1:
        return Wanted(tuple(words), (telling[0], telling[1]))
    return Wanted((*words, *(telling[:1] or name[:1])), None)


def names(title: str, ticker: str, company: Company | None) -> bool:
    """Whether a title names the ticker, as a word in capitals, or the company, by its whole name or its CIK.

    A short ticker or one that is an acronym counts only behind a mark; a name of one word only at the beginning.
    """
    mark = r"[:($]\s*" if len(ticker) < 3 or ticker in ACRONYMS else r"(?<![A-Za-z0-9])"
    if re.search(rf"{mark}{re.escape(ticker)}(?![A-Za-z0-9])", title.replace(".", "-") if "-" in ticker else title):
        return True
    if company is None:
        return False
    if f"({company.cik:010})" in title:
        return True
    words = f"{normalise(title)} "
    return any(words.startswith(f"{name} ") or (" " in name and f" {name} " in words) for name in called(company))


def called(company: Company) -> list[str]:
    """The company's name without legal suffixes, and without Holdings or Group behind it."""
    name = normalise(company.title)
    short, _, last = name.rpartition(" ")
    return [name, short] if last in LOOSE and len(short) > 3 else [name] if name else []
