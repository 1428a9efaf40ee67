"""The rows of digests: which alerts wait for Discord one by one, and which go out several in one message.

A digest takes further alerts until its request begins. The runtime's own table of jobs says which have not: a request
that is under way, or was made once, is never taken back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from catalyst.core.delivery import DISCORD, Deliver, Digest, Sent
from catalyst.core.digest import MOST, bare
from catalyst.messages import AlertReady

WAITING = """SELECT d.alert_id, d.slot, j.priority, j.tries = 0 FROM jobs AS j JOIN deliveries AS d ON d.slot = j.key
 WHERE j.kind = 'deliver' AND j.state = 'queued' AND j.lane = ? AND d.sink = 'discord' AND d.n = 0
 AND d.state = 'queued' ORDER BY j.priority, j.id DESC"""
OPEN = """SELECT j.key FROM jobs AS j JOIN deliveries AS d ON d.slot = j.key AND d.state = 'gathered'
 WHERE j.kind = 'deliver' AND j.state = 'queued' AND j.tries = 0 AND j.lane = ? GROUP BY j.key HAVING count(*) < ?
 ORDER BY max(j.id) DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Digests:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def queue(self, payload: Deliver, lane: str, most: int) -> list[tuple[str, Deliver]]:
        """The requests, with their keys, that a new alert's text for Discord makes: its own, and where `most` (0: any
        number) wait already, that of the digest which takes in the least urgent of all of them."""
        waiting = self.db.execute(WAITING, (lane,)).fetchall() if most else []
        if not most or len(waiting) < most:
            self._seat(payload.id, payload.id, "queued")
            return [(payload.id, payload)]
        out = next(((alert_id, slot) for alert_id, slot, priority, is_untried in waiting
                    if is_untried and priority < payload.urgency), None)
        if out is None:
            return [self._gather(payload.id, lane)]
        # The new text takes the place of the other: a job of the same key replaces it.
        self._seat(payload.id, out[1], "queued")
        return [(out[1], payload), self._gather(out[0], lane)]

    def _gather(self, alert_id: str, lane: str) -> tuple[str, Deliver]:
        """Put an alert into the digest that is not full and not under way, or into a new one; its request. One
        alert in it that may be a repeat makes the digest one."""
        found = self.db.execute(OPEN, (lane, MOST)).fetchone()
        digest_id = found[0] if found is not None else f"dg-{alert_id}"
        self._seat(alert_id, digest_id, "gathered")
        self.db.execute("INSERT OR IGNORE INTO deliveries(alert_id, sink, n, state, at_ms, what)"
                        " VALUES(?, ?, 0, 'queued', ?, 'alert')", (digest_id, DISCORD, self.now_ms))
        marked: int = self.db.execute("SELECT max(possible_repeat) FROM deliveries WHERE slot = ?",
                                      (digest_id,)).fetchone()[0]
        alerts = [msgspec.json.decode(body, type=AlertReady) for body, in self.db.execute(
            "SELECT body FROM alerts WHERE alert_id IN (SELECT alert_id FROM deliveries WHERE slot = ?"
            " AND state = 'gathered') ORDER BY made_ms, alert_id", (digest_id,))]
        return digest_id, digest_payload(digest_id, DISCORD, "waiting", alerts, possible_repeat=bool(marked))

    def _seat(self, alert_id: str, slot: str, state: str) -> None:
        self.db.execute("UPDATE deliveries SET slot = ?, state = ? WHERE alert_id = ? AND sink = ? AND n = 0",
                        (slot, state, alert_id, DISCORD))

    def settle(self, payload: Deliver, state: str, sent: Sent) -> list[str]:
        """Write down what came of a digest for each alert in it; their ids. None of one after quiet hours: what it
        lists stays suppressed."""
        ids = [row[0] for row in self.db.execute(
            "UPDATE deliveries SET state = ?, sent_ms = ?, status = ?, reason = ?, at_ms = ? WHERE slot = ?"
            " AND state = 'gathered' RETURNING alert_id",
            ("digest" if state == "delivered" else state, sent.begun_ms, sent.status,
             f"digest:{payload.id}" if state == "delivered" else sent.reason, self.now_ms, payload.id))]
        return sorted(ids)


def digest_payload(digest_id: str, sink: str, cause: str, alerts: Sequence[AlertReady], *,
                   possible_repeat: bool = False) -> Deliver:
    """The request for a digest: the best alerts first, as many as one message holds; the rest is counted."""
    best = sorted(alerts, key=lambda alert: -(alert.score + alert.watched))
    digest = Digest("quiet" if cause == "quiet" else "waiting", tuple(bare(alert) for alert in best[:MOST]),
                    max(0, len(best) - MOST))
    return Deliver(id=digest_id, sink=sink, event="digest", digest=digest, possible_repeat=possible_repeat)
