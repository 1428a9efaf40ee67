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

from catalyst.clock import Clock, SystemClock
from catalyst.errors import ConfigError, Damaged, ForeignDatabase, NewerSchema, StoreError
from catalyst.runtime import damage
from catalyst.runtime.aside import DISK, MOST_SUSPICIONS, Beside, Note
from catalyst.runtime.contract import Actor, application_id
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.restored import take_over
from catalyst.runtime.schema import RUNTIME_STEPS
from catalyst.runtime.storage import PROBE_BYTES, kind_of
from catalyst.runtime.wal import Log, lost, read_log, taken_of
from catalyst.settings import Settings

SYNC_ORDER = ("OFF", "NORMAL", "FULL", "EXTRA")
PRAGMAS = frozenset({"table_list", "user_version", "journal_mode", "synchronous", "cache_size", "mmap_size"})
PRAGMAS_OF_TABLES = frozenset({"table_info", "index_list", "index_info"})
# The disk or the file, not the statement (https://sqlite.org/rescode.html); an error in SQL itself is SQLITE_ERROR.
STORAGE_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
                           sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
                           sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB})
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TOLD_MS = 86_400_000  # for so long after it was made a new database tells of the one that was set aside
BUSY_TIMEOUT_S = 30.0  # requirements, seen store; with exclusive ownership only a foreign reader can make us wait


class Store:
    """An open database. `db` is the connection, `epoch` the random id of this database, `was_clean` how it was left.

    One that is damaged is set aside and a new one made in its place: `reborn_ms` says when, `set_aside` is the folder
    where the former one is, for a day. `suspect`: the last process ended by its own doing, so the file is looked
    through. `rows_lost` says what shows that committed rows are gone, though the database itself is whole.

    Raises OwnedElsewhere, ForeignDatabase, NewerSchema, ConfigError (folder) or StoreError (disk; a new database that
    is damaged too); an ownership that was handed in is then still held, for another try. Usable as a context manager;
    `close` checkpoints, marks a clean end and removes the lock file.
    """

    def __init__(self, cls: type[Actor], settings: Settings, *, ownership: Ownership | None = None,
                 suspect: bool = False, clock: Clock | None = None):
        self.name = cls.name
        self.path: Path = settings.database_folder / f"{cls.name}.db"
        self.beside = Beside(settings.database_folder, cls.name)
        self.rows_lost = ""
        self._boot = boot_id()
        self._now_ms = (clock or SystemClock()).now_ms()
        self._ownership = ownership or Ownership(settings.database_folder, cls.name)
        self._db: sqlite3.Connection | None = None
        self._rebooted = False  # since the end of the process that had it open
        self._leaving = ""  # the folder of the database whose place this one takes
        try:
            try:
                self._open(cls, settings, suspect)
            except Damaged as found:
                self._replace(cls, settings, found.why)
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

    def _open(self, cls: type[Actor], settings: Settings, suspect: bool) -> None:
        self.replaced = take_over(self.path)  # where the database is whose place a restored one took, else None
        if self.replaced is not None:
            self.beside.clear()
        note = self.beside.note()
        if note is not None and note.leaving:
            self._finish_leaving(note.leaving)
        suspicions = self.beside.suspicions()
        is_ours = damage.look_before(self.path, note, application_id(cls.name))
        before = read_log(self.path)
        try:
            with self._finding(is_ours):
                self._db = connect(self.path)
                self._refuse_foreign(cls, note)
                self._examine(suspect=suspect or bool(suspicions), has_log=before is not None)
            met = [line for line in suspicions if not line.startswith(DISK)]
            if len(met) >= MOST_SUSPICIONS:
                raise Damaged(self.path, f"{len(met)} times in a row: {met[-1]}")
            tune(self.db, settings, cls.synchronous)
            self._compare(before)
            migrate(self.db, RUNTIME_STEPS, cls.tables, application_id(cls.name))
            self._begin()
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
                raise ForeignDatabase(self.path, "not an SQLite file") from error
            kind = kind_of(error, self.path.parent)
            if kind != "full" and ("readonly" in str(error) or "unable to open" in str(error)):
                raise ConfigError(f"cannot write {self.path}: {error}") from error
            raise StoreError(self.path, str(error), kind) from error
        self._note(note)

    @contextlib.contextmanager
    def _finding(self, is_ours: bool) -> Iterator[None]:
        """While a file of ours is looked at: what SQLite says against it is damage, unless it is the disk's doing."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if is_ours and (damage.is_damage(error) or not storage_failed(error)):
                raise Damaged(self.path, str(error)) from error
            raise

    def _refuse_foreign(self, cls: type[Actor], note: Note | None) -> None:
        """Look before anything is written: switching to WAL would already change a foreign file."""
        found = self.db.execute("PRAGMA application_id").fetchone()[0]
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        tables = self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if found != application_id(cls.name):
            if note is not None and not note.leaving:
                damage.look_inside(self.db, self.path, note.epoch)
            if found or version or tables:
                raise ForeignDatabase(self.path, "another program's or another actor's")
        known_runtime, known_actor = len(RUNTIME_STEPS), len(cls.tables)
        if version // 1000 > known_runtime or version % 1000 > known_actor:
            raise NewerSchema(self.path, version, known_runtime * 1000 + known_actor)

    def _examine(self, *, suspect: bool, has_log: bool) -> None:
        """Check as closely as the last end asks for, before anything is mapped or written."""
        values: dict[str, Any] = {}
        if self.db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]:
            values = dict(self.db.execute("SELECT key, value FROM meta").fetchall())
        self._rebooted = bool(values.get("open")) and values.get("boot", self._boot) != self._boot
        if self._ownership.was_open and self.replaced is None and not has_log and self._in_log_mode():
            self.rows_lost = "the log is gone that the last process left"
        damage.check(self.db, self.path, whole=suspect or self._rebooted or bool(self.rows_lost))

    def _in_log_mode(self) -> bool:
        return bool(self.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def _begin(self) -> None:
        """Read who this database is, and note that it is open: an unclean end leaves the note behind."""
        with self.transaction() as db:
            fresh = db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES('epoch', ?)", (os.urandom(8),)).rowcount
            db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES('open', 0)")
            if fresh and self._leaving:
                db.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
                               [("reborn_ms", self._now_ms), ("set_aside", self._leaving)])
            values = dict(db.execute("SELECT key, value FROM meta").fetchall())
            db.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", [("open", 1), ("boot", self._boot)])
        self.epoch: bytes = values["epoch"]
        self.was_clean = not values["open"]
        self.is_reborn = bool(fresh and self._leaving)
        self.reborn_ms: int | None = values.get("reborn_ms")
        told = self.reborn_ms is not None and self._now_ms - self.reborn_ms < TOLD_MS
        self.set_aside: str = values.get("set_aside", "") if told else ""
        self._ownership.mark_open(True)

    def _compare(self, before: Log | None) -> None:
        """Raise Damaged where the log that was left does not hold, or the file is shorter than it should be.

        What SQLite took of the log shows in where it writes next, so a commit is made that changes nothing. After a
        power cut the end of the log may be missing without harm to the rest, which was checked: then rows are lost.
        """
        if before is not None and self._in_log_mode():
            taken = 0
            if len(before):
                version = self.db.execute("PRAGMA user_version").fetchone()[0]
                self.db.execute(f"PRAGMA user_version = {version}")
                taken = taken_of(before, self.path)
            self.rows_lost = lost(before, taken)
            if self.rows_lost and not self._rebooted:
                raise Damaged(self.path, self.rows_lost)
        damage.check_length(self.db, self.path, before)

    def _replace(self, cls: type[Actor], settings: Settings, why: str) -> None:
        """Set the files aside and make a new database, once a start. They are moved before they are closed: SQLite then
        leaves the log as it is. Raises StoreError where the new one is damaged too."""
        self._leaving, self.rows_lost = self.beside.set_aside(why, self._now_ms), ""
        if self._db is not None:
            self._db.close()
            self._db = None
        try:
            self._open(cls, settings, suspect=False)
        except Damaged as again:
            raise StoreError(self.path, f"damaged again at once: {again.why}") from again

    def _finish_leaving(self, name: str) -> None:
        """A kill came between the setting aside and the new database's note."""
        self._leaving = name
        try:
            self.beside.finish_leaving(name)
        except OSError as error:
            raise StoreError(self.path, f"cannot be set aside: {error.strerror}") from error

    def _note(self, note: Note | None) -> None:
        """Write down beside the database that it is ours; where the disk is full, the next start does."""
        if note != Note(self.epoch.hex()):
            with contextlib.suppress(OSError):
                self.beside.write_note(Note(self.epoch.hex()))

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
            if damage.is_damage(error):
                raise Damaged(self.path, str(error)) from error
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
                    self._ownership.mark_open(False)
            finally:
                self._db.close()
                self._db = None
        self._ownership.release()

    def is_homeless(self) -> bool:
        """Whether the home was deleted while the database is open. Safe from any thread."""
        return self._ownership.is_lost()

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


def boot_id() -> str:
    """Which start of the machine this is (random(4)); empty where the system does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


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
