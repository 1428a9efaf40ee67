"""Items of Form 8-K: number, title, usual direction, and finding them in a text.

Titles since 23 August 2004: the SEC's Form 8-K, sections 1 to 9 (release 33-8400); before: its items 1 to 12. The
direction is our judgement of what the item usually means for the share price, -1 to 1; 0 where the text decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

OLD_UNTIL = "20040823"
CATALOGUE: dict[str, tuple[str, float]] = {
    "1.01": ("Entry into a Material Definitive Agreement", 0.2),
    "1.02": ("Termination of a Material Definitive Agreement", -0.3),
    "1.03": ("Bankruptcy or Receivership", -0.9),
    "1.04": ("Mine Safety - Reporting of Shutdowns and Patterns of Violations", -0.3),
    "1.05": ("Material Cybersecurity Incidents", -0.4),
    "2.01": ("Completion of Acquisition or Disposition of Assets", 0.1),
    "2.02": ("Results of Operations and Financial Condition", 0.0),
    "2.03": ("Creation of a Direct Financial Obligation or an Obligation under an Off-Balance Sheet Arrangement of a "
             "Registrant", -0.1),
    "2.04": ("Triggering Events That Accelerate or Increase a Direct Financial Obligation or an Obligation under an "
             "Off-Balance Sheet Arrangement", -0.6),
    "2.05": ("Costs Associated with Exit or Disposal Activities", -0.2),
    "2.06": ("Material Impairments", -0.4),
    "3.01": ("Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard; Transfer of Listing",
             -0.6),
    "3.02": ("Unregistered Sales of Equity Securities", -0.3),
    "3.03": ("Material Modification to Rights of Security Holders", -0.2),
    "4.01": ("Changes in Registrant's Certifying Accountant", -0.1),
    "4.02": ("Non-Reliance on Previously Issued Financial Statements or a Related Audit Report or Completed Interim "
             "Review", -0.7),
    "5.01": ("Changes in Control of Registrant", 0.0),
    "5.02": ("Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers; "
             "Compensatory Arrangements of Certain Officers", 0.0),
    "5.03": ("Amendments to Articles of Incorporation or Bylaws; Change in Fiscal Year", 0.0),
    "5.04": ("Temporary Suspension of Trading Under Registrant's Employee Benefit Plans", 0.0),
    "5.05": ("Amendments to the Registrant's Code of Ethics, or Waiver of a Provision of the Code of Ethics", 0.0),
    "5.06": ("Change in Shell Company Status", 0.0),
    "5.07": ("Submission of Matters to a Vote of Security Holders", 0.0),
    "5.08": ("Shareholder Director Nominations", 0.0),
    "6.01": ("ABS Informational and Computational Material", 0.0),
    "6.02": ("Change of Servicer or Trustee", 0.0),
    "6.03": ("Change in Credit Enhancement or Other External Support", 0.0),
    "6.04": ("Failure to Make a Required Distribution", -0.4),
    "6.05": ("Securities Act Updating Disclosure", 0.0),
    "6.06": ("Static Pool", 0.0),
    "7.01": ("Regulation FD Disclosure", 0.0),
    "8.01": ("Other Events", 0.0),
    "9.01": ("Financial Statements and Exhibits", 0.0),
    "1": ("Changes in Control of Registrant", 0.0),
    "2": ("Acquisition or Disposition of Assets", 0.1),
    "3": ("Bankruptcy or Receivership", -0.9),
    "4": ("Changes in Registrant's Certifying Accountant", -0.1),
    "5": ("Other Events", 0.0),
    "6": ("Resignations of Registrant's Directors", -0.2),
    "7": ("Financial Statements and Exhibits", 0.0),
    "8": ("Change in Fiscal Year", 0.0),
    "9": ("Regulation FD Disclosure", 0.0),
    "10": ("Amendments to the Registrant's Code of Ethics", 0.0),
    "11": ("Temporary Suspension of Trading Under Registrant's Employee Benefit Plans", 0.0),
    "12": ("Results of Operations and Financial Condition", 0.0),
}
NEW = re.compile(r"^[ \t•]*(?:section\s[^\n]{0,80}?\s)?items?\s{0,3}(\d)\s?\.\s?(\d\d)"
                 r"(?!\d|\s{0,3}(?:of|above|below|is|shall|hereof|in)\b)(?:\s?(?:,|and|&)\s?(?:item\s)?(\d\.\d\d))?",
                 re.IGNORECASE | re.MULTILINE)
OLD = re.compile(r"^[ \t]*item\s{0,3}(\d{1,2})\s?[.:\-](?!\s?\d)", re.IGNORECASE | re.MULTILINE)


# What the item means on an alert card, where the SEC's title is too long or too vague for one.
SHORT = {
    "1.01": "Enters material agreement", "1.02": "Terminates material agreement", "1.03": "Files for bankruptcy",
    "1.05": "Reports cybersecurity incident", "2.01": "Completes acquisition or sale of assets",
    "2.02": "Reports results", "2.03": "Takes on financial obligation", "2.04": "Debt accelerated after triggering "
                                                                                "event",
    "2.05": "Exits business or cuts jobs", "2.06": "Material impairment",
    "3.01": "Notice of delisting or failure to meet a listing rule", "3.02": "Unregistered sale of shares",
    "3.03": "Changes rights of security holders", "4.01": "Changes auditor",
    "4.02": "Financial statements can no longer be relied upon", "5.01": "Change in control",
    "5.02": "Director or officer change", "5.03": "Amends charter or bylaws", "5.07": "Shareholder vote",
    "7.01": "Regulation FD disclosure", "8.01": "Other event", "9.01": "Exhibits",
    "1": "Change in control", "2": "Acquisition or sale of assets", "3": "Bankruptcy or receivership",
    "4": "Changes auditor", "5": "Other event", "6": "Director resigns", "7": "Exhibits", "9": "Regulation FD "
                                                                                               "disclosure",
    "12": "Reports results",
}
SIGNED = re.compile(r"^\s*signatures?\s*$", re.IGNORECASE | re.MULTILINE)


def _key(title: str) -> str:
    return re.sub(r"[^a-z]", "", title.lower())


TITLES_NEW = {_key(title): item for item, (title, _) in CATALOGUE.items() if "." in item}
TITLES_OLD = {_key(title): item for item, (title, _) in CATALOGUE.items() if "." not in item}


def is_title(words: str) -> bool:
    """Whether words are an item's title, or the beginning of one."""
    key = _key(words)
    return len(key) >= 8 and any(title.startswith(key) or key.startswith(title)
                                 for title in (*TITLES_NEW, *TITLES_OLD) if len(title) < len(key) + 90)


def items_declared(values: Sequence[str], filed: str) -> list[str]:
    """Numbers of the header's items (titles or numbers); `filed` is YYYYMMDD and decides which list held."""
    titles = TITLES_OLD if "0" < filed < OLD_UNTIL else TITLES_NEW
    found = [value if value in CATALOGUE else titles.get(_key(value), "") for value in values]
    return list(dict.fromkeys(item for item in found if item))


def items_in(text: str) -> list[str]:
    """Numbers of the headings in a text, in its order; those of before 2004 only where there is none of today's."""
    found = [item for match in NEW.finditer(text) for item in (f"{match[1]}.{match[2]}", match[3] or "")]
    if not found:
        found = [match[1] for match in OLD.finditer(text)]
    return list(dict.fromkeys(item for item in found if item in CATALOGUE))


def title_of(item: str) -> str:
    """The SEC's title of an item of the catalogue."""
    return CATALOGUE[item][0]


def direction_of(items: Sequence[str]) -> float:
    """The strongest usual direction among the items; 0 for none."""
    return max((CATALOGUE[item][1] for item in items), key=abs, default=0.0)


def short_of(item: str) -> str:
    """A few words for a card."""
    return SHORT.get(item, CATALOGUE[item][0])


def sections(text: str) -> dict[str, str]:
    """Item -> its text without the heading's number; of an item that stands twice (contents, pages) the longest."""
    heads = list(NEW.finditer(text)) or list(OLD.finditer(text))
    found: dict[str, str] = {}
    for place, head in enumerate(heads):
        item = f"{head[1]}.{head[2]}" if head.re is NEW else head[1]
        end = heads[place + 1].start() if place + 1 < len(heads) else len(text)
        body = text[head.end():end]
        closing = SIGNED.search(body)
        body = body[:closing.start()] if closing else body
        if item in CATALOGUE and len(body) > len(found.get(item, "")):
            found[item] = body.lstrip(" .:-–—\n").rstrip()
    return found
