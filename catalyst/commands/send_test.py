"""Tries the sinks: posts one marked test card to each that is set, and says what came back. It needs no actor."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from catalyst.clock import Clock, SystemClock
from catalyst.core.card import Moment, trial_card
from catalyst.core.delivery import DISCORD, OPS, WEBHOOK, Deliver
from catalyst.core.event import webhook_event
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import OpsNotice
from catalyst.settings import Settings

SINKS = (DISCORD, OPS, WEBHOOK)


def run(settings: Settings, sink: str | None, clock: Clock | None = None) -> list[dict[str, Any]]:
    """One row a sink: `{"sink", "outcome", "status", "reason", "time_ms"}`; `sink` None tries every sink that is set.

    Raises UsageError for an unknown sink, ConfigError where none is set.
    """
    from catalyst.clients.http import Http
    from catalyst.clients.sinks import DiscordSink, WebhookSink, address

    clock = clock or SystemClock()
    http = Http(clock)
    rows = []
    for name in chosen(settings, sink):
        now_ms, url = clock.now_ms(), address(settings, name)
        if name == WEBHOOK:
            event = trial_event(now_ms)
            sent = WebhookSink(http, clock, url, settings.webhook_secret).send(event, str(event["id"]))
        else:
            sent = DiscordSink(http, clock, url).send(trial_card(name, Moment(now_ms, ZoneInfo(settings.tz))))
        rows.append({"sink": name, "outcome": sent.outcome, "status": sent.status, "reason": sent.reason or None,
                     "time_ms": sent.done_ms - sent.begun_ms})
    http.close()
    return rows


def preview(settings: Settings, sink: str | None, now_ms: int) -> list[dict[str, Any]]:
    """What `run` would send, without sending: `{"sink", "payload"}`. Raises as `run` does."""
    return [{"sink": name, "payload": trial_event(now_ms) if name == WEBHOOK
             else trial_card(name, Moment(now_ms, ZoneInfo(settings.tz)))} for name in chosen(settings, sink)]


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


def trial_event(now_ms: int) -> dict[str, Any]:
    """The signed webhook's test: an event `ops` that says it is a test."""
    notice = OpsNotice(item_id="test", episode=str(now_ms), severity="info", title="Catalyst test",
                       text="A person tries this sink.", made_ms=now_ms)
    return webhook_event(Deliver(id=f"test-{now_ms}", sink=WEBHOOK, event="ops", notice=notice), now_ms)
