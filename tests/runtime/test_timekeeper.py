"""A wall clock that is set on and back: waits, retention and ages of an actor on its real database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from catalyst.clock import SystemClock
from catalyst.runtime.timekeeper import Timekeeper
from catalyst.testing import Bench, FakeClock, wait_until
from tests.runtime.cast import Parcel, Taker
from tests.runtime.ends import Pair

HOUR_S, DAY_S = 3_600, 86_400
JUMPS_S = pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 2 * DAY_S, -20 * 365 * DAY_S])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A taker on its real database."""
    with Bench(Taker, tmp_path, sqlite_synchronous="OFF") as made:
        yield made


def ask(bench: Bench, number: int, wish: str) -> None:
    """Hand the taker a parcel with a wish."""
    bench.send(Parcel(item_id=f"item{number}", number=number, wish=wish))


def done(bench: Bench) -> list[int]:
    """Numbers of the jobs that were done by now."""
    bench.run_jobs()
    return [row[0] for row in bench.rows("SELECT number FROM results ORDER BY n")]


@JUMPS_S
@pytest.mark.parametrize("killed", [False, True])
def test_a_job_starts_as_soon_as_it_would_have(bench: Bench, jump_s: int, killed: bool) -> None:
    """One that waits 5 s waits 5 s, also where the process died before it could notice; one that is due stays due."""
    ask(bench, 1, f"job:at={bench.clock.now_ms() + 5_000}")
    ask(bench, 2, "job:")
    bench.clock.advance(1)
    bench.clock.jump(jump_s)
    if killed:
        bench.restart()
    assert done(bench) == [2]
    bench.clock.advance(3.9)
    assert done(bench) == [2]
    bench.clock.advance(0.2)
    assert done(bench) == [2, 1]


@JUMPS_S
def test_a_hold_lasts_as_long_as_it_would_have(bench: Bench, jump_s: int) -> None:
    """A sink's limit of 5 s is neither skipped nor made an hour."""
    ask(bench, 1, "hold:5000")
    ask(bench, 2, "job:")
    bench.clock.jump(jump_s)
    assert done(bench) == []
    bench.clock.advance(4.9)
    assert done(bench) == []
    bench.clock.advance(0.2)
    assert done(bench) == [2]


@JUMPS_S
def test_a_deferred_message_waits_as_long_as_it_would_have(bench: Bench, jump_s: int) -> None:
    """Its time is moved with the clock; the loop is told when it is due."""
    ask(bench, 1, "wait:5")
    bench.clock.jump(jump_s)
    bench.retry()
    assert bench.engine.deferred_due_ms - bench.clock.now_ms() == 5_000
    bench.actor.broken = False  # type: ignore[attr-defined]
    bench.clock.advance(5.1)
    bench.retry()
    assert bench.engine.deferred == 0
    assert bench.rows("SELECT number FROM seen") == [(1,)]


def test_a_jump_is_stored_and_counted_once(bench: Bench) -> None:
    """One incident each, whatever restarts follow; less than a leap second or two is none; sleep of the machine is
    none."""
    for by_s in (1.4, -1.4, HOUR_S, -30):
        bench.clock.jump(by_s)
        bench.retry()
        bench.clock.advance(DAY_S)
        bench.restart()
        bench.retry()
    details = bench.rows("SELECT kind, subject, detail FROM incidents ORDER BY n")
    assert details == [("clock_jumped", "taker", "by +3600.0 s"), ("clock_jumped", "taker", "by -30.0 s")]


def test_a_jump_whose_commit_fails_is_noticed_again(bench: Bench) -> None:
    """The rows are moved exactly once: with the commit that also says that they were."""
    ask(bench, 1, f"job:at={bench.clock.now_ms() + 5_000}")
    bench.clock.jump(-HOUR_S)
    with suppress(ZeroDivisionError), bench.store.transaction() as db:
        bench.engine.look_at_clock(db)
        raise ZeroDivisionError
    bench.engine.reload(bench.store.db)
    bench.clock.advance(5.1)
    assert done(bench) == [1]
    assert len(bench.rows("SELECT 1 FROM incidents")) == 1


def test_a_machine_that_starts_with_an_earlier_time(bench: Bench) -> None:
    """Nothing tells how far it was set back, but a wait never begins later than the newest stamp: it does not grow."""
    ask(bench, 1, f"job:at={bench.clock.now_ms() + 5_000}")
    bench.clock.jump(-20 * DAY_S)
    bench.clock.reboot()
    bench.restart()
    assert done(bench) == []
    bench.clock.advance(5.1)
    assert done(bench) == [1]


def test_a_machine_that_starts_later_waits_no_more(bench: Bench) -> None:
    """A long pause and a clock set on look the same after a start: what was due meanwhile is due."""
    ask(bench, 1, f"job:at={bench.clock.now_ms() + 5_000}")
    bench.clock.jump(2 * DAY_S)
    bench.clock.reboot()
    bench.restart()
    assert done(bench) == [1]
    assert bench.rows("SELECT 1 FROM incidents") == []


def test_ages_go_on_over_jumps_and_restarts(bench: Bench) -> None:
    """An own stamp is as old as it is, also in a later process and before the loop has noticed the jump."""
    stamp_ms = bench.clock.now_ms()
    for jump_s in (HOUR_S, -HOUR_S - 900, 2 * DAY_S):
        bench.clock.advance(10)
        bench.clock.jump(jump_s)
        unnoticed_ms = bench.actor.time.passed_ms(stamp_ms)
        bench.retry()
        assert bench.actor.time.passed_ms(stamp_ms) == unnoticed_ms
        bench.restart()
        assert bench.actor.time.passed_ms(stamp_ms) == unnoticed_ms
    assert unnoticed_ms == 30_000


# -- retention


def handled(pair: Pair) -> tuple[int, int]:
    """Rows that the two ends keep for a resend: sent, and ids of what was handled."""
    return (pair.sender.store.db.execute("SELECT count(*) FROM outbox").fetchone()[0],
            pair.receiver.store.db.execute("SELECT count(*) FROM inbox").fetchone()[0])


def prune(pair: Pair) -> None:
    """Both ends forget what is older than an hour, and than two."""
    for end in (pair.sender, pair.receiver):
        end.turn(lambda db, end=end: end.links.prune(db, HOUR_S * 1000, end.actor.time))


def test_a_jump_ahead_deletes_no_id(tmp_path: Path) -> None:
    """After +2 days a resend of everything is still known; true hours later the rows go."""
    pair = Pair(tmp_path)
    pair.settle()
    pair.sender.give(5)
    pair.settle()
    pair.clock.jump(2 * DAY_S)
    prune(pair)
    assert handled(pair) == (5, 5)
    pair.sender.replace(None)
    pair.connect()
    pair.sender.give(5)
    pair.settle()
    assert pair.receiver.seen() == [1, 2, 3, 4, 5]
    pair.clock.advance(HOUR_S + 1)
    prune(pair)
    assert handled(pair) == (0, 5)
    pair.clock.advance(HOUR_S)
    prune(pair)
    assert handled(pair) == (0, 0)
    pair.close()


@pytest.mark.parametrize("jump_s", [-3 * HOUR_S, -10 * 365 * DAY_S])
def test_rows_of_the_future_do_not_stay_for_ever(tmp_path: Path, jump_s: int) -> None:
    """What was written before the clock was set back goes with what came after it, never earlier."""
    pair = Pair(tmp_path)
    pair.settle()
    pair.sender.give(3)
    pair.settle()
    pair.clock.jump(jump_s)
    pair.clock.advance(60)
    pair.sender.give(2)
    pair.settle()
    pair.clock.advance(HOUR_S - 1)
    prune(pair)
    assert handled(pair) == (5, 5)
    pair.clock.advance(2)
    prune(pair)
    assert handled(pair)[0] == 0
    pair.clock.advance(HOUR_S)
    prune(pair)
    assert handled(pair) == (0, 0)
    pair.close()


# -- the machine's own clocks


def test_the_machines_clock_agrees_with_itself() -> None:
    """No jump where there is none, over a thousand looks; the start of the machine has a name."""
    keeper = Timekeeper(SystemClock())
    assert [keeper.look()[1] for _ in range(1_000)] == [0] * 1_000
    assert SystemClock().boot() == SystemClock().boot()
    begun_s = SystemClock().since_boot_s()
    wait_until(lambda: SystemClock().since_boot_s() > begun_s, 1)
    assert abs(keeper.now_ms() / 1000 - time.time()) < 5


class Stopped(FakeClock):
    """A clock in a process that is stopped for a minute after each reading of the time since the start."""

    def since_boot_s(self) -> float:
        self.advance(60)
        return super().since_boot_s()


def test_a_process_that_is_stopped_between_two_clocks_sees_no_jump() -> None:
    """Readings that are far apart say nothing."""
    keeper = Timekeeper(Stopped())
    assert [keeper.look()[1] for _ in range(5)] == [0] * 5


class Slipping(FakeClock):
    """A clock that shows another hour now and then, for one reading."""

    def now_ms(self) -> int:
        self._boot += 1
        return super().now_ms() - (HOUR_S * 1000 if self._boot % 7 == 0 else 0)

    def boot(self) -> str:
        return "boot"


def test_one_wrong_reading_of_the_clock_is_no_jump() -> None:
    """A jump is believed where two readings say so; one that lasts is still seen at once."""
    clock = Slipping()
    keeper = Timekeeper(clock)
    assert [keeper.look()[1] for _ in range(50)] == [0] * 50
    clock.jump(HOUR_S)
    assert keeper.look()[1] == HOUR_S * 1000
