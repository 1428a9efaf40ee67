"""EDGAR's pages, written in their real shape: the list's entries, the index page, the complete submission, refusals.

Times are real milliseconds and are shown in Eastern time, as EDGAR does. Pure: texts and bytes come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

from catalyst.world.archive import Filing, Paper, Party, index_link

EASTERN = ZoneInfo("America/New_York")
LIST_TAIL = "</feed>\n"
_WRAPPED = re.compile(rb"\s*<DOCUMENT>")
_ROLES = {"Filer": "FILER", "Issuer": "ISSUER", "Reporting": "REPORTING-OWNER", "Subject": "SUBJECT COMPANY",
          "Filed by": "FILED BY"}


def eastern(moment_ms: int) -> datetime:
    """The moment on EDGAR's clock."""
    return datetime.fromtimestamp(moment_ms // 1000, EASTERN)


def stamp(moment_ms: int) -> str:
    """`2025-12-12T18:02:43-05:00`."""
    return eastern(moment_ms).isoformat(timespec="seconds")


def list_head(moment_ms: int) -> str:
    """The beginning of the list of latest filings, of which the newest appeared at `moment_ms`."""
    here = eastern(moment_ms)
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<title>Latest Filings - {here:%a, %d %b %Y %H:%M:%S} {here:%Z}</title>\n"
            '<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
            '<link rel="self" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
            "<id>https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent</id>\n"
            "<author><name>Webmaster</name><email>webmaster@sec.gov</email></author>\n"
            f"<updated>{stamp(moment_ms)}</updated>\n")


def list_entry(filing: Filing, party: Party, moment_ms: int) -> str:
    """The entry that the list shows for one party of a filing."""
    title = f"{filing.form} - {party.name} ({party.cik:010}) ({party.role})"
    items = "".join(f"\n&lt;br&gt;Item {number}: {escape(escape(text, quote=False), quote=False)}"
                    for number, text in filing.items)
    return (f"<entry>\n<title>{escape(title, quote=False)}</title>\n"
            f'<link rel="alternate" type="text/html" href="{index_link(party.cik, filing.accession)}"/>\n'
            f'<summary type="html">\n &lt;b&gt;Filed:&lt;/b&gt; {eastern(moment_ms):%Y-%m-%d} '
            f"&lt;b&gt;AccNo:&lt;/b&gt; {filing.accession} &lt;b&gt;Size:&lt;/b&gt; {_size(filing.size_bytes)}"
            f"{items}\n</summary>\n"
            f"<updated>{stamp(moment_ms)}</updated>\n"
            f'<category scheme="https://www.sec.gov/" label="form type" term="{escape(filing.form)}"/>\n'
            f"<id>urn:tag:sec.gov,2008:accession-number={filing.accession}</id>\n</entry>")


def list_document(filings: Iterable[Filing]) -> bytes:
    """The list of all filings, newest first, one entry a party; times are those of the filings."""
    ordered = sorted(filings, key=lambda filing: (filing.moment_ms, filing.accession), reverse=True)
    entries = [list_entry(filing, party, filing.moment_ms) for filing in ordered for party in filing.parties]
    head = list_head(ordered[0].moment_ms if ordered else 0)
    return (head + "\n".join(entries) + "\n" + LIST_TAIL).encode("iso-8859-1", "xmlcharrefreplace")


def daily_index(rows: Iterable[tuple[int, str, str, str]], day: date) -> bytes:
    """The master index of a day: rows of CIK, company, form and accession number."""
    lines = [f"{cik}|{company.replace('|', ' ')}|{form}|{day:%Y%m%d}|edgar/data/{cik}/{accession}.txt"
             for cik, company, form, accession in rows]
    head = ["Description:           Daily Index of EDGAR Dissemination Feed by CIK",
            f"Last Data Received:    {day:%b %d, %Y}", "Comments:              webmaster@sec.gov", " ",
            "CIK|Company Name|Form Type|Date Filed|File Name", "-" * 80]
    return ("\n".join([*head, *lines]) + "\n").encode("latin-1", "replace")


def _size(size_bytes: int) -> str:
    kilobytes = max(1, round(size_bytes / 1024))
    return f"{kilobytes} KB" if kilobytes < 1024 else f"{round(kilobytes / 1024)} MB"


def index_page(filing: Filing, cik: int, accepted_ms: int, submission_bytes: int) -> bytes:
    """The filing's index page below the address of `cik`; the class names and headings are the real ones."""
    here = eastern(accepted_ms)
    base = f"/Archives/edgar/data/{cik}/{filing.accession.replace('-', '')}"
    groups = [[("Filing Date", f"{here:%Y-%m-%d}"), ("Accepted", f"{here:%Y-%m-%d %H:%M:%S}"),
               ("Documents", str(len(filing.papers)))]]
    if filing.period:
        groups.append([("Period of Report", filing.period)])
    if filing.items:
        groups.append([("Items", "".join(f"Item {number}: {escape(title, quote=False)}<br />"
                                         for number, title in filing.items))])
    shown = "".join('<div class="formGrouping">\n' + "".join(
        f'<div class="infoHead">{name}</div>\n<div class="info">{value}</div>\n' for name, value in group)
        + "</div>\n" for group in groups)
    data = [number for number, paper in enumerate(filing.papers) if _is_data(paper)]
    rows = [row for number, paper in enumerate(filing.papers, 1) if number - 1 not in data
            for row in _rows(filing, paper, number, base)]
    whole = f"{filing.accession}.txt"
    rows.append(("&nbsp;", "Complete submission text file", f'<a href="{base}/{whole}">{whole}</a>', "&nbsp;",
                 str(submission_bytes)))
    tables = _table("Document Format Files", rows)
    if data:
        tables += _table("Data Files", [row for number in data
                                        for row in _rows(filing, filing.papers[number], number + 1, base)])
    text = (f"<!DOCTYPE html>\n<html>\n<head>\n<title>EDGAR Filing Documents for {filing.accession}</title>\n</head>\n"
            '<body>\n<div id="contentDiv">\n<div class="formDiv">\n<div id="formHeader">\n<div id="formName">'
            f"<strong>Form {escape(filing.form)}</strong> - {_FORM_NAMES.get(filing.form.removesuffix('/A'), '')}:"
            "</div>\n"
            f'<div id="secNum"><strong><acronym title="Securities and Exchange Commission">SEC</acronym> Accession '
            f'<acronym title="Number">No.</acronym></strong> {filing.accession}</div>\n</div>\n'
            f'<div class="formContent">\n{shown}</div>\n</div>\n{tables}'
            f"{''.join(_filer(filing, party) for party in filing.parties)}</div>\n</body>\n</html>\n")
    return text.encode()


_FORM_NAMES = {"8-K": "Current report", "6-K": "Report of foreign issuer [Rules 13a-16 and 15d-16]",
               "424B5": "Prospectus [Rule 424(b)(5)]", "424B2": "Prospectus [Rule 424(b)(2)]",
               "FWP": "Filing under Securities Act Rules 163/433 of free writing prospectuses",
               "4": "Statement of changes in beneficial ownership of securities",
               "S-1": "General form for registration of securities under the Securities Act of 1933",
               "SCHEDULE 13D": "General Statement of Acquisition of Beneficial Ownership",
               "SCHEDULE 13G": "Statement of Beneficial Ownership by Certain Investors"}


def _is_data(paper: Paper) -> bool:
    return paper.type.startswith("EX-101") or paper.type == "XML"


def is_rendered(form: str, paper: Paper) -> bool:
    """Whether EDGAR also shows the document as a page made of its XML, as it does with ownership forms."""
    return paper.file.endswith(".xml") and paper.type == form


def _rows(filing: Filing, paper: Paper, number: int, base: str) -> list[tuple[str, ...]]:
    """Lines of the table for one document; what is XML is listed twice, first as a rendered page."""
    size = str(len(paper.body))
    description, kind = escape(paper.description, quote=False), escape(paper.type)
    plain = f'<a href="{base}/{paper.file}">{paper.file}</a>'
    if is_rendered(filing.form, paper):
        shown = f'<a href="{base}/xsl{filing.form.replace(" ", "_").replace("/", "")}/{paper.file}">' \
                f"{paper.file.removesuffix('.xml')}.html</a>"
        return [(str(number), description, shown, kind, "&nbsp;"), (str(number), description, plain, kind, size)]
    if filing.ixbrl and paper is filing.papers[0]:
        plain = (f'<a href="/ix?doc={base}/{paper.file}">{paper.file}</a> &nbsp;&nbsp;'
                 '<span style="color: green">iXBRL</span>')
    return [(str(number), description, plain, kind, size)]


def _table(name: str, rows: list[tuple[str, ...]]) -> str:
    headings = ('<acronym title="Sequence Number">Seq</acronym>', "Description", "Document", "Type", "Size")
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    lines = [('<tr class="evenRow">' if index % 2 else "<tr>")
             + "".join(f'<td scope="row">{cell}</td>' for cell in row) + "</tr>\n" for index, row in enumerate(rows)]
    return (f'<div class="formDiv">\n<p>{name}</p>\n<table class="tableFile" summary="{name}">\n<tr>{head}</tr>\n'
            f"{''.join(lines)}</table>\n</div>\n")


def _filer(filing: Filing, party: Party) -> str:
    sic, _, trade = party.sic.partition(" ")
    number = f"{party.cik:010}"
    address = f'<span class="mailerAddress">{escape(party.street)}</span>\n<span class="mailerAddress">' \
              f"{escape(party.place)}</span>"
    return (f'<div class="filerDiv">\n<div class="mailer">Mailing Address\n{address}</div>\n'
            f'<div class="mailer">Business Address\n{address}</div>\n<div class="companyInfo">\n'
            f'<span class="companyName">{escape(party.name, quote=False)} ({party.role})\n'
            f'<acronym title="Central Index Key">CIK</acronym>: <a href="/cgi-bin/browse-edgar?CIK={number}&amp;'
            f'action=getcompany">{number} (see all company filings)</a></span>\n<p class="identInfo">State of Incorp.: '
            f"<strong>{party.state}</strong><br />Type: <strong>{escape(filing.form)}</strong> | File No.: "
            f"<strong>{party.file_number}</strong><br />SIC: <b>{sic}</b> {escape(trade, quote=False)}</p>\n"
            "</div>\n</div>\n")


def submission_text(filing: Filing, accepted_ms: int) -> bytes:
    """The complete submission: SGML header, then each document in its block."""
    here = eastern(accepted_ms)
    head = [f"<SEC-DOCUMENT>{filing.accession}.txt : {here:%Y%m%d}",
            f"<SEC-HEADER>{filing.accession}.hdr.sgml : {here:%Y%m%d}",
            f"<ACCEPTANCE-DATETIME>{here:%Y%m%d%H%M%S}", f"ACCESSION NUMBER:\t\t{filing.accession}",
            f"CONFORMED SUBMISSION TYPE:\t{filing.form}", f"PUBLIC DOCUMENT COUNT:\t\t{len(filing.papers)}"]
    if filing.period:
        head.append(f"CONFORMED PERIOD OF REPORT:\t{filing.period.replace('-', '')}")
    head += [f"ITEM INFORMATION:\t\t{title}" for _, title in filing.items]
    head += [f"FILED AS OF DATE:\t\t{here:%Y%m%d}", f"DATE AS OF CHANGE:\t\t{here:%Y%m%d}", ""]
    for party in filing.parties:
        head += _party_header(filing, party)
    head.append("</SEC-HEADER>\n")
    blocks = [block(paper, number, ixbrl=filing.ixbrl and number == 1) for number, paper in enumerate(filing.papers, 1)]
    return "\n".join(head).encode() + b"".join(blocks) + b"</SEC-DOCUMENT>\n"


def _party_header(filing: Filing, party: Party) -> Iterator[str]:
    yield f"{_ROLES.get(party.role, 'FILER')}:\n"
    yield "\tOWNER DATA:\t" if party.role == "Reporting" else "\tCOMPANY DATA:\t"
    yield f"\t\tCOMPANY CONFORMED NAME:\t\t\t{party.name}"
    yield f"\t\tCENTRAL INDEX KEY:\t\t\t{party.cik:010}"
    number, _, trade = party.sic.partition(" ")
    if number:
        yield f"\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\t{trade.upper()} [{number}]"
    yield f"\t\tSTATE OF INCORPORATION:\t\t\t{party.state}\n"
    yield f"\tFILING VALUES:\n\t\tFORM TYPE:\t\t{filing.form}\n\t\tSEC FILE NUMBER:\t{party.file_number}\n"


def block(paper: Paper, number: int, *, ixbrl: bool = False) -> bytes:
    """A document in its SGML block; a body that already carries one is taken as it is."""
    if _WRAPPED.match(paper.body):
        return paper.body.rstrip() + b"\n"
    body = paper.body.rstrip()
    if ixbrl or _is_data(paper) or paper.file.endswith(".xml"):
        name = b"XBRL" if ixbrl or _is_data(paper) else b"XML"
        body = b"<" + name + b">\n" + body + b"\n</" + name + b">"
    return wrap(paper.type, number, paper.file, paper.description, body)


def wrap(kind: str, number: int, file: str, description: str, body: bytes) -> bytes:
    """`<DOCUMENT>...</DOCUMENT>` around a body, as EDGAR also serves single HTML documents."""
    head = f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{number}\n<FILENAME>{file}\n"
    if description:
        head += f"<DESCRIPTION>{description}\n"
    return head.encode() + b"<TEXT>\n" + body.rstrip() + b"\n</TEXT>\n</DOCUMENT>\n"


def rendered_page(paper: Paper) -> bytes:
    """What EDGAR's style sheet makes of an ownership form: here only its texts, one below the other."""
    texts = re.findall(r">\s*([^<>\s][^<>]*?)\s*<", paper.body.decode("utf-8", "replace"))
    lines = "".join(f"<p>{text}</p>\n" for text in texts)
    return f"<!DOCTYPE html>\n<html><head><title>SEC FORM</title></head><body>\n{lines}</body></html>\n".encode()


def refusal(title: str, text: str) -> bytes:
    """An HTML page that says no: EDGAR never refuses in XML or JSON."""
    return (f"<!DOCTYPE html>\n<html>\n<head>\n<title>SEC.gov | {title}</title>\n</head>\n<body>\n"
            f"<h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n").encode()
