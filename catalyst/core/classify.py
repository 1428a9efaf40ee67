"""The decision about one story: alert or drop, with ticker, kinds, direction, score and the reason in one line.

Pure: the same story, rules and lists give the same decision. What is asked in this order, and the first that applies
is the reason of a drop: `noise:<kind>`, `no_ticker`, `foreign_listing` (only listed abroad), `instrument` (only
warrants, units, rights, preferreds), `no_catalyst`, `low_score`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from catalyst.core import sentiment
from catalyst.core.companies import Companies
from catalyst.core.rules import Hit, Rules
from catalyst.core.tickers import TickerFound, find_tickers
from catalyst.messages import Direction, Kind

IN_SUMMARY = 0.6     # a kind that only the summary names counts this share of its weight
FURTHER_KIND = 0.05  # what each further kind adds, up to
FURTHER_MOST = 0.15
TONE = 0.15          # what a sentiment of 1 that agrees with the direction adds
UNTRUSTED = 0.8      # share of the score that a source of trust 0 keeps
WHY_LIMIT = 160


@dataclass(frozen=True, slots=True)
class Story:
    """What is judged; `symbols` are the publisher's own tags, `trust` (0 to 1) is the source's."""

    id: str
    title: str
    summary: str = ""
    source: str = ""
    symbols: tuple[str, ...] = ()
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score and what in the story caused it."""

    name: str
    value: float
    cause: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome. `reason` is empty for an alert, `score` is strength without sign.

    `watched` are those of its tickers that are on the watch list.
    """

    item_id: str
    decision: Literal["alert", "drop"]
    reason: str
    why: str
    tickers: tuple[TickerFound, ...]
    kinds: tuple[Kind, ...]
    direction: Direction
    sentiment: float
    score: float
    parts: tuple[Part, ...]
    watched: tuple[str, ...]
    decided_ms: int

    @property
    def traded(self) -> tuple[TickerFound, ...]:
        """The tickers that an alert goes out for: shares traded in the US, the primary one first."""
        return tuple(one for one in self.tickers if one.alertable)


def classify(item: Story, rules: Rules, companies: Companies | None, *, min_score: float,
             watched: frozenset[str] = frozenset(), now_ms: int) -> Decision:
    """The decision about `item`. An item with a catalyst passes when its score is at least `min_score`."""
    found = rules.find(item.title, item.summary)
    hits = sorted(found.kinds, key=lambda hit: (not _is_sale(hit), -_strength(hit)))
    tickers = find_tickers(item.title, item.summary, item.symbols, companies)
    tone = sentiment.score(item.title, item.summary)
    parts = _parts(hits, tone, item.trust)
    score = round(min(1.0, max(0.0, sum(part.value for part in parts))), 4)
    reason, cause = _reason(found.noise, hits, tickers, score, min_score)
    kinds = tuple(Kind(hit.rule.name, _flat(hit.phrase)[:2_000], hit.rule.direction, hit.rule.weight)
                  for hit in hits)
    return Decision(
        item_id=item.id, decision="drop" if reason else "alert", reason=reason,
        why=_short(cause or _why(hits[0], score)), tickers=tickers, kinds=kinds,
        direction=_direction(hits), sentiment=tone, score=score, parts=parts,
        watched=tuple(one.ticker for one in tickers if one.ticker in watched), decided_ms=now_ms)


def _strength(hit: Hit) -> float:
    return hit.rule.weight * (1.0 if hit.in_title else IN_SUMMARY)


def _is_sale(hit: Hit) -> bool:
    """A sale of securities that the title names: whatever else it announces, this is what is news."""
    return hit.in_title and hit.rule.family == "offering"


def _reason(noise: Hit | None, hits: Sequence[Hit], tickers: Sequence[TickerFound], score: float,
            min_score: float) -> tuple[str, str]:
    """The reason of a drop and the line that explains it; both empty for an alert."""
    if noise is not None:
        return f"noise:{noise.rule.name}", f"noise, {noise.rule.name}: “{_flat(noise.phrase)}”"
    if not tickers:
        return "no_ticker", "no ticker is written, and no company of the list is named as the issuer"
    first = tickers[0]
    if not first.alertable:
        shares = [one for one in tickers if not one.instrument]
        if shares:
            return "foreign_listing", f"{shares[0].ticker} is only listed abroad: “{_flat(shares[0].evidence)}”"
        return "instrument", f"{first.ticker} is a {first.instrument}, no share: “{_flat(first.evidence)}”"
    if not hits:
        return "no_catalyst", "no rule found a catalyst in the title or the summary"
    if score < min_score:
        lead = hits[0]
        return "low_score", f"score {score:.2f} under {min_score:.2f}; {lead.rule.name}: “{_flat(lead.phrase)}”"
    return "", ""


def _why(lead: Hit, score: float) -> str:
    place = "title" if lead.in_title else "summary"
    return f"{lead.rule.name} ({lead.rule.direction}): “{_flat(lead.phrase)}” in the {place}, score {score:.2f}"


def _parts(kinds: Sequence[Hit], tone: float, trust: float) -> tuple[Part, ...]:
    """The score's parts: the lead kind, what further kinds and the tone add, what the source's trust takes away."""
    if not kinds:
        return ()
    lead = kinds[0]
    parts = [Part("lead", round(_strength(lead), 4), f"{lead.rule.name}: {_flat(lead.phrase)}")]
    if len(kinds) > 1:
        more = min(FURTHER_MOST, FURTHER_KIND * (len(kinds) - 1))
        parts.append(Part("further", round(more, 4), ", ".join(hit.rule.name for hit in kinds[1:])))
    way = _direction(kinds)
    agreeing = abs(tone) if way == "neutral" or (tone > 0) == (way == "up") else 0.0
    if agreeing:
        parts.append(Part("tone", round(TONE * agreeing, 4), f"sentiment {tone:+.2f}"))
    if trust < 1:
        taken = -sum(part.value for part in parts) * (1 - UNTRUSTED) * (1 - max(0.0, trust))
        parts.append(Part("trust", round(taken, 4), f"trust of the source {trust:.2f}"))
    return tuple(parts)


def _direction(kinds: Sequence[Hit]) -> Direction:
    """A sale of securities in the title decides; else the strongest kind that points anywhere, down before up."""
    if not kinds or _is_sale(kinds[0]):
        return kinds[0].rule.direction if kinds else "neutral"
    pointed = [hit for hit in kinds if hit.rule.direction != "neutral"]
    if not pointed:
        return "neutral"
    return min(pointed, key=lambda hit: (-_strength(hit), hit.rule.direction != "down")).rule.direction


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    """At most WHY_LIMIT characters; the end of the quoted phrase is what is left out."""
    return text if len(text) <= WHY_LIMIT else text[:WHY_LIMIT - 2] + "…”"
