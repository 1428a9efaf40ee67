"""Sinks against a real receiver on loopback: what goes out and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
import json
from email.parser import BytesParser
from typing import Any

import pytest

from catalyst.clients.http import Http
from catalyst.clients.sinks import DiscordSink, WebhookSink, address, deliver, fingerprint, lane_of, with_file
from catalyst.clock import SystemClock
from catalyst.core.delivery import Chart, Deliver
from catalyst.messages import OpsNotice
from catalyst.settings import defaults
from catalyst.world.discord import body_faults, read_body
from tests.alerting import ALERT
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


PNG = b"\x89PNG\r\n\x1a\n--\r\n\x00\r\n\r\n--boundary--\r\n"


@pytest.mark.parametrize("message_id", [None, "77"])
def test_a_picture_goes_along_as_a_part(message_id: str | None) -> None:
    """Post and edit carry the JSON and the file byte for byte, whatever line ends the picture holds."""
    with Receiver() as receiver:
        card = {**CARD, "content": "Bücher ▲", "attachments": [{"id": 0, "filename": "chart.png"}]}
        assert discord(receiver).send(card, message_id, PNG).outcome == "delivered"
        (got,) = receiver.got
        assert got.method == ("PATCH" if message_id else "POST")
        assert got.headers["content-type"].startswith("multipart/form-data; boundary=")
        payload, (upload,) = read_body(got.headers["content-type"], got.body)
        assert payload == card
        assert (upload.part, upload.name, upload.data) == ("files[0]", "chart.png", PNG)
        assert got.body.count(b"Content-Type: application/json\r\n") == 1
        assert got.body.count(b"Content-Type: image/png\r\n") == 1


def test_python_s_own_reader_reads_the_parts() -> None:
    """The body is a MIME message as RFC 7578 wants it, not only as our own reader takes it."""
    body, content_type = with_file(b'{"content":"x"}', "chart.png", PNG.replace(b"\r", b"").replace(b"\n", b""))
    parts = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body).get_payload()
    assert [(part.get_param("name", header="content-disposition"), part.get_filename(), part.get_content_type())
            for part in parts] == [("payload_json", None, "application/json"), ("files[0]", "chart.png", "image/png")]


def test_deliver_sends_the_chart_with_an_edit() -> None:
    """The card names the file that goes along; the webhook has none."""
    with Receiver() as receiver:
        settings = defaults(discord_webhook_url=receiver.url + "/api/webhooks/1/t", webhook_url=receiver.url + "/hook")
        for sink in ("discord", "webhook"):
            payload = Deliver(id="a1", sink=sink, event="update", n=1, what="chart", alert=ALERT, message_id="77",
                              chart=Chart(PNG, "ACME: last 4.20 USD"))
            assert deliver(Http(CLOCK), CLOCK, settings, payload).outcome == "delivered"
        edit, event = receiver.got
        card, uploads = read_body(edit.headers["content-type"], edit.body)
        assert card is not None
        assert card["attachments"][0]["description"] == "ACME: last 4.20 USD"
        assert [upload.data for upload in uploads] == [PNG]
        assert body_faults(card, uploads, is_edit=True) == []
        assert event.headers["content-type"] == "application/json"
        assert b"PNG" not in event.body


def test_the_operators_channel_shares_a_lane_where_it_is_the_same_webhook() -> None:
    """One webhook is one limit."""
    same_url = defaults(discord_webhook_url="https://x.example/1", discord_admin_webhook="https://x.example/1")
    other = same_url.but(discord_admin_webhook="https://x.example/2")
    assert [lane_of(same_url, sink) for sink in ("discord", "ops", "webhook")] == ["discord", "discord", "webhook"]
    assert lane_of(other, "ops") == "ops"


def test_fingerprint_hides_and_tells_apart() -> None:
    """Another address has another fingerprint, which does not hold the address."""
    one, two = (defaults(discord_webhook_url=f"https://discord.example/api/webhooks/1/{token}") for token in "ab")
    assert fingerprint(one, "discord") != fingerprint(two, "discord")
    assert len(fingerprint(one, "discord")) == 16
    assert address(one, "discord").endswith("/a")
