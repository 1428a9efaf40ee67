"""EDGAR's lists, index pages and refusals: recorded ones, and anything."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.edgar import (
    DEEPEST,
    FORMS,
    INDEX_BYTES,
    WAITS_S,
    Document,
    Index,
    asked_form,
    index_path,
    line_of,
    next_try,
    of_source,
    party_rank,
    read_entry,
    read_index,
    reading_of,
    refusal_of,
    to_fetch,
)
from catalyst.core.feeds import Entry, parse_feed
from catalyst.core.intake import items_of
from catalyst.errors import FilingError

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
PAGES = DATA / "filings/index_pages"
recorded = pytest.mark.skipif(not PAGES.is_dir(), reason="the recorded data is not here")
ACCESSION = "0000000001-25-000001"
LIST = "https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&type={}&count=100&output=atom"


def entry(title: str, form: str = "", accession: str = ACCESSION, summary: str = "") -> Entry:
    """An entry as EDGAR's list has it."""
    return Entry(f"urn:tag:sec.gov,2008:accession-number={accession}", title, f"https://www.sec.gov/Archives/edgar/data/"
                 f"1/{accession.replace('-', '')}/{accession}-index.htm", summary, 0, (), (form,) if form else ())


@cache
def capture() -> tuple[Entry, ...]:
    """All entries of the recorded afternoon."""
    return tuple(one for path in sorted((DATA / "feeds/edgar_getcurrent_2025-12-12").glob("*.atom"))
                 for one in parse_feed(path.read_bytes()).entries)


@recorded
def test_the_recorded_afternoon() -> None:
    """5,100 entries are 3,315 filings, each with its company but for one that the capture cut off."""
    items = items_of(capture(), "sec")
    assert (len(capture()), len(items)) == (5_100, 3_315)
    listed = [read_entry(item.entry) for item in items]
    assert all(one is not None and one.accession == item.item_id for one, item in zip(listed, items, strict=True))
    assert [one.role for one in listed if one is not None and not one.cik] == ["Reporting"]
    assert {one.role for one in listed if one is not None} == {"Filer", "Issuer", "Subject", "Reporting"}


@recorded
@pytest.mark.parametrize(("document", "forms"), [
    ("8-K", ["8-K"]), ("6-K", ["6-K"]), ("FWP", ["FWP"]), ("424B5", ["424B5"]), ("4", ["4"]), ("S-1", ["S-1"]),
    ("S-3", ["S-3", "S-3ASR"]), ("10-Q_10-K", ["10-Q", "10-K"]),
    ("SCHEDULE_13D_13G", ["SCHEDULE 13D", "SCHEDULE 13G"])])
def test_forms_are_sorted_as_in_the_recorded_lists(document: str, forms: list[str]) -> None:
    """The lists by form, cut out of one capture, are exactly what the sources of those forms take of it."""
    body = (DATA / f"feeds/edgar_by_form_2025-12-12/{document}.atom").read_bytes()
    wanted = sorted((one.id, one.title) for one in parse_feed(body).entries)
    taken = [of_source(capture(), LIST.format(form.replace(" ", "+"))) for form in forms]
    assert sorted((one.id, one.title) for kept, _, _ in taken for one in kept) == wanted
    assert all(len(kept) + others == 5_100 and strange == 0 for kept, others, strange in taken)
    assert all(reading_of(one.form) for kept, _, _ in taken for one in map(read_entry, kept) if one is not None)


def test_an_entry() -> None:
    """Form, company, CIK and items; a company's name may hold the marks that separate the parts."""
    listed = read_entry(entry("8-K/A - A - B (US) Corp. (0001083743) (Filer)", "8-K/A", summary=(
        "Filed: 2025-12-12 AccNo: x Item 8.01: Other Events Item 9.01: Exhibits, see Item 1.01 Item 8.01: again")))
    assert listed is not None
    assert (listed.accession, listed.form, listed.company, listed.cik, listed.role, listed.items) == (
        ACCESSION, "8-K/A", "A - B (US) Corp.", "0001083743", "Filer", ("8.01", "9.01"))


@pytest.mark.parametrize(("title", "form", "company", "cik"), [
    ("4 - Doe John (0000000002) (Reporting)", "4", "", ""), ("SC 13D - Fund (0000000002) (Filed by)", "", "", ""),
    ("8-K - Current report", "8-K", "", ""), ("UPLOAD - Acme (0000000002) (Filed for)", "UPLOAD", "Acme", "0000000002"),
    ("no title of EDGAR's", "8-K", "", ""), ("25-NSE - Acme (0000000002) (Subject)", "25-NSE", "Acme", "0000000002")])
def test_who_is_not_the_company(title: str, form: str, company: str, cik: str) -> None:
    """A party that only reports or files gives no company: the index page will name it."""
    listed = read_entry(entry(title, form))
    assert listed is not None
    assert (listed.company, listed.cik) == (company, cik)
    assert listed.form == (form or "SC 13D")


def test_what_is_no_filing() -> None:
    """Without accession number or form an entry lists no filing."""
    assert read_entry(Entry("1", "8-K - Acme (0000000001) (Filer)", "https://www.sec.gov/news", "", 0)) is None
    assert read_entry(entry("Acme news")) is None


def test_the_company_is_chosen() -> None:
    """Subject, Issuer and Filer win over Reporting and Filed by, Subject over Filer, in any order."""
    roles = ["Reporting", "Filed by", "Filer", "Subject"]
    parties = [entry(f"425 - Party{place} (000000000{place}) ({role})", "425") for place, role in enumerate(roles, 1)]
    for order in (parties, parties[::-1], parties[2:] + parties[:2]):
        (item,) = items_of(order, "sec")
        assert item.entry.title.endswith("(Subject)")
    ranks = [party_rank(f"4 - X (0000000001) ({role})") for role in ("Issuer", "Subject", "Filer", "New", "Filed by",
                                                                    "Reporting")]
    assert ranks == sorted(ranks)
    assert (ranks[0], party_rank("8-K - Current report"), party_rank("")) == (0, 0, 0)


def test_prefixes_are_left_alone() -> None:
    """type=4 takes 4 and 4/A only; without type= all are taken; what is no filing is counted apart."""
    entries = [entry("4 - A (0000000001) (Issuer)", "4"), entry("4/A - A (0000000001) (Issuer)", "4/A"),
               entry("424B5 - A (0000000001) (Filer)", "424B5"), entry("40-F - A (0000000001) (Filer)", "40-F"),
               Entry("x", "SEC closes early", "https://www.sec.gov/news", "", 0)]
    kept, others, strange = of_source(entries, LIST.format("4"))
    assert ([one.categories for one in kept], others, strange) == ([("4",), ("4/A",)], 2, 1)
    assert [len(part) if isinstance(part, list) else part for part in of_source(entries, LIST.format(""))] == [4, 0, 1]
    assert asked_form("https://x/?type=schedule+13d") == "SCHEDULE 13D"
    assert asked_form("https://x/?type=8-K%2FA") == "8-K/A"


@pytest.mark.parametrize(("form", "is_read"), [
    ("8-K", True), ("8-K/A", True), ("SC 13D/A", True), ("SCHEDULE 13G", True), ("DEFA14A", True), ("424B2", False),
    ("144", False), ("497K", False), ("", False), ("8-K12B", True), ("40-F", False)])
def test_which_forms_are_read(form: str, is_read: bool) -> None:
    """What moves a low-priced share, with its amendments; each row of the table says why."""
    assert (reading_of(form) is not None) is is_read
    assert all(0 <= reading.priority <= 1 and reading.why for reading in FORMS.values())


INDEXES = (
    ("0000796343-23-000044", "8-K", "ADOBE INC.", "0000796343", ("2.02", "9.01"), 1678910796000, 9,
     ["8-K", "EX-99.1"]),
    ("0001045810-26-000024", "8-K", "NVIDIA CORP", "0001045810", ("5.02", "9.01"), 1772831485000, 7, ["8-K"]),
    ("0001140361-25-017716", "8-K", "INTERNATIONAL FLAVORS & FRAGRANCES INC", "0000051253", ("5.07",), 1746650055000, 7,
     ["8-K"]),
    ("0001144204-16-096273", "8-K", "Atrinsic, Inc.", "0001022899", ("8.01", "9.01"), 1461698445000, 5,
     ["8-K", "EX-99.1", "EX-99.2", "EX-99.3"]),
    ("0001193125-19-191922", "8-K", "ORACLE CORP", "0001341439", ("5.02", "9.01"), 1562792072000, 4,
     ["8-K", "EX-99.1"]),
    ("0001193125-23-048785", "8-K", "BlackRock Inc.", "0001364742", ("5.02",), 1677273724000, 7, ["8-K"]),
    ("0001213900-09-002194", "8-K", "EXPERTELLIGENCE INC", "0000723533", ("4.01", "9.01"), 1250676931000, 3, ["8-K"]),
    ("0000000000-26-001655", "UPLOAD", "Nuvectis Pharma, Inc.", "0001875558", (), 1771439413000, 3, []))


@recorded
@pytest.mark.parametrize("row", INDEXES, ids=lambda row: str(row[0]))
def test_recorded_index_pages(row: tuple[object, ...]) -> None:
    """Form, company, items, the time of acceptance (Eastern) and the documents; what of them is fetched."""
    index = read_index((PAGES / f"{row[0]}-index.html").read_bytes())
    assert (index.accession, index.form, index.company, index.cik, index.items, index.accepted_ms,
            len(index.documents), [document.type for document in to_fetch(index)]) == row
    path = f"/Archives/edgar/data/{int(index.cik)}/{index.accession.replace('-', '')}/"
    assert all(document.path.startswith(path) and document.size for document in index.documents)


@recorded
def test_recorded_refusals() -> None:
    """EDGAR's two refusals are known in any place, an index page and a plain error are none."""
    rate, agent = ((DATA / f"api/edgar/{name}.html").read_bytes()
                   for name in ("rate_exceeded_429", "undeclared_tool_403"))
    assert [refusal_of(status, rate) for status in (403, 429, 200)] == ["edgar_rate"] * 3
    assert [refusal_of(status, agent) for status in (403, 429, 200)] == ["edgar_agent"] * 3
    for body, reason in ((rate, "edgar_rate"), (agent, "edgar_agent")):
        with pytest.raises(FilingError) as caught:
            read_index(body)
        assert caught.value.reason == reason
    page = (DATA / "api/edgar/filing_index_page.html").read_bytes()
    assert [refusal_of(200, page), refusal_of(404, b"<html>"), refusal_of(503, b""),
            refusal_of(403, b"<?xml version='1.0'?><Error>")] == [""] * 4
    assert refusal_of(429, b"") == "edgar_rate"


def row(seq: str, kind: str, href: str, description: str = "", size: str = "100") -> str:
    """A row of an index page's table."""
    name = href.rpartition("/")[2]
    return (f"<tr><td>{seq}</td><td>{description}</td><td><a href='{href}'>{name}</a></td><td>{kind}</td>"
            f"<td>{size}</td></tr>")


def page(*rows: str, form: str = "8-K", parties: str = "Acme Corp (Filer) <acronym>CIK</acronym>: 0000000001") -> bytes:
    """An index page."""
    names = "".join(f"<span class='companyName'>{party}</span>" for party in parties.split("|"))
    return (f"<html><div id='formName'><strong>Form {form}</strong> - x:</div><div id='secNum'>No. {ACCESSION}</div>"
            f"<table class='tableFile'><tr><th>Seq</th></tr>{''.join(rows)}</table>{names}</html>").encode()


def names(index: Index, form: str = "") -> list[str]:
    """Names of what is fetched."""
    return [document.name for document in to_fetch(index, form)]


def test_what_is_fetched() -> None:
    """The primary document, then three exhibits, the release first; no picture, no archive, nothing too big."""
    base = "/Archives/edgar/data/1/000000000125000001/"
    index = read_index(page(
        row("1", "8-K", f"/ix?doc={base}a8k.htm"), row("2", "EX-10.1", f"{base}ex10.htm"),
        row("3", "EX-99.1", f"{base}slides.htm"), row("4", "EX-99.2", f"{base}pr.htm", "PRESS RELEASE"),
        row("5", "EX-99.3", f"{base}c.pdf"), row("6", "EX-99.4", f"{base}big.htm", size="99000000"),
        row("7", "EX-99.5", f"{base}e.htm"), row("8", "EX-99.6", f"{base}f.htm"),
        row("", "", f"{base}{ACCESSION}.txt", "Complete submission text file")))
    assert names(index) == ["a8k.htm", "pr.htm", "slides.htm", "e.htm"]
    assert index.documents[0].path == f"{base}a8k.htm"


def test_the_document_as_filed_is_preferred() -> None:
    """Of a form in XML the page made of it is listed first; fetched is what was filed. The issuer is the company."""
    base = "/Archives/edgar/data/1/000000000125000001/"
    index = read_index(page(
        row("1", "4", f"{base}xslF345X05/doc4.xml"), row("1", "4", f"{base}doc4.xml"), form="4",
        parties="Doe John (Reporting) CIK: 0000000002|Acme Corp (Issuer) CIK: 0000000001"))
    assert [document.path for document in to_fetch(index)] == [f"{base}doc4.xml"]
    assert (index.form, index.company, index.cik) == ("4", "Acme Corp", "0000000001")


def test_no_link_leads_out_of_the_archive() -> None:
    """Rows whose link is no path of EDGAR's archive are no documents."""
    with pytest.raises(FilingError) as caught:
        read_index(page(*(row("1", "8-K", href) for href in (
            "https://evil.example/Archives/edgar/data/1/a.htm", "//evil.example/a.htm", "javascript:x",
            "/Archives/edgar/data/../../../x.htm", "/Archives/edgar/data/1/a.htm?x=http://b", ""))))
    assert caught.value.reason == "no_index"


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "no_index"), (b"<html>maintenance</html>", "no_index"), (page(), "no_index"),
    (b"x" * (INDEX_BYTES + 1), "too_big"), (b"<div>" * (DEEPEST + 1) + page(), "no_index")])
def test_pages_that_are_none(body: bytes, reason: str) -> None:
    """What is no index page, too big or nested without end is refused with its reason."""
    with pytest.raises(FilingError) as caught:
        read_index(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("link", "cik", "path"), [
    (f"https://www.sec.gov/Archives/edgar/data/1/000000000125000001/{ACCESSION}-index.htm", "",
     f"/Archives/edgar/data/1/000000000125000001/{ACCESSION}-index.htm"),
    (f"http://127.0.0.1:5/Archives/edgar/data/1/{ACCESSION}-index.htm", "",
     f"/Archives/edgar/data/1/{ACCESSION}-index.htm"),
    ("https://evil.example/Archives/edgar/data/1/x-index.htm", "0000000007",
     f"/Archives/edgar/data/7/000000000125000001/{ACCESSION}-index.htm"),
    (f"https://www.sec.gov/Archives/edgar/data/1/../../{ACCESSION}-index.htm", "", None), ("", "", None)])
def test_path_of_an_index_page(link: str, cik: str, path: str | None) -> None:
    """Of the link where that is EDGAR's, else made of CIK and accession number."""
    assert index_path(link, ACCESSION, cik, "http://127.0.0.1:5/") == path


def test_tries() -> None:
    """A missing page is asked for again within a minute, a slow server fewer times, a wrong page not at all; filings
    that failed together are not asked for together again."""
    at_ms, times, failures, is_last = 0, [], 0, False
    while not is_last:
        following = next_try("index_404", failures + 1, at_ms, ACCESSION)
        assert following is not None
        wait_ms, is_last = following
        at_ms, failures = at_ms + wait_ms, failures + 1
        times.append(at_ms // 1000)
    assert len(times) == 4
    assert all(first <= at_s <= first * 1.25 for first, at_s in zip((3, 10, 25, 50), times, strict=True))
    late = next_try("document_503", 2, 24_000, ACCESSION)
    assert late is not None
    assert 7_000 <= late[0] <= 8_750
    assert late[1]
    assert len({next_try("index_503", 1, 0, f"f{number}") for number in range(9)}) > 5
    assert next_try("index_404", len(WAITS_S) + 1, 0, ACCESSION) is None
    for reason in ("no_index", "too_big", "document_too_big", "index_410", "defect_ValueError", "binary"):
        assert next_try(reason, 1, 0, ACCESSION) is None


def test_a_line_for_a_reader() -> None:
    """Form, company and the first thing that says what it is about; at most 300 characters, on one line."""
    assert line_of("8-K", "Acme Corp", ["", "Prices\n registered  sale"]) == "8-K: Acme Corp: Prices registered sale"
    assert line_of("8-K", "", []) == "8-K"
    assert len(line_of("8-K", "Acme", ["x" * 1_000])) == 300


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=60), st.text(max_size=60))
def test_any_entry(title: str, form: str, name: str, link: str) -> None:
    """Any entry is a filing or none."""
    listed = read_entry(Entry(name, title, link, title, None, (), (form,)))
    assert listed is None or (len(listed.accession) == 20 and listed.form)
    asked_form(link)


PIECES = (b"<table class='tableFile'>", b"<tr>", b"<td>", b"</td>", b"1", b"<a href='/Archives/edgar/data/1/x.htm'>",
          b"<div id='secNum'>0000000001-25-000001", b"</div>", b"<div class='infoHead'>Accepted", b"</a>",
          b"<div class='info'>", b"9999-99-99 00:00:00", b"<span class='companyName'>A (Filer) CIK 0000000001", b"\xff")


@given(st.one_of(st.binary(max_size=400), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)))
def test_any_page(body: bytes) -> None:
    """Any bytes are an index page or a FilingError, and what is to be fetched lies in the archive."""
    try:
        index = read_index(body)
    except FilingError:
        return
    assert all(document.path.startswith("/Archives/edgar/data/") for document in to_fetch(index))


DOCUMENTS = st.builds(
    Document, st.none() | st.integers(0, 9), st.sampled_from(["8-K", "EX-99.1", "EX-99", "XML"]),
    st.sampled_from(["a.htm", "b.txt", "c.pdf", ""]), st.text(max_size=5),
    st.sampled_from(["/Archives/a.htm", "/Archives/xsl/b.xml"]), st.none() | st.integers(0, 10**8))


@given(st.lists(DOCUMENTS, unique=True))
def test_never_too_much_is_fetched(documents: list[Document]) -> None:
    """At most four documents, each once, whatever the page lists."""
    chosen = to_fetch(Index(ACCESSION, "8-K", "", "", (), None, None, tuple(documents)))
    assert len(chosen) == len(set(chosen)) <= 4
    assert sum(not document.type.startswith("EX-99") for document in chosen) <= 1
