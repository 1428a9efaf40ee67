"""classifier: finds the ticker, the kind of catalyst, the direction and the score of an item, or the reason to drop it.

receives  StoryFound      from fetcher
receives  FilingRead      from sec
sends     CatalystScored  to market (one for each share traded in the US that the item is about)
sends     ItemDropped     to tracker (noise:<kind>, no_ticker, foreign_listing, instrument, no_catalyst, low_score,
                           sent_gate, category_gate)
stores    decisions       one row an item and ticker, kept 30 days
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from catalyst import log
from catalyst.books.slices import PRUNE_S, forget
from catalyst.clients.files import Lists, load_gates, load_rules, load_sentiment
from catalyst.clock import Clock
from catalyst.core.classify import Decision, Story, classify, evidence_of
from catalyst.core.classify_filing import classify_filing
from catalyst.core.rules import Rules
from catalyst.errors import UsageError
from catalyst.messages import CatalystScored, FilingRead, ItemDropped, StoryFound
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.settings import Settings

KEPT_MS = 30 * 86_400_000
EXPLAINED, MOST_EXPLAINED = 100, 1_000  # rows that one answer of `explain` holds at most, and where it is about ids
Judged = StoryFound | FilingRead
EXPLAINS = ("item_id", "ticker", "role", "decision", "reason", "kinds", "direction", "score", "sentiment", "why",
            "at_ms", "rules", "evidence")

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
    """Pure decisions by `catalyst.core`; this class keeps the lists fresh and the decisions stored."""

    name = "classifier"
    inbox = (StoryFound, FilingRead)
    outbox = (CatalystScored, ItemDropped)
    tables = (SCHEMA,)
    every = (Every("refresh", 30), Every("prune", PRUNE_S))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._rules: Rules = load_rules(settings)
        self._gates = load_gates(settings, self._rules)
        self._model = load_sentiment()
        self._lists = Lists(with_values=True)
        for fault in self._lists.refresh(settings):
            if {settings.companies, settings.watchlist, settings.market_values} != {None}:
                raise fault  # a file that the user named must be right at the start
            log.error("list_refused", cause=str(fault))
        self._log_lists()

    def on_reload(self) -> None:
        """Read everything again. Raises ConfigError for wrong rules or gates, which leaves in force what was."""
        before, rules = self._rules.version, load_rules(self.settings)
        gates = load_gates(self.settings, rules)
        if gates != self._gates:
            log.info("gates_changed", min_score=gates.min_score, min_tone=gates.min_tone,
                     allowed=",".join(gates.allowed))
        self._rules, self._gates = rules, gates
        if self._rules.version != before:
            log.info("rules_changed", old=before, new=self._rules.version)
        self._lists.forget()
        self._refresh_lists()

    def refresh(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Take up a company list, watch list or file of market values that was replaced."""
        self._refresh_lists()
        return iter(())

    def on_story_found(self, story: StoryFound, db: sqlite3.Connection) -> Iterator[Output]:
        """Decide, store one row a ticker, and pass the story on or say that it ends here."""
        judged = Story(story.item_id, story.title, story.summary, story.source, story.symbols, story.trust)
        lists = self._lists
        decision = classify(judged, self._rules, lists.companies, model=self._model, gates=self._gates,
                            watched=lists.watched, values=lists.values, now_ms=self.now_ms)
        yield from self._conclude(story, decision, db)

    def on_filing_read(self, filing: FilingRead, db: sqlite3.Connection) -> Iterator[Output]:
        """The same for a filing."""
        lists = self._lists
        decision = classify_filing(filing, self._rules, lists.companies, gates=self._gates,
                                   watched=lists.watched, values=lists.values, now_ms=self.now_ms)
        self.counters.add("filings")
        yield from self._conclude(filing, decision, db)

    def _conclude(self, item: Judged, decision: Decision, db: sqlite3.Connection) -> Iterator[Output]:
        self._store(decision, db)
        self.counters.add(decision.reason.partition(":")[0] or "alerts")
        if decision.decision == "alert":
            for one in decision.traded:
                yield self._scored(item, decision, one.ticker, one.role)
        else:
            yield ItemDropped(item_id=item.item_id, stage=self.name, reason=decision.reason,
                              ticker=decision.tickers[0].ticker if decision.tickers else "",
                              kinds=tuple(kind.kind for kind in decision.kinds), score=decision.score,
                              dropped_ms=self.now_ms)

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old decisions."""
        forget(db, "decisions", "item_id, ticker", "at_ms < ? ORDER BY at_ms", (self.time.before_ms(KEPT_MS),))
        return iter(())

    def verb_explain(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """What was decided, newest first, at most 100 rows, 1,000 of ids: `{"decisions": [...]}`.

        About `ticker` (since `since_ms`), about the items in `ids`, or about both together; `evidence` true adds what
        caused each decision, as it is stored (`catalyst.core.evidence.unpacked` reads it). Raises UsageError for other
        arguments.
        """
        ticker, ids, since_ms = arguments.get("ticker"), arguments.get("ids"), arguments.get("since_ms", 0)
        if not (isinstance(since_ms, (int, float)) and isinstance(ids, (list, tuple, type(None)))
                and (isinstance(ticker, str) or ids is not None)):
            raise UsageError("explain wants a ticker or a list of ids, since_ms is a number")
        rows = db.execute(
            f"SELECT {', '.join(EXPLAINS)} FROM decisions WHERE at_ms >= ?1"  # noqa: S608
            + (" AND ticker = ?2" if ticker is not None else "")
            + (" AND item_id IN (SELECT value FROM json_each(?3))" if ids is not None else "")
            + " ORDER BY at_ms DESC, item_id, role, ticker LIMIT ?4",
            (since_ms, ticker, json.dumps(ids), EXPLAINED if ids is None else MOST_EXPLAINED)).fetchall()
        return {"decisions": [_explained(row, bool(arguments.get("evidence"))) for row in rows]}

    def verb_lists(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Take up changed lists now instead of within 30 s: `{"watched": how many tickers}`."""
        self._refresh_lists()
        return {"watched": len(self._lists.watched)}

    def verb_company(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """What the company list says of `ticker`: `{"listed": rows, "company": {"ticker", "title", "cik"} | null,
        "near": tickers written alike}`."""
        lists, ticker = self._lists.companies, str(arguments.get("ticker", ""))
        company = lists.ticker(ticker) if lists is not None else None
        return {"listed": len(lists) if lists is not None else 0,
                "company": msgspec.structs.asdict(company) if company is not None else None,
                "near": lists.near(ticker) if lists is not None and company is None else []}

    def _scored(self, item: Judged, decision: Decision, ticker: str, role: Any) -> CatalystScored:
        companies = self._lists.companies
        company = companies.ticker(ticker) if companies is not None else None
        filer, form = (item.company, item.form) if isinstance(item, FilingRead) else ("", "")
        return CatalystScored(
            item_id=item.item_id, source=item.source, title=item.title, link=item.link, summary=item.summary,
            published_ms=item.published_ms, seen_ms=item.seen_ms, ticker=ticker, role=role,
            company=company.title[:200] if company is not None else filer,
            kinds=decision.kinds, direction=decision.direction, sentiment=decision.sentiment, score=decision.score,
            why=decision.why, watched=ticker in decision.watched, form=form, trust=item.trust)

    def _store(self, decision: Decision, db: sqlite3.Connection) -> None:
        evidence = json.dumps(evidence_of(decision), ensure_ascii=False, separators=(",", ":"))
        kinds = json.dumps([kind.kind for kind in decision.kinds])
        named = [(one.ticker, str(one.role), decision.reason or one.obstacle) for one in decision.tickers]
        db.executemany(
            "INSERT OR REPLACE INTO decisions(item_id, ticker, role, decision, reason, kinds, direction, score,"
            " sentiment, why, evidence, rules, at_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(decision.item_id, ticker, role, "drop" if reason else "alert", reason or None, kinds,
              decision.direction, decision.score, decision.sentiment, decision.why, evidence, self._rules.version,
              self.now_ms) for ticker, role, reason in named or [("", "", decision.reason)]])

    def _refresh_lists(self) -> None:
        before = self._lists.versions
        for fault in self._lists.refresh(self.settings):
            log.error("list_refused", cause=str(fault))
        if self._lists.versions != before:
            self._log_lists()

    def _log_lists(self) -> None:
        lists = self._lists
        log.info("lists_read", companies=len(lists.companies) if lists.companies is not None else 0,
                 watched=len(lists.watched), market_values=len(lists.values))


def _explained(row: tuple[Any, ...], evidence: bool) -> dict[str, Any]:
    shown = dict(zip(EXPLAINS, row, strict=True))
    return {**shown, "kinds": json.loads(shown["kinds"]),
            "evidence": json.loads(shown["evidence"]) if evidence else None}
