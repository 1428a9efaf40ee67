"""EDGAR's daily index: what is read from it, and when."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso
from catalyst.core.daily_index import Row, as_entry, day_before, next_due_ms, of_forms, path_of, read_rows, told
from catalyst.core.edgar import read_entry
from catalyst.core.stories import item_id_of

INDEX = b"""Description:           Daily Index of EDGAR Dissemination Feed by CIK
Last Data Received:    Nov 20, 2026
Comments:              webmaster@sec.gov

CIK|Company Name|Form Type|Date Filed|File Name
--------------------------------------------------------------------------------
1000045|ACME & S\xd8N Corp|8-K|20261120|edgar/data/1000045/0000950170-26-000001.txt
9|Doe John|4|20261120|edgar/data/9/0000950170-26-000002.txt
1000045|ACME & S\xd8N Corp|4|20261120|edgar/data/1000045/0000950170-26-000002.txt
77|Bank|424B2|20261120|edgar/data/77/0000950170-26-000003.txt
77|Bank|8-K/A|20261120|edgar/data/77/000095017026000004/0000950170-26-000004.txt
"""


def test_a_filing_is_one_row_however_many_parties_it_has() -> None:
    """Accession, form, company and CIK of each; head and ruler are no rows."""
    rows = read_rows(INDEX)
    assert [row.accession[-1] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0] == Row("0000950170-26-000001", "8-K", "ACME & S\xd8N Corp", "0001000045")


def test_only_what_a_list_was_asked_for_is_missed() -> None:
    """The form itself and its amendments; an empty form asks for all."""
    rows = read_rows(INDEX)
    assert [(row.accession[-1], form) for row, form in of_forms(rows, ("8-K", "424B5"))] == [("1", "8-K"), ("4", "8-K")]
    assert len(of_forms(rows, ("8-K", ""))) == 4


def test_a_row_is_the_same_item_as_the_list_shows() -> None:
    """Its entry has the list's id, title and link."""
    entry = as_entry(read_rows(INDEX)[0])
    assert item_id_of(entry.id, entry.link, "sec_8k") == "0000950170-26-000001"
    listed = read_entry(entry)
    assert listed is not None
    assert (listed.form, listed.company, listed.cik) == ("8-K", "ACME & S\xd8N Corp", "0001000045")
    assert entry.link.endswith("/000095017026000001/0000950170-26-000001-index.htm")


@pytest.mark.parametrize(("now", "day", "due"), [
    ("2026-11-20T12:00:00Z", date(2026, 11, 19), "2026-11-21T08:00:00Z"),
    ("2026-11-20T07:59:00Z", date(2026, 11, 18), "2026-11-20T08:00:00Z"),
    ("2026-11-20T08:00:00Z", date(2026, 11, 19), "2026-11-21T08:00:00Z"),
    ("2026-07-01T06:59:00Z", date(2026, 6, 29), "2026-07-01T07:00:00Z")])
def test_an_index_is_read_in_the_night_after_its_day(now: str, day: date, due: str) -> None:
    """At three in New York, in summer and winter."""
    assert (day_before(from_iso(now)), next_due_ms(from_iso(now))) == (day, from_iso(due))


def test_the_path_names_year_quarter_and_day() -> None:
    """As EDGAR files them."""
    assert path_of(date(2026, 11, 20)) == "/Archives/edgar/daily-index/2026/QTR4/master.20261120.idx"
    assert "/2026/QTR1/" in path_of(date(2026, 3, 31))


def test_a_long_list_of_misses_fits_a_notice() -> None:
    """The first are named, the others counted."""
    title, text = told("2026-11-20", 900, read_rows(INDEX) * 50)
    assert title == "EDGAR: 200 of 900 filings of 2026-11-20 were missed"
    assert "and 188 more" in text


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    """What is no index has no rows; nothing raises."""
    assert all(row.accession and row.form for row in read_rows(data + INDEX[-90:]))
