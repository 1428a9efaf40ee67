"""Where the words stand that caused something: the field of an item and the characters in it, for anybody to check.

Offsets count characters (code points) of the text as the item has it, not bytes. `Words` always holds literally what
stands there. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Words(NamedTuple):
    """`text` stands in the item's `field` from character `start` up to `end`.

    `field` is a path: `title`, `summary`, `symbols.0` (the publisher's first tag), `offering.price.quote`.
    """

    text: str
    field: str
    start: int
    end: int

    def packed(self, known: str = "") -> list[Any]:
        """As it is stored, in few bytes: without its text where that is `known` from beside it."""
        place = [self.field, self.start, self.end]
        return place if self.text == known else [*place, self.text]


def whole(field: str, text: str) -> tuple[Words, ...]:
    """A whole field as words; none where it is empty."""
    return (Words(text, field, 0, len(text)),) if text else ()


def locate(words: str, fields: Iterable[tuple[str, str]], near: int = 0) -> tuple[Words, ...]:
    """The first place of `words` in the (name, text) fields, at or after `near` if there is one; none where they do
    not stand literally. A place where they are whole words goes before one where they are part of others.
    """
    if not words:
        return ()
    for name, text in fields:
        start = max(_place(words, text, near), -1) if near else -1
        start = start if start >= 0 else _place(words, text, 0)
        if start >= 0:
            return (Words(words, name, start, start + len(words)),)
    return ()


def _place(words: str, text: str, begin: int) -> int:
    """Where `words` stand from `begin` on, as whole words if they do anywhere; -1 where they do not."""
    first = start = text.find(words, begin)
    while start >= 0:
        end = start + len(words)
        if not (start and words[0].isalnum() and text[start - 1].isalnum()) and not (
                words[-1].isalnum() and text[end:end + 1].isalnum()):
            return start
        start = text.find(words, start + 1)
    return first


def unpacked(evidence: dict[str, Any]) -> dict[str, Any]:
    """Stored evidence (`catalyst.core.classify.evidence_of`) as it is shown: all words with their names and texts. Rows
    of a version that stored no places have none.
    """
    kinds = [[kind, phrase, _named(words, phrase)] for kind, phrase, words in map(_three, evidence.get("kinds", ()))]
    of_kinds = [words[:1] for _, _, words in kinds]
    parts = []
    for name, value, cause, *words in evidence.get("parts", ()):
        found = [of_kinds[one] if isinstance(one, int) else _named([one]) for one in (words[0] if words else ())]
        parts.append([name, value, cause, [one for ones in found for one in ones]])
    return {"tickers": [{**one, "words": _named(one.get("words", ()), one["evidence"])}
                        for one in evidence.get("tickers", ())], "kinds": kinds, "parts": parts}


def _three(row: list[Any]) -> tuple[str, str, list[Any]]:
    return row[0], row[1], row[2] if len(row) > 2 else []


def _named(words: Iterable[list[Any]], known: str = "") -> list[dict[str, Any]]:
    return [{"text": text[0] if text else known, "field": field, "start": start, "end": end}
            for field, start, end, *text in words]


def field_text(item: Any, field: str) -> str:
    """The text of an item's field by its path. Raises AttributeError, IndexError or ValueError where there is none."""
    for step in field.split("."):
        item = item[int(step)] if step.isdigit() else getattr(item, step)
    return str(item)
