"""Ownership forms: who holds or trades how much."""

from __future__ import annotations

import pytest

from catalyst.core.filing_owners import holding_summary, purpose_in, trades_summary


def trade(code: str, shares: str, price: str) -> str:
    """A transaction of a Form 4."""
    return (f"<nonDerivativeTransaction><transactionCode>{code}</transactionCode><transactionShares>\n"
            f"<value>{shares}</value></transactionShares><transactionPricePerShare>\n<value>{price}</value></transactionPricePerShare>"
            "</nonDerivativeTransaction>")


def form_4(*trades: str, title: str = "<officerTitle>CEO</officerTitle>") -> str:
    """A Form 4 of one owner."""
    return ("<issuerName>Acme &amp; Co</issuerName><reportingOwner><rptOwnerName>DOE JO</rptOwnerName>" + title
            + "</reportingOwner>" + "".join(trades))


@pytest.mark.parametrize(("source", "summary", "mood"), [
    (form_4(trade("P", "100000", "1.50"), trade("P", "300000", "1.70")),
     "Doe Jo (CEO) buys 400,000 shares at about $1.65 of Acme & Co on the open market", 0.5),
    (form_4(trade("P", "100", "1.20")), "Doe Jo (CEO) buys 100 shares at $1.20 of Acme & Co on the open market", 0.0),
    (form_4(trade("P", "90000000", "0.0042")),
     "Doe Jo (CEO) buys 90,000,000 shares at $0.0042 of Acme & Co on the open market", 0.5),
    (form_4(trade("M", "500", "1"), trade("S", "500", "9")), "Doe Jo (CEO) sells 500 shares at $9.00 of Acme & Co on "
                                                             "the open market",
     -0.2),
    (form_4(trade("S", "500", "see note")), "Doe Jo (CEO) sells 500 shares of Acme & Co on the open market", -0.2),
    (form_4(trade("P", "1", "1"), trade("S", "1", "1")),
     "Doe Jo (CEO) buys 1 shares at $1.00 and sells 1 shares at $1.00 of Acme & Co on the open market", 0.0),
    (form_4(trade("A", "757", "0")), "Doe Jo (CEO) was granted 757 shares of Acme & Co", 0.0),
    (form_4(title="<officerTitle>See Remarks</officerTitle><isDirector>1</isDirector>"),
     "Doe Jo (director) reports holdings in Acme & Co", 0.0),
    ("", "An insider reports holdings in the issuer", 0.0),
])
def test_form_4(source: str, summary: str, mood: float) -> None:
    """Only the codes P and S are trades on the market; prices are the mean by shares."""
    assert trades_summary(source) == (summary, mood)


@pytest.mark.parametrize(("purpose", "said"), [
    ("On May 5, 2026 the Fund delivered a proposal to acquire all outstanding shares for $5.00 each in cash.", True),
    ("It bought shares for investment. The Fund made a non-binding offer to purchase the remaining shares.", True),
    ("The Fund may make a proposal to acquire the remaining shares of the Issuer.", False),
    ("None of them has any plans or proposals to acquire all or part of the Issuer.", False),
    ("The Fund withdrew its offer to acquire the Issuer.", False),
    ("The Fund sold shares.", False),
])
def test_item_4_of_schedule_13d(purpose: str, said: bool) -> None:
    """A proposal to buy the company is told with its sentence, in XML and in the older text; what may come is none."""
    proposal = purpose.rpartition("investment. ")[2]
    xml = f"<issuerName>Acme</issuerName><items1To7><item4><transactionPurpose>{purpose}</transactionPurpose></item4>"
    text = f"Item 3. Funds\nItem 4. Purpose of Transaction\n{purpose}\nItem 5. Interest\nIt may offer to buy all."
    for source, words in ((xml, ""), ("", text)):
        summary, mood = holding_summary("SCHEDULE 13D/A", source, words, "Acme")
        assert summary == "A holder reports a holding in Acme" + (f": {proposal}" if said else "")
        assert mood == (0.5 if said else 0.0)
        assert purpose_in(summary).strip() == (proposal if said else "")
    assert ":" not in holding_summary("SCHEDULE 13G", xml, "", "")[0]


def test_schedule_13_of_xml() -> None:
    """The holder with the largest part; a 13D of an activist is good news, a 13G and an amendment are none."""
    source = ("<issuerName>Acme</issuerName><reportingPersonName>Fund "
              "LP</reportingPersonName><percentOfClass>8.5</percentOfClass><reportingPersonName>Jo "
              "Doe</reportingPersonName><percentOfClass>9.9</percentOfClass>")
    assert holding_summary("SCHEDULE 13D", source, "", "") == ("Jo Doe and others report 9.9 % of Acme", 0.3)
    assert holding_summary("SCHEDULE 13D/A", source, "", "")[1] == 0
    assert holding_summary("SCHEDULE 13G", source, "", "")[1] == 0


@pytest.mark.parametrize(("text", "summary"), [
    ("ACME CORP\n(Name of Issuer)\nNAMES OF REPORTING PERSONS\nFund LP\nPERCENT OF CLASS REPRESENTED BY AMOUNT IN ROW "
     "(9)\n5.31%",
     "Fund LP reports 5.31 % of ACME CORP"),
    ("NAME OF REPORTING PERSON\n(1) Fund LP\nPercent of class represented by amount in row 11: 0.0%",
     "Fund LP reports holding no more of Acme"),
    ("nothing of the kind", "A holder reports a holding in Acme"),
])
def test_schedule_13_of_text(text: str, summary: str) -> None:
    """The same from the cover of the older forms."""
    assert holding_summary("SC 13G", "", text, "" if "Issuer" in text else "Acme")[0] == summary
