"""Bars of prices: read from CSV, cleaned, gathered into the slots of a chart, with their VWAP.

A session day is a date in New York; a bar of a whole day starts at its midnight. VWAP is the sum of typical price x
volume over the sum of volume since the day's first bar, pre-market included, where the typical price is
(high + low + close) / 3.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise

from catalyst.core.session import NEW_YORK, Session, market_session
from catalyst.errors import BarsError
from catalyst.messages import Bar

MAX_USD = 1e12  # as in catalyst.core.quotes
MAX_VOLUME = 1e15
FIRST_MS, LAST_MS = 0, 7_258_118_400_000  # 1970 to 2200: the years that the exchange's calendar knows for certain
MINUTE_MS = 60_000
MOST_SLOTS = 260  # a year of days is 252; at 1,200 pixels a candle then still has a body of 3 and a gap of 1
STEPS_MIN = (1, 2, 5, 10, 15, 30, 60)
UTC_COLUMNS = ("time", "timestamp", "datetime")
TIME_COLUMNS = (*UTC_COLUMNS, "timestamp_et", "date")
MISSING = ("", "null", "nan", "none")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on the time axis; `bar` is None where nothing was traded, `vwap` is as of the slot's end."""

    start_ms: int
    end_ms: int
    day: date
    session: Session | None
    bar: Bar | None
    vwap: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Slots, oldest first and hours without trading left out; `step` is "5-minute" or "daily", `count` bars came in."""

    slots: tuple[Slot, ...]
    step: str
    intraday: bool
    count: int

    @property
    def bars(self) -> list[Bar]:
        """The bars of the slots that have one; never empty."""
        return [slot.bar for slot in self.slots if slot.bar is not None]

    @property
    def vwap(self) -> float | None:
        """The newest VWAP in USD, None without volume or for bars of whole days."""
        return next((slot.vwap for slot in reversed(self.slots) if slot.bar is not None), None)


def read_bars(text: str, ticker: str = "") -> list[Bar]:
    """The bars of a CSV text with a heading line, oldest first.

    Columns are found by name in any order and case: a time, open, high, low, close, and volume where there is one. A
    time without zone is UTC in a column `time`, `timestamp` or `datetime`, US Eastern in `timestamp_et` and `date`
    (ISO or month/day/year); a date alone is a bar of that day. Rows without prices are left out. In a file of several
    tickers `ticker` chooses. Raises BarsError, with the line where there is one.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        places = {name: names.index(name) for name in ("open", "high", "low", "close")}
    except ValueError as error:
        raise BarsError(f"no column for one of open, high, low, close in {', '.join(names)[:100]!r}") from error
    except csv.Error as error:
        raise BarsError(str(error)) from error
    column = next((name for name in TIME_COLUMNS if name in names), None)
    if column is None:
        raise BarsError(f"no column of times (one of {', '.join(TIME_COLUMNS)})")
    places["time"] = names.index(column)
    if "volume" in names:
        places["volume"] = names.index("volume")
    owner = names.index("ticker") if "ticker" in names else None
    bars: list[Bar] = []
    owners: set[str] = set()
    try:
        for row in rows:
            if not row or (owner is not None and ticker and row[owner].upper() != ticker.upper()):
                continue
            if owner is not None:
                owners.add(row[owner])
            bar = _read_row({name: row[place].strip() for name, place in places.items()}, column)
            if bar is not None:
                bars.append(bar)
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        raise BarsError(f"line {rows.line_num}: {error}") from error
    if len(owners) > 1:
        raise BarsError(f"bars of {len(owners)} tickers; say which one")
    return sorted(bars, key=lambda bar: bar.start_ms)


def _read_row(row: dict[str, str], column: str) -> Bar | None:
    prices = [row[name] for name in ("open", "high", "low", "close")]
    if any(price.lower() in MISSING for price in prices):
        return None
    volume = row.get("volume", "0")
    numbers = [float(price) for price in prices]
    return Bar(_read_time(row["time"], eastern=column not in UTC_COLUMNS), numbers[0], numbers[1], numbers[2],
               numbers[3], 0.0 if volume.lower() in MISSING else float(volume))


def _read_time(text: str, *, eastern: bool) -> int:
    if "/" in text:
        moment = datetime.strptime(text, "%m/%d/%Y %H:%M" if ":" in text else "%m/%d/%Y")
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        day_alone = ":" not in text
        moment = moment.replace(tzinfo=NEW_YORK if eastern or day_alone else UTC)
    return round(moment.timestamp() * 1000)


def usable(bars: Iterable[Bar]) -> list[Bar]:
    """Bars that can be drawn, oldest first, one a moment (the last one given).

    Left out: a price that is not a finite number above zero, a year outside 1970 to 2199. A high below the open or
    close (rounded data) is raised to it, a low lowered; a volume that is no number counts as none.
    """
    kept: dict[int, Bar] = {}
    for bar in bars:
        prices = (bar.open, bar.high, bar.low, bar.close)
        if not FIRST_MS <= bar.start_ms < LAST_MS or not all(0 < price <= MAX_USD for price in prices):
            continue
        volume = min(bar.volume, MAX_VOLUME) if bar.volume > 0 else 0.0
        kept[bar.start_ms] = Bar(bar.start_ms, bar.open, max(prices), min(prices), bar.close, volume)
    return [kept[start_ms] for start_ms in sorted(kept)]


def vwaps(bars: Sequence[Bar]) -> list[float | None]:
    """For each bar the VWAP in USD from its session day's first bar to itself; None while no volume was traded."""
    found: list[float | None] = []
    day, paid, shares = None, 0.0, 0.0
    for bar in bars:
        today = new_york_day(bar.start_ms)
        if today != day:
            day, paid, shares = today, 0.0, 0.0
        paid += (bar.high + bar.low + bar.close) / 3 * bar.volume
        shares += bar.volume
        value = paid / shares if shares > 0 else math.nan
        found.append(value if math.isfinite(value) and value > 0 else None)
    return found


def new_york_day(moment_ms: int) -> date:
    """The date in New York at a UTC moment."""
    return datetime.fromtimestamp(moment_ms / 1000, NEW_YORK).date()


def midnight_ms(day: date) -> int:
    """UTC milliseconds of a date's beginning in New York."""
    return int(datetime.combine(day, time(), NEW_YORK).timestamp() * 1000)


def gather(bars: Iterable[Bar], most: int = MOST_SLOTS) -> Series | None:
    """Bars in at most `most` slots, in the shortest step that allows it; None where no bar can be drawn.

    Inside a day every step has its slot, traded or not; nights, weekends and holidays have none.
    """
    clean = usable(bars)
    if not clean:
        return None
    if any(bar.start_ms != midnight_ms(new_york_day(bar.start_ms)) for bar in clean):
        shortest_ms = min((later.start_ms - bar.start_ms for bar, later in pairwise(clean)), default=MINUTE_MS)
        days = [list(group) for _, group in groupby(zip(clean, vwaps(clean), strict=True),
                                                    key=lambda pair: new_york_day(pair[0].start_ms))]
        for step_min in STEPS_MIN:
            step_ms = step_min * MINUTE_MS
            slots = sum(day[-1][0].start_ms // step_ms - day[0][0].start_ms // step_ms + 1 for day in days)
            if slots <= most and (step_ms >= shortest_ms or step_min == STEPS_MIN[-1]):
                return Series(tuple(slot for day in days for slot in _slots_of_a_day(day, step_ms)),
                              f"{step_min}-minute", True, len(clean))
    return _long_series(clean, most)


def _slots_of_a_day(day: list[tuple[Bar, float | None]], step_ms: int) -> list[Slot]:
    groups = {number: list(group) for number, group in groupby(day, key=lambda pair: pair[0].start_ms // step_ms)}
    today = new_york_day(day[0][0].start_ms)
    slots: list[Slot] = []
    vwap: float | None = None
    for number in range(min(groups), max(groups) + 1):
        group = groups.get(number)
        vwap = group[-1][1] if group else vwap
        bar = _merged([pair[0] for pair in group]) if group else None
        start_ms = number * step_ms
        slots.append(Slot(start_ms, start_ms + step_ms, today, market_session(start_ms + step_ms // 2), bar, vwap))
    return slots


LONG_STEPS: tuple[tuple[str, Callable[[date], tuple[int, ...]]], ...] = (
    ("daily", lambda day: (day.toordinal(),)),
    ("weekly", lambda day: day.isocalendar()[:2]),
    ("monthly", lambda day: (day.year, day.month)),
    ("quarterly", lambda day: (day.year, (day.month - 1) // 3)),
    ("yearly", lambda day: (day.year,)),
)


def _long_series(clean: list[Bar], most: int) -> Series:
    """Bars of days and longer: a slot for each that was traded, no VWAP, no sessions."""
    dated = [(new_york_day(bar.start_ms), bar) for bar in clean]
    for step, period in LONG_STEPS:
        name, groups = step, _grouped(dated, period)
        if len(groups) <= most:
            break
    slots = [Slot(group[0][1].start_ms, midnight_ms(group[-1][0] + timedelta(days=1)), group[0][0], None,
                  _merged([bar for _, bar in group]), None) for group in groups[-most:]]
    return Series(tuple(slots), name, False, len(clean))


def _grouped(dated: list[tuple[date, Bar]], period: Callable[[date], tuple[int, ...]]) -> list[list[tuple[date, Bar]]]:
    return [list(group) for _, group in groupby(dated, key=lambda pair: period(pair[0]))]


def _merged(bars: Sequence[Bar]) -> Bar:
    return Bar(bars[0].start_ms, bars[0].open, max(bar.high for bar in bars), min(bar.low for bar in bars),
               bars[-1].close, sum(bar.volume for bar in bars))


def price_before(series: Series, moment_ms: int) -> float | None:
    """The last price known at a moment: the open of the slot that contains it, else the close before it."""
    known = None
    for slot in series.slots:
        if slot.bar is None or slot.start_ms > moment_ms:
            continue
        known = slot.bar.open if moment_ms < slot.end_ms else slot.bar.close
    return known
