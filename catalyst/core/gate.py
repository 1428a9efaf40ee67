"""The price gate: is the stock cheap enough, and not too cheap, to be alerted."""

from __future__ import annotations

from catalyst.core.quotes import Quote


def price_gate(quote: Quote | None, *, ceiling_usd: float, floor_usd: float, watched: bool) -> str | None:
    """Why the item must not be alerted: `price_ceiling` or `price_floor`; None lets it through.

    An unknown price passes, a limit of 0 does not apply, both limits themselves pass. A watched ticker has no ceiling:
    its owner follows it at any price.
    """
    if quote is None:
        return None
    if ceiling_usd > 0 and quote.price_usd > ceiling_usd and not watched:
        return "price_ceiling"
    if floor_usd > 0 and quote.price_usd < floor_usd:
        return "price_floor"
    return None
