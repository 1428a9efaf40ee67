"""What a filing says of a sale of securities: stage, type and amounts, each amount with its literal sentence.

A prospectus is read from its cover: the title block, the price table, then the cover's sentences and the section "The
Offering". A report (8-K, 6-K, press release) is read from the release's headline and from the items that tell of sales.
What is not said is None; amounts that contradict each other are not told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalyst.core.offering_amounts import (
    COUNT,
    MONEY,
    STOCK,
    F,
    gross_of,
    outstanding_of,
    price_of,
    sentences,
    shares_of,
    value_of,
    warrants_of,
)
from catalyst.core.offering_stages import Stage, is_sale, sold_for_cash, stage_of, type_of
from catalyst.messages import Amount, Offering

MOST = 1e13  # no sale of securities has a greater number
COVER_CHARS, TITLE_LINE_CHARS, TITLE_LINES = 14_000, 240, 45
REGISTRATIONS = ("S-1", "S-3", "F-1", "F-3", "S-11", "F-10")
SALE_ITEMS = ("1.01", "3.02", "8.01", "7.01", "2.03", "5", "9")

_START = re.compile(r"^(?:preliminary )?prospectus\b.{0,60}$|subject to completion", F)
_PRELIMINARY = re.compile(r"subject to completion|preliminary (?:prospectus|pricing) supplement", F)
_CONTENTS = re.compile(r"^table of contents$", F)
_UPDATE = re.compile(r"(?:filed|provided|prepared) (?:solely )?(?:in order )?to (?:update|amend|supplement)[^.]{0,400}"
                     r"(?:report on form|quarterly report|current report|annual report)", F)
_HOLDERS = re.compile(r"selling (?:stock|share|security|unit|warrant)?\s?holders?", F)
_OURS = re.compile(r"\bwe are (?:also )?(?:offering|selling|distributing)\b|\bwe (?:may|will) offer and sell\b", F)
_ATM = re.compile(r"at[ -]the[ -]market[”\"]?,? (?:offering|equity|issuance|sales|program|facility)|(?:equity "
                  r"distribution|"
                  r"(?:controlled |at.the.market |open market )(?:equity )?(?:offering|issuance|sales?))[^.]{0,20}"
                  r"agreement|\bsales agreement\b", F)
_LINE = re.compile(r"equity line|committed equity|standby equity|(?:common stock|ordinary shares?|equity|share) "
                   r"purchase agreement[^.]{0,300}from time to time|lincoln park capital", F)
_DIRECT = re.compile(r"registered direct|securities purchase agreement|(?:to|with) (?:certain|several|an?|the) "
                     r"(?:\w+ )?"
                     r"(?:institutional|accredited|healthcare-focused) investors?|to (?:certain |the )?investors "
                     r"pursuant",
                     F)
_NOTES = re.compile(r"\b(?:notes|debentures|bonds)\b", F)
_CONVERTIBLE = re.compile(r"convertible (?:[\w-]+ ){0,3}(?:notes?|debentures?)\b|notes?, convertible", F)
_IPO = re.compile(r"(?:this is|our|the) initial public offering|no (?:established )?public (?:trading )?market "
                  r"(?:currently |has )?(?:exist|for (?:our|the) (?:common|ordinary|shares))", F)
_RIGHTS = re.compile(r"rights offering|subscription rights", F)
_BASE = re.compile(r"\b(?:debt securities|preferred stock|preferred shares|subscription rights|purchase contracts)\b",
                   F)

_OFFERED_BY = re.compile(r"offered by (?:us|the company|the selling)|(?:securities|shares) (?:we are |being )?offer", F)
_DOLLARS = r"\$\s?\d[\d,]*(?:\.\d+)?"
_ROW = re.compile(rf"(?:public |combined |initial public )*(?:offering|purchase) price(?: to (?:the )?public)?(?: "
                  rf"per [a-z -]{{3,60}})?\s?(?:\(\d\)|"
                  rf"\*)?[\s.:…]{{0,6}}(?P<cells>{_DOLLARS}(?:\s(?:\(\d\)\s)?{_DOLLARS}){{1,5}})", F)
_PER = re.compile(rf"(?:offering price|price to (?:the )?public)[^$]{{0,250}}?\bper (?:[\w-]+ ){{0,4}}?(?:share|"
                  rf"unit|ads|note|security|warrants?)(?: and [a-z -]{{3,60}})?\s?(?:\(\d\))?\s{_DOLLARS}"
                  rf"(?:\s(?:\(\d\)\s)?{_DOLLARS}){{0,3}}(?:[^$]{{0,80}}?\btotal\s?(?:\(\d\))?\s{_DOLLARS})?", F)
_OTHER_DOLLARS = re.compile(r"(?:amounts?|dollars?|figures)[^.]{0,60}\bcanadian (?:dollars|funds)|\bC\$|\bCAD\b|"
                            r"CDN\$|\bA\$\d")
_TITLE_MONEY = re.compile(rf"^(?:up to |aggregate of |maximum of )*{MONEY}", F)
_TITLE_SHARES = re.compile(rf"^(?:up to )?(?:an aggregate of )?{COUNT}\s(?:of\s)?{STOCK}", F)


@dataclass(frozen=True, slots=True)
class Told:
    """The parts of a report that can tell of a sale; `sections` are the items' texts, `release` the press release's."""

    sections: Mapping[str, str]
    headline: str
    release: str


def read_prospectus(form: str, text: str) -> Offering | None:
    """The sale that a prospectus, registration statement or free writing prospectus offers.

    None for a supplement that only brings a report, an amendment without a prospectus, and what takes securities back.
    """
    registration = form.startswith(REGISTRATIONS)
    lines = text[:400_000].split("\n")
    start = next((place for place, line in enumerate(lines[:400]) if _START.search(line) and len(line) < 130), None)
    if registration and start is None:
        return None
    cover = _cover(lines[start or 0:] if registration else lines)
    folded = " ".join(cover)
    if _UPDATE.search(folded[:8_000]) or "deregist" in folded[:4_000].lower():
        return None
    title = _title(cover)
    kind = _prospectus_type(form, " ".join(title), folded)
    fixed = kind not in ("resale", "atm", "shelf", "rights", "equity_line")
    early = registration or not fixed or bool(_PRELIMINARY.search(folded[:3_000])) or (
        form == "FWP" and not re.search("pricing term sheet|final term", folded, F))
    told = sentences("\n".join(cover))
    section = sentences("\n".join(_section(lines)))
    gross, price = _table(folded) if fixed else (None, None)
    shares = _titled(title, _TITLE_SHARES)
    if shares is None and (kind != "resale" or not any(map(_TITLE_SHARES.match, title))):  # several numbers are none
        shares = shares_of(told) or shares_of(_offered(section))
    if kind in ("atm", "shelf", "notes", "equity_line", "convertible_notes"):
        shares = None
    if kind == "resale":
        gross = None
    elif gross is None and (fixed or kind != "rights"):
        gross = _titled(title, _TITLE_MONEY) or gross_of(told)
    if (fixed or kind == "rights") and price is None:
        price = price_of(told)
    warrants = warrants_of([*told, *section]) if fixed and kind != "notes" else None
    before = outstanding_of(section) if shares is not None and kind != "resale" else None
    return _made("announcement" if early else "pricing", kind, (gross, shares, price, warrants), before)


def read_report(told: Told) -> Offering | None:
    """The sale that an 8-K, a 6-K or a press release tells of."""
    lead, main = sentences(told.release[:6_000]), sentences("\n".join(told.sections.values()))
    first = stage_of([told.headline], headline=True)
    stage: Stage
    if first is None:
        found = _stage_in(main)
        if found is None:
            return _sold(told.sections)
        stage, about = found[0], main[found[1]:]
        if is_sale(told.headline) or any(is_sale(sentence) for sentence in lead[:4]):
            about = [*about, *lead]
    else:
        stage = first
        if stage == "announcement" and any(stage_of(lead[place:place + 2]) == "pricing" for place in range(4)):
            stage = "pricing"  # "Announces registered offering", and the text says that it is priced
        about = [told.headline, *lead, *main]
    kind = type_of([*about[:6], " ".join(about[:60])])
    about = about[:150]
    if kind == "equity_line" and stage == "pricing":  # what is agreed is a right to sell, nothing is sold yet
        stage = "announcement"
    gross = gross_of(about)
    shares, price, warrants = shares_of(about), price_of(about), warrants_of(about)
    if kind in ("notes", "atm", "equity_line"):
        shares = price = warrants = None
    if kind == "convertible_notes":
        shares = price = None
    if _OTHER_DOLLARS.search(" ".join(about)) and not (gross and "US$" in gross.quote):
        gross = price = None
    return _made(stage, kind, (gross, shares, price, warrants), None)


def _stage_in(main: Sequence[str]) -> tuple[Stage, int] | None:
    """Stage and place of the first sentence that tells of a sale; closing, where a later one says it has closed."""
    for place in range(len(main)):
        stage = stage_of(main[place:place + 2])
        if stage is not None:
            closed = stage == "pricing" and any(stage_of([later]) == "closing" for later in main[place + 1:place + 40])
            return "closing" if closed else stage, place
    return None


def _sold(sections: Mapping[str, str]) -> Offering | None:
    """A sale that only item 3.02 tells of, without a name for it."""
    told = sentences(sections.get("3.02", ""))
    for place, sentence in enumerate(told):
        stage = sold_for_cash(sentence)
        if stage is not None:
            about = told[place:]
            return _made(stage, "private_placement", (gross_of(about), shares_of(about), price_of(about),
                                                      warrants_of(about)), None)
    return None


def _cover(lines: Sequence[str]) -> list[str]:
    cover: list[str] = []
    size = 0
    for line in lines:
        if (_CONTENTS.match(line) and size > 1_500) or size > COVER_CHARS:
            break
        cover.append(line)
        size += len(line)
    return cover


def _title(cover: Sequence[str]) -> list[str]:
    """The short lines at the head of a cover; of these a number and what it counts may stand on two."""
    title: list[str] = []
    for line in cover[:TITLE_LINES]:
        if len(line) > TITLE_LINE_CHARS and not _PRELIMINARY.search(line[:400]) and "not complete" not in line[:400]:
            break
        if len(line) <= TITLE_LINE_CHARS:
            title.append(line)
    return title


def _section(lines: Sequence[str]) -> list[str]:
    """The section "The Offering", where a line is nothing but its name and no table of contents follows."""
    for place, line in enumerate(lines):
        if line.lower().strip() == "the offering":
            section = lines[place + 1:place + 61]
            if sum(map(len, section[:12])) > 500:
                return list(section)
    return []


def _offered(section: Sequence[str]) -> list[str]:
    """The lines right after "Common stock offered by us"."""
    for place, line in enumerate(section):
        if _OFFERED_BY.search(line):
            return [line, *section[place + 1:place + 3]]
    return []


def _prospectus_type(form: str, title: str, cover: str) -> str:
    if _HOLDERS.search(cover) and not _OURS.search(cover):
        return "resale"
    if _NOTES.search(title) and not re.search(r"\bshares of\b", title, F):
        return "convertible_notes" if _CONVERTIBLE.search(title) else "notes"
    if form == "FWP" and _NOTES.search(cover[:3_000]):
        return "notes"
    if not (form.startswith(("S-3", "F-3")) and len(_BASE.findall(title)) > 1):
        for kind, pattern, where in (("rights", _RIGHTS, title), ("atm", _ATM, cover[:8_000]),
                                     ("equity_line", _LINE, cover)):
            if pattern.search(where):
                return kind
    if form.startswith(("S-3", "F-3")):
        return "shelf"
    if _IPO.search(cover):
        return "ipo"
    return "registered_direct" if _DIRECT.search(cover) and "underwriters" not in cover.lower() else "public"


def _titled(title: Sequence[str], pattern: re.Pattern[str]) -> Amount | None:
    """The one number that begins a line of the title, with the next line where the thing it counts stands there."""
    found: dict[float, str] = {}
    for place, line in enumerate(title):
        for words in (line, " ".join(title[place:place + 2])):
            match = pattern.match(words)
            if match and value_of(match) >= 100:
                found.setdefault(value_of(match), words)
                break
    if len(found) != 1:
        return None
    (value, words), = found.items()
    return Amount(value, words)


def _table(cover: str) -> tuple[Amount | None, Amount | None]:
    """Gross proceeds and price of the cover's price table, in either of its two shapes."""
    row = _ROW.search(cover)
    if row is not None:
        cells = _cells(row["cells"])
        price = Amount(cells[0], row[0]) if cells[0] < 10_000 else None
        whole = cells[-1] >= 10_000 and cells[-1] > 50 * cells[0]
        return (Amount(cells[-1], row[0]) if whole else None), price
    per = _PER.search(cover)
    if per is None:
        return None, None
    each, *total = re.split(r"\btotal\b", per[0], maxsplit=1, flags=F)
    gross = _cells(total[0])[0] if total else 0.0
    return (Amount(gross, per[0]) if gross >= 10_000 else None), Amount(_cells(each)[0], per[0])


def _cells(text: str) -> list[float]:
    return [float(cell.replace("$", "").replace(",", "").strip()) for cell in re.findall(_DOLLARS, text)]


def _made(stage: Stage, kind: str, amounts: tuple[Amount | None, Amount | None, Amount | None, Amount | None],
          before: Amount | None) -> Offering:
    """The offering; shares that contradict price and proceeds are left out, for one of the three was misread."""
    gross, shares, price, warrants = (one if one and one.value <= MOST else None for one in amounts)
    if gross and shares and price and not 0.05 < shares.value * price.value / gross.value < 1.2:
        shares = None
    dilution = None
    if shares is not None and before is not None and before.value > 0:
        percent = round(100 * shares.value / before.value, 2)
        dilution = Amount(percent, before.quote) if percent < 10_000 else None
    return Offering(stage, kind, gross, shares, price, warrants, dilution)
