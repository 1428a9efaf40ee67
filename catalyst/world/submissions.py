"""Takes a complete submission of the SEC apart: its SGML header and its documents as EDGAR serves them one by one.

Both forms of the header are read: the one with capital labels, and that of the dissemination feed (`.nc`), whose names
stand in tags. Pure: bytes in, a `Filing` out.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import datetime

from catalyst.world.archive import FILE_NAME, ITEM_TITLES, Filing, Paper, Party
from catalyst.world.edgar_pages import EASTERN

_DOCUMENT = re.compile(rb"<DOCUMENT>.*?</DOCUMENT>", re.DOTALL)
_TEXT = re.compile(rb"<TEXT>\s*(.*?)\s*</TEXT>", re.DOTALL)
_WRAPPER = re.compile(rb"<(XBRL|XML|PDF)>\s*(.*?)\s*</\1>\s*\Z", re.DOTALL)
_ACCESSION = re.compile(r"ACCESSION[ -]NUMBER[:>]\s*(\d{10}-\d{2}-\d{6})")
_FORM = re.compile(r"(?:CONFORMED SUBMISSION TYPE:\s*|<TYPE>)([^\n<]+)")
_ACCEPTED = re.compile(r"<ACCEPTANCE-DATETIME>(\d{14})")
_FILED = re.compile(r"(?:FILED AS OF DATE:\s*|<FILING-DATE>)(\d{8})")
_PERIOD = re.compile(r"(?:CONFORMED PERIOD OF REPORT:\s*|<PERIOD>)(\d{4})(\d{2})(\d{2})")
_ITEM = re.compile(r"(?:ITEM INFORMATION:\s*|<ITEMS>)([^\n<]+)")
_ROLE = re.compile(r"^(FILER|ISSUER|REPORTING-OWNER|SUBJECT COMPANY|FILED BY|FILED FOR):[ \t]*$"
                   r"|<(FILER|ISSUER|REPORTING-OWNER|SUBJECT-COMPANY|FILED-BY|FILED-FOR)>", re.MULTILINE)
_NAME = re.compile(r"(?:CONFORMED NAME:\s*|<CONFORMED-NAME>)([^\n<]+)")
_CIK = re.compile(r"(?:CENTRAL INDEX KEY:\s*|<CIK>)(\d{1,10})")
_SIC = re.compile(r"STANDARD INDUSTRIAL CLASSIFICATION:\s*([^\n\[]+?)\s*\[(\d{4})\]")
_STATE = re.compile(r"(?:STATE OF INCORPORATION:\s*|<STATE-OF-INCORPORATION>)([A-Z0-9]{2})")
_NUMBER = re.compile(r"(?:SEC FILE NUMBER:\s*|<FILE-NUMBER>)([\d-]+)")
_ROLES = {"FILER": "Filer", "ISSUER": "Issuer", "REPORTING-OWNER": "Reporting", "SUBJECT-COMPANY": "Subject",
          "FILED-BY": "Filed by", "FILED-FOR": "Filed for"}
_NUMBERS = {title: number for number, title in ITEM_TITLES.items()}


def read_submission(data: bytes) -> Filing | None:
    """The filing in a complete submission; None where number, form, date or a party is missing."""
    start = data.find(b"<DOCUMENT>")
    header = data[:start if start >= 0 else len(data)].decode("utf-8", "replace")
    number, form = _ACCESSION.search(header), _FORM.search(header)
    moment_ms = _moment_ms(header)
    parties = tuple(_parties(header))
    if number is None or form is None or moment_ms is None or not parties:
        return None
    papers = tuple(paper for match in _DOCUMENT.finditer(data) if (paper := _paper(match[0])) is not None)
    period = _PERIOD.search(header)
    return Filing(number[1], form[1].strip(), moment_ms, parties, papers, tuple(_items(header)),
                  "-".join(period.groups()) if period else "", b"<XBRL>" in data[start:start + 600])


def _moment_ms(header: str) -> int | None:
    accepted, filed = _ACCEPTED.search(header), _FILED.search(header)
    text = accepted[1] if accepted else f"{filed[1]}160000" if filed else ""
    try:
        return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=EASTERN).timestamp()) * 1000
    except ValueError:
        return None


def _items(header: str) -> Iterator[tuple[str, str]]:
    """Numbers and titles of the items, whichever of the two the header names."""
    for match in _ITEM.finditer(header):
        told = match[1].strip()
        number = told if told in ITEM_TITLES else _NUMBERS.get(told)
        if number is not None:
            yield number, ITEM_TITLES[number]


def _parties(header: str) -> Iterator[Party]:
    marks = list(_ROLE.finditer(header))
    for place, mark in enumerate(marks, 1):
        part = header[mark.end():marks[place].start() if place < len(marks) else len(header)]
        name, cik, sic = _NAME.search(part), _CIK.search(part), _SIC.search(part)
        if name is None or cik is None:
            continue
        state, number = _STATE.search(part), _NUMBER.search(part)
        role = _ROLES[(mark[1] or mark[2]).replace(" ", "-")]
        yield Party(role, name[1].strip(), int(cik[1]), f"{sic[2]} {sic[1]}" if sic else "", state[1] if state else "",
                    number[1] if number else "")


def _paper(block: bytes) -> Paper | None:
    head = block[:block.find(b"<TEXT>")].decode("utf-8", "replace")
    fields = {name: text.strip() for name, text in re.findall(r"<(TYPE|FILENAME|DESCRIPTION)>([^\n<]*)", head)}
    text = _TEXT.search(block)
    file = fields.get("FILENAME", "")
    if text is None or not FILE_NAME.fullmatch(file):
        return None
    inside = _WRAPPER.match(text[1])
    body = inside[2] if inside else text[1]
    if body.startswith(b"begin "):
        body = _binary(body)
    elif inside is None and file.endswith((".htm", ".html", ".txt")):
        body = block + b"\n"  # EDGAR serves what carries no XBRL with its SGML tags
    return Paper(fields.get("TYPE", ""), file, fields.get("DESCRIPTION", ""), body)


def _binary(text: bytes) -> bytes:
    """The bytes of a picture or PDF in uuencoding."""
    found = bytearray()
    for line in text.splitlines()[1:]:
        if not line or line == b"end":
            continue
        count = (line[0] - 32) & 63
        found += binascii.a2b_uu(line[:(count * 4 + 5) // 3])  # some encoders write more characters than the count says
    return bytes(found)
