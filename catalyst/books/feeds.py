"""The rows behind the fetcher's polls: when each source is due, its conditional headers, how it does. It only reads
and writes rows of the fetcher's database; paces, waits and outages are decided in catalyst.core.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalyst.books.stories import Storybook
from catalyst.clients.edgar import NO_AGENT, REFUSALS
from catalyst.clients.polls import Poll, Polled, address_of, key_of
from catalyst.core.intake import LONGEST_WISH_MS, following_due, wait_after_failure
from catalyst.core.outage import (
    Mark,
    Notice,
    Standing,
    after_poll,
    began_together,
    blackout,
    blackout_over,
    is_over,
)
from catalyst.core.pace import SLOWEST_S, Pace, changed, pace
from catalyst.core.sources import Source
from catalyst.settings import Settings

STALE_MS = 120_000  # a poll that was queued this long ago and never came back is given up
REST_MS = 1_000  # until the next part of a document that is too long for one turn
EDGAR_STEP_MS = 300  # EDGAR's lists begin apart: its limit is shared with the reading of filings

SCHEMA = """
CREATE TABLE feeds (
    name TEXT PRIMARY KEY,       -- as in sources.toml
    url TEXT NOT NULL,
    etag TEXT,                   -- conditional headers of the last document that was read
    last_modified TEXT,
    next_due_ms INTEGER NOT NULL,
    queued_ms INTEGER,           -- when the poll that is under way was queued, null: none is
    polled INTEGER NOT NULL DEFAULT 0,    -- 0 never read, 1 read without an entry, 2 with entries: no backlog any more
    last_ok_ms INTEGER,          -- last answer with entries, or "not modified"
    last_body_ms INTEGER,        -- when the last document was complete: what it showed is still shown
    outcome TEXT,                -- of the last poll: ok, not_modified, empty, or the reason of its failure
    streak INTEGER NOT NULL DEFAULT 0,    -- failed or empty polls in a row; empty ones where it had entries once
    failures INTEGER NOT NULL DEFAULT 0,  -- failed polls in a row, for the back-off
    outage_ms INTEGER,           -- when the streak began
    told INTEGER NOT NULL DEFAULT 0       -- 1: the operator knows of the outage
) WITHOUT ROWID;
"""

Telling = tuple[str, Notice]  # an affair and what is told of it

COUNTS = """
ALTER TABLE feeds ADD COLUMN last_poll_ms INTEGER;                      -- when the last poll came back
ALTER TABLE feeds ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;          -- that came back, since the row was made
ALTER TABLE feeds ADD COLUMN not_modified INTEGER NOT NULL DEFAULT 0;   -- of these, answered 304
ALTER TABLE feeds ADD COLUMN items INTEGER NOT NULL DEFAULT 0;          -- that this source was the first to show
"""

HEADS = """
ALTER TABLE feeds ADD COLUMN head_ms INTEGER;   -- EDGAR: time of the newest filing up to which the list has been read
"""

PACES = """
ALTER TABLE feeds ADD COLUMN change REAL;       -- share of the last polls that brought something new, null: not read
ALTER TABLE feeds ADD COLUMN pace_ms INTEGER;   -- the wait with which the next poll was planned, null: none was
"""

BLACKOUTS = """
CREATE TABLE blackouts (
    began_ms INTEGER PRIMARY KEY,  -- the first failure; the row goes when sources answer again
    told_ms INTEGER NOT NULL       -- when the operator was told
);
"""
RESTS = """
ALTER TABLE feeds ADD COLUMN behind_ms INTEGER;  -- since when not all that it shows was taken (0: ever), null: it was
ALTER TABLE feeds ADD COLUMN top_ms INTEGER;     -- EDGAR, a list not read down to head_ms: newest filing that was read
ALTER TABLE feeds ADD COLUMN rest_at INTEGER;    -- and the place in the list to read on from, null: it was read so far
"""
TOLD_OTHERWISE = frozenset({*REFUSALS, NO_AGENT})  # EDGAR's refusals have notices of their own
FINISHED = """
UPDATE feeds SET queued_ms = NULL, outcome = :outcome, polled = :polled, streak = :streak, failures = :failures,
    outage_ms = :outage_ms, told = :told, next_due_ms = max(next_due_ms, :due_ms), change = :change,
    last_poll_ms = :now_ms, polls = polls + 1, not_modified = not_modified + (:outcome = 'not_modified'),
    items = items + :new,
    last_ok_ms = iif(:outcome IN ('ok', 'not_modified'), :seen_ms, last_ok_ms),
    last_body_ms = iif(:outcome IN ('ok', 'empty'), :seen_ms, last_body_ms),
    etag = iif(:outcome IN ('ok', 'empty'), :etag, etag),
    last_modified = iif(:outcome IN ('ok', 'empty'), :last_modified, last_modified),
    head_ms = iif(:rest_at IS NULL, coalesce(:top_ms, head_ms), head_ms),
    top_ms = coalesce(:top_ms, top_ms), rest_at = iif(:top_ms IS NULL, rest_at, :rest_at),
    behind_ms = iif(:outcome = 'ok', NULL, behind_ms)
WHERE name = :name
"""
NO_WAY = ("dns", "refused", "timeout", "reset", "tls")  # nobody was reached: no server asked us to wait


@dataclass(frozen=True, slots=True)
class Feedbook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def sync(self, sources: Mapping[str, Source], settings: Settings) -> None:
        """A row for each source; one with another address starts anew, one with a shorter pace is due sooner."""
        edgar = 0
        for source in sources.values():
            start_ms = self.now_ms + edgar * EDGAR_STEP_MS
            edgar += source.kind == "edgar"
            self.db.execute(
                "INSERT INTO feeds(name, url, next_due_ms) VALUES(?, ?, ?) ON CONFLICT(name) DO UPDATE SET"
                " url = excluded.url, next_due_ms = excluded.next_due_ms, etag = NULL, last_modified = NULL,"
                " polled = 0, queued_ms = NULL, failures = 0, head_ms = NULL, rest_at = NULL, behind_ms = NULL"
                " WHERE url != excluded.url",
                (source.name, address_of(source, settings), start_ms))
            self.db.execute("UPDATE feeds SET next_due_ms = ?1 WHERE name = ?2 AND failures = 0 AND next_due_ms > ?1",
                            (self.now_ms + self._pace_ms(source), source.name))

    def due(self, sources: Mapping[str, Source]) -> list[tuple[Poll, int]]:
        """The polls of the sources that are due and have none under way, each with the time at which it was due."""
        found = []
        for name, url, due_ms, queued_ms, failures, pace_ms, *headers in self.db.execute(
                "SELECT name, url, next_due_ms, queued_ms, failures, pace_ms, etag, last_modified, head_ms, top_ms,"
                " rest_at FROM feeds").fetchall():
            source = sources.get(name)
            if source is None or (queued_ms is not None and 0 <= self.now_ms - queued_ms < STALE_MS):
                continue
            latest_ms = self.now_ms + max(2 * (pace_ms or round(max(SLOWEST_S, source.every_s or 0) * 1000)),
                                          2 * LONGEST_WISH_MS if failures else 0)
            if not self.now_ms < due_ms <= latest_ms:  # due even later: it was planned before the clock was set back
                found.append((Poll(name, url, source.kind, *headers), due_ms))
        return found

    def unasked(self, sources: Mapping[str, Source]) -> int:
        """How many sources no poll has yet come back from."""
        return sum(name in sources for (name,) in self.db.execute("SELECT name FROM feeds WHERE outcome IS NULL"))

    def queued(self, source: Source, due_ms: int) -> None:
        """Note that the poll that was due at `due_ms` is under way, and when the next one is due."""
        pace_ms = self._pace_ms(source)
        self.db.execute("UPDATE feeds SET queued_ms = ?, next_due_ms = ?, pace_ms = ? WHERE name = ?",
                        (self.now_ms, following_due(due_ms, self.now_ms, pace_ms), pace_ms, source.name))

    def _pace_ms(self, source: Source) -> int:
        """Milliseconds from a poll now to the next one."""
        if source.every_s is not None:
            return round(source.every_s * 1000)
        row = self.db.execute("SELECT change FROM feeds WHERE name = ?", (source.name,)).fetchone()
        return round(self._pace(source, row[0] if row is not None else None).seconds * 1000)

    def _pace(self, source: Source, change: float | None) -> Pace:
        return pace(source.kind, source.every_s, change, self.now_ms)

    def silent_ms(self, source: Source, seen_ms: int) -> int | None:
        """Milliseconds from the last poll after which nothing of a source was left to take to an answer of now; None
        where there was none."""
        row = self.db.execute("SELECT coalesce(behind_ms, last_ok_ms) FROM feeds WHERE name = ?",
                              (source.name,)).fetchone()
        return None if not row or not row[0] else max(0, seen_ms - row[0])

    def was_polled(self, poll: Poll, before_ms: int, reborn_ms: int | None = None) -> int | None:
        """0: its next document is the first one, 1: it was only seen empty, 2: it was seen with entries; None: the
        source is gone or moved since it was asked. Who was silent since before `before_ms` starts anew, and who was
        not heard since the database came out of a backup (`reborn_ms`): what went out since is not in it.
        """
        row = self.db.execute("SELECT url, polled, max(coalesce(last_ok_ms, 0), coalesce(last_body_ms, 0)) FROM feeds"
                              " WHERE name = ?", (poll.name,)).fetchone()
        if row is None or row[0] != poll.url:
            return None
        return 0 if row[2] and row[2] < max(before_ms, reborn_ms or 0) else int(row[1])

    def shift(self, by_ms: int) -> None:
        """The clock jumped: each source is due as soon as it would have been."""
        self.db.execute("UPDATE feeds SET next_due_ms = next_due_ms + ?1, queued_ms = queued_ms + ?1", (by_ms,))

    def finish(self, source: Source, polled: Polled, limit: int, sources: Mapping[str, Source]) -> list[Telling]:
        """Note a poll's end: headers, standing, counts, a later next poll after a failure; what to tell the operator,
        of which affair. While all `sources` are down together, a single one is not told of. The items of the document
        are stored before.
        """
        new = self.db.execute("SELECT count(*) FROM stories WHERE seen_ms = ? AND source = ?",
                              (polled.seen_ms, source.name)).fetchone()[0] if polled.items else 0
        streak, failures, outage_ms, told, was_polled, change, polls = self.db.execute(
            "SELECT streak, failures, outage_ms, told, polled, change, polls FROM feeds WHERE name = ?",
            (source.name,)).fetchone()
        if not polled.failed and polls:  # all of the first document is new
            change = changed(change, has_news=new > 0)
        is_polled = max(was_polled, 2 if polled.items else 1 if polled.outcome in ("ok", "empty") else 0)
        after, notice = after_poll(Standing(streak, failures, outage_ms, bool(told)), source.name, polled.outcome,
                                   failed=polled.failed, had_items=is_polled == 2, now_ms=self.now_ms, limit=limit)
        wait_ms = 0
        if polled.failed:
            wait_ms = wait_after_failure(source.name, after.failures, self._pace_ms(source), polled.wish_s)
        self.db.execute(FINISHED, {
            "name": source.name, "now_ms": self.now_ms, "outcome": polled.outcome, "seen_ms": polled.seen_ms,
            "etag": polled.etag, "last_modified": polled.last_modified, "top_ms": polled.top_ms,
            "rest_at": polled.rest_at, "polled": is_polled, "new": new, "change": change, "streak": after.streak,
            "failures": after.failures, "outage_ms": after.outage_ms, "told": after.told,
            "due_ms": self.now_ms + wait_ms})
        return self._together(source, notice, after.outage_ms, sources)

    def _together(self, source: Source, notice: Notice | None, since_ms: int | None,
                  sources: Mapping[str, Source]) -> list[Telling]:
        """What is told in place of, or beside, the source's own `notice`."""
        own: list[Telling] = [] if notice is None else [(f"source:{source.name}", notice)]
        began_ms = self._blackout_ms()
        if began_ms is None and (notice is None or since_ms is None):
            return own
        marks = self._marks(sources)
        if began_ms is not None and is_over(marks):
            self._end_blackout(sources)
            return [*own, ("sources", blackout_over(marks, began_ms, self.now_ms))]
        if notice is None or since_ms is None or (began_ms is None and not began_together(marks, since_ms)):
            return own
        self.db.execute("UPDATE feeds SET told = 0 WHERE name = ?", (source.name,))
        if began_ms is not None:
            return []
        self.db.execute("INSERT INTO blackouts(began_ms, told_ms) VALUES(?, ?)", (since_ms, self.now_ms))
        return [("sources", blackout(marks, since_ms))]

    def _blackout_ms(self) -> int | None:
        row = self.db.execute("SELECT min(began_ms) FROM blackouts").fetchone()
        return None if row is None else row[0]

    def _marks(self, sources: Mapping[str, Source]) -> list[Mark]:
        rows = self.db.execute("SELECT name, streak, outcome, coalesce(last_poll_ms, 0), coalesce(last_ok_ms, 0)"
                               " FROM feeds WHERE outcome IS NOT NULL").fetchall()
        return [Mark(*row) for row in rows if row[0] in sources and row[2] not in TOLD_OTHERWISE]

    def _end_blackout(self, sources: Mapping[str, Source]) -> None:
        """Who has not been told of and not answered yet counts anew; who could not be reached is asked at once."""
        self.db.execute("DELETE FROM blackouts")
        for name, outcome in self.db.execute("SELECT name, outcome FROM feeds WHERE streak > 0 AND told = 0"
                                             ).fetchall():
            if name in sources:
                self.db.execute("UPDATE feeds SET streak = 0, outage_ms = NULL WHERE name = ?", (name,))
                if outcome in NO_WAY:
                    self.db.execute("UPDATE feeds SET failures = 0, next_due_ms = ?1 WHERE name = ?2",
                                    (self.now_ms, name))

    def left_over(self, source: Source, since_ms: int, *, again: bool) -> None:
        """Not all that the source shows was taken; at `since_ms` it was, 0: it never was. What is left is as old as the
        part that was taken, and no staler. `again`: the whole document is asked for once more, soon.
        """
        self.db.execute("UPDATE feeds SET behind_ms = ? WHERE name = ?", (since_ms, source.name))
        if again:
            self.db.execute("UPDATE feeds SET etag = NULL, last_modified = NULL, next_due_ms = min(next_due_ms, ?)"
                            " WHERE name = ?", (self.now_ms + REST_MS, source.name))

    def put_back(self, poll: Poll) -> None:
        """Undo that a poll was asked: its answer is not used, the source is due at once."""
        self.db.execute("UPDATE feeds SET queued_ms = NULL, next_due_ms = ? WHERE name = ? AND url = ?",
                        (self.now_ms, poll.name, poll.url))

    def listed(self, sources: Iterable[Source], settings: Settings) -> list[dict[str, Any]]:
        """A row for each source of the list, in its order; what was never asked has null times and zero counts."""
        names = ("last_ok_ms", "last_poll_ms", "outcome", "failures", "polls", "not_modified", "items")
        dark = self._blackout_ms() is not None
        found = {row[0]: row[1:] for row in self.db.execute(
            "SELECT name, next_due_ms, told OR (streak > 0 AND ?), change, last_ok_ms, last_poll_ms, outcome, failures,"
            " polls, not_modified, items FROM feeds", (dark,))}
        rows = []
        for source in sources:
            next_due_ms, told, change, *values = found.get(source.name, (None, 0, None, None, None, None, 0, 0, 0, 0))
            in_force, (lag_ms, handing_ms) = self._pace(source, change), Storybook(self.db).latency(source.name)
            no_key = key_of(source, settings) == ""
            is_asked = source.enabled and not no_key
            rows.append({"name": source.name, "url": address_of(source, settings), "kind": source.kind,
                         "every_s": in_force.seconds, "pace_why": in_force.why, "enabled": source.enabled,
                         "no_key": no_key, "trust": source.trust, **dict(zip(names, values, strict=True)),
                         "lag_ms": lag_ms, "handing_ms": handing_ms,
                         "next_due_ms": next_due_ms if is_asked else None, "outage": is_asked and bool(told)})
        return rows

    def prune(self, sources: Mapping[str, Source], before_ms: int) -> None:
        """Forget sources that left the list and were last of use before the moment."""
        for (name,) in self.db.execute("SELECT name FROM feeds WHERE coalesce(last_ok_ms, next_due_ms) < ?",
                                       (before_ms,)).fetchall():
            if name not in sources:
                self.db.execute("DELETE FROM feeds WHERE name = ?", (name,))
