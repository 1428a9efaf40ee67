"""A digest that Discord refuses for what it says: its alerts go out one by one, each once, over any kill."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from catalyst.messages import AlertPosted, ItemDropped
from catalyst.testing import Bench, same
from tests.actors.test_alerter_digests import alerts, fates
from tests.alerting import ALERT, CHART, JOINED, Outside, drain
from tests.receiver import Answer, Got, Receiver

REFUSED = Answer(400, {"message": "Invalid Form Body", "code": 50035})


def notices(receiver: Receiver) -> Counter[str]:
    """What the operator was told, by the first words."""
    return Counter(" ".join(got.json["embeds"][0]["title"].split()[1:5]) for got in receiver.got
                   if got.path.startswith("/ops"))


def posts(outside: Outside) -> list[tuple[list[str], bool]]:
    """Of each of Discord's messages the tickers in it, and whether it says that it may be a repeat."""
    taken = [got["payload"] for got in outside.desk.snapshot()["messages"]
             if got["method"] == "POST" and got["status"] == 200 and got["webhook"] == "discord"]
    return [([embed["title"].split()[1] if "fields" in embed else embed["description"].split()[0]
              for embed in payload["embeds"]], "possible repeat" in payload["embeds"][-1]["footer"]["text"])
            for payload in taken]


def poison(outside: Outside, receiver: Receiver, refused: Answer = REFUSED) -> None:
    """Discord takes no message that holds the word."""
    receiver.answer = lambda got: refused if is_poison(got) else outside(got)


def is_poison(got: Got) -> bool:
    return got.path.startswith("/discord") and b"poison" in got.body


@pytest.mark.parametrize("refused", [REFUSED, Answer(413, b"")])
def test_its_alerts_live_or_die_by_themselves(make: Callable[..., Bench], outside: Outside, receiver: Receiver,
                                              refused: Answer) -> None:
    """One of eleven brings the refusal: ten are posted, that one is dead; the operator hears once of the digest and
    once of the alert. What waited for one of them is edited in after its post."""
    bench = make("discord", "ops", digest_from=1, discord_per_minute=0)
    poison(outside, receiver, refused)
    for alert in alerts(11):
        bench.send(same(alert, title="poison") if alert.ticker == "T7" else alert)
    bench.send(same(CHART, item_id="i5", alert_id="a005"))
    bench.send(same(JOINED, item_id="i5"))
    sent = drain(bench)
    assert Counter(ticker for post, _ in posts(outside) for ticker in post) == Counter(
        f"T{number}" for number in range(11) if number != 7)
    assert len(posts(outside)) == 10
    assert fates(sent) == Counter(f"i{number}" for number in range(11) if number != 7)
    assert [message.item_id for message in sent if isinstance(message, ItemDropped)] == ["i7"]
    assert notices(receiver) == {"A digest was refused:": 1, "An alert was not": 1}
    assert bench.rows("SELECT state, count(*) FROM deliveries WHERE n = 0 AND sink = 'discord' GROUP BY state") == [
        ("delivered", 10), ("refused", 2)]
    (edit,) = [got for got in receiver.got if got.method == "PATCH"]
    assert b"image/png" in edit.body
    assert b"Business Wire" in edit.body


def test_they_go_into_no_digest_again(make: Callable[..., Bench], outside: Outside, receiver: Receiver) -> None:
    """Also while better alerts come and more of them wait than go one by one: one digest is refused, not a second."""
    bench = make("discord", "ops", digest_from=2, discord_per_minute=0)
    poison(outside, receiver)
    for alert in alerts(8):
        bench.send(same(alert, title="poison", score=alert.score - 0.5))
    while any(job.payload.event == "digest" for job in bench.jobs()):  # type: ignore[attr-defined]
        step(bench)
    for number in range(20, 26):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number:03}", ticker=f"T{number}", score=0.99))
    drain(bench)
    assert notices(receiver)["A digest was refused:"] == 1
    assert notices(receiver)["An alert was not"] == 8
    assert {ticker for post, _ in posts(outside) for ticker in post} == {f"T{number}" for number in range(20, 26)}


def test_no_place_is_taken_twice(make: Callable[..., Bench], outside: Outside) -> None:
    """An alert gave its place to a better one and went into a digest; when that is refused while the better one still
    waits, each has a place of its own."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    for number, score in enumerate((0.5, 0.9, 0.4)):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", ticker=f"T{number}", score=score))
    outside.script["discord"] = [Answer(503, b""), REFUSED]
    sent = drain(bench)
    assert Counter(ticker for post, _ in posts(outside) for ticker in post) == {"T0": 1, "T1": 1, "T2": 1}
    assert fates(sent) == {"i0": 1, "i1": 1, "i2": 1}


def step(bench: Bench) -> None:
    """What is due, one request a lane, or a moment's wait."""
    picked = bench.interrupt_jobs()
    for job in picked:
        finished = bench.engine.jobs.run_one(job)
        bench._turn(lambda db, done=finished: bench.engine.finish(db, done))  # type: ignore[misc]
    if not picked:
        bench.clock.advance(0.25)


@pytest.mark.parametrize("seed", range(6))
def test_each_once_over_any_kill(make: Callable[..., Bench], outside: Outside, receiver: Receiver, seed: int) -> None:
    """Kills before, in and after the refused requests: each alert is told once or says that it may be a repeat, each
    item has its fate once, and each refused digest is told once."""
    chance = random.Random(seed)
    bench = make("discord", "ops", digest_from=chance.choice((1, 3)), discord_per_minute=0)
    poison(outside, receiver)
    bad = set(chance.sample(range(30), 3))
    for alert in alerts(30, seed=seed):
        bench.send(same(alert, title="poison") if int(alert.ticker[1:]) in bad else alert)
        if chance.random() < 0.2:
            bench.interrupt_jobs()
            bench.restart()
    for _ in range(40):
        bench.clock.advance(0.25)
        for job in bench.interrupt_jobs():
            finished = bench.engine.jobs.run_one(job)
            if chance.random() < 0.2:
                bench.restart()  # answered, and nobody wrote it down
                break
            bench._turn(lambda db, done=finished: bench.engine.finish(db, done))  # type: ignore[misc]
    drain(bench)
    good = {f"T{number}" for number in range(30)} - {f"T{number}" for number in bad}
    assert max(Counter(ticker for post, is_marked in posts(outside) if not is_marked for ticker in post).values()) == 1
    assert {ticker for post, _ in posts(outside) for ticker in post} == good
    ends = Counter(one.item_id for one in bench.sent if isinstance(one, (AlertPosted, ItemDropped)))
    assert ends == Counter(f"i{number}" for number in range(30))
    digests = bench.rows("SELECT count(*) FROM deliveries WHERE alert_id LIKE 'dg-%' AND state = 'refused'")[0][0]
    kept = bench.rows("SELECT count(*) FROM deliveries WHERE alert_id LIKE 'ops-%' AND sink = 'ops'")[0][0]
    assert kept == digests + 3


def test_a_digest_under_which_processes_end(make: Callable[..., Bench], outside: Outside) -> None:
    """Twice is enough: its alerts go out one by one, marked, for it may have arrived."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    best, *others = sorted(alerts(4), key=lambda alert: -alert.score)
    bench.send(best)
    drain(bench)
    outside.script["discord"] = [Answer(429, {"retry_after": 1.0}, {"Retry-After": "1"})]
    bench.send(same(best, item_id="i9", alert_id="a9", ticker="T9"))
    for alert in others:
        bench.send(alert)
    bench.run_jobs()
    bench.clock.advance(2)
    step(bench)
    for _ in range(2):
        assert [job.payload.event for job in bench.interrupt_jobs()] == ["digest"]  # type: ignore[attr-defined]
        bench.restart(suspect="job")
    drain(bench)
    assert [(len(post), is_marked) for post, is_marked in posts(outside)] == [(1, False)] * 2 + [(1, True)] * 3
    assert bench.rows("SELECT count(*) FROM dead") == [(0,)]


def test_a_digest_that_stays_unanswered(make: Callable[..., Bench], outside: Outside, receiver: Receiver) -> None:
    """It and its repeat were not answered: its alerts go out one by one, each marked, none is dead."""
    bench = make("discord", "ops", digest_from=1, discord_per_minute=0)
    unanswered = b"too many were waiting"
    receiver.answer = lambda got: None if got.method == "POST" and unanswered in got.body else outside(got)
    for alert in alerts(5):
        bench.send(alert)
    sent = drain(bench)
    assert not [message for message in sent if isinstance(message, ItemDropped)]
    assert sorted((len(post), is_marked) for post, is_marked in posts(outside)) == [(1, False)] + [(1, True)] * 4
    assert notices(receiver) == {"A digest stayed unanswered:": 1}


def test_what_quiet_hours_held_stays_held(make: Callable[..., Bench], outside: Outside, receiver: Receiver) -> None:
    """A refused digest of quiet hours is told to the operator; nothing that was held is posted after all."""
    bench = make("discord", "ops", quiet_hours=("08:00-10:00",))
    poison(outside, receiver)
    bench.send(same(ALERT, title="poison"))
    bench.clock.advance(3_600)
    bench.tick("end_quiet")
    drain(bench)
    assert notices(receiver) == {"A digest was not": 1}
    assert len([got for got in receiver.got if got.path.startswith("/discord")]) == 1


def test_a_sink_that_is_gone_is_not_asked_for_each(make: Callable[..., Bench], outside: Outside,
                                                   receiver: Receiver) -> None:
    """The webhook was deleted: the digest's alerts are dead, no further request is made."""
    bench = make("discord", "ops", digest_from=1, discord_per_minute=0)
    outside.script["discord"] = [Answer(200, {"id": "7"}), Answer(404, {"code": 10015})]
    for alert in alerts(5):
        bench.send(alert)
    sent = drain(bench)
    assert len([message for message in sent if isinstance(message, ItemDropped)]) == 4
    assert len([got for got in receiver.got if got.path.startswith("/discord")]) == 2
    assert notices(receiver) == {"Sink discord is closed": 1}
