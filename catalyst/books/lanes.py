"""What each sink allows and how often it failed, as rows of the alerter's database.

When a request may go out is decided in catalyst.core.limiter.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import msgspec

from catalyst import log
from catalyst.core.delivery import Sent
from catalyst.core.limiter import Limits, after_response, after_silence, moved, open_at_ms, room_at_ms

LONG_LIMIT_S = 10  # of a 429; shorter ones belong to a busy day


@dataclass(frozen=True, slots=True)
class Lanes:
    """Access to the rows of the table `limits`, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def shift(self, by_ms: int) -> None:
        """The clock jumped: what a sink allows, it allows after the same time."""
        for lane, body, failures in self.db.execute("SELECT lane, body, failures FROM limits").fetchall():
            self._save_limits(lane, moved(msgspec.json.decode(body, type=Limits), by_ms), failures)

    def limits(self, lane: str) -> tuple[Limits, int]:
        """What a lane's sink allows, and its failures in a row."""
        row = self.db.execute("SELECT body, failures FROM limits WHERE lane = ?", (lane,)).fetchone()
        return (msgspec.json.decode(row[0], type=Limits), row[1]) if row else (Limits(), 0)

    def account(self, lane: str, sent: Sent | None) -> int:
        """Count a request (None: one whose end nobody saw) among the lane's; the failures in a row, this included."""
        limits, failures = self.limits(lane)
        if sent is None:
            self._save_limits(lane, after_silence(limits, self.now_ms), failures)
            return failures
        if sent.status is not None:
            limits = after_response(limits, sent.status, sent.headers, sent.body, sent.done_ms)
        elif sent.outcome in ("ambiguous", "delivered"):  # without a status: it counts as made all the same
            limits = after_silence(limits, sent.done_ms)
        before, failures = failures, 0
        if sent.outcome in ("retry", "ambiguous") and sent.status != 429:
            failures = before + 1
        self._save_limits(lane, limits, failures)
        self._tell(lane, sent, limits, before, failures)
        return failures

    def _tell(self, lane: str, sent: Sent, limits: Limits, before: int, failures: int) -> None:
        """One line in the log where a sink begins to wait, however often it fails then, and one where that is over; one
        for a limit that is no everyday one."""
        blocked_s = (limits.blocked_ms - sent.done_ms) // 1000
        if failures and not before:
            log.warning("sink_waits", sink=lane, reason=sent.reason)
        elif before and not failures:
            log.info("sink_takes_again", sink=lane, failures=before)
        if sent.status == 429 and blocked_s >= LONG_LIMIT_S:
            log.warning("sink_waits", sink=lane, reason=sent.reason, for_s=blocked_s)

    def block(self, lane: str, by: str) -> None:
        """Shut a lane for as long as the lane `by` is blocked."""
        limits, failures = self.limits(lane)
        until_ms = max(limits.blocked_ms, self.limits(by)[0].blocked_ms)
        self._save_limits(lane, msgspec.structs.replace(limits, blocked_ms=until_ms), failures)

    def opens_ms(self, lane: str, per_minute: int) -> int:
        """When the lane's sink allows the next request; `per_minute` is our own cap, 0 none."""
        return open_at_ms(self.limits(lane)[0], per_minute, self.now_ms)

    def room_ms(self, lane: str, per_minute: int) -> int:
        """When the lane has room for an edit, so that a new text need not wait for a minute of edits to pass."""
        return room_at_ms(self.limits(lane)[0], per_minute, self.now_ms)

    def make_room(self, lane: str, per_minute: int) -> None:
        """Let the edits that wait for the lane, in the runtime's table of jobs, wait for room."""
        if (room_ms := self.room_ms(lane, per_minute)) > self.now_ms:
            self.db.execute("UPDATE jobs SET not_before_ms = ?1 WHERE state = 'queued' AND kind = 'deliver'"
                            " AND lane = ?2 AND priority < 0 AND not_before_ms < ?1", (room_ms, lane))

    def _save_limits(self, lane: str, limits: Limits, failures: int) -> None:
        self.db.execute("INSERT OR REPLACE INTO limits(lane, body, failures) VALUES(?, ?, ?)",
                        (lane, msgspec.json.encode(limits).decode(), failures))
