"""The rule table: which phrases make which kind of catalyst, and which make noise.

`Rules.from_toml` reads and checks the table, `Rules.find` applies it to one story: one pass over the text for all
phrases at once, whole words, any case. It knows no ticker and gives no score.

A phrase may leave a gap, "prices .. offering": up to 80 characters within one sentence. A hit does not count when an
exception of its rule stands in the same sentence or in the title, when a negation stands within four words before it
("no delisting"), or, where the rule does not say `hypothetical = true` and its direction is not down, when a word of
doubt does ("seeks FDA approval"). Of the rules of one family only the best hit stays: title before summary, then the
order of the table. Noise that only the summary shows does not count against a title that names a catalyst.

Of the summary only the news is read: its first sentences, neither the paragraph about the company nor the cautions
(`boilerplate`), and no sentence of an earlier year. A `vague` hit of the title ("announces results") gives way to a
telling one of the summary. Where the title names a kind that is not vague, one that only the summary names stays if it
is grave and of another family. No hit stays beside one of the rules, slots or families that its rule `yields` to.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import msgspec

from catalyst.core.boilerplate import CAUTIONS, is_history
from catalyst.core.compared import compared
from catalyst.core.filing_rules import FilingRules
from catalyst.core.story_text import StoryText
from catalyst.core.wordscan import Phrases, fold
from catalyst.errors import RuleError

GAP = 80                # characters that ".." may stand for
LIGHT = 0.2             # weight under which a kind in the title is a theme and no news
GRAVE = 0.5             # weight that a kind in the summary must have where the title names another
CHOICES = 1_000         # that the brackets of one part may stand for
DOUBT_WORDS, NEGATION_WORDS = 3, 4
_NEGATIONS = ("no not never without neither nor cannot can't didn't doesn't isn't wasn't hasn't won't fails failed "
              "failing failure unable denies denied lack lacks absence avoids avoid averts avoided")
_DOUBTS = ("may might could would if potential potentially possible possibly seeking seeks seek pursuing pursues "
           "anticipated anticipates expects expected hopes aims pending until toward towards assurance whether upon "
           "before ahead awaiting awaits prior plan plans planning planned intends intend considers considering weighs "
           "weighing explores exploring discusses discussing should eventual future")
_RISKS = "may might could if potential potentially possible possibly whether should risk risks threat fear fears"
NEGATIONS = frozenset(_NEGATIONS.split())
DOUBTS = frozenset(_DOUBTS.split())
RISKS = frozenset(_RISKS.split())
PURPOSES = re.compile(r"\bto (?:accelerate|drive|fuel|enable|support)(?: \S+){0,2} $")  # "to accelerate revenue growth"
ASSURANCES = re.compile(r"\b(?:no|any|or) (?:assurances?|guarantee|certainty)\b|\bcannot (?:assure|guarantee)\b")
_CHOICE = re.compile(r"[\[\]]")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")

Where = Literal["any", "title"]
_Rank = tuple[int, int, int]  # how telling its place is, place of the rule in the table, start: the least is the best
Role = Literal["phrase", "need", "except"]
Direction = Literal["up", "down", "neutral"]


class _Entry(msgspec.Struct, forbid_unknown_fields=True, rename={"exceptions": "except"}):
    """One `[[kind]]` or `[[noise]]` of the file, as written."""

    name: str
    phrases: list[str]
    direction: str = ""
    weight: float | None = None
    family: str = ""
    slot: str = ""
    source: str = ""
    where: str = "any"
    needs: list[str] = []
    exceptions: list[str] = []
    yields: list[str] = []
    vague: bool = False
    mild: bool = False
    compared: str = ""
    hypothetical: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One checked rule."""

    name: str
    noise: bool
    direction: Direction
    weight: float
    family: str
    where: Where
    hypothetical: bool
    always: bool
    slot: str = ""
    vague: bool = False
    mild: bool = False
    compared: str = ""
    yields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired; `phrase` is literally what the story says."""

    rule: Rule
    phrase: str
    in_title: bool
    start: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the table says of a story: `kinds`, title first, then heaviest; `noise` the first rule of noise, or None."""

    kinds: tuple[Hit, ...]
    noise: Hit | None


@dataclass(frozen=True, slots=True)
class _Use:
    """A phrase in its role for a rule; `parts` are the choices of scanned phrases behind each of its gaps."""

    rule: int
    role: Role
    parts: tuple[frozenset[int], ...]


_Reach = Literal["title", "any", "limit"]
_Places = dict[int, list[tuple[int, int]]]  # by scanned phrase: start and end
_Uses = dict[_Reach, dict[int, list[_Use]]]  # by the first scanned phrase: of the title, of all, needs and exceptions


class Rules:
    """The table, ready to be applied; `version` is a short hash of its text, `filings` its table of forms."""

    def __init__(self, rules: tuple[Rule, ...], uses: _Uses, phrases: list[str], version: str,
                 needy: frozenset[int], filings: FilingRules):
        self.rules = rules
        self.filings = filings
        self.version = version
        self._uses = uses
        self._needy = needy
        self._cautions = len(phrases)
        self._scanner = Phrases([*phrases, *CAUTIONS])

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase that is looked for, folded: each choice of the brackets, those with gaps in their parts."""
        return self._scanner.phrases

    @classmethod
    def from_toml(cls, text: str) -> Rules:
        """The table in `text`. Raises RuleError that names the rule and the field."""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RuleError(f"rules: {error}") from error
        if unknown := set(tables) - {"kind", "noise", "filing"}:
            raise RuleError(f"rules: unknown table {sorted(unknown)[0]!r}, only [[kind]], [[noise]] and [[filing]] are"
                            " known")
        filings = FilingRules.of(tables.get("filing", []))
        rules: list[Rule] = []
        numbers: dict[str, int] = {}
        uses: _Uses = {"title": {}, "any": {}, "limit": {}}
        needy = set()
        for noise, table in ((True, "noise"), (False, "kind")):
            entries = tables.get(table, [])
            if not isinstance(entries, list):
                raise RuleError(f"rules: write [[{table}]], with two brackets")
            for index, raw in enumerate(entries, 1):
                place = len(rules)
                entry = _entry(raw, f"{table} {index}")
                rules.append(_rule(entry, noise))
                if entry.needs:
                    needy.add(place)
                roles: tuple[tuple[Role, list[str]], ...] = (
                    ("phrase", entry.phrases), ("need", entry.needs), ("except", entry.exceptions))
                for role, phrases in roles:
                    for phrase in phrases:
                        first, *rest = (frozenset(numbers.setdefault(choice, len(numbers)) for choice in choices)
                                        for choices in _parts(phrase, entry.name, role))
                        kind: _Reach = "limit" if role != "phrase" else "title" if entry.where == "title" else "any"
                        for number in first:
                            uses[kind].setdefault(number, []).append(_Use(place, role, tuple(rest)))
        if not any(not rule.noise for rule in rules):
            raise RuleError("rules: there is no [[kind]]")
        version = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return cls(tuple(rules), uses, list(numbers), version, frozenset(needy), filings)

    def find(self, title: str, summary: str) -> Found:
        """All kinds and the noise in a story."""
        text = StoryText.of(title, summary)
        hits, needs, exceptions = self._matches(text)
        best: dict[str, tuple[_Rank, int]] = {}  # by slot, "" for noise: rank and end of the best hit
        for start, end, number in hits:
            rule = self.rules[number]
            in_title = end <= text.title_end
            slot = rule.slot
            rank = ((2 if rule.vague else 0) + (not in_title), number, start)
            if (rule.where == "title" and not in_title) or (slot in best and best[slot][0] <= rank):
                continue
            sentence = text.sentence(start)
            excepted = exceptions.get(number, ())
            if 0 in excepted or sentence in excepted or (
                    number in self._needy and sentence not in needs.get(number, ())):
                continue
            if rule.compared and compared(text.said(start)) != rule.compared:
                continue
            if rule.noise or not _voided(rule, text, start, end):
                best[slot] = rank, end
        chosen = {slot: Hit(self.rules[rank[1]], text.original(rank[2], end), rank[0] % 2 == 0, rank[2])
                  for slot, (rank, end) in best.items()}
        noise = chosen.pop("", None)
        named: dict[str, Hit] = {}
        for hit in sorted(chosen.values(), key=lambda hit: (not hit.in_title, -hit.rule.weight, hit.start)):
            named.setdefault(hit.rule.name, hit)
        told = {hit.rule.family or hit.rule.name for hit in named.values() if hit.in_title and
                not hit.rule.vague and hit.rule.weight >= LIGHT}
        for hit in [*named.values()]:
            is_aside = not hit.in_title and bool(told) and (hit.rule.weight < GRAVE or hit.rule.family in told)
            if is_aside or (hit.rule.yields and _yields(hit, named.values())):
                del named[hit.rule.name]
        if noise and any(hit.in_title for hit in named.values()) and (
                noise.rule.mild or (not noise.in_title and not noise.rule.always)):
            noise = None  # the title names news
        return Found(tuple(named.values()), noise)

    def _matches(self, text: StoryText) -> tuple[list[tuple[int, int, int]], dict[int, set[int]], dict[int, set[int]]]:
        """Occurrences (start, end, rule), and the sentences in which each rule's needs and exceptions stand."""
        places = self._places(text)
        head = {number: inside for number, spans in places.items()
                if spans[0][0] < text.title_end and (inside := [span for span in spans if span[1] <= text.title_end])}
        hits = [(start, end, use.rule) for uses, near in ((self._uses["title"], head), (self._uses["any"], places))
                for use, start, end in _standing(uses, near, text)]
        fired = {rule for _, _, rule in hits}
        needs: dict[int, set[int]] = {}
        exceptions: dict[int, set[int]] = {}
        for use, start, _ in _standing(self._uses["limit"], places, text, fired):
            sentences = needs if use.role == "need" else exceptions
            sentences.setdefault(use.rule, set()).add(text.sentence(start))
        hits.sort(key=lambda hit: (hit[0], -hit[1], hit[2]))
        return hits, needs, exceptions

    def _places(self, text: StoryText) -> _Places:
        """Where each scanned phrase stands, up to the first sentence of caution in the summary."""
        places: _Places = {}
        end = len(text.folded)
        for number, start, last in self._scanner.find(text.folded):
            if number >= self._cautions:
                end = min(end, text.begin(start)) if start > text.title_end else end
            else:
                places.setdefault(number, []).append((start, last))
        if end == len(text.folded):
            return places
        kept = {number: [span for span in spans if span[0] < end] for number, spans in places.items()}
        return {number: spans for number, spans in kept.items() if spans}


def _standing(uses: dict[int, list[_Use]], places: _Places, text: StoryText,
              rules: set[int] | None = None) -> Iterator[tuple[_Use, int, int]]:
    """Where phrases stand, with their start and end; only those of `rules` where they are given."""
    present = set(places)
    for number in places:
        for use in uses.get(number, ()):
            if rules is not None and use.rule not in rules:
                continue
            for choices in use.parts:
                if choices.isdisjoint(present):
                    break
            else:
                rest = [[places[part] for part in choices & present] for choices in use.parts]
                for start, end in places[number]:
                    last = _chain(rest, end, text) if rest else end
                    if last is not None:
                        yield use, start, last


def _chain(rest: Iterable[list[list[tuple[int, int]]]], end: int, text: StoryText) -> int | None:
    """Where a phrase with gaps ends whose first part ended at `end`, or None; of several choices the nearest counts."""
    for choices in rest:
        following = [spans[at] for spans in choices if (at := bisect_left(spans, (end, 0))) < len(spans)]
        if not following:
            return None
        start, last = min(following)
        if start - end > GAP or text.sentence(start) != text.sentence(end - 1):
            return None
        end = last
    return end


def _yields(hit: Hit, others: Iterable[Hit]) -> bool:
    """Whether one of the hits, in a place as good, is of a rule that this one gives way to."""
    return any(other is not hit and other.in_title >= hit.in_title
               and not hit.rule.yields.isdisjoint((other.rule.name, other.rule.slot, other.rule.family, "*"))
               for other in others)


def _voided(rule: Rule, text: StoryText, start: int, end: int) -> bool:
    """Whether the words around a hit turn it into its contrary, into a mere possibility or into history."""
    sentence = text.folded[text.begin(start):start]
    before = sentence[-60:]
    words = before.split()
    if not NEGATIONS.isdisjoint(words[-NEGATION_WORDS:]) or ASSURANCES.search(sentence):
        return True
    in_title = end <= text.title_end
    if not in_title and is_history(sentence[-200:], text.folded[end:end + 80], text.year, text.month):
        return True
    if rule.hypothetical:
        return False
    if rule.direction == "down":
        return not in_title and not RISKS.isdisjoint(words[-DOUBT_WORDS:])
    return not DOUBTS.isdisjoint(words[-DOUBT_WORDS:]) or PURPOSES.search(before) is not None


def _entry(raw: Any, place: str) -> _Entry:
    name = raw.get("name") if isinstance(raw, dict) else None
    who = f"rules: {place}" + (f" ({name})" if isinstance(name, str) else "")
    try:
        entry = msgspec.convert(raw, _Entry)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").lstrip(".") or "fields"
        raise RuleError(f"{who}: {field}: {what}") from error
    if not _NAME.fullmatch(entry.name):
        raise RuleError(f"{who}: name: {entry.name!r} is not small letters, digits and _")
    return entry


def _rule(entry: _Entry, noise: bool) -> Rule:
    who = f"rules: {entry.name}"
    if not entry.phrases:
        raise RuleError(f"{who}: phrases: there is none")
    if entry.where not in ("any", "title"):
        raise RuleError(f"{who}: where: {entry.where!r} is neither any nor title")
    if noise:
        if entry.weight is not None or entry.direction or entry.family or entry.slot or entry.vague or entry.yields:
            raise RuleError(f"{who}: weight: noise has no weight, direction, family, slot, vague or yields")
    elif entry.always or entry.mild:
        raise RuleError(f"{who}: always, mild: only noise has it")
    elif entry.compared not in ("", "more", "less"):
        raise RuleError(f"{who}: compared: {entry.compared!r} is neither more nor less")
    elif entry.direction not in ("up", "down", "neutral"):
        raise RuleError(f"{who}: direction: {entry.direction!r} is none of up, down, neutral")
    elif entry.weight is None or not 0 < entry.weight <= 1:
        raise RuleError(f"{who}: weight: {entry.weight} is not over 0 and up to 1")
    direction: Direction = "up" if entry.direction == "up" else "down" if entry.direction == "down" else "neutral"
    where: Where = "title" if entry.where == "title" else "any"
    return Rule(entry.name, noise, direction, entry.weight or 0.0, entry.family, where, entry.hypothetical,
                entry.always, "" if noise else entry.slot or entry.family or entry.name, entry.vague,
                entry.mild, entry.compared, frozenset(entry.yields))


def _parts(phrase: str, rule: str, role: Role) -> list[list[str]]:
    """The folded choices for each part of a phrase, between its gaps: "[cuts|lowers] .. [sales outlook|guidance]"."""
    field = {"phrase": "phrases", "need": "needs", "except": "except"}[role]
    parts = []
    for part in phrase.split(".."):
        pieces = [piece.split("|") for piece in _CHOICE.split(part)]
        parts.append([fold(" ".join("".join(choice).split())).text for choice in product(*pieces)])
        if any(len(choice) < 2 for choice in parts[-1]):
            raise RuleError(f"rules: {rule}: {field}: {phrase!r} has a part of less than two characters")
        if len(parts[-1]) > CHOICES:
            raise RuleError(f"rules: {rule}: {field}: {phrase!r} has a part of over {CHOICES} choices")
    return parts
