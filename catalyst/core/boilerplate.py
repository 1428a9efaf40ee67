"""Which part of a release tells its news: what stands behind it is the same in all releases of a company.

`about_start` says where the paragraph about the company begins, CAUTIONS where the cautions about statements on the
future and the lists of risks do. `is_history` says whether a sentence tells of an earlier year. All read English.
"""

from __future__ import annotations

import re

# A sentence that says one of these begins the cautions; they stand in one scan with the phrases of the rule table.
CAUTIONS = (
    "forward looking", "safe harbor", "safe harbour", "private securities litigation reform", "cautionary note",
    "cautionary statement", "cautionary statements", "cautionary language", "cautionary remarks", "risks include",
    "risk factors", "risks are that", "risks such as", "risks that could", "important risks", "important factors",
    "actual results", "neither an offer to sell", "does not constitute an offer", "shall not constitute an offer",
    "do not constitute an offer", "undertakes no duty", "undertakes no obligation", "undertake no obligation",
    "statements on future", "statements about future", "statements regarding future", "statements concerning future",
    "statements on the future", "no stock exchange has", "neither the tsx", "neither tsx venture", "disclaims any",
    "has not been reviewed by the exchange")
# "About Acme Corp.", "About Acme: ...", "About Acme\n", "About the Company - ...": capitals up to a mark
_ABOUT = re.compile(
    r"About (?:the |our )?(?!\d)[A-Z][\w&'’®™-]*"
    r"(?: (?:[A-Z(&\"“][\w&'’,®™\"”)-]*\.?|of|the|and|de|for|in))*?\s?(?:[:—–\n|]|\. |-{1,2} |$| is (?:an?|the)\b)")
_BEFORE_ABOUT = frozenset(".!?”\"’)\n")
_MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
          r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_PAST = re.compile(
    r"\b(?:last (?:year|month|week|quarter|spring|summer|fall|autumn|winter|" + _MONTH + r")|years? ago|months? ago"
    r"|weeks? ago|a year earlier|since its (?:listing|ipo|founding|inception|initial public)|since inception"
    r"|earlier this (?:year|month|spring|summer|fall|autumn|winter)|earlier in the year|in (?:past|prior|recent) years"
    r"|in the past|previously (?:received|won|secured|completed|obtained|granted|reported)|had (?:earlier|previously)"
    r"|has (?:since|previously)|history of)\b")
# One of them stands in all that _PAST takes: found in a fraction of its time.
_PAST_WORDS = ("last ", " ago", "earlier", "since", "past", "years", "previously", "history")
_IN_YEAR = re.compile(r"\b(?:in|since|during|of|from|on|by|until)(?: early| late| mid)?(?: (" + _MONTH
                      + r")\.?(?: \d{1,2},)?)? ((?:19|20)\d\d)\b")
_IN_YEAR_AT_ONCE = re.compile(r" (?:in|since)(?: early| late| mid)? (?:" + _MONTH + r" )?(?:19|20)\d\d\b")
_AGO_AT_ONCE = re.compile(  # "received FDA clearance last year"
    r" (?:late |early )?(?:last (?:year|month|spring|summer|fall|autumn|winter|" + _MONTH + r")\b"
    r"|(?:a|two|three|four|five|several|some) (?:years?|months?) ago\b)")
_DATED = re.compile(r"(?:in|on|during|since) (?:early |late |mid )?(" + _MONTH + r")\b(?! (?:19|20)\d\d)")
_DATELINE_MONTH = re.compile(r"\b(" + _MONTH + r")\.? \d{1,2},? (?:19|20)\d\d\b")
NEAR_MONTHS = 2  # a release is out at the latest a month and some days after what it announces
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BEFORE, BEHIND = 200, 60  # characters before a phrase, and behind it, in which a year belongs to it


def about_start(summary: str) -> int:
    """Offset of the paragraph about the company; the length of the summary where there is none."""
    at = summary.find("About ")
    while at >= 0:
        before = summary[max(0, at - 2):at].rstrip(" ")
        if (not before or before[-1] in _BEFORE_ABOUT) and _ABOUT.match(summary, at):
            return at
        at = summary.find("About ", at + 1)
    return len(summary)


def year_of(lead: str) -> int:
    """The year of the dateline, which is the first in the head of a folded release; 0 where none is written."""
    found = _YEAR.search(lead, 0, 160)
    return int(found[0]) if found else 0


def month_of(lead: str) -> int:
    """The month of the dateline of a folded release, 1 to 12; 0 where none is written."""
    found = _DATELINE_MONTH.search(lead, 0, 160)
    return 1 + MONTHS.index(found[1][:3]) if found else 0


def is_history(before: str, behind: str, year: int, month: int = 0) -> bool:
    """Whether the words around a phrase set it in the past: `before` begins at its sentence, `year` and `month` are the
    present, 0 where they are not known."""
    near = before[-BEFORE:]
    if any(map(near.__contains__, _PAST_WORDS)) and _PAST.search(near):
        return True
    if month and (dated := _DATED.match(before)) and (
            NEAR_MONTHS <= (month - 1 - MONTHS.index(dated[1][:3])) % 12 <= 12 - NEAR_MONTHS):
        return True
    if _AGO_AT_ONCE.match(behind):
        return True
    if not year:  # what is new is new today, and no release says in what year that is
        return _IN_YEAR_AT_ONCE.match(behind) is not None
    dates = [_month_count(found) for found in _IN_YEAR.finditer(near)]
    if not dates and (found := _IN_YEAR.search(behind[:BEHIND].partition(";")[0])):
        dates.append(_month_count(found))
    now = 12 * year + (month or 1)
    return bool(dates) and (max(dates) < 12 * year + 1 or (month > 0 and max(dates) <= now - NEAR_MONTHS))


def _month_count(found: re.Match[str]) -> int:
    """Months up to a date of _IN_YEAR; up to the end of a year that stands alone."""
    return 12 * int(found[2]) + (1 + MONTHS.index(found[1][:3]) if found[1] else 12)
