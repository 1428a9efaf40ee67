import json
import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest

from catalyst.clock import from_iso
from catalyst.errors import ConfigError
from catalyst.world.archive import FILING_FILE, Filing, Paper, Party, load_filing, write_filing
from catalyst.world.edgar_pages import submission_text
from catalyst.world.generate import generate
from catalyst.world.submissions import read_submission

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside the project")


def plain(body):
    text = re.sub(r"<[^>]+>", " ", body.decode("utf-8"))
    return " ".join(unescape(text).split())


def whole(day, line):
    return load_filing(day.filings, line["id"])


def test_all_forms_are_filed(filed):
    """What moves a price and what nobody reads, as many as asked for, each number once and well-formed."""
    forms = Counter(line["form"] for line in filed)
    assert {"8-K", "6-K", "424B5", "424B2", "S-1", "FWP", "SCHEDULE 13D", "SCHEDULE 13G", "4"} <= set(forms)
    assert set(forms) & {"497K", "485BPOS", "40-17G", "10-D", "N-CEN", "EFFECT"}
    assert len({line["id"] for line in filed}) == len(filed) == 160
    assert all(re.fullmatch(r"\d{10}-26-\d{6}", line["id"]) for line in filed)
    assert [line["published"] for line in filed] == sorted(line["published"] for line in filed)


def test_every_filing_has_its_documents_and_its_number(filed_day, filed):
    """The folder holds what the truth says; its link names company and number; items stand in the document."""
    companies = {row["cik_str"]: row["ticker"] for row in json.loads(filed_day.companies.read_text()).values()}
    for line in filed:
        filing = whole(filed_day, line)
        assert (filing.form, [number for number, _ in filing.items]) == (line["form"], line["items"])
        assert line["link"] == filing.link()
        assert companies.get(filing.main.cik) == line["ticker"]
        assert filing.papers[0].type == line["form"]
        text = plain(filing.papers[0].body).upper()
        for number, title in filing.items:
            assert f"{number} {title}".upper() in text.replace(f"{number}. ", f"{number} ")


def test_what_is_sold_stands_in_the_document(filed_day, filed):
    """Shares, price and proceeds of the truth are literally there, and belong together."""
    sales = [line for line in filed if line["offering"] and line["offering"]["shares"]]
    assert len(sales) > 10
    for line in sales:
        told, text = line["offering"], " ".join(plain(paper.body) for paper in whole(filed_day, line).papers)
        assert f"{told['shares']:,.0f}" in text
        assert re.search(rf"\$\s?{told['price']:.2f}\b", text)
        if told["gross_proceeds"] is not None:
            assert told["gross_proceeds"] == pytest.approx(told["shares"] * told["price"], rel=0.02)
            assert f"{told['gross_proceeds'] / 1e6:.1f} million" in text or f"{told['gross_proceeds']:,.2f}" in text


def test_a_press_release_is_an_exhibit_of_its_own(filed_day, filed):
    """The headline of the truth is that of EX-99.1."""
    told = [line for line in filed if line["headline"]]
    assert len(told) > 15
    for line in told:
        release = next(paper for paper in whole(filed_day, line).papers if paper.type == "EX-99.1")
        assert line["headline"].replace("’", "'") in plain(release.body).replace("’", "'")


def test_fates_are_told_where_they_are_certain(filed):
    """Dear companies stay below the line, alerts have a kind and a ticker, the unread has no list, some are open."""
    for line in filed:
        assert line["fate"] in ("alerted", "dropped", None)
        assert (line["fate"] != "alerted") or (line["kind"] and line["ticker"] and line["reason"] is None)
        assert line["listed"] == (line["source"] is not None)
    assert {line["form"] for line in filed if not line["listed"]} <= {
        "497K", "485BPOS", "40-17G", "10-D", "N-CEN", "EFFECT"}
    assert any(line["reason"] == "price_ceiling" for line in filed)
    assert {line["reason"] for line in filed if line["form"] == "424B2"} == {"form:424B2"}
    assert None in {line["fate"] for line in filed}


def test_the_same_seed_files_the_same_and_wires_do_not_change(tmp_path):
    """Filings are equal, file for file; stories and companies are those of the day without filings."""
    days = [generate(3, 60, tmp_path / name, duration_s=300, filings=count)
            for name, count in (("a", 30), ("b", 30), ("c", 0))]

    def contents(folder, pattern):
        return {file.relative_to(folder): file.read_bytes() for file in folder.rglob(pattern) if file.is_file()}

    assert contents(days[0].folder, "*") == contents(days[1].folder, "*")
    for pattern in ("*.xml", "company_tickers.json"):
        wires = {name: data for name, data in contents(days[0].folder, pattern).items() if name.parts[0] != "filings"}
        assert wires == contents(days[2].folder, pattern)
    first, last = ((day.folder / "truth.jsonl").read_text() for day in (days[0], days[2]))
    assert first.startswith(last)
    assert not (days[2].folder / "filings").exists()
    generate(3, 60, days[0].folder, duration_s=300)
    assert contents(days[0].folder, "*") == contents(days[2].folder, "*")


def test_a_burst_files_everything_at_once(tmp_path):
    """All filings have the burst's moment."""
    day = generate(6, 20, tmp_path / "day", duration_s=60, burst_s=20, filings=25)
    lines = map(json.loads, (day.folder / "truth.jsonl").read_text().splitlines())
    assert {line["published"] for line in lines if line["what"] == "filing"} == {"2026-03-03T14:35:20.000Z"}
    with pytest.raises(ConfigError, match="filings"):
        generate(6, 20, tmp_path / "day", filings=-1)


def test_a_submission_is_read_back(filed_day, filed):
    """Taking our own complete submissions apart gives the filing again."""
    for line in filed[:60]:
        filing = whole(filed_day, line)
        again = read_submission(submission_text(filing, filing.moment_ms))
        assert (again.accession, again.form, again.items, again.period, again.ixbrl) == (
            filing.accession, filing.form, filing.items, filing.period, filing.ixbrl)
        assert again.moment_ms == filing.moment_ms
        assert [(party.role, party.name, party.cik) for party in again.parties] == [
            (party.role, party.name, party.cik) for party in filing.parties]
        assert [(paper.type, paper.file) for paper in again.papers] == [
            (paper.type, paper.file) for paper in filing.papers]


@needs_data
def test_recorded_submissions_are_taken_apart():
    """Both headers, several filers, pictures and PDF; numbers of items from titles; what is none is None."""
    folder = DATA / "filings/submissions"
    found = {file.stem: read_submission(file.read_bytes()) for file in sorted(folder.iterdir())}
    rows = map(json.loads, (DATA / "filings/filings_index.jsonl").read_text().splitlines())
    rows = {row["accession"]: row for row in rows if row["accession"]}
    assert len(found) == len(rows) == 27
    for accession, filing in found.items():
        row = rows[accession]
        assert (filing.form, filing.accession) == (row["form"], accession)
        assert int(row["cik"]) in {party.cik for party in filing.parties}
        assert len(filing.papers) == len(row["documents"])
        assert len(filing.items) == len(row["items"])
    letter = found["0000000000-26-001655"]
    assert letter.papers[0].body.startswith(b"%PDF-")
    assert len(letter.papers[0].body) == 27_681  # as its own index page says
    pictures = [paper for filing in found.values() for paper in filing.papers if paper.type == "GRAPHIC"]
    assert all(paper.body[:3] in (b"\xff\xd8\xff", b"GIF", b"\x89PN") for paper in pictures)
    assert found["0001562180-25-000280"].main.name == "2seventy bio, Inc."
    assert read_submission(b"") is None
    assert read_submission(b"<DOCUMENT>\n<TYPE>8-K\n</DOCUMENT>") is None


def test_a_damaged_folder_is_named(tmp_path):
    """The message names the file; a filing that is not there is None."""
    filing = Filing("0000000001-26-000001", "8-K", from_iso("2026-03-03T15:00:00Z"), (Party("Filer", "A", 1),),
                    (Paper("8-K", "a.htm", "", b"<p>x</p>"),))
    write_filing(tmp_path, filing)
    assert load_filing(tmp_path, filing.accession) == filing
    assert load_filing(tmp_path, "0000000001-26-000002") is None
    assert load_filing(tmp_path, "../x") is None
    file = tmp_path / filing.accession / FILING_FILE
    file.write_text(file.read_text().replace("a.htm", "../a.htm"))
    with pytest.raises(ConfigError, match=r"filing\.json"):
        load_filing(tmp_path, filing.accession)
