"""Copies of databases: made by the actor beside its work, checked, and made ready to be databases again.

Only the owner of a database opens it, so a running actor copies its own, by SQLite's backup in small steps with a turn
of its loop after each. What the actor commits meanwhile goes through the same connection, so SQLite carries it into
the copy (https://sqlite.org/c3ref/backup_finish.html): the copy is the database as of its last step.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalyst import log
from catalyst.errors import ConfigError, ForeignDatabase, NewerSchema, StoreError, UsageError
from catalyst.runtime.contract import Actor, application_id
from catalyst.runtime.progress import Progress
from catalyst.runtime.restored import write_out
from catalyst.runtime.schema import RUNTIME_STEPS
from catalyst.runtime.store import connect

STEP_PAGES = 128  # half a megabyte: a millisecond or less, the most that a message waits longer
MOST_RESTARTS = 10  # SQLite begins again when a transaction that had spilled into the log is rolled back
STEP_LIMIT_S = 2.5  # as for a handler: a disk that hangs must not hang the actor, so the supervisor ends it
READ_BYTES = 1 << 20


class Copier:
    """Copies one actor's database to a path, step by step. `turn` is one turn of the actor's loop."""

    def __init__(self, db: sqlite3.Connection, progress: Progress, turn: Callable[[], None],
                 is_stopping: Callable[[], bool]):
        self._db = db
        self._progress = progress
        self._turn = turn
        self._is_stopping = is_stopping
        self._wanted: Path | None = None
        self._state: dict[str, Any] = {"state": "idle", "pages": 0, "remaining": 0, "error": ""}
        self.is_running = False

    @property
    def is_due(self) -> bool:
        """Whether somebody asked for a copy that is not begun."""
        return self._wanted is not None and not self.is_running

    def ask(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`do` begin with a `path`, or state: `{"state": idle|waiting|copying|done|failed, "pages", "remaining",
        "error"}` of the copy asked for last. Raises UsageError while another one is under way."""
        do = arguments.get("do", "state")
        if do == "begin":
            path = Path(str(arguments.get("path", "")))
            if self._wanted is not None:
                raise UsageError(f"a copy to {self._wanted} is under way")
            if not path.is_absolute():
                raise UsageError("the path of a copy is absolute")
            self._wanted = path
            self._state = {"state": "waiting", "pages": 0, "remaining": 0, "error": ""}
        elif do != "state":
            raise UsageError(f"backup {do!r} is none of begin, state")
        return self._state

    def run(self) -> None:
        """Make the copy that is due; the loop goes on between its steps. A disk that refuses it harms nobody else."""
        path = self._wanted
        assert path is not None
        self.is_running = True
        try:
            self._copy(path)
            self._state = {**self._state, "state": "done", "remaining": 0}
        except (sqlite3.Error, OSError, _Stopped) as error:
            self._state = {**self._state, "state": "failed", "error": str(error) or type(error).__name__}
            log.warning("backup_failed", path=str(path), reason=self._state["error"])
            if not isinstance(error, FileExistsError):
                with suppress(OSError):
                    path.unlink()
        finally:
            self._progress.end()
            self.is_running, self._wanted = False, None

    def _copy(self, path: Path) -> None:
        failed: list[BaseException] = []
        restarts = 0

        def between(_: int, remaining: int, pages: int) -> None:
            nonlocal restarts
            self._progress.end()
            restarts += remaining > self._state["remaining"] > 0
            if restarts > MOST_RESTARTS:
                raise _Stopped("the database was rolled back too often meanwhile")
            self._state = {**self._state, "state": "copying", "pages": pages, "remaining": remaining}
            if self._is_stopping():
                raise _Stopped("the actor is ending")
            try:
                self._turn()
            except BaseException as error:  # of the loop, not of the copy
                failed.append(error)
                raise
            self._progress.begin("backup", STEP_LIMIT_S)

        try:
            with closing(_empty(path)) as target:
                self._progress.begin("backup", STEP_LIMIT_S)
                self._db.backup(target, pages=STEP_PAGES, progress=between, sleep=0.01)
        except (sqlite3.Error, OSError) as error:
            if error in failed:
                raise _LoopFailed from error
            raise


class _Stopped(Exception):
    """The copy is broken off; the text says why."""


class _LoopFailed(Exception):
    """A turn of the loop raised while a copy was made."""


def _empty(path: Path) -> sqlite3.Connection:
    """A new file to copy into. Who asked for it writes it out and checks it: nothing here waits for the disk."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    target = connect(path)
    target.execute("PRAGMA journal_mode = OFF")
    target.execute("PRAGMA synchronous = OFF")
    return target


def copy_at_rest(source: Path, target: Path) -> None:
    """Copy a database that nobody has open; the caller holds its lock. Raises StoreError."""
    try:
        with closing(connect(source)) as db, closing(_empty(target)) as copy:
            db.backup(copy)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(source, f"cannot be copied to {target}: {error}") from error


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a copy that is sound."""

    epoch: str
    user_version: int
    pages: int
    size: int
    sha256: str


def seal(path: Path) -> Facts:
    """Make a fresh copy one file, check it, write it out. Raises StoreError where it is damaged or the disk refuses."""
    try:
        with closing(connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise StoreError(path, f"the copy is damaged: {found}")
            epoch = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]
            version, pages = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "page_count"))
        write_out(path)
        return Facts(epoch.hex(), version, pages, path.stat().st_size, digest(path))
    except (sqlite3.Error, OSError, TypeError) as error:
        raise StoreError(path, str(error)) from error


def refuse_unfit(path: Path, cls: type[Actor]) -> None:
    """Raises ConfigError (NewerSchema, ForeignDatabase) where a copy is none that `cls` of this version can take."""
    try:
        with closing(connect(path)) as db:
            mark, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise ConfigError(f"{path}: {error}") from error
    if mark != application_id(cls.name):
        raise ForeignDatabase(path, "another program's or another actor's")
    if version // 1000 > len(RUNTIME_STEPS) or version % 1000 > len(cls.tables):
        raise NewerSchema(path, version, len(RUNTIME_STEPS) * 1000 + len(cls.tables))
    if found != "ok":
        raise ConfigError(f"{path} is damaged: {found}")


def goes_on_from(path: Path, epoch: str) -> bool:
    """Whether the database at `path`, which nobody has open, is sound and a later state of the one with that epoch."""
    try:
        with closing(connect(path)) as db:
            found = db.execute("SELECT hex(value) FROM meta WHERE key = 'epoch'").fetchone()
            return (found is not None and found[0].lower() == epoch
                    and db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False


def make_reborn(path: Path, now_ms: int) -> None:
    """Make a copy ready to go on as a database: a new epoch, the time of its rebirth, and every queued job as one that
    may have been done since it was copied, so that the actor settles it as after a kill. Raises StoreError."""
    try:
        with closing(connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
                           [("epoch", os.urandom(8)), ("open", 0), ("reborn_ms", now_ms)])
            db.execute("DELETE FROM meta WHERE key = 'set_aside'")
            db.execute("UPDATE jobs SET state = 'running' WHERE state = 'queued'")
            db.execute("COMMIT")
        write_out(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(path, str(error)) from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a plain file to a new one of mode 0600 and write it out. Raises OSError."""
    with source.open("rb") as read, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as write:
        shutil.copyfileobj(read, write, READ_BYTES)
        write.flush()
        os.fsync(write.fileno())


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_damaged(path: Path, size: int, sha256: str) -> None:
    """Raises ConfigError where a file is not the one whose size and hash were written down."""
    try:
        if path.stat().st_size != size or digest(path) != sha256:
            raise ConfigError(f"{path} is not the file that was written: its size or hash differs")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
