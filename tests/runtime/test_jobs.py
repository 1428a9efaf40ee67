"""catalyst.runtime.jobs: which job starts when, what becomes of its result, and of jobs that a kill interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest

from catalyst.errors import ContractError
from catalyst.messages import ItemDropped
from catalyst.runtime.contract import Job
from catalyst.testing import Bench, wait_until
from tests.runtime.cast import Errand, Parcel, Taker


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A taker on its real database."""
    with Bench(Taker, tmp_path, sqlite_synchronous="OFF") as made:
        yield made


def ask(bench: Bench, number: int, wish: str = "job") -> None:
    """Let the taker yield a job."""
    bench.send(Parcel(item_id=f"item{number}", number=number, wish=wish))


def results(bench: Bench) -> list[tuple[Any, ...]]:
    """Word and number of the results, in the order of their application."""
    return bench.rows("SELECT word, number FROM results ORDER BY n")


def pick(bench: Bench) -> list[int]:
    """Numbers of the jobs that would start now; they are marked running."""
    picked: list[Job] = []
    bench._turn(lambda db: picked.extend(bench.engine.jobs.pick(db, bench.clock.now_ms())))
    return [job.payload.number for job in picked]


# -- which starts when


def test_the_highest_priority_first_then_the_oldest(bench: Bench) -> None:
    """Priority is decided where jobs are picked, not where they come in."""
    for number, priority in enumerate((0, 5, 1, 5, -1), 1):
        ask(bench, number, f"job:priority={priority}")
    assert [job.payload.number for job in bench.jobs()] == [2, 4, 3, 1, 5]
    bench.run_jobs()
    assert results(bench) == [("done", number) for number in (2, 4, 3, 1, 5)]


def test_a_lane_runs_as_many_at_once_as_it_has_workers(bench: Bench) -> None:
    """One of each lane at a time; lanes do not wait for one another."""
    for number, lane in enumerate("aabb", 1):
        ask(bench, number, f"job:lane={lane}")
    picked: list[Job] = []
    bench._turn(lambda db: picked.extend(bench.engine.jobs.pick(db, bench.clock.now_ms())))
    assert sorted(job.payload.number for job in picked) == [1, 3]
    bench.engine.jobs.running.update({job.id: (job, 0.0) for job in picked})
    bench._turn(lambda db: bench.engine.jobs.add(db, Job("errand", Errand("ok", 9), lane="c"), 0))
    assert pick(bench) == [9]


def test_a_job_waits_for_its_time(bench: Bench) -> None:
    """Not before; and the loop knows when to look again."""
    at_ms = bench.clock.now_ms() + 5_000
    ask(bench, 1, f"job:at={at_ms}")
    bench.run_jobs()
    assert results(bench) == []
    assert bench.engine.jobs.next_ms == at_ms
    assert not bench.engine.jobs.may_pick(at_ms - 1)
    assert bench.engine.jobs.may_pick(at_ms)
    bench.clock.advance(5)
    bench.run_jobs()
    assert results(bench) == [("done", 1)]


def test_a_job_that_waits_does_not_hold_up_its_lane(bench: Bench) -> None:
    """A higher priority that is not due yet lets a lower one that is due pass."""
    ask(bench, 1, f"job:priority=9,at={bench.clock.now_ms() + 5_000}")
    ask(bench, 2)
    bench.run_jobs()
    assert results(bench) == [("done", 2)]


@pytest.mark.parametrize("restart", [False, True])
def test_a_hold_shuts_its_lane_also_over_a_restart(bench: Bench, restart: bool) -> None:
    """Rate limits and breakers are not forgotten by a kill; other lanes go on."""
    ask(bench, 1, f"hold:{5_000}")
    ask(bench, 2)
    ask(bench, 3, "job:lane=other")
    if restart:
        bench.restart()
    bench.run_jobs()
    assert results(bench) == [("done", 3)]
    bench.clock.advance(4.999)
    assert bench.run_jobs() == []
    bench.clock.advance(0.001)
    bench.run_jobs()
    assert results(bench) == [("done", 3), ("done", 2)]


@pytest.mark.parametrize("restart", [False, True])
def test_a_hold_never_ends_earlier_than_one_before_it(bench: Bench, restart: bool) -> None:
    """Who holds a lane for less than another wanted does not open it; the longest wait counts, over a kill too."""
    for number, wish in enumerate(("hold:1000", "hold:9000", "hold:2000")):
        ask(bench, number, wish)
    ask(bench, 3)
    if restart:
        bench.restart()
    bench.clock.advance(8.999)
    bench.run_jobs()
    assert results(bench) == []
    bench.clock.advance(0.001)
    bench.run_jobs()
    assert results(bench) == [("done", 3)]


# -- keys


def test_a_job_with_a_key_replaces_the_one_that_waits(bench: Bench) -> None:
    """Of one kind and key at most one waits: the newest, whatever its lane; other keys and no key are apart."""
    ask(bench, 1, "job:key=k")
    ask(bench, 2, "job:key=k,lane=x")
    ask(bench, 3, "job:key=other")
    ask(bench, 4)
    ask(bench, 5)
    ask(bench, 6, "quiet:key=k")
    assert sorted(job.payload.number for job in bench.jobs()) == [2, 3, 4, 5, 6]
    assert bench.engine.jobs.waiting() == 4
    bench.run_jobs()
    assert sorted(number for _, number in results(bench)) == [2, 3, 4, 5, 6]


def test_a_running_job_is_not_replaced(bench: Bench) -> None:
    """What is under way ends; the newer one comes after it."""
    ask(bench, 1, "job:key=k")
    assert pick(bench) == [1]
    ask(bench, 2, "job:key=k")
    ask(bench, 3, "job:key=k")
    assert bench.rows("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state") == [("queued", 1),
                                                                                           ("running", 1)]


def test_a_job_that_is_taken_back(bench: Bench) -> None:
    """Of its kind and key, while it waits; one under way ends as always; what is gone no longer counts as waiting."""
    for number, wish in enumerate(("job:key=k", "quiet:key=k", "job:key=other", "job:key=run,priority=1")):
        ask(bench, number, wish)
    assert pick(bench)[0] == 3
    for number, key in enumerate(("k", "run", "nobody"), 10):
        ask(bench, number, f"cancel:{key}")
    assert sorted(job.payload.number for job in bench.jobs()) == [2]
    assert bench.engine.jobs.waiting() == 1
    bench.restart()
    assert sorted(job.payload.number for job in bench.jobs()) == [1, 2, 3]


def test_a_job_that_comes_again_gives_way_to_a_newer_one_of_its_key(bench: Bench) -> None:
    """The retry of an old payload must not push out the new payload."""
    ask(bench, 1, "job:key=k,do=forget")
    bench.interrupt_jobs()
    ask(bench, 2, "job:key=k")
    (old,) = bench.rows("SELECT id FROM jobs WHERE state = 'running'")[0]
    bench._turn(lambda db: bench.engine.jobs.add(db, Job("errand", Errand("ok", 1), key="k", id=old), 0))
    assert [job.payload.number for job in bench.jobs()] == [2]


# -- results


def test_an_error_of_the_work_goes_to_failed(bench: Bench) -> None:
    """Errors of the outside world and defects alike; the job is over."""
    ask(bench, 1, "job:do=refused")
    ask(bench, 2, "job:do=defect")
    bench.run_jobs()
    assert results(bench) == [("FetchError", 1), ("KeyError", 2)]
    assert bench.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_a_job_yielded_again_keeps_its_id_and_counts_its_tries(bench: Bench) -> None:
    """Beside it the same handler may yield new jobs: no number is given twice."""
    ask(bench, 1, "job:do=again")
    bench.run_jobs()
    assert bench.rows("SELECT number, tries FROM results WHERE number = 1 ORDER BY n") == [(1, 1), (1, 2), (1, 3)]
    assert sorted(number for _, number in results(bench)) == [1, 1, 1, 1001, 1002]
    assert bench.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_a_result_that_cannot_be_applied_three_times_is_a_dead_job(bench: Bench) -> None:
    """Offered again twice, each time undone; then a dead letter with the traceback, and the item's fate."""
    ask(bench, 7, "job:do=unappliable")
    (job,) = bench.interrupt_jobs()
    finished = bench.engine.jobs.run_one(job)
    for attempt in (1, 2, 3):
        applied: list[bool] = []
        sent = bench._turn(lambda db, a=attempt, out=applied: out.append(
            bench.engine.finish(db, replace(finished, attempt=a))))
        assert applied == [attempt == 3]
        assert results(bench) == []
        assert bench.rows("SELECT count(*) FROM jobs") == [(int(attempt < 3),)]
    (told,) = sent
    assert isinstance(told, ItemDropped)
    assert (told.item_id, told.fate, told.reason) == ("item7", "dead", "failed:ZeroDivisionError")
    ((kind, reason, trace),) = bench.rows("SELECT type, reason, traceback FROM dead")
    assert (kind, reason) == ("job:errand", "failed:ZeroDivisionError")
    assert "done_errand" in trace


def test_a_dead_job_is_revived_with_its_fields(bench: Bench) -> None:
    """`dead retry` queues it again in its lane, with its key and priority, from its first try."""
    ask(bench, 7, "job:do=unappliable,lane=l,key=k,priority=2.5")
    (job,) = bench.interrupt_jobs()
    finished = replace(bench.engine.jobs.run_one(job), attempt=3)
    bench._turn(lambda db: bench.engine.finish(db, finished))
    (letter,) = bench.rows("SELECT id FROM dead")[0]
    bench._turn(lambda db: bench.engine.revive(db, letter))
    (again,) = bench.jobs()
    assert (again.payload, again.lane, again.key, again.priority, again.item_id, again.tries) == (
        Errand("unappliable", 7), "l", "k", 2.5, "item7", 0)
    assert bench.engine.dead == 0
    bench.actor.broken = False
    bench.run_jobs()
    assert results(bench) == [("done", 7)]


def test_an_undeclared_job_or_another_payload_is_a_contract_error(bench: Bench) -> None:
    """A kind and its payload belong together."""
    for job in (Job("nothing", Errand("ok")), Job("errand", Parcel(item_id="a", number=1))):
        with pytest.raises(ContractError):
            bench._turn(lambda db, job=job: bench.engine.jobs.add(db, job, 0))  # type: ignore[misc]


# -- interrupted by a kill


def test_an_interrupted_job_goes_where_its_method_says(bench: Bench) -> None:
    """Yielded again it keeps its count of starts; not yielded it is gone; others may be yielded beside it."""
    for number, do in enumerate(("ok", "forget", "more"), 1):
        ask(bench, number, f"job:do={do},lane={number}")
    assert len(bench.interrupt_jobs()) == 3
    bench.restart()
    assert results(bench) == [("interrupted", 1), ("interrupted", 2), ("interrupted", 3)]
    assert sorted((job.payload.number, job.tries) for job in bench.jobs()) == [(1, 1), (3, 1), (2000, 0)]
    bench.run_jobs()
    assert bench.rows("SELECT number, tries FROM results WHERE word = 'done' ORDER BY number") == [
        (1, 2), (3, 2), (2000, 1)]


def test_without_the_method_an_interrupted_job_is_queued_again(bench: Bench) -> None:
    """A poll that a kill cut off is simply done again."""
    ask(bench, 1, "quiet:key=k")
    bench.interrupt_jobs()
    bench.restart()
    assert [(job.payload.number, job.tries, job.key) for job in bench.jobs()] == [(1, 1, "k")]


def test_jobs_that_wait_survive_a_restart(bench: Bench) -> None:
    """They were never started: no word of an interruption."""
    ask(bench, 1)
    bench.restart()
    bench.run_jobs()
    assert results(bench) == [("done", 1)]


@pytest.mark.parametrize("state", ["queued", "running"])
@pytest.mark.parametrize("change", [
    "UPDATE jobs SET payload = X'81a161c0'", "UPDATE jobs SET payload = X'c1'", "UPDATE jobs SET kind = 'gone'"])
def test_a_job_that_this_version_cannot_read_is_a_dead_letter(bench: Bench, state: str, change: str) -> None:
    """A payload or kind of another version must not end the process at each start; the other jobs go on."""
    ask(bench, 1, "job:lane=x")
    if state == "running":
        bench.interrupt_jobs()
    bench.store.db.execute(change)
    ask(bench, 2)
    sent = bench.restart()
    sent += bench.run_jobs()
    assert results(bench) == [("done", 2)]
    assert [row[0] for row in bench.rows("SELECT item_id FROM dead")] == ["item1"]
    assert [message.item_id for message in sent if isinstance(message, ItemDropped)] == ["item1"]
    assert bench.rows("SELECT count(*) FROM jobs") == [(0,)]
    assert bench.engine.dead == 1


def test_background_jobs_are_no_waiting_work(bench: Bench) -> None:
    """Polls that come back do not keep the system from being idle, nor a drain from ending."""
    ask(bench, 1, "quiet")
    assert bench.engine.jobs.waiting() == 0
    ask(bench, 2, "job")
    assert bench.engine.jobs.waiting() == 1


# -- threads


def test_threads_do_the_work_and_wake_the_loop(bench: Bench) -> None:
    """Started jobs run in daemon threads, at most as many as run at once; the wake-up descriptor becomes readable."""
    for number in range(1, 6):
        ask(bench, number, f"job:lane={number % 2}")
    done: list[int] = []
    jobs = bench.engine.jobs

    def turn() -> bool:
        finished = jobs.finished()
        bench._turn(lambda db: [bench.engine.finish(db, one) for one in finished])
        for one in finished:
            jobs.over(one.job)
            done.append(one.job.payload.number)
        picked: list[Job] = []
        bench._turn(lambda db: picked.extend(jobs.pick(db, bench.clock.now_ms())))
        jobs.start(picked)
        return len(done) == 5

    wait_until(turn, 5)
    assert sorted(done) == [1, 2, 3, 4, 5]
    assert jobs._threads <= 2
    assert jobs.running == {}
    assert jobs.oldest_running() is None


def test_the_payload_is_stored_as_plain_msgpack(bench: Bench) -> None:
    """A person can read it, and it is what a later version will find."""
    ask(bench, 3)
    assert msgpack.unpackb(bench.rows("SELECT payload FROM jobs")[0][0]) == {"do": "ok", "number": 3}
