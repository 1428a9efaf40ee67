"""The phrases of the rule table, with their brackets and gaps, and where they stand in a story.

Title and summary are scanned apart, each in one pass for all phrases at once; the summary not for those that count in a
title only. A rule is a number here, its place in the table.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Literal, NamedTuple

from catalyst.core.boilerplate import CAUTIONS
from catalyst.core.story_text import StoryText
from catalyst.core.wordscan import Phrases, fold
from catalyst.errors import RuleError

GAP = 80         # characters that ".." may stand for
CHOICES = 1_000  # that the brackets of one part may stand for
NEGATED = re.compile(r" (?:no|not) ")  # within a gap it turns the phrase into its contrary: "shows no benefit"
_EXCHANGE = re.compile(  # what a phrase may end in that stands before a ticker: "(NYSE American: ACME)" is no news
    r"\b(?:nasdaq|nyse|american|amex|arca|tsxv?|venture|cse|asx|lse|aim|otc|otcqb|otcqx|pink)$")
_LISTING = re.compile(  # the rest of such a bracket, behind the exchange's name
    r"(?: (?:american|arca|mkt|cm|gm|gs|capital market|global(?: select)?(?: market)?|venture(?: exchange)?)"
    r"|(?:/| ?& ?| and )[a-z]{3,6})? ?:")
_CHOICE = re.compile(r"[\[\]]")

Role = Literal["phrase", "need", "except"]
Parts = Sequence[Sequence[str]]  # the folded choices of each part of a phrase, between its gaps
_Span = tuple[int, int]
Places = dict[int, list[_Span]]  # where each scanned phrase stands, by its number
Occurrence = tuple[int, int, int]  # a rule's phrase: start, end, rule


class Asked(NamedTuple):
    """A phrase that a rule asks for; `title_only` where it does not count in the summary."""

    rule: int
    role: Role
    parts: Parts
    title_only: bool


class _Use(NamedTuple):
    """A phrase with gaps, as a rule asks for it; `rest` are the choices of scanned phrases behind each of its gaps."""

    rule: int
    rest: tuple[frozenset[int], ...]


class _Table:
    """Phrases of one purpose by the number of the scanned phrase that begins them."""

    def __init__(self) -> None:
        self._whole: dict[int, list[int]] = {}  # the rules of which a scanned phrase is a whole one
        self._gapped: dict[int, list[_Use]] = {}  # the phrases that go on behind a gap

    def add(self, rule: int, first: frozenset[int], rest: tuple[frozenset[int], ...]) -> None:
        """Take up a phrase of a rule."""
        use = _Use(rule, rest)
        for number in first:
            if rest:
                self._gapped.setdefault(number, []).append(use)
            else:
                self._whole.setdefault(number, []).append(rule)

    def standing(self, places: Places, text: StoryText) -> list[Occurrence]:
        """Where its phrases stand."""
        found = []
        present = set(places)
        for number in self._whole.keys() & present:
            for rule in self._whole[number]:
                found += [(start, end, rule) for start, end in places[number]]
        for number in self._gapped.keys() & present:
            for rule, rest in self._gapped[number]:
                if rest[0].isdisjoint(present):
                    continue
                for start, end in places[number]:
                    if last := _chain(rest, end, places, text):
                        found.append((start, last, rule))
        return found


class Standing(NamedTuple):
    """Which scanned phrases stand where in a story, and which phrases of rules they make."""

    title: Places
    summary: Places
    hits: list[Occurrence]


class RulePhrases:
    """All phrases of a table, ready to be found."""

    def __init__(self, asked: Sequence[Asked]):
        self._in_title, self._in_summary = _Table(), _Table()
        self._needs: dict[int, _Table] = {}
        self._exceptions: dict[int, _Table] = {}
        numbers: dict[str, int] = {}
        for one in asked:
            if not one.title_only:
                self._add(one, numbers)
        self._cautions = len(numbers)
        self._summary = Phrases([*numbers, *CAUTIONS])
        for one in asked:
            if one.title_only:
                self._add(one, numbers)
        self._title = Phrases(numbers)
        self._exchanges = frozenset(number for phrase, number in numbers.items() if _EXCHANGE.search(phrase))

    def _add(self, one: Asked, numbers: dict[str, int]) -> None:
        first, *rest = (frozenset([numbers.setdefault(choice, len(numbers)) for choice in choices])
                        for choices in one.parts)
        if one.role == "phrase":
            tables = [self._in_title] if one.title_only else [self._in_title, self._in_summary]
        else:
            tables = [(self._needs if one.role == "need" else self._exceptions).setdefault(one.rule, _Table())]
        for table in tables:
            table.add(one.rule, first, tuple(rest))

    @property
    def scanned(self) -> tuple[str, ...]:
        """Every phrase that is looked for, folded: each choice of the brackets, those with gaps in their parts."""
        return (*self._title.phrases, *CAUTIONS)

    def find(self, text: StoryText) -> Standing:
        """What stands in a story."""
        title, summary = self._by_phrase(self._title.find(text.title.text), 0, text), self._in_news(text)
        return Standing(title, summary, self._in_title.standing(title, text) + self._in_summary.standing(summary, text))

    def _in_news(self, text: StoryText) -> Places:
        """Where each scanned phrase stands in the summary, up to the first sentence of caution."""
        begin = text.title_end + 1
        found = self._summary.find(text.folded[begin:])
        cautions = [text.begin(begin + start) for number, start, _ in found if number >= self._cautions]
        if cautions:
            end = min(cautions) - begin
            found = [hit for hit in found if hit[0] < self._cautions and hit[1] < end]
        return self._by_phrase(found, begin, text)

    def _by_phrase(self, found: Iterable[tuple[int, int, int]], shift: int, text: StoryText) -> Places:
        places: Places = defaultdict(list)
        for number, start, end in found:
            if number not in self._exchanges or not _LISTING.match(text.folded, end + shift):
                places[number].append((start + shift, end + shift))
        return places

    def is_excepted(self, rule: int, sentence: int, standing: Standing, text: StoryText) -> bool:
        """Whether an exception of a rule stands in the title or in the sentence."""
        table = self._exceptions.get(rule)
        return table is not None and (bool(table.standing(standing.title, text)) or (
            sentence > 0 and _stands_in(sentence, table, standing.summary, text)))

    def is_met(self, rule: int, sentence: int, standing: Standing, text: StoryText) -> bool:
        """Whether one of the phrases that a rule needs stands in the sentence, or it needs none."""
        table = self._needs.get(rule)
        return table is None or _stands_in(sentence, table, standing.summary if sentence else standing.title, text)


def parts_of(phrase: str, who: str) -> list[list[str]]:
    """The choices of "[cuts|lowers] .. [sales outlook|guidance]"; `who` begins the text of the RuleError that it raises
    for a part that is too short or stands for too much."""
    parts = []
    for part in phrase.split(".."):
        pieces = [piece.split("|") for piece in _CHOICE.split(part)]
        parts.append([fold(" ".join("".join(choice).split())).text for choice in product(*pieces)])
        if any(len(choice) < 2 for choice in parts[-1]):
            raise RuleError(f"{who}: {phrase!r} has a part of less than two characters")
        if len(parts[-1]) > CHOICES:
            raise RuleError(f"{who}: {phrase!r} has a part of over {CHOICES} choices")
    return parts


def _stands_in(sentence: int, table: _Table, places: Places, text: StoryText) -> bool:
    return sentence in {text.sentence(start) for start, _, _ in table.standing(places, text)}


def _chain(rest: tuple[frozenset[int], ...], end: int, places: Places, text: StoryText) -> int:
    """Where a phrase with gaps ends whose first part ended at `end`, 0 where not all of it stands; of several choices
    the nearest counts."""
    for choices in rest:
        nearest = None
        for part in choices.intersection(places):
            spans = places[part]
            at = bisect_left(spans, (end, 0))
            if at < len(spans) and (nearest is None or spans[at] < nearest):
                nearest = spans[at]
        if nearest is None:
            return 0
        start, last = nearest
        if start - end > GAP or text.parts(end - 1, start) or NEGATED.search(text.folded, end - 1, start + 1):
            return 0
        end = last
    return end
