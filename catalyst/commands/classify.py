"""`catalyst classify`: the classifier as a filter, JSON lines in, JSON lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from catalyst.clients.files import (
    load_companies,
    load_gates,
    load_market_values,
    load_rules,
    load_sentiment,
    load_watchlist,
)
from catalyst.clock import SystemClock
from catalyst.core.classify import Decision, Story, classify
from catalyst.settings import Settings


class _Line(msgspec.Struct):
    """One line of input; fields beside these are ignored."""

    id: str | int
    title: str
    source: str | None = None
    summary: str | None = None
    tickers: list[str] | None = None


_DECODER = msgspec.json.Decoder(_Line)


def run(lines: Iterable[str], settings: Settings) -> Iterator[dict[str, Any]]:
    """One answer for each line that is not blank, in order; a line that is no item gives `{"id", "error"}`.

    Raises ConfigError before the first answer when rules, gates, company list, watch list or market values are wrong.
    """
    rules, companies, watched = load_rules(settings), load_companies(settings), load_watchlist(settings)
    gates, values = load_gates(settings, rules), load_market_values(settings)
    model, now_ms = load_sentiment(), SystemClock().now_ms()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield {"id": None, "error": f"line {number}: {error}"}
            continue
        story = Story(str(item.id), item.title, item.summary or "", item.source or "", tuple(item.tickers or ()))
        yield answer(classify(story, rules, companies, model=model, gates=gates, watched=watched, values=values,
                              now_ms=now_ms))


def answer(decision: Decision) -> dict[str, Any]:
    """The decision as the filter prints it: only tickers that an alert can go out for; `reason` null for an alert."""
    return {
        "id": decision.item_id,
        "tickers": [{"ticker": one.ticker, "role": one.role, "evidence": one.evidence} for one in decision.traded],
        "kinds": [{"kind": one.kind, "phrase": one.phrase, "direction": one.direction, "weight": one.weight}
                  for one in decision.kinds],
        "sentiment": decision.sentiment, "score": decision.score, "decision": decision.decision,
        "reason": decision.reason or None, "why": decision.why}
