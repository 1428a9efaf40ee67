"""The rows behind the supervisor: every end of an actor, every trouble that it was found in, with the stacks.

Troubles go into the runtime's own table of incidents, where every actor notes what went wrong with it; this adds the
stacks. It only reads and writes rows.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catalyst.books.slices import forget

KEPT_MS = 30 * 86_400_000
MOST_LISTED = 500
MOST_NOTES = 500  # what a full disk keeps waiting; the oldest go first

SCHEMA = """
CREATE TABLE restarts(
  n INTEGER PRIMARY KEY,
  actor TEXT NOT NULL,
  pid INTEGER NOT NULL,
  lived_s REAL NOT NULL,
  delay_s REAL NOT NULL,            -- until it was started again
  expected INTEGER NOT NULL,        -- 1: asked for (restart, drain)
  at_ms INTEGER NOT NULL);
CREATE INDEX restarts_at ON restarts(at_ms);  -- retention
"""
STACKS = """
CREATE TABLE stacks(
  incident INTEGER PRIMARY KEY,     -- n of the incident
  pid INTEGER NOT NULL,
  text TEXT NOT NULL);              -- of all threads, or what the kernel said of a mute process
"""


@dataclass(frozen=True, slots=True)
class Incidents:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def add_end(self, actor: str, pid: int, lived_s: float, delay_s: float, *, expected: bool) -> None:
        """Note the end of an actor's process."""
        self.db.execute("INSERT INTO restarts(actor, pid, lived_s, delay_s, expected, at_ms) VALUES(?, ?, ?, ?, ?, ?)",
                        (actor, pid, lived_s, delay_s, expected, self.now_ms))

    def add(self, kind: str, actor: str, detail: str, pid: int = 0, stacks: str = "") -> None:
        """Note an incident, with the stacks where there are any."""
        number = self.db.execute("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES(?, ?, ?, ?)",
                                 (kind, actor, detail, self.now_ms)).lastrowid
        self.db.execute("DELETE FROM stacks WHERE incident = ?", (number,))  # of a forgotten one
        if stacks:
            self.db.execute("INSERT INTO stacks(incident, pid, text) VALUES(?, ?, ?)", (number, pid, stacks))

    def has(self, kind: str, actor: str, beginning: str) -> bool:
        """Whether an incident is stored whose detail begins so."""
        return self.db.execute("SELECT 1 FROM incidents WHERE kind = ? AND subject = ? AND substr(detail, 1, ?) = ?",
                               (kind, actor, len(beginning), beginning)).fetchone() is not None

    def listed(self, since_ms: int, most: int) -> list[dict[str, Any]]:
        """The newest incidents with their stacks, then in order of time."""
        rows = self.db.execute(
            "SELECT incidents.n, kind, subject, detail, at_ms, pid, text FROM incidents LEFT JOIN stacks"
            " ON stacks.incident = incidents.n WHERE at_ms >= ? ORDER BY incidents.n DESC LIMIT ?",
            (since_ms, min(most, MOST_LISTED))).fetchall()
        names = ("n", "kind", "subject", "detail", "at_ms", "pid", "stacks")
        return [dict(zip(names, row, strict=True)) for row in reversed(rows)]

    def prune(self, before_ms: int) -> None:
        """Forget ends that are older than the moment, and the stacks of incidents that the runtime has forgotten."""
        forget(self.db, "restarts", "n", "at_ms < ? ORDER BY at_ms", (before_ms,))
        forget(self.db, "stacks", "incident", "incident NOT IN (SELECT n FROM incidents)")


Note = Callable[[Incidents], Iterable[Any] | None]


class Notes:
    """What happened and is still to be stored and told, each with its time. Deaths and starts do not wait for the disk,
    their rows do: what a refused transaction took comes with the next one again.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Note]] = deque(maxlen=MOST_NOTES)
        self._taken: list[tuple[int, Note]] = []

    def add(self, at_ms: int, note: Note) -> None:
        """`note` writes the rows, by an Incidents of `at_ms`, and gives what is to be sent."""
        self._waiting.append((at_ms, note))

    def take(self, db: sqlite3.Connection) -> Iterable[Any]:
        """Write what waits, within a transaction."""
        while self._waiting:
            at_ms, note = self._waiting.popleft()
            self._taken.append((at_ms, note))
            yield from note(Incidents(db, at_ms)) or ()

    def after_turn(self, *, stored: bool) -> None:
        """What was taken is done with, or waits again."""
        if not stored:
            self._waiting = deque([*self._taken, *self._waiting], MOST_NOTES)
        self._taken.clear()
