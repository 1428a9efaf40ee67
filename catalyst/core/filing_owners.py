"""Who holds or trades how much: Forms 3, 4 and 5 and Schedules 13D and 13G -> one sentence and how it sounds.

Form 4: the transaction codes P and S are purchases and sales on the open market or in private (SEC, Form 4, general
instruction 8); all others (grants, exercises, taxes, gifts) are no opinion on the price. Of a Schedule 13D, item 4
(Rule 13d-101, purpose of transaction) counts where it says that the holder proposes to buy the company.

`trades_in` and `purpose_in` lead back from a sentence to the words in it that may count as news.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from catalyst.core.offering_amounts import sentences

# A smaller purchase is no opinion on the price. The least tier of the reference for insiders' purchases (0.3 from
# 100,000 dollars, 0.6 from 500,000).
LEAST_PURCHASE_USD = 100_000.0
FORMS = ("3", "4", "5")
_F = re.IGNORECASE
_SPACE = r"\s{0,200}"
LIMIT_CHARS, LIMIT_TRADES = 200_000, 200
_CODES = {"A": "was granted", "M": "exercised options for", "F": "gave up for taxes", "G": "gave away",
          "C": "converted into", "D": "returned to the issuer", "J": "changed holdings by", "X": "exercised options "
                                                                                                 "for"}
_NAMES = re.compile(r"names? of reporting persons?[^\n]{0,120}\n([^\n]{3,120})", _F)
_INLINE_NAME = re.compile(r"names? of reporting persons?\s?[:.]?\s([A-Z][^\n]{2,100})", _F)
_PERCENT = re.compile(r"percent of class represented[^%]{0,160}?(\d{1,3}(?:\.\d{1,4})?)\s?%", _F)
_TOLD = re.compile(r"\b(buys|sells) (\d[\d,]{0,20}) shares(?: at (?:about )?\$(\d[\d,]{0,20}(?:\.\d{1,10})?))?")
_STATES = re.compile(r"^.{1,400}? reports? (?:\d[\d.]{0,12} %|a holding|holding no more) (?:of|in) .{1,250}?: ")
_PURPOSE = re.compile(r"<(?:\w+:)?transactionPurpose>([^<]{1,20000})<")
_ITEM_4, _ITEM_5 = (re.compile(rf"^[^\w\n]{{0,8}}item[ \t]{{0,3}}{number}\b", _F | re.MULTILINE) for number in "45")
PURPOSE_CHARS, PROPOSAL_CHARS = 20_000, 260
_PROPOSES = re.compile(
    r"\b(?:proposals?|offers?|bid|proposed|proposes?|offered|indication of interest)\b.{0,200}?(?P<act>\bto (?:acquire"
    r"|purchase|buy)\b|\bfor the (?:acquisition|purchase) of\b).{0,120}?\b(?:all|outstanding|remaining|entire|company"
    r"|issuer)\b", _F)
_UNREAL = re.compile(r"\b(?:may(?! \d)|might|could|reserves?|no|not|nor|none|neither|any|if|withdr\w{1,6}|oppos\w{1,6}"
                     r"|reject\w{0,4}|inadequate|previously|from time to time)\b", _F)
_ISSUER = re.compile(r"([^\n]{2,120})\n\W{0,4}name of (?:subject company|issuer)", _F)


def value_of(source: str, name: str) -> str:
    """The text of the first element of this name, or of its `value` element; empty where there is none."""
    match = re.search(rf"<(?:\w+:)?{name}>{_SPACE}(?:<value>)?([^<]{{1,300}})<", source[:LIMIT_CHARS])
    return " ".join(html.unescape(match[1]).split()) if match else ""


def trades_summary(source: str) -> tuple[str, float]:
    """The sentence of a Form 4 and its sentiment: insiders who buy on the open market are good news, sellers less."""
    owners = [name.title() if name.isupper() else name
              for name in dict.fromkeys(_values(source, "rptOwnerName"))]
    owner = owners[0] + (f" and {len(owners) - 1} more" if len(owners) > 1 else "") if owners else "An insider"
    title = value_of(source, "officerTitle")
    title = title if title and "remark" not in title.lower() else (
        "director" if value_of(source, "isDirector").lower() in ("1", "true") else
        "10 % owner" if value_of(source, "isTenPercentOwner").lower() in ("1", "true") else "")
    who = f"{owner} ({title})" if title else owner
    issuer = value_of(source, "issuerName") or "the issuer"
    trades = [_trade(part.partition("</nonDerivativeTransaction>")[0][:8_000])
              for part in source.split("<nonDerivativeTransaction>", LIMIT_TRADES)[1:LIMIT_TRADES + 1]]
    bought, sold = ([(shares, price) for code, shares, price in trades if code == wanted] for wanted in "PS")
    if bought or sold:
        told = [_told(verb, some) for verb, some in (("buys", bought), ("sells", sold)) if some]
        is_little = sum(one * (price or 0) for one, price in bought) < LEAST_PURCHASE_USD and all(
            price is not None for _, price in bought)
        mood = 0.5 if bought and not (sold or is_little) else -0.2 if sold and not bought else 0.0
        return f"{who} {' and '.join(told)} of {issuer} on the open market", mood
    for code, shares, _ in trades:
        if code in _CODES and shares:
            return f"{who} {_CODES[code]} {shares:,.0f} shares of {issuer}", 0.0
    return f"{who} reports holdings in {issuer}", 0.0


def holding_summary(form: str, source: str, text: str, company: str) -> tuple[str, float]:
    """The sentence of a Schedule 13D or 13G: the holder with the largest part, and the proposal to buy the company."""
    said, mood = _held(form, source, text, company)
    proposal = _proposal(source, text) if "13D" in form.upper() else ""
    return (f"{said}: {proposal}", 0.5) if proposal else (said, mood)


def trades_in(summary: str) -> str:
    """What `trades_summary` tells of trades on the market, the rest blank: names in it are no words. A purchase under
    LEAST_PURCHASE_USD is left out; one without a price stays, for its size is not known."""
    kept = [" "] * len(summary)
    for told in _TOLD.finditer(summary):
        shares, price = (float(one.replace(",", "")) if one else None for one in told.group(2, 3))
        if told[1] == "sells" or price is None or (shares or 0) * price >= LEAST_PURCHASE_USD:
            kept[told.start():told.end()] = told[0]
    return "".join(kept)


def purpose_in(summary: str) -> str:
    """What `holding_summary` quotes of item 4, the rest blank."""
    states = _STATES.match(summary)
    return " " * states.end() + summary[states.end():] if states else ""


def _proposal(source: str, text: str) -> str:
    """The sentence of item 4 in which the holder proposes to buy the company; empty where none says that it does."""
    stated = _PURPOSE.search(source[:LIMIT_CHARS * 4])
    if stated:
        purpose = " ".join(html.unescape(stated[1]).split())
    else:
        begin = _ITEM_4.search(text)
        end = _ITEM_5.search(text, begin.end()) if begin else None
        purpose = text[begin.end():end.start() if end else None][:PURPOSE_CHARS] if begin else ""
    for sentence in sentences(purpose):
        found = _PROPOSES.search(sentence)
        if found and not _UNREAL.search(sentence[:found.start("act")]):
            return sentence if len(sentence) <= PROPOSAL_CHARS else (
                sentence[:PROPOSAL_CHARS].rpartition(" ")[0] + " …")
    return ""


def _held(form: str, source: str, text: str, company: str) -> tuple[str, float]:
    text = text[:LIMIT_CHARS]
    names, percents = _values(source, "reportingPersonName"), [
        *_values(source, "percentOfClass"), *_values(source, "classPercent")]
    if not names:
        heads = list(_NAMES.finditer(text)) or list(_INLINE_NAME.finditer(text))
        names = [re.sub(r"^\W*\(?\d+\)?\W+", "", match[1]).strip() for match in heads[:20]]
        percents = [match[1] for match in _PERCENT.finditer(" ".join(text.split()))]
    issuer = value_of(source, "issuerName") or company
    if not issuer:
        named = _ISSUER.search(text)
        issuer = named[1].strip(" _()") if named else "the company"
    activist = "13D" in form.upper()
    shares = [float(percent) for percent in percents if re.fullmatch(r"\d{1,3}(?:\.\d{1,10})?", percent)]
    name = names[0] if names else "A holder"
    if not shares or max(shares) > 100:
        return f"{name} reports a holding in {issuer}", 0.0
    most = max(shares)
    if len(shares) == len(names) and shares[0] != most:
        name = names[shares.index(most)]
    others = len(dict.fromkeys(names)) - 1
    who = name + (" and others" if others > 0 else "")
    if most == 0:
        return f"{who} {'report' if others > 0 else 'reports'} holding no more of {issuer}", 0.0
    verb = "report" if others > 0 else "reports"
    return f"{who} {verb} {most:.10g} % of {issuer}", 0.3 if activist and not form.endswith("/A") else 0.0


def _values(source: str, name: str) -> list[str]:
    found = re.findall(rf"<(?:\w+:)?{name}>{_SPACE}(?:<value>)?([^<]{{1,300}})<", source[:LIMIT_CHARS])
    return [" ".join(html.unescape(words).split()) for words in found[:50]]


def _trade(source: str) -> tuple[str, float, float | None]:
    price = _number(value_of(source, "transactionPricePerShare"))
    return value_of(source, "transactionCode"), _number(value_of(source, "transactionShares")) or 0.0, price


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,15}(?:\.\d{1,10})?", text) else None


def _told(verb: str, trades: Sequence[tuple[float, float | None]]) -> str:
    shares = sum(one for one, _ in trades)
    prices = [price for _, price in trades if price is not None]
    if len(prices) < len(trades) or not shares:
        return f"{verb} {shares:,.0f} shares"
    mean = sum(one * (price or 0) for one, price in trades) / shares
    about = "" if len(set(prices)) == 1 else "about "
    digits = 2 if mean >= 1 or round(mean, 2) == mean else 4
    return f"{verb} {shares:,.0f} shares at {about}${mean:,.{digits}f}"
