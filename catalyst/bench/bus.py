"""Bench of the bus: the durable hop and round trip beside bare loops over the same kind of socket."""

from __future__ import annotations

from catalyst.bench.measure import Report, progress
from catalyst.bench.pairs import run_pair

BARE, OURS = "bare loop, same commits", "durable hop"


def run(*, quick: bool) -> Report:
    """Messages a second, and CPU a message, at 1 and at 64 a commit; microseconds of a round trip, one at a time."""
    rounds = 3 if quick else 5
    share = 0.08 if quick else 1.0
    report = Report("bus: 1 KB messages between two processes over ipc")
    for number in range(rounds):
        progress(f"bus: round {number + 1} of {rounds}")
        if not quick:
            report.add({"bare push/pull": run_pair("push", 100_000)["rate"]}, "messages/s")
        for batch, count in ((1, 12_000), (64, 40_000)):
            for pair, title in (("committing", BARE), ("durable", OURS)):
                measured = run_pair(pair, int(count * share), batch)
                report.add({f"{title}, {batch} a commit": measured["rate"]}, "messages/s")
                report.add({f"{title}, {batch} a commit, CPU of both sides": measured["cpu_us"]}, "us a message")
        for pair, title in (("ask_bare", "bare dealer/router"), ("ask", "durable")):
            times = run_pair(pair, int(4_000 * share))
            report.add({f"round trip, {title}, p50": times["p50_us"], f"round trip, {title}, p99": times["p99_us"]},
                       "us")
    for batch in (1, 64):
        ours, bare = f"{OURS}, {batch} a commit", f"{BARE}, {batch} a commit"
        report.ratio(f"bus.hop_{batch}", ours, bare, 0.5)
        report.ratio(f"bus.hop_cpu_{batch}", f"{bare}, CPU of both sides", f"{ours}, CPU of both sides", 0.5)
        if not quick:
            report.ratio(f"bus.push_{batch}", ours, "bare push/pull")
    report.ratio("bus.round_trip", "round trip, bare dealer/router, p50", "round trip, durable, p50")
    report.ratio("bus.round_trip_p99", "round trip, bare dealer/router, p99", "round trip, durable, p99")
    return report
