"""Databases that are damaged under a running house, and two hundred seeded damages of each: found, refilled, told."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalyst.bench.house import House
from catalyst.chaos.damage import damage
from catalyst.chaos.strike import integrity, truth
from catalyst.chaos.verdict import judge
from catalyst.errors import Damaged
from catalyst.runtime.control import Control
from catalyst.runtime.damage import Checkup
from catalyst.runtime.roster import ALL, WORKERS, load_actor
from catalyst.runtime.store import Store
from catalyst.runtime.wal import read_log
from catalyst.settings import Settings, defaults
from catalyst.testing import FakeClock, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SEEDS = 200
Rows = dict[str, list[tuple[Any, ...]]]


def set_aside(house: House) -> list[str]:
    """Whose databases were set aside, as the supervisor stored it."""
    with Control(house.home / "run") as control:
        found = control.ask("supervisor", "incidents", 5.0)["incidents"]
    return sorted(row["subject"] for row in found if row["kind"] == "set_aside")


def strike(house: House, name: str, kind: str) -> None:
    """Kill an actor and damage its database before anybody starts it again."""
    house.kill("supervisor", signal.SIGSTOP)
    house.kill(name)
    wait_until(lambda: house.pid(name) is None, 5, f"{name} is gone")
    damage(house.home / "db", name, 1, kind)
    house.kill("supervisor", signal.SIGCONT)


def test_a_day_with_damaged_databases(tmp_path: Path) -> None:
    """Log of the classifier, file of the alerter, the tracker's mapped file cut off while it runs: all come back, the
    day ends as without, nothing is posted twice unmarked, the operator is told of each."""
    with House(tmp_path, items=80, duration_s=8) as house:
        house.open_world()
        house.up()
        wait_until(lambda: len(house.sent()["events"]) > 5, 30, "alerts go out")
        house.catalyst("restart", "tracker")  # its rows go from the log into the file
        strike(house, "classifier", "wal_half")
        strike(house, "alerter", "empty")
        file = house.home / "db" / "tracker.db"
        wait_until(lambda: house.pid("tracker") is not None and file.stat().st_size > 9_000, 10, "the tracker is back")
        before = house.pid("tracker")
        os.truncate(file, 4096)
        wait_until(lambda: house.pid("tracker") not in (None, before), 60, "the tracker was ended and is back")
        wait_until(lambda: set_aside(house) == ["alerter", "classifier", "tracker"], 30, "all are told of")
        items = house.wait_until_settled(120)
        verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house),
                        alerter_kills=len(house.sent()["messages"]))
        verdict.mismatched.clear()  # this is how the neighbours of a lost database find it
        assert verdict.is_good, verdict.rows()
        told = [message for message in house.sent()["messages"] if "was damaged" in str(message["payload"])]
        assert len(told) == 3
        folders = {path.name.split("-")[0] for path in (house.home / "db" / "aside").iterdir()}
        assert folders == {"alerter", "classifier", "tracker"}


# -- two hundred of each


def worked_home(folder: Path) -> Path:
    """The database folder of a house that has worked a small day: rows in the files and, after a kill, in the logs."""
    with House(folder, items=160, duration_s=12) as house:
        house.open_world()
        house.up()
        wait_until(lambda: len(house.sent()["events"]) > 15, 40, "alerts go out")
        for name in WORKERS:
            house.catalyst("restart", name)
        house.wait_until_running()
        house.wait_until_settled(120)
        for name in ("supervisor", *WORKERS):
            house.kill(name)
        wait_until(lambda: not any(house.pid(name) for name in ALL), 5)
        shutil.copytree(house.home / "db", folder / "worked")
    return folder / "worked"


class Copy:
    """A copy of one actor's files in a home of its own, to be damaged."""

    def __init__(self, worked: Path, name: str, home: Path):
        self.name, self.home = name, home
        self.path = home / "db" / f"{name}.db"
        self.settings: Settings = defaults(home=home, sqlite_synchronous="OFF")
        shutil.rmtree(home, ignore_errors=True)
        self.path.parent.mkdir(parents=True)
        for file in worked.glob(f"{name}.*"):
            shutil.copy(file, self.path.parent / file.name)

    def open(self, *, suspect: bool = False) -> Store:
        """As a start opens it."""
        return Store(load_actor(self.name), self.settings, suspect=suspect)

    def rows(self, store: Store) -> Rows:
        """Every row of every table, but what each start writes."""
        names = [row[0] for row in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [row for row in store.db.execute(f'SELECT * FROM "{name}"')
                       if name != "meta" or row[0] not in ("open", "boot")] for name in sorted(names)}


def found_later(store: Store) -> bool:
    """Whether the round of checks after the start finds damage."""
    clock = FakeClock()
    checkup = Checkup(store.db, store.beside, clock)
    while not checkup.rounds:
        clock.advance(10)
        try:
            checkup.step()
        except Damaged:
            return True
    return False


def earlier_rows(worked: Path, copy: Copy, wal: bytes, scratch: Path) -> Rows:
    """The rows as of the last commit in the log before the first byte that differs from the undamaged one."""
    whole = Copy(worked, copy.name, scratch)
    file = Path(f"{whole.path}-wal")
    data, log = file.read_bytes(), read_log(whole.path)
    assert log is not None
    same = next((at for at, pair in enumerate(zip(data, wal, strict=False)) if pair[0] != pair[1]),
                min(len(data), len(wal)))
    step = log.page_bytes + 24
    commits = [n + 1 for n, (_, size, salts, _) in log.frames() if size and salts == log.salts]
    kept = max((n for n in commits if 32 + n * step <= same), default=0)
    file.write_bytes(data[:32 + kept * step] if kept else b"")
    with closing(whole.open()) as store:
        return whole.rows(store)


def judged(worked: Path, name: str, seed: int, whole: Rows, folder: Path) -> tuple[str, str]:
    """(verdict over one damage, what was done). The start after the next finds nothing any more."""
    copy = Copy(worked, name, folder / "home")
    told = damage(copy.path.parent, name, seed)
    wal = Path(f"{copy.path}-wal")
    left = wal.read_bytes() if wal.exists() else b""
    store = copy.open()
    verdict = "at the start"
    if not store.set_aside:
        verdict = "in the round" if found_later(store) else ""
        if verdict:
            store.beside.suspect("found by the round")
            store.abandon()
            store = copy.open()
            if not store.set_aside:
                return f"not set aside: {told}", told
    rows = copy.rows(store) if not verdict else {}
    is_told = bool(store.rows_lost)
    store.close()
    with closing(copy.open(suspect=True)) as again:
        if bool(again.set_aside) is not bool(verdict) or found_later(again):
            return f"looping: {told}", told
    if verdict:
        return verdict, told
    if rows == whole:
        return "did no harm", told
    if told.startswith("wal") and rows == earlier_rows(worked, copy, left, folder / "scratch"):
        return "an earlier commit, told at the start" if is_told else "an earlier commit, for the links to tell", told
    return "changed within a row", told


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_two_hundred_damages_of_each_database(tmp_path: Path) -> None:
    """Of each actor's database: every damage is found at the start or in the round after it and set aside, or did no
    harm, or is an earlier commit as a whole; none is found twice. A changed row that SQLite cannot know is counted."""
    worked = worked_home(tmp_path)
    series(worked, tmp_path, SEEDS)


def series(worked: Path, folder: Path, seeds: int) -> None:
    """So many damages of each database, judged and printed."""
    bad = []
    for name in ALL:
        intact = Copy(worked, name, folder / "intact")
        with closing(intact.open()) as store:
            assert not store.set_aside
            whole = intact.rows(store)
        counts: Counter[str] = Counter()
        for seed in range(seeds):
            verdict, told = judged(worked, name, seed, whole, folder)
            counts[verdict.split(":")[0]] += 1
            if verdict.startswith(("looping", "not set", "changed")):
                bad.append(f"{name} {seed} {verdict} ({told})")
        size = sum(file.stat().st_size for file in worked.glob(f"{name}.db*"))
        print(f"{name} ({size / 1e6:.1f} MB): {dict(counts.most_common())}")
    print("\n".join(bad))
    assert not [line for line in bad if "changed within" not in line], bad
    assert len(bad) <= seeds * len(ALL) // 100, bad
