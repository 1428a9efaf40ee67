"""What a person sees of the silence: mutes in force, quiet hours that run, how many alerts of today were held. Pure.

It reads the alerter's answer to `mutes` for top and the page, and says it in the words of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any

import msgspec

from catalyst.core.quiet import COOLDOWN, FILTERED, MUTED, QUIET

Moment = Annotated[int, msgspec.Meta(ge=0, le=253_000_000_000_000)]  # in years that a calendar has
WORDS = {MUTED: "muted", QUIET: "in quiet hours", FILTERED: "unwanted by every sink", COOLDOWN: "told as updates"}


class Muted(msgspec.Struct, frozen=True):
    """A mute in force and how many alerts it has held."""

    what: str
    value: str
    until_ms: Moment
    held: int = 0


class Silence(msgspec.Struct, frozen=True):
    """`held_today` counts the alerts of the local day that were not posted, by the first word of the reason."""

    mutes: tuple[Muted, ...] = ()
    held_today: dict[str, int] = {}
    quiet_until_ms: Moment | None = None

    def __bool__(self) -> bool:
        return bool(self.mutes or self.held_today or self.quiet_until_ms)


def silence_of(answer: Mapping[str, Any] | None) -> Silence | None:
    """The alerter's answer to `mutes`; None where there is none, or one that nobody could read."""
    try:
        return None if answer is None else msgspec.convert(answer, Silence)
    except msgspec.ValidationError:
        return None


def today_words(silence: Silence) -> str:
    """`12 held back today: 8 muted, 3 in quiet hours`; empty where none was."""
    if not silence.held_today:
        return ""
    parts = ", ".join(f"{count:,} {WORDS.get(reason, reason)}" for reason, count in silence.held_today.items())
    return f"{sum(silence.held_today.values()):,} held back today: {parts}"


def mute_words(silence: Silence, now_ms: int, zone: tzinfo) -> Iterator[str]:
    """`ticker ABCD to 14:30`, one a mute, the one that ends first first."""
    for mute in silence.mutes:
        yield f"{mute.what} {mute.value} to {end_words(mute.until_ms, now_ms, zone)}"


def end_words(until_ms: int, now_ms: int, zone: tzinfo) -> str:
    """`14:30`, of another day `5 Jan 14:30`."""
    now, until = (datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone) for moment in (now_ms, until_ms))
    return f"{until:%H:%M}" if until.date() == now.date() else f"{until.day} {until:%b %H:%M}"
