"""The gates behind a score: which catalysts go on, and which strong bad news passes the score gate all the same.

In this order: `low_score` (unless bad news bypasses it), `sent_gate`, `category_gate`. It reads no setting: `Gates.of`
is given the values and the names that the rules can give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalyst.errors import ConfigError
from catalyst.messages import Direction

BAD_TONE = -0.30   # a sentiment under this is strong bad news (the original's limit, its problem 20)
BAD_WEIGHT = 0.75  # so is a lead of direction down with this weight: bankruptcy, a failed trial, an offering


@dataclass(frozen=True, slots=True)
class Gates:
    """`min_score` 0 to 1; `min_tone` 0 = off; `allowed` names of kinds or their first words, empty = all."""

    min_score: float
    min_tone: float = 0.0
    allowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, min_score: float, min_tone: float, allowed: Sequence[str], known: Iterable[str]) -> Gates:
        """The gates of these values. Raises ConfigError for a kind that none of the rules, `known`, makes."""
        names = sorted(set(known))
        wanted = tuple(entry.strip().lower() for entry in allowed)
        for entry in wanted:
            if why := unknown_kind(entry, names):
                raise ConfigError(f"CATEGORIES_ALLOW: {why}")
        return cls(min_score, min_tone, wanted)

    def reason(self, score: float, tone: float, kinds: Iterable[str]) -> str:
        """Which gate stops a catalyst; empty where none does."""
        if score < self.min_score:
            return "low_score"
        if abs(tone) < self.min_tone:
            return "sent_gate"
        if self.allowed and not any(is_kind(entry, kind) for entry in self.allowed for kind in kinds):
            return "category_gate"
        return ""


def is_kind(entry: str, kind: str) -> bool:
    """Whether an entry of the list means a kind: its name, or the first words of it (`offering`, `fda`)."""
    return kind == entry or kind.startswith(f"{entry.rstrip('_')}_")


def unknown_kind(entry: str, names: Sequence[str]) -> str:
    """The words for an entry that means none of the kinds in `names`, and which one it is near; empty if it does."""
    return "" if any(is_kind(entry, name) for name in names) else (
        f"no rule makes the kind {entry!r}{_nearest(entry, names)}")


def is_bad_news(direction: Direction, tone: float, lead: Direction, weight: float) -> str:
    """Why an item passes the score gate as strong bad news, in words; empty where it does not.

    `direction` is the item's; what points up is no bad news, however it is worded. `lead` and `weight` are those of
    the kind that the item is about.
    """
    if lead == "down" and weight >= BAD_WEIGHT:
        return f"strong bad news by its kind, weight {weight:.2f}"
    if tone < BAD_TONE and direction != "up":
        return f"strong bad news by its words, sentiment {tone:+.2f}"
    return ""


def _nearest(entry: str, names: Sequence[str]) -> str:
    import difflib  # needed for a fault only

    stems = {name.partition("_")[0] for name in names}
    near = difflib.get_close_matches(entry, [*names, *sorted(stems)], 1, 0.5)
    return f", did you mean {near[0]}?" if near else ""
