"""`catalyst alerts`: rendering, listing and following."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from actors.alerter import Alerter
from catalyst.clock import SystemClock
from catalyst.commands.alerts import fits, follow, render
from catalyst.commands.home import Home
from catalyst.commands.output import Local
from catalyst.core.event import listed_alert
from catalyst.messages import AlertReady, Kind
from catalyst.packing import pack
from catalyst.runtime.engine import Engine, Received
from catalyst.runtime.links import Links
from catalyst.runtime.progress import Progress
from catalyst.runtime.store import Store
from catalyst.testing import START_MS, same
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running

ALERT = AlertReady(
    item_id="i" * 32, alert_id="a" * 20, source="wire", title="Acme wins\x1b[2J", link="https://example.com/1",
    summary="", published_ms=START_MS - 5_000, seen_ms=START_MS, ticker="ACME", company="Acme Corp",
    kinds=(Kind("contract_win", "wins", "up", 0.6), Kind("fda_approval", "approved", "up", 0.9)), direction="up",
    sentiment=0.5, score=0.82, why="said so", watched=False, price_usd=3.2, price_ms=START_MS - 4_000,
    previous_close_usd=3.0, simulated=True, provider="simulated", ready_ms=START_MS + 20)


def listed(sent_ms: int | None = START_MS + 38, state: str = "posted", **changes: Any) -> dict[str, Any]:
    """The alert as the alerter lists it."""
    alert = same(ALERT, **changes)
    assert isinstance(alert, AlertReady)
    return listed_alert(alert, state, ["other"], {}, sent_ms)


def test_render() -> None:
    """Direction, ticker, kinds, score, price with its age and mark, why, sources, and how long it took."""
    assert render(listed(), Local(UTC)).splitlines() == [
        "▲ ACME  Acme Corp  contract_win, fda_approval  score 82  $3.20 (simulated, 4 s old)",
        "  Acme wins [2J",
        "  why: said so",
        "  wire, other  published 13:59:55.000  seen 14:00:00.000 UTC  sent 14:00:00.038, 38 ms after it was seen",
        "  https://example.com/1"]


@pytest.mark.parametrize(("alert", "words"), [
    (listed(price_usd=None, price_ms=None), "price unknown"),
    (listed(price_usd=0.1234, simulated=False), "$0.1234 (4 s old)"),
    (listed(None, "dead"), "NOT DELIVERED"),
    (listed(None), "no sink is set"),
    (listed(None, "new"), "not sent yet"),
    ({**listed(), "sinks": {"discord": "queued", "webhook": "delivered"}, "took_ms": {"webhook": 72}},
     "webhook 72 ms, discord waiting"),
    (listed(direction="down"), "▼ ACME"),
    (listed(direction="neutral", published_ms=None), "published -"),
])
def test_render_of_odd_ones(alert: dict[str, Any], words: str) -> None:
    """What is unknown or went wrong is said."""
    assert words in render(alert, Local(UTC))


def put(running: Running, *alerts: AlertReady) -> None:
    """Hand alerts to the alerter's engine as one that ran before did, while it is stopped."""
    clock = SystemClock()
    with Store(Alerter, running.settings) as store:
        actor = Alerter(running.settings, clock)
        links = Links(store.db, store.epoch, {kind.RECEIVER for kind in Alerter.outbox}, clock)
        engine = Engine(actor, store.db, links, Progress(clock))
        with store.transaction() as db:
            engine.start(db)
            for alert in alerts:
                now_ms = clock.now_ms()
                engine.receive(db, Received(alert.message_id(), alert.item_id, "market", "AlertReady", 1, pack(alert),
                                            now_ms, now_ms))
            links.flush(db)


def test_list_and_follow(catalyst: Catalyst, running: Running) -> None:
    """The newest alerts, the oldest of them first; following yields each once."""
    put(running, *(same(ALERT, alert_id=f"alert{number}", item_id=f"item{number}") for number in range(3)))  # type: ignore[arg-type]
    running.start(Alerter)
    assert {row["id"] for row in catalyst("alerts", "--json").lines} == {"alert0", "alert1", "alert2"}
    assert len(catalyst("alerts", "-n", "2", "--json").lines) == 2
    assert catalyst("alerts", "-n", "0", "--json").out == ""
    assert catalyst("alerts", "--since", "0s", "--json").out == ""
    assert catalyst("alerts").out.count("▲ ACME") == 3
    with Home(running.settings) as home:
        followed = follow(home, 0)
        assert {next(followed)["id"] for _ in range(3)} == {"alert0", "alert1", "alert2"}


def test_filters(catalyst: Catalyst, running: Running) -> None:
    """By ticker, by kind or the beginning of one, by number; the shape is that of the whole list."""
    offering = (Kind("offering_pricing", "prices", "down", 0.9),)
    put(running, *(same(ALERT, alert_id=f"alert{number}", item_id=f"item{number}", ticker=ticker, kinds=kinds)  # type: ignore[arg-type]
                   for number, (ticker, kinds) in enumerate([("ACME", ALERT.kinds), ("BRK-B", offering),
                                                             ("ACME", offering), ("WXYZ", ())])))
    running.start(Alerter)

    def ids(*words: str) -> set[str]:
        return {row["id"] for row in catalyst("alerts", *words, "--json").lines}

    assert ids("--ticker", "acme") == {"alert0", "alert2"}
    assert ids("--ticker", "$brk.b") == {"alert1"}
    assert ids("--kind", "offering") == {"alert1", "alert2"}
    assert ids("--kind", "fda_approval") == {"alert0"}
    assert ids("--ticker", "ACME", "--kind", "offering_pricing") == {"alert2"}
    assert len(ids("--ticker", "ACME", "--limit", "1")) == 1
    assert ids("--ticker", "ACME", "--since", "0s") == ids("--ticker", "NONE") == ids("--kind", "%") == set()
    whole = {row["id"]: row for row in catalyst("alerts", "--json").lines}
    assert catalyst("alerts", "--ticker", "BRK.B", "--json").lines == [whole["alert1"]]
    assert fits(whole["alert3"], "", "")
    assert not fits(whole["alert3"], "", "offering")
    assert not fits(whole["alert0"], "WXYZ", "")


def test_alerter_is_down(catalyst: Catalyst) -> None:
    """Who is not running is named."""
    done = catalyst("alerts")
    assert (done.code, done.err) == (69, "catalyst: alerter is not running\n")


def test_a_kind_that_nothing_makes_is_warned_of(catalyst: Catalyst, running: Running) -> None:
    """With the nearest name; the first letters of one are enough, as for what is listed."""
    running.start(Alerter)
    done = catalyst("alerts", "--kind", "ofering")
    assert (done.code, done.err) == (0, "catalyst: no rule makes the kind 'ofering', did you mean offering?\n")
    assert catalyst("alerts", "--kind", "Offer").err == ""
