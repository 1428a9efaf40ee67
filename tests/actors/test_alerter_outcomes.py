"""What becomes of alerts while a sink is limited, down, gone or refuses: each outcome of a delivery, on a clock of the
test's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from catalyst.clock import from_iso
from catalyst.messages import AlertPosted, OpsNotice
from catalyst.testing import START_MS, Bench, same
from tests.alerting import ALERT, CHART, JOINED, Outside, drain, states
from tests.receiver import Answer, Receiver

NOTICE = OpsNotice(item_id="feed:x", episode="1", severity="warning", title="Feed x is silent", text="5 polls",
                   made_ms=START_MS)
GLOBAL = [Answer(429, {"retry_after": 5.0, "global": True}),
          Answer(429, {"retry_after": 5.0}, {"X-RateLimit-Global": "true", "Retry-After": "5"}),
          Answer(429, {"retry_after": 5.0}, {"X-RateLimit-Scope": "global", "Retry-After": "5"})]


def many(bench: Bench, count: int) -> None:
    """Alerts of rising score."""
    for number in range(count):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", ticker=f"T{number}",
                        score=round(0.3 + 0.5 * number / count, 3)))


def paths(receiver: Receiver) -> list[str]:
    return [got.path.split("?")[0].split("/")[1] for got in receiver.got]


@pytest.mark.parametrize("answer", GLOBAL)
def test_a_global_limit_in_any_form_also_over_a_restart(make: Callable[..., Bench], receiver: Receiver,
                                                        outside: Outside, answer: Answer) -> None:
    """Body, header or scope: both Discord lanes wait for its time, nothing is asked before, nothing is lost."""
    bench = make("discord", "ops", "hook")
    outside.script["discord"] = [answer]
    many(bench, 3)
    bench.run_jobs()
    bench.restart()
    bench.clock.advance(4.9)
    bench.run_jobs()
    assert paths(receiver).count("discord") == 1
    assert paths(receiver).count("hook") == 3
    bench.clock.advance(0.2)
    drain(bench)
    assert paths(receiver).count("discord") == 4
    assert {state for _, _, state in states(bench)} == {"delivered"}


def test_a_global_limit_shortens_no_wait_of_the_other_lane(make: Callable[..., Bench], receiver: Receiver,
                                                           outside: Outside) -> None:
    """The operator's webhook asked for a minute; a global limit of five seconds, met by the alerts', opens it no
    earlier."""
    bench = make("discord", "ops")
    outside.script["ops"] = [Answer(503, b"", {"Retry-After": "60"})]
    outside.script["discord"] = [GLOBAL[0]]
    bench.send(NOTICE)
    bench.run_jobs()
    bench.send(same(NOTICE, episode="2"))
    bench.send(ALERT)
    bench.run_jobs()
    bench.clock.advance(59)
    bench.run_jobs()
    assert Counter(paths(receiver)) == {"ops": 1, "discord": 2}
    drain(bench)
    assert Counter(paths(receiver)) == {"ops": 3, "discord": 2}


def test_a_limit_that_names_no_time_is_asked_seldom(make: Callable[..., Bench], receiver: Receiver,
                                                    outside: Outside) -> None:
    """Ten minutes of 429 without a word on when: at most a hundred and twenty requests, far from Discord's ban."""
    bench = make("discord")
    outside.script["discord"] = [Answer(429, b"")] * 10_000
    many(bench, 10)
    for _ in range(2_400):
        bench.run_jobs()
        bench.clock.advance(0.25)
    assert 50 <= len(receiver.got) <= 121
    outside.script["discord"] = []
    assert len(drain(bench)) == 10


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_ten_minutes_of_errors(make: Callable[..., Bench], receiver: Receiver, outside: Outside, status: int) -> None:
    """Few requests, the other sink is not held up; then all come, the best first, marked where they may be repeats."""
    bench = make("discord", "hook")
    many(bench, 8)
    outside.script["discord"] = [Answer(status, b"")] * 10_000
    bench.run_jobs()
    assert paths(receiver).count("hook") == 8
    for _ in range(2_400):
        bench.run_jobs()
        bench.clock.advance(0.25)
    asked = paths(receiver).count("discord")
    assert 8 <= asked <= 25
    outside.script["discord"] = []
    drain(bench)
    messages = outside.desk.snapshot()["messages"]
    assert len(messages) == 8
    scores = [int(message["payload"]["content"].rsplit(" ", 1)[1]) for message in messages]
    tried = [int(score * 100 + 0.5) for score, in bench.rows(
        "SELECT body ->> 'score' FROM alerts JOIN deliveries USING (alert_id) WHERE sink = 'discord' AND tries > 1")]
    rest = [score for score in scores if score not in tried]
    assert rest == sorted(rest, reverse=True)
    assert scores[0] == max(scores)
    span_ms = [from_iso(message["at"]) or 0 for message in messages]
    assert max(span_ms) - min(span_ms) <= 500  # also those that were tried meanwhile
    marked = sum("possible repeat" in message["payload"]["embeds"][0]["footer"]["text"] for message in messages)
    assert marked == (0 if status in (502, 503) else len(tried))


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10015)])
def test_a_deleted_webhook_or_token(make: Callable[..., Bench], receiver: Receiver, outside: Outside, status: int,
                                    code: int) -> None:
    """One request, no other, whatever waits; the operator and the webhook hear of it within ten seconds, once."""
    bench = make("discord", "ops", "hook")
    outside.script["discord"] = [Answer(status, {"message": "gone", "code": code})]
    many(bench, 5)
    began_ms = bench.clock.now_ms()
    assert [type(message) for message in drain(bench)] == [AlertPosted] * 5
    assert bench.clock.now_ms() - began_ms <= 10_000
    assert (paths(receiver).count("discord"), paths(receiver).count("ops")) == (1, 1)
    assert {row[0] for row in bench.rows("SELECT reason FROM deliveries WHERE sink = 'discord' AND n = 0")} == {
        f"status_{status}", "sink_closed"}


def test_a_deleted_message_is_no_deleted_webhook(make: Callable[..., Bench], receiver: Receiver,
                                                 outside: Outside) -> None:
    """An edit's 404 ends that edit; the next alert goes out, and nobody is told."""
    bench = make("discord", "ops")
    bench.send(ALERT)
    drain(bench)
    outside.script["discord"] = [Answer(404, {"message": "Unknown Message", "code": 10008})]
    bench.send(JOINED)
    drain(bench)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    assert paths(receiver) == ["discord"] * 3
    assert [state for _, _, state in states(bench)] == ["delivered", "refused", "delivered"] or (
        bench.rows("SELECT state FROM deliveries WHERE alert_id = 'a2'") == [("delivered",)])


def test_a_minute_without_a_network(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Nobody listens for a minute: nothing is lost or marked; the first is out within five seconds of the return."""
    with Receiver() as other:
        closed = f"{other.url}/discord"
    bench = make("hook")
    bench.actor.settings = bench.settings.but(discord_webhook_url=closed)
    many(bench, 4)
    for _ in range(240):
        bench.run_jobs()
        bench.clock.advance(0.25)
    bench.actor.settings = bench.settings.but(discord_webhook_url=f"{receiver.url}/discord")
    for _ in range(21):
        bench.run_jobs()
        bench.clock.advance(0.25)
    assert "discord" in paths(receiver)
    drain(bench)
    assert bench.rows("SELECT state, possible_repeat FROM deliveries WHERE sink = 'discord'") == [("delivered", 0)] * 4


@pytest.mark.parametrize("answer", [Answer(413, b""), Answer(400, {"code": 50035}), Answer(500, b""), None])
def test_a_chart_that_cannot_be_uploaded(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                         answer: Answer | None) -> None:
    """The text is out before it is even tried, and so is the text of the next alert, without waiting for it."""
    bench = make("discord")
    normal = outside.__call__
    receiver.answer = lambda got: answer if b"image/png" in got.body else normal(got)
    bench.send(CHART)
    bench.send(ALERT)
    began_ms = bench.clock.now_ms()
    bench.run_jobs()
    assert len(outside.desk.snapshot()["messages"]) == 1
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    while len(outside.desk.snapshot()["messages"]) < 2:
        bench.clock.advance(0.1)
        bench.run_jobs()
        assert bench.clock.now_ms() - began_ms <= 3_000
    assert bench.rows("SELECT DISTINCT state FROM deliveries WHERE n = 0") == [("delivered",)]


def test_a_burst_of_two_hundred(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Texts by score, each before any chart, however their charts came."""
    bench = make("discord", discord_per_minute=0)
    for number in range(200):
        alert_id = f"a{number}"
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=alert_id, ticker=f"T{number}",
                        score=round((number * 37 % 200) / 200, 3)))
        bench.send(same(CHART, item_id=f"i{number}", alert_id=alert_id))
    drain(bench)
    kinds = [got.method for got in receiver.got]
    assert kinds == ["POST"] * 200 + ["PATCH"] * 200
    scores = [int(got.json["content"].rsplit(" ", 1)[1]) for got in receiver.got[:200]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("answer", [Answer(200, b"\x0b\x02\x80", {"Content-Encoding": "br"}),
                                    Answer(200, b"no gzip", {"Content-Encoding": "gzip"}),
                                    Answer(200, b"x" * 1_100_000)])
def test_an_answer_that_cannot_be_read_says_enough(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                                   answer: Answer) -> None:
    """A status of success before a body that is packed in a way of its own, or far too long: it is delivered, once;
    without a name it cannot be edited."""
    bench = make("discord", "hook")
    outside.script["discord"] = [answer]
    outside.script["hook"] = [answer]
    bench.send(ALERT)
    bench.send(JOINED)
    drain(bench)
    assert Counter(paths(receiver)) == {"discord": 1, "hook": 2}
    assert [state for _, _, state in states(bench)] == ["delivered", "refused", "delivered", "delivered"]


def test_a_refusal_that_cannot_be_read_is_one(make: Callable[..., Bench], receiver: Receiver,
                                              outside: Outside) -> None:
    """Its status counts, whatever stands below it."""
    bench = make("hook")
    outside.script["hook"] = [Answer(503, b"?", {"Content-Encoding": "br"}),
                              Answer(400, b"?", {"Content-Encoding": "br"})]
    bench.send(ALERT)
    drain(bench)
    assert bench.rows("SELECT state, status, reason FROM deliveries WHERE alert_id = 'a1'") == [
        ("refused", 400, "status_400")]
