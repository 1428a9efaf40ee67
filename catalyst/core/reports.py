"""What the operator is told without anything being wrong: that the house started, how it stands as the market opens,
what the session brought. So silence differs from failure. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from catalyst.core.session import NEW_YORK, market_session
from catalyst.messages import OpsNotice

What = Literal["open", "close", "sample"]
OPEN_FOR_MS = 15 * 60_000  # a heartbeat later than that says nothing of the opening
CLOSE_FOR_MS = 60 * 60_000
WHOLE_START_S = 60.0  # a start in which every actor is so young is one of the whole house
FRESH_LEAST_MS, FRESH_POLLS = 300_000, 3  # a source is fresh that has answered within three of its polls
MOST_NAMED = 8
TEXT_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Feeds:
    """How the sources stand: how many are asked, and which of them have not answered for too long."""

    asked: int
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """What became of the items of a day; `alerts` by first kind, `dropped` by reason, `waits_ms` from seen to sent."""

    items: int = 0
    alerts: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    dead: int = 0
    waits_ms: Sequence[int] = ()


def due(now_ms: int) -> What | None:
    """What is to be told or looked at now: `open` within a quarter of an hour after the opening, `close` within an hour
    after the close, else `sample` while the session lasts; None outside of it."""
    session = market_session(now_ms)
    if session == "regular":
        return "open" if market_session(now_ms - OPEN_FOR_MS) != "regular" else "sample"
    if session == "after_hours" and market_session(now_ms - CLOSE_FOR_MS) == "regular":
        return "close"
    return None


def day_of(now_ms: int) -> tuple[str, int]:
    """The day in New York, `2026-01-02`, and the moment at which it began there."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(NEW_YORK)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{local:%Y-%m-%d}", int(midnight.timestamp() * 1000)


def feeds_of(rows: Sequence[Mapping[str, Any]], now_ms: int) -> Feeds:
    """The sources that are asked, of the fetcher's rows."""
    asked = [row for row in rows if row.get("enabled") and not row.get("no_key")]
    stale = tuple(str(row["name"]) for row in asked if row.get("outage") or not _is_fresh(row, now_ms))
    return Feeds(len(asked), stale)


def _is_fresh(row: Mapping[str, Any], now_ms: int) -> bool:
    last_ms, every_s = row.get("last_ok_ms"), float(row.get("every_s") or 0)
    return last_ms is not None and now_ms - last_ms <= max(FRESH_LEAST_MS, FRESH_POLLS * every_s * 1000)


def is_whole_start(own_s: float, others_s: Sequence[float]) -> bool:
    """Whether an actor that began at `own_s` began with all the others, and not alone among older ones."""
    return bool(others_s) and min(others_s) >= own_s - WHOLE_START_S


def boot_notice(version: str, sinks: Sequence[str], feeds: Feeds | None, fault: str, now_ms: int) -> OpsNotice:
    """The whole house has started."""
    where = f"alerts to {', '.join(sinks)}" if sinks else "NO SINK IS SET: alerts are stored, not sent"
    from_where = "the sources do not answer yet" if feeds is None else f"{feeds.asked} sources"
    text = f"Catalyst {version}: {from_where}; {where}" + (f". {fault}" if fault else "")
    return _notice("start", str(now_ms), "warning" if fault or not sinks else "info", "Catalyst has started", text,
                   now_ms)


def open_notice(day: str, feeds: Feeds | None, alerts: int, now_ms: int) -> OpsNotice:
    """The market opens: how many sources are fresh, how many alerts there were before."""
    if feeds is None:
        return _notice(f"session:{day}", "open", "warning", "Open: the fetcher does not answer",
                       f"{_many(alerts, 'alert')} so far; see catalyst status", now_ms)
    fresh = feeds.asked - len(feeds.stale)
    text = f"{_many(alerts, 'alert')} so far" + (f"; without an answer: {_names(feeds.stale)}" if feeds.stale else "")
    severity: Literal["info", "warning"] = "warning" if feeds.stale or not feeds.asked else "info"
    return _notice(f"session:{day}", "open", severity, f"Open: {fresh} of {feeds.asked} feeds fresh", text, now_ms)


def close_notice(day: str, told: Day, out: Sequence[str], now_ms: int) -> OpsNotice:
    """The session is over: what came, what went out, what was dropped and why, who was silent, how long it took."""
    count = sum(told.alerts.values())
    lines = [f"{_many(told.items, 'item')} seen since midnight in New York",
             f"alerts: {_counts(told.alerts) or 'none'}", f"dropped: {_counts(told.dropped) or 'none'}"]
    lines += [f"dead letters: {told.dead}; see catalyst dead list"] if told.dead else []
    lines.append(f"feeds that were out: {_names(out)}" if out else "no feed was out")
    waits = sorted(told.waits_ms)
    if waits:
        middle, slow = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.95))]
        lines.append(f"seen to sent: p50 {middle} ms, p95 {slow} ms (n={len(waits)})")
    return _notice(f"session:{day}", "close", "warning" if told.dead or out else "info",
                   f"Close: {_many(count, 'alert')}, {_many(told.items, 'item')}", ". ".join(lines), now_ms)


def dead_notice(stage: str, reason: str, item_id: str, now_ms: int) -> OpsNotice:
    """Something could not be handled and lies among the dead letters; one notice a cause in six hours."""
    return _notice(f"dead:{stage}"[:64], f"{reason}:{now_ms // 21_600_000}"[:200], "warning",
                   f"Dead letter in the {stage}: {reason}", f"item {item_id}; see catalyst dead list --actor {stage}",
                   now_ms)


def _counts(counts: Mapping[str, int]) -> str:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    more = sum(number for _, number in rows[MOST_NAMED:])
    return ", ".join([f"{name} {number}" for name, number in rows[:MOST_NAMED]] + ([f"others {more}"] if more else []))


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _notice(affair: str, episode: str, severity: Literal["info", "warning"], title: str, text: str,
            now_ms: int) -> OpsNotice:
    return OpsNotice(item_id=affair, episode=episode, severity=severity, title=title[:200], text=text[:TEXT_LIMIT],
                     made_ms=now_ms)
