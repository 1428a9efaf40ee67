"""`catalyst explain` on items that the real actors lost at known steps, each in its own database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.alerter import Alerter
from actors.classifier import Classifier
from actors.fetcher import Fetcher
from actors.market import Market
from actors.sec import Sec
from actors.tracker import Tracker
from catalyst.commands.explain import explain
from catalyst.core.funnel import STEPS
from catalyst.core.stories import item_id_of
from catalyst.messages import FilingFound, ItemDropped, Message, StoryFound
from catalyst.packing import pack
from catalyst.runtime.contract import Actor
from catalyst.runtime.engine import Received
from catalyst.testing import Bench, FakeClock
from tests.actors.test_fetcher import Wires, item, listing
from tests.alerting import drain
from tests.receiver import Answer, Got, Receiver

EACH = 3  # items a ticker and way to be lost: 9 tickers x 3 x 14 ways and some are over 200
USD = {"RICX": 50.0, "TINX": 0.01}
LOST_AT_SINK = "DEAX"
FIRMS = {"ALFX": "Alforva", "BELX": "Belkora", "CORX": "Cordane", "DREX": "Dremila", "ELDX": "Eldrane",
         "FERX": "Fermola", "RICX": "Ricardo", "TINX": "Tindara", LOST_AT_SINK: "Deandra"}
LIST = {str(at): {"cik_str": 100 + at, "ticker": ticker, "title": f"{name} Therapeutics, Inc."}
        for at, (ticker, name) in enumerate(FIRMS.items())}
WAYS = {  # what a title says -> the step at which its item stops
    "({x}) to Present at Healthcare Conference": "noise", "({x}) Opens an Office": "kind",
    "({x}) Names New CFO": "score", "({x}) Receives FDA Approval": "sent"}
GATED = {"({x}) Announces Reverse Stock Split": "score", "({x}) Wins Contract Award": "score"}
UNREADABLE = "({x}) Cannot Be Read"


class BenchHome:
    """The actors of one home, each on its bench, as the command asks them."""

    def __init__(self, folder: Path, clock: FakeClock, **settings: Any):
        self.clock = clock
        self.benches: dict[str, Bench] = {}
        for cls in (Fetcher, Sec, Classifier, Market, Alerter, Tracker):
            assert issubclass(cls, Actor)
            self.benches[cls.name] = Bench(cls, folder, clock=clock, **settings)
        self.settings = self.benches["fetcher"].settings

    def owner(self, actor: str) -> Bench | None:
        """The actor, for all of them run."""
        return self.benches.get(actor)

    def ask_all(self, actors: list[str], verb: str, timeout_s: float = 2.0, /, **arguments: Any) -> dict[str, Any]:
        """What each answers."""
        return {actor: {"ok": True, **self._ask(self.benches[actor], verb, arguments)} for actor in actors}

    def _ask(self, bench: Bench, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if verb != "query":
            return bench.verb(verb, **arguments)
        cursor = bench.store.db.execute(arguments["sql"], arguments["parameters"])
        return {"columns": [column[0] for column in cursor.description], "rows": cursor.fetchall(), "more": False}

    def deliver(self, messages: list[Message]) -> None:
        """Hand messages on until nobody sends one."""
        waiting = list(messages)
        while waiting:
            message = waiting.pop(0)
            bench = self.benches.get(message.RECEIVER)
            if bench is None:
                continue
            is_broken = isinstance(message, StoryFound) and "Cannot Be Read" in message.title
            waiting += self._break(bench, message) if is_broken else bench.send(message)
            if bench is self.benches["market"]:
                waiting += bench.run_jobs()
            if bench is self.benches["alerter"]:
                waiting += drain(bench)

    def _break(self, bench: Bench, message: Message) -> list[Message]:
        now_ms, kind = self.clock.now_ms(), type(message).__name__
        received = Received(message.message_id(), message.item_id, "fetcher", kind, 99, pack(message), now_ms, now_ms)
        return bench._turn(lambda db: bench.engine.receive(db, received))

    def poll(self, seconds: float = 10) -> None:
        """Poll what is due and see to all that comes of it."""
        self.clock.advance(seconds)
        fetcher = self.benches["fetcher"]
        self.deliver(fetcher.tick("poll_due") + fetcher.run_jobs())

    def gate(self, **changes: Any) -> None:
        """Reload the classifier with other gates."""
        actor = self.benches["classifier"].actor
        actor.settings = actor.settings.but(**changes)
        actor.on_reload()

    def close(self) -> None:
        """End as drained actors end."""
        for bench in self.benches.values():
            bench.close()


class Outside:
    """Quotes by ticker, and a Discord that refuses what one ticker's alert says."""

    def __call__(self, got: Got) -> Answer:
        if got.method == "POST":
            return Answer(400, {"message": "no"}) if LOST_AT_SINK.encode() in got.body else Answer(200, {"id": "1"})
        ticker = got.path.split("/")[-1].split("?")[0]
        return Answer(200, {"chart": {"error": None, "result": [{
            "meta": {"currency": "USD", "symbol": ticker, "regularMarketPrice": USD.get(ticker, 4.2),
                     "regularMarketTime": 1_767_362_000}, "timestamp": [], "indicators": {"quote": [{}]}}]}})


@pytest.fixture
def wires() -> Iterator[Wires]:
    """A server of feeds."""
    served = Wires()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def home(tmp_path: Path, wires: Wires) -> Iterator[BenchHome]:
    """All actors, two wires that have been polled once, quotes and a sink."""
    (tmp_path / "companies.json").write_text(json.dumps(LIST))
    with Receiver(Outside()) as outside:
        made = BenchHome(tmp_path, FakeClock(), sources=listing(tmp_path, wires, "one", "two"), charts=False,
                         allow_hosts=("127.0.0.1",), yahoo_base_url=outside.url, quote_ttl_s=0.0, price_ceiling=10.0,
                         discord_webhook_url=f"{outside.url}/api/webhooks/1/token", discord_per_minute=0, digest_from=0,
                         sec_user_agent="", companies=tmp_path / "companies.json")
        yield made
        made.close()


def title(ticker: str, way: str, number: int) -> str:
    """A title that names the company by its ticker, and is unlike all others."""
    return f"{FIRMS[ticker]} Therapeutics {way.format(x=f'Nasdaq: {ticker}')} {number}"


def link(text: str) -> str:
    return f"https://wire.example/{text.replace(' ', '-').replace('(', '').replace(')', '').replace(':', '')}"


def expected_step(ticker: str, step: str) -> str:
    """Where an item stops that passed the score: at the price, at the sink or nowhere."""
    if step != "sent":
        return step
    return "price" if ticker in USD else "sent"


def play(home: BenchHome, wires: Wires) -> dict[str, tuple[str, str]]:
    """Let items be lost at every step; item id -> ticker and step."""
    now_ms = home.clock.now_ms
    truth: dict[str, tuple[str, str]] = {}
    entries: dict[str, list[str]] = {"one": [], "two": []}

    def tell(wire: str, ticker: str, text: str, step: str, age_s: float = 1, at: str = "") -> None:
        address = at or link(text)
        entries[wire].append(item(text, address, now_ms() - round(age_s * 1000)))
        truth[item_id_of(address, address, wire)] = (ticker, expected_step(ticker, step))

    for ticker in FIRMS:
        for number in range(EACH):
            tell("one", ticker, title(ticker, "({x}) Receives FDA Approval Long Ago", number), "seen", 3_600)
    wires.feed("/one", *entries["one"])
    wires.feed("/two")
    home.poll(0)
    numbers = range(100, 100 + EACH)
    for ticker in FIRMS:
        for number in numbers:
            for way, step in WAYS.items():
                tell("one", ticker, title(ticker, way, number), step)
            tell("one", ticker, title(ticker, "({x}) Wins Late", number), "seen", 7_300)
            tell("one", ticker, title(ticker, UNREADABLE, number), "parsed")
            tell("one", ticker, f"More on {FIRMS[ticker]} Therapeutics Today, Part {number}", "ticker")
    wires.feed("/one", *entries["one"])
    home.poll()
    # Another wire has them too: what was told is folded, what was not is a repeat. Of the last tickers only, for copies
    # are looked for among the newest stories that share words, and these share most.
    for ticker in list(FIRMS)[3:]:
        for way, step in (("({x}) Receives FDA Approval", "mute"), ("({x}) Opens an Office", "seen")):
            at = link(title(ticker, way, 100) + " two")
            is_told = step == "mute" and ticker not in (*USD, LOST_AT_SINK)
            tell("two", ticker, title(ticker, way, 100), "mute" if is_told else "seen", at=at)
            if step == "mute" and ticker == LOST_AT_SINK:
                truth[item_id_of(at, at, "two")] = (ticker, "sent")  # it died with the alert that it would have joined
    wires.feed("/two", *entries["two"])
    home.poll()
    for (way, step), gates in zip(GATED.items(), ({"min_sent_abs": 1.0}, {"min_sent_abs": 0.0,
                                                                         "categories_allow": ("fda",)}), strict=True):
        home.gate(**gates)
        for ticker in FIRMS:
            tell("one", ticker, title(ticker, way, 200), step)
        wires.feed("/one", *entries["one"])
        home.poll()
    home.deliver(list(lost_by_hand(home, truth)))
    return truth


def lost_by_hand(home: BenchHome, truth: dict[str, tuple[str, str]]) -> Iterator[Message]:
    """Filings of a form that is not read; alerts that are held back by rules of the alerter."""
    for at, ticker in enumerate(FIRMS):
        item_id = f"0000000100-26-{at:06}"
        truth[item_id] = (ticker, "parsed")
        yield FilingFound(item_id=item_id, source="sec", trust=1, form="424B2", cik=f"{100 + at:010}",
                          company=FIRMS[ticker], title=f"424B2 - {FIRMS[ticker]}", link="https://sec.example/",
                          published_ms=None, seen_ms=home.clock.now_ms())
        for reason in ("muted:ticker", "cooldown:15m", "digest"):
            truth[f"{reason}-{ticker}"] = (ticker, "mute")
            home.benches["classifier"].send(StoryFound(
                item_id=f"{reason}-{ticker}", source="one", trust=1, title=title(ticker, "({x}) Files Chapter 11", at),
                link="https://wire.example/held", summary="", published_ms=None, seen_ms=home.clock.now_ms()))
            yield ItemDropped(item_id=f"{reason}-{ticker}", stage="alerter", reason=reason, ticker=ticker, score=0.9,
                              dropped_ms=home.clock.now_ms())


def test_every_item_is_lost_where_it_is_said(home: BenchHome, wires: Wires) -> None:
    """For more than 200 items, lost at every step by the actors themselves, the right step is named."""
    truth = play(home, wires)
    assert len(truth) >= 200
    assert {step for _, step in truth.values()} == set(STEPS)
    found: dict[str, tuple[str, str]] = {}
    for ticker in FIRMS:
        answer = explain(home, ticker, 0)  # type: ignore[arg-type]
        found |= {row["id"]: (ticker, row["step"]) for row in answer["items"]}
        assert answer["counts"] == Counter(row["step"] for row in answer["items"])
        assert all(row["why"] for row in answer["items"])
        assert not answer["silent"]
    wrong = {item_id: (truth[item_id], found.get(item_id)) for item_id in truth if found.get(item_id) != truth[item_id]}
    assert not wrong
    assert found.keys() == truth.keys()


def test_reasons_are_told_in_words(home: BenchHome, wires: Wires) -> None:
    """Each reason of a loss has words of its own, with the figures where there are some."""
    play(home, wires)
    said = {(row["step"], (row["reason"] or "").partition(":")[0]): row["why"]
            for ticker in FIRMS for row in explain(home, ticker, 0)["items"]}  # type: ignore[arg-type]
    assert said["price", "price_ceiling"] == "price 50.00 over the ceiling 10.00"
    assert said["price", "price_floor"] == "price 0.0100 under the floor 0.1000"
    assert said["score", "sent_gate"].startswith("sentiment ")
    assert said["score", "category_gate"].startswith("none of its kinds is one of fda; ")
    assert said["mute", "folded"].startswith("told as an update of alert ")
    assert said["parsed", "form"] == "filings of form 424B2 are not read"
    assert "it died in the classifier (invalid:wrong_version)" in said["parsed", "invalid"]
    assert "it died in the alerter (undelivered)" in said["sent", "undelivered"]
