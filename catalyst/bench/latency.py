"""From an item's being seen (feed response complete) to the request of its alert (begun), one item at a time; and from
there to the edit that brings the chart.

The whole system as real processes, the world on loopback, no model. The figure of a burst is another one.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalyst.bench.house import House
from catalyst.bench.measure import Report, progress
from catalyst.clock import from_iso

AIM_P50_MS, AIM_P99_MS, AIM_CHART_MS = 50, 250, 1_000


def run(*, quick: bool) -> Report:
    """Milliseconds from seen to sent, over the alerts of a day with two items a second."""
    items = 60 if quick else 240
    with tempfile.TemporaryDirectory(prefix="cat-") as folder, House(Path(folder), items=items, duration_s=items / 2,
                                                                     every_s=0.2) as house:
        house.open_world()
        house.up()
        progress(f"latency: {items} items in {items / 2:.0f} s")
        house.wait_until_settled(items)
        sent = house.sent()
    bodies = [json.loads(event["body"]) for event in sent["events"]]
    waits = sorted(from_iso(body["sent"]) - from_iso(body["seen"]) for body in bodies if body["event"] == "alert")
    report = Report("latency: seen -> request begun, one item at a time")
    report.add({"p50": statistics.median(waits), "p90": waits[int(len(waits) * 0.90)],
                "p99": waits[int(len(waits) * 0.99)], "longest": waits[-1]}, "ms")
    report.add({"aim p50": AIM_P50_MS, "aim p99": AIM_P99_MS}, "ms")
    report.ratio("p50", "aim p50", "p50", 1)
    report.ratio("p99", "aim p99", "p99", 1)
    lags = chart_lags_ms(sent["messages"])
    report.add({"chart p50": statistics.median(lags), "chart p99": lags[int(len(lags) * 0.99)],
                "aim chart": AIM_CHART_MS}, "ms")
    report.ratio("chart", "aim chart", "chart p99", 1)
    report.notes.append(f"{len(waits)} alerts, {len(lags)} charts")
    return report


def chart_lags_ms(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """From each message's post at Discord to the edit that first brought its picture, the shortest first."""
    posted, drawn = {}, {}
    for one in messages:
        if one["status"] == 200:
            seen = posted if one["method"] == "POST" else drawn if one["attachments"] else {}
            seen.setdefault(one["message_id"], from_iso(one["at"]) or 0)
    return sorted(drawn[name] - posted[name] for name in drawn.keys() & posted.keys())
