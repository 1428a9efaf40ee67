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
GAP_MIN = 5  # the shortest trading pause of the exchanges (limit up, limit down)
DENSE = 0.4  # share of slots with a trade from which on a gap is worth a word
LEAST_DAY_MS = 20 * 3_600_000  # bars further apart are of days, whatever hour a provider stamps them with
MOST_SLOTS = 260  # a year of days is 252; at 1,200 pixels a candle then still has a body of 3 and a gap of 1
STEPS_MIN = (1, 2, 5, 10, 15, 30, 60)
UTC_COLUMNS = ("time", "timestamp", "datetime")
TIME_COLUMNS = (*UTC_COLUMNS, "timestamp_et", "date")
MISSING = ("", "null", "nan", "none")


@dataclass(frozen=True, slots=True)
class Timeframe:
    """So many trading days, as they are or in bars of days; a picture of it is new for `fresh_s`."""

    days: int
    daily: bool
    fresh_s: int


TIMEFRAMES = {"1D": Timeframe(1, False, 60), "5D": Timeframe(5, False, 300), "1M": Timeframe(22, True, 900),
              "3M": Timeframe(63, True, 3_600), "1Y": Timeframe(252, True, 3_600)}


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
        start_ms, first, high, low, last = bar.start_ms, bar.open, bar.high, bar.low, bar.close
        if not (FIRST_MS <= start_ms < LAST_MS and 0 < first <= MAX_USD and 0 < high <= MAX_USD and 0 < low <= MAX_USD
                and 0 < last <= MAX_USD):
            continue
        if not (low <= first <= high and low <= last <= high and 0 <= bar.volume <= MAX_VOLUME):
            volume = min(bar.volume, MAX_VOLUME) if bar.volume > 0 else 0.0
            bar = Bar(start_ms, first, max(first, high, low, last), min(first, high, low, last), last, volume)
        kept[start_ms] = bar
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
    shortest_ms = min((later.start_ms - bar.start_ms for bar, later in pairwise(clean)), default=MINUTE_MS)
    if shortest_ms < LEAST_DAY_MS and any(bar.start_ms != midnight_ms(new_york_day(bar.start_ms)) for bar in clean):
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
    """The last price known at a moment: the close of the last bar that was over, else the open of the one under way.

    The open of a bar under way may have been traded after the moment: a stock that jumps on the news opens its next bar
    at the new price.
    """
    known = None
    for slot in series.slots:
        if slot.bar is None or slot.start_ms > moment_ms:
            continue
        if slot.end_ms <= moment_ms:
            known = slot.bar.close
        elif known is None:
            known = slot.bar.open
    return known


def longest_gap(series: Series) -> tuple[int, int] | None:
    """First slot and the one after the longest stretch of regular hours without a trade, at least GAP_MIN minutes long,
    in a stock that is traded otherwise; None where there is none, and for days."""
    if not series.intraday or len(series.bars) < len(series.slots) * DENSE:
        return None
    longest, first = (0, 0), None
    for place, slot in enumerate(series.slots):
        if slot.bar is not None or slot.session != "regular":
            first = None
            continue
        first = place if first is None or series.slots[first].day != slot.day else first
        longest = max(longest, (first, place + 1), key=lambda pair: pair[1] - pair[0])
    begin, end = longest
    if end - begin == 0 or series.slots[end - 1].end_ms - series.slots[begin].start_ms < GAP_MIN * MINUTE_MS:
        return None
    return begin, end


def in_timeframe(bars: Iterable[Bar], name: str) -> list[Bar]:
    """The bars of one of TIMEFRAMES: the last days as they are, or their last sessions in bars of days."""
    frame = TIMEFRAMES[name]
    days = [list(group) for _, group in groupby(usable(bars), key=lambda bar: new_york_day(bar.start_ms))][-frame.days:]
    if not frame.daily:
        return [bar for day in days for bar in day]
    whole = [(midnight_ms(new_york_day(day[0].start_ms)), _merged(day)) for day in days]
    return [Bar(start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) for start_ms, bar in whole]


def with_today(history: Iterable[Bar], today: Sequence[Bar], name: str) -> list[Bar]:
    """The bars of one of TIMEFRAMES, the days that `today` holds told by its finer bars alone."""
    days = {new_york_day(bar.start_ms) for bar in usable(today)}
    before = [bar for bar in usable(history) if new_york_day(bar.start_ms) not in days]
    return in_timeframe([*before, *today], name)


def timeframe_of(bars: Sequence[Bar]) -> str:
    """The shortest of TIMEFRAMES that holds the bars."""
    days = len({new_york_day(bar.start_ms) for bar in bars})
    return next((name for name, frame in TIMEFRAMES.items() if days <= frame.days), next(reversed(TIMEFRAMES)))
