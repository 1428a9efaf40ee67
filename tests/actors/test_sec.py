"""sec on its real database, reading filings from a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.sec import GIVE_UP_MS, Sec
from catalyst.messages import FilingFound, FilingRead, ItemDropped, Message, OpsNotice
from catalyst.testing import Bench, same
from tests.edgar_server import (
    AGENT,
    REFUSED,
    EdgarServer,
    accession_of,
    folder_of,
    index_page,
    link_of,
)
from tests.receiver import Answer

HOUR_S = 3_600
COMPANIES = {"0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Corp"},
             "1": {"cik_str": 2, "ticker": "BETA", "title": "Beta Inc"}}


@pytest.fixture
def server() -> Iterator[EdgarServer]:
    """An EDGAR that has every filing."""
    with EdgarServer() as served:
        assert isinstance(served, EdgarServer)
        yield served


@pytest.fixture
def bench(tmp_path: Path, server: EdgarServer) -> Iterator[Bench]:
    """sec, with a company list, and the test's server as EDGAR."""
    (tmp_path / "companies.json").write_text(json.dumps(COMPANIES))
    with sec_of(tmp_path, server) as made:
        yield made


def sec_of(folder: Path, server: EdgarServer, **settings: Any) -> Bench:
    """A bench without a limit of rate."""
    return Bench(Sec, folder, **{"sec_base_url": server.url, "sec_user_agent": AGENT, "edgar_per_s": 0, **settings})


def filing(number: int = 1, form: str = "8-K", **changes: Any) -> FilingFound:
    """A filing of Acme as the list shows it."""
    found = FilingFound(
        item_id=accession_of(number), source="sec_8k", trust=0.9, form=form, cik="0000000001", company="Acme Corp",
        title=f"{form} - Acme Corp (0000000001) (Filer)", link=link_of(number), items=("8.01",),
        published_ms=1_767_362_000_000, seen_ms=1_767_362_400_000)
    changed = same(found, **changes)
    assert isinstance(changed, FilingFound)
    return changed


def run(bench: Bench, *found: FilingFound) -> list[Message]:
    """Hand filings over and do what is due; what was sent."""
    return [message for one in found for message in bench.send(one)] + bench.run_jobs()


def wait(bench: Bench, seconds: int) -> list[Message]:
    """Let time pass second by second, with the jobs and the timer that gives up; what was sent."""
    sent: list[Message] = []
    for _ in range(seconds):
        bench.clock.advance(1)
        sent += bench.run_jobs()
    return sent + bench.tick("give_up")


def reads(sent: list[Message]) -> list[FilingRead]:
    """The filings that went on."""
    return [message for message in sent if isinstance(message, FilingRead)]


def notices(sent: list[Message]) -> list[str]:
    """Titles of what the operator is told."""
    return [message.title for message in sent if isinstance(message, OpsNotice)]


def statistic(bench: Bench, name: str) -> float:
    """A number of the heartbeat."""
    return bench.actor.statistics().get(name, 0)


def test_a_filing_is_read(bench: Bench) -> None:
    """The release's text and headline, the items, the ticker by CIK, a title for a reader; the row says the same."""
    (read,) = run(bench, filing())
    assert isinstance(read, FilingRead)
    assert (read.item_id, read.form, read.cik, read.ticker, read.company, read.unread, read.amendment) == (
        accession_of(1), "8-K", "0000000001", "ACME", "Acme Corp", "", False)
    assert "Acme prices $5.0 million" in read.text
    assert "registered direct" in read.headline
    assert read.title.startswith("8-K: Acme Corp: ")
    assert (read.published_ms, read.seen_ms, read.source, read.link, read.provider) == (
        1_767_362_000_000, 1_767_362_400_000, "sec_8k", link_of(1), "embedded")
    ((state, reason, ticker, read_ms),) = bench.rows("SELECT state, reason, ticker, read_ms FROM filings")
    assert (state, reason, ticker, read_ms) == ("read", None, "ACME", bench.clock.now_ms())
    assert bench.jobs() == []


def test_forms_that_are_not_read(bench: Bench, server: EdgarServer) -> None:
    """Such a form is dropped with its name, without a request."""
    sent = run(bench, filing(1, "424B2"), filing(2, "144/A"))
    assert [(message.item_id, message.reason, message.ticker, message.stage) for message in sent
            if isinstance(message, ItemDropped)] == [
        (accession_of(1), "form:424B2", "ACME", "sec"), (accession_of(2), "form:144/A", "ACME", "sec")]
    assert (len(sent), server.got) == (2, [])
    assert bench.rows("SELECT DISTINCT state FROM filings") == [("dropped",)]


def test_urgent_forms_and_watched_tickers_first(tmp_path: Path, server: EdgarServer) -> None:
    """Jobs are picked by form; one of a watched ticker before all others."""
    (tmp_path / "companies.json").write_text(json.dumps(COMPANIES))
    (tmp_path / "watchlist.csv").write_text("Ticker\nBETA\n")
    with sec_of(tmp_path, server) as bench:
        for found in (filing(1, "4"), filing(2, "10-Q"), filing(3, "8-K"), filing(4, "424B5"),
                      filing(5, "4", cik="0000000002")):
            bench.send(found)
        assert [job.item_id for job in bench.jobs()] == [accession_of(number) for number in (5, 3, 4, 1, 2)]


def test_the_company_comes_from_the_index_page(bench: Bench, server: EdgarServer) -> None:
    """Where the list named only who reports, the page of the filing says whose it is."""
    server.pages[link_of(1).removeprefix("https://www.sec.gov")] = index_page(1, "4", "Beta Inc (Issuer)", "0000000002")
    (read,) = reads(run(bench, filing(1, "4", cik="", company="", items=(), published_ms=None)))
    assert (read.cik, read.company, read.ticker, read.items) == ("0000000002", "Beta Inc", "BETA", ("8.01",))
    assert read.published_ms == 1_767_362_400_000  # as the page says: 09:00 in New York


def test_a_page_that_comes_later(bench: Bench, server: EdgarServer) -> None:
    """The list is faster than the pages: the filing is read as soon as its page is there."""
    path = link_of(1).removeprefix("https://www.sec.gov")
    server.status[path] = 404
    assert run(bench, filing()) == []
    assert wait(bench, 5) == []
    del server.status[path]
    (read,) = reads(wait(bench, 8))
    assert (read.unread, read.ticker) == ("", "ACME")
    assert len(server.got) == 5


@pytest.mark.parametrize(("status", "reason"), [(404, "index_404"), (500, "index_500"), (503, "index_503")])
def test_what_cannot_be_fetched_goes_on(bench: Bench, server: EdgarServer, status: int, reason: str) -> None:
    """After about a minute of tries the list's entry goes on alone and says why; nothing is asked any more."""
    server.everywhere = Answer(status, b"<html>")
    (read,) = reads(run(bench, filing()) + wait(bench, 63))
    assert (read.unread, read.ticker, read.text, read.items, read.sentiment) == (reason, "ACME", "", ("8.01",), 0)
    assert read.title == "8-K: Acme Corp: item 8.01"
    assert len(server.got) == 5
    assert bench.jobs() == []
    assert bench.rows("SELECT state, reason, sentiment FROM filings") == [("unread", reason, None)]
    assert statistic(bench, "filings_unread") == 1


@pytest.mark.parametrize(("body", "reason"), [(b"%PDF-1.7", "binary"), (b"", "empty")])
def test_what_cannot_be_read_goes_on(bench: Bench, server: EdgarServer, body: bytes, reason: str) -> None:
    """A document that is no text ends as the list's entry, at once."""
    server.pages[link_of(1).removeprefix("https://www.sec.gov")] = index_page(1, exhibits=0)
    server.pages[folder_of(1) + "main.htm"] = body
    (read,) = reads(run(bench, filing()))
    assert read.unread == reason


def test_a_hung_server_holds_nobody_up(tmp_path: Path, server: EdgarServer) -> None:
    """A filing whose server closes every connection goes on with the list's words; others are read meanwhile."""
    good = server.answer
    server.answer = lambda got: None if folder_of(1) in got.path else good(got)
    with sec_of(tmp_path, server) as bench:
        assert [read.item_id for read in reads(run(bench, filing(1), filing(2)))] == [accession_of(2)]
        (read,) = reads(wait(bench, 60))
        assert read.item_id == accession_of(1)
        assert read.unread in ("index_reset", "index_malformed")


def test_a_refusal_pauses_all(bench: Bench, server: EdgarServer) -> None:
    """After a 429 nothing is asked for ten minutes, the operator hears of it once, then all filings are read."""
    server.everywhere = Answer(429, REFUSED)
    sent = run(bench, filing(1), filing(2))
    assert (notices(sent), reads(sent), len(server.got)) == (["EDGAR refuses the sec"], [], 1)
    sent = run(bench, filing(3)) + wait(bench, 598)
    assert (sent, len(server.got)) == ([], 1)
    server.everywhere = None
    sent = wait(bench, 3)
    assert sorted(read.item_id for read in reads(sent)) == [accession_of(number) for number in (1, 2, 3)]
    assert notices(sent) == ["EDGAR answers the sec again"]
    assert bench.rows("SELECT * FROM refusals") == []


def test_a_refusal_survives_a_restart(bench: Bench, server: EdgarServer) -> None:
    """A process that is killed while EDGAR refuses does not ask again when it is back, nor tell it twice."""
    server.everywhere = Answer(429, REFUSED)
    assert len(notices(run(bench, filing(1)))) == 1
    bench.restart()
    assert run(bench, filing(2)) == []
    assert len(server.got) == 1
    assert notices(wait(bench, 602)) == []
    assert len(server.got) == 2


def test_nothing_waits_for_ever(bench: Bench, server: EdgarServer) -> None:
    """While EDGAR refuses on and on, a filing goes on without its documents after a quarter of an hour."""
    server.everywhere = Answer(429, REFUSED)
    run(bench, filing(1))
    bench.clock.advance(GIVE_UP_MS / 1000 + 1)
    (read,) = reads(bench.tick("give_up"))
    assert (read.item_id, read.unread) == (accession_of(1), "late")
    server.everywhere = None
    asked = len(server.got)
    assert (bench.run_jobs(), bench.jobs(), len(server.got)) == ([], [], asked)
    assert bench.tick("give_up") == []


def test_without_an_agent(tmp_path: Path) -> None:
    """Live and without SEC_USER_AGENT nothing is asked: filings go on unread and the operator is told once."""
    with Bench(Sec, tmp_path) as bench:
        sent = run(bench, filing(1), filing(2))
        assert [read.unread for read in reads(sent)] == ["no_sec_user_agent"] * 2
        assert notices(sent) == ["EDGAR refuses the sec"]
        assert bench.jobs() == []


def test_after_a_kill_the_reading_begins_again(bench: Bench) -> None:
    """A job that was under way is done by the next process; the filing goes on once."""
    bench.send(filing())
    assert len(bench.interrupt_jobs()) == 1
    assert bench.restart() == []
    assert len(reads(bench.run_jobs())) == 1


def again(found: FilingFound, bench: Bench) -> list[Message]:
    """The same filing found once more, as after the loss of the fetcher's database: another message of it."""
    bench.store.db.execute("DELETE FROM inbox WHERE item_id = ?", (found.item_id,))
    return run(bench, found)


def test_a_fresh_analysis_is_used_again(bench: Bench, server: EdgarServer) -> None:
    """A filing that is found again is not fetched again, until its analysis expires; the message is the same."""
    (first,) = run(bench, filing())
    asked = len(server.got)
    (second,) = again(filing(), bench)
    assert second == first
    assert len(server.got) == asked
    assert bench.rows("SELECT hits FROM analyses") == [(1,)]
    bench.clock.advance(72 * HOUR_S + 1)
    assert len(reads(again(filing(), bench))) == 1
    assert len(server.got) == 2 * asked
    assert (statistic(bench, "cache_hits"), statistic(bench, "cache_misses"), statistic(bench, "cache_hit_rate")) == (
        1, 2, 0.3333)


def test_a_damaged_analysis_is_a_miss(bench: Bench, server: EdgarServer) -> None:
    """What cannot be read in the cache is fetched anew."""
    run(bench, filing())
    bench.store.db.execute("UPDATE analyses SET result = '{'")
    asked = len(server.got)
    assert len(reads(again(filing(), bench))) == 1
    assert len(server.got) == 2 * asked
    assert statistic(bench, "cache_misses") == 2


def test_an_amendment_invalidates(bench: Bench) -> None:
    """An 8-K/A makes the ticker's 8-Ks void, no other form and no other ticker's."""
    run(bench, filing(1), filing(2), filing(3, "424B5"), filing(4, cik="0000000002"))
    (read,) = reads(run(bench, filing(5, "8-K/A")))
    assert read.amendment
    assert [row[0] for row in bench.rows("SELECT accession FROM analyses ORDER BY 1")] == [
        accession_of(number) for number in (3, 4, 5)]
    assert statistic(bench, "cache_invalidations") == 2


def test_fifty_reads_and_fifty_writes_mixed(bench: Bench, server: EdgarServer) -> None:
    """A hundred filings, half of them known: each goes on once, none is fetched in vain, and the statistics add up."""
    run(bench, *(filing(number) for number in range(1, 51)))
    asked = len(server.got)
    bench.store.db.execute("DELETE FROM inbox")
    mixed = [filing(number) for pair in zip(range(1, 51), range(51, 101), strict=True) for number in pair]
    sent = reads(run(bench, *mixed))
    assert sorted(read.item_id for read in sent) == [accession_of(number) for number in range(1, 101)]
    assert len(server.got) == 2 * asked
    assert statistic(bench, "cache_hits") == 50
    assert statistic(bench, "cache_misses") == 100
    assert statistic(bench, "cache_hit_rate") == 0.3333
    assert bench.rows("SELECT count(*), sum(hits) FROM analyses") == [(100, 50)]
    assert bench.rows("SELECT count(*) FROM filings WHERE state = 'read'") == [(100,)]


def test_expiry_and_invalidation_under_load(bench: Bench) -> None:
    """Reads, writes, an amendment and the pruning in any order: expired and void analyses are misses, others hits."""
    run(bench, *(filing(number, cik=f"{1 + number % 2:010}") for number in range(1, 21)))
    bench.clock.advance(71 * HOUR_S)
    run(bench, *(filing(number, cik=f"{1 + number % 2:010}") for number in range(21, 41)))
    bench.clock.advance(2 * HOUR_S)
    bench.tick("prune")
    bench.store.db.execute("DELETE FROM inbox")
    load = [filing(number, cik=f"{1 + number % 2:010}") for number in range(40, 0, -1)]
    sent = run(bench, *load[:10], filing(99, "8-K/A"), *load[10:])
    assert len(reads(sent)) == 41
    hits, misses = statistic(bench, "cache_hits"), statistic(bench, "cache_misses")
    assert statistic(bench, "cache_invalidations") == 10  # Acme's fresh ones; the expired had been pruned
    assert (hits, hits + misses) == (10 + 5, 40 + 41)  # ten before the amendment, then Beta's five that are fresh
    assert bench.rows("SELECT sum(hits) FROM analyses") == [(10,)]


def test_the_company_list_is_taken_up(tmp_path: Path, server: EdgarServer) -> None:
    """A list that comes later counts from the next look; a wrong one leaves the old in force."""
    with sec_of(tmp_path, server) as bench:
        assert reads(run(bench, filing(1)))[0].ticker == ""
        (tmp_path / "companies.json").write_text(json.dumps(COMPANIES))
        bench.tick("refresh")
        assert reads(run(bench, filing(2)))[0].ticker == "ACME"
        (tmp_path / "companies.json").write_text("{")
        bench.tick("refresh")
        assert reads(run(bench, filing(3)))[0].ticker == "ACME"


def test_filings_for_a_person(bench: Bench) -> None:
    """The newest first, of all or of one ticker, bounded by time and number."""
    run(bench, filing(1), filing(2, "424B2", seen_ms=1_767_362_500_000), filing(3, cik="0000000002"))
    found = bench.verb("filings", since_ms=0, limit=10)["filings"]
    assert [one["accession"] for one in found] == [accession_of(number) for number in (2, 3, 1)]
    assert (found[0]["state"], found[0]["reason"], found[0]["read"]) == ("dropped", "form:424B2", None)
    assert found[2]["seen"] == "2026-01-02T14:00:00.000Z"
    assert found[2]["items"] == ["8.01"]
    assert [one["ticker"] for one in bench.verb("filings", ticker="beta")["filings"]] == ["BETA"]
    assert len(bench.verb("filings", limit=1)["filings"]) == 1
    assert len(bench.verb("filings", since_ms=1_767_362_500_000)["filings"]) == 1


def test_old_filings_are_forgotten(bench: Bench) -> None:
    """After 30 days rows go, but for those that still wait."""
    run(bench, filing(1))
    bench.clock.advance(31 * 24 * HOUR_S)
    bench.send(filing(2))
    bench.tick("prune")
    assert bench.rows("SELECT accession FROM filings") == [(accession_of(2),)]
    assert bench.rows("SELECT * FROM analyses") == []
