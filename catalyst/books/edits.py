"""Which entries their publishers edited in place: the rows behind a title that is shown in another form than before. It
only reads rows of the fetcher's database; when a title says something else is decided in catalyst.core.edits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from catalyst.books.stories import CORRECT_MS
from catalyst.core.edits import MOST_EDITS, corrects, edit_id, is_few, is_marked
from catalyst.core.intake import Item

STORY = """
SELECT source, title, published_ms, fate, coalesce(joined_to, item_id) FROM stories
WHERE item_id = ? AND seen_ms >= ? AND fate IN ('sent', 'joined', 'corrects')
"""
TOLD = "SELECT title FROM stories INDEXED BY stories_by_first WHERE joined_to = ? AND fate = 'corrects'"


class Edit(NamedTuple):
    """What an entry says now, as an item with an id of its own, and the story that this corrects."""

    item: Item
    first: str


@dataclass(frozen=True, slots=True)
class Editbook:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def edits(self, source: str, retitled: Sequence[Item], entries: int, since_ms: Callable[[int], int]) -> list[Edit]:
        """Which of the items, whose titles `source` shows in another form than before, correct stories that were handed
        on within CORRECT_MS; `entries` is how many the document has, `since_ms` tells the moment of an age.

        The source that the story was found at may edit it; any other one, whose title may only have been another from
        the beginning, must mark it as a correction.
        """
        found: dict[str, Edit] = {}
        for item in retitled:
            edit = self._edit(source, item, since_ms(CORRECT_MS))
            if edit is not None:
                found.setdefault(edit.item.item_id, edit)
        if is_few(sum(not is_marked(edit.item.entry.title) for edit in found.values()), entries):
            return list(found.values())
        return [edit for edit in found.values() if is_marked(edit.item.entry.title)]

    def _edit(self, source: str, item: Item, since_ms: int) -> Edit | None:
        row = self.db.execute(STORY, (item.item_id, since_ms)).fetchone()
        if row is None:
            return None
        author, shown, published_ms, fate, first = row
        entry = item.entry
        if not (author == source and fate != "joined") and not is_marked(entry.title):
            return None
        told = [title for (title,) in self.db.execute(TOLD, (first,))]
        if len(told) >= MOST_EDITS or not corrects(entry.title, [shown, *told]):
            return None
        if entry.published_ms == published_ms:  # of the first title; when this one was published nobody says
            entry = msgspec.structs.replace(entry, published_ms=None)
        return Edit(replace(item, entry=entry, item_id=edit_id(first, entry.title)), first)
