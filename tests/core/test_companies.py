"""The company list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.companies import Companies, canonical, normalise
from catalyst.errors import ConfigError

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
ROWS = [
    (1, "ABCD", "Abcd Therapeutics Holdings, Inc."),
    (2, "BRK-B", "BERKSHIRE HATHAWAY INC"),
    (2, "BRK-A", "BERKSHIRE HATHAWAY INC"),
    (3, "GT", "GOODYEAR TIRE & RUBBER CO /OH/"),
    (4, "GAP", "GAP INC"),
    (5, "TWO", "Twin Corp"),
    (6, "TWN", "TWIN LTD"),
    (7, "TGT", "TARGET CORP"),
    (8, "TH", "Target Hospitality Corp."),
]


def companies(rows: list[tuple[int, str, str]] = ROWS) -> Companies:
    return Companies.from_json(
        json.dumps(
            {
                str(number): {"cik_str": cik, "ticker": ticker, "title": title}
                for number, (cik, ticker, title) in enumerate(rows)
            }
        )
    )


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("Abcd Therapeutics", "ABCD"),
        ("ABCD THERAPEUTICS HOLDINGS INC.", "ABCD"),
        ("Berkshire Hathaway", "BRK-B"),
        ("Goodyear Tire and Rubber Company", "GT"),
        ("The Gap, Inc.", "GAP"),
        ("Twin", None),
        ("Abcd", None),
        ("", None),
    ],
)
def test_names(name: str, ticker: str | None) -> None:
    """A whole name finds its company whatever its legal suffix; a shared name or a part of one finds none."""
    found = companies().name(name)
    assert (found.ticker if found else None) == ticker


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("QUALCOMM INC/DE", "qualcomm"),
        ("Acme Holdings plc", "acme holdings"),
        ("AT&T Inc.", "at and t"),
        ("O'Reilly Automotive", "oreilly automotive"),
        ("Foo L.P.", "foo"),
        ("MP Materials Corp. / DE", "mp materials"),
        ("Inc", "inc"),
        ("!?", ""),
    ],
)
def test_normalise(name: str, normal: str) -> None:
    """Case, punctuation, the SEC's state marks and legal suffixes do not belong to a name."""
    assert normalise(name) == normal


@given(st.text(max_size=40))
def test_normalise_is_stable(name: str) -> None:
    """A normalised name is its own normal form, unless a legal word is left at its end."""
    once = normalise(name)
    assert normalise(normalise(once)) == normalise(once)


def test_tickers_and_ciks() -> None:
    """A ticker is found in each spelling of its class; a CIK gives all its lines, the main one first."""
    found = companies()
    assert found.ticker("BRK.B") == found.ticker("BRK/B") == found.ticker("BRK-B") is not None
    assert [row.ticker for row in found.cik(2)] == ["BRK-B", "BRK-A"]
    assert found.cik(99) == ()
    assert found.ticker("ZZZ") is None
    assert "TH" in found
    assert "th" not in found
    assert len(found) == len(ROWS)
    assert canonical("BF.B") == "BF-B"


def test_leading_takes_the_longest_name() -> None:
    """Of two names with the same beginning the longer one is meant."""
    found = companies().leading(["Target", "Hospitality", "Announces", "Dividend"])
    assert found is not None
    assert (found[0].ticker, found[1]) == ("TH", 2)
    assert companies().leading(["Unknown", "Company"]) is None
    assert companies().leading([]) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"0":{"ticker":"A"}}', '{"0":{"cik_str":"x","ticker":"A","title":""}}', "<html>"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    """Anything but the SEC's shape is a ConfigError, never an empty list."""
    with pytest.raises(ConfigError, match="company list"):
        Companies.from_json(text)


@pytest.mark.skipif(not (DATA / "reference/company_tickers.json").is_file(), reason="the recorded data is not here")
def test_the_real_list() -> None:
    """The SEC's own file is read whole and its names are found."""
    found = Companies.from_json((DATA / "reference/company_tickers.json").read_bytes())
    assert len(found) == 9_610
    companies_found = [found.name(name) for name in ("Apple", "Corbus Pharmaceuticals", "T-Mobile US")]
    assert [company.ticker for company in companies_found if company] == ["AAPL", "CRBP", "TMUS"]
