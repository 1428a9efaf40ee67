"""The rows behind the operator's reports, in the tracker's database: what was told, who was silent, what a day was."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalyst.core.fates import FOLDED
from catalyst.core.reports import Day

KEPT_MS = 90 * 86_400_000

SCHEMA = """
CREATE TABLE reports (
    about TEXT NOT NULL,         -- a day in New York, or a supervisor's process
    what TEXT NOT NULL,          -- open, close or boot
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (about, what)
) WITHOUT ROWID;
CREATE TABLE silences (
    day TEXT NOT NULL,           -- in New York
    source TEXT NOT NULL,        -- that gave no answer at a look during the session
    at_ms INTEGER NOT NULL,      -- of the first such look
    PRIMARY KEY (day, source)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Reportbook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def is_told(self, about: str, what: str) -> bool:
        """Whether this was told before."""
        row = self.db.execute("SELECT 1 FROM reports WHERE about = ? AND what = ?", (about, what)).fetchone()
        return row is not None

    def tell(self, about: str, what: str) -> bool:
        """Note that it is told now; False where it was before."""
        return self.db.execute("INSERT OR IGNORE INTO reports(about, what, at_ms) VALUES(?, ?, ?)",
                               (about, what, self.now_ms)).rowcount > 0

    def silent(self, day: str, sources: Sequence[str]) -> None:
        """Note who gave no answer."""
        self.db.executemany("INSERT OR IGNORE INTO silences(day, source, at_ms) VALUES(?, ?, ?)",
                            [(day, source, self.now_ms) for source in sources])

    def were_silent(self, day: str) -> list[str]:
        """Who gave no answer at any look of the day, in the order of their names."""
        return [row[0] for row in self.db.execute("SELECT source FROM silences WHERE day = ? ORDER BY source", (day,))]

    def day(self, since_ms: int, waits_ms: Sequence[int] = ()) -> Day:
        """What became of the items since the moment: the fates are this database's."""
        alerts: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        items, dead = set(), 0
        for item_id, fate, reason, kinds in self.db.execute(
                "SELECT item_id, fate, reason, kinds FROM fates WHERE at_ms >= ?", (since_ms,)):
            items.add(item_id)
            if fate == "alerted" and reason != FOLDED:
                alerts[next(iter(json.loads(kinds)), "no kind")] += 1
            elif fate == "dropped":
                dropped[(reason or "unknown").partition(":")[0]] += 1
            dead += fate == "dead"
        return Day(len(items), alerts, dropped, dead, waits_ms)

    def prune(self, before: Callable[[int], int]) -> None:
        """Forget what is old. `before`: Timekeeper.before_ms."""
        for table in ("reports", "silences"):
            self.db.execute(f"DELETE FROM {table} WHERE at_ms < ?", (before(KEPT_MS),))  # noqa: S608
