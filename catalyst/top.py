"""What `catalyst top` shows: a snapshot of a home's actors, alerts and incidents, and the lines it makes on a terminal.

It is pure: a snapshot, a size and a view in, lines out; catalyst/commands/snapshot.py reads snapshots. Text that came
from outside reaches a line only through `clean`. A style is a hint to colour a line; no line means more with it than
without.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from catalyst.core.dollars import money
from catalyst.core.silence import Silence, end_words, mute_words, today_words
from catalyst.runtime.roster import SUPERVISOR

ARROWS = {"up": "▲", "down": "▼"}
BLANK, UNKNOWN = " ", "-"
MUTES_NAMED = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One actor; what nobody knows is None. `heard_s` is the monotonic time of its last answer."""

    name: str
    state: str
    pid: int | None = None
    age_s: float | None = None
    restarts: int | None = None
    cpu_s: float | None = None
    cpu_pct: float | None = None
    rss_bytes: int | None = None
    heard_s: float | None = None
    beat_age_s: float | None = None
    current: str = ""
    current_age_s: float = 0.0
    handled: int | None = None
    handled_per_s: float | None = None
    inbox: int | None = None
    outbox: int | None = None
    oldest_unsent_s: float | None = None
    failed: int | None = None
    dead: int | None = None
    storage: str = ""  # full or failing, where its disk is


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `latency_ms` runs from the complete feed response to the request to the slowest sink that has it;
    `waiting` sinks still want it."""

    at_ms: int
    ticker: str
    direction: str
    kinds: tuple[str, ...]
    score: float
    price_usd: float | None
    simulated: bool
    latency_ms: int | None
    state: str
    title: str
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A restart or an incident, as the actor `source` stored it."""

    at_ms: int
    source: str
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it at one moment; `alerts_ms` is when the alerter last said what it has, None if it never did;
    `paused_until_ms` is the end of a person's pause."""

    home: str
    at_ms: int
    at_s: float
    actors: tuple[Row, ...]
    alerts: tuple[Alert, ...] = ()
    alerts_ms: int | None = None
    events: tuple[Event, ...] = ()
    paused_until_ms: int | None = None
    silence: Silence | None = None  # as the alerter told it last


# -- text


def clean(text: Any) -> str:
    """Printable text of characters one or two columns wide: control and bidirectional marks are blanks."""
    composed = unicodedata.normalize("NFC", str(text))
    return "".join(letter if letter.isprintable() else BLANK for letter in composed
                   if not unicodedata.combining(letter))


def columns(text: str) -> int:
    """Columns of clean text; East Asian wide characters take two (Unicode Annex 11)."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1
                                                for letter in text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Clean text in exactly `width` columns, cut or filled; empty where the width is not positive."""
    if columns(text) > width:
        text = _head(text, width - 1) + "…" if width > 0 else ""
    blanks = BLANK * (width - columns(text))
    return blanks + text if right else text + blanks


def _head(text: str, width: int) -> str:
    """As much of the text as `width` columns hold."""
    for place, letter in enumerate(text):
        width -= columns(letter)
        if width < 0:
            return text[:place]
    return text


def short(duration_s: float | None) -> str:
    """A duration in four columns or so: `0.4s`, `42s`, `12m`, `5h`, `9d`."""
    if duration_s is None:
        return UNKNOWN
    if duration_s < 9.95:
        return f"{max(0.0, duration_s):.1f}s"
    for limit, unit, size in ((99.5, "s", 1), (5970, "m", 60), (172_800, "h", 3600)):
        if duration_s < limit:
            return f"{duration_s / size:.0f}{unit}"
    return f"{duration_s / 86_400:.0f}d"


def number(value: float | None) -> str:
    """A count or a rate in five columns at most: `0.4`, `37`, `12k`, `3M`."""
    if value is None:
        return UNKNOWN
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (size if unit == 'M' else 1e3):.0f}{unit}"
    return f"{value:.1f}" if isinstance(value, float) and 0 < value < 9.95 else f"{value:.0f}"


# -- lines


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the screen, without its end; `style` is title, head, selected, bad, warn, dim or empty."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What the person did: the name of the selected actor (empty: none is marked) and what stands in the last line."""

    selected: str = ""
    note: str = ""


def frame(snapshot: Snapshot, width: int, height: int, view: View, zone: tzinfo) -> list[Line]:
    """At most `height` lines of at most `width` columns; the actors come first where there is little room."""
    footer = [Line(clean(view.note), "title")] if view.note else []
    room = max(1, height - 2 - len(footer))
    hand = _in_hand(snapshot) if width < WIDE else []
    rows = _window(snapshot.actors, view.selected, room)
    lines = [Line(_title(snapshot, zone), "title"), *_table(rows, width, view)]
    room = height - len(lines) - len(footer)
    if hand and room > 0:
        lines, room = [*lines, *hand], room - 1
    if (silent := _silent(snapshot, zone)) and room > 0:
        lines, room = [*lines, Line(f"  {silent}", "warn")], room - 1
    lines += _lists(snapshot, width, room, zone)
    lines += [Line("")] * (height - len(lines) - len(footer))
    return [replace(line, text=fit(line.text, width).rstrip()) for line in (*lines[:height - len(footer)], *footer)]


def _window(rows: tuple[Row, ...], selected: str, room: int) -> tuple[Row, ...]:
    place = next((place for place, row in enumerate(rows) if row.name == selected), 0)
    first = max(0, min(place - room // 2, len(rows) - room))
    return rows[first:first + room]


def _title(snapshot: Snapshot, zone: tzinfo) -> str:
    rows = snapshot.actors
    running = sum(row.state == "running" for row in rows)
    figures = {"waiting": sum((row.inbox or 0) + (row.outbox or 0) for row in rows),
               "dead": sum(row.dead or 0 for row in rows)}
    said = "  ".join(f"{name} {number(value)}" for name, value in figures.items())
    moment = datetime.fromtimestamp(snapshot.at_ms / 1000, zone)
    paused = f"PAUSED to {_time(snapshot.paused_until_ms, zone)}  " if snapshot.paused_until_ms else ""
    return (f"catalyst top  {moment:%H:%M:%S %Z}  {running} of {len(rows)} run  {said}  {paused}{_disk(rows)}"
            f"{clean(snapshot.home)}")


def _disk(rows: Iterable[Row]) -> str:
    """`DISK FULL for 3  `: the worse word, and how many actors it stops."""
    found = [row.storage for row in rows if row.storage]
    return f"DISK {clean(min(found)).upper()} for {len(found)}  " if found else ""


WIDE = 110  # columns from which there is room for what is in hand, the titles and the rarer figures
HEADS = ("ACTOR", "STATE", "PID", "AGE", "RST", "CPU%", "MEM", "BEAT", "IN/S", "INBOX", "OUTBOX", "DEAD")
WIDTHS = (10, 8, 7, 4, 3, 4, 5, 5, 5, 5, 6, 4)
MORE_HEADS, MORE_WIDTHS = ("OLDEST", "HANDLED", "FAILED"), (6, 7, 6)


def _table(rows: Iterable[Row], width: int, view: View) -> Iterator[Line]:
    wide = width >= WIDE
    heads = HEADS + MORE_HEADS if wide else HEADS
    yield Line("  " + _cells(heads) + ("  NOW" if wide else ""), "head")
    for row in rows:
        mark = "> " if row.name == view.selected else "  "
        memory = UNKNOWN if row.rss_bytes is None else f"{row.rss_bytes / 1e6:.0f}M"
        cells = [row.name, row.state, UNKNOWN if row.pid is None else str(row.pid), short(row.age_s),
                 number(row.restarts), number(row.cpu_pct), memory, short(row.beat_age_s), number(row.handled_per_s),
                 number(row.inbox), number(row.outbox), number(row.dead)]
        if wide:
            cells += [short(row.oldest_unsent_s), number(row.handled), number(row.failed)]
        now = f"  {_current(row)}" if wide and row.current else ""
        style = "warn" if row.state in ("starting", "draining") else "" if row.state == "running" else "bad"
        style = "bad" if row.storage else style
        yield Line(mark + _cells(cells) + now, "selected" if mark == "> " else style)


def _cells(cells: Sequence[str]) -> str:
    return BLANK.join(fit(clean(cell), width, right=place > 1) for place, (cell, width) in enumerate(
        zip(cells, (WIDTHS + MORE_WIDTHS)[:len(cells)], strict=True)))


def _current(row: Row) -> str:
    """What is in hand and for how long; an item's id by its first letters, which `catalyst trace` takes."""
    words = " ".join(word[:16] for word in clean(row.current).split())
    return f"{words} {short(row.current_age_s)}"


def _in_hand(snapshot: Snapshot) -> list[Line]:
    said = ", ".join(f"{row.name} {_current(row)}" for row in snapshot.actors if row.current)
    return [Line(f"  now: {said or 'nothing in hand'}", "dim")]


def _silent(snapshot: Snapshot, zone: tzinfo) -> str:
    """What is held back now and was today, in one line; empty where nothing is or was."""
    silence = snapshot.silence
    if not silence:
        return ""
    ends_ms = silence.quiet_until_ms
    quiet = f"QUIET HOURS to {end_words(ends_ms, snapshot.at_ms, zone)}" if ends_ms is not None else ""
    mutes = list(mute_words(silence, snapshot.at_ms, zone))
    more = [f"{len(mutes) - MUTES_NAMED} more"] if len(mutes) > MUTES_NAMED else []
    muted = ", ".join([*mutes[:MUTES_NAMED], *more])
    parts = (quiet, f"muted: {muted}" if muted else "", today_words(silence))
    return clean("  ".join(part for part in parts if part))


def _lists(snapshot: Snapshot, width: int, room: int, zone: tzinfo) -> Iterator[Line]:
    """Alerts and below them restarts and incidents, in `room` lines: two thirds for the alerts, if they need them."""
    blank = [Line("")] if room >= 8 else []
    room -= 2 * (1 + len(blank))
    if room < 2:
        return
    events = min(max(1, len(snapshot.events)), max(room // 3, room - max(1, len(snapshot.alerts))))
    late = "" if snapshot.alerts_ms == snapshot.at_ms else "  (the alerter does not answer" + (
        f"; as of {_time(snapshot.alerts_ms, zone)})" if snapshot.alerts_ms else ")")
    yield from blank
    yield Line(f"ALERTS, newest first{late}", "head")
    yield from islice((_alert_line(alert, width, zone) for alert in snapshot.alerts), room - events)
    if not snapshot.alerts:
        yield Line("  none")
    yield from blank
    is_heard = any(row.name == SUPERVISOR and row.heard_s == snapshot.at_s for row in snapshot.actors)
    late = "" if is_heard else "  (the supervisor does not answer)"
    yield Line(f"RESTARTS AND INCIDENTS, newest first{late}", "head")
    yield from islice((Line(f"  {_time(event.at_ms, zone)} {fit(clean(event.actor), 11)} {clean(event.text)}")
                       for event in snapshot.events), events)
    if not snapshot.events:
        yield Line("  none")


def _alert_line(alert: Alert, width: int, zone: tzinfo) -> Line:
    sent = f"{alert.waiting} waiting" if alert.waiting and alert.latency_ms is not None else (
        f"{alert.latency_ms} ms" if alert.latency_ms is not None else {
            "posted": "no sink", "dead": "NOT SENT"}.get(alert.state, "waiting"))
    price = "no price" if alert.price_usd is None else (
        f"{money(alert.price_usd)}{' sim' if alert.simulated else ''}")
    kinds = clean(", ".join(alert.kinds) or "no kind")
    wide = width >= WIDE
    text = (f"  {_time(alert.at_ms, zone)} {fit(clean(alert.ticker), 6)} {ARROWS.get(alert.direction, '●')} "
            f"{fit(kinds, 36 if wide else 26)} {alert.score * 100:>3.0f} {price:>11} {sent:>10}")
    return Line(f"{text}  {clean(alert.title)}" if wide else text,
                "bad" if alert.state == "dead" else "warn" if alert.waiting else "")


def _time(moment_ms: int, zone: tzinfo) -> str:
    try:
        return f"{datetime.fromtimestamp(moment_ms / 1000, zone):%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "--:--:--"


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, clean; what is wider than `width` goes on in the next line."""
    found = []
    for line in text.splitlines():
        rest = clean(line)
        while columns(rest) > width > 1:
            part = _head(rest, width)
            found.append(part)
            rest = rest[len(part):]
        found.append(rest)
    return found


def page(title: str, body: Sequence[str], width: int, height: int, offset: int) -> list[Line]:
    """`wrapped` lines from number `offset` on, between a title and the keys."""
    shown = body[offset:offset + max(0, height - 2)]
    lines = [Line(f"{clean(title)}  lines {offset + 1 if shown else 0}-{offset + len(shown)} of {len(body)}", "title"),
             *(Line(line) for line in shown), *[Line("")] * (height - 2 - len(shown)),
             Line("q back  up/down PgUp/PgDn move", "title")]
    return [replace(line, text=fit(line.text, width).rstrip()) for line in lines[:height]]
