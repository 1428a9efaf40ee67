"""No kill loses, repeats or changes anything: a generated day with and without kill -9 of every actor."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.chaos.houses import integrity, truth
from catalyst.chaos.plan import plan
from catalyst.chaos.strike import Strike
from catalyst.chaos.verdict import alert_of, judge
from catalyst.commands.chaos import keep
from catalyst.runtime.control import Control
from catalyst.runtime.roster import ALL, WORKERS
from catalyst.testing import wait_until
from catalyst.world.generate import generate

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SEED = 20
HORIZONS = ("5s", "20s")


@dataclass(frozen=True)
class Size:
    """How much is played, within how many seconds, while each actor is killed how often."""

    stories: int
    filings: int
    kills_each: int
    span_s: float


SIZES = [pytest.param(Size(150, 50, 2, 12), id="small", marks=pytest.mark.long),
         pytest.param(Size(2_000, 1_000, 20, 90), id="whole", marks=[pytest.mark.long, pytest.mark.timeout(1_500)])]


@pytest.mark.parametrize("size", SIZES)
def test_kills_change_nothing(tmp_path: Path, size: Size) -> None:
    """With every actor killed again and again, the supervisor too, each item ends as it does without kills."""
    day = tmp_path / "day"
    generate(SEED, size.stories, day, filings=size.filings, duration_s=size.span_s, every_s=1.0)
    with House(tmp_path / "calm", day=day, CATALYST_HORIZONS=",".join(HORIZONS)) as house:
        house.open_world("--speed", "2.5")
        house.up()
        calm = left_behind(house, kills=Counter())
    strike = Strike(tmp_path, plan(SEED, size.kills_each * len(ALL), size.span_s, "kills", WORKERS), keep, print)
    with House(tmp_path / "struck", day=day, CATALYST_HORIZONS=",".join(HORIZONS)) as house:
        house.open_world()
        strike.at(house, size.span_s)
        assert strike.struck.done == Counter(dict.fromkeys(ALL, size.kills_each))
        assert left_behind(house, strike.struck.done) == calm


def left_behind(house: House, kills: Counter[str]) -> dict[str, str]:
    """The fate of each item, once everything has come to rest and alerts, charts and outcomes were found good."""
    items = house.wait_until_settled(400)
    wait_until(lambda: house.query("tracker", "SELECT count(*) AS n FROM outcomes WHERE state = 'open'")[0]["n"] == 0,
               120, "every outcome is settled")
    verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house),
                    alerter_kills=kills["alerter"])
    assert verdict.is_good, verdict.rows()
    with Control(house.home / "run") as control:
        found = {name: control.ask(name, "query", sql="SELECT kind, detail FROM incidents")["rows"]
                 for name in WORKERS}
    assert not any(found.values()), found  # a kill alone never brings two ends of a link apart
    outcomes = house.query("tracker", "SELECT horizon, count(*) AS n FROM outcomes GROUP BY horizon ORDER BY horizon")
    alerts = house.query("tracker", "SELECT count(*) AS n FROM fates WHERE fate = 'alerted' AND reason IS NULL")
    assert [(row["horizon"], row["n"]) for row in outcomes] == [(name, alerts[0]["n"]) for name in sorted(HORIZONS)]
    check_charts(house)
    certain = truth(house)  # which of two wires came first, hence which one is the duplicate, depends on timing
    return {number: row["fate"] if number in certain else "" for number, row in items.items()}


def check_charts(house: House) -> None:
    """Each alert with a price has one chart, and its message shows exactly that one in the end, unless it is a digest:
    that has no place for charts."""
    drawn = house.query("charter", "SELECT count(*) AS n, count(DISTINCT alert_id) AS ids FROM charts")[0]
    priced = house.query("market", "SELECT count(*) AS n FROM decisions WHERE reason IS NULL AND price_usd > 0")[0]
    assert drawn["n"] == drawn["ids"] == priced["n"] > 0
    shown: dict[str, list[str]] = {}
    for message in house.sent()["messages"]:
        if message["webhook"] == "1/alerts" and message["status"] == 200 and message["attachments"]:
            shown[alert_of(message)] = message["attachments"]
    assert all(names == ["chart.png"] for names in shown.values())
    unshown = house.query("alerter", "SELECT count(*) AS n FROM deliveries AS chart JOIN deliveries AS text"
                          " USING (alert_id, sink) WHERE chart.what = 'chart' AND text.state = 'digest'")[0]
    assert len(shown) + unshown["n"] == drawn["n"]
