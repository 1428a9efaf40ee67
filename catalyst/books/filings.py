"""The rows behind sec: every filing that was found, and the analyses that are used again. It only reads and writes
rows of sec's database; which forms are read and what a filing says is decided in catalyst.core.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from catalyst.books.slices import LARGE_ROWS, forget
from catalyst.clock import iso
from catalyst.core.edgar import Index, base_form, line_of
from catalyst.core.filing_cover import behind_cover
from catalyst.messages import FilingFound, FilingRead, Offering

if TYPE_CHECKING:
    from catalyst.core.filings import Filing

TEXT_CHARS = 20_000
LINE_CHARS = 2_000  # the message's limit
HOUR_MS = 3_600_000

SCHEMA = """
CREATE TABLE filings (
    accession TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    company TEXT NOT NULL,       -- '' where only another party is known
    cik TEXT NOT NULL,           -- ten digits or ''
    ticker TEXT NOT NULL,        -- by the company list, '' where it has none
    items TEXT NOT NULL,         -- JSON list of an 8-K's items, "1.01"
    amendment INTEGER NOT NULL,
    title TEXT NOT NULL,
    offering TEXT,               -- JSON with the sentences that state it, null: the filing is no sale
    sentiment REAL,              -- -1 to 1, null until it is read
    summary TEXT NOT NULL,
    link TEXT NOT NULL,
    state TEXT NOT NULL,         -- waiting, read, unread or dropped
    reason TEXT,                 -- why it was dropped or could not be read
    found BLOB NOT NULL,         -- the FilingFound, msgpack
    published_ms INTEGER,        -- null: unknown
    seen_ms INTEGER NOT NULL,    -- when the list that first showed it was complete
    found_ms INTEGER NOT NULL,   -- when it came here
    read_ms INTEGER              -- when it went on, null: not yet
) WITHOUT ROWID;
-- catalyst filings: the newest since a moment; the hourly pruning
CREATE INDEX filings_by_time ON filings(seen_ms);
-- catalyst filings --ticker: the newest of a ticker
CREATE INDEX filings_by_ticker ON filings(ticker, seen_ms);
-- giving up: filings that wait since before a moment
CREATE INDEX filings_waiting ON filings(found_ms) WHERE state = 'waiting';
CREATE TABLE analyses (
    accession TEXT NOT NULL,
    form TEXT NOT NULL,
    ticker TEXT NOT NULL,
    result TEXT NOT NULL,        -- JSON: all that the fetched documents gave
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (accession, form)
) WITHOUT ROWID;
-- the hourly pruning: analyses whose time is over
CREATE INDEX analyses_by_expiry ON analyses(expires_ms);
-- an amended filing makes those of its ticker and base form void
CREATE INDEX analyses_by_ticker ON analyses(ticker, form);
-- all that is known about one filing
CREATE INDEX analyses_by_filing ON analyses(accession);
"""

COLUMNS = ("accession, form, company, cik, ticker, items, amendment, title, offering, sentiment, summary, link, state,"
           " reason, published_ms, seen_ms, read_ms")
ORDER = "ORDER BY seen_ms DESC, accession DESC LIMIT ?2"
OF_ALL = f"SELECT {COLUMNS} FROM filings WHERE seen_ms >= ?1 {ORDER}"  # noqa: S608
OF_TICKER = f"SELECT {COLUMNS} FROM filings WHERE ticker = ?3 AND seen_ms >= ?1 {ORDER}"  # noqa: S608


class Analysis(msgspec.Struct, frozen=True):
    """What the documents of a filing gave; with the list's entry it makes a FilingRead."""

    title: str
    company: str
    cik: str
    items: tuple[str, ...]
    amendment: bool
    headline: str
    text: str
    offering: Offering | None
    sentiment: float
    summary: str
    provider: str
    accepted_ms: int | None
    is_release: bool = False


def analysis_of(found: FilingFound, index: Index, filing: Filing) -> Analysis:
    """The analysis of a filing that was read. The company is the list's, else the index page's, else the filing's."""
    company = found.company or index.company or filing.company
    items = tuple(number for number, _ in filing.items) or found.items or index.items
    titles = "; ".join(title for _, title in filing.items if title)
    return Analysis(
        title=line_of(found.form, company, [filing.headline, filing.summary, titles, _items_line(items)]),
        company=company[:200], cik=found.cik or index.cik or filing.cik, items=items[:50],
        amendment=filing.amendment, headline=filing.headline[:LINE_CHARS],
        text=text_of(filing)[:TEXT_CHARS], offering=filing.offering, sentiment=filing.sentiment,
        summary=filing.summary[:LINE_CHARS], provider=filing.provider, accepted_ms=index.accepted_ms,
        is_release=bool(filing.release))


def text_of(filing: Filing) -> str:
    """The release, else the filing itself: a foreign report without its cover, which brings news of its own."""
    return filing.release or (behind_cover(filing.text) if filing.form.startswith("6-K") else filing.text)


def unread_analysis(found: FilingFound) -> Analysis:
    """What the list alone says, for a filing whose documents could not be read."""
    return Analysis(
        title=line_of(found.form, found.company, [_items_line(found.items)]), company=found.company, cik=found.cik,
        items=found.items, amendment=found.form.endswith("/A"), headline="", text="", offering=None, sentiment=0.0,
        summary="", provider="", accepted_ms=None)


def message_of(found: FilingFound, analysis: Analysis, ticker: str, unread: str = "") -> FilingRead:
    """The message to the classifier; `unread` says why only the list is known."""
    published_ms = found.published_ms if found.published_ms is not None else analysis.accepted_ms
    return FilingRead(
        item_id=found.item_id, source=found.source, trust=found.trust, form=found.form, amendment=analysis.amendment,
        cik=analysis.cik, ticker=ticker, company=analysis.company, title=analysis.title, link=found.link,
        headline=analysis.headline, text=analysis.text, is_release=analysis.is_release, items=analysis.items,
        offering=analysis.offering, sentiment=analysis.sentiment, summary=analysis.summary, provider=analysis.provider,
        unread=unread[:200], published_ms=published_ms, seen_ms=found.seen_ms)


def _items_line(items: tuple[str, ...]) -> str:
    return f"item{'s' if len(items) > 1 else ''} {', '.join(items[:10])}" if items else ""


@dataclass(frozen=True, slots=True)
class Filingbook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def add(self, found: FilingFound, ticker: str, state: str, reason: str | None = None) -> None:
        """Store a filing that was found; one that is known starts anew."""
        self.db.execute(
            "INSERT OR REPLACE INTO filings(accession, form, company, cik, ticker, items, amendment, title, summary,"
            " link, state, reason, found, published_ms, seen_ms, found_ms)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?)",
            (found.item_id, found.form, found.company, found.cik, ticker, json.dumps(found.items),
             found.form.endswith("/A"), found.title, found.link, state, reason, msgspec.msgpack.encode(found),
             found.published_ms, found.seen_ms, self.now_ms))

    def is_waiting(self, accession: str) -> bool:
        """Whether a filing is known and not yet handed on."""
        return self.db.execute("SELECT 1 FROM filings WHERE accession = ? AND state = 'waiting'",
                               (accession,)).fetchone() is not None

    def finish(self, read: FilingRead) -> None:
        """Note what was handed on."""
        offering = msgspec.json.encode(read.offering).decode() if read.offering is not None else None
        self.db.execute(
            "UPDATE filings SET company = ?, cik = ?, ticker = ?, items = ?, amendment = ?, title = ?, offering = ?,"
            " sentiment = ?, summary = ?, state = ?, reason = ?, published_ms = ?, read_ms = ? WHERE accession = ?",
            (read.company, read.cik, read.ticker, json.dumps(read.items), read.amendment, read.title, offering,
             None if read.unread else read.sentiment, read.summary, "unread" if read.unread else "read",
             read.unread or None, read.published_ms, self.now_ms, read.item_id))

    def overdue(self, before_ms: int, most: int) -> list[FilingFound]:
        """Filings that came before the moment and still wait, the oldest first."""
        return [msgspec.msgpack.decode(row[0], type=FilingFound) for row in self.db.execute(
            "SELECT found FROM filings WHERE state = 'waiting' AND found_ms < ? ORDER BY found_ms LIMIT ?",
            (before_ms, most))]

    def shift(self, by_ms: int) -> None:
        """The clock jumped: what waits has waited for as long as it has."""
        self.db.execute("UPDATE filings SET found_ms = found_ms + ? WHERE state = 'waiting'", (by_ms,))

    def cached(self, accession: str, form: str) -> Analysis | None:
        """The fresh analysis of a filing, its use counted; None where there is none. One that is damaged is none."""
        row = self.db.execute("UPDATE analyses SET hits = hits + 1 WHERE accession = ? AND form = ? AND expires_ms > ?"
                              " RETURNING result", (accession, form, self.now_ms)).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=Analysis)
        except msgspec.DecodeError:
            self.db.execute("DELETE FROM analyses WHERE accession = ? AND form = ?", (accession, form))
            return None

    def keep(self, found: FilingFound, ticker: str, analysis: Analysis, hours: float) -> None:
        """Store an analysis for `hours`."""
        self.db.execute(
            "INSERT OR REPLACE INTO analyses(accession, form, ticker, result, created_ms, expires_ms)"
            " VALUES(?, ?, ?, ?, ?, ?)",
            (found.item_id, found.form, ticker, msgspec.json.encode(analysis).decode(), self.now_ms,
             self.now_ms + round(hours * HOUR_MS)))

    def invalidate(self, ticker: str, form: str) -> int:
        """Forget the ticker's analyses of the form that `form` amends; how many those were, 0 for no amendment."""
        if not ticker or base_form(form) == form:
            return 0
        return self.db.execute("DELETE FROM analyses WHERE ticker = ? AND form = ?",
                               (ticker, base_form(form))).rowcount

    def prune(self, before_ms: int) -> None:
        """Forget expired analyses, and filings seen before the moment."""
        forget(self.db, "analyses", "accession, form", "expires_ms <= ? ORDER BY expires_ms", (self.now_ms,),
               LARGE_ROWS)
        forget(self.db, "filings", "accession", "seen_ms < ? AND state <> 'waiting' ORDER BY seen_ms", (before_ms,))

    def listed(self, since_ms: int, most: int, ticker: str = "") -> list[dict[str, Any]]:
        """The newest filings for a person, of one ticker or of all."""
        rows = (self.db.execute(OF_TICKER, (since_ms, most, ticker)) if ticker
                else self.db.execute(OF_ALL, (since_ms, most))).fetchall()
        return [_shown(dict(zip(COLUMNS.split(", "), row, strict=True))) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "accession": row["accession"], "form": row["form"], "company": row["company"], "cik": row["cik"],
        "ticker": row["ticker"] or None, "items": json.loads(row["items"]), "amendment": bool(row["amendment"]),
        "title": row["title"], "offering": json.loads(row["offering"]) if row["offering"] else None,
        "sentiment": row["sentiment"], "summary": row["summary"], "link": row["link"], "state": row["state"],
        "reason": row["reason"], "published": iso(row["published_ms"]), "seen": iso(row["seen_ms"]),
        "read": iso(row["read_ms"])}
