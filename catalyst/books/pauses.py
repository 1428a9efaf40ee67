"""The rows behind a person's pause of the fetcher: it survives a kill and ends by itself. It reads and writes rows of
the fetcher's database and says what the operator is to be told; it sends nothing.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalyst import log
from catalyst.clock import iso
from catalyst.core.outage import Notice
from catalyst.errors import UsageError

Before = Callable[[int], int]  # age in ms -> the moment before which stamps are older (Timekeeper.before_ms)
DEFAULT_S = 3_600.0
KEEP_MS = 30 * 86_400_000
UNTOLD, BEGIN_TOLD, END_TOLD = 0, 1, 2

SCHEMA = """
CREATE TABLE pauses (
    began_ms INTEGER PRIMARY KEY, -- when a person asked for it
    until_ms INTEGER NOT NULL,    -- a further pause during this one moves it
    ended_ms INTEGER,             -- null: it goes on; at most one does
    told INTEGER NOT NULL DEFAULT 0  -- 0 nothing, 1 its beginning, 2 its end too
);
"""


@dataclass(frozen=True, slots=True)
class Pausebook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def until_ms(self) -> int | None:
        """When the pause in force ends; None where there is none. One that began in the future, by a clock that was set
        back unseen, is over."""
        row = self.db.execute("SELECT until_ms FROM pauses WHERE ended_ms IS NULL AND began_ms <= ?1 AND until_ms > ?1",
                              (self.now_ms,)).fetchone()
        return row[0] if row else None

    def begin(self, arguments: Mapping[str, Any], most_s: float) -> int:
        """Pause for `for_s` seconds (default an hour) from now, or move the end of the pause in force; its end.

        Raises UsageError for a length that is no number from 1 s to `most_s`: longer than that, what was known before
        would be forgotten, and old items would come as news.
        """
        wanted_s = arguments.get("for_s", DEFAULT_S)
        if isinstance(wanted_s, bool) or not isinstance(wanted_s, (int, float)) or not math.isfinite(wanted_s) \
                or not 1 <= wanted_s <= most_s:
            raise UsageError(f"a pause lasts from 1 s to {most_s / 3600:g} h, half of SEEN_TTL_DAYS")
        until_ms = self.now_ms + round(wanted_s * 1000)
        if self.until_ms() is None:
            self.close()
            self.db.execute("INSERT OR REPLACE INTO pauses(began_ms, until_ms) VALUES(?, ?)", (self.now_ms, until_ms))
        else:
            self.db.execute("UPDATE pauses SET until_ms = ? WHERE ended_ms IS NULL", (until_ms,))
        log.info("paused", until=iso(until_ms))
        return until_ms

    def shift(self, by_ms: int) -> None:
        """The clock jumped: the pause in force lasts as long as it would have."""
        self.db.execute("UPDATE pauses SET began_ms = began_ms + ?1, until_ms = until_ms + ?1 WHERE ended_ms IS NULL",
                        (by_ms,))

    def close(self) -> bool:
        """End the pause in force now; False where there was none."""
        was_paused = self.until_ms() is not None
        if self.db.execute("UPDATE pauses SET ended_ms = ? WHERE ended_ms IS NULL", (self.now_ms,)).rowcount:
            log.info("resumed")
        return was_paused

    def news(self) -> Notice | None:
        """What the operator is to be told now, once: a pause began, or the one that was told of ended.

        A pause that is over is closed here. One that was undone before it was told of is not told of at all.
        """
        if self.until_ms() is None:
            self.close()
        row = self.db.execute("SELECT began_ms, until_ms, ended_ms, told FROM pauses WHERE told < ? AND NOT"
                              " (told = ? AND ended_ms IS NULL) ORDER BY began_ms LIMIT 1",
                              (END_TOLD, BEGIN_TOLD)).fetchone()
        if row is None:
            return None
        began_ms, until_ms, ended_ms, told = row
        after = BEGIN_TOLD if ended_ms is None else END_TOLD
        self.db.execute("UPDATE pauses SET told = ? WHERE began_ms = ?", (after, began_ms))
        if ended_ms is None:
            return Notice(str(began_ms), "info", "the sources are paused",
                          f"a person paused them until {iso(until_ms)}; catalyst resume ends it")
        if told == UNTOLD:
            return None
        return Notice(f"{began_ms}:over", "info", "the sources are polled again",
                      f"after a pause of {max(0, ended_ms - began_ms) // 1000} s;"
                      " what was published meanwhile is read now")

    def prune(self, before: Before) -> None:
        """Forget what ended long ago."""
        self.db.execute("DELETE FROM pauses WHERE told = ? AND ended_ms < ?", (END_TOLD, before(KEEP_MS)))
