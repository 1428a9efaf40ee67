"""What speaks against an alert, and what its reader should be warned of: short reasons, with literal words where they
come from the item.

It finds them in the alert alone. Whoever shows them makes them harmless (catalyst.core.outside).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalyst.messages import AlertReady, Direction, Kind

OPPOSITE: dict[Direction, Direction] = {"up": "down", "down": "up"}
SALE_LESS = frozenset({"offering_withdrawn", "offering_debt"})  # named like sales of shares, and dilute nobody
WARRANT_KINDS = frozenset({"offering_warrants", "warrant_redemption"})
SKEW_MS = 5_000  # a price that is younger than now by less is new: clocks differ
OLD_PRICE_MS = 20 * 60_000  # free quotes are up to 15 min late; an older one was not traded since
OLD_NEWS_MS = 60 * 60_000
THIN_USD = 100_000  # turnover of a day below which a small order moves the price
MOVED_PCT = 30.0  # the news is in the price by then
LOW_TRUST = 0.5
TONE = 0.3  # of a sentiment that contradicts the direction
PHRASE = 60  # characters of a quoted phrase
_HYPOTHETICAL = re.compile(
    r"\b(?:(?<!in )(?<!by )(?<!on )may(?! \d)|could|might|would|plans? to|intends? to|proposes? to|proposed"
    r"|potential(?:ly)?|non-binding|letter of intent|explor(?:es?|ing)|seeks?|subject to|considering|preliminary)\b",
    re.IGNORECASE)


def against(alert: AlertReady, sent_ms: int) -> Iterator[str]:
    """The reasons to doubt the alert at the moment of sending, the weightiest first. Words of the item stand in “ ”."""
    other = OPPOSITE.get(alert.direction)
    for kind in sorted((kind for kind in alert.kinds if other is not None and kind.direction == other),
                       key=lambda kind: not dilutes(kind)):
        name = " ".join(kind.kind.replace("_", " ").split())[:PHRASE]
        yield f"also {name}: {quoted(kind.phrase)}" if kind.phrase.strip() else f"also {name}"
    if found := _HYPOTHETICAL.search(alert.title):
        yield f"not done yet: {quoted(found[0])}"
    if alert.form.endswith("/A"):
        yield f"an amendment ({alert.form}), may repeat what is known"
    yield from _of_price(alert, sent_ms)
    if alert.published_ms is not None and alert.seen_ms - alert.published_ms > OLD_NEWS_MS:
        yield f"{(alert.seen_ms - alert.published_ms) // 3_600_000} h old when it was seen"
    if alert.trust is not None and alert.trust < LOW_TRUST:
        yield f"a source of low trust ({alert.trust:.2f})"
    if {"up": -alert.sentiment, "down": alert.sentiment}.get(alert.direction, 0.0) >= TONE:
        yield f"the words sound {'bad' if alert.sentiment < 0 else 'good'} ({alert.sentiment:+.2f})"


def _of_price(alert: AlertReady, sent_ms: int) -> Iterator[str]:
    """What the price and the volume say against it."""
    if alert.price_usd is None:
        yield "no price is known"
        return
    old_ms = price_age_ms(alert, sent_ms)
    if old_ms is None:
        yield "the price's age is unknown"
    elif old_ms > OLD_PRICE_MS:
        yield "the price is old"
    if alert.volume is not None and alert.price_usd * alert.volume < THIN_USD:
        yield f"thin: ${alert.price_usd * alert.volume:,.0f} traded today" if alert.volume else "not traded today"
    change = change_pct(alert)
    if change is not None and {"up": change, "down": -change}.get(alert.direction, 0.0) >= MOVED_PCT:
        yield f"already {change:+.0f} %"


def flags(alert: AlertReady) -> list[str]:
    """The warnings of its kind and price, in the order in which they matter."""
    found = [("dilution", any(dilutes(kind) for kind in alert.kinds)),
             ("warrants", any(kind.kind in WARRANT_KINDS or re.search(r"\bwarrants?\b", kind.phrase, re.IGNORECASE)
                              for kind in alert.kinds)),
             ("halted", any(kind.kind == "trading_halt" for kind in alert.kinds)),
             ("simulated", alert.simulated)]
    return [name for name, there in found if there]


def dilutes(kind: Kind) -> bool:
    """Whether a kind is a sale of new shares, or what leads to one."""
    return kind.kind.startswith("offering") and kind.kind not in SALE_LESS


def change_pct(alert: AlertReady) -> float | None:
    """Per cent since the previous close, None unless both prices are known."""
    if alert.price_usd is None or not alert.previous_close_usd:
        return None
    return (alert.price_usd / alert.previous_close_usd - 1) * 100


def price_age_ms(alert: AlertReady, sent_ms: int) -> int | None:
    """How old the price was when the alert was sent. None where there is none, where its time is not known, or where it
    lies so far in the future that its clock or ours is wrong."""
    if alert.price_usd is None or alert.price_ms is None or sent_ms - alert.price_ms < -SKEW_MS:
        return None
    return max(0, sent_ms - alert.price_ms)


def quoted(phrase: str) -> str:
    """Literal words in “ ”, their end left out where they are long."""
    flat = " ".join(phrase.split())
    return f"“{flat}”" if len(flat) <= PHRASE else f"“{flat[:PHRASE].rstrip()}…”"
