"""The fetcher's memory of what it has seen, by its contract: marks of many writers and 200 readers at once, errors,
purging. One process owns it, so the readers ask by message and the writers are the sources that it polls.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from actors.fetcher import Fetcher
from catalyst.errors import UnavailableError
from catalyst.messages import ItemDropped
from catalyst.testing import FakeClock, wait_until
from tests.actors.test_fetcher import (
    DAY_S,
    Wires,
    bench_of,
    clock,
    found,
    item,
    listing,
    poll,
    settled,
    wires,
)
from tests.asking import CLIENTS, ask_at_once
from tests.runtime.forked import Town, town

__all__ = ["clock", "wires"]  # fixtures
SOURCES = 25  # four at once, every tenth of a second
MARKS = "SELECT entry_key FROM seen ORDER BY last_seen_ms, entry_key LIMIT 1000"
SENT = "SELECT count(*) FROM outbox WHERE type = 'StoryFound'"


def published(wires: Wires, count: int) -> None:
    """Let each source show `count` items, undated ones: none is too old for a fetcher with a real clock."""
    for source in range(SOURCES):
        wires.feed(f"/s{source}", *(item(f"Maker {source} {'x' * number} builds a hall {number}",
                                         f"https://wire.example/{source}/{number}") for number in range(count)))


def sent(house: Town) -> int:
    """How many stories were handed on and wait for the classifier; -1 while nobody answers."""
    return int(house.number("fetcher", SENT))


@pytest.mark.timeout(180)
def test_two_hundred_readers_while_many_write(tmp_path: Path, wires: Wires) -> None:
    """While 25 sources bring new items at once and the owner is killed in between, 200 readers get an answer each time;
    no mark that one of them saw is lost, and no item is handed on twice."""
    names = [f"s{number}" for number in range(SOURCES)]
    with town(tmp_path, Fetcher, sources=listing(tmp_path, wires, *names, every=0.1), allow_hosts=("127.0.0.1",),
              alert_backlog=1000, sqlite_synchronous="OFF") as house:
        published(wires, 1)
        house.start()
        house.ready()
        known: set[str] = set()
        for count in (2, 3, 4):
            published(wires, count)
            answers = ask_at_once(house.settings.run_folder, "fetcher", MARKS)
            assert len(answers) == CLIENTS
            marks = [{row[0] for row in rows} for rows in answers]
            assert all(known <= each for each in marks)
            known = set.intersection(*marks)
            if count == 3:
                house.kill("fetcher")
                house.start()
                house.ready()
        wait_until(lambda: sent(house) >= 4 * SOURCES, 60, "every item is handed on")
        polls = house.number("fetcher", "SELECT sum(polls) FROM feeds")
        wait_until(lambda: house.number("fetcher", "SELECT sum(polls) FROM feeds") >= polls + 2 * SOURCES, 60)
        rows = house.rows("fetcher", "SELECT item_id FROM outbox WHERE type = 'StoryFound' LIMIT 1000")
        assert set(Counter(row[0] for row in rows).values()) == {1}
        assert len(rows) == 4 * SOURCES
        final = {row[0] for row in ask_at_once(house.settings.run_folder, "fetcher", MARKS)[0]}
        assert known <= final
        assert len(final) == 4 * SOURCES


def test_who_cannot_be_asked_says_so(tmp_path: Path, wires: Wires) -> None:
    """No owner is an error for who asks, never the answer "not seen"."""
    with town(tmp_path, Fetcher, sources=listing(tmp_path, wires, "s0"), allow_hosts=("127.0.0.1",)) as house:
        house.start()
        house.ready()
        house.kill("fetcher")
        with pytest.raises(UnavailableError):
            house.ask("fetcher", "query", 0.5, sql=MARKS)


def test_what_was_purged_is_no_longer_seen(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Within SEEN_TTL_DAYS an entry that comes back is known, after the purge it is news; the purge counts its rows."""
    with bench_of(tmp_path, wires, clock, "wire", seen_ttl_days=2) as bench:
        settled(bench, wires, "wire")
        back = item("Acme Robotics wins an order from Example Town", "https://wire.example/back")
        wires.feed("/wire", back)
        assert found(poll(bench)) == ["Acme Robotics wins an order from Example Town"]
        for day, news in ((1, []), (3, ["Acme Robotics wins an order from Example Town"])):
            for number in range(day):
                wires.feed("/wire", item(f"Something else of day {day}.{number}", ms=clock.now_ms()))
                poll(bench, DAY_S)
                bench.tick("prune")
            wires.feed("/wire", back)
            messages = poll(bench)
            assert [message for message in messages if isinstance(message, ItemDropped)] == []
            assert found(messages) == news
        assert bench.actor.counters.values["rows_forgotten"] >= 2


def test_a_purge_that_fails_forgets_nothing(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Where the database takes no write the purge is undone as a whole, and the next one does its work."""
    with bench_of(tmp_path, wires, clock, "wire", seen_ttl_days=1) as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", item("Leaves", ms=clock.now_ms()))
        poll(bench)
        wires.feed("/wire", item("Stays", ms=clock.now_ms()))
        poll(bench, 2 * DAY_S)
        before = bench.rows("SELECT * FROM seen"), bench.rows("SELECT * FROM stories")
        bench.store.db.execute("CREATE TEMP TRIGGER refuses BEFORE DELETE ON main.stories"
                               " BEGIN SELECT RAISE(ABORT, 'no'); END")
        bench.tick("prune")
        assert (bench.rows("SELECT * FROM seen"), bench.rows("SELECT * FROM stories")) == before
        bench.store.db.execute("DROP TRIGGER refuses")
        bench.tick("prune")
        assert bench.rows("SELECT count(*) FROM stories WHERE title = 'Leaves'") == [(0,)]


def test_a_mark_that_cannot_be_made_raises(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A mark that the database refuses takes the whole answer back: the item is not handed on before it is marked."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", item("Acme wins", ms=clock.now_ms()))
        bench.store.db.execute("CREATE TEMP TRIGGER refuses BEFORE INSERT ON main.seen"
                               " BEGIN SELECT RAISE(ABORT, 'no'); END")
        clock.advance(3600)
        bench.tick("poll_due")
        (job,) = bench.interrupt_jobs()
        finished = bench.engine.jobs.run_one(job)
        applied: list[bool] = []
        assert bench._turn(lambda db: applied.append(bench.engine.finish(db, finished))) == []
        assert applied == [False]  # it is offered again
        assert bench.rows("SELECT count(*) FROM stories WHERE title = 'Acme wins'") == [(0,)]
        bench.store.db.execute("DROP TRIGGER refuses")
        assert found(bench._turn(lambda db: applied.append(bench.engine.finish(db, finished)))) == ["Acme wins"]
