"""What an actor refuses to start on: one plain line, exit 78, nothing changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system


def start(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `catalyst actor classifier` in `home` to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}
    return subprocess.run([sys.executable, "-m", "catalyst", "actor", "classifier"], cwd=home.parent, text=True,
                          env={**clean, "CATALYST_HOME": str(home), **environment}, capture_output=True, timeout=30)


def refused(done: subprocess.CompletedProcess[str], word: str) -> bool:
    """Whether the run ended with 78 and one plain line that holds `word`."""
    return done.returncode == 78 and len(done.stderr.splitlines()) == 1 and word in done.stderr


def database(home: Path) -> Path:
    """Where the classifier's database is."""
    (home / "db").mkdir(parents=True)
    return home / "db" / "classifier.db"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A text file in the database's place is refused and stays as it is."""
    path = database(tmp_path / "home")
    path.write_text("notes of a person\n" * 100)
    assert refused(start(tmp_path / "home"), "classifier.db")
    assert path.read_text() == "notes of a person\n" * 100
    assert [file.name for file in path.parent.iterdir()] == ["classifier.db"]


def test_a_database_of_another_program(tmp_path: Path) -> None:
    """An SQLite file that another program made is refused and stays as it is, to the byte."""
    path = database(tmp_path / "home")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes(text)")
    db.close()
    before = path.read_bytes()
    assert refused(start(tmp_path / "home"), "classifier.db")
    assert path.read_bytes() == before


def test_a_newer_schema(tmp_path: Path) -> None:
    """A database with a schema number beyond ours is refused by name of both numbers."""
    home = tmp_path / "home"
    path = database(home)
    make_database(home)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 900900")
    db.close()
    before = path.read_bytes()
    assert refused(start(home), "900900")
    assert path.read_bytes() == before


def make_database(home: Path) -> None:
    """Let the classifier make its database and end."""
    from actors.classifier import Classifier
    from catalyst.runtime.store import Store
    from catalyst.settings import defaults

    with Store(Classifier, defaults(home=home)):
        pass


def test_an_unknown_setting(tmp_path: Path) -> None:
    """A misspelt CATALYST_ name is refused with the nearest known one; no home is made."""
    done = start(tmp_path / "home", CATALYST_HMOE="x")
    assert refused(done, "CATALYST_HOME")
    assert not (tmp_path / "home").exists()


def test_a_value_out_of_range(tmp_path: Path) -> None:
    """A setting that is no number is refused with its name."""
    assert refused(start(tmp_path / "home", MIN_SCORE="much"), "MIN_SCORE")


def test_a_read_only_home(tmp_path: Path) -> None:
    """A home that cannot be written is refused and stays empty."""
    home = tmp_path / "home"
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(home)], capture_output=True)
    if mounted.returncode != 0:
        if os.getuid() == 0:
            pytest.skip("this system mounts no tmpfs, and root may write everywhere")
        home.chmod(0o500)
    try:
        assert refused(start(home), str(home))
        assert list(home.iterdir()) == []
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(home)], check=True)
