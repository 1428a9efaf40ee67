"""Errors of the disk, put into the system calls of one process by strace(1): what was acknowledged is stored."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from catalyst.errors import StoreError
from catalyst.runtime.storage import FAILING_S
from catalyst.testing import Bench, wait_until
from tests.runtime.cast import Giver, Parcel, Taker
from tests.runtime.forked import Town, exit_code, fork, town

PARCELS = 20
TRIES = 3


def tracing() -> str:
    """Why strace cannot be used here; empty where it can."""
    if shutil.which("strace") is None:
        return "there is no strace here: apt-get install strace"
    done = subprocess.run(["strace", "-o", os.devnull, "-e", "inject=getppid:error=EIO", "true"], capture_output=True,
                          text=True, timeout=20, check=False)
    return "" if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:100]}"


pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.skipif(bool(tracing()), reason=tracing())]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path."""
    made = Path(tempfile.mkdtemp(prefix="cat-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Injected:
    """strace on a process: `what` happens to its calls on the files of one database. A context manager."""

    def __init__(self, pid: int, database: Path, what: str):
        files = [word for ending in ("", "-wal", "-journal") for word in ("-P", f"{database}{ending}")]
        command = ["strace", "-f", "-p", str(pid), "-o", os.devnull, *files, "-e", f"inject={what}"]
        self._strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def __enter__(self) -> Injected:
        assert self._strace.stderr is not None
        while "attached" not in (line := self._strace.stderr.readline()):
            assert line or self._strace.poll() is None, "strace ended"
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._strace.send_signal(signal.SIGINT)  # lets go of the process
        self._strace.wait(10)
        assert self._strace.stderr is not None
        self._strace.stderr.close()


def write(home: Path, go: int, acknowledged: int, wal: bool) -> int:
    """Once a byte comes: handle the parcels, each again when it is refused, and name each that was committed."""
    os.read(go, 1)
    bench, refused = None, 0
    while bench is None and refused < TRIES:
        try:
            bench = Bench(Taker, home, sqlite_wal_mode=wal)
        except (StoreError, sqlite3.OperationalError):
            refused += 1
    for number in range(PARCELS) if bench is not None else ():
        for _ in range(TRIES):
            try:
                bench.send(Parcel(item_id=f"item{number}", number=number, padding="x" * 3_000))
            except (StoreError, sqlite3.OperationalError):  # the latter: not even half a transaction can be taken back
                refused += 1
            else:
                os.write(acknowledged, bytes([number]))
                break
        else:
            break  # from here on all is refused
    os.write(acknowledged, bytes([200 + min(refused, 50)]))
    return 0


def struck(home: Path, what: str, wal: bool) -> tuple[list[int], int]:
    """(parcels whose commit was acknowledged, refusals) of a writer to whom `what` happens."""
    (go, start), (results, acknowledged) = os.pipe(), os.pipe()
    pid = fork(lambda: write(home, go, acknowledged, wal))
    with Injected(pid, home / "db" / "taker.db", what):
        os.write(start, b"x")
        assert exit_code(pid, 30) == 0
    os.close(acknowledged)
    said = os.read(results, 1_000)
    for fd in (go, start, results):
        os.close(fd)
    assert said[-1] >= 200
    return list(said[:-1]), said[-1] - 200


def strike_each(folder: Path, calls: Iterable[int], again: str, error: str, wal: bool) -> tuple[int, int]:
    """The n-th write fails, for each n of `calls`; after each the file is whole and holds what was acknowledged.
    (runs that were refused something, parcels that were not acknowledged)."""
    met = missing = 0
    for n in calls:
        home = folder / f"{n}"
        acknowledged, refused = struck(home, f"pwrite64:error={error}:when={n}{again}", wal)
        met += refused > 0
        missing += PARCELS - len(acknowledged)
        if again == "":
            assert acknowledged == list(range(PARCELS)), f"write {n}: one refusal costs one try"
        with Bench(Taker, home, sqlite_wal_mode=wal) as bench:
            assert bench.rows("PRAGMA integrity_check") == [("ok",)], f"write {n}"
            assert [row[0] for row in bench.rows("SELECT number FROM seen ORDER BY n")] == acknowledged, f"write {n}"
        shutil.rmtree(home)
    return met, missing


@pytest.mark.parametrize(("again", "error"), [("", "ENOSPC"), ("+", "ENOSPC"), ("", "EIO")])
def test_some_writes_fail(folder: Path, again: str, error: str) -> None:
    """The 3rd, the 60th, the 120th write of an actor fails, or all from there on."""
    met, _ = strike_each(folder, (3, 60, 120), again, error, True)
    assert met > 0


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("wal", [True, False], ids=["wal", "delete"])
@pytest.mark.parametrize("again", ["", "+"], ids=["once", "from then on"])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_every_write_fails_in_its_turn(folder: Path, error: str, again: str, wal: bool) -> None:
    """The n-th write, n = 1 to 200: acknowledged is stored, the file is whole, each time."""
    met, missing = strike_each(folder, range(1, 201), again, error, wal)
    assert met > 100
    which = "from the n-th write on" if again else "at the n-th write"
    print(f"{error} {which}, {'WAL' if wal else 'DELETE'}: 200 runs, {met} met a refusal, {missing} parcels refused,"
          " integrity and acknowledged = stored in all")


@pytest.fixture
def pair(folder: Path) -> Iterator[Town]:
    """A giver and a taker, both running."""
    with town(folder, Giver, Taker) as made:
        made.start()
        made.ready()
        yield made


def test_an_error_that_passes_costs_nothing(pair: Town) -> None:
    """A few writes fail in a running actor: it goes on, each parcel is taken once, the links agree."""
    with Injected(pair.pids["taker"], pair.settings.database_folder / "taker.db", "pwrite64:error=EIO:when=5..9"):
        pair.ask("giver", "give", count=300)
        wait_until(lambda: pair.number("taker", "SELECT count(*) FROM seen") >= 300, 30, "all parcels")
    assert pair.rows("taker", "SELECT count(*), count(DISTINCT number) FROM seen") == [[300, 300]]
    wait_until(lambda: pair.ask("giver", "status")["outbox"] == 0, 10, "acknowledged")
    assert [pair.number(name, "SELECT count(*) FROM incidents") for name in ("giver", "taker")] == [0, 0]
    assert pair.ask("taker", "integrity")["integrity"] == "ok"
    assert pair.ask("taker", "status")["storage"] == ""
    events = [json.loads(line)["event"] for line in (pair.settings.log_folder / "taker.jsonl").read_text().splitlines()]
    assert (events.count("storage_refuses"), events.count("storage_works")) == (1, 1)


@pytest.mark.long
def test_errors_that_do_not_pass_end_the_process_with_a_mark(pair: Town) -> None:
    """Shown within a turn; after ten seconds the process ends by itself, and its next start is told to look."""
    with Injected(pair.pids["taker"], pair.settings.database_folder / "taker.db", "pwrite64:error=EIO"):
        pair.ask("giver", "give", count=10)
        wait_until(lambda: pair.ask("taker", "status")["storage"] == "failing", 5, "shown")
        assert exit_code(pair.pids.pop("taker"), FAILING_S + 10) == 1
    assert "disk I/O error" in (pair.settings.database_folder / "taker.suspect").read_text()
    pair.start("taker")
    wait_until(lambda: pair.number("taker", "SELECT count(*) FROM seen") == 10, 15, "all parcels")
