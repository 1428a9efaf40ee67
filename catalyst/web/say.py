"""How the page says numbers, times and states. What is unknown is a dash, never 0; a sign stands beside each colour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from catalyst.core.card import age, kind_label
from catalyst.core.dollars import money
from catalyst.core.history import change_text
from catalyst.core.reach import reach, waiting
from catalyst.web.html import Safe, el
from catalyst.web.views import Alert

UNKNOWN = "–"
ARROWS = {"up": "▲", "down": "▼", "neutral": "◆"}
GOOD, MILD, BAD, QUIET = "good", "mild", "bad", "quiet"
SIGNS = {GOOD: "●", MILD: "◐", BAD: "✖", QUIET: "○"}
TONES = {"running": GOOD, "starting": MILD, "draining": MILD, "backoff": BAD, "hung": BAD, "parked": BAD,
         "stopped": BAD, "delivered": GOOD, "posted": GOOD, "refused": BAD, "dead": BAD, "ambiguous": MILD, "new": MILD,
         "waiting": MILD, "queued": MILD, "folded": QUIET, "suppressed": QUIET, "filtered": QUIET,
         "gathered": MILD, "digest": GOOD, "alerted": GOOD, "dropped": QUIET, "in_flight": MILD,
         "ok": GOOD, "degraded": MILD, "failing": BAD}


def clock_time(moment_ms: int | None, zone: tzinfo, *, millis: bool = False) -> str:
    """`09:31:05`, with milliseconds where the order of things is the point."""
    if moment_ms is None:
        return UNKNOWN
    local = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone)
    return f"{local:%H:%M:%S}" + (f".{moment_ms % 1000:03d}" if millis else "")


def date_time(moment_ms: int | None, zone: tzinfo) -> str:
    """`2026-01-02 09:31:05 EST`."""
    if moment_ms is None:
        return UNKNOWN
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def day(moment_ms: int | None, zone: tzinfo) -> str:
    """`2 Jan`."""
    if moment_ms is None:
        return ""
    local = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone)
    return f"{local.day} {local:%b}"


def moment(moment_ms: int | None, zone: tzinfo, **options: Any) -> Safe:
    """A time for people, with the whole of it for machines and on touch."""
    if moment_ms is None:
        return el("span", "time unknown", cls="quiet")
    iso = f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{moment_ms % 1000:03d}Z"
    return el("time", clock_time(moment_ms, zone, **options), datetime=iso, title=date_time(moment_ms, zone))


def span(span_s: float | None) -> str:
    """`0.4 s`, `42 s`, `12 min`, `5 h`, `9 d`."""
    if span_s is None:
        return UNKNOWN
    return f"{max(0.0, span_s):.1f} s" if span_s < 9.95 else age(round(span_s * 1000))


def millis(span_ms: int | None) -> str:
    """`43 ms`, `1.9 s`, then coarser; a negative span is a wrong clock somewhere and is called so."""
    if span_ms is None:
        return UNKNOWN
    if span_ms < 0:
        return "clock?"
    return f"{span_ms} ms" if span_ms < 1000 else f"{span_ms / 1000:.1f} s" if span_ms < 100_000 else age(span_ms)


def count(value: float | None) -> str:
    """`12,345`."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def decimal(value: float | None, digits: int = 2) -> str:
    """A number with so many places."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def megabytes(value: int | None) -> str:
    """`24.1 MB`."""
    return UNKNOWN if value is None else f"{value / 1e6:.1f} MB"


def percent(value: float | None) -> Safe:
    """A change with its sign, arrow and colour."""
    if value is None:
        return el("span", "n/a", cls="quiet")
    direction = "up" if value > 0 else "down" if value < 0 else "neutral"
    return el("span", f"{ARROWS[direction]} {change_text(value)} %", cls=f"num {direction}")


def points(alert: Alert) -> str:
    """The score as cards show it: 0 to 100."""
    return UNKNOWN if alert.score is None else f"{alert.score * 100:.0f}"


def state(word: str, tone: str | None = None) -> Safe:
    """A state as a word with a sign and a colour."""
    tone = tone or TONES.get(word, QUIET)
    return el("span", el("i", SIGNS[tone], aria_hidden="true"), f" {word.replace('_', ' ') or 'unknown'}",
              cls=f"state {tone}")


def direction(alert: Alert) -> Safe:
    """The arrow, with its word for those who hear the page."""
    return el("span", ARROWS.get(alert.direction, ARROWS["neutral"]), cls=f"arrow {alert.direction}", role="img",
              aria_label=alert.direction, title=alert.direction)


def price(alert: Alert) -> Safe:
    """The price at the sending with its age; a simulated one is called so."""
    if alert.price_usd is None:
        return el("span", "price unknown", cls="price quiet")
    old = f"{span(alert.price_age_s)} old" if alert.price_age_s is not None else "age unknown"
    return el("span", el("b", money(alert.price_usd), cls="num"), " ", el("small", old),
              [" ", el("small", "simulated", cls="chip sim")] if alert.simulated else None, cls="price")


def sending(alert: Alert) -> Safe:
    """Whether the alert is out, and how long that took from the complete answer of its feed: by sink where several
    want it, for one that waits is no less missing because another has it."""
    if alert.state == "dead":
        return state("not delivered", BAD)
    if said := reach(dict(alert.sinks), dict(alert.took_ms), millis):
        return state(said, MILD if waiting(dict(alert.sinks)) else BAD if "refused" in said else GOOD)
    if alert.latency_ms is not None:
        return el("span", "sent in ", el("b", millis(alert.latency_ms), cls="num"), cls="sent",
                  title="from seen (feed answer complete) to sent (request begun)")
    return state("no sink is set", QUIET) if alert.state == "posted" else state("sending", MILD)


def kinds(names: Sequence[str], most: int = 4) -> list[Safe]:
    """Kinds as chips; one that sells shares has a colour of its own."""
    shown = [el("span", kind_label(name), cls="chip offering" if name.startswith("offering") else "chip")
             for name in names[:most]]
    return shown + ([el("span", f"+{len(names) - most}", cls="chip")] if len(names) > most else [])
