"""The operator hears of a start of the whole house, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def told(house: House) -> list[str]:
    """What the notices of starts said, as the signed webhook got them."""
    bodies = [json.loads(event["body"]) for event in house.sent()["events"]]
    return [body["why"] for body in bodies if body["event"] == "ops" and body["item_id"] == "start"]


def test_a_start_is_told_once(tmp_path: Path) -> None:
    """With version, sinks and sources; not again when the tracker, or another actor, is killed and starts anew."""
    with House(tmp_path, items=10, duration_s=2) as house:
        house.open_world()
        house.up()
        wait_until(lambda: told(house), 30, "the notice of the start")
        assert "alerts to discord, webhook" in told(house)[0]
        assert " sources;" in told(house)[0]
        for name in ("tracker", "fetcher", "tracker"):
            before = house.kill(name)
            wait_until(lambda gone=before, name=name: house.pid(name) not in (None, gone), 20)
        wait_until(house.all_running, 30)
        wait_until(lambda: not house.query("tracker", "SELECT 1 FROM jobs WHERE kind = 'look'"), 20)
        assert len(told(house)) == 1
