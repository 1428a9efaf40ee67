"""When a source counts as down and what the operator is told: once at the beginning, once at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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


def after_poll(before: Standing, name: str, outcome: str, *, failed: bool, now_ms: int,
               limit: int) -> tuple[Standing, Notice | None]:
    """The standing after a poll's `outcome` (ok and not_modified are success) and what to tell the operator now.

    `limit` is the number of failed or empty polls in a row at which the operator hears of it.
    """
    if outcome in ("ok", "not_modified"):
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
