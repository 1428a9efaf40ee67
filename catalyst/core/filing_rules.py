"""The `[[filing]]` table of the rule file: which form, item or offering makes which kind, without a word being read.

`FilingRules.of` reads and checks the table, `find` applies it to what is known of one filing. All conditions that a
row states must hold. Of the rows of one family (a row without one is its own) only the first that holds stays. A
phrase counts only where no negation stands in the few words before it, an exception also only where it is said to have
happened: "has not regained compliance" and "may transfer its listing" except nothing. It knows no ticker and gives no
score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from catalyst.core.rule_phrases import GAP, parts_of
from catalyst.core.wordscan import Folded, fold, sentence_ends
from catalyst.errors import RuleError
from catalyst.messages import Direction, FilingRead

WORDS_BEFORE, CHARS_BEFORE = 6, 120  # "failed to demonstrate that it had regained compliance"
NEGATIONS = frozenset(("not", "never", "cannot", "fail", "fails", "failed", "failing", "failure", "unable", "until",
                       "unless", "if"))
POSSIBLE = NEGATIONS | {"may", "might", "could", "eligible"}
_MAY = re.compile(r"\bmay (?=\d)")  # the month
TURN = 0.15  # an opinion beyond this is positive or negative (DESIGN section 4)
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_ITEM = re.compile(r"\d{1,2}(?:\.\d\d)?")  # 8-K items before 23 August 2004 are 1 to 12, since then 1.01 to 9.01
_STAGES = ("announcement", "pricing", "upsize", "closing")


class _Entry(msgspec.Struct, forbid_unknown_fields=True, rename={"exceptions": "except"}):
    """One `[[filing]]` of the file, as written."""

    name: str
    source: str
    forms: list[str] = []
    items: list[str] = []
    without: list[str] = []
    types: list[str] = []
    stages: list[str] = []
    issuers: list[str] = []
    says: list[str] = []
    exceptions: list[str] = []
    unread: bool = False
    direction: str = ""
    weight: float | None = None
    family: str = ""
    noise: bool = False


@dataclass(frozen=True, slots=True)
class FilingRule:
    """One checked row. `forms` end in * where they are beginnings; empty conditions hold for every filing."""

    name: str
    noise: bool
    direction: Direction
    weight: float
    family: str
    forms: tuple[str, ...]
    items: frozenset[str]
    without: frozenset[str]
    types: tuple[str, ...]
    stages: tuple[str, ...]
    issuers: tuple[str, ...]
    says: re.Pattern[str] | None
    exceptions: re.Pattern[str] | None
    unread: bool

    @property
    def of_offering(self) -> bool:
        """Whether the row is about what was read of a sale."""
        return bool(self.types or self.stages)


@dataclass(frozen=True, slots=True)
class FilingHit:
    """A row that holds, and what of the filing makes it hold, literally: an item's number, a phrase, else the form."""

    rule: FilingRule
    cause: str
    what: Literal["item", "form", "phrase", "offering"]


class FilingRules:
    """The table, ready to be applied."""

    def __init__(self, rules: Sequence[FilingRule]):
        self.rules = tuple(rules)

    @classmethod
    def of(cls, entries: Any) -> FilingRules:
        """The rows of the file. Raises RuleError that names the row and the field."""
        if not isinstance(entries, list):
            raise RuleError("rules: write [[filing]], with two brackets")
        return cls([_rule(raw, f"filing {index}") for index, raw in enumerate(entries, 1)])

    def find(self, filing: FilingRead, text: str) -> tuple[list[FilingHit], FilingHit | None]:
        """The rows that hold, in the table's order, and the first of noise; `text` is what may be read for words."""
        base, company = base_form(filing.form), fold(filing.company).text
        words = fold(text)
        hits: dict[str, FilingHit] = {}
        noise: FilingHit | None = None
        for rule in self.rules:
            slot = rule.family or rule.name
            if (rule.noise and noise is not None) or (not rule.noise and slot in hits):
                continue
            if not (_has_form(rule, base) and _has_offering(rule, filing) and _has_issuer(rule, company)
                    and (filing.unread or not rule.unread) and rule.without.isdisjoint(filing.items)):
                continue
            item = next((one for one in filing.items if one in rule.items), "")
            if rule.items and not item:
                continue
            phrase = _phrase(rule, words, filing.sentiment)
            if phrase is None:
                continue
            what: Literal["item", "form", "phrase", "offering"] = (
                "offering" if rule.of_offering else "phrase" if phrase else "item" if item else "form")
            hit = FilingHit(rule, phrase or item or filing.form, what)
            if rule.noise:
                noise = hit
            else:
                hits[slot] = hit
        return list(hits.values()), noise


def base_form(form: str) -> str:
    """The form without the mark of an amendment: `8-K/A` is `8-K`."""
    return form.strip().upper().removesuffix("/A").strip()


def _has_form(rule: FilingRule, base: str) -> bool:
    return not rule.forms or any(base.startswith(form[:-1]) if form.endswith("*") else base == form
                                 for form in rule.forms)


def _has_offering(rule: FilingRule, filing: FilingRead) -> bool:
    if not rule.of_offering:
        return True
    if filing.offering is None or (rule.stages and filing.offering.stage not in rule.stages):
        return False
    kind = f" {re.sub(r'[^a-z0-9]+', ' ', filing.offering.type.lower()).strip()} "
    return not rule.types or any(f" {one} " in kind for one in rule.types)


def _has_issuer(rule: FilingRule, company: str) -> bool:
    return not rule.issuers or any(re.search(rf"\b{re.escape(one)}\b", company) for one in rule.issuers)


def _phrase(rule: FilingRule, words: Folded, tone: float) -> str | None:
    """The words that the row asks for, "" where it asks for none, None where they are missing or excepted.

    An opinion that points the other way speaks against words alone, where no item says the same: a sale that the text
    calls a purchase agreement.
    """
    if rule.exceptions is not None and _said(rule.exceptions, words.text, POSSIBLE):
        return None
    if rule.says is None:
        return ""
    found = _said(rule.says, words.text, NEGATIONS)
    against = (tone < -TURN and rule.direction == "up") or (tone > TURN and rule.direction == "down")
    if found is None or (against and not rule.items):
        return None
    return words.original(*found)


def _said(phrases: re.Pattern[str], text: str, voiding: frozenset[str]) -> tuple[int, int] | None:
    """Where the first of the phrases stands, within one sentence, that no word before it voids."""
    return next((found.span() for found in phrases.finditer(text)
                 if not sentence_ends(found[0]) and not _is_voided(text, found.start(), voiding)), None)


def _is_voided(text: str, start: int, voiding: frozenset[str]) -> bool:
    """Whether one of the words stands shortly before `start`, in the same sentence and behind no "and" or "but"."""
    before = text[max(0, start - CHARS_BEFORE):start]
    ends = sentence_ends(before)
    words = re.findall(r"[\w']+", _MAY.sub("", before[ends[-1]:] if ends else before))[-WORDS_BEFORE:]
    joined = max((place for place, word in enumerate(words, 1) if word in ("and", "but")), default=0)
    return any(word in voiding or word.endswith("n't") for word in words[joined:])


def _rule(raw: Any, place: str) -> FilingRule:
    name = raw.get("name") if isinstance(raw, dict) else None
    who = f"rules: {place}" + (f" ({name})" if isinstance(name, str) else "")
    try:
        entry = msgspec.convert(raw, _Entry)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        raise RuleError(f"{who}: {path.strip('`').removeprefix('$').lstrip('.') or 'fields'}: {what}") from error
    for field, fault in _faults(entry):
        raise RuleError(f"{who}: {field}: {fault}")
    direction: Direction = "up" if entry.direction == "up" else "down" if entry.direction == "down" else "neutral"
    return FilingRule(
        entry.name, entry.noise, direction, entry.weight or 0.0, entry.family,
        tuple(form.upper() for form in entry.forms), frozenset(entry.items), frozenset(entry.without),
        tuple(one.lower() for one in entry.types), tuple(entry.stages), tuple(fold(one).text for one in entry.issuers),
        _pattern(entry.says, f"{who}: says"), _pattern(entry.exceptions, f"{who}: except"), entry.unread)


def _pattern(phrases: Sequence[str], who: str) -> re.Pattern[str] | None:
    """Whole words of a folded text that are one of the phrases, with brackets and gaps as those of `[[kind]]`."""
    found = [rf"\b.{{0,{GAP}}}?\b".join(f"(?:{'|'.join(map(re.escape, sorted(part, key=len, reverse=True)))})"
                                        for part in parts_of(phrase, who)) for phrase in phrases]
    return re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)") if found else None


def _faults(entry: _Entry) -> list[tuple[str, str]]:
    """(field, what is wrong with it) of a row."""
    faults = []
    if not _NAME.fullmatch(entry.name):
        faults.append(("name", f"{entry.name!r} is not small letters, digits and _"))
    if not entry.source.strip():
        faults.append(("source", "say where the kind and its weight are from"))
    if not (entry.forms or entry.types or entry.stages):
        faults.append(("forms", "a row needs forms, types or stages"))
    faults += [("forms", f"{form!r} is no form") for form in entry.forms if not form.rstrip("*").strip()]
    faults += [("items", f"{item!r} is no item of an 8-K") for item in (*entry.items, *entry.without)
               if not _ITEM.fullmatch(item)]
    faults += [("types", f"{one!r} is not small words with blanks") for one in entry.types
               if not re.fullmatch(r"[a-z0-9]+(?: [a-z0-9]+)*", one)]
    faults += [("stages", f"{stage!r} is none of {', '.join(_STAGES)}") for stage in entry.stages
               if stage not in _STAGES]
    faults += [("issuers", f"{phrase!r} has less than two characters")
               for phrase in entry.issuers if len(fold(phrase).text.strip()) < 2]
    if entry.noise:
        if entry.weight is not None or entry.direction or entry.family:
            faults.append(("weight", "noise has no weight, direction or family"))
    elif entry.direction not in ("up", "down", "neutral"):
        faults.append(("direction", f"{entry.direction!r} is none of up, down, neutral"))
    elif entry.weight is None or not 0 < entry.weight <= 1:
        faults.append(("weight", f"{entry.weight} is not over 0 and up to 1"))
    return faults
