"""alerter: posts each alert once to each sink, edits it when more is known, holds back what is unwanted, and carries
notices to the operator.

receives  AlertReady   from market
receives  StoryJoined  from fetcher (another wire carries the story)
receives  StoryCorrected from fetcher (its publisher corrects the story)
receives  ChartReady   from charter (edited into the alert's message)
receives  OutcomeKnown from tracker (what the price did since; edited into the alert's message)
receives  OpsNotice    from any actor
sends     AlertPosted  to tracker (out at the first sink; also for an item folded into an earlier alert)
sends     ItemDropped  to tracker (dead: no sink took it; dropped: muted, quiet hours, filters)
stores    alerts       one row an alert, kept 90 days
stores    deliveries   one row an alert or notice, update and sink
stores    charts       one row an alert, kept 8 days; 24 hours while it has no alert
stores    wires        further wires of a story and its corrections; 24 hours while it has no alert
stores    outcomes     one row an alert and horizon, kept 30 days
stores    histories    how alerts of a kind have done, one row a kind and horizon
stores    limits       what each sink allows
stores    closed       sinks whose address is gone
stores    mutes        what a person wants to hear nothing of, until its end
stores    birth        since when this database holds everything
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from catalyst import log
from catalyst.books import followups, quiet
from catalyst.books.deliveries import CHARTS, CORRECTIONS, SCHEMA, Deliveries
from catalyst.books.digests import Digests
from catalyst.books.followups import Followups
from catalyst.books.lanes import Lanes
from catalyst.books.quiet import Quietbook
from catalyst.books.shown import Shown
from catalyst.books.slices import PRUNE_S
from catalyst.clients.http import Http
from catalyst.clients.notify import fault
from catalyst.clients.sinks import address, alert_sinks, can_be_asked, deliver, fingerprint, lane_of, per_minute
from catalyst.clock import Clock
from catalyst.core.delivery import (
    DISCORD,
    OPS,
    WEBHOOK,
    Deliver,
    Outcome,
    Past,
    Sent,
    What,
    complaint,
    doubted,
    fates,
    in_one_clock,
    is_doubtful,
    notice_id,
    past_of,
    settle,
)
from catalyst.core.digest import spoken
from catalyst.core.limiter import is_global
from catalyst.core.notify import is_gone
from catalyst.core.quiet import FILTERED, is_quiet
from catalyst.messages import (
    AlertPosted,
    AlertReady,
    ChartReady,
    ItemDropped,
    OpsNotice,
    OutcomeKnown,
    StoryCorrected,
    StoryJoined,
)
from catalyst.runtime.contract import Actor, Every, Hold, Job, JobKind, Output
from catalyst.runtime.control import Control
from catalyst.runtime.places import Places
from catalyst.settings import Settings

MOST_DEFECTS = 3  # tries of a delivery that a defect of our own breaks
URGENCY = {"info": 0.0, "warning": 0.5, "critical": 2.0}  # a critical notice passes every alert
MOST_LISTED = 500
QUIET_S = 10.0  # so late the digest of quiet hours may come
ANSWER_S, ASK_AGAIN_MS, MOST_ASKS = 2.0, 1_000, 4  # the tracker may just be starting; then the alert goes out marked


class Asked(msgspec.Struct, frozen=True):
    """An alert that a lost database may have posted."""

    item_id: str
    alert_id: str


class Alerter(Actor):
    """Each sink is a lane with one worker, so a slow one delays no other."""

    name = "alerter"
    inbox = (AlertReady, StoryJoined, StoryCorrected, ChartReady, OutcomeKnown, OpsNotice)
    outbox = (AlertPosted, ItemDropped)
    tables = (SCHEMA, CHARTS, CORRECTIONS, quiet.SCHEMA, followups.SCHEMA)
    jobs = (JobKind("deliver", Deliver, limit_s=15.0), JobKind("ask", Asked, limit_s=10.0, workers=2))
    every = (Every("prune", PRUNE_S), Every("end_quiet", QUIET_S))
    synchronous = "FULL"

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._http = Http(clock)
        self._closed: dict[str, str] = {}  # sink -> fingerprint of the address that is gone
        self._rules = quiet.rules_of(settings)

    def _rows(self, db: sqlite3.Connection) -> Deliveries:
        return Deliveries(db, self.now_ms)

    def _shown(self, db: sqlite3.Connection) -> Shown:
        return Shown(self._rows(db), self.time.present_ms)

    def on_reload(self) -> None:
        """Other quiet hours and filters count from now on. Raises ConfigError for wrong ones, which changes nothing."""
        self._rules = quiet.rules_of(self.settings)

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Read which sinks are gone."""
        if missing := fault(self.settings):
            log.warning("notify", reason=missing)
        self._closed = self._rows(db).begin(self.reborn_ms)
        return iter(())

    def after_loss(self, db: sqlite3.Connection) -> Iterator[Output]:
        """What comes again now may be out already."""
        self._rows(db).doubt(self.now_ms)
        return iter(())

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Limits and mutes last as long as they would have."""
        self._rows(db).shift()
        Lanes(db, self.now_ms).shift(by_ms)
        Quietbook(db, self.now_ms).shift(by_ms)
        return iter(())

    def on_alert_ready(self, alert: AlertReady, db: sqlite3.Connection) -> Iterator[Output]:
        """Store the alert and start its delivery; of one that a lost database may have posted the tracker is asked."""
        rows = self._rows(db)
        if not rows.add_alert(alert):
            return
        if is_doubtful(alert, rows.doubted_ms()):
            self.counters.add("alerts_doubted")
            yield Job("ask", Asked(alert.item_id, alert.alert_id), key=alert.alert_id, item_id=alert.item_id,
                      priority=alert.score + alert.watched)
        else:
            yield from self._begin(rows, alert)

    def _begin(self, rows: Deliveries, alert: AlertReady, past: Past = "none") -> Iterator[Output]:
        """Hold the alert back, fold it into an earlier one, or start its deliveries; what is out is out."""
        book, sinks, judged = Quietbook(rows.db, self.now_ms), alert_sinks(self.settings), quiet.Judged()
        if past != "out":
            judged = book.judge(alert, self._rules, sinks, self.time.before_ms, {*filter(self._is_closed, sinks)})
        if judged.reason:
            self.counters.add(f"held_{judged.reason.partition(':')[0]}")
            book.suppress(alert.alert_id, judged.reason)
            yield from self._tell_fate(rows, alert.alert_id)
            return
        if judged.host_id:
            self.counters.add("folded")
            book.fold(alert.alert_id, judged.host_id)
            yield from self._edit(rows, judged.host_id, alert.item_id, "source")
            host, state = rows.alert(judged.host_id)
            yield from fates(host, state, rows.shared(alert), self.now_ms)
            return
        for sink in sinks:
            if why := judged.filtered.get(sink):
                rows.add(alert.alert_id, sink, 0, state=FILTERED, reason=f"{FILTERED}:{why}")
            else:
                rows.begin_alert(alert, sink, past)
                yield from self._advance(rows, alert.alert_id, sink)
        yield from self._conclude(rows, alert.alert_id)

    def work_ask(self, asked: Asked) -> int | None:
        """When the tracker was told that the alert is out, None: it was not. Raises UnavailableError."""
        with Control(Places.of(self.settings)) as control:
            answer = control.ask("tracker", "posted", ANSWER_S, item_ids=[asked.item_id])
        found: int | None = answer["posted"].get(asked.alert_id)
        return found

    def done_ask(self, job: Job, posted_ms: int | None, db: sqlite3.Connection) -> Iterator[Output]:
        """Start the delivery; what is out at Discord is only written down, what may be is marked. The signed webhook
        gets it again in any case: it knows the key."""
        assert isinstance(job.payload, Asked)
        rows = self._rows(db)
        alert, _ = rows.alert(job.payload.alert_id)
        past = past_of(posted_ms, rows.doubted_ms(), is_only=alert_sinks(self.settings) == (DISCORD,))
        self.counters.add("alerts_known_out" if past == "out" else "possible_repeats")
        yield from self._begin(rows, alert, past)

    def failed_ask(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """The tracker is silent: again a little later, then the alert goes out as a possible repeat."""
        if job.tries < MOST_ASKS:
            yield job.again(self.now_ms + ASK_AGAIN_MS)
        else:
            yield from self.done_ask(job, None, db)

    def on_story_joined(self, joined: StoryJoined, db: sqlite3.Connection) -> Iterator[Output]:
        """One more source of the item's alerts; it is kept for an alert that is still to come."""
        yield from self._update(self._rows(db), joined, "source")

    def on_story_corrected(self, corrected: StoryCorrected, db: sqlite3.Connection) -> Iterator[Output]:
        """The item's alerts say so from now on; it is kept for an alert that is still to come."""
        yield from self._update(self._rows(db), corrected, "correction")

    def _update(self, rows: Deliveries, joined: StoryJoined | StoryCorrected, what: What) -> Iterator[Output]:
        """Edit what is told beside the story into its alerts; it shares their fate."""
        if not rows.add_wire(joined):
            return
        for alert_id in dict.fromkeys(map(rows.told_as, rows.alerts_of(joined.item_id))):
            yield from self._edit(rows, alert_id, joined.joined_id, what)
            alert, state = rows.alert(alert_id)
            yield from fates(alert, state, (joined.joined_id,), self.now_ms, rows.why(alert_id))

    def _edit(self, rows: Deliveries, alert_id: str, joined_id: str, what: What) -> Iterator[Output]:
        for sink in rows.add_update(alert_id, joined_id, what):
            yield from self._advance(rows, alert_id, sink)

    def on_chart_ready(self, ready: ChartReady, db: sqlite3.Connection) -> Iterator[Output]:
        """Edit the chart into Discord's message once that is out; it is kept for an alert that is still to come."""
        rows = self._rows(db)
        if rows.add_chart(ready):
            yield from self._advance(rows, ready.alert_id, DISCORD)

    def on_outcome_known(self, known: OutcomeKnown, db: sqlite3.Connection) -> Iterator[Output]:
        """Keep it, and what it says of the kind; the alert's message shows it, the signed webhook is told. Of an alert
        that is not known, as after a loss, only the history is of use."""
        book = Followups(db)
        if known.history is not None:
            book.learn(known.history, known.known_ms)
        if book.keep(known):
            yield from self._edit(self._rows(db), known.alert_id, known.horizon, "outcome")
        else:
            self.counters.add("outcomes_not_wanted")

    def on_ops_notice(self, notice: OpsNotice, db: sqlite3.Connection) -> Iterator[Output]:
        """One notice an affair and episode, to the operator's own channel and the signed webhook."""
        found = notice_id(notice)
        for sink in (OPS, WEBHOOK):
            if address(self.settings, sink) and self._rows(db).add(found, sink, 0, state="queued"):
                yield Job("deliver", Deliver(id=found, sink=sink, event="ops", notice=notice),
                          lane_of(self.settings, sink), priority=URGENCY[notice.severity])

    def work_deliver(self, payload: Deliver) -> Sent:
        """Render the card as things are now and send it."""
        if self._is_closed(payload.sink):
            now_ms = self.clock.now_ms()
            return Sent("refused", now_ms, now_ms, reason="sink_closed")
        self.reach("post", payload.id)
        told = spoken(in_one_clock(payload, self.time.present_ms), self.clock.now_ms())
        sent = deliver(self._http, self.clock, self.settings, told)
        self.reach("posted", payload.id)
        return sent

    def _is_closed(self, sink: str) -> bool:
        return self._closed.get(sink) == fingerprint(self.settings, sink)

    def done_deliver(self, job: Job, sent: Sent, db: sqlite3.Connection) -> Iterator[Output]:
        """Store what came of it; again, if the rules say so; hold the sink for as long as it asks."""
        payload, rows, lanes = self._payload(job), self._rows(db), Lanes(db, self.now_ms)
        sent = replace(sent, done_ms=self.now_ms)  # waits begin here: the thread may have looked before a clock's jump
        self.counters.add(f"{payload.sink}_{sent.reason or sent.outcome}")
        verdict = settle(payload, sent, job.tries, lanes.account(job.lane, sent))
        yield from self._hold(rows, job.lane, verdict.hold_ms)
        if payload.sink != WEBHOOK and is_global(sent.status or 0, sent.headers, sent.body):
            for other in {DISCORD, OPS} - {job.lane}:
                lanes.block(other, job.lane)
                yield from self._hold(rows, other)
        rows.store(verdict.state or "queued", verdict.payload, sent, job.tries)
        if verdict.state is None:
            yield replace(job, payload=verdict.payload, not_before_ms=verdict.again_ms)
            return
        rows.spoil_chart(payload, sent)
        if verdict.state != "delivered":
            closes = verdict.closes or is_gone(payload.sink, sent.reason)
            yield from self._undelivered(rows, payload, sent, closes=closes)
        ids = Digests(db, self.now_ms).settle(payload, verdict.state, sent) if payload.digest is not None else (
            [payload.id] if payload.event != "ops" else [])
        for alert_id in ids:
            yield from self._advance(rows, alert_id, payload.sink)
            yield from self._conclude(rows, alert_id)
        if payload.digest is not None and payload.n > 0:
            yield from self._edit_digest(rows, payload.id)

    def failed_deliver(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect of our own: tried again a little later, then given up."""
        outcome: Outcome = "retry" if job.tries < MOST_DEFECTS else "refused"
        yield from self.done_deliver(
            job, Sent(outcome, self.now_ms, self.now_ms, reason=f"defect_{type(error).__name__}"), db)

    def interrupted_deliver(self, job: Job, db: sqlite3.Connection) -> Iterator[Output]:
        """The process died in a request, which may have arrived: made again, marked where a repeat would show."""
        payload, rows = self._payload(job), self._rows(db)
        Lanes(db, self.now_ms).account(job.lane, None)
        yield from self._hold(rows, job.lane)
        if payload.repeats_show:
            rows.mark_repeat(payload)
            self.counters.add("possible_repeats")
        yield replace(job, payload=doubted(payload))

    def _payload(self, job: Job) -> Deliver:
        """What a job is to send; whether its sink can be asked depends on the settings of this moment."""
        assert isinstance(job.payload, Deliver)
        return msgspec.structs.replace(job.payload, askable=can_be_asked(self.settings, job.payload.sink))

    def _advance(self, rows: Deliveries, alert_id: str, sink: str) -> Iterator[Output]:
        """Start the next delivery of an alert at a sink, if it is time for one."""
        if sink == DISCORD and (digest_id := Digests(rows.db, self.now_ms).hand_over(alert_id)):
            yield from self._edit_digest(rows, digest_id)
            return
        if (payload := rows.next_payload(alert_id, sink)) is None or payload.alert is None:
            return
        is_text = sink == DISCORD and payload.n == 0
        wanted = Digests(rows.db, self.now_ms).queue(payload, self.settings.digest_from) if is_text else [("", payload)]
        for key, one in wanted:
            yield self._request(rows, one, payload.alert.item_id, key or None)

    def _request(self, rows: Deliveries, payload: Deliver, item_id: str = "", key: str | None = None) -> Job:
        """The job of a delivery; an edit leaves room for new texts."""
        lane = lane_of(self.settings, payload.sink)
        room_ms = Lanes(rows.db, self.now_ms).room_ms(lane, per_minute(self.settings, lane)) if payload.n else 0
        return Job("deliver", payload, lane, key, payload.urgency, item_id, room_ms)

    def _edit_digest(self, rows: Deliveries, digest_id: str) -> Iterator[Output]:
        """Show what followed the alerts of a digest in its message, if there is something new."""
        if (payload := Digests(rows.db, self.now_ms).next_edit(digest_id)) is not None:
            yield self._request(rows, payload)

    def _conclude(self, rows: Deliveries, alert_id: str) -> Iterator[Output]:
        """Tell the tracker when the first sink has the alert, or when none will; its further wires share its fate."""
        if rows.conclude(alert_id) is not None:
            yield from self._tell_fate(rows, alert_id)

    def _tell_fate(self, rows: Deliveries, alert_id: str) -> Iterator[Output]:
        alert, state = rows.alert(alert_id)
        yield from fates(alert, state, rows.shared(alert), self.now_ms, rows.why(alert_id))

    def end_quiet(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Quiet hours are over: one message to each sink lists what they held of that which it wants."""
        book = Quietbook(db, self.now_ms)
        if is_quiet(self._rules, self.now_ms) or not (held := book.untold()):
            return
        digest_id, requests = Digests(db, self.now_ms).after_quiet(held, alert_sinks(self.settings), self._rules)
        book.told(digest_id)
        for payload in requests:
            yield self._request(self._rows(db), payload, held[0].item_id)

    def _undelivered(self, rows: Deliveries, payload: Deliver, sent: Sent, *, closes: bool) -> Iterator[Output]:
        """A delivery ended without success: tell the operator, once a sink's closing or a lost alert."""
        sink = payload.sink
        log.warning("undelivered", alert=payload.id, n=payload.n, what=payload.what, sink=sink, reason=sent.reason)
        if closes:
            self._closed[sink] = fingerprint(self.settings, sink)
            rows.close(sink, self._closed[sink])
        if (notice := complaint(payload, sent, self._closed[sink] if closes else None, self.now_ms)) is not None:
            yield from self.on_ops_notice(notice, rows.db)

    def _hold(self, rows: Deliveries, lane: str, until_ms: int = 0) -> Iterator[Output]:
        """Keep the lane shut until `until_ms` and until its sink allows a request; its edits leave room for texts."""
        lanes, most = Lanes(rows.db, self.now_ms), per_minute(self.settings, lane)
        lanes.make_room(lane, most)
        opens_ms = max(until_ms, lanes.opens_ms(lane, most))
        if opens_ms > self.now_ms:
            yield Hold(lane, opens_ms)

    def verb_alerts(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """The newest alerts: `{"alerts": [...]}`; `since_ms` and `limit` bound them. `suppressed` true: those that were
        held back or folded into an earlier one, each with its reason."""
        most, held = min(int(arguments.get("limit", 50)), MOST_LISTED), bool(arguments.get("suppressed"))
        return {"alerts": self._shown(db).listed(int(arguments.get("since_ms", 0)), most, held=held)}

    def verb_mute(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Hold the alerts of a ticker, lead kind or source (`what`, `value`) for `for_s`; the mute as in `mutes`."""
        return Quietbook(db, self.now_ms).mute(arguments)

    def verb_unmute(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """End the mute of `what` and `value`."""
        return Quietbook(db, self.now_ms).unmute(arguments)

    def verb_mutes(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """What is held back: `{"mutes": [...], "held_today": {reason: n}, "quiet_until_ms": n | None}`; the mute that
        ends first first."""
        return Quietbook(db, self.now_ms).silence(self._rules)

    def verb_alert(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """All about one alert, by the beginning of its `id`; the keys are those of `Shown.alert`."""
        return self._shown(db).alert(str(arguments.get("id", "")))

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget what is old."""
        self._rows(db).prune(self.time.before_ms)
        Quietbook(db, self.now_ms).prune()
        return iter(())

