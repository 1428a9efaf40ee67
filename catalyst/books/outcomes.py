"""The rows of the tracker's outcomes: what each alert's price was at each horizon. It reads and writes rows of the
tracker's database; which price counts is decided in catalyst.core.outcomes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from catalyst.books.slices import forget
from catalyst.core.history import NEWEST, history_of
from catalyst.core.outcomes import Horizon, Verdict
from catalyst.messages import AlertPosted, History, OutcomeKnown, WatchTicker

KEPT_MS = 400 * 86_400_000  # a year's statistics, and this month's of a year ago

SCHEMA = """
CREATE TABLE outcomes (
    n INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    ticker TEXT NOT NULL,
    horizon TEXT NOT NULL,       -- as in CATALYST_HORIZONS when the alert went out
    base_usd REAL,               -- the alert's price, null where unknown; in the new shares once a split is known
    base_ms INTEGER NOT NULL,    -- when the alert went out
    due_ms INTEGER NOT NULL,     -- the moment whose price counts
    price_usd REAL,
    price_ms INTEGER,            -- beginning of the bar that the price is from
    return_pct REAL,             -- null where one of the two prices is unknown or nothing was traded since
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'unknown')),
    reason TEXT,                 -- why it is unknown
    simulated INTEGER NOT NULL,  -- 1: not from a market; never mixed with the others
    asked_ms INTEGER NOT NULL,   -- when market was last asked
    asks INTEGER NOT NULL DEFAULT 1,
    UNIQUE (item_id, ticker, horizon)
);
-- verb_outcomes by alerts
CREATE INDEX outcomes_by_alert ON outcomes(alert_id);
-- verb_outcomes since a time, and the pruning
CREATE INDEX outcomes_by_time ON outcomes(base_ms, n);
-- ask_again: what is open long after its time
CREATE INDEX outcomes_open ON outcomes(due_ms) WHERE state = 'open';
"""

JUMPED = """
ALTER TABLE outcomes ADD COLUMN jumped_ms INTEGER NOT NULL DEFAULT 0;  -- the clock's jumps since the alert, in sum
"""

FOLLOWED = """
ALTER TABLE outcomes ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- the first of the alert's, empty where it had none
UPDATE outcomes SET kind = coalesce((SELECT json_extract(fates.kinds, '$[0]') FROM fates
    WHERE fates.item_id = outcomes.item_id AND fates.ticker = outcomes.ticker), '');
-- history: the newest of a kind and horizon that count, without a look at their rows
CREATE INDEX outcomes_that_count ON outcomes(kind, horizon, simulated, base_ms, return_pct)
    WHERE return_pct IS NOT NULL;
"""

SHOWN = ("item_id", "alert_id", "ticker", "horizon", "base_usd", "base_ms", "due_ms", "price_usd", "price_ms",
         "return_pct", "state", "reason", "simulated")


@dataclass(frozen=True, slots=True)
class Open:
    """An outcome that is still to come."""

    item_id: str
    ticker: str
    horizon: str
    due_ms: int
    base_usd: float | None
    base_ms: int
    simulated: bool
    asks: int
    jumped_ms: int = 0
    alert_id: str = ""
    kind: str = ""  # the alert's first

    def wish(self) -> WatchTicker:
        """What market is asked for."""
        return WatchTicker(item_id=self.item_id, ticker=self.ticker, horizon=self.horizon, due_ms=self.due_ms)

    def known(self, verdict: Verdict, history: History | None, now_ms: int) -> OutcomeKnown | None:
        """What the alerter is told of its end; None where it is `unknown`."""
        if (verdict.return_pct is None or verdict.price_usd is None or verdict.price_ms is None
                or self.base_usd is None):
            return None
        base_usd = self.base_usd if verdict.base_usd is None else verdict.base_usd
        return OutcomeKnown(item_id=self.item_id, alert_id=self.alert_id, ticker=self.ticker, horizon=self.horizon,
                            return_pct=verdict.return_pct, price_usd=verdict.price_usd, price_ms=verdict.price_ms,
                            base_usd=base_usd, simulated=verdict.simulated, known_ms=now_ms, history=history)


@dataclass(frozen=True, slots=True)
class Outcomebook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def shift(self, by_ms: int) -> None:
        """The clock jumped: an open outcome's moment is no longer as far from its alert as it should be."""
        self.db.execute("UPDATE outcomes SET jumped_ms = jumped_ms + ? WHERE state = 'open'", (by_ms,))

    def begin(self, posted: AlertPosted, horizons: Sequence[Horizon], jumped_ms: int) -> list[WatchTicker]:
        """A row for each horizon of an alert, and what to ask market; nothing for an alert that has rows. `jumped_ms`:
        by how much the clock jumped since the alert went out."""
        if self.db.execute("SELECT 1 FROM outcomes WHERE item_id = ? AND ticker = ?",
                           (posted.item_id, posted.ticker)).fetchone():
            return []
        wishes = []
        for horizon in horizons:
            row = Open(posted.item_id, posted.ticker, horizon.name, posted.posted_ms + horizon.after_ms,
                       posted.price_usd, posted.posted_ms, posted.simulated, 1, jumped_ms, posted.alert_id,
                       next(iter(posted.kinds), ""))
            self.db.execute(
                "INSERT INTO outcomes(item_id, alert_id, ticker, horizon, base_usd, base_ms, due_ms, simulated,"
                " asked_ms, jumped_ms, kind) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (row.item_id, row.alert_id, row.ticker, row.horizon, row.base_usd, row.base_ms, row.due_ms,
                 row.simulated, self.now_ms, jumped_ms, row.kind))
            wishes.append(row.wish())
        return wishes

    def find(self, item_id: str, ticker: str, horizon: str) -> Open | None:
        """The outcome while it is open, else None."""
        found = self._open("item_id = ? AND ticker = ? AND horizon = ?", (item_id, ticker, horizon))
        return found[0] if found else None

    def overdue(self, due_before_ms: int, asked_before_ms: int, most: int) -> list[Open]:
        """Open outcomes that fell due and were last asked for before these moments, oldest first."""
        return self._open("due_ms < ? AND asked_ms < ? ORDER BY due_ms, n LIMIT ?",
                          (due_before_ms, asked_before_ms, most))

    def _open(self, where: str, parameters: tuple[Any, ...]) -> list[Open]:
        rows = self.db.execute(
            "SELECT item_id, ticker, horizon, due_ms, base_usd, base_ms, simulated, asks, jumped_ms, alert_id, kind"  # noqa: S608
            f" FROM outcomes WHERE state = 'open' AND {where}", parameters).fetchall()
        return [Open(*row[:6], bool(row[6]), *row[7:]) for row in rows]

    def end(self, row: Open, verdict: Verdict) -> None:
        """Write down how an open outcome ended."""
        self.db.execute(
            "UPDATE outcomes SET base_usd = coalesce(?, base_usd), price_usd = ?, price_ms = ?, return_pct = ?,"
            " state = ?, reason = ?, simulated = ? WHERE item_id = ? AND ticker = ? AND horizon = ?",
            (verdict.base_usd, verdict.price_usd, verdict.price_ms, verdict.return_pct, verdict.state, verdict.reason,
             verdict.simulated, row.item_id, row.ticker, row.horizon))

    def asked(self, row: Open) -> None:
        """Market is asked once more."""
        self.db.execute("UPDATE outcomes SET asked_ms = ?, asks = asks + 1 WHERE item_id = ? AND ticker = ?"
                        " AND horizon = ?", (self.now_ms, row.item_id, row.ticker, row.horizon))

    def history(self, kind: str, horizon: str, since_ms: int) -> History | None:
        """How the newest alerts of a kind, of those since a moment, have done; None without any, or for no kind."""
        if not kind:
            return None
        return history_of(kind, horizon, (row[0] for row in self.db.execute(
            "SELECT return_pct FROM outcomes WHERE kind = ? AND horizon = ? AND simulated = 0 AND base_ms >= ?"
            " AND return_pct IS NOT NULL ORDER BY base_ms DESC LIMIT ?", (kind, horizon, since_ms, NEWEST))))

    def of_item(self, item_id: str) -> list[dict[str, Any]]:
        """All outcomes of an item, by ticker and time."""
        return self._shown("item_id = ? ORDER BY ticker, due_ms", (item_id,))[0]

    def of_alerts(self, alert_ids: Sequence[str]) -> list[dict[str, Any]]:
        """All outcomes of some alerts, by alert and time."""
        return self._shown("alert_id IN (SELECT value FROM json_each(?)) ORDER BY alert_id, due_ms",
                           (json.dumps(alert_ids),))[0]

    def since(self, after: tuple[int, int], most: int, *, simulated: bool) -> tuple[list[dict[str, Any]],
                                                                                    tuple[int, int] | None]:
        """Outcomes of alerts that went out after a place (time, number), and the place to go on from, None at the end.

        Those of simulated prices are a population of their own and come only when asked for, then alone.
        """
        shown, places = self._shown("(base_ms, n) > (?, ?) AND simulated = ? ORDER BY base_ms, n LIMIT ?",
                                    (*after, simulated, most))
        return shown, places[-1] if len(places) == most else None

    def _shown(self, where: str, parameters: tuple[Any, ...]) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
        rows = self.db.execute(f"SELECT {', '.join(SHOWN)}, n FROM outcomes WHERE {where}",  # noqa: S608
                               parameters).fetchall()
        shown = [dict(zip(SHOWN, row, strict=False)) | {"simulated": bool(row[-2])} for row in rows]
        return shown, [(row[5], row[-1]) for row in rows]

    def prune(self, before: Callable[[int], int]) -> None:
        """Forget the outcomes of old alerts. `before`: Timekeeper.before_ms."""
        forget(self.db, "outcomes", "n", "base_ms < ? ORDER BY base_ms", (before(KEPT_MS),))
