"""What the alerter sets going: the next request for each message at each sink, the times for which a sink is left
alone, and what tracker and operator are told of how it ended.

The books (catalyst.books) say what is due; here it becomes jobs, holds and messages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from catalyst import log
from catalyst.books.deliveries import Deliveries
from catalyst.books.digests import Digests
from catalyst.books.lanes import Lanes
from catalyst.books.overdue import Overdue, job_key
from catalyst.clients.sinks import address, lane_of, per_minute
from catalyst.core.delivery import DISCORD, OPS, WEBHOOK, Deliver, Sent, What
from catalyst.core.endings import fates, gave_up, notice_id
from catalyst.core.fates import TOO_OLD
from catalyst.messages import OpsNotice, StoryCorrected, StoryJoined
from catalyst.runtime.contract import Cancel, Hold, Job, Output
from catalyst.settings import Settings

KIND = "deliver"
URGENCY = {"info": 0.0, "warning": 0.5, "critical": 2.0}  # a critical notice passes every alert


@dataclass(frozen=True, slots=True)
class Sending:
    """What follows from the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int
    settings: Settings

    @property
    def rows(self) -> Deliveries:
        """Alerts and deliveries."""
        return Deliveries(self.db, self.now_ms)

    @property
    def digests(self) -> Digests:
        """Those that are told together."""
        return Digests(self.db, self.now_ms)

    @property
    def lanes(self) -> Lanes:
        """What the sinks allow."""
        return Lanes(self.db, self.now_ms)

    # -- requests

    def advance(self, alert_id: str, sink: str, *, alone: bool = False) -> Iterator[Output]:
        """Start the next delivery of an alert at a sink, if it is time for one; `alone`: not in a digest."""
        if sink == DISCORD and (digest_id := self.digests.hand_over(alert_id)):
            yield from self.edit_digest(digest_id)
            return
        if (payload := self.rows.next_payload(alert_id, sink)) is None or payload.alert is None:
            return
        requests = [("", payload)]
        if sink == DISCORD and payload.n == 0:
            requests = self.digests.queue_alone(payload) if alone else self.digests.queue(
                payload, self.settings.digest_from)
        for key, one in requests:
            yield self.request(one, payload.alert.item_id, key)

    def request(self, payload: Deliver, item_id: str = "", key: str = "") -> Job:
        """The job of a delivery; an edit leaves room for new texts."""
        lane = lane_of(self.settings, payload.sink)
        room_ms = self.lanes.room_ms(lane, per_minute(self.settings, lane)) if payload.n else 0
        return Job(KIND, payload, lane, key or job_key(payload.id, payload.sink, payload.n), payload.urgency, item_id,
                   room_ms)

    def edit(self, alert_id: str, about: str, what: What, told_ms: int) -> Iterator[Output]:
        """Tell more of an alert at each sink that has it: `about` an item, or a horizon, known since `told_ms`."""
        for sink in self.rows.add_update(alert_id, about, what, told_ms):
            yield from self.advance(alert_id, sink)

    def edit_digest(self, digest_id: str) -> Iterator[Output]:
        """Show what followed the alerts of a digest in its message, if there is something new."""
        if (payload := self.digests.next_edit(digest_id)) is not None:
            yield self.request(payload)

    def follow(self, joined: StoryJoined | StoryCorrected, what: What) -> Iterator[Output]:
        """Edit what is told beside the story into its alerts; it shares their fate."""
        if not self.rows.add_wire(joined):
            return
        for alert_id in dict.fromkeys(map(self.rows.told_as, self.rows.alerts_of(joined.item_id))):
            yield from self.edit(alert_id, joined.joined_id, what, joined.seen_ms)
            alert, state = self.rows.alert(alert_id)
            yield from fates(alert, state, (joined.joined_id,), self.now_ms, self.rows.why(alert_id))

    def one_by_one(self, digest: Deliver) -> Iterator[Output]:
        """A digest was refused for what it says: each alert in it is posted by itself, and none in a digest again."""
        for alert_id in self.digests.split(digest):
            yield from self.advance(alert_id, DISCORD, alone=True)

    def notice(self, notice: OpsNotice) -> Iterator[Output]:
        """One notice an affair and episode, to the operator's own channel and the signed webhook."""
        found = notice_id(notice)
        for sink in (OPS, WEBHOOK):
            if address(self.settings, sink) and self.rows.add(found, sink, 0, state="queued"):
                yield Job(KIND, Deliver(id=found, sink=sink, event="ops", notice=notice),
                          lane_of(self.settings, sink), job_key(found, sink, 0), URGENCY[notice.severity])

    # -- ends

    def ended(self, payload: Deliver, state: str, sent: Sent) -> Iterator[Output]:
        """A delivery came to its end: go on with what waits for it, and tell the tracker of what is decided by it."""
        ids = [payload.id] if payload.event != "ops" else []
        if payload.digest is not None:
            ids = self.digests.settle(payload, state, sent)
        for alert_id in ids:
            yield from self.advance(alert_id, payload.sink)
            yield from self.conclude(alert_id)
        if payload.digest is not None and payload.n > 0:
            yield from self.edit_digest(payload.id)

    def conclude(self, alert_id: str, reason: str = "") -> Iterator[Output]:
        """Tell the tracker when the first sink has the alert, or when none will; its further wires share its fate.
        `reason`: why it is dead, if not for a refusal."""
        if self.rows.conclude(alert_id) is not None:
            yield from self.tell_fate(alert_id, reason)

    def tell_fate(self, alert_id: str, reason: str = "") -> Iterator[Output]:
        """Tell the tracker what became of an alert's items."""
        alert, state = self.rows.alert(alert_id)
        yield from fates(alert, state, self.rows.shared(alert), self.now_ms, reason or self.rows.why(alert_id))

    def give_up(self, before_ms: int) -> Iterator[Output]:
        """End what waits since before the moment for a sink that does not take it; the operator hears once a sink."""
        ended = Overdue(self.db).end(before_ms)
        for sink in sorted({one.sink for one in ended}):
            texts = [one for one in ended if one.sink == sink and one.n == 0]
            log.warning("given_up", sink=sink, reason=TOO_OLD, deliveries=len(ended), texts=len(texts))
            if any(one.is_alert for one in texts):
                yield from self.notice(gave_up(sink, self.now_ms))
        for one in ended:
            yield Cancel(KIND, one.key)
            if one.is_alert and one.n == 0:
                yield from self.conclude(one.name, TOO_OLD)

    # -- sinks

    def hold(self, lane: str, until_ms: int = 0) -> Iterator[Output]:
        """Keep the lane shut until `until_ms` and until its sink allows a request; its edits leave room for texts."""
        most = per_minute(self.settings, lane)
        self.lanes.make_room(lane, most)
        opens_ms = max(until_ms, self.lanes.opens_ms(lane, most))
        if opens_ms > self.now_ms:
            yield Hold(lane, opens_ms)

    def hold_discord(self, lane: str) -> Iterator[Output]:
        """A limit that `lane` met is about all that goes to Discord from here: the other lane waits too."""
        for other in {DISCORD, OPS} - {lane}:
            self.lanes.block(other, lane)
            yield from self.hold(other)
