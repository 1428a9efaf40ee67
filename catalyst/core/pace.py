"""How long to wait from one poll of a source to the next: by the market's session and by how often the source changes.

Pure. A source's own `every` is obeyed exactly at all hours. Without it, in market hours (4:00 to 20:00 in New York on
trading days) the wait lies between its kind's floor and cap: the more of its polls bring something new, the shorter it
is. At night it is four times as long, on weekends and holidays ten times. A wait never reaches from a slow hour into
market hours, so that the first releases of the morning are read at full pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from catalyst.core.session import NEW_YORK, is_trading_day, market_session


@dataclass(frozen=True, slots=True)
class Band:
    """The seconds between polls in market hours: never below `floor_s`, never over `cap_s`."""

    floor_s: float
    cap_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """The seconds from one poll to the next, and why so many, in a few words for a person."""

    seconds: float
    why: str


# EDGAR's band is its own: twelve lists at the floor are 1.2 requests a second of the 10 that fair access allows
# (sec.gov/about/webmaster-faq), and its lists turn over fastest. Of Finviz and a CSV each answer is a whole document.
BANDS = {"rss": Band(10, 60), "atom": Band(10, 60), "edgar": Band(10, 30), "json": Band(10, 60), "csv": Band(15, 60),
         "finnhub": Band(10, 60), "finviz": Band(30, 60), "benzinga": Band(10, 60)}
BOUND_S = 60.0  # no source without an `every` of its own waits longer in market hours
SLOWEST_S = 600.0  # nor longer than this at any hour
NIGHT, DAY_OFF = 4.0, 10.0
BUSY = 0.5  # share of polls with something new from which the floor is right
UNKNOWN = 0.3  # taken for a source that was never read: 20 s for a wire
WEIGHT = 0.1  # of the newest poll: half of what is known is from the last seven
WORDS = {"premarket": "pre-market", "regular": "regular session", "after_hours": "after hours"}


def pace(kind: str, every_s: float | None, change: float | None, now_ms: int) -> Pace:
    """The pace of a source of this `kind` at a moment; `every_s` is its own, `change` the share of its polls that bring
    something new, None where that is not known.
    """
    if every_s is not None:
        return Pace(every_s, "as listed")
    wait_s = open_s = _open_s(kind, change)
    session = market_session(now_ms)
    words = WORDS.get(session, "")
    if session == "closed":
        is_night = is_trading_day(datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(NEW_YORK).date())
        wait_s = min(SLOWEST_S, open_s * (NIGHT if is_night else DAY_OFF))
        words = "night" if is_night else "no trading day"
        if market_session(now_ms + round(wait_s * 1000)) != "closed":
            wait_s, words = open_s, "soon pre-market"
    return Pace(wait_s, f"{words}, " + ("changes unknown" if change is None else f"new at {change:.0%} of polls"))


def changed(before: float | None, *, has_news: bool) -> float:
    """The share of polls that bring something new, after one more poll."""
    known = UNKNOWN if before is None else before
    return known + WEIGHT * (has_news - known)


def _open_s(kind: str, change: float | None) -> float:
    band = BANDS[kind]
    busy = min(1.0, max(0.0, (UNKNOWN if change is None else change) / BUSY))
    wait_s: float = band.cap_s * (band.floor_s / band.cap_s) ** busy
    return round(max(band.floor_s, min(band.cap_s, wait_s)), 1)
