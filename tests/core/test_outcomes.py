"""Horizons, the waits of a price that does not come, and what a price says about an alert."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.outcomes import (
    GIVE_UP_MS,
    Horizon,
    Verdict,
    Watch,
    answer,
    is_lasting,
    judge,
    next_try_ms,
    parse_horizons,
)
from catalyst.core.quotes import Charted, Quote
from catalyst.errors import ConfigError
from catalyst.messages import Bar, PriceSeen
from catalyst.settings import defaults
from catalyst.testing import START_MS, same

SEEN = PriceSeen(item_id="i1", ticker="ACME", horizon="15m", due_ms=START_MS + 900_000, price_usd=5.0,
                 price_ms=START_MS + 890_000, simulated=False, provider="yahoo")
WATCH = Watch("i1", "ACME", "15m", START_MS)
CHARTED = Charted(Quote("ACME", 9.0, None, None, None, "yahoo"), (Bar(START_MS - 60_000, 4.0, 4.5, 4.0, 4.4, 1),))


def test_the_default_horizons() -> None:
    """15 minutes to a week, in milliseconds."""
    assert [horizon.after_ms // 1000 for horizon in parse_horizons(defaults().horizons)] == [
        900, 1800, 3600, 14_400, 86_400, 604_800]


def test_horizons_by_length() -> None:
    """Any order is put right; none is allowed."""
    assert parse_horizons(("1d", "5s", "20d")) == (Horizon("5s", 5_000), Horizon("1d", 86_400_000),
                                                   Horizon("20d", 1_728_000_000))
    assert parse_horizons(()) == ()


@pytest.mark.parametrize("wrong", ["", "15", "m", "0m", "-5m", "1.5h", "15 m", "15M", "1w", "21d", "٣m", "015m",
                                   "99999999s", "15m\n"])
def test_a_wrong_horizon_is_named(wrong: str) -> None:
    """The message says which one it is."""
    with pytest.raises(ConfigError) as caught:
        parse_horizons(("15m", wrong))
    assert repr(wrong) in str(caught.value)


def test_the_same_length_twice_and_too_many() -> None:
    """60m beside 1h would count one price twice; the number has a bound."""
    with pytest.raises(ConfigError, match=r"'60m' is as long as '1h'"):
        parse_horizons(("1h", "60m"))
    with pytest.raises(ConfigError, match="at most 20"):
        parse_horizons([f"{n}m" for n in range(1, 22)])


def test_the_waits_double_up_to_an_hour() -> None:
    """5 s, 10 s, ... 10 minutes, for each watch up to a quarter less in a way of its own; the last request an hour
    after the first, then none."""
    now_ms, watch, moments = START_MS, WATCH, []
    while (now_next := next_try_ms(watch, START_MS, now_ms)) is not None:
        moments.append(now_next - START_MS)
        now_ms, watch = now_next, replace(watch, tries=watch.tries + 1)
    assert all(most * 0.75 <= at_ms <= most
               for most, at_ms in zip((5_000, 15_000, 35_000, 75_000), moments, strict=False))
    assert moments[-1] == GIVE_UP_MS
    assert 450_000 <= max(later - first for first, later in pairwise(moments)) <= 600_000
    assert len(moments) < 20
    others = {next_try_ms(replace(WATCH, item_id=f"i{number}"), START_MS, START_MS) for number in range(9)}
    assert len(others) > 5


@pytest.mark.parametrize(("reasons", "lasting"), [
    (("yahoo:unknown_ticker",), True), (("yahoo:currency", "simulated:wrong_ticker"), True),
    (("yahoo:timeout", "simulated:unknown_ticker"), False), (("yahoo:status_429",), False), ((), False)])
def test_faults_that_stay(reasons: tuple[str, ...], lasting: bool) -> None:
    """Only where every provider's fault is one that asking again does not change."""
    assert is_lasting(reasons) is lasting


@pytest.mark.parametrize(("watch", "charted", "reasons", "expected"), [
    (WATCH, CHARTED, (), (4.4, START_MS - 60_000, "")),
    (Watch("i1", "ACME", "15m", START_MS), CHARTED, ("other:timeout",), (4.4, START_MS - 60_000, "")),
    (Watch("i1", "ACME", "15m", START_MS - 1), CHARTED, (), (None, None, "no_price")),
    (WATCH, None, ("yahoo:unknown_ticker",), (None, None, "yahoo:unknown_ticker")),
    (WATCH, None, ("yahoo:timeout",), 5_000),
    (WATCH, None, (), 5_000),
    (Watch("i1", "ACME", "15m", START_MS, 2, START_MS), None, ("yahoo:timeout",), 20_000),
    (Watch("i1", "ACME", "15m", START_MS, 9, START_MS + 10_000 - GIVE_UP_MS), None, ("yahoo:timeout",),
     (None, None, "yahoo:timeout")),
    (Watch("i1", "ACME", "15m", START_MS, 9, 1), None, (), (None, None, "no_provider")),
])
def test_answer_of_a_watch(watch: Watch, charted: Charted | None, reasons: tuple[str, ...], expected: Any) -> None:
    """The price of its moment, the time of the next request, or the reason why there is no price."""
    found = answer(watch, charted, reasons, START_MS + 10_000)
    if isinstance(expected, int):
        assert isinstance(found, int)
        assert expected * 0.75 <= found - (START_MS + 10_000) <= expected
        return
    assert isinstance(found, PriceSeen)
    assert (found.price_usd, found.price_ms, found.reason) == expected
    assert (found.item_id, found.ticker, found.horizon, found.due_ms) == ("i1", "ACME", "15m", watch.due_ms)
    assert found.provider == ("yahoo" if expected[0] else None)


NOTHING = same(SEEN, price_usd=None, price_ms=None, provider=None)


@pytest.mark.parametrize(("base_usd", "simulated", "seen", "verdict"), [
    (4.0, False, SEEN, Verdict("settled", 5.0, SEEN.price_ms, 25.0, False)),
    (4.0, True, same(SEEN, simulated=True), Verdict("settled", 5.0, SEEN.price_ms, 25.0, True)),
    (4.0, False, same(SEEN, price_ms=START_MS), Verdict("settled", 5.0, START_MS, 25.0, False)),
    (4.0, False, same(SEEN, price_ms=START_MS - 1), Verdict("unknown", 5.0, START_MS - 1, None, False, "no_trade")),
    (4.0, False, same(SEEN, simulated=True), Verdict("unknown", None, None, None, False, "mixed")),
    (4.0, True, SEEN, Verdict("unknown", None, None, None, True, "mixed")),
    (None, False, SEEN, Verdict("unknown", 5.0, SEEN.price_ms, None, False, "no_base")),
    (None, False, same(SEEN, simulated=True), Verdict("unknown", 5.0, SEEN.price_ms, None, True, "no_base")),
    (0.0, False, SEEN, Verdict("unknown", 5.0, SEEN.price_ms, None, False, "no_base")),
    (5e-324, False, SEEN, Verdict("unknown", 5.0, SEEN.price_ms, None, False, "no_base")),
    (4.0, False, NOTHING, Verdict("unknown", None, None, None, False, "no_price")),
    (4.0, True, same(NOTHING, reason="yahoo:timeout"), Verdict("unknown", None, None, None, True, "yahoo:timeout")),
    (4.0, False, same(SEEN, price_usd=0.0), Verdict("unknown", None, None, None, False, "no_price")),
])
def test_what_a_price_says(base_usd: float | None, simulated: bool, seen: PriceSeen, verdict: Verdict) -> None:
    """A return only between two known prices of one kind, the second not older than the alert."""
    assert judge(base_usd, START_MS, simulated, seen) == verdict


@given(st.none() | st.floats(0, 1e12), st.booleans(), st.none() | st.floats(0, 1e12),
       st.none() | st.integers(0, 2 * START_MS), st.booleans())
def test_a_return_is_a_number_or_nothing(base_usd: float | None, simulated: bool, price_usd: float | None,
                                         price_ms: int | None, seen_simulated: bool) -> None:
    """Whatever comes, a return is finite, at least -100 %, and never between prices of two kinds or from before."""
    verdict = judge(base_usd, START_MS, simulated,
                    same(SEEN, price_usd=price_usd, price_ms=price_ms, simulated=seen_simulated))
    assert (verdict.return_pct is not None) == (verdict.state == "settled") == (verdict.reason is None)
    if verdict.return_pct is not None:
        assert math.isfinite(verdict.return_pct)
        assert verdict.return_pct >= -100
        assert simulated == seen_simulated == verdict.simulated
        assert price_ms is not None
        assert price_ms >= START_MS
