"""Charts in the alerter: they come after the text, by an edit. And what a person is shown of one alert."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.alerter import Alerter
from catalyst.books.deliveries import SCHEMA
from catalyst.core.delivery import number_of
from catalyst.errors import UsageError
from catalyst.testing import START_MS, Bench, FakeClock, same
from catalyst.world.discord import read_body
from tests.alerting import ALERT, CHART, JOINED, Outside, drain, states
from tests.receiver import Answer, Got, Receiver


def shown(outside: Outside) -> list[tuple[str, list[str], list[str]]]:
    """Of each request that Discord took: method, names attached afterwards, wires in the card."""
    taken = [record for record in outside.desk.snapshot()["messages"] if record["status"] == 200]
    return [(record["method"], [file["name"] for file in record["shown"]],
             [line.split("]")[0].lstrip("[") for line in
              record["payload"]["embeds"][0]["fields"][-1]["value"].splitlines()]) for record in taken]


def test_a_chart_is_edited_into_the_message(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """The text is posted without it; one edit adds it, with its words; the webhook and the tracker hear nothing."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    drain(bench)
    assert bench.send(CHART) == []
    assert drain(bench) == []
    assert shown(outside) == [("POST", [], ["PR Newswire"]), ("PATCH", ["chart.png"], ["PR Newswire"])]
    (edit,) = [got for got in receiver.got if got.method == "PATCH"]
    payload, (upload,) = read_body(edit.headers["content-type"], edit.body)
    assert payload is not None
    assert upload.data == CHART.png
    assert payload["attachments"] == [{"id": 0, "filename": "chart.png", "description": CHART.alt}]
    assert payload["embeds"][0]["image"] == {"url": "attachment://chart.png"}
    assert len([got for got in receiver.got if got.path == "/hook"]) == 1
    assert outside.desk.snapshot()["violations"] == []
    assert bench.rows("SELECT n, what, state FROM deliveries WHERE sink = 'discord'") == [
        (0, "alert", "delivered"), (1, "chart", "delivered")]
    assert bench.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_a_chart_before_its_alert(make: Callable[..., Bench], outside: Outside) -> None:
    """It is kept, over a restart too, and still comes after the text; so does a wire that came before."""
    bench = make("discord", "hook")
    assert bench.send(CHART) == []
    bench.send(JOINED)
    bench.restart()
    bench.send(ALERT)
    drain(bench)
    assert shown(outside) == [("POST", [], ["PR Newswire", "Business Wire"]),
                              ("PATCH", ["chart.png"], ["PR Newswire", "Business Wire"])]


def test_a_chart_that_is_there_does_not_delay_the_text(make: Callable[..., Bench], outside: Outside) -> None:
    """While Discord refuses for a time the chart waits with the text, and after it."""
    bench = make("discord")
    outside.script["discord"] = [Answer(503, b"", {"Retry-After": "3"})]
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(CHART)
    assert len(bench.jobs()) == 1
    drain(bench)
    assert [row[:2] for row in shown(outside)] == [("POST", []), ("PATCH", ["chart.png"])]


def test_a_chart_again_is_nothing(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Also under another message id, before and after its delivery."""
    bench = make("discord")
    bench.send(ALERT)
    for number in range(3):
        bench.send(same(CHART, item_id=f"i{number}", png=b"other"))
        drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "PATCH"]


def test_a_chart_of_an_alert_that_is_dead(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Before and after the refusal: no request, nothing kept that could be sent."""
    bench = make("discord")
    outside.script["discord"] = [Answer(400, b"")] * 2
    bench.send(ALERT)
    drain(bench)
    bench.send(CHART)
    bench.send(same(CHART, item_id="i2", alert_id="a2"))
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    assert [got.method for got in receiver.got] == ["POST", "POST"]
    assert bench.rows("SELECT state FROM deliveries WHERE what = 'chart'") == [("refused",)]


def test_killed_in_a_chart_edit(make: Callable[..., Bench], outside: Outside) -> None:
    """The edit is made again: one attachment, no repeat mark."""
    bench = make("discord")
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(CHART)
    for _ in range(2):
        assert len(bench.interrupt_jobs()) == 1
        bench.restart()
    outside.script["discord"] = [None]
    drain(bench)
    assert [row[:2] for row in shown(outside)] == [("POST", []), ("PATCH", ["chart.png"])]
    assert bench.rows("SELECT sum(possible_repeat) FROM deliveries") == [(0,)]


def test_an_edit_that_arrived_unseen_is_made_again(make: Callable[..., Bench], receiver: Receiver,
                                                   outside: Outside) -> None:
    """Discord took the chart, the answer was lost: after the second edit there is still exactly one attachment."""
    bench = make("discord")
    bench.send(ALERT)
    bench.run_jobs()
    normal, lost = outside.__call__, [True]

    def answer(got: Got) -> Answer | None:
        taken = normal(got)
        return None if lost and lost.pop() else taken

    receiver.answer = answer
    bench.send(CHART)
    drain(bench)
    assert [row[:2] for row in shown(outside)] == [("POST", []), ("PATCH", ["chart.png"]), ("PATCH", ["chart.png"])]


def test_an_update_after_the_chart_keeps_it(make: Callable[..., Bench], outside: Outside) -> None:
    """Each later edit sends the chart again and shows it."""
    bench = make("discord")
    bench.send(ALERT)
    bench.send(CHART)
    drain(bench)
    bench.send(JOINED)
    drain(bench)
    assert shown(outside)[1:] == [("PATCH", ["chart.png"], ["PR Newswire"]),
                                  ("PATCH", ["chart.png"], ["PR Newswire", "Business Wire"])]
    last = outside.desk.snapshot()["messages"][-1]
    assert last["attachments"] == ["chart.png"]
    assert last["payload"]["embeds"][0]["image"] == {"url": "attachment://chart.png"}


@pytest.mark.parametrize("order", [(CHART, JOINED), (JOINED, CHART)])
def test_chart_and_update_in_one_edit(make: Callable[..., Bench], outside: Outside, order: tuple[Any, ...]) -> None:
    """What comes while the post waits is one edit, which shows both, in the chart's rank."""
    bench = make("discord", "hook")
    outside.script["discord"] = [Answer(503, b"")]
    bench.send(ALERT)
    bench.run_jobs()
    for message in order:
        bench.send(message)
    bench.clock.advance(3)
    bench.interrupt_jobs()
    bench.restart()
    drain(bench)
    assert shown(outside)[-1] == ("PATCH", ["chart.png"], ["PR Newswire", "Business Wire"])
    assert len(shown(outside)) == 2
    assert [state for sink, _, state in states(bench) if sink == "discord"] == ["delivered", "folded", "delivered"]


def test_texts_then_charts_then_updates(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """In a queue the weakest alert goes before the best chart, and that before any update."""
    bench = make("discord")
    for number in range(2):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", ticker=f"T{number}", watched=True))
    drain(bench)
    bench.send(same(JOINED, item_id="i0"))
    bench.send(same(CHART, item_id="i1", alert_id="a1"))
    bench.send(same(ALERT, item_id="i2", alert_id="a2", ticker="T2", score=0.0))
    drain(bench)
    assert [(record["method"], record["payload"]["content"].split()[0])
            for record in outside.desk.snapshot()["messages"][2:]] == [("POST", "T2"), ("PATCH", "T1"), ("PATCH", "T0")]


def test_a_refused_chart_costs_nothing_else(make: Callable[..., Bench], receiver: Receiver, outside: Outside) -> None:
    """Discord says no to the picture: the wire beside it gets an edit of its own, later edits go without, no notice."""
    bench = make("discord", "ops")
    bench.send(ALERT)
    drain(bench)
    normal = outside.__call__
    receiver.answer = lambda got: Answer(413, b"") if b"image/png" in got.body else normal(got)
    bench.send(CHART)
    drain(bench)
    bench.send(JOINED)
    drain(bench)
    assert [row[1:] for row in shown(outside)] == [([], ["PR Newswire"]), ([], ["PR Newswire", "Business Wire"])]
    assert [(n, state) for _, n, state in states(bench)] == [(0, "delivered"), (1, "refused"), (2, "delivered")]
    assert not [got for got in receiver.got if got.path.startswith("/ops")]
    assert bench.verb("alert", id="a1")["has_chart"] is False


def test_a_refused_edit_of_both_is_made_without_the_chart(make: Callable[..., Bench], receiver: Receiver,
                                                          outside: Outside) -> None:
    """The source that was to come with the chart is shown all the same."""
    bench = make("discord")
    normal = outside.__call__
    receiver.answer = lambda got: Answer(400, b"") if b"image/png" in got.body else normal(got)
    outside.script["discord"] = [Answer(503, b"")]
    bench.send(ALERT)
    bench.run_jobs()
    bench.send(JOINED)
    bench.send(CHART)
    drain(bench)
    assert shown(outside)[-1] == ("PATCH", [], ["PR Newswire", "Business Wire"])
    assert [state for _, _, state in states(bench)] == ["delivered", "folded", "refused", "delivered"]


def test_without_discord_a_chart_is_kept_only(make: Callable[..., Bench], receiver: Receiver) -> None:
    """The signed webhook has no event for it."""
    bench = make("hook")
    bench.send(ALERT)
    bench.send(CHART)
    drain(bench)
    assert len(receiver.got) == 1
    assert bench.verb("alert", id="a1")["has_chart"] is True


def test_one_alert_for_the_command_line(make: Callable[..., Bench]) -> None:
    """Everything about it, by the beginning of its id."""
    bench = make("discord", "hook")
    bench.send(same(ALERT, alert_id="abcd1", form="8-K"))
    bench.send(same(ALERT, alert_id="abcd2", ticker="WXYZ"))
    bench.send(same(CHART, alert_id="abcd1"))
    bench.send(JOINED)
    drain(bench)
    found = bench.verb("alert", id="abcd1")
    assert json.loads(json.dumps(found)) == found
    listed = next(row for row in bench.verb("alerts")["alerts"] if row["id"] == "abcd1")
    assert {name: found["alert"][name] for name in listed} == listed
    assert found["alert"]["kinds_found"] == [{"kind": "fda_approval", "phrase": "wins", "direction": "up",
                                              "weight": 1.0}]
    assert (found["alert"]["form"], found["alert"]["previous_close_usd"], found["alert"]["ready_ms"]) == (
        "8-K", 4.0, START_MS)
    assert [(row["sink"], row["n"], row["what"], row["state"]) for row in found["deliveries"]] == [
        ("discord", 0, "alert", "delivered"), ("discord", 1, "chart", "folded"), ("discord", 2, "source", "delivered"),
        ("webhook", 0, "alert", "delivered"), ("webhook", number_of("j1", START_MS, 0), "source", "delivered")]
    first = found["deliveries"][0]
    assert (first["sent"], first["status"], first["possible_repeat"], first["tries"]) == (
        "2026-01-02T14:00:00.000Z", 200, False, 1)
    assert found["sources"] == [
        {"name": "PR Newswire", "link": "https://n.example/1", "item_id": "i1"},
        {"name": "Business Wire", "link": "https://b.example/2", "item_id": "j1"}]
    assert found["has_chart"] is True
    for wrong in ("", "abc", "abcd", "abcd3", "%%%%", "abcd11"):
        with pytest.raises(UsageError):
            bench.verb("alert", id=wrong)


def test_old_charts_are_forgotten(make: Callable[..., Bench]) -> None:
    """Without an alert after a day, else after eight."""
    bench = make("discord")
    bench.send(ALERT)
    bench.send(CHART)
    bench.send(same(CHART, item_id="i9", alert_id="a9"))
    drain(bench)
    for days, left in ((1.1, ["a1"]), (6.5, ["a1"]), (0.5, [])):
        bench.clock.advance(days * 86_400)
        bench.tick("prune")
        assert [row[0] for row in bench.rows("SELECT alert_id FROM charts")] == left


class Older(Alerter):
    """The alerter before there were charts."""

    tables = (SCHEMA,)

    def prune(self, db: Any) -> Iterator[Any]:
        """Nothing is old here."""
        return iter(())


def test_a_database_without_charts_is_taken_over(tmp_path: Path) -> None:
    """Its deliveries are told apart, and what it has can go on."""
    clock = FakeClock()
    with Bench(Older, tmp_path, clock=clock) as old:
        old.store.db.executescript(
            "INSERT INTO deliveries(alert_id, sink, n, state, at_ms) VALUES('a1', 'discord', 0, 'delivered', 1);"
            "INSERT INTO deliveries(alert_id, sink, n, state, at_ms) VALUES('a1', 'discord', 1, 'delivered', 1);")
    with Bench(Alerter, tmp_path, clock=clock) as new:
        assert new.rows("SELECT n, what FROM deliveries ORDER BY n") == [(0, "alert"), (1, "source")]
        new.send(CHART)
        assert new.rows("SELECT count(*) FROM charts") == [(1,)]
