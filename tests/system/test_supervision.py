"""Supervision with real processes: deaths, adoption, a dead or stuck fork server, one copy of each, clean ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from catalyst.bench.house import House
from catalyst.runtime.roster import ALL, WORKERS
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A running house with a small day."""
    with House(tmp_path, items=20, duration_s=5) as opened:
        opened.open_world()
        opened.up()
        yield opened


def pids(house: House) -> dict[str, int | None]:
    """Process id of every worker."""
    return {name: house.pid(name) for name in WORKERS}


def lives(process: psutil.Process) -> bool:
    """Whether a process runs and is not only waited for; it may end while it is looked at."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def copies(house: House) -> dict[str, int]:
    """How many processes with the title of each actor belong to this home (its lock file is open in them)."""
    found = dict.fromkeys(ALL, 0)
    for process in psutil.process_iter(["pid", "cmdline"]):
        title = " ".join(process.info["cmdline"] or ())
        for name in ALL:
            if title.startswith(f"catalyst: {name}") and holds_home(process.info["pid"], house.home):
                found[name] += 1
    return found


def holds_home(pid: int, home: Path) -> bool:
    """Whether a process has a file of `home` open."""
    try:
        return any(str(home) in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def fork_server(house: House) -> int:
    """Process id of the supervisor's fork server."""
    children = psutil.Process(house.pid("supervisor")).children()
    return next(child.pid for child in children if "forkserver" in " ".join(child.cmdline()))


def one_of_each(house: House) -> bool:
    """Whether exactly one copy of every actor runs."""
    return copies(house) == dict.fromkeys(ALL, 1)


def started_lines(house: House, name: str) -> list[dict[str, object]]:
    """The `started` events of an actor's log."""
    lines = (house.home / "logs" / f"{name}.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [event for event in events if event["event"] == "started"]


def test_a_killed_actor_is_replaced(house: House) -> None:
    """After kill -9 another process runs the actor, and status counts the restart."""
    old = house.kill("market")
    wait_until(lambda: house.pid("market") not in (None, old), 5, "a new market")
    wait_until(house.all_running, 10)
    row = next(row for row in house.status()["actors"] if row["name"] == "market")
    assert row["restarts"] == 1


def test_actors_start_with_their_imports_done(house: House) -> None:
    """A started actor found what it needs in the fork server: nothing is imported between fork and first turn."""
    for name in WORKERS:
        house.kill(name)
        wait_until(lambda name=name: len(started_lines(house, name)) >= 2, 10)
    assert {name: started_lines(house, name)[-1]["late_imports"] for name in WORKERS} == dict.fromkeys(WORKERS, "")


def test_a_new_supervisor_adopts_the_living(house: House) -> None:
    """kill -9 of the supervisor and a new one: no actor's pid changes, and the new one sees the next death."""
    before = pids(house)
    house.kill("supervisor")
    wait_until(lambda: house.pid("supervisor") is None)
    house.up()
    assert pids(house) == before
    old = house.kill("tracker")
    wait_until(lambda: house.pid("tracker") not in (None, old), 10, "a new tracker")
    wait_until(lambda: one_of_each(house), 10)


def test_a_killed_fork_server_is_replaced(house: House) -> None:
    """With the fork server gone the living stay, and the next dead actor starts through a new one."""
    before = pids(house)
    os.kill(fork_server(house), signal.SIGKILL)
    old = house.kill("classifier")
    wait_until(lambda: house.pid("classifier") not in (None, old), 15, "a new classifier")
    wait_until(house.all_running, 15)
    after = pids(house)
    assert {name for name in WORKERS if before[name] != after[name]} == {"classifier"}
    wait_until(lambda: one_of_each(house), 5, "one copy of each")


def test_a_stopped_fork_server_is_replaced(house: House) -> None:
    """A fork server that does not answer for 3 s is killed; afterwards there is one copy of each actor."""
    server = fork_server(house)
    os.kill(server, signal.SIGSTOP)
    try:
        old = house.kill("market")
        wait_until(lambda: house.pid("market") not in (None, old), 15, "a new market")
    finally:
        if psutil.pid_exists(server):
            os.kill(server, signal.SIGCONT)
    wait_until(house.all_running, 15)
    wait_until(lambda: one_of_each(house), 5, "one copy of each")


def test_a_second_copy_exits_75_at_once(house: House) -> None:
    """A second `catalyst actor classifier` ends within a second, naming the pid of the first, with one plain line."""
    began_s = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "catalyst", "actor", "classifier"], env=house.environment,
                          cwd=house.home, capture_output=True, text=True, timeout=20)
    took_s = time.monotonic() - began_s
    assert done.returncode == 75
    assert str(house.pid("classifier")) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert took_s < 5  # the acceptance figure, 1 s, is measured on a quiet machine


def test_the_end_of_the_supervisor_ends_all(house: House) -> None:
    """SIGTERM to a supervisor with adopted actors: within 10 s no process of this home is left."""
    house.kill("supervisor")
    wait_until(lambda: house.pid("supervisor") is None)
    house.up()
    house.kill("supervisor", signal.SIGTERM)
    wait_until(lambda: copies(house) == dict.fromkeys(ALL, 0), 10, "everything ended")
    assert not list((house.home / "db").glob("*.lock"))


def test_down_works_without_a_supervisor(house: House) -> None:
    """`catalyst down` ends actors whose supervisor is dead."""
    house.kill("supervisor")
    wait_until(lambda: house.pid("supervisor") is None)
    house.catalyst("down")
    assert copies(house) == dict.fromkeys(ALL, 0)


def test_restart_and_drain(house: House) -> None:
    """`restart` gives the actor a new pid; `drain` leaves it stopped until the next `restart`."""
    old = house.pid("market")
    house.catalyst("restart", "market")
    assert house.pid("market") not in (None, old)
    house.catalyst("drain", "market")
    assert house.pid("market") is None
    row = next(row for row in house.status()["actors"] if row["name"] == "market")
    assert (row["state"], row["pid"]) == ("stopped", None)
    house.catalyst("restart", "market")
    assert house.pid("market") is not None


def test_a_deleted_home_ends_its_processes(house: House) -> None:
    """Whoever deletes the home of a running house leaves no process behind that would poll and post beside a new one,
    and none of them makes the home anew."""
    running = [psutil.Process(house.pid(name)) for name in ALL]
    shutil.rmtree(house.home, ignore_errors=True)  # they still write: a file may come between
    wait_until(lambda: not any(map(lives, running)), 20, "all have ended")
    assert not list((house.home / "db").glob("*.lock"))
    assert copies(house) == dict.fromkeys(ALL, 0)
