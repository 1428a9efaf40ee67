"""Draws bars as a picture: candles, volume, VWAP, the catalyst's moment, the sessions of the market.

The same bars give the same bytes. Letters are large enough to be read when a phone shows the picture 400 pixels wide:
nothing below 22 at 1,200.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Literal

from catalyst.core import axes
from catalyst.core.bars import Series, Slot, gather, new_york_day, price_before
from catalyst.core.page import SIZE, THEMES, Colour, Page, Point, mix
from catalyst.core.session import NEW_YORK, Session
from catalyst.messages import Bar

Theme = Literal["dark", "light"]

SMALLEST, LARGEST = (320, 180), (1600, 900)
THIN_BARS = 20


def draw_chart(bars: Iterable[Bar], *, ticker: str, mark_ms: int | None = None, simulated: bool = False,
               theme: Theme = "dark", size: tuple[int, int] = SIZE, tz: tzinfo = NEW_YORK) -> bytes:
    """The PNG, at most 256 KiB; `mark_ms` is the catalyst's moment, `tz` the zone of the times shown.

    Bars that cannot be drawn are left out; without any the picture says so. Raises ValueError for a size outside
    320 x 180 to 1600 x 900.
    """
    if not all(least <= side <= most for least, side, most in zip(SMALLEST, size, LARGEST, strict=True)):
        raise ValueError(f"a picture of {size[0]} x {size[1]} is outside {SMALLEST} to {LARGEST}")
    page = Page(size, THEMES[theme])
    series = gather(bars)
    name = "".join(letter if " " <= letter <= "~" else "?" for letter in ticker)[:12] or "?"
    if series is None:
        page.text((28, 44), name, 40, page.inks.text, "lm", bold=True)
        page.text((page.width / 2, page.height / 2), "no price bars", 48, page.inks.muted, "mm")
        if simulated:
            page.badge("SIMULATED", page.width - 16, 44)
    else:
        Plot(page, series, mark_ms, tz).draw(name, simulated)
    return page.png("SIMULATED" if simulated else "")


def describe_chart(bars: Iterable[Bar], *, ticker: str, mark_ms: int | None = None, simulated: bool = False,
                   tz: tzinfo = NEW_YORK) -> str:
    """The chart in one sentence, for those who cannot see it; the same numbers as in the picture."""
    series = gather(bars)
    kind = "simulated prices, " if simulated else ""
    if series is None:
        return f"{ticker}: {kind}no price bars to draw."
    shown = series.bars
    change, since = change_since(series, mark_ms)
    parts = [f"last {axes.price_text(shown[-1].close)} USD", f"{change} {since}",
             f"low {axes.price_text(min(bar.low for bar in shown))}",
             f"high {axes.price_text(max(bar.high for bar in shown))}"]
    if series.vwap is not None:
        parts.append(f"VWAP {axes.price_text(series.vwap)}")
    if mark_ms is not None:
        parts.append(f"catalyst at {mark_text(mark_ms, series, tz)}")
    if series.count < THIN_BARS:
        parts.append(thin_text(series))
    return f"{ticker}: {kind}{series.step} chart of {axes.span_text(series.slots)}: {', '.join(parts)}."


def change_since(series: Series, mark_ms: int | None) -> tuple[str, str]:
    """The change to the last price and since when: the catalyst where it lies inside the chart, else the first bar."""
    shown = mark_ms is not None and mark_ms < series.slots[-1].end_ms
    before = price_before(series, mark_ms) if mark_ms is not None and shown else None
    last = series.bars[-1].close
    if before is None:
        return axes.percent_text(last, series.bars[0].open), "on this chart"
    return axes.percent_text(last, before), "since catalyst"


def mark_text(mark_ms: int, series: Series, tz: tzinfo) -> str:
    """The catalyst's time: of day on the day shown last, else with its date."""
    day = new_york_day(mark_ms)
    date_text = f"{day.day} {day:%b}"
    if not series.intraday:
        return date_text if day.year == series.slots[-1].day.year else f"{date_text} {day.year}"
    clock = f"{datetime.fromtimestamp(mark_ms / 1000, tz):%H:%M}"
    return clock if day == series.slots[-1].day else f"{date_text} {clock}"


def thin_text(series: Series) -> str:
    """What is said where few bars make a weak picture."""
    return f"thin data: {series.count} {'bar' if series.count == 1 else 'bars'}"


class Plot:
    """The places of things on the page; all lengths in the page's units."""

    def __init__(self, page: Page, series: Series, mark_ms: int | None, tz: tzinfo):
        self.page, self.inks, self.series, self.mark_ms, self.tz = page, page.inks, series, mark_ms, tz
        self.left, self.right = 16.0, page.width - 124.0
        self.top, self.bottom = 100.0, page.height - 172.0
        self.volume_top, self.volume_bottom = page.height - 158.0, page.height - 50.0
        shown = series.bars
        levels = [slot.vwap for slot in series.slots if slot.vwap is not None]
        self.low, self.high = axes.price_range([*(bar.low for bar in shown), *(bar.high for bar in shown), *levels])
        self.step = min((self.right - self.left) / len(series.slots), 34.0)
        self.start = (self.left + self.right - self.step * len(series.slots)) / 2

    def x(self, place: float) -> float:
        """Where a slot begins."""
        return self.start + place * self.step

    def y(self, price: float) -> float:
        """The height of a price."""
        top = self.top + 28  # the sessions' names stand above
        bottom = self.bottom - (0 if self.mark_ms is None else 38)  # the catalyst's time stands below
        return bottom - (price - self.low) / (self.high - self.low) * (bottom - top)

    def draw(self, name: str, simulated: bool) -> None:
        """Everything, from the ground up."""
        self._sessions()
        self._grid()
        self._volume()
        for place, slot in enumerate(self.series.slots):
            if slot.bar is not None:
                self._candle(place, slot.bar)
        self._vwap()
        self._mark()
        self._tags()
        self._header(name, simulated)

    def _sessions(self) -> None:
        """Shading of pre-market and after hours with their names, a broken line where closed hours were taken out."""
        looks: dict[Session, tuple[Colour, str]] = {
            "premarket": (self.inks.premarket, "pre-market"), "after_hours": (self.inks.after_hours, "after hours")}
        runs: list[tuple[int, Slot]] = []
        for place, slot in enumerate(self.series.slots):
            if not runs or (slot.session, slot.day) != (runs[-1][1].session, runs[-1][1].day):
                runs.append((place, slot))
        ends = [*(place for place, _ in runs[1:]), len(self.series.slots)]
        for (place, slot), end in zip(runs, ends, strict=True):
            if slot.session in looks:
                colour, text = looks[slot.session]
                self.page.box(self.x(place), self.top, self.x(end), self.volume_bottom, colour)
                if self.page.text_width(text, 22) + 12 < self.x(end) - self.x(place):
                    self.page.text((self.x(place) + 8, self.top + 6), text, 22, self.inks.muted, "lt")
        for place, (slot, later) in enumerate(pairwise(self.series.slots), 1):
            if self.series.intraday and later.day != slot.day:
                self.page.dashes((self.x(place), self.top), (self.x(place), self.volume_bottom), self.inks.muted, 4)

    def _grid(self) -> None:
        tags = [self.y(self.series.bars[-1].close), *([] if self.series.vwap is None else [self.y(self.series.vwap)])]
        step, prices = axes.price_ticks(self.low, self.high)
        for price in prices:
            height = self.y(price)
            self.page.box(self.left, height, self.right, height + 1, self.inks.grid)
            if all(abs(height - tag) > 32 for tag in tags):
                self.page.text((self.right + 12, height), axes.price_text(price, step), 24, self.inks.muted, "lm")
        self.page.box(self.left, self.volume_bottom, self.right, self.volume_bottom + 1, self.inks.grid)
        room = int((self.right - self.left) / 130)
        slots = self.series.slots
        labels = axes.time_labels(slots, self.tz, room) if self.series.intraday else axes.date_labels(slots, room)
        taken: list[tuple[float, float]] = []
        for place, text in labels:
            half = self.page.text_width(text, 24) / 2
            tick = self.x(place)
            middle = min(max(tick, self.left + half), self.page.width - 16 - half)
            if all(middle + half + 18 < start or middle - half - 18 > end for start, end in taken):
                taken.append((middle - half, middle + half))
                self.page.box(tick, self.volume_bottom, tick + 2, self.volume_bottom + 7, self.inks.muted)
                self.page.text((middle, self.volume_bottom + 27), text, 24, self.inks.muted, "mm")

    def _body(self, place: int) -> tuple[float, float]:
        """Left and right edge of a candle; neighbours keep a gap."""
        gap = max(1.0, self.step * 0.22)
        return self.x(place) + gap / 2, self.x(place + 1) - gap / 2

    def _candle(self, place: int, bar: Bar) -> None:
        colour = self.inks.up if bar.close >= bar.open else self.inks.down
        left, right = self._body(place)
        middle, half = (left + right) / 2, 1.0 if self.step >= 8 else 0.5
        self.page.box(middle - half, self.y(bar.high), middle + half, self.y(bar.low), colour)
        above, below = self.y(max(bar.open, bar.close)), self.y(min(bar.open, bar.close))
        self.page.box(left, above, right, max(below, above + 2), colour)

    def _volume(self) -> None:
        most = max(bar.volume for bar in self.series.bars)
        if most <= 0:
            self.page.text((self.right + 12, self.volume_top + 16), "no volume", 22, self.inks.muted, "lm")
            return
        for place, slot in enumerate(self.series.slots):
            if slot.bar is not None and slot.bar.volume > 0:
                ink = self.inks.up if slot.bar.close >= slot.bar.open else self.inks.down
                height = slot.bar.volume / most * (self.volume_bottom - self.volume_top)
                left, right = self._body(place)
                self.page.box(left, self.volume_bottom - max(height, 1), right, self.volume_bottom,
                              mix(ink, self.inks.background, 0.55))
        self.page.text((self.right + 12, self.volume_top + 20), axes.volume_text(most), 24, self.inks.muted, "lm")
        self.page.text((self.right + 12, self.volume_top + 46), "volume", 22, self.inks.muted, "lm")

    def _vwap(self) -> None:
        """One line a day: it begins anew each morning."""
        points: list[Point] = []
        slots = self.series.slots
        for place, slot in enumerate(slots):
            if slot.vwap is None or (place and slots[place - 1].day != slot.day):
                self.page.path(points, 3, self.inks.vwap)
                points = []
            if slot.vwap is not None:
                points.append((self.x(place + 0.5), self.y(slot.vwap)))
        self.page.path(points, 3, self.inks.vwap)

    def _mark(self) -> None:
        """An upright line at the catalyst's moment; outside the time shown it stands at the edge and says so."""
        if self.mark_ms is None:
            return
        slots = self.series.slots
        place = bisect_right(slots, self.mark_ms, key=lambda slot: slot.start_ms) - 1
        text = f"catalyst {mark_text(self.mark_ms, self.series, self.tz)}"
        if place < 0:
            where, text = 0.0, f"before: {text}"
        else:
            slot = slots[place]
            where = place + min(1.0, (self.mark_ms - slot.start_ms) / (slot.end_ms - slot.start_ms))
            text = f"{text}, after the last bar" if self.mark_ms >= slots[-1].end_ms else text
        line, width = self.x(where), self.page.text_width(text, 24) + 16
        self.page.dashes((line, self.top), (line, self.volume_bottom), self.inks.mark)
        left = min(max(line - width / 2, self.left), self.right - width)
        self.page.box(left, self.bottom - 34, left + width, self.bottom, self.inks.background)
        self.page.box(left, self.bottom, left + width, self.bottom + 2, self.inks.mark)
        self.page.text((left + 8, self.bottom - 17), text, 24, self.inks.mark, "lm")

    def _tags(self) -> None:
        """Last price and VWAP at the right axis; where they are close one moves aside, never over the other."""
        last = self.series.bars[-1]
        ink = self.inks.up if last.close >= last.open else self.inks.down
        self.page.dashes((self.left, self.y(last.close)), (self.right, self.y(last.close)), ink, 3)
        prices = [(self.y(last.close), last.close, ink)]
        if self.series.vwap is not None:
            prices.append((self.y(self.series.vwap), self.series.vwap, self.inks.vwap))
        prices.sort(key=lambda one: one[0])
        places = [height for height, _, _ in prices]
        if len(places) == 2 and places[1] - places[0] < 36:
            centre = min(max(sum(places) / 2, self.top + 18), self.bottom - 18)
            places = [centre - 18, centre + 18]
        for middle, (_, price, colour) in zip(places, prices, strict=True):
            self.page.tag(self.right + 4, middle, self.page.width - 6, axes.price_text(price), colour)

    def _header(self, name: str, simulated: bool) -> None:
        change, since = change_since(self.series, self.mark_ms)
        last = self.series.bars[-1].close
        x = 20 + self.page.text((20, 32), name, 42, self.inks.text, "lm", bold=True) + 24
        x += self.page.text((x, 32), axes.price_text(last), 42, self.inks.text, "lm") + 24
        ink = {"-": self.inks.down, "0": self.inks.muted}.get(change[0], self.inks.up)
        x += self.page.text((x, 34), change, 34, ink, "lm") + 10
        self.page.text((x, 36), since, 25, self.inks.muted, "lm")
        right = self.page.width - 8.0
        right = self.page.badge("SIMULATED", right, 30) - 16 if simulated else right
        if self.series.vwap is not None:
            self.page.text((right, 32), "VWAP", 26, self.inks.vwap, "rm", bold=True)
        zone = getattr(self.tz, "key", str(self.tz)).rpartition("/")[2].replace("_", " ")
        about = f"{self.series.step} bars, {axes.span_text(self.series.slots)}"
        about += f", {zone} time" if self.series.intraday else ""
        self.page.text((20, 74), about, 25, self.inks.muted, "lm")
        if self.series.count < THIN_BARS:
            self.page.text((self.page.width - 12, 74), thin_text(self.series), 25, self.inks.warning, "rm", bold=True)
