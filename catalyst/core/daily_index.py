"""EDGAR's daily index: every filing of one day, which shows what the lists did not. Pure.

Described at sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data, "Using the EDGAR index files": the
master index of a day has one row a filing and company, `CIK|Company Name|Form Type|Date Filed|File Name`, and is
complete late in the evening in New York. There is none for a day on which EDGAR was closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from catalyst.core.edgar import NEW_YORK, index_path
from catalyst.core.feeds import Entry

ROW = re.compile(r"(\d{1,10})\|([^|]{0,300})\|([^|]{1,30})\|[\d-]{8,10}\|"
                 r"edgar/data/\d{1,10}/(?:\d{18}/)?(\d{10}-\d\d-\d{6})\.txt")
READ_AT = time(3)  # New York: the index of the day before has long been complete, the pre-market has not begun
MOST_NAMED, TEXT_LIMIT = 12, 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """A filing of the index; `cik` has ten digits."""

    accession: str
    form: str
    company: str
    cik: str


def read_rows(body: bytes) -> list[Row]:
    """The filings of a master index in its order, one an accession number; what is no row is passed over."""
    found: dict[str, Row] = {}
    for line in body.decode("latin-1").splitlines():
        match = ROW.fullmatch(line.strip())
        if match is not None:
            cik, company, form, accession = match.groups()
            found.setdefault(accession, Row(accession, form.strip().upper(), company.strip(), f"{int(cik):010}"))
    return list(found.values())


def of_forms(rows: Iterable[Row], forms: Sequence[str]) -> list[tuple[Row, str]]:
    """The rows that lists of these `forms` should have shown, each with the form that was asked for; empty is all."""
    wanted = {name: form for form in reversed(forms) for name in (form, f"{form}/A")}
    return [(row, wanted.get(row.form, "")) for row in rows if row.form in wanted or "" in wanted]


def as_entry(row: Row) -> Entry:
    """The row as the entry that the list would have shown: the same id, hence the same item."""
    link = index_path("", row.accession, row.cik) or ""
    return Entry(f"urn:tag:sec.gov,2008:accession-number={row.accession}",
                 f"{row.form} - {row.company} ({row.cik}) (Filer)", f"https://www.sec.gov{link}", "", None, (),
                 (row.form,))


def path_of(day: date) -> str:
    """The path of a day's index."""
    return f"/Archives/edgar/daily-index/{day.year}/QTR{(day.month + 2) // 3}/master.{day:%Y%m%d}.idx"


def day_before(now_ms: int) -> date:
    """The day whose index was due last."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(NEW_YORK)
    return local.date() - timedelta(days=1 if local.time() >= READ_AT else 2)


def next_due_ms(now_ms: int) -> int:
    """The next moment at which an index is due."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(NEW_YORK)
    day = local.date() + timedelta(days=1 if local.time() >= READ_AT else 0)
    return round(datetime.combine(day, READ_AT, NEW_YORK).timestamp() * 1000)


def told(day: str, listed: int, missed: Sequence[Row]) -> tuple[str, str]:
    """(title, text) for the operator: how many of the `listed` filings were missed, and the first of them."""
    named = "; ".join(f"{row.form} {row.company} {row.accession}" for row in missed[:MOST_NAMED])
    more = f" and {len(missed) - MOST_NAMED} more" if len(missed) > MOST_NAMED else ""
    return (f"EDGAR: {len(missed)} of {listed} filings of {day} were missed",
            f"No list that was polled showed them: {named}{more}. They are kept as dropped (missed)."[:TEXT_LIMIT])
