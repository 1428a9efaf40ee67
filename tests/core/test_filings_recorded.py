"""Reading the recorded filings: forms and items against the index, prospectuses against labels read by hand."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalyst.clients.files import load_sentiment
from catalyst.core.filing_items import sections
from catalyst.core.filings import Filing, read_filing
from catalyst.messages import Amount

REAL = Path(__file__).resolve().parents[2] / "../shared/data/filings"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded filings are not here")

# Read by hand from the covers, price tables and sections about the offering: stage, type, gross proceeds, shares,
# price, shares under warrants (pre-funded ones apart), shares outstanding before. None: not stated, or no offering.
LABELS: dict[str, tuple[Any, ...] | None] = {
    "submissions/0001108205-25-000026.txt":  # Curis
        ("pricing", "registered_direct", 4_758_381.12, 1_974_432, 2.41, 8_316_882, 8_487_818),
    "submissions/0001641172-25-001566.txt":  # Ensysce: two series of 315,188 warrants
        ("pricing", "registered_direct", 1_100_006, 239_594, 3.49, 630_376, 1_405_134),
    "submissions/0001628280-25-015699.txt": ("announcement", "atm", 13_504_438, None, None, None, None),  # ESS Tech
    "submissions/0001214659-26-002941.txt": ("announcement", "atm", 3_000_000, None, None, None, None),  # Alzamend
    "submissions/0001104659-23-076317.txt": ("announcement", "resale", None, 2_666_666, None, None, None),  # Acurx S-1
    "submissions/0001193125-25-067858.txt": ("announcement", "resale", None, 5_376_340, None, None, None),  # Vigil S-3
    "submissions/0001193125-25-068723.txt": None,  # Vincerx S-3/A: brings an auditor's consent, no prospectus
    "submissions/0001193125-25-110092.txt": None,  # Vincerx POS AM: takes the unsold securities back
    "submissions/0001213900-25-026186.txt":  # BofA Finance 424B2: price a note, amount still open
        ("announcement", "notes", None, None, 10, None, None),
    "8k_primary/1002517_8K_2007_0000950135-07-004847.htm":  # Nuance: debentures
        ("pricing", "convertible_notes", 220_000_000, None, None, None, None),
    "8k_primary/1002517_8K_2008_0000950135-08-003855.htm":  # Nuance: shares and warrants each with a price of its own
        ("closing", "private_placement", None, 5_760_369, None, 3_700_000, None),
    "8k_primary/100493_8K_2019_0000950103-19-002069.htm":  # Tyson: three series of notes with an amount each
        ("closing", "notes", None, None, None, None, None),
}


@cache
def read(name: str) -> Filing:
    """A recorded filing."""
    return read_filing((REAL / name).read_bytes(), load_sentiment())


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of an index."""
    return [json.loads(line) for line in (REAL / name).read_text().splitlines()]


def everything() -> list[str]:
    """The names of all recorded filings."""
    return sorted(path.relative_to(REAL).as_posix() for folder in ("submissions", "documents", "8k_primary")
                  for path in (REAL / folder).iterdir()) if REAL.is_dir() else []


@pytest.mark.parametrize("name", LABELS)
def test_offerings_are_as_read_by_hand(name: str) -> None:
    """Stage, type and every number of the recorded prospectuses and offering reports; what is not stated is None."""
    offering, label = read(name).offering, LABELS[name]
    if label is None:
        assert offering is None
        return
    assert offering is not None
    *told, before = label
    values = [amount.value if amount else None
              for amount in (offering.gross_proceeds, offering.shares, offering.price, offering.warrants)]
    assert [offering.stage, offering.type, *values] == told
    dilution = offering.dilution_pct.value if offering.dilution_pct else None
    assert dilution == (round(100 * label[3] / before, 2) if before else None)


def test_no_other_recorded_filing_is_an_offering() -> None:
    """Results, mergers, votes and ownership reports sell nothing."""
    found = {name for name in everything() if read(name).offering is not None}
    assert found == {name for name, label in LABELS.items() if label is not None}


@pytest.mark.parametrize("name", LABELS)
def test_a_quote_is_in_the_document_and_states_its_number(name: str) -> None:
    """Each amount comes with words that stand in the document, white space folded, and that hold the number."""
    filing = read(name)
    if filing.offering is None:
        return
    words = " ".join(filing.text.split())
    for field in ("gross_proceeds", "shares", "price", "warrants", "dilution_pct"):
        amount: Amount | None = getattr(filing.offering, field)
        if amount is None:
            continue
        assert amount.quote in words
        assert len(amount.quote) <= 2_000
        if field != "dilution_pct":
            written = re.findall(r"\d[\d,]*(?:\.\d+)?", amount.quote)
            numbers = {float(number.replace(",", "")) * scale for number in written for scale in (1, 1e6)}
            assert amount.value in numbers


def test_items_of_every_8k() -> None:
    """The items of the 31 recorded primary documents are those of the index."""
    for row in rows("8k_index.jsonl"):
        filing = read(f"8k_primary/{row['filename']}")
        assert [item for item, _ in filing.items] == row["items"], row["filename"]
        assert filing.form == "8-K"


def test_texts_of_items_agree_with_another_reader() -> None:
    """Word for word, the items' texts agree with those of an independent extraction (a reference, not the truth)."""
    ratios = []
    for path in sorted((REAL / "8k_expected_items").iterdir()):
        ours = sections(read(f"8k_primary/{next((REAL / '8k_primary').glob(path.stem + '*')).name}").text)
        for name, theirs in json.loads(path.read_text()).items():
            if name.startswith("item_") and theirs and len(theirs) < 12_000:
                item = name.removeprefix("item_")
                assert item in ours, path.name
                ratios.append(SequenceMatcher(None, re.findall(r"\w+", theirs)[2:], re.findall(r"\w+", ours[item]),
                                              autojunk=False).ratio())
    agree = sum(ratio >= 0.9 for ratio in ratios)
    print(f"{agree} of {len(ratios)} items agree in at least 90 % of the words, mean {sum(ratios) / len(ratios):.3f}")
    assert agree >= len(ratios) - 3  # twice the reference leaves the exhibits' list out
    assert sum(ratios) / len(ratios) > 0.97


def test_headers() -> None:
    """Form and accession are the header's; the CIK is the issuer's or the subject's."""
    for row in rows("filings_index.jsonl"):
        filing = read(row["file"])
        assert filing.accession == (row["accession"] or "")
        if row["file"].startswith("submissions/"):
            assert filing.form == row["form"]
            assert filing.form == "4" or filing.cik == row["cik"]
            assert filing.filed_ms is not None
        else:
            assert filing.form in row["form"]


@pytest.mark.parametrize(("name", "said"), [
    ("0000320193-22-000061.txt", "Adams Katherine L. (SVP, GC and Secretary) sells 25,000 shares at about $161.72 of "
                                 "Apple Inc. on the open market"),
    ("0001562180-25-000280.nc", "Snow Jessica was granted 106,150 shares of 2seventy bio, Inc."),
    ("0001076809-24-000144.nc", "Glazer Capital, LLC and others report 5.31 % of Avid Bioservices, Inc."),
    ("0000066740-24-000023.txt", "3M Board of Directors Approves Spin-off of Solventum"),
    ("0001193125-19-191922.txt", "ORACLE NAMES RONA FAIRHEAD TO THE BOARD OF DIRECTORS"),
    ("0001214659-26-002941.txt", "Opens at-the-market offering: up to $3.0 million"),
    ("0001641172-25-001566.txt", "Prices registered direct offering: 239,594 shares at $3.49, gross $1.1 million, "
                                 "warrants for 630,376 shares, 17.1 % of the shares outstanding"),
    ("0001193125-25-110092.txt", "Takes unsold securities off registration (POS AM)"),
])
def test_summaries(name: str, said: str) -> None:
    """What an alert card says of some recorded filings."""
    assert read(f"submissions/{name}").summary == said


def test_summaries_are_one_line_and_sentiments_in_range() -> None:
    """Every recorded filing has a summary of a card's length, and no bad item sounds good."""
    for name in everything():
        filing = read(name)
        assert 0 < len(filing.summary) <= 480, name
        assert "\n" not in filing.summary
        assert -1 <= filing.sentiment <= 1
        if {"3.01", "4.02"} & {item for item, _ in filing.items}:
            assert filing.sentiment <= -0.6


def test_symbols_of_the_cover() -> None:
    """The trading symbol comes from the inline XBRL cover or from the Form 4."""
    assert read("submissions/0001213900-25-032135.txt").symbol == "ABVC"
    assert read("documents/374WaterForm4.xml").symbol == "SCWO"
    assert read("8k_primary/1002517_8K_2011_0000950123-11-002277.htm").symbol == ""
