"""Which address shows what. It asks the facts, lets a page be made of them, and says how long it may be kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from catalyst.clock import Clock, iso
from catalyst.core.outside import safe_link
from catalyst.web import health, metrics, pages
from catalyst.web.alert_page import alert_page
from catalyst.web.facts import FRESH_S, Cache, Facts
from catalyst.web.layout import Frame, not_found
from catalyst.web.pages import ALERT_ID, FATES, Filter
from catalyst.web.request import JSON, PNG, TEXT, Request, Response, refusal
from catalyst.web.views import Alert

SHORT, LONG = "private, max-age=300", "private, max-age=3600"
FEED_ALERTS = 100
KEPT_PAGES = 24  # of 150 KB at most
COSTLY = frozenset({"/", "/items", "/sources", "/actors", "/metrics", "/feed.json"})
ONE = re.compile(r"/(alert|chart)/([A-Za-z0-9_-]{4,64})(\.png)?")


class Routes:
    """Answers requests about the house that `facts` asks. Called in several threads."""

    def __init__(self, facts: Facts, clock: Clock):
        self._facts = facts
        self._made = Cache(clock, KEPT_PAGES)  # many readers of one page cost one page
        here = Path(__file__)
        self._style = here.with_name("style.css").read_bytes()
        self._icon = here.with_name("icon.svg").read_bytes()
        self._script = here.with_name("page.js").read_bytes()

    def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        plain = {"/": self._alerts, "/items": self._items, "/sources": self._sources, "/actors": self._actors,
                 "/livez": self._livez, "/readyz": self._readyz, "/healthz": self._healthz,
                 "/metrics": self._metrics, "/feed.json": self._feed, "/style.css": self._css, "/page.js": self._js,
                 "/icon.svg": self._svg, "/favicon.ico": self._svg}
        if (answer := plain.get(request.path)) is not None:
            made: Callable[[Request], Response] = answer
            key = (request.path, *sorted(request.query.items()))
            return self._made.get(key, FRESH_S, lambda: made(request)) if request.path in COSTLY else made(request)
        match = ONE.fullmatch(request.path)
        if match and match[1] == "alert" and not match[3]:
            alert_id = match[2]
            return self._made.get(alert_id, FRESH_S, lambda: self._alert(alert_id))
        if match and match[1] == "chart" and match[3]:
            return self._chart(match[2])
        return Response(HTTPStatus.NOT_FOUND, not_found(self._frame(), "There is no such page."))

    def _frame(self) -> Frame:
        return Frame(self._facts.look(), ZoneInfo(self._facts.settings.tz))

    # -- pages

    def _alerts(self, request: Request) -> Response:
        wanted = Filter(*(request.query.get(name, "").strip()[:100] for name in ("ticker", "kind", "source", "q")))
        number = request.query.get("page", "1")
        page = int(number) if re.fullmatch(r"[0-9]{1,4}", number) else 1
        alerts = self._facts.alerts(all_of_them=bool(wanted) or page > 1)
        return Response(HTTPStatus.OK, pages.alerts_page(self._frame(), alerts, wanted, page))

    def _items(self, request: Request) -> Response:
        fate = request.query.get("fate", "")
        return Response(HTTPStatus.OK, pages.items_page(self._frame(), self._facts.items(),
                                                        fate if fate in FATES else ""))

    def _sources(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, pages.sources_page(self._frame()))

    def _actors(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, pages.actors_page(self._frame()))

    def _alert(self, alert_id: str) -> Response:
        detail = self._facts.detail(alert_id)
        if detail is None:
            return Response(HTTPStatus.NOT_FOUND, not_found(self._frame(), "No alert with this id is known, or the "
                                                            "alerter does not answer."))
        return Response(HTTPStatus.OK, alert_page(self._frame(), detail, self._facts.settings.horizons))

    def _chart(self, alert_id: str) -> Response:
        png = self._facts.chart(alert_id)
        return refusal(HTTPStatus.NOT_FOUND) if png is None else Response(HTTPStatus.OK, png, PNG, SHORT)

    def _css(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, self._style, "text/css; charset=utf-8", LONG)

    def _js(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, self._script, "text/javascript; charset=utf-8", LONG)

    def _svg(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, self._icon, "image/svg+xml", LONG)

    # -- for machines

    def _livez(self, request: Request) -> Response:
        return Response(HTTPStatus.OK, b"ok\n", TEXT)

    def _readyz(self, request: Request) -> Response:
        found = health.not_ready(self._facts.look())
        return _json({"ready": not found, "reasons": found}, ok=not found)

    def _healthz(self, request: Request) -> Response:
        report = health.report(self._facts.look())
        return _json(report, ok=report["status"] != "failing")

    def _metrics(self, request: Request) -> Response:
        content_type, body = metrics.exposition(self._facts.look(), self._facts.alerts(all_of_them=True))
        return Response(HTTPStatus.OK, body, content_type)

    def _feed(self, request: Request) -> Response:
        """JSON Feed 1.1 (jsonfeed.org/version/1.1) of the alerts."""
        alerts = [alert for alert in self._facts.alerts()[:FEED_ALERTS] if ALERT_ID.fullmatch(alert.id)]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Catalyst alerts",
                "items": [_entry(alert) for alert in alerts]}
        return Response(HTTPStatus.OK, msgspec.json.encode(feed), "application/feed+json")


def _json(value: object, *, ok: bool) -> Response:
    return Response(HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE,
                    msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n", JSON)


def _entry(alert: Alert) -> dict[str, object]:
    entry = {"id": alert.id, "title": f"{alert.ticker} {alert.direction}: {alert.title}", "content_text": alert.why,
             "external_url": safe_link(alert.link), "date_published": iso(alert.seen_ms),
             "tags": [alert.ticker, *alert.kinds], "authors": [{"name": name} for name in alert.sources]}
    return {name: value for name, value in entry.items() if value is not None}
