"""The built-in analyst: the headline of a press release, a filing's sentiment and its sentence for an alert card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from catalyst.core.filing_items import direction_of, is_title, short_of
from catalyst.core.offering_amounts import sentences
from catalyst.core.sentiment import Sentiment
from catalyst.messages import Offering

F = re.IGNORECASE
HEADLINE_CHARS, SUMMARY_CHARS, SENTENCE_CHARS = 300, 480, 260
_SKIP = re.compile(
    r"^\W*(?:(?:ex|exhibit)[ -]*\(?99|for (?:immediate|more|further|additional|release)|(?:news|press|media) "
    r"(?:release|contact)"
    r"|(?:media|press|investor|company|public)s?\b[^.]{0,40}(?:contact|inquir|relations)|contacts?\b|(?:[\w&.]+ "
    r"){0,3}(?:investor|media) relations|phone|tel\b|fax|"
    r"e-?mail|web\b|www\.|https?:|p\.?o\.? box|not for (?:distribution|release)|immediate release|source:|page \d|"
    r"trading symbol|(?:nasdaq|nyse|otcqb|tsx|amex)\b|[\w.-]+@)|@[\w-]+\.\w|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", F)
_MARK = re.compile(r"\[[^\]]{0,60}\]|^\W*(?:for immediate release|exhibit 99(?:\.\d+)?|(?:news|press) "
                   r"release)\W*(?=\w)", F)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{4}"
_DATELINE = re.compile(rf"(?:globe ?newswire|business ?wire|pr ?newswire|accesswire|newsfile|marketwired|newswire)|"
                       rf"^.{{2,90}}{_MONTH}\W{{0,3}}\s?(?:\(|–|—|-|/|today)|^.{{2,60}}(?:--|—|–) .{{60}}", F)
_PERSON = re.compile(r", (?:CFA|CPA|Ph\.?D|M\.?D|MBA|Esq)\b|\b(?:president|officer|director|partner|relations)\s*$", F)
_DATE = re.compile(rf"^\W*(?:\w+day,? )?{_MONTH}\W*$|^\d[\d /.-]*$", F)
_ADDRESS = re.compile(r"\b(?:street|st\.|avenue|ave\.|suite|road|blvd|boulevard|drive|floor)\b|\b[A-Z]{2},? \d{5}\b", F)
_GOES_ON = re.compile(r"(?:[,:&–-]|\b(?:and|of|the|for|to|in|with|a|an|its|by|from|on|at))$", F)
_NUMBERED = re.compile(r"^(?:[•●·▪–—-]\s*|\(?(?:[a-z]|\d{1,2}|i{1,3})[.)]\s+)+")
_REFERENCE = re.compile(r"(?:refer to the (?:disclosure|information)|set forth (?:above|below|under|in)|contained "
                        r"in|described "
                        r"(?:in|above)|disclosed (?:in|under|above)) [^.]{0,60}item|incorporated (?:herein )?by "
                        r"reference", F)
# Words of setbacks that sound well one by one.
_SETBACK = re.compile(r"complete response letter|(?:placed on|places?|under) (?:a )?(?:full |partial )?clinical "
                      r"hold|refus(?:al|e)[sd]?[ -]to[ -]file|going concern|"
                      r"(?:fails?|failed|did not|does not) (?:to )?(?:meet|achieve)", F)
_TITLED = re.compile(r"(?:titled|entitled|headed):? [“\"]([^”\"]{15,300})[”\"]")

# A closing removes what hung over the price; a debt of the usual kind dilutes nobody.
STAGE_DIRECTION = {"announcement": -0.6, "pricing": -0.5, "upsize": -0.7, "closing": 0.2}
TYPE_DIRECTION = {"notes": 0.0, "ipo": 0.0, "resale": -0.3, "shelf": -0.2, "atm": -0.4, "private_placement": -0.3,
                  "convertible_notes": -0.4, "equity_line": -0.4}
_TYPE_WORDS = {"atm": "at-the-market offering", "registered_direct": "registered direct offering",
               "public": "public offering", "private_placement": "private placement", "rights": "rights offering",
               "convertible_notes": "convertible notes", "notes": "notes", "warrants": "warrant inducement",
               "resale": "resale by selling holders", "shelf": "shelf registration", "ipo": "initial public offering",
               "equity_line": "equity line"}
_STAGE_WORDS = {"announcement": "Announces", "pricing": "Prices", "upsize": "Upsizes", "closing": "Closes"}
_OPENING = {"atm": "Opens", "resale": "Registers", "shelf": "Files", "equity_line": "Sets up", "notes": "Offers",
            "convertible_notes": "Offers", "ipo": "Announces"}
LIMITS = ("atm", "shelf", "equity_line")  # sales whose amount is the most that may be sold
FORM_WORDS = (("SC TO", "Tender offer document"), ("SC 14D9", "Answer to a tender offer"), ("FWP", "Free writing "
                                                                                                   "prospectus"),
              ("424B", "Prospectus"), ("S-1", "Registration statement"), ("S-3", "Registration statement"),
              ("F-1", "Registration statement"), ("F-3", "Registration statement"), ("S-4", "Merger registration"),
              ("S-8", "Registers shares for an employee plan"), ("POS AM", "Amends an effective registration"),
              ("10-K", "Annual report"), ("10-Q", "Quarterly report"), ("20-F", "Annual report"), ("6-K", "Foreign "
                                                                                                          "report"),
              ("NT 10", "Cannot file its report in time"), ("25", "Delisting"), ("15-12", "Ends its reporting duty"),
              ("CORRESP", "Letter to the SEC"), ("UPLOAD", "Letter from the SEC"), ("DEF", "Proxy statement"))
FORM_DIRECTION = (("NT 10", -0.4), ("25", -0.4), ("SC TO", 0.3))


def headline_of(release: str) -> str:
    """The title line of a press release; empty where no line looks like one."""
    lines = [line for line in (_MARK.sub("", line).strip() for line in release[:8_000].split("\n")[:45]) if line]
    for place, line in enumerate(lines):
        words = line.split()
        if len(words) < 4 or len(line) < 20 or _SKIP.search(line[:160]) or _DATE.match(line) or (
                _ADDRESS.search(line[:120]) or (len(words) < 9 and _PERSON.search(line))):
            continue
        if _DATELINE.search(line[:200]) or len(line) > HEADLINE_CHARS:
            return ""  # the story has begun
        for more in lines[place + 1:place + 3]:
            on = _GOES_ON.search(line) or more[:1].islower() or more[:1] in "$&" or (
                line.isupper() and more.isupper() and not _SKIP.search(more))
            if not on or len(line) + len(more) > HEADLINE_CHARS or _DATELINE.search(more[:200]):
                break
            line = f"{line} {more}"
        return line
    return ""


def offering_line(offering: Offering) -> str:
    """One line about a sale: `Prices registered direct offering: 4,000,000 shares at $1.25, gross $5.0 million`."""
    early = offering.stage == "announcement"
    verb = _OPENING.get(offering.type, "Announces") if early else _STAGE_WORDS[offering.stage]
    facts = []
    if offering.shares is not None:
        facts.append(f"{offering.shares.value:,.0f} shares")
    if offering.price is not None and offering.type != "notes":
        assumed = "an assumed " if "assumed" in offering.price.quote else ""  # a registration statement
        price = f"at {assumed}${offering.price.value:,.4f}".rstrip("0")
        facts[-1:] = [" ".join([*facts[-1:], _cents(price)])]
    if offering.gross_proceeds is not None:
        limit = "up to " if offering.type in LIMITS else "gross "
        facts.append(f"{limit}{money(offering.gross_proceeds.value)}")
    if offering.warrants is not None:
        facts.append(f"warrants for {offering.warrants.value:,.0f} shares")
    if offering.dilution_pct is not None:
        facts.append(f"{offering.dilution_pct.value:.3g} % of the shares outstanding")
    noun = " offering" if offering.type.endswith("notes") and not early else ""
    line = f"{verb} {_TYPE_WORDS.get(offering.type, offering.type.replace('_', ' '))}{noun}"
    return f"{line}: {', '.join(facts)}" if facts else line


def money(value: float) -> str:
    """An amount of US dollars for a reader: `$5.0 million`."""
    for least, unit in ((1e9, "billion"), (1e6, "million")):
        if value >= least:
            digits = f"{value / least:.2f}".rstrip("0")
            return f"${digits}{'0' if digits.endswith('.') else ''} {unit}"
    return f"${value:,.0f}"


def summary_of(form: str, items: Sequence[str], sections: Mapping[str, str], offering: Offering | None,
               headline: str) -> str:
    """What the filing is about, in one sentence."""
    if offering is not None:
        return offering_line(offering)
    bad = [item for item in items if direction_of([item]) <= -0.5]
    told = [item for item in [*bad, *items] if item not in ("9.01", "7")]
    if headline and not bad:
        return headline
    for item in told:
        said = first_sentence(sections.get(item, ""))
        if said:
            return f"{short_of(item)}: {said}"[:SUMMARY_CHARS]
    if told:
        return short_of(told[0])
    text = sections.get("", "")
    titled = _TITLED.search(text[:6_000]) if form.startswith("6-K") else None
    if titled:
        return titled[1].strip(" ,.")
    if form == "424B3" and text:
        return f"Supplements its prospectus ({form})"
    if "deregister" in text[:9_000].lower() and form.startswith("POS"):
        return f"Takes unsold securities off registration ({form})"
    return next((f"{words} ({form})" for start, words in FORM_WORDS if form.startswith(start)), f"Files {form}")


def first_sentence(section: str) -> str:
    """The first sentence of an item's text that is neither heading nor reference; empty where there is none."""
    for sentence in sentences(section[:6_000])[:12]:
        words = _NUMBERED.sub("", sentence)
        small = sum(word[:1].islower() for word in words.split())
        if len(words) < 40 or small < 3 or is_title(words) or _REFERENCE.search(words):
            continue
        return words if len(words) <= SENTENCE_CHARS else words[:SENTENCE_CHARS].rpartition(" ")[0] + " …"
    return ""


def sentiment_of(form: str, items: Sequence[str], offering: Offering | None, headline: str,
                 model: Sentiment | None = None) -> float:
    """-1 to 1: what the sale or the items usually mean for the share price; where they mean nothing, the headline.

    Without a model the headline says nothing.
    """
    if offering is not None:
        if offering.stage == "closing" and offering.type not in ("notes", "ipo"):
            # Without a release it is the first news of the sale.
            return STAGE_DIRECTION["closing"] if headline else -0.3
        return TYPE_DIRECTION.get(offering.type, STAGE_DIRECTION[offering.stage])
    if {"2.01", "3.02"} <= set(items):  # shares that pay for what was bought
        items = [item for item in items if item != "3.02"]
    direction = direction_of(items)
    if abs(direction) >= 0.4:
        return direction
    if _SETBACK.search(headline):
        return -0.6
    tone = model.score(headline) if model is not None and headline else 0.0
    if tone:
        return max(-1.0, min(1.0, round(tone + direction / 2, 4)))
    return direction or next((value for start, value in FORM_DIRECTION if form.startswith(start)), 0.0)


def _cents(price: str) -> str:
    digits = price.rpartition(".")[2]
    return price + "0" * (2 - len(digits)) if len(digits) < 2 else price
