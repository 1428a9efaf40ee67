"""`catalyst chaos`: plays a generated day in an empty home, strikes its processes by plan, and says what is left.

It works in a folder of its own, with a world on loopback: it never touches the home in use.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from catalyst.bench.house import House
from catalyst.chaos.plan import SCENARIOS, plan
from catalyst.chaos.strike import Strike
from catalyst.chaos.verdict import Verdict
from catalyst.commands.output import count, print_json, seconds, table
from catalyst.commands.run import write_configuration
from catalyst.errors import UnavailableError
from catalyst.runtime.roster import WORKERS
from catalyst.settings import defaults

KILLS_PER_S = 2.0
ITEMS_PER_S = 60.0
SHORTEST_S = 12.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst chaos [--kills N] [--items N] [--seed S] [--scenario NAME] [--keep DIR]`."""
    parser.add_argument("--kills", type=count, default=40, metavar="N", help="blows in all (default 40)")
    parser.add_argument("--items", type=count, default=600, metavar="N", help="items of the day (default 600)")
    parser.add_argument("--seed", type=count, metavar="S", help="of day and plan; the same seed, the same plan")
    parser.add_argument("--scenario", default="mixed", metavar="NAME", help="; ".join(
        f"{name}: {scenario.said}" for name, scenario in SCENARIOS.items()))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave home, day and history.jsonl there")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when the promise held, 1 when it did not."""
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    span_s = max(SHORTEST_S, arguments.kills / KILLS_PER_S, arguments.items / ITEMS_PER_S)
    blows = plan(seed, arguments.kills, span_s, arguments.scenario, WORKERS)
    folder = Path(tempfile.mkdtemp(prefix="cat-")) if arguments.keep is None else arguments.keep.absolute()
    _say(f"seed {seed}, {arguments.items} items, {len(blows)} blows in {span_s:.0f} s, scenario {arguments.scenario}")
    try:
        strike = Strike(folder, blows, keep, _say)
        verdict = strike.play(seed, arguments.items, span_s)
    except AssertionError as error:  # a wait that ended without what was waited for
        raise UnavailableError(f"the run came to no end: {error}") from error
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    report = {"seed": seed, "scenario": arguments.scenario, "items": verdict.items, "alerts": verdict.alerts,
              "blows": dict(strike.done), "good": verdict.is_good, "back_s": strike.figures(),
              "counts": {name: number for name, number, _, _ in verdict.rows()}}
    if arguments.json:
        print_json(report)
    else:
        print(_text(verdict, strike))
    return 0 if verdict.is_good else 1


def keep(house: House) -> subprocess.Popen[bytes]:
    """Start supervisord on the house's home; waits until all actors run."""
    configuration = write_configuration(defaults(home=house.home), None)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)], env=house.environment,
        cwd=house.home, start_new_session=True)
    house.owns(process)
    house.wait_until_running(40)
    return process


def _say(text: str) -> None:
    sys.stderr.write(f"chaos: {text}\n")
    sys.stderr.flush()


def _text(verdict: Verdict, strike: Strike) -> str:
    struck = ", ".join(f"{name} {number}" for name, number in sorted(strike.done.items()))
    lines = [f"{verdict.items} items, {verdict.alerts} alerts, struck: {struck}", "",
             table(("", "count", "at most", "for example"), verdict.rows(), 100), ""]
    for act, figures in strike.figures().items():
        lines.append(f"{act}: back after {seconds(figures['median'])}, at the longest {seconds(figures['longest'])}")
    return "\n".join([*lines, "", "the promise held" if verdict.is_good else "THE PROMISE DID NOT HOLD"])
