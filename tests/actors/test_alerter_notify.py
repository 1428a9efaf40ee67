"""The alerter with an address of CATALYST_NOTIFY: a local receiver, reached through apprise itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from catalyst.core.notify import addresses
from catalyst.messages import AlertPosted, ItemDropped
from catalyst.testing import Bench, same
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, drain
from tests.receiver import Answer, Receiver

pytest.importorskip("apprise", reason="the extra [notify] is not installed")


def phone(receiver: Receiver, path: str = "SECRETtopic") -> tuple[str, str]:
    """An address that apprise posts to as JSON, and the name of its sink."""
    address = f"json://{receiver.url.removeprefix('http://')}/{path}"
    return address, next(iter(addresses(address)))


def state(bench: Bench, sink: str) -> list[tuple[object, ...]]:
    return bench.rows("SELECT n, state, status, reason FROM deliveries WHERE sink = ? ORDER BY n", sink)


def test_an_alert_goes_to_each_address(make: Callable[..., Bench]) -> None:
    """Two addresses are two sinks with a lane each; both get the text, beside Discord."""
    with Receiver() as one, Receiver() as other:
        (first, name), (second, second_name) = phone(one), phone(other)
        bench = make("discord", notify=f"{first},{second}")
        bench.send(ALERT)
        assert [type(message) for message in bench.run_jobs()] == [AlertPosted]
        assert one.got[0].json["title"] == "ACME ▲ FDA approval · 80"
        assert "Why: wins (title)" in one.got[0].json["message"]
        assert one.got[0].path == "/SECRETtopic"
        assert other.got[0].json["message"] == one.got[0].json["message"]
        assert state(bench, name) == state(bench, second_name) == [(0, "delivered", None, None)]


def test_the_end_of_quiet_hours_is_text_too(make: Callable[..., Bench]) -> None:
    """What quiet hours held goes there in one plain message, which says what was corrected meanwhile; no filter of the
    other sinks counts for it."""
    with Receiver() as receiver:
        address, name = phone(receiver)
        bench = make(notify=address, quiet_hours=("08:00-10:00",), discord_kinds=("offering",))
        for message in (ALERT, CORRECTED, same(ALERT, item_id="i2", alert_id="a2", ticker="BETA", score=0.4)):
            bench.send(message)
        bench.run_jobs()
        assert receiver.got == []
        bench.clock.advance(3_600)
        bench.tick("end_quiet")
        bench.run_jobs()
        assert [(got.json["title"], got.json["message"]) for got in receiver.got] == [
            ("Quiet hours are over: 2 alerts held",
             "Corrected: ACME ▲ FDA approval · 80\nBETA ▲ FDA approval · 40")]
        assert state(bench, name) == [(0, "digest", None, "digest:qt-a1"), (0, "digest", None, "digest:qt-a1"),
                                      (0, "delivered", None, None)]


def test_only_corrections_ring_again(make: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    """A further wire and a chart are no message there, and no complaint; a correction is."""
    with Receiver() as receiver:
        address, name = phone(receiver)
        bench = make("ops", notify=address)
        bench.send(ALERT)
        bench.run_jobs()
        for message in (JOINED, CHART, CORRECTED):
            bench.send(message)
            bench.run_jobs()
        assert [got.json["title"][:9] for got in receiver.got] == ["ACME ▲ FD", "Corrected"]
        assert state(bench, name) == [(0, "delivered", None, None), (1, "delivered", None, None)]
        assert "undelivered" not in caplog.text


@pytest.mark.parametrize("answer", [Answer(404, b""), Answer(401, b"")])
def test_an_address_that_is_gone_is_told_of_once(make: Callable[..., Bench], receiver: Receiver,
                                                 answer: Answer) -> None:
    """One request, then none; one notice for all alerts, which names the sink and not its address."""
    with Receiver(lambda got: answer) as gone:
        address, name = phone(gone)
        bench = make("ops", notify=address)
        for number in range(3):
            bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
        assert [type(message) for message in drain(bench)] == [ItemDropped] * 3
        assert len(gone.got) == 1
        (notice,) = receiver.got
        assert name in notice.json["content"]
        assert "SECRET" not in notice.body.decode()
        assert {row[3] for row in state(bench, name)} == {f"status_{answer.status}", "sink_closed"}


def test_refused_messages_are_one_notice(make: Callable[..., Bench], receiver: Receiver) -> None:
    """A 400 is each message's own end, never repeated; the operator hears of it once."""
    with Receiver(lambda got: Answer(400, b"")) as server:
        address, _ = phone(server)
        bench = make("ops", notify=address)
        for number in range(3):
            bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
        drain(bench)
        assert (len(server.got), len(receiver.got)) == (3, 1)


def test_an_address_that_makes_no_sense(make: Callable[..., Bench], receiver: Receiver,
                                        capfd: pytest.CaptureFixture[str],
                                        caplog: pytest.LogCaptureFixture) -> None:
    """Told once, without a word of it in any log; Discord has its alert."""
    caplog.set_level(logging.DEBUG)
    bench = make("discord", "ops", notify="nonsense://SECRETtoken@/x")
    bench.send(ALERT)
    bench.send(same(ALERT, item_id="i2", alert_id="a2"))
    drain(bench)
    notices = [got for got in receiver.got if got.path.startswith("/ops")]
    assert len(notices) == 1
    assert "It cannot be used" in notices[0].body.decode()
    out, err = capfd.readouterr()
    assert "SECRET" not in f"{out}{err}{caplog.text}{notices[0].body!r}"


def test_a_failing_address_is_tried_again_and_delays_no_other(make: Callable[..., Bench],
                                                              receiver: Receiver) -> None:
    """503 five times: Discord has the alert at once, the address when it is back, without a mark."""
    answers = [Answer(503, b"")] * 5
    with Receiver(lambda got: answers.pop() if answers else Answer(200, b"")) as server:
        address, name = phone(server)
        bench = make("discord", notify=address)
        bench.send(ALERT)
        assert [type(message) for message in bench.run_jobs()] == [AlertPosted]
        assert len(receiver.got) == 1
        drain(bench)
        assert bench.rows("SELECT state, tries, possible_repeat FROM deliveries WHERE sink = ?", name) == [
            ("delivered", 6, 0)]
        assert len(server.got) == 6


def test_an_address_that_is_not_reached(make: Callable[..., Bench]) -> None:
    """No connection: again until there is one, and no mark, for nothing was sent."""
    with Receiver() as receiver:
        address, name = phone(receiver)
    bench = make("discord", notify=address)
    bench.send(ALERT)
    bench.run_jobs()
    bench.clock.advance(5)
    bench.run_jobs()
    assert bench.rows("SELECT state, possible_repeat, reason FROM deliveries WHERE sink = ?", name) == [
        ("queued", 0, "refused")]


def test_own_cap(make: Callable[..., Bench]) -> None:
    """Not more than twenty messages a minute, whatever Discord's cap is."""
    with Receiver() as receiver:
        address, _ = phone(receiver)
        bench = make(notify=address, discord_per_minute=0)
        for number in range(25):
            bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}"))
        bench.run_jobs()
        assert len(receiver.got) == 20
        bench.clock.advance(61)
        bench.run_jobs()
        assert len(receiver.got) == 25
