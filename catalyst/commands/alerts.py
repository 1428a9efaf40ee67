"""`catalyst alerts`: what went out, and with --follow what goes out now."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from catalyst.clock import SystemClock, from_iso
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, count, duration_ms, plain, print_json
from catalyst.commands.unknown import unknown_beginning, warn
from catalyst.core.dollars import money
from catalyst.core.reach import reach
from catalyst.errors import UnavailableError

ALERTER = "alerter"
MOST = 500  # alerts that the alerter lists at once
POLL_S = 0.5
FEW = 20
DETAILS = ("kinds_found", "summary", "form", "price_ms", "provider", "previous_close_usd", "ready_ms")  # not listed
FITTING = """SELECT alert_id FROM alerts WHERE made_ms >= ?1 AND (?2 = '' OR ticker = ?2) AND (?3 = '' OR EXISTS (
 SELECT 1 FROM json_each(alerts.body, '$.kinds') WHERE substr(value ->> 'kind', 1, length(?3)) = ?3))
 AND (reason IS NOT NULL) = ?5 ORDER BY made_ms DESC, alert_id LIMIT ?4"""
ARROWS = {"up": "▲", "down": "▼"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst alerts [--since D] [--ticker X] [--kind K] [-n N] [--follow] [--suppressed]`."""
    parser.add_argument("--since", type=duration_ms, metavar="D", help="the last 90s, 10m, 1h, 2d")
    parser.add_argument("--ticker", metavar="X", help="of one ticker")
    parser.add_argument("--kind", metavar="K", help="of one kind, or of all that begin so: offering")
    parser.add_argument("-n", "--limit", type=count, metavar="N", dest="n",
                        help=f"the last N alerts (default 20, with --json {MOST})")
    parser.add_argument("--suppressed", action="store_true",
                        help="instead those that were held back or folded into an earlier one, each with its reason")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with those that come, until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Print alerts, the oldest first. Raises UnavailableError where the alerter does not run, but for --follow."""
    from catalyst.core.companies import canonical  # not needed by `catalyst show`, which reads names of this module

    now_ms = SystemClock().now_ms()
    since_ms = max(0, now_ms - arguments.since) if arguments.since is not None else 0
    most = min(MOST, arguments.n if arguments.n is not None else MOST if arguments.json else 20)
    ticker = canonical((arguments.ticker or "").strip().lstrip("$").upper())
    kind = (arguments.kind or "").strip().lower()
    with Home() as home:
        if kind and (why := unknown_beginning(kind, home.settings)):
            warn(why)
        if arguments.follow:
            for alert in follow(home, since_ms if arguments.since is not None else now_ms,
                                suppressed=arguments.suppressed):
                if fits(alert, ticker, kind):
                    _print(arguments, alert, home)
        for alert in reversed(listed(home, since_ms, most, ticker, kind, suppressed=arguments.suppressed)):
            _print(arguments, alert, home)
    return 0


def listed(home: Home, since_ms: int, most: int, ticker: str = "", kind: str = "", *,
           suppressed: bool = False) -> list[dict[str, Any]]:
    """The newest alerts that fit, newest first; among all that are kept, not only the newest of all.

    Raises UnavailableError where the alerter does not run.
    """
    if not most:
        return []
    if not (ticker or kind):
        return list(home.ask(ALERTER, "alerts", since_ms=since_ms, limit=most, suppressed=suppressed)["alerts"])
    found = home.ask(ALERTER, "query", QUERY_ANSWER_S, sql=FITTING,
                     parameters=[since_ms, ticker, kind, most, suppressed])
    whole = [home.ask(ALERTER, "alert", QUERY_ANSWER_S, id=row[0])["alert"] for row in found["rows"]]
    return [{name: value for name, value in alert.items() if name not in DETAILS} for alert in whole]


def fits(alert: dict[str, Any], ticker: str, kind: str) -> bool:
    """Whether an alert is of the ticker and of a kind that begins so; empty: any."""
    return ticker in ("", alert["ticker"]) and any(name.startswith(kind) for name in alert["kinds"] or [""])


def follow(home: Home, since_ms: int, *, suppressed: bool = False) -> Iterator[dict[str, Any]]:
    """Every alert made since then, as soon as a sink has it or all refused it; the alerter may come and go.

    `suppressed`: those that were held back instead.
    """
    known: set[str] = set()
    most = MOST
    while True:
        try:
            alerts = home.ask(ALERTER, "alerts", since_ms=since_ms, limit=most, suppressed=suppressed)["alerts"]
        except UnavailableError:
            alerts = []
        fresh = [alert for alert in reversed(alerts) if alert["id"] not in known]
        if len(fresh) == most < MOST:
            most = MOST
            continue
        # A full list costs the alerter some milliseconds: asked for only while one that we saw is still to be sent.
        most = MOST if any(alert["state"] == "new" for alert in fresh) else FEW
        for alert in fresh:
            if alert["state"] != "new":
                known.add(alert["id"])
                yield alert
        time.sleep(POLL_S)


def _print(arguments: argparse.Namespace, alert: dict[str, Any], home: Home) -> None:
    if arguments.json:
        print_json(alert)
    else:
        print(f"{render(alert, Local.of(home.settings))}\n", flush=True)


def render(alert: dict[str, Any], local: Local) -> str:
    """A block of five lines: what, the title, why, where and when, the link. Of an alert that was held back a line more
    says what for."""
    kinds = ", ".join(alert["kinds"]) or "no kind"
    first = (f"{ARROWS.get(alert['direction'], '●')} {alert['ticker']}  {alert.get('company') or ''}  {kinds}"
             f"  score {(alert['score'] or 0) * 100:.0f}  {_price(alert)}")
    sources = alert.get("sources") or []
    where = (f"{', '.join(sources)}  published {local.time(alert['published'])}  seen {local.time(alert['seen'])}"
             f" {local.name(alert['seen'])}  {_latency(alert, local)}")
    held = [f"held: {held_words(alert['reason'])}"] if alert.get("reason") else []
    return "\n".join([plain(first), *(f"  {plain(line)}" for line in (
        alert["title"], *held, f"why: {alert['why']}", where, alert["link"]))])


def held_words(reason: str) -> str:
    """The stored reason of an alert that was held back, for a reader."""
    word, _, more = reason.partition(":")
    return {"muted": f"muted, {more}", "quiet": "quiet hours", "filtered": f"filtered by every sink: {more}",
            "cooldown": f"told as an update of alert {more}"}.get(word, reason)


def _price(alert: dict[str, Any]) -> str:
    if alert["price"] is None:
        return "price unknown"
    age = alert["price_age_s"]
    notes = [*(["simulated"] if alert["simulated"] else []), *([f"{age:.0f} s old"] if age is not None else [])]
    return money(alert["price"]) + (f" ({', '.join(notes)})" if notes else "")


def _latency(alert: dict[str, Any], local: Local) -> str:
    """How long from the complete response of the feed to the request to the sink, by sink where several want it."""
    if alert.get("reason"):
        return "not posted"
    if said := reach(alert["sinks"], alert.get("took_ms", {}), lambda took_ms: f"{took_ms} ms"):
        return said
    if not (alert["sent"] and alert["seen"]):
        return {"posted": "no sink is set", "dead": "NOT DELIVERED"}.get(alert.get("state", ""), "not sent yet")
    return f"sent {local.time(alert['sent'])}, {from_iso(alert['sent']) - from_iso(alert['seen'])} ms after it was seen"
