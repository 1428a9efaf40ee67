"""How far a sale of securities has come and of which kind it is, from the sentences of a report or press release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

F = re.IGNORECASE
Stage = Literal["announcement", "pricing", "upsize", "closing"]
_W = r"[^;]"  # what is searched is one sentence already
_SALE = (r"(?:offerings?\b|private placement|registered direct|\bPIPE\b|at[- ]the[- ]market (?:equity |offering |"
         r"sales )|convertible (?:senior )?notes?\b|private investment in public equity)")
_IS_SALE = re.compile(rf"\b{_SALE}", F)
_NO_SALE = re.compile(r"tender offer|exchange offer|terminat|withdr[ae]w|job offering|(?:product|service|coin|test|"
                      r"cancer) "
                      r"offering|offerings (?:to|for) (?:our |its )?customers|benefit plan|to its \S+ offering", F)
_UPSIZE = re.compile(rf"\bupsiz\w+|increas\w+ (?:of |in )?(?:the )?size of {_W}{{0,60}}{_SALE}", F)
_CLOSED = re.compile(rf"\b(?:closed|completed|consummated|closing of|completion of|closes|completes|"
                     rf"closing (?=\$|its |the )){_W}{{0,110}}{_SALE}|{_SALE}{_W}{{0,60}}\b(?:closed|was completed|"
                     rf"was consummated)\b", F)
_OPEN = re.compile(r"expect|anticipat|\bwill\b|\bupon\b|prior to|until|\bif\b|subject to|following the clos|conditions|"
                   r"date of|after the clos|in connection with the (?:clos|compl)", F)
_PRICED = re.compile(rf"\b(?:priced|prices|pricing of|pricing)\b{_W}{{0,110}}{_SALE}|{_SALE}{_W}{{0,40}}\bpric(?:ed|"
                     rf"ing)\b|"
                     rf"\b(?:enters into|entered into|signs|announces|announced) {_W}{{0,110}}(?:agreements? (?:for|"
                     rf"to)|\$)"
                     rf"{_W}{{0,60}}(?:registered direct|private placement)|\brais(?:es|ed)\b{_W}{{0,90}}{_SALE}|"
                     rf"\bannounc\w+ (?:a )?(?:registered direct|private placement){_W}{{0,40}}\$|"
                     rf"\bentered into\b{_W}{{0,80}}\b(?:securities purchase|subscription|definitive) agreements?\b"
                     rf"{_W}{{0,400}}{_SALE}", F)
_AGREED = re.compile(rf"\bentered into\b{_W}{{0,220}}\b(?:securities purchase|underwriting|placement agency|"
                     rf"subscription|note purchase|inducement|purchase)\s?(?:letter )?agreements?\b", F)
_SELLS = re.compile(rf"\b(?:issue|sell|sale|offer|offering|purchase)\b{_W}{{0,240}}\b(?:shares|warrants|notes?|"
                    rf"units|adss|debentures?)\b", F)
_OTHER_DEAL = re.compile(r"(?:asset|stock|share|unit|membership interest|equity interest|power|receivables|receipt|"
                         r"supply)s? "
                         r"purchase agreement|all of the (?:issued and )?outstanding|merger|acquire all|revolving|"
                         r"credit facility|rights agreement|acquisition of", F)
_AGENT = re.compile(rf"\b(?:entered|enters|entry) into\b{_W}{{0,200}}\b(?:sales agreement|equity distribution "
                    rf"agreement|"
                    rf"at[ -]the[ -]market{_W}{{0,40}}agreement|(?:equity|common stock) purchase agreement{_W}{{0,120}}"
                    r"(?:from time to time|right, but not)|standby equity purchase agreement)", F)
_STARTED = re.compile(rf"\b(?:announc\w+|intends? to|proposes?|proposed|plans? to|commenc\w+|launch\w+|intention to)\b"
                      rf"{_W}{{0,110}}{_SALE}", F)
_BEFORE = re.compile(r"previously[ -](?:disclosed|announced|reported)|as (?:disclosed|reported) in", F)
_SOLD = re.compile(rf"\b(?:sold|issued and sold|(?P<agreed>agreed to (?:issue and )?sell))\b{_W}{{0,60}}?\d,\d{{3}} "
                   rf"(?:shares|units|ordinary){_W}{{0,200}}(?:purchase price|price of|\$)", F)
_NOT_CASH = re.compile(r"merger|acqui|employ|consult|settle|conver|exchange|dividend|services", F)

_TYPES = tuple((kind, re.compile(pattern, F)) for kind, pattern in (
    ("registered_direct", r"registered direct"),
    ("rights", r"rights offering"),
    ("ipo", r"\binitial public offering\b|\bIPO\b"),
    ("atm", r"at[- ]the[- ]market[”\"]? (?:ads )?(?:offering|equity|issuance|sales|program|facility)|equity "
            r"distribution agreement|"
            r"\bsales agreement\b"),
    ("equity_line", r"equity line|committed equity|standby equity purchase|equity purchase (?:agreement|facility)|"
                    r"\bpurchase agreement\b.{0,400}(?:from time to time|right, but not the obligation,? to sell)"),
    ("convertible_notes", r"convertible (?:[\w-]+ ){0,3}(?:notes?|debentures?)\b|notes? convertible"),
    ("notes", r"\b(?:senior|secured|subordinated|unsecured|medium-term|floating rate|first lien) (?:[\w-]+ "
              r"){0,2}notes?\b|\bnotes due\b|promissory notes?\b|% (?:[\w-]+ )?notes?\b|notes offering"),
    ("warrants", r"warrant (?:exercise )?inducement|inducement (?:letter|offer)|exercise of (?:existing |outstanding )"
                 r"warrants for cash"),
    ("private_placement", r"private placement|\bPIPE\b|private investment|unregistered|section 4\(a\)\(2\)"),
    ("public", r"public offering|underwrit|follow-on|registered offering"),
))


def is_sale(text: str) -> bool:
    """Whether a headline or the beginning of a release tells of a sale of securities."""
    return bool(_IS_SALE.search(text)) and not _NO_SALE.search(text)


def stage_of(told: Sequence[str], headline: bool = False) -> Stage | None:
    """What the first of these sentences says has happened; the next may say what an agreement of the first is about."""
    if not told or _NO_SALE.search(told[0]):
        return None
    first = told[0]
    if _UPSIZE.search(first) and (headline or _IS_SALE.search(first)):
        return "upsize"
    if _CLOSED.search(first) and not (_OPEN.search(first) and not headline):
        return "closing"
    if _BEFORE.search(first):
        return None
    if _AGENT.search(first):
        return "announcement"
    if _PRICED.search(first) and not _OTHER_DEAL.search(first):
        return "pricing"
    if _AGREED.search(first) and not _OTHER_DEAL.search(first) and _SELLS.search(" ".join(told)):
        return "pricing"
    return "announcement" if _STARTED.search(first) and (headline or not _OPEN.search(first)) else None


def sold_for_cash(sentence: str) -> Stage | None:
    """Of a sentence of item 3.02, where no offering is named: whether shares were or are to be sold for money."""
    match = _SOLD.search(sentence)
    if match is None or _NOT_CASH.search(sentence):
        return None
    return "pricing" if match["agreed"] else "closing"


def type_of(told: Sequence[str]) -> str:
    """The kind of sale that the first of these texts to name one names; `public` where none does."""
    for text in told:
        for kind, pattern in _TYPES:
            if pattern.search(text):
                return kind
    return "public"
