"""What counts as trouble of a living process, and what does not."""

from __future__ import annotations

import pytest

from catalyst.core.watch import DRAIN_S, END_S, Limits, Signs, excused_s, trouble

MB = 1_000_000
LIMITS = Limits(300 * MB, 600 * MB)


@pytest.mark.parametrize(("signs", "kind", "patience_s"), [
    (Signs(3.0, "T"), "silent", 0.0),
    (Signs(3.0, "t"), "silent", 0.0),
    (Signs(6.0, "R"), "silent", END_S),
    (Signs(3.0, "T", is_starting=True), "silent", 0.0),
    (Signs(180.0, "R", is_starting=True), "silent", END_S),
    (Signs(6.0, ""), "silent", END_S),
    (Signs(0.5, current="StoryFound x", current_age_s=2.6, current_limit_s=2.5), "stuck", END_S),
    (Signs(0.5, job="deliver", job_age_s=15.1, job_limit_s=15.0), "slow_job", DRAIN_S),
    (Signs(0.5, anonymous_bytes=300 * MB), "swollen", DRAIN_S),
    (Signs(0.5, anonymous_bytes=600 * MB), "too_big", 0.0),
    (Signs(9.0, "T", anonymous_bytes=700 * MB), "too_big", 0.0),
])
def test_trouble_is_told_apart(signs: Signs, kind: str, patience_s: float) -> None:
    """Silent, stuck, a slow job, swollen and too big are different troubles, ended with different patience."""
    found = trouble(signs, LIMITS)
    assert found is not None
    assert (found.kind, found.patience_s) == (kind, patience_s)
    assert found.detail


@pytest.mark.parametrize("signs", [
    Signs(2.9, "T"), Signs(5.9, "R"), Signs(179.0, "R", is_starting=True), Signs(5.9, "D"), Signs(0.0),
    Signs(0.5, current="StoryFound x", current_age_s=2.5, current_limit_s=2.5),
    Signs(0.5, current="", current_age_s=900.0, current_limit_s=0.0),
    Signs(0.5, job="read", job_age_s=60.0, job_limit_s=60.0),
    Signs(0.5, anonymous_bytes=300 * MB - 1), Signs(0.5, anonymous_bytes=None),
])
def test_what_is_within_its_limits_is_left_alone(signs: Signs) -> None:
    """A late beat of a running process, a limit just reached, an idle loop and unknown memory are no trouble."""
    assert trouble(signs, LIMITS) is None


@pytest.mark.parametrize(("signs", "blame"), [
    (Signs(3.0, "T"), ""), (Signs(6.0, "R"), "any"), (Signs(0.5, anonymous_bytes=700 * MB), "any"),
    (Signs(0.5, current="StoryFound x", current_age_s=2.6, current_limit_s=2.5), "message"),
    (Signs(0.5, current="done_deliver x", current_age_s=2.6, current_limit_s=2.5), "any"),
    (Signs(0.5, current="prune", current_age_s=2.6, current_limit_s=2.5), "any"),
    (Signs(0.5, job="deliver", job_age_s=15.1, job_limit_s=15.0), "job")])
def test_only_what_may_have_done_it_is_blamed(signs: Signs, blame: str) -> None:
    """A message that hangs is not the fault of the jobs beside it, a slow job not of the messages; who was stopped from
    outside did nothing."""
    found = trouble(signs, LIMITS)
    assert found is not None
    assert found.blame == blame


def test_no_limit_means_no_trouble_of_memory() -> None:
    """A limit of 0 switches the rule off."""
    assert trouble(Signs(0.5, anonymous_bytes=10**12), Limits(0, 0)) is None


def test_a_watcher_that_slept_knows_nothing() -> None:
    """A gap in its own looking is not counted as silence of the others; what it watched is."""
    assert excused_s(1.0) == 1.0
    assert excused_s(0.9) == 0.0
