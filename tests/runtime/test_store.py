"""catalyst.runtime.store: pragmas, migrations, refusals, ends; on real files, with real other processes."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalyst.errors import ConfigError, ForeignDatabase, NewerSchema, OwnedElsewhere, StoreError
from catalyst.runtime.contract import Actor, application_id
from catalyst.runtime.schema import RUNTIME_STEPS
from catalyst.runtime.store import Store, connect, migrate, statements
from catalyst.settings import Settings, defaults
from catalyst.testing import wait_until
from tests.runtime.forked import exit_code, fork


class Keeper(Actor):
    """An actor with two schema steps."""

    name = "keeper"
    tables = ("CREATE TABLE first(a); CREATE INDEX first_a ON first(a);", "CREATE TABLE second(b);")


class StrictKeeper(Actor):
    """The same database, written through to the disk at each commit."""

    name = "keeper"
    tables = Keeper.tables
    synchronous = "FULL"


def grown(*steps: str) -> type[Actor]:
    """Keeper with other steps."""
    return type("Grown", (Actor,), {"name": "keeper", "tables": steps})


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    """Settings with a home of the test's own."""
    return defaults(home=tmp_path)


def file_of(place: Settings) -> Path:
    """The database file of keeper."""
    return place.database_folder / "keeper.db"


def digest(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pragma(store: Store, name: str) -> Any:
    """The value of a pragma."""
    return store.db.execute(f"PRAGMA {name}").fetchone()[0]


def write(store: Store, sql: str, error: Exception | None = None) -> None:
    """A statement in a transaction, which then raises."""
    with store.transaction() as db:
        db.execute(sql)
        if error is not None:
            raise error


# -- pragmas


def test_the_defaults_are_set_and_verified(place: Settings) -> None:
    """WAL, NORMAL, 10,000 pages, mapped, exclusive, temp tables in memory, 30 s of patience."""
    with Store(Keeper, place) as store:
        found = [pragma(store, name) for name in ("journal_mode", "synchronous", "cache_size", "locking_mode",
                                                  "temp_store", "busy_timeout")]
        assert found == ["wal", 1, 10_000, "exclusive", 2, 30_000]
        assert pragma(store, "mmap_size") > 0


@pytest.mark.parametrize(("change", "name", "value"), [
    ({"sqlite_wal_mode": False}, "journal_mode", "delete"),
    ({"sqlite_mmap_size": 0}, "mmap_size", 0),
    ({"sqlite_mmap_size": 1_048_576}, "mmap_size", 1_048_576),
    ({"sqlite_cache_size": 77}, "cache_size", 77),
    ({"sqlite_synchronous": "OFF"}, "synchronous", 0),
    ({"sqlite_synchronous": "FULL"}, "synchronous", 2),
    ({"sqlite_synchronous": "EXTRA"}, "synchronous", 3),
])
def test_each_storage_setting_is_obeyed_and_the_store_works(place: Settings, change: dict[str, Any], name: str,
                                                            value: Any) -> None:
    """Every setting in another value than its default: set, and rows survive a reopening."""
    settings = place.but(**change)
    with Store(Keeper, settings) as store:
        assert pragma(store, name) == value
        with store.transaction() as db:
            db.executemany("INSERT INTO first VALUES(?)", [(n,) for n in range(100)])
    with Store(Keeper, settings) as store:
        assert store.db.execute("SELECT sum(a) FROM first").fetchone()[0] == 4950


@pytest.mark.parametrize(("setting", "got"), [("OFF", 2), ("NORMAL", 2), ("FULL", 2), ("EXTRA", 3)])
def test_an_actor_that_asks_for_full_never_gets_less(place: Settings, setting: str, got: int) -> None:
    """The alerter's commits survive a power cut whatever the setting says; a stronger setting holds."""
    with Store(StrictKeeper, place.but(sqlite_synchronous=setting)) as store:
        assert pragma(store, "synchronous") == got


@pytest.mark.parametrize("clean", [True, False])
def test_the_log_can_be_switched_off_and_on_again(place: Settings, clean: bool) -> None:
    """A database changes between WAL and rollback journal with the setting, also after a kill, keeping its rows."""
    for count, wal in enumerate((True, False, True)):
        store = Store(Keeper, place.but(sqlite_wal_mode=wal))
        assert pragma(store, "journal_mode") == ("wal" if wal else "delete")
        assert store.db.execute("SELECT count(*) FROM first").fetchone()[0] == count
        store.db.execute("INSERT INTO first VALUES(1)")
        if clean:
            store.close()
        else:
            store.abandon()


# -- transactions


def test_a_transaction_is_all_or_nothing(place: Settings) -> None:
    """What the block raised comes out, nothing of it stays, and the next transaction works."""
    with Store(Keeper, place) as store:
        with pytest.raises(ZeroDivisionError):
            write(store, "INSERT INTO first VALUES(1)", ZeroDivisionError())
        with store.transaction() as db:
            db.execute("INSERT INTO first VALUES(2)")
        assert store.db.execute("SELECT a FROM first").fetchall() == [(2,)]


def test_a_full_disk_is_a_store_error_and_undone(place: Settings) -> None:
    """SQLite's refusal is wrapped with the path; the rows of the transaction are gone, the store goes on."""
    with Store(Keeper, place) as store:
        pages = pragma(store, "page_count")
        store.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="full") as caught:
            write(store, "INSERT INTO first VALUES(1), (zeroblob(1000000))")
        assert caught.value.path == file_of(place)
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        with store.transaction() as db:
            db.execute("INSERT INTO first VALUES(3)")
        assert store.db.execute("SELECT a FROM first").fetchall() == [(3,)]


# -- migrations


def test_numbers_of_both_kinds_of_steps_are_kept(place: Settings) -> None:
    """`user_version` is 1000 x runtime steps + own steps, and the file is marked as this actor's."""
    with Store(Keeper, place) as store:
        assert pragma(store, "user_version") == 1000 * len(RUNTIME_STEPS) + 2
        assert pragma(store, "application_id") == application_id("keeper")


def test_new_steps_run_once_over_old_rows(place: Settings) -> None:
    """A database grows step by step; a step is not run again."""
    with Store(grown(Keeper.tables[0]), place) as store:
        store.db.execute("INSERT INTO first VALUES(5)")
    steps = (*Keeper.tables, "ALTER TABLE first ADD COLUMN c DEFAULT 9; UPDATE first SET a = a + 1;")
    for _ in range(2):
        with Store(grown(*steps), place) as store:
            assert store.db.execute("SELECT a, c FROM first").fetchall() == [(6, 9)]


@pytest.mark.parametrize("broken", ["CREATE TABLE third(x); INSERT INTO nowhere VALUES(1);",
                                    "CREATE TABLE third(x); CREATE TABLE first(x);",
                                    "CREATE TABLE third(x); SELECT 'never closed"])
def test_a_failing_step_leaves_the_previous_version(place: Settings, broken: str) -> None:
    """No half of a step stays; the steps before it do; the mended step then runs."""
    with pytest.raises(StoreError):
        Store(grown(*Keeper.tables, broken), place)
    with Store(Keeper, place) as store:
        assert pragma(store, "user_version") % 1000 == 2
        assert store.db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'third'").fetchone()[0] == 0
    with Store(grown(*Keeper.tables, "CREATE TABLE third(x);"), place) as store:
        assert store.db.execute("SELECT count(*) FROM third").fetchone()[0] == 0


@pytest.mark.parametrize("statement", range(1, 6))
def test_a_kill_inside_a_step_leaves_the_previous_version(place: Settings, statement: int) -> None:
    """kill -9 after any statement of a step: the next start runs the whole step again."""
    with Store(Keeper, place):
        pass
    step = "".join(f"CREATE TABLE t{n}(x); " for n in range(5))

    def die() -> int:
        db = connect(file_of(place))
        executed = [0]

        def count(text: str) -> None:
            executed[0] += text.startswith("CREATE")
            if executed[0] == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        db.set_trace_callback(count)
        migrate(db, RUNTIME_STEPS, (*Keeper.tables, step), application_id("keeper"))
        return 0

    assert exit_code(fork(die)) == -signal.SIGKILL
    with Store(Keeper, place) as store:
        assert pragma(store, "user_version") % 1000 == 2
    with Store(grown(*Keeper.tables, step), place) as store:
        assert pragma(store, "user_version") % 1000 == 3
        assert store.db.execute("SELECT count(*) FROM t4").fetchone()[0] == 0


@pytest.mark.parametrize(("script", "count"), [
    ("CREATE TABLE a(x)", 1),
    ("CREATE TABLE a(x) -- no semicolon before a comment", 1),
    ("CREATE TABLE a(x); -- comment; with a semicolon\nCREATE TABLE b(y);", 2),
    ("CREATE TABLE a(x DEFAULT ';'); /* ; */ CREATE TABLE b(y)", 2),
    ("CREATE TABLE a(x); CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; SELECT 1; END;", 2),
    ("", 0), ("  \n", 0), ("-- nothing\n", 0),
])
def test_scripts_are_split_where_sqlite_splits_them(script: str, count: int) -> None:
    """Strings, comments, triggers and a missing last semicolon lose no statement and add none."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in statements(script):
        db.execute(statement)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == count


# -- refusals


def text_file(path: Path) -> None:
    """A file that is no database."""
    path.write_text("shopping list\n" * 100)


def short_file(path: Path) -> None:
    """A file too short for a header."""
    path.write_bytes(b"milk, eggs")


def other_program(path: Path) -> None:
    """A database of somebody else, without an application id."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs(x)")
    db.commit()
    db.close()


def other_program_in_wal_mode(path: Path) -> None:
    """The same, with a write-ahead log."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE theirs(x)")
    db.commit()
    db.close()


def marked_but_empty(path: Path) -> None:
    """Only an application id is set."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA application_id = 7")
    db.close()


def another_actor(path: Path) -> None:
    """The database of an actor that is not keeper."""
    cls = type("Other", (Actor,), {"name": "other", "tables": Keeper.tables})
    settings = defaults(home=path.parent.parent)
    Store(cls, settings).close()
    (settings.database_folder / "other.db").rename(path)


@pytest.mark.parametrize("make", [text_file, short_file, other_program, other_program_in_wal_mode, marked_but_empty,
                                  another_actor])
def test_a_foreign_file_is_refused_and_not_touched(place: Settings, make: Any) -> None:
    """The error names the file; its bytes, the folder and the lock are as they were."""
    place.database_folder.mkdir(parents=True)
    make(file_of(place))
    before, names = digest(file_of(place)), sorted(os.listdir(place.database_folder))
    for _ in range(2):
        with pytest.raises(ForeignDatabase, match=r"keeper\.db") as caught:
            Store(Keeper, place)
        assert caught.value.exit_code == 78
        assert digest(file_of(place)) == before
        assert sorted(os.listdir(place.database_folder)) == names


@pytest.mark.parametrize("version", [len(RUNTIME_STEPS) * 1000 + 3, (len(RUNTIME_STEPS) + 1) * 1000 + 2])
def test_a_newer_schema_is_refused_and_not_changed(place: Settings, version: int) -> None:
    """An older program does not touch what a newer one wrote: own or runtime steps."""
    with Store(Keeper, place) as store:
        store.db.execute(f"PRAGMA user_version = {version}")
    before = digest(file_of(place))
    with pytest.raises(NewerSchema) as caught:
        Store(Keeper, place)
    assert (caught.value.found, caught.value.known) == (version, len(RUNTIME_STEPS) * 1000 + 2)
    assert digest(file_of(place)) == before
    assert sorted(os.listdir(place.database_folder)) == ["keeper.db", "keeper.id"]


def test_a_database_that_is_a_folder_is_a_configuration_error(place: Settings) -> None:
    """The path is named."""
    file_of(place).mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"keeper\.db"):
        Store(Keeper, place)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that is mounted read-only; it holds the database of a keeper."""
    folder = tmp_path / "ro"
    Store(Keeper, defaults(home=folder)).close()
    mounted = subprocess.run(["mount", "--bind", folder, folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True, capture_output=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_read_only_home_is_a_configuration_error(read_only: Path) -> None:
    """A start on a read-only disk names the folder and exits with 78."""
    with pytest.raises(ConfigError, match="Read-only file system") as caught:
        Store(Keeper, defaults(home=read_only))
    assert caught.value.exit_code == 78


# -- ends


def test_a_clean_end_leaves_one_file(place: Settings) -> None:
    """Checkpointed and marked: no lock, no WAL; the next start knows, and keeps the epoch."""
    store = Store(Keeper, place)
    assert store.was_clean
    epoch = store.epoch
    store.db.execute("INSERT INTO first VALUES(1)")
    assert sorted(os.listdir(place.database_folder)) == ["keeper.db", "keeper.db-wal", "keeper.id", "keeper.lock"]
    store.close()
    store.close()
    assert sorted(os.listdir(place.database_folder)) == ["keeper.db", "keeper.id"]
    with Store(Keeper, place) as again:
        assert (again.was_clean, again.epoch) == (True, epoch)
        assert len(epoch) == 8


def test_an_unclean_end_is_known_and_loses_nothing(place: Settings) -> None:
    """After kill -9 the mark is there and every committed row too."""
    def write() -> int:
        store = Store(Keeper, place)
        with store.transaction() as db:
            db.execute("INSERT INTO first VALUES(1)")
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert exit_code(fork(write)) == -signal.SIGKILL
    with Store(Keeper, place) as store:
        assert not store.was_clean
        assert store.db.execute("SELECT count(*) FROM first").fetchone()[0] == 1
    with Store(Keeper, place) as store:
        assert store.was_clean


def test_a_file_left_empty_by_a_kill_is_made_anew(place: Settings) -> None:
    """A process that died before its first commit leaves an empty file, which is nobody's."""
    place.database_folder.mkdir(parents=True)
    file_of(place).touch()
    with Store(Keeper, place) as store:
        assert store.was_clean


def test_a_second_owner_is_refused_before_the_database_is_touched(place: Settings) -> None:
    """Another process gets 75 within a second, and the owner goes on."""
    with Store(Keeper, place) as store:
        assert exit_code(fork(lambda: Store(Keeper, place) and 0), 1.0) == 75
        with pytest.raises(OwnedElsewhere, match=str(os.getpid())):
            Store(Keeper, place)
        store.db.execute("INSERT INTO first VALUES(1)")


def test_no_other_process_can_read_or_write_beside_the_owner(place: Settings) -> None:
    """The exclusive lock holds against plain SQLite too: two writers cannot meet, by structure."""
    with Store(Keeper, place) as store:
        def intrude() -> int:
            db = sqlite3.connect(file_of(place), timeout=0.05)
            refused = 0
            for sql in ("SELECT * FROM first", "INSERT INTO first VALUES(1)"):
                try:
                    db.execute(sql).fetchall()
                except sqlite3.OperationalError as error:
                    refused += "locked" in str(error)
            return refused

        assert exit_code(fork(intrude)) == 2
        store.db.execute("INSERT INTO first VALUES(2)")
        assert store.db.execute("SELECT a FROM first").fetchall() == [(2,)]


def test_an_error_while_opening_lets_go_of_the_lock(place: Settings) -> None:
    """A start that failed does not stand in the way of the next one."""
    with pytest.raises(StoreError):
        Store(grown("CREATE TABLE first(x); BROKEN;"), place)
    assert exit_code(fork(lambda: Store(Keeper, place).close() or 0)) == 0


def test_a_long_reader_from_outside_delays_the_start_only(place: Settings) -> None:
    """A shell that still reads the file when the actor starts: the start waits, then works."""
    Store(Keeper, place).close()
    told, tell = os.pipe()

    def read() -> int:
        db = sqlite3.connect(file_of(place), isolation_level=None)
        db.execute("BEGIN")
        db.execute("SELECT * FROM first").fetchall()
        os.write(tell, b"x")
        signal.sigtimedwait([signal.SIGUSR1], 0.3)
        return 0

    pid = fork(read)
    os.read(told, 1)
    with Store(Keeper, place) as store:
        assert store.was_clean
    wait_until(lambda: exit_code(pid) == 0)
