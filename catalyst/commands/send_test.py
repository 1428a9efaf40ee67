"""Tries the sinks: posts one marked test card to each that is set, and says what came back. It needs no actor."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from catalyst.clock import Clock, SystemClock
from catalyst.core.card import Moment, trial_card, with_chart
from catalyst.core.delivery import DISCORD, OPS, WEBHOOK, Deliver
from catalyst.core.event import webhook_event
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import Bar, OpsNotice
from catalyst.settings import Settings

SINKS = (DISCORD, OPS, WEBHOOK)


def run(settings: Settings, sink: str | None, clock: Clock | None = None) -> list[dict[str, Any]]:
    """One row a sink: `{"sink", "outcome", "status", "reason", "time_ms"}`; `sink` None tries every sink that is set.

    Raises UsageError for an unknown sink, ConfigError where none is set.
    """
    from catalyst.clients.http import Http
    from catalyst.clients.sinks import WebhookSink, address, discord_sink

    clock = clock or SystemClock()
    http = Http(clock)
    rows = []
    for name in chosen(settings, sink):
        now_ms, url = clock.now_ms(), address(settings, name)
        if name == WEBHOOK:
            event = trial_event(now_ms)
            sent = WebhookSink(http, clock, url, settings.webhook_secret).send(event, str(event["id"]))
        else:
            card, png = trial_message(settings, name, now_ms)
            sent = discord_sink(http, clock, settings, name).send(card, png=png)
        rows.append({"sink": name, "outcome": sent.outcome, "status": sent.status, "reason": sent.reason or None,
                     "time_ms": sent.done_ms - sent.begun_ms})
    http.close()
    return rows


def preview(settings: Settings, sink: str | None, now_ms: int) -> list[dict[str, Any]]:
    """What `run` would send, without sending: `{"sink", "payload"}`. Raises as `run` does."""
    return [{"sink": name, "payload": trial_event(now_ms) if name == WEBHOOK
             else trial_message(settings, name, now_ms)[0]} for name in chosen(settings, sink)]


def chosen(settings: Settings, sink: str | None) -> tuple[str, ...]:
    """The sinks to try. Raises UsageError, ConfigError."""
    from catalyst.clients.sinks import address

    if sink is not None and sink not in SINKS:
        raise UsageError(f"no sink {sink}; there are {', '.join(SINKS)}")
    names = tuple(name for name in ((sink,) if sink else SINKS) if address(settings, name))
    if not names:
        raise ConfigError(f"{f'the sink {sink} has no' if sink else 'no sink has an'} address; see DISCORD_WEBHOOK_URL,"
                          " DISCORD_ADMIN_WEBHOOK and CATALYST_WEBHOOK_URL")
    return names


def trial_message(settings: Settings, sink: str, now_ms: int) -> tuple[dict[str, Any], bytes | None]:
    """The card of a Discord sink's test, and its chart where alerts have charts: an hour that never was."""
    zone = ZoneInfo(settings.tz)
    card = trial_card(sink, Moment(now_ms, zone))
    if sink != DISCORD or not settings.charts:
        return card, None
    from catalyst.core.chart import describe_chart, draw_chart

    closes = [5 + math.sin(minute / 7) / 4 + minute / 60 for minute in range(61)]
    bars = [Bar(now_ms // 60_000 * 60_000 - (60 - minute) * 60_000, was, max(was, close) + 0.03, min(was, close) - 0.03,
                close, 1_000 + 100 * minute) for minute, (was, close) in enumerate(pairwise(closes))]
    png = draw_chart(bars, ticker="TEST", simulated=True, theme=settings.chart_theme, tz=zone, size=(800, 450))
    return with_chart(card, describe_chart(bars, ticker="TEST", simulated=True, tz=zone)), png


def trial_event(now_ms: int) -> dict[str, Any]:
    """The signed webhook's test: an event `ops` that says it is a test."""
    notice = OpsNotice(item_id="test", episode=str(now_ms), severity="info", title="Catalyst test",
                       text="A person tries this sink.", made_ms=now_ms)
    return webhook_event(Deliver(id=f"test-{now_ms}", sink=WEBHOOK, event="ops", notice=notice), now_ms)
