"""catalyst.runtime.storage and what the loop does on a full disk: SQLite's own limit of pages stands for the disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalyst import log
from catalyst.errors import StoreError
from catalyst.runtime.aside import DISK, Beside
from catalyst.runtime.bus import Arrivals
from catalyst.runtime.contract import Job, Output
from catalyst.runtime.damage import noticing
from catalyst.runtime.process import Process
from catalyst.runtime.storage import FAILING_S, PAUSE_S, SAY_AGAIN_S, Storage, has_room, takes_bytes
from catalyst.settings import defaults
from catalyst.testing import START_MS, FakeClock, wait_until
from tests.runtime.cast import Errand, Giver, Parcel, Taker


class Writer(Taker):
    """Its timer writes a row of a page and more each time, and says so to the tracker."""

    def tidy(self, db: sqlite3.Connection) -> Iterator[Output]:
        """One more row."""
        log.warning("tidied")
        db.execute("INSERT INTO seen(item_id, number) VALUES(?, 1)", ("x" * 6_000,))
        self.counters.add("tidied")
        yield self._drop(Parcel(item_id=f"item{self.counters.values['tidied']:.0f}", number=1))


class Disk:
    """A process by hand on a clock that obeys, whose database can be kept from growing."""

    def __init__(self, home: Path, cls: type[Taker] | type[Giver] = Writer, **settings: Any):
        self.clock = FakeClock()
        log.configure(cls.name, home / "logs")
        self.process = Process(cls, defaults(home=home, **settings), ("giver",), clock=self.clock)
        self.db = self.process.store.db
        self.path = home / "logs" / f"{cls.name}.jsonl"

    def fill(self) -> None:
        """No page more."""
        pages = self.db.execute("PRAGMA page_count").fetchone()[0]
        self.db.execute(f"PRAGMA max_page_count = {pages}")

    def free(self) -> None:
        """Room again."""
        self.db.execute("PRAGMA max_page_count = 1000000")

    def turn(self, *finished: Any) -> None:
        """What a turn of the loop does with what came, the pause over."""
        self.clock.advance(max(0.0, self.process.storage.rest_s()))
        late, self.process._late = self.process._late, []
        self.process._work(Arrivals(), [*late, *finished])

    def due(self) -> None:
        """The timer is due."""
        self.process._timers["tidy"] = 0.0

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """The lines of the log about storage."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line for line in lines if line["event"] in (events or ("storage_refuses", "storage_works"))]

    def number(self, sql: str) -> int:
        """One number of the database."""
        return int(self.db.execute(sql).fetchone()[0])


@pytest.fixture
def disk(home: Path, request: pytest.FixtureRequest) -> Iterator[Disk]:
    """A writer with room."""
    made = Disk(home, **getattr(request, "param", {}))
    yield made
    made.process.bus.close()
    made.process.store.close()
    log.configure("nobody", home / "end")


MODES = pytest.mark.parametrize("disk", [{}, {"sqlite_wal_mode": False}, {"sqlite_mmap_size": 0}], indirect=True,
                                ids=["wal", "delete", "no mmap"])


@MODES
def test_nothing_of_a_refused_turn_happens_and_all_of_it_later(disk: Disk) -> None:
    """Rows, messages, counts and timers are those of before; with room the same turn is made, once."""
    disk.fill()
    disk.due()
    for _ in range(5):
        disk.turn()
        assert disk.process.storage.state == disk.process.storage.refusal == "full"
        assert disk.number("SELECT count(*) FROM seen") == disk.number("SELECT count(*) FROM outbox") == 0
        assert disk.process.actor.counters.values == {}
        assert disk.process.links.out["tracker"].next_seq == 1
    disk.free()
    disk.turn()
    assert disk.process.storage.state == disk.process.storage.refusal == ""
    assert disk.number("SELECT count(*) FROM seen") == disk.number("SELECT count(*) FROM outbox") == 1
    assert disk.process.actor.counters.values == {"tidied": 1}
    disk.turn()
    assert disk.number("SELECT count(*) FROM seen") == 1
    assert disk.number("SELECT count(*) FROM outbox WHERE seq <> n & 0xFFFFFFFFFF OR seq <> 1") == 0
    assert disk.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_idle_actor_finds_out_by_itself_that_there_is_room(disk: Disk) -> None:
    """With nothing to write the state stays while a probe is refused, and goes with the first that is not."""
    disk.fill()
    disk.due()
    disk.turn()
    disk.process._timers.clear()
    disk.turn()
    assert disk.process.storage.refusal == "full"
    disk.free()
    disk.turn()
    assert disk.process.storage.state == ""
    assert disk.number("SELECT count(*) FROM meta WHERE key = 'room'") == 0


@MODES
def test_results_of_jobs_wait_and_no_new_job_starts(disk: Disk) -> None:
    """A result that cannot be stored is kept, its job is not late, no other is picked; with room it counts once."""
    jobs = disk.process.engine.jobs
    with disk.process.store.transaction() as db:
        for number in range(3):
            jobs.add(db, Job("errand", Errand("ok", number)), 0)
    disk.turn()
    (finished,) = wait_until(jobs.finished, 5)
    disk.fill()
    disk.due()
    disk.turn(finished)
    disk.clock.advance(600)
    disk.turn()
    assert disk.process._late == [finished]
    assert len(jobs.running) == 1
    assert jobs.oldest_running() is None, "ten minutes on a full disk are no fault of the job"
    disk.process.vitals.refresh()
    assert disk.process.progress.snapshot["storage"] == "full"
    assert disk.process.progress.snapshot["waiting"] == 1
    disk.free()
    disk.turn()
    assert disk.number("SELECT count(*) FROM results") == 1
    assert disk.process._late == []
    wait_until(lambda: disk.turn(*jobs.finished()) or disk.number("SELECT count(*) FROM results") == 3, 5)
    assert disk.number("SELECT count(*) FROM (SELECT DISTINCT number FROM results)") == 3


def test_one_line_at_the_beginning_one_a_minute_one_at_the_end(disk: Disk) -> None:
    """An hour on a full disk is some sixty lines, however often it refuses; the pause is kept."""
    disk.fill()
    disk.due()
    tries = 0
    while disk.clock.now_ms() < START_MS + 3_600_000:
        disk.turn()
        tries += 1
        assert disk.process.storage.rest_s() == pytest.approx(PAUSE_S)
        disk.clock.advance(PAUSE_S * 7)
    assert 900 < tries < 1_100
    assert 55 <= len(disk.lines("storage_refuses")) <= 61
    disk.free()
    disk.turn()
    (end,) = disk.lines("storage_works")
    assert end["refused"] == tries
    assert end["after_s"] == pytest.approx(3_600, abs=10)
    assert len(disk.lines("tidied")) == 2, "at the first try, which nobody knew to be refused, and when it is so"
    assert len(disk.lines("timer_failed", "handler_failed")) == 0


def test_a_command_is_answered_on_a_full_disk(disk: Disk) -> None:
    """Who asks gets the rows, who wants to change some is told why not; both at once, and nothing piles up."""
    from catalyst.runtime.heartbeat import Command

    answers: list[dict[str, Any]] = []
    disk.process.heartbeat.answer = lambda command, answer: answers.append(dict(answer))  # type: ignore[method-assign]
    disk.fill()
    disk.due()
    disk.turn()
    big = "INSERT INTO seen(item_id, number) SELECT zeroblob(50000), 1"
    disk.process.verbs.pending += [Command([], "dead", {}), Command([], "count", {"sql": big})]
    disk.turn()
    assert [answer["ok"] for answer in answers] == [True, False]
    assert answers[0]["letters"] == []
    assert "full" in answers[1]["error"]
    assert disk.process.verbs.pending == []


def test_a_message_that_is_handled_with_care_is_not_blamed_for_the_disk(disk: Disk) -> None:
    """Its start is counted once, however often the disk refuses the turn of its handler."""
    engine = disk.process.engine
    engine.careful = 10
    with disk.process.store.transaction() as db:
        db.execute("INSERT INTO deferred(id, item_id, sender, type, version, body, order_key, due_ms, tries, queued_ms,"
                   " received_ms) VALUES(x'01', 'a', 'giver', 'Parcel', 1, ?, 'a', 0, 0, 0, 0)",
                   (_body(Parcel(item_id="a", number=7)),))
    engine.reload(disk.db)
    disk.due()
    disk.fill()
    for _ in range(6):
        disk.turn()
    assert engine.careful == 10
    assert disk.number("SELECT starts FROM deferred") <= 1
    disk.free()
    disk.turn()
    assert disk.db.execute("SELECT number FROM seen WHERE item_id = 'a'").fetchall() == [(7,)]
    assert disk.number("SELECT count(*) FROM dead") == 0


def _body(parcel: Parcel) -> bytes:
    from catalyst.packing import pack

    return pack(parcel)


# -- kinds of trouble


def error(code: int, text: str = "told") -> sqlite3.OperationalError:
    """An error of SQLite with its code."""
    made = sqlite3.OperationalError(text)
    made.sqlite_errorcode = code
    return made


@pytest.mark.parametrize(("code", "kind"), [
    (sqlite3.SQLITE_FULL, "full"), (sqlite3.SQLITE_IOERR, "failing"), (sqlite3.SQLITE_IOERR | 3 << 8, "failing"),
    (sqlite3.SQLITE_CANTOPEN, "failing"), (sqlite3.SQLITE_READONLY, "failing"), (sqlite3.SQLITE_CORRUPT, "damaged"),
    (sqlite3.SQLITE_NOTADB, "damaged")])
def test_an_error_of_sqlite_is_full_failing_or_damaged(disk: Disk, code: int, kind: str) -> None:
    """On a disk with room only SQLITE_FULL is a full disk."""
    with pytest.raises(StoreError) as caught, disk.process.store.transaction():
        raise error(code)
    assert caught.value.kind == kind


def test_an_io_error_that_passes_costs_nothing(disk: Disk) -> None:
    """One refused turn is made again, and the state is gone with the next commit."""
    storage = disk.process.storage
    storage.refused(StoreError(Path("x.db"), "disk I/O error", "failing"))
    assert storage.state == "failing"
    disk.due()
    disk.turn()
    assert storage.state == ""
    assert disk.number("SELECT count(*) FROM seen") == 1


def test_errors_for_too_long_and_damage_are_hopeless_a_full_disk_never(tmp_path: Path) -> None:
    """Ten seconds of errors; damage at once; a day on a full disk is waiting."""
    clock = FakeClock()
    storage = Storage(tmp_path / "x.db", clock)
    storage.refused(StoreError(Path("x.db"), "disk I/O error", "failing"))
    clock.advance(FAILING_S - 0.1)
    assert not storage.is_hopeless()
    clock.advance(0.2)
    assert storage.is_hopeless()
    storage.refused(StoreError(Path("x.db"), "database or disk is full", "full"))
    clock.advance(86_400)
    assert not storage.is_hopeless()
    storage.refused(StoreError(Path("x.db"), "malformed", "damaged"))
    assert storage.is_hopeless()
    assert storage.state == "failing"


def test_an_actor_ends_by_errors_and_the_supervisor_works_on(home: Path) -> None:
    """What the disk refuses for more than FAILING_S is raised out of the loop, but of one that outlasts it."""
    class Lasting(Writer):
        """As the supervisor."""

        outlasts_storage = True

        def tidy(self, db: sqlite3.Connection) -> Iterator[Output]:
            """The disk fails."""
            raise error(sqlite3.SQLITE_IOERR, "disk I/O error")

    for outlasts in (True, False):
        disk = Disk(home / str(outlasts), type("Named", (Lasting,), {"outlasts_storage": outlasts}))
        disk.due()
        try:
            for _ in range(round(FAILING_S / PAUSE_S)):
                disk.turn()
            if outlasts:
                disk.turn()
            else:
                with pytest.raises(StoreError, match="I/O"):
                    disk.turn()
        finally:
            disk.process.bus.close()
            disk.process.store.close()


def test_reading_too_waits_for_room(tmp_path: Path) -> None:
    """While the disk is full it is tried again; an I/O error is raised, and so is a full disk once the end has come."""
    storage = Storage(tmp_path / "x.db", FakeClock())
    answers = [error(sqlite3.SQLITE_FULL), error(sqlite3.SQLITE_FULL)]

    def read() -> None:
        if answers:
            raise answers.pop()

    storage.outlast(read, lambda: False)
    assert (answers, storage.refusal) == ([], "full")
    for code, over in ((sqlite3.SQLITE_IOERR, False), (sqlite3.SQLITE_FULL, True)):
        answers.append(error(code))
        with pytest.raises(StoreError):
            storage.outlast(read, lambda over=over: over)  # type: ignore[misc]


def test_a_failing_disk_asks_the_next_start_to_look(tmp_path: Path) -> None:
    """NAME.suspect beside the database holds the reason, which says nothing of the file; a folder that is not there
    raises nothing more."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreError), noticing(folder, "market"):
            raise StoreError(folder / "market.db", "disk I/O error", "failing")
    (line,) = Beside(tmp_path, "market").suspicions()
    assert line.startswith(DISK)
    assert line.endswith("disk I/O error")


def test_flickering_is_not_said_each_time(tmp_path: Path) -> None:
    """Refused and stored in turns, twice a second for five minutes: a line a minute."""
    clock = FakeClock()
    log.configure("market", tmp_path / "logs")
    storage = Storage(tmp_path / "x.db", clock)
    for _ in range(300):
        storage.refused(StoreError(Path("x.db"), "full", "full"))
        clock.advance(PAUSE_S)
        storage.stored()
        assert storage.state == ""
        clock.advance(PAUSE_S)
    log.configure("nobody", tmp_path / "end")
    said = [json.loads(line)["event"] for line in (tmp_path / "logs" / "market.jsonl").read_text().splitlines()]
    assert said.count("storage_refuses") == 300 / SAY_AGAIN_S
    assert len(said) <= 2 * 300 / SAY_AGAIN_S


def test_this_disk_has_room(tmp_path: Path) -> None:
    """Both ways of asking agree, and where nobody says there is room."""
    assert has_room(tmp_path)
    assert takes_bytes(tmp_path)
    assert has_room(tmp_path / "nowhere")
    assert takes_bytes(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
