"""Trouble in the charter or the page stays there: alerts go out, and what was late comes after."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalyst.bench.house import House
from catalyst.runtime.roster import WORKERS
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.mark.long
def test_a_stopped_charter_delays_no_text(tmp_path: Path) -> None:
    """While the charter is stopped every alert is posted as text; its chart is edited in when the charter goes on."""
    with House(tmp_path, items=60, duration_s=8) as house:
        house.open_world()
        house.up()
        assert {name for name in WORKERS if psutil.Process(house.pid(name)).nice() > 0} == {"charter", "web"}
        items = {}

        def all_out() -> bool:
            house.kill("charter", signal.SIGSTOP)  # whoever stands in for the one that was stopped, too
            items.update(house.items())
            return len(items) >= house.expected() and all(row["fate"] != "in_flight" for row in items.values())

        wait_until(all_out, 90, "every item has a fate while the charter is stopped")
        alerted = {number for number, row in items.items() if row["fate"] == "alerted"}
        assert {body["item_id"] for body in events(house)} == alerted
        assert pictures(house) < len(alerted)
        house.kill("charter", signal.SIGCONT)
        wait_until(lambda: house.status()["idle"], 60, "the charts follow")
        wanted = house.query("charter", "SELECT count(*) AS n FROM charts")[0]["n"]
        assert pictures(house) == wanted


def events(house: House) -> list[dict[str, Any]]:
    """What the signed webhook was told of alerts and their updates."""
    bodies = [json.loads(event["body"]) for event in house.sent()["events"]]
    return [body for body in bodies if body["event"] != "ops"]


def pictures(house: House) -> int:
    """Messages that show a chart."""
    return len({message["message_id"] for message in house.sent()["messages"]
                if message["status"] == 200 and message["attachments"]})
