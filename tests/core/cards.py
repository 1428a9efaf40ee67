"""Forty-three alerts, each with what its card is made of: kinds, directions, sessions and odd inputs of every sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from catalyst.core.card import NOTHING
from catalyst.core.delivery import After, Correction, Followed, Source
from catalyst.messages import AlertReady, History, Kind
from catalyst.testing import START_MS, same

BASE = AlertReady(
    item_id="i1", alert_id="0123456789abcdef0123", source="PR Newswire", title="Acme Receives FDA Approval for Zelora",
    link="https://news.example/acme", summary="", published_ms=START_MS - 2_900, seen_ms=START_MS - 1_100,
    ticker="ACME", company="Acme Inc", kinds=(Kind("fda_approval", "Receives FDA Approval", "up", 1.0),),
    direction="up", sentiment=0.8, score=0.87,
    why="fda_approval (up): “Receives FDA Approval” in the title, score 0.87", watched=False, price_usd=4.2,
    price_ms=START_MS - 12_000, previous_close_usd=4.0, simulated=False, provider="yahoo", ready_ms=START_MS - 500,
    trust=0.9, session="premarket", volume=1_230_000, rvol=3.4)


@dataclass(frozen=True, slots=True)
class Case:
    """What a card is made of."""

    alert: AlertReady
    sources: Sequence[Source] = ()
    corrections: Sequence[Correction] = ()
    alt: str | None = None
    followed: Followed = NOTHING
    repeat: bool = False


def of(kind: str, phrase: str, direction: str = "up", score: float = 0.8, **more: Any) -> AlertReady:
    """The usual alert with one kind; `also` are further kinds."""
    kinds = (Kind(kind, phrase, direction, 0.9), *more.pop("also", ()))  # type: ignore[arg-type]
    changes = {"title": f"Acme {phrase}", "why": f"{kind} ({direction}): “{phrase}” in the title, score {score:.2f}",
               "sentiment": {"up": 0.6, "down": -0.6}.get(direction, 0.0), **more}
    return same(BASE, kinds=kinds, direction=direction, score=score, **changes)  # type: ignore[return-value]


SALE = Kind("offering_pricing", "Prices $12 Million Public Offering", "down", 0.9)
WIRES = (Source("Business Wire", "https://bw.example/1"), Source("GlobeNewswire", "https://gnw.example/2"))
FIX = Correction("PR Newswire", "/C O R R E C T I O N -- Acme/", "https://news.example/fix")
TIMES = History("fda_approval", "60m", 41, -6.2, -9.1, -3.0, 0.73)


def after(*returns_pct: float, simulated: bool = False) -> tuple[After, ...]:
    """What followed at the usual horizons, as far as returns are given."""
    return tuple(After(horizon, change, 4.2, START_MS, simulated, START_MS)
                 for horizon, change in zip(("15m", "30m", "1h", "4h", "1d", "7d"), returns_pct, strict=False))



CASES: dict[str, Case] = {
    "approval": Case(BASE),
    "approval_weak": Case(of("fda_approval", "FDA approval", score=0.41)),
    "clearance": Case(of("fda_clearance", "Announces 510(k) clearance")),
    "clinical_positive": Case(of("clinical_positive", "met its primary endpoint", session="regular")),
    "clinical_failure": Case(of("clinical_failure", "did not meet its primary endpoint", "down", 0.92)),
    "fda_rejection": Case(of("fda_rejection", "Receives Complete Response Letter", "down", 0.88)),
    "contract": Case(of("contract", "Awarded $40 Million Contract", session="after_hours")),
    "merger": Case(of("acquisition_target", "to Be Acquired for $9.00 per Share", price_usd=8.7)),
    "letter_of_intent": Case(of("merger", "Signs Non-Binding Letter of Intent")),
    "buyback": Case(of("buyback", "Announces Share Repurchase Program", "up", 0.45)),
    "guidance_cut": Case(of("guidance_cut", "Lowers Full-Year Guidance", "down", 0.6)),
    "earnings_neutral": Case(of("earnings_results", "Reports Third Quarter Results", "neutral", 0.35)),
    "bankruptcy": Case(of("bankruptcy", "Files for Chapter 11", "down", 1.0, form="8-K", source="sec_8k")),
    "delisting": Case(of("delisting_notice", "Receives Nasdaq Delisting Notice", "down", 0.7)),
    "reverse_split": Case(of("reverse_split", "Announces 1-for-20 Reverse Stock Split", "down", 0.65)),
    "halt": Case(of("trading_halt", "Trading Halted, News Pending", "neutral", 0.5)),
    "offering": Case(of("offering_pricing", "Prices $12 Million Public Offering", "down", 0.85)),
    "offering_warrants": Case(of("offering_registered_direct", "Registered Direct Offering with Warrants", "down")),
    "offering_withdrawn": Case(of("offering_withdrawn", "Withdraws Public Offering", "up", 0.55)),
    "offering_filing": Case(of("offering_shelf", "424B5", "down", 0.5, form="424B5", source="sec_424b5")),
    "approval_with_offering": Case(same(BASE, kinds=(*BASE.kinds, SALE))),  # type: ignore[arg-type]
    "many_kinds": Case(of("fda_approval", "FDA approval", also=[
        Kind(name, name, "up", 0.5)
        for name in ("contract", "license", "partnership", "award", "patent", "uplisting")])),
    "amendment": Case(of("material_agreement", "Item 1.01", "neutral", 0.4, form="8-K/A", source="sec_8k")),
    "simulated": Case(of("contract", "Wins Contract", simulated=True, provider="simulated")),
    "no_price": Case(of("contract", "Wins Contract", price_usd=None, price_ms=None, previous_close_usd=None,
                        provider=None, volume=None, rvol=None)),
    "stale_price": Case(of("contract", "Wins Contract", price_ms=START_MS - 3 * 3_600_000)),
    "penny": Case(of("contract", "Wins Contract", price_usd=0.0123, previous_close_usd=0.0119)),
    "thin": Case(of("contract", "Wins Contract", volume=900.0, rvol=None)),
    "already_moved": Case(of("contract", "Wins Contract", price_usd=6.4)),
    "low_trust": Case(of("contract", "Wins Contract", trust=0.3, source="A Blog")),
    "late_news": Case(of("contract", "Wins Contract", published_ms=START_MS - 5 * 3_600_000)),
    "unknown_times": Case(of("contract", "Wins Contract", published_ms=None, price_ms=None)),
    "wrong_clock": Case(of("contract", "Wins Contract", published_ms=START_MS + 60_000)),
    "many_wires": Case(BASE, [Source(f"Wire {n}", f"https://w.example/{n}") for n in range(12)], repeat=True),
    "corrected": Case(BASE, WIRES, (FIX,), "ACME: 1-minute chart, last 4.20 USD"),
    "history": Case(BASE, WIRES, (FIX,), followed=Followed(history=TIMES)),
    "history_too_short": Case(BASE, followed=Followed(history=msgspec.structs.replace(TIMES, n=19))),
    "after": Case(BASE, followed=Followed(after(4.24, -3.06, 0.4))),
    "after_simulated": Case(of("contract", "Wins Contract", simulated=True, provider="simulated"),
                            followed=Followed(after(1.0, simulated=True))),
    "after_with_everything": Case(
        same(BASE, kinds=(*BASE.kinds, SALE)), WIRES, (FIX,), "ACME: 1-minute chart, last 4.20 USD",  # type: ignore[arg-type]
        Followed(after(4.2, 1_234.5, -3.1, -40.0, -55.5, -100.0), TIMES)),
    "hostile": Case(of("contract", "@everyone **x** [Buy](https://evil.example) <@1> \x1b[31m \u202e ||spoiler|| `x`")),
    "very_long": Case(of("contract", "word " * 390, why="why " * 400)),
    "empty": Case(same(BASE, title="", why="", link="", kinds=(), source="", direction="neutral",  # type: ignore[arg-type]
                       session="", volume=None, rvol=None, trust=None, score=0.0, sentiment=0.0)),
}
