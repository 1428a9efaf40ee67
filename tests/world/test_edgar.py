import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import pytest

from catalyst.clock import from_iso
from catalyst.core.daily_index import path_of, read_rows
from catalyst.core.feeds import parse_feed
from catalyst.testing import FakeClock
from catalyst.world.server import World

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
LIST = "/cgi-bin/browse-edgar?action=getcurrent&type={}&company=&dateb=&owner={}&start={}&count={}&output=atom"
TITLE = re.compile(r"\S.* - .+ \(\d{10}\) \((Filer|Issuer|Reporting|Subject|Filed by)\)")


def latest(browser, form="", start=0, count=100, owner="include", **headers):
    return browser.get(LIST.format(form.replace(" ", "+"), owner, start, count), **headers)


def all_entries(browser, form=""):
    found = []
    while page := parse_feed(latest(browser, form, len(found)).body).entries:
        found += page
    return found


def accession(entry):
    return entry.id.rpartition("=")[2]


class Tables(HTMLParser):
    """Rows of the tables of class tableFile: (summary, texts of the cells, addresses)."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.heads = {}
        self._name = self._cells = None
        self._links = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "table" and named.get("class") == "tableFile":
            self._name = named["summary"]
        elif self._name and tag == "tr":
            self._cells, self._links, self._head = [], [], False
        elif self._name and tag in ("td", "th"):
            self._cells.append("")
            self._head = tag == "th"
        elif self._name and tag == "a":
            self._links.append(named["href"])

    def handle_endtag(self, tag):
        if tag == "table":
            self._name = None
        elif tag == "tr" and self._name:
            cells = [cell.strip() for cell in self._cells]
            if self._head:
                self.heads[self._name] = cells
            else:
                self.rows.append((self._name, cells, self._links))

    def handle_data(self, data):
        if self._name and self._cells:
            self._cells[-1] += data


def test_the_list_grows_newest_first_and_answers_304(filed_day, filed, client):
    """Nothing at first but what is there at the start, everything at the end; the tag holds in between."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        browser = client(world)
        clock.advance(300)
        half = latest(browser, "8-K")
        assert latest(browser, "8-K", **{"If-None-Match": half.headers["etag"]}).status == 304
        before = all_entries(browser)
        clock.advance(300)
        whole = latest(browser, "8-K", **{"If-None-Match": half.headers["etag"]})
        assert whole.status == 200
        after = all_entries(browser)
        counts = browser.get("/_edgar").json
    assert 0 < len({accession(entry) for entry in before}) < len(filed)
    assert {accession(entry) for entry in after} == {line["id"] for line in filed}
    moments = [entry.published_ms for entry in after]
    assert moments == sorted(moments, reverse=True)
    assert all(clock.now_ms() - 600_000 <= moment <= clock.now_ms() for moment in moments)
    assert counts["not_modified"] == 1
    assert counts["requests"] == counts["lists"] > 4


def test_both_parsers_read_the_list(filed_day, client):
    """ISO-8859-1 Atom with the real titles, summaries and a repeated id for every party."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        clock.advance(600)
        answer = latest(client(world), count=100)
    assert answer.body.startswith(b'<?xml version="1.0" encoding="ISO-8859-1" ?>')
    second = feedparser.parse(answer.body)
    assert (bool(second.bozo), second.encoding, len(second.entries)) == (False, "iso-8859-1", 100)
    first = parse_feed(answer.body).entries
    assert [entry.title for entry in first] == [entry.title for entry in second.entries]
    assert all(TITLE.fullmatch(entry.title) for entry in first)
    assert len({entry.id for entry in first}) < 100
    assert all(re.match(r"Filed: \d{4}-\d\d-\d\d AccNo: \d{10}-\d\d-\d{6} Size: \d+ [KM]B", entry.summary)
               for entry in first)
    report = next(entry for entry in first if entry.categories == ("8-K",))
    assert re.search(r"Item \d\.\d\d: [A-Z]", report.summary)


def test_type_matches_by_its_beginning(filed_day, filed, client):
    """type=4 also brings 424B5 and 497K; owner=exclude leaves forms of owners out; pages do not overlap."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        clock.advance(600)
        browser = client(world)
        forms = {entry.categories[0] for entry in all_entries(browser, "4")}
        assert {"4", "424B5", "424B2"} <= forms
        assert all(form.startswith("4") for form in forms)
        others = parse_feed(latest(browser, "4", owner="exclude").body).entries
        assert "4" not in {entry.categories[0] for entry in others}
        only = parse_feed(latest(browser, "", owner="only").body).entries
        assert {entry.categories[0] for entry in only} == {"4"}
        stakes = {accession(entry) for entry in all_entries(browser, "schedule 13d")}
        assert stakes == {line["id"] for line in filed if line["form"] == "SCHEDULE 13D"}
        assert len(parse_feed(latest(browser, count=10).body).entries) == 10
        assert len(parse_feed(latest(browser, count=5000).body).entries) == 100
        first, then = (parse_feed(latest(browser, start=start, count=7).body).entries for start in (0, 7))
        assert [(e.id, e.title) for e in [*first, *then]] == [
            (e.id, e.title) for e in parse_feed(latest(browser, count=14).body).entries]
        assert latest(browser, start=99_999).status == 200
        assert browser.get("/cgi-bin/browse-edgar?action=getcurrent&type=4").headers["content-type"] == "text/html"


def test_every_party_has_its_entry(filed_day, filed, client):
    """Form 4 is listed for the person and the issuer, a 13D for subject and filer, each under its own number."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        clock.advance(600)
        roles = {}
        for entry in all_entries(client(world)):
            number = str(int(re.search(r"\((\d{10})\)", entry.title)[1]))
            assert f"/edgar/data/{number}/" in entry.link
            roles.setdefault(accession(entry), set()).add(entry.title.rpartition("(")[2].rstrip(")"))
    wanted = {"4": {"Reporting", "Issuer"}, "SCHEDULE 13D": {"Subject", "Filed by"}, "8-K": {"Filer"}}
    for line in filed:
        assert roles[line["id"]] == wanted.get(line["form"], roles[line["id"]])


def test_a_filing_is_there_once_it_is_published(filed_day, filed, client):
    """Index page and documents answer 404 as a web page before, 200 after, under each party's number only."""
    line = next(line for line in reversed(filed) if line["form"] == "4")
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        browser = client(world)
        path = line["link"].removeprefix("https://www.sec.gov")
        early = browser.get(path)
        assert (early.status, early.headers["content-type"]) == (404, "text/html")
        clock.advance((from_iso(line["published"]) - filed_day.starts_ms) / 1000)
        page = browser.get(path)
        assert page.status == 200
        folder = path.rpartition("/")[0]
        for _, _, links in Tables(page.body.decode()).rows:
            assert browser.get(links[0]).status == 200
        assert browser.get(f"{folder}/wk-form4.xml").headers["content-type"] == "text/xml"
        assert browser.get(f"{folder}/{line['id']}.txt").body.startswith(b"<SEC-DOCUMENT>")
        for wrong in (path.replace("/data/9", "/data/8"), f"{folder}/filing.json", f"{folder}/..%2f..%2fday.toml",
                      f"{folder}/", "/Archives/edgar/data/x/y", f"/Archives/edgar/data/1/{line['id']}.txt"):
            assert browser.get(wrong).status == 404


def test_an_index_page_lists_every_document(filed_day, filed, client):
    """Inline XBRL goes through the viewer, exhibits do not, data files have a table of their own; times are of here."""
    line = next(line for line in filed if line["form"] == "8-K" and line["headline"])
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        started = clock.now_ms()
        clock.advance(600)
        browser = client(world)
        text = browser.get(line["link"].removeprefix("https://www.sec.gov")).body.decode()
        rows = Tables(text).rows
        assert rows[0][2][0].startswith("/ix?doc=/Archives/edgar/data/")
        assert browser.get(rows[0][2][0]).status == 200
        for _, cells, links in rows:
            body = browser.get(links[0].removeprefix("/ix?doc=")).body
            assert cells[4] in ("", str(len(body)))
    assert {cells[3] for name, cells, _ in rows if name == "Document Format Files"} >= {"8-K", "EX-99.1", ""}
    assert {cells[3] for name, cells, _ in rows if name == "Data Files"} >= {"EX-101.SCH", "XML"}
    assert all(f"Item {number}: " in text for number in line["items"])
    accepted = re.search(r"Accepted</div>\s*<div class=\"info\">([\d: -]+)<", text)[1]
    offset = from_iso(line["published"]) - filed_day.starts_ms
    assert from_iso(f"{accepted.replace(' ', 'T')}-05:00") == started + offset


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside the project")
def test_index_pages_are_built_like_the_real_ones(filed_day, filed, client):
    """The same tables, headings, kinds of addresses and classes as on the SEC's own recorded pages."""
    real = (DATA / "filings/index_pages/0001193125-23-048785-index.html").read_text("utf-8")
    line = next(line for line in filed if line["form"] == "8-K")
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        clock.advance(600)
        ours = client(world).get(line["link"].removeprefix("https://www.sec.gov")).body.decode()
    assert Tables(ours).heads == Tables(real).heads

    def shapes(text):
        addresses = [address for _, _, links in Tables(text).rows for address in links]
        return {re.sub(r"\d+", "9", address.rpartition("/")[0]) for address in addresses}

    assert shapes(ours) == shapes(real)
    for mark in ('class="infoHead"', 'class="info"', 'id="formName"', 'id="secNum"', 'class="companyName"',
                 'class="identInfo"', 'acronym title="Central Index Key"', "Complete submission text file"):
        assert mark in real
        assert mark in ours


def test_refuses_as_the_sec_does(filed_day, client):
    """Over the limit a 429 page, without a contact a 403 page, both HTML; the next second is free again."""
    clock = FakeClock()
    agent = {"User-Agent": "Bench bench@example.com"}
    with World(filed_day, clock=clock, edgar_limit=3, strict_sec=True) as world:
        browser = client(world)
        assert [latest(browser, "8-K", **agent).status for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = latest(browser, "8-K", **agent)
        assert refused.headers["content-type"] == "text/html"
        assert b"Request Rate Threshold Exceeded" in refused.body
        clock.advance(1)
        stranger = latest(browser, "8-K")
        assert stranger.status == 403
        assert b"Undeclared Automated Tool" in stranger.body
        assert latest(browser, "8-K", **agent).status == 200
        counts = browser.get("/_edgar").json
    assert (counts["limited"], counts["refused"], counts["most_per_s"]) == (3, 1, 6)


def test_the_daily_index_is_there_when_the_day_is_over(filed_day, filed, client):
    """Every filing of the day once for each of its parties, from midnight in New York on; before, and for other days,
    the file store's refusal."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        browser = client(world)
        clock.advance(600)
        today = datetime.fromtimestamp(clock.now_ms() / 1000, ZoneInfo("America/New_York")).date()
        path = path_of(today)
        assert browser.get(path).status == 403
        clock.advance(86_400)
        rows = read_rows(browser.get(path).body)
        assert browser.get(path_of(today + timedelta(days=1))).status == 403
    assert {row.accession for row in rows} == {line["id"] for line in filed}
    assert all(row.company and row.form for row in rows)
