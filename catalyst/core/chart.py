"""Draws bars as a picture: candles, volume, VWAP, the catalyst's moment, the sessions of the market.

The same bars give the same bytes. Letters are large enough to be read when a phone shows the picture 400 pixels wide:
nothing below 22 at 1,200.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Literal

from catalyst.core import axes
from catalyst.core.bars import Series, Slot, gather, longest_gap, new_york_day, price_before
from catalyst.core.gauge import GAUGE, HEIGHT, draw_gauge, sentiment_text
from catalyst.core.indicators import macd, rsi
from catalyst.core.page import QUIET, SIZE, THEMES, Colour, Page, Point, mix
from catalyst.core.session import NEW_YORK, Session
from catalyst.core.splits import split_ratio
from catalyst.messages import Bar

Theme = Literal["dark", "light"]

SMALLEST, LARGEST = (320, 180), (1600, 900)
THIN_BARS, THIN_SHARE = 20, 0.25  # of the slots that have a trade
PANES = ("rsi", "macd", GAUGE)
PANE_HEIGHT = 92.0


def draw_chart(bars: Iterable[Bar], *, ticker: str, mark_ms: int | None = None, simulated: bool = False,
               theme: Theme = "dark", size: tuple[int, int] = SIZE, tz: tzinfo = NEW_YORK,
               panes: Collection[str] = (), sentiment: float | None = None) -> bytes:
    """The PNG, at most 256 KiB; `mark_ms` is the catalyst's moment, `tz` the zone of the times shown, `panes` which of
    PANES are added: in the head the gauge of the `sentiment`, where that is known, the others below.

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
        below = [pane for pane in PANES if pane in panes and pane != GAUGE]
        Plot(page, series, mark_ms, tz, below, sentiment if GAUGE in panes else None).draw(name, simulated)
    return page.png("SIMULATED" if simulated else "")


def describe_chart(bars: Iterable[Bar], *, ticker: str, mark_ms: int | None = None, simulated: bool = False,
                   tz: tzinfo = NEW_YORK, sentiment: float | None = None) -> str:
    """The chart in one sentence, for those who cannot see it; the same numbers as in the picture; `sentiment` where
    its gauge is shown."""
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
    if sentiment is not None:
        parts.append(f"sentiment {sentiment_text(sentiment)}")
    if text := warning_text(series):
        parts.append(text)
    return f"{ticker}: {kind}{series.step} chart of {axes.span_text(series.slots)}: {', '.join(parts)}."


def change_since(series: Series, mark_ms: int | None) -> tuple[str, str]:
    """The change to the last price and since when: the catalyst where it lies inside the chart (bars of days know only
    the close before it), else the first bar."""
    shown = mark_ms is not None and mark_ms < series.slots[-1].end_ms
    before = price_before(series, mark_ms) if mark_ms is not None and shown else None
    last = series.bars[-1].close
    if before is None:
        return axes.percent_text(last, series.bars[0].open), "on this chart"
    return axes.percent_text(last, before), "since catalyst" if series.intraday else "since the close before it"


def mark_text(mark_ms: int, series: Series, tz: tzinfo) -> str:
    """The catalyst's time: of day on the day shown last, else with its date."""
    day = new_york_day(mark_ms)
    date_text = f"{day.day} {day:%b}"
    if not series.intraday:
        return date_text if day.year == series.slots[-1].day.year else f"{date_text} {day.year}"
    clock = f"{datetime.fromtimestamp(mark_ms / 1000, tz):%H:%M}"
    return clock if day == series.slots[-1].day else f"{date_text} {clock}"


def warning_text(series: Series) -> str:
    """What is said where few bars, or a jump that may be a split, make a misleading picture; empty where neither is."""
    if series.count < THIN_BARS:
        return f"thin data: {series.count} {'bar' if series.count == 1 else 'bars'}"
    if series.intraday and len(series.bars) < len(series.slots) * THIN_SHARE:
        return f"thin data: trades in {len(series.bars)} of {len(series.slots)} steps"
    ratio = split_ratio(series)
    return f"a jump of {ratio} between days: a split?" if ratio else ""


class Plot:
    """The places of things on the page; all lengths in the page's units."""

    def __init__(self, page: Page, series: Series, mark_ms: int | None, tz: tzinfo, panes: Sequence[str] = (),
                 sentiment: float | None = None):
        self.sentiment = sentiment
        self.page, self.inks, self.series, self.mark_ms, self.tz = page, page.inks, series, mark_ms, tz
        self.panes = panes
        extra = PANE_HEIGHT * len(panes)
        self.left, self.right = 16.0, page.width - 124.0
        self.volume_height = 108.0 if not panes else 76.0
        self.axis = page.height - 50.0  # where the times stand
        self.volume_bottom = self.axis - extra
        self.volume_top = self.volume_bottom - self.volume_height
        self.top, self.bottom = 100.0 + (0 if sentiment is None else HEIGHT), self.volume_top - 14
        near = self._near_mark()
        low, high = axes.visible(series.bars, near)
        levels = [slot.vwap for slot in series.slots if slot.vwap is not None and low <= slot.vwap <= high]
        self.low, self.high = axes.price_range([low, high, *levels])
        self.step = min((self.right - self.left) / len(series.slots), 34.0)
        self.start = (self.left + self.right - self.step * len(series.slots)) / 2

    def _near_mark(self) -> list[Bar]:
        """The bars that no scale may leave out: the newest, and those around the catalyst."""
        bars = self.series.bars
        if self.mark_ms is None:
            return bars[-2:]
        place = bisect_right(bars, self.mark_ms, key=lambda bar: bar.start_ms)
        return [*bars[max(0, place - 3):place + 3], *bars[-2:]]

    def x(self, place: float) -> float:
        """Where a slot begins."""
        return self.start + place * self.step

    def y(self, price: float) -> float:
        """The height of a price; what is off the scale stands at its edge."""
        top = self.top + 28  # the sessions' names stand above
        bottom = self.bottom - (0 if self.mark_ms is None else 38)  # the catalyst's time stands below
        return bottom - (min(max(price, self.low), self.high) - self.low) / (self.high - self.low) * (bottom - top)

    def draw(self, name: str, simulated: bool) -> None:
        """Everything, from the ground up."""
        self._sessions()
        self._gap()
        self._grid()
        self._volume()
        for place, slot in enumerate(self.series.slots):
            if slot.bar is not None:
                self._candle(place, slot.bar)
        self._vwap()
        for number, pane in enumerate(self.panes):
            above = self.volume_bottom + PANE_HEIGHT * number
            self._pane(pane, above + 10, above + PANE_HEIGHT)
        self._off_scale()
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
                self.page.box(self.x(place), self.top, self.x(end), self.axis, colour)
                if self.page.text_width(text, 22) + 12 < self.x(end) - self.x(place):
                    self.page.text((self.x(place) + 8, self.top + 6), text, 22, self.inks.muted, "lt")
        for place, (slot, later) in enumerate(pairwise(self.series.slots), 1):
            if self.series.intraday and later.day != slot.day:
                self.page.dashes((self.x(place), self.top), (self.x(place), self.axis), self.inks.muted, 4)

    def _grid(self) -> None:
        tags = [middle for middle, _, _ in self._tag_places()]
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
                self.page.box(tick, self.axis, tick + 2, self.axis + 7, self.inks.muted)
                self.page.text((middle, self.axis + 27), text, 24, self.inks.muted, "mm")

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
        self.page.dashes((line, self.top), (line, self.axis), self.inks.mark)
        left = min(max(line - width / 2, self.left), self.right - width)
        self.page.box(left, self.bottom - 34, left + width, self.bottom, self.inks.background)
        self.page.box(left, self.bottom, left + width, self.bottom + 2, self.inks.mark)
        self.page.text((left + 8, self.bottom - 17), text, 24, self.inks.mark, "lm")

    def _tag_places(self) -> list[tuple[float, float, Colour]]:
        """Where the tags of last price and VWAP stand; where they are close they move apart, never over each other."""
        last = self.series.bars[-1]
        ink = self.inks.up if last.close >= last.open else self.inks.down
        prices = [(self.y(last.close), last.close, ink)]
        if self.series.vwap is not None:
            prices.append((self.y(self.series.vwap), self.series.vwap, self.inks.vwap))
        prices.sort(key=lambda one: one[0])
        if len(prices) == 2 and prices[1][0] - prices[0][0] < 36:
            centre = min(max((prices[0][0] + prices[1][0]) / 2, self.top + 18), self.bottom - 18)
            prices = [(centre - 18, *prices[0][1:]), (centre + 18, *prices[1][1:])]
        return prices

    def _tags(self) -> None:
        """Last price and VWAP at the right axis."""
        last = self.series.bars[-1]
        ink = self.inks.up if last.close >= last.open else self.inks.down
        self.page.dashes((self.left, self.y(last.close)), (self.right, self.y(last.close)), ink, 3)
        for middle, price, colour in self._tag_places():
            self.page.tag(self.right + 4, middle, self.page.width - 6, axes.price_text(price), colour)

    def _gap(self) -> None:
        """The longest stretch of regular hours without a trade, with its length: a halt, or nobody."""
        found = longest_gap(self.series)
        if found is None:
            return
        begin, end = found
        minutes = (self.series.slots[end - 1].end_ms - self.series.slots[begin].start_ms) // 60_000
        left, right = self.x(begin), self.x(end)
        self.page.box(left, self.top, right, self.axis, mix(self.inks.muted, self.inks.background, QUIET))
        long = f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
        for text in (f"no trades for {long}", "no trades", long):
            if self.page.text_width(text, 22) + 8 < right - left:
                self.page.text(((left + right) / 2, self.top + 16), text, 22, self.inks.muted, "mm")
                return

    def _off_scale(self) -> None:
        """Prices that would press all others flat end at the edge of the scale; the picture says how far they went."""
        above, below = max(self.series.bars, key=lambda bar: bar.high), min(self.series.bars, key=lambda bar: bar.low)
        for bar, price, there, height in ((above, above.high, above.high > self.high, self.top + 16),
                                          (below, below.low, below.low < self.low, self.bottom - 56)):
            if not there:
                continue
            place = next(place for place, slot in enumerate(self.series.slots) if slot.bar is bar)
            text = f"{axes.price_text(price)}, off the scale"
            width = self.page.text_width(text, 22) + 12
            left = min(max(self.x(place + 0.5) + 6, self.left), self.right - width)
            self.page.box(left, height - 14, left + width, height + 14, self.inks.background)
            self.page.text((left + 6, height), text, 22, self.inks.warning, "lm")

    def _pane(self, pane: str, top: float, bottom: float) -> None:
        """RSI with its lines at 30 and 70, or MACD with its signal and the difference as columns."""
        self.page.box(self.left, bottom, self.right, bottom + 1, self.inks.grid)
        places = [place for place, slot in enumerate(self.series.slots) if slot.bar is not None]
        closes = [bar.close for bar in self.series.bars]
        self.page.text((self.right + 12, top + 14), pane.upper(), 22, self.inks.muted, "lm")
        if pane == "rsi":
            values = rsi(closes)
            for level in (30, 70):
                height = bottom - level / 100 * (bottom - top)
                self.page.dashes((self.left, height), (self.right, height), self.inks.grid, 4)
            points = [(self.x(place + 0.5), bottom - value / 100 * (bottom - top))
                      for place, value in zip(places, values, strict=True) if value is not None]
            self.page.path(points, 3, self.inks.vwap)
            said = f"{values[-1]:.0f}" if values and values[-1] is not None else "too few"
            self.page.text((self.right + 12, top + 42), said, 24, self.inks.text, "lm")
            return
        pairs = macd(closes)
        known = [value for pair in pairs for value in pair if value is not None]
        most = max((abs(value) for value in known), default=0.0)
        if most <= 0:
            self.page.text((self.right + 12, top + 42), "too few" if not known else "0", 24, self.inks.text, "lm")
            return
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        for place, (line, signal) in zip(places, pairs, strict=True):
            if line is not None and signal is not None:
                left, right = self._body(place)
                ink = mix(self.inks.up if line >= signal else self.inks.down, self.inks.background, 0.55)
                ends = sorted((middle, middle - (line - signal) / most * half))
                self.page.box(left, ends[0], right, ends[1], ink)
        for number, colour in ((0, self.inks.vwap), (1, self.inks.mark)):
            self.page.path([(self.x(place + 0.5), middle - value / most * half) for place, pair in
                            zip(places, pairs, strict=True) if (value := pair[number]) is not None], 3, colour)

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
        if self.sentiment is not None:
            draw_gauge(self.page, 20, 74 + HEIGHT, self.sentiment)
        if text := warning_text(self.series):
            self.page.text((self.page.width - 12, 74), text, 25, self.inks.warning, "rm", bold=True)
