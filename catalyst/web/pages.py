"""The lists: alerts, items, sources, actors. Pure: records in, HTML out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from urllib.parse import urlencode

from catalyst.core.silence import end_words, mute_words, today_words
from catalyst.web import say
from catalyst.web.html import Node, Safe, el, form, link, own, picture
from catalyst.web.layout import Frame, page, table
from catalyst.web.views import Actor, Alert, Item, Items, Source

PER_PAGE = 50
THUMBNAILS = 30  # more pictures than anybody looks at
ALERT_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
ITEM_ROWS = 150
MOST_MUTES = 12  # shown
FATES = ("alerted", "dropped", "dead", "in_flight")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants to see; an empty word is no wish. All but the ticker may be part of the text."""

    ticker: str = ""
    kind: str = ""
    source: str = ""
    q: str = ""

    def __bool__(self) -> bool:
        return bool(self.ticker or self.kind or self.source or self.q)

    def takes(self, alert: Alert) -> bool:
        """Whether the alert is wanted."""
        kind, words = self.kind.lower().replace(" ", "_"), f"{alert.title}\n{alert.why}\n{alert.company}".lower()
        return ((not self.ticker or alert.ticker == self.ticker.upper().lstrip("$"))
                and (not kind or any(kind in name.lower() for name in alert.kinds))
                and (not self.source or any(self.source.lower() in name.lower() for name in alert.sources))
                and self.q.lower() in words)

    def address(self, number: int = 1) -> str:
        """The path of this list's page."""
        fields = [("ticker", self.ticker), ("kind", self.kind), ("source", self.source), ("q", self.q),
                  ("page", str(number) if number > 1 else "")]
        query = urlencode([(name, value) for name, value in fields if value]).replace("~", "%7E")
        return f"/?{query}" if query else "/"


# -- alerts


def alerts_page(frame: Frame, alerts: Sequence[Alert], wanted: Filter, number: int) -> bytes:
    """The list of alerts, newest first; `number` counts its pages from 1."""
    found = [alert for alert in alerts if wanted.takes(alert)]
    pages = max(1, -(-len(found) // PER_PAGE))
    number = min(max(1, number), pages)
    shown = found[(number - 1) * PER_PAGE:number * PER_PAGE]
    rows = [_alert(alert, frame, chart=alert.id in frame.look.charts and place < THUMBNAILS)
            for place, alert in enumerate(shown)]
    empty = "No alert fits the filter." if wanted else "No alerts yet." if frame.look.alerts_ms is not None else (
        "The alerter has not answered yet.")
    title = "Alerts" if not wanted.ticker else f"{wanted.ticker.upper()} alerts"
    return page(frame, title, "/", el("h1", "Alerts", cls="away"), _form(wanted, len(found)), _silence(frame),
                el("div", rows, cls="alerts") if rows else el("p", empty, cls="empty"), _pager(wanted, number, pages))


def _form(wanted: Filter, found: int) -> Safe:
    asked = (("ticker", "Ticker", wanted.ticker, 7), ("kind", "Kind", wanted.kind, 12),
             ("source", "Source", wanted.source, 12), ("q", "Text", wanted.q, 16))
    fields = [el("label", el("span", label), el("input", name_=name, value=value or None, maxlength=100, size=size,
                                                autocomplete="off", type_="search"))
              for name, label, value, size in asked]
    return form("/", fields, el("button", "Filter", type_="submit"),
                own("/", "All", cls="button") if wanted else None,
                el("span", f"{found} shown" if wanted else f"newest {found}", cls="quiet num"), cls="filter",
                role="search")


def _silence(frame: Frame) -> Safe | None:
    """What is held back now and was today; nothing where nothing is or was."""
    silence, now_ms = frame.look.silence, frame.look.at_ms
    if not silence:
        return None
    quiet = (f"quiet hours to {end_words(silence.quiet_until_ms, now_ms, frame.zone)}"
             if silence.quiet_until_ms is not None else "")
    mutes = [el("li", el("span", words, cls="chip"), el("small", f" {mute.held:,} held") if mute.held else None)
             for words, mute in zip(mute_words(silence, now_ms, frame.zone), silence.mutes[:MOST_MUTES], strict=False)]
    more = len(silence.mutes) - len(mutes)
    return el("section", el("h2", "Held back", cls="away"),
              el("p", say.state(quiet, say.MILD), cls="num") if quiet else None,
              el("ul", el("li", say.state("muted", say.MILD)), mutes, el("li", f"and {more} more") if more else None,
                 cls="plain num") if mutes else None,
              el("p", held, cls="quiet num") if (held := today_words(silence)) else None, cls="silence")


def _pager(wanted: Filter, number: int, pages: int) -> Safe | None:
    if pages == 1:
        return None
    return el("p", own(wanted.address(number - 1), "newer", cls="button") if number > 1 else None,
              el("span", f"page {number} of {pages}", cls="quiet num"),
              own(wanted.address(number + 1), "older", cls="button") if number < pages else None, cls="pager")


def _alert(alert: Alert, frame: Frame, *, chart: bool) -> Safe:
    has_page = ALERT_ID.fullmatch(alert.id) is not None
    ticker = el("b", alert.ticker or "?", cls="ticker")
    thumbnail = own(f"/alert/{alert.id}", picture(f"/chart/{alert.id}.png", "", loading="lazy", width=160, height=90),
                    cls="thumb", tabindex="-1", aria_hidden="true") if chart and has_page else None
    when = el("div", say.moment(alert.seen_ms, frame.zone), el("small", _day(alert, frame.zone)), cls="when num")
    top = el("p", say.direction(alert), own(f"/alert/{alert.id}", ticker) if has_page else ticker,
             el("span", say.points(alert), cls="score num", title="score, 0 to 100"), el("span", alert.company,
                                                                                        cls="company"),
             say.kinds(alert.kinds), cls="top")
    words = el("p", link(alert.link, alert.title or "no title"), cls="title")
    why = el("p", el("span", "why ", cls="quiet"), alert.why or "no reason stored", cls="why")
    end = el("div", say.price(alert), say.sending(alert), el("span", ", ".join(alert.sources) or "source unknown",
                                                             cls="quiet sources"), cls="end")
    return el("article", when, thumbnail, el("div", top, words, why, cls="body"), end,
              cls=f"alert {alert.direction}{'' if thumbnail else ' bare'}")


def _day(alert: Alert, zone: tzinfo) -> str:
    return say.day(alert.seen_ms, zone)


# -- items


def items_page(frame: Frame, items: Items, fate: str = "") -> bytes:
    """The newest items and what became of them, below the numbers of the last day."""
    newest = [item for item in items.newest or () if fate in ("", item.fate)][:ITEM_ROWS]
    rows = [_item(item, frame) for item in newest]
    chosen = [own("/items" if name == "" else f"/items?fate={name}", name.replace("_", " ") or "all", cls="button",
                  aria_current="true" if name == fate else None) for name in ("", *FATES)]
    empty = "The fetcher does not answer." if items.newest is None else "No items."
    return page(frame, "Items", "/items", el("h1", "Items"), _funnel(items), el("p", chosen, cls="pager"),
                table(("Seen", "Source", "Fate", "Reason", "Ticker", "Title"), rows, empty=empty,
                      caption="Newest items"))


def _item(item: Item, frame: Frame) -> Sequence[Node]:
    ticker: Node = item.ticker
    if item.ticker and ALERT_ID.fullmatch(item.alert_id):
        ticker = own(f"/alert/{item.alert_id}", item.ticker)
    return (say.moment(item.seen_ms, frame.zone), item.source, say.state(item.fate), item.reason.replace("_", " "),
            ticker, el("span", link(item.link, item.title or "no title"), cls="clip"))


def _funnel(items: Items) -> Safe:
    """How many ended how in the last 24 hours, a bar for each."""
    if items.counts is None:
        return el("p", "The tracker does not answer: no numbers of the last day.", cls="quiet")
    total = sum(found for _, _, found in items.counts)
    most = max((found for _, _, found in items.counts), default=1)
    rows = [(say.state(fate), why.replace("_", " ") or say.UNKNOWN, say.count(found),
             f"{found / total * 100:.1f} %", el("meter", min_=0, max_=most, value=found, aria_label=f"{found}"))
            for fate, why, found in items.counts[:12]]
    return el("section", el("h2", "Ends of the last 24 hours, a ticker each"), table(
        ("Fate", "Reason", "Items", "Share", ""), rows, numbers=(2, 3), empty="None yet.",
        caption="Ends of the last 24 hours"), cls="narrow")


# -- sources


def sources_page(frame: Frame) -> bytes:
    """Every feed and how it does."""
    sources = frame.look.sources
    empty = "The fetcher does not answer." if sources is None else "No sources."
    rows = [_source(source, frame) for source in sources or ()]
    heads = ("Source", "State", "Last good answer", "Last poll", "Next", "Every", "Polls", "Unchanged", "Failures",
             "Items", "Trust", "Kind")
    return page(frame, "Sources", "/sources", el("h1", "Sources"),
                table(heads, rows, numbers=(2, 3, 4, 5, 6, 7, 8, 9, 10), empty=empty, caption="Feeds"))


def _source(source: Source, frame: Frame) -> Sequence[Node]:
    at_ms = frame.look.at_ms
    if not source.enabled:
        state = say.state("off", say.QUIET)
    elif source.no_key:
        state = say.state("no key", say.MILD)
    elif source.outage:
        state = say.state(f"outage: {source.outcome or 'no answer'}", say.BAD)
    elif source.failures:
        state = say.state(source.outcome or "failed", say.MILD)
    else:
        state = say.state(source.outcome or "not polled yet", say.GOOD if source.outcome else say.QUIET)
    due_s = None if source.next_due_ms is None else (source.next_due_ms - at_ms) / 1000
    return (link(source.url, source.name or "no name"), state, _ago(source.last_ok_ms, frame),
            _ago(source.last_poll_ms, frame), "now" if due_s is not None and due_s <= 0 else say.span(due_s),
            say.span(source.every_s), say.count(source.polls), say.count(source.not_modified),
            say.count(source.failures), say.count(source.items), say.decimal(source.trust), source.kind)


def _ago(moment_ms: int | None, frame: Frame) -> Node:
    if moment_ms is None:
        return say.UNKNOWN
    return el("span", f"{say.span((frame.look.at_ms - moment_ms) / 1000)} ago",
              title=say.date_time(moment_ms, frame.zone))


# -- actors


def actors_page(frame: Frame) -> bytes:
    """Every actor that is meant to run."""
    heads = ("Actor", "State", "Last minute", "PID", "Age", "Restarts", "CPU", "Memory", "Beat", "Inbox", "Outbox",
             "Oldest", "Handled", "Failed", "Dead", "In hand")
    rows = [_actor(actor) for actor in frame.look.actors]
    return page(frame, "Actors", "/actors", el("h1", "Actors"),
                table(heads, rows, numbers=range(3, 15), empty="No actor is known.", caption="Actors"),
                el("div", [_statistics(actor) for actor in frame.look.actors if actor.statistics], cls="more"))


def _actor(actor: Actor) -> Sequence[Node]:
    late = actor.beat_age_s is not None and actor.beat_age_s >= 3
    cpu = say.UNKNOWN if actor.cpu_pct is None else f"{actor.cpu_pct:.1f} %"
    now = f"{_short(actor.current)} {say.span(actor.current_age_s)}" if actor.current else ""
    return (el("b", actor.name), [say.state(actor.state), None if actor.wanted else el("small", " not wanted"),
                                   el("small", f" disk {actor.storage}", cls="bad") if actor.storage else None],
            _pulse(actor), el("span", actor.pid if actor.pid is not None else say.UNKNOWN), say.span(actor.age_s),
            say.count(actor.restarts), cpu, say.megabytes(actor.rss_bytes),
            el("span", say.span(actor.beat_age_s), cls="bad" if late else None), say.count(actor.inbox),
            say.count(actor.outbox), say.span(actor.oldest_unsent_s) if actor.outbox else say.UNKNOWN,
            say.count(actor.handled), say.count(actor.failed),
            el("span", say.count(actor.dead), cls="bad" if actor.dead else None), el("span", now, cls="clip"))


def _pulse(actor: Actor) -> Safe:
    """A tick for each second of the last minute: whole where a beat came."""
    missed = actor.pulse.count(False)
    said = f"{len(actor.pulse) - missed} of the last {len(actor.pulse)} seconds with a beat"
    return el("span", list(_ticks(actor.pulse)), cls="pulse", role="img", aria_label=said, title=said)


def _ticks(pulse: Sequence[bool]) -> Iterator[Safe]:
    """Runs of equal ticks, each run one element."""
    start = 0
    for place in range(1, len(pulse) + 1):
        if place == len(pulse) or pulse[place] != pulse[start]:
            yield el("span", ("▮" if pulse[start] else "▯") * (place - start), cls="good" if pulse[start] else "bad")
            start = place


def _short(text: str) -> str:
    return " ".join(part[:16] for part in text.split())


def _statistics(actor: Actor) -> Safe:
    rows = [[name.replace("_", " "), f"{value:,.10g}"] for name, value in list(actor.statistics.items())[:40]]
    return el("details", el("summary", f"{actor.name} counts"),
              table(("What", "Number"), rows, numbers=(1,), caption=f"{actor.name}'s own numbers"),
              id=f"of-{actor.name}")
