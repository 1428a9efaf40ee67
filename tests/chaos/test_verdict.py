"""The verdict over a run: what is lost, repeated, out of order or damaged is counted and named, each by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from catalyst.chaos.verdict import Verdict, judge

Facts = dict[str, Any]


def facts() -> Facts:
    """A run in which all went well: one alert with an update, one dropped item."""
    events = [{"body": json.dumps({"event": event, "id": "a1", "item_id": item}),
               "headers": {"idempotency-key": key}} for event, item, key in (
                   ("alert", "i1", "a1"), ("update", "i2", "a1:1"))]
    out, inn = {"epoch": "e", "next": 3, "hash": "h"}, {"epoch": "e", "last": 2, "hash": "h"}
    return {
        "items": {"i1": {"fate": "alerted", "reason": None}, "i2": {"fate": "alerted", "reason": "folded"},
                  "i3": {"fate": "dropped", "reason": "no_ticker"}},
        "expected": 3, "truth": {"i1": "alerted", "i3": "dropped"},
        "sent": {"events": events, "messages": [post()], "violations": []},
        "answers": {"market": {"integrity": "ok", "out": {"alerter": out}, "in": {}},
                    "alerter": {"integrity": "ok", "out": {}, "in": {"market": inn}}}}


def post(mark: str = "") -> dict[str, Any]:
    """The post of an alert at Discord."""
    return {"webhook": "1/alerts", "method": "POST", "status": 200,
            "payload": {"embeds": [{"footer": {"text": f"id a1 · sent{mark}"}}]}}


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
    ("lost", lambda found: found["sent"]["events"].pop()),
    ("changed", lambda found: found["items"]["i3"].update(fate="alerted")),
    ("repeated", lambda found: found["sent"]["events"].append(
        {**found["sent"]["events"][0], "headers": {"idempotency-key": "other"}})),
    ("repeated", lambda found: found["sent"]["messages"].append(post())),
    ("disordered", lambda found: found["sent"]["events"].reverse()),
    ("unexplained", lambda found: found["items"]["i3"].update(reason="")),
    ("unexplained", lambda found: found["items"]["i3"].update(fate="dead")),
    ("damaged", lambda found: found["answers"]["market"].update(integrity="row 7 missing")),
    ("damaged", lambda found: found["answers"]["market"]["out"]["alerter"].update(next=9)),
    ("damaged", lambda found: found["answers"]["alerter"]["in"].clear()),
    ("violations", lambda found: found["sent"]["violations"].append("content too long")),
])
def test_each_fault_is_named(field: str, change: Callable[[Facts], object]) -> None:
    """One fault makes the run bad and stands under its own name."""
    found = verdict(change)
    assert not found.is_good
    assert getattr(found, field)


def test_a_marked_repeat_is_allowed_once_a_kill() -> None:
    """A second post that says so is allowed for each kill of the alerter, and no further."""
    def twice(found: Facts) -> None:
        found["sent"]["messages"].append(post(" · possible repeat"))

    assert verdict(twice, kills=1).is_good
    assert not verdict(twice, kills=0).is_good
