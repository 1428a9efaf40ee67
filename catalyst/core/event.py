"""The signed webhook: the JSON body of an event and its signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from catalyst.clock import iso
from catalyst.core.delivery import Deliver
from catalyst.core.digest import counted
from catalyst.core.doubts import price_age_ms
from catalyst.core.history import change_text, span_label
from catalyst.core.outside import plain_line
from catalyst.messages import AlertReady


def webhook_event(payload: Deliver, sent_ms: int) -> dict[str, Any]:
    """The event's fields, always all of them, null where unknown; times are ISO UTC with milliseconds.

    An update is about an item of its own (`item_id`, `title`, `link`, times) that belongs to the alert `id`; that of an
    outcome about the alert's own item, its `price` that of the horizon, which the title names. Titles are
    plain lines: no control or direction character of theirs reaches a reader's terminal. A digest is told as `ops`: its
    alerts are none that a program should act on, for they were held back.
    """
    body: dict[str, Any] = {
        "event": payload.event if payload.digest is None else "ops", "id": payload.id, "item_id": None,
        "ticker": None, "title": None, "link": None,
        "kinds": [], "direction": None, "score": None, "why": None, "price": None, "price_age_s": None,
        "simulated": False, "published": None, "seen": None, "sent": iso(sent_ms)}
    if payload.notice is not None:
        notice = payload.notice
        body |= {"item_id": notice.item_id, "title": notice.title, "why": f"{notice.severity}: {notice.text}",
                 "seen": _iso(notice.made_ms)}
    if payload.digest is not None:
        told = [f"{alert.ticker} {alert.alert_id}" for alert in payload.digest.alerts]
        more = [f"and {payload.digest.more} more"] if payload.digest.more else []
        body |= {"title": counted(payload.digest), "why": ", ".join([*told, *more])}
    if (alert := payload.alert) is not None:
        body |= {"item_id": alert.item_id, "ticker": alert.ticker, "title": plain_line(alert.title), "link": alert.link,
                 "kinds": [kind.kind for kind in alert.kinds], "direction": alert.direction, "score": alert.score,
                 "why": plain_line(alert.why), "price": alert.price_usd,
                 "price_age_s": _seconds(price_age_ms(alert, sent_ms)),
                 "simulated": alert.simulated, "published": _iso(alert.published_ms), "seen": _iso(alert.seen_ms)}
    if (joined := payload.joined) is not None:
        body |= {"item_id": joined.joined_id, "title": plain_line(joined.title), "link": joined.link,
                 "published": _iso(joined.published_ms), "seen": _iso(joined.seen_ms)}
    if (outcome := payload.outcome) is not None:
        change, span = change_text(outcome.return_pct), span_label(outcome.horizon)
        body |= {"title": f"{body['ticker']} {change} % {span} after the alert", "price": outcome.price_usd,
                 "price_age_s": _seconds(max(0, sent_ms - outcome.price_ms)), "simulated": outcome.simulated,
                 "published": None, "seen": _iso(outcome.known_ms)}
    return body


def _seconds(span_ms: int | None) -> float | None:
    return None if span_ms is None else span_ms / 1000


def event_bytes(event: dict[str, Any]) -> bytes:
    """The body as it is signed and sent."""
    return msgspec.json.encode(event)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Value of X-Catalyst-Signature: `sha256=` and the hex HMAC-SHA256 of `timestamp`, a dot and the body."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def _iso(moment_ms: int | None) -> str | None:
    """ISO text, None where the moment lies in no year that a calendar has."""
    try:
        return iso(moment_ms)
    except (ValueError, OverflowError, OSError):
        return None


def listed_alert(alert: AlertReady, state: str, wires: Sequence[str], sinks: Mapping[str, str],
                 sent_ms: int | None) -> dict[str, Any]:
    """An alert as the command line lists it: the event's fields, `state`, `sources` and each sink's state.

    The price's age is that at the sending, null for an alert that was not sent.
    """
    event = webhook_event(Deliver(id=alert.alert_id, sink="", event="alert", alert=alert), sent_ms or alert.ready_ms)
    del event["event"]
    event |= {"title": alert.title, "why": alert.why}  # as they came: who shows them makes them plain
    if sent_ms is None:
        event |= {"sent": None, "price_age_s": None}
    return {**event, "company": alert.company, "state": state, "sources": [alert.source, *wires], "sinks": dict(sinks)}


def detail(alert: AlertReady) -> dict[str, Any]:
    """What is known of an alert beside its listed fields; `ready_ms` and `price_ms` are UTC milliseconds."""
    return {"kinds_found": [{"kind": kind.kind, "phrase": kind.phrase, "direction": kind.direction,
                             "weight": kind.weight} for kind in alert.kinds],
            "summary": alert.summary, "company": alert.company, "form": alert.form, "price_ms": alert.price_ms,
            "provider": alert.provider, "previous_close_usd": alert.previous_close_usd, "ready_ms": alert.ready_ms}
