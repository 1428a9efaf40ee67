"""One process owns an actor: an flock on a lock file beside the database, held to the end of the process.

The file holds `pid start_time` for people and for a new supervisor that looks for living actors, and ` open` behind it
while the database is open. It never touches the database file: a plain open and close of it by the owner would drop
SQLite's own locks.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Literal, NamedTuple

from catalyst.errors import ConfigError, OwnedElsewhere, StoreError

OPEN = b" open\n"  # behind pid and start time


class Owner(NamedTuple):
    """Who holds a lock: `start_time` (clock ticks since boot) tells a process from a later one with the same pid."""

    pid: int
    start_time: int


class Ownership:
    """The held lock of one actor. Raises OwnedElsewhere (exit 75) when another process has it, ConfigError when the
    folder cannot be written, StoreError where the disk has no room for a file.

    On a full disk the lock may be held while the pid is not written yet: see `note`. `was_open`: an owner before us
    ended while it had the database open, so that its log must be there.
    """

    def __init__(self, folder: Path, name: str):
        self.path = lock_path(folder, name)
        self._fd = self._claim(folder, name)
        self.was_open = os.pread(self._fd, 100, 0).endswith(OPEN)
        self._line = f"{os.getpid()} {start_time(os.getpid())}".encode()
        self._is_noted = False
        with contextlib.suppress(StoreError):
            self.note()

    def note(self) -> None:
        """Write pid and start time into the file, if that is still to do. Raises StoreError where the disk refuses.

        What a killed owner left there is written over before the file is cut, which takes no room.
        """
        if self._is_noted:
            return
        try:
            self._write(b"\n")
        except OSError as error:
            raise StoreError(self.path, error.strerror or "cannot be written", _kind(error)) from error
        self._is_noted = True

    def _write(self, ending: bytes) -> None:
        line = self._line + ending
        os.pwrite(self._fd, line, 0)
        os.truncate(self._fd, len(line))

    def _claim(self, folder: Path, name: str) -> int:
        while True:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                if _kind(error) == "full":
                    raise StoreError(self.path, error.strerror or "no room", "full") from error
                raise ConfigError(f"cannot write in {folder}: {error.strerror}") from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = _read(fd)
                os.close(fd)
                raise OwnedElsewhere(name, owner.pid if owner else None) from None
            # The owner before us removed the file after we opened it: our lock is on a file that nobody can find.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(fd).st_ino == self.path.stat().st_ino:
                    return fd
            os.close(fd)

    def mark_open(self, is_open: bool) -> None:
        """Say in the file, for the owner after us, whether the database is open; a full disk does no harm."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self._write(OPEN if is_open else b"\n")

    def is_lost(self) -> bool:
        """Whether the lock is on a file that nobody can find any more: somebody deleted the home."""
        try:
            return os.fstat(self._fd).st_ino != self.path.stat().st_ino
        except FileNotFoundError:
            return self._fd >= 0
        except OSError:  # a disk that fails is another matter
            return False

    def release(self) -> None:
        """Remove the lock file, unless it is another's by now, and let go; the second call does nothing."""
        if self._fd >= 0:
            if not self.is_lost():
                self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


def wait_until_owned(folder: Path, name: str, timeout_s: float) -> Ownership:
    """Claim as soon as the owner lets go. Raises OwnedElsewhere after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            return Ownership(folder, name)
        except OwnedElsewhere:
            if time.monotonic() >= end:
                raise
            time.sleep(0.02)


def lock_path(folder: Path, name: str) -> Path:
    """Where the lock of actor `name` is."""
    return folder / f"{name}.lock"


def living_owner(folder: Path, name: str) -> Owner | None:
    """The process that holds the lock of actor `name`, or None.

    It reads the file only: a shared lock, however short, would make an actor that starts just then believe that it is
    already running. A file whose process is alive is never stale, because `release` removes it first.
    """
    try:
        fd = os.open(lock_path(folder, name), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        owner = _read(fd)
    finally:
        os.close(fd)
    return owner if owner and start_time(owner.pid) == owner.start_time else None


def start_time(pid: int) -> int:
    """Start of process `pid` in clock ticks since boot (field 22 of proc(5) stat); -1 where it does not exist.

    A zombie has ended: its locks are gone, only its parent has not asked yet.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return _start_time_without_proc(pid)
    fields = stat[stat.rindex(b")") + 2:].split()
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])


def _start_time_without_proc(pid: int) -> int:
    if Path("/proc/self/stat").exists():
        return -1
    import psutil  # macOS has no /proc

    try:
        return round(psutil.Process(pid).create_time() * 100)
    except psutil.Error:
        return -1


def _kind(error: OSError) -> Literal["full", "failing"]:
    return "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failing"


def _read(fd: int) -> Owner | None:
    try:
        pid, started = os.pread(fd, 100, 0).split()[:2]
        return Owner(int(pid), int(started))
    except ValueError:
        return None
