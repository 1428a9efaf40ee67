"""Turns an alert or a notice into Discord's message.

Everything from outside goes through catalyst.core.outside, every length through Discord's limits. The message says in
its first line what a phone's notification shows, and says plainly what is not known or not real.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec

from catalyst.clock import iso
from catalyst.core.axes import volume_text
from catalyst.core.delivery import After, Correction, Followed, Source
from catalyst.core.dollars import money
from catalyst.core.doubts import against, change_pct, dilutes, flags, price_age_ms
from catalyst.core.history import change_text, history_text, span_label
from catalyst.core.outside import cut, escaped, length, masked_link, safe_link, unmentioned
from catalyst.messages import AlertReady, Direction, History, OpsNotice

# Discord's API documentation, "Embed Limits" and "Create Message"; ours are lower so that a phone shows the card whole.
CONTENT_LIMIT, TITLE_LIMIT, DESCRIPTION_LIMIT, FIELD_LIMIT, FOOTER_LIMIT = 2_000, 256, 4_096, 1_024, 2_048
ALT_LIMIT = 1_024  # of an attachment's description
CHART_NAME = "chart.png"
WHY_LIMIT, HEADLINE_LIMIT, AGAINST_LIMIT = 220, 134, 200
KINDS_LIMIT, LINE_LIMIT, SOURCES_LIMIT, MOST_FIELDS = 300, 200, 900, 6
SPAN_LIMIT = 20  # characters of a horizon
MOST_SOURCES = 6
MOST_CORRECTIONS, CORRECTION_LIMIT = 2, 200  # shown; characters of a title
ARROWS: dict[Direction, str] = {"up": "▲", "down": "▼", "neutral": "◆"}
SESSIONS = {"premarket": "pre-market", "regular": "regular hours", "after_hours": "after hours",
            "closed": "market closed"}
STRONG = 0.7  # from this score on the colour is the full one
COLOURS: dict[Direction, tuple[int, int]] = {  # pale, full; each stands with an arrow, for those who see no colour
    "up": (0x7CC68D, 0x1B9E4B), "down": (0xE08A87, 0xC62F2D), "neutral": (0x8A8F98, 0x8A8F98)}
OFFERING_COLOUR, OPS_COLOUR = 0xE0A100, 0x5865F2
SEVERITIES = {"info": "ℹ", "warning": "⚠", "critical": "✖"}
NOTHING = Followed()
_SCORE_SAID = re.compile(r", score \d\.\d\d(?=;|$)")
SHOUTED = frozenset({"fda", "sec", "ipo", "atm", "ceo", "cfo", "nda", "bla", "pdufa", "eps", "us", "ai", "doj", "uk"})


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known only when the request goes out: its begin, the zone of the times shown, and the repeat mark."""

    sent_ms: int
    zone: tzinfo
    possible_repeat: bool = False


def discord_card(alert: AlertReady, sources: Sequence[Source], moment: Moment,
                 chart_alt: str | None = None, corrections: Sequence[Correction] = (),
                 followed: Followed = NOTHING) -> dict[str, Any]:
    """The payload of the alert's message, the same for the post and for each edit; `sources` are the further wires,
    `corrections` what the publisher corrected since, `followed` what the price did after it and after earlier ones.

    With `chart_alt`, the words of its chart, the message must carry the file CHART_NAME: an edit then leaves exactly
    this one attachment, whatever was there ("Edit Webhook Message": attachments that are not listed go).
    """
    embed: dict[str, Any] = {
        "author": {"name": unmentioned(_wire(alert), LINE_LIMIT) or "unknown source"},
        "title": headed(alert),
        "description": _told(alert, moment.sent_ms) or "no reason stored",
        "color": colour(alert),
        "fields": _fields(alert, sources, moment, corrections, followed),
        "footer": {"text": _footer(alert, moment)},
    }
    link = safe_link(alert.link)
    if link is not None:
        embed["url"] = embed["author"]["url"] = link
    if stamp := _stamp(alert.published_ms):
        embed["timestamp"] = stamp
    card = {"content": phone_line(alert), "embeds": [embed], "allowed_mentions": {"parse": []}}
    return card if chart_alt is None else with_chart(card, chart_alt)


def with_chart(card: dict[str, Any], alt: str) -> dict[str, Any]:
    """The card of a message that carries the file CHART_NAME, shown below the text and described by `alt`."""
    embed, *others = card["embeds"]
    file = {"id": 0, "filename": CHART_NAME, "description": unmentioned(alt, ALT_LIMIT)}
    return {**card, "embeds": [{**embed, "image": {"url": f"attachment://{CHART_NAME}"}}, *others],
            "attachments": [file]}


def ops_card(notice: OpsNotice, moment: Moment) -> dict[str, Any]:
    """The payload of a notice to the operator."""
    sign = SEVERITIES[notice.severity]
    made = _clock_time(notice.made_ms, moment.zone)
    repeat = " · possible repeat" if moment.possible_repeat else ""
    return {"content": f"{sign} {notice.severity} · {escaped(notice.title, LINE_LIMIT)}",
            "embeds": [{"title": f"{sign} {escaped(notice.title, TITLE_LIMIT - 2)}",
                        "description": escaped(notice.text, 2_000) or "no text", "color": OPS_COLOUR,
                        "footer": {"text": unmentioned(f"{notice.item_id} · {made}{repeat}", LINE_LIMIT)}}],
            "allowed_mentions": {"parse": []}}


def trial_card(sink: str, moment: Moment) -> dict[str, Any]:
    """The payload with which a person tries a sink; it says that it is no alert."""
    return {"content": f"Catalyst test of the sink {escaped(sink, 40)}: no alert",
            "embeds": [{"title": "Catalyst test", "description": "Alerts will look like this card, with a reason here.",
                        "color": OPS_COLOUR, "footer": {"text": _clock_time(moment.sent_ms, moment.zone)}}],
            "allowed_mentions": {"parse": []}}


def phone_line(alert: AlertReady) -> str:
    """`ABCD ▲ FDA approval · 87`: what a notification shows. Bad news says so in a word beside its arrow."""
    simulated = " · simulated price" if alert.simulated else ""
    return f"{escaped(alert.ticker, 20)} {ARROWS[alert.direction]} {_kind_said(alert)} · {points(alert)}{simulated}"


def headed(alert: AlertReady) -> str:
    """`▲ ABCD · FDA approval · 87`: the card's own first line, short enough for a phone."""
    return f"{ARROWS[alert.direction]} {escaped(alert.ticker, 20)} · {_kind_said(alert)} · {points(alert)}"


def _kind_said(alert: AlertReady) -> str:
    first = kind_label(alert.kinds[0].kind) if alert.kinds else "catalyst"
    return ("negative: " if alert.direction == "down" else "") + (escaped(first, 60) or "catalyst")


def points(alert: AlertReady) -> int:
    """The score as cards show it: 0 to 100."""
    return round(alert.score * 100)


def kind_label(kind: str) -> str:
    """A kind's name for a reader: `fda_approval` is "FDA approval"."""
    words = [word.upper() if word in SHOUTED else word for word in cut(kind, 60).replace("_", " ").split()]
    label = " ".join(words)
    return label[:1].upper() + label[1:]


def colour(alert: AlertReady) -> int:
    """The bar's colour: what dilutes has its own, else direction and strength."""
    if any(dilutes(kind) for kind in alert.kinds):
        return OFFERING_COLOUR
    return COLOURS[alert.direction][alert.score >= STRONG]


def age(span_ms: int) -> str:
    """A span of time as a reader says it: "12 s", "3 min", "5 h", "2 d"."""
    seconds = max(0, span_ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _told(alert: AlertReady, sent_ms: int) -> str:
    """The headline and the reason, WHY_LIMIT units together, then one line of what speaks against it. A price from no
    market is said before all of them."""
    headline = escaped(alert.title, HEADLINE_LIMIT)
    lines = [f"**{headline}**"] if headline else []
    why = escaped(_reason(alert), WHY_LIMIT - length("\n".join([*lines, ""])))
    lines += [why] if why else []
    doubts = " · ".join(against(alert, sent_ms))
    lines += [f"⚠ Against: {escaped(doubts, AGAINST_LIMIT)}"] if doubts else []
    return "\n".join([*(["**Simulated price: not from a market.**"] if alert.simulated else []), *lines])


def _reason(alert: AlertReady) -> str:
    """The stored reason without what the card says elsewhere: the kind, its direction and the score."""
    why = alert.why
    if alert.kinds:
        why = why.replace(f"{alert.kinds[0].kind} ({alert.kinds[0].direction}): ", "", 1)
    return _SCORE_SAID.sub("", why, count=1)


def _fields(alert: AlertReady, sources: Sequence[Source], moment: Moment, corrections: Sequence[Correction],
            followed: Followed) -> list[dict[str, Any]]:
    """At most MOST_FIELDS: the ones that matter least are left out, the source stands last. When it is known what came
    after, volume and session of the alert's moment matter less than that."""
    further = ", ".join(kind_label(kind.kind) for kind in alert.kinds[1:8])
    warned = " · ".join(flags(alert))
    rows: list[tuple[int, str, str, bool]] = [  # how much it matters (0 most), name, value, inline
        (0, "✎ Corrected by its publisher", _corrected(corrections), False),
        (0, "Simulated price" if alert.simulated else "Price", _price(alert, moment.sent_ms), True),
        (5, "Volume", _volume(alert), True),
        (6, "Session", SESSIONS.get(alert.session, ""), True),
        (2, "Flags", f"⚑ {warned}" if warned else "", True),
        (4, "History", _history(followed.history), True),
        (7, "Also", escaped(further, KINDS_LIMIT), True),
        (3, "After (simulated prices)" if any(one.simulated for one in followed.after) else "After",
         _after(followed.after), False),
        (1, "Sources" if sources else "Source", _sources(alert, sources), True)]
    told = [row for row in rows if row[2]]
    kept = sorted(told, key=lambda row: row[0])[:MOST_FIELDS]
    return [{"name": name, "value": value, "inline": inline} for place, name, value, inline in told
            if (place, name, value, inline) in kept]


def _volume(alert: AlertReady) -> str:
    """Shares of today and how fast they change hands now; empty where neither is known."""
    parts = [] if alert.volume is None else [f"{volume_text(alert.volume)} today"]
    if alert.rvol is not None:
        parts.append(f"RVOL {alert.rvol:,.1f}x (10 min)")
    return " · ".join(parts)


def _history(history: History | None) -> str:
    """What followed alerts of this kind; empty where they are too few to tell of."""
    if history is None:
        return ""
    span = escaped(span_label(history.horizon), SPAN_LIMIT)
    return history_text(msgspec.structs.replace(history, horizon=span))


def _after(outcomes: Sequence[After]) -> str:
    """`15 min +4.2 % · 1 h -3.1 %`, the shortest first; empty while nothing is known."""
    parts = [f"{escaped(span_label(one.horizon), SPAN_LIMIT)} {change_text(one.return_pct)} %" for one in outcomes]
    while length(" · ".join(parts)) > FIELD_LIMIT:
        parts.pop()
    return " · ".join(parts)


def _corrected(corrections: Sequence[Correction]) -> str:
    """The newest correction first, each linked; empty without one."""
    if not corrections:
        return ""
    lines = [masked_link(cut(one.title, CORRECTION_LIMIT), one.link, SOURCES_LIMIT)
             for one in list(corrections)[:-MOST_CORRECTIONS - 1:-1]]
    if len(corrections) > MOST_CORRECTIONS:
        lines.append(f"and {len(corrections) - MOST_CORRECTIONS} more")
    while length("\n".join(lines)) > FIELD_LIMIT:
        lines.pop()
    return "\n".join(lines) or "without a title"


def _price(alert: AlertReady, sent_ms: int) -> str:
    if alert.price_usd is None:
        return "no price"
    change, span_ms = change_pct(alert), price_age_ms(alert, sent_ms)
    parts = [money(alert.price_usd), "change unknown" if change is None else f"{change_text(change)} %",
             "age unknown" if span_ms is None else f"{age(span_ms)} old"]
    return " · ".join([*parts, *([escaped(alert.provider, 40)] if alert.provider else [])])


def _sources(alert: AlertReady, sources: Sequence[Source]) -> str:
    """The first wire, then the others in order of arrival, each linked, as many as fit."""
    lines = [masked_link(_wire(alert), alert.link, SOURCES_LIMIT)]
    room = FIELD_LIMIT - length(lines[0]) - 24
    for place, source in enumerate(sources):
        line = masked_link(source.name, source.link, SOURCES_LIMIT)
        if place + 1 >= MOST_SOURCES or length(line) + 1 > room:
            lines.append(f"and {len(sources) - place} more")
            break
        room -= length(line) + 1
        lines.append(line)
    return "\n".join(lines)


def _wire(alert: AlertReady) -> str:
    """The first wire, of a filing with its form: "sec_8k · 8-K"."""
    return f"{alert.source} · {alert.form}" if alert.form else alert.source


def _footer(alert: AlertReady, moment: Moment) -> str:
    """Alert id and the way of the item: published, seen, sent."""
    seen = _clock_time(alert.seen_ms, moment.zone)
    if alert.published_ms is None:
        way = f"pub unknown → seen {seen}"
    else:
        way = f"pub {_clock_time(alert.published_ms, moment.zone)} → seen {_step(alert.seen_ms - alert.published_ms)}"
    repeat = " · possible repeat" if moment.possible_repeat else ""
    sent = _step(moment.sent_ms - alert.seen_ms)
    return unmentioned(f"id {alert.alert_id} · {way} → sent {sent}{repeat}", LINE_LIMIT)


def _step(span_ms: int) -> str:
    """A step of the way; a negative one is a wrong clock somewhere and is called so."""
    if span_ms < 0:
        return "(clock)"
    return f"+{span_ms / 1000:.1f} s" if span_ms < 100_000 else f"+{age(span_ms)}"


def _clock_time(moment_ms: int, zone: tzinfo) -> str:
    moment = _moment(moment_ms)
    return "unknown" if moment is None else f"{moment.astimezone(zone):%H:%M:%S %Z}"


def _stamp(moment_ms: int | None) -> str | None:
    return iso(moment_ms) if _moment(moment_ms) is not None else None


def _moment(moment_ms: int | None) -> datetime | None:
    """The moment as a date in UTC; None where it is not known or lies in no year that a calendar has."""
    if moment_ms is None:
        return None
    try:
        moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 1970 <= moment.year <= 9000 else None
