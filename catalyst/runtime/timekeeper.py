"""Tells a jump of the wall clock from time that passed, and remembers it in the actor's database.

The wall clock is compared with the machine's time since its start. Their difference is stored with the name of that
start, so a jump is known also where it happened while no process was there. The row is written in the transaction
that moves what a jump must move: a kill between jump and commit leaves the jump to the next process.
"""

from __future__ import annotations

import json
import sqlite3

from catalyst.clock import Clock
from catalyst.core.jumps import SMALLEST_MS, Jump, before, noticed, present

KEY = "clock"
FOLLOW_MS = 500  # the stored difference is written anew when the clock has drifted so far
TRIES = 5
CLOSE_S, TOGETHER_S = 0.001, 0.02  # readings of two clocks so far apart: exact enough; further: they say nothing
NEWEST = ("SELECT max(coalesce((SELECT committed_ms FROM inbox ORDER BY n DESC LIMIT 1), 0),"
          " coalesce((SELECT max(queued_ms) FROM jobs), 0))")


class Timekeeper:
    """Time as one actor knows it. `look` and what changes state belong to the loop; the rest may be asked by threads.

    `count` is the number of jumps that this process saw.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._boot = clock.boot()
        _, offset_ms = self._read(0)
        self._state: tuple[int, tuple[Jump, ...]] = (offset_ms, ())  # replaced as a whole: threads read it
        self._looked_s = clock.since_boot_s()
        self._stored_ms = offset_ms
        self.count = 0

    def begin(self, db: sqlite3.Connection) -> None:
        """Go on from the database's row; `look` then tells of a jump since it was written.

        After a start of the machine there is nothing to compare with, but a clock that shows less than the database's
        newest stamp was set back by that much at least.
        """
        now_ms, offset_ms = self._read(self._state[0])
        row = self._row(db)
        newest_ms = max(row[2] if row else 0, db.execute(NEWEST).fetchone()[0])
        jumps = row[3] if row else ()
        if row and row[0] == self._boot != "":
            offset_ms = row[1]
            self._looked_s = (row[2] - row[1]) / 1000
        elif newest_ms > now_ms:
            offset_ms += newest_ms - now_ms
        self._state = (offset_ms, jumps)
        self._write(db, now_ms)

    def reload(self, db: sqlite3.Connection) -> None:
        """Read the row again, after a rolled-back transaction."""
        if (row := self._row(db)) is not None and row[0] == self._boot != "":
            self._state = (row[1], row[3])

    def look(self) -> tuple[int, int]:
        """(now, by how much the wall clock jumped since it was last in order); the second is 0 as long as it is."""
        offset_ms, jumps = self._state
        now_ms, found_ms = self._read_surely(offset_ms)
        by_ms = found_ms - offset_ms
        if abs(by_ms) >= SMALLEST_MS:
            return now_ms, by_ms
        self._state = (found_ms, jumps)
        self._looked_s = self._clock.since_boot_s()
        return now_ms, 0

    def accept(self, db: sqlite3.Connection, now_ms: int, by_ms: int) -> None:
        """Take the jump that `look` told of for known: in the transaction that moves the rows."""
        offset_ms, jumps = self._state
        passed_ms = round((self._clock.since_boot_s() - self._looked_s) * 1000)
        self._state = (offset_ms + by_ms, noticed(jumps, now_ms, by_ms, passed_ms))
        self.count += 1
        self._write(db, now_ms)

    def follow(self, db: sqlite3.Connection) -> None:
        """Store how far the clock has drifted, where that is much."""
        if abs(self._state[0] - self._stored_ms) >= FOLLOW_MS:
            self._write(db, self._clock.now_ms())

    def now_ms(self) -> int:
        """What the wall clock shows."""
        return self._now()[0]

    def present_ms(self, stamp_ms: int) -> int:
        """An own stamp as the clock would have made it that shows the present time; never of the future."""
        now_ms, jumps = self._now()
        return present(stamp_ms, now_ms, jumps)

    def passed_ms(self, stamp_ms: int) -> int:
        """Milliseconds that passed since an own stamp, without the clock's jumps; never negative."""
        now_ms, jumps = self._now()
        return now_ms - present(stamp_ms, now_ms, jumps)

    def before_ms(self, age_ms: int) -> int:
        """What was stamped before this moment is older than `age_ms`, however the clock jumped."""
        now_ms, jumps = self._now()
        return before(now_ms, age_ms, jumps)

    def _now(self) -> tuple[int, tuple[Jump, ...]]:
        """Now and all jumps, also one that the loop has not noticed yet."""
        offset_ms, jumps = self._state
        now_ms, found_ms = self._read_surely(offset_ms)
        by_ms = found_ms - offset_ms
        return now_ms, noticed(jumps, now_ms, by_ms, SMALLEST_MS) if abs(by_ms) >= SMALLEST_MS else jumps

    def _read_surely(self, offset_ms: int) -> tuple[int, int]:
        """As `_read`; what would be a jump is believed where a second reading says the same."""
        now_ms, found_ms = self._read(offset_ms)
        if abs(found_ms - offset_ms) >= SMALLEST_MS:
            again_ms, second_ms = self._read(offset_ms)
            if abs(second_ms - found_ms) >= SMALLEST_MS:
                return again_ms, second_ms
        return now_ms, found_ms

    def _read(self, otherwise_ms: int) -> tuple[int, int]:
        """Wall time, and by how much it is ahead of the time since the start; `otherwise_ms` where a process that is
        stopped again and again cannot say."""
        best_s = TOGETHER_S
        for _ in range(TRIES):
            first_s = self._clock.since_boot_s()
            now_ms = self._clock.now_ms()
            apart_s = self._clock.since_boot_s() - first_s
            if apart_s < best_s:
                best_s, otherwise_ms = apart_s, now_ms - round(first_s * 1000)
            if apart_s < CLOSE_S:
                break
        return now_ms, otherwise_ms

    def _row(self, db: sqlite3.Connection) -> tuple[str, int, int, tuple[Jump, ...]] | None:
        row = db.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
        if row is None:
            return None
        boot, offset_ms, at_ms, jumps = json.loads(row[0])
        return boot, offset_ms, at_ms, tuple(Jump(*jump) for jump in jumps)

    def _write(self, db: sqlite3.Connection, now_ms: int) -> None:
        offset_ms, jumps = self._state
        db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
                   (KEY, json.dumps([self._boot, offset_ms, now_ms, jumps])))
        self._stored_ms = offset_ms
