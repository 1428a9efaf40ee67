"""When a dead actor starts again: at once, later and later, parked, and back to calm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.restarts import (
    CAP_S,
    INTENSITY,
    JITTER,
    PARKED_AFTER,
    PERIOD_S,
    STABLE_S,
    RestartState,
    after_death,
)


def test_the_first_death_restarts_at_once() -> None:
    """An actor that ran a while and dies is started without delay, however often that happens in an hour."""
    state = RestartState()
    for number in range(100):
        state, delay_s = after_death(state, 30.0, number * 36.0, 0.5)
        assert (delay_s, state.quick, state.is_parked) == (0.0, 1, False)


def test_quick_deaths_wait_longer_and_park() -> None:
    """Each quick death doubles the delay; after eight in a row the actor is parked and tried at the cap."""
    state, now_s, delays = RestartState(), 0.0, []
    for _ in range(PARKED_AFTER + 3):
        state, delay_s = after_death(state, 0.0, now_s, 0.5)
        delays.append(delay_s)
        now_s += delay_s + 0.05
    assert delays[:7] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert state.is_parked
    assert delays[PARKED_AFTER - 1:] == [CAP_S] * 4


def test_a_start_that_lasts_ends_the_parking() -> None:
    """Once the actor stayed up, its next death counts as the first."""
    state = RestartState(quick=50)
    assert state.is_parked
    state, delay_s = after_death(state, STABLE_S, 1_000.0, 0.5)
    assert (state.is_parked, delay_s) == (False, 0.0)


def test_too_many_deaths_in_a_minute_park_too() -> None:
    """Deaths of an actor that lives a second each time are no single event: over the intensity it is parked."""
    state = RestartState()
    for number in range(INTENSITY):
        state, _ = after_death(state, STABLE_S, number * PERIOD_S / INTENSITY, 0.5)
    assert state.is_parked
    state, _ = after_death(state, STABLE_S, 10 * PERIOD_S, 0.5)
    assert not state.is_parked


@given(st.integers(0, 200), st.floats(0, 10), st.floats(0, 0.999))
def test_delays_are_bounded(quick: int, lived_s: float, chance: float) -> None:
    """Whatever happened before, the next start is due within the cap and its jitter: nobody is given up."""
    _, delay_s = after_death(RestartState(quick), lived_s, 5.0, chance)
    assert 0 <= delay_s <= CAP_S * (1 + JITTER)
