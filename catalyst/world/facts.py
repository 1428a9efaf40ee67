"""Invented facts for the slots of phrases: names of drugs, partners, people, sums. Pure: randomness is an argument.

Names and sums are not used twice in one day, so that two stories differ in more than the name of the company.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from catalyst.world.companies import Company

_SYLLABLES = ("ba", "ce", "di", "fo", "gra", "lu", "me", "ni", "pro", "ra", "sti", "to", "va", "xe", "zo", "ki", "mo",
              "ru")
_DRUG_ENDS = ("limab", "tinib", "parin", "sertib", "glutide", "ciclib", "vastin", "zumab")
_DISEASES = ("Plaque Psoriasis", "Ulcerative Colitis", "Small Cell Lung Cancer", "Glioblastoma", "Lupus Nephritis",
             "Sickle Cell Disease", "Dry Eye Disease", "Rett Syndrome", "Chronic Cough", "Alopecia Areata",
             "Acute Myeloid Leukemia", "Duchenne Muscular Dystrophy", "Treatment-Resistant Depression", "Severe Asthma",
             "Diabetic Foot Ulcers", "Migraine", "Cystic Fibrosis", "Pancreatic Cancer", "Atopic Dermatitis", "Gout")
_AGENCIES = ("U.S. Army", "U.S. Navy", "NASA", "the Department of Energy", "the Defense Logistics Agency",
             "U.S. Space Force", "the Department of Homeland Security", "the State of Texas", "the City of Phoenix")
_PARTNER_ROOTS = ("Ashgrove", "Birchwell", "Calloway", "Dunmore", "Eastlake", "Farrow", "Glenhurst", "Harrowgate",
                  "Inverleith", "Kingsford", "Larkspur", "Merriton", "Northgate", "Oakhaven", "Penrose", "Quarrington",
                  "Redfield", "Stonebridge", "Thornbury", "Underhill", "Vanterpool", "Westerly", "Yarborough")
_PARTNER_MIDDLES = ("", " Bay", " Hill", " Ridge", " Point", " River", " Park", " Lane", " Creek", " Harbor", " Grove")
_PARTNER_ENDS = ("Partners", "Capital", "Industries", "Group", "Laboratories", "Global", "Ventures", "Logistics")
_PRODUCT_ENDS = ("Pro", "One", "X2", "Edge", "Link", "Core", "Vision", "Max", "Flow", "Sense")
_MARKETS = ("Warehouse Automation", "Battery Storage", "Remote Monitoring", "Drone Detection", "Precision Farming",
            "Edge Computing", "Hydrogen Refueling", "Cold Chain", "Smart Metering", "Satellite Imaging")
_FIRST = ("Dana", "Marcus", "Elena", "Priya", "Tomas", "Ingrid", "Walter", "Yuki", "Carmen", "Leon", "Ruth", "Omar")
_LAST = ("Aldridge", "Brandvold", "Castellan", "Dremmel", "Ekwueme", "Fairbourne", "Grunewald", "Hollister",
         "Ivarsson", "Jankowitz", "Kilbride", "Lindqvist", "Marchetti", "Nakagawa", "Okonjo", "Pemberton",
         "Rasmusson", "Stavros")
_FIRMS = ("Harrow & Pine LLP", "Ostrander Wickes LLP", "The Law Offices of Delmar Quist", "Bramwell & Roe, P.C.")
_MONTHS = ("March", "April", "May")
_QUARTERS = ("Fourth Quarter 2025", "First Quarter 2026")
_FOREIGN = ("TSXV: {t}", "CSE: {t}", "ASX: {t}", "LSE: {t}", "TSX: {t}", "FSE: {t}")


class Facts:
    """Draws the slots of one story after another and remembers what it gave away."""

    def __init__(self, random: Random):
        self._random = random
        self._used: set[str] = set()

    def for_company(self, company: Company) -> dict[str, str]:
        """All slots of a story about `company`."""
        slots = self.general()
        random = self._random
        deal = company.price_usd * random.uniform(1.25, 1.9)
        if not company.is_dear:
            deal = min(deal, 8.8)
        slots.update(
            name=company.name, names=f"{company.name}{'’' if company.name.endswith('s') else '’s'}",
            legal=company.legal, short=company.name.split()[0],
            ticker=company.ticker, listing=company.listing, exchange=company.exchange, deal=f"${deal:.2f}",
            price=f"${max(company.price_usd * random.uniform(0.7, 0.95), 0.12):.2f}")
        return slots

    def general(self) -> dict[str, str]:
        """The slots that need no listed company; `other` is a company without a US listing."""
        random = self._random
        amount, digits = self._fresh(self._amount), random.randint(1, 9)
        drug, disease = self._fresh(self._drug), random.choice(_DISEASES)
        quarter, market = random.choice(_QUARTERS), random.choice(_MARKETS)
        partner = self._fresh(self._partner)
        foreign = "".join(random.choices("BCDFGHKLMNPRSTVW", k=3))
        return {
            "amt": f"${amount} Million", "amtl": f"${amount} million", "drug": drug, "drugl": drug.lower(),
            "disease": disease, "diseasel": disease.lower(), "phase": random.choice(("1b", "2", "2a", "2b", "3")),
            "trial": self._fresh(self._trial), "partner": partner, "agency": random.choice(_AGENCIES),
            "product": self._fresh(self._product), "person": self._fresh(self._person),
            "pct": f"{random.uniform(5, 60):.1f}", "quarter": quarter, "quarterl": quarter.lower(),
            "market": market, "marketl": market.lower(), "count": str(random.randint(10, 60)), "digit": str(digits),
            "day": str(random.randint(10, 28)), "month": random.choice(_MONTHS), "firm": random.choice(_FIRMS),
            "nth": f"{random.randint(4, 20)}th", "bn": f"${random.uniform(2, 90):.1f}",
            "patent": f"{random.randint(11_500_000, 12_600_000):,}",
            "city": random.choice(("Boston", "Austin", "Denver")),
            "shares": f"{random.randint(400, 9_000) * 1000 + random.choice((0, 250, 500)):,}",
            "other": self._fresh(self._other), "foreign": random.choice(_FOREIGN).format(t=foreign),
        }

    def _fresh(self, draw: Callable[[], str]) -> str:
        """A value that was not given away yet; after many days' worth of draws a repeated one."""
        value = draw()
        for _ in range(50):
            if value not in self._used:
                break
            value = draw()
        self._used.add(value)
        return value

    def _amount(self) -> str:
        random = self._random
        return f"{random.uniform(2, 30):.2f}" if random.random() < 0.4 else f"{random.uniform(2, 240):.1f}"

    def _word(self, syllables: int) -> str:
        return "".join(self._random.choices(_SYLLABLES, k=syllables)).capitalize()

    def _drug(self) -> str:
        return self._word(2) + self._random.choice(_DRUG_ENDS)

    def _product(self) -> str:
        return f"{self._word(3)} {self._random.choice(_PRODUCT_ENDS)}"

    def _trial(self) -> str:
        return self._word(3).upper() + f"-{self._random.randint(1, 9)}"

    def _partner(self) -> str:
        random = self._random
        root = random.choice(_PARTNER_ROOTS) if random.random() < 0.5 else self._word(3)
        return f"{root}{random.choice(_PARTNER_MIDDLES)} {random.choice(_PARTNER_ENDS)}"

    def _other(self) -> str:
        return f"{self._word(3)} {self._random.choice(_PARTNER_ENDS)}"

    def _person(self) -> str:
        random = self._random
        return f"{random.choice(_FIRST)} {chr(random.randint(65, 90))}. {random.choice(_LAST)}"
