"""market on its real database, with a provider on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.market import Market
from catalyst.books.prices import MOST_BARS_KEPT, Pricebook
from catalyst.core.bars import midnight_ms, new_york_day
from catalyst.core.quotes import Charted, Quote
from catalyst.errors import UsageError
from catalyst.messages import (
    AlertReady,
    Bar,
    CatalystScored,
    ChartWanted,
    ItemDropped,
    Kind,
    Message,
    PriceSeen,
    Split,
    WatchTicker,
)
from catalyst.testing import START_MS, Bench, FakeClock, same, wait_until
from catalyst.world.day import Day
from catalyst.world.generate import generate
from catalyst.world.server import World
from tests.quoting import Prices
from tests.receiver import Answer, Got, Receiver

SCORED = CatalystScored(
    item_id="i1", source="PR Newswire", title="Acme wins FDA approval", link="https://n.example/1", summary="long",
    published_ms=START_MS - 3_000, seen_ms=START_MS - 1_000, ticker="ACME", company="Acme Inc", role="primary",
    kinds=(Kind("fda_approval", "wins", "up", 1.0),), direction="up", sentiment=0.7, score=0.8, why="wins (title)")


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
    assert (ready.session, ready.rvol, ready.trust) == ("premarket", None, SCORED.trust)
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


# -- bars and charts

MINUTE_MS, DAY_MS = 60_000, 86_400_000
BARS = [Bar(START_MS + MINUTE_MS * n, 4 + n / 10, 4.2 + n / 10, 3.9 + n / 10, 4.1 + n / 10, 100.0)
        for n in range(-9, 1)]


def of(kind: type[Message], messages: list[Message]) -> list[Any]:
    return [message for message in messages if type(message) is kind]


def test_the_alert_comes_with_its_bars(make: Callable[..., Bench], prices: Prices) -> None:
    """The bars of the same answer go to the charter, marked where the story was published."""
    prices.bars["1d"] = BARS
    bench = make(quote_providers=("simulated",))
    bench.send(same(SCORED, form="8-K", watched=True))
    ready, wanted = bench.run_jobs()
    assert isinstance(ready, AlertReady)
    assert ready.form == "8-K"
    assert wanted == ChartWanted(item_id="i1", alert_id=ready.alert_id, ticker="ACME", bars=tuple(BARS),
                                 mark_ms=START_MS - 3_000, score=0.8, watched=True, simulated=True,
                                 provider="simulated", sentiment=0.7)


@pytest.mark.parametrize(("frame", "window"), [("5D", "5d"), ("1M", "1mo"), ("3M", "3mo"), ("1Y", "1y")])
def test_a_chart_of_several_days(make: Callable[..., Bench], prices: Prices, frame: str, window: str) -> None:
    """The alert goes out with the quote; then the days are asked for, and the chart has them with today's own bars."""
    day_ms = 86_400_000
    prices.bars = {"1d": BARS, window: [*(Bar(START_MS - back * day_ms, 2, 3, 1, 2, 10) for back in (3, 2, 1)),
                                        Bar(START_MS, 9, 9, 9, 9, 9)]}
    bench = make(chart_frame=frame, quote_providers=("simulated",))
    bench.send(SCORED)
    sent = bench.run_jobs()
    assert [type(message) for message in sent] == [AlertReady, ChartWanted]
    wanted = of(ChartWanted, sent)[0]
    assert (wanted.simulated, wanted.mark_ms, wanted.alert_id) == (True, SCORED.published_ms, sent[0].alert_id)  # type: ignore[attr-defined]
    if frame == "5D":
        assert wanted.bars == (*prices.bars[window][:3], *BARS)
    else:
        assert [bar.close for bar in wanted.bars] == [2, 2, 2, BARS[-1].close]
        assert all(bar.start_ms == midnight_ms(new_york_day(bar.start_ms)) for bar in wanted.bars)


def test_no_alert_waits_for_the_days_of_its_chart(make: Callable[..., Bench], prices: Prices) -> None:
    """They are a job of their own, which survives a kill; where no provider has them the chart shows today."""
    prices.bars["1d"] = BARS
    bench = make(chart_frame="1Y")
    bench.send(SCORED)
    bench.run_jobs()
    bench.send(same(SCORED, item_id="i2"))
    assert [type(message) for message in bench.sent[-1:]] == [AlertReady]
    assert [job.kind for job in bench.jobs()] == ["history"]
    prices.usd["ACME"] = None
    bench.restart()
    (wanted,) = bench.run_jobs()
    assert isinstance(wanted, ChartWanted)
    assert wanted.bars == tuple(BARS)
    assert bench.actor.statistics()["fault_yahoo_status_500"] == 2


def test_the_mark_of_an_undated_story(make: Callable[..., Bench], prices: Prices) -> None:
    """Where nobody says when it was published, it is marked where it was seen."""
    prices.bars["1d"] = BARS
    bench = make()
    bench.send(same(SCORED, published_ms=None))
    assert of(ChartWanted, bench.run_jobs())[0].mark_ms == SCORED.seen_ms


def test_a_fresh_quote_brings_its_stored_bars(make: Callable[..., Bench], prices: Prices) -> None:
    """The second alert within the time to live draws the same bars, also after a kill."""
    prices.bars["1d"] = BARS
    bench = make()
    bench.send(SCORED)
    bench.run_jobs()
    bench.restart()
    _, wanted = bench.send(same(SCORED, item_id="i2"))
    assert wanted.bars == tuple(BARS)


def test_no_chart_without_bars(make: Callable[..., Bench], prices: Prices) -> None:
    """The alert stays a text: no bars in the answer, no price at all, or charts switched off."""
    bench = make()
    bench.send(SCORED)
    assert [type(message) for message in bench.run_jobs()] == [AlertReady]
    prices.usd["ACME"] = None
    bench.clock.advance(60)
    bench.send(same(SCORED, item_id="i2"))
    assert [type(message) for message in bench.run_jobs()] == [AlertReady]
    prices.usd["ACME"], prices.bars["1d"] = 4.2, BARS
    bench.actor.settings = bench.settings.but(charts=False)
    bench.send(same(SCORED, item_id="i3"))
    assert [type(message) for message in bench.run_jobs()] == [AlertReady]


def test_a_dropped_story_has_no_chart(make: Callable[..., Bench], prices: Prices) -> None:
    """Outside the price limits nothing is drawn."""
    prices.bars["1d"] = [Bar(START_MS, 50.0, 50.0, 50.0, 50.0, 1.0)]
    bench = make()
    bench.send(SCORED)
    assert [type(message) for message in bench.run_jobs()] == [ItemDropped]


def test_bars_of_an_older_quote_are_not_drawn(make: Callable[..., Bench], prices: Prices) -> None:
    """Where the newest answer has no bars those of an earlier one are gone."""
    prices.bars["1d"] = BARS
    bench = make()
    bench.send(SCORED)
    bench.run_jobs()
    del prices.bars["1d"]
    bench.clock.advance(60)
    bench.send(same(SCORED, item_id="i2"))
    assert of(ChartWanted, bench.run_jobs()) == []
    assert bench.rows("SELECT count(*) FROM bars") == [(0,)]


def test_price_cache_grows_within_bounds(make: Callable[..., Bench]) -> None:
    """Bars of 500 tickers are kept, the ones used longest ago make room, and a week ends them all."""
    bench = make()
    for n in range(MOST_BARS_KEPT + 20):
        bench.clock.advance(1)
        book = Pricebook(bench.store.db, bench.clock.now_ms())
        book.remember(Charted(Quote(f"T{n}", 1.0, None, None, None, "yahoo"), tuple(BARS)))
        assert book.bars("T0") == tuple(BARS)
    kept = {row[0] for row in bench.rows("SELECT ticker FROM bars")}
    assert kept == {"T0", *(f"T{n}" for n in range(21, MOST_BARS_KEPT + 20))}
    bench.clock.advance(8 * 86_400)
    for _ in range(10):
        bench.tick("prune")
    assert bench.rows("SELECT count(*) FROM bars") == [(0,)]


def test_a_hundred_rounds_take_no_more_room(make: Callable[..., Bench]) -> None:
    """The same tickers again and again leave the file as large as it was."""
    bench = make()

    def pages() -> int:
        for n in range(50):
            bench.clock.advance(1)
            Pricebook(bench.store.db, bench.clock.now_ms()).remember(
                Charted(Quote(f"T{n}", 1.0, None, None, None, "yahoo"), tuple(BARS * 40)))
        return int(bench.rows("PRAGMA page_count")[0][0])

    first = [pages() for _ in range(5)][-1]
    assert [pages() for _ in range(95)][-1] <= first


def test_decision_by_item_and_ticker(make: Callable[..., Bench]) -> None:
    """What the gate said, for one ticker or all; a wrong question is the asker's fault."""
    bench = make()
    for ticker in ("RICH", "ACME"):
        bench.send(same(SCORED, ticker=ticker))
        bench.run_jobs()
    passed = {"item_id": "i1", "ticker": "ACME", "reason": None, "price_usd": 4.2, "faults": "", "at_ms": START_MS}
    dropped = {**passed, "ticker": "RICH", "reason": "price_ceiling", "price_usd": 50.0}
    assert bench.verb("decision", item_id="i1") == {"decisions": [passed, dropped]}
    assert bench.verb("decision", item_id="i1", ticker="RICH") == {"decisions": [dropped]}
    assert bench.verb("decision", item_id="i2") == {"decisions": []}
    with pytest.raises(UsageError):
        bench.verb("decision", ticker="RICH")


# -- watches

WATCH = WatchTicker(item_id="i1", ticker="ACME", horizon="15m", due_ms=START_MS + 900_000)


def minutes(count: int) -> list[Bar]:
    """Bars from the start on, the n-th of which closes at n."""
    return [Bar(START_MS + MINUTE_MS * n, n + 0.5, n + 1.5, n + 0.5, n + 1.0, 1.0) for n in range(count)]


def looked(bench: Bench) -> list[Message]:
    return bench.tick("look_due") + bench.run_jobs()


def test_the_price_of_the_moment(make: Callable[..., Bench], prices: Prices, provider: Receiver) -> None:
    """Nothing is asked before; then the bar that was over at the moment counts, once."""
    prices.bars["1d"] = minutes(17)
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(899)
    assert looked(bench) == []
    assert provider.got == []
    bench.clock.advance(61)
    assert looked(bench) == [PriceSeen(item_id="i1", ticker="ACME", horizon="15m", due_ms=WATCH.due_ms, price_usd=15.0,
                                       price_ms=START_MS + 14 * MINUTE_MS, simulated=False, provider="yahoo")]
    assert looked(bench) == []
    assert bench.rows("SELECT count(*) FROM watches") == [(0,)]


def test_a_split_since_the_alert_is_told(make: Callable[..., Bench], prices: Prices, provider: Receiver) -> None:
    """Of an alert of a day before the days since are asked for, with their splits; of today's nothing more."""
    prices.bars |= {"1d": [same(bar, start_ms=bar.start_ms + DAY_MS) for bar in minutes(17)],
                    "1mo": [Bar(START_MS, 1.0, 1.0, 1.0, 1.0, 1.0), Bar(START_MS + DAY_MS, 9.0, 9.0, 9.0, 9.0, 1.0)]}
    prices.splits = {"1": {"date": (START_MS + DAY_MS) // 1000, "numerator": 1, "denominator": 20}}
    bench = make()
    bench.send(same(WATCH, horizon="1d", due_ms=START_MS + DAY_MS + MINUTE_MS))
    bench.clock.advance(DAY_MS / 1000 + 120)
    [seen] = of(PriceSeen, looked(bench))
    assert (seen.price_usd, seen.splits) == (1.0, (Split(START_MS + DAY_MS, 20.0),))
    assert [bar.close for bar in seen.days] == [1.0, 9.0]
    assert [parse_qs(urlsplit(got.path).query)["range"] for got in provider.got] == [["1d"], ["1mo"]]
    assert all("events=split" in got.path for got in provider.got)


def test_it_is_asked_for_at_the_very_moment(make: Callable[..., Bench], prices: Prices, provider: Receiver) -> None:
    """The request is planned for the moment itself, so that the market's own price is the price of then."""
    bench = make()
    bench.send(same(WATCH, due_ms=START_MS + 1_500))
    bench.send(same(WATCH, item_id="i2", due_ms=START_MS + 1_700))
    bench.send(same(WATCH, item_id="i3", due_ms=START_MS + 3_000))
    assert bench.tick("look_due") == []
    assert bench.jobs() == []
    bench.clock.advance(0.9)
    bench.tick("look_due")
    assert [job.not_before_ms for job in bench.jobs()] == [START_MS + 1_700]
    assert bench.run_jobs() == []
    bench.clock.advance(0.8)
    prices.bars["1d"] = minutes(1)
    assert {seen.item_id for seen in of(PriceSeen, bench.run_jobs())} == {"i1", "i2"}


def test_one_request_for_all_due_watches_of_a_ticker(make: Callable[..., Bench], prices: Prices,
                                                     provider: Receiver) -> None:
    """Each gets the price of its own moment; one that is not due waits on."""
    prices.bars["1d"] = minutes(40)
    bench = make()
    for n in range(5):
        bench.send(same(WATCH, item_id=f"i{n}", due_ms=START_MS + (10 + n) * MINUTE_MS))
    bench.send(same(WATCH, horizon="7d", due_ms=START_MS + 7 * 86_400_000))
    bench.clock.advance(1_000)
    assert [seen.price_usd for seen in of(PriceSeen, looked(bench))] == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert len(provider.got) == 1
    assert bench.rows("SELECT horizon FROM watches") == [("7d",)]


def test_a_watch_that_falls_due_while_another_is_asked_for(make: Callable[..., Bench], prices: Prices) -> None:
    """An answer asked for too early does not settle it; its own request does."""
    prices.bars["1d"] = minutes(16)
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    bench.tick("look_due")
    (job,) = bench.interrupt_jobs()
    found = bench.actor.work_look(job.payload)  # type: ignore[attr-defined]
    bench.send(same(WATCH, item_id="i2", due_ms=START_MS + 960_000))
    bench.clock.advance(90)
    sent = bench._turn(lambda db: bench.engine._emit(db, bench.actor.done_look(job, found, db)))  # type: ignore[attr-defined]
    assert [seen.item_id for seen in sent] == ["i1"]
    prices.bars["1d"] = minutes(20)
    assert [(seen.item_id, seen.price_usd) for seen in of(PriceSeen, looked(bench))] == [("i2", 16.0)]


def test_watches_survive_a_kill_and_are_answered_once(make: Callable[..., Bench], prices: Prices) -> None:
    """Killed before, during and after the request: one answer."""
    prices.bars["1d"] = minutes(30)
    bench = make()
    bench.send(WATCH)
    bench.restart()
    bench.clock.advance(1_000)
    bench.tick("look_due")
    assert len(bench.interrupt_jobs()) == 1
    sent = bench.restart()
    assert bench.actor.waiting() == 1
    sent += bench.run_jobs()
    bench.restart()
    sent += looked(bench) + bench.send(WATCH) + looked(bench)
    assert len(of(PriceSeen, sent)) == 1
    assert bench.actor.waiting() == 0


def test_only_what_is_due_counts_as_waiting(make: Callable[..., Bench], prices: Prices) -> None:
    """The future does not disturb `idle`; from its moment to its answer a watch does, tick or no tick."""
    prices.bars["1d"] = minutes(30)
    bench = make()
    bench.send(WATCH)
    bench.tick("look_due")
    assert (bench.actor.waiting(), bench.engine.jobs.waiting()) == (0, 0)
    bench.clock.advance(900)
    assert bench.actor.waiting() == 1
    bench.tick("look_due")
    assert (bench.actor.waiting(), bench.engine.jobs.waiting(), len(bench.jobs())) == (1, 0, 1)  # counted once
    bench.run_jobs()
    assert bench.actor.waiting() == 0


def test_a_slow_request_is_not_made_twice(make: Callable[..., Bench]) -> None:
    """While the answer is awaited the timer asks no more; one that never comes is asked for again an hour later."""
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    bench.tick("look_due")
    assert len(bench.interrupt_jobs()) == 1
    bench.clock.advance(60)
    bench.tick("look_due")
    assert bench.jobs() == []
    bench.clock.advance(3_600)
    bench.tick("look_due")
    assert len(bench.jobs()) == 1


def test_no_answer_is_tried_again_for_an_hour(make: Callable[..., Bench], prices: Prices) -> None:
    """With growing waits that survive a kill; then the tracker hears why there is no price."""
    prices.usd["ACME"] = None
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    sent: list[Message] = []
    for n in range(0, 3_700, 5):
        if n == 1_000:
            bench.restart()
        sent += looked(bench)
        bench.clock.advance(5)
    (seen,) = of(PriceSeen, sent)
    assert (seen.price_usd, seen.price_ms, seen.provider, seen.reason) == (None, None, None, "yahoo:status_500")
    assert bench.rows("SELECT count(*) FROM watches") == [(0,)]


def test_an_answer_after_faults_still_tells_the_price_of_the_moment(make: Callable[..., Bench],
                                                                    prices: Prices) -> None:
    """Half an hour later the bars know it."""
    prices.usd["ACME"] = None
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    assert looked(bench) == []
    prices.usd["ACME"], prices.bars["1d"] = 4.2, minutes(60)
    bench.clock.advance(1_800)
    assert [seen.price_usd for seen in of(PriceSeen, looked(bench))] == [15.0]


def test_a_defect_in_asking_costs_no_watch(make: Callable[..., Bench], prices: Prices) -> None:
    """A look that breaks is a request without an answer: the next one counts."""
    prices.bars["1d"] = minutes(20)
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    bench.actor._chain = None  # type: ignore[attr-defined]
    assert looked(bench) == []
    ((tries, first_ms, next_ms),) = bench.rows("SELECT tries, first_ms, next_ms FROM watches")
    assert (tries, first_ms) == (1, WATCH.due_ms)
    assert 3_750 <= next_ms - WATCH.due_ms <= 5_000
    bench.actor.on_reload()
    bench.clock.advance(5)
    assert [seen.price_usd for seen in of(PriceSeen, looked(bench))] == [15.0]


def test_an_unknown_ticker_is_not_asked_for_again(make: Callable[..., Bench], prices: Prices,
                                                  provider: Receiver) -> None:
    """Asking again would change nothing."""
    prices.usd["ACME"] = -1.0
    bench = make()
    bench.send(WATCH)
    bench.clock.advance(900)
    assert [seen.reason for seen in of(PriceSeen, looked(bench))] == ["yahoo:unknown_ticker"]
    assert len(provider.got) == 1


@pytest.mark.parametrize(("late_s", "window"), [(86_400, "5d"), (6 * 86_400, "1mo")])
def test_after_a_standstill_coarser_bars_tell_it(make: Callable[..., Bench], prices: Prices, late_s: int,
                                                 window: str) -> None:
    """A market that was down for days asks for a longer range and takes the price of then, not of now."""
    step_ms = {"5d": 300_000, "1mo": 1_800_000}[window]
    prices.bars = {"1d": minutes(60), window: [Bar(START_MS - 3_600_000 + step_ms * n, n + 1.0, n + 1.0, n + 1.0,
                                                   n + 1.0, 1.0) for n in range(100)]}
    bench = make()
    bench.send(WATCH)
    bench.restart()
    bench.clock.advance(900 + late_s)
    (seen,) = of(PriceSeen, looked(bench))
    assert seen.price_ms == WATCH.due_ms - (step_ms if window == "5d" else 2_700_000)
    assert seen.price_usd == (seen.price_ms - START_MS + 3_600_000) // step_ms + 1


def test_looks_never_hold_up_an_alert(make: Callable[..., Bench], prices: Prices, provider: Receiver) -> None:
    """With all workers of looks stuck at a provider and more waiting, an alert's quote is asked for at once."""
    bench, end = make(), threading.Event()

    def slow(got: Got) -> Answer:
        if "/ACME" not in got.path:
            end.wait(10)
        return prices(got)

    provider.answer = slow
    for n in range(30):
        bench.send(same(WATCH, ticker=f"W{n}", due_ms=START_MS))
    bench.tick("look_due")
    stuck = bench.interrupt_jobs()
    assert {job.kind for job in stuck} == {"look"}
    bench.engine.jobs.start(stuck)
    bench.send(SCORED)
    (job,) = bench.interrupt_jobs()
    assert job.kind == "quote"
    assert bench.engine.jobs.run_one(job).result.quote.price_usd == 4.2
    assert not end.is_set()
    end.set()
    done: list[object] = []
    wait_until(lambda: done.extend(bench.engine.jobs.finished()) or len(done) == len(stuck))


def test_no_more_than_ten_tickers_a_turn(make: Callable[..., Bench], prices: Prices, provider: Receiver) -> None:
    """A thousand watches at once are asked for bit by bit, the longest due first, each ticker once."""
    prices.bars["1d"] = minutes(5)
    bench = make()
    for n in range(25):
        bench.send(same(WATCH, ticker=f"W{n}", due_ms=START_MS + 2 * MINUTE_MS - n))
    bench.clock.advance(120)
    assert [len(looked(bench)) for _ in range(4)] == [10, 10, 5, 0]
    tickers = [urlsplit(got.path).path.rsplit("/", 1)[1] for got in provider.got]
    assert sorted(tickers[:10]) == [f"W{n}" for n in range(15, 25)]
    assert len(tickers) == len(set(tickers)) == 25


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return generate(3, 40, tmp_path_factory.mktemp("days") / "small", duration_s=3_600)


def test_with_the_stand_in_world(tmp_path: Path, day: Day) -> None:
    """Quote, chart and the price a quarter of an hour later, from a real server, all marked as simulated."""
    clock = FakeClock()
    assert day.bars is not None
    ticker = sorted(file.stem for file in day.bars.glob("*.csv"))[0]
    with World(day, clock=clock) as world, Bench(Market, tmp_path, clock=clock, yahoo_base_url=world.url,
                                                 quote_providers=("simulated",), price_ceiling=0) as bench:
        clock.advance(60)
        bench.send(same(SCORED, ticker=ticker))
        ready, wanted = bench.run_jobs()
        assert isinstance(wanted, ChartWanted)
        assert wanted.simulated
        assert wanted.bars[-1].close == pytest.approx(ready.price_usd)  # type: ignore[attr-defined]
        due_ms = clock.now_ms() + 900_000
        bench.send(same(WATCH, ticker=ticker, due_ms=due_ms))
        clock.advance(900)
        (prompt,) = of(PriceSeen, looked(bench))
        clock.advance(1_200)
        bench.send(same(WATCH, ticker=ticker, item_id="i2", due_ms=due_ms))
        (late,) = of(PriceSeen, looked(bench))
        for seen in (prompt, late):
            assert (seen.simulated, seen.provider) == (True, "simulated")
            assert due_ms - 120_000 <= seen.price_ms <= due_ms
