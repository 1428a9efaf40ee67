"""The rows of what followed: the outcomes of the alerter's alerts, and how alerts of each kind have done.

It reads and writes rows of the alerter's database. The history that an alert shows is stored with it when it comes and
does not change: what its reader saw at first was known then, its own outcome is not in it, and whoever looks at the
message later can judge what it was worth.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from catalyst.books.slices import forget
from catalyst.core.delivery import After, Followed
from catalyst.core.history import span_ms, usual
from catalyst.messages import AlertReady, History, OutcomeKnown

DAY_MS = 86_400_000
KEPT_MS = 30 * DAY_MS  # longer than any horizon is asked for; `catalyst show` has the tracker's, which are kept a year

SCHEMA = """
CREATE TABLE outcomes (
    alert_id TEXT NOT NULL,
    horizon TEXT NOT NULL,           -- 15m, 4h, 7d
    return_pct REAL NOT NULL,        -- since the alert's price
    price_usd REAL NOT NULL,
    price_ms INTEGER NOT NULL,
    simulated INTEGER NOT NULL,      -- 1: not from a market
    known_ms INTEGER NOT NULL,
    PRIMARY KEY (alert_id, horizon)
) WITHOUT ROWID;
-- pruning
CREATE INDEX outcomes_by_time ON outcomes(known_ms);
CREATE TABLE histories (
    kind TEXT NOT NULL,              -- the first of an alert's
    horizon TEXT NOT NULL,
    n INTEGER NOT NULL,              -- alerts that count; none with a simulated price does
    median_pct REAL NOT NULL,
    low_pct REAL,                    -- ends of the 95 % interval of the median, null where n is too small for one
    high_pct REAL,
    down_share REAL NOT NULL,        -- of those that fell, 0 to 1
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, horizon)
) WITHOUT ROWID;
ALTER TABLE alerts ADD COLUMN history TEXT;  -- JSON of History: of its first kind, as known when it came; or null
-- what of a delivery is also outcome; then joined_id is the horizon
"""
AFTER = "SELECT horizon, return_pct, price_usd, price_ms, simulated, known_ms FROM outcomes WHERE alert_id = ?"
HISTORIES = "SELECT kind, horizon, n, median_pct, low_pct, high_pct, down_share FROM histories WHERE kind = ?"


@dataclass(frozen=True, slots=True)
class Followups:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def keep(self, known: OutcomeKnown) -> bool:
        """Write an outcome of an alert down; False where it is known already, or the alert is not."""
        is_simulated = int(known.simulated)
        return self.db.execute(
            "INSERT OR IGNORE INTO outcomes(alert_id, horizon, return_pct, price_usd, price_ms, simulated, known_ms)"
            " SELECT alert_id, ?, ?, ?, ?, ?, ? FROM alerts WHERE alert_id = ?",
            (known.horizon, known.return_pct, known.price_usd, known.price_ms, is_simulated, known.known_ms,
             known.alert_id)).rowcount > 0

    def learn(self, history: History, at_ms: int) -> None:
        """The figures of a kind and horizon are these from now on."""
        self.db.execute("INSERT OR REPLACE INTO histories(kind, horizon, n, median_pct, low_pct, high_pct, down_share,"
                        " at_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", (*msgspec.structs.astuple(history), at_ms))

    def usual_text(self, alert: AlertReady) -> str | None:
        """JSON of the history that an alert of its first kind shows, as things are now; None where there is none."""
        rows = self.db.execute(HISTORIES, (alert.kinds[0].kind,)).fetchall() if alert.kinds else []
        found = usual([History(*row) for row in rows])
        return None if found is None else msgspec.json.encode(found).decode()

    def followed(self, alert_id: str) -> Followed:
        """What is known of an alert by now, and what was of its kind when it came."""
        (history,) = self.db.execute("SELECT history FROM alerts WHERE alert_id = ?", (alert_id,)).fetchone()
        after = [After(*row[:4], bool(row[4]), row[5]) for row in self.db.execute(AFTER, (alert_id,))]
        return Followed(tuple(sorted(after, key=lambda one: span_ms(one.horizon))),
                        None if history is None else msgspec.json.decode(history, type=History))

    def prune(self, before: Callable[[int], int]) -> None:
        """Forget old outcomes and the deliveries of such; a kind's figures stay, they are replaced. `before`:
        Timekeeper.before_ms."""
        forget(self.db, "outcomes", "alert_id, horizon", "known_ms < ? ORDER BY known_ms", (before(KEPT_MS),))
        # Looked at for a day, for there are few among many; what was missed then goes with the other deliveries.
        forget(self.db, "deliveries", "alert_id, sink, n", "at_ms BETWEEN ? AND ? AND what = 'outcome'"
               " AND state NOT IN ('waiting', 'queued')", (before(KEPT_MS + DAY_MS), before(KEPT_MS)))
