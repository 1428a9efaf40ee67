"""`catalyst sources`: how each source does, as the fetcher knows it; with --check each is asked once from here; with
import the feeds of an OPML file are added to the list.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalyst.clock import SystemClock
from catalyst.commands.home import Home
from catalyst.commands.output import Local, plain, print_json, seconds, table, when
from catalyst.commands.pause import FETCHER
from catalyst.errors import FeedError, FetchError, UnavailableError, UsageError

if TYPE_CHECKING:
    from catalyst.clients.http import Http
    from catalyst.core.sources import Source
    from catalyst.settings import Settings

DEADLINE_S = 12.0
AT_ONCE = 12
EDGAR_STEP_S = 0.5  # the running actors have their own share of EDGAR's ten requests a second
GOOD = ("ok", "not_modified")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst sources [--check [NAME...] | import FILE]`."""
    parser.add_argument("words", nargs="*", metavar="import FILE | NAME",
                        help="add the feeds of an OPML file; with --check, the sources to ask")
    parser.add_argument("--check", action="store_true",
                        help="ask each address once from this machine, disabled ones too")


def run(arguments: argparse.Namespace) -> int:
    """Print the sources. With --check: 69 where an enabled one gives nothing; no actor needs to run."""
    if arguments.check:
        return _run_check(arguments)
    if arguments.words:
        if arguments.words[0] != "import" or len(arguments.words) != 2:
            raise UsageError("catalyst sources, catalyst sources --check [NAME...], or catalyst sources import FILE")
        from catalyst.commands.import_feeds import run_import

        return run_import(arguments, Path(arguments.words[1]))
    with Home() as home:
        try:
            answer = home.ask(FETCHER, "sources")
        except UnavailableError as error:
            raise UnavailableError(f"{error}; catalyst sources --check asks the sources without it") from error
    now_ms = SystemClock().now_ms()
    if arguments.json:
        for row in answer["sources"]:
            print_json(as_json(row))
    else:
        print(as_text(answer, now_ms, Local.of(home.settings)))
    return 0


def state(row: dict[str, Any]) -> str:
    """disabled, no_key (its service asks for one), never (asked), outage (the operator was told), failing (the last
    poll gave nothing), else ok.
    """
    if not row["enabled"]:
        return "disabled"
    if row.get("no_key"):
        return "no_key"
    if row["outcome"] is None:
        return "never"
    return "outage" if row["outage"] else "ok" if row["outcome"] in GOOD else "failing"


def share(row: dict[str, Any]) -> float | None:
    """The share of the polls that were answered "not modified", 0 to 1; None without a poll."""
    return row["not_modified"] / row["polls"] if row["polls"] else None


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A source with its times as text."""
    times = {"last_ok_ms": "last_ok", "last_poll_ms": "last_poll", "next_due_ms": "next_due"}
    part = share(row)
    return {"state": state(row), **{times.get(key, key): when(value) if key in times else value
                                    for key, value in row.items()},
            "not_modified_share": None if part is None else round(part, 4)}


def as_text(answer: dict[str, Any], now_ms: int, local: Local) -> str:
    """A table and, where polling is paused, a line below it."""
    rows = []
    for row in answer["sources"]:
        part, now = share(row), state(row)
        age_s = None if row["last_ok_ms"] is None else max(0, now_ms - row["last_ok_ms"]) / 1000
        rows.append((row["name"], row["kind"], f"{row['every_s']:g} s", now, seconds(age_s), row["items"],
                     "-" if part is None else f"{part * 100:.0f}%", _lag(row["lag_ms"]),
                     _error(row) if now in ("failing", "outage") else "-", row["pace_why"]))
    head = ("SOURCE", "KIND", "EVERY", "STATE", "LAST OK", "ITEMS", "304", "LAG", "LAST ERROR", "PACE")
    lines = [table(head, rows)] if rows else ["the list of sources is empty"]
    if answer["paused_by"] == "person":
        lines.append(f"paused until {local.date_time(answer['paused_until_ms'])}; catalyst resume ends it")
    elif answer["paused_by"] == "backlog":
        lines.append("paused: the backlog is over CATALYST_BACKLOG_LIMIT")
    elif answer["paused_by"] == "storage":
        lines.append("paused: the disk takes nothing; it goes on by itself when it does")
    return "\n".join(lines)


def _lag(lag_ms: int | None) -> str:
    return seconds(None if lag_ms is None else max(0, lag_ms) / 1000)


def _error(row: dict[str, Any]) -> str:
    return f"{row['outcome']}, {row['failures']} in a row" if row["failures"] > 1 else str(row["outcome"])


def _run_check(arguments: argparse.Namespace) -> int:
    from catalyst.clients.http import Http
    from catalyst.clients.polls import list_sources
    from catalyst.settings import load

    settings = load()
    sources = [source for source in list_sources(settings) if not arguments.words or source.name in arguments.words]
    if strangers := set(arguments.words) - {source.name for source in sources}:
        raise UsageError(f"no source is named {', '.join(sorted(strangers))}")
    http = Http(SystemClock(), allow_hosts=settings.allow_hosts)
    rows = []
    try:
        for row in check_all(http, sources, settings):
            rows.append(row)
            if arguments.json:
                print_json(row)
    finally:
        http.close()
    if not arguments.json:
        print(table(("SOURCE", "STATE", "OUTCOME", "STATUS", "TYPE", "ENTRIES", "NEWEST", "TIME"), [
            (row["name"], "enabled" if row["enabled"] else "disabled", row["outcome"], row["status"],
             plain(row["type"] or "-")[:30], row["entries"],
             seconds(row["newest_age_s"]), f"{row['time_ms']} ms") for row in rows]))
    return 0 if all(row["outcome"] == "ok" for row in rows if row["enabled"]) else UnavailableError.exit_code


def check_all(http: Http, sources: Sequence[Source], settings: Settings) -> Iterator[dict[str, Any]]:
    """One row a source, in the list's order; all are asked at once, but EDGAR's one after the other."""
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(1) as slow:
        asked: list[Future[dict[str, Any]]] = []
        for source in sources:
            lane, pause_s = (slow, EDGAR_STEP_S) if source.kind == "edgar" else (pool, 0.0)
            asked.append(lane.submit(check, http, source, settings, pause_s))
        for future in asked:
            yield future.result()


def check(http: Http, source: Source, settings: Settings, pause_s: float = 0.0) -> dict[str, Any]:
    """Ask one source: `{"name", "enabled", "outcome", "status", "type", "entries", "newest_age_s", "time_ms"}`.

    `outcome` is ok, empty, status_N, or the reason of the failure; unknown figures are None. Afterwards it waits
    `pause_s` seconds.
    """
    from catalyst.clients.polls import SEC, address_of, get_document, key_of
    from catalyst.core.keyed import SERVICES
    from catalyst.core.listings import parse_document

    url = address_of(source, settings)
    row: dict[str, Any] = {"name": source.name, "enabled": source.enabled, "outcome": "ok", "status": None,
                           "type": None, "entries": None, "newest_age_s": None, "time_ms": 0}
    headers = {}
    if (key := key_of(source, settings)) == "":
        return row | {"outcome": f"not asked: {SERVICES[source.kind].setting} is not set"}
    if source.kind == "edgar" and settings.sec_user_agent:
        headers["User-Agent"] = settings.sec_user_agent
    elif url.startswith(f"{SEC}/"):
        return row | {"outcome": "not asked: SEC_USER_AGENT is not set"}
    began_s = time.monotonic()
    try:
        answer = get_document(http, source.kind, url, key, headers, DEADLINE_S)
        row |= {"status": answer.status, "type": answer.headers.get("content-type", "").split(";")[0] or None}
        if answer.status != 200:
            row["outcome"] = f"status_{answer.status}"
        else:
            feed = parse_document(source.kind, answer.body, answer.headers.get("content-type", ""), answer.url)
            dates = [entry.published_ms for entry in feed.entries if entry.published_ms is not None]
            row |= {"entries": len(feed.entries), "outcome": "ok" if feed.entries else "empty"}
            row["newest_age_s"] = round((answer.done_ms - max(dates)) / 1000, 1) if dates else None
    except (FetchError, FeedError) as error:
        row["outcome"] = error.reason
    row["time_ms"] = round((time.monotonic() - began_s) * 1000)
    time.sleep(pause_s)
    return row
