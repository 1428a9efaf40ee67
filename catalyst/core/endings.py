"""What the ends of deliveries mean: an alert's state, and what tracker and operator are told. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from catalyst.core.delivery import ARRIVED, NOTIFY, PENDING, Deliver, Sent, falls_apart
from catalyst.core.fates import TOO_OLD, UNDELIVERED
from catalyst.messages import AlertPosted, AlertReady, ItemDropped, OpsNotice


def overall(states: Sequence[str]) -> Literal["new", "posted", "dead"]:
    """What the states of an alert's first delivery at each sink make of it: out as soon as one sink has it."""
    if not states or ARRIVED & set(states):
        return "posted"
    return "new" if "waiting" in states or PENDING & set(states) else "dead"


def fates(alert: AlertReady, state: str, item_ids: Iterable[str], now_ms: int,
          reason: str = UNDELIVERED) -> Iterator[AlertPosted | ItemDropped]:
    """What the tracker is told of items that share the alert's `state`; nothing while that is `new`.

    An item other than the alert's own is one that was folded into it. `reason`: why the alert is dead or suppressed.
    """
    kinds = tuple(kind.kind for kind in alert.kinds)
    for item_id in item_ids:
        if state == "posted":
            yield AlertPosted(item_id=item_id, alert_id=alert.alert_id, ticker=alert.ticker, kinds=kinds,
                              direction=alert.direction, score=alert.score, price_usd=alert.price_usd,
                              simulated=alert.simulated, posted_ms=now_ms, folded=item_id != alert.item_id)
        elif state in ("dead", "suppressed"):
            yield ItemDropped(item_id=item_id, stage="alerter", reason=reason.partition(":")[0], ticker=alert.ticker,
                              kinds=kinds, score=alert.score, fate="dead" if state == "dead" else "dropped",
                              dropped_ms=now_ms)


def complaint(payload: Deliver, sent: Sent, gone: str, now_ms: int) -> OpsNotice | None:
    """What the operator is told of a delivery that ended without success: a sink's closing, else a lost alert.

    `gone` says in a word why this very delivery closed the sink; empty where it did not.
    """
    if gone:
        title, episode = f"Sink {payload.sink} is closed", f"{gone} {now_ms}"  # once a closing: it may be opened again
        said = f"It answered {sent.status} ({gone})" if sent.status is not None else f"It cannot be used: {gone}"
        text = f"{said}; set a new address, then catalyst reload."
    elif falls_apart(payload, sent):
        was = "stayed unanswered" if sent.outcome == "ambiguous" else "was refused"
        return OpsNotice(item_id=f"sink:{payload.sink}", episode=payload.id, severity="warning", made_ms=now_ms,
                         title=f"A digest {was}: its alerts go out one by one",
                         text=f"{payload.sink}: {sent.reason}, digest {payload.id}")
    elif payload.event in ("alert", "digest") and sent.reason not in ("sink_closed", "not_configured"):
        title = f"{'An alert' if payload.event == 'alert' else 'A digest'} was not delivered"
        episode = sent.reason if payload.sink.startswith(NOTIFY) else payload.id  # there, once a reason
        text = f"{payload.sink}: {sent.reason}, {payload.event} {payload.id}"
    else:
        return None
    return OpsNotice(item_id=f"sink:{payload.sink}", episode=episode, severity="critical", title=title, text=text,
                     made_ms=now_ms)


def gave_up(sink: str, now_ms: int) -> OpsNotice:
    """What the operator is told where alerts waited too long for a sink; once, however many."""
    return OpsNotice(item_id=f"sink:{sink}", episode=TOO_OLD, severity="critical", made_ms=now_ms,
                     title=f"Alerts for {sink} were given up",
                     text=f"{sink} has not taken them for 90 days: catalyst send-test {sink}")


def notice_id(notice: OpsNotice) -> str:
    """The same for each telling of one affair and episode."""
    digest = hashlib.blake2b(f"{notice.item_id}\x1f{notice.episode}".encode(), digest_size=10).hexdigest()
    return f"ops-{digest}"
