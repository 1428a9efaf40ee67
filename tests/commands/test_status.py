"""`catalyst status` against real actors."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from actors.tracker import Tracker
from catalyst.commands.home import Home
from catalyst.commands.status import as_text, last_beats, look_twice, price_lines, state
from catalyst.core.breaker import PAUSED
from catalyst.runtime.ownership import Ownership
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running, TinyFetcher, TinySupervisor, child

FIELDS = ["name", "pid", "state", "rss", "cpu", "beat_age_s", "inbox", "outbox", "oldest_unsent_s", "handled", "failed",
          "dead", "restarts", "storage"]


def test_nothing_runs(catalyst: Catalyst) -> None:
    """In an empty home there is still JSON, and the exit code says that nothing answers."""
    done = catalyst("status", "--json")
    assert (done.code, done.json) == (69, {"actors": [], "idle": False})
    assert "nothing runs" in catalyst("status").out


def test_shape_and_idle(catalyst: Catalyst, running: Running) -> None:
    """Every actor that is meant to run is listed with the fixed fields; idle when all run and nothing waits."""
    TinySupervisor.children = {"tracker": child("tracker", pid=os.getpid(), restarts=3)}
    running.start(TinySupervisor, Tracker)
    done = catalyst("status", "--json")
    assert done.code == 0
    assert done.json["idle"] is True
    tracker, supervisor = done.json["actors"]
    assert list(tracker) == FIELDS == list(supervisor)
    assert (tracker["name"], tracker["pid"], tracker["state"]) == ("tracker", os.getpid(), "running")
    assert (tracker["beat_age_s"], tracker["inbox"], tracker["outbox"], tracker["restarts"]) == (0, 0, 0, 3)
    assert tracker["rss"] > 1_000_000
    assert supervisor["name"] == "supervisor"
    assert "idle: nothing waits" in catalyst("status").out


def test_missing_actor_is_not_idle(catalyst: Catalyst, running: Running) -> None:
    """An actor that is meant to run and does not has no pid, unknown figures, and keeps the system from being idle."""
    TinySupervisor.children = {"tracker": child("tracker"), "market": child("market", "backoff", None)}
    running.start(TinySupervisor, Tracker)
    report = catalyst("status", "--json").json
    market = next(row for row in report["actors"] if row["name"] == "market")
    assert (market["state"], market["pid"], market["rss"], market["inbox"]) == ("backoff", None, None, None)
    assert report["idle"] is False
    assert "not running: market" in catalyst("status").out


def test_work_that_waits_is_not_idle(catalyst: Catalyst, running: Running) -> None:
    """A message to an actor that does not run waits in an outbox."""
    running.spine()
    running.stop("classifier")
    running.stop("tracker")
    running.stop("fetcher")
    (running.settings.database_folder / "fetcher.db").unlink()
    running.start(TinyFetcher)
    report = catalyst("status", "--json").json
    fetcher = report["actors"][0]
    assert fetcher["outbox"] == 2
    assert report["idle"] is False


def test_without_supervisor(catalyst: Catalyst, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The actors are asked themselves; idle depends on those that the settings want."""
    running.start(Tracker)
    report = catalyst("status", "--json").json
    assert [(row["name"], row["state"]) for row in report["actors"]] == [
        ("tracker", "running"), ("supervisor", "stopped")]
    assert report["idle"] is False
    monkeypatch.setenv("CATALYST_ACTORS", "tracker")
    assert catalyst("status", "--json").json["idle"] is True


def test_silent_owner_is_hung(catalyst: Catalyst, home: Path) -> None:
    """A process that holds an actor's lock but does not answer is listed with its pid."""
    lock = Ownership(home / "db", "market")
    try:
        done = catalyst("status", "--json")
    finally:
        lock.release()
    row = done.json["actors"][0]
    assert (row["name"], row["pid"], row["state"]) == ("market", os.getpid(), "hung")
    assert done.code == 69


def test_look_while_it_works_is_not_idle(running: Running) -> None:
    """What was handled between the looks shows, though nothing waits at either."""
    TinySupervisor.children = {"tracker": child("tracker")}
    running.start(TinySupervisor, Tracker)
    tracker = running.processes["tracker"]
    stop = threading.Event()

    def count() -> None:
        while not stop.wait(0.002):
            tracker.progress.handled += 1

    worker = threading.Thread(target=count)
    worker.start()
    with Home(running.settings) as home:
        report = look_twice(home)
    stop.set()
    worker.join()
    assert report["idle"] is False


def test_last_beats() -> None:
    """Beats count as a look only if every child has one and none is fresh."""
    beat = {"pid": 1, "handled": 2, "state": "running", "inbox": 0, "outbox": 0, "waiting": 0}
    old = {"market": child("market", beat=beat, beat_age_s=0.4)}
    assert last_beats(old) == {"market": beat}
    assert last_beats({**old, "tracker": child("tracker", beat=beat, beat_age_s=0.01)}) == {}
    assert last_beats({**old, "tracker": child("tracker", beat={}, beat_age_s=None)}) == {}
    assert last_beats({"market": child("market")}) == {}


@pytest.mark.parametrize(("said", "answer", "held", "expected"), [
    ({"state": "running"}, {"state": "draining"}, False, "draining"),
    ({"state": "starting"}, {"state": "running"}, False, "starting"),
    ({"state": "parked"}, None, False, "parked"),
    ({}, {"state": "running"}, False, "running"),
    ({}, None, True, "hung"),
    ({}, None, False, "stopped"),
])
def test_state(said: dict[str, str], answer: dict[str, str] | None, held: bool, expected: str) -> None:
    """The supervisor's word counts, but an actor that drains knows best."""
    assert state(said, answer, held=held) == expected


def test_text() -> None:
    """Unknown figures are dashes, the last line says whether something waits."""
    row = dict.fromkeys(FIELDS) | {"name": "market", "state": "stopped"}
    lines = as_text({"actors": [row], "idle": False}).splitlines()
    assert lines[1].split() == ["market", "stopped", *["-"] * 11]
    assert lines[2] == "not running: market"


@pytest.mark.parametrize(("states", "idle", "line"), [
    ({"market": "running"}, True, "idle: nothing waits"), ({"market": "running"}, False, "busy"),
    ({"fetcher": "stopped", "market": "running", "sec": "stopped"}, True,
     "not running: fetcher, sec; nothing waits in the others"),
    ({"fetcher": "hung", "market": "backoff"}, False, "not running: fetcher (hung), market (backoff)")])
def test_the_last_line_names_who_does_not_run(states: dict[str, str], idle: bool, line: str) -> None:
    """Nothing waits in an actor that a person stopped, and yet nothing is well: it is named in any case."""
    rows = [dict.fromkeys(FIELDS) | {"name": name, "state": state, "pid": 5 if state in ("running", "hung") else None}
            for name, state in states.items()]
    assert as_text({"actors": rows, "idle": idle}).splitlines()[-1] == line


def test_a_disk_that_takes_nothing_is_said_below_the_table() -> None:
    """One line for each trouble, with the actors; the state keeps its word."""
    rows = [dict.fromkeys(FIELDS) | {"name": name, "state": "running", "storage": storage}
            for name, storage in (("market", "full"), ("sec", "full"), ("web", "failing"), ("tracker", ""))]
    *_, full, failing, last = as_text({"actors": rows, "idle": False}).splitlines()
    assert full == "the disk is full, all goes on by itself when there is room; waiting: market, sec"
    assert failing == "the disk fails, see catalyst logs; waiting: web"
    assert last.startswith("not running")


def test_providers_that_are_left_alone() -> None:
    """Each has a line below the table, by the statistic of market; without one there is none."""
    status = {"statistics": {f"{PAUSED}yahoo": 13_000.0, f"{PAUSED}simulated": 900, "price_unknown": 3}}
    assert list(price_lines(status, 1_000)) == [
        "yahoo gives no prices: alerts do not wait for it; it is asked again in 12 s",
        "simulated gives no prices: alerts do not wait for it; it is asked again with the next alert"]
    assert list(price_lines(None, 1_000)) == list(price_lines({"statistics": {}}, 1_000)) == []
