"""The alerter on its real database, with Discord and a webhook receiver on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from catalyst.clients.sinks import fingerprint
from catalyst.errors import ConfigError
from catalyst.messages import AlertPosted, ItemDropped, OpsNotice
from catalyst.testing import START_MS, Bench, same
from catalyst.world.discord import Desk
from tests.alerting import ALERT, CORRECTED, JOINED, Outside, drain, numbered, states
from tests.receiver import Answer, Receiver

NOTICE = OpsNotice(item_id="feed:x", episode="1", severity="warning", title="Feed x is silent", text="5 polls",
                   made_ms=START_MS)
DEAD = {"message": "Unknown Webhook", "code": 10015}


def test_an_alert_goes_to_each_sink_once(make: Callable[..., Bench], receiver: Receiver) -> None:
    """A card to Discord, an event to the webhook, one word to the tracker."""
    bench = make("discord", "hook")
    assert bench.send(ALERT) == []
    assert bench.run_jobs() == [AlertPosted(item_id="i1", alert_id="a1", ticker="ACME", kinds=("fda_approval",),
                                            direction="up", score=0.8, price_usd=4.2, simulated=False,
                                            posted_ms=START_MS)]
    card, event = sorted(receiver.got, key=lambda got: got.path)
    assert card.json["content"] == "ACME ▲ FDA approval · 80"
    assert card.json["allowed_mentions"] == {"parse": []}
    assert (event.json["event"], event.json["id"], event.headers["idempotency-key"]) == ("alert", "a1", "a1")
    assert states(bench) == [("discord", 0, "delivered"), ("webhook", 0, "delivered")]


def test_the_same_alert_again_is_nothing(make: Callable[..., Bench], receiver: Receiver) -> None:
    """One alert an alert id, for ever, also after a restart."""
    bench = make("discord")
    bench.send(ALERT)
    bench.run_jobs()
    bench.restart()
    assert bench.send(same(ALERT, item_id="i1", ticker="WXYZ")) == []
    assert bench.run_jobs() == []
    assert len(receiver.got) == 1


def test_without_a_sink_it_is_kept(make: Callable[..., Bench]) -> None:
    """No sink configured: posted at once, shown by the command line."""
    bench = make()
    assert [type(message) for message in bench.send(ALERT)] == [AlertPosted]
    (row,) = bench.verb("alerts")["alerts"]
    assert (row["id"], row["state"], row["sinks"], row["sent"]) == ("a1", "posted", {}, None)


def test_best_first(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Where several wait, a watched ticker goes first, then the best score, then updates."""
    bench = make("discord")
    for number, (score, watched) in enumerate([(0.3, False), (0.9, False), (0.2, True)]):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", score=score, watched=watched,
                        ticker=f"T{number}"))
    drain(bench)
    assert [got.json["content"].split()[0] for got in receiver.got] == ["T2", "T1", "T0"]


@pytest.mark.parametrize("answer", [Answer(429, {"retry_after": 2.5, "global": False}, {"Retry-After": "3"}),
                                    Answer(503, b"", {"Retry-After": "3"})])
def test_no_request_before_its_time(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                    answer: Answer) -> None:
    """After a 429, or a 503 that names a time, the sink is left alone for that time, also over a restart."""
    bench = make("discord")
    outside.script["discord"] = [answer]
    bench.send(ALERT)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    bench.run_jobs()
    assert len(receiver.got) == 1
    bench.restart()
    bench.clock.advance(2.9)
    bench.run_jobs()
    assert len(receiver.got) == 1
    bench.clock.advance(0.4)
    assert len(bench.run_jobs()) == 2
    assert len(receiver.got) == 3


def test_headers_are_obeyed_before_a_refusal(make: Callable[..., Bench], outside: Outside) -> None:
    """40 alerts against five in two seconds: nothing refused, nothing lost, in the time it takes."""
    outside.desk = Desk((5, 2.0))
    bench = make("discord", discord_per_minute=0)
    for number in range(40):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
    began_ms = bench.clock.now_ms()
    posted = drain(bench)
    seen = outside.desk.snapshot()
    assert (seen["rate_limited"], len(seen["messages"]), len(posted)) == (0, 40, 40)
    assert bench.clock.now_ms() - began_ms <= 8 * 2_250


def test_own_cap(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Not more than DISCORD_PER_MINUTE requests in any minute."""
    bench = make("discord", discord_per_minute=3)
    for number in range(5):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
    bench.run_jobs()
    bench.clock.advance(59)
    bench.run_jobs()
    assert len(receiver.got) == 3
    bench.clock.advance(2)
    bench.run_jobs()
    assert len(receiver.got) == 5


def test_a_failing_sink_delays_no_other(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Discord is down for a while: the webhook has the alert at once, Discord when it is back."""
    bench = make("discord", "hook")
    outside.script["discord"] = [Answer(502, b"")] * 5
    bench.send(ALERT)
    assert [type(message) for message in bench.run_jobs()] == [AlertPosted]
    assert states(bench) == [("discord", 0, "queued"), ("webhook", 0, "delivered")]
    assert drain(bench) == []
    assert states(bench) == [("discord", 0, "delivered"), ("webhook", 0, "delivered")]
    assert bench.rows("SELECT tries, possible_repeat FROM deliveries WHERE sink = 'discord'") == [(6, 0)]


def test_back_off_grows_to_a_minute(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Ten minutes of errors bring about twenty requests, and afterwards nothing is lost."""
    bench = make("discord")
    for number in range(20):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
    outside.script["discord"] = [Answer(502, b"")] * 10_000
    for _ in range(2_400):
        bench.run_jobs()
        bench.clock.advance(0.25)
    assert 8 <= len(receiver.got) <= 25
    outside.script["discord"] = []
    assert len(drain(bench)) == 20
    assert len(outside.desk.snapshot()["messages"]) == 20


def test_one_bad_message_does_not_block_the_rest(make: Callable[..., Bench], receiver: Receiver,
                                                 outside: Outside) -> None:
    """A message that always brings a 500 waits longer and longer while the others pass."""
    bench = make("discord")
    bench.send(same(ALERT, score=0.99, title="poison", alert_id="bad", item_id="bad"))
    for number in range(5):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
    normal = outside.__call__
    receiver.answer = lambda got: Answer(500, b"") if "poison" in got.body.decode() else normal(got)
    for _ in range(80):
        bench.run_jobs()
        bench.clock.advance(0.25)
    assert len(outside.desk.snapshot()["messages"]) == 5
    assert bench.rows("SELECT state FROM deliveries WHERE alert_id = 'bad'") == [("queued",)]


@pytest.mark.parametrize("status", [400, 403, 413])
def test_refused_is_never_repeated(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                   status: int) -> None:
    """An alert that every sink refused is dead, and the operator hears of it."""
    bench = make("discord", "ops")
    outside.script["discord"] = [Answer(status, {"code": 50035})]
    bench.send(ALERT)
    assert drain(bench) == [ItemDropped(item_id="i1", stage="alerter", reason="undelivered", ticker="ACME",
                                        kinds=("fda_approval",), score=0.8, fate="dead", dropped_ms=START_MS)]
    assert [got.path.split("?")[0] for got in receiver.got] == ["/discord", "/ops"]
    assert "alert a1" in receiver.got[1].json["embeds"][0]["description"]


def test_refused_by_one_sink_only(make: Callable[..., Bench], outside: Outside) -> None:
    """One sink is enough."""
    bench = make("discord", "hook")
    outside.script["hook"] = [Answer(400, b"")]
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]


def test_a_webhook_that_is_gone_closes_the_sink(make: Callable[..., Bench], receiver: Receiver,
                                                outside: Outside) -> None:
    """After 404 no request goes there, also after a restart, until the address is another; one notice tells of it."""
    bench = make("discord", "ops", "hook")
    outside.script["discord"] = [Answer(404, DEAD)]
    bench.send(ALERT)
    drain(bench)
    bench.restart()
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    paths = [got.path.split("?")[0] for got in receiver.got]
    assert (paths.count("/discord"), paths.count("/ops")) == (1, 1)
    closed = next(got for got in receiver.got if got.path.startswith("/ops"))
    assert "Sink discord is closed" in closed.json["content"]
    assert [got.json["event"] for got in receiver.got if got.path == "/hook"] == ["alert", "ops", "alert"]
    bench.actor.settings = bench.settings.but(discord_webhook_url=f"{receiver.url}/discord/new")
    bench.send(same(ALERT, item_id="i3", alert_id="a3"))
    drain(bench)
    assert receiver.got[-1].path == "/discord/new?wait=true" or receiver.got[-2].path == "/discord/new?wait=true"


@pytest.mark.parametrize("stray", [Answer(404, b"<html>404 Not Found</html>"), Answer(401, b"<html>portal</html>"),
                                   Answer(403, b"\n<!DOCTYPE html>error 1020")])
def test_a_refusal_of_somebody_else_closes_nothing(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                                   stray: Answer) -> None:
    """What a proxy on the way refuses, five times in a row, is posted a little later, unmarked; so is all behind it."""
    bench = make("discord", "ops")
    outside.script["discord"] = [stray] * 5
    for number in range(3):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
    assert [type(message) for message in drain(bench)] == [AlertPosted] * 3
    assert len(outside.desk.snapshot()["messages"]) == 3
    assert bench.verb("sinks") == {"closed": []}
    assert bench.rows("SELECT max(possible_repeat) FROM deliveries") == [(0,)]
    assert not [got for got in receiver.got if got.path.startswith("/ops")]
    assert bench.clock.now_ms() - START_MS < 30_000


def test_a_closed_sink_is_opened(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """For a person it says since when and why; opened, for good, it takes alerts, and a second closing is told again.
    Who tries another address opens nothing."""
    bench = make("discord", "ops")
    outside.script["discord"] = [Answer(401, {"code": 50027})]
    bench.send(ALERT)
    drain(bench)
    bench.clock.advance(60)
    assert bench.verb("sinks")["closed"] == [{"sink": "discord", "since_ms": START_MS, "reason": "invalid_token"}]
    assert bench.verb("open_sinks", sink="discord", fingerprint="0") == {"opened": []}
    address = fingerprint(bench.settings, "discord")
    assert bench.verb("open_sinks", sink="discord", fingerprint=address) == {"opened": ["discord"]}
    bench.restart()
    assert bench.verb("sinks") == {"closed": []}
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    outside.script["discord"] = [Answer(404, DEAD)]
    bench.send(same(ALERT, item_id="i3", alert_id="a3"))
    drain(bench)
    assert bench.verb("open_sinks") == {"opened": ["discord"]}
    assert [got.json["embeds"][0]["title"] for got in receiver.got if got.path.startswith("/ops")] == [
        "✖ Sink discord is closed"] * 2


@pytest.mark.parametrize(("settings", "said"), [
    ({"discord_webhook_url": "discord.com/api/webhooks/1/SECRET"}, "DISCORD_WEBHOOK_URL is no"),
    ({"discord_admin_webhook": "https://discord.com:99999/SECRET"}, "DISCORD_ADMIN_WEBHOOK is no"),
    ({"webhook_url": "https://hook.example/a SECRET"}, "CATALYST_WEBHOOK_URL is no"),
    ({"notify": "ntfy.sh/SECRET"}, "CATALYST_NOTIFY: an address"),
    ({"discord_bot_token": "t", "discord_channel_id": "1", "discord_base_url": "SECRET"}, "DISCORD_BASE_URL is no"),
    ({"discord_kinds": ("fda_aproval",)}, "DISCORD_KINDS: no rule makes the kind 'fda_aproval', did you mean fda_app"),
    ({"webhook_kinds": ("ofering",)}, "CATALYST_WEBHOOK_KINDS: no rule makes the kind 'ofering', did you mean offer")])
def test_what_would_lose_alerts_in_silence_is_refused(make: Callable[..., Bench], settings: dict[str, Any],
                                                      said: str) -> None:
    """A malformed address or a misspelt kind, at the start and at a reload, which leaves the old one in force."""
    with pytest.raises(ConfigError, match=said) as start:
        make("discord", "hook", folder="other", **settings)
    assert "SECRET" not in str(start.value)
    assert start.value.exit_code == 78
    bench = make("discord", "hook")
    bench.actor.settings = bench.settings.but(**settings)
    with pytest.raises(ConfigError, match=said):
        bench.actor.on_reload()


def test_an_unanswered_post_is_made_once_more_and_marked(make: Callable[..., Bench], receiver: Receiver,
                                                         outside: Outside) -> None:
    """The connection broke after the request: one marked repeat."""
    bench = make("discord")
    outside.script["discord"] = [None]
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    first, second = (got.json["embeds"][0]["footer"]["text"] for got in receiver.got if got.method == "POST")
    assert "possible repeat" not in first
    assert second.endswith("possible repeat")


@pytest.mark.parametrize("answer", [None, Answer(503, b""), Answer(429, {"retry_after": 2.0})])
def test_the_repeat_waits_for_a_sink_that_answers(make: Callable[..., Bench], receiver: Receiver, outside: Outside,
                                                  answer: Answer | None) -> None:
    """Discord is silent for minutes: one post, then it is asked only, with growing waits and over a restart, until it
    answers; the one repeat is marked and arrives. No question names a secret that the post does not."""
    bench = make("discord")
    outside.script["discord"] = [None] + [answer] * 20
    bench.send(ALERT)
    bench.run_jobs()
    bench.restart()
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    assert [got.method for got in receiver.got] == ["POST"] + ["GET"] * 21 + ["POST"]
    assert len(outside.desk.snapshot()["messages"]) == 1
    assert receiver.got[-1].json["embeds"][0]["footer"]["text"].endswith("possible repeat")
    assert bench.clock.now_ms() - START_MS > 40_000
    assert {got.path.split("?")[0] for got in receiver.got} == {"/discord"}


def test_a_second_silence_ends_it(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """The repeat is not answered either, though the sink had just answered: no third message, a visible dead item."""
    bench = make("discord")
    receiver.answer = lambda got: outside(got) if got.method == "GET" else None
    bench.send(ALERT)
    assert [(message.fate, message.reason) for message in drain(bench)] == [("dead", "undelivered")]
    assert states(bench) == [("discord", 0, "ambiguous")]
    assert [got.method for got in receiver.got] == ["POST", "GET", "POST"]


def test_a_webhook_that_turns_out_to_be_gone_is_closed(make: Callable[..., Bench], receiver: Receiver,
                                                       outside: Outside) -> None:
    """The question after a silence finds it deleted: nothing more is asked there."""
    bench = make("discord")
    outside.script["discord"] = [None, Answer(404, DEAD)]
    bench.send(ALERT)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    assert [row["reason"] for row in bench.verb("sinks")["closed"]] == ["unknown_webhook"]


def test_the_webhook_is_repeated_with_the_same_key(make: Callable[..., Bench], receiver: Receiver,
                                                   outside: Outside) -> None:
    """Silence and errors are repeated until it is through; the key lets the receiver know the repeat."""
    bench = make("hook")
    outside.script["hook"] = [None, None, Answer(500, b""), None]
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    assert [got.headers["idempotency-key"] for got in receiver.got] == ["a1"] * 5


def test_killed_in_a_post(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Each kill within a request brings one marked repeat; the webhook's repeat has the same key and no mark."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    for _ in range(2):
        assert len(bench.interrupt_jobs()) == 2
        bench.restart()
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    card, event = sorted(receiver.got, key=lambda got: got.path)
    assert card.json["embeds"][0]["footer"]["text"].endswith("possible repeat")
    assert event.headers["idempotency-key"] == "a1"
    assert bench.rows("SELECT sink, possible_repeat FROM deliveries ORDER BY sink") == [("discord", 1), ("webhook", 0)]


def test_killed_in_an_edit(make: Callable[..., Bench], receiver: Receiver) -> None:
    """An edit is simply made again, unmarked."""
    bench = make("discord")
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(JOINED)
    bench.interrupt_jobs()
    bench.restart()
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "PATCH"]
    assert "possible repeat" not in receiver.got[1].json["embeds"][0]["footer"]["text"]


def test_another_wire_after_the_alert(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Discord's message is edited to show both, the webhook gets an update about the new item, the tracker hears."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    bench.run_jobs()
    bench.clock.advance(60)
    (folded,) = bench.send(JOINED)
    assert isinstance(folded, AlertPosted)
    assert (folded.item_id, folded.alert_id, folded.folded) == ("j1", "a1", True)
    assert drain(bench) == []
    edit = next(got for got in receiver.got if got.method == "PATCH")
    post = next(got for got in receiver.got if "wait" in got.path)
    assert "[Business Wire](https://b.example/2)" in edit.json["embeds"][0]["fields"][-1]["value"]
    assert edit.json["embeds"][0]["footer"] == post.json["embeds"][0]["footer"]
    update = receiver.got[-1] if receiver.got[-1].path == "/hook" else receiver.got[-2]
    assert (update.json["event"], update.json["id"], update.json["item_id"]) == ("update", "a1", "j1")
    assert (update.headers["idempotency-key"], update.headers["x-catalyst-event"]) == (
        numbered("j1", START_MS), "update")
    assert bench.send(same(JOINED, title="again")) == []


def test_a_correction_after_the_alert(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Discord's message says so with title and link, the webhook gets an update about it, the tracker hears; once."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    bench.run_jobs()
    (folded,) = bench.send(CORRECTED)
    assert isinstance(folded, AlertPosted)
    assert (folded.item_id, folded.alert_id, folded.folded) == ("c1", "a1", True)
    assert drain(bench) == []
    edit = next(got for got in receiver.got if got.method == "PATCH").json["embeds"][0]
    assert edit["fields"][0]["name"] == "✎ Corrected by its publisher"
    assert edit["fields"][0]["value"] == "[CORRECTION: Acme wins approval](https://n.example/3)"
    assert edit["fields"][-1]["name"] == "Source"
    update = next(got for got in receiver.got if got.headers.get("x-catalyst-event") == "update")
    assert (update.json["id"], update.json["item_id"], update.json["title"]) == ("a1", "c1", CORRECTED.title)
    assert bench.send(CORRECTED) == []
    shown = bench.verb("alert", id="a1")
    assert [one["title"] for one in shown["corrections"]] == [CORRECTED.title]
    assert shown["alert"]["sources"] == ["PR Newswire"]


def test_a_correction_before_the_alert(make: Callable[..., Bench], receiver: Receiver) -> None:
    """It is kept, also over a restart: the first post shows it, the webhook gets alert and update, the tracker both."""
    bench = make("discord", "hook")
    assert bench.send(CORRECTED) == []
    assert bench.send(JOINED) == []
    bench.restart()
    bench.send(ALERT)
    assert [(message.item_id, message.folded) for message in drain(bench)] == [
        ("i1", False), ("c1", True), ("j1", True)]
    (card,) = [got for got in receiver.got if got.path != "/hook"]
    assert "CORRECTION" in card.json["embeds"][0]["fields"][0]["value"]
    assert "Business Wire" in card.json["embeds"][0]["fields"][-1]["value"]
    assert [got.headers["idempotency-key"] for got in receiver.got if got.path == "/hook"] == [
        "a1", *sorted((numbered("c1", START_MS), numbered("j1", START_MS)))]


def test_another_wire_before_the_alert(make: Callable[..., Bench], receiver: Receiver) -> None:
    """It is kept: Discord's first post shows it, the webhook gets alert and update, the tracker both fates."""
    bench = make("discord", "hook")
    assert bench.send(JOINED) == []
    bench.restart()
    bench.send(ALERT)
    posted = drain(bench)
    assert [(message.item_id, message.folded) for message in posted] == [("i1", False), ("j1", True)]
    cards = [got for got in receiver.got if got.path != "/hook"]
    assert len(cards) == 1
    assert "Business Wire" in cards[0].json["embeds"][0]["fields"][-1]["value"]
    assert [got.headers["idempotency-key"] for got in receiver.got if got.path == "/hook"] == [
        "a1", numbered("j1", START_MS)]


def test_wires_that_come_while_the_post_waits(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """No edit before the post, and one edit for all; each is an update of its own at the webhook."""
    bench = make("discord", "hook")
    outside.script["discord"] = [Answer(503, b"")]
    outside.script["hook"] = [Answer(503, b"")]
    bench.send(ALERT)
    bench.run_jobs()
    for number in range(3):
        assert bench.send(same(JOINED, joined_id=f"j{number}", source=f"Wire {number}",
                               seen_ms=START_MS + number)) == []
    posted = drain(bench)
    assert sorted(message.item_id for message in posted) == ["i1", "j0", "j1", "j2"]
    assert [got.method for got in receiver.got if got.path != "/hook"] == ["POST", "POST", "PATCH"]
    edit = next(got for got in receiver.got if got.method == "PATCH")
    assert all(f"Wire {number}" in edit.json["embeds"][0]["fields"][-1]["value"] for number in range(3))
    assert [got.headers["idempotency-key"] for got in receiver.got if got.path == "/hook"] == [
        "a1", "a1", *(numbered(f"j{number}", START_MS + number) for number in range(3))]
    assert states(bench)[:4] == [("discord", 0, "delivered"), ("discord", 1, "folded"), ("discord", 2, "folded"),
                                 ("discord", 3, "delivered")]


def test_wires_of_a_dead_alert_share_its_fate(make: Callable[..., Bench], outside: Outside) -> None:
    """Before and after the refusal, and no update is sent."""
    bench = make("discord")
    outside.script["discord"] = [Answer(400, b"")]
    bench.send(JOINED)
    bench.send(ALERT)
    assert [(message.item_id, message.fate) for message in drain(bench)] == [("i1", "dead"), ("j1", "dead")]
    assert [(message.item_id, message.fate) for message in bench.send(same(JOINED, joined_id="j2"))] == [("j2", "dead")]
    assert bench.jobs() == []


def test_an_alert_for_two_tickers_is_updated_twice(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Each of the item's alerts gets the wire."""
    bench = make("discord")
    bench.send(ALERT)
    bench.send(same(ALERT, alert_id="a2", ticker="WXYZ"))
    drain(bench)
    assert sorted(message.alert_id for message in bench.send(JOINED)) == ["a1", "a2"]
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "POST", "PATCH", "PATCH"]


def test_notices(make: Callable[..., Bench], receiver: Receiver) -> None:
    """To the operator's channel and the webhook, once an episode."""
    bench = make("discord", "ops", "hook")
    bench.send(NOTICE)
    bench.send(same(NOTICE, text="6 polls", made_ms=START_MS + 5))
    bench.send(same(NOTICE, episode="2"))
    assert drain(bench) == []
    assert [got.path.split("?")[0] for got in receiver.got].count("/ops") == 2
    assert [got.json["event"] for got in receiver.got if got.path == "/hook"] == ["ops", "ops"]
    assert not [got for got in receiver.got if got.path.startswith("/discord")]


def test_operator_on_the_same_webhook_shares_its_limit(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Alerts and notices at one address are one lane with one cap."""
    one = f"{receiver.url}/discord"
    bench = make(discord_webhook_url=one, discord_admin_webhook=one, discord_per_minute=2)
    bench.send(ALERT)
    bench.send(NOTICE)
    bench.send(same(NOTICE, episode="2"))
    bench.run_jobs()
    assert len(receiver.got) == 2


def test_a_global_limit_holds_both_discord_lanes(make: Callable[..., Bench], receiver: Receiver,
                                                 outside: Outside) -> None:
    """The operator's webhook waits too; the signed webhook does not."""
    bench = make("discord", "ops", "hook")
    outside.script["discord"] = [Answer(429, {"retry_after": 5.0, "global": True})]
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(NOTICE)
    bench.run_jobs()
    assert sorted(got.path.split("?")[0] for got in receiver.got) == ["/discord", "/hook", "/hook"]
    bench.clock.advance(5.1)
    bench.run_jobs()
    assert len(receiver.got) == 5


def test_alerts_for_the_command_line(make: Callable[..., Bench]) -> None:
    """What was alerted, when, for what price, from where and to whom."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    drain(bench)
    bench.send(JOINED)
    drain(bench)
    (row,) = bench.verb("alerts", limit=5)["alerts"]
    assert row["sources"] == ["PR Newswire", "Business Wire"]
    assert row["sinks"] == {"discord": "delivered", "webhook": "delivered"}
    assert (row["ticker"], row["price"], row["price_age_s"]) == ("ACME", 4.2, 5.0)
    assert row["sent"] == "2026-01-02T14:00:00.000Z"
    assert row["took_ms"] == {"discord": 1_000, "webhook": 1_000}
    assert bench.verb("alerts", since_ms=START_MS + 1) == {"alerts": []}
    assert json.loads(json.dumps(row)) == row


def test_a_defect_in_rendering_is_not_repeated_for_ever(make: Callable[..., Bench]) -> None:
    """Our own fault: three tries, then a dead item."""
    bench = make("discord")
    bench.actor.settings = bench.settings.but(tz="Nowhere/Atall")
    bench.send(ALERT)
    assert [(message.fate, message.reason) for message in drain(bench)] == [("dead", "undelivered")]
    assert bench.rows("SELECT tries, reason FROM deliveries") == [(3, "defect_ZoneInfoNotFoundError")]


def test_pruning(make: Callable[..., Bench]) -> None:
    """Alerts go after ninety days, wires without an alert after one; what waits stays."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    bench.send(JOINED)
    drain(bench)
    bench.send(same(JOINED, item_id="i9", joined_id="j9"))
    bench.clock.advance(2 * 86_400)
    bench.tick("prune")
    assert bench.rows("SELECT item_id FROM wires") == [("i1",)]
    bench.clock.advance(89 * 86_400)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    bench.tick("prune")
    assert bench.rows("SELECT alert_id FROM alerts") == [("a2",)]
    assert states(bench) == [("discord", 0, "queued")]
