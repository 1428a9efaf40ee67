"""market: finds the price of a scored ticker and lets through what the price limits allow.

receives  CatalystScored  from classifier
sends     AlertReady      to alerter (passed the price gate; price null when no provider knew one)
sends     ItemDropped     to tracker (price_ceiling, price_floor)
stores    quotes          the last quote of each ticker, kept 7 days
stores    decisions       one row an item and ticker, kept 30 days
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from catalyst import log
from catalyst.clients.http import Http
from catalyst.clients.prices import PriceChain, Priced, provider_hosts
from catalyst.clock import Clock
from catalyst.core.gate import price_gate
from catalyst.core.quotes import Quote
from catalyst.messages import AlertReady, CatalystScored, ItemDropped
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Output
from catalyst.settings import Settings

DAY_MS = 86_400_000
QUOTES_KEPT_MS = 7 * DAY_MS
DECISIONS_KEPT_MS = 30 * DAY_MS

SCHEMA = """
CREATE TABLE quotes (
    ticker TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    simulated INTEGER NOT NULL,  -- 1: not from a market; never enters a statistic
    price_usd REAL NOT NULL,
    price_ms INTEGER,            -- when the price was made, null where the provider does not say
    previous_close_usd REAL,
    volume INTEGER,
    taken_ms INTEGER NOT NULL    -- when the provider's answer was complete
) WITHOUT ROWID;
-- the hourly pruning: quotes older than a moment
CREATE INDEX quotes_by_time ON quotes(taken_ms);
CREATE TABLE decisions (
    item_id TEXT NOT NULL,
    ticker TEXT NOT NULL,
    reason TEXT,                 -- why it was dropped, null: passed
    price_usd REAL,              -- null: no provider knew one
    faults TEXT NOT NULL,        -- why providers gave none, "yahoo:timeout"
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (item_id, ticker)
) WITHOUT ROWID;
-- the hourly pruning: decisions older than a moment
CREATE INDEX decisions_by_time ON decisions(at_ms);
"""


class Market(Actor):
    """One job a scored ticker, unless a fresh quote answers at once."""

    name = "market"
    inbox = (CatalystScored,)
    outbox = (AlertReady, ItemDropped)
    tables = (SCHEMA,)
    jobs = (JobKind("quote", CatalystScored, limit_s=5.0, workers=8),)
    every = (Every("prune", 3_600),)

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._chain = self._new_chain()

    def _new_chain(self) -> PriceChain:
        http = Http(self.clock, allow_hosts=provider_hosts(self.settings))
        return PriceChain(http, self.settings, self.clock)

    def on_reload(self) -> None:
        self._chain = self._new_chain()

    def on_catalyst_scored(self, scored: CatalystScored, db: sqlite3.Connection) -> Iterator[Output]:
        """Decide at once with a fresh quote, else ask for one; watched tickers first, then the best score."""
        if _is_decided(db, scored):
            return
        if (quote := self._fresh(db, scored.ticker)) is not None:
            self.counters.add("quotes_reused")
            yield from self._decide(scored, Priced(quote), db)
        else:
            yield Job("quote", scored, priority=scored.score + scored.watched, item_id=scored.item_id)

    def work_quote(self, scored: CatalystScored) -> Priced:
        """Ask the providers."""
        return self._chain.quote(scored.ticker)

    def done_quote(self, job: Job, priced: Priced, db: sqlite3.Connection) -> Iterator[Output]:
        """Remember the quote and decide."""
        scored = job.payload
        assert isinstance(scored, CatalystScored)
        for fault in priced.reasons:
            self.counters.add(f"fault_{fault.replace(':', '_')}")
        if priced.quote is not None:
            self._remember(priced.quote, db)
        yield from self._decide(scored, priced, db)

    def failed_quote(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect in asking must not cost the alert: it goes on without a price."""
        yield from self.done_quote(job, Priced(None, (f"chain:{type(error).__name__}",)), db)

    def _decide(self, scored: CatalystScored, priced: Priced, db: sqlite3.Connection) -> Iterator[Output]:
        if _is_decided(db, scored):
            return
        quote = priced.quote
        reason = price_gate(quote, ceiling_usd=self.settings.price_ceiling, floor_usd=self.settings.price_floor,
                            watched=scored.watched)
        db.execute("INSERT INTO decisions(item_id, ticker, reason, price_usd, faults, at_ms) VALUES(?, ?, ?, ?, ?, ?)",
                   (scored.item_id, scored.ticker, reason, quote.price_usd if quote else None,
                    " ".join(priced.reasons), self.now_ms))
        if quote is None:
            self.counters.add("price_unknown")
            log.warning("price_unknown", item=scored.item_id, ticker=scored.ticker, faults=" ".join(priced.reasons))
        if reason is not None:
            self.counters.add(f"dropped_{reason}")
            yield ItemDropped(item_id=scored.item_id, stage=self.name, reason=reason, ticker=scored.ticker,
                              kinds=tuple(kind.kind for kind in scored.kinds), score=scored.score,
                              dropped_ms=self.now_ms)
        else:
            yield self._ready(scored, quote)

    def _ready(self, scored: CatalystScored, quote: Quote | None) -> AlertReady:
        return AlertReady(
            item_id=scored.item_id, alert_id=alert_id(scored.item_id, scored.ticker), source=scored.source,
            title=scored.title, link=scored.link, summary=scored.summary, published_ms=scored.published_ms,
            seen_ms=scored.seen_ms, ticker=scored.ticker, company=scored.company, kinds=scored.kinds,
            direction=scored.direction, sentiment=scored.sentiment, score=scored.score, why=scored.why,
            watched=scored.watched, price_usd=quote.price_usd if quote else None,
            price_ms=quote.price_ms if quote else None,
            previous_close_usd=quote.previous_close_usd if quote else None,
            simulated=quote.simulated if quote else False, provider=quote.provider if quote else None,
            ready_ms=self.now_ms)

    def _fresh(self, db: sqlite3.Connection, ticker: str) -> Quote | None:
        """The stored quote while it is younger than the setting; one from the future (a changed clock) is not."""
        row = db.execute(
            "SELECT price_usd, price_ms, previous_close_usd, volume, provider, simulated FROM quotes"
            " WHERE ticker = ? AND taken_ms > ? AND taken_ms <= ?",
            (ticker, self.now_ms - round(self.settings.quote_ttl_s * 1000), self.now_ms)).fetchone()
        if row is None or row[4] not in self.settings.quote_providers:
            return None
        price_usd, price_ms, previous_usd, volume, provider, simulated = row
        return Quote(ticker, price_usd, price_ms, previous_usd, volume, provider, bool(simulated))

    def _remember(self, quote: Quote, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO quotes(ticker, provider, simulated, price_usd, price_ms,"
                   " previous_close_usd, volume, taken_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                   (quote.ticker, quote.provider, quote.simulated, quote.price_usd, quote.price_ms,
                    quote.previous_close_usd, quote.volume, self.now_ms))

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old quotes and decisions."""
        db.execute("DELETE FROM quotes WHERE taken_ms < ?", (self.now_ms - QUOTES_KEPT_MS,))
        db.execute("DELETE FROM decisions WHERE at_ms < ?", (self.now_ms - DECISIONS_KEPT_MS,))
        return iter(())


def alert_id(item_id: str, ticker: str) -> str:
    """20 hex digits that are the same whenever the same item is alerted for the same ticker."""
    return hashlib.blake2b((item_id + ticker).encode()).hexdigest()[:20]


def _is_decided(db: sqlite3.Connection, scored: CatalystScored) -> bool:
    return db.execute("SELECT 1 FROM decisions WHERE item_id = ? AND ticker = ?",
                      (scored.item_id, scored.ticker)).fetchone() is not None
