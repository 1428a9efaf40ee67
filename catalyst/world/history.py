"""The days before the day that is played: a random walk back from the last close, the same for each question.

A world's files hold one day; a chart of several asks for more. Weekdays only, in the time of the machine that plays.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from catalyst.messages import Bar

EASTERN = ZoneInfo("America/New_York")
DAYS_BEFORE = {"5d": 4, "1mo": 21, "3mo": 62, "1y": 251}  # trading days of a range without the present one
DAY_S = 86_400
OPENS, SESSION_S = time(9, 30), 23_400
DAILY, LEAST_USD = 0.035, 0.01  # usual change of a day; no price falls below a cent


def bars_before(ticker: str, close_usd: float, first_ms: int, window: str, step_s: int) -> dict[int, Bar]:
    """Bars of the regular sessions before New York's date of `first_ms`, by their second, oldest first; the last one
    closes at `close_usd`. None for a range of one day."""
    chance, close = Random(ticker), close_usd  # noqa: S311 - prices of a play
    days: list[list[Bar]] = []
    day = datetime.fromtimestamp(first_ms / 1000, EASTERN).date()
    while len(days) < DAYS_BEFORE.get(window, 0):
        day -= timedelta(days=1)
        if day.weekday() >= 5:
            continue
        first = max(LEAST_USD, close / (1 + chance.gauss(0.0, DAILY)))
        begins_s = int(datetime.combine(day, OPENS, EASTERN).timestamp())
        count = 1 if step_s >= DAY_S else SESSION_S // step_s
        days.append(_session(chance, begins_s, step_s, [first + (close - first) * place / count
                                                        for place in range(count + 1)]))
        close = round(max(LEAST_USD, first * (1 + chance.gauss(0.0, DAILY / 4))), 4)
    return {bar.start_ms // 1000: bar for bars in reversed(days) for bar in bars}


def _session(chance: Random, begins_s: int, step_s: int, prices: list[float]) -> list[Bar]:
    """A bar between each two prices, with a shadow above and below."""
    found = []
    for place, (opened, closed) in enumerate(pairwise(prices)):
        reach = max(opened, closed) * DAILY / len(prices) ** 0.5
        found.append(Bar((begins_s + place * step_s) * 1000, round(opened, 4),
                         round(max(opened, closed) + reach * chance.random(), 4),
                         round(max(LEAST_USD / 2, min(opened, closed) - reach * chance.random()), 4),
                         round(closed, 4), chance.randint(1, 400) * 100 * max(1, step_s // 1_200)))
    return found
