"""Every crash point of every actor: kill -9 at the first, second, third ... time that a point is passed, until a round
passes it untouched; and all of it again with a second kill while the actor recovers.

A round is a handful of items that come through a house at rest: the world's gate lets them out, and the next round
begins when all have their fate and nothing waits. In each round every actor dies at one point of its own, so that eight
series run at once, in real processes over real sockets.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from catalyst.bench.house import House
from catalyst.chaos.houses import fit_out, integrity, is_at_rest, post, taken, truth
from catalyst.chaos.verdict import Verdict, judge
from catalyst.clock import from_iso, iso
from catalyst.runtime.control import Control
from catalyst.runtime.faults import POINTS, arm, fallen
from catalyst.runtime.roster import WORKERS
from catalyst.testing import wait_until
from catalyst.world.day import Day
from catalyst.world.generate import generate

MOST_N = 25  # timers go on for ever: so often is a point tried that they pass
DRAWN_N = 3  # of a sample: the n-th time, at most
ROUND_S = 120.0  # in which the items of a round must be through
AT_ONCE_S = 60.0  # within which an actor may die MOST_DEATHS times; the supervisor parks it at 60
MOST_DEATHS = 50
ITEMS_PER_S = 3.0  # of the day, whose times are whole seconds
AHEAD_S = 5.0  # after which the gate alone holds the day back
IN_A_ROUND = 4  # items at least, an alerted story and a filing among them
SHOW_S = 5.0
AGAIN = ("start", "recover")  # where the second kill meets the new process
STARTING = frozenset(AGAIN)  # passed once by each process: there is nothing to count
ONLY_ALERTER = frozenset({"post", "posted"})


@dataclass(slots=True)
class Crash:
    """One kill: the `n`-th time that `actor` passes `point`; `again`: where its successor dies as well."""

    actor: str
    point: str
    n: int
    again: str = ""
    fell_s: float | None = None

    def faults(self, number: int) -> dict[str, str]:
        """Names and entries for this crash in round `number`."""
        name = f"round{number}.{self.actor}"
        found = {name: f"{self.actor}:kill@{self.point}:{self.n}"}
        if self.again:
            found[f"{name}.again"] = f"{self.actor}:kill@{self.again}:1"
        return found


@dataclass(slots=True)
class Series:
    """The crashes of one actor, one after the other: those drawn, or each point up to the n that nobody passes."""

    actor: str
    drawn: deque[Crash] = field(default_factory=deque)
    points: deque[tuple[str, bool]] = field(default_factory=deque)
    n: int = 1
    deaths: deque[float] = field(default_factory=deque)

    def next(self, now_s: float) -> Crash | None:
        """The crash of this round; None where there is none left, or the actor has died often enough for now."""
        while self.deaths and now_s - self.deaths[0] > AT_ONCE_S:
            self.deaths.popleft()
        if len(self.deaths) + 2 > MOST_DEATHS:
            return None
        if self.drawn:
            return self.drawn.popleft()
        if not self.points:
            return None
        point, twice = self.points[0]
        return Crash(self.actor, point, self.n, AGAIN[self.n % 2] if twice else "")

    def take(self, crash: Crash, now_s: float) -> None:
        """Go on after a round, by whether the crash fell."""
        if crash.fell_s is not None:
            self.deaths += [now_s] * (2 if crash.again else 1)
        if not self.points:
            return
        if crash.fell_s is not None and self.n < MOST_N and crash.point not in STARTING:
            self.n += 1
        else:
            self.points.popleft()
            self.n = 1


def all_series(only: Sequence[str] = ()) -> dict[str, Series]:
    """Every actor's points, once alone, once with a second kill. `only` names actors and points to restrict it to."""
    actors = [name for name in WORKERS if name in only] or list(WORKERS)
    points = [name for name in POINTS if name in only] or list(POINTS)
    return {actor: Series(actor, points=deque((point, twice) for twice in (False, True) for point in points
                                              if _exists(actor, point, twice))) for actor in actors}


def drawn_series(seed: int, number: int, only: Sequence[str] = ()) -> dict[str, Series]:
    """A sample of `number` crashes; the same seed draws the same."""
    chance = random.Random(seed)  # noqa: S311 - a plan that can be repeated
    whole = all_series(only)
    turns = {actor: list(series.points) for actor, series in whole.items()}
    for entries in turns.values():
        chance.shuffle(entries)
    found = {actor: Series(actor) for actor in whole}
    actors = list(whole)
    for count in range(number):
        actor = actors[count % len(actors)]
        point, twice = turns[actor][count // len(actors) % len(turns[actor])]
        n = 1 if point in STARTING else chance.randint(1, DRAWN_N)
        found[actor].drawn.append(Crash(actor, point, n, chance.choice(AGAIN) if twice else ""))
    return found


def _exists(actor: str, point: str, twice: bool) -> bool:
    """A start is met by the second kill only, whatever the first was; requests of alerts are the alerter's."""
    return point not in STARTING and (point not in ONLY_ALERTER or actor == "alerter")


def rounds(rows: Iterable[dict[str, Any]]) -> list[tuple[str, int]]:
    """(the day's moment up to which a round shows items, how many there are by then), from the day's truth.

    An undated story appears with its neighbours, stories being listed in the order of their appearance.
    """
    placed, before_ms = [], 0
    for row in rows:
        moment_ms = from_iso(row["published"]) if row["published"] else before_ms
        before_ms = moment_ms if row["what"] != "filing" else before_ms
        placed.append((moment_ms, row))
    placed.sort(key=lambda entry: entry[0])
    found, known, fresh = [], set(), Counter[str]()
    for number, (moment_ms, row) in enumerate(placed):
        if row["what"] != "same_link" and row.get("listed", True):
            known.add(row.get("id") or row["link"])
            fresh["items"] += 1
            fresh["story" if row["what"] != "filing" else "filing"] += row["fate"] == "alerted"
        is_last = number + 1 == len(placed)
        enough = fresh["items"] >= IN_A_ROUND and fresh["story"] and fresh["filing"]
        if is_last or (enough and placed[number + 1][0] > moment_ms):
            found.append((str(iso(moment_ms)), len(known)))
            fresh.clear()
    return found


class Points:
    """One run over crash points: the house, the crashes of each round, which of them fell."""

    def __init__(self, folder: Path, series: dict[str, Series], keep: Callable[[House], subprocess.Popen[bytes]],
                 say: Callable[[str], None], *, sink: str = "webhook", patch: Path | None = None):
        self.folder = folder
        self.series = series
        self.crashes: list[Crash] = []
        self.stuck: list[Crash] = []  # of a round that did not come to rest
        self._keep = keep
        self._say = say
        self._sink = sink
        self._patch = patch

    def play(self, seed: int, items: int) -> Verdict:
        """Make the day, run round after round until nothing is left to try or the day is over, judge."""
        self.folder.mkdir(parents=True, exist_ok=True)
        day = generate(seed, items - items // 3, self.folder / "day", filings=items // 3, every_s=0.5,
                       duration_s=max(10.0, items / ITEMS_PER_S))
        with House(self.folder, day=self.folder / "day", ALERT_CONSECUTIVE_EMPTY_CYCLES="1000") as house:
            house.open_world("--speed", f"{max(1.0, day.duration_s / AHEAD_S):g}")
            post(house, "_gate", {"until": iso(day.starts_ms - 1_000)})
            fit_out(house, sink=self._sink, armed=True, patch=self._patch)
            self._keep(house)
            self._wait_until_polled(house, day)
            shown = self._run(house)
            arm(house.home, {})
            found = house.items()  # what is behind the gate was never there
            verdict = judge(found, shown, truth(house), house.sent(), integrity(house), taken=taken(house),
                            alerter_kills=sum(1 + bool(crash.again) for crash in self.crashes
                                              if crash.actor == "alerter" and crash.fell_s is not None))
        self._write_history(verdict)
        return verdict

    def _wait_until_polled(self, house: House, day: Day) -> None:
        """What a source shows when it is first asked may be backlog: ask all before anything is shown."""
        with Control(house.home / "run") as control:
            def asked() -> bool:
                rows = control.ask("fetcher", "sources")["sources"]
                return len(rows) == len(day.feeds) and all(row["last_poll_ms"] for row in rows)

            wait_until(asked, 20, "every source was asked")
            wait_until(lambda: is_at_rest(control, 0), 20, "all at rest")

    def _run(self, house: House) -> int:
        """Round after round; how many items were shown in all."""
        shown_s = began_s = time.monotonic()
        with Control(house.home / "run") as control:
            for number, (until, wanted) in enumerate(rounds(house.truth())):
                now_s = time.monotonic()
                found = [(series, series.next(now_s)) for series in self.series.values()]
                crashes = [crash for _, crash in found if crash is not None]
                arm(house.home, {name: entry for crash in crashes for name, entry in crash.faults(number).items()})
                post(house, "_gate", {"until": until})
                try:
                    wait_until(lambda wanted=wanted: is_at_rest(control, wanted), ROUND_S)  # type: ignore[misc]
                except AssertionError:
                    self.stuck = crashes
                    self._say(f"round {number} did not come to rest: {', '.join(map(_named, crashes))}")
                for series, crash in found:
                    if crash is not None:
                        crash.fell_s = fallen(house.home, f"round{number}.{crash.actor}")
                        series.take(crash, time.monotonic())
                self.crashes += crashes
                if self.stuck or not self.left:
                    break
                if time.monotonic() - shown_s >= SHOW_S:
                    shown_s = time.monotonic()
                    self._say(f"{shown_s - began_s:4.0f} s: round {number + 1}, {self.fell} of {len(self.crashes)}"
                              f" crashes fell, {self.left} points to go")
        return wanted

    @property
    def fell(self) -> int:
        """How many crashes fell; the others found their point untouched."""
        return sum(crash.fell_s is not None for crash in self.crashes)

    @property
    def left(self) -> int:
        """Points and crashes that the day was too short for."""
        return sum(len(series.points) + len(series.drawn) for series in self.series.values())

    def deepest(self) -> dict[str, dict[str, int]]:
        """Actor -> point -> the largest n at which it died there."""
        found: dict[str, dict[str, int]] = {}
        for crash in self.crashes:
            if crash.fell_s is not None:
                known = found.setdefault(crash.actor, {})
                known[crash.point] = max(known.get(crash.point, 0), crash.n)
        return found

    def _write_history(self, verdict: Verdict) -> None:
        lines: list[dict[str, Any]] = [asdict(crash) for crash in self.crashes]
        text = "".join(json.dumps(line) + "\n" for line in [*lines, {"verdict": verdict.rows()}])
        with (self.folder / "history.jsonl").open("w", encoding="utf-8") as file:
            file.write(text)
            os.fsync(file.fileno())


def _named(crash: Crash) -> str:
    return f"{crash.actor} at {crash.point} {crash.n}" + (f" and {crash.again}" if crash.again else "")
