"""Publication dates as feeds write them -> UTC milliseconds, or None. It never fills a gap with today's date.

Known forms: ISO 8601 and RFC 3339, RFC 822 and 2822, asctime, dates with month names in either order, numeric dates
(slashes: month first, as in the US, unless the first number is above 12; dots: day first), Unix seconds and
milliseconds. A text without a zone is read as UTC. An unknown zone or word, an impossible date, a missing year or day
give None: a wrong hour is worse than none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

LONGEST = 100
EARLIEST_YEAR, LATEST_YEAR = 1970, 2100
EPOCH = datetime(EARLIEST_YEAR, 1, 1)
LAST_DAY = (datetime(LATEST_YEAR + 1, 1, 1) - EPOCH).days
MONTHS = {name: number for number, names in enumerate((
    "jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
    "sep sept september", "oct october", "nov november", "dec december"), 1) for name in names.split()}
# RFC 822 5.1 for the American ones; IST is India's, BST British Summer Time, CST and friends American.
ZONES_H = {"utc": 0, "gmt": 0, "ut": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
           "msk": 3, "ist": 5.5, "hkt": 8, "sgt": 8, "awst": 8, "jst": 9, "kst": 9, "acst": 9.5, "acdt": 10.5,
           "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "hst": -10, "akst": -9, "akdt": -8, "pst": -8, "pdt": -7,
           "mst": -7, "mdt": -6, "cst": -6, "cdt": -5, "est": -5, "edt": -4, "ast": -4, "adt": -3,
           "nst": -3.5, "ndt": -2.5}
PLACES = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
          "eastern": "America/New_York", "central": "America/Chicago", "pacific": "America/Los_Angeles"}
FILLER = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|at|on|of|the|st|nd|rd|th|time")

ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]\s?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?"
                 r"\s?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE)
RFC = re.compile(r"(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? (Z|GMT|UTC|[+-]\d{4})",
                 re.ASCII)
CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:([ap])\.?m\b\.?)?", re.ASCII | re.IGNORECASE)
OFFSET = re.compile(r"(?:gmt|utc)?\s*([+-])(\d\d):?(\d\d)\b", re.ASCII | re.IGNORECASE)
DASHED = re.compile(r"\b(\d{1,2})-([a-z]{3,9})-(\d{2,4})\b", re.ASCII | re.IGNORECASE)
NUMERIC = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})", re.ASCII)


def parse_date(text: str) -> int | None:
    """UTC milliseconds of a date as a publisher wrote it; None when it is not one whole, possible date."""
    if len(text) == 25 and text[10] == "T" and text[22] == ":":  # the form of nearly all Atom feeds, read in C
        try:
            since = datetime.fromisoformat(text[:19]) - EPOCH - _ahead(text[19:])
            return (since.days * 86_400 + since.seconds) * 1000 if 0 <= since.days < LAST_DAY else None
        except (ValueError, OverflowError):
            pass
    text = " ".join(text[:LONGEST + 1].split())
    if not 8 <= len(text) <= LONGEST:
        return None
    if text.isascii() and text.isdigit() and len(text) in (10, 13):
        return _checked(datetime.fromtimestamp(int(text[:10]), UTC), int(text[10:] or 0))
    try:
        if match := ISO.fullmatch(text):
            year, month, day, hour, minute, second, fraction, zone = match.groups()
            return _moment((int(year), int(month), int(day)),
                           (int(hour or 0), int(minute or 0), int(second or 0), fraction), _offset(zone or "Z"))
        if (match := RFC.fullmatch(text)) and match[2].lower() in MONTHS:
            day, name, year, hour, minute, second, zone = match.groups()
            return _moment((int(year), MONTHS[name.lower()], int(day)),
                           (int(hour), int(minute), int(second or 0), None), _offset(zone))
        return _loose(text)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)
def _ahead(zone: str) -> timedelta:
    """Of `+05:30`, by the same reader; a time without one differs by none. Raises ValueError."""
    return datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset() or timedelta(0)


def _loose(text: str) -> int | None:
    """The parts in any order. Raises ValueError where a part is impossible."""
    clock: tuple[int, int, int, str | None] = (0, 0, 0, None)
    if match := CLOCK.search(text):
        hour = int(match[1])
        if match[5]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if match[5].lower() == "p" else 0)
        clock = (hour, int(match[2]), int(match[3] or 0), match[4])
        text = f"{text[:match.start()]} , {text[match.end():]}"
    day: tuple[int, int, int] | None = None
    if match := NUMERIC.search(text):
        day = _numeric(match[1], match[2], match[3], match[4])
        text = f"{text[:match.start()]} {text[match.end():]}"
    zone: tzinfo | timedelta | None = None
    if match := OFFSET.search(text := DASHED.sub(r"\1 \2 \3", text)):  # the year behind a dash is none
        zone = _offset(f"{match[1]}{match[2]}{match[3]}")
        text = f"{text[:match.start()]} {text[match.end():]}"
    month, numbers = 0, []
    for word in re.findall(r"[a-z]+|\d+", text.lower()):
        if word.isdigit():
            numbers.append(word)
        elif word in MONTHS and not month:
            month = MONTHS[word]
        elif word in ZONES_H or word in PLACES:
            zone = zone or _named(word)
        elif not FILLER.fullmatch(word):
            return None
    if day is None:
        day = _worded(month, numbers)
    elif month or numbers:
        return None
    return None if day is None else _moment(day, clock, zone or timedelta(0))


def _numeric(first: str, mark: str, second: str, third: str) -> tuple[int, int, int] | None:
    if len(first) == 4:
        return int(first), int(second), int(third)
    if len(third) not in (2, 4) or len(first) > 2:
        return None
    year = int(third) if len(third) == 4 else _century(int(third))
    day_first = mark == "." or int(first) > 12
    return (year, int(second), int(first)) if day_first else (year, int(first), int(second))


def _worded(month: int, numbers: list[str]) -> tuple[int, int, int] | None:
    """Year, month, day of `18 Mar 2013`, `March 18, 2013`, `18 Mar 13` (day first, RFC 822)."""
    if not month or len(numbers) != 2:
        return None
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) <= 2]
    if len(years) == 1 and len(days) == 1:
        return int(years[0]), month, int(days[0])
    return (_century(int(days[1])), month, int(days[0])) if len(days) == 2 else None


def _century(year: int) -> int:
    return year + (2000 if year < 70 else 1900)


def _offset(zone: str) -> timedelta:
    """Of `Z`, `+05`, `-0500`, `+05:30`."""
    if zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    if ahead >= timedelta(hours=24):
        raise ValueError(zone)
    return -ahead if zone[0] == "-" else ahead


def _named(word: str) -> tzinfo | timedelta:
    return timedelta(hours=ZONES_H[word]) if word in ZONES_H else ZoneInfo(PLACES[word])


def _moment(day: tuple[int, int, int], clock: tuple[int, int, int, str | None],
            zone: tzinfo | timedelta) -> int | None:
    hour, minute, second, fraction = clock
    later = timedelta(days=1) if hour == 24 and minute == second == 0 else timedelta(0)  # ISO 8601: end of the day
    second = 59 if second == 60 else second  # a leap second
    local = datetime(*day, 0 if later else hour, minute, second, tzinfo=UTC) + later
    moment = local - zone if isinstance(zone, timedelta) else local.replace(tzinfo=zone).astimezone(UTC)
    return _checked(moment, int((fraction or "0").ljust(3, "0")[:3]))


def _checked(moment: datetime, extra_ms: int) -> int | None:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        return None
    return int(moment.timestamp()) * 1000 + extra_ms
