"""The rows behind the alerter: alerts, deliveries, further wires, charts, and what each sink allows. It only reads and
writes rows of the alerter's database; what they mean is decided in catalyst.core.delivery and by the actor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from catalyst.books.followups import Followups
from catalyst.books.slices import LARGE_ROWS, forget
from catalyst.books.steps import begin_step
from catalyst.core.delivery import (
    DISCORD,
    WEBHOOK,
    Chart,
    Correction,
    Deliver,
    Past,
    Repeat,
    Sent,
    Source,
    What,
    is_for,
    is_unfit,
    number_of,
)
from catalyst.core.endings import overall
from catalyst.core.fates import UNDELIVERED
from catalyst.messages import AlertReady, ChartReady, StoryCorrected, StoryJoined

DAY_MS = 86_400_000
KEPT_MS = 90 * DAY_MS  # a quarter: what was said, and to whom; the tracker keeps what came of it for longer
PARKED_MS = DAY_MS  # a wire or a chart that has no alert
CHARTS_KEPT_MS = 8 * DAY_MS  # longer than any outcome that an edit may still show
NO_MESSAGE = (("dead",), ("suppressed",), ("folded",))  # states of alerts, as rows
SUMMARY_KEPT = 1_000  # characters; no card shows more

SCHEMA = """
CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY, item_id TEXT NOT NULL, ticker TEXT NOT NULL,
    body TEXT NOT NULL,              -- JSON of AlertReady
    state TEXT NOT NULL,             -- new, posted (a sink has it), dead (every sink refused it)
    made_ms INTEGER NOT NULL,
    posted_ms INTEGER                -- when the first sink had it
) WITHOUT ROWID;
-- StoryJoined: the alerts of its first item
CREATE INDEX alerts_by_item ON alerts(item_id);
-- the newest alerts, and pruning
CREATE INDEX alerts_by_time ON alerts(made_ms);
CREATE TABLE deliveries (
    alert_id TEXT NOT NULL, sink TEXT NOT NULL,
    n INTEGER NOT NULL,              -- 0: the alert itself, then its updates
    state TEXT NOT NULL,             -- waiting, queued, delivered, refused, ambiguous, folded (into a later edit)
    joined_id TEXT,                  -- the item that an update is about
    message_id TEXT,                 -- the sink's name for the message, which edits need
    sent_ms INTEGER,                 -- begin of the last request
    possible_repeat INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0, status INTEGER, reason TEXT, at_ms INTEGER NOT NULL,
    PRIMARY KEY (alert_id, sink, n)
) WITHOUT ROWID;
-- pruning
CREATE INDEX deliveries_by_time ON deliveries(at_ms);
CREATE TABLE wires (
    item_id TEXT NOT NULL, joined_id TEXT NOT NULL,
    body TEXT NOT NULL,              -- JSON of StoryJoined
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (item_id, joined_id)
) WITHOUT ROWID;
-- pruning
CREATE INDEX wires_by_time ON wires(at_ms);
CREATE TABLE limits (
    lane TEXT PRIMARY KEY,
    body TEXT NOT NULL,              -- JSON of catalyst.core.limiter.Limits
    failures INTEGER NOT NULL        -- in a row
) WITHOUT ROWID;
CREATE TABLE closed (
    sink TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,       -- of the address that is gone; another address is open
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE birth (made_ms INTEGER NOT NULL);
"""
CHARTS = """
CREATE TABLE charts (
    alert_id TEXT PRIMARY KEY,
    alt TEXT NOT NULL,               -- the chart in one sentence
    at_ms INTEGER NOT NULL,          -- of its arrival; 24 hours while it has no alert, else 8 days
    png BLOB NOT NULL                -- empty once Discord refused it
);
-- pruning
CREATE INDEX charts_by_time ON charts(at_ms);
ALTER TABLE deliveries ADD COLUMN what TEXT NOT NULL DEFAULT 'source';  -- alert, source (a further wire), chart
UPDATE deliveries SET what = 'alert' WHERE n = 0;
"""


CORRECTIONS = """
ALTER TABLE wires ADD COLUMN corrects INTEGER NOT NULL DEFAULT 0;  -- 1: it is the publisher's correction of the story
"""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def begin(self, reborn_ms: int | None) -> None:
        """Note since when the database holds everything."""
        self.db.execute("INSERT INTO birth(made_ms) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM birth)")
        self.doubt(reborn_ms or 0)

    def shift(self) -> None:
        """The clock jumped: no alert of the present is doubted because it was set back."""
        self.db.execute("UPDATE birth SET made_ms = min(made_ms, ?)", (self.now_ms,))

    def doubt(self, before_ms: int) -> None:
        """Note that of the time before the moment rows are lost."""
        self.db.execute("UPDATE birth SET made_ms = max(made_ms, ?)", (before_ms,))

    def doubted_ms(self) -> int:
        """The moment before which a lost row may know more than this database; 0 where nothing was lost."""
        before_ms: int = self.db.execute("SELECT made_ms FROM birth").fetchone()[0]
        return before_ms

    def add_alert(self, alert: AlertReady) -> bool:
        """Insert an alert, and what is known of its first kind by now; False where its id is known."""
        kept = msgspec.structs.replace(alert, summary=alert.summary[:SUMMARY_KEPT])
        return self._changed(
            "INSERT OR IGNORE INTO alerts(alert_id, item_id, ticker, body, state, made_ms, history)"
            " VALUES(?, ?, ?, ?, 'new', ?, ?)",
            (alert.alert_id, alert.item_id, alert.ticker, msgspec.json.encode(kept).decode(), self.now_ms,
             Followups(self.db).usual_text(alert)))

    def is_known(self, alert_id: str) -> bool:
        """Whether there is such an alert, or still is."""
        return self.db.execute("SELECT 1 FROM alerts WHERE alert_id = ?", (alert_id,)).fetchone() is not None

    def alert(self, alert_id: str) -> tuple[AlertReady, str]:
        """The alert and its state."""
        body, state = self.db.execute("SELECT body, state FROM alerts WHERE alert_id = ?", (alert_id,)).fetchone()
        return msgspec.json.decode(body, type=AlertReady), state

    def alerts_of(self, item_id: str) -> list[str]:
        """Ids of an item's alerts, one a ticker."""
        return [row[0] for row in self.db.execute("SELECT alert_id FROM alerts WHERE item_id = ? ORDER BY alert_id",
                                                  (item_id,))]

    def add_wire(self, joined: StoryJoined | StoryCorrected) -> bool:
        """Insert a further wire or a correction of a story; False where it is known."""
        return self._changed(
            "INSERT OR IGNORE INTO wires(item_id, joined_id, body, at_ms, corrects) VALUES(?, ?, ?, ?, ?)",
            (joined.item_id, joined.joined_id, msgspec.json.encode(joined).decode(), self.now_ms,
             isinstance(joined, StoryCorrected)))

    def followers(self, alert: AlertReady) -> list[StoryJoined | StoryCorrected]:
        """The further wires and the corrections of an alert's story, and of those folded into it, as they arrived."""
        return [msgspec.json.decode(body, type=StoryCorrected if corrects else StoryJoined)
                for body, corrects in self.db.execute(
                    "SELECT body, corrects FROM wires WHERE item_id = ? OR item_id IN"
                    " (SELECT item_id FROM alerts WHERE host_id = ?) ORDER BY at_ms, joined_id",
                    (alert.item_id, alert.alert_id))]

    def wires(self, alert: AlertReady) -> list[StoryJoined]:
        """The further wires alone."""
        return [one for one in self.followers(alert) if isinstance(one, StoryJoined)]

    def corrections(self, alert: AlertReady) -> list[Correction]:
        """The corrections alone."""
        return [Correction(one.source, one.title, one.link) for one in self.followers(alert)
                if isinstance(one, StoryCorrected)]

    def folded(self, alert_id: str) -> list[AlertReady]:
        """The alerts that were folded into one as its updates, as they arrived."""
        return [msgspec.json.decode(row[0], type=AlertReady) for row in self.db.execute(
            "SELECT body FROM alerts WHERE host_id = ? ORDER BY made_ms, alert_id", (alert_id,))]

    def told_as(self, alert_id: str) -> str:
        """The alert whose message tells of this one: the one that it was folded into, while that is kept, or itself."""
        told_as: str = self.db.execute(
            "SELECT coalesce(host.alert_id, alerts.alert_id) FROM alerts LEFT JOIN alerts AS host"
            " ON host.alert_id = alerts.host_id WHERE alerts.alert_id = ?", (alert_id,)).fetchone()[0]
        return told_as

    def shared(self, alert: AlertReady) -> list[str]:
        """Items whose fate is the alert's: its own, those of its further wires, those folded into it."""
        return [alert.item_id, *(wire.joined_id for wire in self.followers(alert)),
                *(one.item_id for one in self.folded(alert.alert_id))]

    def why(self, alert_id: str) -> str:
        """Why an alert is suppressed, or dead."""
        reason: str = self.db.execute("SELECT coalesce(reason, ?) FROM alerts WHERE alert_id = ?",
                                      (UNDELIVERED, alert_id)).fetchone()[0]
        return reason

    def add(self, alert_id: str, sink: str, n: int, *, joined_id: str | None = None, state: str = "waiting",
            repeat: bool = False, what: What | None = None, reason: str | None = None) -> bool:
        """Insert a delivery; False where it is known. `what` None: the alert where `n` is 0, else a source."""
        return self._changed(
            "INSERT OR IGNORE INTO deliveries(alert_id, sink, n, state, joined_id, possible_repeat, at_ms, what,"
            " reason) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (alert_id, sink, n, state, joined_id, repeat, self.now_ms, what or ("source" if n else "alert"), reason))

    def begin_alert(self, alert: AlertReady, sink: str, past: Past = "none") -> None:
        """Insert the deliveries of a new alert to a sink: itself, the wires and the chart that came before it.

        A post shows the wires itself, the webhook is told of each; the chart always comes by an edit. By its
        `past` a post that may be a repeat is marked, or the one at Discord known to be out: then nothing is edited, for
        its name there is lost.
        """
        wires = self.followers(alert)
        is_out = sink == DISCORD and past == "out"
        self.add(alert.alert_id, sink, 0, state="delivered" if is_out else "waiting",
                 repeat=sink != WEBHOOK and past == "unknown")
        n = 0
        for wire in wires:
            n = next_number(sink, n, wire.joined_id, wire.seen_ms)
            self.add(alert.alert_id, sink, n, joined_id=wire.joined_id, what=what_of(wire),
                     state="waiting" if sink == WEBHOOK else "folded")
        if sink == DISCORD and not is_out and self.chart(alert.alert_id) is not None:
            self.add(alert.alert_id, sink, len(wires) + 1, what="chart")

    def add_update(self, alert_id: str, joined_id: str, what: What, told_ms: int) -> list[str]:
        """Insert an update at each sink that the alert goes to; these sinks. `told_ms`: since when it is known."""
        last = self.db.execute("SELECT sink, max(n) FROM deliveries WHERE alert_id = ? GROUP BY sink"
                               " HAVING sum(state = 'filtered') = 0 ORDER BY sink", (alert_id,)).fetchall()
        return [sink for sink, n in last if is_for(sink, what)
                and self.add(alert_id, sink, next_number(sink, n, joined_id, told_ms), joined_id=joined_id, what=what)]

    def add_chart(self, ready: ChartReady) -> bool:
        """Insert an alert's chart, and its edit where the alert goes to Discord; False where nothing is to be sent.

        A chart that came before its alert waits for it; one that is known, or of an alert that has no message of its
        own, is nothing.
        """
        state = self.db.execute("SELECT state FROM alerts WHERE alert_id = ?", (ready.alert_id,)).fetchone()
        if state in NO_MESSAGE or not self._changed(
                "INSERT OR IGNORE INTO charts(alert_id, alt, at_ms, png) VALUES(?, ?, ?, ?)",
                (ready.alert_id, ready.alt, self.now_ms, ready.png)):
            return False
        last, filtered = self.db.execute(
            "SELECT max(n), sum(state = 'filtered') FROM deliveries WHERE alert_id = ? AND sink = ?",
            (ready.alert_id, DISCORD)).fetchone()
        return last is not None and not filtered and self.add(ready.alert_id, DISCORD, last + 1, what="chart")

    def chart(self, alert_id: str) -> Chart | None:
        """The alert's chart, as long as it can be sent."""
        row = self.db.execute("SELECT png, alt FROM charts WHERE alert_id = ? AND length(png) > 0",
                              (alert_id,)).fetchone()
        return Chart(*row) if row else None

    def spoil_chart(self, payload: Deliver, sent: Sent) -> None:
        """Send a chart no more that Discord refused; what the edit was to show beside it gets an edit of its own."""
        if not is_unfit(payload, sent):
            return
        self.db.execute("UPDATE charts SET png = x'' WHERE alert_id = ?", (payload.id,))
        what: What = ("correction" if payload.corrections else "source" if payload.sources or payload.repeats else
                      "outcome" if payload.followed.after else "chart")
        if what != "chart":
            self.add(payload.id, payload.sink, payload.n + 1, what=what,
                     joined_id=payload.joined.joined_id if payload.joined is not None else None)

    def next_payload(self, alert_id: str, sink: str) -> Deliver | None:
        """What is to be sent next for an alert to a sink, its row now `queued`; None when nothing is, or not yet, or
        where the alert is forgotten."""
        if not self.is_known(alert_id) or (step := begin_step(self.db, alert_id, sink)) is None:
            return None
        alert, _ = self.alert(alert_id)
        told = self.followers(alert)
        repeats = self.folded(alert_id)
        news = [*map(as_joined, told), *(joined_of(one, alert) for one in repeats)]
        first, chosen = step.first, step.chosen
        later, is_told = chosen.n > 0, chosen.what == "outcome"
        followed = Followups(self.db).followed(alert_id)
        return Deliver(
            id=alert_id, sink=sink, event="update" if later else "alert", n=chosen.n, what=step.what, alert=alert,
            joined=next((one for one in news if later and one.joined_id == chosen.joined_id), None),
            outcome=next((one for one in followed.after if is_told and one.horizon == chosen.joined_id), None),
            sources=tuple(Source(one.source, one.link) for one in told if isinstance(one, StoryJoined)),
            corrections=tuple(self.corrections(alert)),
            repeats=tuple(Repeat(number, one.title, one.source, one.link)
                          for number, one in enumerate(repeats, start=2)),
            followed=followed,
            chart=self.chart(alert_id) if later and sink == DISCORD else None,
            message_id=first.message_id if later else None, sent_ms=first.sent_ms if later else None,
            possible_repeat=bool(first.possible_repeat))

    def store(self, state: str, payload: Deliver, sent: Sent, tries: int) -> None:
        """Write down what came of a request."""
        self.db.execute(
            "UPDATE deliveries SET state = ?, message_id = ?, sent_ms = ?, possible_repeat = ?, tries = ?, status = ?,"
            " reason = ?, at_ms = ? WHERE alert_id = ? AND sink = ? AND n = ?",
            (state, sent.message_id, sent.begun_ms, payload.possible_repeat, tries, sent.status, sent.reason or None,
             self.now_ms, payload.id, payload.sink, payload.n))

    def end_without_request(self, payload: Deliver, reason: str) -> None:
        """Write down that a delivery is refused before another request."""
        self.db.execute("UPDATE deliveries SET state = 'refused', reason = ?, at_ms = ? WHERE alert_id = ? AND sink = ?"
                        " AND n = ?", (reason, self.now_ms, payload.id, payload.sink, payload.n))

    def mark_repeat(self, payload: Deliver) -> None:
        """Write down that a delivery may be made twice."""
        self.db.execute("UPDATE deliveries SET possible_repeat = 1 WHERE alert_id = ? AND sink = ? AND n = ?",
                        (payload.id, payload.sink, payload.n))

    def conclude(self, alert_id: str) -> str | None:
        """`posted` or `dead` at the moment when the alert becomes it, else None."""
        states = [row[0] for row in self.db.execute("SELECT state FROM deliveries WHERE alert_id = ? AND n = 0",
                                                    (alert_id,))]
        state = overall(states)
        changed = state != "new" and self._changed(
            "UPDATE alerts SET state = ?, posted_ms = CASE ?1 WHEN 'posted' THEN ? END"
            " WHERE alert_id = ? AND state = 'new'", (state, self.now_ms, alert_id))
        return state if changed else None

    def prune(self, before: Callable[[int], int]) -> None:
        """Forget what is old; a delivery that still waits is kept with its alert. `before`: Timekeeper.before_ms."""
        old = (before(KEPT_MS),)
        forget(self.db, "alerts", "alert_id", "made_ms < ? AND state <> 'new' AND NOT EXISTS"
               " (SELECT 1 FROM deliveries AS d WHERE d.alert_id = alerts.alert_id"
               " AND d.state IN ('waiting', 'queued', 'gathered')) ORDER BY made_ms", old)
        forget(self.db, "deliveries", "alert_id, sink, n",
               "at_ms < ? AND state NOT IN ('waiting', 'queued', 'gathered') ORDER BY at_ms", old)
        forget(self.db, "wires", "item_id, joined_id", "at_ms < ? ORDER BY at_ms", old)
        Followups(self.db).prune(before)
        forget(self.db, "charts", "alert_id", "at_ms < ? ORDER BY at_ms", (before(CHARTS_KEPT_MS),), LARGE_ROWS)
        # What is parked is looked at for a day; what was missed then, by a process that did not run, goes with its age.
        parked = (before(2 * PARKED_MS), before(PARKED_MS))
        forget(self.db, "wires", "item_id, joined_id", "at_ms BETWEEN ? AND ? AND NOT EXISTS"
               " (SELECT 1 FROM alerts WHERE alerts.item_id = wires.item_id)", parked)
        forget(self.db, "charts", "alert_id", "at_ms BETWEEN ? AND ? AND NOT EXISTS"
               " (SELECT 1 FROM alerts WHERE alerts.alert_id = charts.alert_id)", parked, LARGE_ROWS)

    def _changed(self, sql: str, parameters: tuple[Any, ...]) -> bool:
        return self.db.execute(sql, parameters).rowcount > 0


def next_number(sink: str, last: int, about: str, told_ms: int) -> int:
    """The number of an update after the `last` one; only the signed webhook is shown it."""
    return number_of(about, told_ms, last) if sink == WEBHOOK else last + 1


def what_of(one: StoryJoined | StoryCorrected) -> What:
    """What an update that tells of it is the first to show."""
    return "correction" if isinstance(one, StoryCorrected) else "source"


def as_joined(one: StoryJoined | StoryCorrected) -> StoryJoined:
    """The item that an update is about, in one form for sources and corrections."""
    return one if isinstance(one, StoryJoined) else StoryJoined(**msgspec.structs.asdict(one))


def joined_of(repeat: AlertReady, alert: AlertReady) -> StoryJoined:
    """The item of an alert that was folded into another, as an update of that one."""
    return StoryJoined(item_id=alert.item_id, joined_id=repeat.item_id, source=repeat.source, title=repeat.title,
                       link=repeat.link, published_ms=repeat.published_ms, seen_ms=repeat.seen_ms)
