"""Which blows fall when: a pure function of seed, numbers and scenario."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from catalyst.errors import UsageError

Act = Literal["kill", "kill_all", "stop", "loop", "swell", "server", "trouble", "disk", "clock"]
ACTS: tuple[Act, ...] = get_args(Act)
FIRST_S = 0.5  # nothing is struck before the house has settled
GRACE_S = 0.5  # one that is down when its time comes is struck at most so long after its return
WITH_JOBS = ("alerter", "charter", "market", "sec", "fetcher")  # a job is where memory grows
TROUBLES = ("429", "500", "503", "reset_before", "reset_after", "truncated", "slow")
TROUBLE_S = (0.5, 3.0)
FULL_S = (2.0, 6.0)
JUMPS_S = (3_600, -3_600, 2 * 86_400, -2 * 86_400, 90, -90)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Weights of the acts, and whom `kill` meets beside the workers."""

    said: str
    weights: tuple[tuple[Act, float], ...]
    supervisor: bool = False
    supervisord: bool = False


SCENARIOS = {
    "kills": Scenario("kill -9 of one actor after the other, the supervisor too", (("kill", 1.0),), supervisor=True),
    "mixed": Scenario("kill -9, SIGSTOP, endless loops, growing memory, all at once, the supervisor, its fork server,"
                      " supervisord, sinks in trouble",
                      (("kill", 0.84), ("stop", 0.03), ("kill_all", 0.03), ("loop", 0.03), ("swell", 0.01),
                       ("server", 0.02), ("trouble", 0.04)), supervisor=True, supervisord=True),
    "all": Scenario("kill -9 of all actors in the same moment", (("kill_all", 1.0),)),
    "stops": Scenario("SIGSTOP of one actor after the other", (("stop", 1.0),)),
    "loops": Scenario("an endless loop in a handler of one actor after the other", (("loop", 1.0),)),
    "memory": Scenario("anonymous memory of one actor after the other growing by 50 MB a second", (("swell", 1.0),)),
    "server": Scenario("kill -9 of the fork server and of actors", (("server", 0.3), ("kill", 0.7))),
    "sinks": Scenario("Discord and the signed webhook refuse, break off, answer late", (("trouble", 1.0),)),
    "disk": Scenario("the disk is full for some seconds, again and again", (("disk", 1.0),)),
    "clock": Scenario("the clock jumps by minutes, hours, days", (("clock", 1.0),)),
}


@dataclass(frozen=True, slots=True)
class Blow:
    """At `at_s` seconds `act` meets `target` (empty: all workers); `grace_s` after its return if it is down then.

    `what` is the kind of a sink's trouble, `for_s` how long it lasts, or by how much the clock jumps.
    """

    at_s: float
    act: Act
    target: str
    grace_s: float
    what: str = ""
    for_s: float = 0.0


def chosen(names: str) -> Scenario:
    """The scenario of this name, or of several with a comma between. Raises UsageError for one that does not exist."""
    found = []
    for name in names.split(","):
        if name not in SCENARIOS:
            raise UsageError(f"there is no scenario {name!r}; there are points, {', '.join(SCENARIOS)}")
        found.append(SCENARIOS[name])
    weights: defaultdict[Act, float] = defaultdict(float)
    for scenario in found:
        for act, weight in scenario.weights:
            weights[act] += weight / sum(share for _, share in scenario.weights)
    return Scenario("; ".join(scenario.said for scenario in found), tuple(weights.items()),
                    any(scenario.supervisor for scenario in found), any(scenario.supervisord for scenario in found))


def acts_of(names: str) -> frozenset[Act]:
    """The acts that scenarios can bring. Raises as `chosen` does."""
    return frozenset(act for act, _ in chosen(names).weights)


def plan(seed: int, kills: int, span_s: float, names: str, workers: Sequence[str]) -> tuple[Blow, ...]:
    """`kills` blows within `span_s`, in order of time. Raises UsageError for a scenario that does not exist."""
    rules = chosen(names)
    chance = random.Random(seed)  # noqa: S311 - a plan that can be repeated
    acts, weights = zip(*rules.weights, strict=True)
    turns: Counter[str] = Counter()
    blows = []
    for number in range(kills):
        act: Act = chance.choices(acts, weights)[0]
        target = _target(act, turns, workers, rules)
        what, for_s = "", 0.0
        if act == "kill" and rules.supervisord and number % 97 == 96:
            target = "supervisord"
        if act == "trouble":
            what, for_s = chance.choice(TROUBLES), round(chance.uniform(*TROUBLE_S), 3)
        elif act == "disk":
            for_s = round(chance.uniform(*FULL_S), 3)
        elif act == "clock":
            for_s = float(chance.choice(JUMPS_S))
        blows.append(Blow(chance.uniform(FIRST_S, span_s), act, target, chance.uniform(0, GRACE_S), what, for_s))
    return tuple(sorted(blows, key=lambda blow: blow.at_s))


def _target(act: Act, turns: Counter[str], workers: Sequence[str], rules: Scenario) -> str:
    """Round the targets of each act, so that each gets its share however few blows there are."""
    circles: dict[str, Sequence[str]] = {
        "kill": [*workers, *(["supervisor"] if rules.supervisor else [])], "stop": workers, "loop": workers,
        "swell": [name for name in workers if name in WITH_JOBS] or workers, "trouble": ("discord", "hook"),
        "server": ("fork server",), "disk": ("disk",), "clock": ("clock",)}
    circle = circles.get(act, ("",))
    turns[act] += 1
    return circle[(turns[act] - 1) % len(circle)]
