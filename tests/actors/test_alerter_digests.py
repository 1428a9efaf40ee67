"""Too many alerts for Discord: the best one by one, the others several in a message; each once, over any kill."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from catalyst.messages import AlertPosted, AlertReady
from catalyst.testing import Bench, same
from catalyst.world.discord import Desk
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, Outside, drain
from tests.receiver import Answer, Receiver


def alerts(count: int, *, seed: int = 3) -> list[AlertReady]:
    """Alerts of tickers T0, T1, ... with scores in any order, the ticker's number being its place in them."""
    found = [same(ALERT, item_id=f"i{number}", alert_id=f"a{number:03}", ticker=f"T{number}",
                  score=1 - number / 1000) for number in range(count)]
    random.Random(seed).shuffle(found)
    return [alert for alert in found if isinstance(alert, AlertReady)]


def told(outside: Outside) -> list[list[str]]:
    """The tickers of each post, in the order of the posts."""
    posts = [got for got in outside.desk.snapshot()["messages"] if got["method"] == "POST" and got["status"] == 200]
    return [[embed["description"].split()[0] for embed in got["payload"]["embeds"]] if len(got["payload"]["embeds"]) > 1
            or got["payload"]["embeds"][0].get("fields") is None else [got["payload"]["content"].split()[0]]
            for got in posts]


def fates(sent: list[Any]) -> Counter[str]:
    return Counter(message.item_id for message in sent if isinstance(message, AlertPosted) and not message.folded)


@pytest.mark.parametrize("seed", range(5))
def test_those_beyond_go_in_digests(make: Callable[..., Bench], outside: Outside, seed: int) -> None:
    """Of 40 that wait the 25 best go out one by one, best first; the others ten and five in a message, each the best
    first; every item is alerted, once, and each alert says how it was told."""
    bench = make("discord", digest_from=25, discord_per_minute=0)
    for alert in alerts(40, seed=seed):
        bench.send(alert)
    sent = drain(bench)
    posts = told(outside)
    assert [post for post in posts if len(post) == 1] == [[f"T{number}"] for number in range(25)]
    digests = [post for post in posts if len(post) > 1]
    assert sorted(map(len, digests)) == [5, 10]
    assert all(post == sorted(post, key=lambda ticker: int(ticker[1:])) for post in digests)
    assert sorted(ticker for post in digests for ticker in post) == sorted(f"T{number}" for number in range(25, 40))
    assert fates(sent) == Counter(f"i{number}" for number in range(40))
    assert bench.rows("SELECT state, count(*) FROM deliveries WHERE alert_id LIKE 'a%' GROUP BY state") == [
        ("delivered", 25), ("digest", 15)]
    assert {row["state"] for row in bench.verb("alerts", limit=500)["alerts"]} == {"posted"}
    assert bench.rows("SELECT count(*) FROM deliveries WHERE reason LIKE 'digest:dg-%'") == [(15,)]


@pytest.mark.parametrize(("count", "digest_from"), [(25, 25), (60, 0)])
def test_no_digest_where_none_is_needed_or_wanted(make: Callable[..., Bench], outside: Outside, count: int,
                                                  digest_from: int) -> None:
    """Up to the number of the setting, and with 0 always, each alert is a message."""
    bench = make("discord", digest_from=digest_from, discord_per_minute=0)
    for alert in alerts(count):
        bench.send(alert)
    drain(bench)
    assert [len(post) for post in told(outside)] == [1] * count


def test_the_webhook_gets_each_alert(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Digests are for Discord, whose limits make the queue."""
    bench = make("discord", "hook", digest_from=2, discord_per_minute=0)
    for alert in alerts(9):
        bench.send(alert)
    drain(bench)
    assert Counter(got.json["event"] for got in receiver.got if got.path == "/hook") == {"alert": 9}


@pytest.mark.parametrize("is_first", [True, False])
def test_an_alert_under_way_is_never_taken_back(make: Callable[..., Bench], outside: Outside, *,
                                                is_first: bool) -> None:
    """The worst of all is in a request, or was when the process died: it goes out by itself beside better ones."""
    bench = make("discord", digest_from=3, discord_per_minute=0)
    *better, worst = sorted(alerts(12), key=lambda alert: -alert.score)
    bench.send(worst)
    assert len(bench.interrupt_jobs()) == 1
    if is_first:
        bench.restart()
    for alert in better:
        bench.send(alert)
    if not is_first:
        bench.restart()
    sent = drain(bench)
    assert fates(sent) == Counter(f"i{number}" for number in range(12))
    assert Counter(ticker for post in told(outside) for ticker in post) == Counter(f"T{n}" for n in range(12))
    assert ["T11"] in told(outside)


@pytest.mark.parametrize("is_dead", [True, False])
def test_a_digest_under_way_takes_no_more(make: Callable[..., Bench], outside: Outside, *, is_dead: bool) -> None:
    """What comes after its request began is told in the next one."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    first, second, third, *later = sorted(alerts(6), key=lambda alert: -alert.score)
    for alert in (first, second, third):
        bench.send(alert)
    outside.script["discord"] = [Answer(200, {"id": "7"}), Answer(502, b"")]
    bench.run_jobs()
    bench.clock.advance(10)
    assert [job.payload.event for job in bench.interrupt_jobs()] == ["digest"]  # type: ignore[attr-defined]
    if is_dead:
        bench.restart()
    for alert in later:
        bench.send(alert)
    if not is_dead:
        bench.restart()
    drain(bench)
    assert fates(bench.sent) == Counter(f"i{number}" for number in range(6))
    assert ["T1", "T2"] in told(outside)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_or_doubled_by_kills(make: Callable[..., Bench], outside: Outside, seed: int) -> None:
    """Alerts, time and kills in any order, before and during requests: each alert is told once or by a message that
    says it may be a repeat, and each item has its fate once."""
    chance = random.Random(seed)
    bench = make("discord", digest_from=4, discord_per_minute=30)
    for alert in alerts(80, seed=seed):
        bench.send(alert)
        if chance.random() < 0.1:
            bench.run_jobs()
        if chance.random() < 0.05:
            bench.clock.advance(chance.choice((1, 30)))
        if chance.random() < 0.15:
            if chance.random() < 0.5:
                bench.interrupt_jobs()
            bench.restart()
    drain(bench)
    assert fates(bench.sent) == Counter(f"i{number}" for number in range(80))
    assert Counter(ticker for post in told(outside) for ticker in post) == Counter(f"T{n}" for n in range(80))
    assert bench.rows("SELECT count(*) FROM deliveries WHERE state NOT IN ('delivered', 'digest')") == [(0,)]


def test_a_kill_in_the_middle_of_a_digest(make: Callable[..., Bench], outside: Outside, receiver: Receiver) -> None:
    """Its request may have arrived: made once more, and the second message says so."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    for alert in alerts(4):
        bench.send(alert)
    bench.interrupt_jobs()
    bench.restart()
    bench.run_jobs()
    assert [post for post in told(outside) if len(post) == 3] == [["T1", "T2", "T3"]]
    bench.send(same(ALERT, item_id="x", alert_id="x1", ticker="X", score=0.1))
    bench.send(same(ALERT, item_id="y", alert_id="y1", ticker="Y", score=0.05))
    outside.script["discord"] = [Answer(200, {"id": "7"}), None]
    bench.run_jobs()
    drain(bench)
    last = receiver.got[-1].json
    assert "possible repeat" in last["embeds"][-1]["footer"]["text"]
    assert fates(bench.sent)["y"] == 1


def descriptions(outside: Outside) -> list[list[str]]:
    """What stands below each title of the newest form of the digest."""
    (payload,) = [payload for _, payload in edits(outside)][-1:]
    return [embed["description"].split("\n") for embed in payload["embeds"]]


def edits(outside: Outside) -> list[tuple[str, dict[str, Any]]]:
    """Message and payload of each edit."""
    return [(got["message_id"], got["payload"]) for got in outside.desk.snapshot()["messages"]
            if got["method"] == "PATCH" and got["status"] == 200]


@pytest.mark.parametrize("is_early", [True, False])
def test_what_follows_is_edited_into_the_digest(make: Callable[..., Bench], outside: Outside, *,
                                                is_early: bool) -> None:
    """A further wire and a correction of an alert in a digest, also in one that still waits: edits of the digest's
    message, in which the correction takes the place of the reason; their items share the alert's fate. The chart has
    no place there."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    other = same(ALERT, item_id="i5", alert_id="a5", ticker="BETA", score=0.5)
    for alert in (same(ALERT, item_id="i9", alert_id="a9", ticker="BEST", score=0.99), ALERT, other):
        bench.send(alert)
    sent = [] if is_early else drain(bench)
    for message in (CHART, JOINED, CORRECTED):
        sent += bench.send(message)
    sent += drain(bench)
    assert Counter((m.item_id, m.folded) for m in sent) == Counter(
        [("i1", False), ("i5", False), ("i9", False), ("j1", True), ("c1", True)])
    assert descriptions(outside) == [
        ["ACME ▲ FDA approval · 80", "✎ Corrected by its publisher: CORRECTION: Acme wins approval", "$4.20",
         "also on Business Wire"], ["BETA ▲ FDA approval · 50", "wins (title)", "$4.20"]]
    (digest_id,) = {row[0] for row in bench.rows("SELECT message_id FROM deliveries WHERE alert_id LIKE 'dg-%'"
                                                 " AND n = 0")}
    assert {message_id for message_id, _ in edits(outside)} == {digest_id}
    assert edits(outside)[-1][1]["embeds"][0]["url"] == CORRECTED.link
    assert bench.rows("SELECT what, state FROM deliveries WHERE alert_id = 'a1' AND n > 0 ORDER BY what") == [
        ("chart", "refused"), ("correction", "folded"), ("source", "folded")]
    assert bench.rows("SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'queued', 'gathered')") == [(0,)]


def test_an_edit_of_a_digest_survives_a_kill(make: Callable[..., Bench], outside: Outside) -> None:
    """Killed in the request, and two more came meanwhile: the last edit shows all of them, without a repeat's mark."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    bench.send(same(ALERT, item_id="i9", alert_id="a9", ticker="BEST", score=0.99))
    bench.send(ALERT)
    drain(bench)
    bench.send(CORRECTED)
    bench.interrupt_jobs()
    bench.restart()
    bench.send(JOINED)
    bench.send(same(CORRECTED, joined_id="c2", title="CORRECTION 2: Acme loses"))
    drain(bench)
    assert descriptions(outside)[0][1:] == ["✎ Corrected by its publisher: CORRECTION 2: Acme loses", "$4.20",
                                            "also on Business Wire"]
    assert "possible repeat" not in edits(outside)[-1][1]["embeds"][-1]["footer"]["text"]


def test_a_digest_obeys_the_limits(make: Callable[..., Bench], outside: Outside) -> None:
    """300 alerts against five in two seconds: nothing refused, nothing lost, and fewer requests than alerts."""
    outside.desk = Desk((5, 2.0))
    bench = make("discord", digest_from=25, discord_per_minute=0)
    for alert in alerts(300):
        bench.send(alert)
    assert len(fates(drain(bench))) == 300
    seen = outside.desk.snapshot()
    assert (seen["rate_limited"], len(told(outside))) == (0, 25 + 28)


def test_an_alert_that_grew_old_says_so(make: Callable[..., Bench], outside: Outside) -> None:
    """Discord was down for ten minutes: the card says by how much it is late, also after a later edit."""
    bench = make("discord")
    bench.send(ALERT)
    outside.script["discord"] = [Answer(502, b"")] * 10_000
    for _ in range(10):
        bench.run_jobs()
        bench.clock.advance(60)
    outside.script["discord"] = []
    drain(bench)
    bench.clock.advance(3_600)
    bench.send(JOINED)
    drain(bench)
    texts = [got["payload"]["embeds"][0]["description"] for got in outside.desk.snapshot()["messages"]]
    assert [text.split("\n")[1].split(" · ")[0] for text in texts] == ["late by 10 min", "late by 10 min"]


def test_an_alert_in_time_says_nothing(make: Callable[..., Bench], outside: Outside) -> None:
    """A jump of the clock makes none late."""
    bench = make("discord")
    bench.send(ALERT)
    bench.clock.jump(3_600)
    drain(bench)
    assert "late" not in outside.desk.snapshot()["messages"][0]["payload"]["embeds"][0]["description"]
