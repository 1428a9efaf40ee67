"""Several alerts in one message, and what else a card says when an alert is not alone or not on time. Pure.

`digest_card` is a message of its own: alerts that waited behind too many others, or that quiet hours held.
"""

from __future__ import annotations

from typing import Any

import msgspec

from catalyst.core.card import Moment, age, colour, phone_line
from catalyst.core.delivery import DISCORD, Deliver, Digest, Repeat, Source
from catalyst.core.dollars import money
from catalyst.core.outside import escaped, safe_link, unmentioned
from catalyst.messages import AlertReady

MOST = 10  # alerts in one digest: Discord takes ten embeds ("Create Message")
LATE_MS = 60_000  # an alert that waited longer says so
# All embeds of a message share 6,000 characters ("Embed Limits"): ten of these and one footer stay below.
TITLE_LIMIT, WHY_LIMIT, ALSO_LIMIT, FOOTER_LIMIT = 130, 150, 60, 200
DIGEST = "digest "  # stands before a digest's own id
CORRECTED = "✎ Corrected by its publisher: "
LINES = {"waiting": "{} in one message: too many were waiting", "quiet": "Quiet hours are over: {} held"}


def digest_card(digest_id: str, digest: Digest, moment: Moment) -> dict[str, Any]:
    """The payload of the digest's message: a line that counts, then an embed an alert with its id, in their order; the
    last one also names the digest."""
    names = ", ".join(phone_line(alert) for alert in digest.alerts[:3])
    repeat = " · possible repeat" if moment.possible_repeat else ""
    more = f" · and {digest.more} more: catalyst alerts --suppressed" if digest.more else ""
    embeds = [_embed(alert, digest, moment) for alert in digest.alerts]
    of_all = f" · {DIGEST}{digest_id}{more}{repeat}"
    embeds[-1]["footer"] = {"text": unmentioned(embeds[-1]["footer"]["text"] + of_all, FOOTER_LIMIT)}
    return {"content": f"{counted(digest)} · {names}", "embeds": embeds, "allowed_mentions": {"parse": []}}


def _embed(alert: AlertReady, digest: Digest, moment: Moment) -> dict[str, Any]:
    """One alert. A correction stands where the reason stood, and the title leads to it."""
    price = "no price" if alert.price_usd is None else money(alert.price_usd)
    late = late_words(alert, moment.sent_ms)
    why, link = escaped(alert.why, WHY_LIMIT), safe_link(alert.link)
    if corrections := digest.corrections.get(alert.alert_id, ()):
        why = f"{CORRECTED}{escaped(corrections[-1].title, WHY_LIMIT - len(CORRECTED))}"
        link = safe_link(corrections[-1].link) or link
    also = ", ".join(dict.fromkeys(source.name for source in digest.sources.get(alert.alert_id, ())))
    lines = [phone_line(alert), why, " · ".join([price, *([late] if late else [])]),
             escaped(f"also on {also}", ALSO_LIMIT) if also else ""]
    return {"title": escaped(alert.title, TITLE_LIMIT) or "no title", **({} if link is None else {"url": link}),
            "description": "\n".join(line for line in lines if line), "color": colour(alert),
            "footer": {"text": unmentioned(f"id {alert.alert_id}", FOOTER_LIMIT)}}


def late_words(alert: AlertReady, sent_ms: int) -> str:
    """`late by 2 min` where the alert was sent over a minute after it was ready, else empty. Both in one clock."""
    span_ms = sent_ms - alert.ready_ms
    return f"late by {age(span_ms)}" if span_ms > LATE_MS else ""


def update_words(repeat: Repeat) -> str:
    """`update 2: Business Wire · Acme wins again`: the end may be cut."""
    return f"update {repeat.number}: {repeat.source} · {repeat.title}"


def spoken(payload: Deliver, now_ms: int) -> Deliver:
    """The payload for Discord with what is late and what followed put where every card shows it: before the reason, and
    as the first of the further sources, the newest first. Other sinks get it as fields."""
    if payload.sink != DISCORD or (alert := payload.alert) is None:
        return payload
    late = late_words(alert, payload.sent_ms if payload.sent_ms is not None else now_ms)
    updates = tuple(Source(update_words(repeat), repeat.link) for repeat in reversed(payload.repeats))
    return msgspec.structs.replace(
        payload, sources=(*updates, *payload.sources),
        alert=msgspec.structs.replace(alert, why=f"{late} · {alert.why}") if late else alert)


def counted(digest: Digest) -> str:
    """The line that says how many alerts there are, and why together."""
    return LINES[digest.cause].format(alerts_of(len(digest.alerts) + digest.more))


def alerts_of(count: int) -> str:
    """`1 alert`, `12 alerts`."""
    return f"{count} alert{'' if count == 1 else 's'}"


def bare(alert: AlertReady) -> AlertReady:
    """The alert without what no digest shows."""
    return msgspec.structs.replace(alert, summary="")
