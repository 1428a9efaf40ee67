"""`scripts/evaluate`: how good the decisions are, measured against a truth."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from catalyst.errors import CatalystError
from catalyst.evaluate import duplicates, feeds, releases, sentiment, signals

SEEDS = (1, 2, 3)
LEAST_PRECISION, LEAST_RECALL = 0.99, 0.95
LEAST_RIGHT, MOST_WRONG = 0.97, 0.01  # of the primary tickers
Answer = tuple[bool, dict[str, Any], str]  # whether it is good enough, its figures, the same as text


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 when a figure is below what it must reach."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description="How good Catalyst's decisions are.",
                                     epilog="example: scripts/evaluate duplicates --seed 5 --json")
    ways = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    chosen: dict[str, Callable[[argparse.Namespace], Answer]] = {}
    parsers = {}
    for name, said, function in (
            ("duplicates", "stories that several wires carry", _duplicates),
            ("feeds", "entries and dates of recorded feeds", _feeds),
            ("releases", "the primary ticker of recorded press releases", _releases),
            ("sentiment", "how a headline sounds", _sentiment),
            ("signals", "ticker, noise, kind and direction of labelled stories", _signals)):
        parsers[name] = ways.add_parser(name, help=said, description=said)
        parsers[name].add_argument("--json", action="store_true", help="print one JSON object")
        chosen[name] = function
    _duplicates_arguments(parsers["duplicates"])
    _signals_arguments(parsers["signals"])
    options = parser.parse_args(arguments)
    try:
        is_good, figures, text = chosen[options.what](options)
    except CatalystError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"good": is_good, **figures}, ensure_ascii=False, indent=1) + "\n"
                     if options.json else text)
    return 0 if is_good else 1


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return number


def _duplicates_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, action="append", help="of a generated set; may be given more than once")
    parser.add_argument("--stories", type=_between(10, 20_000), default=1_000, help="of each set, default 1000")
    parser.add_argument("--stored", type=_between(0, 100_000), default=20_000,
                        help="stories before the timed ones, 0: time nothing")


def _duplicates(options: argparse.Namespace) -> Answer:
    sets = [duplicates.measure(seed, options.stories) for seed in options.seed or SEEDS]
    merged, counts = duplicates.recorded()
    cost_us = duplicates.cost_us(options.stored) if options.stored else None
    is_good = all(one.precision >= LEAST_PRECISION and one.recall >= LEAST_RECALL for one in sets)
    names = ("how", "first_source", "later_source", "first_title", "later_title")
    figures = {"sets": [one.plain() for one in sets], "cost_us": cost_us and round(cost_us), "stored": options.stored,
               "recorded": [dict(zip(names, row, strict=True)) for row in merged], "recorded_stories": dict(counts)}
    across = sum(first != later for _, first, later, *_ in merged)
    lines = [f"recorded feeds: {sum(counts.values())} stories of {len(counts)} sources, {len(merged)} merged, "
             f"{across} of them across sources\n"]
    lines += [f"  {how}: {first} <- {later}\n    {title}\n    {other}\n" for how, first, later, title, other in merged]
    if cost_us is not None:
        lines.append(f"one new item beside {options.stored} stored ones: {cost_us:.0f} microseconds\n")
    return is_good, figures, duplicates.text_of(sets) + "".join(lines)


def _feeds(options: argparse.Namespace) -> Answer:
    rows = feeds.table()
    return all(row.is_good for row in rows), {"documents": feeds.plain(rows)}, feeds.text_of(rows)


def _releases(options: argparse.Namespace) -> Answer:
    figures = releases.measure()
    is_good = figures.right >= LEAST_RIGHT and figures.wrong <= MOST_WRONG
    return is_good, figures.plain(), releases.text_of(figures)


def _sentiment(options: argparse.Namespace) -> Answer:
    report = sentiment.measure()
    return report.is_good, report.plain(), sentiment.text_of(report)


def _signals_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", choices=(*signals.SETS, "all"), default="all", help="labelled set, default all")
    parser.add_argument("--figures", action="store_true", help="without the misses, for a set that is to stay unread")


def _signals(options: argparse.Namespace) -> Answer:
    measured = [signals.measure(name) for name in (signals.SETS if options.set == "all" else (options.set,))]
    listed = {one.name for one in measured if not options.figures}
    figures = {"sets": [one.plain() for one in measured],
               "misses": [asdict(miss) for one in measured if one.name in listed for miss in one.misses]}
    lines = []
    for one in measured:
        lines.append(signals.text_of(one, ("all",) if one.name in listed else ()))
        lines += [f"  below its aim: {line}\n" for line in signals.below(one)]
    return not any(signals.below(one) for one in measured), figures, "".join(lines)
