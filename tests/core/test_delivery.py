"""What follows from each outcome of a delivery, and the order of an alert's deliveries at one sink."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.delivery import (
    MOST_STRAYS,
    Chart,
    Deliver,
    Plan,
    Row,
    Sent,
    is_for,
    is_unfit,
    number_of,
    plan,
    settle,
    wait_ms,
    wish_ms,
)
from catalyst.core.refusals import is_stray
from catalyst.messages import AlertReady
from catalyst.testing import same

ALERT = AlertReady(
    item_id="i1", alert_id="a1", source="s", title="t", link="", summary="", published_ms=None, seen_ms=0,
    ticker="ACME", company="Acme Inc", kinds=(), direction="up", sentiment=0.0, score=0.0, why="w", watched=False,
    price_usd=None, price_ms=None, previous_close_usd=None, simulated=False, provider=None, ready_ms=0)
CHART = Chart(b"png", "words")
POST = Deliver(id="a1", sink="discord", event="alert")
EDIT = Deliver(id="a1", sink="discord", event="update", n=1, message_id="77")
HOOK = Deliver(id="a1", sink="webhook", event="alert")
BOT = Deliver(id="a1", sink="discord", event="alert", askable=True)


def sent(outcome: Any, status: int | None = None, **more: Any) -> Sent:
    return Sent(outcome, 1_000, 2_000, status, **more)


@pytest.mark.parametrize(("payload", "result", "state", "repeat"), [
    (POST, sent("delivered", 200), "delivered", False),
    (POST, sent("refused", 400), "refused", False), (HOOK, sent("refused", 410), "refused", False),
    (POST, sent("retry"), None, False), (POST, sent("retry", 429), None, False),
    (POST, sent("retry", 502), None, False), (POST, sent("retry", 503), None, False),
    (POST, sent("retry", 500), None, True), (POST, sent("retry", 504), None, True),
    (POST, sent("ambiguous"), None, True),
    (EDIT, sent("ambiguous"), None, False), (EDIT, sent("retry", 504), None, False),
    (HOOK, sent("ambiguous"), None, False), (HOOK, sent("retry", 500), None, False),
])
def test_state_and_mark(payload: Deliver, result: Sent, state: str | None, repeat: bool) -> None:
    """Only a post that may have arrived is marked; only an answer that means no ends a delivery."""
    verdict = settle(payload, result, 1, 1)
    assert verdict.state == state
    assert verdict.payload.possible_repeat is repeat
    assert (verdict.again_ms >= 2_000) is (state is None)


def test_an_unanswered_post_is_repeated_once() -> None:
    """A second silence ends a Discord post, while edits and the signed webhook go on."""
    again = settle(POST, sent("ambiguous"), 1, 1).payload
    assert settle(again, sent("retry"), 2, 2).state is None
    assert settle(again, sent("ambiguous"), 2, 2).state == "ambiguous"
    for harmless in (EDIT, HOOK):
        once = settle(harmless, sent("ambiguous"), 1, 1).payload
        assert settle(once, sent("ambiguous"), 2, 2).state is None


def test_a_mark_from_a_kill_does_not_use_up_the_repeat() -> None:
    """A post already marked by a restart is still repeated after one silence."""
    marked = Deliver(id="a1", sink="discord", event="alert", possible_repeat=True)
    assert settle(marked, sent("ambiguous"), 1, 1).state is None


def test_an_edit_of_an_old_message_waits_by_itself() -> None:
    """Discord's limit for them holds neither the sink nor the next edit for longer than a minute."""
    verdict = settle(EDIT, sent("retry", 429, body=b'{"code": 30046}'), 1, 0)
    assert (verdict.state, verdict.hold_ms, verdict.again_ms) == (None, 0, 62_000)


def test_what_a_phone_rings_for() -> None:
    """A further wire and an outcome are for sinks that edit or that programs read."""
    for what in ("source", "outcome"):
        assert [sink for sink in ("discord", "webhook", "notify-ntfy-123456") if is_for(sink, what)] == [
            "discord", "webhook"]
    assert all(is_for("notify-ntfy-123456", what) for what in ("alert", "correction"))


def test_back_off() -> None:
    """A failing sink is left alone up to a minute, one out of reach up to five seconds, each alert's waits being up to
    a quarter shorter in a way of their own; a 429 is the limiter's."""
    for times, longest_ms in ((0, 500), (1, 500), (2, 1000), (3, 2000), (8, 60_000), (99, 60_000)):
        waits_ms = [wait_ms(times, 60.0, f"a{number}") for number in range(50)]
        assert longest_ms * 0.75 <= min(waits_ms) < longest_ms * 0.8
        assert longest_ms * 0.95 < max(waits_ms) <= longest_ms
        assert wait_ms(times, 60.0, "a7") == waits_ms[7]
    assert 47_000 <= settle(POST, sent("retry", 503), 20, 20).hold_ms <= 62_000
    assert 5_750 <= settle(POST, sent("retry"), 20, 20).hold_ms <= 7_000
    assert settle(POST, sent("retry", 429), 20, 20).hold_ms == 0
    assert settle(HOOK, sent("retry", 503, headers={"retry-after": "30"}), 1, 1).hold_ms == 32_000


def test_one_bad_message_does_not_hold_the_sink() -> None:
    """A delivery that failed often waits long itself, the sink only for its own failures in a row."""
    verdict = settle(POST, sent("retry", 500), 8, 1)
    assert 2_375 <= verdict.hold_ms <= 2_500
    assert 47_000 <= verdict.again_ms <= 62_000


@pytest.mark.parametrize(("text", "wait_ms"), [("", 0), ("7", 7_000), ("99999999", 3_600_000), ("-1", 0),
                                               ("90.5", 90_500), ("Thu, 01 Jan 1970 00:05:02 GMT", 300_000), ("²", 0)])
def test_what_a_sink_asks_for(text: str, wait_ms: int) -> None:
    """Seconds, parts of them or a date, at most an hour."""
    assert wish_ms(sent("retry", 503, headers={"retry-after": text})) == wait_ms


@pytest.mark.parametrize(("payload", "status", "body", "closes"), [
    (POST, 404, b'{"code": 10015}', True), (POST, 404, b"", True), (POST, 401, b"<html>10015</html>", False),
    (POST, 404, b"\n<!DOCTYPE html>", False), (POST, 401, b'{"code": 50027}', True), (POST, 401, b'{"code": 0}', True),
    (POST, 403, b'{"code": 10015}', False), (POST, 400, b"", False), (EDIT, 404, b'{"code": 10008}', False),
    (EDIT, 404, b"", False), (EDIT, 404, b'{"code": 10015}', True), (HOOK, 404, b'{"code": 10015}', False),
    (BOT, 404, b'{"code": 10003}', True), (BOT, 401, b'{"code": 0}', True), (BOT, 404, b"<html>", False),
])
def test_what_closes_a_sink(payload: Deliver, status: int, body: bytes, closes: bool) -> None:
    """That a webhook, or a bot's channel, is gone closes the sink; a deleted message or somebody's page does not."""
    assert settle(payload, sent("refused", status, body=body), 1, 0).closes is closes


@pytest.mark.parametrize(("status", "body", "stray"), [
    (404, b"<html>404</html>", True), (403, b" <!DOCTYPE html>", True), (401, b"", False), (404, b"gone", False),
    (403, b'{"message": "no"}', False), (404, b'{"code": 10015}', False), (400, b"<html>", False), (None, b"", False)])
def test_whose_refusal_it_is(status: int | None, body: bytes, stray: bool) -> None:
    """Discord answers no page; what a proxy on the way says passes."""
    assert is_stray(status, body) is stray


def test_stray_refusals_have_an_end_for_one_message_only() -> None:
    """While nothing passes, a message waits as it does for a sink that is down, unmarked; one that alone is refused
    while others pass ends after an hour or so, and never within minutes."""
    down = settle(POST, sent("retry", 404), 200, 200)
    assert (down.state, down.payload.possible_repeat) == (None, False)
    assert 45_000 <= down.hold_ms - 2_000 <= 60_000
    alone = [settle(POST, sent("retry", 404), tries, 1) for tries in range(1, MOST_STRAYS + 1)]
    assert [verdict.state for verdict in alone] == [None] * (MOST_STRAYS - 1) + ["refused"]
    assert 40 * 60_000 < sum(verdict.again_ms - 2_000 for verdict in alone[:-1]) < 60 * 60_000
    assert not alone[-1].closes


def test_keys() -> None:
    """The idempotency key is the alert's id, with the update's number after the first."""
    assert (POST.key, EDIT.key) == ("a1", "a1:1")


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 3)), unique=True, max_size=8), st.data())
def test_numbers_of_updates(told: list[tuple[str, int]], data: st.DataObject) -> None:
    """They rise as updates come; those that came in order of time have the same numbers in a database that begins anew
    and is told of a part of them only."""
    def numbers(updates: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        for about, at_ms in updates:
            found[about, at_ms] = number_of(about, at_ms, max(found.values(), default=0))
        return found

    first = numbers(told)
    assert list(first.values()) == sorted(set(first.values()))
    in_time = {at_ms: about for about, at_ms in told}  # one at a moment
    in_order = sorted(((about, at_ms) for at_ms, about in in_time.items()), key=lambda one: one[1])
    all_of = numbers(in_order)
    part = [one for one in in_order if data.draw(st.booleans())]
    assert numbers(part) == {one: all_of[one] for one in part}


DONE = Row(0, "delivered", "77", 5)


@pytest.mark.parametrize(("rows", "sink", "expected"), [
    ([], "discord", Plan()),
    ([Row(0, "waiting")], "discord", Plan(0)),
    ([Row(0, "waiting"), Row(1, "waiting")], "webhook", Plan(0)),
    ([Row(0, "queued"), Row(1, "waiting")], "discord", Plan()),
    ([DONE, Row(1, "waiting"), Row(2, "waiting")], "discord", Plan(2, folded=(1,), what="source")),
    ([DONE, Row(1, "waiting"), Row(2, "waiting")], "webhook", Plan(1, what="source")),
    ([DONE, Row(1, "queued"), Row(2, "waiting")], "webhook", Plan()),
    ([DONE, Row(1, "delivered"), Row(2, "waiting")], "discord", Plan(2, what="source")),
    ([DONE, Row(1, "waiting", what="chart")], "discord", Plan(1, what="chart")),
    ([DONE, Row(1, "waiting"), Row(2, "waiting", what="chart")], "discord", Plan(2, folded=(1,), what="chart")),
    ([DONE, Row(1, "waiting", what="chart"), Row(2, "waiting")], "discord", Plan(2, folded=(1,), what="chart")),
    ([DONE, Row(1, "delivered", what="chart"), Row(2, "waiting")], "discord", Plan(2, what="source")),
    ([Row(0, "waiting", what="alert"), Row(1, "waiting", what="chart")], "discord", Plan(0)),
    ([Row(0, "refused", what="alert"), Row(1, "waiting", what="chart")], "discord", Plan(refused=(1,))),
    ([Row(0, "delivered"), Row(1, "waiting")], "discord", Plan(refused=(1,))),
    ([Row(0, "delivered"), Row(1, "waiting")], "webhook", Plan(1, what="source")),
    ([Row(0, "refused"), Row(1, "waiting"), Row(2, "waiting")], "webhook", Plan(refused=(1, 2))),
    ([Row(0, "ambiguous"), Row(1, "waiting")], "discord", Plan(refused=(1,))),
    ([Row(3, "delivered", "77"), Row(4, "waiting")], "discord", Plan(refused=(4,))),
    ([Row(3, "waiting"), Row(4, "waiting")], "webhook", Plan(refused=(3, 4))),
])
def test_plan(rows: list[Row], sink: str, expected: Plan) -> None:
    """The alert first, one at a time, nothing to update where the alert never arrived."""
    assert plan(rows, sink) == expected


@given(st.lists(st.sampled_from(["waiting", "queued", "delivered", "refused", "ambiguous", "folded"]), max_size=6),
       st.sampled_from(["discord", "webhook"]))
def test_plan_starts_one_waiting_delivery_at_most(states: list[str], sink: str) -> None:
    """Only waiting deliveries are started or ended, and nothing is started beside one under way."""
    rows = [Row(n, state, "77") for n, state in enumerate(states)]
    step = plan(rows, sink)
    touched = {*step.folded, *step.refused, *([] if step.start is None else [step.start])}
    assert all(states[n] == "waiting" for n in touched)
    if "queued" in states:
        assert step == Plan()


def test_texts_before_charts_before_sources() -> None:
    """The worst alert is more urgent than the best correction, that more than the best chart, that more than the best
    further wire."""
    worst = Deliver(id="a1", sink="discord", event="alert", alert=ALERT)
    best = same(ALERT, score=1.0, watched=True)
    chart = Deliver(id="a2", sink="discord", event="update", n=1, what="chart", alert=best)
    source = Deliver(id="a2", sink="discord", event="update", n=1, what="source", alert=best)
    mended = Deliver(id="a2", sink="discord", event="update", n=1, what="correction", alert=best)
    again = Deliver(id="a1", sink="discord", event="update", n=1, what="chart", alert=ALERT)
    assert worst.urgency > mended.urgency > chart.urgency > again.urgency > source.urgency


@pytest.mark.parametrize(("chart", "outcome", "status", "unfit"), [
    (CHART, "refused", 400, True), (CHART, "refused", 413, True), (CHART, "refused", 404, False),
    (CHART, "retry", 500, False), (None, "refused", 400, False)])
def test_a_refusal_that_may_be_the_pictures_fault(chart: Chart | None, outcome: Any, status: int, unfit: bool) -> None:
    """Only of a message that carries one, and only by an answer about its content."""
    payload = Deliver(id="a1", sink="discord", event="update", n=1, message_id="77", chart=chart)
    assert is_unfit(payload, sent(outcome, status)) is unfit
    assert is_unfit(payload, sent("refused", reason="defect_KeyError")) is (chart is not None)


def test_a_correction_follows_an_alert_of_a_digest() -> None:
    """Where it is a message of its own it goes out; at Discord only what has a message can be edited."""
    rows = [Row(0, "digest"), Row(1, "waiting", joined_id="c1", what="correction")]
    assert plan(rows, "notify-ntfy-1") == Plan(1, what="correction")
    assert plan(rows, "discord") == Plan(refused=(1,))
