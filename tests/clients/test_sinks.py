"""Sinks against a real receiver on loopback: what goes out and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from catalyst.clients.http import Http
from catalyst.clients.sinks import DiscordSink, WebhookSink, address, deliver, fingerprint
from catalyst.clock import SystemClock
from catalyst.core.delivery import Deliver
from catalyst.messages import OpsNotice
from catalyst.settings import defaults
from tests.receiver import Answer, Receiver

CLOCK = SystemClock()
CARD = {"content": "x", "allowed_mentions": {"parse": []}}
NOTICE = OpsNotice(item_id="feed:x", episode="1", severity="warning", title="Feed x", text="late",
                   made_ms=1_767_362_400_000)


def discord(receiver: Receiver, path: str = "/api/webhooks/1/t") -> DiscordSink:
    return DiscordSink(Http(CLOCK), CLOCK, receiver.url + path)


def test_post_waits_for_the_message_id() -> None:
    """A post asks for the created message and gives its id."""
    with Receiver(lambda got: Answer(200, {"id": "123456789", "embeds": ["x" * 5000]})) as receiver:
        sent = discord(receiver).send(CARD)
        assert (sent.outcome, sent.status, sent.message_id) == ("delivered", 200, "123456789")
        assert sent.begun_ms <= sent.done_ms
        (got,) = receiver.got
        assert (got.method, got.path) == ("POST", "/api/webhooks/1/t?wait=true")
        assert got.headers["content-type"] == "application/json"
        assert got.json == CARD


def test_edit_patches_the_message() -> None:
    """An edit goes to the message's own address and keeps its id."""
    with Receiver() as receiver:
        sent = discord(receiver).send(CARD, "77")
        assert (sent.outcome, sent.message_id) == ("delivered", "77")
        assert (receiver.got[0].method, receiver.got[0].path) == ("PATCH", "/api/webhooks/1/t/messages/77")


def test_thread_of_the_pasted_address_is_kept() -> None:
    """A webhook address with a thread posts and edits there; its own wait is replaced."""
    with Receiver() as receiver:
        sink = discord(receiver, "/api/webhooks/1/t?thread_id=9&wait=false")
        sink.send(CARD)
        sink.send(CARD, "77")
        assert [got.path for got in receiver.got] == ["/api/webhooks/1/t?thread_id=9&wait=true",
                                                      "/api/webhooks/1/t/messages/77?thread_id=9"]


@pytest.mark.parametrize("body", [b"", b"no json", b'{"id": "\xff"}', {"id": 5}, {"id": "../../x"}, ["x"], {"id": ""}])
def test_a_message_id_that_is_none(body: Any) -> None:
    """Delivered counts even when the answer names no usable message."""
    with Receiver(lambda got: Answer(200, body)) as receiver:
        sent = discord(receiver).send(CARD)
        assert (sent.outcome, sent.message_id) == ("delivered", None)


@pytest.mark.parametrize(("status", "outcome"), [
    (204, "delivered"), (301, "refused"), (400, "refused"), (401, "refused"), (403, "refused"), (404, "refused"),
    (413, "refused"), (408, "retry"), (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"), (504, "retry")])
def test_statuses(status: int, outcome: str) -> None:
    """What each kind of status means, with headers and body kept for the limiter."""
    with Receiver(lambda got: Answer(status, {"retry_after": 1}, {"Retry-After": "1", "Location": "/x"})) as receiver:
        sent = discord(receiver).send(CARD)
        assert (sent.outcome, sent.status) == (outcome, status)
        assert sent.headers["retry-after"] == "1"
        assert len(receiver.got) == 1


def test_closed_without_an_answer_is_ambiguous() -> None:
    """The request had left; nobody knows."""
    with Receiver(lambda got: None) as receiver:
        assert discord(receiver).send(CARD).outcome == "ambiguous"
        assert len(receiver.got) == 1


def test_not_reached_is_a_retry() -> None:
    """A refused connection has done nothing."""
    receiver = Receiver()
    receiver.close()
    sent = discord(receiver).send(CARD)
    assert (sent.outcome, sent.status, sent.reason) == ("retry", None, "refused")


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1", "ftp://x.example/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """A mistyped address is never tried in a loop."""
    for sent in (DiscordSink(Http(CLOCK), CLOCK, url).send(CARD),
                 WebhookSink(Http(CLOCK), CLOCK, url, "").send({"event": "ops"}, "k")):
        assert (sent.outcome, sent.reason) == ("refused", "bad_url")


def test_signed_webhook() -> None:
    """Key, event, time and a signature that the receiver can check over the raw body."""
    with Receiver(lambda got: Answer(200, b"")) as receiver:
        sink = WebhookSink(Http(CLOCK), CLOCK, receiver.url + "/hook", "secret")
        assert sink.send({"event": "alert", "title": "Bücher"}, "a1:2").outcome == "delivered"
        (got,) = receiver.got
        assert got.headers["idempotency-key"] == "a1:2"
        assert got.headers["x-catalyst-event"] == "alert"
        stamp = got.headers["x-catalyst-timestamp"]
        assert abs(int(stamp) - CLOCK.now_ms() / 1000) < 30
        digest = hmac.new(b"secret", stamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
        assert got.headers["x-catalyst-signature"] == f"sha256={digest}"
        assert json.loads(got.body)["title"] == "Bücher"


def test_without_a_secret_there_is_no_signature() -> None:
    """No key, no signature; the rest is the same."""
    with Receiver(lambda got: Answer(202, b"")) as receiver:
        assert WebhookSink(Http(CLOCK), CLOCK, receiver.url, "").send({"event": "ops"}, "k").outcome == "delivered"
        assert "x-catalyst-signature" not in receiver.got[0].headers


def test_deliver_chooses_sink_and_form() -> None:
    """A notice goes to the operator's channel as a card and to the webhook as an event."""
    with Receiver() as receiver:
        settings = defaults(discord_admin_webhook=receiver.url + "/admin", webhook_url=receiver.url + "/hook")
        for sink in ("ops", "webhook", "discord"):
            payload = Deliver(id="ops-1", sink=sink, event="ops", notice=NOTICE)
            sent = deliver(Http(CLOCK), CLOCK, settings, payload)
            assert sent.outcome == ("refused" if sink == "discord" else "delivered")
        assert [got.path for got in receiver.got] == ["/admin?wait=true", "/hook"]
        assert receiver.got[0].json["allowed_mentions"] == {"parse": []}
        assert receiver.got[1].json["event"] == "ops"


def test_fingerprint_hides_and_tells_apart() -> None:
    """Another address has another fingerprint, which does not hold the address."""
    one, two = (defaults(discord_webhook_url=f"https://discord.example/api/webhooks/1/{token}") for token in "ab")
    assert fingerprint(one, "discord") != fingerprint(two, "discord")
    assert len(fingerprint(one, "discord")) == 16
    assert address(one, "discord").endswith("/a")
