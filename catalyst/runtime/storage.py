"""What the disk under a database does: whether it has room, what it refused, when to try again, when to give up.

A full disk is waited for, however long that takes: it is made room on. A disk that fails is given some seconds; after
that the process ends, so that its next start looks at the file. Nothing here writes to the database.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from catalyst import log
from catalyst.clock import Clock
from catalyst.errors import StorageKind, StoreError

ROOM_BYTES = 1_048_576  # with less the disk counts as full: the largest message takes about that much in a commit
PAUSE_S = 0.5  # between two tries
FAILING_S = 10.0  # from here on errors do not pass by themselves
SAY_AGAIN_S = 60.0
FLICKER_S = 2.0  # what is over so soon may come at every commit: it is not said each time
PROBE_BYTES = 65_536
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Where SQLite does not say that the disk is full although it is: no file can be made, a quota, a late refusal at fsync.
VAGUE_CODES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def has_room(folder: Path) -> bool:
    """Whether the file system of `folder` has ROOM_BYTES and a file left for this user; True where nobody says."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return True
    blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    return (found.f_blocks == 0 or blocks * found.f_frsize >= ROOM_BYTES) and (
        found.f_files == 0 or found.f_ffree > 0)


def takes_bytes(folder: Path) -> bool:
    """Whether a file without a name can be filled in `folder`: a quota shows only so. True where nobody says."""
    try:
        file = os.open(folder, os.O_WRONLY | getattr(os, "O_TMPFILE", 0), 0o600)
    except OSError as error:
        return error.errno not in NO_ROOM
    try:
        return os.write(file, bytes(PROBE_BYTES)) == PROBE_BYTES
    except OSError as error:
        return error.errno not in NO_ROOM
    finally:
        os.close(file)


def kind_of(error: sqlite3.Error, folder: Path) -> StorageKind:
    """Which trouble with storage an error of SQLite means (https://sqlite.org/rescode.html)."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in DAMAGE_CODES:
        return "damaged"
    is_full = code == sqlite3.SQLITE_FULL or (
        code in VAGUE_CODES and not (has_room(folder) and takes_bytes(folder)))
    return "full" if is_full else "failing"


class Storage:
    """What the disk did to one database. `refusal` is the trouble of the last commits, empty after one that changed
    something; `state` is what the heartbeat shows: also a disk that is full and has refused nothing yet."""

    def __init__(self, database: Path, clock: Clock):
        self._path, self._folder = database, database.parent
        self._clock = clock
        self.refusal: StorageKind = ""
        self.state: StorageKind = ""
        self._reason = ""
        self._refused = 0
        self.next_try_s = 0.0  # while something is refused
        self._since_s = self._failing_s = self._next_look_s = self._rest_end_s = 0.0
        self._said_s = -SAY_AGAIN_S
        self._is_told = False

    def refused(self, error: StoreError) -> None:
        """A transaction was refused: nothing is tried for PAUSE_S."""
        now_s = self._clock.monotonic_s()
        if error.kind != self.refusal:
            self.refusal, self._failing_s = error.kind, now_s
        self._reason = str(error)
        self._refused += 1
        self.next_try_s = self._rest_end_s = now_s + PAUSE_S
        self._show(now_s, error.kind)

    def outlast(self, attempt: Callable[[], object], is_over: Callable[[], bool]) -> None:
        """Do what only reads, again and again while the disk is full: SQLite may have to take back half a transaction
        first, which is writing. Raises StoreError for other troubles, and once `is_over`."""
        while True:
            try:
                attempt()
                return
            except sqlite3.Error as error:
                refusal = StoreError(self._path, str(error), kind_of(error, self._folder))
                self.refused(refusal)
                if refusal.kind != "full" or is_over():
                    raise refusal from error
            time.sleep(PAUSE_S)

    def is_hopeless(self) -> bool:
        """Whether waiting does not help: the file is damaged, or errors have come for FAILING_S."""
        return self.refusal == "damaged" or (
            self.refusal == "failing" and self._clock.monotonic_s() - self._failing_s >= FAILING_S)

    def rest_s(self) -> float:
        """How long still nothing is to be tried; not positive: try."""
        return self._rest_end_s - self._clock.monotonic_s() if self.refusal else 0.0

    def is_due(self) -> bool:
        """Whether a commit is to show if storage still refuses."""
        return bool(self.refusal) and self._clock.monotonic_s() >= self.next_try_s

    def stored(self) -> None:
        """A commit that changed something went through. On a disk without room it is one that just fitted in."""
        if self.refusal == "full" and not has_room(self._folder):
            self.next_try_s = self._clock.monotonic_s() + PAUSE_S
            return
        self.refusal = ""
        self._next_look_s = 0.0
        self.look()

    def look(self) -> StorageKind:
        """The state, after a look at the disk at most every PAUSE_S."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + PAUSE_S
            self._show(now_s, self.refusal or ("" if has_room(self._folder) else "full"))
        return self.state

    def _show(self, now_s: float, kind: StorageKind) -> None:
        """Take the state over; a line at its beginning, one a minute, one at its end."""
        before, self.state = self.state, "failing" if kind == "damaged" else kind
        if self.state and not before:
            self._since_s = now_s
        if self.state and now_s - self._said_s >= SAY_AGAIN_S:
            self._said_s, self._is_told = now_s, True
            log.error("storage_refuses", state=self.state, for_s=round(now_s - self._since_s, 1),
                      refused=self._refused, reason=self._reason or f"less than {ROOM_BYTES} bytes are left")
        elif before and not self.state:
            if self._is_told:
                log.warning("storage_works", after_s=round(now_s - self._since_s, 1), refused=self._refused)
            if now_s - self._since_s >= FLICKER_S:
                self._said_s = -SAY_AGAIN_S
            self._refused, self._reason, self._is_told = 0, "", False
