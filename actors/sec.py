"""sec: fetches and reads each filing that EDGAR's lists show, and says what is in it.

receives  FilingFound  from fetcher
sends     FilingRead   to classifier (what the filing says, or what the list says where it cannot be read)
sends     ItemDropped  to tracker (form:<FORM>: such forms are not read)
sends     OpsNotice    to alerter (EDGAR refuses us, or answers again)
stores    filings      one row a filing, kept 30 days
stores    analyses     what reading gave, used again for SEC_LLM_CACHE_TTL_HOURS
stores    refusals     one row while EDGAR refuses us, for each reason
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from catalyst import log
from catalyst.books import filings, refusals
from catalyst.books.filings import Analysis, Filingbook, analysis_of, message_of, unread_analysis
from catalyst.books.refusals import Refusalbook
from catalyst.books.slices import PRUNE_S
from catalyst.clients.edgar import NO_AGENT, REFUSALS, REST_S, edgar_of, is_declared, sec_hosts
from catalyst.clients.files import Lists, load_sentiment
from catalyst.clients.http import Http
from catalyst.clock import Clock
from catalyst.core.companies import canonical
from catalyst.core.edgar import next_try, reading_of
from catalyst.core.filings import read_parts
from catalyst.errors import FetchError
from catalyst.messages import FilingFound, FilingRead, ItemDropped, OpsNotice
from catalyst.runtime.contract import Actor, Every, Hold, Job, JobKind, Output
from catalyst.settings import Settings

LANE = "edgar"
GIVE_UP_MS = 900_000  # longer than a refusal's ten minutes: after that the list's entry goes on alone
GIVEN_UP_AT_ONCE = 200
KEPT_MS = 30 * 86_400_000
MOST_LISTED = 500


class Wanted(msgspec.Struct, frozen=True):
    """A filing to read. Not after `until_ms`; `failures` since `failing_ms`; `is_last`: with what can be had."""

    found: FilingFound
    until_ms: int
    failures: int = 0
    failing_ms: int = 0
    is_last: bool = False


class Sec(Actor):
    """One job a filing. Whatever goes wrong with it, the filing goes on: nothing waits for ever."""

    name = "sec"
    inbox = (FilingFound,)
    outbox = (FilingRead, ItemDropped, OpsNotice)
    tables = (filings.SCHEMA + refusals.SCHEMA,)
    jobs = (JobKind("read", Wanted, limit_s=90.0, workers=6),)
    every = (Every("refresh", 30), Every("give_up", 15), Every("prune", PRUNE_S))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._lists = Lists()
        self._connect()
        self._refresh_lists()

    def _connect(self) -> None:
        http = Http(self.clock, allow_hosts=sec_hosts(self.settings))
        self._edgar = edgar_of(self.name, http, self.settings, self.clock)

    def on_reload(self) -> None:
        """Ask EDGAR under the new settings; take up changed lists."""
        self._connect()
        self._refresh_lists()

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """What waits to be read is given up as late as it would have been."""
        Filingbook(db, self.now_ms).shift(by_ms)
        return iter(())

    def refresh(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Take up a company list or watch list that was replaced."""
        self._refresh_lists()
        return iter(())

    def _refresh_lists(self) -> None:
        for fault in self._lists.refresh(self.settings):
            log.error("list_refused", cause=str(fault))

    def statistics(self) -> Mapping[str, float]:
        """The counters, and the cache's hit rate once it was asked."""
        values = self.counters.values
        asked = values.get("cache_hits", 0) + values.get("cache_misses", 0)
        return {**values, "cache_hit_rate": round(values.get("cache_hits", 0) / asked, 4)} if asked else values

    def on_filing_found(self, found: FilingFound, db: sqlite3.Connection) -> Iterator[Output]:
        """Drop a form that is not read, answer from the cache, or queue the reading: urgent forms, watched first."""
        book = Filingbook(db, self.now_ms)
        if book.is_waiting(found.item_id):
            return
        reading = reading_of(found.form)
        ticker = self._lists.ticker_of(found.cik)
        if reading is None:
            reason = f"form:{found.form}"[:200]
            book.add(found, ticker, "dropped", reason)
            self.counters.add("filings_dropped")
            yield ItemDropped(item_id=found.item_id, stage=self.name, reason=reason, ticker=ticker,
                              dropped_ms=self.now_ms)
            return
        self._invalidate(book, ticker, found)
        cached = book.cached(found.item_id, found.form)
        self.counters.add("cache_misses" if cached is None else "cache_hits")
        book.add(found, ticker, "waiting")
        if cached is not None:
            yield self._hand_on(book, found, cached)
        elif not is_declared(self.settings.sec_base_url, self.settings):
            yield from Refusalbook(db, self.now_ms, self.name).refused(NO_AGENT)
            yield self._unread(book, found, NO_AGENT)
        else:
            yield Job("read", Wanted(found, self.now_ms + GIVE_UP_MS), lane=LANE, key=found.item_id,
                      priority=reading.priority + (ticker in self._lists.watched), item_id=found.item_id)

    def work_read(self, wanted: Wanted) -> Analysis:
        """Fetch the filing's documents and read them."""
        found = wanted.found
        if wanted.until_ms - GIVE_UP_MS < self.time.before_ms(GIVE_UP_MS):
            raise FetchError("late", "given up meanwhile")
        fetched = self._edgar.filing(found.item_id, found.form, found.cik, found.link, is_last_try=wanted.is_last)
        if fetched.missing:
            log.warning("documents_missing", item=found.item_id, missing=" ".join(fetched.missing)[:500])
        index = fetched.index
        filing = read_parts(found.form, found.item_id, found.cik or index.cik, found.company or index.company,
                            found.items or index.items, fetched.parts, load_sentiment())
        return analysis_of(found, index, filing)

    def done_read(self, job: Job, analysis: Analysis, db: sqlite3.Connection) -> Iterator[Output]:
        """Keep the analysis and hand it on."""
        assert isinstance(job.payload, Wanted)
        found, book = job.payload.found, Filingbook(db, self.now_ms)
        yield from Refusalbook(db, self.now_ms, self.name).answered()
        ticker = self._lists.ticker_of(analysis.cik)
        if not found.cik:  # the list named another party, so it is known only now whose filing is amended
            self._invalidate(book, ticker, found)
        book.keep(found, ticker, analysis, self.settings.sec_llm_cache_ttl_hours)
        if book.is_waiting(found.item_id):
            self.counters.add("filings_read")
            yield self._hand_on(book, found, analysis)

    def failed_read(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """Try again what may pass, after EDGAR's own time where it refuses; else the list's entry goes on alone."""
        wanted = job.payload
        assert isinstance(wanted, Wanted)
        book = Filingbook(db, self.now_ms)
        reason = str(getattr(error, "reason", f"defect_{type(error).__name__}"))
        self.counters.add(f"failed_{reason}")
        log.warning("filing_failed", item=job.item_id, why=str(error), failures=wanted.failures + 1)
        if not book.is_waiting(wanted.found.item_id):
            return
        if reason in REFUSALS:
            opens_ms = self.now_ms + round((getattr(error, "retry_after_s", None) or REST_S) * 1000)
            yield Hold(LANE, opens_ms)
            yield from Refusalbook(db, self.now_ms, self.name).refused(reason)
            yield job.again(opens_ms)
            return
        since_ms = wanted.failing_ms or self.now_ms
        following = None if wanted.is_last else next_try(reason, wanted.failures + 1, self.time.passed_ms(since_ms),
                                                         job.item_id)
        if following is None:
            yield self._unread(book, wanted.found, reason)
            return
        wait_ms, is_last = following
        payload = msgspec.structs.replace(wanted, failures=wanted.failures + 1, failing_ms=since_ms, is_last=is_last)
        yield replace(job, payload=payload).again(self.now_ms + wait_ms)

    def give_up(self, db: sqlite3.Connection) -> Iterator[Output]:
        """What waited too long goes on as the list has it."""
        book = Filingbook(db, self.now_ms)
        for found in book.overdue(self.now_ms - GIVE_UP_MS, GIVEN_UP_AT_ONCE):
            yield self._unread(book, found, "late")

    def _hand_on(self, book: Filingbook, found: FilingFound, analysis: Analysis, unread: str = "") -> FilingRead:
        read = message_of(found, analysis, self._lists.ticker_of(analysis.cik), unread)
        book.finish(read)
        return read

    def _unread(self, book: Filingbook, found: FilingFound, reason: str) -> FilingRead:
        self.counters.add("filings_unread")
        log.warning("filing_unread", item=found.item_id, form=found.form, why=reason)
        return self._hand_on(book, found, unread_analysis(found), reason)

    def _invalidate(self, book: Filingbook, ticker: str, found: FilingFound) -> None:
        if count := book.invalidate(ticker, found.form):
            self.counters.add("cache_invalidations", count)

    def verb_filings(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """The newest filings: `{"filings": [...]}`; `since_ms`, `limit` and `ticker` choose."""
        most = max(0, min(int(arguments.get("limit", 50)), MOST_LISTED))
        ticker = canonical(str(arguments.get("ticker") or "").upper())
        return {"filings": Filingbook(db, self.now_ms).listed(int(arguments.get("since_ms", 0)), most, ticker)}

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old filings and expired analyses."""
        Filingbook(db, self.now_ms).prune(self.time.before_ms(KEPT_MS))
        return iter(())
