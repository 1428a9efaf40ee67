"""When a provider that fails is asked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.breaker import FAULTS, LONGEST_S, PROBE_S, Breaker, answered, asked, failed


def opened(now_s: float = 100.0) -> Breaker:
    state = Breaker()
    for _ in range(FAULTS):
        state = failed(state, "timeout", now_s, is_probe=False)
    return state


def test_three_faults_in_a_row_open_it() -> None:
    """An answer between them begins the count anew."""
    state = Breaker()
    for _ in range(FAULTS - 1):
        state = failed(state, "timeout", 1.0, is_probe=False)
    assert asked(state, 1.0) == state
    state = failed(answered(state, 1.0), "reset", 2.0, is_probe=False)
    assert not state.is_open
    assert asked(opened(), 100.9) is None


def test_one_probe_at_a_time_and_doubled_pauses() -> None:
    """After each pause one request goes out; its failure doubles the pause up to 30 s, its answer ends it."""
    state, now_s, pauses = opened(), 100.0, []
    for _ in range(7):
        pauses.append(state.until_s - now_s)
        now_s = state.until_s
        probing = asked(state, now_s)
        assert probing is not None
        assert asked(probing, now_s + 1) is None
        state = failed(probing, "timeout", now_s, is_probe=True)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert asked(answered(state, now_s), now_s) is not None


def test_late_answers_of_before_the_pause() -> None:
    """Requests that were under way when it opened make the pause no longer; one that is answered ends it."""
    state = opened()
    for _ in range(8):
        state = failed(state, "timeout", 100.5, is_probe=False)
    assert (state.until_s, state.faults) == (101.0, FAULTS + 8)
    assert not answered(state, 100.6).is_open


def test_a_probe_that_never_comes_back_gives_way() -> None:
    """What breaks in a probe must not close the provider for good."""
    probing = asked(opened(), 101.0)
    assert probing is not None
    assert asked(probing, 101.0 + PROBE_S) is not None


def test_what_the_operator_hears() -> None:
    """Half a minute with a failed probe is a long outage; a minute of answers ends it, a short return does not."""
    state = opened(0.0)
    assert not state.is_long(100.0)
    state = failed(state, "timeout", 20.0, is_probe=True)
    assert [state.is_long(now_s) for now_s in (29.0, 30.0)] == [False, True]
    back = answered(answered(state, 40.0), 90.0)
    assert [back.is_over(now_s) for now_s in (99.0, 100.0)] == [False, True]
    for _ in range(FAULTS):
        back = failed(back, "timeout", 95.0, is_probe=False)
    assert not back.is_over(500.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 40)), max_size=40))
def test_it_is_never_closed_for_good(events: list[tuple[bool, float]]) -> None:
    """Whatever came, after the longest pause somebody may ask."""
    state, now_s = Breaker(), 0.0
    for is_answered, wait_s in events:
        now_s += wait_s
        probing = asked(state, now_s)
        if probing is not None:
            is_probe = state.is_open
            state = answered(probing, now_s) if is_answered else failed(probing, "reset", now_s, is_probe=is_probe)
    assert asked(state, now_s + LONGEST_S) is not None
