"""What the tests of the alerter share: an alert with all that follows it, and the sinks behind one address."""

from __future__ import annotations

from typing import Any

from catalyst.core.delivery import number_of
from catalyst.messages import AlertReady, ChartReady, Kind, StoryCorrected, StoryJoined
from catalyst.testing import START_MS, Bench, FakeClock
from catalyst.world.discord import Desk, Request, read_body
from tests.receiver import Answer, Got

ALERT = AlertReady(
    item_id="i1", alert_id="a1", source="PR Newswire", title="Acme wins FDA approval", link="https://n.example/1",
    summary="long " * 500, published_ms=START_MS - 3_000, seen_ms=START_MS - 1_000, ticker="ACME", company="Acme Inc",
    kinds=(Kind("fda_approval", "wins", "up", 1.0),), direction="up", sentiment=0.7, score=0.8, why="wins (title)",
    watched=False, price_usd=4.2, price_ms=START_MS - 5_000, previous_close_usd=4.0, simulated=False, provider="yahoo",
    ready_ms=START_MS)
JOINED = StoryJoined(item_id="i1", joined_id="j1", source="Business Wire", title="Acme has won",
                     link="https://b.example/2", published_ms=None, seen_ms=START_MS)
CORRECTED = StoryCorrected(item_id="i1", joined_id="c1", source="PR Newswire", title="CORRECTION: Acme wins approval",
                           link="https://n.example/3", published_ms=START_MS, seen_ms=START_MS)
CHART = ChartReady(item_id="i1", alert_id="a1", ticker="ACME", png=b"\x89PNG drawn", alt="ACME: last 4.20 USD",
                   drawn_ms=START_MS)


class Outside:
    """Discord and the webhook's receiver behind one address; `script` answers first, by path's first word."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.desk = Desk(None)
        self.script: dict[str, list[Answer | None]] = {"discord": [], "ops": [], "hook": []}

    def __call__(self, got: Got) -> Answer | None:
        sink = got.path.split("/")[1].split("?")[0]
        if self.script[sink]:
            return self.script[sink].pop(0)
        if sink == "hook":
            return Answer(200, b"")
        if got.method == "GET":
            return Answer(200, {"id": "1", "type": 1})
        message_id = got.path.split("/messages/")[1] if "/messages/" in got.path else None
        payload, uploads = read_body(got.headers["content-type"], got.body)
        reply = self.desk.handle(Request(sink, got.method, message_id, payload, uploads, len(got.body), True),
                                 self.clock.now_ms())
        return Answer(reply.status, reply.body, reply.headers)


def drain(bench: Bench, seconds: float = 3_600) -> list[Any]:
    """Run jobs, letting time pass between them, until no job waits."""
    sent, end_ms = bench.run_jobs(), bench.clock.now_ms() + seconds * 1000
    while bench.jobs() and bench.clock.now_ms() < end_ms:
        bench.clock.advance(0.25)
        sent += bench.run_jobs()
    assert not bench.jobs()
    return sent


def numbered(about: str, told_ms: int, alert_id: str = "a1") -> str:
    """The key at the signed webhook of the update that tells of an item or a horizon."""
    return f"{alert_id}:{number_of(about, told_ms, 0)}"


def states(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows("SELECT sink, n, state FROM deliveries ORDER BY sink, n")
