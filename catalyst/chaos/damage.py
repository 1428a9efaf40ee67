"""Seeded damages of a database that nobody has open: what a bad disk, a power cut or a slip of the hand leaves behind.

Files in, files changed; it opens no database. The layout is that of https://sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

PAGE_TYPES = {2: "index node", 5: "table node", 10: "index leaf", 13: "table leaf"}
WAL_HEADER, FRAME_HEADER = 32, 24
DEFAULT_PAGE = 4096


class Patient:
    """The files of one database, and the means to change them. `chance` decides where and with what."""

    def __init__(self, path: Path, chance: random.Random):
        self.path = path
        self.wal = Path(f"{path}-wal")
        self.chance = chance
        self.page = int.from_bytes(path.read_bytes()[16:18]) or DEFAULT_PAGE
        self.pages = path.stat().st_size // self.page

    def write(self, file: Path, at: int, data: bytes) -> None:
        """Overwrite a part of a file."""
        with file.open("r+b") as opened:
            opened.seek(at)
            opened.write(data)

    def cut(self, file: Path) -> str:
        """Cut a file off at a random place."""
        size = self.chance.randrange(file.stat().st_size)
        with file.open("r+b") as opened:
            opened.truncate(size)
        return f"{file.name} cut off at {size}"

    def noise(self, size: int) -> bytes:
        """Zeros or random bytes."""
        return bytes(size) if self.chance.random() < 0.5 else self.chance.randbytes(size)

    def spoil_pages(self, numbers: list[int]) -> str:
        """Overwrite whole pages."""
        for number in numbers:
            self.write(self.path, (number - 1) * self.page, self.noise(self.page))
        return f"pages {numbers} of {self.pages}"

    def tree_pages(self) -> list[int]:
        """Numbers of the pages, but the first, that look like part of a table or an index."""
        data = self.path.read_bytes()
        return [number for number in range(2, self.pages + 1) if data[(number - 1) * self.page] in PAGE_TYPES]


def _cut(patient: Patient) -> str:
    return patient.cut(patient.path)


def _pages(patient: Patient) -> str:
    count = patient.chance.randint(1, max(1, patient.pages // 4))
    return patient.spoil_pages(sorted(patient.chance.sample(range(1, patient.pages + 1), count)))


def _header(patient: Patient) -> str:
    patient.write(patient.path, 0, patient.noise(100))
    return "header"


def _schema(patient: Patient) -> str:
    return patient.spoil_pages([1])


def _tree(patient: Patient) -> str:
    return patient.spoil_pages([patient.chance.choice(patient.tree_pages() or [1])])


def _empty(patient: Patient) -> str:
    patient.path.write_bytes(b"")
    return "emptied"


def _gone(patient: Patient) -> str:
    patient.path.unlink()
    return "removed"


def _wal_cut(patient: Patient) -> str:
    return patient.cut(patient.wal)


def _wal_half(patient: Patient) -> str:
    size = patient.wal.stat().st_size
    patient.write(patient.wal, size // 2, patient.noise(size - size // 2))
    return "second half of the log"


def _wal_header(patient: Patient) -> str:
    patient.write(patient.wal, 0, patient.noise(WAL_HEADER))
    return "header of the log"


def _wal_frame(patient: Patient) -> str:
    step = patient.page + FRAME_HEADER
    frame = patient.chance.randrange(max(1, (patient.wal.stat().st_size - WAL_HEADER) // step))
    at = WAL_HEADER + frame * step + patient.chance.choice((0, 4, 8, FRAME_HEADER, FRAME_HEADER + 2000))
    patient.write(patient.wal, at, patient.chance.randbytes(8))
    return f"frame {frame} of the log"


def _wal_gone(patient: Patient) -> str:
    patient.wal.unlink()
    return "log removed"


Kind = Callable[[Patient], str]
OF_FILE: dict[str, Kind] = {"cut": _cut, "pages": _pages, "header": _header, "schema": _schema, "tree": _tree,
                            "empty": _empty, "gone": _gone}
OF_WAL: dict[str, Kind] = {"wal_cut": _wal_cut, "wal_half": _wal_half, "wal_header": _wal_header,
                           "wal_frame": _wal_frame, "wal_gone": _wal_gone}
KINDS = (*OF_FILE, *OF_WAL)


def damage(folder: Path, name: str, seed: int, kind: str | None = None) -> str:
    """Damage the database of actor `name` in `folder`: what was done, `KIND: DETAIL`. Without a log the kinds that need
    one fall on the file."""
    path = folder / f"{name}.db"
    chance = random.Random(f"{name} {seed}")  # noqa: S311 - a plan that can be repeated
    patient = Patient(path, chance)
    has_wal = patient.wal.exists() and patient.wal.stat().st_size > WAL_HEADER
    has_file = patient.pages > 0
    kinds = (tuple(OF_FILE) if has_file else ()) + (tuple(OF_WAL) if has_wal else ())
    chosen = kind if kind in kinds else chance.choice(kinds)
    return f"{chosen}: {(OF_FILE | OF_WAL)[chosen](patient)}"
