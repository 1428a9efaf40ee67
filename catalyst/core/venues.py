"""The written names of stock exchanges, and whether a listing there can be traded as a US stock.

Sources: the exchanges' own names and market tiers, and the ways in which press releases write them (ISO 10383 codes are
not used in releases). It reads no ticker.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Listing = Literal["us", "otc", "foreign"]


class Venue(NamedTuple):
    """An exchange: `stems` are folded words that begin its written forms, `form` matches one of them whole."""

    name: str
    listing: Listing
    stems: tuple[str, ...]
    form: str
    shouted: bool = False  # a common word in small letters (aim, six): counts in capitals only


# Longer forms stand before the shorter ones that they begin with.
VENUES: tuple[Venue, ...] = (
    Venue("Nasdaq Nordic", "foreign", ("nasdaq", "first north"),
          r"(?:nasdaq (?:omx )?)?first north(?: growth market)?(?: (?:stockholm|copenhagen|helsinki|iceland))?"
          r"|nasdaq (?:omx )?(?:stockholm|copenhagen|helsinki|iceland|nordic|baltic|riga|tallinn|vilnius|dubai)"),
    Venue("NASDAQ", "us", ("nasdaq", "nasdaqcm", "nasdaqgm", "nasdaqgs", "nasdaqcap", "the nasdaq"),
          r"nasdaq(?:[ -]?(?:cm|gs|gm|cap))?(?: ?(?:global select|global|capital|national|stock))?(?: ?markets?)?"
          r"(?: llc)?"),
    Venue("NYSE American", "us", ("nyse", "nyseamerican", "nysemkt", "nyseam", "nysearca", "nyseamex", "amex",
                                  "american stock exchange"),
          r"nyse[ -]?(?:american|mkt|amex|am\b)|amex|american stock exchange"),
    Venue("NYSE Arca", "us", ("nyse", "nysearca", "arca"), r"nyse[ -]?arca|arca"),
    Venue("NYSE", "us", ("nyse", "new york stock exchange"),
          r"nyse(?:[ -](?:texas|chicago|national))?|new york stock exchange"),
    Venue("Cboe Canada", "foreign", ("cboe", "neo", "aequitas"),
          r"cboe canada|neo exchange|aequitas neo(?: exchange)?"),
    Venue("Cboe", "us", ("cboe", "bats"), r"cboe(?: bzx)?(?: u\.?s\.?)?(?: exchange)?|bats"),
    Venue("OTC", "otc", ("otc", "otcqb", "otcqx", "otcpink", "otcpk", "otcmkts", "otcbb", "otcid", "otcex",
                         "otcmarkets", "pink", "other otc", "pinksheets", "grey market"),
          r"(?:other )?otc[ -]?(?:qb|qx|pink|pk|id|mkts?|markets?|bb|ex)?(?: (?:markets?|group|pink|venture|limited|"
          r"current|best|basic|expert|sheets|market tier|bulletin board))*|pink ?sheets?|pink(?= ?:)|grey market"),
    Venue("TSX", "foreign", ("tsx", "tsxv", "toronto stock exchange"),
          r"tsx[ .-]?v(?:enture)?(?: exchange)?|tsx venture(?: exchange)?|tsx|toronto stock exchange"),
    Venue("CSE", "foreign", ("cse", "cnsx", "canadian securities exchange"),
          r"cse|cnsx|canadian securities exchange"),
    Venue("LSE", "foreign", ("lse", "london stock exchange"), r"lse(?: ?aim)?|london stock exchange"),
    Venue("ASX", "foreign", ("asx", "australian securities exchange"), r"asx|australian securities exchange"),
    Venue("Frankfurt", "foreign", ("fse", "fwb", "frankfurt", "xetra", "etr", "frankfurt stock exchange"),
          r"fse|fwb|frankfurt(?: stock exchange)?|xetra|etr"),
    Venue("Euronext", "foreign", ("euronext", "enx", "ebr"),
          r"euronext(?: (?:growth|access|paris|brussels|amsterdam|lisbon|dublin|oslo|milan|expand))*|enx|ebr"),
    Venue("Tel Aviv", "foreign", ("tase", "tel aviv stock exchange"), r"tase|tel aviv stock exchange"),
    Venue("Hong Kong", "foreign", ("hkex", "sehk", "hkse", "hkg", "hong kong stock exchange"),
          r"hkex|sehk|hkse|hkg|hong kong stock exchange"),
    Venue("Tokyo", "foreign", ("tse", "tyo", "tokyo stock exchange"), r"tse(?: prime)?|tyo|tokyo stock exchange"),
    Venue("Singapore", "foreign", ("sgx",), r"sgx(?:[ -]st)?"),
    Venue("India", "foreign", ("bse", "nse"), r"bse|nse"),
    Venue("Korea", "foreign", ("kosdaq", "kospi", "krx"), r"kosdaq|kospi|krx"),
    Venue("Oslo", "foreign", ("oslo", "ose", "osl"), r"oslo(?: (?:børs|bors|stock exchange))?|ose|osl"),
    Venue("Stockholm", "foreign", ("stockholm", "ngm", "spotlight"),
          r"stockholm|ngm(?: (?:equity|nordic sme))?|spotlight"),
    Venue("Swiss", "foreign", ("swx", "six swiss exchange"), r"swx|six swiss exchange"),
    Venue("Milan", "foreign", ("borsa italiana", "bit"), r"borsa italiana|bit"),
    Venue("Madrid", "foreign", ("bme", "bmad"), r"bme(?: growth)?|bmad"),
    Venue("Latin America", "foreign", ("bmv", "bovespa", "bvmf"), r"bmv|bovespa|bvmf"),
    Venue("Johannesburg", "foreign", ("jse",), r"jse"),
    Venue("New Zealand", "foreign", ("nzx",), r"nzx"),
    Venue("Warsaw", "foreign", ("wse", "gpw"), r"wse|gpw"),
    Venue("Aquis", "foreign", ("aquis", "aqse"), r"aquis|aqse"),
    Venue("AIM", "foreign", ("aim",), r"AIM", True),
    Venue("NEO", "foreign", ("neo",), r"NEO", True),
    Venue("SIX", "foreign", ("six",), r"SIX", True),
    Venue("HEL", "foreign", ("hel", "cph", "sto", "epa", "ams", "fra", "ice"), r"HEL|CPH|STO|EPA|AMS|FRA|ICE", True),
)
FORMS = {letter: re.compile("(?:" + "|".join(  # by the letter that a name begins with
    f"(?P<v{number}>{venue.form if venue.shouted else f'(?i:{venue.form})'})" for number, venue in enumerate(VENUES)
    if any(stem[0] == letter for stem in venue.stems)
) + r")(?![A-Za-z0-9])") for letter in sorted({stem[0] for venue in VENUES for stem in venue.stems})}
STEMS = tuple(sorted({stem for venue in VENUES for stem in venue.stems}))


def venue_at(text: str, position: int) -> tuple[Venue, int] | None:
    """The venue whose name begins at `position` of a plain text, and where the name ends."""
    form = FORMS.get(text[position:position + 1].lower())
    found = form.match(text, position) if form is not None else None
    if found is None or found.lastgroup is None:
        return None
    return VENUES[int(found.lastgroup[1:])], found.end()
