"""Whether an item that is seen for the first time is still news. Pure: ages in, a verdict out.

An item whose publication lies further back than the limit of its kind is `stale`: it is kept, so that it is known
again, and nobody is alerted. What was published while we could not see it (an outage of the source or of ours, a
pause) is not stale: its age counts from the source's last good poll.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from catalyst.core.intake import Item
from catalyst.core.session import NEW_YORK, is_trading_day

OPENS, CLOSES = time(6), time(17, 30)
DAYS_OFF = 10  # no closure lasts longer


@dataclass(frozen=True, slots=True)
class Limits:
    """The ages in milliseconds up to which stories and filings are news; 0 is no limit."""

    news_ms: int
    filing_ms: int


def stale(items: Iterable[Item], told_ms: int, silent_ms: int | None, limits: Limits) -> frozenset[str]:
    """The ids of the items that are too old to be news; the limit itself is not, nor is what has no date or one of the
    future.

    `told_ms` is the moment by the clock that `catalyst.core.intake.fresh_ms` chooses, `silent_ms` the time since the
    source's last good poll, None where there was none.
    """
    return frozenset(item.item_id for item in items if _is_stale(item, told_ms, silent_ms, limits))


def _is_stale(item: Item, told_ms: int, silent_ms: int | None, limits: Limits) -> bool:
    published_ms = item.entry.published_ms
    limit_ms = limits.filing_ms if item.is_filing else limits.news_ms
    if published_ms is None or not limit_ms or silent_ms is None:
        return False
    return told_ms - (shown_ms(published_ms) if item.is_filing else published_ms) > limit_ms + max(0, silent_ms)


def shown_ms(accepted_ms: int) -> int:
    """When EDGAR shows what it accepted at a moment: at once, but after 17:30 in New York and on days off at 6:00 of
    its next working day (EDGAR Filer Manual, volume II, "Hours of operation"; some forms are shown until 22:00).
    """
    local = datetime.fromtimestamp(accepted_ms / 1000, UTC).astimezone(NEW_YORK)
    if _is_working(local.date()) and local.time() < CLOSES:
        return accepted_ms
    for days in range(DAYS_OFF):
        day = local.date() + timedelta(days=days)
        opens = datetime.combine(day, OPENS, NEW_YORK)
        if _is_working(day) and opens > local:
            return round(opens.timestamp() * 1000)
    return accepted_ms


def _is_working(day: date) -> bool:
    """Neither a weekend nor a holiday of the exchange or of the federal offices."""
    return is_trading_day(day) and day not in _federal_holidays(day.year)


@lru_cache(maxsize=16)
def _federal_holidays(year: int) -> frozenset[date]:
    from holidays import country_holidays  # 100 ms, only where a filing is dated

    return frozenset(country_holidays("US", years=year))
