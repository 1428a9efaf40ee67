"""What in a rule table that can be read is odd all the same: phrases that can never fire, or that mean two things.

It looks at the table's text only; `Rules.from_toml` has found it right before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalyst.core.wordscan import fold

What = Literal["two_directions", "excepted", "shadowed", "twice"]
GAP = ".."


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd about a phrase of a rule; `text` completes the sentence that the phrase begins."""

    rule: str
    phrase: str
    what: What
    text: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase of a kind or of noise: its folded parts, the rule's place in the table and its row."""

    written: str
    parts: tuple[str, ...]
    place: int
    row: dict[str, Any]

    @property
    def name(self) -> str:
        """The rule's."""
        return str(self.row["name"])


def check(text: str) -> tuple[list[Remark], dict[str, int]]:
    """Remarks in the order of the table, and counts: kinds, noise, filings, phrases, needs, exceptions."""
    tables = tomllib.loads(text)
    kinds, noise = tables.get("kind", []), tables.get("noise", [])
    rows = [*noise, *kinds]
    phrases = [_Phrase(written, _parts(written), place, row) for place, row in enumerate(rows)
               for written in row["phrases"]]
    of_kinds = [one for one in phrases if one.row in kinds]
    remarks = [*_twice(phrases), *_excepted(phrases), *_shadowed(of_kinds), *_contrary(of_kinds)]
    places = {row["name"]: place for place, row in reversed(list(enumerate(rows)))}
    remarks.sort(key=lambda one: places[one.rule])
    return remarks, {
        "kinds": len(kinds), "noise": len(noise), "filings": len(tables.get("filing", [])), "phrases": len(phrases),
        "needs": sum(len(row.get("needs", ())) for row in rows),
        "exceptions": sum(len(row.get("except", ())) for row in rows)}


def _parts(written: str) -> tuple[str, ...]:
    return tuple(fold(part).text.strip() for part in written.split(GAP))


def _stands_in(words: str, text: str) -> bool:
    """Whether words stand in a text as whole words."""
    return f" {words} " in f" {text} "


def _twice(phrases: Sequence[_Phrase]) -> Iterator[Remark]:
    seen: set[tuple[int, tuple[str, ...]]] = set()
    for one in phrases:
        if (one.place, one.parts) in seen:
            yield Remark(one.name, one.written, "twice", "stands in it twice")
        seen.add((one.place, one.parts))


def _excepted(phrases: Sequence[_Phrase]) -> Iterator[Remark]:
    """A phrase that holds one of its own rule's exceptions: wherever it stands, so does the exception."""
    for one in phrases:
        for exception in one.row.get("except", ()):
            parts = _parts(exception)
            if all(any(_stands_in(part, own) for own in one.parts) for part in parts) and (
                    len(parts) == 1 or _in_turn(parts, one.parts)):
                yield Remark(one.name, one.written, "excepted", f"never fires: it holds the exception “{exception}”")
                break


def _in_turn(parts: Sequence[str], within: Sequence[str]) -> bool:
    """Whether the parts stand in those of another phrase in their order, each in one behind the last."""
    at = 0
    for part in parts:
        at = next((place + 1 for place in range(at, len(within)) if _stands_in(part, within[place])), -1)
        if at < 0:
            return False
    return True


def _shadowed(phrases: Sequence[_Phrase]) -> Iterator[Remark]:
    """A phrase that begins with one of an earlier rule of its family which asks for nothing more: that one always wins.

    Of a family only the best hit stays, and in one place that is the earlier rule's.
    """
    free: dict[str, list[_Phrase]] = {}
    for one in phrases:
        row = one.row
        family = row.get("family", "")
        if not family:
            continue
        for other in free.get(family, ()):
            asks_less = other.row.get("where", "any") == "any" and _doubts(other.row) >= _doubts(row)
            if other.place < one.place and asks_less and _begins(other.parts, one.parts):
                yield Remark(one.name, one.written, "shadowed",
                             f"never fires: {other.name} of the same family has “{other.written}”")
                break
        if not row.get("needs") and not row.get("except"):
            free.setdefault(family, []).append(one)


def _doubts(row: dict[str, Any]) -> bool:
    """Whether a word of doubt before a hit of the rule leaves it as it is."""
    return bool(row.get("hypothetical") or row.get("direction") == "down")


def _begins(parts: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the phrase of one part stands at the beginning of the other."""
    return len(parts) == 1 and f"{other[0]} ".startswith(f"{parts[0]} ")


def _contrary(phrases: Sequence[_Phrase]) -> Iterator[Remark]:
    """The same phrase in rules whose directions differ."""
    first: dict[tuple[str, ...], _Phrase] = {}
    for one in phrases:
        known = first.setdefault(one.parts, one)
        if known.row["direction"] != one.row["direction"] and known.place != one.place:
            yield Remark(one.name, one.written, "two_directions",
                         f"points {one.row['direction']} here and {known.row['direction']} in {known.name}")
