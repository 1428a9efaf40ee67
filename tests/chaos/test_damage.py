"""The generator of damages: seeded, of every kind, never of another file."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from catalyst.chaos.damage import KINDS, damage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database of several pages with a log, and another one beside it; copied while they are open."""
    work = tmp_path / "work"
    work.mkdir()
    for name in ("keeper", "other"):
        db = sqlite3.connect(work / f"{name}.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE rows(text)")
        db.executemany("INSERT INTO rows VALUES(?)", [("x" * 3000,)] * 20)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.executemany("INSERT INTO rows VALUES(?)", [("y" * 3000,)] * 20)
        shutil.copytree(work, tmp_path / f"with-{name}")
        db.close()
    shutil.copy(tmp_path / "with-keeper" / "keeper.db", tmp_path / "with-other" / "keeper.db")
    shutil.copy(tmp_path / "with-keeper" / "keeper.db-wal", tmp_path / "with-other" / "keeper.db-wal")
    return tmp_path / "with-other"


def files(folder: Path) -> dict[str, bytes]:
    """Contents of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_its_file_and_no_other(folder: Path, tmp_path: Path, kind: str) -> None:
    """The same seed does the same; the log's kinds leave the file alone and the file's the log; others are not met."""
    before = files(folder)
    told = []
    for name in ("a", "b"):
        copy = shutil.copytree(folder, tmp_path / name)
        told.append((damage(copy, "keeper", 7, kind), files(copy)))
    assert told[0] == told[1]
    assert told[0][0].startswith(f"{kind}: ")
    after = told[0][1]
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {"keeper.db-wal" if kind.startswith("wal") else "keeper.db"}


def test_seeds_differ(folder: Path, tmp_path: Path) -> None:
    """Thirty seeds bring most of the kinds."""
    kinds = {damage(shutil.copytree(folder, tmp_path / str(seed)), "keeper", seed).partition(":")[0]
             for seed in range(30)}
    assert len(kinds) > len(KINDS) // 2
