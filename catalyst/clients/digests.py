"""Sends a digest to its sink. What comes of it is settled like any other delivery's."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from catalyst.clients.http import Http
from catalyst.clients.sinks import BotSink, WebhookSink, address, discord_sink
from catalyst.clock import Clock
from catalyst.core.card import Moment
from catalyst.core.delivery import WEBHOOK, Deliver, Digest, Sent
from catalyst.core.digest import digest_card, digest_event
from catalyst.settings import Settings


def deliver_digest(http: Http, clock: Clock, settings: Settings, payload: Deliver, digest: Digest) -> Sent:
    """Render the digest as it is at this moment and hand it to its sink."""
    url, now_ms = address(settings, payload.sink), clock.now_ms()
    if not url:
        return Sent("refused", now_ms, now_ms, reason="not_configured")
    if payload.sink == WEBHOOK:
        return WebhookSink(http, clock, url, settings.webhook_secret).send(
            digest_event(payload.id, digest, now_ms), payload.key)
    channel = discord_sink(http, clock, settings, payload.sink)
    if payload.must_ask and isinstance(channel, BotSink):
        found = channel.find(payload.id)
        if found.reason != "absent":
            return found
    doubtful = payload.possible_repeat and not isinstance(channel, BotSink)
    card = digest_card(payload.id, digest, Moment(now_ms, ZoneInfo(settings.tz), doubtful))
    return channel.send(card, None, None, payload.id)
