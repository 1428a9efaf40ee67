"""What an alert is held back for: mutes, quiet hours, filters of a sink, the cooldown after one like it. Pure.

A reason is a word (`muted`, `quiet`, `filtered`, `cooldown`) and, after a colon, what exactly: `muted:ticker ABCD`. The
word alone is the item's reason for the tracker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from catalyst.core.watchlist import ticker_of
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import AlertReady

What = Literal["ticker", "kind", "source"]
WHATS: tuple[What, ...] = ("ticker", "kind", "source")
MUTED, QUIET, FILTERED, COOLDOWN = "muted", "quiet", "filtered", "cooldown"
HOUR_S, DAY_S = 3_600, 86_400
DEFAULT_S, LEAST_S, MOST_S = 4 * HOUR_S, 1, 30 * DAY_S  # of a mute: it always ends
VALUE_CHARS, NOTE_CHARS = 100, 200
STEP_UP = 0.2  # of the score: an alert that is better by so much is no repeat
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
_WINDOW = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? +)?(\d{1,2}):(\d\d) *- *(\d{1,2}):(\d\d)")
_KIND = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Mute:
    """Alerts of a ticker, of a lead kind (or its first words) or of a source are held until `until_ms`."""

    what: str
    value: str
    began_ms: int
    until_ms: int
    note: str = ""

    def holds(self, alert: AlertReady) -> bool:
        """Whether it is about this alert. Of several kinds only the first, which the alert is named by, counts."""
        if self.what == "ticker":
            return alert.ticker == self.value
        if self.what == "kind":
            return is_of(lead_kind(alert), (self.value,))
        return alert.source.casefold() == self.value.casefold()


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the local day from `start_min` on, up to `end_min`; that of the next day where it is not later.

    `days` are those on which it begins, Monday 0.
    """

    days: frozenset[int]
    start_min: int
    end_min: int

    def covers(self, local: datetime) -> bool:
        """Whether the local moment lies in it; its first minute does, its end does not."""
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start_min < self.end_min:
            return day in self.days and self.start_min <= minute < self.end_min
        return (day in self.days and minute >= self.start_min) or ((day - 1) % 7 in self.days and minute < self.end_min)

    def end_after(self, local: datetime) -> datetime:
        """What the local clock shows at its end, from a moment that it covers; it may show that twice, or never."""
        ends_tomorrow = self.end_min <= self.start_min <= local.hour * 60 + local.minute and (
            local.weekday() in self.days)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=ends_tomorrow, minutes=self.end_min)


@dataclass(frozen=True, slots=True)
class Filter:
    """What one sink wants: kinds or their first words (all when empty), the least score, the watch list only."""

    kinds: tuple[str, ...] = ()  # in small letters
    min_score: float = 0.0
    watched_only: bool = False

    def refuses(self, alert: AlertReady) -> str:
        """`kinds`, `score` or `watched`; empty where the alert passes. Any of its kinds lets it through."""
        if self.kinds and not any(is_of(kind.kind, self.kinds) for kind in alert.kinds):
            return "kinds"
        if alert.score < self.min_score:
            return "score"
        return "watched" if self.watched_only and not alert.watched else ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say: the quiet hours in `zone`, the score that passes them; a cooldown of 0 is none."""

    windows: tuple[Window, ...] = ()
    zone: tzinfo = UTC
    quiet_score: float = 0.9
    cooldown_ms: int = 0
    filters: Mapping[str, Filter] = field(default_factory=dict)  # sink -> what it wants; all where it is not named

    def refuses(self, sink: str, alert: AlertReady) -> str:
        """Why a sink does not want an alert; empty where it does."""
        return self.filters[sink].refuses(alert) if sink in self.filters else ""


def parse_hours(texts: Sequence[str]) -> tuple[Window, ...]:
    """The windows of `22:00-06:30` or `Sat-Sun 00:00-24:00`. Raises ConfigError for anything else."""
    return tuple(_window(text) for text in texts)


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(" ".join(text.lower().split()))
    wrong = ConfigError(f"CATALYST_QUIET_HOURS: {text!r} is no time; write 22:00-06:30 or Sat-Sun 00:00-24:00")
    if match is None:
        raise wrong
    first, last, *numbers = match.groups()
    start_hour, start_minute, end_hour, end_minute = map(int, numbers)
    start_min, end_min = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start_min >= DAY_MIN or end_min > DAY_MIN or max(start_minute, end_minute) > 59 or start_min == end_min:
        raise wrong
    if first is None:
        return Window(frozenset(range(7)), start_min, end_min)
    if first not in DAYS or (last is not None and last not in DAYS):
        raise wrong
    begin, count = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7 + 1
    return Window(frozenset((begin + step) % 7 for step in range(count)), start_min, end_min)


def is_quiet(rules: Rules, now_ms: int) -> bool:
    """Whether the moment lies in quiet hours."""
    return any(window.covers(_local(rules, now_ms)) for window in rules.windows)


def quiet_until_ms(rules: Rules, now_ms: int) -> int | None:
    """When the quiet hours end that run now, None where none do; windows that meet are one, a week of them is the most
    that is looked ahead."""
    until_ms = now_ms
    for _ in range((len(DAYS) + 1) * len(rules.windows)):  # a change of the clock is a step of its own
        local = _local(rules, until_ms)
        window = next((window for window in rules.windows if window.covers(local)), None)
        if window is None:
            break
        until_ms = _end_ms(window, local, until_ms)
    return until_ms if until_ms > now_ms else None


def _end_ms(window: Window, local: datetime, now_ms: int) -> int:
    """Until when a window covers `local`, which is `now_ms`, for certain: the first time that the clock shows its end,
    or a change of the clock before, after which a look says whether it is quiet still.
    """
    end = window.end_after(local)
    end_ms = min((moment_ms for fold in (0, 1)
                  if (moment_ms := round(end.replace(fold=fold).timestamp() * 1000)) > now_ms), default=now_ms)
    first_s, last_s = now_ms // 1000, -(-end_ms // 1000)
    zone = local.tzinfo

    def offset(moment_s: int) -> timedelta | None:
        return datetime.fromtimestamp(moment_s, UTC).astimezone(zone).utcoffset()

    if offset(first_s) == offset(last_s):
        return end_ms
    while last_s - first_s > 1:  # the clock is changed once in between
        middle_s = (first_s + last_s) // 2
        first_s, last_s = (middle_s, last_s) if offset(middle_s) == offset(first_s) else (first_s, middle_s)
    return min(end_ms, last_s * 1000)


def day_began_ms(now_ms: int, zone: tzinfo) -> int:
    """The last midnight of the zone."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    return round(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def _local(rules: Rules, moment_ms: int) -> datetime:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(rules.zone)


def hold(alert: AlertReady, mutes: Iterable[Mute], rules: Rules, *, folds: bool, now_ms: int,
         sinks: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Why the alert goes nowhere (empty: it goes out), and which of `sinks` filter it, each with why.

    `folds`: it will be told as an update of an earlier alert, which makes no noise, so that only a mute holds it.
    """
    for mute in mutes:
        if mute.holds(alert):
            return f"{MUTED}:{mute.what} {mute.value}", {}
    if folds:
        return "", {}
    if not alert.watched and alert.score < rules.quiet_score and is_quiet(rules, now_ms):
        return QUIET, {}
    why = {sink: rules.refuses(sink, alert) for sink in sinks}
    filtered = {sink: text for sink, text in why.items() if text}
    if sinks and len(filtered) == len(sinks):
        return f"{FILTERED}:{', '.join(f'{sink} {text}' for sink, text in filtered.items())}", {}
    return "", filtered


def is_repeat(first: AlertReady, second: AlertReady) -> bool:
    """Whether the second, of the first one's cooldown, says nothing new to a trader: same ticker, lead kind and
    direction, and not clearly better."""
    return (first.ticker == second.ticker and lead_kind(first) == lead_kind(second) != ""
            and first.direction == second.direction and round(second.score - first.score, 6) < STEP_UP)


def lead_kind(alert: AlertReady) -> str:
    """The kind that the alert is named by; empty where it has none."""
    return alert.kinds[0].kind if alert.kinds else ""


def is_of(kind: str, names: Iterable[str]) -> bool:
    """Whether a kind is one of the names, or begins with one of them as its first words."""
    return any(kind == name or kind.startswith(f"{name}_") for name in names)


def what_and_value(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """What a mute is about, in its one spelling, from `what` and `value`. Raises UsageError."""
    what, value = arguments.get("what"), arguments.get("value")
    if what not in WHATS or not isinstance(value, str):
        raise UsageError("mute ticker, kind or source, and which")
    text = " ".join(value.split())
    if what == "ticker" and (found := ticker_of(text)):
        return what, found
    if what == "kind" and _KIND.fullmatch(found := "_".join(text.lower().replace("-", " ").split())):
        return what, found
    if what == "source" and 0 < len(text) <= VALUE_CHARS and text.isprintable():
        return what, text
    raise UsageError(f"{value[:VALUE_CHARS]!r} is no {what}")
