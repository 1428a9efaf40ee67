"""`catalyst explain` and `show` against the real actors behind a tiny fetcher."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC
from typing import Any, ClassVar

import pytest

from actors.alerter import Alerter
from actors.classifier import Classifier
from actors.market import Market
from actors.tracker import Tracker
from catalyst.commands import show
from catalyst.commands.output import Local
from catalyst.core import funnel, naming
from catalyst.core.companies import Company
from catalyst.core.passed import alert_id
from catalyst.messages import FilingRead, ItemDropped, StoryFound
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.testing import START_MS, wait_until
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running
from tests.receiver import Answer, Got, Receiver

LIST = {"0": {"cik_str": 7, "ticker": "ACME", "title": "Acme Therapeutics, Inc."},
        "1": {"cik_str": 8, "ticker": "BCME", "title": "Bcme Corp"},
        "2": {"cik_str": 9, "ticker": "QUIET", "title": "Quiet Holdings"}}
STORIES = {  # what the classifier is sent
    "dear": "Acme (Nasdaq: ACME) Receives FDA Approval for Xyz", "weak": "Acme (Nasdaq: ACME) Names New CFO",
    "noisy": "Acme (Nasdaq: ACME) to Present at Healthcare Conference", "gone": "Acme (Nasdaq: ACME) Enters Chapter 11",
    "named": "Interview \x1b[31mwith Acme Therapeutics", "plain": "Acme (Nasdaq: ACME) Opens an Office",
    "other": "Bcme (Nasdaq: BCME) Wins Contract Award, Acme Therapeutics Loses It"}
ALERT_ID = alert_id("gone", "ACME")
COUNTS = {"seen": 2, "ticker": 2, "noise": 1, "kind": 1, "score": 2, "price": 1, "sent": 1}


class SmallFetcher(Actor):
    """Sends the stories and a filing, drops one as backlog, and knows one that is still on its way.

    The first story goes alone: its quote must not be that of the others.
    """

    name = "fetcher"
    outbox = (StoryFound, FilingRead, ItemDropped)
    tables = ("CREATE TABLE stories(item_id TEXT PRIMARY KEY, source TEXT, title TEXT, seen_ms INTEGER) WITHOUT ROWID;"
              "CREATE TABLE words(word TEXT, seen_ms INTEGER, item_id TEXT);"
              "CREATE TABLE feeds(name TEXT, last_ok_ms INTEGER, last_body_ms INTEGER);",)
    every = (Every("begin", 3600, at_start=True), Every("go_on", 0.02))
    rest: ClassVar[threading.Event] = threading.Event()  # set by the test when the others may go

    def begin(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Take everything in, once; send the first story."""
        now_ms = self.now_ms
        titles = {**STORIES, "0001-25-1": "8-K - ACME THERAPEUTICS INC (0000000007) (Filer)",
                  "old": "Acme Therapeutics Announces Old News", "late": "ACME: something is up",
                  "far": "Nothing of it"}
        db.executemany("INSERT INTO stories VALUES(?, 'wire', ?, ?)",
                       [(item, title, now_ms - 1_000 + place) for place, (item, title) in enumerate(titles.items())])
        db.execute("INSERT INTO stories VALUES('ages', 'wire', 'Acme (Nasdaq: ACME) Long Ago', ?)",
                   (now_ms - 9_000_000,))
        db.executemany("INSERT INTO words VALUES(?, ?, ?)", [
            (word, seen_ms, item) for item, title, seen_ms in db.execute("SELECT item_id, title, seen_ms FROM stories")
            for word in naming.words_of(title)])
        db.execute("INSERT INTO feeds VALUES('wire', ?, NULL)", (START_MS,))
        yield self._story("dear")

    def _story(self, item_id: str) -> StoryFound:
        return StoryFound(item_id=item_id, source="wire", trust=1, title=STORIES[item_id], link="https://example.com/",
                          summary="", published_ms=None, seen_ms=self.now_ms)

    def go_on(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Send the others, once."""
        if not self.rest.is_set():
            return
        self.rest.clear()
        now_ms = self.now_ms
        yield from (self._story(item_id) for item_id in STORIES if item_id != "dear")
        yield FilingRead(item_id="0001-25-1", source="sec_8k", trust=1, form="8-K", amendment=False, cik="0000000007",
                         company="ACME THERAPEUTICS INC", title="8-K: Acme", link="https://example.com/",
                         items=("1.01",), published_ms=None, seen_ms=now_ms)
        yield ItemDropped(item_id="old", stage="fetcher", reason="backlog", dropped_ms=now_ms)


class Outside:
    """Quotes and Discord: the first quote is over the ceiling, the later ones are not; after its alert a price falls.

    Each quote is a second old or more; that after an alert is of the second that begins one to two seconds after it.
    """

    def __init__(self) -> None:
        self.quoted = 0
        self._posted_s: dict[str, float] = {}

    def __call__(self, got: Got) -> Answer:
        """The answer to a request for a quote or to a message."""
        if got.method == "POST":
            self._posted_s["BCME" if b"BCME" in got.body else "ACME"] = time.time()
            return Answer(200, {"id": "1"})
        self.quoted += 1
        ticker = got.path.split("/")[-1].split("?")[0]
        posted_s = self._posted_s.get(ticker)
        price_usd = 12.4 if self.quoted == 1 else 1.25 if posted_s is None else 1.0
        made_s = int(time.time()) - 1 if posted_s is None else math.ceil(posted_s) + 1
        return Answer(200, {"chart": {"error": None, "result": [{
            "meta": {"currency": "USD", "symbol": ticker, "previousClose": 1.5, "regularMarketPrice": price_usd,
                     "regularMarketTime": made_s}, "timestamp": [], "indicators": {"quote": [{}]}}]}})


@pytest.fixture
def house(running: Running) -> Iterator[Running]:
    """All five, done with their work; only prices at later moments are still to come."""
    (running.settings.home / "companies.json").write_text(json.dumps(LIST))
    outside = Outside()
    SmallFetcher.rest.clear()
    with Receiver(outside) as receiver:
        running.settings = running.settings.but(
            yahoo_base_url=receiver.url, quote_providers=("simulated",), quote_ttl_s=0.0, charts=False,
            discord_webhook_url=f"{receiver.url}/api/webhooks/1/token", horizons=("2s", "15m"))
        running.start(Tracker, Alerter, Market, Classifier, SmallFetcher)
        wait_until(lambda: outside.quoted == 1)
        SmallFetcher.rest.set()
        tracker = running.processes["tracker"].actor
        wait_until(lambda: sum(tracker.counters.values.get(fate, 0) for fate in ("alerted", "dead", "dropped"))
                   == len(STORIES) + 2)
        yield running


def test_explain(catalyst: Catalyst, house: Running) -> None:
    """Each item of the ticker says where it ended and why, with the figures; the funnel is counted."""
    found = catalyst("explain", "--ticker", "$acme", "--json").json
    assert (found["ticker"], found["known"], found["company"]) == ("ACME", True, "Acme Therapeutics, Inc.")
    assert found["since"].endswith("Z")
    assert found["counts"] == COUNTS
    items = {item["id"]: item for item in found["items"]}
    assert list(items["dear"]) == ["id", "source", "title", "seen", "step", "fate", "reason", "why", "score", "price",
                                   "alert_id", "evidence"]
    assert {item: (row["step"], row["fate"], row["reason"]) for item, row in items.items()} == {
        "dear": ("price", "dropped", "price_ceiling"), "weak": ("score", "dropped", "low_score"),
        "0001-25-1": ("score", "dropped", "low_score"), "noisy": ("noise", "dropped", "noise:conference"),
        "plain": ("kind", "dropped", "no_catalyst"), "named": ("ticker", "dropped", "no_ticker"),
        "other": ("ticker", "alerted", None), "gone": ("sent", "alerted", None), "old": ("seen", "dropped", "backlog"),
        "late": ("seen", "in_flight", None)}
    assert items["dear"]["why"] == "price 12.40 over the ceiling 10.00"
    assert items["weak"]["why"].startswith("score 0.15 under 0.20; management_change")
    assert "taken as news of BCME" in items["other"]["why"]
    assert (items["gone"]["alert_id"], items["gone"]["price"]) == (ALERT_ID, 1.25)
    assert items["other"]["alert_id"] is None
    lead = items["gone"]["evidence"]["parts"][0]
    assert (lead[:2], lead[3]) == (["lead", 1.0], [{"text": "Chapter 11", "field": "title", "start": 27, "end": 37}])


def test_explain_in_words(catalyst: Catalyst, house: Running) -> None:
    """A block an item, the oldest first; nothing of the outside steers the terminal."""
    out = catalyst("explain", "--ticker", "ACME").out
    assert out.startswith("ACME  Acme Therapeutics, Inc.\n10 items of the last 60 m, 1 alerted; ended at seen 2,")
    assert "price: dropped (price_ceiling)\n  price 12.40 over the ceiling 10.00\n" in out
    assert f"alert {ALERT_ID}" in out
    assert "\x1b" not in out
    assert out.index("FDA Approval") < out.index("something is up")
    assert "Long Ago" not in out
    assert "Long Ago" in catalyst("explain", "--ticker", "ACME", "--since", "3h").out


def test_explain_nothing(catalyst: Catalyst, house: Running) -> None:
    """A known ticker without items says how many were seen and when; an unknown one names those like it."""
    out = catalyst("explain", "--ticker", "QUIET").out.splitlines()
    assert out == ["QUIET  Quiet Holdings",
                   "no item of the last 60 m named it; 11 items were seen, sources last answered 09:00:00.000 EST"]
    done = catalyst("explain", "--ticker", "ACNE")
    assert (done.code, done.out.splitlines()[0]) == (0, "ACNE is not in the company list; near it: ACME, BCME")
    assert "no item of the last 60 m named it" in done.out
    found = catalyst("explain", "--ticker", "ACNE", "--json").json
    assert (found["known"], found["company"], found["items"], found["counts"]) == (False, None, [], {})


def test_explain_with_gaps(catalyst: Catalyst, house: Running) -> None:
    """Who does not run leaves a gap that is named; an answer comes all the same."""
    for name in ("market", "fetcher", "classifier"):
        house.stop(name)
    out = catalyst("explain", "--ticker", "ACNE").out
    assert out.startswith("ACNE is not in the company list; near it: ACME, BCME\n")
    (house.settings.home / "companies.json").unlink()
    out = catalyst("explain", "--ticker", "ACNE").out
    assert out.startswith("ACNE: there is no company list yet\n")
    house.start(Classifier)
    out = catalyst("explain", "--ticker", "ACME").out
    assert "not running, so this may lack something: fetcher, market" in out
    assert "the price was over the ceiling 10.00" in out
    house.stop("tracker")
    found = catalyst("explain", "--ticker", "ACME", "--json").json
    assert {item["id"]: item["step"] for item in found["items"]} == {
        "weak": "score", "0001-25-1": "score", "noisy": "noise", "plain": "kind", "dear": "price", "gone": "price"}


def test_explain_misuse(catalyst: Catalyst) -> None:
    """Without a ticker it is a usage error, without any actor nobody can answer."""
    assert catalyst("explain").code == 64
    assert catalyst("explain", "--ticker", "not a ticker").code == 64
    assert catalyst("explain", "--ticker", "ACME", "--since", "soon").code == 64
    done = catalyst("explain", "--ticker", "ACME")
    assert (done.code, done.err) == (69, "catalyst: no actor is running\n")


ACME = Company(7, "ACME", "Acme Therapeutics, Inc.")


@pytest.mark.parametrize(("title", "ticker", "company", "is_named"), [
    ("Acme (Nasdaq: ACME) Wins", "ACME", ACME, True), ("ACMED wins", "ACME", ACME, False),
    ("acme wins", "ACME", ACME, False), ("More on Acme Therapeutics today", "ACME", ACME, True),
    ("8-K - OTHER NAME (0000000007) (Filer)", "ACME", ACME, True), ("Shares of BRK.B rise", "BRK-B", None, True),
    ("AI is on the rise", "AI", None, False), ("C3.ai (NYSE: AI) rises", "AI", None, True),
    ("Shares on target", "TGT", Company(9, "TGT", "Target Corp"), False),
    ("Target Opens a Store", "TGT", Company(9, "TGT", "Target Corp"), True),
    ("Quiet Opens a Store", "QUIET", Company(9, "QUIET", "Quiet Holdings"), True),
])
def test_names(title: str, ticker: str, company: Company | None, is_named: bool) -> None:
    """A title names a ticker in capitals, or the company by its whole name or CIK; words are not tickers."""
    assert naming.names(title, ticker, company) is is_named


FACT = {"ticker": "ACME", "fate": "dropped", "reason": "muted:ticker", "stage": "alerter", "alert_id": None}


@pytest.mark.parametrize(("fact", "step", "words"), [
    (FACT, "mute", "muted (ticker)"),
    ({**FACT, "reason": "cooldown:15m"}, "mute", "had just gone out (15m)"),
    ({**FACT, "reason": "digest"}, "mute", "told with others"),
    ({**FACT, "reason": "new_rule"}, "mute", "new_rule"),
    ({**FACT, "reason": "stale", "stage": "fetcher"}, "seen", "too long before"),
    ({**FACT, "reason": "missed", "stage": "fetcher"}, "seen", "daily index"),
    ({**FACT, "reason": "malformed", "stage": "fetcher"}, "parsed", "could not be read"),
    ({**FACT, "reason": "sent_gate", "stage": "classifier"}, "score", "sent_gate"),
    ({**FACT, "reason": "category_gate", "stage": "classifier"}, "score", "category_gate"),
    ({**FACT, "fate": "dead", "reason": "invalid:wrong_version", "stage": "classifier"}, "parsed",
     "died in the classifier"),
    ({**FACT, "fate": "dead", "reason": "undelivered"}, "sent", "died in the alerter"),
    ({**FACT, "reason": "price_floor"}, "price", "price 0.0500 under the floor 0.1000"),
    ({**FACT, "reason": "duplicate:abc", "stage": "fetcher"}, "seen", "repeats item abc"),
    ({**FACT, "reason": "form:424B2", "stage": "sec"}, "parsed", "filings of form 424B2 are not read"),
    ({**FACT, "reason": "new_reason", "stage": "sec"}, "parsed", "new_reason"),
    ({**FACT, "fate": "dead", "reason": "failed:X", "stage": "market"}, "price", "died in the market"),
    ({**FACT, "fate": "alerted", "reason": "folded", "alert_id": "a1"}, "mute", "update of alert a1"),
])
def test_ended(fact: dict[str, Any], step: str, words: str) -> None:
    """Every end has its step and its words."""
    found = funnel.ended("ACME", None, fact, {"price_usd": 0.05}, 10.0, 0.1)
    assert found[0] == step
    assert words in found[3]


def test_on_its_way() -> None:
    """What has no end yet says how far it came."""
    decision = {"ticker": "ACME", "why": "so", "reason": None}
    passed = {"price_usd": None, "reason": None}
    assert funnel.ended("ACME", decision, None, passed, 10, 0)[:2] == ("sent", "in_flight")
    assert funnel.ended("ACME", decision, None, None, 10, 0)[:2] == ("price", "in_flight")


def test_dropped_before_the_tracker_knows() -> None:
    """What the market dropped is dropped, though the tracker has not heard of it or does not run."""
    decision = {"ticker": "ACME", "why": "so", "reason": None}
    price = {"price_usd": 12.4, "reason": "price_ceiling"}
    assert funnel.ended("ACME", decision, None, price, 10, 0) == (
        "price", "dropped", "price_ceiling", "price 12.40 over the ceiling 10.00")


def test_show(catalyst: Catalyst, house: Running) -> None:
    """An alert is shown with its words, score, price, deliveries, way and outcomes, in 80 columns but for links."""
    def ends() -> list[str]:
        return [one["state"] for one in catalyst("show", ALERT_ID, "--json").json["outcomes"]]

    wait_until(lambda: ends() == ["settled", "open"], 10)
    wait_until(lambda: "outcome delivered" in catalyst("show", ALERT_ID).out, 10)
    out = catalyst("show", ALERT_ID[:6]).out
    for words in ("▼ ACME  Acme Therapeutics, Inc.", "kinds     bankruptcy (down, 1): “Chapter 11”",
                  "score     100 of 100", "+100.0 lead: bankruptcy", "ticker    ACME: “Nasdaq: ACME” (exchange)",
                  "price     $1.25 of 20", "by simulated (simulated)", "before $1.50\n",
                  "sources   wire  https://example.com/\n", "sent      discord: alert delivered ",
                  ", status 200, 1 try\n", "chart     none\n", "fetcher -> classifier StoryFound",
                  "alerter -> tracker AlertPosted", "tracker -> market WatchTicker",
                  "after     2s: -20.0 % at $1.00 (20",
                  ", simulated)", "history   fewer than 20 alerts of its kind were known when it came",
                  "          15m: due 20"):
        assert words in out
    assert [line for line in out.splitlines() if len(line) > 80 and "https://" not in line] == []
    found = catalyst("show", ALERT_ID, "--json").json
    assert list(found) == ["alert", "item", "filing", "deliveries", "sources", "has_chart", "corrections", "history",
                           "wires", "chart", "decision", "gate", "versions", "hops", "outcomes", "silent"]
    assert found["item"] == {"item_id": "gone", "source": "wire", "title": STORIES["gone"],
                             "seen": found["item"]["seen"]}
    assert found["item"]["seen"].endswith("Z")
    assert (found["gate"]["ticker"], found["gate"]["reason"], found["gate"]["price_usd"]) == ("ACME", None, 1.25)
    assert found["versions"]["rules"] == found["decision"]["rules"]
    assert all(found["versions"].values())
    assert found["deliveries"][0]["sent"] <= found["deliveries"][0]["ended"]
    assert (found["filing"], found["chart"], found["wires"], found["corrections"]) == (None, None, [], [])
    assert found["silent"] == ["sec", "charter"]
    for words in found["decision"]["evidence"]["kinds"][0][2]:
        assert STORIES["gone"][words["start"]:words["end"]] == words["text"]
    assert found["alert"]["id"] == ALERT_ID
    assert found["decision"]["evidence"]["kinds"][0][0] == "bankruptcy"
    hops = [hop["message"] for hop in found["hops"]]
    assert hops[:4] == ["StoryFound", "CatalystScored", "AlertReady", "AlertPosted"]
    assert sorted(hops[4:]) == ["OutcomeKnown", "PriceSeen", "WatchTicker", "WatchTicker"]
    assert [one["horizon"] for one in found["outcomes"]] == ["2s", "15m"]
    times = {"kind": "bankruptcy", "horizon": "1h", "n": 41, "median_pct": -6.2, "low_pct": -9.1, "high_pct": -3.0,
             "down_share": 0.73}
    rest = {**found, "history": times, "hops": [], "outcomes": [], "deliveries": [], "decision": None,
            "has_chart": True}
    for words in ("chart     in the message", "way       no actor that runs remembers it", "sent      to nobody",
                  "history   n=41, 1 h median -6.2 % (-9.1 to -3.0), 73% down, when it came",
                  "after     nothing is known yet", "score     100 of 100\nprice"):
        assert words in show.as_text(rest, Local(UTC))


def test_show_with_gaps(catalyst: Catalyst, house: Running) -> None:
    """Actors that do not run leave their part empty and are named; what the alerter knows is there."""
    wait_until(lambda: catalyst("show", ALERT_ID).code == 0, 10)
    for name in ("fetcher", "classifier", "market", "tracker"):
        house.stop(name)
    found = catalyst("show", ALERT_ID, "--json").json
    assert [found[name] for name in ("item", "decision", "gate", "outcomes")] == [None, None, None, []]
    assert found["silent"] == ["fetcher", "sec", "classifier", "market", "charter", "tracker"]
    assert found["versions"]["rules"] is None
    assert found["alert"]["id"] == ALERT_ID
    out = catalyst("show", ALERT_ID).out
    assert "silent    not running, so this may lack something: fetcher, sec, classifier," in out
    assert "score     100 of 100" in out


def test_show_wires_and_chart() -> None:
    """Joined wires, a correction, what the gate missed, and a chart in words are told in the text."""
    wire = {"source": "Business Wire", "title": "Acme too", "published": None, "seen": "2026-01-02T14:00:00.000Z",
            "corrects": False}
    assert show._wire(wire, Local(UTC)) == "Business Wire “Acme too”, published unknown, seen 2026-01-02 14:00:00 UTC"
    assert show._wire({**wire, "corrects": True}, Local(UTC)).startswith("correction: Business Wire")
    gate = {"reason": None, "at": "2026-01-02T14:00:00.000Z", "faults": "yahoo:timeout"}
    assert show._gate(gate, Local(UTC)) == "passed at 2026-01-02 14:00:00 UTC; yahoo:timeout"
    assert show._dated({"seen_ms": START_MS, "published_ms": None, "n": 1}) == {
        "seen": "2026-01-02T14:00:00.000Z", "published": None, "n": 1}


def test_show_misuse(catalyst: Catalyst, house: Running) -> None:
    """A short or unknown id is a usage error; without the alerter there is no answer."""
    assert (catalyst("show", "go").code, catalyst("show").code) == (64, 64)
    assert catalyst("show", "zzzz").err == "catalyst: alerter: no alert begins with 'zzzz'\n"
    house.stop("alerter")
    assert catalyst("show", ALERT_ID).err == "catalyst: alerter is not running\n"
    assert catalyst("show", ALERT_ID).code == 69


def test_show_of_odd_ones() -> None:
    """What is unknown is said, and so are a repeat, a refusal and an outcome that will never be."""
    alert = {"price": None, "score": None}
    assert show._price(alert, Local(UTC)) == "unknown: no provider knew one"
    assert show._score(alert, {"parts": [["stated", 0.0, "price 1: at $1"]]}) == [
        "0 of 100", "  stated: price 1: at $1"]
    delivery = {"sink": "discord", "n": 0, "what": "alert", "state": "refused", "sent": None, "status": 400,
                "reason": "status_400", "possible_repeat": True, "tries": 2, "message_id": None}
    assert show._delivery(delivery, Local(UTC)) == (
        "discord: alert refused, status 400, 2 tries, status_400, may be a repeat")
    row = {"horizon": "4h", "state": "unknown", "return_pct": None, "reason": "no_trade"}
    assert show._outcome(row, Local(UTC)) == "4h: unknown (no_trade)"
