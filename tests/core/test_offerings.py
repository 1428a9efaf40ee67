"""Sales of securities in reports, releases and prospectuses written for the test, after the usual wording."""

from __future__ import annotations

from typing import Any

import pytest

from catalyst.core.offerings import Told, read_prospectus, read_report
from catalyst.messages import Offering

DIRECT = (
    "On March 3, 2025, Acme Bio, Inc. (the “Company”) entered into a securities purchase agreement with certain "
    "institutional investors, under which it agreed to issue and sell, in a registered direct offering (the "
    "“Offering”), 4,000,000 shares of its common stock, par value $0.001 per share, at an offering price of $1.25 per "
    "share. In a concurrent private placement it also agreed to issue unregistered warrants to purchase up to "
    "4,000,000 shares at an exercise price of $1.40 per share. The gross proceeds, before deducting the placement "
    "agent’s fees of $350,000 and expenses, are expected to be about $5.0 million. The Company pays a cash fee of "
    "7.0% of the gross proceeds and up to $50,000 for legal expenses, and issues the placement agent warrants to "
    "purchase 200,000 shares. The closing of the Offering is expected to occur on March 5.")


def told(offering: Offering | None) -> tuple[Any, ...] | None:
    """Stage, type, gross proceeds, shares, price and warrants as plain values."""
    if offering is None:
        return None
    return (offering.stage, offering.type, *(amount.value if amount else None for amount in (
        offering.gross_proceeds, offering.shares, offering.price, offering.warrants)))


@pytest.mark.parametrize(("item", "text", "expected"), [
    ("1.01", DIRECT, ("pricing", "registered_direct", 5e6, 4e6, 1.25, 4e6)),
    ("1.01", DIRECT + " The Offering closed on March 5, 2025.", ("closing", "registered_direct", 5e6, 4e6, 1.25, 4e6)),
    ("1.01", "On June 10, 2025, Acme entered into an underwriting agreement with Titan Securities relating to the "
             "issuance and sale of 10,000,000 shares of common stock at a price to the public of $3.00 per share. The "
             "underwriters have an option to purchase up to 1,500,000 additional shares. Net proceeds will be about "
             "$27.9 million.",
     ("pricing", "public", None, 1e7, 3.0, None)),
    ("1.01", "On May 2, 2025, Acme entered into an At The Market Offering Agreement with H.C. Wainwright & Co., LLC, "
             "under which it may sell, from time to time, shares having an aggregate offering price of up to "
             "$25,000,000.",
     ("announcement", "atm", 25e6, None, None, None)),
    ("1.01", "On May 2, 2025, Acme entered into a purchase agreement with Fox Capital Fund, LLC, under which it may "
             "sell up to $20,000,000 of shares of its common stock from time to time over 36 months.",
     ("announcement", "equity_line", 20e6, None, None, None)),
    ("1.01", "On May 2, 2025, Acme entered into a securities purchase agreement for the issuance of a senior secured "
             "convertible note in the original principal amount of $5,500,000 at a purchase price of $5,000,000.",
     ("pricing", "convertible_notes", 5.5e6, None, None, None)),
    ("3.02", "On May 2, 2025, the Company issued and sold 1,200,000 shares of common stock to two investors at a "
             "purchase price of $0.50 per share for aggregate gross proceeds of $600,000.",
     ("closing", "private_placement", 6e5, 1.2e6, 0.5, None)),
    ("1.01", "On May 5, 2025, Acme entered into inducement letter agreements with holders of existing warrants to "
             "purchase up to 3,000,000 shares, who agreed to exercise for cash at $1.00 per share in exchange for new "
             "warrants to purchase up to 6,000,000 shares of common stock. Gross proceeds of about $3.0 million are "
             "expected.",
     ("pricing", "warrants", 3e6, None, None, 6e6)),
    ("8.01", "On May 5, 2025, Acme announced that it commenced an underwritten public offering of its common stock.",
     ("announcement", "public", None, None, None, None)),
    ("3.02", "On May 2, 2025, the Company issued 250,000 shares of common stock to a consultant for services.", None),
    ("3.02", "Under the merger agreement the Company sold 5,760,369 shares to the holders for a price of $1.", None),
    ("1.01", "Acme entered into a stock purchase agreement to acquire all of the outstanding shares of Beta for $9 "
             "million.", None),
    ("1.01", "Acme entered into a supply agreement with Globex under which it will sell up to 5,000,000 units.", None),
    ("1.02", "Acme terminated its sales agreement with Jay under its at-the-market offering program.", None),
    ("8.01", "Acme withdrew its proposed public offering of common stock announced on May 1, 2025.", None),
    ("8.01", "As previously disclosed, on May 1, 2025 Acme announced a proposed public offering.", None),
])
def test_reports(item: str, text: str, expected: tuple[Any, ...] | None) -> None:
    """What the items of an 8-K tell of a sale, and what is none."""
    assert told(read_report(Told({item: text}, "", ""))) == expected


@pytest.mark.parametrize(("headline", "expected"), [
    ("Acme Announces Pricing of $7.0 Million Registered Direct Offering Priced At-the-Market Under Nasdaq Rules",
     ("pricing", "registered_direct", 7e6)),
    ("Acme Announces Closing of $3.5 Million Public Offering", ("closing", "public", 3.5e6)),
    ("Acme Prices Upsized Convertible Senior Notes Offering", ("upsize", "convertible_notes", None)),
    ("Acme Announces Pricing of $400 Million Upsized Public Offering of Shares", ("upsize", "public", 4e8)),
    ("Acme Announces Proposed Underwritten Public Offering", ("announcement", "public", None)),
    ("Acme Announces Launch of Rights Offering", ("announcement", "rights", None)),
    ("Acme Announces Private Placement for $16 Million in Gross Proceeds", ("pricing", "private_placement", 16e6)),
    ("Acme Enters into At-The-Market Offering Agreement with a Broker", ("announcement", "atm", None)),
    ("Acme Announces Pricing of Initial Public Offering", ("pricing", "ipo", None)),
    ("Acme Announces Termination of Proposed Public Offering", None),
    ("Acme Launches Cancer Test Offering", None),
    ("Acme Reports First Quarter Results", None),
])
def test_headlines(headline: str, expected: tuple[Any, ...] | None) -> None:
    """Stage, type and size from a release's headline alone."""
    found = told(read_report(Told({}, headline, "")))
    assert (found and found[:3]) == expected


def test_a_release_completes_its_headline() -> None:
    """Amounts come from the text under the headline, which also says that an announced offering is priced already."""
    lead = ("NEWARK, Nov. 4 -- Acme today announced the pricing of a registered offering of 6,861,080 shares of "
            "common stock and 1,715,250 shares of non-voting common stock. The shares are sold at an offering price "
            "of $5.83 per share. The gross proceeds, before deducting discounts, are expected to be approximately $50 "
            "million, with up to an additional $9 million upon exercise of warrants.")
    assert told(read_report(Told({}, "Acme Announces $50 Million Registered Offering of Common Stock", lead))) == (
        "pricing", "public", 50e6, 6_861_080, 5.83, None)


def test_numbers_that_contradict_each_other_are_not_told() -> None:
    """Shares times price far above the proceeds: one of them was misread, and the shares are the likeliest."""
    text = ("Acme today announced the closing of its private placement of 9,000,000 shares of common stock at a "
            "purchase price of $2.00 per share for gross proceeds of $5.0 million.")
    assert told(read_report(Told({"8.01": text}, "", ""))) == ("closing", "private_placement", 5e6, None, 2.0, None)


def test_absurd_numbers_are_not_told() -> None:
    """A number beyond all money is no amount: it would not fit into a message."""
    text = "Acme announced the closing of its private placement for gross proceeds of $999,999,999 billion."
    assert told(read_report(Told({"8.01": text}, "", ""))) == ("closing", "private_placement", None, None, None, None)


def test_other_dollars_are_no_us_dollars() -> None:
    """Amounts in Canadian dollars are left out."""
    text = "Acme announces a private placement of 5,000,000 units at C$0.20 per unit for gross proceeds of C$1,000,000."
    found = told(read_report(Told({"8.01": text}, "", "")))
    assert found == ("pricing", "private_placement", None, 5e6, None, None)


def prospectus(form: str, *lines: str) -> tuple[Any, ...] | None:
    """What a prospectus of these lines offers."""
    return told(read_prospectus(form, "\n".join(lines)))


def test_price_table_with_a_row_of_prices() -> None:
    """`Public offering price $ 4.00 $ 20,000,000`, with or without a line break between."""
    for row in ("Initial public offering price $ 4.00 $ 20,000,000", "Public offering price(1)\n$ 4.00 $ 20,000,000"):
        assert prospectus("424B4", "Filed Pursuant to Rule 424(b)(4)", "5,000,000 Shares", "Ordinary Shares",
                          "This is the initial public offering of our ordinary shares.", "Per Share Total", row,
                          "Underwriting discounts $ 0.28 $ 1,400,000") == ("pricing", "ipo", 20e6, 5e6, 4.0, None)


def test_price_table_with_a_column_of_prices() -> None:
    """Prices under the head `Price to Public`, a row each for one unit and for all."""
    assert prospectus("424B4", "Filed Pursuant to Rule 424(b)(4)", "2,000,000 Units", "We are offering 2,000,000 "
                                                                                      "units.",
                      "Price to Public Discounts Proceeds to us", "Per unit $3.50 $0.25 $3.25",
                      "Total $7,000,000 $500,000 $6,500,000") == ("pricing", "public", 7e6, 2e6, 3.5, None)


def test_dilution_needs_the_shares_before() -> None:
    """The section "The Offering" states the shares outstanding before; the words of the contents' list do not count."""
    lines = ["Filed Pursuant to Rule 424(b)(5)", "10,000,000 Shares", "We are offering shares of our common stock.",
             "words " * 300, "TABLE OF CONTENTS", "The Offering", "S-1", "The Offering",
             "Common stock offered by us: 10,000,000 "
                                                                         "shares",
             "Common stock outstanding immediately before this offering 40,000,000 shares", "words " * 200]
    offering = read_prospectus("424B5", "\n".join(lines))
    assert offering is not None
    assert offering.dilution_pct is not None
    assert offering.dilution_pct.value == 25.0
    assert "40,000,000" in offering.dilution_pct.quote


@pytest.mark.parametrize(("form", "lines", "expected"), [
    ("S-3", ("FORM S-3", "SUBJECT TO COMPLETION, DATED MAY 1, 2025", "PROSPECTUS", "$150,000,000", "Common Stock",
             "Preferred Stock", "Debt Securities", "Warrants", "We may also sell in at-the-market offerings."),
     ("announcement", "shelf", 150e6, None, None, None)),
    ("S-1", ("FORM S-1", "PROSPECTUS", "3,750,000 Shares of Common Stock", "This is our initial public offering. We "
                                                                           "are offering "
             "shares at a price between $4.00 and $5.00."), ("announcement", "ipo", None, 3.75e6, None, None)),
    ("424B3", ("PROSPECTUS", "Up to 8,000,000 Shares Issuable Upon Exercise of Subscription Rights", "We are "
                                                                                                     "distributing "
                                                                                                     "rights "
               "at a subscription price of $1.10 per share."), ("announcement", "rights", None, 8e6, 1.1, None)),
    ("424B2", ("$500,000,000", "4.500% Senior Notes due 2035", "Public offering price 99.500% $497,500,000"),
     ("pricing", "notes", 500e6, None, None, None)),
    ("424B5", ("$100,000,000", "5.00% Convertible Senior Notes due 2030", "We are offering our notes."),
     ("pricing", "convertible_notes", 100e6, None, None, None)),
    ("424B5", ("Subject to completion, dated May 1, 2025", "Preliminary prospectus supplement", "Shares of Common "
                                                                                                "Stock",
               "We are offering shares. The underwriters may buy more."),
     ("announcement", "public", None, None, None, None)),
    ("FWP", ("Filed pursuant to Rule 433", "Pricing Term Sheet", "Acme Bank", "Notes linked to an index due 2027"),
     ("pricing", "notes", None, None, None, None)),
    ("424B3", ("PROSPECTUS", "Up to 11,500,000 Shares Issuable Upon Exercise of Warrants", "Up to 20,000,000 Shares",
               "This prospectus relates to the resale by the selling securityholders of up to 20,000,000 shares."),
     ("announcement", "resale", None, None, None, None)),
    ("S-1", ("PROSPECTUS", "Up to 5,000,000 Units", "We are offering at an assumed public offering price of $2.50 "
             "per unit."), ("announcement", "public", None, 5e6, 2.5, None)),
    ("424B3", ("PROSPECTUS SUPPLEMENT NO. 4", "Up to 10,000,000 Shares", "This supplement is filed to update and "
                                                                         "supplement the "
               "prospectus with our Current Report on Form 8-K."), None),
    ("S-3", ("FORM S-3", "This amendment is filed solely to file an exhibit."), None),
])
def test_prospectuses(form: str, lines: tuple[str, ...], expected: tuple[Any, ...] | None) -> None:
    """The type is read from the title block, not from words that the cover mentions; an open price is no price."""
    assert prospectus(form, *lines) == expected
