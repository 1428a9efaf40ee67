"""What follows for a story that passed the price gate: the alert and the wish for its chart. Only field by field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from catalyst.core.quotes import Quote, pace_of
from catalyst.core.session import market_session
from catalyst.messages import AlertReady, Bar, CatalystScored, ChartWanted


def alert_id(item_id: str, ticker: str) -> str:
    """20 hex digits that are the same whenever the same item is alerted for the same ticker."""
    return hashlib.blake2b((item_id + ticker).encode()).hexdigest()[:20]


def alert_of(scored: CatalystScored, quote: Quote | None, bars: Sequence[Bar], now_ms: int) -> AlertReady:
    """The alert: everything that was said before, with the price, its time and who named it; `bars` came with it."""
    return AlertReady(
        item_id=scored.item_id, alert_id=alert_id(scored.item_id, scored.ticker), source=scored.source,
        title=scored.title, link=scored.link, summary=scored.summary, published_ms=scored.published_ms,
        seen_ms=scored.seen_ms, ticker=scored.ticker, company=scored.company, kinds=scored.kinds,
        direction=scored.direction, sentiment=scored.sentiment, score=scored.score, why=scored.why,
        watched=scored.watched, price_usd=quote.price_usd if quote else None,
        price_ms=quote.price_ms if quote else None,
        previous_close_usd=quote.previous_close_usd if quote else None,
        simulated=quote.simulated if quote else False, provider=quote.provider if quote else None,
        ready_ms=now_ms, form=scored.form, trust=scored.trust, session=market_session(now_ms),
        volume=quote.volume if quote else None, rvol=pace_of(bars, now_ms))


def chart_of(scored: CatalystScored, quote: Quote, bars: Sequence[Bar]) -> ChartWanted:
    """The wish for the alert's chart, marked where the story was published, or else where it was first seen."""
    return ChartWanted(
        item_id=scored.item_id, alert_id=alert_id(scored.item_id, scored.ticker), ticker=scored.ticker,
        bars=tuple(bars), mark_ms=scored.published_ms if scored.published_ms is not None else scored.seen_ms,
        score=scored.score, watched=scored.watched, simulated=quote.simulated, provider=quote.provider,
        sentiment=scored.sentiment)
