"""An item's fate out of several facts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.fates import FOLDED, Fate, best


def fact(fate: str, reason: str | None = None, stage: str = "market") -> Fate:
    return Fate(fate, reason, "ACME", stage, (), 0.5)


def test_order() -> None:
    """Alerted before dead before dropped; an own alert before a folded one; the later stage before the earlier."""
    alerted, folded = fact("alerted", None, "alerter"), fact("alerted", FOLDED, "alerter")
    dead = fact("dead", "undelivered", "alerter")
    late, early = fact("dropped", "price_ceiling"), fact("dropped", "noise", "classifier")
    assert best([early, late, dead, folded, alerted]) == alerted
    assert best([early, late, dead, folded]) == folded
    assert best([early, late, dead]) == dead
    assert best([early, late]) == late


facts = st.builds(Fate, st.sampled_from(["alerted", "dead", "dropped"]), st.sampled_from([None, "a", "b", FOLDED]),
                  st.sampled_from(["", "A", "B"]), st.sampled_from(["fetcher", "market", "other"]), st.just(()),
                  st.none() | st.floats(0, 1), st.none() | st.just("x"))


@given(st.lists(facts, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(found: list[Fate], random: object) -> None:
    """Any shuffle gives the same fate."""
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert best(shuffled) == best(found)
