"""How long the runtime keeps dead letters and incidents; how long messages, is in links.py."""

from __future__ import annotations

import sqlite3

from catalyst import log
from catalyst.runtime.links import Links
from catalyst.runtime.timekeeper import Timekeeper
from catalyst.settings import Settings

KEPT_MS = 30 * 86_400_000  # longer than anybody waits to look
# What a defect that strikes every message can fill: a letter has 20 KB of traceback and seldom more of a body.
MOST_LETTERS = 5_000
MOST_INCIDENTS = 10_000
A_TURN = 200  # rows of each table


def prune(db: sqlite3.Connection, links: Links, time: Timekeeper, settings: Settings, reborn_ms: int | None) -> int:
    """Forget what is old in the runtime's tables; how many letters that were.

    The two ends of a link must first have met after a restore: until then the messages and ids of before settle what
    one of them lacks.
    """
    kept_ms = round(settings.link_retention_s * 1000)
    if time.passed_ms(reborn_ms or 0) > 2 * kept_ms:
        links.prune(db, kept_ms, time)
    time.follow(db)
    return forget(db, time.before_ms(KEPT_MS))


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
