"""The rows of what waited too long: deliveries that a sink, down for a quarter of a year, did not take.

They end with a reason before their alert is forgotten, so that whatever is under way has its alert. A request that is
being made is left alone; it ends later, or comes back and is old then.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from catalyst.books.digests import GATHERED_MARK
from catalyst.core.fates import TOO_OLD

MOST = 100  # alerts, and rows of others, that one pruning looks at: each end is told to others
# In both the inner query is a slice of what is old, so that neither looks through all of it.
OF_ALERTS = """
SELECT d.alert_id, d.sink, d.n, d.state, d.slot, 1 FROM
    (SELECT alert_id FROM alerts WHERE made_ms < ? ORDER BY made_ms LIMIT ?) AS old
    JOIN deliveries AS d ON d.alert_id = old.alert_id WHERE d.state IN ('waiting', 'queued', 'gathered')
"""
# Notices, digests that only tell of alerts which are suppressed, edits of digests: what no alert's row stands for.
OF_OTHERS = """
SELECT d.alert_id, d.sink, d.n, d.state, d.slot, 0 FROM
    (SELECT * FROM deliveries WHERE at_ms < ? ORDER BY at_ms LIMIT ?) AS d WHERE d.state IN ('waiting', 'queued')
    AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.alert_id = d.alert_id)
    AND NOT EXISTS (SELECT 1 FROM deliveries AS told WHERE told.slot = d.alert_id AND told.sink = d.sink
                    AND told.state = 'gathered')
"""
IS_YOUNG = """
SELECT 1 FROM deliveries AS d JOIN alerts USING (alert_id)
    WHERE d.slot = ? AND d.sink = ? AND d.state = 'gathered' AND alerts.made_ms >= ?
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that is over: of an alert, or of what `name` else stands for; `key` is its job's."""

    name: str
    sink: str
    n: int
    key: str
    is_alert: bool


@dataclass(frozen=True, slots=True)
class Overdue:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def end(self, before_ms: int) -> list[Ended]:
        """End, as refused for being too old, a slice of the deliveries that wait since before the moment; these.

        What is told in one message ends when all of it is old.
        """
        under_way = {key for key, in self.db.execute(
            "SELECT key FROM jobs WHERE state = 'running' AND kind = 'deliver'")}
        old = [*self.db.execute(OF_ALERTS, (before_ms, MOST)), *self.db.execute(OF_OTHERS, (before_ms, MOST))]
        found: dict[Ended, None] = {}
        for name, sink, n, state, slot, is_alert in old:
            gathered = state == "gathered"
            key = digest_key(slot, sink) if gathered else slot if slot and n == 0 else job_key(name, sink, n)
            if key in under_way or (gathered and self.db.execute(IS_YOUNG, (slot, sink, before_ms)).fetchone()):
                continue
            found[Ended(name, sink, n, key, bool(is_alert))] = None
            if gathered:
                found[Ended(slot, sink, 0, key, False)] = None
        self.db.executemany(
            "UPDATE deliveries SET state = 'refused', reason = ? WHERE alert_id = ? AND sink = ? AND n = ?",
            [(TOO_OLD, one.name, one.sink, one.n) for one in found])
        return list(found)


def job_key(name: str, sink: str, n: int) -> str:
    """The key of a delivery's job, where it is not that of a place among Discord's texts."""
    return f"{name}:{n}@{sink}"


def digest_key(digest_id: str, sink: str) -> str:
    """The key of a digest's job: it holds a place among Discord's texts, unless it ends quiet hours."""
    return digest_id if digest_id.startswith(GATHERED_MARK) else job_key(digest_id, sink, 0)
