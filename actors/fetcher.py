"""fetcher: polls the sources politely, reads what they publish, and hands on what was not seen before.

receives  nothing
sends     StoryFound   to classifier (a story that no wire has carried before)
sends     FilingFound  to sec (a filing that no list has shown before)
sends     StoryJoined  to alerter (another wire carries a story that was found)
sends     StoryCorrected to alerter (its publisher corrects a story that was found)
sends     ItemDropped  to tracker (backlog, duplicate:<item id>, stale, missed)
sends     OpsNotice    to alerter (a source gives nothing, or something again; a pause; EDGAR refuses us; filings
                       that no list has shown)
stores    feeds        one row a source: conditional headers, next poll, outage
stores    stories      one row an item id, kept while a feed shows it and SEEN_TTL_DAYS after
stores    words        of the titles: explain finds a company's stories by them; kept 4 days
stores    prints       what of a story is compared with others, kept 4 days
stores    traits       words under which a print is found
stores    seen         entry of a source -> item, kept SEEN_TTL_DAYS after it left the feed
stores    chores       when the company list and EDGAR's daily index are due
stores    pauses       one row a person's pause, kept 30 days after its end
stores    refusals     one row while EDGAR refuses us, for each reason
stores    blackouts    one row while no source answers
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from catalyst import log
from catalyst.books import feeds, pauses, prints, refusals, stories
from catalyst.books.edits import Editbook
from catalyst.books.feeds import Feedbook
from catalyst.books.pauses import Pausebook
from catalyst.books.reconciled import Reconciled
from catalyst.books.refusals import Refusalbook
from catalyst.books.slices import PRUNE_S
from catalyst.books.stories import Known, Storybook
from catalyst.clients.edgar import NO_AGENT, REFUSALS, REST_S, edgar_of
from catalyst.clients.http import Http
from catalyst.clients.polls import (
    DailyIndex,
    Poll,
    Polled,
    ask,
    fetch_companies,
    fetch_index,
    key_of,
    lane_of,
    list_sources,
)
from catalyst.clock import Clock
from catalyst.core import daily_index
from catalyst.core.freshness import Limits, stale
from catalyst.core.intake import Item, announcement, follow_up, in_order, split_backlog
from catalyst.core.outage import NEVER, Notice
from catalyst.core.sources import Source
from catalyst.messages import FilingFound, ItemDropped, OpsNotice, StoryCorrected, StoryFound, StoryJoined
from catalyst.runtime.beats import Beats
from catalyst.runtime.contract import Actor, Every, Hold, Job, JobKind, Loop, Output
from catalyst.runtime.places import Places
from catalyst.runtime.roster import WORKERS
from catalyst.settings import Settings

DAY_S = 86_400
DAY_MS = DAY_S * 1000
PER_HOST, MOST_POLLS = 4, 32  # polls at once: of one host, in all
SLICE = 500  # new items of a document that one turn takes: what a handler does within its limit, several times over
COMPANIES_RETRY_MS = 300_000
INDEX_RETRY_MS, MOST_INDEX_TRIES = 1_800_000, 6  # a day whose index is not there after hours has none
CHORES = """
CREATE TABLE chores (
    name TEXT PRIMARY KEY,
    next_due_ms INTEGER NOT NULL,
    queued_ms INTEGER            -- when the job that is under way was queued, null: none is
) WITHOUT ROWID;
"""


class CompanyList(msgspec.Struct, frozen=True):
    """Where the company list is."""

    url: str


class Fetcher(Actor):
    """A poll is a job; what it found is applied in one transaction, with the headers for the next one."""

    name = "fetcher"
    inbox = ()
    outbox = (StoryFound, FilingFound, StoryJoined, StoryCorrected, ItemDropped, OpsNotice)
    tables = (feeds.SCHEMA + stories.SCHEMA + CHORES, feeds.COUNTS + pauses.SCHEMA, refusals.SCHEMA,
              prints.PRINTS + stories.REPEATS + feeds.HEADS + feeds.BLACKOUTS,
              stories.LATENCY + feeds.PACES, stories.WORDS, stories.TITLES, stories.UNREAD,
              feeds.RESTS)
    jobs = (JobKind("poll", Poll, limit_s=30.0, workers=PER_HOST, most=MOST_POLLS, background=True),
            JobKind("companies", CompanyList, limit_s=60.0, background=True),
            JobKind("reconcile", DailyIndex, limit_s=60.0, background=True))
    every = (Every("poll_due", 0.1, at_start=True), Every("companies_due", 60, at_start=True),
             Every("reconcile_due", 60, at_start=True), Every("prune", PRUNE_S))

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self.paused = False
        self.paused_until_ms: int | None = None
        self._unasked = 0
        self._swept = ("", "")  # how far the pruning has come in the table `seen`,
        self._swept_words = stories.NO_WORD  # and in `words`
        self.listed: tuple[Source, ...] = ()
        self.sources: dict[str, Source] = {}
        self._is_synced = False
        self._http = Http(clock, allow_hosts=settings.allow_hosts)
        self._edgar = edgar_of(self.name, self._http, settings, clock)

    def attach(self, loop: Loop) -> None:
        """Listen to the others: the whole system's backlog is what makes the fetcher pause."""
        self._beats = Beats(Places.of(self.settings), WORKERS)
        loop.watch(self._beats.socket, "hear")

    def hear(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Pause over the limit, go on under half of it: the only back-pressure there is (DESIGN section 3)."""
        self._beats.read()
        limit = self.settings.backlog_limit
        self.paused = self._beats.backlog() > (limit // 2 if self.paused else limit)
        return iter(())

    def waiting(self) -> int:
        """Sources whose first poll has not come back; none counts while a person pauses."""
        return 0 if self.paused_until_ms is not None else self._unasked

    def statistics(self) -> Mapping[str, float]:
        """The counters, and why nothing is polled, where that is so."""
        return {**self.counters.values, **({"paused_backlog": 1} if self.paused else {}),
                **({} if self.paused_until_ms is None else {"paused_until_ms": self.paused_until_ms})}

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Read the list of sources; raises ConfigError when it is wrong."""
        self._list()
        return iter(())

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Poll in the same rhythm, pause for the same time."""
        Feedbook(db, self.now_ms).shift(by_ms)
        Pausebook(db, self.now_ms).shift(by_ms)
        db.execute("UPDATE chores SET next_due_ms = next_due_ms + ?1, queued_ms = queued_ms + ?1", (by_ms,))
        return iter(())

    def _list(self) -> None:
        self.listed = list_sources(self.settings)
        self.sources = {source.name: source for source in self.listed
                        if source.enabled and key_of(source, self.settings) != ""}

    def on_reload(self) -> None:
        """Take over a changed list of sources. Raises ConfigError for a wrong one, which changes nothing."""
        self._list()
        self._http = Http(self.clock, allow_hosts=self.settings.allow_hosts)
        self._edgar = edgar_of(self.name, self._http, self.settings, self.clock)
        self._is_synced = False

    def after_turn(self, *, stored: bool) -> None:
        """Without the rows of the sources none would be polled."""
        self._is_synced = self._is_synced and stored

    def poll_due(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Queue a poll of each source that is due and has none under way."""
        book = Feedbook(db, self.now_ms)
        if not self._is_synced:
            book.sync(self.sources, self.settings)
            self._is_synced = True
        self._unasked = book.unasked(self.sources)
        yield from self._pause(db)
        for poll, due_ms in book.due(self.sources):
            if self.paused or self.storage or self.paused_until_ms is not None:
                self.counters.add("polls_paused")
                continue
            book.queued(self.sources[poll.name], due_ms)
            yield Job("poll", poll, key=poll.name, lane=lane_of(poll))

    def _pause(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Look whether a person's pause is in force, and tell of its beginning and of its end."""
        book = Pausebook(db, self.now_ms)
        notice = book.news()
        self.paused_until_ms = book.until_ms()
        if notice is not None:
            yield self._notice("pause", notice)

    def _notice(self, affair: str, notice: Notice) -> OpsNotice:
        return OpsNotice(item_id=affair, episode=notice.episode, severity=notice.severity, title=notice.title,
                         text=notice.text, made_ms=self.now_ms)

    def verb_sources(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Every source of the list with its standing, and whether and by whom polling is paused."""
        until_ms = Pausebook(db, self.now_ms).until_ms()
        by = "person" if until_ms is not None else self._paused_by()
        return {"sources": Feedbook(db, self.now_ms).listed(self.listed, self.settings), "paused_until_ms": until_ms,
                "paused_by": by}

    def verb_pause(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Poll nothing for `for_s` seconds; what is in the house still goes out."""
        self.paused_until_ms = Pausebook(db, self.now_ms).begin(arguments, self.settings.seen_ttl_days * DAY_S / 2)
        return {"paused_until_ms": self.paused_until_ms}

    def verb_resume(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """End a person's pause; the one for the backlog stays."""
        was_paused, self.paused_until_ms = Pausebook(db, self.now_ms).close(), None
        return {"was_paused": was_paused, "paused_by": self._paused_by()}

    def _paused_by(self) -> str | None:
        return "storage" if self.storage else "backlog" if self.paused else None

    def work_poll(self, poll: Poll) -> Polled:
        """Ask and read; both may take their time here."""
        return ask(self._edgar if poll.kind == "edgar" else self._http, poll, key_of(poll, self.settings))

    def done_poll(self, job: Job, polled: Polled, db: sqlite3.Connection) -> Iterator[Output]:
        """Apply what a poll found."""
        assert isinstance(job.payload, Poll)
        book = Feedbook(db, self.now_ms)
        source = self.sources.get(job.payload.name)
        silent_ms = self.time.before_ms(self.settings.seen_ttl_days * DAY_MS)
        was_polled = book.was_polled(job.payload, silent_ms, self.reborn_ms)
        if source is None or was_polled is None:  # taken out of the list, or moved, since it was asked
            return
        if Pausebook(db, self.now_ms).until_ms() is not None:  # it was under way when the pause began
            book.put_back(job.payload)
            return
        self.counters.add("polls_failed" if polled.failed else f"polls_{polled.outcome}")
        has_more = yield from self._take(source, polled, was_polled, db)
        if source.kind == "edgar":
            yield from self._edgar_said(polled, db)
        self.counters.add("rows_refused", polled.refused)
        limit = NEVER if polled.outcome == NO_AGENT else self.settings.alert_consecutive_empty_cycles
        is_left = has_more or polled.rest_at is not None
        quiet_ms = book.silent_ms(source, polled.seen_ms) if was_polled == 2 else None
        if has_more:  # of an EDGAR list too: its pages are read from and to the same points again
            polled = replace(polled, top_ms=None, rest_at=None)
        for affair, notice in book.finish(source, polled, limit, self.sources):
            log.warning("source_notice", source=source.name, title=notice.title, text=notice.text)
            yield self._notice(affair, notice)
        if is_left:
            book.left_over(source, 0 if quiet_ms is None else polled.seen_ms - quiet_ms, again=has_more)

    def _edgar_said(self, polled: Polled, db: sqlite3.Connection) -> Iterator[Output]:
        """After a refusal no list is asked for until EDGAR's time is over; one notice when it begins and ends."""
        self.counters.add("entries_other_form", polled.others)
        book = Refusalbook(db, self.now_ms, self.name)
        if polled.outcome in REFUSALS:
            yield Hold("edgar", self.now_ms + round((polled.wish_s or REST_S) * 1000))
        elif polled.failed and polled.outcome != NO_AGENT:
            return
        yield from book.refused(polled.outcome) if polled.failed else book.answered()

    def failed_poll(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect while asking or reading is a failed poll."""
        log.error("poll_failed", exc_info=error, source=job.key)
        yield from self.done_poll(job, Polled(type(error).__name__, failed=True), db)

    def _take(self, source: Source, polled: Polled, was_polled: int,
              db: sqlite3.Connection) -> Generator[Output, None, bool]:
        """Hand on what is new; of a source's first document, what is news. Whether there is more for a next turn."""
        book = Storybook(db)
        news, retitled = book.unknown(source.name, polled.items, polled.seen_ms)
        backlog: list[Item] = []
        if was_polled < 2:
            news, backlog = split_backlog(news, polled.fresh_ms, self.settings.alert_backlog,
                                          undated_too=was_polled == 0)
        for item in backlog:
            book.set_aside(source.name, item, polled.seen_ms)
            yield self._dropped(item, "backlog")
        self.counters.add("items_backlog", len(backlog))
        old = self._stale(source, news, polled, db) if was_polled == 2 else frozenset()
        for item in in_order(news)[:SLICE]:
            yield from self._hand_on(book, source, item, polled.seen_ms, is_stale=item.item_id in old)
        for item, first in Editbook(db).edits(source.name, retitled, len(polled.items), self.time.before_ms):
            book.amend(source.name, item, first, polled.seen_ms, self.now_ms)
            yield from self._repeated(source, item, Known(first, "correction"), polled.seen_ms)
        return len(news) > SLICE

    def _stale(self, source: Source, news: list[Item], polled: Polled, db: sqlite3.Connection) -> frozenset[str]:
        """The ids of what was published too long ago to be told; what a silence of the source hid is not."""
        if not news:
            return frozenset()
        limits = Limits(round(self.settings.news_max_age_minutes * 60_000),
                        round(self.settings.sec_max_age_minutes * 60_000))
        return stale(news, polled.fresh_ms, Feedbook(db, self.now_ms).silent_ms(source, polled.seen_ms), limits)

    def _hand_on(self, book: Storybook, source: Source, item: Item, seen_ms: int, *, is_stale: bool
                 ) -> Iterator[Output]:
        known = book.take(source.name, item, seen_ms, self.time.before_ms, self.settings.seen_ttl_days * DAY_MS,
                          self.now_ms)
        if known is None and is_stale:
            book.put_off(item.item_id)
            self.counters.add("items_stale")
            yield self._dropped(item, "stale")
            return
        if known is None:
            self.counters.add("items_found")
            yield announcement(item, source, seen_ms)
        else:
            yield from self._repeated(source, item, known, seen_ms)

    def _repeated(self, source: Source, item: Item, known: Known, seen_ms: int) -> Iterator[Output]:
        self.counters.add("items_corrected" if known.how == "correction" else "items_joined")
        if known.how != "again":
            yield follow_up(StoryCorrected if known.how == "correction" else StoryJoined, item, known.first,
                            source.name, seen_ms)
        yield self._dropped(item, f"duplicate:{known.first}")

    def _dropped(self, item: Item, reason: str) -> ItemDropped:
        return ItemDropped(item_id=item.item_id, stage=self.name, reason=reason, dropped_ms=self.now_ms)

    def companies_due(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Ask for the SEC's company list once a day, unless the user names a list or does not say who asks."""
        if self.settings.companies is not None or not self.settings.sec_user_agent:
            return
        due_ms, queued_ms = db.execute("SELECT next_due_ms, queued_ms FROM chores WHERE name = 'companies'"
                                       ).fetchone() or (0, None)
        is_gone = due_ms - self.now_ms > COMPANIES_RETRY_MS and not (self.settings.home / "companies.json").is_file()
        is_planned = self.now_ms < due_ms <= self.now_ms + DAY_MS and not is_gone
        if is_planned or (queued_ms is not None and 0 <= self.now_ms - queued_ms < feeds.STALE_MS):
            return
        self._plan_companies(db, self.now_ms, self.now_ms)
        base = self.settings.sec_base_url.rstrip("/")
        yield Job("companies", CompanyList(f"{base}/files/company_tickers.json"), key="companies")

    def work_companies(self, wanted: CompanyList) -> int:
        """Fetch the list and replace the file."""
        return fetch_companies(self._edgar, wanted.url, self.settings.home / "companies.json")

    def done_companies(self, job: Job, count: int, db: sqlite3.Connection) -> None:
        """Again tomorrow."""
        log.info("companies_replaced", rows=count)
        self._plan_companies(db, self.now_ms + DAY_MS, None)

    def failed_companies(self, job: Job, error: Exception, db: sqlite3.Connection) -> None:
        """Again soon; the present file stays."""
        log.warning("companies_failed", why=str(error))
        self._plan_companies(db, self.now_ms + COMPANIES_RETRY_MS, None)

    def _plan_companies(self, db: sqlite3.Connection, due_ms: int, queued_ms: int | None) -> None:
        db.execute("INSERT OR REPLACE INTO chores(name, next_due_ms, queued_ms) VALUES('companies', ?, ?)",
                   (due_ms, queued_ms))

    def reconcile_due(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Ask for EDGAR's daily index once a day, where its lists are polled."""
        if not any(source.kind == "edgar" for source in self.sources.values()):
            return
        if (day := Reconciled(db, self.now_ms).due()) is not None:
            base = self.settings.sec_base_url.rstrip("/")
            yield Job("reconcile", DailyIndex(day.isoformat(), base + daily_index.path_of(day)), key="reconcile",
                      lane="edgar")

    def work_reconcile(self, wanted: DailyIndex) -> list[daily_index.Row] | None:
        """Fetch and read it."""
        return fetch_index(self._edgar, wanted)

    def done_reconcile(self, job: Job, rows: list[daily_index.Row] | None, db: sqlite3.Connection) -> Iterator[Output]:
        """Give what no list has shown its fate, and tell the operator of it."""
        assert isinstance(job.payload, DailyIndex)
        book = Reconciled(db, self.now_ms)
        book.plan(daily_index.next_due_ms(self.now_ms))
        if rows is None:
            if job.tries < MOST_INDEX_TRIES:
                yield job.again(self.now_ms + INDEX_RETRY_MS)
            return
        listed, missed = book.missed(rows, self.sources)
        log.info("reconciled", day=job.payload.day, listed=listed, missed=len(missed))
        for row in missed:
            yield ItemDropped(item_id=row.accession, stage=self.name, reason="missed", dropped_ms=self.now_ms)
        if missed:
            title, text = daily_index.told(job.payload.day, listed, missed)
            yield OpsNotice(item_id="edgar:missed", episode=job.payload.day, severity="warning", title=title,
                            text=text, made_ms=self.now_ms)

    def failed_reconcile(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """As if it were not there yet."""
        log.warning("reconcile_failed", why=str(error))
        yield from self.done_reconcile(job, None, db)

    def prune(self, db: sqlite3.Connection) -> None:
        """Forget what left its feed more than SEEN_TTL_DAYS ago, and sources that left the list."""
        before_ms = self.time.before_ms(self.settings.seen_ttl_days * DAY_MS)
        changes = db.total_changes
        self._swept = Storybook(db).prune(before_ms, self._swept)
        self.counters.add("rows_forgotten", db.total_changes - changes)
        new_ms = self.time.before_ms(stories.CORRECT_MS)
        self._swept_words = Storybook(db).prune_words(new_ms, self._swept_words)
        prints.Printbook(db).prune(new_ms)
        Feedbook(db, self.now_ms).prune(self.sources, before_ms)
        Pausebook(db, self.now_ms).prune(self.time.before_ms)
