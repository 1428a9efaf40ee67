"""tracker: knows what became of every item.

receives  AlertPosted  from alerter
receives  ItemDropped  from any actor
sends     nothing
stores    fates        one row an item and ticker, kept 30 days
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from catalyst.core.fates import FOLDED, Fate, best
from catalyst.errors import UsageError
from catalyst.messages import AlertPosted, ItemDropped
from catalyst.runtime.contract import Actor, Every, Output

KEPT_MS = 30 * 86_400_000
MOST_ITEMS = 1_000  # in one answer of `fates`

SCHEMA = """
CREATE TABLE fates (
    item_id TEXT NOT NULL,
    ticker TEXT NOT NULL,   -- empty: the item ended before a ticker was found
    fate TEXT NOT NULL,     -- alerted, dead or dropped
    reason TEXT,            -- why it was dropped or died; "folded": alerted as an update of another item's alert
    stage TEXT NOT NULL,    -- the actor where it ended
    kinds TEXT NOT NULL,    -- JSON list of names
    score REAL,             -- 0 to 1, null where it was never scored
    alert_id TEXT,
    price_usd REAL,         -- of the alert, null where unknown
    simulated INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (item_id, ticker)
) WITHOUT ROWID;
-- verb_fates with a time, and the hourly pruning
CREATE INDEX fates_by_time ON fates(at_ms, item_id);
"""


class Tracker(Actor):
    """Keeps the best fact of each item and ticker; asked, it names the item's fate."""

    name = "tracker"
    inbox = (AlertPosted, ItemDropped)
    outbox = ()
    tables = (SCHEMA,)
    every = (Every("prune", 3_600),)

    def on_alert_posted(self, posted: AlertPosted, db: sqlite3.Connection) -> Iterator[Output]:
        """The item went out, by itself or folded into an earlier alert."""
        fact = Fate("alerted", FOLDED if posted.folded else None, posted.ticker, "alerter", posted.kinds, posted.score,
                    posted.alert_id)
        self._keep(posted.item_id, fact, posted.price_usd, posted.simulated, posted.posted_ms, db)
        return iter(())

    def on_item_dropped(self, dropped: ItemDropped, db: sqlite3.Connection) -> Iterator[Output]:
        """The item ended, for one ticker or altogether."""
        fact = Fate(dropped.fate, dropped.reason, dropped.ticker, dropped.stage, dropped.kinds, dropped.score)
        self._keep(dropped.item_id, fact, None, False, dropped.dropped_ms, db)
        return iter(())

    def _keep(self, item_id: str, fact: Fate, price_usd: float | None, simulated: bool, at_ms: int,
              db: sqlite3.Connection) -> None:
        """Write the fact down unless a better one of the same item and ticker is there."""
        self.counters.add(fact.fate)
        row = db.execute("SELECT fate, reason, ticker, stage, kinds, score, alert_id FROM fates"
                         " WHERE item_id = ? AND ticker = ?", (item_id, fact.ticker)).fetchone()
        if row is not None and best((fact, _fact(row))) != fact:
            return
        db.execute("INSERT OR REPLACE INTO fates(item_id, ticker, fate, reason, stage, kinds, score, alert_id,"
                   " price_usd, simulated, at_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   (item_id, fact.ticker, fact.fate, fact.reason, fact.stage, json.dumps(fact.kinds), fact.score,
                    fact.alert_id, price_usd, simulated, at_ms))

    def verb_fates(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Fates of the items in `ids` (at most 1,000), or of those since `since_ms`, in the order of their ids.

        `{"fates": {item_id: {"fate", "reason", "ticker", "kinds", "score", "alert_id"}}, "next": item_id | null}`; an
        unknown item is absent. Ask again with `after` = `next` until it is null. Raises UsageError for other arguments.
        """
        if "ids" in arguments:
            ids = arguments["ids"]
            if not isinstance(ids, (list, tuple)) or not all(isinstance(item_id, str) for item_id in ids):
                raise UsageError("ids is a list of item ids")
            if len(ids) > MOST_ITEMS:
                raise UsageError(f"at most {MOST_ITEMS} ids a call")
            return {"fates": self._fates(ids, db), "next": None}
        since_ms, after = arguments.get("since_ms", 0), arguments.get("after") or ""
        if not isinstance(since_ms, (int, float)) or not isinstance(after, str):
            raise UsageError("since_ms is a number, after an item id")
        ids = [row[0] for row in db.execute(
            "SELECT DISTINCT item_id FROM fates WHERE at_ms >= ? AND item_id > ? ORDER BY item_id LIMIT ?",
            (since_ms, after, MOST_ITEMS))]
        return {"fates": self._fates(ids, db), "next": ids[-1] if len(ids) == MOST_ITEMS else None}

    def _fates(self, ids: Sequence[str], db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
        facts: dict[str, list[Fate]] = defaultdict(list)
        rows = db.execute("SELECT item_id, fate, reason, ticker, stage, kinds, score, alert_id FROM fates"
                          " WHERE item_id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
        for item_id, *row in rows:
            facts[item_id].append(_fact(row))
        return {item_id: _shown(best(facts[item_id])) for item_id in ids if item_id in facts}

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old items."""
        db.execute("DELETE FROM fates WHERE at_ms < ?", (self.now_ms - KEPT_MS,))
        return iter(())


def _fact(row: Sequence[Any]) -> Fate:
    fate, reason, ticker, stage, kinds, score, alert_id = row
    return Fate(fate, reason, ticker, stage, tuple(json.loads(kinds)), score, alert_id)


def _shown(fact: Fate) -> dict[str, Any]:
    return {"fate": fact.fate, "reason": fact.reason, "ticker": fact.ticker or None, "kinds": list(fact.kinds),
            "score": fact.score, "alert_id": fact.alert_id}
