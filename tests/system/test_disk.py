"""A whole house on a small disk that is filled and emptied again: nothing lost, nobody dies of it, no hand needed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalyst.bench.house import House
from catalyst.chaos.disk import SmallDisk
from catalyst.chaos.strike import integrity, truth
from catalyst.chaos.verdict import judge
from catalyst.commands.chaos import keep
from catalyst.errors import UnavailableError
from catalyst.runtime.control import Control
from catalyst.runtime.roster import ALL
from catalyst.testing import wait_until
from tests.runtime.cast import Giver, Taker
from tests.runtime.forked import Town, town

pytestmark = [pytest.mark.system, pytest.mark.timeout(240),
              pytest.mark.skipif(bool(SmallDisk.available()), reason=SmallDisk.available())]

MB = 1 << 20
SHOWN_S = 5.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, beside the disk."""
    made = Path(tempfile.mkdtemp(prefix="cat-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def rows(house: House) -> dict[str, dict[str, Any]]:
    """Rows of `catalyst status` by actor."""
    return {row["name"]: row for row in house.status()["actors"]}


def all_say(house: House, storage: str) -> bool:
    """Whether every actor says this of its disk."""
    found = rows(house)
    return set(found) == set(ALL) and all(row["storage"] == storage for row in found.values())


def ask(house: House, path: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a page."""
    with Control(house.home / "run") as control:
        url = control.ask("web", "address", 5.0)["url"]
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def is_good(house: House, items: dict[str, dict[str, Any]], alerter_kills: int) -> None:
    """The verdict of the chaos driver over a day that is over."""
    verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house), alerter_kills=alerter_kills)
    assert verdict.is_good, (verdict.rows(), verdict.mismatched)


def test_a_full_disk_is_waited_for(folder: Path) -> None:
    """Shown within 5 s, deaths on it are ordinary, and with room again the day ends as if nothing had been."""
    with House(folder, items=60, duration_s=8) as house, SmallDisk(house.home, 64 * MB) as disk:
        house.open_world()
        house.up()
        wait_until(lambda: house.sent()["events"], 30, "the first alert")
        disk.fill()
        wait_until(lambda: all_say(house, "full"), SHOWN_S, "every actor says that the disk is full")
        assert house.status()["idle"] is False
        assert "the disk is full" in house.catalyst("status")
        health, ready = wait_until(lambda: _shown(house), SHOWN_S, "health and readiness say it")
        assert "storage_full" in health["reasons"]
        assert any(word.startswith("storage_full:") for word in ready["reasons"])
        before = {name: house.pid(name) for name in ALL}
        starts = {name: row["restarts"] for name, row in rows(house).items()}
        for name in ("market", "fetcher"):
            house.kill(name)
        starts |= {name: starts[name] + 1 for name in ("market", "fetcher")}
        wait_until(lambda: {name: row["restarts"] for name, row in rows(house).items()} == starts, 15, "started again")
        disk.free()
        wait_until(lambda: all_say(house, ""), 15, "every actor stores again")
        items = house.wait_until_settled(90)
        assert {name: house.pid(name) for name in ALL if house.pid(name) != before[name]}.keys() == {
            "market", "fetcher"}
        assert {name: row["restarts"] for name, row in rows(house).items()} == starts, "no crash loop"
        assert house.query("supervisor", "SELECT count(*) AS n FROM restarts") == [{"n": sum(starts.values())}]
        is_good(house, items, 0)


def _shown(house: House) -> tuple[dict[str, Any], dict[str, Any]] | None:
    (code, health), (unready, ready) = ask(house, "healthz"), ask(house, "readyz")
    return (health, ready) if (code, unready) == (503, 503) else None


@pytest.fixture
def pair(folder: Path) -> Iterator[tuple[Town, SmallDisk]]:
    """A giver and a taker whose home is on a small disk; the giver runs."""
    with SmallDisk(folder / "home", 8 * MB) as disk, town(folder / "home", Giver, Taker) as made:
        made.start("giver")
        made.ready("giver")
        yield made, disk


def _storage(made: Town, name: str) -> str:
    """What an actor says of its disk; nothing while it does not answer yet."""
    try:
        return str(made.ask(name, "status")["storage"])
    except UnavailableError:
        return ""


def test_a_start_on_a_full_disk_waits_in_it(pair: tuple[Town, SmallDisk]) -> None:
    """No file can be made or grow: the process lives, beats as starting, says why; with room it goes on at once."""
    made, disk = pair
    disk.fill()
    made.start("taker")
    began_s = time.monotonic()
    wait_until(lambda: time.monotonic() - began_s > 1.2 or psutil.Process(made.pids["taker"]).status() == "zombie", 5)
    assert psutil.Process(made.pids["taker"]).status() != "zombie", "it waits for the room of its lock file"
    disk.free()
    made.ready()
    made.ask("giver", "give", count=200)
    wait_until(lambda: made.number("taker", "SELECT count(*) FROM seen") >= 200, 15, "all parcels")
    disk.fill()
    made.kill("taker")
    made.start("taker")
    disk.fill()
    wait_until(lambda: _storage(made, "taker") == "full", 10, "it says so")
    assert made.ask("taker", "status")["state"] in ("starting", "running")  # its WAL may have room for the mark
    assert made.stop("taker", 4) in (0, -signal.SIGTERM)


def test_logs_of_a_full_disk_are_whole_lines_afterwards(pair: tuple[Town, SmallDisk]) -> None:
    """Every line of the log can be read after the disk was full in the middle of one, and lost ones are counted."""
    made, disk = pair
    made.ask("giver", "log-level", level="debug")
    disk.fill()
    for _ in range(600):
        made.ask("giver", "reload")  # a line each
    disk.free()
    made.ask("giver", "reload")
    lines = (made.settings.log_folder / "giver.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines if line.endswith("}")]
    assert len(lines) - len(events) <= 1, "one line may be cut where the disk was full"
    assert "log_lines_lost" in events
    assert events[-1] == "reloaded"


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("wal", ["1", "0"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_day_on_a_disk_that_fills_up_again_and_again(folder: Path, wal: str, seed: int) -> None:
    """1,200 items, eight rounds of a full disk at seeded moments, kills meanwhile: the promise holds."""
    chance = random.Random(seed)
    kills = 0
    with (House(folder, items=1_200, seed=seed, duration_s=90, SQLITE_WAL_MODE=wal, CATALYST_CHARTS="off") as house,
          SmallDisk(house.home, 160 * MB) as disk):
        house.open_world()
        keep(house)
        shown_s, back_s = [], []
        for _ in range(8):
            _pause(chance.uniform(1, 8))
            disk.fill()
            began_s = time.monotonic()
            wait_until(lambda: all_say(house, "full"), 20, "shown")
            shown_s.append(time.monotonic() - began_s)
            for name in chance.sample(ALL, 2):
                kills += name == "alerter"
                house.kill(name)
            _pause(chance.uniform(0, 6))
            if chance.random() < 0.5:
                disk.free()
            else:
                disk.resize(os.statvfs(house.home).f_blocks * 4096 + 24 * MB)
            began_s = time.monotonic()
            wait_until(lambda: all_say(house, ""), 60, "all store again")
            back_s.append(time.monotonic() - began_s)
            wait_until(house.all_running, 60, "all run")
        disk.free()  # rounds that ended by a larger disk left their ballast on it
        items = house.wait_until_settled(300)
        is_good(house, items, kills)
        print(f"seed {seed}, WAL {wal}: {len(items)} items, shown after {max(shown_s):.1f} s at the longest,"
              f" all store again after {max(back_s):.1f} s at the longest, {kills} kills of the alerter")


def _pause(seconds: float) -> None:
    """Let the day go on for a time."""
    end_s = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end_s, seconds + 5)
