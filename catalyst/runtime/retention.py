"""How long the runtime keeps dead letters and incidents; how long messages, is in links.py."""

from __future__ import annotations

import sqlite3

from catalyst import log

KEPT_MS = 30 * 86_400_000  # longer than anybody waits to look
# What a defect that strikes every message can fill: a letter has 20 KB of traceback and seldom more of a body.
MOST_LETTERS = 5_000
MOST_INCIDENTS = 10_000
A_TURN = 200  # rows of each table


def forget(db: sqlite3.Connection, before_ms: int) -> int:
    """Delete letters and incidents of before the moment, and what is too many, a few a call; how many letters."""
    letters = _from_the_front(db, "dead", "dead_ms", before_ms, MOST_LETTERS)
    if letters:
        log.warning("dead_letters_forgotten", count=letters)
    _from_the_front(db, "incidents", "at_ms", before_ms, MOST_INCIDENTS)
    return letters


def _from_the_front(db: sqlite3.Connection, table: str, time: str, before_ms: int, most: int) -> int:
    """Rows come in the order of their time, so it stops at the first that may stay: no index, no look at the rest."""
    newest = db.execute(f"SELECT max(n) FROM {table}").fetchone()[0] or 0  # noqa: S608
    last = None
    for n, at_ms in db.execute(f"SELECT n, {time} FROM {table} ORDER BY n LIMIT ?", (A_TURN,)).fetchall():  # noqa: S608
        if at_ms >= before_ms and n > newest - most:
            break
        last = n
    return 0 if last is None else db.execute(f"DELETE FROM {table} WHERE n <= ?", (last,)).rowcount  # noqa: S608
