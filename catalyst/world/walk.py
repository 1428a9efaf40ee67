"""Prices of a generated day: a random walk a company that reacts to its stories. Pure: randomness is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

from catalyst.world.companies import Company

HEADER = "time,open,high,low,close,volume\n"
CHEAP_USD = (0.15, 9.5)  # never over the ceiling of 10 USD, never under the floor of 0.10
DEAR_USD = (12.0, 600.0)
_REACTION = {"up": (0.03, 0.35), "down": (-0.30, -0.03), "neutral": (-0.02, 0.02)}
_REACTION_BARS = 5
_QUIET_SHARE = 0.15  # bars in which nothing is traded before the session


def price_file(random: Random, company: Company, stories: Sequence[tuple[int, str]], span_ms: tuple[int, int],
               session_ms: int, bar_s: int) -> str:
    """CSV text: the last bar of the day before, then bars from `span_ms[0]` to `span_ms[1]`.

    `stories` are (moment in ms, direction); `session_ms` is when the regular session begins, before which some bars
    are missing. Prices in USD with four digits.
    """
    low, high = DEAR_USD if company.is_dear else CHEAP_USD
    price = company.price_usd
    step = 0.0025 * (bar_s / 60) ** 0.5
    pushes = _pushes(random, stories, span_ms[0], bar_s)
    previous = span_ms[0] - (12 * 3600 + 60) * 1000
    lines = [f"{_time(previous)},{price:.4f},{price:.4f},{price:.4f},{price:.4f},{random.randint(1, 90) * 100}"]
    day, gauss, uniform = f"{_time(span_ms[0])[:10]}T", random.gauss, random.random
    first_s = span_ms[0] // 1000 % 86_400
    for index in range((span_ms[1] - span_ms[0]) // (bar_s * 1000)):
        push = pushes.get(index, 0.0)
        moment_ms = span_ms[0] + index * bar_s * 1000
        if moment_ms < session_ms and not push and uniform() < _QUIET_SHARE:
            continue
        close = min(max(price * (1 + push + gauss(0, step)), low), high)
        top, bottom = max(price, close) * (1 + uniform() * step), min(price, close) * (1 - uniform() * step)
        volume = int(100 + 4000 * uniform() * (20 if push else 1))
        second = first_s + index * bar_s
        time = (f"{day}{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z" if second < 86_400
                else _time(moment_ms))
        lines.append(f"{time},{price:.4f},{min(top, high):.4f},{max(bottom, low):.4f},{close:.4f},{volume}")
        price = round(close, 4)
    return HEADER + "\n".join(lines) + "\n"


def _pushes(random: Random, stories: Sequence[tuple[int, str]], start_ms: int, bar_s: int) -> dict[int, float]:
    """Share by which the price moves in each bar because of a story, strongest at first."""
    pushes: dict[int, float] = {}
    for moment_ms, direction in stories:
        total = random.uniform(*_REACTION[direction])
        first = (moment_ms - start_ms) // (bar_s * 1000) + 1
        for index in range(_REACTION_BARS):
            pushes[first + index] = pushes.get(first + index, 0.0) + total / 2 ** (index + 1)
    return pushes


def _time(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
