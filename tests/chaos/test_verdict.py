"""The verdict over a run: what is lost, repeated, out of order or damaged is counted and named, each by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from catalyst.chaos.verdict import Hang, Taken, Verdict, judge

Facts = dict[str, Any]


def facts() -> Facts:
    """A run in which all went well: one alert with an update and two outcomes, one dropped item."""
    events = [{"body": json.dumps({"event": event, "id": "a1", "item_id": item, "title": title}),
               "headers": {"idempotency-key": key}} for event, item, title, key in (
                   ("alert", "i1", "Acme", "a1"), ("update", "i2", "Acme", "a1:1"),
                   ("update", "i1", "ACME +4.2 % 15 min after the alert", "a1:2"),
                   ("update", "i1", "ACME -1.0 % 1 h after the alert", "a1:3"))]
    out, inn = {"epoch": "e", "next": 3, "hash": "h"}, {"epoch": "e", "last": 2, "hash": "h"}
    return {
        "items": {"i1": {"fate": "alerted", "reason": None}, "i2": {"fate": "alerted", "reason": "folded"},
                  "i3": {"fate": "dropped", "reason": "no_ticker"}},
        "expected": 3, "truth": {"i1": "alerted", "i3": "dropped"},
        "sent": {"events": events, "messages": [post()], "violations": []},
        "answers": {"market": {"integrity": "ok", "out": {"alerter": out}, "in": {}},
                    "alerter": {"integrity": "ok", "out": {}, "in": {"market": inn}}}}


def post(mark: str = "", name: str = "a1") -> dict[str, Any]:
    """The post of an alert at Discord."""
    return {"webhook": "1/alerts", "method": "POST", "status": 200,
            "payload": {"embeds": [{"footer": {"text": f"id {name} · sent{mark}"}}]}}


def verdict(change: Callable[[Facts], object] = lambda found: None, kills: int = 1) -> Verdict:
    """What is judged of the facts after a change."""
    found = facts()
    change(found)
    return judge(**found, alerter_kills=kills)


def test_a_good_run_is_good() -> None:
    """Nothing to complain of."""
    found = verdict()
    assert found.is_good
    assert (found.items, found.alerts) == (3, 1)


@pytest.mark.parametrize(("field", "change"), [
    ("lost", lambda found: found["items"]["i3"].update(fate="in_flight")),
    ("lost", lambda found: found.update(expected=4)),
    ("lost", lambda found: found["sent"]["events"].pop(1)),
    ("changed", lambda found: found["items"]["i3"].update(fate="alerted")),
    ("repeated", lambda found: found["sent"]["events"].append(
        {**found["sent"]["events"][0], "headers": {"idempotency-key": "other"}})),
    ("repeated", lambda found: found["sent"]["events"].append(
        {**found["sent"]["events"][-1], "headers": {"idempotency-key": "a1:4"}})),
    ("repeated", lambda found: found["sent"]["messages"].append(post())),
    ("disordered", lambda found: found["sent"]["events"].reverse()),
    ("unexplained", lambda found: found["items"]["i3"].update(reason="")),
    ("unexplained", lambda found: found["items"]["i3"].update(fate="dead")),
    ("damaged", lambda found: found["answers"]["market"].update(integrity="row 7 missing")),
    ("damaged", lambda found: found["answers"]["market"]["out"]["alerter"].update(next=9)),
    ("damaged", lambda found: found["answers"]["alerter"]["in"].clear()),
    ("violations", lambda found: found["sent"]["violations"].append("content too long")),
    ("mismatched", lambda found: found["answers"]["market"].update(mismatches=["alerter sender: hash differs"])),
    ("late", lambda found: found.update(hangs=[Hang("stop", "sec", 3.6, 4.0)])),
    ("late", lambda found: found.update(hangs=[Hang("stop", "sec", 3.0, 6.1)])),
    ("late", lambda found: found.update(hangs=[Hang("stop", "sec", None, 4.0)])),
    ("late", lambda found: found.update(hangs=[Hang("loop", "sec", 3.0, None, "in _loop")])),
    ("late", lambda found: found.update(hangs=[Hang("swell", "sec", 9.0, 14.1)])),
    ("unstacked", lambda found: found.update(hangs=[Hang("loop", "sec", 3.0, 4.0, "no stacks")])),
])
def test_each_fault_is_named(field: str, change: Callable[[Facts], object]) -> None:
    """One fault makes the run bad and stands under its own name."""
    found = verdict(change)
    assert not found.is_good
    assert getattr(found, field)


@pytest.mark.parametrize("hang", [
    Hang("stop", "sec", 3.5, 6.0), Hang("loop", "sec", 3.5, 6.0, "in _loop"), Hang("swell", "sec", 9.0, 13.9),
    Hang("stop", "sec", None, None, excused="supervisor was struck too")])
def test_a_hang_in_time_is_good(hang: Hang) -> None:
    """Found within 3.5 s and replaced within 6; recycled within 5 s of its incident; or nobody was there to see it."""
    assert verdict(lambda found: found.update(hangs=[hang])).is_good


def test_slack_is_for_time_alone() -> None:
    """A busy machine may find a hang later; it must still find it, with its stacks."""
    found = facts()
    hangs = [Hang("stop", "sec", 6.9, 11.9), Hang("loop", "web", 4.0, 9.0)]
    said = judge(**found, alerter_kills=0, hangs=hangs, slack=2.0)
    assert (said.late, said.unstacked) == ([], ["loop web"])


def ordered(urgency: float, second: str = "AAA", place: int | None = 2,
            change: Callable[[Facts], object] = lambda found: None) -> Verdict:
    """What is judged where alert a2 arrived before a1, which the alerter took first with urgency 0.5."""
    def swap(found: Facts) -> None:
        found["sent"]["events"] = [
            {"body": json.dumps({"event": "alert", "id": name, "item_id": item, "title": item}),
             "headers": {"idempotency-key": name}}
            for name, item in (("a2", "i2"), ("a1", "i1"))]
        found["sent"]["messages"] = [post(name="a2"), post()]
        found["taken"] = [Taken("a1", "AAA", 0.5, 1), Taken("a2", second, urgency, place)]
        change(found)

    return verdict(swap)


def test_order_within_a_ticker() -> None:
    """Who was taken first arrives first at each sink, unless the other is more urgent, or is about another ticker."""
    assert ordered(0.5).disordered == ["discord AAA a1", "webhook AAA a1"]
    assert ordered(0.4).disordered
    assert ordered(0.6).is_good
    assert ordered(0.5, second="BBB").is_good
    assert ordered(0.5, place=None).is_good


def test_one_that_its_sink_refused_may_be_overtaken() -> None:
    """It steps back for a moment; the other sink's order holds."""
    def refuse(found: Facts) -> None:
        found["sent"]["messages"].insert(0, {**post(), "status": 500, "trouble": "500"})

    assert ordered(0.5, change=refuse).disordered == ["webhook AAA a1"]
    assert ordered(0.5, change=lambda found: found["sent"].update(refused=["a1"])).disordered == ["discord AAA a1"]


def test_updates_come_in_their_order() -> None:
    """A later update before an earlier one is named; the same one again is none."""
    def update(number: int) -> Facts:
        return {"body": json.dumps({"event": "update", "id": "a1", "item_id": f"i{number}", "title": ""}),
                "headers": {"idempotency-key": f"a1:{number}"}}

    assert verdict(lambda found: found["sent"]["events"].extend([update(4), update(5), update(4)])).is_good
    assert verdict(lambda found: found["sent"]["events"].extend([update(5), update(4)])).disordered == ["a1 update 4"]


def test_a_known_nonce_makes_no_message() -> None:
    """At a bot's channel a post that Discord knew is no repeat; a second message is one, marked or not."""
    def again(found: Facts, **more: Any) -> None:
        found["sent"]["messages"] = [{**post(), "webhook": "channels/1"}, {**post(), "webhook": "channels/1", **more}]

    assert verdict(lambda found: again(found, repeated=True), kills=0).is_good
    assert verdict(lambda found: again(found), kills=5).repeated == ["discord a1"]


def test_a_withheld_answer_allows_a_repeat() -> None:
    """A post that was made and not answered may be made once more, with its mark, without any kill."""
    def twice(found: Facts) -> None:
        found["sent"]["messages"] = [{**post(), "trouble": "reset_after"}, post(" · possible repeat")]

    assert verdict(twice, kills=0).is_good


def test_a_house_that_never_rests_is_bad() -> None:
    """What still waits in the end may be lost."""
    assert not Verdict(restless=["charter 49+0"]).is_good


def test_items_that_were_never_seen_are_counted() -> None:
    """Each of them counts as lost."""
    assert len(verdict(lambda found: found.update(expected=9)).lost) == 6


def test_a_marked_repeat_is_allowed_once_a_kill() -> None:
    """A second post that says so is allowed for each kill of the alerter, and no further."""
    def twice(found: Facts) -> None:
        found["sent"]["messages"].append(post(" · possible repeat"))

    assert verdict(twice, kills=1).is_good
    assert not verdict(twice, kills=0).is_good


def digest(*names: str, mark: str = "") -> dict[str, Any]:
    """A message that tells of several alerts, as Discord got it."""
    texts = [f"id {name}" for name in names]
    texts[-1] += f" · digest dg-{names[0]}{mark}"
    return {**post(), "payload": {"embeds": [{"footer": {"text": text}} for text in texts]}}


def test_an_alert_may_go_out_in_a_digest() -> None:
    """What a digest tells of is not lost, its order is nobody's, and a digest that says it is one may be repeated."""
    def tell(*messages: dict[str, Any]) -> Callable[[Facts], None]:
        def change(found: Facts) -> None:
            found["sent"]["messages"] = list(messages)
        return change

    assert verdict(tell(digest("a0", "a1"))).is_good
    assert verdict(tell(digest("a0", "a2"))).lost == ["discord a1"]
    assert verdict(tell(digest("a0", "a1"), post())).repeated == ["discord a1 in a1 and dg-a0"]
    assert verdict(tell(digest("a0", "a1"), digest("a0", "a1"))).repeated == ["discord dg-a0"]
    again = verdict(tell(digest("a0", "a1"), digest("a0", "a1", mark=" · possible repeat")))
    assert (again.is_good, again.marked) == (True, 1)
