"""How a restored database takes the place of the present one: files only, no SQLite.

It waits in the folder `restore` beside the databases until the actor's lock is free; who holds the lock takes it over
before opening. So a kill at any moment leaves the old database or the new one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from catalyst.errors import StoreError

PENDING = "restore"  # folder beside the databases
SIDES = ("-wal", "-journal", "-shm")  # files that belong to a database, https://sqlite.org/tempfiles.html


def take_over(path: Path) -> Path | None:
    """Put a waiting restored database in the place of `path`; where the present one is now, None where nothing waits.

    For who holds the lock and has not opened the database. What a kill interrupts is completed by the next call: the
    restored file moves last, and the name for the old one comes from it. Raises StoreError.
    """
    fresh = path.parent / PENDING / path.name
    try:
        if not fresh.exists():
            return None
        aside = path.with_name(f"{path.stem}.replaced-{fresh.stat().st_mtime_ns // 1_000_000}.db")
        for end in (*SIDES, ""):
            old = path.with_name(path.name + end)
            if old.exists():
                old.rename(aside.with_name(aside.name + end))
        fresh.rename(path)
        write_out(path.parent)
        with suppress(OSError):  # the others' are still in it
            fresh.parent.rmdir()
    except OSError as error:
        raise StoreError(path, f"cannot take over {fresh}: {error}") from error
    return aside


def write_out(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
