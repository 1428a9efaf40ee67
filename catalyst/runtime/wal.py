"""The write-ahead log as a file: whether rows that were committed to it are no longer to be had. Reads only.

SQLite ends its recovery at the first frame whose checksum is wrong and says nothing of what stood behind it, nor does
its integrity check (https://sqlite.org/walformat.html). What it took is known by where the next commit was written: so
the headers of the frames are read before the database is opened and after its first commit, and compared.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

HEADER, FRAME_HEADER = 32, 24  # bytes
MAGICS = (0x377F0682, 0x377F0683)  # checksums of little-endian words, of big-endian ones
GENERATIONS = 1 << 16  # the first salt grows by one with each round of the log: so far back a frame is an old one
LONG = 64  # frames: some 0.1 ms each to look through
MOST_PAGES = 1 << 24  # a page number beyond is no leftover of anything
FRAME = struct.Struct(">2I2Q")
Frame = tuple[int, int, int, int]  # page, size of the database after a commit (0: none ends here), salts, sums


@dataclass(frozen=True, slots=True)
class Log:
    """`header` of the log, `packed` those of the frames in order.

    `last`: the frames of the transaction that stands last, whole; empty where it is long. Frames are unpacked where
    they are asked for: there are a thousand, and a start has a few milliseconds.
    """

    header: bytes
    packed: bytes
    last: bytes = b""

    def __len__(self) -> int:
        return len(self.packed) // FRAME_HEADER

    def __bool__(self) -> bool:
        return True

    def frames(self, first: int = 0) -> Iterator[tuple[int, Frame]]:
        """(number, header) of the frames from `first` on."""
        found: Iterator[Frame] = FRAME.iter_unpack(self.packed[first * FRAME_HEADER:])  # type: ignore[assignment]
        return enumerate(found, first)

    @property
    def page_bytes(self) -> int:
        """Size of a page."""
        return int.from_bytes(self.header[8:12])

    @property
    def salts(self) -> int:
        """What the frames of this round of the log bear; others are of an earlier one."""
        return int.from_bytes(self.header[16:24])

    def last_transaction(self) -> tuple[int, int]:
        """Numbers of the first frame of the last transaction of this round, and of the one behind its commit."""
        salts = self.salts
        ends = [number + 1 for number, (_, size, found, _) in self.frames() if size and found == salts]
        return (ends[-2] if len(ends) > 1 else 0, ends[-1]) if ends else (0, 0)

    def pages(self) -> set[int]:
        """Numbers of the pages in the frames that belong to this round of the log."""
        salts = self.salts
        return {page for _, (page, _, found, _) in self.frames() if found == salts}


def read_log(database: Path) -> Log | None:
    """The log of a database; None where there is none or it is empty. An unreadable header has no frames."""
    path = Path(f"{database}-wal")
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size < HEADER:
                return None
            return _read(file.fileno(), size)
    except OSError:
        return None


def _read(fd: int, size: int) -> Log:
    """Read, not mapped: a part of the disk that cannot be read is an error then, and not the end of the process."""
    header = os.pread(fd, HEADER, 0)
    if not is_header(header):
        return Log(header, b"")
    step = int.from_bytes(header[8:12]) + FRAME_HEADER
    count = (size - HEADER) // step
    packed = b"".join([os.pread(fd, FRAME_HEADER, at) for at in range(HEADER, HEADER + count * step, step)])
    log = Log(header, packed)
    first, end = log.last_transaction()
    return log if end - first > LONG else replace(log, last=os.pread(fd, (end - first) * step, HEADER + first * step))


def is_header(header: bytes) -> bool:
    """Whether the first bytes of a log are what SQLite wrote: its own checksum covers them."""
    magic, size = int.from_bytes(header[:4]), int.from_bytes(header[8:12])
    if magic not in MAGICS or size < 512 or size & (size - 1):
        return False
    return checksum(magic, header[:24], 0) == int.from_bytes(header[24:32])


def checksum(magic: int, data: bytes, before: int) -> int:
    """The running checksum of the log's format over `data`, whose length is a multiple of 8; both sums in one."""
    words = struct.unpack(f"{'>' if magic & 1 else '<'}{len(data) // 4}I", data)
    one, two = before >> 32, before & 0xFFFFFFFF
    for place in range(0, len(words), 2):
        one = (one + words[place] + two) & 0xFFFFFFFF
        two = (two + words[place + 1] + one) & 0xFFFFFFFF
    return one << 32 | two


def lost(before: Log, taken: int) -> str:
    """What shows that committed rows are gone from the log, a few words; empty where nothing does.

    `before` was read before the database was opened, of its frames SQLite took the first `taken`. What a kill can
    leave is nothing lost: a transaction without its commit, an older round, and on a full disk a part of a frame. A log
    that was cut off looks the same: what it held is known to the neighbours (links.py).
    """
    if not is_header(before.header):
        return "the header of its log is not what was written"
    salts = before.salts
    tail = list(before.frames(taken))
    if not all(found == salts or _is_left_over(page, found, salts) for _, (page, _, found, _) in tail):
        return "frames of its log are not what was written"
    ours = [number for number, (_, _, found, _) in tail if found == salts]
    commits = [number for number, (_, size, found, _) in tail if size and found == salts]
    if commits and not (len(commits) == 1 and commits[0] == ours[-1] and _is_torn(before, taken)):
        return f"frames of its log that were committed cannot be read, {len(ours)} of {len(before)}"
    return ""


def taken_of(before: Log, database: Path) -> int:
    """How many frames SQLite took of a log: those in front of the first that a commit made since has written over.

    Mostly that is the one behind the last commit, which is looked at first.
    """
    _, end = before.last_transaction()
    try:
        with Path(f"{database}-wal").open("rb", buffering=0) as file:
            if os.pread(file.fileno(), HEADER, 0) != before.header:
                return 0  # it found none, and began a new log
            at = HEADER + end * (before.page_bytes + FRAME_HEADER)
            if os.pread(file.fileno(), FRAME_HEADER, at) != before.packed[end * FRAME_HEADER:][:FRAME_HEADER]:
                return end
    except FileNotFoundError:
        return 0
    after = read_log(database)
    pairs = zip(before.frames(), after.frames() if after is not None else (), strict=False)
    return next((number for (number, old), (_, new) in pairs if old != new), len(before))


def _is_left_over(page: int, found: int, salts: int) -> bool:
    """Whether a frame may be one of an earlier round of the log, of which the present one has overwritten a part."""
    behind = ((salts >> 32) - (found >> 32)) & 0xFFFFFFFF
    return 0 < behind < GENERATIONS or (0 < page < MOST_PAGES and found != 0)


def _is_torn(log: Log, taken: int) -> bool:
    """Whether the last transaction is broken in its commit frame only: a kill may have come between its two writes."""
    first, end = log.last_transaction()
    if first != taken or not log.last:
        return not log.last  # too long to look at: the ledger will tell
    step = log.page_bytes + FRAME_HEADER
    magic = int.from_bytes(log.header[:4])
    sums = next(log.frames(first - 1))[1][3] if first else int.from_bytes(log.header[24:32])
    for at in range(0, (end - first - 1) * step, step):
        frame = log.last[at:at + step]
        sums = checksum(magic, frame[:8] + frame[FRAME_HEADER:], sums)
        if sums != int.from_bytes(frame[16:FRAME_HEADER]):
            return False
    return True
