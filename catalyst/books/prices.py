"""The rows behind market: quotes and their bars, decisions of the price gate, watches, outages. It reads and writes
rows of market's database; which price counts and when asking is given up is decided in catalyst.core.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from catalyst.books.slices import LARGE_ROWS, forget
from catalyst.core.outcomes import Watch
from catalyst.core.quotes import Charted, Quote
from catalyst.messages import Bar, CatalystScored, WatchTicker

DAY_MS = 86_400_000
QUOTES_KEPT_MS = 7 * DAY_MS
DECISIONS_KEPT_MS = 30 * DAY_MS
MOST_BARS_KEPT = 500  # tickers; the one used longest ago goes first: 50 KB each, 25 MB in all
ASKED_MS = 3_600_000  # a look that was queued this long ago and never came back is made again

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

SECOND_STEP = """
CREATE TABLE bars (
    ticker TEXT PRIMARY KEY,
    taken_ms INTEGER NOT NULL,   -- of the quote that they came with
    used_ms INTEGER NOT NULL,    -- when they were last stored or drawn
    body BLOB NOT NULL           -- msgpack list of catalyst.messages.Bar
);
-- the bound on their number: which were used longest ago
CREATE INDEX bars_by_use ON bars(used_ms, ticker);
-- the hourly pruning: bars older than a moment
CREATE INDEX bars_by_time ON bars(taken_ms);
CREATE TABLE watches (
    item_id TEXT NOT NULL,
    ticker TEXT NOT NULL,
    horizon TEXT NOT NULL,
    due_ms INTEGER NOT NULL,     -- the moment whose price is wanted
    next_ms INTEGER NOT NULL,    -- when to ask (again)
    tries INTEGER NOT NULL DEFAULT 0,  -- requests that gave nothing
    first_ms INTEGER,            -- when the first of these was made
    PRIMARY KEY (item_id, ticker, horizon)
) WITHOUT ROWID;
-- look_due: what is to be asked now
CREATE INDEX watches_by_next ON watches(next_ms, ticker);
-- how many are due, and when the next one is
CREATE INDEX watches_by_due ON watches(due_ms);
-- an answer settles all due watches of its ticker
CREATE INDEX watches_by_ticker ON watches(ticker, due_ms);
"""

THIRD_STEP = """
CREATE TABLE outages (
    provider TEXT PRIMARY KEY,
    began_ms INTEGER NOT NULL    -- of an outage that the operator was told of, until he is told of its end
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Pricebook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    # -- quotes, bars, decisions

    def fresh(self, ticker: str, ttl_s: float, providers: Collection[str]) -> Quote | None:
        """The stored quote while it is younger than `ttl_s` and its provider still counts; never one of the future,
        which a changed clock makes."""
        row = self.db.execute(
            "SELECT price_usd, price_ms, previous_close_usd, volume, provider, simulated FROM quotes"
            " WHERE ticker = ? AND taken_ms > ? AND taken_ms <= ?",
            (ticker, self.now_ms - round(ttl_s * 1000), self.now_ms)).fetchone()
        if row is None or row[4] not in providers:
            return None
        price_usd, price_ms, previous_usd, volume, provider, simulated = row
        return Quote(ticker, price_usd, price_ms, previous_usd, volume, provider, bool(simulated))

    def remember(self, charted: Charted) -> None:
        """Store a quote and its bars in place of the ticker's earlier ones; the bars used longest ago make room."""
        quote = charted.quote
        self.db.execute("INSERT OR REPLACE INTO quotes(ticker, provider, simulated, price_usd, price_ms,"
                        " previous_close_usd, volume, taken_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                        (quote.ticker, quote.provider, quote.simulated, quote.price_usd, quote.price_ms,
                         quote.previous_close_usd, quote.volume, self.now_ms))
        if not charted.bars:  # older ones are not this quote's
            self.db.execute("DELETE FROM bars WHERE ticker = ?", (quote.ticker,))
            return
        self.db.execute("INSERT OR REPLACE INTO bars(ticker, taken_ms, used_ms, body) VALUES(?, ?, ?, ?)",
                        (quote.ticker, self.now_ms, self.now_ms, msgspec.msgpack.encode(charted.bars)))
        self.db.execute("DELETE FROM bars WHERE ticker IN (SELECT ticker FROM bars ORDER BY used_ms DESC, ticker DESC"
                        " LIMIT -1 OFFSET ?)", (MOST_BARS_KEPT,))

    def bars(self, ticker: str) -> tuple[Bar, ...]:
        """The bars that came with the ticker's stored quote, none where they had to make room."""
        row = self.db.execute("UPDATE bars SET used_ms = ? WHERE ticker = ? RETURNING body",
                              (self.now_ms, ticker)).fetchone()
        return msgspec.msgpack.decode(row[0], type=tuple[Bar, ...]) if row else ()

    def is_decided(self, scored: CatalystScored) -> bool:
        """Whether the gate has spoken on this item and ticker."""
        return self.db.execute("SELECT 1 FROM decisions WHERE item_id = ? AND ticker = ?",
                               (scored.item_id, scored.ticker)).fetchone() is not None

    def decide(self, scored: CatalystScored, reason: str | None, quote: Quote | None, faults: str) -> None:
        """Write down what the gate said, once."""
        self.db.execute("INSERT INTO decisions(item_id, ticker, reason, price_usd, faults, at_ms)"
                        " VALUES(?, ?, ?, ?, ?, ?)", (scored.item_id, scored.ticker, reason,
                                                      quote.price_usd if quote else None, faults, self.now_ms))

    def decisions(self, item_id: str, ticker: str | None) -> list[dict[str, Any]]:
        """What the gate said on an item, for one ticker or for all."""
        names = ("item_id", "ticker", "reason", "price_usd", "faults", "at_ms")
        rows = self.db.execute("SELECT item_id, ticker, reason, price_usd, faults, at_ms FROM decisions"
                               " WHERE item_id = ?1 AND (?2 IS NULL OR ticker = ?2) ORDER BY ticker",
                               (item_id, ticker))
        return [dict(zip(names, row, strict=True)) for row in rows]

    # -- outages of providers

    def outages(self) -> dict[str, int]:
        """Provider -> when its outage began, of those that the operator knows of."""
        return dict(self.db.execute("SELECT provider, began_ms FROM outages").fetchall())

    def outage_told(self, provider: str, began_ms: int) -> None:
        """The operator knows of the outage."""
        self.db.execute("INSERT INTO outages(provider, began_ms) VALUES(?, ?)", (provider, began_ms))

    def outage_over(self, provider: str) -> None:
        """He knows of its end too."""
        self.db.execute("DELETE FROM outages WHERE provider = ?", (provider,))

    # -- watches

    def watch(self, wanted: WatchTicker) -> None:
        """Keep a wish until it is answered; a repeated one changes nothing."""
        self.db.execute("INSERT OR IGNORE INTO watches(item_id, ticker, horizon, due_ms, next_ms)"
                        " VALUES(?, ?, ?, ?, ?)",
                        (wanted.item_id, wanted.ticker, wanted.horizon, wanted.due_ms, wanted.due_ms))

    def waiting(self) -> tuple[int, int | None]:
        """How many watches are due and not answered, and when the next one falls due."""
        row: tuple[int, int | None] = self.db.execute(
            "SELECT (SELECT count(*) FROM watches WHERE due_ms <= ?1), (SELECT min(due_ms) FROM watches"
            " WHERE due_ms > ?1)", (self.now_ms,)).fetchone()
        return row

    def to_look_up(self, until_ms: int, most: int) -> list[tuple[str, int, int, int]]:
        """Tickers with watches to ask about by `until_ms`, longest waiting first: each with the earliest moment whose
        price is wanted, when the oldest of their alerts went out, and when to ask. Those watches count as asked from
        here on."""
        rows = self.db.execute("SELECT ticker FROM watches INDEXED BY watches_by_next WHERE next_ms <= ?"
                               " ORDER BY next_ms, ticker LIMIT ?", (until_ms, 20 * most)).fetchall()
        found = []
        for ticker in list(dict.fromkeys(row[0] for row in rows))[:most]:
            since_ms, ask_ms = self.db.execute(
                "SELECT min(due_ms), max(next_ms) FILTER (WHERE next_ms <= ?) FROM watches WHERE ticker = ?",
                (until_ms, ticker)).fetchone()
            base_ms = min(watch.base_ms for watch in self.due(ticker, until_ms))
            self.db.execute("UPDATE watches SET next_ms = ? WHERE ticker = ? AND next_ms <= ?",
                            (until_ms + ASKED_MS, ticker, until_ms))
            found.append((ticker, since_ms, base_ms, ask_ms))
        return found

    def due(self, ticker: str, asked_ms: int) -> list[Watch]:
        """The ticker's watches that an answer asked for at `asked_ms` can settle: those that were due by then."""
        return [Watch(*row) for row in self.db.execute(
            "SELECT item_id, ticker, horizon, due_ms, tries, first_ms FROM watches WHERE ticker = ? AND due_ms <= ?"
            " ORDER BY due_ms, item_id, horizon", (ticker, asked_ms)).fetchall()]

    def answered(self, watch: Watch) -> None:
        """The wish is granted, or given up."""
        self.db.execute("DELETE FROM watches WHERE item_id = ? AND ticker = ? AND horizon = ?",
                        (watch.item_id, watch.ticker, watch.horizon))

    def again(self, watch: Watch, next_ms: int) -> None:
        """A request gave nothing; ask again at `next_ms`."""
        self.db.execute("UPDATE watches SET tries = tries + 1, first_ms = coalesce(first_ms, ?), next_ms = ?"
                        " WHERE item_id = ? AND ticker = ? AND horizon = ?",
                        (self.now_ms, next_ms, watch.item_id, watch.ticker, watch.horizon))

    def shift(self, by_ms: int) -> None:
        """The clock jumped: a quote stays as fresh as it was, a watch that waits for its next try waits as long. The
        moments whose price is wanted are times of the wall and stay."""
        self.db.execute("UPDATE quotes SET taken_ms = taken_ms + ?", (by_ms,))
        self.db.execute("UPDATE outages SET began_ms = began_ms + ?", (by_ms,))
        self.db.execute("UPDATE bars SET taken_ms = taken_ms + ?1, used_ms = used_ms + ?1", (by_ms,))
        self.db.execute("UPDATE watches SET next_ms = max(due_ms, next_ms + ?1), first_ms = first_ms + ?1"
                        " WHERE next_ms > due_ms", (by_ms,))

    def prune(self, before: Callable[[int], int]) -> None:
        """Forget old quotes, bars and decisions; watches end by their answers. `before`: Timekeeper.before_ms."""
        quotes_before = (before(QUOTES_KEPT_MS),)
        forget(self.db, "quotes", "ticker", "taken_ms < ? ORDER BY taken_ms", quotes_before)
        forget(self.db, "bars", "ticker", "taken_ms < ? ORDER BY taken_ms", quotes_before, LARGE_ROWS)
        forget(self.db, "decisions", "item_id, ticker", "at_ms < ? ORDER BY at_ms", (before(DECISIONS_KEPT_MS),))
