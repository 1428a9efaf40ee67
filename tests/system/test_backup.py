"""A whole house is backed up in the middle of its work, goes on, is put back, and goes on: nothing is lost by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

from catalyst.bench.house import House
from catalyst.chaos.strike import integrity, truth
from catalyst.chaos.verdict import judge
from catalyst.runtime.roster import ALL
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROUNDS = [pytest.param(1, 6.0, id="one"),
          *(pytest.param(seed, 12.0, marks=pytest.mark.long, id=f"seed{seed}") for seed in range(2, 22))]


@pytest.mark.parametrize(("seed", "span_s"), ROUNDS)
def test_a_restored_house_goes_on(tmp_path: Path, seed: int, span_s: float) -> None:
    """Back up under load, restore later into the running house or into an empty home: every item that the sources show
    has its fate, links and databases agree, and the signed webhook gets no alert under a second key."""
    random = Random(seed)
    items = round(40 * span_s)
    charts = "true" if seed % 5 == 0 else "false"  # drawing is what takes longest
    with House(tmp_path, items=items, duration_s=span_s, seed=seed, CATALYST_CHARTS=charts) as house:
        house.open_world()
        house.up()
        wait_for_items(house, items * random.uniform(0.1, 0.4))
        house.catalyst("backup", str(tmp_path / "copy"))
        wait_for_items(house, items * random.uniform(0.5, 0.9))
        if seed % 2:
            house.catalyst("restore", str(tmp_path / "copy"), "--yes")
        else:
            house.catalyst("down")
            shutil.rmtree(house.home / "db")
            house.catalyst("restore", str(tmp_path / "copy"), "--yes")
            house.up()
        found = house.wait_until_settled(120)
        verdict = judge(found, house.expected(), truth(house), house.sent(), integrity(house), alerter_kills=0)
        reborn = house.query("market", "SELECT value FROM meta WHERE key = 'reborn_ms'")
        incidents = sum(house.query(name, "SELECT count(*) AS n FROM incidents")[0]["n"] for name in ALL)
    # Into an empty home nothing comes that knows of the posts since the backup; the running house has kept it.
    again = [text for text in verdict.repeated if seed % 2 or not text.startswith("discord ")]
    print(f"\nseed {seed}: {len(found)} items, {verdict.alerts} alerts, {incidents} mismatches settled,"
          f" {len(verdict.repeated) - len(again)} posts of before repeated at Discord")
    assert (verdict.lost, verdict.changed, again, verdict.disordered) == ([], [], [], [])
    assert (verdict.unexplained, verdict.damaged) == ([], [])
    assert len(reborn) == 1
    assert verdict.alerts > 5


def wait_for_items(house: House, count: float) -> None:
    """Wait until the fetcher has found so many."""
    wait_until(lambda: house.query("fetcher", "SELECT count(*) AS n FROM stories")[0]["n"] >= count, 60,
               f"{count:.0f} items")
