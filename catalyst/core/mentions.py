"""Tickers as a text writes them: after an exchange's name, after a dollar sign, after "ticker symbol", in brackets
behind the company's name; and those of a publisher's tags.

Nothing is ever upper-cased, so that words do not become tickers. It ranks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from catalyst.core.companies import Companies, canonical, normalise
from catalyst.core.ticker_words import ACRONYMS, HEADLINE_LABELS, INDICES, NOT_AFTER_DOLLAR
from catalyst.core.venues import STEMS, VENUES, Listing, venue_at
from catalyst.core.wordscan import Phrases, lower_same, plain

How = Literal["exchange", "tag", "dollar", "symbol", "company (ticker)", "headline", "company name", "cik"]

_TICKER = r"[A-Z]{1,6}(?:[.\-/][A-Z]{1,3}|\^[A-Z]?| ?(?:PR|pr|p) ?[A-Z](?![A-Za-z]))?(?![A-Za-z0-9])"
_US = re.compile(rf"""[$"']?({_TICKER})""")
_ABROAD = re.compile(r"""[$"']?([A-Z0-9]{1,7}(?:\.[A-Z]{1,3})?)(?![A-Za-z0-9])""")
_SEPARATOR = re.compile(
    r"""["']?\s{0,4}(?:(?::|--?)\s{0,4}|\)\s{0,4}:\s{0,4}|,?\s{0,4}(?:under\s{1,4}(?:the\s{1,4})?|with\s{1,4}(?:the\s{1,4})?)?(?:(?i:trading|ticker|stock)\s{1,4})?"""
    r"""(?i:symbols?|tickers?)\s{0,4}:?\s{0,4})(?=[$"'A-Z0-9])""")
_JOINED = re.compile(r"""["']?\s{0,4}(?:,|/|&|\||;|\band\b|\bor\b)\s{0,4}(?:the\s{1,4})?""")
_NEXT = re.compile(
    rf"""["']?\s{{0,4}}(?:,\s{{0,4}}and|,|;|/|&|\||\band\b|\bor\b)\s{{0,4}}["']?({_TICKER})(?!\s{{0,4}}:)["']?""")
_SYMBOL = re.compile(
    rf"""(?i:(?:ticker|trading|stock)\s{{1,4}}symbols?|(?:under|with)\s{{1,4}}(?:the\s{{1,4}})?(?:symbol|ticker))\s{{0,4}}:?\s{{0,4}}["'(]*({_TICKER})""")
_SYMBOL_WORD = re.compile("symbol|ticker")
BEFORE_SYMBOL, BEHIND_SYMBOL = 30, 60  # characters around that word in which the form stands
_DOLLAR = re.compile(r"\$([A-Z]{1,5}(?:[.\-][A-Z]{1,2})?)(?![A-Za-z0-9])")
_BRACKETED = re.compile(r"\(([A-Z]{1,5}(?:[.\-][A-Z])?)\)")
_HEADLINE = re.compile(r"\s{0,4}([A-Z]{2,5}): ")
_PREFERRED = re.compile(r" ?(?:PR|pr|p) ?(?=[A-Z]$)")
_BLANK = re.compile(r"\s{1,4}")
_TAG = re.compile(r"[A-Z0-9]{1,7}(?:[.\-/][A-Z]{1,3})?")
_STEMS = Phrases(STEMS)


class Text(NamedTuple):
    """A field of a story: as written, with plain quotes, dashes and blanks, and that in small letters; all as long."""

    source: str
    flat: str
    lower: str

    @classmethod
    def of(cls, source: str) -> Text:
        """The text in its three forms."""
        flat = plain(source)
        return cls(source, flat, lower_same(flat))


class Seen(NamedTuple):
    """A ticker as written from `start` to `end` of a field."""

    start: int
    ticker: str
    end: int
    how: How
    exchange: str
    listing: Listing


def written(text: Text, companies: Companies | None) -> list[Seen]:
    """All tickers that a field writes, in their order; a ticker written several times stands several times."""
    found = _at_exchanges(text, companies)
    if "$" in text.flat:
        found += _after_dollars(text, companies)
    if "symbol" in text.lower or "ticker" in text.lower:
        found += _after_symbol(text, companies)
    if companies is not None and "(" in text.flat:
        found += _behind_names(text, companies)
    return sorted(set(found)) if len(found) > 1 else found


def _at_exchanges(text: Text, companies: Companies | None) -> list[Seen]:
    """Tickers written after an exchange's name, inside or outside brackets, several after one name too."""
    flat = text.flat
    found: list[Seen] = []
    done = 0
    for _, position, _ in sorted(_STEMS.find(text.lower.replace("-", " ")), key=_place):
        if position < done:
            continue
        venue = venue_at(flat, position)
        if venue is None:
            continue
        venues, end = [venue[0]], venue[1]
        while flat[end:end + 1] != ":" and (joint := _JOINED.match(flat, end)) and (
                further := venue_at(flat, joint.end())):
            venues.append(further[0])
            end = further[1]
        named = venues[0]
        if len(venues) > 1:
            named = min(venues, key=lambda one: ("us", "otc", "foreign").index(one.listing))
        before = flat[max(0, position - 120):position]
        bracketed = max(before.rfind("("), before.rfind("[")) > max(before.rfind(")"), before.rfind("]"))
        for ticker, _, last in _after(flat, end, named.listing, bracketed, companies):
            found.append(Seen(position, ticker, last, "exchange", named.name, named.listing))
            done = last
    return found


def _place(hit: tuple[int, int, int]) -> tuple[int, int]:
    """The order of hits: by start, the longest first."""
    return hit[1], -hit[2]


def _after(flat: str, end: int, listing: Listing, bracketed: bool,
           companies: Companies | None) -> list[tuple[str, int, int]]:
    """(ticker, start, end) of what is written at `end`, after an exchange's name."""
    pattern = _ABROAD if listing == "foreign" else _US
    separator = _SEPARATOR.match(flat, end)
    if separator is None:
        blank = _BLANK.match(flat, end)
        first = pattern.match(flat, blank.end()) if blank and bracketed else None
        if first is None or flat[first.end():].lstrip("\"' ")[:1] not in (")", ",", ";", "|", "/"):
            return []
    else:
        first = pattern.match(flat, separator.end())
        if first is None or not _believed(flat, separator[0], first, bracketed, companies):
            return []
    if first[1] in INDICES:
        return []
    found = [(_spelled(first[1]), first.start(1), first.end())]
    end = first.end()
    while listing != "foreign" and flat[end:end + 1] != ")" and (more := _NEXT.match(flat, end)):
        ticker = _spelled(more[1])
        related = ticker.startswith(first[1]) and len(ticker) > len(first[1])
        if not related and not (companies is not None and ticker in companies and bracketed) and not (
                companies is None and bracketed and flat[more.start(1) - 1] not in "\"'"):
            break
        found.append((ticker, more.start(1), more.end(1)))
        end = more.end()
    return found


def _spelled(written: str) -> str:
    """The one spelling of what is written as a ticker; "BAC PR A" and "BACpA" are BAC-PA."""
    return canonical(_PREFERRED.sub("-P", written) if " " in written or not written.isupper() else written)


def _believed(flat: str, separator: str, first: re.Match[str], bracketed: bool, companies: Companies | None) -> bool:
    """Outside brackets capitals after an exchange's name may be a word: a list or a clear form must speak for them."""
    if bracketed:
        return True
    listed = companies is not None and companies.ticker(first[1]) is not None
    closed = flat[first.end():first.end() + 1] in ("", ")", ",", ";", ".", '"', "'", "]") or first[0][0] in "$\"'"
    if "-" in separator:
        return listed or (companies is None and len(first[1]) > 2 and first[1] not in ACRONYMS and closed)
    if len(first[1]) == 1:
        return closed or (listed and first[1] not in ACRONYMS)
    return listed or first[1] not in ACRONYMS


def at_head(title: Text, companies: Companies) -> list[Seen]:
    """The ticker that a title begins with: "TSLA: deliveries beat"."""
    match = _HEADLINE.match(title.flat)
    if match is None or match[1] in HEADLINE_LABELS or match[1] in ACRONYMS or match[1] not in companies:
        return []
    return [Seen(match.start(1), match[1], match.end(1), "headline", "", "us")]


def _after_dollars(text: Text, companies: Companies | None) -> Iterator[Seen]:
    """Tickers after a dollar sign: $NVDA."""
    for match in _DOLLAR.finditer(text.flat):
        before = text.flat[match.start() - 1] if match.start() else ""
        if before == "$" or (before.isascii() and before.isalnum()) or match[1] in NOT_AFTER_DOLLAR:
            continue
        if companies.ticker(match[1]) is not None if companies is not None else len(match[1]) > 1:
            yield Seen(match.start(), canonical(match[1]), match.end(), "dollar", "", "us")


def _after_symbol(text: Text, companies: Companies | None) -> Iterator[Seen]:
    """Tickers after the words "ticker symbol", "under the symbol" and their like."""
    done = 0
    for word in _SYMBOL_WORD.finditer(text.lower):
        for match in _SYMBOL.finditer(text.flat, max(done, word.start() - BEFORE_SYMBOL), word.end() + BEHIND_SYMBOL):
            done = match.end()
            if companies.ticker(match[1]) is not None if companies is not None else match[1] not in ACRONYMS:
                yield Seen(match.start(), _spelled(match[1]), match.end(1), "symbol", "", "us")


def _behind_names(text: Text, companies: Companies) -> Iterator[Seen]:
    """Tickers in brackets right behind their company's name: Tesla Inc. (TSLA)."""
    for match in _BRACKETED.finditer(text.flat):
        company = companies.ticker(match[1])
        if company is not None and _named_before(text.flat, match.start(), company.title):
            yield Seen(match.start(), company.ticker, match.end(), "company (ticker)", "", "us")


def _named_before(flat: str, position: int, name: str) -> bool:
    """Whether the company's name, or its first word when that is long, stands right before the bracket."""
    words = normalise(name).split()
    before = normalise(flat[max(0, position - 70):position]).split()
    if not words or not before:
        return False
    if len(words[0]) < 3:
        return before[-len(words):] == words
    return words[0] in before[-max(4, len(words)):]


class Tag(NamedTuple):
    """A publisher's tag: its ticker, its words, and where that is listed."""

    ticker: str
    tag: str
    exchange: str
    listing: Listing


def tags(symbols: Iterable[str]) -> list[Tag]:
    """Tickers of the publisher's tags: "Nasdaq:ORIC", "NYSE American: ABC", or the ticker alone."""
    found = []
    for symbol in symbols:
        flat = plain(symbol).strip()
        head, colon, ticker = flat.rpartition(":")
        ticker = ticker.strip().lstrip("$")
        venue = venue_at(head + ":", 0) if colon else None  # the colon is part of some names: "Pink:"
        listing: Listing = "us"
        name = ""
        if colon and venue is None:
            known = [one for one in VENUES if one.name.lower() == head.strip().lower()]
            listing, name = (known[0].listing, known[0].name) if known else ("foreign", head.strip())
        elif venue is not None:
            listing, name = venue[0].listing, venue[0].name
        if _TAG.fullmatch(ticker):
            found.append(Tag(canonical(ticker), symbol, name, listing))
    return found
