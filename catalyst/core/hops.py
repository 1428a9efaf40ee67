"""The way of one item through the actors, joined from what each of them knows of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOMENTS = ("sent", "received", "committed", "acked")


def join(answers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Hops by message id: the sender's row gives sent and acked, the receiver's received and committed.

    `answers` are the actors' answers to `trace` by name; times are milliseconds, None where nobody knows. No step ends
    before it begins: each moment counts as no later than the one after it, where a message was sent twice or where two
    actors saw a jump of the clock some milliseconds apart.
    """
    hops: dict[str, dict[str, Any]] = {}
    for sender, answer in answers.items():
        for message, kind, receiver, queued_ms, sent_ms, acked_ms in answer["sent"]:
            hop = hops.setdefault(message, _hop(receiver, kind, sender))
            hop |= {"queued": queued_ms, "sent": sent_ms, "acked": acked_ms}
    for receiver, answer in answers.items():
        for message, kind, sender, received_ms, committed_ms in answer["received"]:
            hop = hops.setdefault(message, _hop(receiver, kind, sender))
            hop |= {"received": received_ms, "committed": committed_ms}
    for hop in hops.values():
        _put_in_order(hop)
    return sorted(hops.values(), key=_begin)


def _put_in_order(hop: dict[str, Any]) -> None:
    later_ms = None
    for name in reversed(("queued", *MOMENTS)):
        if hop[name] is not None:
            later_ms = hop[name] = hop[name] if later_ms is None else min(hop[name], later_ms)


def _hop(actor: str, message: str, sender: str) -> dict[str, Any]:
    return {"actor": actor, "message": message, "sender": sender, "queued": None, **dict.fromkeys(MOMENTS)}


def _begin(hop: Mapping[str, Any]) -> int:
    found: int = next(moment for moment in (hop["queued"], *(hop[name] for name in MOMENTS), 0) if moment is not None)
    return found
