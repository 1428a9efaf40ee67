"""Which of several facts about an item is its fate. The answer does not depend on the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

RANKS = {"alerted": 2, "dead": 1, "dropped": 0}
# Of two drops of one item and ticker the one that came further along the flow tells more.
STAGES = ("fetcher", "sec", "classifier", "market", "alerter")
FOLDED = "folded"  # reason of an item that went out as an update of an earlier alert
UNDELIVERED, TOO_OLD = "undelivered", "too_old"  # of one that no sink took; of one that waited for a sink for too long


@dataclass(frozen=True, slots=True)
class Fate:
    """One fact: what became of an item for `ticker`, which is empty where the item ended before one was found."""

    fate: str  # alerted, dead or dropped
    reason: str | None
    ticker: str
    stage: str
    kinds: tuple[str, ...]
    score: float | None
    alert_id: str | None = None

    def weight(self) -> tuple[int, bool, int, float, str, str, str]:
        """Facts compare by this: the better fate, an alert of its own, the later stage, the score, then names."""
        stage = STAGES.index(self.stage) if self.stage in STAGES else -1
        return (RANKS[self.fate], self.reason != FOLDED, stage, self.score if self.score is not None else -1.0,
                self.ticker, self.reason or "", self.alert_id or "")


def best(facts: Iterable[Fate]) -> Fate:
    """The fact that is the item's fate. Raises ValueError where there is none."""
    return max(facts, key=Fate.weight)
