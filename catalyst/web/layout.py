"""The frame of every page: head, navigation, banners, table. Pure: a look in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from catalyst.web import health, say
from catalyst.web.html import Node, Safe, el, icon, own, script, stylesheet
from catalyst.web.views import Look

NAVIGATION = (("/", "Alerts"), ("/items", "Items"), ("/sources", "Sources"), ("/actors", "Actors"))
REFRESH_S = 10  # without scripts


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs beside its own data."""

    look: Look
    zone: tzinfo


def page(frame: Frame, title: str, active: str, *body: Node, refresh: bool = True) -> bytes:
    """A whole document. With `refresh` it follows the house, by our script or, without scripts, by loading again."""
    look = frame.look
    found = health.reasons(look)
    head = el("head", el("meta", charset="utf-8"),
              el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
              el("meta", name_="color-scheme", content="dark light"),
              el("noscript", el("meta", http_equiv="refresh", content=REFRESH_S)) if refresh else None,
              el("title", f"{title} · Catalyst"), stylesheet("/style.css"),
              icon("/icon.svg"), script("/page.js") if refresh else None)
    header = el("header", own("/", "Catalyst", cls="brand"),
                el("nav", [own(path, name, aria_current="page" if path == active else None)
                           for path, name in NAVIGATION], aria_label="Pages"),
                el("p", _summary(look, found), " ", el("span", "as of ", say.moment(look.at_ms, frame.zone), " ",
                                                       zone_name(frame), cls="asof"),
                   el("span", " · the list waits while you type or select", id="held", hidden=True), cls="now",
                   id="now"))
    main = el("main", banners(found), body, id="main")
    stale = el("p", "✖ This page gets no answer: what it shows is old.", id="stale", cls="banner bad", hidden=True,
               role="alert")
    return f"<!doctype html>{el('html', head, el('body', header, stale, main, _footer(look)), lang='en')}".encode()


def _summary(look: Look, found: Sequence[health.Reason]) -> Safe:
    running = sum(actor.state == "running" for actor in look.actors)
    status = health.status(found)
    return el("span", say.state(status), f" · {running} of {len(look.actors)} actors run", cls="summary")


def _footer(look: Look) -> Safe:
    return el("footer", f"Catalyst {look.version} · read-only · ",
              [[own(path, path), " "] for path in ("/healthz", "/metrics", "/feed.json")])


def banners(found: Iterable[health.Reason]) -> list[Safe]:
    """What is wrong, in words; the worst first, eight at most."""
    found = list(found)
    shown = [el("p", "✖ " if reason.severity == "failing" else "◐ ", reason.text, role="status",
                cls=f"banner {'bad' if reason.severity == 'failing' else 'mild'}") for reason in found[:8]]
    return shown + ([el("p", f"and {len(found) - 8} more", cls="banner mild")] if len(found) > 8 else [])


def zone_name(frame: Frame) -> str:
    """`EST`: the zone of all times on the page."""
    return say.date_time(frame.look.at_ms, frame.zone).rpartition(" ")[2]


def table(heads: Sequence[str], rows: Iterable[Sequence[Node]], *, numbers: Iterable[int] = (), empty: str = "none",
          caption: str = "") -> Safe:
    """A table that scrolls by itself where it is too wide; the columns in `numbers` stand to the right."""
    right = set(numbers)
    body = [el("tr", [el("td", cell, cls="num" if place in right else None) for place, cell in enumerate(row)])
            for row in rows]
    if not body:
        return el("p", empty, cls="quiet")
    return el("div", el("table", el("caption", caption) if caption else None, el("thead", el("tr", [
        el("th", name, scope="col", cls="num" if place in right else None) for place, name in enumerate(heads)])),
        el("tbody", body)), cls="scroll", tabindex="0", role="region", aria_label=caption or heads[0])


def facts(rows: Iterable[tuple[str, Node]]) -> Safe:
    """Names and values, one below the other."""
    return el("dl", [[el("dt", name), el("dd", value)] for name, value in rows], cls="facts")


def not_found(frame: Frame, words: str) -> bytes:
    """The page for what is not there."""
    return page(frame, "Not found", "", el("h1", "Not found"), el("p", words), el("p", own("/", "To the alerts")),
                refresh=False)
