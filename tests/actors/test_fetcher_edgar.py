"""The fetcher's EDGAR side: what its lists become, and how it takes EDGAR's refusals."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.fetcher import Fetcher
from catalyst.messages import FilingFound, ItemDropped, Message, OpsNotice, StoryFound
from catalyst.testing import START_MS, Bench, FakeClock
from tests.edgar_server import AGENT, REFUSED, accession_of, link_of
from tests.receiver import Answer, Got, Receiver

DATA = Path(__file__).resolve().parents[2] / "../shared/data/feeds/edgar_getcurrent_2025-12-12"
CURRENT = "/cgi-bin/browse-edgar?action=getcurrent&type={}&output=atom"
CAPTURED_MS = 1_765_580_611_000  # 2025-12-12 18:03:31 in New York


class Lists(Receiver):
    """Documents by path."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.documents: dict[str, bytes] = {}
        self.everywhere: Answer | None = None

    def _serve(self, got: Got) -> Answer | None:
        if self.everywhere is not None:
            return self.everywhere
        return Answer(200, self.documents[got.path]) if got.path in self.documents else Answer(404, b"")


@pytest.fixture
def server() -> Iterator[Lists]:
    """A server without documents."""
    with Lists() as served:
        assert isinstance(served, Lists)
        yield served


def entry(number: int, title: str, form: str, items: str = "", second: int = 0) -> str:
    """An entry of a list, filed just now or `second` seconds later."""
    summary = escape(f"<b>Filed:</b> 2026-01-02 <b>AccNo:</b> {accession_of(number)} <b>Size:</b> 9 KB{items}")
    return (f'<entry><title>{escape(title)}</title><link rel="alternate" href="{link_of(number)}"/>'
            f'<summary type="html">{summary}</summary>'
            f"<updated>2026-01-02T09:{second // 60:02}:{second % 60:02}-05:00</updated>"
            f'<category scheme="https://www.sec.gov/" label="form type" term="{form}"/>'
            f"<id>urn:tag:sec.gov,2008:accession-number={accession_of(number)}</id></entry>")


def listing(*entries: str) -> bytes:
    """A list as EDGAR writes it."""
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom">'
            f"<title>Latest Filings</title>{''.join(entries)}</feed>").encode("latin-1")


def bench_of(folder: Path, server: Lists, *forms: str, **settings: Any) -> Bench:
    """A fetcher whose sources are lists of `forms` at the SEC's own address, and a wire at /wire."""
    rows = [(f"sec_{place}", "https://www.sec.gov" + CURRENT.format(form), "edgar") for place, form in enumerate(forms)]
    rows.append(("wire", f"{server.url}/wire", "rss"))
    path = folder / "sources.toml"
    path.write_text("".join(f'[[source]]\nname = "{name}"\nurl = "{url}"\nkind = "{kind}"\nevery = 10\ntrust = 0.9\n'
                            for name, url, kind in rows))
    return Bench(Fetcher, folder, **{"sources": path, "sec_base_url": server.url, "sec_user_agent": AGENT,
                                     "edgar_per_s": 0, "allow_hosts": ("127.0.0.1",), **settings})


def poll(bench: Bench, after_s: float = 11) -> list[Message]:
    """Let time pass, poll what is due, and give what was sent."""
    bench.clock.advance(after_s)
    return bench.tick("poll_due") + bench.run_jobs()


def filings(sent: list[Message]) -> list[FilingFound]:
    """The filings that were found."""
    return [message for message in sent if isinstance(message, FilingFound)]


def notices(sent: list[Message]) -> list[str]:
    """Titles of what the operator is told."""
    return [message.title for message in sent if isinstance(message, OpsNotice)]


def test_a_filing_goes_to_sec(tmp_path: Path, server: Lists) -> None:
    """An entry becomes a FilingFound with all that the list says; the next poll finds nothing new."""
    server.documents[CURRENT.format("8-K")] = listing(entry(
        1, "8-K/A - Acme & Søn Corp. (0000000007) (Filer)", "8-K/A", "<br>Item 1.01: Entry<br>Item 9.01: Exhibits"))
    with bench_of(tmp_path, server, "8-K") as bench:
        (found,) = filings(poll(bench, 0))
        assert found == FilingFound(
            item_id=accession_of(1), source="sec_0", trust=0.9, form="8-K/A", cik="0000000007",
            company="Acme & Søn Corp.", title="8-K/A - Acme & Søn Corp. (0000000007) (Filer)", link=link_of(1),
            items=("1.01", "9.01"), published_ms=START_MS, seen_ms=found.seen_ms)
        assert server.got[0].headers["user-agent"] == AGENT
        assert filings(poll(bench)) == []


def test_other_forms_are_left_to_others(tmp_path: Path, server: Lists) -> None:
    """A form that type= matches by prefix only is not seen, has no fate, and is found by the list that asks for it."""
    both = listing(entry(1, "4 - Acme (0000000007) (Issuer)", "4"),
                   entry(2, "424B5 - Acme (0000000007) (Filer)", "424B5"))
    server.documents[CURRENT.format("4")] = both
    with bench_of(tmp_path, server, "4", "424B5") as bench:
        sent = poll(bench, 0)
        assert [found.item_id for found in filings(sent)] == [accession_of(1)]
        assert not [message for message in sent if isinstance(message, ItemDropped)]
        assert bench.rows("SELECT item_id FROM seen") == [(accession_of(1),)]
        assert bench.actor.statistics()["entries_other_form"] == 1
        server.documents[CURRENT.format("424B5")] = both
        assert [(found.item_id, found.form) for found in filings(poll(bench, 60))] == [(accession_of(2), "424B5")]


def test_a_list_of_other_forms_only_is_no_outage(tmp_path: Path, server: Lists) -> None:
    """A list without a filing of its form works; one in which nothing is a filing does not."""
    server.documents[CURRENT.format("F-1")] = listing(entry(1, "F-10 - Acme (0000000007) (Filer)", "F-10"))
    with bench_of(tmp_path, server, "F-1", alert_consecutive_empty_cycles=2) as bench:
        poll(bench, 0)
        assert bench.rows("SELECT outcome, streak FROM feeds WHERE name = 'sec_0'") == [("ok", 0)]
        server.documents[CURRENT.format("F-1")] = (
            b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>Closed</title><id>x</id></entry></feed>")
        poll(bench)
        assert bench.rows("SELECT outcome, streak FROM feeds WHERE name = 'sec_0'") == [("no_filings", 1)]


def test_an_empty_list_is_no_outage(tmp_path: Path, server: Lists) -> None:
    """EDGAR's list of a form that nobody has filed lately is an answer like any other."""
    with bench_of(tmp_path, server, "8-K") as bench:
        server.documents[CURRENT.format("8-K")] = listing()
        assert [notices(poll(bench)) for _ in range(8)] == [[]] * 8
        assert bench.rows("SELECT outcome, streak FROM feeds WHERE name = 'sec_0'") == [("ok", 0)]


def test_the_company_may_come_later(tmp_path: Path, server: Lists) -> None:
    """A page that ends between two parties gives the filing without a company; the company's entry, in a later poll, is
    the same filing and brings no second message.
    """
    path = CURRENT.format("4")
    server.documents[path] = listing(entry(1, "4 - Doe John (0000000009) (Reporting)", "4"))
    with bench_of(tmp_path, server, "4") as bench:
        (found,) = filings(poll(bench, 0))
        assert (found.item_id, found.cik, found.company) == (accession_of(1), "", "")
        server.documents[path] = listing(entry(1, "4 - Doe John (0000000009) (Reporting)", "4"),
                                         entry(1, "4 - Acme (0000000007) (Issuer)", "4"))
        assert poll(bench) == []
        server.documents[path] = listing(entry(1, "4 - Acme (0000000007) (Issuer)", "4"))
        assert poll(bench) == []
        assert bench.rows("SELECT count(*) FROM stories") == [(1,)]


@pytest.mark.parametrize("wire_first", [True, False])
def test_a_wire_that_links_to_the_filing(tmp_path: Path, server: Lists, wire_first: bool) -> None:
    """A wire's story with the filing's address is the filing: one item, as whoever came first tells it."""
    wire = (f"<rss version='2.0'><channel><item><title>Acme files</title><link>{link_of(1)}</link>"
            "<pubDate>Fri, 02 Jan 2026 14:00:00 GMT</pubDate></item></channel></rss>").encode()
    edgar = listing(entry(1, "8-K - Acme (0000000007) (Filer)", "8-K"))
    documents = [("/wire", wire), (CURRENT.format("8-K"), edgar)]
    if not wire_first:
        documents.reverse()
    with bench_of(tmp_path, server, "8-K") as bench:
        sent: list[Message] = []
        for path, body in documents:
            server.documents[path] = body
            sent += poll(bench, 30) + poll(bench, 30)
        kinds = [type(message) for message in sent]
        assert kinds == [StoryFound if wire_first else FilingFound]
        assert sent[0].item_id == accession_of(1)


def test_a_refusal_holds_all_lists(tmp_path: Path, server: Lists) -> None:
    """After a refusal no list is asked for ten minutes; other sources go on; one notice begins and one ends it."""
    for form in ("8-K", "6-K", "FWP"):
        server.documents[CURRENT.format(form)] = listing(entry(1, f"{form} - Acme (0000000007) (Filer)", form))
    server.documents["/wire"] = b"<rss version='2.0'><channel></channel></rss>"
    with bench_of(tmp_path, server, "8-K", "6-K", "FWP", alert_consecutive_empty_cycles=1000) as bench:
        poll(bench, 0)
        server.everywhere = Answer(429, REFUSED)
        before = len(server.got)
        sent = poll(bench)
        assert notices(sent) == ["EDGAR refuses the fetcher"]
        asked = [got.path for got in server.got[before:]]
        assert sum("getcurrent" in path for path in asked) == 1
        server.everywhere = None
        before = len(server.got)
        for _ in range(58):
            assert notices(poll(bench, 10)) == []
        assert {got.path for got in server.got[before:]} == {"/wire"}
        sent = poll(bench, 20) + poll(bench, 30)
        assert notices(sent) == ["EDGAR answers the fetcher again"]
        assert sum("getcurrent" in got.path for got in server.got[before:]) >= 3


def test_without_an_agent_the_sec_is_not_asked(tmp_path: Path, server: Lists) -> None:
    """Live and without SEC_USER_AGENT the operator is told once, for all lists together, however long it lasts."""
    server.documents["/wire"] = b"<rss version='2.0'><channel></channel></rss>"
    with bench_of(tmp_path, server, "8-K", "6-K", sec_user_agent="", sec_base_url="https://www.sec.gov",
                  alert_consecutive_empty_cycles=1000) as bench:
        sent = [message for _ in range(40) for message in poll(bench, 60)]
        assert notices(sent) == ["EDGAR refuses the fetcher"]
        assert {row[0] for row in bench.rows("SELECT outcome FROM feeds WHERE name != 'wire'")} == {"no_sec_user_agent"}
        assert bench.actor.waiting() == 0


def test_on_loopback_no_agent_is_needed(tmp_path: Path, server: Lists) -> None:
    """A stand-in for the SEC is asked without SEC_USER_AGENT."""
    server.documents[CURRENT.format("8-K")] = listing(entry(1, "8-K - Acme (0000000007) (Filer)", "8-K"))
    with bench_of(tmp_path, server, "8-K", sec_user_agent="") as bench:
        assert len(filings(poll(bench, 0))) == 1


class Paged(Lists):
    """A list with pages: `filed` numbers, the newest last, each filed a second after the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.filed = 0
        self.broken = 0  # of the next requests for a later page, as many fail
        self.clock = FakeClock()
        self.answer_s = 0.0  # that each answer takes by the clock

    def _serve(self, got: Got) -> Answer | None:
        query = parse_qs(urlsplit(got.path).query)
        if "start" not in query:
            return super()._serve(got)
        self.clock.advance(self.answer_s)
        start, count = int(query["start"][0]), int(query["count"][0])
        if start and self.broken:
            self.broken -= 1
            return Answer(503, b"busy")
        newest = range(self.filed, 0, -1)[start:start + count]
        body = listing(*(entry(number, f"8-K - Acme {number} (0000000007) (Filer)", "8-K", second=number)
                         for number in newest))
        return Answer(200, body, {"ETag": f'"{self.filed}"'})

    def starts(self) -> list[str]:
        """The pages that were asked for since the last call."""
        found = [parse_qs(urlsplit(got.path).query)["start"][0] for got in self.got if "start=" in got.path]
        self.got.clear()
        return found


@pytest.fixture
def paged() -> Iterator[Paged]:
    """A list in pages."""
    with Paged() as served:
        assert isinstance(served, Paged)
        yield served


PAGES = "8-K&start=0&count=100"


def test_a_burst_is_read_page_by_page(tmp_path: Path, paged: Paged) -> None:
    """More than a page between two polls: the further pages are read until what is known is reached; then one again."""
    paged.filed = 130
    with bench_of(tmp_path, paged, PAGES) as bench:
        assert len(filings(poll(bench, 0))) == 100  # the first poll: older ones are nobody's news
        assert paged.starts() == ["0"]
        paged.filed = 480
        assert [int(found.item_id[-6:]) for found in filings(poll(bench))] == list(range(131, 481))
        assert paged.starts() == ["0", "100", "200", "300"]
        paged.filed = 490
        assert len(filings(poll(bench))) == 10
        assert paged.starts() == ["0"]


def test_a_page_that_fails_is_read_with_the_next_poll(tmp_path: Path, paged: Paged) -> None:
    """What the first page showed goes out at once, the rest follows; nothing comes twice, also after a restart."""
    paged.filed = 50
    with bench_of(tmp_path, paged, PAGES) as bench:
        poll(bench, 0)
        paged.filed, paged.broken = 300, 1
        assert len(filings(poll(bench))) == 100
        bench.restart()
        assert [int(found.item_id[-6:]) for found in filings(poll(bench))] == list(range(51, 201))
        assert filings(poll(bench)) == []


def test_a_list_that_never_reaches_what_is_known_is_left_after_ten_pages(tmp_path: Path, paged: Paged) -> None:
    """After hours without a poll; the other lists wait for their turns too, and the daily index tells the rest."""
    paged.filed = 10
    with bench_of(tmp_path, paged, PAGES) as bench:
        poll(bench, 0)
        paged.filed = 1_500
        paged.starts()
        assert [len(filings(poll(bench))) for _ in range(3)] == [500, 500, 0]  # a turn takes so many
        assert len(paged.starts()) == 21


def test_a_slow_list_is_read_over_several_polls(tmp_path: Path, paged: Paged) -> None:
    """Two pages a poll, as long as EDGAR needs 11.5 s for each: every poll tells the newest and goes on where the last
    one stopped, through a restart and filings that come in; none is told twice, and none is stale that a night without
    a poll has hidden."""
    paged.filed = 50
    with bench_of(tmp_path, paged, PAGES, clock=paged.clock) as bench:
        poll(bench, 0)
        bench.clock.advance(12 * 3_600)
        paged.starts()
        paged.filed, paged.answer_s = 520, 11.5
        assert [int(found.item_id[-6:]) for found in filings(poll(bench))] == list(range(321, 521))
        bench.restart()
        paged.filed = 530
        found = [[int(found.item_id[-6:]) for found in filings(poll(bench))] for _ in range(4)]
        assert found == [[*range(231, 321), *range(521, 531)], list(range(131, 231)), list(range(51, 131)), []]
        assert paged.starts() == ["0", "100", "0", "200", "0", "300", "0", "400", "0"]
        assert bench.rows("SELECT rest_at, behind_ms FROM feeds WHERE name = 'sec_0'") == [(None, None)]


def test_a_burst_while_a_slow_list_is_read_is_read_too(tmp_path: Path, paged: Paged) -> None:
    """More than a page comes in before a list is read to its end: it is read on from there, and nothing is left out."""
    paged.filed = 10
    with bench_of(tmp_path, paged, PAGES, clock=paged.clock) as bench:
        poll(bench, 0)
        paged.filed, paged.answer_s = 400, 11.5
        sent = poll(bench)
        paged.filed = 650
        for _ in range(6):
            sent += poll(bench)
        assert sorted(int(found.item_id[-6:]) for found in filings(sent)) == list(range(11, 651))


def test_the_daily_index_tells_what_was_missed(tmp_path: Path, server: Lists) -> None:
    """The night after the first whole day: what no list has shown is dropped as missed and told of once; a day without
    an index is asked for again some times, then left."""
    server.documents[CURRENT.format("8-K")] = listing(entry(1, "8-K - Acme (0000000007) (Filer)", "8-K"))
    rows = "".join(f"7|Acme|{form}|20260104|edgar/data/7/{accession_of(number)}.txt\n"
                   for number, form in ((1, "8-K"), (2, "8-K/A"), (3, "424B2"), (4, "8-K")))
    server.documents["/Archives/edgar/daily-index/2026/QTR1/master.20260104.idx"] = rows.encode()
    with bench_of(tmp_path, server, "8-K") as bench:  # it begins on 2 January, 9:00 in New York
        poll(bench, 0)
        assert bench.tick("reconcile_due") == []
        bench.clock.advance(42 * 3_600)  # 4 January, 3:00: the day before has no index
        for _ in range(8):
            bench.tick("reconcile_due")
            assert bench.run_jobs() == []
            bench.clock.advance(1_800)
        assert sum("20260103" in got.path for got in server.got) == 6
        bench.clock.advance(20 * 3_600)  # 5 January, 3:00
        bench.tick("reconcile_due")
        sent = bench.run_jobs()
        assert [(message.item_id, message.reason) for message in sent if isinstance(message, ItemDropped)] == [
            (accession_of(2), "missed"), (accession_of(4), "missed")]
        assert notices(sent) == ["EDGAR: 2 of 3 filings of 2026-01-04 were missed"]
        server.documents[CURRENT.format("8-K")] = listing(entry(4, "8-K - Acme (0000000007) (Filer)", "8-K"))
        assert filings(poll(bench, 60)) == []  # it has its fate


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not here")
def test_the_recorded_afternoon(tmp_path: Path, server: Lists) -> None:
    """All 51 recorded pages, one after the other on one list of all forms: each of the 3,315 filings once."""
    path = CURRENT.format("")
    with bench_of(tmp_path, server, "", alert_backlog=10_000, sec_max_age_minutes=0,
                  clock=FakeClock(CAPTURED_MS)) as bench:
        sent: list[Message] = []
        for page in sorted(DATA.glob("*.atom")):
            server.documents[path] = page.read_bytes()
            sent += poll(bench)
        found = filings(sent)
        assert len(found) == len({one.item_id for one in found}) == 3_315
        assert sum(not one.cik for one in found) <= 60  # the cuts between pages
        assert [message for message in sent if isinstance(message, StoryFound)] == []
