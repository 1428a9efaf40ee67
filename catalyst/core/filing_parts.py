"""A complete SEC submission -> its header and documents; found in the bytes, so that only what is read is decoded.

The header is that of the SEC's public dissemination (EDGAR filer manual): `NAME: value` lines in a .txt file,
`<NAME>value` in a .nc file.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from catalyst.core.filing_text import SOURCE_CHARS, decode

LIMIT_DOCUMENTS = 400
HEADER_BYTES = 200_000
NEW_YORK = ZoneInfo("America/New_York")  # EDGAR's clock
_ACCESSION = re.compile(r"(?:ACCESSION NUMBER:\s{0,20}|<ACCESSION-NUMBER>)(\d{10})-?(\d\d)-?(\d{6})")


class Part(msgspec.Struct, frozen=True):
    """One document of a filing: its type ("8-K", "EX-99.1"), its file name and its bytes."""

    type: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says; empty words and None where it says nothing. `items` are titles or numbers."""

    form: str = ""
    accession: str = ""
    cik: str = ""
    company: str = ""
    items: tuple[str, ...] = ()
    filed: str = ""  # YYYYMMDD
    accepted: str = ""  # YYYYMMDDHHMMSS


def split_submission(body: bytes) -> tuple[Header, list[Part]]:
    """Header and documents of a submission; of a single document an empty header and one part without a type."""
    parts = _documents(body)
    end = body.find(b"<DOCUMENT>", 0, HEADER_BYTES)
    if not parts:
        return Header(), [Part("", "", body)]
    return read_header(decode(body[:end]) if end > 0 else ""), parts


def read_header(text: str) -> Header:
    """The fields of a header. CIK and company are the issuer's or the subject's, where it names several parties."""
    accession = _ACCESSION.search(text)
    start = max(text.find("\nISSUER:"), text.find("<ISSUER>"), text.find("\nSUBJECT COMPANY:"),
                text.find("<SUBJECT-COMPANY>"), 0)
    party = text[start:]
    cik = _field(party, "CENTRAL INDEX KEY", "CIK")
    return Header(form=_field(text, "CONFORMED SUBMISSION TYPE", "TYPE")[:40],
                  accession="-".join(accession.groups()) if accession else "",
                  cik=cik.zfill(10) if re.fullmatch(r"[0-9]{1,10}", cik) else "",
                  company=html.unescape(_field(party, "COMPANY CONFORMED NAME", "CONFORMED-NAME"))[:200],
                  items=tuple(_fields(text, "ITEM INFORMATION", "ITEMS")[:40]),
                  filed=_field(text, "FILED AS OF DATE", "FILING-DATE"),
                  accepted=_field(text, "ACCEPTANCE-DATETIME", "ACCEPTANCE-DATETIME"))


def moment_ms(digits: str) -> int | None:
    """Milliseconds of `YYYYMMDD` or `YYYYMMDDHHMMSS` in New York; None for anything else."""
    if not re.fullmatch(r"[0-9]{8}(?:[0-9]{6})?", digits):
        return None
    try:
        local = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
        return int(local.timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def _documents(body: bytes) -> list[Part]:
    found: list[Part] = []
    place = body.find(b"<TYPE>", 0, 300) if body[:300].lstrip().startswith(b"<TYPE>") else body.find(b"<DOCUMENT>")
    while place >= 0 and len(found) < LIMIT_DOCUMENTS:
        end = body.find(b"</DOCUMENT>", place)
        end = end if end >= 0 else len(body)
        start = body.find(b"<TEXT>", place, end)
        top = decode(body[place:start if 0 <= start < place + 4_000 else min(end, place + 2_000)])
        # Characters take up to four bytes; who decodes the text cuts at the exact number.
        text = body[start + 6 if start >= 0 else place:end][:SOURCE_CHARS * 4].removesuffix(b"</TEXT>")
        found.append(Part(_field(top, "", "TYPE")[:40], _field(top, "", "FILENAME")[:200], text))
        place = body.find(b"<DOCUMENT>", end)
    return found


def _fields(text: str, name: str, tag: str) -> list[str]:
    pattern = rf"^\s{{0,8}}{name}:[ \t]*([^\n]+)|<{tag}>([^<\n]+)" if name else rf"<{tag}>()([^<\n]+)"
    return [(match[1] or match[2]).strip() for match in re.finditer(pattern, text, re.MULTILINE)]


def _field(text: str, name: str, tag: str) -> str:
    return next(iter(_fields(text, name, tag)), "")
