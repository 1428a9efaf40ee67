"""Which tickers a story is about."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.companies import Companies
from catalyst.core.tickers import MOST, TickerFound, find_tickers, instrument

ROWS = [
    ("ABCD", "Abcd Therapeutics, Inc."),
    ("EFGH", "Efgh Mining Corp"),
    ("ASH", "Ashland Inc."),
    ("TSLA", "Tesla, Inc."),
    ("UBER", "Uber Technologies, Inc"),
    ("PLTR", "Palantir"),
    ("PLT", "Plantronics"),
    ("SNOW", "Snowflake Inc."),
    ("SNO", "Sno Group"),
    ("NOW", "ServiceNow"),
    ("SU", "Suncor"),
    ("DOW", "Dow Inc."),
    ("DO", "Diamond Offshore"),
    ("BIDU", "Baidu"),
    ("BID", "Sothebys"),
    ("NVDA", "NVIDIA CORP"),
    ("MTCH", "Metsera, Inc."),
    ("PFE", "PFIZER INC"),
    ("MRK", "Merck & Co., Inc."),
    ("BRK-B", "BERKSHIRE HATHAWAY INC"),
    ("NDAQ", "NASDAQ, INC."),
    ("TGT", "TARGET CORP"),
    ("BAC", "BANK OF AMERICA CORP"),
    ("LIVE", "Live Ventures"),
    ("ALL", "ALLSTATE CORP"),
    ("CHRS", "Coherus Oncology"),
    ("QRST", "Qrst Holdings Inc"),
    ("QRSTW", "Qrst Holdings Inc"),
    ("CRAWA", "Crawford United Corp"),
    ("CRAW", "Craw Co"),
    ("CRAWW", "Quite Another Co"),
]
CIKS = {"QRSTW": "QRST"}
LIST = Companies.from_json(
    json.dumps(
        {
            ticker: {
                "cik_str": next(n for n, row in enumerate(ROWS) if row[0] == CIKS.get(ticker, ticker)),
                "ticker": ticker,
                "title": name,
            }
            for ticker, name in ROWS
        }
    )
)


def found(
    title: str, summary: str = "", symbols: tuple[str, ...] = (), companies: Companies | None = LIST
) -> tuple[TickerFound, ...]:
    return find_tickers(title, summary, symbols, companies)


def shares(*arguments: object) -> list[str]:
    return [one.ticker for one in found(*arguments) if one.alertable]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    [
        "Acme (Nasdaq: ABCD)",
        "Acme (NASDAQ:ABCD)",
        "Acme (NASDAQ : ABCD)",
        "Acme (Nasdaq:\u00a0ABCD)",
        "Acme (NasdaqCM: ABCD)",
        "Acme (NasdaqGS:ABCD)",
        "Acme (NASDAQ GM: ABCD)",
        "Acme (NASDAQ Capital Market: ABCD)",
        "Acme (Nasdaq Global Select Market: ABCD)",
        "Acme [NASDAQ: ABCD]",
        "Acme (“Acme” or the “Company”, Nasdaq: ABCD)",
        "Acme (Nasdaq: “ABCD”)",
        "Acme (NASDAQ - ABCD)",
        "Acme (Nasdaq–ABCD)",
        "Acme (NASDAQ ABCD)",
        "Acme (NYSE: ABCD)",
        "Acme (NYSE American: ABCD)",
        "Acme (NYSEAMERICAN: ABCD)",
        "Acme (NYSE MKT: ABCD)",
        "Acme (NYSE-American: ABCD)",
        "Acme (NYSE Arca: ABCD)",
        "Acme (Cboe: ABCD)",
        "Acme (CBOE BZX: ABCD)",
        "Acme (AMEX: ABCD)",
        "Acme (New York Stock Exchange: ABCD)",
        "Acme (OTC: ABCD)",
        "Acme (OTCQB: ABCD)",
        "Acme (OTCQX: ABCD)",
        "Acme (OTC Pink: ABCD)",
        "Acme (OTC PINK: ABCD)",
        "Acme (OTCMKTS: ABCD)",
        "Acme (PINK: ABCD)",
        "Acme (OTC Markets: ABCD)",
        "NASDAQ: ABCD announces",
        "Acme, Nasdaq: ABCD, announces",
        "“NASDAQ: ABCD”",
        "Acme (SIX and Nasdaq: ABCD)",
        "Acme (NASDAQ/TSX: ABCD)",
        "Acme (Nasdaq: $ABCD)",
        "Acme (TASE, NASDAQ: ABCD)",
        "shares trade on Nasdaq under the symbol “ABCD”",
        "NYSE ticker: ABCD",
        "Acme (OTC Markets Group OTCQB: ABCD)",
        "its ticker symbol ABCD",
        "under the ticker “ABCD”",
    ],
)
@pytest.mark.parametrize("companies", [LIST, None], ids=["list", "no list"])
def test_written_forms(written: str, companies: Companies | None) -> None:
    """Each written form of a listing gives its ticker, with the words that say so, with and without a company list."""
    one = found(f"{written} news today", companies=companies)
    assert [each.ticker for each in one if each.alertable] == ["ABCD"], one
    assert one[0].role == "primary"
    assert one[0].evidence in written
    assert "ABCD" in one[0].evidence


@pytest.mark.parametrize(
    "written",
    [
        "the FDA and the CEO at ASCO",
        "American Society of Hematology (ASH) meeting",
        "(FDA) (CEO) (ESMO) (NYSE)",
        "a symbol of hope",
        "Nasdaq-listed company",
        "NASDAQ - FDA Approves",
        "Nasdaq CEO says",
        "Nasdaq: Company receives letter",
        "NASDAQ: A Look at the Day",
        "Nasdaq 100 rises",
        "revenue of $150, $US5 and $CAD",
        "$BTC and $ETH fall",
        "(Nasdaq: NBI)",
        "tesla and uber",
        "LIVE: markets fall",
        "ALL in on growth",
        "(ABC123)",
        "(ab)",
        "Merck KGaA, Darmstadt, Announces",
        "Target of investigation",
        "NYSE suspends trading",
        "",
    ],
)
def test_what_is_no_ticker(written: str) -> None:
    """Acronyms, ordinary words, money, indices and other companies' names are no tickers."""
    assert found(written) == ()


@pytest.mark.parametrize(
    ("written", "tickers"),
    [
        ("(NASDAQ: ABCD; TSX: ABC)", ["ABCD"]),
        ("(Nasdaq: ABCD) (TSXV: XYZ) (FSE: 0NF)", ["ABCD"]),
        ("(CSE: RVV) (OTCQB: RVVTF)", ["RVVTF"]),
        ("(TSE: 4502/NYSE: TAK)", ["TAK"]),
        ("(Nasdaq: ABCD | ASX: BNO)", ["ABCD"]),
        ("NASDAQ: ABCD and NYSE: EFGH", ["ABCD", "EFGH"]),
        ("(NYSE: BRK.A, BRK.B)", ["BRK-A", "BRK-B"]),
        ("(NYSE: BRK-B)", ["BRK-B"]),
        ("(NYSE: BRK/B)", ["BRK-B"]),
        ("(Nasdaq: ABCD, ABCDW)", ["ABCD"]),
        ("(Nasdaq: ABCD; ABCDW)", ["ABCD"]),
        ("(Nasdaq: ABCD and ABCDU)", ["ABCD"]),
        ("(Nasdaq: ABCD, OPKO)", ["ABCD"]),
        ("(NYSE: ASH)", ["ASH"]),
        ("$NVDA surges, $TSLA too", ["NVDA", "TSLA"]),
        ("Tesla Inc. (TSLA)", ["TSLA"]),
        ("(NYSE: ABCD) again (NYSE: ABCD)", ["ABCD"]),
    ],
)
def test_several_in_one_text(written: str, tickers: list[str]) -> None:
    """Several listings in one text: US shares in their order, each once, in one spelling."""
    assert shares(written) == tickers


@pytest.mark.parametrize(
    "venue",
    [
        "TSX",
        "TSXV",
        "TSX-V",
        "TSX Venture",
        "CSE",
        "LSE",
        "AIM",
        "ASX",
        "FSE",
        "Frankfurt",
        "Euronext Paris",
        "TASE",
        "HKEX",
        "Nasdaq Stockholm",
        "Nasdaq First North",
        "First North",
        "Cboe Canada",
        "NEO",
        "Oslo",
        "SGX",
    ],
)
def test_foreign_listings(venue: str) -> None:
    """A listing abroad is kept as evidence and is no share to alert for."""
    (one,) = found(f"Acme ({venue}: ABC) announces")
    assert (one.listing, one.obstacle, one.evidence) == ("foreign", "foreign_listing", f"{venue}: ABC")


@pytest.mark.parametrize(
    ("ticker", "beside", "what"),
    [
        ("ABCDW", set(), "warrant"),
        ("ABCDWS", set(), "warrant"),
        ("ABCDU", set(), "unit"),
        ("ABCDR", set(), "right"),
        ("ABCDP", set(), "preferred"),
        ("WXYZW", {"WXYZ"}, "warrant"),
        ("WXYZW", set(), ""),
        ("QRSTW", set(), "warrant"),
        ("CRAWW", set(), ""),
        ("UBER", set(), ""),
        ("PLTR", set(), ""),
        ("SNOW", set(), ""),
        ("NOW", set(), ""),
        ("SU", set(), ""),
        ("ASH", set(), ""),
        ("DOW", set(), ""),
        ("BIDU", set(), ""),
        ("BAC-PRA", set(), "preferred"),
        ("BAC-WS", set(), "warrant"),
        ("BAC-PA", set(), "preferred"),
        ("BRK-B", set(), ""),
    ],
)
def test_instruments(ticker: str, beside: set[str], what: str) -> None:
    """A warrant, unit, right or preferred is known by its parent; ordinary shares with such letters stay."""
    assert instrument(ticker, beside, LIST) == what


@pytest.mark.parametrize(
    ("title", "tickers"),
    [
        ("Abcd Therapeutics Announces Pricing", ["ABCD"]),
        ("Abcd Therapeutics, Inc. to Sell Unit", ["ABCD"]),
        ("CORRECTION – Abcd Therapeutics Reports", ["ABCD"]),
        ("Pfizer to Acquire Metsera for $4.9 Billion", ["MTCH", "PFE"]),
        ("Tesla’s Plant Opens", ["TSLA"]),
        ("Target Hospitality Announces", []),
        ("Unknown and Efgh Mining Announce", []),
        ("Abcd Therapeutics and Efgh Mining Announce Alliance", ["ABCD", "EFGH"]),
        ("Qrst Announces", []),
        ("abcd therapeutics announces", []),
        ("Efgh Mining Crushers Rolls Out a Mill", []),
        ("Efgh Mining Tools: a Day at the Quarry", []),
        ("Efgh Mining Drinks LLC Opens", []),
    ],
)
def test_issuer_by_name(title: str, tickers: list[str]) -> None:
    """Without a written ticker the whole name at the head of the title counts, and the other party of a deal."""
    assert shares(title) == tickers
    assert all(one.how == "company name" and one.evidence in title for one in found(title))


def test_a_name_in_the_first_sentences() -> None:
    """A title that says only a name's first word is borne out by the whole name in the first sentences."""
    assert shares("Blast Shuts Metsera Plant", "Four were hurt at the plant of Metsera, Inc. near Lowell.") == ["MTCH"]
    assert shares("Blast Shuts a Plant", "Four were hurt at the plant of Metsera, Inc. near Lowell.") == []


def test_a_unit_leads_to_the_share_that_is_written_too() -> None:
    """Where only a unit is written as a ticker, the share that the text names beside it counts; never a guessed one."""
    assert shares("Qrst Prices IPO", "Its units list on the NYSE under the symbol BAC.U, later its shares as BAC.") == [
        "BAC"]
    assert shares("Qrst Prices IPO", "Its units list on the NYSE under the symbol BAC.U.") == []


def test_a_spin_off_is_its_parents_news() -> None:
    """A share that only will be listed "under the symbol" stands behind the company that heads the title."""
    told = ("Efgh Mining Sets Dates for Spin-Off", "The new shares start under the symbol SNOW in May.")
    assert [one.ticker for one in found(*told)] == ["EFGH", "SNOW"]



def test_issuer_by_dateline() -> None:
    """The name behind the wire's name in the dateline is the issuer."""
    body = "NEW YORK, Jan. 3, 2026 (GLOBE NEWSWIRE) -- Abcd Therapeutics, Inc., a company, today announced"
    assert shares("New Drug Works", body) == ["ABCD"]


def test_no_name_when_a_ticker_is_written() -> None:
    """A company that is only listed abroad is not looked up by its name."""
    assert shares("Abcd Therapeutics (TSX: ABC) Announces") == []


@pytest.mark.parametrize(
    ("title", "summary", "symbols", "first"),
    [
        ("Efgh Mining (NYSE: EFGH) signs", "with Abcd (Nasdaq: ABCD)", (), "EFGH"),
        ("A deal", "Efgh (NYSE: EFGH) and Abcd (Nasdaq: ABCD)", (), "EFGH"),
        ("Abcd Expands", "Efgh (NYSE: EFGH) and AbcdBio (Nasdaq: ABCD)", (), "ABCD"),
        ("A story", "", ("NYSE:EFGH", "Nasdaq:ABCD"), "EFGH"),
        ("About (Nasdaq: ABCD)", "", ("NYSE:EFGH", "Nasdaq:ABCD"), "ABCD"),
        ("A story", "", ("TSX:ABC", "OTCQB:EFGH"), "EFGH"),
    ],
)
def test_roles(title: str, summary: str, symbols: tuple[str, ...], first: str) -> None:
    """The ticker in the title, of the issuer, or named first is primary; all others are secondary."""
    found_here = found(title, summary, symbols)
    assert found_here[0].ticker == first
    assert [one.role for one in found_here] == ["primary"] + ["secondary"] * (len(found_here) - 1)


@pytest.mark.parametrize(
    ("tag", "ticker", "listing"),
    [
        ("Nasdaq:ORIC", "ORIC", "us"),
        ("NYSE American: ABC", "ABC", "us"),
        ("OTCQB:RVVTF", "RVVTF", "otc"),
        ("TSX:ABC", "ABC", "foreign"),
        ("Swiss:ADXN", "ADXN", "foreign"),
        ("ORIC", "ORIC", "us"),
        ("$ORIC", "ORIC", "us"),
        ("NYSE:BRK.B", "BRK-B", "us"),
        ("Berlin:X1Y", "X1Y", "foreign"),
    ],
)
def test_publishers_tags(tag: str, ticker: str, listing: str) -> None:
    """A publisher's tag names exchange and ticker, or the ticker alone."""
    (one,) = found("A story", "", (tag,))
    assert (one.ticker, one.listing, one.how, one.evidence) == (ticker, listing, "tag", tag)


def test_mentions_deep_in_the_text_are_no_subjects() -> None:
    """A company named far down is not what the story is about, unless no other is named."""
    filler = "word " * 200
    assert shares("News", f"Abcd (Nasdaq: ABCD) {filler} (NYSE: EFGH)") == ["ABCD"]
    assert shares("News", f"{filler} (NYSE: EFGH)") == ["EFGH"]


def test_long_lists_are_cut() -> None:
    """A list of tickers is not an alert for each of them."""
    assert len(found(" ".join(f"(NYSE: AB{chr(65 + n)})" for n in range(26)))) == MOST


@given(st.text(max_size=300), st.text(max_size=300), st.lists(st.text(max_size=12), max_size=3))
def test_no_text_raises_and_evidence_is_literal(title: str, summary: str, symbols: list[str]) -> None:
    """Whatever is written, nothing raises, the same input gives the same answer, and evidence is what was written."""
    first = found(title, summary, tuple(symbols))
    assert first == found(title, summary, tuple(symbols))
    assert all(one.evidence in title or one.evidence in summary or one.evidence in symbols for one in first)


PIECES = st.sampled_from(
    [
        "(",
        ")",
        "Nasdaq",
        "NYSE",
        ": ",
        ":",
        ", ",
        "ABCD",
        "ABCDW",
        "$",
        "OTC",
        "TSX",
        " and ",
        "“",
        "-",
        "FDA",
        "ticker symbol ",
        "Abcd Therapeutics ",
        "Announces ",
        "\u00a0",
        "  ",
        "İ",
        "/",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from([LIST, None]))
def test_any_mix_of_forms(text: str, companies: Companies | None) -> None:
    """Any mix of the forms gives tickers in one spelling, each once, with literal evidence."""
    all_found = find_tickers(text, text, (), companies)
    assert len({one.ticker for one in all_found}) == len(all_found)
    assert all(one.evidence in text and one.ticker == one.ticker.upper() and len(one.ticker) <= 10 for one in all_found)


@pytest.mark.parametrize(
    "text", ["(NASDAQ, " * 4000, "Nasdaq: " * 4000, "(NYSE: ABCD, " * 3000, "nasdaq nyse otc " * 3000, "(" * 40_000]
)
def test_no_text_takes_long(text: str) -> None:
    """No repetition makes the search blow up."""
    began = time.process_time()
    found(text[:2_000], text)
    assert time.process_time() - began < 1.0
