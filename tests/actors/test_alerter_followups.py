"""What followed an alert, in the alerter: its outcomes as edits of its message, its kind's history in its post."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.alerter import Alerter
from catalyst.core.notify import addresses
from catalyst.messages import History, OutcomeKnown
from catalyst.testing import START_MS, Bench, FakeClock, same
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, Outside, drain, numbered, states
from tests.receiver import Answer, Receiver

KNOWN = OutcomeKnown(item_id="i1", alert_id="a1", ticker="ACME", horizon="15m", return_pct=4.24, price_usd=4.38,
                     price_ms=START_MS + 840_000, base_usd=4.2, simulated=False, known_ms=START_MS + 900_000)
HOUR = same(KNOWN, horizon="1h", return_pct=-3.1, price_usd=4.07, known_ms=START_MS + 899_000)
TIMES = History("fda_approval", "1h", 41, -6.2, -9.1, -3.0, 0.73)
OLD = Answer(429, {"message": "Maximum number of edits to messages older than 1 hour reached.", "code": 30046})


class Older(Alerter):
    """The alerter of before outcomes came back."""

    tables = Alerter.tables[:-1]


def learn(bench: Bench, *histories: History) -> None:
    """Outcomes of alerts that nobody knows, with what they say of their kinds."""
    for history in histories:
        known = same(KNOWN, item_id="x", alert_id=f"x{history.horizon}", horizon=history.horizon, history=history)
        assert bench.send(known) == []


def shown(outside: Outside, field: str) -> list[tuple[str, str | None, list[str]]]:
    """Of each request that Discord took: method, one field's value, names attached afterwards."""
    return [(record["method"], {row["name"]: row["value"] for row in record["payload"]["embeds"][0]["fields"]}.get(
        field), [file["name"] for file in record["shown"]])
        for record in outside.desk.snapshot()["messages"] if record["status"] == 200]


def told(receiver: Receiver) -> list[tuple[str, str, Any]]:
    """Of each request to the signed webhook: its key, event and body."""
    return [(got.headers["idempotency-key"], got.json["event"], got.json) for got in receiver.got
            if got.path == "/hook"]


def test_an_outcome_is_edited_into_the_message(make: Callable[..., Bench], receiver: Receiver,
                                               outside: Outside) -> None:
    """With the chart that is there; each horizon adds itself; the signed webhook gets an update of the alert's item."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    bench.send(CHART)
    drain(bench)
    bench.clock.advance(900)
    for known in (HOUR, KNOWN):
        assert bench.send(known) == []
        assert drain(bench) == []
    assert shown(outside, "After") == [
        ("POST", None, []), ("PATCH", None, ["chart.png"]), ("PATCH", "1 h -3.1 %", ["chart.png"]),
        ("PATCH", "15 min +4.2 % · 1 h -3.1 %", ["chart.png"])]
    assert outside.desk.snapshot()["violations"] == []
    first, *updates = told(receiver)
    assert [(key, event, body["title"], body["price"]) for key, event, body in updates] == [
        (numbered("1h", HOUR.known_ms), "update", "ACME -3.1 % 1 h after the alert", 4.07),
        (numbered("15m", KNOWN.known_ms), "update", "ACME +4.2 % 15 min after the alert", 4.38)]
    body = updates[1][2]
    assert set(body) == set(first[2])
    assert {name: body[name] for name in ("id", "item_id", "ticker", "link", "published", "seen", "price_age_s",
                                          "simulated")} == {
        "id": "a1", "item_id": "i1", "ticker": "ACME", "link": ALERT.link, "published": None,
        "seen": "2026-01-02T14:15:00.000Z", "price_age_s": 60.0, "simulated": False}


def test_the_same_outcome_again_is_nothing(make: Callable[..., Bench], receiver: Receiver) -> None:
    """After a kill in its edit and with the inbox forgotten there is one edit that counts and no mark of a repeat."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    bench.send(KNOWN)
    assert len(bench.interrupt_jobs()) == 1
    bench.restart()
    drain(bench)
    bench.rows("DELETE FROM inbox")
    assert bench.send(KNOWN) == []
    assert drain(bench) == []
    assert [got.method for got in receiver.got] == ["POST", "PATCH"]
    assert bench.rows("SELECT n, what, joined_id, state, possible_repeat FROM deliveries") == [
        (0, "alert", None, "delivered", 0), (1, "outcome", "15m", "delivered", 0)]
    assert bench.actor.statistics()["outcomes_not_wanted"] == 1


def test_outcomes_that_wait_fold_and_give_way(make: Callable[..., Bench], outside: Outside) -> None:
    """What waits is one edit that shows all; the post of a new alert goes before it, whatever its score."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    outside.script["discord"] = [Answer(429, {"retry_after": 5.0}, {"Retry-After": "5"})]
    bench.send(KNOWN)
    bench.run_jobs()
    bench.send(HOUR)
    bench.send(JOINED)
    bench.send(same(ALERT, item_id="i2", alert_id="a2", ticker="LOW", score=0.0, watched=False))
    drain(bench)
    taken = shown(outside, "After")
    assert [(method, after) for method, after, _ in taken] == [
        ("POST", None), ("POST", None), ("PATCH", "15 min +4.2 %"), ("PATCH", "15 min +4.2 % · 1 h -3.1 %")]
    assert bench.rows("SELECT what, state FROM deliveries WHERE alert_id = 'a1' ORDER BY n") == [
        ("alert", "delivered"), ("outcome", "delivered"), ("outcome", "folded"), ("source", "delivered")]


def test_an_outcome_before_the_message_waits_for_it(make: Callable[..., Bench], outside: Outside) -> None:
    """Where one sink had the alert and Discord did not yet, the edit comes after the post."""
    bench = make("discord", "hook")
    outside.script["discord"] = [Answer(503, b"", {"Retry-After": "30"})]
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(KNOWN)
    drain(bench)
    assert [row[:2] for row in shown(outside, "After")] == [("POST", None), ("PATCH", "15 min +4.2 %")]


def test_without_a_message_there_is_no_edit(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Told in a digest, refused, or held back: the outcome is kept, nothing more is requested."""
    bench = make("discord", digest_from=1, discord_min_score=0.5)
    others = [same(ALERT, item_id=f"i{n}", alert_id=f"a{n}", ticker=f"T{n}", score=0.9 - n / 10) for n in (2, 3)]
    outside.script["discord"] = [Answer(400, b"")]
    bench.send(ALERT)
    drain(bench)
    for alert in (*others, same(ALERT, item_id="i4", alert_id="a4", ticker="T4", score=0.3)):
        bench.send(alert)
    drain(bench)
    asked = len(receiver.got)
    for number in (1, 3, 4):
        bench.send(same(KNOWN, item_id=f"i{number}", alert_id=f"a{number}"))
    drain(bench)
    assert len(receiver.got) == asked
    assert bench.rows("SELECT alert_id, state FROM deliveries WHERE alert_id LIKE 'a_' AND n = 0") == [
        ("a1", "refused"), ("a2", "delivered"), ("a3", "digest")]
    assert bench.rows("SELECT alert_id FROM outcomes") == [("a1",), ("a3",), ("a4",)]
    assert bench.rows("SELECT DISTINCT state FROM deliveries WHERE what = 'outcome'") == [("refused",)]


def test_a_message_that_was_deleted(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """The edit's 404 ends it, closes no sink and rings for nobody."""
    bench = make("discord", "ops")
    bench.send(ALERT)
    drain(bench)
    outside.script["discord"] = [Answer(404, {"message": "Unknown Message", "code": 10008})]
    bench.send(KNOWN)
    drain(bench)
    bench.send(same(ALERT, item_id="i2", alert_id="a2", ticker="BETA"))
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "PATCH", "POST"]
    assert states(bench)[1] == ("discord", 0, "delivered")


def test_an_old_message_keeps_no_new_alert_waiting(make: Callable[..., Bench], receiver: Receiver,
                                                   outside: Outside) -> None:
    """Discord allows few edits of messages older than an hour: that edit waits a minute, by itself."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    outside.script["discord"] = [OLD]
    bench.send(KNOWN)
    bench.run_jobs()
    bench.send(same(ALERT, item_id="i2", alert_id="a2", ticker="BETA"))
    bench.run_jobs()
    assert [got.method for got in receiver.got] == ["POST", "PATCH", "POST"]
    bench.clock.advance(59)
    bench.run_jobs()
    assert len(receiver.got) == 3
    bench.clock.advance(1)
    bench.run_jobs()
    assert shown(outside, "After")[-1][:2] == ("PATCH", "15 min +4.2 %")


def test_a_chart_that_is_refused_with_an_outcome(make: Callable[..., Bench], outside: Outside) -> None:
    """The outcome gets an edit of its own, without the picture."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    outside.script["discord"] = [Answer(413, b"")]
    bench.send(KNOWN)
    bench.send(CHART)
    drain(bench)
    assert shown(outside, "After")[-1] == ("PATCH", "15 min +4.2 %", ["chart.png"])
    bench = make("discord", folder="other")
    bench.send(ALERT)
    bench.send(CHART)
    drain(bench)
    outside.script["discord"] = [Answer(413, b"")]
    bench.send(KNOWN)
    drain(bench)
    assert shown(outside, "After")[-1][:2] == ("PATCH", "15 min +4.2 %")


def test_no_phone_rings_for_an_outcome(make: Callable[..., Bench]) -> None:
    """An address of CATALYST_NOTIFY gets the alert and its correction, and no row for what is not told."""
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with Receiver() as phone:
        address = f"json://{phone.url.removeprefix('http://')}/topic"
        bench = make(notify=address)
        bench.send(ALERT)
        drain(bench)
        bench.send(KNOWN)
        bench.send(CORRECTED)
        drain(bench)
        assert len(phone.got) == 2
        assert states(bench) == [(next(iter(addresses(address))), n, "delivered") for n in (0, 1)]


def test_simulated_outcomes_are_marked(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """At Discord in the field's name, at the webhook in the body; no history comes of them."""
    bench = make("discord", "hook")
    bench.send(same(ALERT, simulated=True))
    drain(bench)
    bench.send(same(KNOWN, simulated=True))
    drain(bench)
    assert shown(outside, "After (simulated prices)")[-1][1] == "15 min +4.2 %"
    assert told(receiver)[-1][2]["simulated"] is True
    assert bench.rows("SELECT count(*) FROM histories") == [(0,)]


def test_an_alert_says_how_its_kind_has_done(make: Callable[..., Bench], outside: Outside) -> None:
    """With the horizon nearest to an hour that has twenty alerts; what is learned later changes no card that is out."""
    bench = make("discord")
    few = msgspec.structs.replace(TIMES, n=19)
    learn(bench, few, msgspec.structs.replace(TIMES, horizon="4h"), msgspec.structs.replace(TIMES, kind="merger"))
    bench.send(ALERT)
    drain(bench)
    bench.rows("DELETE FROM inbox")
    learn(bench, TIMES)
    bench.send(KNOWN)
    drain(bench)
    bench.restart()
    bench.send(same(ALERT, item_id="i2", alert_id="a2", ticker="BETA"))
    bench.send(same(ALERT, item_id="i3", alert_id="a3", ticker="GAMA", kinds=()))
    drain(bench)
    told = "n=41, {} median -6.2 % (-9.1 to -3.0), 73% down"
    assert [row[1] for row in shown(outside, "History")] == [told.format("4 h")] * 2 + [told.format("1 h"), None]
    assert bench.verb("alert", id="a1")["history"] == msgspec.to_builtins(msgspec.structs.replace(TIMES, horizon="4h"))
    assert bench.verb("alert", id="a3")["history"] is None


def test_a_database_from_before_outcomes(tmp_path: Path) -> None:
    """An alert that was posted then has no history, and takes its outcome."""
    clock = FakeClock()
    with Bench(Older, tmp_path, clock=clock) as old, old.store.transaction() as db:
        body = msgspec.json.encode(ALERT).decode()
        db.execute("INSERT INTO alerts(alert_id, item_id, ticker, body, state, made_ms) VALUES('a1', 'i1', 'ACME', ?,"
                   " 'posted', ?)", (body, START_MS))
    with Bench(Alerter, tmp_path, clock=clock) as new:
        assert new.verb("alert", id="a1")["history"] is None
        assert new.send(KNOWN) == []
        assert new.rows("SELECT alert_id, horizon, return_pct FROM outcomes") == [("a1", "15m", 4.24)]


def test_old_outcomes_are_forgotten(make: Callable[..., Bench]) -> None:
    """After thirty days, with their deliveries; the alert and what is known of the kind stay."""
    bench = make("discord")
    bench.send(ALERT)
    drain(bench)
    bench.send(same(KNOWN, history=TIMES))
    drain(bench)
    for days, left in ((29, [(0,), (1,)]), (1.5, [(0,)])):
        bench.clock.advance(days * 86_400)
        bench.tick("prune")
        assert bench.rows("SELECT n FROM deliveries ORDER BY n") == left
    assert [bench.rows(f"SELECT count(*) FROM {table}") for table in ("alerts", "outcomes", "histories")] == [
        [(1,)], [(0,)], [(1,)]]
