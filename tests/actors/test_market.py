"""market on its real database, with a provider on loopback."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.market import Market
from catalyst.messages import AlertReady, CatalystScored, ItemDropped, Kind
from catalyst.testing import START_MS, Bench, same
from tests.receiver import Answer, Got, Receiver

SCORED = CatalystScored(
    item_id="i1", source="PR Newswire", title="Acme wins FDA approval", link="https://n.example/1", summary="long",
    published_ms=START_MS - 3_000, seen_ms=START_MS - 1_000, ticker="ACME", company="Acme Inc", role="primary",
    kinds=(Kind("fda_approval", "wins", "up", 1.0),), direction="up", sentiment=0.7, score=0.8, why="wins (title)")


class Prices:
    """A provider: `usd` by ticker, None for a server error."""

    def __init__(self) -> None:
        self.usd: dict[str, float | None] = {"ACME": 4.2, "RICH": 50.0, "TINY": 0.01}

    def __call__(self, got: Got) -> Answer:
        ticker = got.path.split("?")[0].rsplit("/", 1)[1]
        price_usd = self.usd.get(ticker, -1.0)
        if price_usd is None:
            return Answer(500, b"")
        if price_usd < 0:
            return Answer(404, {"chart": {"result": None, "error": {"code": "Not Found", "description": "none"}}})
        return Answer(200, {"chart": {"result": [{
            "meta": {"currency": "USD", "symbol": ticker, "previousClose": 4.0}, "timestamp": [START_MS // 1000 - 5],
            "indicators": {"quote": [{"close": [price_usd], "volume": [9]}]}}], "error": None}})


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.fixture
def provider(prices: Prices) -> Iterator[Receiver]:
    with Receiver(prices) as receiver:
        yield receiver


@pytest.fixture
def make(tmp_path: Path, provider: Receiver) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def new(**settings: Any) -> Bench:
        benches.append(Bench(Market, tmp_path, **{"yahoo_base_url": provider.url, **settings}))
        return benches[-1]

    yield new
    for bench in benches:
        bench.close()


def test_passes_with_the_price(make: Callable[..., Bench]) -> None:
    """Everything the classifier said goes on, with the price, its time and the provider."""
    bench = make()
    assert bench.send(SCORED) == []
    (ready,) = bench.run_jobs()
    assert isinstance(ready, AlertReady)
    assert (ready.price_usd, ready.price_ms, ready.previous_close_usd) == (4.2, START_MS - 5_000, 4.0)
    assert (ready.provider, ready.simulated, ready.ready_ms) == ("yahoo", False, START_MS)
    assert ready.alert_id == hashlib.blake2b(b"i1ACME").hexdigest()[:20]
    for name in ("item_id", "title", "link", "summary", "published_ms", "seen_ms", "kinds", "score", "why", "company"):
        assert getattr(ready, name) == getattr(SCORED, name)


@pytest.mark.parametrize(("ticker", "reason"), [("RICH", "price_ceiling"), ("TINY", "price_floor")])
def test_drops_with_a_reason(make: Callable[..., Bench], ticker: str, reason: str) -> None:
    """Outside the limits the item ends here, with what the tracker needs."""
    bench = make()
    bench.send(same(SCORED, ticker=ticker))
    (dropped,) = bench.run_jobs()
    assert dropped == ItemDropped(item_id="i1", stage="market", reason=reason, ticker=ticker, kinds=("fda_approval",),
                                  score=0.8, dropped_ms=START_MS)
    assert bench.rows("SELECT item_id, ticker, reason FROM decisions") == [("i1", ticker, reason)]


def test_watched_passes_the_ceiling(make: Callable[..., Bench]) -> None:
    """A watched ticker is alerted at any price."""
    bench = make()
    bench.send(same(SCORED, ticker="RICH", watched=True))
    assert [type(message) for message in bench.run_jobs()] == [AlertReady]


@pytest.mark.parametrize("usd", [None, -1.0])
def test_without_a_price_it_is_alerted(make: Callable[..., Bench], prices: Prices, usd: float | None) -> None:
    """A failing provider or an unknown ticker costs the price, not the alert."""
    prices.usd["ACME"] = usd
    bench = make()
    bench.send(SCORED)
    (ready,) = bench.run_jobs()
    assert isinstance(ready, AlertReady)
    assert (ready.price_usd, ready.price_ms, ready.provider, ready.simulated) == (None, None, None, False)
    assert bench.actor.statistics()["price_unknown"] == 1
    assert bench.rows("SELECT count(*) FROM quotes") == [(0,)]


def test_a_fresh_quote_answers_at_once(make: Callable[..., Bench], provider: Receiver) -> None:
    """The second item on a ticker within the time to live asks nobody; after it the provider is asked again."""
    bench = make(quote_ttl_s=15.0)
    bench.send(SCORED)
    bench.run_jobs()
    bench.clock.advance(14)
    (ready,) = bench.send(same(SCORED, item_id="i2"))
    assert isinstance(ready, AlertReady)
    assert ready.price_usd == 4.2
    bench.clock.advance(2)
    assert bench.send(same(SCORED, item_id="i3")) == []
    assert len(bench.run_jobs()) == 1
    assert len(provider.got) == 2


def test_simulated_quotes_are_marked_everywhere(make: Callable[..., Bench]) -> None:
    """In the row and in the alert; also where the stored quote answers."""
    bench = make(quote_providers=("simulated",))
    bench.send(SCORED)
    (first,) = bench.run_jobs()
    (second,) = bench.send(same(SCORED, item_id="i2"))
    for ready in (first, second):
        assert isinstance(ready, AlertReady)
        assert (ready.simulated, ready.provider) == (True, "simulated")
    assert bench.rows("SELECT provider, simulated FROM quotes") == [("simulated", 1)]


def test_a_stored_simulated_quote_is_not_used_live(make: Callable[..., Bench]) -> None:
    """After a change of providers an old simulated price answers nothing."""
    bench = make(quote_providers=("simulated",))
    bench.send(SCORED)
    bench.run_jobs()
    bench.actor.settings = bench.settings.but(quote_providers=("yahoo",))
    bench.actor.on_reload()
    assert bench.send(same(SCORED, item_id="i2")) == []
    (ready,) = bench.run_jobs()
    assert isinstance(ready, AlertReady)
    assert not ready.simulated


def test_one_decision_an_item_and_ticker(make: Callable[..., Bench]) -> None:
    """The same item again changes nothing; another ticker of it is decided for itself."""
    bench = make()
    bench.send(SCORED)
    bench.run_jobs()
    bench.clock.advance(3600)
    assert bench.send(same(SCORED, title="again")) == []
    assert bench.jobs() == []
    bench.send(same(SCORED, ticker="RICH"))
    assert [type(message) for message in bench.run_jobs()] == [ItemDropped]


def test_watched_and_better_items_first(make: Callable[..., Bench]) -> None:
    """Where jobs wait, watched tickers are picked first, then the higher score."""
    bench = make()
    for item, score, watched in (("i1", 0.3, False), ("i2", 0.9, False), ("i3", 0.2, True)):
        bench.send(same(SCORED, item_id=item, score=score, watched=watched))
    assert [job.item_id for job in bench.jobs()] == ["i3", "i2", "i1"]


def test_a_kill_while_asking_changes_nothing(make: Callable[..., Bench]) -> None:
    """The quote is asked for again and the item has the same fate."""
    bench = make()
    bench.send(SCORED)
    assert len(bench.interrupt_jobs()) == 1
    bench.restart()
    (ready,) = bench.run_jobs()
    assert isinstance(ready, AlertReady)
    assert ready.price_usd == 4.2


def test_old_rows_are_pruned(make: Callable[..., Bench]) -> None:
    """Quotes go after a week, decisions after thirty days."""
    bench = make()
    bench.send(SCORED)
    bench.run_jobs()
    bench.clock.advance(8 * 86_400)
    bench.tick("prune")
    assert bench.rows("SELECT (SELECT count(*) FROM quotes), (SELECT count(*) FROM decisions)") == [(0, 1)]
    bench.clock.advance(23 * 86_400)
    bench.tick("prune")
    assert bench.rows("SELECT count(*) FROM decisions") == [(0,)]


def test_reload_takes_new_limits(make: Callable[..., Bench]) -> None:
    """A new ceiling counts from the reload on."""
    bench = make()
    bench.actor.settings = bench.settings.but(price_ceiling=100.0)
    bench.actor.on_reload()
    bench.send(same(SCORED, ticker="RICH"))
    assert [type(message) for message in bench.run_jobs()] == [AlertReady]


def test_why_no_price_was_known_is_stored(make: Callable[..., Bench], prices: Prices) -> None:
    """The decision names what each provider answered."""
    prices.usd["ACME"] = -1.0
    bench = make()
    bench.send(SCORED)
    bench.run_jobs()
    assert bench.rows("SELECT faults FROM decisions") == [("yahoo:unknown_ticker",)]
