"""The signed webhook's body and signature."""

from __future__ import annotations

import hashlib
import hmac
import json

from catalyst.core.delivery import After, Deliver
from catalyst.core.event import event_bytes, listed_alert, sign, webhook_event
from catalyst.messages import AlertReady, Kind, OpsNotice, StoryJoined
from catalyst.testing import START_MS, same

FIELDS = {"event", "id", "item_id", "ticker", "title", "link", "kinds", "direction", "score", "why", "price",
          "price_age_s", "simulated", "published", "seen", "sent"}
ALERT = AlertReady(
    item_id="i1", alert_id="a1", source="PR Newswire", title="Acme wins", link="https://n.example/1", summary="",
    published_ms=None, seen_ms=START_MS - 1_100, ticker="ACME", company="Acme Inc",
    kinds=(Kind("fda_approval", "x", "up", 1.0), Kind("merger", "y", "up", 1.0)), direction="up", sentiment=0.8,
    score=0.87, why="because", watched=False, price_usd=4.2, price_ms=START_MS - 12_345, previous_close_usd=4.0,
    simulated=True, provider="simulated", ready_ms=START_MS - 500)
JOINED = StoryJoined(item_id="i1", joined_id="j1", source="Business Wire", title="Acme has won",
                     link="https://b.example/2", published_ms=START_MS - 9_000, seen_ms=START_MS - 8_000)


def test_alert() -> None:
    """All fields, with unknown as null and times in ISO."""
    assert webhook_event(Deliver(id="a1", sink="webhook", event="alert", alert=ALERT), START_MS) == {
        "event": "alert", "id": "a1", "item_id": "i1", "ticker": "ACME", "title": "Acme wins",
        "link": "https://n.example/1", "kinds": ["fda_approval", "merger"], "direction": "up", "score": 0.87,
        "why": "because", "price": 4.2, "price_age_s": 12.345, "simulated": True, "published": None,
        "seen": "2026-01-02T13:59:58.900Z", "sent": "2026-01-02T14:00:00.000Z"}


def test_update_is_about_its_own_item() -> None:
    """The joined story's id, title, link and times; the rest is the alert's."""
    event = webhook_event(Deliver(id="a1", sink="webhook", event="update", n=1, alert=ALERT, joined=JOINED), START_MS)
    assert event["event"] == "update"
    assert (event["id"], event["item_id"], event["title"], event["ticker"]) == ("a1", "j1", "Acme has won", "ACME")
    assert event["published"] == "2026-01-02T13:59:51.000Z"
    assert set(event) == FIELDS


def test_an_outcome_is_about_the_alerts_item() -> None:
    """Price, its age and mark are those of the horizon, which the title names; it was published nowhere."""
    outcome = After("1h", -3.14, 4.07, START_MS + 3_590_000, True, START_MS + 3_601_000)
    event = webhook_event(Deliver(id="a1", sink="webhook", event="update", n=2, alert=ALERT, outcome=outcome),
                          START_MS + 3_602_000)
    assert set(event) == FIELDS
    assert (event["event"], event["id"], event["item_id"]) == ("update", "a1", "i1")
    assert (event["title"], event["price"], event["price_age_s"]) == ("ACME -3.1 % 1 h after the alert", 4.07, 12.0)
    assert (event["simulated"], event["published"], event["seen"]) == (True, None, "2026-01-02T15:00:01.000Z")


def test_notice_has_all_fields() -> None:
    """What a notice does not have is null."""
    notice = OpsNotice(item_id="feed:x", episode="1", severity="critical", title="Feed x is silent", text="5 polls",
                       made_ms=START_MS)
    event = webhook_event(Deliver(id="ops-1", sink="webhook", event="ops", notice=notice), START_MS)
    assert set(event) == FIELDS
    assert (event["event"], event["title"], event["why"]) == ("ops", "Feed x is silent", "critical: 5 polls")
    assert event["ticker"] is event["price"] is event["score"] is None


def test_no_price_and_impossible_times() -> None:
    """A missing price has no age; a publication in the year 300000 is unknown."""
    event = webhook_event(Deliver(id="a1", sink="webhook", event="alert",
                                  alert=same(ALERT, price_usd=None, published_ms=2**53)), START_MS)
    assert event["price"] is event["price_age_s"] is event["published"] is None


def test_signature_is_hmac_of_timestamp_dot_body() -> None:
    """As the receiver computes it from header and raw body."""
    body = event_bytes({"a": "é"})
    expected = hmac.new(b"key", b"1767362400." + body, hashlib.sha256).hexdigest()
    assert sign("key", "1767362400", body) == f"sha256={expected}"
    assert json.loads(body) == {"a": "é"}


def test_listed_alert() -> None:
    """The command line's row: sources and sinks beside the event's fields; not sent is null."""
    row = listed_alert(ALERT, "new", ["Business Wire"], {"discord": "queued"}, None)
    assert row["sources"] == ["PR Newswire", "Business Wire"]
    assert row["sinks"] == {"discord": "queued"}
    assert row["sent"] is row["price_age_s"] is None
    assert "event" not in row
