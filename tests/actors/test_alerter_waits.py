"""What a person learns while a sink is down and another one is not: in the list of alerts and in the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalyst import log
from catalyst.testing import Bench, same
from tests.alerting import ALERT, Outside, drain
from tests.receiver import Answer


def test_a_sink_that_waits_is_told(make: Callable[..., Bench], outside: Outside, tmp_path: Path) -> None:
    """Discord answers 503 for a while: the list has the other sink's time only and Discord as queued; the log has one
    warning at the beginning, however many requests fail, over a restart too, and one line at the end."""
    bench = make("discord", "hook")
    log.configure("alerter", tmp_path / "logs")
    outside.script["discord"] = [Answer(503, b"")] * 4
    for number in range(2):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", ticker=f"T{number}"))
    bench.run_jobs()
    row = bench.verb("alerts", limit=5)["alerts"][0]
    assert (row["sinks"], row["took_ms"]) == ({"discord": "queued", "webhook": "delivered"}, {"webhook": 1_000})
    bench.restart()
    drain(bench)
    row = bench.verb("alerts", limit=5)["alerts"][0]
    assert row["took_ms"]["discord"] > 2_000
    assert told(tmp_path) == [("warning", "sink_waits", "discord", "status_503"),
                              ("info", "sink_takes_again", "discord", None)]


@pytest.mark.parametrize(("wait_s", "lines"), [(3, []), (60, [("warning", "sink_waits", "discord", "status_429")])])
def test_a_long_limit_is_told(make: Callable[..., Bench], outside: Outside, tmp_path: Path, wait_s: int,
                              lines: list[Any]) -> None:
    """A 429 is everyday's business, but one that shuts a sink for long has a warning."""
    bench = make("discord")
    log.configure("alerter", tmp_path / "logs")
    outside.script["discord"] = [Answer(429, {"retry_after": wait_s, "global": False})]
    bench.send(ALERT)
    drain(bench)
    assert told(tmp_path) == lines


def told(folder: Path) -> list[tuple[Any, ...]]:
    """What the log says of sinks."""
    log.configure("nobody", folder / "end")
    lines = [json.loads(line) for line in (folder / "logs" / "alerter.jsonl").read_text().splitlines()]
    return [(line["level"], line["event"], line["sink"], line.get("reason")) for line in lines
            if line["event"].startswith("sink_")]
