"""The tracker's reports to the operator: it asks a fetcher and an alerter that answer on real sockets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.tracker import Tracker
from catalyst.clock import iso
from catalyst.messages import AlertPosted, ItemDropped, OpsNotice
from catalyst.runtime.contract import Actor
from catalyst.testing import Bench, FakeClock, same
from tests.commands.tiny import Running, TinySupervisor
from tests.core.test_reports import at, row

OPEN_MS, CLOSE_MS = at("2026-01-02 09:30:10"), at("2026-01-02 16:00:10")
POSTED = AlertPosted(item_id="i1", alert_id="a1", ticker="ACME", kinds=("fda_approval", "other"), direction="up",
                     score=0.8, price_usd=4.2, simulated=False, posted_ms=OPEN_MS + 1)
DROPPED = ItemDropped(item_id="i2", stage="classifier", reason="noise:law_firm", dropped_ms=OPEN_MS + 2)


class SmallFetcher(Actor):
    """Knows two sources, one of which is out."""

    name = "fetcher"

    def verb_sources(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """As the fetcher answers."""
        return {"sources": [row("good", last_ok_ms=CLOSE_MS), row("bad", outage=True)]}


class SmallAlerter(Actor):
    """Knows one alert that took 40 ms."""

    name = "alerter"

    def verb_alerts(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """As the alerter answers."""
        return {"alerts": [{"seen": iso(OPEN_MS), "sent": iso(OPEN_MS + 40)}, {"seen": iso(OPEN_MS), "sent": None}]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(OPEN_MS)


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    with Running(home) as running:
        yield running


@pytest.fixture
def tracker(home: Path, clock: FakeClock, running: Running) -> Iterator[Bench]:
    with Bench(Tracker, home, clock=clock) as bench:
        yield bench


def notices(messages: list[Any]) -> list[OpsNotice]:
    return [message for message in messages if isinstance(message, OpsNotice)]


def test_the_market_opens(tracker: Bench, running: Running, clock: FakeClock) -> None:
    """Told once a session, also after a kill; with the sources' standing and the alerts before it."""
    running.start(SmallFetcher, SmallAlerter)
    tracker.send(same(POSTED, posted_ms=OPEN_MS - 3_600_000))
    tracker.tick("session")
    (notice,) = notices(tracker.run_jobs())
    assert (notice.title, notice.text) == ("Open: 1 of 2 feeds fresh", "1 alert so far; without an answer: bad")
    tracker.restart()
    clock.advance(30)
    tracker.tick("session")
    assert notices(tracker.run_jobs()) == []


def test_the_session_is_over(tracker: Bench, running: Running, clock: FakeClock) -> None:
    """Items, alerts by kind, drops by reason, who was out meanwhile, the latency; once, also after a kill."""
    running.start(SmallFetcher, SmallAlerter)
    clock.advance(3_600)
    tracker.tick("session")  # a look during the session
    assert tracker.run_jobs() == []
    tracker.send(POSTED)
    tracker.send(same(POSTED, item_id="i9", folded=True))
    tracker.send(DROPPED)
    clock.advance((CLOSE_MS - clock.now_ms()) / 1000)
    tracker.tick("session")
    (notice,) = notices(tracker.run_jobs())
    assert notice.title == "Close: 1 alert, 3 items"
    for words in ("alerts: fda_approval 1.", "dropped: noise 1.", "feeds that were out: bad.",
                  "p50 40 ms, p95 40 ms (n=1)"):
        assert words in notice.text
    tracker.restart()
    tracker.tick("session")
    assert notices(tracker.run_jobs()) == []


def test_without_a_fetcher_it_is_told_all_the_same(tracker: Bench, clock: FakeClock) -> None:
    """Asked again for half a minute, then the report says that nobody answers."""
    tracker.tick("session")
    for _ in range(13):
        tracker.run_jobs()
        clock.advance(3)
    (notice,) = notices(tracker.sent)
    assert notice.title == "Open: the fetcher does not answer"
    assert notice.severity == "warning"


def test_outside_of_the_session_nothing_is_asked(tracker: Bench, clock: FakeClock) -> None:
    """Nights and weekends are quiet."""
    clock.advance(14 * 3_600)
    tracker.tick("session")
    assert tracker.jobs() == []


def test_the_start_of_the_house_is_told_once(home: Path, clock: FakeClock, running: Running) -> None:
    """With its supervisor and all others as young as the tracker: one notice; a new process of it tells nothing."""
    running.start(TinySupervisor, SmallFetcher, SmallAlerter)
    with Bench(Tracker, home, clock=clock, discord_webhook_url="http://127.0.0.1:1/SECRET") as bench:
        (notice,) = notices(bench.run_jobs())
        assert (notice.title, notice.severity) == ("Catalyst has started", "info")
        assert "2 sources; alerts to discord" in notice.text
        assert "SECRET" not in notice.text
        bench.restart()
        assert bench.jobs() == []


def test_no_supervisor_no_start(home: Path, clock: FakeClock, running: Running) -> None:
    """An actor that a person runs by itself is not the house."""
    running.start(SmallFetcher, SmallAlerter)
    with Bench(Tracker, home, clock=clock) as bench:
        assert bench.jobs() == []


def test_dead_letters_are_told_of(tracker: Bench) -> None:
    """One notice a cause; an alert that no sink took is the alerter's to tell."""
    dead = same(DROPPED, fate="dead", stage="market", reason="failed:ValueError")
    (notice,) = notices(tracker.send(dead))
    assert "Dead letter in the market: failed:ValueError" in notice.title
    again = notices(tracker.send(same(dead, item_id="i3")))
    assert [one.message_id() for one in again] == [notice.message_id()]
    for reason in ("undelivered", "too_old"):
        assert notices(tracker.send(same(dead, item_id=f"i4{reason}", stage="alerter", reason=reason))) == []
    assert notices(tracker.send(DROPPED)) == []
