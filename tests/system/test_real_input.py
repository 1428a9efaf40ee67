"""Recorded wires and press releases through the whole system: every item ends, and alerts say what they must."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from catalyst.bench.house import House
from catalyst.world.recorded import make_day

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
DURATION_S = 40

pytestmark = [pytest.mark.system, pytest.mark.timeout(300),
              pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside this checkout")]


@pytest.mark.long
def test_every_recorded_item_has_a_fate(tmp_path: Path) -> None:
    """Each recorded item is alerted, or dropped with a reason; alerts have ticker, why, link, price or none."""
    make_day(DATA, tmp_path / "day", duration_s=DURATION_S, filings=False)
    with House(tmp_path, day=tmp_path / "day") as house:
        house.open_world()
        house.up()
        items = house.wait_until_settled(180)
        print(table(items))
        assert len(items) > 1_000
        assert all(row["reason"] for row in items.values() if row["fate"] == "dropped")
        assert not [row for row in items.values() if row["fate"] == "dead"]
        alerted = [row for row in items.values() if row["fate"] == "alerted"]
        assert all(row["ticker"] and row["link"] and row["kinds"] for row in alerted)
        check_alerts(house)


def check_alerts(house: House) -> None:
    """What went out names ticker, reason, link, price or its absence, publication time or its absence."""
    sent = house.sent()
    assert sent["violations"] == []
    alerts = [json.loads(event["body"]) for event in sent["events"]]
    alerts = [body for body in alerts if body["event"] == "alert"]
    assert alerts
    assert all(body["ticker"] and body["why"] and body["link"] and body["kinds"] for body in alerts)
    assert all(body["price"] is None or body["price"] > 0 for body in alerts)
    cards = [json.dumps(message["payload"]) for message in sent["messages"]
             if message["method"] == "POST" and message["webhook"] == "1/alerts"]
    assert all("no price" in card.lower() or "$" in card for card in cards)


def table(items: dict[str, dict[str, Any]]) -> str:
    """Source x fate x reason, the commonest first."""
    rows = Counter((row["source"], row["fate"], short(row["reason"] or "")) for row in items.values())
    return "\n".join(f"{count:6}  {source:22} {fate:10} {reason}"
                     for (source, fate, reason), count in rows.most_common())


def short(reason: str) -> str:
    """A reason without the id of an item."""
    return reason if reason.startswith("noise:") else reason.split(":")[0]
