"""tracker on its real database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from actors.tracker import MOST_ITEMS, Tracker
from catalyst.errors import UsageError
from catalyst.messages import AlertPosted, ItemDropped
from catalyst.testing import START_MS, Bench, same

POSTED = AlertPosted(item_id="i1", alert_id="a1", ticker="ACME", kinds=("fda_approval",), direction="up", score=0.8,
                     price_usd=4.2, simulated=False, posted_ms=START_MS)
DROPPED = ItemDropped(item_id="i1", stage="market", reason="price_ceiling", ticker="RICH", kinds=("fda_approval",),
                      score=0.8, dropped_ms=START_MS)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(Tracker, tmp_path) as tracker:
        yield tracker


def test_an_alert(bench: Bench) -> None:
    """What was alerted, with ticker, kinds and score."""
    assert bench.send(POSTED) == []
    assert bench.verb("fates", ids=["i1", "unknown"]) == {"fates": {"i1": {
        "fate": "alerted", "reason": None, "ticker": "ACME", "kinds": ["fda_approval"], "score": 0.8,
        "alert_id": "a1"}}, "next": None}


def test_a_drop_without_a_ticker(bench: Bench) -> None:
    """An item that ended early has a reason and nothing else."""
    bench.send(ItemDropped(item_id="i2", stage="fetcher", reason="duplicate:i1", dropped_ms=START_MS))
    assert bench.verb("fates", ids=["i2"])["fates"]["i2"] == {
        "fate": "dropped", "reason": "duplicate:i1", "ticker": None, "kinds": [], "score": None, "alert_id": None}


def test_the_best_fact_wins_in_any_order(tmp_path: Path) -> None:
    """Alerted for one ticker, dropped for another, dead for a third, folded: the item is alerted by itself."""
    facts = [POSTED, DROPPED, same(DROPPED, ticker="DEAD", fate="dead", reason="undelivered", stage="alerter"),
             same(POSTED, alert_id="a0", folded=True), same(DROPPED, ticker="ACME", reason="price_floor")]
    for number, order in enumerate(permutations(facts)):
        if number % 10:
            continue  # twelve of 120 orders are enough
        with Bench(Tracker, tmp_path / str(number)) as bench:
            for message in order:
                bench.send(message)
            fate = bench.verb("fates", ids=["i1"])["fates"]["i1"]
            assert (fate["fate"], fate["reason"], fate["ticker"], fate["alert_id"]) == ("alerted", None, "ACME", "a1")


def test_a_duplicate_that_was_folded_is_alerted(bench: Bench) -> None:
    """The fetcher drops it as a duplicate, the alerter folds it into the alert."""
    bench.send(ItemDropped(item_id="j1", stage="fetcher", reason="duplicate:i1", dropped_ms=START_MS))
    bench.send(same(POSTED, item_id="j1", folded=True))
    fate = bench.verb("fates", ids=["j1"])["fates"]["j1"]
    assert (fate["fate"], fate["reason"]) == ("alerted", "folded")


def test_pages_since_a_time(bench: Bench) -> None:
    """All items of a time come, a page at a time, each once."""
    for number in range(MOST_ITEMS + 5):
        bench.send(ItemDropped(item_id=f"n{number:05}", stage="classifier", reason="no_ticker",
                               dropped_ms=START_MS + number))
    first = bench.verb("fates", since_ms=START_MS + 2)
    second = bench.verb("fates", since_ms=START_MS + 2, after=first["next"])
    assert len(first["fates"]) == MOST_ITEMS
    assert second["next"] is None
    assert sorted([*first["fates"], *second["fates"]]) == [f"n{number:05}" for number in range(2, MOST_ITEMS + 5)]


@pytest.mark.parametrize("arguments", [{"ids": "i1"}, {"ids": [1]}, {"ids": ["x"] * (MOST_ITEMS + 1)},
                                       {"since_ms": "yesterday"}, {"after": 5}])
def test_wrong_arguments(bench: Bench, arguments: dict[str, object]) -> None:
    """A wrong question is the asker's fault."""
    with pytest.raises(UsageError):
        bench.verb("fates", **arguments)


def test_facts_survive_a_kill_and_go_after_thirty_days(bench: Bench) -> None:
    """A restart loses nothing; pruning takes what is old."""
    bench.send(POSTED)
    bench.restart()
    assert bench.verb("fates", ids=["i1"])["fates"]
    bench.clock.advance(31 * 86_400)
    bench.tick("prune")
    assert bench.verb("fates", ids=["i1"])["fates"] == {}
