"""The prints of stories, by which another wire's copy or a publisher's correction is known: rows of the fetcher's
database, kept as long as a story can be joined. When two prints are one story is decided in catalyst.core.duplicates.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from catalyst.core.duplicates import Print

PER_TRAIT = 24  # the newest stories under one trait: a company's name has a handful, "clinical" has hundreds
MUCH_LESS = 5  # a story with a fifth of the likeliest one's weight is not compared
CANDIDATES = 8  # stories with the most and rarest traits in common that are compared
PRUNED = 500

PRINTS = """
CREATE TABLE prints (
    print_id INTEGER PRIMARY KEY,  -- grows with time
    item_id TEXT NOT NULL,
    first TEXT NOT NULL,           -- the story that it was joined to, else itself
    source TEXT NOT NULL,
    seen_ms INTEGER NOT NULL,
    body BLOB NOT NULL             -- msgpack of catalyst.core.duplicates.Print
);
-- the pruning: prints older than a moment
CREATE INDEX prints_by_time ON prints(seen_ms);
CREATE TABLE traits (
    trait INTEGER NOT NULL,        -- hash of a ticker or of a word of the title
    print_id INTEGER NOT NULL,
    PRIMARY KEY (trait, print_id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A story that was handed on, or joined one that was."""

    item_id: str
    first: str
    source: str
    print: Print


@dataclass(frozen=True, slots=True)
class Printbook:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def alike(self, one: Print, since_ms: int) -> Iterator[Seen]:
        """The stories since the moment that have most in common with this one, the likeliest first."""
        weights: dict[int, int] = {}
        shared: set[int] = set()
        for trait in one.traits:
            rows = self.db.execute("SELECT print_id FROM traits WHERE trait = ? ORDER BY print_id DESC LIMIT ?",
                                   (trait, PER_TRAIT)).fetchall()
            weight = 1_000 // (len(rows) + 1)  # what few stories have says more
            for (print_id,) in rows:
                if print_id in weights:
                    shared.add(print_id)
                    weights[print_id] += weight
                else:
                    weights[print_id] = weight
        likely = sorted(((weights[print_id], print_id) for print_id in shared), reverse=True)[:CANDIDATES]
        for row in self._prints([print_id for weight, print_id in likely if weight * MUCH_LESS >= likely[0][0]]):
            if row[3] >= since_ms:
                yield Seen(*row[:3], msgspec.msgpack.decode(row[4], type=Print))

    def _prints(self, print_ids: list[int]) -> list[tuple[str, str, str, int, bytes]]:
        """The rows of these prints, in their order."""
        marks = ",".join("?" * len(print_ids))
        sql = f"SELECT print_id, item_id, first, source, seen_ms, body FROM prints WHERE print_id IN ({marks})"  # noqa: S608
        rows = {row[0]: row[1:] for row in self.db.execute(sql, print_ids).fetchall()}
        return [rows[print_id] for print_id in print_ids if print_id in rows]

    def add(self, item_id: str, first: str, source: str, seen_ms: int, one: Print) -> None:
        """Keep the print of a story."""
        print_id = self.db.execute("INSERT INTO prints(item_id, first, source, seen_ms, body) VALUES(?, ?, ?, ?, ?)",
                                   (item_id, first, source, seen_ms, msgspec.msgpack.encode(one))).lastrowid
        self.db.executemany("INSERT OR IGNORE INTO traits(trait, print_id) VALUES(?, ?)",
                            [(trait, print_id) for trait in one.traits])

    def take_back(self, item_id: str) -> None:
        """Remove the print that was added last, where it is this item's: nothing joins or corrects it."""
        row = self.db.execute("SELECT print_id, body FROM prints WHERE print_id = (SELECT max(print_id) FROM prints)"
                              " AND item_id = ?", (item_id,)).fetchone()
        self._forget([row] if row is not None else [])

    def prune(self, before_ms: int) -> None:
        """Forget some of what is older than the moment."""
        rows = self.db.execute("SELECT print_id, body FROM prints WHERE seen_ms < ? ORDER BY seen_ms LIMIT ?",
                               (before_ms, PRUNED)).fetchall()
        self._forget(rows)

    def _forget(self, rows: list[tuple[int, bytes]]) -> None:
        for print_id, body in rows:
            self.db.executemany("DELETE FROM traits WHERE trait = ? AND print_id = ?", [
                (trait, print_id) for trait in msgspec.msgpack.decode(body, type=Print).traits])
        self.db.executemany("DELETE FROM prints WHERE print_id = ?", [(row[0],) for row in rows])
