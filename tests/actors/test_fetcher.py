"""The fetcher on its real database, polling a real server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from actors.fetcher import SLICE, Fetcher
from catalyst.core.stories import story_id
from catalyst.errors import ConfigError
from catalyst.messages import FilingFound, ItemDropped, Message, OpsNotice, StoryFound, StoryJoined
from catalyst.runtime.engine import HANDLER_LIMIT_S
from catalyst.testing import Bench, FakeClock

DAY_S = 86_400


class Wires:
    """A server of documents by path; `status` and `headers` override the answer, `asked` keeps the requests. `date` is
    what it says of its own clock, nothing at first."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.status: dict[str, int] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.date = ""
        wires = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                wires.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                body = wires.documents.get(self.path, b"")
                tag = f'"{hash(body)}"'
                status = wires.status.get(self.path, 200)
                if status == 200 and self.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
                self.send_response(status)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body)))
                for name, value in wires.headers.get(self.path, {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return wires.date

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def feed(self, path: str, *items: str) -> None:
        """Let an RSS document of `items` be at `path`."""
        self.documents[path] = f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>".encode()

    def count(self, path: str) -> int:
        """How often `path` was asked for."""
        return sum(asked == path for asked, _ in self.asked)


@pytest.fixture
def wires() -> Iterator[Wires]:
    """A server without documents."""
    served = Wires()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock on a trading day."""
    return FakeClock()


def item(title: str, link: str = "", ms: int | None = None, guid: str = "", more: str = "") -> str:
    """An RSS item; without a link it gets one made of its title."""
    link = link or f"https://wire.example/{title.replace(' ', '-')}"
    date = f"<pubDate>{format_datetime(datetime.fromtimestamp(ms / 1000, UTC))}</pubDate>" if ms is not None else ""
    return f"<item><title>{title}</title><link>{link}</link><guid>{guid or link}</guid>{date}{more}</item>"


def listing(folder: Path, wires: Wires, *names: str, kind: str = "rss", every: float = 10) -> Path:
    """A sources.toml of sources at /NAME."""
    path = folder / "sources.toml"
    path.write_text("".join(f'[[source]]\nname = "{name}"\nurl = "{wires.base}/{name}"\nkind = "{kind}"\n'
                            f"every = {every}\ntrust = 0.8\n" for name in names))
    return path


def bench_of(folder: Path, wires: Wires, clock: FakeClock, *names: str, **settings: Any) -> Bench:
    """A fetcher over the sources at /NAME."""
    sources = settings.pop("sources", None) or listing(folder, wires, *names)
    return Bench(Fetcher, folder, clock=clock, sources=sources, allow_hosts=("127.0.0.1",), **settings)


def poll(bench: Bench, after_s: float = 10) -> list[Message]:
    """Let time pass, poll what is due, and give what was sent."""
    bench.clock.advance(after_s)
    return bench.tick("poll_due") + bench.run_jobs()


def found(sent: list[Message]) -> list[str]:
    """Titles of the stories that were found."""
    return [message.title for message in sent if isinstance(message, StoryFound)]


def reasons(sent: list[Message]) -> list[str]:
    """Reasons of the items that were dropped."""
    return [message.reason for message in sent if isinstance(message, ItemDropped)]


def settled(bench: Bench, wires: Wires, *names: str) -> None:
    """Give each source a first document, so that later ones bring news."""
    for name in names:
        wires.feed(f"/{name}", item(f"Old story of {name}", ms=bench.clock.now_ms() - 3_600_000))
    assert reasons(poll(bench, 0)) == ["backlog"] * len(names)


def test_a_new_story_is_sent_once(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A new entry becomes one StoryFound with all its facts; the next poll, answered 304, sends nothing."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        published_ms = clock.now_ms()
        wires.feed("/wire", item("Acme Wins", "https://wire.example/a?utm_source=x", published_ms, more=(
            "<description>&lt;b&gt;Why&lt;/b&gt;</description><category domain='x/rss/stock'>Nasdaq:ACME</category>")))
        (message,) = poll(bench)
        assert message == StoryFound(
            item_id=story_id("https://wire.example/a"), source="wire", trust=0.8, title="Acme Wins",
            link="https://wire.example/a?utm_source=x", summary="Why", published_ms=published_ms,
            seen_ms=clock.now_ms(), symbols=("Nasdaq:ACME",))
        assert poll(bench) == []
        assert "if-none-match" in wires.asked[-1][1]
        assert bench.actor.statistics()["polls_not_modified"] == 1


def test_first_poll_drops_the_backlog(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """On the first poll what is older than 600 s, or undated, is backlog; the boundary itself is news."""
    now_ms = clock.now_ms()
    wires.feed("/wire", item("Fresh", ms=now_ms - 600_000), item("Old", ms=now_ms - 601_000), item("Undated"),
               item("Future", ms=now_ms + 5_000))
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        sent = poll(bench, 0)
        assert found(sent) == ["Fresh", "Future"]
        assert reasons(sent) == ["backlog", "backlog"]
        assert {message.stage for message in sent if isinstance(message, ItemDropped)} == {"fetcher"}
        wires.feed("/wire", item("Undated"), item("Undated too"), item("Late", ms=now_ms - 3_600_000))
        assert found(poll(bench)) == ["Late", "Undated too"]


@pytest.mark.parametrize("lost", [True, False])
def test_after_a_loss_every_source_counts_as_polled_for_the_first_time(tmp_path: Path, wires: Wires, clock: FakeClock,
                                                                       lost: bool) -> None:
    """With a new database, or one out of a backup, what is old is backlog: it may have gone out since; then as ever."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        clock.advance(7_200)
        now_ms = clock.now_ms()
        if lost:
            bench.store.abandon()
            bench.store.path.unlink()
        else:
            bench.store.db.execute("INSERT INTO meta(key, value) VALUES('reborn_ms', ?)", (now_ms,))
        bench.restart()
        assert bench.actor.reborn_ms == now_ms
        wires.feed("/wire", item("Fresh", ms=now_ms - 60_000), item("Of before", ms=now_ms - 3_600_000))
        sent = poll(bench)
        assert (found(sent), reasons(sent)) == (["Fresh"], ["backlog"])
        wires.feed("/wire", item("Late", ms=now_ms - 1_800_000))
        assert found(poll(bench)) == ["Late"]


def test_backlog_may_be_let_in(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """With a backlog allowance the newest of the backlog are news, in order of publication."""
    now_ms = clock.now_ms()
    wires.feed("/wire", *(item(f"Hours {hours}", ms=now_ms - hours * 3_600_000) for hours in (5, 1, 3, 2)),
               item("Undated"))
    with bench_of(tmp_path, wires, clock, "wire", alert_backlog=2) as bench:
        sent = poll(bench, 0)
        assert found(sent) == ["Hours 2", "Hours 1"]
        assert len(reasons(sent)) == 3


@pytest.mark.parametrize(("wanted", "told"), [(1_000, 800), (600, 600)])
def test_a_large_backlog_is_let_in_part_by_part(tmp_path: Path, wires: Wires, clock: FakeClock, wanted: int,
                                                told: int) -> None:
    """More than a turn takes: the newest of those wanted go out over some turns, each once, none as stale, also after
    a kill and an hour's stop in between; what comes later is judged as ever."""
    now_ms = clock.now_ms()
    wires.feed("/wire", *(item(f"Day before {n}", ms=now_ms - DAY_S * 1000 - n * 60_000) for n in range(800)))
    with bench_of(tmp_path, wires, clock, "wire", alert_backlog=wanted) as bench:
        sent = poll(bench, 0)
        assert len(found(sent)) == SLICE
        bench.restart()
        sent += poll(bench, 3_600) + poll(bench)
        assert found(sent) == [f"Day before {n}" for n in reversed(range(told))]
        assert reasons(sent) == ["backlog"] * (800 - told)
        wires.feed("/wire", item("Late", ms=now_ms - DAY_S * 1000))
        assert reasons(poll(bench)) == ["stale"]


def test_a_feed_that_begins_empty(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """After an empty first document an undated entry is news, an old one still backlog."""
    wires.feed("/wire")
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        assert poll(bench, 0) == []
        wires.feed("/wire", item("Undated"), item("Old", ms=clock.now_ms() - 3_600_000))
        sent = poll(bench)
        assert (found(sent), reasons(sent)) == (["Undated"], ["backlog"])
        (row,) = [message for message in sent if isinstance(message, StoryFound)]
        assert row.published_ms is None


def test_order_of_publication(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Stories of one document go out in order of publication, undated last."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        now_ms = clock.now_ms()
        wires.feed("/wire", item("Third"), item("Second", ms=now_ms), item("First", ms=now_ms - 60_000))
        assert found(poll(bench)) == ["First", "Second", "Third"]


def test_the_same_link_on_two_wires_is_one_item(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A canonical link that one wire has shown is known on all."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/one", item("Acme Wins", "https://wire.example/a", clock.now_ms()))
        wires.feed("/two", item("Other words", "http://WIRE.example/a/?utm_id=2#x", clock.now_ms(), guid="2"))
        sent = poll(bench)
        assert len(found(sent)) == 1
        assert reasons(sent) == []


def test_the_same_story_on_another_wire_joins(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A near-duplicate title from another wire joins the first story and ends as its duplicate."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        title = "Acme Robotics Announces $5 Million Offering"
        wires.feed("/one", item(title, "https://one.example/a", clock.now_ms()))
        poll(bench)
        wires.feed("/two", item(title.upper() + " (NASDAQ: ACME)", "https://two.example/b", clock.now_ms()))
        joined, dropped = poll(bench)
        first, second = story_id("https://one.example/a"), story_id("https://two.example/b")
        assert isinstance(joined, StoryJoined)
        assert (joined.item_id, joined.joined_id, joined.source) == (first, second, "two")
        assert isinstance(dropped, ItemDropped)
        assert (dropped.item_id, dropped.reason) == (second, f"duplicate:{first}")
        assert poll(bench) == []


@pytest.mark.parametrize(("change", "joins"), [
    ({}, True), ({"title": "Zenith Robotics Announces $5 Million Offering"}, False),
    ({"title": "Acme Robotics Announces $6 Million Offering"}, False), ({"after_s": 49 * 3600}, False),
    ({"more": "<category>Nasdaq:OTHR</category>"}, False), ({"more": "<category>NYSE:ACME</category>"}, True),
    ({"source": "one"}, False)])
def test_what_does_not_join(tmp_path: Path, wires: Wires, clock: FakeClock, change: dict[str, Any],
                            joins: bool) -> None:
    """Another company, number, stock tag, day or the same wire makes a story of its own."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        title = "Acme Robotics Announces $5 Million Offering"
        first = item(title, "https://one.example/a", clock.now_ms(), more="<category>Nasdaq:ACME</category>")
        wires.feed("/one", first)
        poll(bench)
        clock.advance(change.get("after_s", 0))
        second = item(change.get("title", title), "https://two.example/b", clock.now_ms(), more=change.get("more", ""))
        wires.feed(f"/{change.get('source', 'two')}", second, first if change.get("source") == "one" else "")
        sent = poll(bench)
        assert (found(sent) == []) is joins
        assert bool(reasons(sent)) is joins


def test_a_wire_joins_a_story_once(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Two releases with one title on both wires pair off: the second one of a wire never joins the first story."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        title = "Acme Robotics plc: Transaction in Own Shares"
        for day in (1, 2):
            clock.advance(18 * 3600)
            one, two = (item(title, f"https://{name}.example/{day}", clock.now_ms()) for name in ("one", "two"))
            wires.feed("/one", one)
            assert len(found(poll(bench))) == 1
            wires.feed("/two", two)
            assert reasons(poll(bench)) == [f"duplicate:{story_id(f'https://one.example/{day}')}"]


def test_backlog_joins_nothing(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A story that was dropped as backlog does not swallow the same story of another wire."""
    title = "Acme Robotics Announces $5 Million Offering"
    wires.feed("/one", item(title, "https://one.example/a", clock.now_ms() - 900_000))
    wires.feed("/two", item("Old story", ms=0))
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        poll(bench, 0)
        wires.feed("/two", item(title, "https://two.example/a", clock.now_ms() - 60_000))
        assert found(poll(bench)) == [title]


def test_a_site_that_changes_its_links(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The same entry under a new link is not news: by its guid and title, or by its text and time."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        ms, text = clock.now_ms(), "<description>Why it matters</description>"
        wires.feed("/wire", item("Acme Robotics Wins Navy Contract", "https://wire.example/1", ms, "g1"),
                   item("Zenith Robotics Wins Army Contract", "https://wire.example/2", ms, "g2", text))
        assert len(found(poll(bench))) == 2
        wires.feed("/wire", item("Acme Robotics Wins Navy Contract", "https://new.example/1", ms, "g1"),
                   item("Zenith Robotics Wins Army Contract", "https://new.example/2", ms, "g3", text))
        sent = poll(bench)
        assert found(sent) == []
        assert reasons(sent) == [f"duplicate:{story_id('https://wire.example/2')}"]


def test_a_guid_that_is_used_for_everything(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Entries that share one guid, in one document or in later ones, are told apart by their links."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", *(item(f"Story {n}", f"https://wire.example/{n}", clock.now_ms(), "0") for n in (1, 2)))
        assert len(found(poll(bench))) == 2
        wires.feed("/wire", item("Story 3", "https://wire.example/3", clock.now_ms(), "0"))
        assert found(poll(bench)) == ["Story 3"]
        wires.feed("/wire", item("Story 4", "https://wire.example/4", clock.now_ms(), "0"))
        assert found(poll(bench)) == ["Story 4"]


def test_entries_without_links(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Without a link the guid and the source make the item; without both, its content."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        for name in ("one", "two"):
            wires.feed(f"/{name}", "<item><title>ROCC</title><guid>7</guid></item>", "<item><title>HCNE</title></item>",
                       "<item></item>")
        assert len({message.item_id for message in poll(bench)}) == 4
        assert poll(bench) == []


def test_a_filing_is_its_accession(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """EDGAR lists a filing once for each party: one item, the company's entry; two filings of one title are two."""
    def entry(party: str, accession: str) -> str:
        return (f"<entry><title>8-K - {party}</title><link rel='alternate' href='https://www.sec.gov/Archives/edgar/data/"
                f"{len(party)}/000000000125000001/{accession}-index.htm'/><updated>2026-01-02T09:00:00-05:00</updated>"
                f"<id>urn:tag:sec.gov,2008:accession-number={accession}</id></entry>")

    sources = listing(tmp_path, wires, "sec", kind="edgar")
    wires.documents["/sec"] = ('<feed xmlns="http://www.w3.org/2005/Atom">' + "".join([
        entry("Doe John (0000000001) (Reporting)", "0000000001-25-000001"),
        entry("ACME INC (0000000002) (Issuer)", "0000000001-25-000001"),
        entry("ACME INC (0000000002) (Issuer)", "0000000001-25-000002")]) + "</feed>").encode()
    with bench_of(tmp_path, wires, clock, sources=sources, sec_user_agent="Tester test@example.com") as bench:
        sent = poll(bench, 0)
        assert [message.item_id for message in sent] == ["0000000001-25-000001", "0000000001-25-000002"]
        assert [message.title for message in sent if isinstance(message, FilingFound)] == [
            "8-K - ACME INC (0000000002) (Issuer)"] * 2
        assert wires.asked[0][1]["user-agent"] == "Tester test@example.com"


@pytest.mark.parametrize("fault", ["status", "html", "refused", "empty"])
def test_an_outage_is_told_once_and_its_end_once(tmp_path: Path, wires: Wires, clock: FakeClock, fault: str) -> None:
    """After N failed or empty polls in a row there is one notice, and one when the source is back."""
    with bench_of(tmp_path, wires, clock, "wire", alert_consecutive_empty_cycles=3) as bench:
        settled(bench, wires, "wire")
        good = wires.documents["/wire"]
        if fault == "status":
            wires.status["/wire"] = 500
        elif fault == "html":
            wires.documents["/wire"] = b"<!doctype html><title>maintenance</title>"
        elif fault == "refused":
            wires.headers["/wire"] = {"Content-Encoding": "br"}
        else:
            wires.feed("/wire")
        assert poll(bench, 400) + poll(bench, 400) == []
        (down,) = poll(bench, 400)
        assert isinstance(down, OpsNotice)
        assert (down.item_id, down.severity) == ("source:wire", "warning")
        assert poll(bench, 400) + poll(bench, 400) == []
        wires.status.clear()
        wires.headers.clear()
        wires.documents["/wire"] = good
        (back,) = poll(bench, 400)
        assert isinstance(back, OpsNotice)
        assert (back.item_id, back.severity) == ("source:wire", "info")
        assert down.message_id() != back.message_id()
        assert poll(bench) == []


def test_not_modified_is_success(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """304 ends a streak of failures and never begins one."""
    with bench_of(tmp_path, wires, clock, "wire", alert_consecutive_empty_cycles=2) as bench:
        settled(bench, wires, "wire")
        for _ in range(5):
            assert poll(bench) == []
        wires.status["/wire"] = 503
        assert poll(bench) == []
        wires.status.clear()
        assert poll(bench, 400) == []
        wires.status["/wire"] = 503
        assert poll(bench) == []
        assert bench.rows("SELECT streak, outcome FROM feeds") == [(1, "status_503")]


def test_every_is_obeyed_exactly(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Polls keep their rhythm without drift, and a long stop is followed by one poll, not by all that were missed."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        times = []
        for _ in range(1_000):
            before = wires.count("/wire")
            poll(bench, 0.13)
            if wires.count("/wire") > before:
                times.append(clock.monotonic_s() - 1000)
        assert len(times) == 13
        assert all(0 <= moment - 10 * number <= 0.14 for number, moment in enumerate(times, 1))
        clock.advance(3_600)
        before = wires.count("/wire")
        for _ in range(70):
            poll(bench, 0.1)
        assert wires.count("/wire") == before + 1


def test_failures_slow_down_and_retry_after_is_obeyed(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Failed polls come at growing distances, never below the pace nor the server's wish."""
    with bench_of(tmp_path, wires, clock, "wire", alert_consecutive_empty_cycles=1000) as bench:
        settled(bench, wires, "wire")
        wires.status["/wire"] = 500
        gaps, last = [], clock.now_ms()
        for _ in range(1_500):
            before = wires.count("/wire")
            poll(bench, 1)
            if wires.count("/wire") > before:
                gaps.append((clock.now_ms() - last) / 1000)
                last = clock.now_ms()
        assert gaps == sorted(gaps) or all(gap >= 300 for gap in gaps[-2:])
        assert min(gaps) >= 10
        assert 300 <= max(gaps) <= 377
        wires.headers["/wire"] = {"Retry-After": "1200"}
        wires.status["/wire"] = 429
        poll(bench, 400)
        before = wires.count("/wire")
        for _ in range(11):
            poll(bench, 100)
        assert wires.count("/wire") == before
        poll(bench, 101)
        assert wires.count("/wire") == before + 1


def test_one_poll_at_a_time(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """While a poll of a source is under way no other is queued; one that never came back is given up."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        bench.tick("poll_due")
        for _ in range(11):
            clock.advance(10)
            bench.tick("poll_due")
        assert len(bench.jobs()) == 1
        clock.advance(10)
        bench.tick("poll_due")
        assert len(bench.jobs()) == 1
        assert bench.rows("SELECT queued_ms FROM feeds") == [(clock.now_ms(),)]


def test_paused(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """While the system's backlog is too long nothing is asked; afterwards each source once."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.actor.paused = True
        for _ in range(5):
            poll(bench)
        assert wires.count("/wire") == 1
        assert bench.actor.statistics()["polls_paused"] == 5
        bench.actor.paused = False
        poll(bench, 0)
        assert wires.count("/wire") == 2


def test_a_clock_set_back_stops_no_source(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """When the wall clock jumps back by hours, sources are polled at once, not hours later."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        poll(bench, -7_200)
        assert wires.count("/wire") == 2


def test_killed_during_a_poll(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A poll that was under way at a kill is done again after the start; nothing is lost and nothing sent twice."""
    bench = bench_of(tmp_path, wires, clock, "wire")
    settled(bench, wires, "wire")
    wires.feed("/wire", item("Acme Wins", ms=clock.now_ms()))
    clock.advance(10)
    bench.tick("poll_due")
    bench.interrupt_jobs()
    assert bench.restart() == []
    assert found(bench.run_jobs()) == ["Acme Wins"]
    bench.restart()
    assert poll(bench) == []
    bench.close()


def test_seen_entries_are_known_while_the_feed_shows_them(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """An entry that stays in its feed for weeks, changed or answered 304, is never news again."""
    with bench_of(tmp_path, wires, clock, "wire", seen_ttl_days=7) as bench:
        settled(bench, wires, "wire")
        stays = item("Stays", ms=clock.now_ms())
        wires.feed("/wire", stays)
        assert found(poll(bench)) == ["Stays"]
        for day in range(20):
            if day % 5 == 4:
                wires.feed("/wire", stays, item(f"Day {day}", ms=clock.now_ms()))
            assert "Stays" not in found(poll(bench, DAY_S))
            bench.tick("prune")


def test_what_left_its_feed_is_forgotten_in_time(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """An entry that left its feed is known for SEEN_TTL_DAYS and forgotten after, with its story."""
    with bench_of(tmp_path, wires, clock, "wire", seen_ttl_days=7) as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", item("Leaves", ms=clock.now_ms()))
        poll(bench)
        for day in range(9):
            wires.feed("/wire", item(f"Day {day}", ms=clock.now_ms()))
            poll(bench, DAY_S)
            bench.tick("prune")
            known = bench.rows("SELECT count(*) FROM stories WHERE title = 'Leaves'")[0][0]
            assert known == (1 if day < 7 else 0)
            assert bench.rows("SELECT count(*) FROM words WHERE word = 'leaves'") == [(int(day < 4),)]
        assert bench.rows("SELECT count(*) FROM seen WHERE item_id NOT IN (SELECT item_id FROM stories)") == [(0,)]


def test_a_source_that_was_silent_for_long_starts_anew(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """After an absence longer than SEEN_TTL_DAYS the first document is backlog again."""
    with bench_of(tmp_path, wires, clock, "wire", seen_ttl_days=7) as bench:
        settled(bench, wires, "wire")
        clock.advance(8 * DAY_S)
        wires.feed("/wire", item("Days old", ms=clock.now_ms() - 2 * DAY_S * 1000), item("News", ms=clock.now_ms()))
        sent = poll(bench)
        assert (found(sent), reasons(sent)) == (["News"], ["backlog"])


def test_reload_takes_over_changes(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A reload adds, removes and moves sources; a wrong list changes nothing."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/three", item("New source", ms=clock.now_ms()))
        listing(tmp_path, wires, "one", "three")
        bench.actor.on_reload()
        assert found(poll(bench)) == ["New source"]
        assert (wires.count("/one"), wires.count("/two"), wires.count("/three")) == (2, 1, 1)
        (tmp_path / "sources.toml").write_text("[[source]]\nname = 1")
        with pytest.raises(ConfigError):
            bench.actor.on_reload()
        poll(bench)
        assert wires.count("/three") == 2
        text = listing(tmp_path, wires, "one").read_text().replace("/one", "/moved")
        (tmp_path / "sources.toml").write_text(text)
        wires.feed("/moved", item("Moved", ms=0))
        bench.actor.on_reload()
        assert reasons(poll(bench)) == ["backlog"]


def test_a_wrong_list_stops_the_start(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A missing or wrong list of sources is a configuration error at the start."""
    with pytest.raises(ConfigError):
        Bench(Fetcher, tmp_path, clock=clock, sources=tmp_path / "nowhere.toml")


def test_bundled_list_is_the_default(tmp_path: Path, clock: FakeClock) -> None:
    """Without a list of the user's the bundled one is polled."""
    with Bench(Fetcher, tmp_path, clock=clock) as bench:
        bench.tick("poll_due")
        assert {job.key for job in bench.jobs()} >= {"globenewswire", "prnewswire"}


def test_a_burst_is_handled_in_time(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Two documents of a thousand new stories whose titles begin alike are taken in parts, each within a handler's
    limit; the parts together are the whole."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        for name in ("one", "two"):
            wires.feed(f"/{name}", *(item(f"Rosen Law Firm Reminds {name} Holders of Company{n} of a Deadline",
                                          ms=clock.now_ms()) for n in range(1_000)))
        bench.clock.advance(10)
        bench.tick("poll_due")
        results = [bench.actor.work_poll(job.payload) for job in bench.jobs()]
        for job, polled in zip(bench.jobs(), results, strict=True):
            began = time.process_time()
            with bench.store.transaction() as db:
                sent = list(bench.actor.done_poll(job, polled, db))
            assert time.process_time() - began < HANDLER_LIMIT_S
            assert len(found(sent)) == SLICE
        bench.clock.advance(2)
        assert len(found(bench.tick("poll_due") + bench.run_jobs())) == 2 * (1_000 - SLICE)
        assert bench.rows("SELECT count(*) FROM stories WHERE fate = 'sent'") == [(2_000,)]
        assert found(poll(bench, 2)) == []


COMPANIES = json.dumps({"0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Robotics Inc"}}).encode()
LIST = "/files/company_tickers.json"


def company_bench(folder: Path, wires: Wires, clock: FakeClock, **settings: Any) -> Bench:
    """A fetcher without sources whose SEC is the test's server."""
    path = folder / "sources.toml"
    path.write_text("")
    given = {"sec_base_url": wires.base + "/", "sec_user_agent": "Tester test@example.com", **settings}
    return bench_of(folder, wires, clock, sources=path, **given)


def refresh(bench: Bench, after_s: float) -> None:
    """Let time pass and do what the company list needs."""
    bench.clock.advance(after_s)
    bench.tick("companies_due")
    bench.run_jobs()


def test_company_list_is_fetched_daily(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The SEC's list is written to the home once a day, and again when somebody removed it."""
    wires.documents[LIST] = COMPANIES
    with company_bench(tmp_path, wires, clock) as bench:
        refresh(bench, 0)
        path = tmp_path / "companies.json"
        assert path.read_bytes() == COMPANIES
        assert wires.asked[0][1]["user-agent"] == "Tester test@example.com"
        refresh(bench, 3_600)
        assert wires.count(LIST) == 1
        refresh(bench, DAY_S)
        assert wires.count(LIST) == 2
        path.unlink()
        refresh(bench, 60)
        assert path.is_file()
        assert [entry.name for entry in tmp_path.glob(".companies*")] == []


def test_a_bad_company_list_replaces_nothing(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A failed or senseless answer leaves the present file and is tried again after five minutes."""
    path = tmp_path / "companies.json"
    path.write_bytes(COMPANIES)
    with company_bench(tmp_path, wires, clock) as bench:
        for status, body in ((200, b"<html>"), (200, b"{}"), (403, COMPANIES)):
            wires.documents[LIST], wires.status[LIST] = body, status
            before = wires.count(LIST)
            refresh(bench, 300)
            refresh(bench, 60)
            assert wires.count(LIST) == before + 1
            assert path.read_bytes() == COMPANIES
            clock.advance(300)


@pytest.mark.parametrize("settings", [{"sec_user_agent": ""}, {"companies": Path("/some/list.json")}])
def test_no_company_list_is_asked_for(tmp_path: Path, wires: Wires, clock: FakeClock,
                                      settings: dict[str, Any]) -> None:
    """Without saying who asks, or with a list of the user's own, the SEC is not asked."""
    with company_bench(tmp_path, wires, clock, **settings) as bench:
        refresh(bench, 0)
        assert wires.asked == []
