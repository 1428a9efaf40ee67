"""A foreign company's report without its cover page: the words in which its news stands where it brings no release.

The cover is that of Form 6-K (SEC 1815, General Instructions and cover page): its lines begin with known words, the
last of them with check marks. Behind the report stand signatures and the list of exhibits.
"""

from __future__ import annotations

import re

COVER_LINES = 80  # of the head in which lines of the cover are looked for
_F = re.IGNORECASE
_COVER = re.compile(
    r"^\W*(?:united states$|u\.?s\.? securities and|(?:united states )?securities and exchange commission|washington, d"
    r"|form 6\W?k\b|report of foreign|(?:pursuant to|under(?: the)?|of the) (?:rule 13a|section 13|securities exchange)"
    r"|securities exchange act|for the (?:month|period|quarter) of|dated?:? \w+ \d|(?:sec|commission) file|file no"
    r"|(?:exact |registrant.s )?name (?:of registrant|as specified|into english)|registrant name|\(?translation of"
    r"|\(?address|\(?jurisdiction|\(?state or other|indicate by check|form (?:20|40)\W?f\b|yes\W|no\W+$|if .yes.? "
    r"|note:? regulation s|registrant.s telephone|\(?exact name|current report$|\(?\s?\)?[xX☒☐]\W*$|[\W_]+$)", _F)
_CLOSING = re.compile(
    r"^\W*(?:signatures?|exhibits?|exhibit index|index to exhibits|list of exhibits|exhibit (?:no|number)\b.{0,40}"
    r"|pursuant to the requirements of the securities exchange act.*)\W*$", _F)
_REFERENCE = re.compile(r"incorporated (?:herein )?by reference|hereby incorporates|forms? part of (?:the|our) "
                        r"registration statement", _F)


def behind_cover(text: str) -> str:
    """The part of a report's plain text behind its cover page, up to the signatures or exhibits; literally, and empty
    where a cover is all there is."""
    lines = text.split("\n")
    first = 1 + max((place for place, line in enumerate(lines[:COVER_LINES]) if _COVER.match(line)), default=-1)
    while first < len(lines) and _REFERENCE.search(lines[first]):
        first += 1
    last = next((place for place in range(first, len(lines)) if _CLOSING.match(lines[place])
                 or _REFERENCE.search(lines[place])), len(lines))
    return "\n".join(lines[first:last]).strip()
