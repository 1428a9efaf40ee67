"""Times in the headers of an HTTP answer. Names are in lower case. Pure: it asks no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 86_400.0  # a wait beyond that is none that anybody means


def retry_after_s(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Seconds that the server asks to wait (Retry-After: seconds or a date, RFC 9110 10.2.3), a day at most; None
    without a wish.

    A date is by the server's clock: it is compared with the server's own Date, where there is one, else with `now_ms`.
    """
    text = headers.get("retry-after", "").strip()
    try:
        wish_s = float(text)
    except ValueError:
        until_ms, said_ms = _http_date_ms(text), _http_date_ms(headers.get("date", ""))
        if until_ms is None:
            return None
        wish_s = (until_ms - (now_ms if said_ms is None else said_ms)) / 1000
    return None if math.isnan(wish_s) else min(max(0.0, wish_s), LONGEST_S)


def server_ms(headers: Mapping[str, str]) -> int | None:
    """What the server's clock showed when it answered: Date, and Age of an answer that a cache kept (RFC 9110 6.6.1,
    9111 5.1); None where it does not say."""
    said_ms, kept_s = _http_date_ms(headers.get("date", "")), headers.get("age", "").strip()
    if said_ms is None:
        return None
    return said_ms + (int(kept_s[:9]) * 1000 if kept_s.isascii() and kept_s.isdigit() else 0)


def _http_date_ms(text: str) -> int | None:
    try:
        return round(parsedate_to_datetime(text.strip()).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        return None
