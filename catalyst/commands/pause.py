"""`catalyst pause` and `resume`: nothing new is taken in for a time; what is in the house still goes out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import Home
from catalyst.commands.output import Local, duration_ms, print_json, seconds, when

FETCHER = "fetcher"
DEFAULT_MS = 3_600_000


def add_arguments_pause(parser: argparse.ArgumentParser) -> None:
    """`catalyst pause [--for D]`."""
    parser.add_argument("--for", dest="length", type=duration_ms, default=DEFAULT_MS, metavar="D",
                        help="90s, 10m, 1h, 2d (default: 1h); during a pause it moves the end")


def run_pause(arguments: argparse.Namespace) -> int:
    """Pause the fetcher; it ends by itself. Raises UnavailableError where the fetcher does not run."""
    with Home() as home:
        until_ms = home.ask(FETCHER, "pause", for_s=arguments.length / 1000)["paused_until_ms"]
        local = Local.of(home.settings)
    if arguments.json:
        print_json({"paused_until": when(until_ms)})
    else:
        print(f"no source is asked until {local.date_time(until_ms)}; alerts that are under way still go out;"
              " catalyst resume ends it")
    return 0


def add_arguments_resume(parser: argparse.ArgumentParser) -> None:
    """`catalyst resume` has no words of its own."""


def run_resume(arguments: argparse.Namespace) -> int:
    """End a person's pause. Raises UnavailableError where the fetcher does not run."""
    with Home() as home:
        answer = home.ask(FETCHER, "resume")
    if arguments.json:
        print_json({"was_paused": answer["was_paused"], "paused_by": answer["paused_by"]})
        return 0
    said = "the sources are asked again" if answer["was_paused"] else "nothing was paused"
    backlog = "; the backlog is over its limit, and polling goes on by itself when it is worked off"
    print(said + (backlog if answer["paused_by"] == "backlog" else ""))
    return 0


def pause_line(status: Mapping[str, Any] | None, local: Local, now_ms: int | None = None) -> str:
    """What the fetcher's status says of a pause, in one line; empty where there is none."""
    until_ms = paused_until_ms(status)
    if until_ms:
        left_s = max(0, until_ms - (SystemClock().now_ms() if now_ms is None else now_ms)) / 1000
        return (f"paused by a person until {local.date_time(until_ms)}, {seconds(left_s)} from now:"
                " catalyst resume ends it")
    is_full = ((status or {}).get("statistics") or {}).get("paused_backlog")
    return "paused: the backlog is over CATALYST_BACKLOG_LIMIT" if is_full else ""


def paused_until_ms(status: Mapping[str, Any] | None) -> int | None:
    """The end of a person's pause as the fetcher's status says it; None where there is none."""
    found = ((status or {}).get("statistics") or {}).get("paused_until_ms")
    return round(found) if isinstance(found, (int, float)) else None
