"""`scripts/bench`: runs benches by name, prints or compares them with the committed floors."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import tomllib
from pathlib import Path

from catalyst.bench.measure import Report, progress
from catalyst.errors import CatalystError

BENCHES = ("bus", "store", "feeds", "fetch", "keywords", "classify", "chart", "explain", "restart", "latency",
           "isolation", "delivery", "memory")
CHECKED = ("bus", "store", "feeds", "fetch", "keywords", "classify", "chart", "delivery")  # under a minute in all
FLOORS = Path(__file__).resolve().parents[2] / "scripts" / "bench_floors.toml"


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 when `--check` found a ratio below its floor."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="What Catalyst's parts cost beside plain peers.")
    parser.add_argument("bench", nargs="*", metavar="BENCH",
                        help=f"{', '.join(BENCHES)}; default: {', '.join(CHECKED)}")
    parser.add_argument("--quick", action="store_true", help="fewer messages, rows and documents")
    parser.add_argument("--check", action="store_true", help="quick, and compare the ratios with bench_floors.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    for name in options.bench:
        if name not in BENCHES:
            parser.error(f"there is no bench {name!r}; there are {', '.join(BENCHES)}")
    began = time.monotonic()
    reports = {}
    for name in options.bench or CHECKED:
        module, start_s = importlib.import_module(f"catalyst.bench.{name}"), time.monotonic()
        try:
            reports[name] = module.run(quick=options.quick or options.check)
        except CatalystError as error:
            progress(str(error))
            return error.exit_code
        progress(f"{name}: {time.monotonic() - start_s:.0f} s")
        if not options.json and not options.check:
            sys.stdout.write(reports[name].text() + "\n")
    below = compare(reports) if options.check else []
    if options.json:
        sys.stdout.write(json.dumps({"seconds": round(time.monotonic() - began, 1), "below": below, "benches": {
            name: report.plain() for name, report in reports.items()}}, indent=1) + "\n")
    elif options.check:
        sys.stdout.write("".join(f"{line}\n" for line in below) or "all ratios at or above their floors\n")
    progress(f"{time.monotonic() - began:.0f} s")
    return 1 if below else 0


def compare(reports: dict[str, Report], path: Path = FLOORS) -> list[str]:
    """A line for each ratio that is below its floor, and for each floor of a bench that ran without that ratio, unless
    the bench says why it was skipped."""
    floors = tomllib.loads(path.read_text())
    below = []
    for bench, report in reports.items():
        found = {name.removeprefix(f"{bench}."): value for name, value in report.medians().items()}
        for name, floor in floors.get(bench, {}).items():
            if f"{bench}.{name}" in report.skipped:
                progress(f"{bench}.{name} is skipped: {report.skipped[f'{bench}.{name}']}")
            elif name not in found:
                below.append(f"{bench}.{name}: not measured")
            elif found[name] < floor:
                below.append(f"{bench}.{name}: {found[name]:.3g} is below its floor {floor:g}")
    return below
