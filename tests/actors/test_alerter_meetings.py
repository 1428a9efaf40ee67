"""What the alerter does where two of its ways of telling meet: updates and digests, repeats and filters, corrections
and phones, numbers of updates and forgetting."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from catalyst.messages import AlertPosted, AlertReady, ItemDropped, OutcomeKnown
from catalyst.testing import START_MS, Bench, same
from catalyst.world.discord import Desk
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, Outside, drain
from tests.receiver import Answer, Receiver

HOUR_S = 3_600
KNOWN = OutcomeKnown(item_id="i1", alert_id="a1", ticker="ACME", horizon="15m", return_pct=4.24, price_usd=4.38,
                     price_ms=START_MS + 840_000, base_usd=4.2, simulated=False, known_ms=START_MS + 900_000)
BEST = same(ALERT, item_id="i9", alert_id="a9", ticker="BEST", score=0.99)


def another(number: int, **changes: Any) -> AlertReady:
    """A further alert, of an item of its own."""
    found = same(ALERT, **{"item_id": f"i{number}", "alert_id": f"a{number}", **changes})
    assert isinstance(found, AlertReady)
    return found


def messages(outside: Outside) -> list[dict[str, Any]]:
    """The newest form of each of Discord's messages, in the order of their posts."""
    return list({got["message_id"]: got["payload"] for got in outside.desk.snapshot()["messages"]
                 if got["status"] == 200}.values())


def keys(receiver: Receiver) -> list[str]:
    """The keys of the signed webhook's requests."""
    return [got.headers["idempotency-key"] for got in receiver.got if got.path == "/hook"]


# -- digests show what was known before them


def test_the_end_of_quiet_hours_shows_what_was_corrected_meanwhile(make: Callable[..., Bench],
                                                                   outside: Outside) -> None:
    """A correction and a further wire of an alert that quiet hours hold stand in their digest at once."""
    bench = make("discord", quiet_hours=("08:00-10:00",))
    bench.send(ALERT)
    bench.send(CORRECTED)
    bench.send(JOINED)
    bench.clock.advance(HOUR_S)
    bench.tick("end_quiet")
    drain(bench)
    (card,) = messages(outside)
    assert "✎ Corrected by its publisher: CORRECTION: Acme" in card["embeds"][0]["description"]
    assert "also on Business Wire" in card["embeds"][0]["description"]
    assert len(outside.desk.snapshot()["messages"]) == 1


def test_a_digest_of_those_that_wait_shows_what_came_before_them(make: Callable[..., Bench],
                                                                 outside: Outside) -> None:
    """A correction that was there before its alert stands in the digest that takes the alert in."""
    bench = make("discord", digest_from=1, discord_per_minute=0)
    bench.send(CORRECTED)
    bench.send(BEST)
    bench.send(ALERT)
    drain(bench)
    assert "✎ Corrected by its publisher" in messages(outside)[-1]["embeds"][0]["description"]


def test_a_repeat_of_an_alert_in_a_digest_is_named_there(make: Callable[..., Bench], outside: Outside) -> None:
    """It was folded into an alert that still waited; the digest that told of that one names the other's source."""
    bench = make("discord", digest_from=1, discord_per_minute=0, alert_cooldown_minutes=30)
    bench.send(ALERT)
    bench.send(another(2, source="Globe Newswire"))
    bench.send(BEST)
    drain(bench)
    assert [len(card["embeds"]) for card in messages(outside)] == [1, 1]
    assert "also on Globe Newswire" in messages(outside)[-1]["embeds"][0]["description"]


# -- a repeat is folded only where the first can show it


@pytest.mark.parametrize("settings", [{"discord_min_score": 0.85}, {}])
def test_a_repeat_goes_where_the_first_is_not(make: Callable[..., Bench], outside: Outside,
                                              settings: dict[str, Any]) -> None:
    """Discord filtered or refused the first one, which the webhook has; a repeat that Discord wants is posted."""
    bench = make("discord", "hook", alert_cooldown_minutes=30, **settings)
    outside.script["discord"] = [] if settings else [Answer(400, b"")]
    bench.send(ALERT)
    drain(bench)
    assert messages(outside) == []
    bench.send(another(2, score=0.9))
    drain(bench)
    assert len(messages(outside)) == 1
    bench.send(another(3, score=0.9))
    drain(bench)
    assert len(messages(outside)) == 1


def test_a_repeat_that_discord_does_not_want_is_folded_where_the_first_is(make: Callable[..., Bench],
                                                                          receiver: Receiver) -> None:
    """Both are below Discord's score: the webhook is told of an update, nothing is posted."""
    bench = make("discord", "hook", alert_cooldown_minutes=30, discord_min_score=0.9)
    bench.send(ALERT)
    drain(bench)
    bench.send(another(2))
    drain(bench)
    assert [got.json["event"] for got in receiver.got] == ["alert", "update"]


def test_a_sink_that_is_gone_ends_no_cooldown(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Discord's webhook was deleted: the other sink is told of the repeat as before, as an update."""
    bench = make("discord", "hook", alert_cooldown_minutes=30)
    outside.script["discord"] = [Answer(404, {"code": 10015})]
    bench.send(ALERT)
    drain(bench)
    bench.restart()
    bench.send(another(2))
    drain(bench)
    assert [got.json["event"] for got in receiver.got if got.path == "/hook"] == ["alert", "ops", "update"]


def test_a_message_that_nobody_can_edit_takes_no_repeat(make: Callable[..., Bench], receiver: Receiver,
                                                        outside: Outside) -> None:
    """Discord's answer named no message: the repeat is posted by itself."""
    bench = make("discord", alert_cooldown_minutes=30)
    outside.script["discord"] = [Answer(200, b"{}")]
    bench.send(ALERT)
    drain(bench)
    bench.send(another(2))
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "POST"]


def test_a_chart_that_is_refused_with_a_repeat(make: Callable[..., Bench], receiver: Receiver,
                                               outside: Outside) -> None:
    """The repeat gets an edit of its own, without the picture."""
    bench = make("discord", alert_cooldown_minutes=30)
    for message in (ALERT, CHART, another(2)):
        bench.send(message)
    outside.script["discord"] = [Answer(200, {"id": "77"}), Answer(400, b""), Answer(200, {"id": "77"})]
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "PATCH", "PATCH"]
    embed = receiver.got[-1].json["embeds"][0]
    assert ("image" in embed, "update 2: PR Newswire" in embed["fields"][-1]["value"]) == (False, True)


# -- numbers of updates, and who is told


def test_no_number_of_an_update_comes_twice(make: Callable[..., Bench], receiver: Receiver) -> None:
    """The deliveries of outcomes are forgotten after a month; what follows then has a key of its own."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    drain(bench)
    for horizon in ("15m", "1h"):
        bench.send(same(KNOWN, horizon=horizon))
    drain(bench)
    bench.clock.advance(30.5 * 86_400)
    bench.tick("prune")
    bench.send(same(CORRECTED, seen_ms=bench.clock.now_ms()))
    drain(bench)
    assert len(set(keys(receiver))) == 4
    assert [int(key.partition(":")[2]) for key in keys(receiver)[1:]] == sorted(
        int(key.partition(":")[2]) for key in keys(receiver)[1:])


def test_a_correction_before_the_alert_rings_no_phone_twice(make: Callable[..., Bench]) -> None:
    """The one message says that the alert is corrected; a later correction is a further message."""
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with Receiver() as phone:
        bench = make(notify=f"json://{phone.url.removeprefix('http://')}/topic")
        bench.send(CORRECTED)
        bench.send(ALERT)
        drain(bench)
        assert [got.json["title"][:9] for got in phone.got] == ["Corrected"]
        bench.send(same(CORRECTED, joined_id="c2"))
        drain(bench)
        assert len(phone.got) == 2


def test_a_new_alert_goes_before_the_correction_of_the_best(make: Callable[..., Bench], receiver: Receiver,
                                                            outside: Outside) -> None:
    """A watched one at that: an edit delays no text."""
    bench = make("discord")
    bench.send(same(ALERT, watched=True, score=1.0))
    drain(bench)
    outside.script["discord"] = [Answer(429, {"retry_after": 5.0}, {"Retry-After": "5"})]
    bench.send(CORRECTED)
    bench.run_jobs()
    bench.send(another(2, ticker="LOW", score=0.0))
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "PATCH", "POST", "PATCH"]


def test_a_minute_of_edits_keeps_no_new_alert_waiting(make: Callable[..., Bench], outside: Outside) -> None:
    """Forty alerts of one minute, whose outcomes come in one minute too: a new alert goes out at once all the while,
    over a kill too, and at last every outcome is shown."""
    outside.desk = Desk((5, 2.0))
    bench = make("discord", discord_per_minute=30)
    for number in range(40):
        bench.send(another(number, ticker=f"T{number}"))
    drain(bench)
    bench.clock.advance(900)
    for number in range(40):
        bench.send(same(KNOWN, item_id=f"i{number}", alert_id=f"a{number}"))
    for number in range(90, 94):
        for _ in range(40):
            bench.run_jobs()
            bench.clock.advance(0.25)
        bench.restart()
        bench.send(another(number, ticker=f"NEW{number}"))
        for _ in range(9):
            bench.run_jobs()
            bench.clock.advance(0.25)
        assert bench.rows("SELECT state FROM deliveries WHERE alert_id = ?", f"a{number}") == [("delivered",)]
    drain(bench)
    seen = outside.desk.snapshot()
    assert (seen["rate_limited"], len(seen["messages"])) == (0, 84)


TROUBLE = [Answer(429, {"retry_after": 3.0, "global": True}, {"Retry-After": "3"}), Answer(503, b""), Answer(500, b""),
           Answer(400, b""), Answer(413, b""), Answer(429, {"code": 30046}), None]


def something(bench: Bench, outside: Outside, chance: random.Random, step: int) -> None:
    """One of all that may happen: a message, time, trouble at a sink, a kill."""
    number = chance.randint(0, max(1, step // 3))
    told = {"item_id": f"i{number}", "alert_id": f"a{number}"}
    what = chance.randrange(10)
    if what < 3:
        bench.send(another(step // 3, ticker=f"T{chance.randint(0, 3)}", score=round(chance.random(), 2)))
    elif what == 3:
        bench.send(same(chance.choice((CORRECTED, JOINED)), item_id=f"i{number}", joined_id=f"w{step}"))
    elif what == 4:
        bench.send(same(CHART, **told))
    elif what == 5:
        bench.send(same(KNOWN, horizon=chance.choice(("15m", "1h")), **told))
    elif what == 6:
        outside.script[chance.choice(("discord", "hook"))] = [chance.choice(TROUBLE)]
    elif what == 7:
        bench.clock.advance(chance.choice((0.3, 30, 400, 1_300)))
        bench.tick("end_quiet")
    elif what == 8:
        bench.run_jobs()
    else:
        bench.interrupt_jobs()
        bench.restart()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_all_comes_to_an_end(make: Callable[..., Bench], outside: Outside, receiver: Receiver,
                                              seed: int) -> None:
    """Nothing waits at last, each item has its fate once, each key of the webhook is one event's."""
    chance = random.Random(seed)
    bench = make("discord", "hook", digest_from=chance.choice((0, 1, 3)), discord_min_score=chance.choice((0, 0.4)),
                 alert_cooldown_minutes=30 * (seed % 2), quiet_hours=("09:10-09:30",))
    for step in range(60):
        something(bench, outside, chance, step)
    bench.clock.advance(HOUR_S)
    for _ in range(2):
        bench.tick("end_quiet")
        drain(bench)
    assert bench.rows("SELECT * FROM deliveries WHERE state IN ('waiting', 'queued', 'gathered')") == []
    fates = Counter(one.item_id for one in bench.sent if isinstance(one, (AlertPosted, ItemDropped)))
    assert set(fates.values()) == {1}
    assert {row[0] for row in bench.rows("SELECT item_id FROM alerts")} <= set(fates)
    events = {(got.headers["idempotency-key"], got.json["item_id"], got.json["title"]) for got in receiver.got
              if got.path == "/hook"}
    assert len({key for key, _, _ in events}) == len(events)
    assert outside.desk.snapshot()["violations"] == []
