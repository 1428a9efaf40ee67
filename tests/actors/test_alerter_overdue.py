"""A sink that is down for a quarter of a year: what waits for it ends with a reason before its alert is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalyst.messages import AlertPosted, ItemDropped, OpsNotice
from catalyst.testing import START_MS, Bench, same
from tests.alerting import ALERT, CORRECTED, JOINED, Outside, drain, states
from tests.receiver import Answer, Receiver

DAY_S = 86_400
NOTICE = OpsNotice(item_id="feed:x", episode="1", severity="warning", title="Feed x is silent", text="5 polls",
                   made_ms=START_MS)
DOWN = [Answer(502, b"")] * 100_000


def prune(bench: Bench) -> list[Any]:
    """The timer, and what it brings about."""
    return bench.tick("prune") + bench.tick("prune") + bench.run_jobs()


def told(receiver: Receiver, sink: str) -> list[str]:
    """The first line of each request to a sink of Discord's."""
    return [got.json["content"] for got in receiver.got if got.path.startswith(f"/{sink}")]


def is_over(bench: Bench) -> bool:
    """Whether nothing is left that could still happen: no alert, no delivery that waits, no job, no dead letter."""
    left = "SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM dead)" \
           " + (SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'queued', 'gathered'))"
    return bench.rows(left) == [(0,)] and bench.engine.jobs.waiting() == 0


def test_an_alert_that_another_sink_has(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """With an update that waits behind it: both end, the alert stays posted, the operator hears once; when Discord is
    back it gets nothing of it."""
    bench = make("discord", "ops", "hook")
    outside.script["discord"] = DOWN
    for number in range(3):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
        bench.send(same(JOINED, item_id=f"i{number}", joined_id=f"j{number}"))
    bench.run_jobs()
    bench.clock.advance(89 * DAY_S)
    assert prune(bench) == []
    assert len(bench.jobs()) == 3
    bench.clock.advance(2 * DAY_S)
    assert prune(bench) == []
    assert is_over(bench)
    outside.script["discord"] = []
    drain(bench)
    assert told(receiver, "ops") == ["✖ critical · Alerts for discord were given up"]
    assert outside.desk.snapshot()["messages"][-1]["webhook"] == "ops"


def test_an_alert_that_no_sink_has(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """It is dead, with its wires, for the reason that it is too old; once, over a kill too."""
    bench = make("discord", "ops")
    outside.script["discord"] = DOWN
    bench.send(ALERT)
    bench.send(JOINED)
    bench.run_jobs()
    bench.clock.advance(91 * DAY_S)
    bench.restart()
    ends = prune(bench)
    bench.restart()
    ends += prune(bench)
    assert [(end.item_id, end.fate, end.reason) for end in ends if isinstance(end, ItemDropped)] == [
        ("i1", "dead", "too_old"), ("j1", "dead", "too_old")]
    assert is_over(bench)
    assert len(told(receiver, "ops")) == 1


@pytest.mark.parametrize("answer", [Answer(502, b""), Answer(200, {"id": "7"}), Answer(400, b""), None])
def test_a_request_under_way_has_its_alert(make: Callable[..., Bench], outside: Outside, answer: Answer | None) -> None:
    """Pruning meets it in the middle, with a correction behind it: however it ends, nothing is raised, and then all is
    over."""
    bench = make("discord")
    bench.send(ALERT)
    bench.clock.advance(91 * DAY_S)
    (job,) = bench.interrupt_jobs()
    bench.tick("prune")
    assert states(bench) == [("discord", 0, "queued")]
    bench.send(CORRECTED)
    outside.script["discord"] = [answer, *DOWN]
    finished = bench.engine.jobs.run_one(job)
    bench._turn(lambda db: bench.engine.finish(db, finished))
    prune(bench)
    assert is_over(bench)
    assert {end.fate if isinstance(end, ItemDropped) else "alerted" for end in bench.sent
            if isinstance(end, (ItemDropped, AlertPosted))} == {
        "alerted" if answer is not None and answer.status == 200 else "dead"}


def test_those_in_a_digest(make: Callable[..., Bench], outside: Outside) -> None:
    """A digest ends when the last of its alerts is old, and all of them with it."""
    bench = make("discord", digest_from=1)
    outside.script["discord"] = DOWN
    bench.send(ALERT)
    for number in (2, 3):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", ticker=f"T{number}", score=0.1))
        bench.clock.advance(50 * DAY_S)
    ends = prune(bench)
    assert [end.item_id for end in ends if isinstance(end, ItemDropped)] == ["i1"]
    assert [job.payload.event for job in bench.jobs()] == ["digest"]  # type: ignore[attr-defined]
    bench.clock.advance(50 * DAY_S)
    ends = prune(bench)
    assert [(end.item_id, end.reason) for end in ends if isinstance(end, ItemDropped)] == [
        ("i2", "too_old"), ("i3", "too_old")]
    assert is_over(bench)


def test_the_digest_of_quiet_hours_and_an_edit_of_it(make: Callable[..., Bench], outside: Outside) -> None:
    """Neither the one that never arrived nor the one that could not be edited is kept for ever."""
    bench = make("discord", "hook", quiet_hours=("08:00-10:00",))
    bench.send(ALERT)
    bench.clock.advance(3_600)
    bench.tick("end_quiet")
    drain(bench)
    outside.script["discord"] = outside.script["hook"] = DOWN
    bench.send(CORRECTED)
    bench.clock.advance(23 * 3_600)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    bench.clock.advance(3_600)
    bench.tick("end_quiet")
    bench.run_jobs()
    assert len(bench.jobs()) == 3
    outside.script["hook"] = []
    bench.clock.advance(92 * DAY_S)
    prune(bench)
    assert is_over(bench)


def test_notices_that_nobody_takes(make: Callable[..., Bench], outside: Outside) -> None:
    """They end silently: there is nobody to tell."""
    bench = make("ops", "hook")
    outside.script["ops"] = outside.script["hook"] = DOWN
    for number in range(5):
        bench.send(same(NOTICE, episode=f"{number}"))
    bench.clock.advance(91 * DAY_S)
    prune(bench)
    assert bench.jobs() == []
    bench.tick("prune")
    assert states(bench) == []


def test_a_repeat_of_an_alert_that_is_forgotten(make: Callable[..., Bench]) -> None:
    """The alert that it was folded into was pruned a moment before it: news of its story raise nothing."""
    bench = make("hook", alert_cooldown_minutes=30)
    bench.send(ALERT)
    bench.clock.advance(1_200)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    bench.clock.advance(90 * DAY_S - 600)
    prune(bench)
    assert bench.rows("SELECT alert_id FROM alerts") == [("a2",)]
    bench.send(same(CORRECTED, item_id="i2"))
    drain(bench)
    assert bench.rows("SELECT count(*) FROM deferred") == [(0,)]
