"""The next request for a message: which of its deliveries starts now, and which end without one. It reads and marks
rows of the alerter's table `deliveries`; the rule is catalyst.core.delivery.plan.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from catalyst.core.delivery import Row, What, plan


@dataclass(frozen=True, slots=True)
class Step:
    """The delivery that starts, the `first` one of the same message, and the most urgent of what it shows."""

    first: Row
    chosen: Row
    what: What


def begin_step(db: sqlite3.Connection, message: str, sink: str) -> Step | None:
    """Mark the next delivery of an alert or a digest to a sink as `queued`; None when nothing is due, or not yet."""
    rows = [Row(*row) for row in db.execute(
        "SELECT n, state, message_id, sent_ms, possible_repeat, joined_id, what FROM deliveries"
        " WHERE alert_id = ? AND sink = ? ORDER BY n", (message, sink))]
    step = plan(rows, sink)
    mark(db, message, sink, "folded", step.folded)
    mark(db, message, sink, "refused", step.refused)
    if step.start is None:
        return None
    mark(db, message, sink, "queued", (step.start,))
    return Step(rows[0], next(row for row in rows if row.n == step.start), step.what)


def mark(db: sqlite3.Connection, message: str, sink: str, state: str, numbers: Iterable[int]) -> None:
    """Set the state of some deliveries."""
    db.executemany("UPDATE deliveries SET state = ? WHERE alert_id = ? AND sink = ? AND n = ?",
                   [(state, message, sink, n) for n in numbers])
