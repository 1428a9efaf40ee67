"""`catalyst backup` and `catalyst restore`: a whole set of databases, copied beside the work and put back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.tracker import Tracker
from catalyst import cli
from catalyst.messages import ItemDropped
from catalyst.runtime.restored import PENDING
from catalyst.runtime.store import Store, connect
from catalyst.settings import defaults
from catalyst.testing import Bench, FakeClock
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running
from tests.runtime.forked import exit_code, fork

ACTORS = ("tracker", "market", "web")


def fill(home: Path, reason: str) -> None:
    """Databases of three actors that do not run; the tracker's holds one item that ended for `reason`."""
    from catalyst.runtime.roster import load_actor

    with Bench(Tracker, home, clock=FakeClock()) as bench:
        bench.send(ItemDropped(item_id=reason, stage="fetcher", reason=reason, dropped_ms=1))
    for name in ACTORS[1:]:
        Store(load_actor(name), defaults(home=home)).close()


def reasons(path: Path) -> list[str]:
    """The reasons in a tracker's database that nobody has open."""
    db = connect(path)
    try:
        return [row[0] for row in db.execute("SELECT reason FROM fates ORDER BY reason")]
    finally:
        db.close()


def meta(home: Path, name: str) -> dict[str, Any]:
    """The table `meta` of an actor that does not run."""
    db = connect(home / "db" / f"{name}.db")
    try:
        return dict(db.execute("SELECT key, value FROM meta"))
    finally:
        db.close()


def test_a_house_at_rest_and_at_work_is_backed_up(home: Path, tmp_path: Path, catalyst: Catalyst,
                                                   running: Running) -> None:
    """Running actors copy theirs, the others are copied under their lock; each copy is whole, and for nobody else."""
    fill(home, "before")
    (home / "watchlist.csv").write_text("ticker\nACME\n")
    running.spine()
    folder = tmp_path / "new" / "backup"
    done = catalyst("backup", str(folder), "--json")
    assert (done.code, done.err) == (0, "")
    assert set(done.json["actors"]) == {*ACTORS, "classifier", "fetcher"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["actors"]["market"]["integrity"] == "ok"
    assert manifest["actors"]["tracker"]["epoch"] == running.processes["tracker"].store.epoch.hex()
    assert [row["file"] for row in manifest["files"]] == ["watchlist.csv"]
    assert reasons(folder / "tracker.db") == ["backlog", "before"]
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "files")} == {0o700}
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "files", *(
        f"{name}.db" for name in manifest["actors"])}
    again = catalyst("backup", str(folder))
    assert (again.code, "holds a backup already" in again.err) == (64, True)


@pytest.mark.parametrize("full", [True, False])
def test_a_folder_that_holds_something_else_is_refused(home: Path, tmp_path: Path, catalyst: Catalyst,
                                                       full: bool) -> None:
    """A folder with other things is left alone; one in which a backup was broken off is made anew."""
    fill(home, "x")
    (tmp_path / "tracker.db").write_text("half")
    (tmp_path / ("letters.txt" if full else "unfinished")).write_text("")
    assert catalyst("restore", str(tmp_path), "--yes").code == 78
    done = catalyst("backup", str(tmp_path))
    assert done.code == (64 if full else 0), done.err
    assert (tmp_path / "manifest.json").exists() is not full
    assert (tmp_path / "tracker.db").read_bytes()[:4] == (b"half" if full else b"SQLi")
    assert not (tmp_path / "unfinished").exists()


def test_nothing_to_back_up(tmp_path: Path, catalyst: Catalyst) -> None:
    """A home without databases is told, and no folder made."""
    done = catalyst("backup", str(tmp_path / "b"))
    assert (done.code, "no database" in done.err, (tmp_path / "b").exists()) == (69, True, False)


def test_a_damaged_database_makes_no_backup(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """The copy is checked: damage is told, the folder has no manifest."""
    fill(home, "x" * 3_000)
    with (home / "db" / "tracker.db").open("r+b") as file:
        size = file.seek(0, 2)
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(b"\x55" * 64)
    done = catalyst("backup", str(tmp_path / "b"))
    assert (done.code, "tracker" in done.err) == (69, True)
    assert not (tmp_path / "b" / "manifest.json").exists()
    assert "broken off" in catalyst("restore", str(tmp_path / "b"), "--yes").err


def test_a_restore_while_nothing_runs(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """The state of the backup is back, each database reborn, the present ones and lists aside."""
    fill(home, "old")
    (home / "watchlist.csv").write_text("ticker\nOLD\n")
    epoch = meta(home, "tracker")["epoch"]
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    fill(home, "new")
    (home / "watchlist.csv").write_text("ticker\nNEW\n")
    refused = catalyst("restore", str(tmp_path / "b"))
    assert (refused.code, "--yes" in refused.err) == (64, True)
    assert reasons(home / "db" / "tracker.db") == ["new", "old"]
    done = catalyst("restore", str(tmp_path / "b"), "--yes", "--all", "--json")
    assert (done.code, sorted(done.json["restored"]), done.json["started"]) == (0, sorted(ACTORS), False)
    assert reasons(home / "db" / "tracker.db") == ["old"]
    found = meta(home, "tracker")
    assert found["epoch"] != epoch
    assert found["reborn_ms"] > 1_700_000_000_000
    assert reasons(next((home / "db").glob("tracker.replaced-*.db"))) == ["new", "old"]
    assert "OLD" in (home / "watchlist.csv").read_text()
    assert "NEW" in next(home.glob("watchlist.csv.replaced-*")).read_text()
    assert len(done.json["aside"]) == 4
    with Bench(Tracker, home) as bench:
        assert bench.verb("fates", ids=["old"])["fates"]["old"]["reason"] == "old"


def test_what_went_out_since_stays_known(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """The tracker's database goes on from the backup's and is kept; one that is damaged or made anew is replaced."""
    fill(home, "old")
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    fill(home, "new")
    done = catalyst("restore", str(tmp_path / "b"), "--yes", "--json")
    assert (sorted(done.json["restored"]), done.json["kept"]) == (["market", "web"], ["tracker"])
    assert reasons(home / "db" / "tracker.db") == ["new", "old"]
    assert "reborn_ms" not in meta(home, "tracker")
    path = home / "db" / "tracker.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\x55" * (len(whole) - 8192))
    assert catalyst("restore", str(tmp_path / "b"), "--yes", "--json").json["kept"] == []
    assert reasons(path) == ["old"]
    path.unlink()
    fill(home, "anew")
    assert catalyst("restore", str(tmp_path / "b"), "--yes", "--json").json["kept"] == []
    assert reasons(path) == ["old"]


def test_a_restore_into_an_empty_home(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """Nothing is there to be moved aside."""
    fill(home, "old")
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    shutil.rmtree(home / "db")
    done = catalyst("restore", str(tmp_path / "b"), "--yes", "--json")
    assert (done.code, done.json["aside"]) == (0, [])
    assert reasons(home / "db" / "tracker.db") == ["old"]


def change(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text with one piece replaced."""
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(("file", "edit", "words"), [
    ("manifest.json", lambda text: b"{", "cannot be read"),
    ("manifest.json", lambda text: change(text, b'"format": 1', b'"format": 2'), "format 2"),
    ("manifest.json", lambda text: change(text, b'"market.db"', b'"../m.db"'), "outside"),
    ("manifest.json", lambda text: change(text, b'"market":', b'"broker":'), "broker"),
    ("manifest.json", lambda text: text.replace(b'"tracker.db"', b'"other.db"'), "other.db"),
    ("tracker.db", lambda text: text[:5000] + bytes([text[5000] ^ 1]) + text[5001:], "differs"),
    ("tracker.db", lambda text: text[:-4096], "differs"),
])
def test_an_unsound_backup_is_refused(home: Path, tmp_path: Path, catalyst: Catalyst, file: str, edit: Any,
                                      words: str) -> None:
    """A manifest that cannot be, and a file that is not the one written, are told before anything is touched."""
    fill(home, "old")
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    fill(home, "new")
    path = tmp_path / "b" / file
    path.write_bytes(edit(path.read_bytes()))
    done = catalyst("restore", str(tmp_path / "b"), "--yes")
    assert done.code == 78
    assert words in done.err
    assert reasons(home / "db" / "tracker.db") == ["new", "old"]
    assert not list((home / "db").glob("*replaced*"))
    assert not (home / "db" / PENDING).exists()


def test_a_backup_of_a_newer_version_is_refused(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """Its schema is looked at in the copy, and nothing is touched."""
    fill(home, "old")
    db = connect(home / "db" / "market.db")
    db.execute("PRAGMA user_version = 2099")
    db.close()
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    done = catalyst("restore", str(tmp_path / "b"), "--yes")
    assert (done.code, "2099" in done.err) == (78, True)
    assert sorted(path.name for path in (home / "db").glob("*.db")) == [f"{name}.db" for name in sorted(ACTORS)]


STEPS = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "open", "sqlite3.connect"})


def killed_at(number: int, *words: str) -> bool:
    """Run a command in a child that is killed before its step `number` on files; False where it has fewer."""
    def work() -> int:
        count = [0]

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in STEPS and str(arguments[0]).startswith(("/tmp", "b'/tmp")):
                count[0] += 1
                if count[0] == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.addaudithook(hook)
        return cli.main(words)

    code = exit_code(fork(work), 30)
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.long)])
def test_a_restore_that_is_killed_anywhere_is_completed_by_the_next(home: Path, tmp_path: Path, catalyst: Catalyst,
                                                                    stride: int) -> None:
    """Killed before its step n, until n is behind the last: an actor opens the old or the new database, whole; the
    same command again, and all is new."""
    fill(home, "old")
    assert catalyst("backup", str(tmp_path / "b")).code == 0
    fill(home, "new")
    shutil.copytree(home / "db", tmp_path / "db")
    number, kills, seen = 1 - stride, 0, set()
    went_on = True
    while went_on:
        number += stride
        kills += 1
        shutil.rmtree(home / "db")
        shutil.copytree(tmp_path / "db", home / "db")
        went_on = killed_at(number, "restore", str(tmp_path / "b"), "--yes", "--all", "--json")
        if kills % 2:  # an actor is started before the command is given again
            with Bench(Tracker, home) as bench:
                found = tuple(row[0] for row in bench.rows("SELECT reason FROM fates ORDER BY reason"))
                assert found == (("old",) if bench.store.reborn_ms else ("new", "old"))
                seen.add(found)
        assert catalyst("restore", str(tmp_path / "b"), "--yes", "--all").code == 0
        assert reasons(home / "db" / "tracker.db") == ["old"]
        assert ["new", "old"] in [reasons(path) for path in (home / "db").glob("tracker.replaced-*.db")]
        assert {path.name for path in (home / "db").iterdir() if path.suffix not in (".db", ".id")} == set()
    assert number > 40
    assert seen == {("old",), ("new", "old")}
    print(f"{kills - 1} kills, the last before step {number - stride}")


def test_a_backup_that_is_killed_anywhere_is_none(home: Path, tmp_path: Path, catalyst: Catalyst) -> None:
    """Killed before any of its steps it is refused by restore; made again in the same folder it is whole."""
    fill(home, "old")
    number, went_on = -1, True
    while went_on:
        number += 2
        went_on = killed_at(number, "backup", str(tmp_path / "b"))
        whole = (tmp_path / "b" / "manifest.json").exists()
        if whole:  # nothing but the mark was left to do
            assert catalyst("restore", str(tmp_path / "b"), "--yes").code == 0
            shutil.rmtree(tmp_path / "b")
        else:
            assert catalyst("restore", str(tmp_path / "b"), "--yes").code == 78
        if number % 5 == 0 and not whole:
            assert catalyst("backup", str(tmp_path / "b")).code == 0
            shutil.rmtree(tmp_path / "b")
    assert number > 20
