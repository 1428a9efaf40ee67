"""The EDGAR client against a real server on loopback, and its pace on a clock that obeys."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from catalyst.clients.edgar import (
    HEADROOM,
    NO_AGENT,
    REST_S,
    SHARES,
    Edgar,
    Pace,
    edgar_of,
    is_declared,
    sec_hosts,
)
from catalyst.clients.http import Http
from catalyst.clock import SystemClock
from catalyst.errors import FetchError, FilingError
from catalyst.settings import Settings, defaults
from catalyst.testing import FakeClock
from tests.edgar_server import (
    AGENT,
    REFUSED,
    RELEASE,
    UNDECLARED,
    EdgarServer,
    accession_of,
    folder_of,
    index_page,
    link_of,
)
from tests.receiver import Answer

INDEX = folder_of(1) + accession_of(1) + "-index.htm"


@pytest.fixture
def server() -> Iterator[EdgarServer]:
    """An EDGAR that has every filing."""
    with EdgarServer() as served:
        assert isinstance(served, EdgarServer)
        yield served


def settings_for(server: EdgarServer, **changes: Any) -> Settings:
    """Settings whose SEC is the test's server, without a limit."""
    return defaults(**{"sec_base_url": server.url, "sec_user_agent": AGENT, "edgar_per_s": 0, **changes})


def edgar(server: EdgarServer, **changes: Any) -> Edgar:
    """The client of sec."""
    settings = settings_for(server, **changes)
    return edgar_of("sec", Http(SystemClock(), allow_hosts=sec_hosts(settings)), settings, SystemClock())


def fetch(client: Edgar, **options: Any) -> Any:
    """Filing 1, an 8-K."""
    return client.filing(accession_of(1), "8-K", "0000000001", link_of(1), **options)


def reason_of(client: Edgar, **options: Any) -> str:
    """Why filing 1 cannot be fetched."""
    with pytest.raises((FetchError, FilingError)) as caught:
        fetch(client, **options)
    return str(getattr(caught.value, "reason", ""))


def test_a_filing(server: EdgarServer) -> None:
    """Index page, primary document and exhibit come from SEC_BASE_URL, each asked for once and with who asks."""
    fetched = fetch(edgar(server))
    assert [(part.type, part.name) for part in fetched.parts] == [("8-K", "main.htm"), ("EX-99.1", "ex99-1.htm")]
    assert (fetched.parts[1].body, fetched.index.company, fetched.missing) == (RELEASE, "Acme Corp", ())
    assert server.paths == [INDEX, folder_of(1) + "main.htm", folder_of(1) + "ex99-1.htm"]
    assert {got.headers["user-agent"] for got in server.got} == {AGENT}


@pytest.mark.parametrize(("path", "status", "reason"), [
    (INDEX, 404, "index_404"), (INDEX, 503, "index_503"), (folder_of(1) + "main.htm", 404, "document_404"),
    (folder_of(1) + "ex99-1.htm", 500, "document_500")])
def test_what_is_not_there(server: EdgarServer, path: str, status: int, reason: str) -> None:
    """A page that is missing fails the whole filing, with a reason that names it."""
    server.status[path] = status
    assert reason_of(edgar(server)) == reason


def test_the_last_try_takes_what_there_is(server: EdgarServer) -> None:
    """On the last try one document is enough; none at all is a failure still."""
    server.status[folder_of(1) + "main.htm"] = 503
    fetched = fetch(edgar(server), is_last_try=True)
    assert ([part.name for part in fetched.parts], fetched.missing) == (["ex99-1.htm"], ("main.htm:document_503",))
    server.status[folder_of(1) + "ex99-1.htm"] = 404
    assert reason_of(edgar(server), is_last_try=True) == "document_503"


def test_nothing_to_fetch(server: EdgarServer) -> None:
    """A page that is no index page, and a filing without a link or CIK, are refused by name."""
    server.pages[INDEX] = b"<html>maintenance</html>"
    assert reason_of(edgar(server)) == "no_index"
    with pytest.raises(FilingError, match="no_link"):
        edgar(server).filing(accession_of(1), "8-K", "", "https://evil.example/x")


def test_a_document_that_is_too_big(server: EdgarServer) -> None:
    """A document beyond the limit is left out at once: trying again would not make it smaller."""
    server.pages[folder_of(1) + "main.htm"] = b"x" * 8_000_001
    assert fetch(edgar(server)).missing == ("main.htm:document_too_big",)


@pytest.mark.parametrize(("status", "body", "reason"), [
    (429, REFUSED, "edgar_rate"), (403, REFUSED, "edgar_rate"), (200, REFUSED, "edgar_rate"),
    (403, UNDECLARED, "edgar_agent")])
def test_a_refusal_is_obeyed(server: EdgarServer, status: int, body: bytes, reason: str) -> None:
    """After a refusal nothing is asked for ten minutes, by nobody who shares the client; then it goes on."""
    clock = FakeClock()
    settings = settings_for(server)
    client = edgar_of("sec", Http(clock, allow_hosts=sec_hosts(settings)), settings, clock)
    server.everywhere = Answer(status, body)
    assert (reason_of(client), len(server.got)) == (reason, 1)
    server.everywhere = None
    clock.advance(REST_S - 1)
    with pytest.raises(FetchError) as caught:
        client.get(server.url + "/list")
    assert (caught.value.reason, caught.value.retry_after_s, len(server.got)) == ("edgar_rest", pytest.approx(1), 1)
    clock.advance(1.1)
    assert len(fetch(client).parts) == 2


def test_a_dead_server(server: EdgarServer) -> None:
    """A connection that is closed or refused is a reason, not a crash."""
    server.answer = lambda got: None
    assert reason_of(edgar(server)) in ("index_reset", "index_malformed")
    client = edgar(server)
    server.close()
    assert reason_of(client) == "index_refused"
    server.server.socket.close()


def test_starts_are_spread() -> None:
    """Starts are a gap apart, not in a burst; after a rest nothing is made up for; 0 is no limit."""
    clock = FakeClock()
    starts = []
    pace = Pace(4, clock, clock.advance)
    for _ in range(9):
        assert pace.wait(10)
        starts.append(clock.monotonic_s())
    assert starts == pytest.approx([1000 + 0.25 * number for number in range(9)])
    clock.advance(60)
    assert pace.wait(0)
    assert not pace.wait(0.2)
    before = clock.monotonic_s()
    assert pace.wait(0.25)
    assert clock.monotonic_s() - before == pytest.approx(0.25)
    free = Pace(0, clock, clock.advance)
    assert all(free.wait(0) for _ in range(100))


def test_the_pace_holds_over_threads() -> None:
    """Twelve threads at once keep to the rate: no two starts are nearer than the gap."""
    clock, lock = SystemClock(), threading.Lock()
    starts: list[float] = []
    pace = Pace(100, clock)

    def run() -> None:
        for _ in range(3):
            assert pace.wait(5)
            with lock:
                starts.append(clock.monotonic_s())

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    starts.sort()
    assert len(starts) == 36
    assert starts[-1] - starts[0] >= 35 * 0.01 - 0.005


def test_a_turn_that_is_too_far_away(server: EdgarServer) -> None:
    """Who would wait beyond the deadline is told at once and takes nobody's turn."""
    clock = FakeClock()
    settings = settings_for(server)
    client = Edgar(Http(clock, allow_hosts=sec_hosts(settings)), settings, clock, Pace(0.1, clock, clock.advance))
    assert client.get(server.url + "/a").status == 200
    with pytest.raises(FetchError, match="rate limit"):
        client.get(server.url + "/b", deadline_s=5)
    assert server.paths == ["/a"]


def test_shares() -> None:
    """The actors' shares are the whole rate together, and in no second do even starts of all come near it."""
    assert sum(SHARES.values()) == pytest.approx(1)
    assert sum(math.ceil(10 * share * HEADROOM) for share in SHARES.values()) <= 8


@pytest.mark.parametrize(("url", "agent", "hosts", "may"), [
    ("https://www.sec.gov/x", "", (), False), ("https://www.sec.gov/x", AGENT, (), True),
    ("http://127.0.0.1:80/x", "", (), True), ("http://localhost:80/x", "", (), True),
    ("http://edgar.lan/x", "", ("edgar.lan",), True), ("http://edgar.lan:81/x", "", ("edgar.lan:81",), True),
    ("http://edgar.lan:82/x", "", ("edgar.lan:81",), False), ("http://10.0.0.1/x", "", (), False)])
def test_who_may_ask(url: str, agent: str, hosts: tuple[str, ...], may: bool) -> None:
    """Without SEC_USER_AGENT only a stand-in is asked: loopback or a host that the user allowed."""
    assert is_declared(url, defaults(sec_user_agent=agent, allow_hosts=hosts)) is may


def test_without_an_agent_nothing_leaves() -> None:
    """The SEC itself is not asked by nobody."""
    settings = defaults()
    with pytest.raises(FetchError) as caught:
        edgar_of("sec", Http(SystemClock()), settings, SystemClock()).get("https://www.sec.gov/x")
    assert caught.value.reason == NO_AGENT


def test_an_agent_that_no_header_holds(server: EdgarServer) -> None:
    """Letters and line ends that a header cannot hold are left out; the contact arrives."""
    fetch(edgar(server, sec_user_agent="Zażółć Ltd\n ops@example.com"))
    assert {got.headers["user-agent"] for got in server.got} == {"Za Ltd ops@example.com"}


def test_a_stand_in_needs_no_agent(server: EdgarServer) -> None:
    """On loopback SEC_USER_AGENT may be empty."""
    server.pages[INDEX] = index_page(1, exhibits=0)
    assert len(fetch(edgar(server, sec_user_agent="")).parts) == 1
