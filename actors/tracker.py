"""tracker: knows what became of every item, and of the price after every alert.

receives  AlertPosted  from alerter
receives  PriceSeen    from market (what an alert's ticker cost at a horizon)
receives  ItemDropped  from any actor
sends     WatchTicker  to market (one an alert and horizon)
sends     OutcomeKnown to alerter (what a settled price says; the message shows it)
sends     OpsNotice    to alerter (the house has started; the market opens; the session is over; a dead letter)
stores    fates        one row an item and ticker, kept 30 days; that of an alert 400 days
stores    outcomes     one row an alert and horizon, kept 400 days
stores    reports      one row a report to the operator, kept 90 days
stores    silences     one row a day and source that gave no answer during the session, kept 90 days
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from catalyst import __version__, log
from catalyst.books import outcomes, reports
from catalyst.books.outcomes import Outcomebook
from catalyst.books.reports import Reportbook
from catalyst.books.slices import PRUNE_S, forget
from catalyst.clock import Clock, from_iso
from catalyst.core.fates import FOLDED, TOO_OLD, UNDELIVERED, Fate, best
from catalyst.core.outcomes import Verdict, judge, parse_horizons
from catalyst.core.passed import alert_id
from catalyst.core.reports import (
    boot_notice,
    close_notice,
    day_of,
    dead_notice,
    due,
    feeds_of,
    is_whole_start,
    open_notice,
)
from catalyst.errors import UnavailableError, UsageError
from catalyst.messages import AlertPosted, ItemDropped, OpsNotice, OutcomeKnown, PriceSeen, WatchTicker
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Output
from catalyst.runtime.control import Control
from catalyst.runtime.ownership import living_owner, start_time
from catalyst.runtime.places import Places
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.settings import Settings

DAY_MS = 86_400_000
KEPT_MS = 30 * DAY_MS  # of an item without an alert; one with an alert is kept as long as its outcomes
MOST_ITEMS = 1_000  # in one answer of `fates` or `outcomes`
LATE_MS = 2 * DAY_MS  # open for so long after its time: market lost the wish, as with its database
MOST_ASKS = 6  # of one outcome, a day apart
ASKS_A_TURN = 500
LOOK_S, SAMPLE_MS = 30.0, 300_000  # between two looks at the session, and at the sources while it lasts
ANSWER_S, AGAIN_MS, MOST_LOOKS = 3.0, 3_000, 12  # at a start the fetcher comes last
MOST_WAITS = 500  # alerts whose latency a report tells of: as many as the alerter lists
TOLD = (UNDELIVERED, TOO_OLD)  # deaths that the alerter tells of by itself

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
PRUNING = """
-- pruning: those without an alert go first
CREATE INDEX fates_to_forget ON fates(at_ms) WHERE fate <> 'alerted';
"""
BY_TICKER = """
-- explain: a ticker's filings that were not read; all others are among the classifier's decisions
CREATE INDEX fates_unread ON fates(ticker, at_ms) WHERE stage = 'sec';
"""


class Look(msgspec.Struct, frozen=True):
    """A look at the others: for which report, of what day (of a boot: which supervisor), since when."""

    what: str
    about: str
    since_ms: int = 0


class Looked(msgspec.Struct, frozen=True):
    """What the others say: the fetcher's sources (None: it is silent), milliseconds from seen to sent of the alerts,
    seconds since the machine's start at which the other actors began."""

    sources: list[dict[str, Any]] | None = None
    waits_ms: list[int] = []
    others_s: list[float] = []


class Tracker(Actor):
    """Keeps the best fact of each item and ticker; follows each alert's price to the horizons of the setting."""

    name = "tracker"
    inbox = (AlertPosted, PriceSeen, ItemDropped)
    outbox = (WatchTicker, OutcomeKnown, OpsNotice)
    tables = (SCHEMA, outcomes.SCHEMA, outcomes.JUMPED, PRUNING, BY_TICKER, reports.SCHEMA,
              outcomes.FOLLOWED)
    jobs = (JobKind("look", Look, limit_s=20.0, background=True),)
    every = (Every("ask_again", 3_600, at_start=True), Every("session", LOOK_S), Every("prune", PRUNE_S))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._horizons = parse_horizons(settings.horizons)
        self._sampled_ms = 0

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Under a supervisor that nothing was told of yet, find out whether this is the start of the whole house."""
        keeper = living_owner(self.settings.database_folder, SUPERVISOR)
        if keeper is not None:
            about = f"{keeper.pid}:{keeper.start_time}"
            if not Reportbook(db, self.now_ms).is_told(about, "boot"):
                yield Job("look", Look("boot", about), key="boot")

    def on_reload(self) -> None:
        """Other horizons count for alerts from now on. Raises ConfigError for a wrong one, which changes nothing."""
        self._horizons = parse_horizons(self.settings.horizons)

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """A price that is taken after a jump is not of the time after its alert that is wanted."""
        Outcomebook(db, self.now_ms).shift(by_ms)
        return iter(())

    def on_alert_posted(self, posted: AlertPosted, db: sqlite3.Connection) -> Iterator[Output]:
        """The item went out, by itself or folded into an earlier alert."""
        fact = Fate("alerted", FOLDED if posted.folded else None, posted.ticker, "alerter", posted.kinds, posted.score,
                    posted.alert_id)
        self._keep(posted.item_id, fact, posted.price_usd, posted.simulated, posted.posted_ms, db)
        if not posted.folded:
            jumped_ms = self.time.present_ms(posted.posted_ms) - posted.posted_ms
            yield from Outcomebook(db, self.now_ms).begin(posted, self._horizons, jumped_ms)

    def on_price_seen(self, seen: PriceSeen, db: sqlite3.Connection) -> Iterator[Output]:
        """The price at a horizon: it settles an open outcome, of which the alerter is told; any further one changes
        nothing. One from no market changes no history."""
        book = Outcomebook(db, self.now_ms)
        row = book.find(seen.item_id, seen.ticker, seen.horizon)
        if row is None:
            self.counters.add("prices_not_wanted")
            return
        verdict = judge(row.base_usd, row.base_ms, row.simulated, seen, row.jumped_ms)
        book.end(row, verdict)
        self.counters.add(f"outcomes_{verdict.state}")
        history = None if verdict.simulated or verdict.state != "settled" else book.history(
            row.kind, row.horizon, self.time.before_ms(outcomes.KEPT_MS))
        if (known := row.known(verdict, history, self.now_ms)) is not None:
            yield known

    def ask_again(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Nothing waits for ever: a price that is long overdue is asked for once a day, then given up."""
        book = Outcomebook(db, self.now_ms)
        for row in book.overdue(self.now_ms - LATE_MS, self.now_ms - DAY_MS, ASKS_A_TURN):
            if row.asks < MOST_ASKS:
                book.asked(row)
                yield row.wish()
            else:
                book.end(row, Verdict("unknown", None, None, None, row.simulated, "no_answer"))
                log.warning("outcome_given_up", item=row.item_id, ticker=row.ticker, horizon=row.horizon)

    def on_item_dropped(self, dropped: ItemDropped, db: sqlite3.Connection) -> Iterator[Output]:
        """The item ended, for one ticker or altogether."""
        fact = Fate(dropped.fate, dropped.reason, dropped.ticker, dropped.stage, dropped.kinds, dropped.score)
        self._keep(dropped.item_id, fact, None, False, dropped.dropped_ms, db)
        if dropped.fate == "dead" and dropped.reason not in TOLD:
            yield dead_notice(dropped.stage, dropped.reason, dropped.item_id, self.now_ms)

    def session(self, db: sqlite3.Connection) -> Iterator[Output]:
        """The market's opening and close are told once each; meanwhile it is noted who is silent."""
        what = due(self.now_ms)
        if what is None:
            return
        about, since_ms = day_of(self.now_ms)
        if what == "open" and Reportbook(db, self.now_ms).is_told(about, "open"):
            what = "sample"
        if what == "sample" and 0 <= self.now_ms - self._sampled_ms < SAMPLE_MS:
            return
        if what == "sample":
            self._sampled_ms = self.now_ms
        if what == "sample" or not Reportbook(db, self.now_ms).is_told(about, what):
            yield Job("look", Look(what, about, since_ms), key=what)

    def work_look(self, look: Look) -> Looked:
        """Ask the others. Raises UnavailableError where the fetcher is silent."""
        folder, places = self.settings.database_folder, Places.of(self.settings)
        if not places.is_remote("fetcher") and living_owner(folder, "fetcher") is None:
            raise UnavailableError("fetcher is not running")
        with Control(places) as control:
            sources = control.ask("fetcher", "sources", ANSWER_S)["sources"]
            listed = control.ask_all(["alerter"], "alerts", ANSWER_S, since_ms=look.since_ms, limit=MOST_WAITS) if (
                look.what == "close" and living_owner(folder, "alerter") is not None) else {}
        alerts = listed.get("alerter", {}).get("alerts", ())
        owners = [living_owner(folder, name) for name in WORKERS if name != self.name]
        tick_s = 1 / os.sysconf("SC_CLK_TCK")
        return Looked(sources, [max(0, (from_iso(one["sent"]) or 0) - (from_iso(one["seen"]) or 0)) for one in alerts
                                if one["sent"] and one["seen"]],
                      [owner.start_time * tick_s for owner in owners if owner is not None])

    def done_look(self, job: Job, looked: Looked, db: sqlite3.Connection) -> Iterator[Output]:
        """Tell what is to be told, once."""
        assert isinstance(job.payload, Look)
        look, book = job.payload, Reportbook(db, self.now_ms)
        feeds = feeds_of(looked.sources, self.now_ms) if looked.sources is not None else None
        if feeds is not None and look.what != "boot":
            book.silent(look.about, feeds.stale)
        if look.what == "sample" or (look.what == "boot" and not self._began_with(looked)):
            return
        if not book.tell(look.about, look.what):
            return
        if look.what == "boot":
            from catalyst.clients.notify import fault  # what reaches the outside is not loaded for anything else
            from catalyst.clients.sinks import alert_sinks

            yield boot_notice(__version__, alert_sinks(self.settings), feeds, fault(self.settings), self.now_ms)
        elif look.what == "open":
            alerts = sum(book.day(look.since_ms).alerts.values())
            yield open_notice(look.about, feeds, alerts, self.now_ms)
        else:
            yield close_notice(look.about, book.day(look.since_ms, looked.waits_ms), book.were_silent(look.about),
                               self.now_ms)

    def _began_with(self, looked: Looked) -> bool:
        """Whether the others began when this process did."""
        return is_whole_start(start_time(os.getpid()) / os.sysconf("SC_CLK_TCK"), looked.others_s)

    def failed_look(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """The fetcher is silent: again a little later; at last a report goes out without it."""
        assert isinstance(job.payload, Look)
        if job.payload.what == "sample":
            return
        if isinstance(error, UnavailableError) and job.tries < MOST_LOOKS:
            yield job.again(self.now_ms + AGAIN_MS)
        elif job.payload.what != "boot":
            yield from self.done_look(job, Looked(), db)

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
            return {"fates": self._fates(_texts(arguments["ids"], "ids"), db), "next": None}
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

    def verb_posted(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Which alerts of the items in `item_ids` (at most 1,000) went out, and when: `{"posted": {alert_id: ms}}`; one
        that was folded into an earlier one under the id that it would have had by itself.

        What is absent may be out all the same, where the word of it was lost. Raises UsageError for other arguments.
        """
        ids = _texts(arguments.get("item_ids"), "item_ids")
        rows = db.execute("SELECT iif(reason = ?, NULL, alert_id), item_id, ticker, at_ms FROM fates WHERE item_id IN"
                          " (SELECT value FROM json_each(?)) AND fate = 'alerted' AND alert_id IS NOT NULL",
                          (FOLDED, json.dumps(ids)))
        return {"posted": {found or alert_id(item_id, ticker): at_ms for found, item_id, ticker, at_ms in rows}}

    def verb_outcomes(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Outcomes of `item_id`, of `alert_ids` (at most 1,000), or of the alerts that went out since `since_ms`.

        `{"outcomes": [{"item_id", "alert_id", "ticker", "horizon", "base_usd", "base_ms", "due_ms", "price_usd",
        "price_ms", "return_pct", "state", "reason", "simulated"}], "next"}`. Since a time only those of real prices
        come, with `simulated` true only the others; ask again with `after` = `next` until it is null. Raises
        UsageError for other arguments.
        """
        book = Outcomebook(db, self.now_ms)
        if isinstance(item_id := arguments.get("item_id"), str):
            return {"outcomes": book.of_item(item_id), "next": None}
        if "alert_ids" in arguments:
            return {"outcomes": book.of_alerts(_texts(arguments["alert_ids"], "alert_ids")), "next": None}
        after = arguments.get("after") or [arguments.get("since_ms"), 0]
        if not isinstance(after, (list, tuple)) or len(after) != 2 or not all(type(part) is int for part in after):
            raise UsageError("give item_id, alert_ids or since_ms; after is what `next` was")
        shown, place = book.since((after[0], after[1]), MOST_ITEMS, simulated=bool(arguments.get("simulated")))
        return {"outcomes": shown, "next": place}

    def prune(self, db: sqlite3.Connection) -> None:
        """Forget old items and outcomes."""
        forget(db, "fates", "item_id, ticker", "fate <> 'alerted' AND at_ms < ? ORDER BY at_ms",
               (self.time.before_ms(KEPT_MS),))
        forget(db, "fates", "item_id, ticker", "at_ms < ? ORDER BY at_ms", (self.time.before_ms(outcomes.KEPT_MS),))
        Outcomebook(db, self.now_ms).prune(self.time.before_ms)
        Reportbook(db, self.now_ms).prune(self.time.before_ms)


def _texts(value: Any, name: str) -> Sequence[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{name} is a list of ids")
    if len(value) > MOST_ITEMS:
        raise UsageError(f"at most {MOST_ITEMS} ids a call")
    return value


def _fact(row: Sequence[Any]) -> Fate:
    fate, reason, ticker, stage, kinds, score, alert_id = row
    return Fate(fate, reason, ticker, stage, tuple(json.loads(kinds)), score, alert_id)


def _shown(fact: Fate) -> dict[str, Any]:
    return {"fate": fact.fate, "reason": fact.reason, "ticker": fact.ticker or None, "kinds": list(fact.kinds),
            "score": fact.score, "alert_id": fact.alert_id}
