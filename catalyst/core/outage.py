"""When a source counts as down and what the operator is told: once at the beginning, once at the end.

Where all sources, or all but at most one in ten, are down together, that is one outage, of the network or of the name
server, told once as a whole; afterwards only who stays down is told of by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

SPARED = 0.1  # the share of the sources that may answer while the rest counts as all
NEVER = 2**31  # as a limit: this outage is told in another way


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source does: failed or empty polls in a row (`streak`, begun at `outage_ms`), failed ones in a row
    (`failures`), and whether the operator was `told`.
    """

    streak: int = 0
    failures: int = 0
    outage_ms: int | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell: `episode` is the same for one outage, with `severity` behind it."""

    episode: str
    severity: Literal["info", "warning"]
    title: str
    text: str


def after_poll(before: Standing, name: str, outcome: str, *, failed: bool, had_items: bool, now_ms: int,
               limit: int) -> tuple[Standing, Notice | None]:
    """The standing after a poll's `outcome` (ok and not_modified are success) and what to tell the operator now.

    `limit` is the number of failed or empty polls in a row at which the operator hears of it. Empty is an outage only
    where the source `had_items` once: a wire that has published nothing yet is quiet, not down.
    """
    if outcome in ("ok", "not_modified") or not (failed or had_items):
        if not before.told:
            return Standing(), None
        lasted_s = max(0, now_ms - (before.outage_ms or now_ms)) // 1000
        return Standing(), Notice(f"{before.outage_ms}:over", "info", f"{name} is back",
                                  f"after {before.streak} failed or empty polls in {lasted_s} s")
    after = Standing(before.streak + 1, before.failures + 1 if failed else 0,
                     now_ms if before.outage_ms is None else before.outage_ms, before.told)
    if after.told or after.streak < limit:
        return after, None
    return replace(after, told=True), Notice(str(after.outage_ms), "warning", f"{name} gives nothing",
                                             f"{after.streak} failed or empty polls in a row, the last one: {outcome}")


@dataclass(frozen=True, slots=True)
class Mark:
    """A source beside others: `streak` as in Standing, `outcome` of its last poll, when that came back, and when it
    last answered (ok or not modified; 0: never)."""

    name: str
    streak: int
    outcome: str
    polled_ms: int
    ok_ms: int


def began_together(marks: Sequence[Mark], since_ms: int) -> bool:
    """Whether none of the sources that were asked since the moment has answered since, one in ten apart.

    At least half of all must have been asked, and two.
    """
    asked = [mark for mark in marks if mark.polled_ms >= since_ms]
    if len(asked) < max(2, len(marks) / 2):
        return False
    return sum(mark.ok_ms >= since_ms or mark.streak == 0 for mark in asked) <= SPARED * len(asked)


def is_over(marks: Sequence[Mark]) -> bool:
    """Whether more sources answer again than may while the rest counts as all; so it is where none is left."""
    return not marks or sum(mark.streak == 0 for mark in marks) > SPARED * len(marks)


def blackout(marks: Sequence[Mark], began_ms: int) -> Notice:
    """What to say when all are down together: how many, and what they have most often in common."""
    down = [mark for mark in marks if mark.streak]
    reason, count = Counter(mark.outcome for mark in down).most_common(1)[0]
    title = "No source answers" if len(down) == len(marks) else "Hardly any source answers"
    return Notice(str(began_ms), "warning", title,
                  f"{len(down)} of {len(marks)} sources fail together, {count} of them with: {reason}")


def blackout_over(marks: Sequence[Mark], began_ms: int, now_ms: int) -> Notice:
    """What to say when they answer again; who does not yet is told of by name when it stays so."""
    lasted_s = max(0, now_ms - began_ms) // 1000
    waiting = sum(mark.streak > 0 for mark in marks)
    rest = f"; {waiting} of {len(marks)} have not answered yet" if waiting else ""
    return Notice(f"{began_ms}:over", "info", "Sources answer again", f"after {lasted_s} s{rest}")
