"""Numbers of a sale of securities in sentences: each with the literal sentence it stands in, or None.

A pattern alone would take exercise prices for offering prices and warrant shares for shares, so every kind of number
has words that must not stand right before it. Where a sentence names several numbers of one kind, none is taken, but of
warrants the sum where the document states it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from catalyst.messages import Amount

SENTENCE_CHARS = 1_500  # a message's line holds 2,000
READ_SENTENCES = 1_500
F = re.IGNORECASE
MONEY = (r"(?:(?<=US)|(?<![A-Za-z]))\$\s?(?P<v>\d[\d,]{0,17}(?:\.\d{1,6})?)"
         r"(?:[\s-]?(?P<u>thousand|million|billion|mm)\b)?")
COUNT = r"(?P<v>\d{1,3}(?:,\d{3}){1,4}|\d{1,3}(?:\.\d{1,3})? million)(?![\d,.]*\d)"
STOCK = (r"(?:(?:newly issued |registered |class [a-c] |primary )?(?:shares|ordinary shares|common shares|common units|"
         r"units|american depositary shares|adss)\b)")
_SCALE = {"": 1.0, "thousand": 1e3, "million": 1e6, "mm": 1e6, "billion": 1e9}
_ENDS = re.compile(r"(?<=[a-z0-9)%”\"][.;!])\s(?=[A-Z“\"(])")
_SHORT = re.compile(r"(?:\b(?:Inc|Corp|Co|Ltd|No|Nos|Mr|Ms|Mrs|Dr|St|Jr|Sr|vs|L\.P|N\.A|U\.S|a\.m|p\.m|approx)\.)$")

_GROSS = tuple(re.compile(pattern, F) for pattern in (
    rf"gross (?:cash )?proceeds(?P<gap>[^$%;]{{0,200}}?){MONEY}",
    rf"{MONEY}(?: (?:in|of))?(?: (?:aggregate|total|initial|upfront|estimated))* gross proceeds",
    rf"aggregate (?:gross )?(?:offering|sales?) (?:sales )?price of (?:up to )?(?:an aggregate of )?{MONEY}",
    rf"{MONEY}(?: (?:in|of))?(?: (?:aggregate|original|total|initial))* principal amount",
    rf"principal amount(?: of)?(?: up to| approximately)? {MONEY}",
    rf"(?:up to|aggregate of) {MONEY}(?: (?:worth )?of (?:its |the company.s |our )?)(?:shares|common|ordinary|"
    rf"securities)",
    rf"{MONEY}(?: [\w-]+){{0,5}}? (?:public offering|registered direct|private placement|offering of|rights offering|"
    r"underwritten offering|offering\b|at[- ]the[- ]market)",
    rf"(?:offering|placement|financing)(?: [\w-]+){{0,3}} (?:of|for) (?:up to |approximately )?{MONEY}",
    rf"(?:aggregate|total) (?:purchase price|subscription amount) of (?:up to |approximately )?{MONEY}"))
_NOT_GROSS = re.compile(r"%|additional|\bfees?\b|commission|exercis|reimburs|net (?:cash )?proceeds|if all|potential",
                        F)
_DEDUCTED = re.compile(r"before (?:the )?deduct[^$]*|\([^)$]*\)|(?:prior to|without) deduct[^$]*|before (?:payment|"
                       r"the pay)[^$]*",
                       F)
_FEES = re.compile(r"(?:fees?|expenses|commissions?|discounts?)[^,;.$]{0,40} (?:of|to) (?:about |approximately )?"
                   r"\$[\d,.]*\d(?: million)?", F)
_PRICE = tuple(re.compile(pattern, F) for pattern in (
    rf"(?:offering|purchase|subscription|unit) price (?:per (?:share|unit|ads|american depositary share|security)\b"
    rf"[^$;]{{0,80}}?)?(?:of|is|was|equal to|will be) {MONEY}",
    rf"(?:purchase|offering) price (?:for|of|to the public of) (?:each|one|the)(?P<gap>[^$;]{{0,120}}?)"
    rf"(?:is|was|of|equal to|at|will be) {MONEY}",
    rf"\bat (?:a|an|the) (?P<gap>(?:[\w-]+,? ){{0,7}}?)price(?: to the public)?(?: per [\w ]{{3,40}}?)? of {MONEY}",
    rf"\b(?:at|for|priced at) {MONEY} (?:per|a|each) (?:share|unit|ads|american depositary share)"))
_NOT_PRICE = re.compile(r"exercise|conversion|closing|strike|redemption|floor|pre-?funded|reported|repurchase|warrant"
                        r"|par value|consolidated|average|minimum|trading", F)
_EACH_SHARE = re.compile(r"\s(?:combined )?(?:share|unit|ads|american depositary share|ordinary share)", F)
_NOT_PER = re.compile(r"\s?,?\s?(?:per|for each) (?:pre-?funded|warrant|\$|right)|\sper (?:each )?pre-?funded", F)
_SHARES = tuple(re.compile(pattern, F) for pattern in (
    rf"^(?:up to )?{COUNT} {STOCK}",
    r"\b(?:offering|sale|issuance|sell|selling|sold|issue|issued|purchase|offer|offered|placement|priced|pricing|"
    rf"resell)\b(?P<gap>[^$;]{{0,140}}?){COUNT} (?:of (?:its|our|the company.s) )?{STOCK}"))
_NOT_SHARES = re.compile(r"non-voting|warrant|exercis|option|allot|outstanding|conver|repurchas|authoriz|dividend|"
                         r"split|reserved|compensat|incentive|additional|agent|cancel|redeem|consult|acqui", F)
_NOT_AFTER = re.compile(r"[^.;]{0,70}\b(?:issuable|underlying|outstanding|upon (?:the )?exercise|subject to)\b", F)
_WARRANTS = re.compile(
    r"warrants?\b(?P<gap>[^.;$]{0,70}?)\b(?:exercisable (?:for|to purchase)|to (?:purchase|acquire|buy|subscribe for))"
    r"(?: up to)?(?: an?)?(?: additional)?(?: aggregate| total)?(?: of)?(?: up to)? " + COUNT, F)
_NOT_WARRANTS = re.compile(r"pre-?funded|placement agent|underwriter|representative|agent.s|outstanding|previously|"
                           r"exercise of|existing", F)
_BEFORE = tuple(re.compile(pattern, F) for pattern in (
    rf"outstanding (?:immediately )?(?:before|prior to) (?:this|the) offering\W{{0,6}}{COUNT}",
    rf"is based on (?:an aggregate of )?{COUNT} (?:shares|ordinary shares)[^.;]{{0,60}}? outstanding"))


def sentences(text: str) -> list[str]:
    """The sentences of a text: parts of its lines that end in a full stop; longer ones are cut at SENTENCE_CHARS."""
    found: list[str] = []
    for line in text.split("\n"):
        rest = ""
        for part in _ENDS.split(line):
            rest = f"{rest} {part}" if rest else part
            if not _SHORT.search(rest):
                found.append(rest[:SENTENCE_CHARS])
                rest = ""
        if rest:
            found.append(rest[:SENTENCE_CHARS])
        if len(found) >= READ_SENTENCES:
            break
    return [sentence.strip() for sentence in found if sentence.strip()]


def gross_of(told: Iterable[str]) -> Amount | None:
    """US dollars before fees; None too where the first sentence that tells of it names several amounts of notes."""
    def good(sentence: str, match: re.Match[str]) -> bool:
        gap = _DEDUCTED.sub("", match.groupdict().get("gap") or "")
        return not _NOT_GROSS.search(sentence[max(0, match.start() - 45):match.start()]) and not _NOT_GROSS.search(gap)

    return _single(_GROSS, list(told), good, least=10_000)


def price_of(told: Iterable[str]) -> Amount | None:
    """US dollars a share or unit that buyers pay."""
    def good(sentence: str, match: re.Match[str]) -> bool:
        gap = match.groupdict().get("gap") or ""
        before = sentence[max(0, match.start() - 18):match.start()] + ("" if _EACH_SHARE.match(gap) else gap)
        return not (match["u"] or _NOT_PRICE.search(before) or _NOT_PER.match(sentence[match.end():match.end() + 40]))

    return next(_matches(_PRICE, told, good), None)


def shares_of(told: Iterable[str]) -> Amount | None:
    """Shares, units or depositary shares on sale, without those under warrants and options."""
    def good(sentence: str, match: re.Match[str]) -> bool:
        before = sentence[max(0, match.start() - 30):match.start()] + (match.groupdict().get("gap") or "")
        return not _NOT_SHARES.search(before) and not _NOT_AFTER.match(sentence[match.end():match.end() + 90])

    return next(_matches(_SHARES, told, good), None)


def warrants_of(told: Sequence[str]) -> Amount | None:
    """Shares that the investors' warrants buy, without pre-funded ones (those are shares) and those of agents."""
    for sentence in told:
        values = [value_of(match) for match in _WARRANTS.finditer(sentence)
                  if not _NOT_WARRANTS.search(sentence[max(0, match.start() - 45):match.start()] + match["gap"])]
        if len(values) == 1:
            return Amount(values[0], sentence)
        if values:
            total = f"{sum(values):,.0f}"
            return next((Amount(sum(values), other) for other in told
                         if total in other and re.search("warrant", other, F)), None)
    return None


def outstanding_of(told: Iterable[str]) -> Amount | None:
    """Shares outstanding before the offering, as the section about the offering states them."""
    return next(_matches(_BEFORE, told, lambda sentence, match: True), None)


def value_of(match: re.Match[str]) -> float:
    """The number of a match's groups `v` and, where there is one, `u`."""
    digits, _, unit = match["v"].partition(" ")
    unit = unit or (match.groupdict().get("u") or "")
    return round(float(digits.replace(",", "")) * _SCALE[unit.lower()], 6)


def _matches(patterns: Sequence[re.Pattern[str]], told: Iterable[str],
             good: Callable[[str, re.Match[str]], bool]) -> Iterator[Amount]:
    """Sentence by sentence in the document's order, in each of them the patterns in theirs."""
    for sentence in told:
        for pattern in patterns:
            for match in pattern.finditer(sentence):
                if value_of(match) > 0 and good(sentence, match):
                    yield Amount(value_of(match), sentence)


def _single(patterns: Sequence[re.Pattern[str]], told: Sequence[str], good: Callable[[str, re.Match[str]], bool],
            least: float) -> Amount | None:
    """The first amount of the first pattern that has one; several different ones in one sentence are none."""
    for pattern in patterns:
        for sentence in told:
            # "Gross proceeds, before deducting fees of $1, are $2": the first amount is none of the proceeds.
            cleaned = _FEES.sub("fees", sentence)
            found = {amount.value for amount in _matches((pattern,), (cleaned,), good) if amount.value >= least}
            if found:
                return Amount(found.pop(), sentence) if len(found) == 1 else None
    return None
