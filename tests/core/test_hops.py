"""The way of an item as its actors tell it."""

from __future__ import annotations

import pytest

from catalyst.core.hops import MOMENTS, join


@pytest.mark.parametrize(("sent", "received", "expected"), [
    ((10, 11, 40), (20, 30), [11, 20, 30, 40]),
    ((10, 25, 40), (20, 30), [20, 20, 30, 40]),  # sent again: the first one had arrived
    ((10, 11, 29), (20, 30), [11, 20, 29, 29]),  # the two saw a jump of the clock a millisecond apart
    ((10, 11, None), (20, 30), [11, 20, 30, None]), ((50, None, 40), (20, 30), [None, 20, 30, 40])])
def test_no_step_ends_before_it_begins(sent: tuple[int | None, ...], received: tuple[int, ...],
                                       expected: list[int | None]) -> None:
    """Moments in the order of their happening; what is not known stays unknown."""
    answers = {"market": {"sent": [["a1", "AlertReady", "alerter", *sent]], "received": []},
               "alerter": {"sent": [], "received": [["a1", "AlertReady", "market", *received]]}}
    (hop,) = join(answers)
    assert [hop[name] for name in MOMENTS] == expected
    assert hop["queued"] <= min(moment for moment in expected if moment is not None)
