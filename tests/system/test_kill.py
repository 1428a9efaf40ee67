"""No kill loses, repeats or changes anything: a generated day with and without kill -9 of the actors of the spine."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from catalyst.bench.house import SPINE, House, Killer
from catalyst.runtime.control import Control
from catalyst.runtime.roster import WORKERS

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

ITEMS = 2_000
SEED = 20
KILLS_EACH = 20
SPAN_S = 50


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The items of the day as they end without a kill."""
    with House(tmp_path_factory.mktemp("calm"), items=ITEMS, seed=SEED, duration_s=25) as house:
        house.open_world()
        house.up()
        items = house.wait_until_settled()
        check_sinks(house, items, kills=Counter())
        check_databases(house)
        return items


def test_kills_change_nothing(tmp_path: Path, calm: dict[str, dict[str, Any]]) -> None:
    """With every actor of the spine killed twenty times, each item ends as it does without kills, alerted once."""
    with House(tmp_path, items=ITEMS, seed=SEED, duration_s=SPAN_S) as house:
        house.open_world()
        house.up()
        killer = Killer(house, SPINE, KILLS_EACH, SPAN_S, SEED)
        killer.run()
        items = house.wait_until_settled()
        assert killer.done == Counter(dict.fromkeys(SPINE, KILLS_EACH))
        assert fates(items) == fates(calm)
        check_sinks(house, items, killer.done)
        check_databases(house)


def fates(items: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Item id -> fate. Which of two wires came first, hence which one is named the duplicate, depends on timing."""
    return {number: row["fate"] for number, row in items.items()}


def check_sinks(house: House, items: dict[str, dict[str, Any]], kills: Counter[str]) -> None:
    """Every alerted item reached both sinks; once each, but for marked repeats at Discord."""
    sent = house.sent()
    assert sent["violations"] == []
    bodies = [(json.loads(event["body"]), event["headers"]["idempotency-key"]) for event in sent["events"]]
    alerts = {body["id"] for body, _ in bodies if body["event"] == "alert"}
    keys = {(body["event"], body["id"], body["item_id"]): set() for body, _ in bodies}
    for body, key in bodies:
        keys[body["event"], body["id"], body["item_id"]].add(key)
    assert all(len(used) == 1 for used in keys.values())  # repeats come under the same key only
    alerted = {number for number, row in items.items() if row["fate"] == "alerted"}
    assert alerted == {body["item_id"] for body, _ in bodies if body["event"] != "ops"}
    posted = [message for message in sent["messages"] if message["webhook"] == "1/alerts"
              and message["method"] == "POST" and message["status"] == 200]
    posts = Counter(map(alert_of, posted))
    assert set(posts) == alerts
    repeated = {alert_id for alert_id, count in posts.items() if count > 1}
    assert sum(posts[alert_id] - 1 for alert_id in repeated) <= kills["alerter"]
    assert repeated <= {alert_of(message) for message in posted if "possible repeat" in footer(message)}


def footer(message: dict[str, Any]) -> str:
    """The footer of a Discord message: `id ALERT · ...`."""
    text: str = message["payload"]["embeds"][0]["footer"]["text"]
    return text


def alert_of(message: dict[str, Any]) -> str:
    """The alert id in a Discord message's footer."""
    return footer(message).split()[1]


def check_databases(house: House) -> None:
    """Every database is whole, and both ends of every link agree on sequence and hash."""
    with Control(house.home / "run") as control:
        answers = {name: control.ask(name, "integrity", 10.0) for name in WORKERS}
        mismatches = {name: control.ask(name, "query", sql="SELECT detail FROM incidents")["rows"] for name in WORKERS}
    assert not any(mismatches.values()), mismatches  # a kill alone never brings two ends of a link apart
    for name, answer in answers.items():
        assert answer["integrity"] == "ok"
        for receiver, out in answer["out"].items():
            inn = answers[receiver]["in"].get(name)
            if out["next"] == 1 and inn is None:
                continue
            assert (out["epoch"], out["next"] - 1, out["hash"]) == (inn["epoch"], inn["last"], inn["hash"])
