"""The rule table: which phrases make which kind of catalyst, and which make noise.

`Rules.from_toml` reads and checks the table, `Rules.find` applies it to one story: one pass over the text for all
phrases at once, whole words, any case. It knows no ticker and gives no score.

A phrase may leave a gap, "prices .. offering": up to 80 characters within one sentence. A hit does not count when an
exception of its rule stands in the same sentence or in the title, when a negation stands within four words before it
("no delisting"), or, where the rule does not say `hypothetical = true` and its direction is not down, when a word of
doubt does ("seeks FDA approval"). Of the rules of one family only the best hit stays: title before summary, then the
order of the table. Noise that only the summary shows does not count against a title that names a catalyst.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from catalyst.core.filing_rules import FilingRules
from catalyst.core.wordscan import Phrases, find_whole, fold, sentence_ends
from catalyst.errors import RuleError

GAP = 80                # characters that ".." may stand for
SUMMARY_LIMIT = 2_000   # characters of the summary that are read: behind them stands boilerplate
DOUBT_WORDS, NEGATION_WORDS = 3, 4
_NEGATIONS = ("no not never without neither nor cannot can't didn't doesn't isn't wasn't hasn't won't fails failed "
              "failing failure unable denies denied lack lacks absence avoids avoid averts avoided")
_DOUBTS = ("may might could would if potential potentially possible possibly seeking seeks seek pursuing pursues "
           "anticipated anticipates expects expected hopes aims pending until toward towards assurance whether upon "
           "before ahead awaiting awaits prior")
NEGATIONS = frozenset(_NEGATIONS.split())
DOUBTS = frozenset(_DOUBTS.split())
PURPOSES = re.compile(r"\bto (?:accelerate|drive|fuel|enable|support)(?: \S+){0,2} $")  # "to accelerate revenue growth"
_BOILERPLATE = tuple((stem, re.compile(rf"\b{stem}{rest}")) for stem, rest in (
    ("forward looking statement", r"s?\b"), ("safe harbor", r"\b"),
    ("about ", r"[a-z0-9][^.]{2,40}(?:inc|corp|ltd|plc)\b")))
_STOP = re.compile(r"[.!?;\n]")  # no sentence ends without one
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")

Where = Literal["any", "title"]
_Rank = tuple[bool, int, int]  # not in the title, place of the rule in the table, start: the least is the best
Role = Literal["phrase", "need", "except"]
Direction = Literal["up", "down", "neutral"]


class _Entry(msgspec.Struct, forbid_unknown_fields=True, rename={"exceptions": "except"}):
    """One `[[kind]]` or `[[noise]]` of the file, as written."""

    name: str
    phrases: list[str]
    direction: str = ""
    weight: float | None = None
    family: str = ""
    where: str = "any"
    needs: list[str] = []
    exceptions: list[str] = []
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


class _Use(NamedTuple):
    """What a scanned phrase is to a rule; where it begins a phrase with gaps, `further` parts must follow."""

    rule: int
    role: Role
    further: tuple[str, ...]


class Rules:
    """The table, ready to be applied; `version` is a short hash of its text, `filings` its table of forms."""

    def __init__(self, rules: tuple[Rule, ...], uses: dict[int, list[_Use]], phrases: list[str], version: str,
                 needy: frozenset[int], filings: FilingRules):
        self.rules = rules
        self.filings = filings
        self.version = version
        self._phrases = {number: fitting for number, all_uses in uses.items()
                         if (fitting := tuple(use for use in all_uses if use.role == "phrase"))}
        self._contexts = {number: fitting for number, all_uses in uses.items()
                          if (fitting := tuple(use for use in all_uses if use.role != "phrase"))}
        self._needy = needy
        self._scanner = Phrases(phrases)

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
        uses: dict[int, list[_Use]] = {}
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
                        first, *further = _parts(phrase, entry.name, role)
                        number = numbers.setdefault(first, len(numbers))
                        uses.setdefault(number, []).append(_Use(place, role, tuple(further)))
        if not any(not rule.noise for rule in rules):
            raise RuleError("rules: there is no [[kind]]")
        version = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return cls(tuple(rules), uses, list(numbers), version, frozenset(needy), filings)

    def find(self, title: str, summary: str) -> Found:
        """All kinds and the noise in a story."""
        text = _Text(title, summary)
        places: dict[int, list[tuple[int, int]]] = {}
        for number, start, end in self._scanner.find(text.folded):
            places.setdefault(number, []).append((start, end))
        hits = self._hits(text, places)
        if not hits:
            return Found((), None)
        needs, exceptions = self._conditions(text, places, {number for _, _, number in hits})
        best: dict[str, tuple[_Rank, int]] = {}  # by family, name or "" for noise: rank and end of the best hit
        for start, end, number in hits:
            rule = self.rules[number]
            in_title = end <= text.title_end
            slot = "" if rule.noise else rule.family or rule.name
            rank = (not in_title, number, start)
            if (rule.where == "title" and not in_title) or (slot in best and best[slot][0] <= rank):
                continue
            excepted = exceptions.get(number, ())
            if 0 in excepted or (excepted and text.sentence(start) in excepted) or (
                    number in self._needy and text.sentence(start) not in needs.get(number, ())):
                continue
            if rule.noise or not _voided(rule, text, start):
                best[slot] = rank, end
        chosen = {slot: Hit(self.rules[rank[1]], text.original(rank[2], end), not rank[0], rank[2])
                  for slot, (rank, end) in best.items()}
        noise = chosen.pop("", None)
        named: dict[str, Hit] = {}
        for hit in sorted(chosen.values(), key=lambda hit: (not hit.in_title, -hit.rule.weight, hit.start)):
            named.setdefault(hit.rule.name, hit)
        if noise and not noise.in_title and not noise.rule.always and any(hit.in_title for hit in named.values()):
            noise = None  # a word in the summary of what the title calls news
        return Found(tuple(named.values()), noise)

    def _hits(self, text: _Text, places: dict[int, list[tuple[int, int]]]) -> list[tuple[int, int, int]]:
        """Occurrences (start, end, rule) of the rules' phrases, in their order."""
        hits: list[tuple[int, int, int]] = []
        for number, spans in places.items():
            for rule, _, further in self._phrases.get(number, ()):
                if not further:
                    hits += [(start, end, rule) for start, end in spans]
                else:
                    hits += [(start, last, rule) for start, end in spans if (last := _chain(further, end, text))]
        hits.sort(key=_by_place)
        return hits

    def _conditions(self, text: _Text, places: dict[int, list[tuple[int, int]]],
                    rules: set[int]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """The sentences in which the needs and the exceptions of these rules stand."""
        needs: dict[int, set[int]] = {}
        exceptions: dict[int, set[int]] = {}
        for number, spans in places.items():
            for rule, role, further in self._contexts.get(number, ()):
                if rule not in rules:
                    continue
                found = {text.sentence(start) for start, end in spans if not further or _chain(further, end, text)}
                if found:
                    (needs if role == "need" else exceptions).setdefault(rule, set()).update(found)
        return needs, exceptions


def _by_place(hit: tuple[int, int, int]) -> tuple[int, int, int]:
    """The order of hits: by start, the longest first, then by rule."""
    return hit[0], -hit[1], hit[2]


def _chain(parts: Iterable[str], end: int, text: _Text) -> int:
    """Where a phrase with gaps ends whose first part ended at `end`; 0 when a part does not follow."""
    for part in parts:
        at = find_whole(text.folded, part, end, end + GAP)
        if at < 0 or (_STOP.search(text.folded, end - 1, at) and text.sentence(at) != text.sentence(end - 1)):
            return 0
        end = at + len(part)
    return end


def _voided(rule: Rule, text: _Text, start: int) -> bool:
    """Whether the words before a hit turn it into its contrary or into a mere possibility."""
    before = text.folded[max(0, start - 60):start]
    if _STOP.search(before):
        before = text.folded[max(text.begin(start), start - 60):start]
    words = before.split()
    if not NEGATIONS.isdisjoint(words[-NEGATION_WORDS:]):
        return True
    if rule.hypothetical or rule.direction == "down":
        return False
    return not DOUBTS.isdisjoint(words[-DOUBT_WORDS:]) or PURPOSES.search(before) is not None


class _Text:
    """Title and the head of the summary as one folded text; the title is sentence 0."""

    __slots__ = ("_ends", "folded", "summary", "title", "title_end")

    def __init__(self, title: str, summary: str):
        self.title, self.summary = fold(title), fold(summary[:SUMMARY_LIMIT])
        self.title_end = len(self.title.text)
        self.folded = f"{self.title.text}\n{_news(self.summary.text)}"
        self._ends: list[int] = []

    @property
    def ends(self) -> list[int]:
        """Where the sentences end, found when first asked for."""
        if not self._ends:
            first = self.title_end + 1
            self._ends = [first, *sentence_ends(self.folded, first)]
        return self._ends

    def sentence(self, position: int) -> int:
        """Number of the sentence that `position` is in."""
        return bisect_right(self.ends, position) if position > self.title_end else 0

    def begin(self, position: int) -> int:
        """Where the sentence of `position` begins."""
        number = self.sentence(position)
        return self.ends[number - 1] if number else 0

    def original(self, start: int, end: int) -> str:
        """What the story says there, letter for letter."""
        if end <= self.title_end:
            return self.title.original(start, end)
        return self.summary.original(start - self.title_end - 1, end - self.title_end - 1)


def _news(folded: str) -> str:
    """The text before its boilerplate, the whole when that begins at once."""
    starts = []
    for stem, pattern in _BOILERPLATE:
        at = folded.find(stem)
        while at >= 0 and not pattern.match(folded, at):
            at = folded.find(stem, at + 1)
        if at >= 0:
            starts.append(at)
    return folded[:min(starts)] if starts and min(starts) > 200 else folded


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
        if entry.weight is not None or entry.direction or entry.family:
            raise RuleError(f"{who}: weight: noise has no weight, direction or family")
    elif entry.always:
        raise RuleError(f"{who}: always: only noise has it")
    elif entry.direction not in ("up", "down", "neutral"):
        raise RuleError(f"{who}: direction: {entry.direction!r} is none of up, down, neutral")
    elif entry.weight is None or not 0 < entry.weight <= 1:
        raise RuleError(f"{who}: weight: {entry.weight} is not over 0 and up to 1")
    direction: Direction = "up" if entry.direction == "up" else "down" if entry.direction == "down" else "neutral"
    where: Where = "title" if entry.where == "title" else "any"
    return Rule(entry.name, noise, direction, entry.weight or 0.0, entry.family, where, entry.hypothetical,
                entry.always)


def _parts(phrase: str, rule: str, role: Role) -> list[str]:
    """The folded parts of a phrase, between its gaps."""
    field = {"phrase": "phrases", "need": "needs", "except": "except"}[role]
    parts = [fold(part).text.strip() for part in phrase.split("..")]
    if any(len(part) < 2 for part in parts):
        raise RuleError(f"rules: {rule}: {field}: {phrase!r} has a part of less than two characters")
    return parts
