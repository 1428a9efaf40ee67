"""catalyst.runtime.damage, aside, wal and store: real files, damaged in every way that the generator knows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalyst.chaos.damage import KINDS, damage
from catalyst.errors import Damaged, StoreError
from catalyst.runtime.aside import MOST_SUSPICIONS, Beside, Note, why
from catalyst.runtime.contract import Actor
from catalyst.runtime.damage import LARGE_BYTES, Checkup, is_damage
from catalyst.runtime.run import run_actor
from catalyst.runtime.store import Store
from catalyst.runtime.wal import checksum, is_header, lost, read_log
from catalyst.settings import Settings, defaults
from catalyst.testing import START_MS, FakeClock
from tests.runtime.forked import exit_code, fork

PLACE = "CREATE TABLE rows(n INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE INDEX rows_text ON rows(text);"


class Keeper(Actor):
    """An actor with a table and an index; the second one's key is its rows."""

    name = "keeper"
    tables = (PLACE, "CREATE TABLE pairs(a TEXT, b INTEGER, text TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID;")


def settings_of(home: Path) -> Settings:
    """Settings of a home."""
    return defaults(home=home, sqlite_synchronous="OFF")


def fill(store: Store, first: int, count: int, size: int = 300) -> None:
    """Rows in a few commits."""
    for start in range(first, first + count, 20):
        with store.transaction() as db:
            db.executemany("INSERT INTO rows VALUES(?, ?)", [(n, f"{n:06}" * (size // 6))
                                                             for n in range(start, min(start + 20, first + count))])
            db.execute("INSERT INTO pairs VALUES(?, ?, ?)", (f"a{start // 7}", start, "x" * size))


def killed(home: Path, work: Callable[[Store], Any]) -> None:
    """A process that opens the keeper's database, works, and is killed."""
    def live() -> int:
        work(Store(Keeper, settings_of(home)))
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert exit_code(fork(live)) == -signal.SIGKILL


def content(store: Store) -> list[tuple[Any, ...]]:
    """All rows of the keeper's own tables."""
    return [*store.db.execute("SELECT * FROM rows ORDER BY n"), *store.db.execute("SELECT * FROM pairs ORDER BY a, b")]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose keeper worked, ended in order, worked again and was killed: rows in the file and in the log."""
    home = tmp_path_factory.mktemp("worked")
    with Store(Keeper, settings_of(home)) as store:
        fill(store, 0, 400)
    killed(home, lambda store: fill(store, 400, 200))
    return home


@pytest.fixture
def home(worked: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    shutil.copytree(worked, tmp_path / "home")
    return tmp_path / "home"


def aside(home: Path) -> list[Path]:
    """What was set aside."""
    return sorted((home / "db" / "aside").glob("keeper-*"))


def opened(home: Path, **options: Any) -> Store:
    """The keeper's database, opened as at a start."""
    return Store(Keeper, settings_of(home), **options)


def test_an_unclean_end_alone_sets_nothing_aside(home: Path) -> None:
    """A kill leaves rows in the log: they are there and nothing is suspected, also when the file is looked through."""
    for suspect in (False, True):
        with closing(opened(home, suspect=suspect)) as store:
            assert (store.set_aside, store.reborn_ms, store.rows_lost) == ("", None, "")
            assert len(content(store)) == 630
    assert aside(home) == []


SURE = ("cut", "empty", "gone", "wal_header", "wal_half")  # a header may stand in the log too, whole


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_damage_is_found_or_did_no_harm(worked: Path, tmp_path: Path, kind: str) -> None:
    """Found at the start or in the round after it and set aside; or SQLite is whole and each row is as it was; or rows
    of the log are gone in whole commits, which is for the links to find. The start after that finds nothing more."""
    with closing(opened(shutil.copytree(worked, tmp_path / "whole"))) as store:
        whole = content(store)
    verdicts = []
    for seed in range(6):
        home = shutil.copytree(worked, tmp_path / f"home{seed}")
        told = damage(home / "db", "keeper", seed, kind)
        assert told.startswith(kind)
        verdicts.append(verdict(home, whole))
        assert verdicts[-1] in ("found", "same", "earlier"), (told, verdicts)
        with closing(opened(home)) as store:
            found = aside(home)
            assert len(found) == (verdicts[-1] == "found"), told
            assert store.set_aside == (found[0].name if found else "")
            assert Checked(store).whole()
    if kind in SURE:
        assert set(verdicts) == {"found"}


class Checked:
    """A round of the check of an open store, by a clock that obeys."""

    def __init__(self, store: Store):
        self.clock = FakeClock()
        self.checkup = Checkup(store.db, store.beside, self.clock)

    def whole(self) -> bool:
        """Do the round to its end; False where damage was found."""
        while not self.checkup.rounds:
            self.clock.advance(10)
            try:
                self.checkup.step()
            except Damaged:
                return False
        return True


def verdict(home: Path, whole: list[tuple[Any, ...]]) -> str:
    """What a start, and the round of checks after it, make of a damaged home."""
    store = opened(home)
    if not store.set_aside and not Checked(store).whole():
        store.beside.suspect("found by the round")
        store.abandon()
        store = opened(home)
        assert store.set_aside
    with closing(store):
        rows = content(store)
        if store.set_aside:
            assert rows == []
            return "found"
        assert store.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return "same" if rows == whole else "earlier" if set(rows) < set(whole) else "changed"


# -- setting aside


def test_what_is_set_aside_is_whole_and_the_new_one_knows(home: Path) -> None:
    """All files in one folder with the reason, untouched; the new database has another epoch and says since when."""
    before = {name: (home / "db" / name).read_bytes() for name in ("keeper.db", "keeper.db-wal")}
    epoch = json.loads((home / "db" / "keeper.id").read_text())["epoch"]
    page = before["keeper.db"].index(b"000009")
    (home / "db" / "keeper.db").write_bytes(damaged := before["keeper.db"][:page] + b"\xff" * 9000
                                            + before["keeper.db"][page + 9000:])
    with closing(opened(home, clock=FakeClock())) as store:
        assert store.set_aside == "keeper-20260102T140000Z"
        assert store.reborn_ms == START_MS
        assert store.epoch.hex() != epoch
        assert content(store) == []
        (folder,) = aside(home)
        assert (folder / "keeper.db").read_bytes() == damaged
        assert (folder / "keeper.db-wal").read_bytes() == before["keeper.db-wal"]
        assert why(home / "db", folder.name)
    with closing(opened(home, clock=FakeClock(START_MS + 3_600_000))) as store:
        assert (store.reborn_ms, store.set_aside) == (START_MS, folder.name)
    with closing(opened(home, clock=FakeClock(START_MS + 86_400_000))) as store:
        assert (store.reborn_ms, store.set_aside) == (START_MS, "")


@pytest.mark.parametrize("calls", range(1, 16))
def test_a_kill_in_the_middle_of_setting_aside_does_no_harm(home: Path, calls: int) -> None:
    """kill -9 at each of its steps: the next start goes on, nothing is deleted, the new database works and tells."""
    damage(home / "db", "keeper", 1, "cut")
    size = (home / "db" / "keeper.db").stat().st_size

    def die() -> int:
        left = [calls]

        def step(event: str, _: Any) -> None:
            if event in ("os.rename", "os.mkdir", "open", "sqlite3.connect") and left:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(step)
        opened(home)
        return 0

    exit_code(fork(die))
    with closing(opened(home)) as store:
        fill(store, 0, 20)
        assert len(content(store)) == 21
        assert store.set_aside
    kept = [file for folder in aside(home) for file in folder.glob("keeper.db")]
    assert max(file.stat().st_size for file in kept) == size


def test_a_disk_that_damages_the_new_one_too_is_no_loop(home: Path) -> None:
    """Each start ends with an error after one try, nothing more is set aside; cured, the next one goes on and tells."""
    damage(home / "db", "keeper", 1, "cut")

    class Spoiled(Keeper):
        """A schema step that leaves the file damaged, as a bad disk does."""

        tables = (*Keeper.tables, "PRAGMA writable_schema = ON; CREATE TABLE spoiled(x);"
                                  " UPDATE sqlite_master SET rootpage = 999 WHERE name = 'spoiled';"
                                  " PRAGMA writable_schema = RESET; INSERT INTO spoiled VALUES(1);")

    for _ in range(3):
        with pytest.raises(StoreError, match=r"keeper\.db"):
            Store(Spoiled, settings_of(home))
    (folder,) = aside(home)
    with closing(opened(home)) as store:
        assert (store.set_aside, content(store)) == (folder.name, [])
        assert store.reborn_ms is not None


def test_the_largest_are_kept(tmp_path: Path) -> None:
    """Of many that were set aside the newest stays and the largest of the others."""
    beside = Beside(tmp_path, "keeper")
    names = []
    for size in (50, 900, 10, 700, 20, 800, 600, 1):
        (tmp_path / "keeper.db").write_bytes(bytes(size))
        names.append(beside.set_aside("for the test", START_MS + size))
    left = sorted((folder / "keeper.db").stat().st_size for folder in aside_of(tmp_path))
    assert left == [1, 600, 700, 800, 900]
    assert beside.note() == Note("", names[-1])


def aside_of(folder: Path) -> list[Path]:
    """What stands in the folder of those set aside."""
    return sorted((folder / "aside").iterdir())


def test_a_database_without_a_note_gets_one(home: Path) -> None:
    """One that was made before there were notes is known by its mark, damaged or not."""
    (home / "db" / "keeper.id").unlink()
    with closing(opened(home)) as store:
        assert json.loads((home / "db" / "keeper.id").read_text()) == {"epoch": store.epoch.hex(), "leaving": ""}
    (home / "db" / "keeper.id").unlink()
    data = bytearray((home / "db" / "keeper.db").read_bytes())
    data[100:4096] = bytes(3996)
    (home / "db" / "keeper.db").write_bytes(data)
    with closing(opened(home)) as store:
        assert store.set_aside


def test_a_suspicion_is_looked_into_and_ends(home: Path) -> None:
    """Groundless, it goes with the next whole round of checks; three in a row set the database aside all the same."""
    beside = Beside(home / "db", "keeper")
    beside.suspect("once")
    with closing(opened(home)) as store:
        assert store.set_aside == ""
        assert beside.suspicions() == ["once"]
        assert Checked(store).whole()
        assert beside.suspicions() == []
    for _ in range(MOST_SUSPICIONS):
        beside.suspect("again\nand again")
    with closing(opened(home)) as store:
        assert "3 times in a row: again and again" in why(home / "db", store.set_aside)
        assert beside.suspicions() == []


@pytest.mark.parametrize("error", ["malformed", "disk I/O error", "full"])
def test_only_damage_counts_as_damage(error: str) -> None:
    """A page that cannot be read or makes no sense, not a full disk, a lock or a fault in the statement."""
    made = sqlite3.OperationalError(error)
    made.sqlite_errorcode = {"malformed": sqlite3.SQLITE_CORRUPT | 1 << 8, "disk I/O error": sqlite3.SQLITE_IOERR_READ,
                             "full": sqlite3.SQLITE_FULL}[error]
    assert is_damage(made) is (error != "full")
    assert not is_damage(sqlite3.OperationalError("raised by Python"))


def test_damage_met_while_running_ends_the_process_and_is_remembered(home: Path) -> None:
    """The process ends with 1 and leaves word; the next start looks through the file and sets it aside."""
    with closing(opened(home)) as store:
        fill(store, 1000, 4000, 900)

    class Reader(Keeper):
        """Reads its table when it starts: what the start did not look at."""

        def on_start(self, db: sqlite3.Connection) -> Any:
            for how in ("NOT INDEXED", "INDEXED BY rows_text"):
                db.execute(f"SELECT count(text) FROM rows {how} WHERE text > ''").fetchone()
            return iter(())

    data = (home / "db" / "keeper.db").read_bytes()
    assert len(data) > 3_000_000
    place = data.index(b"004000004000") // 4096 * 4096
    (home / "db" / "keeper.db").write_bytes(data[:place] + b"\xee" * 4096 + data[place + 4096:])
    assert exit_code(fork(lambda: run_actor(Reader, settings_of(home), ()))) == 1
    assert "malformed" in Beside(home / "db", "keeper").suspicions()[0]
    with closing(opened(home)) as store:
        assert store.set_aside


# -- the log


def test_the_checksum_is_that_of_the_format(home: Path) -> None:
    """Header and frames of a log that SQLite wrote are found right, and a changed byte wrong."""
    log = read_log(home / "db" / "keeper.db")
    assert log is not None
    assert is_header(log.header)
    assert not is_header(log.header[:9] + b"\x01" + log.header[10:])
    data = (home / "db" / "keeper.db-wal").read_bytes()
    frame = data[32:32 + 4096 + 24]
    magic, sums = int.from_bytes(log.header[:4]), int.from_bytes(log.header[24:])
    assert checksum(magic, frame[:8] + frame[24:], sums) == int.from_bytes(frame[16:24]) == next(log.frames())[1][3]


def test_what_a_kill_leaves_in_a_log_is_no_loss(home: Path, tmp_path: Path) -> None:
    """At every cut between two frames, and after a frame's header: whole commits count, the start of another does not.

    Only the copy that ends so is looked at: what stood behind is unknown to it, as it is after a kill.
    """
    data = (home / "db" / "keeper.db-wal").read_bytes()
    frames = (len(data) - 32) // 4120
    for number in range(0, frames, 5):
        for rest in (0, 24):
            copy = shutil.copytree(home, tmp_path / f"{number}-{rest}")
            (copy / "db" / "keeper.db-wal").write_bytes(data[:32 + number * 4120 + rest])
            with closing(opened(copy)) as store:
                assert store.set_aside == "", (number, rest)


def test_a_commit_frame_without_its_page_is_a_kill_and_one_before_it_is_not(home: Path) -> None:
    """The last frame of the log may have an old page behind a new header; the one before it may not."""
    path = home / "db" / "keeper.db"
    before = read_log(path)
    assert before is not None
    first, end = before.last_transaction()
    assert end == len(before)
    assert end - first > 2
    wal = Path(f"{path}-wal")
    data = wal.read_bytes()
    for number, expected in ((end - 1, ""), (first, "committed")):
        at = 32 + number * 4120 + 24 + 100
        wal.write_bytes(data[:at] + bytes(50) + data[at + 50:])
        spoiled = read_log(path)
        assert spoiled is not None
        found = lost(spoiled, first)
        assert expected in found
        assert bool(found) is bool(expected)


def test_a_log_that_was_removed_after_a_kill_is_told(home: Path) -> None:
    """The database is whole, of an earlier commit: it stays, and says that rows are gone; not after an end in order."""
    (home / "db" / "keeper.db-wal").unlink()
    with closing(opened(home)) as store:
        assert store.rows_lost
        assert store.set_aside == ""
        assert len(content(store)) == 420
    with closing(opened(home)) as store:
        assert store.rows_lost == ""


def test_a_power_cut_may_take_the_end_of_the_log(tmp_path: Path) -> None:
    """After a reboot a log whose end was never written is no damage: the rest stays, and the loss is told."""
    def work(store: Store) -> None:
        fill(store, 0, 200)
        store.db.execute("UPDATE meta SET value = 'another' WHERE key = 'boot'")
        fill(store, 200, 200)

    killed(tmp_path, work)
    file = tmp_path / "db" / "keeper.db-wal"
    data = file.read_bytes()
    file.write_bytes(data[:len(data) - 30 * 4120] + bytes(30 * 4120))
    with closing(opened(tmp_path)) as store:
        assert store.set_aside == ""
        assert "log" in store.rows_lost
        assert 210 <= len(content(store)) < 420
    with closing(opened(tmp_path)) as store:
        assert store.rows_lost == ""


def test_a_log_that_goes_over_into_the_file_at_the_start_is_no_loss(tmp_path: Path) -> None:
    """A long log after a kill, read by a version with further schema steps or with the log switched off, is whole."""
    for number, change in enumerate(("steps", "mode")):
        home = tmp_path / str(number)
        killed(home, lambda store: (store.db.execute("PRAGMA wal_autocheckpoint = 0"), fill(store, 0, 6_000)))
        log = read_log(home / "db" / "keeper.db")
        assert log is not None
        assert len(log) > 1_000

        class Newer(Keeper):
            """Two more steps."""

            tables = (*Keeper.tables, "CREATE TABLE third(x);", "CREATE TABLE fourth(x);")

        settings = settings_of(home)
        with closing(Store(Newer, settings) if change == "steps" else
                     Store(Keeper, settings.but(sqlite_wal_mode=False))) as store:
            assert store.set_aside == ""
            assert len(content(store)) == 6_300
        assert aside(home) == []


# -- the round


def test_a_large_table_is_read_in_pieces(tmp_path: Path) -> None:
    """No table over the limit is checked in one go; a page of it that makes no sense is found on the way."""
    settings = settings_of(tmp_path).but(sqlite_mmap_size=0)
    with Store(Keeper, settings) as store:
        with store.transaction() as db:
            db.executemany("INSERT INTO rows VALUES(?, ?)", ((n, f"{n:06}" + "y" * 2000) for n in range(9_000)))
        assert store.path.stat().st_size > LARGE_BYTES
    data = store.path.read_bytes()
    place = data.index(b"006000yyyy") // 4096 * 4096
    with Store(Keeper, settings) as store:
        statements: list[str] = []
        store.db.set_trace_callback(statements.append)
        assert Checked(store).whole()
        store.db.set_trace_callback(None)
        asked = [text for text in statements if "integrity_check" in text]
        assert not any('"rows"' in text for text in asked)
        assert any('"pairs"' in text for text in asked)
        assert sum('FROM "rows"' in text for text in statements) > 3
    store.path.write_bytes(data[:place] + bytes(4096) + data[place + 4096:])
    with closing(Store(Keeper, settings)) as store:
        assert store.set_aside == ""
        assert not Checked(store).whole()


def test_a_file_that_leaves_its_place_is_found(home: Path) -> None:
    """Removed, or replaced by another, under the process that has it open: what it writes would be nobody's."""
    with closing(opened(home)) as store:
        checked = Checked(store)
        assert checked.whole()
        store.path.rename(store.path.with_suffix(".moved"))
        checked.clock.advance(20)
        assert checked.checkup.is_due(idle=True)
        with pytest.raises(Damaged, match="no longer in its place"):
            checked.checkup.step()
        store.path.with_suffix(".moved").rename(store.path)


@pytest.mark.parametrize("share", [0.0, 0.5], ids=["to nothing", "to its half"])
def test_a_file_that_is_cut_under_an_idle_process_is_found_at_the_next_look(home: Path, share: float) -> None:
    """Within 20 s, not an hour later with the next round; what is left of it is set aside by the next start."""
    with closing(opened(home)) as store:
        fill(store, 1000, 400)
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        checked = Checked(store)
        assert checked.whole()
        checked.clock.advance(20)
        checked.checkup.step()
        left = int(store.path.stat().st_size * share)
        os.truncate(store.path, left)
        checked.clock.advance(20)
        assert checked.checkup.is_due(idle=True)
        with pytest.raises(Damaged, match=f"was cut from .* to {left} bytes"):
            checked.checkup.step()
        store.beside.suspect("found by the look")
        shutil.copytree(home / "db", home / "left" / "db", ignore=shutil.ignore_patterns("keeper.lock"))
    with closing(opened(home / "left")) as store:
        (folder,) = aside(home / "left")
        assert (folder.name, content(store)) == (store.set_aside, [])
        assert (folder / "keeper.db").stat().st_size == left


def test_a_file_that_grows_is_no_suspect(home: Path) -> None:
    """Rows come, go over into the file, and go: SQLite keeps the pages, and each look is content."""
    with closing(opened(home)) as store:
        checked = Checked(store)
        for number in range(1, 6):
            fill(store, 1000 * number, 300)
            store.db.execute("DELETE FROM rows WHERE n < ?", (1000 * number,))
            store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            checked.clock.advance(20)
            checked.checkup.step()
        assert checked.whole()


def test_an_accusation_waits_for_the_answer_that_tells_of_it(home: Path) -> None:
    """What a command found ends the process, in a busy loop too, but its answer is out before; the first one counts."""
    with closing(opened(home)) as store:
        checked = Checked(store)
        checked.clock.advance(39)
        checked.checkup.accuse("integrity: one")
        assert not checked.checkup.is_due(idle=True)
        checked.clock.advance(0.15)
        checked.checkup.accuse("integrity: two")
        checked.clock.advance(0.1)
        assert checked.checkup.is_due(idle=False)
        with pytest.raises(Damaged, match="integrity: one"):
            checked.checkup.step()


def test_a_busy_loop_is_left_alone_until_it_is_late(home: Path) -> None:
    """Pieces are done in idle turns; from 40 s after the start also between messages, so that the round ends."""
    with closing(opened(home)) as store:
        checked = Checked(store)
        checked.clock.advance(39)
        assert not checked.checkup.is_due(idle=False)
        assert checked.checkup.is_due(idle=True)
        checked.clock.advance(2)
        assert checked.checkup.is_due(idle=False)


