"""Asks the actors for what the page shows, shortly and rarely: the same question is put once in half a second, however
many readers there are, and an actor that does not beat is not asked at all. It opens no database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from catalyst import __version__
from catalyst.clock import Clock
from catalyst.core.hops import join
from catalyst.core.notify import addresses
from catalyst.core.silence import silence_of
from catalyst.errors import UnavailableError
from catalyst.runtime.control import Control
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.settings import Settings
from catalyst.web import views
from catalyst.web.pulse import Pulse

T = TypeVar("T")
Answer = dict[str, Any]
ANSWER_S = 0.4  # the longest that a page waits for one actor
SLOW_ANSWER_S = 1.0  # a trace or a query, which read more rows
FRESH_S, SLOW_FRESH_S, CHART_FRESH_S = 0.5, 2.0, 5.0
KEPT_ANSWERS = 128
KEPT_CHARTS = 40  # of 256 KiB at most
CHART_LIMIT_BYTES = 262_144
MOST_ALERTS, MOST_ITEMS, FEW_ALERTS = 500, 200, 100
AT_ONCE = 3  # questions that cost an actor more than a look
DAY_MS = 86_400_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
NEWEST_ITEMS = "SELECT item_id, source, title, link, seen_ms FROM stories ORDER BY seen_ms DESC, item_id DESC LIMIT ?"
NEWEST_CHARTS = "SELECT alert_id FROM charts ORDER BY drawn_ms DESC LIMIT ?"
COUNTS = ("SELECT fate, CASE WHEN instr(reason, ':') > 0 THEN substr(reason, 1, instr(reason, ':') - 1)"
          " ELSE ifnull(reason, '') END AS why, count(*) FROM fates WHERE at_ms >= ? GROUP BY 1, 2 ORDER BY 3 DESC"
          " LIMIT 40")


class Cache:
    """Values by key for some seconds; of several who want the same one at once, one works and the others wait."""

    def __init__(self, clock: Clock, kept: int):
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        self._found: OrderedDict[Any, tuple[float, Any]] = OrderedDict()
        self._busy: dict[Any, threading.Event] = {}

    def get(self, key: Any, fresh_s: float, make: Callable[[], T]) -> T:
        """The value of `key`, made anew when it is older than `fresh_s`."""
        while True:
            with self._lock:
                known = self._found.get(key)
                if known is not None and self._clock.monotonic_s() - known[0] < fresh_s:
                    self._found.move_to_end(key)
                    value: T = known[1]
                    return value
                other = self._busy.get(key)
                if other is None:
                    mine = self._busy[key] = threading.Event()
                    break
            other.wait(2 * SLOW_ANSWER_S)
        try:
            made = make()
            with self._lock:
                self._found[key] = (self._clock.monotonic_s(), made)
                self._found.move_to_end(key)
                while len(self._found) > self._kept:
                    self._found.popitem(last=False)
            return made
        finally:
            with self._lock:
                del self._busy[key]
            mine.set()


class Facts:
    """What the page's threads ask. Every method may be called from any thread; none raises for a silent actor."""

    def __init__(self, settings: Settings, control: Control, pulse: Pulse, clock: Clock):
        self.settings = settings
        self._control = control
        self._pulse = pulse
        self._clock = clock
        self._cache = Cache(clock, KEPT_ANSWERS)
        self._charts = Cache(clock, KEPT_CHARTS)
        self._costly = threading.BoundedSemaphore(AT_ONCE)
        self._alerts: tuple[tuple[views.Alert, ...], int | None] = ((), None)  # the last answer, and when

    # -- asking

    def _ask(self, actor: str, verb: str, timeout_s: float = ANSWER_S, /, **arguments: Any) -> Answer | None:
        """The answer of one actor, None where it does not answer in time or refuses."""
        return self._ask_all((actor,), verb, timeout_s, **arguments).get(actor)

    def _ask_all(self, actors: Iterable[str], verb: str, timeout_s: float, /, **arguments: Any) -> dict[str, Answer]:
        beating = self._pulse.beating()
        try:
            found = self._control.ask_all([actor for actor in actors if actor in beating], verb, timeout_s,
                                          **arguments)
        except UnavailableError:
            return {}
        return {actor: answer for actor, answer in found.items() if answer.get("ok")}

    # -- the house

    def look(self) -> views.Look:
        """The house as of now, at most half a second old."""
        return self._cache.get("look", FRESH_S, self._look)

    def _look(self) -> views.Look:
        children = {views.word(row.get("name")): row for row in views.rows(
            self._ask(SUPERVISOR, "children"), "children", dict)}
        meant = tuple(name for name in WORKERS if not self.settings.actors or name in self.settings.actors)
        here = children or meant
        names = (*(name for name in WORKERS if name in here or name in self._pulse.remote), SUPERVISOR)
        fetched = self._ask("fetcher", "sources")
        alerts, alerts_ms = self._list(FEW_ALERTS)
        paused_until_ms = views.moment((fetched or {}).get("paused_until_ms"))
        return views.Look(
            at_ms=self._clock.now_ms(), answered=self._pulse.answered(),
            actors=tuple(self._pulse.actor(name, children.get(name, {})) for name in names),
            alerts=alerts, alerts_ms=alerts_ms, paused_until_ms=paused_until_ms,
            paused_by=views.word((fetched or {}).get("paused_by")), silence=silence_of(self._ask("alerter", "mutes")),
            sources=None if fetched is None else views.rows(fetched, "sources", views.source),
            sinks=self._sinks(), charts=self._charted(), version=__version__)

    def _sinks(self) -> tuple[str, ...]:
        bot = self.settings.discord_bot_token and self.settings.discord_channel_id
        named = {"discord": self.settings.discord_webhook_url or bot, "webhook": self.settings.webhook_url}
        return (*(name for name, is_set in named.items() if is_set), *addresses(self.settings.notify))

    def _charted(self) -> frozenset[str]:
        """The newest alerts that have a picture; none while the charter, which has the pictures, does not answer."""
        answer = self._ask("charter", "query", sql=NEWEST_CHARTS, parameters=[MOST_ALERTS])
        return frozenset(views.word(row[0]) for row in (answer or {}).get("rows", ()) if row)

    def _list(self, most: int) -> tuple[tuple[views.Alert, ...], int | None]:
        """The newest alerts and when the alerter named them; its last answer while it gives none."""
        answer = self._ask("alerter", "alerts", limit=most)
        if answer is not None:
            found = views.rows(answer, "alerts", views.alert)[:MOST_ALERTS], self._clock.now_ms()
            if most == FEW_ALERTS:
                self._alerts = found
            return found
        return self._alerts

    def alerts(self, *, all_of_them: bool = False) -> tuple[views.Alert, ...]:
        """The newest alerts, a hundred or as many as the alerter lists."""
        if all_of_them:
            return self._cache.get("alerts", FRESH_S, lambda: self._list(MOST_ALERTS))[0]
        return self.look().alerts

    # -- one alert

    def detail(self, alert_id: str) -> views.Detail | None:
        """Everything about an alert, None where nobody knows it."""
        return self._cache.get(("alert", alert_id), SLOW_FRESH_S, lambda: self._detail(alert_id))

    def _detail(self, alert_id: str) -> views.Detail | None:
        answer = self._ask("alerter", "alert", id=alert_id)
        if answer is not None:
            found = views.detail(answer)
        else:
            listed = next((alert for alert in self.alerts(all_of_them=True) if alert.id == alert_id), None)
            if listed is None:
                return None
            found = views.Detail(alert=listed)
        answer = self._ask("tracker", "outcomes", alert_ids=[found.alert.id])
        chart = self._chart_of(found.alert.id)
        return replace(found, has_chart=chart is not None, chart_alt=chart[1] if chart else "",
                       outcomes=None if answer is None else views.rows(answer, "outcomes", views.outcome),
                       hops=self._hops(found.alert.item_id))

    def _hops(self, item_id: str) -> tuple[views.Hop, ...]:
        if not item_id:
            return ()
        with self._costly:
            answers = self._ask_all(WORKERS, "trace", SLOW_ANSWER_S, item=item_id)
        return views.hops(join(answers))

    def chart(self, alert_id: str) -> bytes | None:
        """The PNG of an alert, None where there is none (yet)."""
        found = self._chart_of(alert_id)
        return found[0] if found else None

    def _chart_of(self, alert_id: str) -> tuple[bytes, str] | None:
        return self._charts.get(alert_id, CHART_FRESH_S, lambda: self._ask_chart(alert_id))

    def _ask_chart(self, alert_id: str) -> tuple[bytes, str] | None:
        answer = self._ask("charter", "chart", alert_id=alert_id) or {}
        png = answer.get("png")
        if not isinstance(png, bytes) or not png.startswith(PNG_MAGIC) or len(png) > CHART_LIMIT_BYTES:
            return None
        return png, views.word(answer.get("alt"))

    # -- items

    def items(self) -> views.Items:
        """The newest items with their fates, and how the items of the last day ended."""
        return self._cache.get("items", SLOW_FRESH_S, self._items)

    def _items(self) -> views.Items:
        with self._costly:
            taken = self._ask("fetcher", "query", SLOW_ANSWER_S, sql=NEWEST_ITEMS, parameters=[MOST_ITEMS])
            counted = self._ask("tracker", "query", SLOW_ANSWER_S, sql=COUNTS,
                                parameters=[self._clock.now_ms() - DAY_MS])
            rows = [row for row in (taken or {}).get("rows", ()) if len(row) == 5]
            fates = (self._ask("tracker", "fates", SLOW_ANSWER_S, ids=[row[0] for row in rows]) or {}).get("fates", {})
        counts = None if counted is None else tuple(
            (str(fate), str(why), int(found)) for fate, why, found in counted.get("rows", ()))
        newest = None if taken is None else tuple(_item(row, fates.get(row[0]) or {}) for row in rows)
        return views.Items(newest, counts)


def _item(row: list[Any], fate: views.Raw) -> views.Item:
    item_id, source, title, link, seen_ms = row
    return views.Item(str(item_id), views.word(source), views.word(title), views.word(link), views.moment(seen_ms),
                      views.word(fate.get("fate")) or "in_flight", views.word(fate.get("reason")),
                      views.word(fate.get("ticker")), views.word(fate.get("alert_id")))
