"""The rows behind the fetcher: which stories there are and which entries each source has shown. It only reads and
writes rows of the fetcher's database; when two stories are one is decided in catalyst.core.duplicates.

A story is kept while some feed shows it, and for a time after. An entry counts as shown until a later document of its
source lacks it, however long the source answers "not modified".
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, NamedTuple

from catalyst.books.prints import Printbook
from catalyst.books.slices import forget
from catalyst.core.duplicates import Print, compare, correction_weight, print_of, repeat_key
from catalyst.core.intake import Item
from catalyst.core.naming import words_of

JOIN_MS = 48 * 3_600_000  # wires repeat each other within two days
CORRECT_MS = 96 * 3_600_000  # a release of Friday evening is corrected on Monday or Tuesday
REFRESH_MS = 3_600_000  # the mark "still shown" is renewed once an hour, to spare writes
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
    fate TEXT NOT NULL,          -- sent, joined, corrects, backlog, stale or missed
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
REPEATS = """
DROP INDEX stories_by_lead;  -- stories are found by their prints
ALTER TABLE stories ADD COLUMN repeat_key TEXT NOT NULL DEFAULT '';  -- hash of title and text, empty: too short
-- the same text of a source under another id, link and date
CREATE INDEX stories_by_text ON stories(repeat_key) WHERE repeat_key != '';
"""
LATENCY = """
ALTER TABLE stories ADD COLUMN handed_ms INTEGER;  -- when it was handed on, null: it was not, or long ago
-- what a source showed last: its latency; what one of its documents brought
CREATE INDEX stories_by_source ON stories(source, seen_ms);
"""
WORDS = """
CREATE TABLE words (
    word TEXT NOT NULL,          -- of the title, in small letters, without those of every headline
    seen_ms INTEGER NOT NULL,    -- of the story
    item_id TEXT NOT NULL,
    PRIMARY KEY (word, seen_ms, item_id)
) WITHOUT ROWID;
"""
TITLES = """
ALTER TABLE seen ADD COLUMN title_key INTEGER NOT NULL DEFAULT 0;  -- of the title shown last, 0: not kept, a filing's
"""
UNREAD = """
ALTER TABLE stories DROP COLUMN signature;  -- stories are compared by their prints
ALTER TABLE stories DROP COLUMN lead;
"""
Word = tuple[str, int, str]
NO_WORD: Word = ("", 0, "")
SWEPT_WORDS = 5_000  # rows of `words` that one pruning looks at: those of four days, 0.8 million, take 80 minutes
LATEST = 100  # items that a source's latency is taken from
SHOWN = """
SELECT entry_key, item_id, EXISTS (SELECT 1 FROM stories WHERE stories.item_id = seen.item_id), last_seen_ms, title_key
FROM seen WHERE source = ? AND entry_key IN"""
NEVER = (None, False, 0, 0)
# In both the plus signs keep SQLite from reading all of a source's stories by stories_by_source.
AGAIN = """
SELECT first FROM (
    SELECT coalesce(joined_to, item_id) AS first, seen_ms FROM stories
        WHERE digest = ?3 AND digest != '' AND +source = ?1 AND +seen_ms >= ?2
    UNION ALL
    SELECT coalesce(joined_to, item_id), seen_ms FROM stories
        WHERE repeat_key = ?4 AND repeat_key != '' AND +source = ?1 AND +seen_ms >= ?2
) ORDER BY seen_ms LIMIT 1
"""
HAS_TOLD = """
SELECT 1 FROM stories WHERE item_id = ?1 AND +source = ?2
UNION ALL
SELECT 1 FROM stories INDEXED BY stories_by_first WHERE joined_to = ?1 AND source = ?2 AND fate = 'joined'
LIMIT 1
"""


class Known(NamedTuple):
    """A story that an item repeats. `how`: the same text again from its own source, another wire's copy, or what its
    publisher corrects in it."""

    first: str
    how: Literal["again", "wire", "correction"]


@dataclass(frozen=True, slots=True)
class Storybook:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def unknown(self, source: str, items: Iterable[Item], seen_ms: int) -> tuple[list[Item], list[Item]]:
        """The items that no wire has shown, and those whose title is another than `source` showed before, both in their
        order; marks all of them as seen by `source`.

        An item is known by its id; also when its entry was seen with the same title under another link.
        """
        items = list(items)
        shown = {row[0]: row[1:] for row in self._select(SHOWN, [one.key for one in items], source)}
        unsure = {one.item_id for one in items if shown.get(one.key, NEVER)[:2] != (one.item_id, True)}
        earlier = {shown[one.key][0] for one in items if one.item_id in unsure and one.key in shown}
        titles = dict(self._select("SELECT item_id, title FROM stories WHERE item_id IN", unsure | earlier))
        marks, fresh, retitled = [], [], []
        for item in items:
            before, _, marked_ms, title_key = shown.get(item.key, NEVER)
            is_new = item.item_id in unsure and item.item_id not in titles
            is_moved = is_new and before is not None and titles.get(before) == item.entry.title
            stands_for = before if is_moved else item.item_id
            is_retitled = title_key != item.title_key and title_key and item.title_key and before == item.item_id
            # A mark of the future is one of before the clock was set back.
            if is_retitled or before != stands_for or not seen_ms - REFRESH_MS <= marked_ms <= seen_ms:
                marks.append((source, item.key, stands_for, seen_ms, item.title_key))
            if is_new and not is_moved:
                fresh.append(item)
            elif is_retitled:
                retitled.append(item)
        self.db.executemany("INSERT OR REPLACE INTO seen(source, entry_key, item_id, last_seen_ms, title_key)"
                            " VALUES(?, ?, ?, ?, ?)", marks)
        return fresh, retitled

    def take(self, source: str, item: Item, seen_ms: int, since_ms: Callable[[int], int], kept_ms: int,
             now_ms: int | None = None) -> Known | None:
        """Store an item that was unknown and is handed on at `now_ms`; the story that it repeats or corrects, None when
        it is news.

        `since_ms` tells the moment of an age (Timekeeper.before_ms), `kept_ms` is how long a source's own texts are
        known again.
        """
        one, key = _compared(item)
        known = self._first_of(source, (item.digest, key), one, since_ms, kept_ms)
        self._add(source, item, seen_ms, ("sent" if known is None else "corrects" if known.how == "correction"
                                          else "joined"), known.first if known else None, key, now_ms)
        if one is not None:
            Printbook(self.db).add(item.item_id, known.first if known else item.item_id, source, seen_ms, one)
        return known

    def amend(self, source: str, item: Item, first: str, seen_ms: int, now_ms: int) -> None:
        """Store what an entry of `source` says since its publisher edited it, a correction of the story `first`."""
        one, key = _compared(item)
        self._add(source, item, seen_ms, "corrects", first, key, now_ms)
        if one is not None:
            Printbook(self.db).add(item.item_id, first, source, seen_ms, one)

    def set_aside(self, source: str, item: Item, seen_ms: int, fate: str = "backlog") -> None:
        """Store an item of a source's backlog, or one that was missed: it is known again, but joined by nothing and not
        corrected, for nobody was told of it."""
        key = "" if item.is_filing else repeat_key(item.entry.title, item.signature, item.entry.summary)
        self._add(source, item, seen_ms, fate, None, key)

    def put_off(self, item_id: str) -> None:
        """Note that an item which `take` has just stored is too old to be told: as one of the backlog from now on."""
        self.db.execute("UPDATE stories SET fate = 'stale', handed_ms = NULL WHERE item_id = ?", (item_id,))
        Printbook(self.db).take_back(item_id)

    def latency(self, source: str) -> tuple[int | None, int | None]:
        """Milliseconds from publication to when a source's latest items were seen, and from there to when they were
        handed on; the medians, None where nothing is known.
        """
        rows = self.db.execute("SELECT published_ms, seen_ms, handed_ms FROM stories WHERE source = ? AND fate IN"
                               " ('sent', 'joined', 'corrects') ORDER BY seen_ms DESC LIMIT ?",
                               (source, LATEST)).fetchall()
        lags = [seen_ms - published_ms for published_ms, seen_ms, _ in rows if published_ms is not None]
        handings = [handed_ms - seen_ms for _, seen_ms, handed_ms in rows if handed_ms is not None]
        return (round(median(lags)) if lags else None), (round(median(handings)) if handings else None)

    def _first_of(self, source: str, keys: tuple[str, str], one: Print | None, since_ms: Callable[[int], int],
                  kept_ms: int) -> Known | None:
        """What an item of this print repeats or corrects; `keys` are its digest and its text's key.

        Each wire joins a story once: its second release of that kind is a story of its own.
        """
        row = self.db.execute(AGAIN, (source, since_ms(kept_ms), *keys)).fetchone()
        if row is not None:
            return Known(row[0], "again")
        if one is None:
            return None
        if one.mark:
            corrected = self._corrected(one, since_ms(CORRECT_MS))
            if corrected is not None:
                return Known(corrected, "correction")
        first = self._copied(source, one, since_ms(JOIN_MS))
        return None if first is None else Known(first, "wire")

    def _copied(self, source: str, one: Print, since_ms: int) -> str | None:
        """The story of another wire that this one copies: some telling of it is the same, none contradicts."""
        seen = list(Printbook(self.db).alike(one, since_ms))
        told = [(each, compare(one, each.print, JOIN_MS)) for each in seen if each.source != source]
        found = [each.first for each, verdict in told if verdict == "same"]
        if not found:
            return None
        told += [(each, compare(one, each.print, JOIN_MS)) for each in seen
                 if each.source == source and each.first in found]
        others = {each.first for each, verdict in told
                  if verdict == "other" and not (one.mark or each.print.mark)}
        return next((first for first in found if first not in others and not self._has_told(first, source)), None)

    def _corrected(self, mark: Print, since_ms: int) -> str | None:
        """The story that a marked one corrects most surely."""
        weights: dict[str, list[float]] = {}
        for seen in Printbook(self.db).alike(mark, since_ms):
            weights.setdefault(seen.first, []).append(correction_weight(mark, seen.print, CORRECT_MS))
        possible = {first: max(found) for first, found in weights.items() if min(found) >= 0 < max(found)}
        return max(possible, key=possible.__getitem__, default=None)

    def _add(self, source: str, item: Item, seen_ms: int, fate: str, first: str | None, key: str,
             handed_ms: int | None = None) -> None:
        entry = item.entry
        self.db.execute(
            "INSERT INTO stories(item_id, source, title, link, published_ms, seen_ms, fate, joined_to, digest,"
            " symbols, repeat_key, handed_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (item.item_id, source, entry.title, entry.link, entry.published_ms, seen_ms, fate, first, item.digest,
             json.dumps(entry.symbols), key, handed_ms))
        self.db.executemany("INSERT OR IGNORE INTO words(word, seen_ms, item_id) VALUES(?, ?, ?)",
                            [(word, seen_ms, item.item_id) for word in words_of(entry.title)])

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

    def prune_words(self, before_ms: int, after: Word = NO_WORD) -> Word:
        """Forget the words of titles that were seen before the moment: a slice behind `after`; where the next begins.

        Of a story that its feed shows for longer the words go all the same: who asks wants what is new.
        """
        rows = self.db.execute("SELECT word, seen_ms, item_id FROM words WHERE (word, seen_ms, item_id) > (?, ?, ?)"
                               " ORDER BY word, seen_ms, item_id LIMIT ?", (*after, SWEPT_WORDS)).fetchall()
        self.db.executemany("DELETE FROM words WHERE word = ? AND seen_ms = ? AND item_id = ?",
                            [row for row in rows if row[1] < before_ms])
        return rows[-1] if len(rows) == SWEPT_WORDS else NO_WORD

    def _has_told(self, first: str, source: str) -> bool:
        """Whether the source has told the story already, as the first or as a further wire."""
        return self.db.execute(HAS_TOLD, (first, source)).fetchone() is not None

    def _select(self, sql: str, names: Collection[str], *before: str) -> list[tuple[Any, ...]]:
        """Rows of `sql` followed by the list of names, in batches; `before` are the parameters ahead of the list."""
        wanted = list(names)
        rows: list[tuple[Any, ...]] = []
        for at in range(0, len(wanted), BATCH):
            batch = wanted[at:at + BATCH]
            rows += self.db.execute(f"{sql} ({','.join('?' * len(batch))})", (*before, *batch)).fetchall()
        return rows


def _compared(item: Item) -> tuple[Print | None, str]:
    """What of an item is compared with other stories: its print, and the key of its text; nothing of a filing."""
    if item.is_filing:
        return None, ""
    entry = item.entry
    return (print_of(entry.title, item.signature, entry.summary, entry.symbols, entry.published_ms),
            repeat_key(entry.title, item.signature, entry.summary))
