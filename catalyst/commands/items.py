"""`catalyst items`: every item that was taken in, from the fetcher, and what became of it, from the tracker."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, count, cut, duration_ms, print_json, table, when

FATES = ("alerted", "dropped", "dead", "in_flight")
PAGE = 500
SHOWN = 50
ID_SHOWN, TITLE_SHOWN = 12, 70
# Newest first, a page at a time: below the pair (time, id) at which the page before ended.
SQL = f"""SELECT item_id, source, title, link, published_ms, seen_ms FROM stories
 WHERE seen_ms >= ?1 AND (seen_ms, item_id) < (?2, ?3) ORDER BY seen_ms DESC, item_id DESC LIMIT {PAGE}"""  # noqa: S608
NEVER_MS = 2**62


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst items [--since D] [--fate F] [-n N]`."""
    parser.add_argument("--since", type=duration_ms, metavar="D", help="seen in the last 90s, 10m, 1h, 2d")
    parser.add_argument("--fate", choices=FATES, help="only items that ended so")
    parser.add_argument("-n", type=count, metavar="N", help=f"the newest N items (default {SHOWN}, with --json all)")


def run(arguments: argparse.Namespace) -> int:
    """Print the newest items, the oldest of them first. Raises UnavailableError without the fetcher or the tracker."""
    since_ms = max(0, SystemClock().now_ms() - arguments.since) if arguments.since is not None else 0
    most = arguments.n if arguments.n is not None else None if arguments.json else SHOWN
    with Home() as home:
        found = list(islice(items(home, since_ms, arguments.fate), most))
        local = Local.of(home.settings)
    found.reverse()
    if arguments.json:
        for item in found:
            print_json(item)
        return 0
    rows = [(local.time(item["seen"]), item["id"][:ID_SHOWN], item["source"], item["fate"], item["reason"],
             item["ticker"], ",".join(item["kinds"]) or None, item["score"], cut(item["title"], TITLE_SHOWN))
            for item in found]
    head = ("ID", "SOURCE", "FATE", "REASON", "TICKER", "KINDS", "SCORE", "TITLE")
    print(table((f"SEEN {local.name(found[0]['seen'])}", *head), rows) if rows else "no items")
    return 0


def items(home: Home, since_ms: int, fate: str | None) -> Iterator[dict[str, Any]]:
    """Items in the fixed shape, the newest first."""
    end: tuple[int, str] = (NEVER_MS, "")
    while True:
        rows = home.ask("fetcher", "query", QUERY_ANSWER_S, sql=SQL, parameters=[since_ms, *end])["rows"]
        if not rows:
            return
        fates = home.ask("tracker", "fates", QUERY_ANSWER_S, ids=[row[0] for row in rows])["fates"]
        for row in rows:
            item = shaped(row, fates.get(row[0]))
            if fate in (None, item["fate"]):
                yield item
        end = (rows[-1][5], rows[-1][0])


def shaped(row: list[Any], fate: dict[str, Any] | None) -> dict[str, Any]:
    """A row of the fetcher and a fate of the tracker as one item; without a fate it is in flight."""
    item_id, source, title, link, published_ms, seen_ms = row
    fate = fate or {}
    return {"id": item_id, "source": source, "title": title, "link": link, "published": when(published_ms),
            "seen": when(seen_ms), "fate": fate.get("fate", "in_flight"), "reason": fate.get("reason"),
            "ticker": fate.get("ticker"), "kinds": fate.get("kinds", []), "score": fate.get("score")}
