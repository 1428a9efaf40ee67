"""When EDGAR's daily index is read, and what it says that the lists did not show. Rows of the fetcher's database.

What was missed is stored as a story whose fate is `missed`: it is too late for an alert, and has its fate all the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from catalyst.books.feeds import STALE_MS
from catalyst.books.stories import Storybook
from catalyst.core import daily_index
from catalyst.core.daily_index import Row
from catalyst.core.edgar import asked_form
from catalyst.core.intake import items_of
from catalyst.core.sources import Source

CHORE = "reconcile"
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Access to the row in `chores`, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def due(self) -> date | None:
        """The day whose index is to be read now. On the first call it is planned for the first whole day to come."""
        row = self.db.execute("SELECT next_due_ms, queued_ms FROM chores WHERE name = ?", (CHORE,)).fetchone()
        if row is None or row[0] - self.now_ms > 3 * DAY_MS:  # so far ahead: planned before the clock was set back
            self.plan(daily_index.next_due_ms(self.now_ms + DAY_MS))
            return None
        if self.now_ms < row[0] or (row[1] is not None and 0 <= self.now_ms - row[1] < STALE_MS):
            return None
        self.db.execute("UPDATE chores SET queued_ms = ? WHERE name = ?", (self.now_ms, CHORE))
        return daily_index.day_before(self.now_ms)

    def plan(self, due_ms: int) -> None:
        """The next one is read at `due_ms`, UTC milliseconds."""
        self.db.execute("INSERT OR REPLACE INTO chores(name, next_due_ms, queued_ms) VALUES(?, ?, NULL)",
                        (CHORE, due_ms))

    def missed(self, rows: Iterable[Row], sources: Mapping[str, Source]) -> tuple[int, list[Row]]:
        """How many of the filings the polled lists should have shown, and those that none has; they are stored now."""
        asked = {asked_form(source.url): source for source in sources.values() if source.kind == "edgar"}
        wanted = daily_index.of_forms(rows, tuple(asked))
        book, found = Storybook(self.db), []
        for form, source in asked.items():
            mine = {row.accession: row for row, of in wanted if of == form}
            items = items_of(map(daily_index.as_entry, mine.values()), source.name)
            for item in book.unknown(source.name, items, self.now_ms)[0]:
                book.set_aside(source.name, item, self.now_ms, "missed")
                found.append(mine[item.item_id])
        return len(wanted), found
