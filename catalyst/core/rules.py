"""The rule table: which phrases make which kind of catalyst, and which make noise.

`Rules.from_toml` reads and checks the table, `Rules.find` applies it to one story: one pass over title and summary
each for all phrases at once, whole words, any case. It knows no ticker and gives no score.

A phrase may leave a gap, "prices .. offering": up to 80 characters within one sentence. A hit does not count when an
exception of its rule stands in the same sentence or in the title, when a negation stands within four words before it
("no delisting") or in its gap, when what it names is lost or undone ("loses contract", "partnership ends"), or, where
the rule does not say `hypothetical = true` and its direction is not down, when a word of doubt does ("seeks FDA
approval"). Of the rules of one family only the best hit stays: title before summary, then the order of the table. Noise
that only the summary shows does not count against a title that names a catalyst.

Of the summary only the news is read: its first sentences, neither the paragraph about the company nor the cautions
(`boilerplate`), and no sentence of an earlier year. A `vague` hit of the title ("announces results") gives way to a
telling one of the summary; one that `overrides` counts in the summary as in the title: no trend makes a missed endpoint
good. Where the title names a kind that is not vague, one that only the summary names stays if it is grave and of
another family. Beside results in the title, what the summary says of medicine recounts the period, and only bad news of
it stays. No hit stays beside one of the rules, slots or families that its rule `yields` to.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from catalyst.core.boilerplate import is_history
from catalyst.core.compared import compared
from catalyst.core.filing_rules import FilingRules
from catalyst.core.rule_phrases import GAP, Asked, Role, RulePhrases, Standing, parts_of
from catalyst.core.story_text import StoryText
from catalyst.errors import RuleError

__all__ = ["GAP", "Found", "Hit", "Rule", "Rules"]

LIGHT = 0.2             # weight under which a kind in the title is a theme and no news
GRAVE = 0.5             # weight that a kind in the summary must have where the title names another
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
_LOSSES = "loses lose losing lost rescinds rescinded revokes revoked withdraws withdrawn cancels cancelled canceled"
LOSSES = frozenset(_LOSSES.split())
UNDONE = re.compile(  # behind what is no more: "partnership with Acme ends"
    r" (?:with (?:\S+ ){1,3}?(?:ends|ended)|(?:period )?(?:is |are |was |were |gets |has been )?"
    r"(?:(?:put|placed) on hold|ends|cancell?ed|terminated|rescinded|revoked|laps(?:es|ed)|expire[sd]|collapses))\b")
PURPOSES = re.compile(  # "to accelerate revenue growth"
    r"\bto (?:accelerate|speed up|drive|fuel|enable|support)(?: \S+){0,2} $")
ASSURANCES = re.compile(r"\b(?:no|any|or) (?:assurances?|guarantee|certainty)\b|\bcannot (?:assure|guarantee)\b")
_ASSURING = ("assur", "guarantee", "certainty")  # one of them stands in all that the pattern takes
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")

Where = Literal["any", "title"]
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
    overrides: bool = False
    compared: str = ""
    hypothetical: bool = False
    always: bool = False


class Rule(msgspec.Struct, frozen=True):
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
    overrides: bool = False


class Hit(msgspec.Struct, frozen=True):
    """A rule that fired; `phrase` is literally what the story says."""

    rule: Rule
    phrase: str
    in_title: bool
    start: int


class Found(msgspec.Struct, frozen=True):
    """What the table says of a story: `kinds`, title first, then heaviest; `noise` the first rule of noise, or None."""

    kinds: tuple[Hit, ...]
    noise: Hit | None


class Rules:
    """The table, ready to be applied; `version` is a short hash of its text, `filings` its table of forms."""

    def __init__(self, rules: tuple[Rule, ...], phrases: RulePhrases, version: str, filings: FilingRules):
        self.rules = rules
        self.filings = filings
        self.version = version
        self._phrases = phrases

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase that is looked for, folded: each choice of the brackets, those with gaps in their parts."""
        return self._phrases.scanned

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
        asked: list[Asked] = []
        for noise, table in ((True, "noise"), (False, "kind")):
            entries = tables.get(table, [])
            if not isinstance(entries, list):
                raise RuleError(f"rules: write [[{table}]], with two brackets")
            for index, raw in enumerate(entries, 1):
                place = len(rules)
                entry = _entry(raw, f"{table} {index}")
                rules.append(_rule(entry, noise))
                roles: tuple[tuple[Role, str, list[str]], ...] = (
                    ("phrase", "phrases", entry.phrases), ("need", "needs", entry.needs),
                    ("except", "except", entry.exceptions))
                asked += [Asked(place, role, parts_of(phrase, f"rules: {entry.name}: {field}"),
                                role == "phrase" and entry.where == "title")
                          for role, field, phrases in roles for phrase in phrases]
        if not any(not rule.noise for rule in rules):
            raise RuleError("rules: there is no [[kind]]")
        version = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return cls(tuple(rules), RulePhrases(asked), version, filings)

    def find(self, title: str, summary: str) -> Found:
        """All kinds and the noise in a story."""
        text = StoryText.of(title, summary)
        standing = self._phrases.find(text)
        chosen: dict[str, Hit] = {}  # by slot, "" for noise: the best hit
        for _, number, start, minus_end in sorted((self._rank(number, end > text.title_end), number, start, -end)
                                                  for start, end, number in standing.hits):
            slot = self.rules[number].slot
            if slot not in chosen and self._counts(number, start, -minus_end, text, standing):
                chosen[slot] = Hit(self.rules[number], text.original(start, -minus_end), -minus_end <= text.title_end,
                                   start)
        noise = chosen.pop("", None)
        named: dict[str, Hit] = {}
        for hit in sorted(chosen.values(), key=lambda hit: (not hit.in_title, -hit.rule.weight, hit.start)):
            named.setdefault(hit.rule.name, hit)
        told = {hit.rule.family or hit.rule.name for hit in named.values() if hit.in_title and
                not hit.rule.vague and hit.rule.weight >= LIGHT}
        is_report = any(hit.in_title and hit.rule.family == "earnings" for hit in named.values())
        for hit in [*named.values()]:
            is_aside = not hit.in_title and bool(told) and (hit.rule.weight < GRAVE or hit.rule.family in told)
            is_recap = not hit.in_title and is_report and hit.rule.family == "medicine" and hit.rule.direction != "down"
            if is_aside or is_recap or (hit.rule.yields and _yields(hit, named.values())):
                del named[hit.rule.name]
        if noise and any(hit.in_title for hit in named.values()) and (
                noise.rule.mild or (not noise.in_title and not noise.rule.always)):
            noise = None  # the title names news
        return Found(tuple(named.values()), noise)

    def _rank(self, number: int, is_in_summary: bool) -> int:
        """The order in which the hits of a slot are looked at: telling before vague ones, title before summary."""
        rule = self.rules[number]
        return 2 * rule.vague + (is_in_summary and not rule.overrides)

    def _counts(self, number: int, start: int, end: int, text: StoryText, standing: Standing) -> bool:
        """Whether what stands around a phrase of a rule lets it count."""
        sentence = text.sentence(start)
        if self._phrases.is_excepted(number, sentence, standing, text) or not self._phrases.is_met(
                number, sentence, standing, text):
            return False
        rule = self.rules[number]
        if rule.compared and compared(text.said(start)) != rule.compared:
            return False
        return rule.noise or not _voided(rule, text, start, end)


def _yields(hit: Hit, others: Iterable[Hit]) -> bool:
    """Whether one of the hits, in a place as good, is of a rule that this one gives way to."""
    return any(other is not hit and other.in_title >= hit.in_title
               and not hit.rule.yields.isdisjoint((other.rule.name, other.rule.slot, other.rule.family, "*"))
               for other in others)


def _voided(rule: Rule, text: StoryText, start: int, end: int) -> bool:
    """Whether the words around a hit turn it into its contrary, into a mere possibility or into history."""
    sentence = text.folded[text.begin(start):start]
    before = sentence[-60:].rpartition(": ")[2]  # "No delisting: compliance regained"
    words = before.split()
    if not NEGATIONS.isdisjoint(words[-NEGATION_WORDS:]) or (
            any(map(sentence.__contains__, _ASSURING)) and ASSURANCES.search(sentence)):
        return True
    in_title = end <= text.title_end
    last = text.folded.rfind(" ", start, end)  # "FDA approval in" June 2024
    behind = last if text.folded[last:end] in (" in", " on", " since") else end
    if not in_title and is_history(sentence, text.folded[behind:end + 80], text.year, text.month):
        return True
    if UNDONE.match(text.folded, end) or (
            rule.direction == "up" and not LOSSES.isdisjoint(re.split("[,;]", before)[-1].split()[-NEGATION_WORDS:])):
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
        if entry.weight is not None or entry.direction or entry.family or entry.slot or entry.vague or entry.yields or (
                entry.overrides):
            raise RuleError(f"{who}: weight: noise has no weight, direction, family, slot, vague, overrides or yields")
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
                entry.mild, entry.compared, frozenset(entry.yields), entry.overrides)
