"""Every written form of a ticker, instruments and funds by rule, relevance and reasons, and the failures that the
predecessor had in production with tickers."""

from __future__ import annotations

import json
import time

import pytest

from catalyst.clients.files import load_sentiment
from catalyst.core.classify import Story, classify
from catalyst.core.companies import Companies
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.core.tickers import TickerFound, find_tickers
from catalyst.errors import ConfigError

NAMES = {
    "ABCD": "Abcd Therapeutics, Inc.", "EFGH": "Efgh Mining Corp", "TSLA": "Tesla, Inc.", "AMC": "AMC Entertainment",
    "BYND": "Beyond Meat, Inc.", "QMCO": "QUANTUM CORP /DE/", "QUBT": "Quantum Computing Inc.", "ASH": "Ashland Inc.",
    "UBER": "Uber Technologies, Inc", "PLTR": "Palantir Technologies Inc.", "PLT": "Plantronics",
    "SNOW": "Snowflake Inc.",
    "SNO": "Sno Group", "NOW": "ServiceNow, Inc.", "SU": "SUNCOR ENERGY INC", "S": "SentinelOne, Inc.",
    "DOW": "DOW INC.", "BIDU": "Baidu, Inc.", "BID": "Sothebys", "BAC": "BANK OF AMERICA CORP /DE/",
    "BRK-B": "BERKSHIRE HATHAWAY INC", "SPY": "SPDR S&P 500 ETF TRUST", "GLD": "SPDR GOLD TRUST",
    "GBTC": "Grayscale Bitcoin Trust (BTC)", "PDI": "PIMCO Dynamic Income Fund",
    "OPI": "OFFICE PROPERTIES INCOME TRUST",
    "O": "REALTY INCOME CORP", "MPW": "MEDICAL PROPERTIES TRUST INC", "CHRS": "Coherus BioSciences, Inc.",
    "AZN": "ASTRAZENECA PLC", "TGT": "TARGET CORP", "FBIO": "Fortress Biotech, Inc.", "LIVE": "Live Ventures Inc",
    "MRNA": "Moderna, Inc.", "IMMX": "Immix Biopharma, Inc.", "ADAP": "Adaptimmune Therapeutics PLC"}
LIST = Companies.from_json(json.dumps({
    ticker: {"cik_str": number, "ticker": ticker, "title": name}
    for number, (ticker, name) in enumerate(NAMES.items())}))
MODEL = load_sentiment()
RULES = Rules.from_toml('[[kind]]\nname = "deal"\ndirection = "up"\nweight = 0.9\nphrases = ["soars", "approval"]\n')


def found(title: str, summary: str = "", symbols: tuple[str, ...] = (),
          companies: Companies | None = LIST) -> tuple[TickerFound, ...]:
    return find_tickers(title, summary, symbols, companies)


def shares(title: str, summary: str = "", symbols: tuple[str, ...] = ()) -> list[str]:
    return [one.ticker for one in found(title, summary, symbols) if one.alertable]


VENUES = {
    "us": ("Nasdaq", "NASDAQ", "NasdaqCM", "NasdaqGS", "NasdaqGM", "NASDAQ CM", "Nasdaq Capital Market",
           "Nasdaq Global Market", "Nasdaq Global Select Market", "NYSE", "NYSE American", "NYSEAMERICAN", "NYSE MKT",
           "NYSE Arca", "NYSE Texas", "Cboe", "Cboe BZX", "AMEX", "New York Stock Exchange"),
    "otc": ("OTC", "OTCQB", "OTCQX", "OTC Pink", "OTCMKTS", "OTC Markets", "OTCID", "Pink Sheets"),
    "foreign": ("TSX", "TSXV", "TSX-V", "TSX Venture Exchange", "CSE", "LSE", "ASX", "AIM", "Frankfurt", "Cboe Canada",
                "Nasdaq Stockholm", "Euronext Paris", "HKEX")}
FORMS = ("Acme ({}: ABCD) wins", "Acme ({}:ABCD) wins", "Acme [{}: ABCD] wins", "Acme ({} : ABCD) wins",
         "Acme ({}: “ABCD”) wins", "Acme (“{}”: ABCD) wins", "Acme (the “Company”; {}: ABCD) wins", "{}: ABCD wins",
         "Acme, {}: ABCD, wins", "Acme ({}:\u00a0ABCD) wins", "Acme ({} – ABCD) wins", "Acme ({}: ABCD; FSE: 0XY) wins",
         "(FSE: 0XY) ({}: ABCD) wins")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("listing", "venue"), [(listing, venue) for listing, all_ in VENUES.items() for venue in all_])
def test_every_venue_in_every_form(form: str, listing: str, venue: str) -> None:
    """Each exchange's name in each form gives the ticker, where it is listed, and the words that say so."""
    text = form.format(venue)
    one = next(each for each in found(text) if each.ticker == "ABCD")
    assert (one.listing, one.how) == (listing, "exchange")
    assert one.evidence in text
    assert one.alertable == (listing != "foreign")


@pytest.mark.parametrize(("text", "tickers"), [
    ("TSLA: deliveries beat", ["TSLA"]),
    ("MRNA: approval expected", ["MRNA"]),
    ("PRICE: oil falls", []), ("UPDATE: more", []), ("ALERT: x", []), ("LIVE: markets fall", []), ("FDA: approves", []),
    ("Tesla Inc. (TSLA) wins", ["TSLA"]), ("Unknown Co (TSLA) wins", []), ("(ABC123) (ab) (A) (ABCDEFG) (FDA)", []),
    ("$TSLA surges past $150", ["TSLA"]), ("$ABCDX surges", []),
    ("(NYSE: BRK.B)", ["BRK-B"]), ("(NYSE: BRK/B)", ["BRK-B"]), ("(NYSE: BRK-B)", ["BRK-B"]),
    ("(NYSE: ABCD and TSLA)", ["ABCD", "TSLA"]), ("(NASDAQ: ABCD; NYSE: EFGH; TSX: ABC)", ["ABCD", "EFGH"]),
    ("a symbol of hope", []), ("nasdaq: abcd", []), ("(nasdaq: ABCD)", ["ABCD"]), ("tsla and uber rise", []),
])
def test_other_forms(text: str, tickers: list[str]) -> None:
    """Tickers at the head of a headline, behind a company, a dollar sign, with a class; words stay words."""
    assert shares(text) == tickers


@pytest.mark.parametrize(("written", "ticker", "what"), [
    ("(NYSE: BAC^A)", "BAC-PA", "preferred"), ("(NYSE: BAC PR A)", "BAC-PA", "preferred"),
    ("(NYSE: BACpA)", "BAC-PA", "preferred"), ("(NYSE: BAC.PRA)", "BAC-PRA", "preferred"),
    ("(NYSE: BAC.WS)", "BAC-WS", "warrant"), ("(NYSE: BAC.U)", "BAC-U", "unit"),
    ("(Nasdaq: ABCDW)", "ABCDW", "warrant"),
    ("(Nasdaq: ABCDU)", "ABCDU", "unit"), ("(Nasdaq: ABCDR)", "ABCDR", "right"),
    ("(Nasdaq: ABCDP)", "ABCDP", "preferred"),
    ("(NYSE Arca: SPY)", "SPY", "fund"), ("(NYSE Arca: GLD)", "GLD", "fund"), ("(OTCQX: GBTC)", "GBTC", "fund"),
    ("(NYSE: PDI)", "PDI", "fund"), ("(Nasdaq: OPI)", "OPI", ""), ("(NYSE: O)", "O", ""), ("(NYSE: MPW)", "MPW", ""),
])
def test_instruments_and_funds(written: str, ticker: str, what: str) -> None:
    """A warrant, unit, right, preferred or fund is marked and gets no alert; a trust that owns houses is a share."""
    (one,) = found(f"Acme {written} says")
    assert (one.ticker, one.instrument, one.alertable) == (ticker, what, not what)


@pytest.mark.parametrize(("title", "summary", "ticker", "evidence"), [
    ("Coherus Announces Sale", "", "CHRS", "Coherus"),
    ("Coherus Oncology Announces Sale", "", "CHRS", "Coherus Oncology"),
    ("Immix Biopharma on Track to Dose", "", "IMMX", "Immix Biopharma"),
    ("Adaptimmune and Acme Say", "", "ADAP", "Adaptimmune"),
    ("Nasdaq Determines Immix Biopharma Complies", "", "IMMX", "Immix Biopharma"),
    ("FDA Accepts Coherus’s Filing", "", "CHRS", "Coherus’s"),
    ("Cyprium, a Fortress Biotech Subsidiary, Sells", "", "FBIO", "Fortress Biotech"),
    ("A Drug Works", "OSLO, Norway, 4 May 2023 - Abcd Therapeutics, Inc., today", "ABCD", "Abcd Therapeutics, Inc."),
    ("A Drug Works", "BOSTON, Jan. 5, 2026 /PRNewswire/ -- Abcd Therapeutics today", "ABCD", "Abcd Therapeutics"),
    ("Abcd’s Drug Works", "Text.\n\nAbout Abcd Therapeutics\nAbcd is a company.", "ABCD", "About Abcd Therapeutics"),
])
def test_companies_by_name(title: str, summary: str, ticker: str, evidence: str) -> None:
    """Without a written ticker the issuer is found by its name, with the words that name it."""
    (one,) = found(title, summary)
    assert (one.ticker, one.evidence) == (ticker, evidence)
    assert one.why


@pytest.mark.parametrize("title", [
    "AstraZeneca Pharma India Profit Rises", "AstraZeneca India Gains", "Coherus Capital Partners Announces",
    "Target Hospitality Announces", "Snowflake Season Begins in the Alps", "Beyond Meat and Potatoes Is a Cookbook",
    "Efgh University Opens", "Shares of a Tesla Rival Rise", "Cooking with Target Prices"])
def test_names_of_others(title: str) -> None:
    """A name that goes on, a word of the language, or a mention in passing is not the issuer."""
    assert [one for one in found(title) if one.ticker in ("AZN", "CHRS", "TGT", "EFGH", "TSLA")] == []


def test_about_paragraph_at_the_end_of_a_long_text() -> None:
    """It is found behind 100 KB, and costs no more than a few times what a short text costs."""
    def cost(text: str) -> float:
        best = 1.0
        for _ in range(5):
            began = time.process_time()
            for _ in range(20):
                found("Abcd’s Drug Works", text)
            best = min(best, time.process_time() - began)
        return best

    head, about = "It works well. " * 350, "\n\nAbout Abcd Therapeutics\nAbcd is a company."
    long = head + "It works well. " * 6_500 + about
    assert len(long) > 100_000
    (one,) = found("Abcd’s Drug Works", long)
    assert (one.ticker, one.evidence) == ("ABCD", "About Abcd Therapeutics")
    assert cost(long) < 5 * cost(head + about)


def test_relevance_and_reasons() -> None:
    """Each ticker has its share of the story, 0 to 100, and reasons in words; the primary one has the most."""
    first, second = found("Efgh Mining (NYSE: EFGH) Signs", "Efgh (NYSE: EFGH) signs with Abcd (Nasdaq: ABCD).",
                          ("NYSE:EFGH",))
    assert (first.ticker, first.role, first.relevance) == ("EFGH", "primary", 100)
    assert "written with its exchange in the title" in first.why
    assert "publisher's tag" in first.why
    assert (second.ticker, second.role) == ("ABCD", "secondary")
    assert 0 < second.relevance < first.relevance
    assert second.why == "written with its exchange in the summary"


def test_failure_4_the_company_is_resolved_before_anything_is_dropped() -> None:
    """No story is dropped as about no listed company whose issuer the list knows by name."""
    story = Story("1", "Abcd Therapeutics Gets FDA Approval")
    decision = classify(story, RULES, LIST, model=MODEL, gates=Gates(0.1), now_ms=0)
    assert (decision.decision, decision.tickers[0].ticker) == ("alert", "ABCD")


@pytest.mark.parametrize("source", ["globenewswire", "prnewswire", "unknown"])
@pytest.mark.parametrize(("title", "summary"), [
    ("Acme (NYSE: EFGH) Soars", ""), ("News", "Acme (NYSE: EFGH) soars."), ("Efgh Mining Announces Deal", "")])
def test_failure_11_events_without_ticker(source: str, title: str, summary: str) -> None:
    """The ticker is looked for in title, summary and names, whichever source carries the story."""
    decision = classify(Story("1", title, summary, source), RULES, LIST, model=MODEL, gates=Gates(0.1), now_ms=0)
    assert [one.ticker for one in decision.tickers] == ["EFGH"]


def test_failure_12_a_company_list_with_other_fields_is_refused() -> None:
    """A renamed field in the downloaded list is an error that says so, and not a list of two companies."""
    for field in ("cik_str", "ticker", "title"):
        row = {"cik_str": 1, "ticker": "ABCD", "title": "Abcd"}
        row[f"new_{field}"] = row.pop(field)
        with pytest.raises(ConfigError, match="company list"):
            Companies.from_json(json.dumps({"0": row}))


def test_failure_15_no_price_is_asked_for_what_is_no_us_share() -> None:
    """Warrants, funds and foreign listings are marked in the decision, so that only US shares go on to prices."""
    story = Story("1", "Acme Soars (Nasdaq: ABCD, ABCDW) (TSX: ABC) (NYSE Arca: SPY)")
    decision = classify(story, RULES, LIST, model=MODEL, gates=Gates(0.1), now_ms=0)
    assert [one.ticker for one in decision.traded] == ["ABCD"]
    assert {one.ticker for one in decision.tickers} == {"ABCD", "ABCDW", "ABC", "SPY"}


@pytest.mark.parametrize(("title", "summary", "tags", "tickers"), [
    ("Beyond Meat Stock Soars", "", ("AMC",), ["BYND"]),
    ("Beyond Meat Stock Soars", "", ("AMC", "BYND"), ["BYND"]),
    ("Why BYND Soars", "", ("AMC", "BYND"), ["BYND"]),
    ("Quantum Computing Inc. Wins Contract", "", ("QMCO",), ["QUBT"]),
    ("Meme Stocks Soar", "", ("AMC", "BYND"), ["AMC", "BYND"]),
    ("Beyond Meat Stock Soars", "", ("NYSE:AMC",), ["AMC", "BYND"]),
    ("New Data at (ESMO) and FDA Approval", "", (), []),
])
def test_failure_21_wrong_tickers(title: str, summary: str, tags: tuple[str, ...], tickers: list[str]) -> None:
    """A vendor's bare tag that the story does not bear out, while it names others, is left out; ESMO is no ticker."""
    assert sorted(shares(title, summary, tags)) == sorted(tickers)


@pytest.mark.parametrize("ticker", ["UBER", "PLTR", "SNOW", "NOW", "SU", "ASH", "DOW", "BIDU"])
def test_failure_unit_and_warrant_rule_keeps_ordinary_shares(ticker: str) -> None:
    """Ordinary tickers that end like a unit, warrant or right stay shares, also beside what could be their parent."""
    assert ticker in shares(f"Acme (NYSE: {ticker}) and (NYSE: {ticker[:-1]})")


FORMER = Companies.from_json(json.dumps({
    ticker: {"cik_str": cik, "ticker": ticker, "title": name} for cik, (ticker, name) in enumerate([
        ("VLD", "Velo3D, Inc."), ("OCGN", "Ocugen, Inc."), ("QRST", "Qrst Holdings, Inc."), ("TSLA", "Tesla, Inc."),
        ("NVDA", "NVIDIA CORP")], 1)}))


@pytest.mark.parametrize(("title", "summary", "tickers"), [
    ("Velo3D, Inc. (NASDAQ: VELO) Awarded $12 Million Contract by U.S. Navy", "", ["VELO"]),
    ("Ocugen (NASDAQ: OCGX) Announces Positive Phase 3 Results", "", ["OCGX"]),
    ("Qrst (NYSE American: QRSX) Wins Order", "", ["QRSX"]),
    ("Velo3D Awarded $12 Million Contract by U.S. Navy", "FREMONT, Calif., Jan. 5, 2026 (GLOBE NEWSWIRE) -- Velo3D, "
     "Inc. (“Velo3D” or the “Company”) (Nasdaq: VELO), a maker of metal printers, today announced", ["VELO"]),
    ("Velo3D Awarded Contract", "FREMONT, Calif. -- Velo3D, Inc. (the “Company”; Nasdaq: VELO) announced", ["VELO"]),
    ("Tesla and Velo3D, Inc. (NASDAQ: VELO) Announce Partnership", "", ["VELO", "TSLA"]),
    ("Tesla (NASDAQ: TSLA) and Velo3D, Inc. (NASDAQ: VELO) Announce Partnership", "", ["TSLA", "VELO"]),
    ("Tesla and Nvidia (NASDAQ: NVDA) Announce Partnership", "", ["NVDA", "TSLA"]),
    ("Tesla Selects Newco Robotics (NASDAQ: NEWC) as Supplier", "", ["NEWC", "TSLA"]),
    ("Ocugen, Inc. (TSX: OCX) Announces Positive Phase 3 Results", "", ["OCX"])])
def test_a_ticker_newer_than_the_list(title: str, summary: str, tickers: list[str]) -> None:
    """A ticker right behind its issuer's name is the issuer's, also where the list has an older one; partners stay."""
    assert [one.ticker for one in found(title, summary, (), FORMER)] == tickers
