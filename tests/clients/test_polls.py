"""What a poll costs in time: EDGAR's lists against a server whose answers take as long as a clock says."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from actors.fetcher import Fetcher
from catalyst.clients.edgar import Edgar, Pace
from catalyst.clients.http import Http
from catalyst.clients.polls import Poll, ask
from catalyst.settings import defaults
from catalyst.testing import START_MS, FakeClock
from tests.actors.test_fetcher_edgar import entry, listing
from tests.edgar_server import AGENT
from tests.receiver import Answer, Got, Receiver

LIMIT_S = next(kind.limit_s for kind in Fetcher.jobs if kind.name == "poll")


def edgar_at(clock: FakeClock) -> Edgar:
    """A client that goes by the clock and waits for no turn."""
    return Edgar(Http(clock, allow_hosts=("127.0.0.1",)), defaults(sec_user_agent=AGENT), clock, Pace(0, clock))


@pytest.mark.parametrize(("answer_s", "pages"), [(11.5, 2), (8.0, 3), (0.1, 10)])
def test_a_poll_of_a_slow_list_ends_before_its_job_is_ended(answer_s: float, pages: int) -> None:
    """However slowly EDGAR answers, what was read within the poll's time is given, and where to read on."""
    clock = FakeClock()

    def serve(got: Got) -> Answer:
        clock.advance(answer_s)
        start = int(parse_qs(urlsplit(got.path).query).get("start", ["0"])[0])
        return Answer(200, listing(*(entry(9_999 - number, "8-K - Acme (0000000007) (Filer)", "8-K",
                                           second=2_000 - number) for number in range(start, start + 100))))

    with Receiver(serve) as server:
        edgar = edgar_at(clock)
        began_s = clock.monotonic_s()
        polled = ask(edgar, Poll("sec", f"{server.url}/cgi-bin/browse-edgar?action=getcurrent&type=8-K&count=100",
                                 "edgar", head_ms=START_MS))
    assert clock.monotonic_s() - began_s < LIMIT_S - 4
    assert (polled.outcome, len(polled.items)) == ("ok", 100 * pages)
    assert polled.rest_at == (None if pages == 10 else 100 * pages)


def test_a_page_that_never_ends_costs_what_is_left() -> None:
    """The second page's bytes drip: it is given up in time, and the first page is there."""
    clock = FakeClock()

    def serve(got: Got) -> Answer | None:
        clock.advance(11.5 if "start" not in got.path else 13.6)  # beyond what is left of the poll
        return Answer(200, listing(*(entry(9_999 - number, "8-K - Acme (0000000007) (Filer)", "8-K", second=900)
                                     for number in range(100))))

    with Receiver(serve) as server:
        edgar = edgar_at(clock)
        polled = ask(edgar, Poll("sec", f"{server.url}/list?type=8-K&count=100", "edgar", head_ms=START_MS))
    assert (polled.outcome, len(polled.items), polled.rest_at) == ("ok", 100, 100)
