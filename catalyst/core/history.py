"""How alerts of a kind have done: the median of their returns with its interval, and the names of the times after an
alert at which that is looked at. Pure arithmetic.

The interval is that of the sign test: of n changes, put in order, the j-th from below and the j-th from above enclose
the median of what they are drawn from unless at most j - 1 of n fair coins fall on one side, whatever the distribution
(W. R. Thompson, "On confidence ranges for the median", Annals of Mathematical Statistics 7, 1936, 122-128; W. J.
Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2). It takes the alerts for independent; those of
one day are not quite, so it is the narrowest that can be claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from statistics import median

from catalyst.messages import History

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
HORIZON = re.compile(r"([1-9][0-9]{0,6})([smhd])", re.ASCII)
LEAST_HISTORY = 20  # alerts of a kind from which on their outcomes are told; fewer are an anecdote
NEWEST = 1_000  # alerts that count: more would tell of another market
USUAL_MS = UNITS_MS["h"]  # after which a history is told, where several are known
MOST_SAID = 1_000_000.0
ONE_SIDE = 40  # one in so many: what the 95 % interval leaves out on each side


def span_ms(horizon: str) -> int:
    """`4h` as milliseconds; 0 for a text that is no horizon."""
    match = HORIZON.fullmatch(horizon)
    return int(match[1]) * UNITS_MS[match[2]] if match else 0


def span_label(horizon: str) -> str:
    """`15m` as a reader says it: "15 min"; a text that is no horizon as it is."""
    match = HORIZON.fullmatch(horizon)
    return f"{match[1]} {'min' if match[2] == 'm' else match[2]}" if match else horizon


def change_text(change_pct: float) -> str:
    """A change in per cent as a reader sees it: `+4.2`, and no minus before a nought; one that no stock makes is short
    all the same."""
    return f"{round(change_pct, 1) + 0.0:+,.1f}" if abs(change_pct) < MOST_SAID else f"{change_pct:+.1e}"


def place_of_low(n: int) -> int:
    """Which of `n` ordered values, from below and counted from 1, is the low end of the median's 95 % interval; the
    high end is as far from above. 0 where `n` is too small for one, below 6."""
    place, term, tail = 0, 1, 1  # so many of the 2 ** n ways have `place` heads, and so many at most as many
    while tail * ONE_SIDE <= 1 << n:
        place, term = place + 1, term * (n - place) // (place + 1)
        tail += term
    return place


def history_of(kind: str, horizon: str, returns_pct: Iterable[float]) -> History | None:
    """What the changes, in per cent, say of alerts of `kind` after `horizon`; None without any."""
    ordered = sorted(returns_pct)
    if not ordered:
        return None
    place = place_of_low(len(ordered))
    return History(kind, horizon, len(ordered), median(ordered), ordered[place - 1] if place else None,
                   ordered[-place] if place else None, sum(change < 0 for change in ordered) / len(ordered))


def usual(histories: Sequence[History]) -> History | None:
    """Of a kind's histories the one to tell: that whose horizon is nearest to an hour, the shorter of two."""
    told = [one for one in histories if one.n >= LEAST_HISTORY]
    return min(told, key=lambda one: (abs(span_ms(one.horizon) - USUAL_MS), span_ms(one.horizon)), default=None)


def history_text(history: History | None) -> str:
    """`n=41, 1 h median -6.2 % (-9.1 to -3.0), 73% down`; empty where there is nothing to tell."""
    if history is None or history.n < LEAST_HISTORY or history.low_pct is None or history.high_pct is None:
        return ""
    return (f"n={history.n}, {span_label(history.horizon)} median {change_text(history.median_pct)} % "
            f"({change_text(history.low_pct)} to {change_text(history.high_pct)}), {history.down_share:.0%} down")
