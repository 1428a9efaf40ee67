"""The rows behind the fetcher: which stories there are and which entries each source has shown. It only reads and
writes rows of the fetcher's database; when two titles agree is decided in catalyst.core.

A story is kept while some feed shows it, and for a time after. An entry counts as shown until a later document of its
source lacks it, however long the source answers "not modified".
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from catalyst.books.slices import forget
from catalyst.core.intake import Item, may_join
from catalyst.core.stories import signatures_agree

JOIN_MS = 48 * 3_600_000  # wires repeat each other within two days
REFRESH_MS = 3_600_000  # the mark "still shown" is renewed once an hour, to spare writes
CANDIDATES = 60  # stories with the same leading word that are compared with a new one; a company has a handful
BATCH = 500  # parameters of one statement
SWEPT = 2_000  # entries that one pruning looks at: 140,000, those of a week, take 35 minutes

SCHEMA = """
CREATE TABLE stories (
    item_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,        -- the first to carry it
    title TEXT NOT NULL,
    link TEXT NOT NULL,
    published_ms INTEGER,        -- null: unknown
    seen_ms INTEGER NOT NULL,    -- when the document that first showed it was complete
    fate TEXT NOT NULL,          -- sent, backlog or joined
    joined_to TEXT,              -- item id of the first story, null: this is one
    signature TEXT NOT NULL,     -- the title's words that count, empty: never joined
    lead TEXT NOT NULL,          -- first word of the signature that names something
    digest TEXT NOT NULL,        -- hash of title, time and summary, empty where one is missing
    symbols TEXT NOT NULL        -- JSON list of the publisher's tags
) WITHOUT ROWID;
-- candidates for the same story on another wire: same lead, newest first, of other sources
CREATE INDEX stories_by_lead ON stories(lead, seen_ms, source, fate) WHERE lead != '';
-- the same text and time under another link
CREATE INDEX stories_by_digest ON stories(digest) WHERE digest != '';
-- whether a source has joined a story already
CREATE INDEX stories_by_first ON stories(joined_to, source) WHERE joined_to IS NOT NULL;
-- the hourly pruning: stories older than a moment
CREATE INDEX stories_by_time ON stories(seen_ms);
CREATE TABLE seen (
    source TEXT NOT NULL,
    entry_key TEXT NOT NULL,     -- hash of the entry's own id
    item_id TEXT NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (source, entry_key)
) WITHOUT ROWID;
-- the hourly pruning: whether an entry still refers to a story
CREATE INDEX seen_by_item ON seen(item_id);
"""


@dataclass(frozen=True, slots=True)
class Storybook:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def unknown(self, source: str, items: Iterable[Item], seen_ms: int) -> list[Item]:
        """The items that no wire has shown, in their order; marks all of them as seen by `source`.

        An item is known by its id; also when its entry was seen with the same title under another link.
        """
        items = list(items)
        titles = dict(self._select("SELECT item_id, title FROM stories WHERE item_id IN",
                                   [one.item_id for one in items]))
        earlier = dict(self._select("SELECT entry_key, item_id FROM seen WHERE source = ? AND entry_key IN",
                                    [one.key for one in items], source))
        titles.update(self._select("SELECT item_id, title FROM stories WHERE item_id IN",
                                   set(earlier.values()) - titles.keys()))
        marks, fresh = [], []
        for item in items:
            before = earlier.get(item.key)
            is_moved = item.item_id not in titles and before is not None and titles.get(before) == item.entry.title
            marks.append((source, item.key, before if is_moved else item.item_id, seen_ms, seen_ms - REFRESH_MS))
            if item.item_id not in titles and not is_moved:
                fresh.append(item)
        self.db.executemany(
            "INSERT INTO seen(source, entry_key, item_id, last_seen_ms) VALUES(?, ?, ?, ?)"
            " ON CONFLICT(source, entry_key) DO UPDATE SET item_id = excluded.item_id,"
            " last_seen_ms = excluded.last_seen_ms WHERE last_seen_ms < ? OR last_seen_ms > excluded.last_seen_ms"
            " OR item_id != excluded.item_id", marks)  # a mark of the future is one of before the clock was set back
        return fresh

    def first_of(self, source: str, item: Item, since_ms: int) -> tuple[str | None, bool]:
        """The story that `item` repeats, and whether another wire brought it; (None, False) when it is news. It repeats
        what was seen since `since_ms`.

        Each wire joins a story once: its second release with that title is a story of its own. Within a wire only the
        same text with the same time under a new link is a repetition. What was backlog joins nothing: nobody was told.
        """
        if item.digest:
            row = self.db.execute("SELECT coalesce(joined_to, item_id) FROM stories WHERE digest = ? AND digest != ''"
                                  " AND source = ? AND seen_ms >= ?",
                                  (item.digest, source, since_ms)).fetchone()
            if row is not None:
                return row[0], False
        if not item.lead:
            return None, False
        for item_id, signature, symbols, published_ms in self.db.execute(
                "SELECT item_id, signature, symbols, published_ms FROM stories WHERE lead = ? AND lead != ''"
                " AND seen_ms >= ? AND source != ? AND fate = 'sent' ORDER BY seen_ms DESC LIMIT ?",
                (item.lead, since_ms, source, CANDIDATES)):
            if (signatures_agree(signature, item.signature)
                    and may_join(item, tuple(json.loads(symbols)), published_ms, JOIN_MS)
                    and not self._has_joined(item_id, source)):
                return item_id, True
        return None, False

    def add(self, source: str, item: Item, seen_ms: int, fate: str, first: str | None = None) -> None:
        """Store an item that was unknown."""
        entry = item.entry
        self.db.execute(
            "INSERT INTO stories(item_id, source, title, link, published_ms, seen_ms, fate, joined_to, signature, lead,"
            " digest, symbols) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (item.item_id, source, entry.title, entry.link, entry.published_ms, seen_ms, fate, first, item.signature,
             item.lead, item.digest, json.dumps(entry.symbols)))

    def prune(self, before_ms: int, after: tuple[str, str] = ("", "")) -> tuple[str, str]:
        """Forget entries that left their feed before the moment, then stories older than it that no entry refers to.

        Of the entries a slice is looked at, those behind `after`; where the next one begins. No index by time: it would
        change with every mark that an entry is still shown.
        """
        rows = self.db.execute("SELECT source, entry_key, last_seen_ms FROM seen WHERE (source, entry_key) > (?, ?)"
                               " ORDER BY source, entry_key LIMIT ?", (*after, SWEPT)).fetchall()
        bodies = dict(self.db.execute("SELECT name, last_body_ms FROM feeds").fetchall())
        self.db.executemany("DELETE FROM seen WHERE source = ? AND entry_key = ?", [
            (source, key) for source, key, seen_ms in rows
            if seen_ms < before_ms and (bodies.get(source) is None or seen_ms < bodies[source] - REFRESH_MS)])
        forget(self.db, "stories", "item_id", "seen_ms < ? AND NOT EXISTS"
               " (SELECT 1 FROM seen WHERE seen.item_id = stories.item_id) ORDER BY seen_ms", (before_ms,))
        return rows[-1][:2] if len(rows) == SWEPT else ("", "")

    def _has_joined(self, first: str, source: str) -> bool:
        return self.db.execute("SELECT 1 FROM stories WHERE joined_to = ? AND source = ?",
                               (first, source)).fetchone() is not None

    def _select(self, sql: str, names: Collection[str], *before: str) -> list[tuple[Any, Any]]:
        """Rows of `sql` followed by the list of names, in batches; `before` are the parameters ahead of the list."""
        wanted = list(names)
        rows: list[tuple[Any, Any]] = []
        for at in range(0, len(wanted), BATCH):
            batch = wanted[at:at + BATCH]
            rows += self.db.execute(f"{sql} ({','.join('?' * len(batch))})", (*before, *batch)).fetchall()
        return rows
