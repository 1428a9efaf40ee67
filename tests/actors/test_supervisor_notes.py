"""What the supervisor has still to write: it outlives refused transactions, in order, and is bounded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from catalyst.books.incidents import MOST_NOTES, SCHEMA, Incidents, Notes


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """A database in memory with the table of ends."""
    made = sqlite3.connect(":memory:")
    made.executescript(SCHEMA)
    yield made
    made.close()


def ends(db: sqlite3.Connection) -> list[Any]:
    """Actor and time of each end that is stored."""
    return db.execute("SELECT actor, at_ms FROM restarts ORDER BY n").fetchall()


def died(notes: Notes, name: str, at_ms: int) -> None:
    """Note an end."""
    notes.add(at_ms, lambda rows: rows.add_end(name, 1, 1.0, 0.0, expected=False))


def test_what_was_refused_comes_again_in_its_order(db: sqlite3.Connection) -> None:
    """Two refused turns, then a stored one: each end once, with the time when it happened."""
    notes = Notes()
    died(notes, "a", 1)
    for name, at_ms in (("b", 2), ("c", 3)):
        assert list(notes.take(db)) == []
        died(notes, name, at_ms)
        assert list(notes.take(db)) == []
        db.rollback()
        notes.after_turn(stored=False)
    assert ends(db) == []
    list(notes.take(db))
    db.commit()
    notes.after_turn(stored=True)
    list(notes.take(db))
    notes.after_turn(stored=False)
    assert ends(db) == [("a", 1), ("b", 2), ("c", 3)]


def test_what_a_note_sends_is_sent_with_its_row(db: sqlite3.Connection) -> None:
    """A refusal in the middle of the writing loses neither the one in hand nor those behind it."""
    notes = Notes()

    def tell(rows: Incidents) -> Iterator[str]:
        yield f"told at {rows.now_ms}"

    def refuse(rows: Incidents) -> None:
        if not refused:
            refused.append(True)
            raise sqlite3.OperationalError("database or disk is full")

    refused: list[bool] = []
    notes.add(1, tell)
    notes.add(2, refuse)
    notes.add(3, tell)
    with pytest.raises(sqlite3.OperationalError):
        list(notes.take(db))
    notes.after_turn(stored=False)
    assert list(notes.take(db)) == ["told at 1", "told at 3"]


def test_an_endless_full_disk_keeps_a_bounded_number(db: sqlite3.Connection) -> None:
    """The newest stay."""
    notes = Notes()
    for number in range(3 * MOST_NOTES):
        died(notes, f"n{number}", number)
        if number % 250 == 0:
            list(notes.take(db))
            died(notes, "new", number)
            db.rollback()
            notes.after_turn(stored=False)
    list(notes.take(db))
    found = ends(db)
    assert len(found) == MOST_NOTES
    assert found[-1] == (f"n{3 * MOST_NOTES - 1}", 3 * MOST_NOTES - 1)
    assert [at_ms for _, at_ms in found] == sorted(at_ms for _, at_ms in found)
