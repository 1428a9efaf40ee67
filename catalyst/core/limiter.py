"""When the next request to a Discord webhook may go out. Pure: the state comes in and a new one goes out.

Limits belong to a bucket which only the answer names, so they are read from each answer and never written down here
(Discord's API documentation, "Rate Limits"). Beside them stands a cap of our own for a sliding minute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from catalyst.core.headers import retry_after_s, server_ms
from catalyst.core.refusals import fields_of

MARGIN_MS = 10  # they count in rounded parts of a second
BLIND_WAIT_MS = 5_000  # after a 429 that does not say how long
LONGEST_WAIT_MS = 24 * 3_600_000  # a stated wait beyond that is taken as this
MINUTE_MS = 60_000
FOR_TEXTS = 3  # one request in so many of our own cap is for texts alone
MOST_REMAINING = 1_000_000  # a larger number is no limit, and must still fit into a row


class Limits(msgspec.Struct, frozen=True):
    """What is known of one webhook. `remaining` requests may be made until `reset_ms`; None: nothing was said.

    `blocked_ms` is the end of a 429, `sent_ms` are the requests of the last minute.
    """

    remaining: int | None = None
    reset_ms: int = 0
    blocked_ms: int = 0
    sent_ms: tuple[int, ...] = ()


def open_at_ms(limits: Limits, per_minute: int, now_ms: int) -> int:
    """The earliest moment for the next request, `now_ms` when it may go at once. `per_minute` 0: no cap of our own."""
    moments = [now_ms, limits.blocked_ms]
    if limits.remaining is not None and limits.remaining <= 0:
        moments.append(limits.reset_ms)
    if per_minute > 0 and len(recent := _last_minute(limits.sent_ms, now_ms)) >= per_minute:
        moments.append(recent[-per_minute] + MINUTE_MS)
    return min(max(moments), now_ms + LONGEST_WAIT_MS)


def room_at_ms(limits: Limits, per_minute: int, now_ms: int) -> int:
    """The earliest moment for the next edit: a part of our own cap stays free for new texts."""
    return open_at_ms(Limits(sent_ms=limits.sent_ms), per_minute - per_minute // FOR_TEXTS, now_ms)


def after_response(limits: Limits, status: int, headers: Mapping[str, str], body: bytes, now_ms: int) -> Limits:
    """The state after an answer that was complete at `now_ms`; `headers` have lower-case names."""
    remaining, reset_ms = limits.remaining, limits.reset_ms
    left, wait_s = _number(headers.get("x-ratelimit-remaining")), _reset_after_s(headers, now_ms)
    if left is not None and wait_s is not None:
        remaining, reset_ms = int(min(left, MOST_REMAINING)), now_ms + _wait_ms(wait_s)
    elif remaining is not None and now_ms >= reset_ms:
        remaining = None
    elif remaining is not None:
        remaining -= 1
    blocked_ms = limits.blocked_ms
    if status == 429 and not is_old_edit(status, body):
        blocked_ms = max(blocked_ms, now_ms + _told_to_wait_ms(headers, body, now_ms))
    return Limits(remaining, reset_ms, blocked_ms, (*_last_minute(limits.sent_ms, now_ms), now_ms))


def after_silence(limits: Limits, now_ms: int) -> Limits:
    """The state after a request that may have arrived but whose answer is not known: it counts as made."""
    remaining = None if limits.remaining is None else limits.remaining - 1
    return Limits(remaining, limits.reset_ms, limits.blocked_ms, (*_last_minute(limits.sent_ms, now_ms), now_ms))


def moved(limits: Limits, by_ms: int) -> Limits:
    """The state after the clock jumped by `by_ms`: every wait lasts as long as it would have."""
    return Limits(limits.remaining, limits.reset_ms + by_ms, limits.blocked_ms + by_ms,
                  tuple(at + by_ms for at in limits.sent_ms))


def is_global(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a 429 stops every request from this address, not only this webhook's."""
    return status == 429 and (headers.get("x-ratelimit-global", "").lower() == "true"
                              or headers.get("x-ratelimit-scope") == "global" or fields_of(body).get("global") is True)


def is_old_edit(status: int, body: bytes) -> bool:
    """Whether a 429 is about edits of messages older than an hour, and about nothing else: code 30046 of Discord's
    documentation ("JSON Error Codes"). It must not keep new alerts waiting."""
    return status == 429 and fields_of(body).get("code") == 30046


def _last_minute(sent_ms: tuple[int, ...], now_ms: int) -> tuple[int, ...]:
    """Requests of the last minute; one from the future (the clock was set back) counts as made now."""
    return tuple(sorted(min(at, now_ms) for at in sent_ms if at > now_ms - MINUTE_MS))


def _reset_after_s(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Seconds until the bucket refills: the relative header, else the epoch one, which is by their clock."""
    after_s = _number(headers.get("x-ratelimit-reset-after"))
    if after_s is not None:
        return after_s
    at_s = _number(headers.get("x-ratelimit-reset"))
    said_ms = server_ms(headers)
    return None if at_s is None else max(0.0, at_s - (now_ms if said_ms is None else said_ms) / 1000)


def _told_to_wait_ms(headers: Mapping[str, str], body: bytes, now_ms: int) -> int:
    """The longest wait that a 429 names anywhere: header in seconds or a date, JSON in fractions of one, bucket. A date
    that is over by our clock names none."""
    told = [retry_after_s(headers, now_ms), _number(fields_of(body).get("retry_after")),
            _number(headers.get("x-ratelimit-reset-after"))]
    return max((_wait_ms(seconds) for seconds in told if seconds), default=BLIND_WAIT_MS)


def _wait_ms(seconds: float) -> int:
    return math.ceil(min(seconds * 1000 + MARGIN_MS, LONGEST_WAIT_MS))


def _number(value: Any) -> float | None:
    """A finite number that is not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
