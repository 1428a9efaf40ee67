"""`catalyst restart`, `drain`, `stacks`, `reload`, `log-level` against actors and a supervisor that plays a script."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from actors.tracker import Tracker
from catalyst.runtime.ownership import living_owner
from catalyst.settings import load
from catalyst.testing import wait_until
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running, TinySupervisor, child


def test_restart(catalyst: Catalyst, running: Running) -> None:
    """It is done when the actor runs under another pid; the states between do not count."""
    TinySupervisor.children = {"market": child("market", pid=10)}
    TinySupervisor.script = [{"name": "market"}, {"name": "market", "state": "draining"},
                             {"name": "market", "state": "backoff", "pid": None},
                             {"name": "market", "state": "starting", "pid": 11}, {"name": "market", "state": "running"}]
    running.start(TinySupervisor)
    answer = catalyst("restart", "market", "--json").json
    assert 0 < answer.pop("seconds") < 5
    assert answer == {"actor": "market", "pid_before": 10, "pid": 11}
    assert TinySupervisor.script == []


def test_drain_through_supervisor(catalyst: Catalyst, running: Running) -> None:
    """It is done when the supervisor has no process for the actor any more."""
    TinySupervisor.children = {"market": child("market", pid=10)}
    TinySupervisor.script = [{"name": "market", "state": "draining"},
                             {"name": "market", "state": "stopped", "pid": None}]
    running.start(TinySupervisor)
    done = catalyst("drain", "market")
    assert done.code == 0
    assert done.out.startswith("market is stopped after 0.")


def test_without_supervisor(catalyst: Catalyst, running: Running) -> None:
    """Drain asks the actor itself; restart says that it cannot be done."""
    running.start(Tracker)
    done = catalyst("restart", "tracker")
    assert (done.code, "supervisor is not running" in done.err) == (69, True)
    assert catalyst("drain", "tracker", "--json").json["actor"] == "tracker"
    assert living_owner(running.settings.database_folder, "tracker") is None
    assert catalyst("drain", "tracker").code == 69


@pytest.mark.parametrize("words", [("restart", "nobody"), ("drain", "supervisor"), ("restart", "supervisor"),
                                   ("stacks", "x"), ("log-level", "market", "loud"), ("log-level", "x", "info")])
def test_misuse(catalyst: Catalyst, words: tuple[str, ...]) -> None:
    """Unknown actors and levels are usage errors, and the supervisor is not ended by accident."""
    done = catalyst(*words)
    assert done.code == 64
    assert done.err.startswith("catalyst: ")
    assert len(done.err.splitlines()) == 1


def test_stacks(catalyst: Catalyst, running: Running) -> None:
    """The stacks of every thread, among them the loop's."""
    running.start(Tracker)
    assert "in turn" in catalyst("stacks", "tracker").out
    assert catalyst("stacks", "tracker", "--json").json["stacks"].count("Thread 0x") >= 2
    assert catalyst("stacks", "market").code == 69


def test_reload(catalyst: Catalyst, running: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every actor says what has changed; one that refuses makes it exit 78, in one line."""
    running.settings = load()
    running.start(Tracker)
    monkeypatch.setenv("MIN_SCORE", "0.5")
    done = catalyst("reload", "--json")
    assert done.code == 0
    assert done.lines == [{"actor": "tracker", "ok": True, "changed": ["min_score"], "error": None}]
    assert "nothing changed" in catalyst("reload").out
    monkeypatch.setenv("MIN_SCORE", "much")
    refused = catalyst("reload")
    assert refused.code == 78
    assert "MIN_SCORE" in refused.err


def test_reload_of_nothing(catalyst: Catalyst) -> None:
    """Without a running actor there is nothing to reload."""
    assert catalyst("reload").code == 69


def test_log_level(catalyst: Catalyst, running: Running) -> None:
    """The actor's log takes the level at once."""
    running.start(Tracker)
    assert catalyst("log-level", "tracker", "error").code == 0
    assert wait_until(lambda: logging.getLogger("catalyst").level == logging.ERROR)
    assert catalyst("log-level", "tracker", "info", "--json").json == {"actor": "tracker", "level": "info"}
