"""`catalyst read-filing`: SEC documents in, one row each out. It asks no server; "-" is standard input."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalyst.commands.documents import print_rows, read_document, reason
from catalyst.core.companies import Companies
from catalyst.core.filings import LIMIT_BYTES, Filing, read_filing
from catalyst.errors import FilingError
from catalyst.messages import Offering

_NAMED = re.compile(r"(\d{10}-\d\d-\d{6})(?!\d)")
AMOUNTS = ("gross_proceeds", "shares", "price", "warrants", "dilution_pct")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst read-filing FILE...`."""
    parser.description = "Read SEC filings (complete submissions or single documents); one JSON line a file."
    parser.add_argument("files", nargs="+", metavar="FILE", help="an SEC document, - for standard input")


def run(arguments: argparse.Namespace) -> int:
    """A line a file, in order; 64 where one cannot be read: it gives `error`, and the other fields are empty."""
    from catalyst.clients.files import load_companies
    from catalyst.settings import load

    return print_rows(rows(arguments.files, load_companies(load())))


def rows(files: Sequence[str], companies: Companies | None = None) -> Iterator[dict[str, Any]]:
    """For each file, in order, what the filing says; nothing is raised for a file that cannot be read.

    `ticker` is that of the company list, by CIK, else the symbol that the document states; `accession` that of the
    header, else of the file's name. Numbers of `offering` are plain, their sentences under `quotes`.
    """
    from catalyst.clients.files import load_sentiment

    for file in files:
        try:
            filing = read_filing(read_document(file, LIMIT_BYTES), load_sentiment())
            yield {"file": file, **answer(filing, file, companies)}
        except (FilingError, OSError, ValueError) as error:
            yield {"file": file, "form": None, "accession": None, "cik": None, "ticker": None, "items": [],
                   "amendment": None, "offering": None, "sentiment": None, "summary": None, "provider": None,
                   "error": reason(error)}


def answer(filing: Filing, file: str = "", companies: Companies | None = None) -> dict[str, Any]:
    """The fields of a row that come from the filing."""
    named = _NAMED.search(Path(file).name)
    known = companies.cik(int(filing.cik)) if companies is not None and filing.cik else ()
    return {"form": filing.form, "accession": filing.accession or (named[1] if named else None),
            "cik": filing.cik or None, "ticker": known[0].ticker if known else filing.symbol or None,
            "items": [{"item": item, "title": title} for item, title in filing.items],
            "amendment": filing.amendment, "offering": _plain(filing.offering), "sentiment": filing.sentiment,
            "summary": filing.summary, "provider": filing.provider}


def _plain(offering: Offering | None) -> dict[str, Any] | None:
    if offering is None:
        return None
    amounts = {name: getattr(offering, name) for name in AMOUNTS}
    return {"stage": offering.stage, "type": offering.type,
            **{name: None if amount is None else amount.value for name, amount in amounts.items()},
            "quotes": {name: amount.quote for name, amount in amounts.items() if amount is not None}}
