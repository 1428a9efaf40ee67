"""`catalyst doctor`: checks of the machine, the set-up and the running house; each fault with what to do about it.

It posts nothing, leaves nothing behind and opens no database: what is in one is asked of its actor. A check is a
function that is handed an `Examined` and gives `Check`s.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from catalyst.clock import SystemClock
from catalyst.commands.doctor_check import Check, Examined, Heard
from catalyst.commands.home import Home
from catalyst.commands.output import plain, print_json
from catalyst.core.notify import addresses
from catalyst.errors import ConfigError
from catalyst.settings import Settings, examine

ANSWER_S = 1.0
QUERY_S = 2.0
FAILED = 1
LEAST_COLUMN = 19  # holds the names that are our own


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst doctor [--network]`."""
    parser.add_argument("--network", action="store_true", help="also compare the clock with servers' (asks, posts"
                                                               " nothing)")


def run(arguments: argparse.Namespace) -> int:
    """Print a line a check; 1 where one failed, else 0."""
    settings, faults = examine()
    about = Examined(settings, faults, Path(".env"), SystemClock().now_ms(), listen(settings),
                     network=arguments.network)
    counts = {"ok": 0, "warn": 0, "fail": 0}
    width = column(about)
    for check in checks(about):
        counts[check.state] += 1
        if arguments.json:
            print_json({"name": check.name, "state": check.state, "said": check.said, "fix": check.fix or None})
            continue
        print(f"{check.state:<5}{plain(check.name):<{width}}{plain(check.said)}", flush=True)
        if check.fix:
            print(f"{'':<{5 + width}}-> {plain(check.fix)}", flush=True)
    if not arguments.json:
        print(f"{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} failed")
    return FAILED if counts["fail"] else 0


def column(about: Examined) -> int:
    """How wide the names are, so that the longest stands free: those that a person chose are as long as they like."""
    sources = (about.heard.sources or {}).get("sources", ())
    chosen = [*(f"source {row['name']}" for row in sources), *(f"sink {name}" for name in addresses(
        about.settings.notify))]
    return max(LEAST_COLUMN, *(len(name) + 2 for name in chosen), 0)


def checks(about: Examined) -> Iterator[Check]:
    """Every check, in the order in which they are read: the machine, the set-up, the house."""
    from catalyst.commands import doctor_house, doctor_machine, doctor_setup

    groups: Iterable[tuple[Callable[[Examined], Iterator[Check]], ...]] = (
        doctor_machine.CHECKS, doctor_setup.CHECKS, doctor_house.CHECKS)
    for group in groups:
        for look in group:
            yield from look(about)


def listen(settings: Settings) -> Heard:
    """What the running actors say of themselves, all asked at once; nothing is waited for long."""
    try:
        with Home(settings) as home:
            alive = tuple(home.alive())
            return Heard(
                alive, home.ask_all(alive, "status", ANSWER_S), home.children(ANSWER_S),
                home.ask_all(alive, "query", QUERY_S, sql="PRAGMA user_version"),
                home.ask_all(["fetcher"], "sources", ANSWER_S).get("fetcher"),
                home.ask_all(["supervisor"], "query", ANSWER_S,
                             sql="SELECT actor, count(*) FROM restarts WHERE expected = 0 AND at_ms > ? GROUP BY actor",
                             parameters=[SystemClock().now_ms() - 3_600_000]).get("supervisor"),
                home.ask_all(["web"], "address", ANSWER_S).get("web"),
                home.ask_all(["alerter"], "sinks", ANSWER_S).get("alerter"))
    except ConfigError:  # the folder of the sockets cannot be reached: the check of its path says why
        return Heard()
