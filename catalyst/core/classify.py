"""The decision about one story: alert or drop, with ticker, kinds, direction, score and the reason in one line.

Pure: the same story, rules and lists give the same decision. What is asked in this order, and the first that applies
is the reason of a drop: `noise:<kind>`, `no_ticker`, `foreign_listing` (only listed abroad), `instrument` (only
warrants, units, rights, preferreds), `no_catalyst`, then the gates of `catalyst.core.sieve`: `low_score`, `sent_gate`,
`category_gate`. Whatever was found keeps the words that caused it and where they stand (`catalyst.core.evidence`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from catalyst.core.companies import Companies
from catalyst.core.contract_size import MOST_SHARE, Stated, factor, has_size, stated, told
from catalyst.core.evidence import Words, locate, whole
from catalyst.core.market_values import MarketValue, known_usd
from catalyst.core.rules import Hit, Rules
from catalyst.core.sentiment import Sentiment
from catalyst.core.sieve import Gates, is_bad_news
from catalyst.core.tickers import TickerFound, find_tickers
from catalyst.messages import Direction, Kind

IN_SUMMARY = 0.6     # a kind that only the summary names counts this share of its weight
FURTHER_KIND = 0.05  # what each further kind adds, up to
FURTHER_MOST = 0.15
TONE = 0.15          # what a sentiment of 1 that agrees with the direction adds
UNTRUSTED = 0.8      # share of the score that a source of trust 0 keeps
WHY_LIMIT = 160
HEARD_LIMIT = 60     # characters of words that made the tone, for the line that tells of it
PHRASE_LIMIT = 2_000  # characters of a phrase that a message carries
NO_VALUES: Mapping[str, MarketValue] = MappingProxyType({})


class Story(msgspec.Struct, frozen=True):
    """What is judged; `symbols` are the publisher's own tags, `trust` (0 to 1) is the source's."""

    id: str
    title: str
    summary: str = ""
    source: str = ""
    symbols: tuple[str, ...] = ()
    trust: float = 1.0


class Part(msgspec.Struct, frozen=True):
    """One part of the score and what in the story caused it."""

    name: str
    value: float
    cause: str
    words: tuple[Words, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """The outcome. `reason` is empty for an alert, `score` is strength without sign.

    `watched` are those of its tickers that are on the watch list; `ticker_words` and `kind_words` say where what
    caused each of `tickers` and `kinds` stands.
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
    ticker_words: tuple[tuple[Words, ...], ...] = ()
    kind_words: tuple[tuple[Words, ...], ...] = ()

    @property
    def traded(self) -> tuple[TickerFound, ...]:
        """The tickers that an alert goes out for: shares traded in the US, the primary one first."""
        return tuple(one for one in self.tickers if one.alertable)


class Finding(msgspec.Struct, frozen=True):
    """A kind that was found; `phrase` is what says so, at `place` (a word for a reader), `words` where it stands.

    A `leader` is what the item is about. `size` is what its dollars and the market value, where both are known, have
    made of its strength; the weight is the changed one.
    """

    name: str
    direction: Direction
    weight: float
    phrase: str
    place: str
    in_body: bool = False
    leader: bool = False
    words: tuple[Words, ...] = ()
    size: Part | None = None

    @property
    def strength(self) -> float:
        """Its share of the score when it is the lead."""
        return self.weight * (IN_SUMMARY if self.in_body else 1.0)


class Case(msgspec.Struct, frozen=True):
    """All that a decision weighs: what was found in an item, and the words for what was not found."""

    item_id: str
    findings: tuple[Finding, ...]  # the lead first, as `in_order` puts them
    noise: tuple[str, str] | None  # name and phrase
    tickers: tuple[TickerFound, ...]
    tone: float
    trust: float
    no_ticker: str = "no ticker is written, and no company of the list is named as the issuer"
    no_catalyst: str = "no rule found a catalyst in the title or the summary"
    facts: tuple[Part, ...] = ()   # evidence that adds nothing to the score
    note: str = ""                 # ends the line that explains
    kept: float = 1.0              # share of the score that the item keeps,
    kept_why: str = ""             # and why not all
    ticker_words: tuple[tuple[Words, ...], ...] = ()  # of each ticker
    tone_words: tuple[Words, ...] = ()                # what made the tone
    trust_words: tuple[Words, ...] = ()
    kept_words: tuple[Words, ...] = ()


def classify(item: Story, rules: Rules, companies: Companies | None, *, model: Sentiment, gates: Gates,
             watched: frozenset[str] = frozenset(), values: Mapping[str, MarketValue] = NO_VALUES, now_ms: int
             ) -> Decision:
    """The decision about `item`; one with a catalyst passes when none of the `gates` stops it. `values` by ticker."""
    found = rules.find(item.title, item.summary)
    tickers = find_tickers(item.title, item.summary, item.symbols, companies)
    value_usd = value_of(tickers, values, now_ms)
    texts = (("title", item.title), ("summary", item.summary))
    findings = in_order([sized_by(_finding_in(item, hit), texts, value_usd) for hit in found.kinds])
    tone = model.score(item.title, item.summary)
    case = Case(
        item.id, findings, (found.noise.rule.name, found.noise.phrase) if found.noise is not None else None,
        tickers, tone, item.trust,
        ticker_words=tuple(_ticker_words(item, one) for one in tickers),
        tone_words=_heard(model, item, tone) if _agreeing(findings, tone) else (),
        trust_words=whole("source", item.source))
    return decide(case, gates, watched=watched, now_ms=now_ms)


def _heard(model: Sentiment, item: Story, tone: float) -> tuple[Words, ...]:
    return tuple(Words(cause.words, "title" if cause.in_title else "summary", cause.start,
                       cause.start + len(cause.words)) for cause in model.causes(item.title, item.summary, tone))


def _finding_in(item: Story, hit: Hit) -> Finding:
    """A rule's hit in a story. The rules' offset is one of the folded text, in which blanks are fewer."""
    if hit.in_title:
        words = locate(hit.phrase, (("title", item.title),), hit.start)
    else:
        words = locate(hit.phrase, (("summary", item.summary),), max(0, hit.start - len(item.title) - 1))
    return finding_of(hit, "title" if hit.in_title else "summary", words)


def _ticker_words(item: Story, one: TickerFound) -> tuple[Words, ...]:
    tags = [(f"symbols.{number}", tag) for number, tag in enumerate(item.symbols)]
    texts = [("title", item.title), ("summary", item.summary)]
    return locate(one.evidence, (*tags, *texts) if one.how == "tag" else (*texts, *tags))


def finding_of(hit: Hit, place: str, words: tuple[Words, ...] = ()) -> Finding:
    """A rule's hit. A sale of securities that the title names leads: whatever else it announces, this is the news."""
    return Finding(hit.rule.name, hit.rule.direction, hit.rule.weight, hit.phrase, place, not hit.in_title,
                   hit.in_title and hit.rule.family == "offering", words)


def value_of(tickers: Sequence[TickerFound], values: Mapping[str, MarketValue], now_ms: int) -> float | None:
    """The market value of the company that an item is about, None where it is not known."""
    return known_usd(values, tickers[0].ticker, now_ms) if values and tickers else None


def sized_by(finding: Finding, texts: Sequence[tuple[str, str]], value_usd: float | None) -> Finding:
    """The finding by the size that the (name, text) fields state; as it is where that or the value is not known."""
    if value_usd is None or not has_size(finding.name):
        return finding
    amount = stated(texts, finding.name, finding.words)
    return sized(finding, amount, value_usd) if amount is not None else finding


def sized(finding: Finding, amount: Stated, value_usd: float) -> Finding:
    """The finding with the weight that its amount gives it. As it is where the amount is beyond all measure."""
    share = amount.usd / value_usd
    if share > MOST_SHARE:
        return finding
    larger = msgspec.structs.replace(finding, weight=round(min(1.0, finding.weight * factor(share)), 4))
    part = Part("size", round(larger.strength - finding.strength, 4), told(amount.said, share), amount.words)
    return msgspec.structs.replace(larger, size=part)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The lead first: leaders, then by strength."""
    return tuple(sorted(findings, key=lambda one: (not one.leader, -one.strength)))


def decide(case: Case, gates: Gates, *, watched: frozenset[str], now_ms: int) -> Decision:
    """The decision, whatever the item is."""
    parts = _parts(case)
    score = round(min(1.0, max(0.0, sum(part.value for part in parts))), 4)
    if score < gates.min_score and (bypass := _bypass(case, gates.min_score - score)) is not None:
        parts, score = (*parts, bypass), gates.min_score
    reason, cause = _reason(case, score, gates)
    return Decision(
        item_id=case.item_id, decision="drop" if reason else "alert", reason=reason,
        why=_short(cause or _why(case.findings[0], score), case.note), tickers=case.tickers,
        kinds=tuple(Kind(one.name, one.phrase[:PHRASE_LIMIT], one.direction, one.weight) for one in case.findings),
        direction=_direction(case.findings), sentiment=case.tone, score=score, parts=parts + case.facts,
        watched=tuple(one.ticker for one in case.tickers if one.ticker in watched), decided_ms=now_ms,
        ticker_words=case.ticker_words, kind_words=tuple(one.words for one in case.findings))


def _reason(case: Case, score: float, gates: Gates) -> tuple[str, str]:
    """The reason of a drop and the line that explains it; both empty for an alert."""
    if case.noise is not None:
        name, phrase = case.noise
        return f"noise:{name}", f"noise, {name}: “{_flat(phrase)}”"
    if not case.tickers:
        return "no_ticker", case.no_ticker
    first = case.tickers[0]
    if not first.alertable:
        shares = [one for one in case.tickers if not one.instrument]
        if shares:
            return "foreign_listing", f"{shares[0].ticker} is only listed abroad: “{_flat(shares[0].evidence)}”"
        return "instrument", f"{first.ticker} is a {first.instrument}, no share: “{_flat(first.evidence)}”"
    if not case.findings:
        return "no_catalyst", case.no_catalyst
    reason = gates.reason(score, case.tone, (one.name for one in case.findings))
    lead = f"{case.findings[0].name}: “{_flat(case.findings[0].phrase)}”"
    if reason == "low_score":
        return reason, f"score {score:.2f} under {gates.min_score:.2f}; {lead}"
    if reason == "sent_gate":
        return reason, f"sentiment {case.tone:+.2f} within +-{gates.min_tone:.2f}; {lead}"
    return (reason, f"none of its kinds is one of {', '.join(gates.allowed)}; {lead}") if reason else ("", "")


def _bypass(case: Case, lack: float) -> Part | None:
    """What lifts strong bad news to the score gate; not an amendment, which mostly repeats what is known."""
    if not case.findings or case.kept < 1:
        return None
    lead = case.findings[0]
    why = is_bad_news(_direction(case.findings), case.tone, lead.direction, lead.weight)
    return Part("bypass", round(lack, 4), f"{why}: {_flat(lead.phrase)}", lead.words) if why else None


def _why(lead: Finding, score: float) -> str:
    size = f", {lead.size.cause}" if lead.size is not None else ""
    return f"{lead.name} ({lead.direction}){size}: “{_flat(lead.phrase)}” in the {lead.place}, score {score:.2f}"


def _parts(case: Case) -> tuple[Part, ...]:
    """The score's parts: the lead kind and its size, what further kinds and the tone add, what the source's trust takes
    away. The size of a further kind is told and adds nothing.
    """
    if not case.findings:
        return ()
    lead, *further = case.findings
    size = lead.size.value if lead.size is not None else 0.0
    parts = [Part("lead", round(lead.strength - size, 4), f"{lead.name}: {_flat(lead.phrase)}", lead.words)]
    parts += [lead.size] if lead.size is not None else []
    if further:
        more = min(FURTHER_MOST, FURTHER_KIND * len(further))
        parts.append(Part("further", round(more, 4), ", ".join(one.name for one in further),
                          tuple(words for one in further for words in one.words)))
        parts += [msgspec.structs.replace(one.size, value=0.0, cause=f"{one.name}: {one.size.cause}")
                  for one in further if one.size is not None]
    if agreeing := _agreeing(case.findings, case.tone):
        heard = ", ".join(f"“{_flat(words.text)}”" for words in case.tone_words if len(words.text) <= HEARD_LIMIT)
        parts.append(Part("tone", round(TONE * agreeing, 4), f"sentiment {case.tone:+.2f}: {heard}".rstrip(": "),
                          case.tone_words))
    if case.kept < 1:
        taken = -sum(part.value for part in parts) * (1 - case.kept)
        parts.append(Part("kept", round(taken, 4), case.kept_why, case.kept_words))
    if case.trust < 1:
        taken = -sum(part.value for part in parts) * (1 - UNTRUSTED) * (1 - max(0.0, case.trust))
        parts.append(Part("trust", round(taken, 4), f"trust of the source {case.trust:.2f}", case.trust_words))
    return tuple(parts)


def _agreeing(findings: Sequence[Finding], tone: float) -> float:
    """The strength of a tone that agrees with the direction of what was found, else 0."""
    if not findings:
        return 0.0
    way = _direction(findings)
    return abs(tone) if way == "neutral" or (tone > 0) == (way == "up") else 0.0


def _direction(findings: Sequence[Finding]) -> Direction:
    """A leader decides; else the strongest kind that points anywhere, down before up."""
    if not findings or findings[0].leader:
        return findings[0].direction if findings else "neutral"
    pointed = [one for one in findings if one.direction != "neutral"]
    if not pointed:
        return "neutral"
    return min(pointed, key=lambda one: (-one.strength, one.direction != "down")).direction


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, note: str) -> str:
    """At most WHY_LIMIT characters with the note; the end of the quoted phrase is what is left out."""
    limit = WHY_LIMIT - len(note)
    return (text if len(text) <= limit else text[:limit - 2] + "…”") + note


def evidence_of(decision: Decision) -> dict[str, Any]:
    """What caused a decision, as it is stored: tickers, kinds and parts of the score, the words with their places last
    (`catalyst.core.evidence.unpacked` reads it). A part that is about a kind has the kind's number instead of words.
    """
    numbers = {words[0]: number for number, words in enumerate(decision.kind_words) if words}
    return {
        "tickers": [{"ticker": one.ticker, "how": one.how, "exchange": one.exchange, "listing": one.listing,
                     "instrument": one.instrument, "relevance": one.relevance, "why": one.why, "evidence": one.evidence,
                     "words": [place.packed(one.evidence) for place in words]}
                    for one, words in zip(decision.tickers, decision.ticker_words, strict=True)],
        "kinds": [[one.kind, one.phrase, [place.packed(one.phrase) for place in words]]
                  for one, words in zip(decision.kinds, decision.kind_words, strict=True)],
        "parts": [[part.name, part.value, part.cause,
                   [numbers.get(place, place.packed()) for place in part.words]]
                  for part in decision.parts]}
