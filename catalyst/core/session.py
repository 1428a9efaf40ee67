"""Which session of the US stock market a moment falls in.

Hours are New York's: pre-market 4:00-9:30, regular 9:30-16:00, after-hours to 20:00 (NYSE, "Holidays and trading
hours"). On a half day the regular session ends at 13:00 and the late one at 17:00. Days come from the `holidays`
package, the zone's rules from the tz database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

Session = Literal["premarket", "regular", "after_hours", "closed"]
NEW_YORK = ZoneInfo("America/New_York")
OPEN_MIN, BELL_MIN = 4 * 60, 9 * 60 + 30  # minutes after midnight in New York
CLOSE_MIN, LATE_CLOSE_MIN = 16 * 60, 20 * 60
HALF_CLOSE_MIN, HALF_LATE_CLOSE_MIN = 13 * 60, 17 * 60


def market_session(moment_ms: int) -> Session:
    """The session at a UTC moment; a session's first minute belongs to it, its end to the next."""
    local = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(NEW_YORK)
    day = local.date()
    if not is_trading_day(day):
        return "closed"
    half = day in _special_days(day.year)[1]
    close_min, late_min = (HALF_CLOSE_MIN, HALF_LATE_CLOSE_MIN) if half else (CLOSE_MIN, LATE_CLOSE_MIN)
    minute = local.hour * 60 + local.minute
    if minute < OPEN_MIN or minute >= late_min:
        return "closed"
    if minute < BELL_MIN:
        return "premarket"
    return "regular" if minute < close_min else "after_hours"


def is_trading_day(day: date) -> bool:
    """Whether the exchange opens at all on this day."""
    return day.weekday() < 5 and day not in _special_days(day.year)[0]


@lru_cache(maxsize=16)
def _special_days(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Days without trading and days with an early close in `year`."""
    from holidays import HALF_DAY, PUBLIC, financial_holidays  # 100 ms, only where a session is asked for

    return (frozenset(financial_holidays("NYSE", years=year, categories=(PUBLIC,))),
            frozenset(financial_holidays("NYSE", years=year, categories=(HALF_DAY,))))
