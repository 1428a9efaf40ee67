"""How publishers mark that a release corrects or replaces an earlier one; it finds the mark and the title behind it.

Each wire has a form of its own: "CORRECTION: ..." and "UPDATE -- ..." (GlobeNewswire), "CORRECTING and REPLACING ..."
(Business Wire), "/C O R R E C T I O N -- Company/" with the old title in the first sentence (PR Newswire), "CORRECTION
FROM SOURCE: ..." (ACCESS Newswire), "UPDATE 1-..." and "CORRECTED-..." (Reuters), "... (Corrected)" at the end. Whether
the earlier release is known is not for this module to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NOUNS = (r"c\s?o\s?r\s?r\s?e\s?c\s?t\s?i\s?o\s?n(?:\s+(?:from|by)\s+source)?|correct(?:ed|ing)"
          r"(?:\s+(?:press\s+|news\s+)?(?:release|version))?|u\s?p\s?d\s?a\s?t\s?e|updated|replacement|replaced|amend(?:ed|ment)"
          r"(?:\s+(?:press\s+|news\s+)?release)?|clarification|re-?issued?")
_PAIRS = (r"correct(?:ing|ed)\s+(?:and|&)\s+(?:replac(?:ing|ed)|adding|updating)"
          r"(?:\s+(?:photos?|video|graphic|multimedia))?")
_BEHIND = r"\s*(?:[:/|…\])]+|\.{3}|[-–—]+(?=\s)|[–—]+|--)\s*"
START = re.compile(rf"^\s*[/\[(*]*\s*(?:(?P<pair>{_PAIRS})(?:{_BEHIND}|\s+)|(?P<noun>{_NOUNS}){_BEHIND})[-–—:/\s]*",
                   re.IGNORECASE)
NUMBERED = re.compile(r"^(?P<noun>UPDATE\s\d{1,2}|CORRECTED|CORRECTION|UPDATE)-(?=\S)")  # an agency's, in capitals
END = re.compile(r"\s*(?:[\[(]\s*(?P<noun>corrected|correction|amended|updated|replacement)"
                 r"(?:\s+(?:press\s+|news\s+)?(?:release|version))?\s*[\])]|\s[-–—]+\s(?P<word>correction|corrected))\s*$",
                 re.IGNORECASE)
WITHIN = re.compile(r"\b(?:announces?|issues?|provides?)\s+(?:an?\s+)?"
                    r"(?P<noun>amended|corrected|correction\s+to(?:\s+an?)?)\s+"
                    r"(?:press\s+|news\s+)?release(?:\s+(?:relating\s+to|regarding|on|dated))?\b", re.IGNORECASE)
QUOTED = re.compile(r"\bin the (?:news|press) release,\s+[\"“]?(?P<title>.{10,300}?)[\"”]?,?\s+issued\b", re.IGNORECASE)
TEXT_CHARS = 700  # of a text that are searched for the old title: it stands in the first sentence


@dataclass(frozen=True, slots=True)
class Marked:
    """A title without its mark; `earlier` is the old release's title where the text quotes it, else empty."""

    mark: str
    title: str
    earlier: str = ""


def read_mark(title: str, text: str = "") -> Marked | None:
    """The publisher's mark of a correction and what it stands at; None for a title without one."""
    match = START.match(title) or NUMBERED.match(title)
    if match is not None:
        rest = title[match.end():].strip(" /]")
    else:
        match = END.search(title) or WITHIN.search(title)
        if match is None:
            return None
        rest = " ".join((title[:match.start()] + " " + title[match.end():]).split())
    mark = next(group for group in match.groups() if group)
    quoted = QUOTED.search(text[:TEXT_CHARS])
    return Marked(" ".join(mark.split()).lower(), rest, quoted["title"].strip() if quoted else "")
