"""classifier: finds the ticker, the kind of catalyst, the direction and the score of a story, or the reason to drop it.

receives  StoryFound      from fetcher
sends     CatalystScored  to market (one for each share traded in the US that the story is about)
sends     ItemDropped     to tracker (noise:<kind>, no_ticker, foreign_listing, instrument, no_catalyst, low_score)
stores    decisions       one row a story and ticker, kept 30 days
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from catalyst import log
from catalyst.clients.files import (
    Stamp,
    companies_path,
    load_companies,
    load_rules,
    load_watchlist,
    stamp,
    watchlist_path,
)
from catalyst.clock import Clock
from catalyst.core.classify import Decision, Story, classify
from catalyst.core.companies import Companies
from catalyst.core.rules import Rules
from catalyst.errors import ConfigError
from catalyst.messages import CatalystScored, ItemDropped, StoryFound
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.settings import Settings

KEPT_MS = 30 * 86_400_000
EXPLAINED = 100  # rows that one answer of `explain` holds at most

SCHEMA = """
CREATE TABLE decisions (
    item_id TEXT NOT NULL,
    ticker TEXT NOT NULL,        -- '' when none was found
    role TEXT NOT NULL,          -- primary or secondary, '' without a ticker
    decision TEXT NOT NULL,      -- alert or drop
    reason TEXT,                 -- why it was dropped, null: an alert
    kinds TEXT NOT NULL,         -- JSON list of the kinds' names, the lead first
    direction TEXT NOT NULL,     -- up, down or neutral
    score REAL NOT NULL,         -- 0 to 1
    sentiment REAL NOT NULL,     -- -1 to 1
    why TEXT NOT NULL,
    evidence TEXT NOT NULL,      -- JSON: tickers, kinds and the score's parts, each with the words that caused it
    rules TEXT NOT NULL,         -- version of the rule table
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (item_id, ticker)
) WITHOUT ROWID;
-- explain: what was decided about a ticker since a moment
CREATE INDEX decisions_by_ticker ON decisions(ticker, at_ms);
-- the hourly pruning: decisions older than a moment
CREATE INDEX decisions_by_time ON decisions(at_ms);
"""


class Classifier(Actor):
    """Pure decisions by `catalyst.core.classify`; this class keeps the lists fresh and the decisions stored."""

    name = "classifier"
    inbox = (StoryFound,)
    outbox = (CatalystScored, ItemDropped)
    tables = (SCHEMA,)
    every = (Every("refresh", 30), Every("prune", 3_600))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._rules: Rules = load_rules(settings)
        self._companies: Companies | None = None
        self._watched: frozenset[str] = frozenset()
        self._read: dict[str, Stamp | None] = {}
        for fault in self._read_lists():
            if settings.companies is not None or settings.watchlist is not None:
                raise fault  # a file that the user named must be right at the start
            log.error("list_refused", cause=str(fault))

    def on_reload(self) -> None:
        """Read everything again. Raises ConfigError for a wrong rule table, which leaves in force what was."""
        before = self._rules.version
        self._rules = load_rules(self.settings)
        if self._rules.version != before:
            log.info("rules_changed", old=before, new=self._rules.version)
        self._read.clear()
        self._refresh_lists()

    def refresh(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Take up a company list or watch list that was replaced."""
        self._refresh_lists()
        return iter(())

    def on_story_found(self, story: StoryFound, db: sqlite3.Connection) -> Iterator[Output]:
        """Decide, store one row a ticker, and pass the story on or say that it ends here."""
        decision = classify(
            Story(story.item_id, story.title, story.summary, story.source, story.symbols, story.trust),
            self._rules, self._companies, min_score=self.settings.min_score, watched=self._watched,
            now_ms=self.now_ms)
        self._store(decision, db)
        self.counters.add(decision.reason.partition(":")[0] or "alerts")
        if decision.decision == "alert":
            for one in decision.traded:
                yield self._scored(story, decision, one.ticker, one.role)
        else:
            yield ItemDropped(item_id=story.item_id, stage=self.name, reason=decision.reason,
                              ticker=decision.tickers[0].ticker if decision.tickers else "",
                              kinds=tuple(kind.kind for kind in decision.kinds), score=decision.score,
                              dropped_ms=self.now_ms)

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old decisions."""
        db.execute("DELETE FROM decisions WHERE at_ms < ?", (self.now_ms - KEPT_MS,))
        return iter(())

    def verb_explain(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """What was decided about `ticker` since `since_ms`, newest first."""
        rows = db.execute(
            "SELECT item_id, decision, reason, kinds, score, why, at_ms FROM decisions"
            " WHERE ticker = ? AND at_ms >= ? ORDER BY at_ms DESC LIMIT ?",
            (str(arguments.get("ticker", "")), int(arguments.get("since_ms", 0)), EXPLAINED)).fetchall()
        names = ("item_id", "decision", "reason", "kinds", "score", "why", "at_ms")
        return {"decisions": [{**dict(zip(names, row, strict=True)), "kinds": json.loads(row[3])} for row in rows]}

    def _scored(self, story: StoryFound, decision: Decision, ticker: str, role: Any) -> CatalystScored:
        company = self._companies.ticker(ticker) if self._companies is not None else None
        return CatalystScored(
            item_id=story.item_id, source=story.source, title=story.title, link=story.link, summary=story.summary,
            published_ms=story.published_ms, seen_ms=story.seen_ms, ticker=ticker,
            company=company.title[:200] if company is not None else "", role=role, kinds=decision.kinds,
            direction=decision.direction, sentiment=decision.sentiment, score=decision.score, why=decision.why,
            watched=ticker in decision.watched)

    def _store(self, decision: Decision, db: sqlite3.Connection) -> None:
        evidence = json.dumps({
            "tickers": [{"ticker": one.ticker, "how": one.how, "exchange": one.exchange, "listing": one.listing,
                         "instrument": one.instrument, "evidence": one.evidence} for one in decision.tickers],
            "kinds": [[one.kind, one.phrase] for one in decision.kinds],
            "parts": [[part.name, part.value, part.cause] for part in decision.parts]}, ensure_ascii=False)
        kinds = json.dumps([kind.kind for kind in decision.kinds])
        named = [(one.ticker, str(one.role), decision.reason or one.obstacle) for one in decision.tickers]
        db.executemany(
            "INSERT OR REPLACE INTO decisions(item_id, ticker, role, decision, reason, kinds, direction, score,"
            " sentiment, why, evidence, rules, at_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(decision.item_id, ticker, role, "drop" if reason else "alert", reason or None, kinds,
              decision.direction, decision.score, decision.sentiment, decision.why, evidence, self._rules.version,
              self.now_ms) for ticker, role, reason in named or [("", "", decision.reason)]])

    def _refresh_lists(self) -> None:
        for fault in self._read_lists():
            log.error("list_refused", cause=str(fault))

    def _read_lists(self) -> list[ConfigError]:
        """Read those lists whose file is another one than at the last reading; a wrong one leaves the old in force."""
        faults: list[ConfigError] = []
        for name, path in (("companies", companies_path(self.settings)), ("watchlist", watchlist_path(self.settings))):
            now = stamp(path)
            if name in self._read and self._read[name] == now:
                continue
            self._read[name] = now
            try:
                if name == "companies":
                    self._companies = load_companies(self.settings)
                    log.info("companies_read", rows=len(self._companies) if self._companies is not None else 0)
                else:
                    self._watched = load_watchlist(self.settings)
                    log.info("watchlist_read", tickers=len(self._watched))
            except ConfigError as error:
                faults.append(error)
        return faults
