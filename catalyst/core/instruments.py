"""What a ticker is when it is no share: a warrant, unit, right or preferred stock, known by its parent's ticker, or a
fund, known by its name.

Sources: Nasdaq's fifth letters (W, R, U, P), the NYSE's .WS, .U and .PR forms, the names of funds and exchange-traded
trusts in the SEC's list. It reads no text.
"""

from __future__ import annotations

import re
from collections.abc import Set

from catalyst.core.companies import Companies, Company

_FUND = re.compile(r"(?i)\b(?:ETFs?|ETNs?|funds?|iShares|ProShares|SPDR|CurrencyShares)\b")
_TRUST = re.compile(r"(?i)\b(?:muni|municipal|income|term|credit|bitcoin|ethereum|gold|silver|platinum|palladium"
                    r"|currency|commodity|index|dividend|grayscale|qqq|duration|bond|equity|value|premium|opportunit(?:y|ies))\b"
                    r".{0,30}\btrust\b|\bgrayscale\b")
_FUND_WORDS, _TRUST_WORDS = ("etf", "etn", "fund", "shares", "spdr"), ("trust", "grayscale")  # what the two are about
_HOUSES = re.compile(r"(?i)\b(?:real(?:ty| estate)|propert(?:y|ies)|mortgage|health(?:care)?|hospitality|lodging)\b")
_CLASSES = {"W": "warrant", "WS": "warrant", "WT": "warrant", "WW": "warrant", "U": "unit", "UN": "unit", "R": "right",
            "RT": "right", "P": "preferred", "PR": "preferred"}


def instrument(ticker: str, beside: Set[str], companies: Companies | None) -> str:
    """What a ticker is when it is not a share: warrant, unit, right, preferred or fund; empty for a share or unknown.

    Only with the parent known: the rest of the ticker is named `beside` it, or is in the list. A ticker that the list
    gives to another company than its would-be parent is that company's share. Suffixes: Nasdaq's fifth letters (W, R,
    U, P) and the NYSE's .WS, .U, .PR forms.
    """
    company = companies.ticker(ticker) if companies is not None else None
    if company is not None and is_fund(company.title):
        return "fund"
    parent, dash, suffix = ticker.rpartition("-")
    if dash:
        kind = _CLASSES.get(suffix) or ("preferred" if re.fullmatch(r"P[A-Z]|PR[A-Z]", suffix) else "")
        return kind if _is_parent(parent, ticker, beside, companies) else ""
    if len(ticker) < 5:
        return ""
    for suffix in ("WS", "WT", "WW", "W", "U", "R", "P"):
        if ticker.endswith(suffix) and len(ticker) - len(suffix) >= 3 and _is_parent(
                ticker[:-len(suffix)], ticker, beside, companies):
            return _CLASSES[suffix]
    return ""


def parent_of(ticker: str, companies: Companies) -> Company | None:
    """The company in the list whose warrant, unit, right or preferred a ticker is; None for a share or unknown."""
    parent, dash, _ = ticker.rpartition("-")
    if dash:
        return companies.ticker(parent)
    return next((found for cut in (1, 2) if len(ticker) - cut >= 3 and instrument(ticker, set(), companies) and (
        found := companies.ticker(ticker[:-cut]))), None)


def _is_parent(parent: str, ticker: str, beside: Set[str], companies: Companies | None) -> bool:
    if companies is None:
        return parent in beside
    own, other = companies.ticker(ticker), companies.ticker(parent)
    if own is not None and other is not None:
        return own.cik == other.cik
    return parent in beside or (other is not None and own is None)


def is_fund(name: str) -> bool:
    """Whether the name is that of a fund, ETF or trust that only holds other things; trusts that own houses are not."""
    lower = name.lower()
    if any(map(lower.__contains__, _FUND_WORDS)) and _FUND.search(name):
        return True
    return any(map(lower.__contains__, _TRUST_WORDS)) and bool(_TRUST.search(name)) and not _HOUSES.search(name)
