"""A filing as a day keeps it: the folder `filings/ACCESSION` with its documents and `filing.json` about it.

    filing.json   accession, form, period, items, parties, documents (type, file, description), ixbrl, moment (ISO)
    FILE          each document as EDGAR serves it
    ACCESSION.txt the complete submission, only where it was recorded; otherwise it is put together when asked for

`filings/ACCESSION` may be absent: EDGAR's list names a filing before its documents can be fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from catalyst.clock import from_iso, iso
from catalyst.errors import ConfigError

FILING_FILE = "filing.json"
ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")


@dataclass(frozen=True, slots=True)
class Party:
    """Who files or is filed about. `role` as EDGAR's list says it: Filer, Issuer, Reporting, Subject, Filed by."""

    role: str
    name: str
    cik: int
    sic: str = ""  # number and name: "2834 Pharmaceutical Preparations"
    state: str = "DE"
    file_number: str = ""
    street: str = ""
    place: str = ""  # city, state, zip


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of a filing, the main one first; `body` as EDGAR serves it."""

    type: str
    file: str
    description: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Filing:
    """A filing. `moment_ms` is when EDGAR accepted it, in the day's own time; `items` are numbers and titles."""

    accession: str
    form: str
    moment_ms: int
    parties: tuple[Party, ...]
    papers: tuple[Paper, ...]
    items: tuple[tuple[str, str], ...] = ()
    period: str = ""  # ISO date
    ixbrl: bool = False  # the main document carries inline XBRL: the index page links to it through the viewer

    @property
    def main(self) -> Party:
        """The company that the filing is about: who files for itself, the issuer, or the subject."""
        chosen = ("Filer", "Issuer", "Subject")
        return next((party for party in self.parties if party.role in chosen), self.parties[0])

    @property
    def size_bytes(self) -> int:
        """Of all documents together."""
        return sum(len(paper.body) for paper in self.papers)

    def link(self, party: Party | None = None) -> str:
        """Address of the index page, as the list shows it for this party."""
        return index_link((party or self.main).cik, self.accession)


def index_link(cik: int, accession: str) -> str:
    """Address of a filing's index page."""
    return (f"https://www.sec.gov/Archives/edgar/data/{cik}/{accession.replace('-', '')}/"
            f"{accession}-index.htm")


def write_filing(folder: Path, filing: Filing, submission: bytes | None = None) -> None:
    """Write a filing below `folder`; `submission` is the complete text as it was recorded."""
    place = folder / filing.accession
    place.mkdir(parents=True, exist_ok=True)
    for paper in filing.papers:
        (place / paper.file).write_bytes(paper.body)
    if submission is not None:
        (place / f"{filing.accession}.txt").write_bytes(submission)
    about = {"accession": filing.accession, "form": filing.form, "moment": iso(filing.moment_ms),
             "period": filing.period, "ixbrl": filing.ixbrl, "items": filing.items,
             "parties": [asdict(party) for party in filing.parties],
             "documents": [{"type": paper.type, "file": paper.file, "description": paper.description}
                           for paper in filing.papers]}
    (place / FILING_FILE).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", "utf-8")


def load_filing(folder: Path, accession: str) -> Filing | None:
    """The filing kept below `folder`; None where its documents are not there. Raises ConfigError for a damaged one."""
    place = folder / accession
    if not ACCESSION.fullmatch(accession) or not (place / FILING_FILE).is_file():
        return None
    try:
        about = json.loads((place / FILING_FILE).read_text("utf-8"))
        papers = tuple(_paper(place, row["type"], row["file"], row["description"]) for row in about["documents"])
        return Filing(about["accession"], about["form"], from_iso(about["moment"]),
                      tuple(Party(**row) for row in about["parties"]), papers,
                      tuple((number, title) for number, title in about["items"]), about["period"], about["ixbrl"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{place / FILING_FILE} does not describe a filing: {error!r}") from error


def _paper(place: Path, kind: str, file: str, description: str) -> Paper:
    if not FILE_NAME.fullmatch(file):
        raise ValueError(f"{file!r} is no name of a document")
    return Paper(kind, file, description, (place / file).read_bytes())


def items_of(numbers: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Numbers of Form 8-K's items with the titles under which EDGAR lists them."""
    return tuple((number, ITEM_TITLES[number]) for number in numbers)


ITEM_TITLES = {  # as EDGAR's list and headers name the items of Form 8-K
    "1.01": "Entry into a Material Definitive Agreement",
    "1.02": "Termination of a Material Definitive Agreement",
    "1.03": "Bankruptcy or Receivership",
    "2.01": "Completion of Acquisition or Disposition of Assets",
    "2.02": "Results of Operations and Financial Condition",
    "2.03": "Creation of a Direct Financial Obligation or an Obligation under an Off-Balance Sheet Arrangement of a "
            "Registrant",
    "3.01": "Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard; Transfer of Listing",
    "3.02": "Unregistered Sales of Equity Securities",
    "3.03": "Material Modifications to Rights of Security Holders",
    "4.01": "Changes in Registrant's Certifying Accountant",
    "4.02": "Non-Reliance on Previously Issued Financial Statements or a Related Audit Report or Completed Interim "
            "Review",
    "5.02": "Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers: "
            "Compensatory Arrangements of Certain Officers",
    "5.03": "Amendments to Articles of Incorporation or Bylaws; Change in Fiscal Year",
    "5.07": "Submission of Matters to a Vote of Security Holders",
    "7.01": "Regulation FD Disclosure",
    "8.01": "Other Events",
    "9.01": "Financial Statements and Exhibits",
}
