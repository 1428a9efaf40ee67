"""Companies that a story names by their names: the issuer at the head of the title or in the dateline, and the other
parties of the title.

A name is looked up whole in the company list; nothing is guessed from a part of it. It reads no written ticker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from catalyst.core.companies import COINED_LENGTH, LEGAL, Companies, Company, normalise
from catalyst.core.mentions import Text
from catalyst.core.ticker_words import (
    ACTING,
    AUTHORITIES,
    CONNECTING,
    DEAL_WORDS,
    FOLLOWERS,
    GOES_ON,
    HEADLINE_VERBS,
    ORDINARY,
    OWNED,
    SECTORS,
)
from catalyst.core.venues import STEMS, venue_at

LEAD = 300           # characters of the summary that are its first sentences
HEAD = 600           # characters of the summary in which the dateline stands
NAME_WORDS = 9       # of which a name and the word behind it are made at most
NAME_CHARS = 120
AUTHORITY_WORDS = 6  # of the title, in which an authority is its subject
ABOUTS = 12          # paragraphs that begin with "About" looked at, the last ones
_DATELINE = re.compile(r"(?i:globe\s?newswire|business\s?wire|pr\s?newswire|access\s?(?:wire|\s?newswire)"
                       r"|newsfile(?: corp\.?)?|eqs(?: news)?|media wire|newmediawire|\bwire\b)[^A-Za-z0-9]{1,12}")
_DATED = re.compile(r"\b(?:19|20)\d\d ?(?:[(/][^)/\n]{2,40}[)/])? ?--? ")  # BOSTON, Jan. 5, 2026 -- Acme
_WIRES = ("wire", "newsfile", "eqs")  # one of them stands in all that _DATELINE takes,
BEFORE_WIRE = 20                      # at most so many characters behind its beginning
_PREAMBLE = re.compile(
    r"(?i:(?:/?c ?o ?r ?r ?e ?c ?t ?i ?o ?n\b[^:\-/]{0,20}|repeat|update[d]?(?: \d{1,2})?|brief|breaking|"
    r"inside information|press release|media advisory|just in|exclusive)\s*[:\-/]+\s*)+")
_MARK = re.compile(r"[:\-/]")  # stands in every preamble
_JOINTS = CONNECTING | {"in"}
_SAFE = re.compile(r"[A-Z0-9.\-]{1,10}")
_HEAD_WORD = re.compile(r"\W{0,20}(\w{3,})")
_IN_BRACKETS = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
_OPEN_BRACKET = re.compile(r"[(\[][^()\[\]]{0,200}$")
BEFORE_TICKER = 200  # characters in which the name in front of a ticker ends
_ENDS = "(-|:;,"     # what ends a name when the next word begins with it


class Named(NamedTuple):
    """A company, and the literal words that name it."""

    company: Company
    evidence: str


def head_of(flat: str) -> int:
    """Where the title begins behind "Correction:", "Press release -" and their like."""
    if not _MARK.search(flat, 0, 60):
        return 0
    preamble = _PREAMBLE.match(flat)
    return preamble.end() if preamble else 0


def head_word(flat: str) -> str:
    """The first word of a title behind its preamble, in small letters; empty when there is none."""
    head = _HEAD_WORD.match(flat, head_of(flat))
    return head[1].lower() if head else ""


def in_title(title: Text, companies: Companies, is_known: bool) -> tuple[Named | None, list[Named]]:
    """The company at the head of the title, and others in it: parties to a deal, or partners of an issuer, when that
    one is found here or is known already."""
    start = head_of(title.flat)
    words = title.flat[start:].split()
    issuer = _leading(title, start, words, 0, companies, HEADLINE_VERBS)
    others: list[Named] = []
    small = [word.strip(",.:;") for word in title.lower[start:].split()]
    for place in [place for place, word in enumerate(small[:-1]) if word in _JOINTS]:
        word, before = small[place], small[place - 1] if place else ""
        if (word == "in" and before not in DEAL_WORDS) or small[place + 1] == words[place + 1]:
            continue
        other = _leading(title, start, words, place + 1, companies, FOLLOWERS)
        deal = word in DEAL_WORDS or before in DEAL_WORDS
        if other is not None and (deal or ((issuer is not None or others or is_known)
                                           and " " in normalise(other.evidence))):
            others.append(other)
    return issuer, others


def stands_before(named: Named, flat: str, position: int) -> bool:
    """Whether the company's name ends where a written ticker begins, brackets apart: "Velo3D, Inc. (NASDAQ: VELO)",
    'Velo3D, Inc. ("Velo3D" or the "Company"; NASDAQ: VELO)'."""
    before = _IN_BRACKETS.sub(" ", flat[max(0, position - BEFORE_TICKER):position])
    words = normalise(_OPEN_BRACKET.sub(" ", before)).split()
    return any(words[-len(name):] == name for name in (normalise(named.evidence).split(),
                                                       normalise(named.company.title).split()))


def acted_on(title: Text, companies: Companies) -> Named | None:
    """The company that the title names behind an authority ("Nasdaq Determines ...") or as the owner of the issuer
    ("..., an Acme Subsidiary, ...")."""
    start = head_of(title.flat)
    words = title.flat[start:].split()
    small = [word.strip(",.:;") for word in title.lower[start:].split()]
    parts = [part for word in small[:AUTHORITY_WORDS] for part in word.split("-")]
    if not AUTHORITIES.isdisjoint(parts):
        for place in range(1, len(words)):
            named = _leading(title, start, words, place, companies, FOLLOWERS)
            if named is not None and (" " in normalise(named.evidence) or words[place].endswith("'s")):
                return named
    for place, word in enumerate(small[:-2]):
        if word in ("a", "an") and not OWNED.isdisjoint(small[place + 2:place + 5]):
            named = _leading(title, start, words, place + 1, companies, OWNED)
            if named is not None:
                return named
    return None


def named_anywhere(text: Text, companies: Companies) -> set[int]:
    """The CIKs of all companies whose whole name a text writes, whatever the story says of them."""
    words = text.flat.split()
    found = set()
    for place, word in enumerate(words):
        if word[0].isupper() and (named := _leading(text, 0, words, place, companies, FOLLOWERS)):
            found.add(named.company.cik)
    return found


def is_word(ticker: str, *texts: Text) -> bool:
    """Whether one of the texts writes these capitals as a word of their own, not as the stem of BAC.U or BAC PR A."""
    word = rf"(?<![A-Za-z0-9]){re.escape(ticker)}(?![A-Za-z0-9^/-]|\.[A-Za-z0-9]| PR\b)"
    return any(re.search(word, text.flat) for text in texts)


def in_lead(title: Text, body: Text, companies: Companies) -> Named | None:
    """The one company whose whole name stands in the first sentences while the title says its first word: "Blast at
    Acme Refinery", then "... of Acme Refining Corp".
    """
    is_small = title.flat == title.lower  # aggregators write some titles without a capital
    said = {_bare(word) for word in title.flat.split()}
    words = body.flat[:LEAD].split()
    found: dict[int, Named] = {}
    for place, word in enumerate(words):
        bare = _bare(word)
        if len(bare) >= COINED_LENGTH and bare[0].isupper() and (
                bare.lower() if is_small else bare) in said and bare.lower() not in ORDINARY and (
                named := _leading(body, 0, words, place, companies, FOLLOWERS)):
            found.setdefault(named.company.cik, named)
    return next(iter(found.values())) if len(found) == 1 else None


def in_about(summary: str, title: Text, companies: Companies) -> Named | None:
    """The company of an "About ..." paragraph, when the title begins with the first word of its name.

    Only the last paragraphs are looked at, wherever the text ends; releases close with them.
    """
    head = head_word(title.flat)
    end = len(summary)
    for _ in range(ABOUTS if head else 0):
        end = summary.rfind("About ", 0, end)
        if end < 0:
            break
        before = summary[max(0, end - 3):end]
        if before.strip() and before[-1] not in "\n.!?:;\"”)" and before.rstrip()[-1] not in ".!?:;\"”)":
            continue
        text = Text.of(summary[end + len("About "):end + len("About ") + NAME_CHARS])
        words = text.flat.split()
        if words and _bare(words[0]).lower().startswith(head):
            named = _leading(text, 0, words, 0, companies, HEADLINE_VERBS | {_bare(words[0]).lower()})
            if named is not None:
                return Named(named.company, f"About {named.evidence}")
    return None


def in_dateline(body: Text, companies: Companies) -> tuple[Named | None, bool]:
    """The company at the head of the summary, or behind the wire's name in its dateline; and whether there is one."""
    wires = [at for wire in _WIRES if (at := body.lower.find(wire, 0, HEAD)) >= 0]
    dateline = _DATELINE.search(body.flat, max(0, min(wires) - BEFORE_WIRE), HEAD) if wires else None
    dateline = dateline or _DATED.search(body.flat, 0, HEAD)
    start = dateline.end() if dateline else 0
    if body.flat[start:start + 1].isspace():
        return None, bool(start)
    words = body.flat[start:min(start + NAME_CHARS, HEAD)].split()
    return _leading(body, start, words, 0, companies, HEADLINE_VERBS), bool(start)


def _leading(text: Text, start: int, words: Sequence[str], place: int, companies: Companies,
             followers: frozenset[str]) -> Named | None:
    """The company whose whole name begins with the word at `place`, ended by a mark, a bracket or one of `followers`;
    `words` are those of the text from `start`.

    A capital word that is none of them may continue the name of another company ("Target" in "Target Hospitality").
    """
    if place >= len(words) or not words[place][0].isalnum() or not companies.may_begin(_bare(words[place])):
        return None
    if words[place] == words[place].lower():
        return None
    near = words[place:place + NAME_WORDS]
    found = companies.leading(map(_bare, takewhile(_continues, near)))
    if found is None or not _is_whole(near, found[1], followers):
        found = companies.coined(map(_bare, takewhile(_continues, near)))
        if found is None or _goes_on(near, found[1]):
            return None
    company, count = found
    if not _SAFE.fullmatch(company.ticker):
        return None
    first, end = _place(text.flat, start, words, place, count)
    if text.lower.startswith(STEMS, first) and venue_at(text.flat, first):
        return None
    return Named(company, text.source[first:end].rstrip(",;:"))


def _is_whole(words: Sequence[str], count: int, followers: frozenset[str]) -> bool:
    """Whether the name of the first `count` words ends there: by a mark, by what follows, or as its last word says in
    what trade the company is; a name of several words also where small letters follow: "Acme Digital fires"."""
    last, following = words[count - 1], words[count] if count < len(words) else ""
    if not following or last[-1] in ",;:" or last.endswith(("'s", "'")) or following[0] in _ENDS or (
            following.lower().strip(",.:;") in followers) or (
            count > 1 and following[0].islower() and (following not in CONNECTING or _begins_clause(words, count))):
        return True
    return count > 1 and _bare(last).lower() in SECTORS and not _goes_on(words, count)


def _begins_clause(words: Sequence[str], place: int) -> bool:
    """Whether an "and" leads to small letters: then it joins what the company does, and no further name."""
    return words[place] == "and" and place + 1 < len(words) and words[place + 1][0].islower()


def _goes_on(words: Sequence[str], count: int) -> bool:
    """Whether the word behind a name makes it the name of somebody else ("Acme University")."""
    if count >= len(words) or words[count - 1][-1] in ",;:" or words[count - 1].endswith(("'s", "'")):
        return False
    behind = words[count + 1].lower().strip(",.") if count + 1 < len(words) else ""
    return words[count].lower().strip(",.:;()") in GOES_ON or words[count][-1] == ":" or (
        behind in ACTING or behind in LEGAL)


def _continues(word: str) -> bool:
    return word[0] not in "(-|"


def _place(flat: str, start: int, words: Sequence[str], place: int, count: int) -> tuple[int, int]:
    """Where the `count` words from `place` begin and end in the text; `words` are all those from `start`."""
    first = end = start
    for number, word in enumerate(words[:place + count]):
        at = flat.index(word, end)
        end = at + len(word)
        if number == place:
            first = at
    return first, end


def _bare(word: str) -> str:
    """A word without the marks around it and its possessive ending."""
    return word.strip(",;:\"'()").removesuffix("'s").removesuffix("'")
