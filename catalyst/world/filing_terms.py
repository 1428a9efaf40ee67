"""The terms of an invented sale of securities and the dates around it. Pure: randomness is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from catalyst.world.companies import Company
from catalyst.world.filing_phrases import BANKS

LOWEST_PRICE_USD = 0.12


@dataclass(frozen=True, slots=True)
class Terms:
    """Shares, price and gross proceeds in USD of one sale; `about_usd` is the sum as a sentence rounds it."""

    shares: int
    price_usd: float
    gross_usd: float
    about_usd: float
    bank: str
    file_number: str

    def slots(self) -> dict[str, str]:
        """The terms as texts for the slots of phrases."""
        millions = f"${self.about_usd / 1e6:.1f}"
        return {"count_shares": f"{self.shares:,}", "per": f"${self.price_usd:.2f}", "sum": f"{millions} million",
                "sumt": f"{millions} Million", "bank": self.bank, "file": self.file_number}


def draw_terms(random: Random, company: Company) -> Terms:
    """Terms below the last price of the company's share, for 3 to 40 million USD."""
    price_usd = max(LOWEST_PRICE_USD, round(company.price_usd * random.uniform(0.75, 0.97), 2))
    shares = max(1000, round(random.uniform(3e6, 40e6) / price_usd / 100) * 100)
    gross_usd = round(shares * price_usd, 2)
    return Terms(shares, price_usd, gross_usd, round(gross_usd / 1e5) * 1e5, random.choice(BANKS),
                 f"333-{random.randint(270_000, 289_999)}")


def long_date(day: date) -> str:
    """`March 3, 2026`."""
    return f"{day:%B} {day.day}, {day.year}"


def date_slots(day: date) -> dict[str, str]:
    """The day itself, the one before and the one after as texts."""
    return {"today": long_date(day), "yesterday": long_date(day - timedelta(days=1)),
            "soon": long_date(day + timedelta(days=1)), "year": str(day.year)}


def offering(stage: str, kind: str, terms: Terms, *, exact: bool = False) -> dict[str, float | str | None]:
    """What a reader must find: stage, type and the numbers that the document states; `exact`: it has a price table."""
    sized = kind not in ("atm", "notes", "convertible_notes")
    return {"stage": stage, "type": kind, "gross_proceeds": terms.gross_usd if exact else terms.about_usd,
            "shares": float(terms.shares) if sized else None, "price": terms.price_usd if sized else None}
