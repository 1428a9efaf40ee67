"""Tries the sinks: posts one marked test card to each that is set, and says what came back. It needs no actor; an
alerter that runs is told of a sink that is good again.
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from catalyst.clock import Clock, SystemClock
from catalyst.core.card import Moment, discord_card, kind_label, trial_card, with_chart
from catalyst.core.delivery import DISCORD, OPS, WEBHOOK, Deliver, Sent
from catalyst.core.event import webhook_event
from catalyst.core.notify import alert_text, is_notify, trial_text
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import AlertReady, Bar, Kind, OpsNotice
from catalyst.settings import Settings

SINKS = (DISCORD, OPS, WEBHOOK)
ALERTER, ANSWER_S = "alerter", 1.0
NOTIFY = "notify"  # stands for all addresses of CATALYST_NOTIFY
SAMPLE_SCORE, SAMPLE_USD, SAMPLE_CLOSE_USD = 0.8, 6.02, 5.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What one sink is sent: `payload` as JSON would have it, `png` beside it where the card shows a chart."""

    payload: dict[str, Any]
    png: bytes | None = None


def run(settings: Settings, sink: str | None, clock: Clock | None = None, sample: str | None = None
        ) -> list[dict[str, Any]]:
    """One row a sink: `{"sink", "outcome", "status", "reason", "time_ms", "opened"}`; `sink` None tries every sink that
    is set. A good one that the running alerter had closed, at the same address, is `opened`.

    `sample` names a kind whose alert the card shows, marked as a test. Raises UsageError for an unknown sink or kind,
    ConfigError where no sink is set.
    """
    from catalyst.clients.http import Http

    clock = clock or SystemClock()
    http = Http(clock)
    rows = []
    for name in chosen(settings, sink):
        sent = _send(http, clock, settings, name, trial(settings, name, clock.now_ms(), sample))
        rows.append({"sink": name, "outcome": sent.outcome, "status": sent.status, "reason": sent.reason or None,
                     "time_ms": sent.done_ms - sent.begun_ms,
                     "opened": sent.outcome == "delivered" and _opened(settings, name)})
    http.close()
    return rows


def _opened(settings: Settings, sink: str) -> bool:
    """Tell the alerter that a sink has taken something; whether it had closed it, and uses it again now."""
    from catalyst.clients.sinks import fingerprint
    from catalyst.commands.home import Home

    with Home(settings) as home:
        if ALERTER not in {*home.alive(), *home.remote}:
            return False
        answer = home.ask_all([ALERTER], "open-sinks", ANSWER_S, sink=sink, fingerprint=fingerprint(settings, sink))
    return sink in answer.get(ALERTER, {}).get("opened", [])


def _send(http: Any, clock: Clock, settings: Settings, name: str, what: Trial) -> Sent:
    from catalyst.clients import notify
    from catalyst.clients.sinks import WebhookSink, address, discord_sink

    url = address(settings, name)
    if is_notify(name):
        return notify.post(clock, url, what.payload["title"], what.payload["body"])
    if name == WEBHOOK:
        return WebhookSink(http, clock, url, settings.webhook_secret).send(what.payload, str(what.payload["id"]))
    return discord_sink(http, clock, settings, name).send(what.payload, png=what.png)


def preview(settings: Settings, sink: str | None, now_ms: int, sample: str | None = None,
            folder: Path | None = None) -> list[dict[str, Any]]:
    """What `run` would send, without sending: `{"sink", "payload"}`; with `folder` it is also written there, as
    `SINK.json` and, with a chart, `SINK.png`, and `files` names them. No address is needed: without any it is the alert
    channel's. Raises UsageError, OSError, and ConfigError where `notify` is asked for and has no address."""
    rows = []
    for name in (sink,) if sink in SINKS else chosen(settings, sink, DISCORD if sink is None else None):
        what = trial(settings, name, now_ms, sample)
        row: dict[str, Any] = {"sink": name, "payload": what.payload}
        if folder is not None:
            row["files"] = _write(folder, name, what)
        rows.append(row)
    return rows


def _write(folder: Path, name: str, what: Trial) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.json"]
    files[0].write_text(json.dumps(what.payload, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if what.png is not None:
        files.append(folder / f"{name}.png")
        files[1].write_bytes(what.png)
    return [str(file) for file in files]


def chosen(settings: Settings, sink: str | None, otherwise: str | None = None) -> tuple[str, ...]:
    """The sinks to try; `notify` is all addresses of CATALYST_NOTIFY. Where none is set it is `otherwise`.

    Raises UsageError, ConfigError.
    """
    from catalyst.clients import notify
    from catalyst.clients.sinks import address
    from catalyst.core.notify import addresses

    further = tuple(addresses(settings.notify))
    if sink is not None and sink not in (*SINKS, NOTIFY, *further):
        raise UsageError(f"no sink {sink}; there are {', '.join((*SINKS, NOTIFY))}")
    wanted = further if sink == NOTIFY else (sink,) if sink else (*SINKS, *further)
    names = tuple(name for name in wanted if address(settings, name))
    if not names and any(is_notify(name) for name in wanted) and (missing := notify.fault(settings)):
        raise ConfigError(missing)
    if not names and otherwise is not None:
        return (otherwise,)
    if not names:
        raise ConfigError(f"{f'the sink {sink} has no' if sink else 'no sink has an'} address; see DISCORD_WEBHOOK_URL,"
                          " DISCORD_ADMIN_WEBHOOK, CATALYST_WEBHOOK_URL and CATALYST_NOTIFY")
    return names


def trial(settings: Settings, name: str, now_ms: int, sample: str | None = None) -> Trial:
    """What a sink is sent. The signed webhook gets a notice in any case: a program may act on an alert.

    Raises UsageError for a kind that the rules do not know.
    """
    alert = sample_alert(settings, sample, now_ms) if sample is not None else None
    moment = Moment(now_ms, ZoneInfo(settings.tz))
    if name == WEBHOOK:
        return Trial(trial_event(now_ms))
    if is_notify(name):
        title, body = alert_text(alert, moment) if alert is not None else trial_text(name)
        return Trial({"title": title, "body": body})
    if name == OPS:
        return Trial(trial_card(name, moment))
    card = discord_card(alert, (), moment) if alert is not None else trial_card(name, moment)
    return _with_picture(settings, card, now_ms) if settings.charts else Trial(card)


def _with_picture(settings: Settings, card: dict[str, Any], now_ms: int) -> Trial:
    """The card with a chart of an hour that never was."""
    from catalyst.core.chart import describe_chart, draw_chart

    zone = ZoneInfo(settings.tz)
    closes = [5 + math.sin(minute / 7) / 4 + minute / 60 for minute in range(61)]
    bars = [Bar(now_ms // 60_000 * 60_000 - (60 - minute) * 60_000, was, max(was, close) + 0.03, min(was, close) - 0.03,
                close, 1_000 + 100 * minute) for minute, (was, close) in enumerate(pairwise(closes))]
    png = draw_chart(bars, ticker="TEST", simulated=True, theme=settings.chart_theme, tz=zone, size=(800, 450))
    return Trial(with_chart(card, describe_chart(bars, ticker="TEST", simulated=True, tz=zone)), png)


def sample_alert(settings: Settings, kind: str, now_ms: int) -> AlertReady:
    """An alert of a kind that the rules know, which says in every line that it is a test. Raises UsageError."""
    from catalyst.clients.files import load_rules

    directions = {rule.name: rule.direction for rule in load_rules(settings).rules if not rule.noise}
    if kind not in directions:
        near = difflib.get_close_matches(kind, directions, 3, 0.4) or sorted(directions)[:5]
        raise UsageError(f"the rules have no kind {kind}; there are {', '.join(near)}")
    direction = directions[kind]
    return AlertReady(
        item_id=f"test-{now_ms}", alert_id=f"test-{now_ms}", source="catalyst send-test",
        title=f"Test, no alert: {kind_label(kind)}", link="https://example.com/test", summary="",
        published_ms=now_ms - 2_000, seen_ms=now_ms - 1_000, ticker="TEST", company="No company",
        kinds=(Kind(kind, "a person tries this sink", direction, 1.0),), direction=direction, sentiment=0.0,
        score=SAMPLE_SCORE, why="“a person tries this sink” (catalyst send-test)", watched=False, price_usd=SAMPLE_USD,
        price_ms=now_ms - 1_000, previous_close_usd=SAMPLE_CLOSE_USD, simulated=True, provider="test", ready_ms=now_ms)


def trial_event(now_ms: int) -> dict[str, Any]:
    """The signed webhook's test: an event `ops` that says it is a test."""
    notice = OpsNotice(item_id="test", episode=str(now_ms), severity="info", title="Catalyst test",
                       text="A person tries this sink.", made_ms=now_ms)
    return webhook_event(Deliver(id=f"test-{now_ms}", sink=WEBHOOK, event="ops", notice=notice), now_ms)
