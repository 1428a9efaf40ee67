"""Reading filings of our own making: forms, items, parts, faults."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clients.files import load_sentiment
from catalyst.core.filings import LIMIT_BYTES, Filing, Part, read_filing, read_parts
from catalyst.errors import CatalystError, FilingError

RELEASE = b"""<html><body><p>Exhibit 99.1</p><p>FOR IMMEDIATE RELEASE</p><p>Contact: Jo Doe, 555-123-4567</p>
<p>Acme Wins Contract Award Worth</p><p>$12 Million</p>
<p>AUSTIN, Texas, May 5, 2025 (GLOBE NEWSWIRE) -- Acme Corp. today announced that it won.</p></body></html>"""


def report(items: Sequence[tuple[str, str]], release: bytes = b"") -> Filing:
    """An 8-K with these items, read from its parts."""
    body = "".join(f"<p>Item {item} Heading</p><p>{text}</p>" for item, text in items)
    parts = [Part("8-K", "m.htm", f"<html><body><p>FORM 8-K</p>{body}<p>SIGNATURES</p></body></html>".encode())]
    if release:
        parts.append(Part("EX-99.1", "r.htm", release))
    return read_parts("8-K", "0000000001-25-000001", "1", "Acme Corp.", [item for item, _ in items], parts,
                      load_sentiment())


@pytest.mark.parametrize(("body", "items"), [
    (b"<html><body><p>FORM 8-K</p><p><b>Item\n5.</b><i>02</i> Departure</p></body></html>", ["5.02"]),
    (b"FORM 8-K\n\nItem 5. Other Events\n\nItem 7. Exhibits\n", ["5", "7"]),
    (b"FORM 8-K\nItem 1.01 Entry\nItem 2.02 of this report says\n", ["1.01"]),
    (b"FORM 8-K\nItems 2.02 and 7.01 Results\n", ["2.02", "7.01"]),
    (b"FORM 8-K\nItem 13.01 Nothing\n", []),
])
def test_items_of_headings(body: bytes, items: list[str]) -> None:
    """Headings split by line breaks and tags, the numbers of before 2004, and references that are no headings."""
    assert [item for item, _ in read_filing(body).items] == items


def test_a_submission_and_its_parts_are_read_alike() -> None:
    """The text file of a filing says the same as its documents fetched one by one."""
    parts = report([("8.01", "The Company issued a release.")], RELEASE)
    main = b"<html><body><p>FORM 8-K</p><p>Item 8.01 Heading</p><p>The Company issued a release.</p></body></html>"
    whole = read_filing(
        b"<SEC-DOCUMENT>x.txt\n<SEC-HEADER>\n<ACCEPTANCE-DATETIME>20250505163000\n"
        b"ACCESSION NUMBER:\t\t0000000001-25-000001\n"
        b"CONFORMED SUBMISSION TYPE:\t8-K\nITEM INFORMATION:\t\tOther Events\nFILED AS OF DATE:\t\t20250505\nFILER:\n"
        b"\tCOMPANY CONFORMED NAME:\t\t\tAcme Corp.\n\tCENTRAL INDEX KEY:\t\t\t0000000001\n</SEC-HEADER>\n"
        b"<DOCUMENT>\n<TYPE>8-K\n<FILENAME>m.htm\n<TEXT>\n" + main + b"\n</TEXT>\n</DOCUMENT>\n"
        b"<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>\n" + RELEASE + b"\n</TEXT>\n</DOCUMENT>\n", load_sentiment())
    for field in ("form", "accession", "cik", "company", "items", "headline", "summary", "sentiment", "offering"):
        assert getattr(whole, field) == getattr(parts, field), field
    assert whole.headline == "Acme Wins Contract Award Worth $12 Million"
    assert whole.cik == "0000000001"
    assert (whole.filed_ms, whole.accepted_ms) == (1_746_417_600_000, 1_746_477_000_000)  # New York, summer time
    assert whole.sentiment > 0


def test_titles_of_items_from_the_list() -> None:
    """Items may come as titles, as EDGAR's header gives them; what is no item is left out."""
    filing = read_parts("8-K", "", "", "", ["Other Events", "Nonsense"], [Part("8-K", "", b"text")])
    assert filing.items == (("8.01", "Other Events"),)


def test_the_primary_document_may_come_later() -> None:
    """The part under the form's type is the primary one, wherever it stands."""
    filing = read_parts("6-K", "", "", "", [], [Part("EX-99.1", "", RELEASE), Part("6-K", "", b"FORM 6-K report")])
    assert (filing.text, filing.headline) == ("FORM 6-K report", "Acme Wins Contract Award Worth $12 Million")


@pytest.mark.parametrize(("form", "amended"), [("8-K", False), ("8-K/A", True), ("POS AM", True), ("S-3ASR", False)])
def test_amendments(form: str, amended: bool) -> None:
    """An amendment is known by its form."""
    assert read_parts(form, "", "", "", [], [Part(form, "", b"text")]).amendment is amended


@pytest.mark.parametrize(("body", "form"), [
    (b"Filed Pursuant to Rule 424(b)(5)\nPROSPECTUS SUPPLEMENT", "424B5"),
    (b"Free Writing Prospectus\nFiled pursuant to Rule 433", "FWP"),
    (b"UNITED STATES\nFORM\n8-K/A\nAmendment No. 1", "8-K/A"),
    (b"SCHEDULE 13G\n(Rule 13d-102)", "SCHEDULE 13G"),
    (b"\n<?xml version='1.0'?><x><submissionType>SCHEDULE 13D/A</submissionType></x>", "SCHEDULE 13D/A"),
    (RELEASE, "EX-99.1"),
])
def test_forms_of_documents_without_a_header(body: bytes, form: str) -> None:
    """The cover, the XML or the kind of text says which form a single document is."""
    assert read_filing(body).form == form


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "empty"), (b" \n\t", "empty"), (b"%PDF-1.4 ...", "binary"), (b"PK\x03\x04...", "binary"),
    (b"FORM 8-K\0", "binary"),
    (b"Dear reader, nothing here.", "no_form"), (b"x" * (LIMIT_BYTES + 1), "too_big"),
])
def test_what_cannot_be_read(body: bytes, reason: str) -> None:
    """Each fault has a reason that can be counted."""
    with pytest.raises(FilingError) as caught:
        read_filing(body)
    assert caught.value.reason == reason


def test_parts_that_cannot_be_read() -> None:
    """No document, an empty one and a picture in place of one are faults; an empty exhibit is none."""
    for parts in ([], [Part("8-K", "", b"")], [Part("8-K", "", b"\x89PNG\r\n")]):
        with pytest.raises(FilingError):
            read_parts("8-K", "", "", "", [], parts)
    assert read_parts("8-K", "", "", "", [], [Part("8-K", "", b"x"), Part("EX-99.1", "", b"")]).release == ""


def test_shares_that_pay_for_a_company_are_no_bad_news() -> None:
    """Item 3.02 beside a completed acquisition is how it was paid; alone it is a sale of shares."""
    bought = report([("2.01", "The Company completed the purchase of Beta on this day."), ("3.02", "See item 2.01.")])
    assert (bought.sentiment > 0, bought.offering) == (True, None)
    assert report([("3.02", "The Company issued shares to a consultant for services on this day.")]).sentiment < 0


def test_the_worst_item_comes_first() -> None:
    """A card tells of the delisting notice, not of the exhibit that comes with it."""
    filing = report([("7.01", "A presentation is furnished with this report."),
                     ("3.01", "On May 5, 2025, the Company received a letter from Nasdaq about its bid price.")])
    assert filing.summary == ("Notice of delisting or failure to meet a listing rule: On May 5, 2025, the Company "
                              "received a "
                              "letter from Nasdaq about its bid price.")
    assert filing.sentiment == -0.6


HOSTILE = {
    "items": b"FORM 8-K\n" + b"Item 1.01 \n" * 900_000,
    "documents": b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>\nFORM 8-K" * 270_000,
    "stops": b"FORM 8-K\nItem 1.01\n" + b"a. A" * 2_500_000, "dollars": b"Rule 424(b)(5)\n" + b"$ 1 $ 2 " * 1_250_000,
    "sales": b"FORM 8-K\nItem 3.02\nentered into a purchase agreement " + b"sold warrants to purchase " * 390_000,
    "prices": b"Filed pursuant to Rule 424(b)(5)\n" + b"offering price per share per unit (1) " * 270_000,
    "trades": b"<documentType>4</documentType>" + b"<nonDerivativeTransaction>" * 390_000,
    "percents": b"SCHEDULE 13G\n" + b"percent of class represented " * 340_000,
    "releases": b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>FORM 8-K</TEXT></DOCUMENT>" + b"".join(
        b"<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>" + b"<div>x" * 270_000 + b"</TEXT></DOCUMENT>" for _ in range(6)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_bounded(name: str) -> None:
    """Ten megabytes made to be slow take less than two seconds of the processor."""
    began = time.process_time()
    with contextlib.suppress(FilingError):
        read_filing(HOSTILE[name])
    assert time.process_time() - began < 2


WORDS = [
    "<DOCUMENT>", "</DOCUMENT>", "<TYPE>8-K\n", "<TYPE>EX-99.1\n", "<TEXT>", "<html>", "<p>", "</p>", "<pre>",
    "<value>", "FORM 8-K\n", "FORM S-1\n", "Prospectus\n", "SCHEDULE 13G\n", "Filed pursuant to Rule 424(b)(5)\n",
    "Item 1.01 ", "Item 3.02 ", "ACCESSION NUMBER: 1", "<documentType>4</documentType>", "<issuerName>",
    "The Offering\n", "<", "$", "\n", "$9,9 million ", "0 ", "1,000 ", "of ", "100 % ", ". A", "sold ", "announces ",
    "priced offering ", "gross proceeds ", "4,000,000 shares ", "Per Share Total ", "offering price ",
    "warrants to purchase ", "entered into a sales agreement ", "percent of class represented ",
    "is based on 1,000 shares outstanding ", "\U0001f600",
]


@given(st.one_of(st.binary(max_size=2000),
                 st.lists(st.sampled_from(WORDS), max_size=60).map(lambda words: "".join(words).encode())))
def test_only_own_errors(body: bytes) -> None:
    """Whatever the bytes are, there is a record within its limits, whose quotes stand in it, or a FilingError."""
    with contextlib.suppress(FilingError):
        filing = read_filing(body)
        assert -1 <= filing.sentiment <= 1
        assert len(filing.summary) <= 2_000
        assert len(filing.headline) <= 300
        words = " ".join(f"{filing.text}\n{filing.release}".split())
        for amount in (filing.offering.gross_proceeds, filing.offering.shares, filing.offering.price,
                       filing.offering.warrants) if filing.offering else ():
            assert amount is None or (amount.value > 0 and amount.quote in words and len(amount.quote) <= 2_000)


def test_a_filing_error_is_one_of_ours() -> None:
    """Who catches Catalyst's errors catches it."""
    assert issubclass(FilingError, CatalystError)
    assert str(FilingError("binary", "a picture")) == "binary: a picture"
