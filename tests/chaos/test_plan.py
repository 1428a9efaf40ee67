"""The plan of blows is the seed's: the same each time, in order, and fair to every target."""

from __future__ import annotations

from collections import Counter

import pytest

from catalyst.chaos.plan import ACTS, SCENARIOS, TROUBLES, acts_of, chosen, plan
from catalyst.errors import UsageError

WORKERS = ("alerter", "market", "fetcher")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_seed_names_its_plan(scenario: str) -> None:
    """The same seed gives the same blows, in order of time and within the span; another seed gives others."""
    blows = plan(7, 60, 30.0, scenario, WORKERS)
    assert blows == plan(7, 60, 30.0, scenario, WORKERS) != plan(8, 60, 30.0, scenario, WORKERS)
    assert len(blows) == 60
    assert {blow.act for blow in blows} <= acts_of(scenario)
    assert [blow.at_s for blow in blows] == sorted(blow.at_s for blow in blows)
    assert all(0 < blow.at_s <= 30 for blow in blows)


def test_kills_meet_everybody_equally() -> None:
    """Each actor and the supervisor get their share."""
    assert Counter(blow.target for blow in plan(1, 40, 20.0, "kills", WORKERS)) == dict.fromkeys(
        (*WORKERS, "supervisor"), 10)


def test_a_supervisor_is_never_stopped() -> None:
    """Nobody would find it: supervisord sees exits only."""
    assert all(blow.act != "stop" or blow.target in WORKERS for blow in plan(3, 2_000, 20.0, "mixed", WORKERS))


def test_scenarios_combine() -> None:
    """Names with commas between bring the acts of each, to equal parts, and meet whom any of them meets."""
    blows = plan(2, 400, 20.0, "all,sinks,kills", WORKERS)
    counts = Counter(blow.act for blow in blows)
    assert set(counts) == {"kill_all", "trouble", "kill"}
    assert min(counts.values()) > 100
    assert "supervisor" in {blow.target for blow in blows}
    assert {blow.what for blow in blows if blow.act == "trouble"} == set(TROUBLES)
    assert {blow.target for blow in blows if blow.act == "trouble"} == {"discord", "hook"}
    assert chosen("stops").supervisor is False


def test_there_is_a_scenario_for_each_act() -> None:
    """Whatever can be done can be asked for; memory grows only where there are jobs."""
    assert {act for name in SCENARIOS for act in acts_of(name)} == set(ACTS)
    assert {blow.target for blow in plan(1, 20, 9.0, "memory", ("web", "market", "tracker"))} == {"market"}
    assert all(blow.for_s > 0 for blow in plan(1, 20, 9.0, "disk", WORKERS))
    assert {blow.for_s > 0 for blow in plan(1, 60, 9.0, "clock", WORKERS)} == {True, False}


def test_an_unknown_scenario_is_named() -> None:
    """The error lists those that there are."""
    for names in ("party", "kills,party", ""):
        with pytest.raises(UsageError, match="mixed"):
            plan(1, 1, 1.0, names, WORKERS)
