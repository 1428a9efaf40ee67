"""`catalyst filings`: the filings that EDGAR's lists showed and what was read in them."""

from __future__ import annotations

import argparse
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, count, cut, duration_ms, print_json, table

MOST = 500  # that sec lists at once
SHOWN = 30
TITLE_SHOWN = 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst filings [--since D] [--ticker X] [-n N]`."""
    parser.add_argument("--since", type=duration_ms, metavar="D", help="seen in the last 90s, 10m, 1h, 2d")
    parser.add_argument("--ticker", metavar="X", help="of one company")
    parser.add_argument("-n", type=count, metavar="N", help=f"the newest N (default {SHOWN}, with --json {MOST})")


def run(arguments: argparse.Namespace) -> int:
    """Print the newest filings, the oldest of them first. Raises UnavailableError where sec does not run."""
    since_ms = max(0, SystemClock().now_ms() - arguments.since) if arguments.since is not None else 0
    most = min(MOST, arguments.n if arguments.n is not None else MOST if arguments.json else SHOWN)
    with Home() as home:
        found = home.ask("sec", "filings", QUERY_ANSWER_S, since_ms=since_ms, limit=most,
                         ticker=arguments.ticker or "")["filings"]
        local = Local.of(home.settings)
    found.reverse()
    if arguments.json:
        for filing in found:
            print_json(filing)
        return 0
    print(table((f"SEEN {local.name(found[0]['seen'])}", "FORM", "TICKER", "STATE", "OFFERING", "USD", "TITLE"),
                [_row(filing, local) for filing in found]) if found else "no filings")
    return 0


def _row(filing: dict[str, Any], local: Local) -> tuple[Any, ...]:
    offering = filing["offering"] or {}
    gross = offering.get("gross_proceeds") or {}
    state = filing["state"] + (f" ({filing['reason']})" if filing["reason"] else "")
    return (local.time(filing["seen"]), filing["form"], filing["ticker"], state, offering.get("stage"),
            gross.get("value"), cut(filing["title"], TITLE_SHOWN))
