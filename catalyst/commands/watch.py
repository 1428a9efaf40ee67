"""`catalyst watch`: the watch list, whose tickers pass the price ceiling: one CSV file with one writer at a time.

The classifier takes a change up at once where it runs, else at its start; nothing needs to run for a change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalyst.clients import files
from catalyst.clock import SystemClock
from catalyst.commands.home import Home
from catalyst.commands.output import plain, print_json, table, when
from catalyst.core import watchlist
from catalyst.core.companies import Companies
from catalyst.core.watchlist import Change, Refused, Watched
from catalyst.errors import CatalystError, ConfigError, StoreError, UsageError
from catalyst.settings import Settings, load

CLASSIFIER = "classifier"
READERS = (CLASSIFIER,)
TOLD_S = 2.0
MOST_SHOWN = 20  # refused lines in words; --json has all
WORDS = {"add": "TICKER...", "remove": "TICKER...", "import": "FILE", "list": ""}

Row = dict[str, Any]


class NotWritten(CatalystError):
    """The disk did not take the new list."""

    exit_code = 75


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst watch add TICKER... | remove TICKER... | list | import FILE`."""
    parser.add_argument("action", choices=sorted(WORDS), metavar="ACTION", help="add, remove, list or import")
    parser.add_argument("words", nargs="*", metavar="TICKER | FILE",
                        help="tickers, BRK.B and BRK-B alike; with import a list of them, one a line, or a CSV with a"
                             " column Ticker as a screener exports it")
    parser.add_argument("--note", default="", metavar="TEXT", help="with add: why it is watched")


def run(arguments: argparse.Namespace) -> int:
    """Change or print the list. Raises UsageError for a word that is no ticker and a file without any, ConfigError for
    a list that cannot be read, NotWritten where the disk refuses.
    """
    action, words = arguments.action, arguments.words
    if bool(words) != bool(WORDS[action]) or (action == "import" and len(words) > 1):
        raise UsageError(f"catalyst watch {action} {WORDS[action]}".rstrip() + "; see catalyst watch --help")
    if arguments.note and action != "add":
        raise UsageError("--note goes with add")
    settings = load()
    if action == "list":
        _print_list(settings, as_json=arguments.json)
        return 0
    refused: tuple[Refused, ...] = ()
    if action == "import":
        rows, refused = _of_file(Path(words[0]))
    else:
        rows = tuple(Watched(_ticker(word), note=watchlist.note_of(arguments.note)) for word in words)
    now = when(SystemClock().now_ms()) or ""

    def change(before: tuple[Watched, ...]) -> Change:
        if action == "remove":
            return watchlist.remove(before, [row.ticker for row in rows])
        after = watchlist.add(before, rows, now)
        if len(after.rows) > watchlist.MOST:
            raise UsageError(f"the list would have {len(after.rows):,} tickers, {watchlist.MOST:,} is the most")
        return after

    try:
        done = files.change_watchlist(settings, change)
    except StoreError as error:
        raise NotWritten(f"the watch list was not changed: {error}") from error
    said = _said(settings, action, done, refused)
    if arguments.json:
        print_json(said)
    else:
        print(as_text(said))
    return 0


def _ticker(word: str) -> str:
    ticker = watchlist.ticker_of(word)
    if not ticker:
        raise UsageError(f"{word!r} is no ticker; nothing was changed")
    return ticker


def _of_file(path: Path) -> tuple[tuple[Watched, ...], tuple[Refused, ...]]:
    try:
        listed = files.read_list(path, "watch list")
    except ConfigError as error:
        raise UsageError(f"{path} cannot be imported: {error}") from error
    if not listed.rows:
        raise UsageError(f"there is no ticker in {path}; it wants a column Ticker, or one ticker a line")
    return listed.rows, listed.refused


def _said(settings: Settings, action: str, change: Change, refused: tuple[Refused, ...]) -> Row:
    """What was done, as --json prints it."""
    companies = _companies(settings)
    unknown = [] if companies is None or action == "remove" else [
        {"ticker": one, "near": companies.near(one, 3)} for one in change.done if companies.ticker(one) is None]
    taken_up = _tell(settings) if change.done or change.valued else None
    return {"action": action, "file": str(files.own_watchlist(settings)), "added": [], "removed": [], "known": [],
            "absent": [], **({"removed": list(change.done), "absent": list(change.idle)} if action == "remove" else
                             {"added": list(change.done), "known": list(change.idle)}),
            "unknown": unknown, "refused": [{"line": one.line, "text": one.text, "why": one.why} for one in refused],
            "valued": list(change.valued), "tickers": len(change.rows), "taken_up": taken_up}


def _companies(settings: Settings) -> Companies | None:
    """The company list; what cannot be read warns of nothing."""
    try:
        return files.load_companies(settings)
    except ConfigError:
        return None


def _tell(settings: Settings) -> bool | None:
    """Whether the classifier took the list up at once; None where it does not run."""
    with Home(settings) as home:
        if not home.alive(READERS):
            return None
        return bool(home.ask_all(READERS, "lists", TOLD_S).get(CLASSIFIER, {}).get("ok"))


def as_text(said: Row) -> str:
    """A line for each thing to be said."""
    lines = [f"{name}: {', '.join(said[name])}" for name in ("added", "removed") if said[name]]
    lines += [f"{text}: {', '.join(said[name])}" for name, text in (
        ("known", "on the list already"), ("absent", "not on the list")) if said[name]]
    for row in said["unknown"]:
        near = f"; near it: {', '.join(row['near'])}" if row["near"] else ""
        lines.append(f"warning: {row['ticker']} is not in the company list{near}")
    refused = said["refused"]
    lines += _refused_lines(refused)
    figures = [f"{len(said[name])} {text}" for name, text in (
        ("added", "added"), ("removed", "removed"), ("known", "known"), ("absent", "absent"), ("refused", "refused"),
        ("valued", "with a new market value")) if said[name]]
    lines.append(f"{', '.join(figures)}; {said['tickers']} on the list")
    if said["taken_up"] is None and (said["added"] or said["removed"] or said["valued"]):
        lines.append("the classifier does not run; it reads the list when it starts")
    elif said["taken_up"] is False:
        lines.append("the classifier did not answer; it takes the list up within 30 s")
    return "\n".join(plain(line) for line in lines)


def _refused_lines(refused: Sequence[Row]) -> list[str]:
    lines = [f"line {row['line']} refused: {row['why']}" for row in refused[:MOST_SHOWN]]
    return lines + ([f"and {len(refused) - MOST_SHOWN} more lines"] if len(refused) > MOST_SHOWN else [])


def _print_list(settings: Settings, *, as_json: bool) -> None:
    listed = files.read_own_watchlist(settings)
    rows = listed.rows
    for line in _refused_lines([{"line": one.line, "why": one.why} for one in listed.refused]):
        print(plain(line), file=sys.stderr)
    companies = _companies(settings)
    shown = []
    for row in rows:
        company = companies.ticker(row.ticker) if companies is not None else None
        shown.append({"ticker": row.ticker, "added": row.added or None, "note": row.note,
                      "company": company.title if company is not None else None,
                      "market_value_usd": row.market_value.usd if row.market_value is not None else None,
                      "market_value_date": row.market_value.day if row.market_value is not None else None})
    if as_json:
        for one in shown:
            print_json(one)
    elif shown:
        print(table(("TICKER", "ADDED", "MARKET VALUE", "OF", "COMPANY", "NOTE"), [
            (one["ticker"], one["added"], f"${one['market_value_usd'] / 1e6:,.1f} M" if one["market_value_usd"] else "",
             one["market_value_date"], one["company"], one["note"]) for one in shown]))
    else:
        print("nothing is watched; catalyst watch add TICKER")
