"""charter: draws the chart of an alert.

receives  ChartWanted  from market
sends     ChartReady   to alerter (which edits it into the alert's message)
stores    charts       one row an alert, kept 7 days
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from catalyst import log
from catalyst.books.slices import LARGE_ROWS, PRUNE_S, forget
from catalyst.core.bars import TIMEFRAMES, new_york_day, timeframe_of, usable
from catalyst.core.chart import describe_chart, draw_chart
from catalyst.core.gauge import GAUGE, sentiment_text
from catalyst.errors import ChartError, UsageError
from catalyst.messages import PNG_LIMIT_BYTES, ChartReady, ChartWanted
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Output

KEPT_MS = 7 * 86_400_000
MOST_FAILURES = 3  # drawings of one chart that raise
AGAIN_MS = 500
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 2**20  # of malloc.h: from this size on a piece of memory is mapped by itself
NICENESS = 10  # of the drawing thread (nice(2)): it takes what the other actors leave of the processor

SCHEMA = """
CREATE TABLE charts (
    alert_id TEXT PRIMARY KEY, ticker TEXT NOT NULL,
    alt TEXT NOT NULL,               -- the chart in one sentence
    bytes INTEGER NOT NULL,          -- size of the picture
    drawn_ms INTEGER NOT NULL,
    png BLOB NOT NULL                -- last: what is asked about the others must not read over it
);
-- pruning
CREATE INDEX charts_by_time ON charts(drawn_ms);
"""

SECOND_STEP = """
ALTER TABLE charts ADD COLUMN look BLOB;  -- digest of what it shows: ticker, days, catalyst's minute
-- whether a chart that shows the same was drawn a moment ago
CREATE INDEX charts_by_look ON charts(look, drawn_ms);
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture and the same in words."""

    png: bytes
    alt: str


class Charter(Actor):
    """One thread draws, the best alert first; Pillow is imported there, with the first chart."""

    name = "charter"
    niceness = 5
    inbox = (ChartWanted,)
    outbox = (ChartReady,)
    tables = (SCHEMA, SECOND_STEP)
    jobs = (JobKind("draw", ChartWanted, limit_s=10.0),)
    every = (Every("prune", PRUNE_S),)

    def on_chart_wanted(self, wanted: ChartWanted, db: sqlite3.Connection) -> Iterator[Output]:
        """Draw it, unless the alert has its chart, one that shows the same was drawn a moment ago, or nothing in the
        bars can be drawn. How long a picture counts as new depends on its timeframe."""
        if _stored(db, wanted.alert_id) is not None:
            return
        bars = usable(wanted.bars)
        if not bars:
            self.counters.add("without_bars")
            return
        look, fresh_ms = self._look(wanted), TIMEFRAMES[timeframe_of(bars)].fresh_s * 1000
        known = db.execute("SELECT png, alt FROM charts WHERE look = ? AND drawn_ms > ? AND drawn_ms <= ?"
                           " ORDER BY drawn_ms DESC", (look, self.now_ms - fresh_ms, self.now_ms)).fetchone()
        if known is not None:
            self.counters.add("reused")
            yield from self._keep(wanted, Drawn(*known), db)
            return
        yield Job("draw", wanted, key=wanted.alert_id, priority=wanted.score + wanted.watched, item_id=wanted.item_id)

    def work_draw(self, wanted: ChartWanted) -> Drawn:
        """Draw and describe. Raises ChartError for a picture that no message can carry."""
        _be_modest()
        zone = ZoneInfo(self.settings.tz)
        png = draw_chart(wanted.bars, ticker=wanted.ticker, mark_ms=wanted.mark_ms, simulated=wanted.simulated,
                         theme=self.settings.chart_theme, tz=zone, panes=self.settings.chart_panes,
                         sentiment=wanted.sentiment)
        if len(png) > PNG_LIMIT_BYTES:
            raise ChartError(f"the picture has {len(png)} bytes, at most {PNG_LIMIT_BYTES} are sent")
        alt = describe_chart(wanted.bars, ticker=wanted.ticker, mark_ms=wanted.mark_ms, simulated=wanted.simulated,
                             tz=zone, sentiment=self._gauge(wanted))
        return Drawn(png, alt)

    def _gauge(self, wanted: ChartWanted) -> float | None:
        """What the gauge shows, None without one."""
        return wanted.sentiment if GAUGE in self.settings.chart_panes else None

    def _look(self, wanted: ChartWanted) -> bytes:
        """Tells what a chart shows, but for the newest prices: two with the same look differ by their age only."""
        bars, gauge = usable(wanted.bars), self._gauge(wanted)
        shown = (wanted.ticker, timeframe_of(bars), new_york_day(bars[0].start_ms), wanted.mark_ms // 60_000,
                 wanted.simulated, wanted.provider, None if gauge is None else sentiment_text(gauge))
        return hashlib.blake2b(repr(shown).encode(), digest_size=16).digest()

    def done_draw(self, job: Job, drawn: Drawn, db: sqlite3.Connection) -> Iterator[Output]:
        """Keep the picture and send it; a second one of the same alert is nothing."""
        wanted = _wanted(job)
        for message in self._keep(wanted, drawn, db, self._look(wanted)):
            self.counters.add("drawn")
            yield message

    def _keep(self, wanted: ChartWanted, drawn: Drawn, db: sqlite3.Connection,
              look: bytes | None = None) -> Iterator[Output]:
        """`look` only of one that was drawn now: a picture that is used again does not become newer."""
        new = db.execute(
            "INSERT OR IGNORE INTO charts(alert_id, ticker, alt, bytes, drawn_ms, png, look)"
            " VALUES(?, ?, ?, ?, ?, ?, ?)",
            (wanted.alert_id, wanted.ticker, drawn.alt, len(drawn.png), self.now_ms, drawn.png, look)).rowcount
        if new:
            yield ChartReady(item_id=wanted.item_id, alert_id=wanted.alert_id, ticker=wanted.ticker, png=drawn.png,
                             alt=drawn.alt, drawn_ms=self.now_ms)

    def failed_draw(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """Again a little later, then no chart: the text of the alert is out anyway."""
        if job.tries < MOST_FAILURES:
            yield job.again(self.now_ms + AGAIN_MS)
        else:
            self._give_up(job, f"{type(error).__name__}: {error}")

    def _give_up(self, job: Job, why: str) -> None:
        wanted = _wanted(job)
        self.counters.add("not_drawn")
        log.error("chart_not_drawn", item=wanted.item_id, alert=wanted.alert_id, ticker=wanted.ticker,
                  bars=len(wanted.bars), reason=why[:300])

    def verb_chart(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """The chart of `alert_id`: `{"png": bytes | None, "alt", "drawn_ms": int | None}`. Raises UsageError."""
        alert_id = arguments.get("alert_id")
        if not isinstance(alert_id, str) or not alert_id:
            raise UsageError("chart needs the alert_id of an alert")
        png, alt, drawn_ms = _stored(db, alert_id) or (None, "", None)
        return {"png": png, "alt": alt, "drawn_ms": drawn_ms}

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old charts."""
        forget(db, "charts", "alert_id", "drawn_ms < ? ORDER BY drawn_ms", (self.time.before_ms(KEPT_MS),), LARGE_ROWS)
        return iter(())


def _stored(db: sqlite3.Connection, alert_id: str) -> tuple[bytes, str, int] | None:
    row: tuple[bytes, str, int] | None = db.execute("SELECT png, alt, drawn_ms FROM charts WHERE alert_id = ?",
                                                    (alert_id,)).fetchone()
    return row


def _wanted(job: Job) -> ChartWanted:
    assert isinstance(job.payload, ChartWanted)
    return job.payload


def _be_modest() -> None:
    """Let this thread wait for everybody else, and its large pieces of memory go back to the system when freed.

    Linux only: elsewhere a thread has no niceness of its own, see sched(7). Without mallopt(3) the C library learns
    from the first picture to keep such pieces (measured: 16 MB more between two charts).
    """
    if sys.platform == "linux" and threading.current_thread() is not threading.main_thread():
        import ctypes

        with suppress(OSError, AttributeError):  # a courtesy: the chart is drawn all the same
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
