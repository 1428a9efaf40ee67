"""One alert with everything that is known about it. Pure: records in, HTML out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catalyst.core.card import kind_label
from catalyst.core.dollars import money
from catalyst.web import say
from catalyst.web.html import Node, Safe, el, link, picture
from catalyst.web.layout import Frame, facts, page, table
from catalyst.web.views import Alert, Delivery, Detail, Found, Hop, Outcome

STEPS = (("queued_ms", "received_ms"), ("received_ms", "committed_ms"), ("committed_ms", "acked_ms"))


def alert_page(frame: Frame, detail: Detail, horizons: Sequence[str]) -> bytes:
    """The page of an alert; `horizons` are those whose outcome will be taken."""
    alert = detail.alert
    head = el("h1", say.direction(alert), el("b", alert.ticker or "?", cls="ticker"),
              el("span", say.points(alert), cls="score num", title="score, 0 to 100"),
              el("span", alert.company, cls="company"), cls=f"alert-head {alert.direction}")
    words = el("p", link(alert.link, alert.title or "no title"), cls="headline")
    why = el("p", el("span", "why ", cls="quiet"), alert.why or "no reason stored", cls="why")
    summary = el("p", detail.summary, cls="quiet") if detail.summary else None
    parts = ([_chart(detail), _part("Kinds and the words that caused them", _kinds(detail)),
              _part("Outcomes", _outcomes(frame, detail, horizons))], [_part("Facts", _facts(frame, detail))])
    return page(frame, f"{alert.ticker} {say.points(alert)}", "", head, el("p", say.kinds(alert.kinds, 8)), words, why,
                summary, el("div", [el("div", part) for part in parts], cls="two"),
                _part("Deliveries", _deliveries(frame, detail)), _part("Way through the actors", _hops(frame, detail)))


def _part(title: str, *body: Node) -> Safe:
    return el("section", el("h2", title), body)


def _chart(detail: Detail) -> Safe:
    if not detail.has_chart:
        return el("p", "No chart.", cls="quiet nochart")
    alt = detail.chart_alt or f"Price chart of {detail.alert.ticker}"
    return el("figure", picture(f"/chart/{detail.alert.id}.png", alt, width=1200, height=675),
              el("figcaption", detail.chart_alt) if detail.chart_alt else None)


def _facts(frame: Frame, detail: Detail) -> Safe:
    alert, zone = detail.alert, frame.zone
    change = None
    if alert.price_usd is not None and detail.previous_close_usd:
        change = (alert.price_usd / detail.previous_close_usd - 1) * 100
    source = " · ".join(part for part in (detail.provider, say.date_time(detail.price_ms, zone)
                                          if detail.price_ms is not None else "") if part)
    rows: list[tuple[str, Node]] = [
        ("Price at sending", [say.price(alert), el("small", f" {source}") if source else None]),
        ("Since previous close", say.percent(change)),
        ("Published", say.date_time(alert.published_ms, zone) if alert.published_ms is not None else "unknown"),
        ("Seen", [say.date_time(alert.seen_ms, zone), f" · {_lag(alert)}" if _lag(alert) else ""]),
        ("Sent", [say.date_time(alert.sent_ms, zone) if alert.sent_ms is not None else "", " ", say.sending(alert)]),
        ("Sources", _sources(detail)), ("State", say.state(alert.state or "unknown"))]
    if detail.form:
        rows.append(("Form", detail.form))
    return facts([*rows, ("Alert", el("code", alert.id)), ("Item", el("code", alert.item_id))])


def _lag(alert: Alert) -> str:
    if alert.seen_ms is None or alert.published_ms is None:
        return ""
    return f"{say.millis(alert.seen_ms - alert.published_ms)} after it was published"


def _sources(detail: Detail) -> Node:
    known = detail.sources or tuple((name, "") for name in detail.alert.sources)
    return el("ul", [el("li", link(address, name or "no name")) for name, address in known[:20]], cls="plain")


def _kinds(detail: Detail) -> Safe:
    found = detail.found or tuple(Found(name, "", "", None) for name in detail.alert.kinds)
    rows = [(kind_label(one.kind), el("q", one.phrase) if one.phrase else say.UNKNOWN,
             [el("span", say.ARROWS.get(one.direction, ""), cls=one.direction if one.direction in say.ARROWS else None),
              " ", one.direction] if one.direction else say.UNKNOWN, say.decimal(one.weight)) for one in found]
    return table(("Kind", "Words", "Direction", "Weight"), rows, numbers=(3,), empty="No kinds.", caption="Kinds")


def _outcomes(frame: Frame, detail: Detail, horizons: Sequence[str]) -> Node:
    if detail.outcomes is None:
        return el("p", "The tracker does not answer.", cls="quiet")
    known = {outcome.horizon: outcome for outcome in detail.outcomes}
    open_one = Outcome("", "open", None, None, None, None, "")
    listed = [known.pop(name, replace(open_one, horizon=name)) for name in horizons]
    rows = [_outcome(frame, outcome) for outcome in (*listed, *known.values())]
    return table(("After", "State", "Price", "Change", "Taken"), rows, numbers=(2, 3, 4), caption="Outcomes",
                 empty="None are taken.")


def _outcome(frame: Frame, outcome: Outcome) -> Sequence[Node]:
    price = money(outcome.price_usd) if outcome.price_usd is not None else "n/a"
    tone = {"settled": say.GOOD, "open": say.QUIET}.get(outcome.state, say.MILD)
    moment_ms = outcome.price_ms if outcome.price_ms is not None else outcome.due_ms
    due = say.date_time(moment_ms, frame.zone) if moment_ms is not None else "n/a"
    return (outcome.horizon, [say.state(outcome.state, tone), f" {outcome.reason}" if outcome.reason else "",
                              [" ", el("small", "simulated", cls="chip sim")] if outcome.simulated else None], price,
            say.percent(outcome.return_pct), due if outcome.state != "open" else f"due {due}" if moment_ms else "n/a")


def _deliveries(frame: Frame, detail: Detail) -> Safe:
    found = detail.deliveries
    if found is None:
        found = tuple(Delivery(sink, 0, "alert", state, None, None, "", False, None) for sink, state
                      in detail.alert.sinks)
    rows = [(one.sink, one.what or say.UNKNOWN, [say.state(one.state), el("small", " possible repeat", cls="mild")
                                                 if one.possible_repeat else None],
             say.clock_time(one.sent_ms, frame.zone, millis=True), one.status if one.status is not None else
             say.UNKNOWN, say.count(one.tries), one.reason or "") for one in found]
    return table(("Sink", "What", "State", "Sent", "Status", "Tries", "Reason"), rows, numbers=(3, 4, 5),
                 empty="To no sink.", caption="Deliveries")


def _hops(frame: Frame, detail: Detail) -> Safe:
    rows = []
    before_ms: int | None = None
    for hop in detail.hops:
        begin_ms = hop.queued_ms if hop.queued_ms is not None else hop.received_ms
        gap = "" if before_ms is None or begin_ms is None else f"+{max(0, begin_ms - before_ms)} ms"
        rows.append((say.clock_time(begin_ms, frame.zone, millis=True), gap, f"{hop.sender} → {hop.receiver}",
                     hop.message, *(_step(hop, *names) for names in STEPS)))
        before_ms = begin_ms if begin_ms is not None else before_ms
    return table(("Time", "After", "From → to", "Message", "On the way", "Handled in", "Receipt after"), rows,
                 numbers=(0, 1, 4, 5, 6), empty="No actor remembers its way.", caption="Hops")



def _step(hop: Hop, begin: str, end: str) -> str:
    began_ms, ended_ms = getattr(hop, begin), getattr(hop, end)
    return say.UNKNOWN if began_ms is None or ended_ms is None else f"{max(0, ended_ms - began_ms)} ms"
