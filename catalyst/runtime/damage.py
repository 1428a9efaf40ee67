"""Finding damage in a database: at its opening, piece by piece in idle time, and in what SQLite refuses.

Measured (SQLite 3.40, two cores, file in memory): integrity_check and quick_check take 1.4 ms/MB where rows are some
600 bytes long, up to 5 where they are short and have indexes. So a small database is checked at each start, any size
after an end that the disk may be to blame for (damage that was met, a process that ended by its own doing, a reboot),
and the rest within a minute after the start, in pieces. What SQLite's check cannot see, rows that are gone from the log
or changed within, is told by the log's own frames (wal.py) and by the hashes of the links (ledger.py).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from catalyst import log
from catalyst.clock import Clock
from catalyst.errors import Damaged, StoreError
from catalyst.runtime.aside import DISK, Beside, Note
from catalyst.runtime.ledger import check_outbox
from catalyst.runtime.wal import Log

# What SQLite met in the file (https://sqlite.org/rescode.html). Other I/O errors may pass: they are not the file's.
DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
DAMAGE_IO_CODES = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ,
                             sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA})
SMALL_BYTES = 2_000_000  # of a database that is checked at each start
LARGE_BYTES = 16_000_000  # of a table that is read row by row, so that no piece takes long
MAGIC = b"SQLite format 3\x00"
FIRST_S = 5.0  # from the start to the first piece
PAUSE_S, SHARE = 0.1, 9  # between pieces: at least so long, and so many times what the last one took
HURRY_S = 40.0  # after the start: from then on pieces are done between messages too
ROUND_S = 3_600.0  # from the end of one round to the next
PRESENT_S = 20.0  # between looks whether the file is still the one that was opened, and as long
ANSWER_S = 0.2  # until an answer that tells of damage is out; the process ends then
PIECE_S = 0.03  # aimed at, where a piece can be cut
MOST_ROWS = 5_000


def is_damage(error: BaseException) -> bool:
    """Whether an error of ours or of SQLite says that the file is not what was written."""
    if isinstance(error, StoreError) and error.kind == "damaged":
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and (
        code & 0xFF in DAMAGE_CODES or code in DAMAGE_IO_CODES)


@contextlib.contextmanager
def noticing(folder: Path, name: str) -> Iterator[None]:
    """Leave word for the next start of damage, or of a disk that gives errors, that ends the block; let it pass."""
    try:
        yield
    except BaseException as error:
        if is_damage(error):
            Beside(folder, name).suspect(str(error))
        elif isinstance(error, StoreError) and error.kind == "failing":
            Beside(folder, name).suspect(f"{DISK}{error}")
        raise


def look_before(path: Path, note: Note | None, mark: int) -> bool:
    """Whether the file, which nobody has open, is the actor's own: the note says so, or the mark in its header.

    Raises Damaged where it is the actor's and is gone or empty.
    """
    try:
        with path.open("rb", buffering=0) as file:
            header = file.read(100)
    except FileNotFoundError:
        header = None
    except OSError:
        return note is not None  # SQLite will say what is wrong
    if note is None:
        return header is not None and header[:16] == MAGIC and int.from_bytes(header[68:72]) == mark
    if not note.leaving and not header:
        raise Damaged(path, "the file is gone" if header is None else "the file is empty")
    return True


def look_inside(db: sqlite3.Connection, path: Path, epoch: str) -> None:
    """Of a database that should be the actor's and bears no mark of it: raise Damaged if it is all the same.

    It is where there is nothing in it any more, or where it says that it is the one of the note.
    """
    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        raise Damaged(path, "there is nothing in the file")
    with contextlib.suppress(sqlite3.OperationalError):  # no such table: somebody else's
        row = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        if row is not None and isinstance(row[0], bytes) and row[0].hex() == epoch:
            raise Damaged(path, "the mark in its header has changed")


def check(db: sqlite3.Connection, path: Path, *, whole: bool) -> None:
    """The check at the opening, unmapped: `whole` of any size and against the hashes, else of a small one. Raises
    Damaged, or sqlite3.Error where SQLite cannot even check."""
    if whole:
        _say(path, db.execute("PRAGMA integrity_check(1)").fetchone()[0])
        for _ in check_outbox(db):
            pass
    elif path.stat().st_size <= SMALL_BYTES:
        _say(path, db.execute("PRAGMA quick_check(1)").fetchone()[0])


def check_length(db: sqlite3.Connection, path: Path, log: Log | None) -> None:
    """Raise Damaged where pages are neither in the file nor in its log: a file that was cut off."""
    size = db.execute("PRAGMA page_size").fetchone()[0]
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    if path.stat().st_size >= pages * size:
        return
    in_log = log.pages() if log is not None else set()
    reserved = 0x40000000 // size + 1  # the page of the locks, which is never written
    missing = next((page for page in range(path.stat().st_size // size + 1, pages + 1)
                    if page not in in_log and page != reserved), None)
    if missing is not None:
        raise Damaged(path, f"the file is cut off before page {missing} of {pages}")


def _say(path: Path, found: str) -> None:
    if found != "ok":
        raise Damaged(path, " ".join(str(found).replace("*** in database main ***", "").split()))


class Checkup:
    """Looks through an open database piece by piece: a round soon after the start, then one an hour."""

    def __init__(self, db: sqlite3.Connection, beside: Beside, clock: Clock):
        self._db = db
        self._beside = beside
        self._clock = clock
        now_s = clock.monotonic_s()
        self.due_s = now_s + FIRST_S
        self._hurry_s = now_s + HURRY_S
        self._round_s = now_s
        self._accusation = ""
        self._file, self._bytes = self._found()
        self._round = self._pieces()
        self.rounds = 0

    def is_due(self, *, idle: bool) -> bool:
        """Whether a piece may be done now; in a busy loop only in a hurry, and then less often."""
        now_s = self._clock.monotonic_s()
        if self._accusation:
            return now_s >= self.due_s
        return now_s >= (self.due_s if idle else max(self._hurry_s, self.due_s + 1.0))

    def accuse(self, why: str) -> None:
        """Somebody else found damage, and has an answer to give first: the next step raises it, a moment later."""
        if not self._accusation:
            self._accusation, self.due_s = why, self._clock.monotonic_s() + ANSWER_S

    def step(self) -> None:
        """Do a piece, outside of any transaction. Raises Damaged; another trouble of the disk begins the round anew."""
        began_s = self._clock.monotonic_s()
        if self._accusation:
            raise Damaged(self._beside.database, self._accusation)
        self._look()
        if began_s < self._round_s:
            self.due_s = began_s + PRESENT_S
            return
        try:
            over = next(self._round, True)
        except sqlite3.Error as error:
            if is_damage(error):
                raise Damaged(self._beside.database, str(error)) from error
            log.warning("check_put_off", reason=str(error))
            self._round = self._pieces()
            self.due_s = began_s + PRESENT_S
            return
        now_s = self._clock.monotonic_s()
        self.due_s = now_s + max(PAUSE_S, SHARE * (now_s - began_s))
        if over:
            self.rounds += 1
            self._beside.clear()
            self._round = self._pieces()
            self._round_s = now_s + ROUND_S
            self.due_s = now_s + PRESENT_S
            self._hurry_s = self._round_s + HURRY_S

    def _look(self) -> None:
        """Raise Damaged where another file is in place, or a shorter one.

        SQLite cuts a file only by VACUUM, which nobody does here. That its log may hold what was cut is no help: pages
        that were moved to the file once are not moved again.
        """
        file, size = self._found()
        if file != self._file:
            raise Damaged(self._beside.database, "the file is no longer in its place")
        if size < self._bytes:
            raise Damaged(self._beside.database, f"the file was cut from {self._bytes} to {size} bytes")
        self._bytes = size

    def _found(self) -> tuple[tuple[int, int] | None, int]:
        """Which file is in place, and its length."""
        try:
            found = self._beside.database.stat()
        except OSError:
            return None, 0
        return (found.st_dev, found.st_ino), found.st_size

    def _pieces(self) -> Iterator[None]:
        path, db = self._beside.database, self._db
        is_small = path.stat().st_size <= LARGE_BYTES
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
                                   " ORDER BY name").fetchall():
            size = 0
            if not is_small:
                for read in self._rows(table):
                    size += read
                    yield
            if size <= LARGE_BYTES:
                _say(path, db.execute(f"PRAGMA integrity_check({quoted(table)})").fetchone()[0])
                yield
        for _ in check_outbox(db):
            yield

    def _rows(self, table: str) -> Iterator[int]:
        """Read a table along its key, a piece at a time: bytes of each piece."""
        described = self._db.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
        keys = [row[1] for row in sorted(described, key=lambda row: row[5]) if row[5]]
        is_rowid = not self._db.execute("SELECT 1 FROM pragma_table_list WHERE name = ? AND wr", (table,)).fetchone()
        columns = ["rowid"] if is_rowid else [quoted(key) for key in keys]
        marks, listed, count = ", ".join("?" * len(columns)), ", ".join(columns), 100
        after: tuple[object, ...] = ()
        while True:
            began_s = self._clock.monotonic_s()
            where = f"WHERE ({listed}) > ({marks})" if after else ""
            rows = self._db.execute(  # names come from the schema, quoted
                f"SELECT {listed}, * FROM {quoted(table)} {where} ORDER BY {listed} LIMIT ?",  # noqa: S608
                (*after, count)).fetchall()
            is_last, is_fast = len(rows) < count, self._clock.monotonic_s() - began_s < PIECE_S
            after = rows[-1][:len(columns)] if rows else ()
            count = min(MOST_ROWS, count * 2) if is_fast else max(1, count // 2)
            yield sum(len(value) if isinstance(value, (bytes, str)) else 8 for row in rows for value in row)
            if is_last:
                return


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
