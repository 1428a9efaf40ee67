"""Which crashes are tried, and how a day is cut into rounds."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from catalyst.chaos.points import MOST_DEATHS, MOST_N, Series, all_series, drawn_series, rounds
from catalyst.runtime.roster import WORKERS
from catalyst.world.generate import generate


def tried(series: Series, depth: int) -> list[tuple[str, int, str]]:
    """The crashes of a series whose points are each passed so often, deaths being allowed at any rate."""
    found = []
    while (crash := series.next(0.0)) is not None:
        crash.fell_s = 1.0 if crash.n <= depth else None
        series.take(crash, 0.0)
        series.deaths.clear()
        found.append((crash.point, crash.n, crash.again))
    return found


def test_each_point_is_tried_until_it_is_untouched() -> None:
    """n = 1, 2, 3 ... and one more that nobody passes; then all of it with a second kill."""
    series = all_series(["market", "receive", "commit"])["market"]
    assert tried(series, 2) == [
        *[(point, n, "") for point in ("receive", "commit") for n in (1, 2, 3)],
        *[(point, n, again) for point in ("receive", "commit") for n, again in ((1, "recover"), (2, "start"),
                                                                             (3, "recover"))]]


def test_timers_have_an_end() -> None:
    """A point that is passed for ever is left at MOST_N."""
    series = all_series(["web", "tick"])["web"]
    assert [n for _, n, again in tried(series, 10_000) if not again] == list(range(1, MOST_N + 1))


def test_an_actor_is_not_killed_into_its_parking_place() -> None:
    """A minute holds fewer deaths than the supervisor parks an actor for."""
    series = all_series(["web"])["web"]
    deaths = 0
    while (crash := series.next(5.0)) is not None:
        crash.fell_s = 5.0
        series.take(crash, 5.0)
        deaths += 1
    assert MOST_DEATHS - 2 < deaths <= MOST_DEATHS
    assert series.points
    assert series.next(70.0) is not None


def test_a_sample_is_the_seeds() -> None:
    """As many as asked for, shared among all actors, the same each time; requests of alerts are the alerter's alone."""
    def drawn(seed: int) -> dict[str, list[tuple[str, int, str]]]:
        return {name: [(crash.point, crash.n, crash.again) for crash in series.drawn]
                for name, series in drawn_series(seed, 50).items()}

    assert drawn(4) == drawn(4) != drawn(5)
    assert set(drawn(4)) == set(WORKERS)
    assert sum(map(len, drawn(4).values())) == 50
    assert any(again for crashes in drawn(4).values() for _, _, again in crashes)
    for name in WORKERS:
        points = {point for point, _ in all_series()[name].points}
        assert ("post" in points) is (name == "alerter")


def test_a_round_holds_work_for_all(tmp_path: Path) -> None:
    """Each has an alerted story and a filing that alerts, moments grow, and nothing of the day is left out."""
    generate(3, 200, tmp_path / "day", filings=100, duration_s=100)
    rows = [json.loads(line) for line in (tmp_path / "day" / "truth.jsonl").read_text().splitlines()]
    found = rounds(rows)
    items = {row.get("id") or row["link"] for row in rows if row["what"] != "same_link" and row.get("listed", True)}
    assert len(found) > 20
    assert found == sorted(found)
    assert found[-1][1] == len(items)
    dated = [row for row in rows if row["published"]]
    for (after, _), (until, _) in pairwise(found[:-1]):
        fates = [row["what"] == "filing" for row in dated if after < row["published"] <= until
                 and row["fate"] == "alerted"]
        assert set(fates) == {True, False}
