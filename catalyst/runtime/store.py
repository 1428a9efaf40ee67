"""The one opener of SQLite: an actor's database, owned exclusively, with its schema brought up to date.

Nothing else in Catalyst connects to SQLite. The runtime's own tables come first (`RUNTIME_STEPS`), then the actor's
(`Actor.tables`); `user_version` is 1000 x the number of runtime steps + the number of the actor's steps. It knows
nothing of messages or sockets.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalyst.errors import ConfigError, ForeignDatabase, NewerSchema, StoreError
from catalyst.runtime.contract import Actor, application_id
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.restored import take_over
from catalyst.runtime.schema import RUNTIME_STEPS
from catalyst.runtime.storage import PROBE_BYTES, kind_of
from catalyst.settings import Settings

SYNC_ORDER = ("OFF", "NORMAL", "FULL", "EXTRA")
PRAGMAS = frozenset({"table_list", "user_version", "journal_mode", "synchronous", "cache_size", "mmap_size"})
PRAGMAS_OF_TABLES = frozenset({"table_info", "index_list", "index_info"})
# The disk or the file, not the statement (https://sqlite.org/rescode.html); an error in SQL itself is SQLITE_ERROR.
STORAGE_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
                           sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
                           sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB})
BUSY_TIMEOUT_S = 30.0  # requirements, seen store; with exclusive ownership only a foreign reader can make us wait


class Store:
    """An open database. `db` is the connection, `epoch` the random id of this database, `was_clean` how it was left.

    Raises OwnedElsewhere, ForeignDatabase, NewerSchema, ConfigError (folder) or StoreError (disk, damage); an ownership
    that was handed in is then still held, for another try. Usable as a context manager; `close` checkpoints, marks a
    clean end and removes the lock file.
    """

    def __init__(self, cls: type[Actor], settings: Settings, *, ownership: Ownership | None = None):
        self.name = cls.name
        self.path: Path = settings.database_folder / f"{cls.name}.db"
        self._ownership = ownership or Ownership(settings.database_folder, cls.name)
        self._db: sqlite3.Connection | None = None
        try:
            self._open(cls, settings)
        except BaseException:
            self._let_go()
            if ownership is None:
                self._ownership.release()
            raise

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; autocommit outside `transaction`."""
        assert self._db is not None, "the store is closed"
        return self._db

    def _open(self, cls: type[Actor], settings: Settings) -> None:
        self.replaced = take_over(self.path)  # where the database is whose place a restored one took, else None
        try:
            self._db = connect(self.path)
            self._refuse_foreign(cls)
            tune(self.db, settings, cls.synchronous)
            migrate(self.db, RUNTIME_STEPS, cls.tables, application_id(cls.name))
            self._begin()
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
                raise ForeignDatabase(self.path, "not an SQLite file") from error
            kind = kind_of(error, self.path.parent)
            if kind != "full" and ("readonly" in str(error) or "unable to open" in str(error)):
                raise ConfigError(f"cannot write {self.path}: {error}") from error
            raise StoreError(self.path, str(error), kind) from error

    def _refuse_foreign(self, cls: type[Actor]) -> None:
        """Look before anything is written: switching to WAL would already change a foreign file."""
        found = self.db.execute("PRAGMA application_id").fetchone()[0]
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        tables = self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if found != application_id(cls.name) and (found or version or tables):
            raise ForeignDatabase(self.path, "another program's or another actor's")
        known_runtime, known_actor = len(RUNTIME_STEPS), len(cls.tables)
        if version // 1000 > known_runtime or version % 1000 > known_actor:
            raise NewerSchema(self.path, version, known_runtime * 1000 + known_actor)

    def _begin(self) -> None:
        """Read who this database is, and note that it is open: an unclean end leaves the note behind."""
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES('epoch', ?)", (os.urandom(8),))
            db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES('open', 0)")
            values = dict(db.execute("SELECT key, value FROM meta").fetchall())
            db.execute("UPDATE meta SET value = 1 WHERE key = 'open'")
        self.epoch: bytes = values["epoch"]
        self.was_clean = not values["open"]
        self.reborn_ms: int | None = values.get("reborn_ms")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE, then COMMIT, or ROLLBACK when the block raises. Raises StoreError when the disk refuses."""
        db = self.db
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error) and storage_failed(error):
                raise StoreError(self.path, str(error), kind_of(error, self.path.parent)) from error
            raise

    def probe(self) -> None:
        """Within a transaction: write something and take it away again; its commit then proves that there is room."""
        self.db.execute("INSERT INTO meta(key, value) VALUES('room', zeroblob(?))", (PROBE_BYTES,))
        self.db.execute("DELETE FROM meta WHERE key = 'room'")

    def _roll_back(self) -> None:
        if self.db.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # after a disk error SQLite may have rolled back by itself
                self.db.execute("ROLLBACK")

    def close(self) -> None:
        """Mark a clean end, move the WAL into the database, close, let go of the lock. The second call does nothing."""
        if self._db is not None:
            try:
                with contextlib.suppress(sqlite3.Error):  # a full disk must not keep the process from ending
                    self._db.execute("UPDATE meta SET value = 0 WHERE key = 'open'")
                    self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._db.close()
                self._db = None
        self._ownership.release()

    def abandon(self) -> None:
        """Let go without a mark or checkpoint, as after a kill: used when opening fails and by the test bench."""
        self._let_go()
        self._ownership.release()

    def _let_go(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def storage_failed(error: BaseException) -> bool:
    """Whether SQLite failed because of the disk or the file, which another message would not do better with."""
    code = getattr(error, "sqlite_errorcode", None)  # absent where Python's module raised by itself
    return isinstance(error, sqlite3.Error) and code is not None and code & 0xFF in STORAGE_CODES


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection that commits only when told to, private to this process. Raises sqlite3.Error."""
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=256)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    return db


def tune(db: sqlite3.Connection, settings: Settings, at_least: str | None = None) -> None:
    """Set the storage settings on a connection; `at_least` is the weakest `synchronous` that the actor allows."""
    sync = settings.sqlite_synchronous
    if at_least and SYNC_ORDER.index(sync) < SYNC_ORDER.index(at_least):
        sync = at_least
    mode = "WAL" if settings.sqlite_wal_mode else "DELETE"
    got = db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]
    if got.upper() != mode:
        raise sqlite3.OperationalError(f"journal mode is {got}, not {mode}")
    db.execute(f"PRAGMA synchronous = {sync}")
    db.execute(f"PRAGMA cache_size = {int(settings.sqlite_cache_size)}")
    db.execute(f"PRAGMA mmap_size = {int(settings.sqlite_mmap_size)}")
    db.execute("PRAGMA temp_store = MEMORY")


def migrate(db: sqlite3.Connection, runtime: tuple[str, ...], actor: tuple[str, ...], mark: int) -> None:
    """Run the steps that the database has not seen, each with its number in one transaction. Raises sqlite3.Error."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    done = [version // 1000, version % 1000]
    for place, steps in enumerate((runtime, actor)):
        for step in steps[done[place]:]:
            done[place] += 1
            db.execute("BEGIN IMMEDIATE")
            try:
                for statement in statements(step):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {done[0] * 1000 + done[1]}")
                db.execute(f"PRAGMA application_id = {mark}")
                db.execute("COMMIT")
            except sqlite3.Error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def statements(script: str) -> list[str]:
    """The SQL statements of a script, split at the semicolons that SQLite takes for the end of one."""
    found: list[str] = []
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    if pending:
        found.append(pending)  # ends in a comment: SQLite runs it without a semicolon, or names what is not closed
    return found


def read_only(action: int, first: str | None, second: str | None, *_: Any) -> int:
    """SQLite authorizer that allows reading only (https://sqlite.org/c3ref/set_authorizer.html)."""
    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
    if action in allowed:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first in PRAGMAS_OF_TABLES or (second is None and first in PRAGMAS)):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
