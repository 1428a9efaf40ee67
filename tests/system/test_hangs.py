"""An actor that lives and does not work is found, its stacks are kept, another takes its place; nothing is lost."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import catalyst.core
from catalyst.bench.house import House
from catalyst.clock import SystemClock
from catalyst.core.stories import item_id_of
from catalyst.runtime.control import Control
from catalyst.runtime.faults import ARMED, arm
from catalyst.runtime.roster import WORKERS
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

LATE_S = 20  # the figures of reliability.md hold on a quiet machine; here it is enough that it happens


def incidents(house: House) -> list[dict[str, Any]]:
    """What the supervisor stored."""
    with Control(house.home / "run") as control:
        found: list[dict[str, Any]] = control.ask("supervisor", "incidents", 5.0)["incidents"]
    return found


def test_stopped_actors_are_replaced(tmp_path: Path) -> None:
    """SIGSTOP of every actor at once: each is found silent, killed and replaced, and the day ends as it should."""
    with House(tmp_path, items=60, duration_s=10) as house:
        house.open_world()
        house.up()
        before = {name: house.kill(name, signal.SIGSTOP) for name in WORKERS}
        wait_until(lambda: all(house.pid(name) not in (None, before[name]) for name in WORKERS), LATE_S,
                   "every stopped actor is replaced")
        wait_until(lambda: {row["subject"] for row in incidents(house) if row["kind"] == "silent"} == set(WORKERS), 5,
                   "an incident for each")
        assert all("State:\tT" in row["stacks"] for row in incidents(house) if row["kind"] == "silent")
        items = house.wait_until_settled(90)
        assert len(items) == house.expected()


def test_an_actor_stopped_while_it_starts_is_replaced(tmp_path: Path) -> None:
    """SIGSTOP before the first beat: nobody waits for ever for a process that has never said anything."""
    faults = "charter:stop@start:1,tracker:stop@recover:1"
    with House(tmp_path, items=20, duration_s=4, CATALYST_FAULTS=faults) as house:
        house.open_world()
        house.up()
        assert len(house.wait_until_settled(90)) == house.expected()
        assert {row["subject"] for row in incidents(house) if row["kind"] == "silent"} == {"charter", "tracker"}


@pytest.mark.parametrize("name", ["classifier", pytest.param("alerter", marks=pytest.mark.long)])
def test_an_endless_loop_in_a_handler_is_ended(tmp_path: Path, name: str) -> None:
    """A handler that never returns: its stack is stored, the actor replaced, the message handled by the next."""
    with House(tmp_path, items=40, duration_s=6, CATALYST_FAULTS=f"{name}:loop@handle:3") as house:
        house.open_world()
        house.up()
        items = house.wait_until_settled(90)
        assert len(items) == house.expected()
        assert all(row["fate"] != "dead" for row in items.values())
        stuck = [row for row in incidents(house) if row["kind"] == "stuck"]
        assert [row["subject"] for row in stuck] == [name]
        assert "_loop" in stuck[0]["stacks"]
        told = house.catalyst("incidents", "--stacks")
        assert f"supervisor: stuck {name} pid" in told
        assert "_loop" in told
        assert json.loads(house.catalyst("incidents", "--json").splitlines()[-1])["kind"] == "stuck"


def test_memory_over_the_limit_is_recycled(tmp_path: Path) -> None:
    """Memory that grows without end: the actor is ended when it crosses the limit, and nothing is lost."""
    with House(tmp_path, items=40, duration_s=6, CATALYST_FAULTS="market:swell@job:3",
               CATALYST_MEMORY_SOFT_MB="150", CATALYST_MEMORY_HARD_MB="250") as house:
        house.open_world()
        house.up()
        items = house.wait_until_settled(90)
        assert len(items) == house.expected()
        assert {row["kind"] for row in incidents(house) if row["subject"] == "market"} & {"swollen", "too_big"}


@pytest.mark.parametrize("starts", [8, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_a_crash_loop_is_parked_and_comes_back(tmp_path: Path, starts: int) -> None:
    """An actor that dies at each start is parked and announced once; the others work on; cured, it comes back."""
    rules = tmp_path / "rules.toml"
    rules.write_text("[[kind]]\nname = broken\n")
    with House(tmp_path, items=40, duration_s=6, CATALYST_RULES=str(rules)) as house:
        house.open_world()
        house._start("up")
        wait_until(lambda: row(house, "classifier").get("state") == "parked", 40, "parked")
        wait_until(lambda: row(house, "classifier")["restarts"] >= starts, 12 * starts, f"{starts} starts")
        assert [found["subject"] for found in incidents(house) if found["kind"] == "parked"] == ["classifier"]
        assert [title for title in notices(house) if "classifier" in title] == ["classifier does not stay up"]
        assert {name for name in WORKERS if row(house, name)["restarts"]} == {"classifier"}
        shutil.copy(Path(catalyst.core.__file__).parent / "rules.toml", rules)
        wait_until(lambda: row(house, "classifier")["state"] == "running", 20, "back by itself")
        assert len(house.wait_until_settled(60)) == house.expected()


@pytest.mark.long
def test_a_parked_alerter_is_told_of_by_the_supervisor(tmp_path: Path) -> None:
    """Who tells the operator is the one that does not stay up: the notice comes all the same, to both sinks, once."""
    with House(tmp_path, items=30, duration_s=6, CATALYST_FAULTS=ARMED) as house:
        house.open_world()
        arm(house.home, {"down": "alerter:crash@start:1+"})
        house._start("up")
        wait_until(lambda: "alerter does not stay up" in notices(house), 40, "the operator knows")
        assert row(house, "alerter")["state"] == "parked"
        arm(house.home, {})
        assert len(house.wait_until_settled(90)) == house.expected()
        assert [title for title in notices(house) if "alerter" in title] == ["alerter does not stay up"]
        channel = [str(message) for message in house.sent()["messages"] if "does not stay up" in str(message)]
        assert len(channel) == 1


def row(house: House, name: str) -> dict[str, Any]:
    """What status says of an actor."""
    return next((dict(found) for found in house.status()["actors"] if found["name"] == name), {})


def notices(house: House) -> list[str]:
    """Titles of what the operator was told at the signed webhook."""
    bodies = [json.loads(event["body"]) for event in house.sent()["events"]]
    return [body["title"] for body in bodies if body["event"] == "ops"]


@pytest.mark.long
def test_no_false_alarm_in_a_busy_day(tmp_path: Path) -> None:
    """A burst of items over all actors brings no incident."""
    with House(tmp_path, items=150, duration_s=5) as house:
        house.open_world()
        house.up()
        house.wait_until_settled(120)
        began_ms = SystemClock().now_ms()
        assert [row for row in incidents(house) if row["at_ms"] <= began_ms] == []


@pytest.mark.parametrize(("name", "point"), [
    ("classifier", "handle"), pytest.param("market", "handle", marks=pytest.mark.long), ("market", "job")])
def test_what_kills_its_process_is_set_aside(tmp_path: Path, name: str, point: str) -> None:
    """A message or job under which the process dies each time becomes a dead letter; everything else goes its way."""
    with House(tmp_path, items=60, duration_s=6) as house:
        poison = next(row["link"] for row in house.truth() if row["fate"] == "alerted" and not row["duplicate_of"])
        item_id = item_id_of("", poison, "")
        house.environment["CATALYST_FAULTS"] = f"{name}:crash@{point}:1+:{item_id}"
        house.environment["CATALYST_QUOTE_TTL_S"] = "0"  # a quote at hand would spare the job
        house.open_world()
        house.up()
        items = house.wait_until_settled(120)
        assert len(items) == house.expected()
        assert {(number, row["fate"], row["reason"]) for number, row in items.items() if row["fate"] == "dead"} == {
            (item_id, "dead", "killed:process")}
