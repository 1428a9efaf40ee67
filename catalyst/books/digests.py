"""The rows of digests: which alerts wait for Discord one by one, and which go out several in one message.

A digest takes further alerts until its request begins. The runtime's own table of jobs says which have not: a request
that is under way, or was made once, is never taken back. What follows an alert that a digest told of is edited into the
digest's message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from catalyst.books.deliveries import Deliveries
from catalyst.books.steps import begin_step, mark
from catalyst.core.delivery import DISCORD, WEBHOOK, Cause, Deliver, Digest, Sent, Source
from catalyst.core.digest import MOST, bare
from catalyst.core.quiet import Rules
from catalyst.messages import AlertReady

GATHERED_MARK, QUIET_MARK = "dg-", "qt-"  # how the ids of the two kinds of digests begin
ALONE_MARK = "alone-"  # how the place of an alert begins whose digest was refused
UNSHOWN = ("chart", "outcome")  # what a digest has no place for

WAITING = """SELECT d.alert_id, d.slot, j.priority, j.tries = 0 AND d.reason IS NULL
 FROM jobs AS j JOIN deliveries AS d ON d.slot = j.key
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

    def queue_alone(self, payload: Deliver) -> list[tuple[str, Deliver]]:
        """The request, with its key, for the text of an alert that goes into no digest: with a place of its own, for
        the one that it had before may be another's by now."""
        slot = f"{ALONE_MARK}{payload.id}"
        self._seat(payload.id, slot, "queued")
        return [(slot, payload)]

    def queue(self, payload: Deliver, most: int) -> list[tuple[str, Deliver]]:
        """The requests, with their keys, that a new alert's text for Discord makes: its own, and where `most` (0: any
        number) wait already, that of the digest which takes in the least urgent of all of them."""
        waiting = self.db.execute(WAITING, (DISCORD,)).fetchall() if most else []
        if not most or len(waiting) < most:
            self._seat(payload.id, payload.id, "queued")
            return [(payload.id, payload)]
        out = next(((alert_id, slot) for alert_id, slot, priority, is_untried in waiting
                    if is_untried and priority < payload.urgency), None)
        if out is None:
            return [self._gather(payload.id)]
        # The new text takes the place of the other: a job of the same key replaces it.
        self._seat(payload.id, out[1], "queued")
        return [(out[1], payload), self._gather(out[0])]

    def _gather(self, alert_id: str) -> tuple[str, Deliver]:
        """Put an alert into the digest that is not full and not under way, or into a new one; its request. One
        alert in it that may be a repeat makes the digest one."""
        found = self.db.execute(OPEN, (DISCORD, MOST)).fetchone()
        digest_id = found[0] if found is not None else f"{GATHERED_MARK}{alert_id}"
        self._seat(alert_id, digest_id, "gathered")
        self.db.execute("INSERT OR IGNORE INTO deliveries(alert_id, sink, n, state, at_ms, what)"
                        " VALUES(?, ?, 0, 'queued', ?, 'alert')", (digest_id, DISCORD, self.now_ms))
        marked: int = self.db.execute("SELECT max(possible_repeat) FROM deliveries WHERE slot = ?",
                                      (digest_id,)).fetchone()[0]
        alerts = [msgspec.json.decode(body, type=AlertReady) for body, in self.db.execute(
            "SELECT body FROM alerts WHERE alert_id IN (SELECT alert_id FROM deliveries WHERE slot = ?"
            " AND state = 'gathered') ORDER BY made_ms, alert_id", (digest_id,))]
        return digest_id, self._request(digest_id, DISCORD, "waiting", alerts, possible_repeat=bool(marked))

    def _seat(self, alert_id: str, slot: str, state: str) -> None:
        self.db.execute("UPDATE deliveries SET slot = ?, state = ? WHERE alert_id = ? AND sink = ? AND n = 0",
                        (slot, state, alert_id, DISCORD))

    def after_quiet(self, held: Sequence[AlertReady], sinks: Iterable[str],
                    rules: Rules) -> tuple[str, list[Deliver]]:
        """The id of the digest of what quiet hours held, and its requests: one to each sink, of that which it wants.

        It is noted which alerts it tells of there, which stay suppressed; none at the signed webhook, where such a
        digest is a notice and no alert.
        """
        digest_id, requests = f"{QUIET_MARK}{held[0].alert_id}", []
        for sink in sinks:
            wanted = [alert for alert in held if not rules.refuses(sink, alert)]
            if wanted and Deliveries(self.db, self.now_ms).add(digest_id, sink, 0, state="queued"):
                requests.append(self._request(digest_id, sink, "quiet", wanted))
                self.db.executemany(
                    "INSERT OR IGNORE INTO deliveries(alert_id, sink, n, state, at_ms, what, slot)"
                    " VALUES(?, ?, 0, 'gathered', ?, 'alert', ?)",
                    [(one.alert_id, sink, self.now_ms, digest_id) for one in wanted if sink != WEBHOOK])
        return digest_id, requests

    def settle(self, payload: Deliver, state: str, sent: Sent) -> list[str]:
        """Write down what came of a digest for each alert in it; their ids."""
        ids = [row[0] for row in self.db.execute(
            "UPDATE deliveries SET state = ?, sent_ms = ?, status = ?, reason = ?, at_ms = ? WHERE slot = ?"
            " AND sink = ? AND state = 'gathered' RETURNING alert_id",
            ("digest" if state == "delivered" else state, sent.begun_ms, sent.status,
             f"digest:{payload.id}" if state == "delivered" else sent.reason, self.now_ms, payload.id, payload.sink))]
        return sorted(ids)

    def split(self, payload: Deliver) -> list[str]:
        """Take the alerts out of a digest that was refused; their ids. What holds a reason goes into no digest again:
        it is posted by itself, or refused. Where the digest may be out, each of them may be told already."""
        is_doubtful = payload.possible_repeat or payload.unsure > 0
        return [row[0] for row in self.db.execute(
            "UPDATE deliveries SET state = 'waiting', reason = ?, possible_repeat = max(possible_repeat, ?)"
            " WHERE slot = ? AND sink = ? AND state = 'gathered' RETURNING alert_id",
            (f"refused:{payload.id}", is_doubtful, payload.id, payload.sink)).fetchall()]

    def hand_over(self, alert_id: str) -> str:
        """The digest at Discord that told of an alert, empty where none did. What waits for the alert there becomes an
        edit of that digest, or ends where the digest has no place for it, as for an alert that it only counted."""
        row = self.db.execute("SELECT slot FROM deliveries WHERE alert_id = ? AND sink = ? AND n = 0"
                              " AND state = 'digest'", (alert_id, DISCORD)).fetchone()
        if row is None:
            return ""
        digest_id: str = row[0]
        waiting = self.db.execute("SELECT n, joined_id, what FROM deliveries WHERE alert_id = ? AND sink = ? AND n > 0"
                                  " AND state = 'waiting' ORDER BY n", (alert_id, DISCORD)).fetchall()
        is_shown = bool(waiting) and alert_id in {one.alert_id for one in self._digest(digest_id).alerts}
        for n, joined_id, what in waiting:
            is_told = is_shown and what not in UNSHOWN
            mark(self.db, alert_id, DISCORD, "folded" if is_told else "refused", (n,))
            if is_told:
                self.db.execute(
                    "INSERT INTO deliveries(alert_id, sink, n, state, joined_id, at_ms, what) SELECT ?1, ?2,"
                    " max(n) + 1, 'waiting', ?3, ?4, ?5 FROM deliveries WHERE alert_id = ?1 AND sink = ?2",
                    (digest_id, DISCORD, joined_id, self.now_ms, what))
        return digest_id

    def next_edit(self, digest_id: str) -> Deliver | None:
        """The edit that shows all that followed the alerts of a digest; None when nothing is due, or not yet."""
        if (step := begin_step(self.db, digest_id, DISCORD)) is None:
            return None
        return Deliver(id=digest_id, sink=DISCORD, event="update", n=step.chosen.n, what=step.what,
                       digest=self._followed(self._digest(digest_id)), message_id=step.first.message_id,
                       sent_ms=step.first.sent_ms, possible_repeat=bool(step.first.possible_repeat))

    def _digest(self, digest_id: str) -> Digest:
        """The digest as it went to Discord."""
        alerts = [msgspec.json.decode(body, type=AlertReady) for body, in self.db.execute(
            "SELECT body FROM alerts WHERE alert_id IN (SELECT alert_id FROM deliveries WHERE slot = ? AND sink = ?"
            " AND state = 'digest') ORDER BY made_ms, alert_id", (digest_id, DISCORD))]
        return digest_of("quiet" if digest_id.startswith(QUIET_MARK) else "waiting", alerts)

    def _followed(self, digest: Digest) -> Digest:
        """The digest with what followed its alerts by now: further wires, repeats folded into them, corrections."""
        rows = Deliveries(self.db, self.now_ms)
        sources = {alert.alert_id: tuple(Source(one.source, one.link) for one in (
            *rows.wires(alert), *rows.folded(alert.alert_id))) for alert in digest.alerts}
        corrections = {alert.alert_id: tuple(rows.corrections(alert)) for alert in digest.alerts}
        return msgspec.structs.replace(digest, sources=sources, corrections=corrections)

    def _request(self, digest_id: str, sink: str, cause: Cause, alerts: Sequence[AlertReady], *,
                 possible_repeat: bool = False) -> Deliver:
        """The request for a digest."""
        return Deliver(id=digest_id, sink=sink, event="digest", digest=self._followed(digest_of(cause, alerts)),
                       possible_repeat=possible_repeat)


def digest_of(cause: Cause, alerts: Sequence[AlertReady]) -> Digest:
    """The best alerts first, as many as one message holds; the rest is counted."""
    best = sorted(alerts, key=lambda alert: -(alert.score + alert.watched))
    return Digest(cause, tuple(bare(alert) for alert in best[:MOST]), max(0, len(best) - MOST))
