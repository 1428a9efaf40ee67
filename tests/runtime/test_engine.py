"""catalyst.runtime.engine: what becomes of a message. On the real engine and database, without sockets."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import StoreError
from catalyst.messages import ItemDropped, Message
from catalyst.packing import pack
from catalyst.runtime.engine import BACKOFF_MS, MAX_TRIES, Received
from catalyst.testing import Bench
from tests.runtime.cast import Parcel, Taker


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A taker on its real database."""
    with Bench(Taker, tmp_path, sqlite_synchronous="OFF") as made:
        yield made


def parcel(number: int, wish: str = "", item: str = "") -> Parcel:
    """A parcel of an item of its own, or of `item`."""
    return Parcel(item_id=item or f"item{number}", number=number, wish=wish)


def seen(bench: Bench) -> list[int]:
    """Numbers that were handled, in order."""
    return [row[0] for row in bench.rows("SELECT number FROM seen ORDER BY n")]


def dead(bench: Bench) -> list[tuple[Any, ...]]:
    """Type, item and reason of the dead letters."""
    return bench.rows("SELECT type, item_id, reason FROM dead ORDER BY n")


def later(bench: Bench, seconds: float) -> list[Message]:
    """Let time pass, hand over again what is due until nothing is; what was sent."""
    bench.clock.advance(seconds)
    sent: list[Message] = []
    while bench.engine.deferred_due_ms <= bench.clock.now_ms():
        sent += bench.retry()
    return sent


def raw(bench: Bench, **changes: Any) -> list[Message]:
    """Hand over bytes as they came off a link."""
    fields = {"id": b"i" * 16, "item_id": "item", "sender": "giver", "type": "Parcel", "version": 1, "body": b"\x80",
              "queued_ms": 1, "received_ms": 2, **changes}
    return bench._turn(lambda db: bench.engine.receive(db, Received(**fields)))


# -- handled, known, sent


def test_a_message_is_handled_once_however_often_it_comes(bench: Bench) -> None:
    """The second time its id is known: nothing is written, nothing sent."""
    assert len(bench.send(parcel(1, "drop"))) == 1
    assert bench.send(parcel(1, "drop")) == []
    bench.restart()
    assert bench.send(parcel(1, "drop")) == []
    assert seen(bench) == [1]
    assert bench.engine.progress.current == ""


def test_rows_messages_and_jobs_of_a_handler_commit_together(bench: Bench) -> None:
    """After a restart all of it is there."""
    bench.send(parcel(1, "drop"))
    bench.send(parcel(2, "job"))
    bench.restart()
    assert seen(bench) == [1, 2]
    assert [row[0] for row in bench.rows("SELECT type FROM outbox")] == ["ItemDropped"]
    assert [job.payload.number for job in bench.jobs()] == [2]


def test_what_was_yielded_before_a_failure_is_undone(bench: Bench) -> None:
    """Rows, messages and jobs of a handler that raised leave no trace but the deferred message."""
    assert bench.send(parcel(1, "drop_then_fail")) == []
    assert seen(bench) == []
    assert bench.jobs() == []
    assert bench.engine.jobs.waiting() == 0
    assert bench.links.out["tracker"].unacked == 0
    assert bench.engine.deferred == 1


# -- Retry


def test_later_messages_of_the_same_key_wait_and_others_pass(bench: Bench) -> None:
    """Order is kept within an item, and only within it."""
    bench.send(parcel(1, "wait:10", "a"))
    bench.send(parcel(2, "", "a"))
    bench.send(parcel(3, "", "b"))
    bench.send(parcel(4, "", "a"))
    assert seen(bench) == [3]
    assert bench.engine.deferred == 3
    bench.actor.broken = False
    assert later(bench, 9.9) == []
    assert seen(bench) == [3]
    later(bench, 0.2)
    assert seen(bench) == [3, 1, 2, 4]
    assert bench.engine.deferred == 0
    bench.send(parcel(5, "", "a"))
    assert seen(bench)[-1] == 5


def test_a_wish_to_wait_is_no_failure_and_may_be_repeated(bench: Bench) -> None:
    """Ten times is not three tries: no dead letter; a restart forgets nothing."""
    bench.send(parcel(1, "wait:1", "a"))
    for _ in range(10):
        bench.retry()
        bench.clock.advance(1)
    bench.restart()
    assert (dead(bench), bench.engine.deferred, bench.engine.progress.failed) == ([], 1, 0)
    bench.send(parcel(2, "", "a"))
    assert seen(bench) == []
    bench.actor.broken = False
    later(bench, 1)
    assert seen(bench) == [1, 2]


def test_the_time_of_a_deferred_message_is_that_of_its_handling(bench: Bench) -> None:
    """trace shows received and committed as they were."""
    bench.send(parcel(1, "wait:10"))
    began_ms = bench.clock.now_ms()
    bench.actor.broken = False
    later(bench, 10)
    assert bench.rows("SELECT received_ms, committed_ms FROM inbox") == [(began_ms, began_ms + 10_000)]


def test_a_known_id_is_not_handled_while_the_first_waits(bench: Bench) -> None:
    """A resend of a deferred message does not put it in twice."""
    bench.send(parcel(1, "wait:10"))
    bench.send(parcel(1, "wait:10"))
    assert bench.engine.deferred == 1


@settings(max_examples=40)
@given(plan=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=25), restart=st.integers(0, 24))
def test_order_within_a_key_holds_whatever_waits(tmp_path_factory: pytest.TempPathFactory,
                                                 plan: list[tuple[str, bool]], restart: int) -> None:
    """Messages of one item are handled in the order of sending, each once, with any of them waiting, over a restart."""
    with Bench(Taker, tmp_path_factory.mktemp("order"), sqlite_synchronous="OFF") as bench:
        for number, (item, waits) in enumerate(plan):
            bench.send(parcel(number, "wait:1" if waits else "", item))
            if number == restart:
                bench.restart()
        bench.actor.broken = False
        later(bench, 2)
        rows = bench.rows("SELECT item_id, number FROM seen ORDER BY n")
        assert sorted(row[1] for row in rows) == list(range(len(plan)))
        for item in "abc":
            numbers = [row[1] for row in rows if row[0] == item]
            assert numbers == sorted(numbers)


# -- failures and dead letters


def test_three_tries_then_a_dead_letter_with_traceback_and_fate(bench: Bench) -> None:
    """Each failure is undone and counted; the tracker is told that the item is dead; what waited goes on."""
    assert bench.send(parcel(1, "fail", "a")) == []
    bench.send(parcel(2, "", "a"))
    assert later(bench, BACKOFF_MS[0] / 1000) == []
    (told,) = later(bench, BACKOFF_MS[1] / 1000)
    assert isinstance(told, ItemDropped)
    assert (told.item_id, told.stage, told.fate, told.reason) == ("a", "taker", "dead", "failed:ZeroDivisionError")
    assert dead(bench) == [("Parcel", "a", "failed:ZeroDivisionError")]
    (trace,) = bench.rows("SELECT traceback FROM dead")[0]
    assert "told to fail 1" in trace
    assert "on_parcel" in trace
    assert seen(bench) == [2]
    assert (bench.engine.dead, bench.engine.progress.failed) == (1, MAX_TRIES)


def test_a_failure_that_passes_is_handled_in_the_end(bench: Bench) -> None:
    """The second try succeeds: no letter."""
    bench.send(parcel(1, "fail"))
    bench.actor.broken = False
    later(bench, 1)
    assert (seen(bench), dead(bench)) == ([1], [])


def test_the_count_of_tries_survives_restarts(bench: Bench) -> None:
    """A message that fails once in each process is still dead after three."""
    bench.send(parcel(1, "fail"))
    for _ in range(MAX_TRIES - 1):
        bench.restart()
        later(bench, 1)
    assert len(dead(bench)) == 1


def test_an_error_in_the_sql_of_a_handler_is_the_messages_failure(bench: Bench) -> None:
    """A wrong statement fails for this message only: the turn goes on, after three tries there is a letter."""
    bench.send(parcel(1, "sql"))
    bench.send(parcel(2))
    later(bench, 1)
    later(bench, 1)
    assert dead(bench) == [("Parcel", "item1", "failed:OperationalError")]
    assert seen(bench) == [2]


def test_a_full_disk_is_nobodys_fault(bench: Bench) -> None:
    """The whole turn is rolled back and no try is counted; the same message succeeds when there is room."""
    with pytest.raises(StoreError, match="full"):
        bench.send(parcel(1, "full"))
    bench.links.reload(bench.store.db)
    bench.engine.reload(bench.store.db)
    assert bench.rows("SELECT count(*) FROM inbox")[0] == (0,)
    assert (seen(bench), bench.engine.deferred, dead(bench)) == ([], 0, [])
    bench.restart()
    bench.send(parcel(1))
    assert seen(bench) == [1]


def test_a_message_that_sqlite_refuses_leaves_no_hole_in_its_link(bench: Bench) -> None:
    """The first of two messages is undone with the second, in memory too: sequence and hash are those of the rows."""
    bench.store.db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 50_000)
    bench.send(parcel(1, "drop_two"))
    later(bench, 1)
    later(bench, 1)
    assert dead(bench) == [("Parcel", "item1", "failed:DataError")]
    (link,) = bench.links.out.values()
    assert bench.rows("SELECT seq, hash FROM outbox") == [(link.next_seq - 1, link.hash)]
    assert link.next_seq == 2


@pytest.mark.parametrize("wish", ["memory", "job:do=memory"])
def test_a_process_without_memory_ends_and_blames_nothing_yet(bench: Bench, wish: str) -> None:
    """MemoryError in a handler or a job's work goes through; the turn is undone, no try is counted."""
    def work() -> None:
        bench.send(parcel(1, wish))
        bench.run_jobs()

    with pytest.raises(MemoryError):
        work()
    bench.restart()
    assert dead(bench) == []
    assert bench.rows("SELECT word FROM results") == ([("interrupted",)] if "job" in wish else [])
    assert bench.rows("SELECT state FROM jobs") == ([("queued",)] if "job" in wish else [])


@pytest.mark.parametrize(("wish", "reason"), [
    ("huge", "failed:MessageTooBig"), ("undeclared", "failed:ContractError"), ("unknown_job", "failed:ContractError")])
def test_an_output_that_cannot_go_out_is_the_handlers_failure(bench: Bench, wish: str, reason: str) -> None:
    """Too big, undeclared message, undeclared job: nothing of it stays, and it ends as a dead letter."""
    for _ in range(MAX_TRIES):
        bench.send(parcel(1, wish))
        later(bench, 1)
    assert dead(bench) == [("Parcel", "item1", reason)]
    assert seen(bench) == []
    assert [row[0] for row in bench.rows("SELECT type FROM outbox")] == ["ItemDropped"]


@pytest.mark.parametrize(("changes", "reason"), [
    ({"body": b"\x80"}, "invalid:invalid_field"), ({"body": b"\xc1"}, "invalid:not_msgpack"),
    ({"body": b""}, "invalid:not_msgpack"), ({"type": "Unheard"}, "invalid:unknown_type"),
    ({"type": "ItemDropped"}, "invalid:unknown_type"), ({"version": 2}, "invalid:wrong_version"),
    ({"version": 0}, "invalid:wrong_version")])
def test_an_invalid_message_is_a_dead_letter_at_once(bench: Bench, changes: dict[str, Any], reason: str) -> None:
    """It is counted as handled by its id, the item's fate is told, and a resend does nothing."""
    (told,) = raw(bench, **changes)
    assert isinstance(told, ItemDropped)
    assert (told.item_id, told.fate, told.reason) == ("item", "dead", reason)
    assert raw(bench, **changes) == []
    assert [row[2] for row in dead(bench)] == [reason]


def test_an_invalid_message_without_an_item_tells_nobody(bench: Bench) -> None:
    """There is no item whose fate could be known, but the letter is there."""
    assert raw(bench, item_id="") == []
    assert len(dead(bench)) == 1


def test_a_letter_that_is_revived_starts_with_its_first_try(bench: Bench) -> None:
    """`dead retry`: handled if the cause is gone, dead again after three further tries if not."""
    bench.send(parcel(1, "fail"))
    for _ in range(2):
        later(bench, 1)
    letter = parcel(1).message_id()
    bench._turn(lambda db: bench.engine.revive(db, letter))
    assert (bench.engine.dead, bench.engine.deferred) == (0, 1)
    for _ in range(2):
        later(bench, 1)
    assert bench.engine.deferred == 1
    later(bench, 1)
    assert (len(dead(bench)), bench.engine.dead) == (1, 1)
    bench.actor.broken = False
    bench._turn(lambda db: bench.engine.revive(db, letter))
    later(bench, 1)
    assert (seen(bench), bench.engine.dead) == ([1], 0)
    found: list[bool] = []
    bench._turn(lambda db: found.append(bench.engine.revive(db, hashlib.blake2b(b"no", digest_size=16).digest())))
    assert found == [False]


# -- timers


def test_a_failing_timer_is_undone_counted_and_comes_again(bench: Bench) -> None:
    """A defect in a timer stops neither the actor nor the timer."""
    bench.send(parcel(1))
    assert bench.tick("tidy") == []
    assert (seen(bench), bench.engine.progress.failed) == ([1], 1)
    bench.actor.broken = False
    bench.tick("tidy")
    assert seen(bench) == []


# -- a refused turn


def test_a_refused_turn_leaves_rows_and_memory_as_before(bench: Bench) -> None:
    """After StoreError and a reload: deferred, dead, jobs, holds and links are those of the rows."""
    bench.send(parcel(1, "wait:10", "a"))
    bench.send(parcel(2, "job"))

    def state() -> tuple[Any, ...]:
        engine = bench.engine
        return (engine.deferred, engine.dead, engine.jobs.waiting(), engine.deferred_due_ms, engine.jobs._open_ms,
                bench.links.out["tracker"].next_seq, bench.links.out["tracker"].hash)

    before = state()
    def refused(db: sqlite3.Connection) -> None:
        for number, wish in enumerate(("fail", "job", "hold:99", "drop", "wait:1", "huge"), 10):
            message = parcel(number, wish)
            bench.engine.receive(db, Received(message.message_id(), message.item_id, "giver", "Parcel", 1,
                                              pack(message), 1, 2))
        assert state() != before
        raise StoreError(bench.store.path, "told to fail")

    with pytest.raises(StoreError):
        bench._turn(refused)
    bench.links.reload(bench.store.db)
    bench.engine.reload(bench.store.db)
    assert state() == before
    bench.send(parcel(13, "drop"))
    assert seen(bench) == [2, 13]
