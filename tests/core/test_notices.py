"""What is told of damaged databases, links, troubles and clocks."""

from __future__ import annotations

import pytest

from catalyst.core.notices import GONE_WITH, aside_notice, links_notice
from catalyst.runtime.roster import ALL


@pytest.mark.parametrize("actor", ALL)
def test_every_actor_says_what_is_gone_with_its_database(actor: str) -> None:
    """File, reason, what is refilled and what is not; a notice that fits."""
    notice = aside_notice(actor, f"{actor}-1", f"/home/db/aside/{actor}-1", "the file is cut off", 21_600, 5)
    text = notice.text
    assert actor in notice.title
    assert f"/home/db/aside/{actor}-1" in text
    assert text.startswith("the file is cut off. ")
    assert ("last 6 h is sent" in text) is (actor not in ("fetcher", "supervisor", "web"))
    assert GONE_WITH[actor] in text
    assert len(text) < 1_000


def test_links_that_were_out_of_step_are_named() -> None:
    """Each actor with its count."""
    assert links_notice({"market": 2, "alerter": 1}, "market:7:2", 5).text.startswith("alerter 1, market 2. ")
