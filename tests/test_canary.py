"""The look for secrets that follows every test finds them wherever they may stand."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from catalyst.bench.house import SECRET
from tests.canary import PIECE, leaks


@pytest.mark.parametrize("words", [SECRET, SECRET.upper(), "https://discord.com/api/webhooks/12/abc",
                                   "POST /api/webhooks/1/x"])
def test_a_secret_is_found(home: Path, words: str) -> None:
    """In a log, in a blob of a database, in one that was deleted from it; in `.env` it belongs."""
    folder = home / "canary"
    (folder / "logs").mkdir(parents=True)
    for name in ("logs/alerter.jsonl", ".env", "harmless.txt"):
        (folder / name).write_text("all is well" if name == "harmless.txt" else f'{{"event": "{words}"}}')
    db = sqlite3.connect(folder / "alerter.db")
    db.executescript("CREATE TABLE kept (body BLOB); CREATE TABLE gone (body BLOB)")
    for table in ("kept", "gone"):
        db.execute(f"INSERT INTO {table} VALUES (?)", (f"xx{words}yy".encode() * 3,))
    db.commit()
    db.execute("DELETE FROM kept")
    db.commit()
    db.close()
    assert [hit.partition(":")[0] for hit in leaks(folder)] == ["alerter.db", "logs/alerter.jsonl"]
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert list(leaks(home)) == []


@pytest.mark.parametrize("place", [0, PIECE - 5, PIECE + 3, 3 * PIECE - 70, 10**9])
def test_it_is_found_at_any_place_of_a_large_file(home: Path, place: int) -> None:
    """Also across the pieces in which a file is read, and behind a hole of a gigabyte, at once."""
    with (home / "canary.db").open("wb") as file:
        file.write(b"x" * 4 * PIECE)
        file.seek(place)
        file.write(SECRET.encode())
    assert len(list(leaks(home))) == 1
    (home / "canary.db").unlink()


@pytest.mark.parametrize("words", ["", "all is well", "/api/webhooks/", "webhook_url is set"])
def test_what_is_no_secret_is_left_alone(home: Path, words: str) -> None:
    """Also an empty file and one that cannot be followed."""
    (home / "log").write_text(words)
    (home / "link").symlink_to(home / "log")
    assert list(leaks(home)) == []
