"""How large a contract, a grant or a sale of shares is: the dollars that a story states, against the market value.

One amount counts, or none. It stands in the title or in one of the first sentences, in one that names the matter: the
words that made the kind, or a word as "contract". The first such sentence with an amount decides. Of a range the lower
end counts, of a sure amount beside an "up to" the sure one; several sure amounts in one sentence are none. Amounts
under 10,000 dollars are prices; those of sales, backlog, cash and the like are no sizes. Only US dollars count: a bare
$ does not where the story names another dollar or a market that quotes in one.

What is not known changes nothing. Where amount and market value are, the weight of the kind is scaled by `factor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from catalyst.core.boilerplate import about_start
from catalyst.core.evidence import Words

F = re.IGNORECASE
KINDS = frozenset(("contract", "contract_loss", "grant_funding"))
SALES, NO_SALE = "offering", "offering_debt"  # a debt dilutes nobody
READ_CHARS, READ_SENTENCES = 2_000, 5
LEAST_USD = 10_000.0
MOST_SHARE = 100.0  # an amount of more than this many market values is a mistake in one of the two
# Judgement, until outcomes tell: an order under 1 % of a company's value moves no price, one of half of it does.
STEPS = ((0.01, 0.6), (0.10, 1.0), (0.50, 1.2))
LARGEST = 1.4

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(?:\.\d{1,4})?(?![\d,.]*\d)"
_UNIT = r"(?:[\s-]?(?:thousand|million|billion|mln|mn|bln|bn|mm)|[kmb])\b"
_SCALES = {"": 1.0, "k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}  # by the first letter of the unit
_MONEY = re.compile(
    rf"(?<![\w$])(?P<mark>(?:US|U\.S\.)\s?\$|USD\s?\$?|(?:[A-Z]{{1,3}})?\$)\s?(?P<low>{_NUMBER})"
    rf"(?:\s?(?:-|–|—|to)\s?(?P<high>{_NUMBER})(?={_UNIT}))?(?P<unit>{_UNIT})?", F)
_RANGE = re.compile(r"\s?(?:-|–|—|to)\s?", F)
_BETWEEN, _AND = re.compile(r"\bbetween\s$", F), re.compile(r"\sand\s", F)
_FROM = re.compile(r"\bfrom\s$", F)
_UP_TO = re.compile(
    r"\b(?:up to|as much as|at most|not to exceed|(?:maximum|ceiling|potential)(?: \w{1,20})? of"
    r"|could (?:be worth|reach|total))(?: (?:an?|aggregate|total|of|about|approximately|value)){0,4}\s?$", F)
_CEILING = re.compile(r"\W{1,3}(?:\w{1,20} ){0,2}?(?:ceiling|maximum)\b", F)
_NOT_BEFORE = re.compile(
    r"\b(?:revenues?|backlog|ebitda|earnings|income|loss(?:es)?|guidance|valuation|fees?|commissions?|expenses"
    r"|exercise price|if (?:all |fully )?exercised|(?:upon|assuming) (?:the |cash |full ){0,2}exercise|net proceeds"
    r"|option to (?:purchase|buy)|sales (?:of|to|by|were|reached|totaled)|cash (?:position|balance|and cash)"
    r"|market (?:cap|capitalization|value|size|opportunity)|par value|savings|debt of|loan of)\b[^$]{0,30}$", F)
_NOT_AFTER = re.compile(
    r"\W{0,3}(?:\w{1,20} ){0,2}?(?:per\b|a share|each\b|annually|a year|revenues?\b|sales\b(?! agreement)|backlog"
    r"|ebitda|loss\b|of cash|in cash|fees?\b|valuation|addressable|market (?:cap|size|opportunity)|company\b|firm\b"
    r"|fund\b)", F)
_OTHER_DOLLARS = re.compile(
    r"\b(?:C|CA|CAD|CDN|A|AU|AUD|NZ|HK|S|SG|NT|R|MX)\$|\b(?:CAD|CDN|AUD|NZD|HKD|SGD|TWD)\b|\b(?:canadian|australian"
    r"|new zealand|hong kong|singapore) dollars|\b(?:TSX|TSXV|TSX-V|TSX Venture|CSE|CNSX|NEO|ASX|NZX|SGX|SEHK)\s?:", F)
_MATTERS = re.compile(
    r"\b(?:contracts?|subcontracts?|orders?|agreements?|awards?|awarded|deals?|tenders?|grants?|funding|idiq|program"
    r"|project)\b", F)
_SALE = re.compile(
    r"\b(?:offerings?|placements?|gross proceeds|financing|bought deal|registered direct|at-the-market|atm|equity line"
    r"|sales agreement|shares|stock|notes|debentures|units|warrants)\b", F)
_END = re.compile(r"(?<![A-Z])(?<!\bInc)(?<!\bCorp)(?<!\bLtd)(?<!\bCo)(?<!\bNo)(?<!\bapprox)[.!?]['”\")]{0,2}\s+"
                  r"(?=[A-Z“\"(])|\n\s*\n")


class Stated(NamedTuple):
    """An amount: the dollars that are sure (of an "up to" all of them), and how the story writes it."""

    usd: float
    said: str
    words: tuple[Words, ...]


class _Money(NamedTuple):
    """An amount within its text."""

    usd: float
    start: int
    end: int
    up_to: bool


def has_size(kind: str) -> bool:
    """Whether the size of such a catalyst is a matter of dollars."""
    return kind in KINDS or (kind.partition("_")[0] == SALES and kind != NO_SALE)


def stated(texts: Sequence[tuple[str, str]], kind: str, causes: Sequence[Words]) -> Stated | None:
    """The amount that the (name, text) fields, the title first, state for a kind; `causes` are the words that made it.
    None where they state none, or several.
    """
    heads = [(name, text[:about_start(text[:READ_CHARS])]) for name, text in texts]
    if not any("$" in text or "USD" in text for _, text in heads):
        return None
    bare = not any(_OTHER_DOLLARS.search(text) for _, text in heads)
    matter = _SALE if kind.startswith(SALES) else _MATTERS
    for name, text in heads:
        for start, end in _sentences(text):
            is_about = matter.search(text, start, end) is not None or any(
                one.field == name and start <= one.start < end for one in causes)
            amounts = list(_amounts(text, start, end, bare)) if is_about else []
            if amounts:
                one = _sure(amounts)
                return _stated(one, name, text) if one is not None else None
    return None


def factor(share: float) -> float:
    """What the weight of a kind is multiplied with; `share` is the amount by the market value."""
    return next((scale for limit, scale in STEPS if share < limit), LARGEST)


def told(said: str, share: float) -> str:
    """`$12 million, 31 % of its market value`."""
    per_cent = share * 100
    figure = f"{per_cent:,.0f}" if per_cent >= 10 else f"{per_cent:.1f}".removesuffix(".0")
    return f"{said}, {figure if per_cent >= 0.1 else 'under 0.1'} % of its market value"


def _stated(one: _Money, name: str, text: str) -> Stated:
    literal = text[one.start:one.end]
    return Stated(one.usd, " ".join(literal.split()), (Words(literal, name, one.start, one.end),))


def _sure(amounts: Sequence[_Money]) -> _Money | None:
    """The one that counts: of the sure ones, else of the others; None where they differ."""
    chosen = [one for one in amounts if not one.up_to] or amounts
    return chosen[0] if len({one.usd for one in chosen}) == 1 else None


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where the first sentences begin and end."""
    start = 0
    for number, found in enumerate(_END.finditer(text), 1):
        yield start, found.start()
        start = found.end()
        if number == READ_SENTENCES:
            return
    yield start, len(text)


def _amounts(text: str, start: int, end: int, bare: bool) -> Iterator[_Money]:
    """The amounts of a sentence that may be a size. `bare`: a $ alone is one of the US."""
    found = [one for one in _MONEY.finditer(text, start, end) if _is_us(one["mark"], bare)]
    while found:
        first, *found = found
        low, last = _usd(first["low"], first["unit"]), first
        if found and _is_range(text, start, first, found[0]):
            last, *found = found
            low = min(_usd(first["low"], first["unit"] or last["unit"]), _usd(last["low"], last["unit"]))
        before, behind = text[max(start, first.start() - 60):first.start()], text[last.end():min(end, last.end() + 40)]
        if low < LEAST_USD or _NOT_BEFORE.search(before) or _NOT_AFTER.match(behind):
            continue
        limit = _UP_TO.search(before)
        begin = first.start() - len(before) + limit.start() if limit else first.start()
        yield _Money(low, begin, last.end(), limit is not None or _CEILING.match(behind) is not None)


def _is_us(mark: str, bare: bool) -> bool:
    """Whether a currency's mark is that of the US dollar."""
    return bare if mark == "$" else mark.upper().startswith(("US", "U.S"))


def _is_range(text: str, start: int, first: re.Match[str], second: re.Match[str]) -> bool:
    """Whether two amounts are the ends of one: "$1 to $2 million", "between $1 and $2 million", not "from $1 to"."""
    gap, before = text[first.end():second.start()], text[max(start, first.start() - 10):first.start()]
    if _AND.fullmatch(gap):
        return _BETWEEN.search(before) is not None
    return _RANGE.fullmatch(gap) is not None and not _FROM.search(before)


def _usd(number: str, unit: str | None) -> float:
    return float(number.replace(",", "")) * _SCALES[(unit or "").strip().strip("-").casefold()[:1]]
