"""Bench of the store: reads and writes through `runtime.store.Store` beside a plain connection with SQLite's defaults.

Both sides have the same tables, indexes and rows. SQLite's defaults are a rollback journal, a sync of everything and
2 MB of cache (https://sqlite.org/pragma.html).
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from catalyst.bench.measure import Report, progress, rate
from catalyst.runtime.contract import Actor
from catalyst.runtime.store import Store, statements
from catalyst.settings import defaults

BATCH = 100
BODY = bytes(500)
SCHEMA = """
CREATE TABLE seen(
  key BLOB PRIMARY KEY,              -- 16 bytes
  seen_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE items(
  n INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  body BLOB NOT NULL);
"""
IS_SEEN = "SELECT 1 FROM seen WHERE key = ?"
ARE_SEEN = f"SELECT key FROM seen WHERE key IN ({', '.join('?' * BATCH)})"  # noqa: S608 - question marks only
INSERT = "INSERT INTO items(key, body) VALUES(?, ?)"

Transaction = Callable[[], AbstractContextManager[object]]


class BenchStore(Actor):
    """Declares the tables."""

    name = "benchstore"
    tables = (SCHEMA,)


def run(*, quick: bool) -> Report:
    """Reads and rows a second."""
    keys, commits, rounds = (30_000, 100, 3) if quick else (200_000, 300, 5)
    report = Report(f"store: {keys:,} keys of 16 bytes, rows of 0.5 KB with a unique index")
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        stores = {wal: Store(BenchStore, defaults(home=Path(folder) / f"wal-{wal}", sqlite_wal_mode=wal == "on"))
                  for wal in ("on", "off")}
        plain = sqlite3.connect(Path(folder) / "plain.db")
        for statement in statements(SCHEMA):
            plain.execute(statement)
        sides: dict[str, tuple[sqlite3.Connection, Transaction]] = {
            "plain defaults": (plain, lambda: plain),
            **{f"WAL {wal}": (store.db, store.transaction) for wal, store in stores.items()}}
        for db, transaction in sides.values():
            with transaction():
                db.executemany("INSERT INTO seen VALUES(?, 0)", ((_key(number),) for number in range(keys)))
        for number in range(rounds):
            progress(f"store: round {number + 1} of {rounds}")
            for name, (db, transaction) in sides.items():
                report.add(_reads(name, db, transaction, keys, number), "reads/s")
                report.add(_writes(name, db, transaction, number, commits), "rows/s")
        for store in stores.values():
            store.close()
        plain.close()
    for wal in ("on", "off"):
        report.ratio(f"store.reads_wal_{wal}", f"WAL {wal}, 1 key a query", "plain defaults, 1 key a query")
        report.ratio(f"store.batched_reads_wal_{wal}", f"WAL {wal}, {BATCH} keys a query",
                     "plain defaults, 1 key a query", 2)
        report.ratio(f"store.commits_wal_{wal}", f"WAL {wal}, 1 row a commit", "plain defaults, 1 row a commit")
        report.ratio(f"store.batched_writes_wal_{wal}", f"WAL {wal}, {BATCH} rows a commit",
                     "plain defaults, 1 row a commit", 2)
        report.ratio(f"store.batches_wal_{wal}", f"WAL {wal}, {BATCH} rows a commit",
                     f"plain defaults, {BATCH} rows a commit")
    return report


def _reads(name: str, db: sqlite3.Connection, transaction: Transaction, keys: int, seed: int) -> dict[str, float]:
    """As a handler reads: within the loop's transaction. Half of the keys are known."""
    chooser = random.Random(seed)  # noqa: S311 - a choice of rows, not a secret
    wanted = [_key(chooser.randrange(2 * keys)) for _ in range(20_000)]

    def point() -> int:
        for key in wanted:
            db.execute(IS_SEEN, (key,)).fetchone()
        return len(wanted)

    def batched() -> int:
        for at in range(0, len(wanted), BATCH):
            db.execute(ARE_SEEN, wanted[at:at + BATCH]).fetchall()
        return len(wanted)

    with transaction():
        return {f"{name}, 1 key a query": rate(point), f"{name}, {BATCH} keys a query": rate(batched)}


def _writes(name: str, db: sqlite3.Connection, transaction: Transaction, seed: int, often: int) -> dict[str, float]:
    def commits(size: int, count: int) -> int:
        for at in range(0, count, size):
            with transaction():
                for number in range(at, at + size):
                    db.execute(INSERT, (_key(number, size, seed), BODY))
        return count

    return {f"{name}, 1 row a commit": rate(lambda: commits(1, often)),
            f"{name}, {BATCH} rows a commit": rate(lambda: commits(BATCH, 3_000))}


def _key(*parts: int) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
