"""What is told of damaged databases and links."""

from __future__ import annotations

import pytest

from catalyst.core.losses import GONE_WITH, aside_notice, links_notice
from catalyst.runtime.roster import ALL


@pytest.mark.parametrize("actor", ALL)
def test_every_actor_says_what_is_gone_with_its_database(actor: str) -> None:
    """File, reason, what is refilled and what is not; a notice that fits."""
    title, text = aside_notice(actor, f"/home/db/aside/{actor}-1", "the file is cut off", 21_600)
    assert actor in title
    assert f"/home/db/aside/{actor}-1" in text
    assert text.startswith("the file is cut off. ")
    assert ("last 6 h is sent" in text) is (actor not in ("fetcher", "supervisor", "web"))
    assert GONE_WITH[actor] in text
    assert len(text) < 1_000


def test_links_that_were_out_of_step_are_named() -> None:
    """Each actor with its count."""
    assert links_notice({"market": 2, "alerter": 1})[1].startswith("alerter 1, market 2. ")
