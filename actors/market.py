"""market: finds the price of a scored ticker, lets through what the price limits allow, looks at the price later.

receives  CatalystScored  from classifier
receives  WatchTicker     from tracker (what a ticker costs at a moment to come)
sends     AlertReady      to alerter (passed the price gate; price null when no provider knew one)
sends     ChartWanted     to charter (the bars behind an alert, where there are any)
sends     PriceSeen       to tracker (the answer to each WatchTicker, once)
sends     ItemDropped     to tracker (price_ceiling, price_floor)
sends     OpsNotice       to alerter (a provider gives no prices, or prices again)
stores    quotes          the last quote of each ticker, kept 7 days
stores    bars            the day's bars that came with a quote, 500 tickers, kept 7 days
stores    decisions       one row an item and ticker, kept 30 days
stores    watches         one row an item, ticker and horizon until it is answered
stores    outages         one row a provider while the operator knows that it gives no prices
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from catalyst import log
from catalyst.books import prices
from catalyst.books.prices import Pricebook
from catalyst.books.slices import PRUNE_S
from catalyst.clients.http import Http
from catalyst.clients.prices import TOTAL_S, PriceChain, Priced, provider_hosts
from catalyst.clock import Clock
from catalyst.core.bars import with_today
from catalyst.core.breaker import PAUSED
from catalyst.core.gate import price_gate
from catalyst.core.notices import prices_notice, prices_over_notice
from catalyst.core.outcomes import Watch, answer, is_past
from catalyst.core.passed import alert_of, chart_of
from catalyst.core.quotes import MOST_BARS, Charted, Quote
from catalyst.core.session import market_session
from catalyst.errors import UsageError
from catalyst.messages import AlertReady, CatalystScored, ChartWanted, ItemDropped, OpsNotice, PriceSeen, WatchTicker
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Output
from catalyst.settings import Settings

FAR_MS = 2**53
TODAY = "1D"  # the timeframe of which the bars come with the quote
LOOKS_A_TURN = 10  # tickers asked about in one turn of the timer
LOOK_AHEAD_MS = 1_100  # a turn and a little


class Look(msgspec.Struct, frozen=True):
    """A ticker whose price at a moment, and at those after it, is wanted."""

    ticker: str
    since_ms: int
    base_ms: int | None = None  # when the oldest of the alerts went out


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found by a request begun at `asked_ms`: it knows no price made later. `month` are bars of days, where an
    alert is not of today."""

    asked_ms: int
    priced: Priced
    month: Charted | None = None


class Market(Actor):
    """A job for each scored ticker, unless a fresh quote answers at once; one for all due watches of a ticker.

    Looks have workers of their own and wait behind nobody's alert, nor does an alert wait behind them.
    """

    name = "market"
    inbox = (CatalystScored, WatchTicker)
    outbox = (AlertReady, ChartWanted, PriceSeen, ItemDropped, OpsNotice)
    tables = (prices.SCHEMA, prices.SECOND_STEP, prices.THIRD_STEP)
    jobs = (JobKind("quote", CatalystScored, limit_s=5.0, workers=8),
            JobKind("history", ChartWanted, limit_s=10.0, workers=2),
            JobKind("look", Look, limit_s=10.0, workers=2, background=True))
    every = (Every("look_due", 1.0, at_start=True), Every("tell_outages", 5.0), Every("prune", PRUNE_S))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._due = 0  # watches that are due and not answered, as of the last look at the rows
        self._next_due_ms = FAR_MS
        self.on_reload()

    def on_reload(self) -> None:
        """Ask the providers that are now set. Raises ConfigError for one that does not exist."""
        http = Http(self.clock, allow_hosts=provider_hosts(self.settings))
        self._chain = PriceChain(http, self.settings, self.clock)

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Read what is due: a system with watches that wait is not idle."""
        self._count_due(self._book(db))
        return iter(())

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Quotes stay as fresh as they were; what is due is looked up again."""
        self._book(db).shift(by_ms)
        self._count_due(self._book(db))
        return iter(())

    def _book(self, db: sqlite3.Connection) -> Pricebook:
        return Pricebook(db, self.now_ms)

    def waiting(self) -> int:
        """Watches that are due and not answered; those of the future do not count."""
        return self._due + (self._next_due_ms <= self.clock.now_ms())

    def statistics(self) -> Mapping[str, float]:
        """The counters, and until when each provider is left alone that is."""
        now_ms = self.clock.now_ms()
        return {**self.counters.values, **{f"{PAUSED}{provider}": now_ms + round(left_s * 1000)
                                           for provider, left_s in self._chain.paused_s().items()}}

    def on_catalyst_scored(self, scored: CatalystScored, db: sqlite3.Connection) -> Iterator[Output]:
        """Decide at once with a fresh quote, else ask for one; watched tickers first, then the best score."""
        book = self._book(db)
        if book.is_decided(scored):
            return
        quote = book.fresh(scored.ticker, self.settings.quote_ttl_s, self.settings.quote_providers)
        if quote is not None:
            self.counters.add("quotes_reused")
            yield from self._decide(scored, quote, "", book)
        else:
            yield Job("quote", scored, priority=scored.score + scored.watched, item_id=scored.item_id)

    def work_quote(self, scored: CatalystScored) -> Priced:
        """Ask the providers."""
        market_session(self.clock.now_ms())  # reads the exchange's calendar the first time: not in a handler's turn
        return self._chain.quote(scored.ticker)

    def done_quote(self, job: Job, priced: Priced, db: sqlite3.Connection) -> Iterator[Output]:
        """Remember quote and bars and decide."""
        scored, book = job.payload, self._book(db)
        assert isinstance(scored, CatalystScored)
        self._count_faults(priced)
        if priced.charted is not None:
            book.remember(priced.charted)
        if not book.is_decided(scored):
            yield from self._decide(scored, priced.quote, " ".join(priced.reasons), book)

    def failed_quote(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect in asking must not cost the alert: it goes on without a price."""
        yield from self.done_quote(job, Priced(None, (f"chain:{type(error).__name__}",)), db)

    def _count_faults(self, priced: Priced) -> None:
        for fault in priced.reasons:
            self.counters.add(f"fault_{fault.replace(':', '_')}")

    def _decide(self, scored: CatalystScored, quote: Quote | None, faults: str, book: Pricebook) -> Iterator[Output]:
        reason = price_gate(quote, ceiling_usd=self.settings.price_ceiling, floor_usd=self.settings.price_floor,
                            watched=scored.watched)
        book.decide(scored, reason, quote, faults)
        if quote is None:
            self.counters.add("price_unknown")
            log.warning("price_unknown", item=scored.item_id, ticker=scored.ticker, faults=faults)
        if reason is not None:
            self.counters.add(f"dropped_{reason}")
            yield ItemDropped(item_id=scored.item_id, stage=self.name, reason=reason, ticker=scored.ticker,
                              kinds=tuple(kind.kind for kind in scored.kinds), score=scored.score,
                              dropped_ms=self.now_ms)
            return
        bars = book.bars(scored.ticker) if quote is not None else ()
        yield alert_of(scored, quote, bars, self.now_ms)
        if not self.settings.charts or quote is None:
            return
        if self.settings.chart_frame != TODAY:
            wanted = chart_of(scored, quote, ())
            yield Job("history", wanted, key=wanted.alert_id, priority=scored.score + scored.watched,
                      item_id=scored.item_id)
        elif bars:
            yield chart_of(scored, quote, bars)

    def work_history(self, wanted: ChartWanted) -> Priced:
        """Ask the providers for the days of the chart; the alert is out."""
        return self._chain.history(wanted.ticker, self.settings.chart_frame)

    def done_history(self, job: Job, priced: Priced, db: sqlite3.Connection) -> Iterator[Output]:
        """The chart of those days and of what came with the quote; of the latter alone where no days are to be had."""
        wanted = job.payload
        assert isinstance(wanted, ChartWanted)
        self._count_faults(priced)
        today, charted = self._book(db).bars(wanted.ticker), priced.charted
        bars = today if charted is None else with_today(charted.bars, today, self.settings.chart_frame)
        if bars:
            yield msgspec.structs.replace(
                wanted, bars=tuple(bars[-MOST_BARS:]),
                simulated=wanted.simulated or (charted is not None and charted.quote.simulated))

    def failed_history(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect in asking is a request without an answer."""
        yield from self.done_history(job, Priced(None, (f"chain:{type(error).__name__}",)), db)

    def verb_decision(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """What the price gate said on `item_id`, for `ticker` or for all: `{"decisions": [{"item_id", "ticker",
        "reason", "price_usd", "faults", "at_ms"}]}`; `reason` null: passed. Raises UsageError for other arguments."""
        item_id, ticker = arguments.get("item_id"), arguments.get("ticker")
        if not isinstance(item_id, str) or not isinstance(ticker, str | None):
            raise UsageError("item_id is an item's id, ticker a ticker")
        return {"decisions": self._book(db).decisions(item_id, ticker)}

    def on_watch_ticker(self, wanted: WatchTicker, db: sqlite3.Connection) -> None:
        """Keep the wish until its time."""
        self._book(db).watch(wanted)
        self._next_due_ms = min(self._next_due_ms, wanted.due_ms)

    def look_due(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Plan a request for each ticker whose watches fall due before the next turn, at the very moment."""
        book = self._book(db)
        self._count_due(book)
        for ticker, since_ms, base_ms, ask_ms in book.to_look_up(self.now_ms + LOOK_AHEAD_MS, LOOKS_A_TURN):
            yield Job("look", Look(ticker, since_ms, base_ms), key=ticker, not_before_ms=ask_ms)

    def work_look(self, look: Look) -> Looked:
        """Ask the providers for bars that tell the price then, and whether a split came since an alert of a day before:
        a provider's bars are of today's shares."""
        asked_ms = self.clock.now_ms()
        priced, month = self._chain.bars(look.ticker, look.since_ms), None
        if priced.charted is not None and look.base_ms is not None and is_past(look.base_ms, asked_ms):
            month = self._chain.history(look.ticker, "1M", TOTAL_S).charted
        return Looked(asked_ms, priced, month)

    def done_look(self, job: Job, looked: Looked, db: sqlite3.Connection) -> Iterator[Output]:
        """Answer every watch of the ticker that was due when the request began."""
        assert isinstance(job.payload, Look)
        book = self._book(db)
        self._count_faults(looked.priced)
        for watch in book.due(job.payload.ticker, looked.asked_ms):
            yield from self._answer(watch, looked, book)
        self._count_due(book)

    def failed_look(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect in asking is a request without an answer."""
        yield from self.done_look(job, Looked(self.now_ms, Priced(None, (f"chain:{type(error).__name__}",))), db)

    def _answer(self, watch: Watch, looked: Looked, book: Pricebook) -> Iterator[Output]:
        """The price of the watch's moment; none yet: later; none to be had: the reason."""
        settled = answer(watch, looked.priced.charted, looked.priced.reasons, self.now_ms, looked.month)
        if isinstance(settled, int):
            book.again(watch, settled)
            return
        book.answered(watch)
        self.counters.add("watches_given_up" if settled.price_usd is None else "watches_answered")
        yield settled

    def _count_due(self, book: Pricebook) -> None:
        self._due, next_ms = book.waiting()
        self._next_due_ms = FAR_MS if next_ms is None else next_ms

    def tell_outages(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Tell the operator, once, of a provider that has long given no prices, and once that it is back."""
        book, now_s = self._book(db), self.clock.monotonic_s()
        told, breakers = book.outages(), self._chain.breakers()
        for provider, one in breakers.items():
            began_ms = told.get(provider)
            if began_ms is None and one.is_long(now_s):
                began_ms = self.now_ms - round((now_s - one.opened_s) * 1000)
                book.outage_told(provider, began_ms)
                log.warning("provider_outage", provider=provider, reason=one.reason)
                yield prices_notice(provider, one.reason, began_ms, self.now_ms)
            elif began_ms is not None and one.well_s is not None and one.is_over(now_s):
                book.outage_over(provider)
                ended_ms = self.now_ms - round((now_s - one.well_s) * 1000)
                yield prices_over_notice(provider, began_ms, ended_ms, self.now_ms)
        for provider in told.keys() - breakers.keys():  # it is no longer set
            book.outage_over(provider)

    def prune(self, db: sqlite3.Connection) -> None:
        """Forget what is old."""
        self._book(db).prune(self.time.before_ms)
