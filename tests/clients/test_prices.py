"""The chain of quote providers against a real server on loopback."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalyst.clients.http import Http
from catalyst.clients.prices import PriceChain, Priced, provider_hosts
from catalyst.clock import SystemClock
from catalyst.errors import ConfigError
from catalyst.settings import defaults
from catalyst.testing import FakeClock, wait_until
from tests.receiver import Answer, Got, Receiver

CLOCK = SystemClock()


def chart(symbol: str = "ABCD", price: float = 4.2) -> bytes:
    return json.dumps({"chart": {"result": [{
        "meta": {"currency": "USD", "symbol": symbol}, "timestamp": [1_700_000_000],
        "indicators": {"quote": [{"close": [price], "volume": [1]}]}}]}}).encode()


NOT_FOUND = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}'


def chain(receiver: Receiver, *providers: str) -> PriceChain:
    settings = defaults(yahoo_base_url=receiver.url + "/", quote_providers=providers or ("yahoo",))
    return PriceChain(Http(CLOCK, allow_hosts=provider_hosts(settings)), settings, CLOCK)


def test_a_quote() -> None:
    """The chart of the day by minutes, with the sessions before and after."""
    with Receiver(lambda got: Answer(200, chart())) as receiver:
        priced = chain(receiver).quote("ABCD")
        assert priced.quote is not None
        assert (priced.quote.price_usd, priced.quote.provider, priced.quote.simulated) == (4.2, "yahoo", False)
        assert priced.reasons == ()
        assert receiver.got[0].path == "/v8/finance/chart/ABCD?range=1d&interval=1m&includePrePost=true&events=split"


def test_simulated_is_marked() -> None:
    """The stand-in world's quotes carry their mark."""
    with Receiver(lambda got: Answer(200, chart())) as receiver:
        quote = chain(receiver, "simulated").quote("ABCD").quote
        assert quote is not None
        assert (quote.provider, quote.simulated) == ("simulated", True)


@pytest.mark.parametrize(("ticker", "path"), [("BRK.B", "BRK-B"), ("A-B", "A-B"), ("../X", "--%2FX"),
                                              ("A B?", "A%20B%3F")])
def test_the_ticker_stays_inside_its_place(ticker: str, path: str) -> None:
    """Class shares with a dash; nothing else of a ticker reaches the address unquoted."""
    with Receiver(lambda got: Answer(404, NOT_FOUND)) as receiver:
        chain(receiver).quote(ticker)
        assert receiver.got[0].path.split("?")[0] == f"/v8/finance/chart/{path}"


def test_next_provider_after_a_refusal() -> None:
    """An unknown ticker is not asked for again, the next provider is."""
    answers = iter([Answer(404, NOT_FOUND), Answer(200, chart())])
    with Receiver(lambda got: next(answers)) as receiver:
        priced = chain(receiver, "yahoo", "simulated").quote("ABCD")
        assert priced.reasons == ("yahoo:unknown_ticker",)
        assert priced.quote is not None
        assert priced.quote.provider == "simulated"


@pytest.mark.parametrize("first", [Answer(500, b""), Answer(503, b""), None])
def test_a_passing_fault_is_tried_once_more(first: Answer | None) -> None:
    """One hiccup of the provider costs no price."""
    answers = iter([first, Answer(200, chart())])
    with Receiver(lambda got: next(answers)) as receiver:
        priced = chain(receiver).quote("ABCD")
        assert priced.quote is not None
        assert len(priced.reasons) <= 1


@pytest.mark.parametrize(("answer", "reason"), [
    (Answer(200, b"<html>"), "yahoo:malformed"), (Answer(401, b""), "yahoo:status_401"),
    (Answer(404, NOT_FOUND), "yahoo:unknown_ticker"), (Answer(200, chart("WXYZ")), "yahoo:wrong_ticker"),
    (Answer(200, b"x" * 2_100_000), "yahoo:too_big")])
def test_no_quote_has_a_reason(answer: Answer, reason: str) -> None:
    """Each failure is named and asked for once."""
    with Receiver(lambda got: answer) as receiver:
        priced = chain(receiver).quote("ABCD")
        assert (priced.quote, priced.reasons) == (None, (reason,))
        assert len(receiver.got) == 1


def test_too_many_requests_pause_the_provider() -> None:
    """After a 429 the provider is left alone: the next ticker is not asked for."""
    with Receiver(lambda got: Answer(429, b"", {"Retry-After": "60"})) as receiver:
        prices = chain(receiver)
        assert prices.quote("ABCD").reasons == ("yahoo:status_429",)
        assert prices.quote("EFGH").reasons == ("yahoo:paused",)
        assert len(receiver.got) == 1


def test_a_slow_provider_ends_in_time() -> None:
    """A provider that never answers costs the total and no more."""
    end = threading.Event()

    def hang(_: object) -> Answer | None:
        end.wait(10)
        return None

    with Receiver(hang) as receiver:
        began = time.monotonic()
        priced = chain(receiver, "yahoo", "simulated").quote("ABCD", total_s=0.4)
        assert time.monotonic() - began < 2
        assert priced.quote is None
        assert priced.reasons[0] == "yahoo:timeout"
        end.set()


def test_a_provider_that_never_answers_holds_up_nobody() -> None:
    """A hundred tickers by eight workers wait for the first requests only; when it answers again the probe finds it."""
    works = threading.Event()

    def hang(_: object) -> Answer | None:
        return Answer(200, chart()) if works.wait(5) else None

    with Receiver(hang) as receiver, ThreadPoolExecutor(8) as pool:
        prices = chain(receiver)
        began = time.monotonic()
        priced = list(pool.map(lambda _: prices.quote("ABCD", total_s=0.5), range(100)))
        assert time.monotonic() - began < 2.5
        assert {one.quote for one in priced} == {None}
        assert len(receiver.got) <= 8 + 2
        assert priced[-1].reasons == ("yahoo:paused",)
        assert list(prices.paused_s()) == ["yahoo"]
        works.set()
        assert wait_until(lambda: prices.quote("ABCD").quote)
        assert prices.paused_s() == {}


def test_garbage_pauses_too() -> None:
    """Three pages in the place of a chart, and the next ticker is not asked for."""
    with Receiver(lambda got: Answer(200, b"<html>" if len(receiver.got) < 4 else chart())) as receiver:
        prices = chain(receiver, "yahoo")
        assert [prices.quote("ABCD").reasons for _ in range(4)] == [("yahoo:malformed",)] * 3 + [("yahoo:paused",)]
        assert len(receiver.got) == 3


@pytest.mark.parametrize("answer", [Answer(404, NOT_FOUND), Answer(200, chart("WXYZ")), Answer(401, b"")])
def test_a_provider_that_answers_is_never_paused(answer: Answer) -> None:
    """A ticker that it does not know, and a refusal that comes at once, hold up nobody: each ticker is asked for."""
    with Receiver(lambda got: answer) as receiver:
        prices = chain(receiver)
        for _ in range(5):
            prices.quote("ABCD")
        assert (len(receiver.got), prices.paused_s()) == (5, {})


def rows(*times_s: int, step: str = "1m") -> bytes:
    """A chart with a bar at each of these epoch seconds."""
    flat = [1.0] * len(times_s)
    quote = dict.fromkeys(("open", "high", "low", "close", "volume"), flat)
    return json.dumps({"chart": {"result": [{
        "meta": {"currency": "USD", "symbol": "ABCD", "dataGranularity": step}, "timestamp": times_s,
        "indicators": {"quote": [quote]}}]}}).encode()


def bars_of(receiver: Receiver, since_s: float, **options: float) -> Priced:
    """Ask for bars since so many seconds before the present of a fixed clock."""
    clock = FakeClock()
    settings = defaults(yahoo_base_url=receiver.url, quote_providers=("simulated",))
    prices = PriceChain(Http(clock, allow_hosts=provider_hosts(settings)), settings, clock)
    return prices.bars("ABCD", clock.now_ms() - round(since_s * 1000), **options)


NOW_S = FakeClock().now_ms() // 1000


def test_a_quote_brings_the_bars() -> None:
    """One request gives both."""
    with Receiver(lambda got: Answer(200, rows(NOW_S - 120, NOW_S - 60))) as receiver:
        charted = chain(receiver).quote("ABCD").charted
        assert charted is not None
        assert [bar.start_ms // 1000 for bar in charted.bars] == [NOW_S - 120, NOW_S - 60]
        assert len(receiver.got) == 1


@pytest.mark.parametrize(("since_s", "query"), [
    (30, "range=1d&interval=1m"), (2 * 86_400, "range=5d&interval=5m"), (10 * 86_400, "range=1mo&interval=30m")])
def test_bars_of_the_right_window(since_s: int, query: str) -> None:
    """The finest bars that reach so far back, marked with their provider, in one request."""
    with Receiver(lambda got: Answer(200, rows(NOW_S - 30 * 86_400, step=got.path.split("=")[2].split("&")[0]))
                  ) as receiver:
        charted = bars_of(receiver, since_s).charted
        assert charted is not None
        assert (charted.quote.provider, charted.quote.simulated) == ("simulated", True)
        assert [got.path.split("?")[1] for got in receiver.got] == [query + "&includePrePost=true&events=split"]


def test_a_wider_window_for_a_ticker_that_was_not_traded() -> None:
    """Where the day shows nothing before the moment the days before are asked for, and that answer counts."""
    def answer(got: Got) -> Answer:
        return Answer(200, rows(NOW_S - 10) if "range=1d" in got.path else rows(NOW_S - 90_000, step="5m"))

    with Receiver(answer) as receiver:
        charted = bars_of(receiver, 30).charted
        assert charted is not None
        assert [bar.start_ms // 1000 for bar in charted.bars] == [NOW_S - 90_000]
        assert charted.step_ms == 300_000
        assert len(receiver.got) == 2


def test_a_wider_window_that_fails_is_a_failure() -> None:
    """An answer that could still come is not replaced by one that knows less."""
    with Receiver(lambda got: Answer(200, rows(NOW_S - 10)) if "range=1d" in got.path else Answer(401)) as receiver:
        priced = bars_of(receiver, 30)
        assert (priced.charted, priced.reasons) == (None, ("simulated:status_401",))


def test_no_bars_of_an_unknown_ticker() -> None:
    """It is not looked for in wider windows."""
    with Receiver(lambda got: Answer(404, NOT_FOUND)) as receiver:
        assert bars_of(receiver, 30).reasons == ("simulated:unknown_ticker",)
        assert len(receiver.got) == 1


def test_unknown_provider() -> None:
    """A name that is no provider is said at the start, not skipped."""
    with Receiver() as receiver, pytest.raises(ConfigError, match="'acme'"):
        chain(receiver, "yahoo", "acme")


def test_private_address_of_another_host_stays_forbidden() -> None:
    """Only the provider's own address is opened."""
    settings = defaults(yahoo_base_url="http://127.0.0.1:9/x", allow_hosts=("h:1",))
    assert provider_hosts(settings) == ("h:1", "127.0.0.1:9")
    assert provider_hosts(defaults()) == ("query1.finance.yahoo.com:443",)
