"""Splits of a stock: what they do to a price that was known before, and what looks like one. It asks nobody.

A provider's bars are those of today's shares: after a reverse split of 1:20 yesterday's prices are twenty times as high
as they were. A price that was stored then is still the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from catalyst.core.bars import Series, new_york_day
from catalyst.messages import Bar, Split

MOST_RATIO, RATIO_ERROR = 200, 0.02
NEAR = 2 ** 0.5  # a price is one of a day's that is nearer to its bar than by half of the smallest split
FAR = 2.5  # a price from outside regular hours may be farther from the bar of its day than one of these


def whole_ratio(before: float, after: float) -> str:
    """New shares for old ones, `10:1` where a price fell and `1:10` where it rose by nearly a whole number of times;
    empty where it did not."""
    factor = max(before / after, after / before)
    whole = round(min(factor, 2.0 * MOST_RATIO))
    if not 2 <= whole <= MOST_RATIO or abs(factor / whole - 1) > RATIO_ERROR:
        return ""
    return f"{whole}:1" if before > after else f"1:{whole}"


def split_ratio(series: Series) -> str:
    """The whole ratio by which a price jumped between two days, as after a split that the bars are not adjusted for;
    empty where none did."""
    dated = [(slot.day, slot.bar) for slot in series.slots if slot.bar is not None]
    return next((ratio for (day, bar), (later, other) in pairwise(dated)
                 if later != day and (ratio := whole_ratio(bar.close, other.open))), "")


def adjusted(usd: float, at_ms: int, splits: Iterable[Split]) -> float:
    """A price of a moment in the shares of after the splits: those count that came on a later day in New York, for a
    split is in force from the first trade of its day on."""
    day = new_york_day(at_ms)
    for split in splits:
        if new_york_day(split.at_ms) > day:
            usd *= split.factor
    return usd


def is_like_split(before: float, before_ms: int, after: float, after_ms: int, days: Sequence[Bar]) -> bool:
    """Whether a split may lie between a stored price and one of a later day, in today's shares. `days` are bars of the
    days since, empty where they are not known; a price of the same day is held against them too, for it was asked late.

    It may where the stored price is far from its day's bar and the next one's, and where the change is by a whole ratio
    that the bars do not bear out: they do where the stored price is about theirs and no night has such a jump.
    """
    first, last = new_york_day(before_ms), new_york_day(after_ms)
    until = [bar for bar in days if new_york_day(bar.start_ms) <= first][-1:]
    later = [bar for bar in days if new_york_day(bar.start_ms) > first]
    is_whole = whole_ratio(before, after) != ""
    if not until:
        return is_whole and last > first
    off = min(_distance(before, bar) for bar in until + later[:1])
    if off > FAR or not is_whole:
        return off > FAR
    path = until + [bar for bar in later if new_york_day(bar.start_ms) <= last]
    steps = [(bar.close, following.open) for bar, following in pairwise(path)]
    if new_york_day(path[-1].start_ms) < last:
        steps.append((path[-1].close, after))
    return off > NEAR or any(whole_ratio(*step) for step in steps)


def _distance(usd: float, bar: Bar) -> float:
    """How many times as far as a bar's nearer end a price is; 1 within."""
    return max(bar.low / usd, usd / bar.high, 1.0)
