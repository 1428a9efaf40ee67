"""The wall clock is set on and back while a house works: nothing is lost, repeated or stale, no latency is negative."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalyst.bench.house import House
from catalyst.chaos import clockwork
from catalyst.chaos.strike import integrity, truth
from catalyst.chaos.verdict import judge
from catalyst.clock import from_iso
from catalyst.core.hops import MOMENTS, join
from catalyst.runtime.control import Control
from catalyst.runtime.roster import ALL, WORKERS
from catalyst.testing import wait_until
from catalyst.world.generate import generate

# Long, since not certain: while one thread reads its file again, libfaketime may give another one the true time.
pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(240),
              pytest.mark.skipif(bool(clockwork.available()), reason=clockwork.available() or "the clock can be set")]

SEED = 7
SPAN_S = 9.0
JUMPS_S = (3_600, -3_600, 172_800, -176_400)  # +1 h, -1 h, +2 days; then to an hour before the true time
MOST_LATENCY_S = 30.0  # from seen to sent, on a machine with more to do


def test_the_clock_jumps_during_a_day(tmp_path: Path) -> None:
    """Every item's fate is what the day says, each alert goes out once; waits, ages and steps are as without jumps."""
    day, offset = tmp_path / "day", tmp_path / "offset"
    generate(SEED, 60, day, filings=20, duration_s=SPAN_S, every_s=0.5)
    moments = sorted(random.Random(SEED).uniform(1.0, SPAN_S) for _ in JUMPS_S)
    with House(tmp_path / "set", day=day, CATALYST_HORIZONS="3s", CATALYST_CHARTS="0") as house:
        house.open_world("--discord-limit", "5/2")
        house.environment |= clockwork.environment(offset)
        house.up()
        began_s = time.monotonic()
        for number, (moment_s, by_s) in enumerate(zip(moments, JUMPS_S, strict=True), 1):
            wait_until(lambda at_s=moment_s: time.monotonic() - began_s >= at_s, 2 * SPAN_S)
            clockwork.jump(offset, by_s)
            wait_until(lambda number=number: seen(house) == [number] * len(ALL), 60, f"jump {number} is seen by all")
        items = house.wait_until_settled(120)
        verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house), alerter_kills=0)
        assert verdict.is_good, verdict.rows()
        assert verdict.alerts > 10
        assert stored(house) == {name: [("clock_jumped", by_s) for by_s in JUMPS_S] for name in ALL}
        assert [row["restarts"] for row in house.status()["actors"]] == [0] * len(ALL)
        events = [json.loads(event["body"]) for event in house.sent()["events"]]
        check_latencies([event for event in events if event["event"] != "ops"])
        assert sum("clock jumped" in event["title"] for event in events if event["event"] == "ops") == len(JUMPS_S)
        assert backward_steps(house, list(items)) == []


def seen(house: House) -> list[int]:
    """How many jumps each actor has seen."""
    with Control(house.home / "run") as control:
        return [answer["clock_jumps"] for answer in control.ask_all(ALL, "status", 5.0).values()]


def stored(house: House) -> dict[str, list[tuple[str, int]]]:
    """Actor -> its incidents, of jumps with the whole seconds: no mismatch of links, nobody silent or stuck."""
    with Control(house.home / "run") as control:
        rows = {name: control.ask(name, "query", 30.0, sql="SELECT kind, detail FROM incidents ORDER BY n")["rows"]
                for name in ALL}
    return {name: [(kind, round(float(detail.split()[1])) if kind == "clock_jumped" else detail)
                   for kind, detail in found] for name, found in rows.items()}


def check_latencies(events: list[dict[str, Any]]) -> None:
    """Each was sent after it was seen, and soon; its price has an age or none."""
    assert events
    for event in events:
        latency_s = (from_iso(event["sent"]) - from_iso(event["seen"])) / 1000
        assert 0 <= latency_s <= MOST_LATENCY_S, event
        assert event["price_age_s"] is None or event["price_age_s"] >= 0


def backward_steps(house: House, items: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Hops of the items' ways that end before they begin."""
    return [(item, hop) for item in items for hop in hops(house, item)
            if (told := [hop[name] for name in MOMENTS if hop[name] is not None]) != sorted(told)]


def hops(house: House, item: str) -> Iterator[dict[str, Any]]:
    """The way of an item."""
    with Control(house.home / "run") as control:
        yield from join({name: control.ask(name, "trace", 30.0, item=item) for name in WORKERS})
