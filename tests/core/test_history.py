"""How alerts of a kind have done: figures against plain counting, and which of them are told."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.core.history import change_text, history_of, history_text, place_of_low, span_label, span_ms, usual
from catalyst.messages import History

TIMES = History("fda_approval", "1h", 41, -6.24, -9.1, -3.0, 0.73)


def other(horizon: str, n: int = 20) -> History:
    return History("fda_approval", horizon, n, 0.0, -1.0, 1.0, 0.5)


@pytest.mark.parametrize(("n", "place"), [(1, 0), (5, 0), (6, 1), (8, 1), (9, 2), (20, 6), (100, 40), (1_000, 469)])
def test_ends_of_the_interval(n: int, place: int) -> None:
    """The ranks of the tables for the sign test at 95 %."""
    assert place_of_low(n) == place


@settings(max_examples=60)
@given(st.integers(1, 300))
def test_the_interval_is_the_narrowest_that_holds(n: int) -> None:
    """Of all throws of n coins at most a fortieth leaves the median below the low end; one rank further in, more."""
    def share_below(place: int) -> float:
        return sum(comb(n, heads) for heads in range(place)) / 2 ** n

    place = place_of_low(n)
    assert share_below(place) <= 0.025 < share_below(place + 1)
    assert place == 0 or place <= n - place


@settings(max_examples=100)
@given(st.lists(st.floats(-100, 1e6), max_size=120))
def test_figures(changes: list[float]) -> None:
    """Number, median, ends and share that fell, each as counted by hand; nothing of nothing."""
    found = history_of("merger", "4h", iter(changes))
    if not changes:
        assert found is None
        return
    assert found is not None
    ordered, half = sorted(changes), len(changes) // 2
    assert (found.kind, found.horizon, found.n) == ("merger", "4h", len(changes))
    middle = ordered[half] if len(changes) % 2 else (ordered[half - 1] + ordered[half]) / 2
    assert found.median_pct == pytest.approx(middle)
    assert found.down_share == len([change for change in changes if change < 0]) / len(changes)
    if len(changes) < 6:
        assert found.low_pct is found.high_pct is None
    else:
        place = place_of_low(len(changes))
        assert (found.low_pct, found.high_pct) == (ordered[place - 1], ordered[len(changes) - place])
        assert ordered[0] <= found.low_pct <= found.median_pct <= found.high_pct <= ordered[-1]


def test_the_one_nearest_to_an_hour_is_told() -> None:
    """Of those with twenty alerts or more; the shorter of two as near."""
    known = [other("15m"), other("30m"), other("4h"), other("1d")]
    assert usual(known) == other("30m")
    assert usual([*known, other("1h", 19)]) == other("30m")
    assert usual([*known, other("90m"), TIMES]) == TIMES
    assert usual([other("90m"), other("30m")]) == other("30m")
    assert usual([other("1h", 19)]) is usual([]) is None


@pytest.mark.parametrize(("horizon", "long_ms", "label"), [
    ("5s", 5_000, "5 s"), ("15m", 900_000, "15 min"), ("4h", 14_400_000, "4 h"), ("7d", 604_800_000, "7 d"),
    ("soon", 0, "soon"), ("", 0, ""), ("0m", 0, "0m"), ("1h ", 0, "1h ")])
def test_horizons(horizon: str, long_ms: int, label: str) -> None:
    """As a length and as words; what is none stays as it is."""
    assert (span_ms(horizon), span_label(horizon)) == (long_ms, label)


def test_words() -> None:
    """Number, horizon, median with its interval and the share that fell; fewer than twenty are an anecdote."""
    assert history_text(TIMES) == "n=41, 1 h median -6.2 % (-9.1 to -3.0), 73% down"
    assert history_text(other("1h", 19)) == history_text(None) == ""


@pytest.mark.parametrize(("change_pct", "text"), [(4.23, "+4.2"), (-0.04, "+0.0"), (0.0, "+0.0"), (2e7, "+2.0e+07"),
                                                  (-12_345.67, "-12,345.7")])
def test_a_change_as_it_is_read(change_pct: float, text: str) -> None:
    """One place behind the point, and a nought has no minus."""
    assert change_text(change_pct) == text
