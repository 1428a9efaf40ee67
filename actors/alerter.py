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
stores    closed       sinks whose address is gone, until a person opens them
stores    mutes        what a person wants to hear nothing of, until its end
stores    birth        since when this database holds everything
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from actors.alerter_sending import Sending
from catalyst import log
from catalyst.books import closings, followups, quiet
from catalyst.books.closings import Closings
from catalyst.books.deliveries import CHARTS, CORRECTIONS, KEPT_MS, SCHEMA, Deliveries
from catalyst.books.followups import Followups
from catalyst.books.quiet import Quietbook
from catalyst.books.shown import Shown
from catalyst.books.slices import PRUNE_S
from catalyst.clients.files import check_kinds
from catalyst.clients.http import Http
from catalyst.clients.notify import fault
from catalyst.clients.sinks import alert_sinks, all_sinks, can_be_asked, check_addresses, deliver, fingerprint
from catalyst.clock import Clock
from catalyst.core.delivery import (
    DISCORD,
    WEBHOOK,
    Deliver,
    Outcome,
    Past,
    Sent,
    doubted,
    falls_apart,
    gone_by,
    in_one_clock,
    is_doubtful,
    is_gathered,
    past_of,
    settle,
)
from catalyst.core.digest import spoken
from catalyst.core.endings import complaint, fates
from catalyst.core.limiter import is_global
from catalyst.core.notify import is_gone
from catalyst.core.quiet import FILTERED, Rules, is_quiet
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
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Output
from catalyst.runtime.control import Control
from catalyst.runtime.places import Places
from catalyst.settings import Settings

MOST_DEFECTS = 3  # tries of a delivery that a defect of our own breaks
DEADLY = 2  # processes that end under a digest before its alerts go out one by one
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
    tables = (SCHEMA, CHARTS, CORRECTIONS, quiet.SCHEMA, followups.SCHEMA, closings.SCHEMA)
    jobs = (JobKind("deliver", Deliver, limit_s=15.0), JobKind("ask", Asked, limit_s=10.0, workers=2))
    every = (Every("prune", PRUNE_S), Every("end_quiet", QUIET_S))
    synchronous = "FULL"

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._http = Http(clock)
        self._closed: dict[str, str] = {}  # sink -> fingerprint of the address that is gone
        self._rules = self._read_rules()

    def _read_rules(self) -> Rules:
        """What the settings say of what is held back. Raises ConfigError for what is wrong in them, or in an address of
        a sink: with it alerts would be lost in silence."""
        check_addresses(self.settings)
        check_kinds(self.settings)
        return quiet.rules_of(self.settings)

    def _rows(self, db: sqlite3.Connection) -> Deliveries:
        return Deliveries(db, self.now_ms)

    def _sending(self, db: sqlite3.Connection) -> Sending:
        return Sending(db, self.now_ms, self.settings)

    def _shown(self, db: sqlite3.Connection) -> Shown:
        return Shown(self._rows(db), self.time.present_ms)

    def on_reload(self) -> None:
        """Other quiet hours and filters count from now on. Raises ConfigError for wrong ones, which changes nothing."""
        self._rules = self._read_rules()

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Read which sinks are gone."""
        if missing := fault(self.settings):
            log.warning("notify", reason=missing)
        self._rows(db).begin(self.reborn_ms)
        self._closed = Closings(db).all()
        return iter(())

    def after_loss(self, db: sqlite3.Connection) -> Iterator[Output]:
        """What comes again now may be out already."""
        self._rows(db).doubt(self.now_ms)
        return iter(())

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Limits and mutes last as long as they would have."""
        self._rows(db).shift()
        self._sending(db).lanes.shift(by_ms)
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
            yield from self._begin(alert, db)

    def _begin(self, alert: AlertReady, db: sqlite3.Connection, past: Past = "none") -> Iterator[Output]:
        """Hold the alert back, fold it into an earlier one, or start its deliveries; what is out is out."""
        book, sinks, judged = Quietbook(db, self.now_ms), alert_sinks(self.settings), quiet.Judged()
        sending = self._sending(db)
        if past != "out":
            judged = book.judge(alert, self._rules, sinks, self.time.before_ms, {*filter(self._is_closed, sinks)})
        if judged.reason:
            self.counters.add(f"held_{judged.reason.partition(':')[0]}")
            book.suppress(alert.alert_id, judged.reason)
            yield from sending.tell_fate(alert.alert_id)
            return
        if judged.host_id:
            self.counters.add("folded")
            book.fold(alert.alert_id, judged.host_id)
            yield from sending.edit(judged.host_id, alert.item_id, "source", alert.seen_ms)
            host, state = sending.rows.alert(judged.host_id)
            yield from fates(host, state, sending.rows.shared(alert), self.now_ms)
            return
        for sink in sinks:
            if why := judged.filtered.get(sink):
                sending.rows.add(alert.alert_id, sink, 0, state=FILTERED, reason=f"{FILTERED}:{why}")
            else:
                sending.rows.begin_alert(alert, sink, past)
                yield from sending.advance(alert.alert_id, sink)
        yield from sending.conclude(alert.alert_id)

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
        yield from self._begin(alert, db, past)

    def failed_ask(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """The tracker is silent: again a little later, then the alert goes out as a possible repeat."""
        if job.tries < MOST_ASKS:
            yield job.again(self.now_ms + ASK_AGAIN_MS)
        else:
            yield from self.done_ask(job, None, db)

    def on_story_joined(self, joined: StoryJoined, db: sqlite3.Connection) -> Iterator[Output]:
        """One more source of the item's alerts; it is kept for an alert that is still to come."""
        yield from self._sending(db).follow(joined, "source")

    def on_story_corrected(self, corrected: StoryCorrected, db: sqlite3.Connection) -> Iterator[Output]:
        """The item's alerts say so from now on; it is kept for an alert that is still to come."""
        yield from self._sending(db).follow(corrected, "correction")

    def on_chart_ready(self, ready: ChartReady, db: sqlite3.Connection) -> Iterator[Output]:
        """Edit the chart into Discord's message once that is out; it is kept for an alert that is still to come."""
        sending = self._sending(db)
        if sending.rows.add_chart(ready):
            yield from sending.advance(ready.alert_id, DISCORD)

    def on_outcome_known(self, known: OutcomeKnown, db: sqlite3.Connection) -> Iterator[Output]:
        """Keep it, and what it says of the kind; the alert's message shows it, the signed webhook is told. Of an alert
        that is not known, as after a loss, only the history is of use."""
        book = Followups(db)
        if known.history is not None:
            book.learn(known.history, known.known_ms)
        if book.keep(known):
            yield from self._sending(db).edit(known.alert_id, known.horizon, "outcome", known.known_ms)
        else:
            self.counters.add("outcomes_not_wanted")

    def on_ops_notice(self, notice: OpsNotice, db: sqlite3.Connection) -> Iterator[Output]:
        """One notice an affair and episode, to the operator's own channel and the signed webhook."""
        yield from self._sending(db).notice(notice)

    def work_deliver(self, payload: Deliver) -> Sent:
        """Render the card as things are now and send it."""
        if self._is_closed(payload.sink):
            now_ms = self.clock.now_ms()
            return Sent("refused", now_ms, now_ms, reason="sink_closed")
        self.reach("post", payload.id)
        told = spoken(in_one_clock(self._askable(payload), self.time.present_ms), self.clock.now_ms())
        sent = deliver(self._http, self.clock, self.settings, told)
        self.reach("posted", payload.id)
        return sent

    def _is_closed(self, sink: str) -> bool:
        return self._closed.get(sink) == fingerprint(self.settings, sink)

    def done_deliver(self, job: Job, sent: Sent, db: sqlite3.Connection) -> Iterator[Output]:
        """Store what came of it; again, if the rules say so; hold the sink for as long as it asks."""
        payload, sending = self._payload(job), self._sending(db)
        sent = replace(sent, done_ms=self.now_ms)  # waits begin here: the thread may have looked before a clock's jump
        self.counters.add(f"{payload.sink}_{sent.reason or sent.outcome}")
        verdict = settle(payload, sent, job.tries, sending.lanes.account(job.lane, sent))
        yield from sending.hold(job.lane, verdict.hold_ms)
        if payload.sink != WEBHOOK and is_global(sent.status or 0, sent.headers, sent.body):
            yield from sending.hold_discord(job.lane)
        sending.rows.store(verdict.state or "queued", verdict.payload, sent, job.tries)
        if verdict.state is None:
            yield replace(job, payload=verdict.payload, not_before_ms=verdict.again_ms)
            return
        sending.rows.spoil_chart(payload, sent)
        if verdict.state != "delivered":
            closes = verdict.closes or is_gone(payload.sink, sent.reason)
            yield from self._undelivered(sending, payload, sent, closes=closes)
        if falls_apart(payload, sent):
            yield from sending.one_by_one(payload)
        else:
            yield from sending.ended(payload, verdict.state, sent)

    def failed_deliver(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect of our own: tried again a little later, then given up."""
        outcome: Outcome = "retry" if job.tries < MOST_DEFECTS else "refused"
        yield from self.done_deliver(
            job, Sent(outcome, self.now_ms, self.now_ms, reason=f"defect_{type(error).__name__}"), db)

    def interrupted_deliver(self, job: Job, db: sqlite3.Connection) -> Iterator[Output]:
        """The process died in a request, which may have arrived: made again, marked where a repeat would show."""
        payload, sending = self._payload(job), self._sending(db)
        sending.lanes.account(job.lane, None)
        yield from sending.hold(job.lane)
        if payload.repeats_show:
            sending.rows.mark_repeat(payload)
            self.counters.add("possible_repeats")
        payload = doubted(payload)
        if job.deaths >= DEADLY and is_gathered(payload):
            sending.rows.end_without_request(payload, "killed")
            yield from sending.one_by_one(payload)
        else:
            yield replace(job, payload=payload)

    def _payload(self, job: Job) -> Deliver:
        """What a job is to send."""
        assert isinstance(job.payload, Deliver)
        return self._askable(job.payload)

    def _askable(self, payload: Deliver) -> Deliver:
        """The payload, knowing whether its sink can be asked by the settings of this moment."""
        return msgspec.structs.replace(payload, askable=can_be_asked(self.settings, payload.sink))

    def end_quiet(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Quiet hours are over: one message to each sink lists what they held of that which it wants."""
        book = Quietbook(db, self.now_ms)
        if is_quiet(self._rules, self.now_ms) or not (held := book.untold()):
            return
        sending = self._sending(db)
        digest_id, requests = sending.digests.after_quiet(held, alert_sinks(self.settings), self._rules)
        book.told(digest_id)
        for payload in requests:
            yield sending.request(payload, held[0].item_id)

    def _undelivered(self, sending: Sending, payload: Deliver, sent: Sent, *, closes: bool) -> Iterator[Output]:
        """A delivery ended without success: tell the operator, once a sink's closing or a lost alert."""
        sink = payload.sink
        log.warning("undelivered", alert=payload.id, n=payload.n, what=payload.what, sink=sink, reason=sent.reason)
        why = ""
        if closes:
            why = gone_by(payload, sent) or sent.reason
            self._closed[sink] = fingerprint(self.settings, sink)
            Closings(sending.db).close(sink, self._closed[sink], why, self.now_ms)
        if (notice := complaint(payload, sent, why, self.now_ms)) is not None:
            yield from sending.notice(notice)

    def verb_sinks(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """The sinks that are closed: `{"closed": [{"sink", "since_ms", "reason"}]}`."""
        present = {sink: fingerprint(self.settings, sink) for sink in all_sinks(self.settings)}
        return {"closed": Closings(db).told(present)}

    def verb_open_sinks(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Use closed sinks again, `{"opened": [...]}`: all, or the one named `sink` whose address has `fingerprint`."""
        wanted = {str(arguments["sink"]): str(arguments["fingerprint"])} if "sink" in arguments else self._closed
        opened = sorted(sink for sink, gone in self._closed.items() if wanted.get(sink) == gone)
        Closings(db).open(opened)
        self._closed = {sink: gone for sink, gone in self._closed.items() if sink not in opened}
        log.info("sinks_opened", sinks=" ".join(opened))
        return {"opened": opened}

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
        """Give up what waited too long, forget what is old."""
        yield from self._sending(db).give_up(self.time.before_ms(KEPT_MS))
        self._rows(db).prune(self.time.before_ms)
        Quietbook(db, self.now_ms).prune()
