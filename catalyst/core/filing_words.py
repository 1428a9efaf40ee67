"""The built-in analyst: the headline of a press release, a filing's sentiment and its sentence for an alert card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from catalyst.core.filing_cover import behind_cover
from catalyst.core.filing_items import CATALOGUE, direction_of, is_title, short_of
from catalyst.core.filing_owners import FORMS as TRADES
from catalyst.core.filing_owners import purpose_in, trades_in
from catalyst.core.offering_amounts import sentences
from catalyst.core.sentiment import Sentiment
from catalyst.messages import Offering

F = re.IGNORECASE
HEADLINE_CHARS, SUMMARY_CHARS, SENTENCE_CHARS = 300, 480, 260
_SKIP = re.compile(
    r"^\W*(?:(?:ex|exhibit)[ -]*\(?99|for (?:immediate|more|further|additional|release)|(?:news|press|media) "
    r"(?:release|contact)|www\.|https?:|p\.?o\.? box|not for (?:distribution|release)|immediate release|source:"
    r"|page \d|trading symbol|[\w.-]+@"
    r"|(?:nasdaq|nyse|otcq[bx]|tsx|amex)(?: (?:american|arca|global|select|capital|stock|market|exchange|venture|symbol"
    r"|ticker|trading|[cg][ms]))*\s?(?:[:(|]|$))"
    r"|@[\w-]+\.\w|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", F)
# Lines of a letterhead and of those to ask; one that says what somebody does is none of them.
_CONTACT = re.compile(
    r"^\W*(?:(?:media|press|investor|company|public)s?\b[^.]{0,40}\b(?:contacts?|inquir(?:y|ies)|relations)\b"
    r"|contacts?\b|(?:[\w&.]+ ){0,3}(?:investor|media) relations|(?:tele)?phone\b|tel\b|fax\b|e-?mail\b"
    r"|web(?:site)?\b)", F)
_ACTS = re.compile(
    r"\b(?:announc|appoint|hir|elect|promot|retir|remov|terminat|dismiss|suspend|replac|receiv|report|complet"
    r"|acquir|award|sign|secur|launch|approv|clear|clos|pric|resign|welcom|depart)(?:es|s|ed|ing)\b"
    r"|\b(?:names?|named|adds?|added|joins?|joined|steps?|stepp\w+|leaves|dies|died|fires|fired|ousts|ousted|wins|won"
    r"|files|filed|gets|got|sues|enters|entered|contacted|provides|resignation|departure|retirement|death|appointment"
    r"|termination|dismissal) ", F)
_MARK = re.compile(r"\[[^\]]{0,60}\]|^\W*(?:for immediate release|exhibit 99(?:\.\d+)?|(?:news|press) "
                   r"release)\W*(?=\w)", F)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{4}"
_DATELINE = re.compile(rf"(?:globe ?newswire|business ?wire|pr ?newswire|accesswire|newsfile|marketwired|newswire)|"
                       rf"^.{{2,90}}{_MONTH}\W{{0,3}}\s?(?:\(|–|—|-|/|today)|^.{{2,60}}(?:--|—|–) .{{0,160}}"
                       r"\btoday (?:announced|reported|said|provided)", F)
_PERSON = re.compile(r", (?:CFA|CPA|Ph\.?D|M\.?D|MBA|Esq)\b|\b(?:president|officer|director|partner|relations)\s*$", F)
_DATE = re.compile(rf"^\W*(?:\w+day,? )?{_MONTH}\W*$|^\d[\d /.-]*$", F)
# A house number begins the line or its part; a zip code stands behind a state.
_ADDRESS = re.compile(
    r"(?:^|[,;|·•] ?)(?:\d{1,6}(?:-\d{1,6})?[A-Z]? (?:[\w.’'-]+ ){0,4}(?:(?i:street|st|avenue|ave|road|rd|blvd|drive|dr"
    r"|boulevard|lane|way|parkway|plaza|square)\b)|(?i:suite|floor|room) #?\d|\d{1,3}(?:st|nd|rd|th) (?i:floor)\b)"
    r"|\b(?:[A-Z]{2}|[A-Z][a-z]+),? \d{5}(?:-\d{4})?\W*$")
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
HOLDINGS = ("SC 13", "SCHEDULE 13", "SC13")
_OURS = re.compile(f"^(?:{'|'.join(re.escape(short_of(item)) for item in CATALOGUE)})(?:: |$)")
FORM_DIRECTION = (("NT 10", -0.4), ("25", -0.4), ("SC TO", 0.3))


def headline_of(release: str) -> str:
    """The title line of a press release; empty where no line looks like one."""
    lines = [line for line in (_MARK.sub("", line).strip() for line in release[:8_000].split("\n")[:45]) if line]
    for place, line in enumerate(lines):
        words = line.split()
        if len(words) < 4 or len(line) < 20 or _SKIP.search(line[:160]) or _DATE.match(line) or (
                _ADDRESS.search(line[:120]) or (_is_of_people(line) and not _ACTS.search(line[:160]))):
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


def _is_of_people(line: str) -> bool:
    """Whether a line looks like one that names whom to ask, or a person with a title."""
    return _CONTACT.search(line[:160]) is not None or (len(line.split()) < 9 and _PERSON.search(line) is not None)


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
    if form.startswith("6-K"):
        titled = _TITLED.search(text[:6_000])
        said = titled[1].strip(" ,.") if titled else first_sentence(behind_cover(text))
        if said:
            return said
    if form == "424B3" and text:
        return f"Supplements its prospectus ({form})"
    if "deregister" in text[:9_000].lower() and form.startswith("POS"):
        return f"Takes unsold securities off registration ({form})"
    return next((f"{words} ({form})" for start, words in FORM_WORDS if form.startswith(start)), f"Files {form}")


def own_words(form: str, summary: str, offering: Offering | None = None) -> str:
    """A summary as `summary_of`, `trades_summary` and `holding_summary` write it, without what is the writers' and not
    the filing's, character for character: of a Form 4 its trades stay, of a Schedule 13D the purpose.
    """
    if offering is not None:
        return ""
    base = form.removesuffix("/A")
    if base in TRADES:
        return trades_in(summary)
    if base.startswith(HOLDINGS):
        return purpose_in(summary)
    return "" if summary.endswith(f"({form})") else _OURS.sub(lambda ours: " " * len(ours[0]), summary)


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
