"""Fictional listed companies: name, ticker, CIK, exchange, price. Pure: the random source is an argument.

Tickers have four letters of which the last two are rare ones, a pattern that real US tickers hardly ever have. CIKs
begin at 9,000,000, above all that the SEC has given out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

FIRST_CIK = 9_000_000
DEAR_SHARE = 0.15
_RARE = "JQXZ"
_REAL = frozenset({"CNXX", "JAZZ", "SPXX", "BGXX", "QQQX", "GLXZ", "ABQQ", "LEXX", "XXXX", "IDXX", "FIZZ", "ARQQ",
                   "VOXX", "IPXX", "VAXX"})

_STARTS = ("Abri", "Aldo", "Ambro", "Arvo", "Belka", "Borva", "Brenti", "Calo", "Cerdi", "Corvi", "Dalu", "Dremi",
           "Durvo", "Eldra", "Embri", "Esto", "Fardo", "Felmi", "Forza", "Galvo", "Gendri", "Gorlu", "Halva", "Hervi",
           "Holmo", "Ilvo", "Imbra", "Istru", "Jandri", "Jelvo", "Kalmi", "Kerdo", "Korvu", "Lambri", "Lenvo", "Lurda",
           "Maldi", "Mervo", "Modru", "Nalvi", "Nerdo", "Novru", "Obra", "Olmi", "Orvu", "Palda", "Pervi", "Poldru",
           "Quali", "Quendo", "Ralvi", "Remdo", "Rovli", "Saldu", "Selvi", "Sorma", "Talvo", "Tendri", "Torlu", "Ulma",
           "Urvi", "Valdo", "Vendri", "Vorlu", "Walda", "Welvi", "Wondru", "Xalo", "Yalvi", "Yordu", "Zaldi", "Zelvo")
_ENDS = ("bant", "cade", "croft", "dex", "fane", "gena", "kara", "lith", "lune", "mere", "nexa", "nova", "pheon",
         "quil", "rax", "rine", "sant", "sola", "tera", "thos", "tron", "vance", "vex", "wyn", "xis", "yra", "zent")

SECTORS: dict[str, tuple[tuple[str, ...], str]] = {
    "bio": (("Therapeutics", "Biosciences", "Pharmaceuticals", "Biopharma", "Oncology", "Immunology"),
            "a clinical-stage biopharmaceutical company developing treatments for patients with few options"),
    "device": (("Medical", "Surgical", "Diagnostics"), "a medical device company that serves hospitals and clinics"),
    "tech": (("Systems", "Robotics", "Networks", "Semiconductor", "Software", "Photonics"),
             "a provider of industrial computing and sensing technology"),
    "energy": (("Energy", "Power", "Fuel Cells", "Battery"), "a developer of power generation and storage equipment"),
    "mining": (("Resources", "Gold", "Minerals", "Lithium"), "an exploration and development company"),
    "defense": (("Aerospace", "Defense", "Avionics"), "a supplier of airborne systems to government customers"),
    "consumer": (("Brands", "Foods", "Beverage"), "a maker of branded goods sold through retailers"),
}
_SECTOR_WEIGHTS = {"bio": 40, "device": 10, "tech": 20, "energy": 9, "mining": 6, "defense": 7, "consumer": 8}
_FORMS = ("Inc.", "Inc.", "Inc.", "Corp.", "Corporation", "Holdings, Inc.", "Ltd.", "plc")
_EXCHANGES = ("Nasdaq", "Nasdaq", "Nasdaq", "NASDAQ", "NYSE American", "NYSE")
_CITIES = ("SAN DIEGO", "BOSTON", "AUSTIN, Texas", "DENVER", "RALEIGH, N.C.", "TAMPA, Fla.", "SEATTLE", "ATLANTA",
           "CARLSBAD, Calif.", "PRINCETON, N.J.", "IRVINE, Calif.", "SALT LAKE CITY", "ANN ARBOR, Mich.", "TEL AVIV",
           "VANCOUVER, British Columbia", "NEW YORK", "HOUSTON", "CAMBRIDGE, Mass.", "MINNEAPOLIS", "PHOENIX")


@dataclass(frozen=True, slots=True)
class Company:
    """A listed company. `price_usd` is what a share costs when the day starts."""

    name: str  # as headlines have it: Corvilith Therapeutics
    legal: str  # with its legal form
    ticker: str
    cik: int
    exchange: str
    sector: str
    about: str
    city: str
    price_usd: float
    is_dear: bool

    @property
    def listing(self) -> str:
        """`Nasdaq: ABXZ`, as press releases write it."""
        return f"{self.exchange}: {self.ticker}"


def make_companies(random: Random, count: int) -> list[Company]:
    """`count` companies, about DEAR_SHARE of them priced over 20 USD, the others from 0.30 to 8."""
    roots = [start + end for start, end in product(_STARTS, _ENDS)]
    if count > len(roots):
        raise ValueError(f"at most {len(roots)} companies")
    names = random.sample(roots, count)
    used: set[str] = set(_REAL)
    sectors = random.choices(list(_SECTOR_WEIGHTS), list(_SECTOR_WEIGHTS.values()), k=count)
    companies = []
    for index, (root, sector) in enumerate(zip(names, sectors, strict=True)):
        words, about = SECTORS[sector]
        name = f"{root} {random.choice(words)}"
        form = random.choice(_FORMS)
        is_dear = random.random() < DEAR_SHARE
        companies.append(Company(
            name=name, legal=f"{name}{', ' if form in ('Inc.', 'Ltd.') else ' '}{form}",
            ticker=_ticker(random, root, used), cik=FIRST_CIK + 7 * index + random.randrange(7),
            exchange=random.choice(_EXCHANGES), sector=sector, about=about, city=random.choice(_CITIES),
            price_usd=_price(random, is_dear), is_dear=is_dear))
    return companies


def _price(random: Random, is_dear: bool) -> float:
    """Evenly spread over the logarithm, as low prices are the more frequent ones."""
    low, high = (20.0, 200.0) if is_dear else (0.3, 8.0)
    price: float = low * (high / low) ** random.random()
    return round(price, 2 if is_dear else 3)


def _ticker(random: Random, root: str, used: set[str]) -> str:
    letters = root.upper()
    pairs = [a + b for a in _RARE for b in _RARE]
    random.shuffle(pairs)
    for second in letters[1:] + "ABCDEFGHIKLMNOPRSTUVWY":
        for pair in pairs:
            ticker = letters[0] + second + pair
            if ticker not in used:
                used.add(ticker)
                return ticker
    raise ValueError(f"no ticker left for {root}")


def company_list(companies: Sequence[Company]) -> str:
    """The companies as the SEC's company_tickers.json writes them."""
    rows = {str(index): {"cik_str": company.cik, "ticker": company.ticker, "title": company.legal}
            for index, company in enumerate(companies)}
    return json.dumps(rows, ensure_ascii=False)
