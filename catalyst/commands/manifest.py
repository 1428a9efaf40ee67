"""The list that makes a folder a backup: `manifest.json`, written last and by renaming, so half a backup has none.

It names every file with its size and SHA-256, and of a database its epoch, its schema and its number of pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from catalyst.commands.output import when
from catalyst.errors import ConfigError, StoreError, UnavailableError, UsageError
from catalyst.runtime.copies import refuse_damaged
from catalyst.runtime.restored import write_out

FORMAT = 1
NAME = "manifest.json"
UNFINISHED = "unfinished"  # stands in the folder while it is written
FILES = "files"  # folder of the plain files


class Database(msgspec.Struct, frozen=True):
    """An actor's database in a backup."""

    file: str
    epoch: str
    user_version: int
    pages: int
    size: int
    sha256: str
    integrity: str


class File(msgspec.Struct, frozen=True):
    """A plain file of the home; `file` is its path below the home and below the backup's `files`."""

    file: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds; `version` is that of the Catalyst that made it."""

    format: int
    version: str
    made_ms: int
    actors: dict[str, Database]
    files: tuple[File, ...] = ()


@contextmanager
def disk() -> Iterator[None]:
    """What the disk refuses is UnavailableError; a path that cannot be is a mistake in the words and passes."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        raise
    except StoreError as error:
        raise UnavailableError(str(error)) from error
    except OSError as error:
        raise UnavailableError(f"{error.filename or 'the disk'}: {error.strerror}") from error


def begin(folder: Path) -> None:
    """Make the folder, or clear one that a backup was broken off in. Raises UsageError for any other that has content.
    """
    try:
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except NotADirectoryError:
        raise UsageError(f"{folder} is a file") from None
    if NAME in found:
        raise UsageError(f"{folder} holds a backup already (of {when(read(folder).made_ms)}); name another folder")
    if found and UNFINISHED not in found:
        raise UsageError(f"{folder} is not empty, and what it holds is no backup; name another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / UNFINISHED).touch(mode=0o600)
    for path in [*folder.glob("*.db*"), *folder.glob(f"{NAME}*"), *(folder / FILES).rglob("*")]:
        if path.is_file():
            path.unlink()


def finish(folder: Path, manifest: Manifest) -> None:
    """Make the folder a backup. Raises OSError."""
    draft = folder / f"{NAME}.part"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    draft.chmod(0o600)
    write_out(draft)
    draft.rename(folder / NAME)
    (folder / UNFINISHED).unlink()
    write_out(folder)


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises ConfigError where there is none, or one that this version does not know."""
    path = folder / NAME
    try:
        text = path.read_bytes()
        number = json.loads(text)["format"]
        if number != FORMAT:
            raise ConfigError(f"{path} has format {number}, this version knows {FORMAT}")
        return msgspec.json.decode(text, type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        half = " whole: it was broken off; make it again" if (folder / UNFINISHED).exists() else f": it has no {NAME}"
        raise ConfigError(f"{folder} is no backup{half}") from None
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def refuse_changed(folder: Path, manifest: Manifest) -> None:
    """Raises ConfigError where a file of the backup is not the one that was written."""
    for row in manifest.actors.values():
        refuse_damaged(_inside(folder, row.file), row.size, row.sha256)
    for entry in manifest.files:
        refuse_damaged(_inside(folder / FILES, entry.file), entry.size, entry.sha256)


def _inside(folder: Path, name: str) -> Path:
    """A path of the manifest. Raises ConfigError for one that leads elsewhere."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(f"{folder} names a file outside of itself: {name!r}")
    return folder / path


def as_json(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """What a command prints of a backup."""
    return {"folder": str(folder), "version": manifest.version, "made": when(manifest.made_ms),
            "bytes": sum(row.size for row in manifest.actors.values()) + sum(row.size for row in manifest.files),
            "actors": {name: {"bytes": row.size, "sha256": row.sha256} for name, row in manifest.actors.items()},
            "files": [row.file for row in manifest.files]}
