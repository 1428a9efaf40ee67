"""`catalyst incidents`: what went wrong in the house, as the actors themselves noted it; with --stacks what hung where.

The supervisor notes the troubles of processes, every actor the mismatches of its links. Each is asked; none is opened.
"""

from __future__ import annotations

import argparse
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, count, duration_ms, plain, print_json, table, when
from catalyst.errors import UnavailableError
from catalyst.runtime.roster import SUPERVISOR

MOST = 500
SQL = "SELECT n, kind, subject, detail, at_ms FROM incidents WHERE at_ms >= ? ORDER BY n DESC LIMIT ?"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst incidents [--since D] [-n N] [--stacks]`."""
    parser.add_argument("--since", type=duration_ms, metavar="D", help="the last 90s, 10m, 1h, 2d")
    parser.add_argument("-n", type=count, default=20, metavar="N", help="the last N (default 20)")
    parser.add_argument("--stacks", action="store_true", help="and what each process was doing")


def run(arguments: argparse.Namespace) -> int:
    """Print incidents, the oldest first. Raises UnavailableError where nothing runs."""
    since_ms = SystemClock().now_ms() - arguments.since if arguments.since is not None else 0
    with Home() as home:
        found = read(home, since_ms, min(arguments.n, MOST))
        local = Local.of(home.settings)
    if arguments.json:
        for row in found:
            print_json({**row, "at": when(row.pop("at_ms"))})
    elif not found:
        print("no incident")
    elif arguments.stacks:
        for row in found:
            print(f"{local.date_time(row['at_ms'])}  {_line(row)}")
            for line in str(row["stacks"] or "no stacks").splitlines():
                print(f"    {plain(line)}")
    else:
        print(table(("at", "actor", "kind", "about", "detail"), [
            (local.date_time(row["at_ms"]), row["actor"], row["kind"], row["subject"], row["detail"])
            for row in found]))
    return 0


def read(home: Home, since_ms: int, most: int) -> list[dict[str, Any]]:
    """The newest incidents of all running actors, by time, each with `actor`, who noted it, and `stacks` or None."""
    alive = home.alive()
    if not alive:
        raise UnavailableError("no actor is running")
    found: list[dict[str, Any]] = []
    said = home.ask_all([SUPERVISOR], "incidents", QUERY_ANSWER_S, since_ms=since_ms, limit=most).get(SUPERVISOR, {})
    found += [{"actor": SUPERVISOR, **row} for row in said.get("incidents", [])]
    others = [name for name in alive if name != SUPERVISOR]
    for actor, answer in home.ask_all(others, "query", QUERY_ANSWER_S, sql=SQL, parameters=[since_ms, most]).items():
        found += [{"actor": actor, "n": n, "kind": kind, "subject": subject, "detail": detail, "at_ms": at_ms,
                   "pid": None, "stacks": None} for n, kind, subject, detail, at_ms in answer.get("rows", [])]
    return sorted(found, key=lambda row: (row["at_ms"], row["actor"], row["n"]))[-most:] if most else []


def _line(row: dict[str, Any]) -> str:
    pid = f" pid {row['pid']}" if row["pid"] else ""
    return plain(f"{row['actor']}: {row['kind']} {row['subject']}{pid}: {row['detail']}")
