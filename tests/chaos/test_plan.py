"""The plan of blows is the seed's: the same each time, in order, and fair to every target."""

from __future__ import annotations

from collections import Counter

import pytest

from catalyst.chaos.plan import SCENARIOS, plan
from catalyst.errors import UsageError

WORKERS = ("alerter", "market", "fetcher")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_seed_names_its_plan(scenario: str) -> None:
    """The same seed gives the same blows, in order of time and within the span; another seed gives others."""
    blows = plan(7, 60, 30.0, scenario, WORKERS)
    assert blows == plan(7, 60, 30.0, scenario, WORKERS) != plan(8, 60, 30.0, scenario, WORKERS)
    assert len(blows) == 60
    assert [blow.at_s for blow in blows] == sorted(blow.at_s for blow in blows)
    assert all(0 < blow.at_s <= 30 for blow in blows)


def test_kills_meet_everybody_equally() -> None:
    """Each actor and the supervisor get their share."""
    assert Counter(blow.target for blow in plan(1, 40, 20.0, "kills", WORKERS)) == dict.fromkeys(
        (*WORKERS, "supervisor"), 10)


def test_a_supervisor_is_never_stopped() -> None:
    """Nobody would find it: supervisord sees exits only."""
    assert all(blow.act != "stop" or blow.target in WORKERS for blow in plan(3, 2_000, 20.0, "mixed", WORKERS))


def test_an_unknown_scenario_is_named() -> None:
    """The error lists those that there are."""
    with pytest.raises(UsageError, match="mixed"):
        plan(1, 1, 1.0, "party", WORKERS)
