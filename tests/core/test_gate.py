"""The price gate at and around its limits."""

from __future__ import annotations

import pytest

from catalyst.core.gate import price_gate
from catalyst.core.quotes import Quote


@pytest.mark.parametrize(("price_usd", "ceiling", "floor", "watched", "reason"), [
    (None, 10, 0.1, False, None),
    (10.0, 10, 0.1, False, None), (10.01, 10, 0.1, False, "price_ceiling"), (10.01, 10, 0.1, True, None),
    (10.01, 0, 0.1, False, None), (1e9, 0, 0, False, None),
    (0.1, 10, 0.1, False, None), (0.0999, 10, 0.1, False, "price_floor"), (0.0999, 10, 0.1, True, "price_floor"),
    (0.0001, 10, 0, False, None),
])
def test_gate(price_usd: float | None, ceiling: float, floor: float, watched: bool, reason: str | None) -> None:
    """Limits themselves pass, 0 means none, an unknown price passes, a watched ticker has no ceiling."""
    quote = None if price_usd is None else Quote("ABCD", price_usd, None, None, None, "yahoo")
    assert price_gate(quote, ceiling_usd=ceiling, floor_usd=floor, watched=watched) == reason
