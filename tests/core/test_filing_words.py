"""The built-in analyst's words: headlines, lines about offerings, items."""

from __future__ import annotations

import pytest

from catalyst.clients.files import load_sentiment
from catalyst.core.filing_items import CATALOGUE, SHORT, direction_of, items_declared, sections, short_of, title_of
from catalyst.core.filing_words import first_sentence, headline_of, money, offering_line, sentiment_of
from catalyst.core.sentiment import CLEAR
from catalyst.messages import Amount, Offering


@pytest.mark.parametrize(("release", "headline"), [
    ("Exhibit 99.1\nFOR IMMEDIATE RELEASE\nAcme Corp Announces a New Trial\nAUSTIN, May 5, 2025 (GLOBE NEWSWIRE) -- "
     "Acme",
     "Acme Corp Announces a New Trial"),
    ("Contact: Jo Doe\nAcme Investor Relations Acme Corporate Communications\nACME CORPORATION NAMES JO DOE\nTO ITS "
     "BOARD\nAUSTIN, May 5, 2025 — Acme today", "ACME CORPORATION NAMES JO DOE TO ITS BOARD"),
    ("Acme Reports Results of the\nSecond Quarter\nAUSTIN, May 5, 2025 -- Acme", "Acme Reports Results of the Second "
                                                                                 "Quarter"),
    ("NEWS RELEASE Acme Wins a Large Contract", "Acme Wins a Large Contract"),
    ("Acme, Inc.\n1 Main Street, Suite 5\nAustin, TX 78701\nMay 5, 2025\nJo D. Doe, CFA\nAcme Acquires Its Rival Beta",
     "Acme Acquires Its Rival Beta"),
    ("AUSTIN, Texas, May 5, 2025 (GLOBE NEWSWIRE) -- Acme Corp. today announced a thing.", ""),
    ("", ""),
])
def test_headline(release: str, headline: str) -> None:
    """The title line, over two lines where it goes on; letterheads, contacts and the story itself are none."""
    assert headline_of(release) == headline


@pytest.mark.parametrize("title", [
    "Acme Awarded $50 Million Contract to Drive Expansion of Naval Fleet",
    "Acme Awarded $40 Million Road Contract by Texas DOT",
    "Acme Receives FDA Clearance for SonoPatch Suite of Devices",
    "Acme Announces Positive Phase 2 Data from Wall Street Trial",
    "Acme Enrolls 25000 Patients on the First Floor of 10 Hospitals",
    "Acme – Phase 3 BREEZE Trial Meets Primary Endpoint With Statistically Significant Improvement in Lung Function",
    "FDA Approves Acme’s ARD-101 — First Oral Treatment for Severe Asthma in Adults and Children Over Twelve Years",
    "Acme Announces Resignation of Chief Executive Officer", "Resignation of Chief Executive Officer",
    "Nasdaq Delists Acme Following Hearing", "Public Company Acme Contacted by Titan with Takeover Proposal",
    "Contact Gold Announces Record Drill Results", "Faxitron Awarded a Large Contract",
])
def test_headlines_with_common_words(title: str) -> None:
    """Words of addresses, contacts and datelines in a title do not make it one of those lines."""
    dateline = "AUSTIN, May 5, 2025 (GLOBE NEWSWIRE) -- Acme today announced it."
    assert headline_of(f"Exhibit 99.1\nAcme, Inc.\n100 Main Street, Suite 5\nAustin, TX 78701\n{title}\n{dateline}"
                       ) == title


@pytest.mark.parametrize("line", [
    "Acme Holdings, 1200 North Lake Drive", "12 Wall Street, 5th Floor, New York", "Cambridge, Massachusetts 02139",
    "Suite 500, Tower Building, Austin", "Jo D. Doe, Vice President and Director", "NASDAQ Stock Market: ACME Class A",
    "Investor Relations Contacts of the Company", "Contact Jo Doe or Jane Roe", "(555) 010-1234 or (555) 010-1235 x",
])
def test_lines_that_are_no_headline(line: str) -> None:
    """House numbers, zip codes, persons, exchanges and whom to ask are passed over."""
    assert headline_of(f"{line}\nAcme Acquires Its Rival Beta") == "Acme Acquires Its Rival Beta"


def amount(value: float) -> Amount:
    """An amount with some quote."""
    return Amount(value, "said")


@pytest.mark.parametrize(("offering", "line"), [
    (Offering("pricing", "registered_direct", amount(5e6), amount(4e6), amount(1.25)),
     "Prices registered direct offering: 4,000,000 shares at $1.25, gross $5.0 million"),
    (Offering("announcement", "atm", amount(13_504_438)), "Opens at-the-market offering: up to $13.5 million"),
    (Offering("closing", "private_placement", None, amount(1e6), None, amount(5e5)),
     "Closes private placement: 1,000,000 shares, warrants for 500,000 shares"),
    (Offering("pricing", "public", None, None, amount(0.7785)), "Prices public offering: at $0.7785"),
    (Offering("announcement", "public", None, None, Amount(2.5, "at an assumed price of $2.50")),
     "Announces public offering: at an assumed $2.50"),
    (Offering("announcement", "resale", None, amount(2e6)), "Registers resale by selling holders: 2,000,000 shares"),
    (Offering("announcement", "notes", None, None, amount(10)), "Offers notes"),
    (Offering("upsize", "convertible_notes", amount(1.5e9)), "Upsizes convertible notes offering: gross $1.5 billion"),
    (Offering("pricing", "public", None, amount(1e6), amount(3), None, amount(12.345)),
     "Prices public offering: 1,000,000 shares at $3.00, 12.3 % of the shares outstanding"),
])
def test_offering_line(offering: Offering, line: str) -> None:
    """One line for a card, with what is known."""
    assert offering_line(offering) == line


def test_money() -> None:
    """Amounts for a reader."""
    assert [money(value) for value in (600_000, 5e6, 4_758_381.12, 2e9)] == ["$600,000", "$5.0 million", "$4.76 "
                                                                                                         "million",
                                                                            "$2.0 billion"]


def test_sentiment() -> None:
    """Bankruptcy is worst, a closing with a release is relief, notes say nothing; else the headline decides."""
    assert sentiment_of("8-K", ["1.03", "9.01"], None, "") == -0.9
    assert sentiment_of("8-K", ["5.02"], None, "") == 0
    model = load_sentiment()
    assert sentiment_of("8-K", ["8.01"], None, "Acme Wins Record Contract", model) > CLEAR
    assert sentiment_of("8-K", ["8.01"], None, "Acme Receives Complete Response Letter From FDA") == -0.6
    assert sentiment_of("8-K", ["3.01"], None, "Acme Wins Record Contract") == -0.6
    assert sentiment_of("8-K", ["8.01"], Offering("closing", "public"), "Acme Closes Public Offering") == 0.2
    assert sentiment_of("8-K", ["3.02"], Offering("closing", "private_placement"), "") == -0.3
    assert sentiment_of("424B2", [], Offering("pricing", "notes"), "") == 0
    assert sentiment_of("NT 10-Q", [], None, "") < 0


def test_items_of_both_times() -> None:
    """Before 23 August 2004 a title means the old item; numbers pass; what is unknown is left out."""
    title = "Results of Operations and Financial Condition"
    assert items_declared([title], "20040822") == ["12"]
    assert items_declared([title], "20040823") == ["2.02"]
    assert items_declared([title, "5.02", "5.02", "77", "nonsense"], "") == ["2.02", "5.02"]
    assert direction_of([]) == 0
    assert set(SHORT) <= set(CATALOGUE)
    assert all(title_of(item) and short_of(item) for item in CATALOGUE)


def test_sections() -> None:
    """Each item's text up to the next heading or the signatures; of an item that stands twice, the longer."""
    text = ("Item 1.01 Entry\nItem 9.01 Exhibits\nItem 1.01 Entry\nThe Company signed it.\nItem 9.01 Exhibits\n99.1 "
            "Release\nSIGNATURES\nJo Doe")
    assert sections(text) == {"1.01": "Entry\nThe Company signed it.", "9.01": "Exhibits\n99.1 Release"}


@pytest.mark.parametrize(("section", "sentence"), [
    ("Submission of Matters to a Vote of Security Holders.\n1-800-ACME, Inc. held its Annual Meeting on May 5, 2025.",
     "1-800-ACME, Inc. held its Annual Meeting on May 5, 2025."),
    ("Heading\n(a) On May 5, 2025, Acme dismissed its auditor at 9 a.m. Eastern time on that day.",
     "On May 5, 2025, Acme dismissed its auditor at 9 a.m. Eastern time on that day."),
    ("Please refer to the disclosure under Item 5.02 below in this report.", ""),
    ("", ""),
])
def test_first_sentence(section: str, sentence: str) -> None:
    """Headings and references are passed over; abbreviations end no sentence."""
    assert first_sentence(section) == sentence
