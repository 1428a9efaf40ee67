"""Which blows fall when: a pure function of seed, numbers and scenario."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from catalyst.errors import UsageError

Act = Literal["kill", "stop", "kill_all"]
FIRST_S = 0.5  # nothing is struck before the house has settled
GRACE_S = 0.5  # one that is down when its time comes is struck at most so long after its return


@dataclass(frozen=True, slots=True)
class Scenario:
    """Weights of the acts, and whom they meet beside the workers."""

    said: str
    weights: tuple[tuple[Act, float], ...]
    supervisor: bool = False
    supervisord: bool = False


SCENARIOS = {
    "kills": Scenario("kill -9 of one actor after the other, the supervisor too", (("kill", 1.0),), supervisor=True),
    "mixed": Scenario("kill -9 and SIGSTOP of actors, all at once, the supervisor, supervisord",
                      (("kill", 0.93), ("stop", 0.04), ("kill_all", 0.03)), supervisor=True, supervisord=True),
    "all": Scenario("kill -9 of all actors in the same moment", (("kill_all", 1.0),)),
    "stops": Scenario("SIGSTOP of one actor after the other", (("stop", 1.0),)),
}


@dataclass(frozen=True, slots=True)
class Blow:
    """At `at_s` seconds `act` meets `target` (empty: all workers); `grace_s` after its return if it is down then."""

    at_s: float
    act: Act
    target: str
    grace_s: float


def plan(seed: int, kills: int, span_s: float, scenario: str, workers: Sequence[str]) -> tuple[Blow, ...]:
    """`kills` blows within `span_s`, in order of time. Raises UsageError for a scenario that does not exist."""
    if scenario not in SCENARIOS:
        raise UsageError(f"there is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
    rules = SCENARIOS[scenario]
    chance = random.Random(seed)  # noqa: S311 - a plan that can be repeated
    acts, weights = zip(*rules.weights, strict=True)
    targets = [*workers, *(["supervisor"] if rules.supervisor else [])]
    blows = []
    for number in range(kills):
        act: Act = chance.choices(acts, weights)[0]
        # Round the targets, so that each gets its share however few blows there are.
        target = "" if act == "kill_all" else targets[number % len(targets)]
        if act == "kill" and rules.supervisord and number % 97 == 96:
            target = "supervisord"
        if act == "stop" and target == "supervisor":
            target = workers[number % len(workers)]
        blows.append(Blow(chance.uniform(FIRST_S, span_s), act, target, chance.uniform(0, GRACE_S)))
    return tuple(sorted(blows, key=lambda blow: blow.at_s))
