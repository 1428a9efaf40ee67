"""`catalyst chaos`: plays a generated day in an empty home, strikes its processes by plan, and says what is left.

It works in a folder of its own, with a world on loopback: it never touches the home in use.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from catalyst import __version__
from catalyst.bench.house import House
from catalyst.chaos import record
from catalyst.chaos.houses import SINKS
from catalyst.chaos.plan import SCENARIOS, acts_of, plan
from catalyst.chaos.points import Points, all_series, drawn_series
from catalyst.chaos.strike import TOOLS, Strike, tool
from catalyst.chaos.verdict import Verdict
from catalyst.clock import SystemClock, iso
from catalyst.commands.output import count, print_json, seconds, table
from catalyst.commands.run import write_configuration
from catalyst.errors import UnavailableError, UsageError
from catalyst.runtime.faults import POINTS
from catalyst.runtime.roster import WORKERS
from catalyst.settings import defaults

POINTS_SCENARIO = "points"
KILLS, ITEMS = 40, 600
ALL_POINTS_ITEMS = 8_000  # of a day for all crash points; what is not needed is never shown
POINT_ITEMS = 12  # for each of a sample, of which eight are tried at once
START_S = 120.0  # a second where the machine does nothing else
KILLS_PER_S = 2.0
ITEMS_PER_S = 60.0
SHORTEST_S = 12.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst chaos [--kills N] [--items N] [--seed S] [--scenario NAME,...] [--sink S] [--keep DIR] ...`."""
    parser.add_argument("--kills", type=count, metavar="N",
                        help=f"blows in all (default {KILLS}); of the scenario points a sample of N, without it all")
    parser.add_argument("--items", type=count, metavar="N", help=f"items of the day (default {ITEMS})")
    parser.add_argument("--seed", type=count, metavar="S", help="of day and plan; the same seed, the same plan")
    parser.add_argument("--scenario", default="mixed", metavar="NAME[,NAME]", help="; ".join(
        [*(f"{name}: {scenario.said}" for name, scenario in SCENARIOS.items()),
         f"{POINTS_SCENARIO}: kill -9 of each actor before and after receive, commit, post, acknowledge ..., the first,"
         " second, third time ..., and of its successor"]))
    parser.add_argument("--sink", choices=SINKS, default=SINKS[0],
                        help="how alerts go to Discord: by a plain webhook (default) or by a bot")
    parser.add_argument("--only", default="", metavar="NAME,...", help="actors and crash points to restrict points to")
    parser.add_argument("--patch", type=Path, metavar="FILE",
                        help="Python that each process runs first: a defect, to see that it is found")
    parser.add_argument("--slack", type=float, default=1.0, metavar="X",
                        help="what hangs may be found and replaced X times as late: for a machine that does much else")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave home, day and history.jsonl there")
    parser.add_argument("--record", type=Path, metavar="FILE",
                        help="keep the result there, as docs/reliability.json does")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when the promise held, 1 when it did not. Raises UnavailableError, UsageError."""
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    _say(f"seed {seed}")
    if arguments.patch is not None and not arguments.patch.is_file():
        raise UsageError(f"--patch {arguments.patch}: there is no such file")
    only = [name for name in arguments.only.split(",") if name]
    if unknown := [name for name in only if name not in (*WORKERS, *POINTS)]:
        raise UsageError(f"--only {unknown[0]}: no actor and no point; there are {', '.join((*WORKERS, *POINTS))}")
    folder = Path(tempfile.mkdtemp(prefix="cat-")) if arguments.keep is None else arguments.keep.absolute()
    if (folder / "home").exists():
        raise UsageError(f"--keep {arguments.keep}: there is a home already; name an empty folder")
    signal.signal(signal.SIGTERM, _end)
    try:
        if arguments.scenario == POINTS_SCENARIO:
            report, text = _points(arguments, seed, folder, only)
        else:
            report, text = _blows(arguments, seed, folder)
    except AssertionError as error:  # a wait that ended without what was waited for
        raise UnavailableError(f"the run came to no end: {error}") from error
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if arguments.record is not None:
        record.add(arguments.record, report)
    if arguments.json:
        print_json(report)
    else:
        print(text)
    return 0 if report["good"] else 1


def _blows(arguments: argparse.Namespace, seed: int, folder: Path) -> tuple[dict[str, Any], str]:
    """Report and text of a run of blows by plan."""
    kills = KILLS if arguments.kills is None else arguments.kills
    items = ITEMS if arguments.items is None else arguments.items
    for act in sorted(acts_of(arguments.scenario) & set(TOOLS)):
        tool(act)  # better said before anything is made
    span_s = max(SHORTEST_S, kills / KILLS_PER_S, items / ITEMS_PER_S)
    blows = plan(seed, kills, span_s, arguments.scenario, WORKERS)
    _say(f"{items} items, {len(blows)} blows in {span_s:.0f} s, scenario {arguments.scenario}, sink {arguments.sink}")
    strike = Strike(folder, blows, keep, _say, sink=arguments.sink, patch=arguments.patch, slack=arguments.slack)
    verdict = strike.play(seed, items, span_s)
    figures = strike.figures()
    report = _report(arguments, seed, verdict, dict(strike.struck.done)) | {"back_s": figures}
    lines = [f"{act}: {'' if act.startswith('found') else 'back '}after {seconds(found['median'])}, at the longest"
             f" {seconds(found['longest'])}" for act, found in figures.items()]
    return report, _text(report, verdict, lines)


def _points(arguments: argparse.Namespace, seed: int, folder: Path, only: list[str]) -> tuple[dict[str, Any], str]:
    """Report and text of a run over crash points."""
    series = all_series(only) if arguments.kills is None else drawn_series(seed, arguments.kills, only)
    sample = arguments.kills is not None
    items = arguments.items or (max(60, POINT_ITEMS * -(-arguments.kills // len(series))) if sample
                                else ALL_POINTS_ITEMS)
    _say(f"{items} items, {f'{arguments.kills} crashes' if sample else 'all crash points'}, sink {arguments.sink}")
    points = Points(folder, series, keep, _say, sink=arguments.sink, patch=arguments.patch)
    verdict = points.play(seed, items)
    struck: dict[str, int] = {}
    for crash in points.crashes:
        if crash.fell_s is not None:
            struck[crash.actor] = struck.get(crash.actor, 0) + 1 + bool(crash.again)
    report = _report(arguments, seed, verdict, struck) | {
        "scenario": f"points, a sample of {arguments.kills}" if sample else POINTS_SCENARIO,
        "back_s": {}, "crashes": len(points.crashes), "fell": points.fell, "left": points.left,
        "deepest": points.deepest()}
    lines = [f"{actor}: " + ", ".join(f"{point} {n}" for point, n in found.items())
             for actor, found in points.deepest().items()]
    return report, _text(report, verdict, [
        f"{len(points.crashes)} crashes tried, {points.fell} fell, the others found their point untouched;"
        f" {points.left} left untried", "the deepest n of each point:", *lines])


def _report(arguments: argparse.Namespace, seed: int, verdict: Verdict, struck: dict[str, int]) -> dict[str, Any]:
    return {"seed": seed, "scenario": arguments.scenario, "sink": arguments.sink, "version": __version__,
            "date": str(iso(SystemClock().now_ms()))[:10], "items": verdict.items, "alerts": verdict.alerts,
            "blows": struck, "allowed": verdict.allowed, "good": verdict.is_good,
            "counts": {name: number for name, number, _, _ in verdict.rows()}}


def keep(house: House) -> subprocess.Popen[bytes]:
    """Start supervisord on the house's home; waits until all actors run."""
    configuration = write_configuration(defaults(home=house.home), None)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)], env=house.environment,
        cwd=house.home, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    house.owns(process)
    house.wait_until_running(START_S)
    return process


def _end(*_: object) -> None:
    """As after Ctrl-C: nothing that was started is left. A second signal disturbs that no longer."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stderr.write(f"chaos: {text}\n")
    sys.stderr.flush()


def _text(report: dict[str, Any], verdict: Verdict, more: list[str]) -> str:
    struck = ", ".join(f"{name} {number}" for name, number in sorted(report["blows"].items()))
    lines = [f"{verdict.items} items, {verdict.alerts} alerts, struck: {struck}", "",
             table(("", "count", "at most", "for example"), verdict.rows(), 100), "", *more]
    return "\n".join([*lines, "", "the promise held" if verdict.is_good else "THE PROMISE DID NOT HOLD"])
