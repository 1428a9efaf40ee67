"""What stands at a chart's axes: round prices, times, dates, and numbers short enough for a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from catalyst.core.bars import Slot
from catalyst.core.dollars import usd_text
from catalyst.core.session import BELL_MIN, CLOSE_MIN, NEW_YORK
from catalyst.messages import Bar

TIME_STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 240)
MONTH_STEPS = (1, 2, 3, 6, 12)
FEW_DAYS, MANY_DAYS = 2, 31
MANY_BARS = 20  # below it every price counts
STRAY = 4  # the scale would be so many times finer without the stray bars
WICK = 0.6


def price_text(price: float, step: float = 1.0) -> str:
    """A price in few letters: as `usd_text`, but whole or shortened when large.

    Among prices that are `step` apart it has as many decimals as tell them from each other.
    """
    for limit, size, unit in ((9.995e11, 1e12, "T"), (9.995e8, 1e9, "B"), (999_995, 1e6, "M")):
        if price >= limit:
            return f"{price / size:.2f}{unit}"
    if price >= 9_999.995:
        return f"{price:,.0f}"
    decimals = -math.floor(math.log10(step) + 1e-9)
    text = usd_text(price)
    return f"{price:,.{decimals}f}" if "e" not in text and decimals > len(text.rpartition(".")[2]) else text


def volume_text(shares: float) -> str:
    """`950`, `12K`, `1.2M`, `3.4B`."""
    for limit, size, unit in ((9.995e11, 1e12, "T"), (9.995e8, 1e9, "B"), (999_500, 1e6, "M"), (999.5, 1e3, "K")):
        if shares >= limit:
            number = shares / size
            return f"{number:.0f}{unit}" if number >= 10 else f"{number:.1f}{unit}"
    return f"{shares:.0f}"


def percent_text(now: float, before: float) -> str:
    """The change with its sign: `+4.2%`, `-100%`, `0.0%`, `x25` from 1,000% on."""
    change_pct = (now / before - 1) * 100
    if abs(change_pct) < 0.05:
        return "0.0%"
    if change_pct >= 999.5:
        times = now / before
        return f"x{times:,.0f}" if times < 1e6 else f"x{times:.0e}"
    return f"{change_pct:+.0f}%" if abs(change_pct) >= 99.95 else f"{round(change_pct, 1) + 0.0:+.1f}%"


def price_range(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest price of the pane: those of `values` with room; flat prices get a thousandth each way."""
    low, high = min(values), max(values)
    room = max((high - low) * 0.07, high * 1e-3)
    return max(0.0, low - room), high + room


def visible(bars: Sequence[Bar], kept: Sequence[Bar]) -> tuple[float, float]:
    """Low and high of what the pane must show: all bodies, and wicks up to WICK times their span.

    A few bars that stand alone, far from all others (stray trades, the price before a split), are left out where they
    would press the rest flat; never those of `kept`. Whoever draws says what is off the scale.
    """
    if len(bars) < MANY_BARS:
        return min(bar.low for bar in bars), max(bar.high for bar in bars)
    bodies = sorted((min(bar.open, bar.close), max(bar.open, bar.close)) for bar in bars)
    few = max(1, len(bars) // 50)
    low, high = bodies[0][0], max(top for _, top in bodies)
    trimmed_low, trimmed_high = bodies[few][0], sorted(top for _, top in bodies)[-few - 1]
    if trimmed_high - trimmed_low < (high - low) / STRAY:
        must = [price for bar in kept for price in (bar.open, bar.close)]
        low, high = min([trimmed_low, *must]), max([trimmed_high, *must])
    room = max(high - low, high * 0.005) * WICK
    shown = [bar for bar in bars if low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= high]
    return (max(low - room, min([low, *(bar.low for bar in shown)])),
            min(high + room, max([high, *(bar.high for bar in shown)])))


def price_ticks(low: float, high: float, wanted: int = 5) -> tuple[float, list[float]]:
    """A round step and the prices between `low` and `high` that are multiples of it, about `wanted` of them."""
    rough = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((size * factor for factor in (1, 2, 5) if size * factor >= rough * 0.75), size * 10)
    return step, [number * step for number in range(max(1, math.ceil(low / step)), math.floor(high / step) + 1)]


def time_labels(slots: Sequence[Slot], zone: tzinfo, room: int) -> Iterator[tuple[int, str]]:
    """Slot and text for an axis with space for `room` labels, the most important first.

    The beginnings of days where there are several, the newest first, and, where the days are few, the opening and
    closing bell and round times.
    """
    local = [datetime.fromtimestamp(slot.start_ms / 1000, zone) for slot in slots]
    mornings = [place for place, slot in enumerate(slots) if place == 0 or slots[place - 1].day != slot.day]
    if len(mornings) > 1:
        yield from ((place, f"{slots[place].day:%a} {slots[place].day.day}") for place in reversed(mornings))
    if len(mornings) > FEW_DAYS:
        return
    for bell_min in (BELL_MIN, CLOSE_MIN):
        for place, slot in enumerate(slots):
            here = datetime.fromtimestamp(slot.start_ms / 1000, NEW_YORK)
            if here.hour * 60 + here.minute == bell_min:
                yield place, f"{local[place]:%H:%M}"
    span_min = len(slots) * (slots[0].end_ms - slots[0].start_ms) // 60_000
    step = next((step for step in TIME_STEPS_MIN if span_min / step <= room), 480)
    for place, moment in enumerate(local):
        if (moment.hour * 60 + moment.minute) % step == 0:
            yield place, f"{moment:%H:%M}"
    yield 0, f"{local[0]:%H:%M}"


def date_labels(slots: Sequence[Slot], room: int) -> Iterator[tuple[int, str]]:
    """The same for bars of days and longer: years, months, and single days where there are few."""
    starts = [place for place in range(1, len(slots)) if slots[place].day.year != slots[place - 1].day.year]
    stride = max(1, math.ceil(len(starts) / room))
    for place in starts:
        if slots[place].day.year % stride == 0:
            yield place, str(slots[place].day.year)
    if len(slots) <= MANY_DAYS:
        every = max(1, math.ceil(len(slots) / room))
        yield from ((place, short_date(slots[place])) for place in range(0, len(slots), every))
        return
    months = (slots[-1].day.year - slots[0].day.year) * 12 + slots[-1].day.month - slots[0].day.month + 1
    step = next((step for step in MONTH_STEPS if months / step <= room), 0)
    for place in range(1, len(slots)):
        day = slots[place].day
        if step and day.month != slots[place - 1].day.month and (day.month - 1) % step == 0:
            yield place, f"{day:%b}"


def day_text(slot: Slot) -> str:
    """`Tue 3 Mar`."""
    return f"{slot.day:%a} {slot.day.day} {slot.day:%b}"


def short_date(slot: Slot) -> str:
    """`3 Mar`."""
    return f"{slot.day.day} {slot.day:%b}"


def span_text(slots: Sequence[Slot]) -> str:
    """The days shown: `Tue 3 Mar 2026` or `4 Oct to 11 Oct 2013`."""
    first, last = slots[0], slots[-1]
    if first.day == last.day:
        return f"{day_text(first)} {first.day.year}"
    year = "" if first.day.year == last.day.year else f" {first.day.year}"
    return f"{short_date(first)}{year} to {short_date(last)} {last.day.year}"
