"""Sinks in trouble, the gate that holds the day back, and the channel of a bot, over real HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalyst.clients.http import Http
from catalyst.clients.sinks import BotSink, WebhookSink
from catalyst.clock import SystemClock, iso
from catalyst.testing import FakeClock
from catalyst.world.day import Day
from catalyst.world.server import World
from catalyst.world.trouble import KINDS, SLOW_S

CARD = {"content": "x", "allowed_mentions": {"parse": []},
        "embeds": [{"title": "t", "footer": {"text": "id a1 · now"}}]}
CLOCK = SystemClock()


@pytest.fixture
def world(day: Day) -> Iterator[World]:
    with World(day) as running:
        yield running


def ask(world: World, path: str, value: Any, method: str = "POST") -> tuple[int, Any]:
    """Status and JSON of a request to the world."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)
    connection.request(method, path, json.dumps(value).encode(), {"Authorization": "Bot t"})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read() or b"null")
    connection.close()
    return found


def bot(world: World) -> BotSink:
    """A bot that posts into the world's channel 1."""
    return BotSink(Http(CLOCK), CLOCK, f"{world.url}/api/v10/channels/1", "token")


@pytest.mark.parametrize(("what", "outcome", "kept"), [
    ("429", "retry", 0), ("500", "retry", 0), ("503", "retry", 0), ("reset_before", "ambiguous", 0),
    ("reset_after", "ambiguous", 1), ("truncated", "delivered", 1), ("slow", "delivered", 1)])
def test_each_trouble_is_met(world: World, what: str, outcome: str, kept: int) -> None:
    """Discord and the hook answer as asked, having done what they were asked for or not; the records say which."""
    for sink in ("discord", "hook"):
        assert ask(world, "/_trouble", {"what": what, "sink": sink, "for_s": 60})[0] == 200
    sent = bot(world).send(CARD, nonce="a1")
    hooked = WebhookSink(Http(CLOCK), CLOCK, f"{world.url}/hook", "s").send({"event": "alert"}, "a1")
    asks = "ambiguous" if what == "truncated" else outcome  # the bot asks the channel for the message's id
    assert (sent.outcome, hooked.outcome) == (asks, outcome)
    found = world.sent()
    assert (len(world.desk.channel("channels/1")), len(found["events"])) == (kept, kept)
    assert found["refused"] == ([] if kept else ["a1"])
    assert [message["trouble"] for message in found["messages"]] == [what]
    assert found["troubled"] == {f"discord {what}": 1, f"hook {what}": 1}
    if what == "slow":
        assert sent.done_ms - sent.begun_ms >= SLOW_S * 1000 - 50


def test_trouble_ends_by_itself(world: World) -> None:
    """After its time, and at once with for_s 0, all is well."""
    ask(world, "/_trouble", {"what": "500", "sink": "discord", "for_s": 60})
    assert bot(world).send(CARD).outcome == "retry"
    ask(world, "/_trouble", {"what": "500", "sink": "discord", "for_s": 0})
    assert bot(world).send(CARD).outcome == "delivered"


@pytest.mark.parametrize("wanted", [{"what": "party", "sink": "hook", "for_s": 1}, [], {"what": "500", "for_s": 1},
                                    {"what": "500", "sink": "hook", "for_s": -1}])
def test_a_wrong_wish_is_refused(world: World, wanted: Any) -> None:
    """The answer lists what there is."""
    status, answer = ask(world, "/_trouble", wanted)
    assert status == 400
    assert all(kind in answer["error"] for kind in KINDS) or "for_s" in answer["error"]


def test_a_known_nonce_makes_no_second_message(world: World) -> None:
    """The same message comes back; without a nonce, or with another, there is a new one."""
    first, again, other = (bot(world).send(CARD, nonce=nonce) for nonce in ("a1", "a1", "a2"))
    assert first.message_id == again.message_id != other.message_id
    assert [message["repeated"] for message in world.sent()["messages"]] == [False, True, False]
    assert len(world.desk.channel("channels/1")) == 2


def test_a_bot_finds_and_edits_what_it_posted(world: World) -> None:
    """By the alert's id in the footer; an absent one is not found; an edit keeps the message."""
    made = bot(world).send(CARD, nonce="a1")
    found = bot(world).find("a1")
    assert (found.outcome, found.message_id) == ("delivered", made.message_id)
    assert bot(world).find("a").reason == "absent"
    assert bot(world).send({**CARD, "content": "y"}, made.message_id).outcome == "delivered"
    assert world.desk.channel("channels/1")[0]["content"] == "y"
    assert world.sent()["violations"] == []


def test_a_channel_asks_who_asks(world: World) -> None:
    """Without a bot's token 401; an unknown address 404."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)
    connection.request("GET", "/api/v10/channels/1/messages")
    assert connection.getresponse().status == 401
    connection.close()
    assert ask(world, "/api/v10/channels/1", {})[0] == 404
    assert ask(world, "/api/v10/channels/1/messages?limit=101", {}, "GET")[0] == 400


def test_nonces_survive_a_restart(day: Day, tmp_path: Path) -> None:
    """A world that goes on with its file of sent messages knows their nonces."""
    with World(day, sent=tmp_path / "sent") as world:
        made = bot(world).send(CARD, nonce="a1")
    with World(day, sent=tmp_path / "sent") as world:
        assert bot(world).send(CARD, nonce="a1").message_id == made.message_id


def test_the_gate_holds_the_day_back(day: Day) -> None:
    """Nothing behind it is shown, however late it is; it moves by the day's own time, and opens."""
    clock = FakeClock()
    with World(day, clock=clock) as world:
        clock.advance(1_000)
        whole = world.about()["items"]
        ask(world, "/_gate", {"until": iso(day.starts_ms - 1_000)})
        none = world.about()["published"]
        assert ask(world, "/_gate", {"until": iso(day.starts_ms + 300_000)})[1]["published"] > none
        assert world.about()["published"] < whole
        assert ask(world, "/_gate", {"until": None}) == (200, {"published": whole})
        assert ask(world, "/_gate", {"till": None})[0] == 400
