"""`catalyst filings` against sec itself, which knows a dropped filing and one that could not be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from actors.sec import Sec
from catalyst.messages import FilingFound
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.testing import START_MS, wait_until
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running

FOUND = FilingFound(item_id="0000000001-26-000001", source="sec_8k", trust=0.9, form="8-K", cik="", company="Acme Corp",
                    title="8-K - Acme Corp", link="https://www.sec.gov/x", items=("8.01",), published_ms=None,
                    seen_ms=START_MS)


class TwoFilings(Actor):
    """Finds one filing of a form that is read and one of a form that is not."""

    name = "fetcher"
    outbox = (FilingFound,)
    every = (Every("begin", 3600, at_start=True),)

    def begin(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Find them, once."""
        yield FOUND
        yield FilingFound(item_id="0000000001-26-000002", source="sec_8k", trust=0.9, form="424B2", cik="0000000001",
                          company="A\x1b[31m", title="424B2 - A\x1b[31m", link="https://www.sec.gov/y",
                          published_ms=START_MS, seen_ms=START_MS + 1)


@pytest.fixture
def filled(running: Running) -> Running:
    """sec with both; it has no SEC_USER_AGENT, so nothing is fetched."""
    running.start(Sec, TwoFilings)
    wait_until(lambda: running.processes["sec"].progress.handled == 2)
    return running


def test_filings(catalyst: Catalyst, filled: Running) -> None:
    """The oldest first, in the fixed shape; unknown is null, times are ISO."""
    first, second = catalyst("filings", "--json").lines
    assert first == {
        "accession": "0000000001-26-000001", "form": "8-K", "company": "Acme Corp", "cik": "", "ticker": None,
        "items": ["8.01"], "amendment": False, "title": "8-K: Acme Corp: item 8.01", "offering": None,
        "sentiment": None, "summary": "", "link": "https://www.sec.gov/x", "state": "unread",
        "reason": "no_sec_user_agent", "published": None, "seen": "2026-01-02T14:00:00.000Z", "read": first["read"]}
    assert (second["form"], second["state"], second["reason"]) == ("424B2", "dropped", "form:424B2")


def test_filings_chosen(catalyst: Catalyst, filled: Running) -> None:
    """By age, ticker and number; a person's table has no escape sequence of a company's name."""
    assert catalyst("filings", "--since", "1m").out == "no filings\n"
    assert catalyst("filings", "--ticker", "ACME").out == "no filings\n"
    assert [one["form"] for one in catalyst("filings", "-n", "1", "--json").lines] == ["424B2"]
    table = catalyst("filings").out
    assert "unread (no_sec_user_agent)" in table
    assert "\x1b" not in table


def test_filings_need_sec(catalyst: Catalyst) -> None:
    """Who is not running is named."""
    done = catalyst("filings")
    assert (done.code, done.err) == (69, "catalyst: sec is not running\n")
