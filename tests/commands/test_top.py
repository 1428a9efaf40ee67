"""`catalyst top` against real actors and a supervisor that plays a script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from actors.alerter import Alerter
from actors.supervisor import Supervisor
from actors.tracker import Tracker
from catalyst.clock import SystemClock, iso
from catalyst.commands.home import Home
from catalyst.commands.snapshot import read, state
from catalyst.commands.top import Looker, Said, drain, restart, stacks
from catalyst.errors import UnavailableError, UsageError
from catalyst.runtime.ownership import Ownership, living_owner
from catalyst.runtime.store import Store
from catalyst.testing import START_MS, FakeClock, wait_until
from catalyst.top import Event, Snapshot
from tests.commands.conftest import Catalyst
from tests.commands.test_alerts import ALERT, put
from tests.commands.tiny import Running, TinySupervisor, child


def actor(snapshot: Snapshot, name: str) -> Any:
    """The row of one actor."""
    return next(row for row in snapshot.actors if row.name == name)


def test_nothing_runs(catalyst: Catalyst) -> None:
    """Every actor that is meant to run shows as stopped, and the exit code says that nobody answers."""
    done = catalyst("top", "--json")
    assert done.code == 69
    assert {row["state"] for row in done.json["actors"]} == {"stopped"}
    assert [row["name"] for row in done.json["actors"]][-1] == "supervisor"
    assert (done.json["alerts"], done.json["alerts_at"], done.json["events"]) == ([], None, [])
    once = catalyst("top", "--once")
    assert once.code == 69
    assert "(the alerter does not answer)" in once.out


def test_once(catalyst: Catalyst, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """One frame as plain text: the actor that runs, with its rates, and the one that does not."""
    TinySupervisor.children = {"tracker": child("tracker", pid=os.getpid(), restarts=3),
                               "market": child("market", "backoff", None, beat_age_s=None)}
    running.start(TinySupervisor, Tracker)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    done = catalyst("top", "--once", "--interval", "0.2")
    assert done.code == 0
    assert "\x1b" not in done.out
    rows = {line.split()[0]: line.split() for line in done.out.splitlines()[2:5]}
    assert rows["tracker"][1:3] == ["running", str(os.getpid())]
    assert rows["tracker"][4] == "3"
    assert rows["tracker"][8:] == ["0", "0", "0", "0"]
    assert rows["market"][1:] == ["backoff", "-", "-", "0", *["-"] * 7]


def test_json(catalyst: Catalyst, running: Running) -> None:
    """One object with the newest alerts, times as ISO UTC."""
    put(running, ALERT)
    running.start(Alerter)
    done = catalyst("top", "--json", "--interval", "0.2")
    assert done.code == 0
    alerter = next(row for row in done.json["actors"] if row["name"] == "alerter")
    assert (alerter["state"], alerter["pid"]) == ("running", os.getpid())
    assert alerter["rss_bytes"] > 1_000_000
    assert alerter["cpu_pct"] >= 0
    alert = done.json["alerts"][0]
    assert (alert["ticker"], alert["at"], alert["kinds"]) == (
        "ACME", iso(START_MS), ["contract_win", "fda_approval"])
    assert (alert["price_usd"], alert["latency_ms"], alert["direction"]) == (3.2, None, "up")


def test_rates(running: Running) -> None:
    """Messages and CPU a second are the differences between two looks at the same process."""
    running.start(Tracker)
    clock = FakeClock(now_ms=START_MS)
    with Home(running.settings) as home:
        first = read(home, clock)
        assert actor(first, "tracker").handled_per_s is None
        running.processes["tracker"].progress.handled += 20
        clock.advance(4.0)
        row = actor(read(home, clock, first), "tracker")
    assert row.handled_per_s == 5.0
    assert 0 <= row.cpu_pct < 100


def test_silent_owner(running: Running) -> None:
    """A process that holds a lock but does not answer is hung; the age of its last word grows."""
    running.start(Tracker)
    clock = FakeClock(now_ms=START_MS)
    with Home(running.settings) as home:
        first = read(home, clock)
        running.stop("tracker")
        lock = Ownership(running.settings.database_folder, "tracker")
        clock.advance(7.0)
        row = actor(read(home, clock, first), "tracker")
        lock.release()
    assert (row.state, row.pid, row.handled, row.beat_age_s) == ("hung", os.getpid(), None, 7.0)


def test_restarts_and_incidents(running: Running) -> None:
    """Both tables are read, newest first; what an actor said before it fell silent stays."""
    now_ms = SystemClock().now_ms()  # what is old is pruned at a start
    with Store(Supervisor, running.settings) as store, store.transaction() as db:
        db.execute("INSERT INTO restarts(actor, pid, lived_s, delay_s, expected, at_ms)"
                   " VALUES('market', 7, 2.5, 0.5, 0, ?), ('market', 8, 3.5, 0, 1, ?)", (now_ms - 300, now_ms - 100))
    with Store(Tracker, running.settings) as store, store.transaction() as db:
        db.execute("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES('link_mismatch', 'market', 'hash', ?)",
                   (now_ms - 200,))

    class Elder(TinySupervisor):
        """Plays its script over the real supervisor's tables."""

        tables = Supervisor.tables

    running.start(Elder, Tracker)
    expected = (Event(now_ms - 100, "supervisor", "market", "pid 8 ended as asked for after 3.5s"),
                Event(now_ms - 200, "tracker", "tracker", "link_mismatch with market: hash"),
                Event(now_ms - 300, "supervisor", "market", "pid 7 DIED after 2.5s, started again after 0.5s"))
    with Home(running.settings) as home:
        first = read(home, SystemClock())
        assert first.events == expected
        running.stop("supervisor")
        assert read(home, SystemClock(), first).events == expected


@pytest.mark.parametrize(("said", "answer", "held", "expected"), [
    ({}, None, False, "stopped"), ({}, None, True, "hung"), ({"state": "running"}, None, True, "hung"),
    ({"state": "running"}, None, False, "stopped"), ({"state": "backoff"}, None, False, "backoff"),
    ({"state": "starting"}, None, True, "starting"), ({"state": "starting"}, {"state": "running"}, True, "starting"),
    ({}, {"state": "running"}, True, "running"), ({"state": "running"}, {"state": "draining"}, True, "draining"),
    ({"state": "running"}, {"state": "running", "current_limit_s": 2.5, "current_age_s": 3.0}, True, "hung"),
    ({"state": "running"}, {"state": "running", "current_limit_s": 2.5, "current_age_s": 2.0}, True, "running"),
])
def test_state(said: dict[str, str], answer: dict[str, Any] | None, held: bool, expected: str) -> None:
    """The supervisor's word, unless the actor knows better, is over a limit, or is silent."""
    answer = {"current_limit_s": 0.0, "current_age_s": 0.0, **answer} if answer else None
    assert state(said, answer, held=held) == expected


def test_keys(running: Running) -> None:
    """r and d go through the supervisor, s to the actor; what cannot be done is said."""
    TinySupervisor.children = {"tracker": child("tracker")}
    running.start(Tracker)
    with Home(running.settings) as home:
        assert "in turn" in stacks(home, "tracker").text
        with pytest.raises(UnavailableError, match="supervisor is not running"):
            restart(home, "tracker")
        for key in (restart, drain):
            with pytest.raises(UsageError):
                key(home, "supervisor")
        running.start(TinySupervisor)
        assert restart(home, "tracker").note == "tracker is being restarted"
        assert drain(home, "tracker").note.startswith("tracker is being drained")


def test_drain_without_supervisor(running: Running) -> None:
    """The actor itself is asked to drain."""
    running.start(Tracker)
    with Home(running.settings) as home:
        drain(home, "tracker")
    assert wait_until(lambda: living_owner(running.settings.database_folder, "tracker") is None)


def test_looker(running: Running) -> None:
    """It looks again and again in its own thread, does what it is told, and says why something cannot be done."""
    running.start(Tracker)
    with Home(running.settings) as home:
        looker = Looker(home, 0.01, SystemClock())
        looker.wish(lambda home: stacks(home, "market"))
        found: list[Snapshot | Said] = []
        while not (any(isinstance(one, Said) for one in found) and len(found) > 3):
            found.append(looker.found.get(timeout=10))
        looker.stop()
    said = next(one for one in found if isinstance(one, Said))
    assert said == Said("market is not running")


@pytest.mark.parametrize("words", [("--interval", "0"), ("--interval", "soon"), ("--interval", "nan")])
def test_misuse(catalyst: Catalyst, words: tuple[str, ...]) -> None:
    """An interval that is none is a usage error."""
    assert catalyst("top", *words).code == 64


def test_no_terminal(catalyst: Catalyst, home: Path) -> None:
    """Without a terminal it says how to get a frame."""
    done = catalyst("top")
    assert done.code == 64
    assert "--once" in done.err
