"""Stamps over jumps of the wall clock, against a clock whose true time is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.jumps import MOST, MOST_UNSURE_MS, SLACK_MS, Jump, before, noticed, present

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOON_MS = 1_767_362_400_000
FORWARD, BACK = Jump(NOON_MS, 2 * DAY_MS), Jump(NOON_MS, -HOUR_MS)


def test_without_a_jump_stamps_are_what_they_are() -> None:
    """Only a stamp of the future, which another clock made, counts as now."""
    assert present(NOON_MS - 5, NOON_MS, ()) == NOON_MS - 5
    assert present(NOON_MS + 5, NOON_MS, ()) == NOON_MS
    assert before(NOON_MS, HOUR_MS, ()) == NOON_MS - HOUR_MS


@pytest.mark.parametrize(("jump", "stamp_ms", "age_ms"), [
    (FORWARD, NOON_MS - 5_000, 15_000), (FORWARD, NOON_MS, 10_000), (FORWARD, NOON_MS + 2 * DAY_MS + 4_000, 6_000),
    (BACK, NOON_MS - 5_000, 15_000), (BACK, NOON_MS, 10_000), (BACK, NOON_MS - HOUR_MS - 5_000, HOUR_MS + 15_000),
    (BACK, NOON_MS - HOUR_MS + 4_000, 6_000),  # shown twice: the second time counts
])
def test_an_age_over_a_jump_is_the_time_that_passed(jump: Jump, stamp_ms: int, age_ms: int) -> None:
    """Ten seconds after the jump a stamp is as old as it is, whichever side of the jump it is from."""
    now_ms = jump.at_ms + jump.by_ms + 10_000
    assert now_ms - present(stamp_ms, now_ms, (jump,)) == age_ms


def test_a_jump_that_is_noticed_late_parts_the_stamps_rightly() -> None:
    """What was stamped between jump and notice is from after it, at the most a minute long and half of the jump."""
    (jump,) = noticed((), NOON_MS - HOUR_MS + 9_000, -HOUR_MS, 10_000)
    now_ms = jump.at_ms + jump.by_ms + 5_000
    assert present(NOON_MS - HOUR_MS + 1_000, now_ms, (jump,)) == NOON_MS - HOUR_MS + 1_000
    assert present(NOON_MS - HOUR_MS - 2_000, now_ms, (jump,)) == NOON_MS - 2 * HOUR_MS - 2_000
    assert noticed((), NOON_MS, 10**9, 10**9)[0].unsure_ms == MOST_UNSURE_MS
    assert noticed((), NOON_MS, 3_000, 10**9)[0].unsure_ms == 1_500


def test_only_the_newest_jumps_are_kept() -> None:
    """A clock that is set every minute fills no disk."""
    jumps: tuple[Jump, ...] = ()
    for number in range(MOST + 5):
        jumps = noticed(jumps, NOON_MS + number, 5_000, 0)
    assert len(jumps) == MOST
    assert jumps[-1].at_ms == NOON_MS + MOST + 4 - 5_000


def test_nothing_is_deleted_for_a_jump_and_what_is_old_is() -> None:
    """After +2 days an hour's retention reaches back an hour of true time; when an hour has passed, to the jump."""
    after_ms = NOON_MS + 2 * DAY_MS
    assert before(after_ms + 60_000, HOUR_MS, (FORWARD,)) == NOON_MS + 60_000 - HOUR_MS
    assert before(after_ms + HOUR_MS - 1, HOUR_MS, (FORWARD,)) == NOON_MS - 1
    assert before(after_ms + HOUR_MS, HOUR_MS, (FORWARD,)) == after_ms


spans = st.lists(st.tuples(st.integers(1_000, 4 * HOUR_MS), st.integers(-3 * DAY_MS, 3 * DAY_MS)), max_size=6)


@given(spans, st.integers(0, 4 * HOUR_MS), st.integers(1, 30 * DAY_MS), st.data())
def test_no_age_is_negative_and_nothing_young_is_deleted(stretches: list[tuple[int, int]], last_ms: int, keep_ms: int,
                                                         data: st.DataObject) -> None:
    """Over any jumps: what `before` allows to delete is truly older; ages are at least 0."""
    true_ms, wall_ms, jumps = 0, NOON_MS, ()
    stamps: list[tuple[int, int]] = []  # (true time, stamp)
    for span_ms, by_ms in [*stretches, (last_ms, 0)]:
        inside_ms = data.draw(st.integers(0, span_ms))
        stamps.append((true_ms + inside_ms, wall_ms + inside_ms))
        true_ms, wall_ms = true_ms + span_ms, wall_ms + span_ms
        if by_ms:
            wall_ms += by_ms
            jumps = noticed(jumps, wall_ms, by_ms, 0)
    cutoff_ms = before(wall_ms, keep_ms, jumps)
    for then_ms, stamp_ms in stamps:
        assert present(stamp_ms, wall_ms, jumps) <= wall_ms
        assert stamp_ms >= cutoff_ms or true_ms - then_ms >= keep_ms


@given(spans, st.integers(0, HOUR_MS))
def test_the_last_stretch_is_told_exactly(stretches: list[tuple[int, int]], last_ms: int) -> None:
    """A stamp since the last jump is never moved."""
    wall_ms, jumps = NOON_MS, ()
    for span_ms, by_ms in stretches:
        wall_ms += span_ms + by_ms
        jumps = noticed(jumps, wall_ms, by_ms, 0)
    for stamp_ms in (wall_ms, wall_ms + last_ms):
        assert present(stamp_ms, wall_ms + last_ms, jumps) == stamp_ms
    assert SLACK_MS < 1_000
