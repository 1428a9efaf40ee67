"""What lies beside a database: the note that it is ours, a suspicion against it, and those that were set aside.

`NAME.id` says that the file `NAME.db` was made by the actor, so that a file which cannot be read any more is known as
damaged and not taken for somebody else's. `NAME.suspect` is left by a process that met damage; the next start looks
closely. A damaged database goes, with its log, into a folder of its own in `aside/`; nothing of it is deleted. Each
step can be followed by a kill: what is written down first says what is still to be done. It opens no database.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from catalyst.clock import iso
from catalyst.errors import StoreError

FOLDER = "aside"
KEPT = 5  # folders of one actor: the newest, and of the others the largest
WHY = "why.txt"
PARTS = ("-wal", "-shm", "-journal", "")  # the database itself last: once it is gone from its place, all of it is
DISK = "disk: "  # begins a suspicion that says nothing of the file: reading or writing failed
MOST_SUSPICIONS = 3  # of the file, in a row, each found groundless: whatever it is, the database does not work


@dataclass(frozen=True, slots=True)
class Note:
    """`epoch`: of the database in place, hex. `leaving`: the folder into which the former one goes, empty: none."""

    epoch: str = ""
    leaving: str = ""


class Beside:
    """The files beside the database of actor `name`. Raises StoreError where the disk refuses to set aside."""

    def __init__(self, folder: Path, name: str):
        self.database = folder / f"{name}.db"
        self._name = name
        self._folder = folder
        self._note = folder / f"{name}.id"
        self._suspect = folder / f"{name}.suspect"

    def note(self) -> Note | None:
        """What is known of the database in place, None where nothing says that it is ours."""
        try:
            found = json.loads(self._note.read_bytes())
            return Note(str(found["epoch"]), str(found["leaving"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError):
            return Note()  # the note itself is damaged: that there is one is all that can be said

    def write_note(self, note: Note) -> None:
        """Replace the note, through to the disk. Raises OSError."""
        fresh = self._note.with_suffix(".id-new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({"epoch": note.epoch, "leaving": note.leaving}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._note)
        _sync(self._folder)

    def suspicions(self) -> list[str]:
        """Why processes ended that met damage since the database was last found whole, oldest first."""
        try:
            return self._suspect.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def suspect(self, why: str) -> None:
        """Leave word for the next start; where even that cannot be written, the supervisor knows of the end."""
        with contextlib.suppress(OSError), self._suspect.open("a", encoding="utf-8") as file:
            file.write(" ".join(why.split())[:500] + "\n")

    def clear(self) -> None:
        """The database was found whole."""
        with contextlib.suppress(OSError):
            self._suspect.unlink(missing_ok=True)

    def set_aside(self, why: str, now_ms: int) -> str:
        """Move the database into a folder of its own; the folder's name. The note says `leaving` until a new one is."""
        name = self._free(f"{self._name}-{iso(now_ms)[:19].replace(':', '').replace('-', '')}Z")
        try:
            place = self._folder / FOLDER / name
            place.mkdir(parents=True, mode=0o700)
            (place / WHY).write_text(why + "\n", encoding="utf-8")
            _sync(place)
            _sync(place.parent)
            self.write_note(Note("", name))
            self.finish_leaving(name)
            self._prune(name)
        except OSError as error:
            raise StoreError(self.database, f"damaged ({why}) and cannot be set aside: {error.strerror}") from error
        return name

    def finish_leaving(self, name: str) -> None:
        """Move what is in place, unless the database itself has gone: then it is the new one's. Raises OSError."""
        place = self._folder / FOLDER / name
        if (place / self.database.name).exists():
            return
        for part in PARTS:
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.database}{part}").rename(place / f"{self.database.name}{part}")
        with contextlib.suppress(FileNotFoundError):
            self._suspect.rename(place / self._suspect.name)
        _sync(place)
        _sync(self._folder)

    def _free(self, name: str) -> str:
        taken = {entry.name for entry in self._all()}
        return next(free for free in (name, *(f"{name}.{n}" for n in range(2, 10_000))) if free not in taken)

    def _all(self) -> list[Path]:
        """The folders of this actor, oldest first."""
        return sorted((self._folder / FOLDER).glob(f"{self._name}-*"))

    def _prune(self, newest: str) -> None:
        """Delete what is over KEPT, the smallest first: in a row of failures the first one held the rows."""
        others = sorted((entry for entry in self._all() if entry.name != newest), key=_size, reverse=True)
        for entry in others[KEPT - 1:]:
            for file in entry.iterdir():
                file.unlink()
            entry.rmdir()


def why(folder: Path, name: str) -> str:
    """Why the database in `aside/name` was set aside, one line."""
    try:
        return " ".join((folder / FOLDER / name / WHY).read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return "the reason cannot be read"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _sync(folder: Path) -> None:
    """Make new and renamed entries of a folder last."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
