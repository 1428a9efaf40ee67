"""RSI and MACD against values worked out by hand and against their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.indicators import average, macd, rsi

closes = st.lists(st.floats(1e-6, 1e9), max_size=80)


def test_rsi_of_steady_moves() -> None:
    """Only gains are 100, only losses 0, no move 50; before 14 changes there is none."""
    assert rsi([float(number) for number in range(1, 17)])[13:] == [None, 100.0, 100.0]
    assert rsi([float(number) for number in range(17, 0, -1)])[14] == 0.0
    assert rsi([5.0] * 15)[14] == 50.0


def test_rsi_by_hand() -> None:
    """Two bars: gains 2 and 0, losses 0 and 1 are 66.7; then a gain of 1 smooths to 77.8."""
    assert rsi([10.0, 12.0, 11.0, 12.0], bars=2) == [None, None, pytest.approx(100 * 2 / 3), pytest.approx(80.0)]


def test_macd_of_flat_and_rising_prices() -> None:
    """Flat prices have none; in rising ones the fast average leads. The line begins at 26 bars, the signal at 34."""
    pairs = macd([5.0] * 40)
    assert pairs[24] == (None, None)
    assert pairs[25] == (0.0, None)
    assert pairs[33] == (0.0, 0.0)
    assert macd([float(number) for number in range(1, 41)])[-1][0] == pytest.approx(7.0)
    assert average([1.0, 2.0, 6.0], 2) == [None, 1.5, pytest.approx(4.5)]


@given(closes)
def test_any_prices_give_bounded_values(prices: list[float]) -> None:
    """One value a close; RSI stays within 0 and 100."""
    values = rsi(prices)
    assert len(values) == len(macd(prices)) == len(prices)
    assert all(value is None or -1e-9 <= value <= 100 + 1e-9 for value in values)
