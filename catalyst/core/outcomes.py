"""What came of an alert: when it is looked at, which price counts, when looking is given up. Pure arithmetic.

A return is a fact only where something was traded since the alert at a price of the same kind as the alert's own:
otherwise the outcome is `unknown`, with a reason, and enters no statistic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from catalyst.core.bars import in_timeframe, new_york_day
from catalyst.core.history import UNITS_MS, span_ms
from catalyst.core.jitter import spread_ms
from catalyst.core.quotes import MOST_SPLITS, Charted, price_at
from catalyst.core.splits import adjusted, is_like_split
from catalyst.errors import ConfigError
from catalyst.messages import PriceSeen

LONGEST_MS = 20 * UNITS_MS["d"]  # a month of bars must still show it after some days of standstill
MOST_HORIZONS = 20
RETRY_FIRST_MS, RETRY_CAP_MS = 5_000, 600_000
MOST_JUMPED_MS = 60_000  # prices are known by minutes
GIVE_UP_MS = 3_600_000  # after the first request that gave nothing
# Answers that asking again does not change: the provider does not have the ticker, or not in US dollars.
LASTING = frozenset({"unknown_ticker", "currency", "wrong_ticker"})


@dataclass(frozen=True, slots=True)
class Horizon:
    """A time after an alert at which its outcome is taken; `name` as the user wrote it."""

    name: str
    after_ms: int


def parse_horizons(names: Iterable[str]) -> tuple[Horizon, ...]:
    """The horizons of CATALYST_HORIZONS, shortest first; none switch outcomes off.

    A horizon is a whole number and s, m, h or d, at most 20 days. Raises ConfigError that names the wrong one.
    """
    found: dict[int, Horizon] = {}
    for name in names:
        after_ms = span_ms(name)
        if not 0 < after_ms <= LONGEST_MS:
            raise ConfigError(f"CATALYST_HORIZONS: {name[:40]!r} is not a time like 30s, 15m, 4h or 7d of at most"
                              f" {LONGEST_MS // UNITS_MS['d']} days")
        if after_ms in found:
            raise ConfigError(f"CATALYST_HORIZONS: {name!r} is as long as {found[after_ms].name!r}")
        found[after_ms] = Horizon(name, after_ms)
    if len(found) > MOST_HORIZONS:
        raise ConfigError(f"CATALYST_HORIZONS: {len(found)} horizons, at most {MOST_HORIZONS}")
    return tuple(found[after_ms] for after_ms in sorted(found))


@dataclass(frozen=True, slots=True)
class Watch:
    """A price that somebody waits for; `tries` requests gave nothing so far, the first of them at `first_ms`."""

    item_id: str
    ticker: str
    horizon: str
    due_ms: int
    tries: int = 0
    first_ms: int | None = None

    @property
    def base_ms(self) -> int:
        """When its alert went out."""
        return self.due_ms - span_ms(self.horizon)


def answer(watch: Watch, charted: Charted | None, reasons: Sequence[str], now_ms: int,
           month: Charted | None = None) -> PriceSeen | int:
    """The price of a watch's moment out of a provider's answer, or when to ask again (UTC ms).

    An answer without a price that old, a lasting fault and an hour of faults end the watch with a reason: `no_price`,
    or the last provider's. `month` has the bars of the last days, for a watch whose alert is not of today.
    """
    if charted is None and not is_lasting(reasons):
        first_ms = watch.first_ms if watch.first_ms is not None else now_ms
        if (next_ms := next_try_ms(watch, first_ms, now_ms)) is not None:
            return next_ms
    found = price_at(charted, watch.due_ms) if charted is not None else None
    if charted is None or found is None:
        reason = "no_price" if charted else reasons[-1] if reasons else "no_provider"
        return PriceSeen(item_id=watch.item_id, ticker=watch.ticker, horizon=watch.horizon, due_ms=watch.due_ms,
                         price_usd=None, price_ms=None, simulated=False, provider=None, reason=reason)
    return PriceSeen(item_id=watch.item_id, ticker=watch.ticker, horizon=watch.horizon, due_ms=watch.due_ms,
                     price_usd=found[0], price_ms=found[1], simulated=charted.quote.simulated,
                     provider=charted.quote.provider,
                     splits=tuple(dict.fromkeys((*charted.splits, *(month.splits if month else ()))))[-MOST_SPLITS:],
                     days=tuple(in_timeframe(month.bars, "1M")) if month and is_past(watch.base_ms, now_ms) else ())


def is_past(base_ms: int, now_ms: int) -> bool:
    """Whether an alert is not of today: since its day a split may have come."""
    return new_york_day(base_ms) < new_york_day(now_ms)


def next_try_ms(watch: Watch, first_ms: int, now_ms: int) -> int | None:
    """When to ask again after one more request without a price, the first at `first_ms`; None: no more.

    The wait doubles from 5 seconds to 10 minutes, less up to a quarter that depends on the watch only; the last request
    is made an hour after the first.
    """
    end_ms = first_ms + GIVE_UP_MS
    if now_ms >= end_ms:
        return None
    wait_ms = min(RETRY_CAP_MS, RETRY_FIRST_MS << min(watch.tries, 10))
    spread = spread_ms(wait_ms, watch.item_id, watch.ticker, watch.horizon, watch.tries)
    return min(now_ms + wait_ms - spread, end_ms)


def is_lasting(reasons: Iterable[str]) -> bool:
    """Whether every provider's fault (`yahoo:unknown_ticker`) is one that stays."""
    words = [reason.partition(":")[2] for reason in reasons]
    return bool(words) and all(word in LASTING for word in words)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an outcome: `settled` with a return in %, else `unknown` with the reason."""

    state: Literal["settled", "unknown"]
    price_usd: float | None
    price_ms: int | None
    return_pct: float | None
    simulated: bool
    reason: str | None = None
    base_usd: float | None = None  # the alert's price in the shares of after a split; None where none came


def judge(base_usd: float | None, base_ms: int, simulated: bool, seen: PriceSeen, jumped_ms: int = 0) -> Verdict:
    """What the price at a horizon says about an alert made at `base_ms` and `base_usd`; `simulated` is the base's.

    Unknown: `clock_jumped` (since the alert the clock was set by `jumped_ms` in all: the price is not of the time after
    it that is wanted), `no_base` (the alert had no price), `mixed` (one price is simulated, the other is not),
    `no_trade` (the price is older than the alert), `split` (what is left of the change after the splits that are known
    looks like one more), or market's own reason.
    """
    if abs(jumped_ms) >= MOST_JUMPED_MS:
        return Verdict("unknown", None, None, None, simulated, "clock_jumped")
    if seen.price_usd is None or seen.price_usd <= 0 or seen.price_ms is None:
        return Verdict("unknown", None, None, None, simulated, seen.reason or "no_price")
    stored_usd = base_usd
    base_usd = adjusted(base_usd, base_ms, seen.splits) if base_usd is not None else None
    if base_usd is None or not math.isfinite(change := (seen.price_usd / base_usd - 1) * 100 if base_usd else math.inf):
        return Verdict("unknown", seen.price_usd, seen.price_ms, None, seen.simulated, "no_base")
    if seen.simulated != simulated:
        return Verdict("unknown", None, None, None, simulated, "mixed")
    if seen.price_ms < base_ms:
        return Verdict("unknown", seen.price_usd, seen.price_ms, None, simulated, "no_trade")
    if is_like_split(base_usd, base_ms, seen.price_usd, seen.price_ms, seen.days):
        return Verdict("unknown", seen.price_usd, seen.price_ms, None, simulated, "split")
    return Verdict("settled", seen.price_usd, seen.price_ms, change, simulated,
                   base_usd=base_usd if base_usd != stored_usd else None)
