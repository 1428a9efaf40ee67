"""How a price is written, the same at every place that shows one."""

from __future__ import annotations

import math

LEAST_USD = 1e-9  # no market quotes less


def money(price_usd: float) -> str:
    """A price with its sign: `$4.20`, `$0.0412`, `$0.00004`."""
    return f"${usd_text(price_usd)}"


def usd_text(price_usd: float) -> str:
    """A price in dollars: two decimals from one dollar on; four below, where a cent is much; below a cent as many as
    its first three digits take."""
    if price_usd >= 0.99995:  # four decimals would make it 1.0000
        return f"{price_usd:,.2f}"
    if price_usd >= 0.01 or price_usd <= 0:
        return f"{price_usd:.4f}"
    if price_usd < LEAST_USD:
        return f"{price_usd:.2e}"
    text = f"{price_usd:.{2 - math.floor(math.log10(price_usd))}f}"
    return text[:6] + text[6:].rstrip("0")  # 0.0050, 0.00004
