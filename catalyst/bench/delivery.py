"""What the alerter makes of a Discord that enforces its limits: a real alerter process, the world on loopback, alerts
handed over on real links. No item is fetched and nothing is scored: this is the last stretch alone.

`drain` is 1,000 alerts against twenty times Discord's limits; `real` 20 alerts in ten seconds against the real ones;
`burst` 200 alerts with their charts at once; `beside` how long the signed webhook waits while Discord is slow.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from catalyst.bench.house import House
from catalyst.bench.measure import Report, progress
from catalyst.clock import from_iso
from catalyst.messages import AlertReady, ChartReady, Kind, Message
from catalyst.runtime.contract import Actor
from catalyst.runtime.process import Process
from catalyst.settings import load

WINDOW_S, REAL, TIMES = 2.0, 5, 20  # Discord's webhooks: five requests in two seconds, here also twenty times as many
AIM_RATE, AIM_BESIDE = 0.95, 1 / 1.2
PNG = b"\x89PNG" + bytes(20_000)  # a sink in the world looks at its size only


class Feeding(Actor):
    """Sends what stands in `todo`; `ring` ends a pause."""

    todo: list[Message]
    bell = -1
    is_over = True

    def pump(self, db: sqlite3.Connection) -> Iterator[Message]:
        """Send all of it."""
        yield from self.todo
        self.todo = []

    def ring(self, db: sqlite3.Connection) -> Iterator[Message]:
        """The pause is over."""
        os.read(self.bell, 1)
        self.is_over = True
        return iter(())


class Market(Feeding):
    """In the market's place."""

    name = "market"
    outbox = (AlertReady,)


class Charter(Feeding):
    """In the charter's place."""

    name = "charter"
    outbox = (ChartReady,)


class Feeder:
    """One such actor in this process."""

    def __init__(self, cls: type[Feeding], house: House):
        settings = load(house.environment, house.home / ".env")
        self.process = Process(cls, settings, ())
        assert isinstance(self.process.actor, Feeding)
        self.actor = self.process.actor
        self._fd, write = os.pipe()
        os.write(write, b"x")  # readable for ever: `pump` runs in every turn in which it is watched
        self.actor.bell, self._bell = os.pipe()
        self.process.watch(self.actor.bell, "ring")
        self.process.heartbeat.start()

    def send(self, messages: list[Message]) -> None:
        """Hand the messages over in one commit."""
        self.actor.todo = messages
        self.process.watch(self._fd, "pump")
        self.process.turn()
        self.process.unwatch(self._fd)

    def turn(self) -> None:
        """One turn of the loop: what is to go out goes out."""
        self.process.turn()

    def pause(self, until_s: float) -> None:
        """Turn until a monotonic moment; a turn alone waits for a second where nothing comes."""
        self.actor.is_over = False
        threading.Timer(max(0.0, until_s - time.monotonic()), os.write, (self._bell, b"x")).start()
        while not self.actor.is_over:
            self.process.turn()

    def close(self) -> None:
        """Let go of its name and its sockets."""
        self.process.stop()
        self.process._drain()


def run(*, quick: bool) -> Report:
    """Rates, refusals and waits of the four cases; quick the first alone."""
    report = Report("delivery: alerts against a Discord that enforces its limits")
    drain(report, 200 if quick else 1_000)
    if not quick:
        real(report)
        burst(report)
        beside(report, 100)
    return report


def alert(number: int, score: float) -> AlertReady:
    """An alert as the market sends it, seen this moment."""
    now_ms = int(time.time() * 1000)
    return AlertReady(
        item_id=f"item{number:06}", alert_id=f"alert{number:06}", source="wire",
        title=f"Example {number} wins approval", link=f"https://example.com/{number}", summary="",
        published_ms=now_ms, seen_ms=now_ms, ticker=f"T{number % 9999}",
        company="Example Corp", kinds=(Kind("fda_approval", "wins approval", "up", 1.0),), direction="up",
        sentiment=0.5, score=score, why="wins approval (title)", watched=False, price_usd=4.2, price_ms=now_ms,
        previous_close_usd=4.0, simulated=True, provider="simulated", ready_ms=now_ms)


class Stage:
    """A world with a limit, a real alerter, and the two in whose place this process speaks. A context manager."""

    def __init__(self, limit: int, **settings: str):
        self._folder = tempfile.TemporaryDirectory(prefix="cat-")
        self.house = House(Path(self._folder.name), items=1, duration_s=1, **settings)
        self.house.open_world("--discord-limit", f"{limit}/{WINDOW_S:g}")
        self.house._start("actor", "alerter", stderr=subprocess.DEVNULL)
        self.market, self.charter = Feeder(Market, self.house), Feeder(Charter, self.house)
        self.wait(lambda: self.house.pid("alerter") is not None, 20)

    def wait(self, done: Callable[[], bool], limit_s: float, every_s: float = 0.0) -> None:
        """Turn until it is done; looked at each `every_s`."""
        end_s, look_s = time.monotonic() + limit_s, 0.0
        while time.monotonic() < end_s:
            self.market.turn()
            self.charter.turn()
            if time.monotonic() >= look_s:
                if done():
                    return
                look_s = time.monotonic() + every_s
        raise AssertionError(f"not within {limit_s:g} s")

    def messages(self) -> list[dict[str, Any]]:
        """What came to the webhook of the alerts."""
        return [one for one in self.house.sent()["messages"] if one["webhook"].endswith("alerts")]

    def wait_for(self, posts: int, edits: int = 0, limit_s: float = 120) -> list[dict[str, Any]]:
        """The messages, when so many are there."""
        self.wait(lambda: _count(self.messages(), "POST") >= posts and _count(self.messages(), "PATCH") >= edits,
                  limit_s, 0.5)
        return self.messages()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.market.close()  # before the house ends all who hold a lock of it: these two are this process
        self.charter.close()
        self.house.close()
        self._folder.cleanup()


def _count(messages: list[dict[str, Any]], method: str) -> int:
    return sum(one["method"] == method and one["status"] == 200 for one in messages)


def _at(message: dict[str, Any]) -> int:
    return from_iso(message["at"]) or 0


def drain(report: Report, count: int) -> None:
    """A full queue: how near the rate comes to what is allowed, and how often it was too fast."""
    most = REAL * TIMES
    progress(f"delivery: {count} alerts, {most} in {WINDOW_S:g} s allowed")
    with Stage(most, CATALYST_WEBHOOK_URL="") as stage:
        stage.market.send([alert(number, (number * 37 % 100) / 100) for number in range(count)])
        messages = stage.wait_for(count, limit_s=count / most * WINDOW_S * 3 + 30)
        limited = stage.house.sent()["rate_limited"]
    span_s = (_at(messages[count - most]) - _at(messages[0])) / 1000  # whole windows: to the first of the last one
    report.add({"drain: seconds": span_s, "drain: seconds allowed": (count - most) / most * WINDOW_S}, "s")
    report.add({"drain: refused for rate": limited, "drain: posted": _count(messages, "POST")}, "")
    report.ratio("delivery.drain", "drain: seconds allowed", "drain: seconds", AIM_RATE)


def real(report: Report) -> None:
    """Twenty alerts in ten seconds against Discord's real limits and our own cap of a minute."""
    progress("delivery: 20 alerts in 10 s, the real limits")
    with Stage(REAL, CATALYST_WEBHOOK_URL="", DISCORD_PER_MINUTE="30") as stage:
        began_s = time.monotonic()
        for number in range(20):
            stage.market.send([alert(number, 0.5)])
            stage.market.pause(began_s + (number + 1) / 2)
        messages = stage.wait_for(20)
        limited = stage.house.sent()["rate_limited"]
    report.add({"real: posted of 20": _count(messages, "POST"), "real: refused for rate": limited}, "")


def burst(report: Report) -> None:
    """Two hundred alerts and their charts in one moment: texts before charts, the best first."""
    progress("delivery: 200 alerts with charts at once")
    with Stage(REAL * TIMES, CATALYST_WEBHOOK_URL="") as stage:
        scores = {f"alert{number:06}": (number * 37 % 200) / 200 for number in range(200)}
        stage.market.send([alert(number, scores[f"alert{number:06}"]) for number in range(200)])
        stage.charter.send([ChartReady(item_id=f"item{number:06}", alert_id=f"alert{number:06}", ticker="TEST", png=PNG,
                                       alt="a chart", drawn_ms=int(time.time() * 1000)) for number in range(200)])
        messages = [one for one in stage.wait_for(200, 200) if one["status"] == 200]
        limited = stage.house.sent()["rate_limited"]
    methods = [one["method"] for one in messages]
    texts = [int(one["payload"]["content"].split(" · ")[1]) for one in messages if one["method"] == "POST"]
    last_text = len(methods) - 1 - methods[::-1].index("POST")
    report.add({"burst: charts before the last text": methods[:last_text].count("PATCH"),
                "burst: texts behind a weaker one": sum(later > sooner for sooner, later in pairwise(texts)),
                "burst: refused for rate": limited}, "")
    report.add({"burst: seconds": (_at(messages[-1]) - _at(messages[0])) / 1000}, "s")


def beside(report: Report, count: int) -> None:
    """How long an alert takes to the signed webhook while all is well, and while Discord answers late."""
    progress(f"delivery: {count} alerts to two sinks, then with a slow Discord")
    waits: dict[str, list[int]] = {}
    with Stage(REAL * TIMES) as stage:
        for round_, name in enumerate(("well", "slow Discord", "well", "slow Discord")):
            if name != "well":
                _trouble(stage.house, "slow", 600)
            for number in range(count):
                began_s = time.monotonic()
                stage.market.send([alert(round_ * count + number, 0.5)])
                stage.market.pause(began_s + 0.1)
            _trouble(stage.house, "slow", 0)
            stage.wait(lambda most=(round_ + 1) * count: len(stage.house.sent()["events"]) >= most, 60, 0.5)  # type: ignore[misc]
            bodies = [json.loads(event["body"]) for event in stage.house.sent()["events"]][round_ * count:]
            waits.setdefault(name, []).extend(from_iso(body["sent"]) - from_iso(body["seen"]) for body in bodies)
    for name, found in waits.items():
        found.sort()
        report.add({f"beside: p50 {name}": found[len(found) // 2],
                    f"beside: p99 {name}": found[int(len(found) * 0.99)]}, "ms")
    report.ratio("delivery.beside_p50", "beside: p50 well", "beside: p50 slow Discord")
    report.ratio("delivery.beside_p99", "beside: p99 well", "beside: p99 slow Discord", AIM_BESIDE)


def _trouble(house: House, what: str, for_s: float) -> None:
    body = json.dumps({"what": what, "sink": "discord", "for_s": for_s}).encode()
    with urllib.request.urlopen(f"{house.url}/_trouble", body, timeout=10):  # noqa: S310 - our own world
        pass
