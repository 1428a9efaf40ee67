"""`scripts/evaluate`: how good the decisions are, measured against a truth."""

from __future__ import annotations

import argparse
import json
import sys

from catalyst.errors import CatalystError
from catalyst.evaluate import duplicates, sentiment

SEEDS = (1, 2, 3)
LEAST_PRECISION, LEAST_RECALL = 0.99, 0.95


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 when a figure is below what it must reach."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description="How good Catalyst's decisions are.",
                                     epilog="example: scripts/evaluate duplicates --seed 5 --json")
    parser.add_argument("what", choices=("duplicates", "sentiment"),
                        help="duplicates: stories that several wires carry; sentiment: how a headline sounds")
    parser.add_argument("--seed", type=int, action="append", help="of a generated set; may be given more than once")
    parser.add_argument("--stories", type=int, default=1_000, help="of each generated set, default 1000")
    parser.add_argument("--stored", type=int, default=20_000, help="stories before the timed ones, 0: time nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if not 10 <= options.stories <= 20_000 or not 0 <= options.stored <= 100_000:
        parser.error("a set has 10 to 20000 stories; at most 100000 are stored")
    try:
        return _sentiment(options) if options.what == "sentiment" else _duplicates(options)
    except CatalystError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _sentiment(options: argparse.Namespace) -> int:
    report = sentiment.measure()
    sys.stdout.write(json.dumps(report.plain(), indent=1) + "\n" if options.json else sentiment.text_of(report))
    return 0 if report.is_good else 1


def _duplicates(options: argparse.Namespace) -> int:
    figures = [duplicates.measure(seed, options.stories) for seed in options.seed or SEEDS]
    merged, counts = duplicates.recorded()
    cost_us = duplicates.cost_us(options.stored) if options.stored else None
    is_good = all(one.precision >= LEAST_PRECISION and one.recall >= LEAST_RECALL for one in figures)
    if options.json:
        names = ("how", "first_source", "later_source", "first_title", "later_title")
        sys.stdout.write(json.dumps({
            "good": is_good, "sets": [one.plain() for one in figures], "cost_us": cost_us and round(cost_us),
            "stored": options.stored, "recorded": [dict(zip(names, row, strict=True)) for row in merged],
            "recorded_stories": dict(counts)}, ensure_ascii=False, indent=1) + "\n")
        return 0 if is_good else 1
    sys.stdout.write(duplicates.text_of(figures))
    across = sum(first != later for _, first, later, *_ in merged)
    sys.stdout.write(f"recorded feeds: {sum(counts.values())} stories of {len(counts)} sources, {len(merged)} merged, "
                     f"{across} of them across sources\n")
    for how, first, later, title, other in merged:
        sys.stdout.write(f"  {how}: {first} <- {later}\n    {title}\n    {other}\n")
    if cost_us is not None:
        sys.stdout.write(f"one new item beside {options.stored} stored ones: {cost_us:.0f} microseconds\n")
    return 0 if is_good else 1
