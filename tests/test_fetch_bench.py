"""The bench of fetching, where it says what must always hold: a burst is taken whole, in order, in little memory."""

from __future__ import annotations

from catalyst.bench.fetch import BURST, SOURCES, burst, cycles
from catalyst.messages import StoryFound


def test_a_burst_of_two_thousand() -> None:
    """2,000 new items at once over twelve sources: none is lost, each source keeps its order, memory stays."""
    found, ordered, _, grown_mb = burst()
    assert (found, ordered) == (BURST, SOURCES)
    assert grown_mb < 50


def test_a_cycle_takes_what_is_new() -> None:
    """A cycle brings what each source shows for the first time; the next one, answered 304, nothing."""
    with cycles(0.0) as running:
        running.sources.publish(1, [20] * SOURCES)
        sent = running.run()[1]
        assert sum(isinstance(message, StoryFound) for message in sent) == SOURCES
        assert running.run()[1] == []
