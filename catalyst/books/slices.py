"""Forgetting what is old in slices, so that no actor's loop stands still for it.

Actors prune every `PRUNE_S`; with `ROWS` a table each time that keeps up with 1.4 million rows a day, fifty times what
20,000 items make, and a slice takes milliseconds (docs/operating.md has the figures). Pages that become free are used
again by SQLite, so the files stop growing; giving them back (auto_vacuum, VACUUM) would only move pages about.
"""

from __future__ import annotations

import sqlite3
from typing import Any

PRUNE_S = 30.0
ROWS = 500
LARGE_ROWS = 50  # of tables whose rows fill several pages each: pictures, texts of filings


def forget(db: sqlite3.Connection, table: str, key: str, old: str, parameters: tuple[Any, ...] = (),
           most: int = ROWS) -> int:
    """Delete up to `most` rows of `table` for which `old` holds; `key` names its primary key. How many were deleted.

    `old` is SQL of the program, never of outside, and begins with what an index serves; it may end in ORDER BY.
    """
    return db.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {old} LIMIT {most})",  # noqa: S608
                      parameters).rowcount
