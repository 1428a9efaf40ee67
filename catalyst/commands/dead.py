"""`catalyst dead`: letters that could not be handled, over all running actors."""

from __future__ import annotations

import argparse
import string
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import Home, known
from catalyst.commands.output import Local, cut, duration_ms, plain, print_json, seconds, table, when
from catalyst.errors import UnavailableError, UsageError
from catalyst.runtime.roster import ALL

SHORT = 12
# What an older letter tells is late news: with "all" it is tried again only where a person says how far back.
FRESH_MS = 3_600_000
Span = tuple[int, int]  # died from, until: UTC ms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst dead list|show ID|retry ID|all|drop ID|all [--actor NAME] [--older-than D] [--newer-than D]`."""
    parser.add_argument("do", choices=("list", "show", "retry", "drop"), help="what to do")
    parser.add_argument("id", nargs="?", metavar="ID", help="a letter, or as much of it as is unique; or all")
    parser.add_argument("--actor", metavar="NAME", help="only this actor's")
    parser.add_argument("--older-than", type=duration_ms, metavar="D", help="only what died before the last 2h, 7d")
    parser.add_argument("--newer-than", type=duration_ms, metavar="D",
                        help="only what died in the last 2h, 7d (retry all: 1h)")


def run(arguments: argparse.Namespace) -> int:
    """List, show or settle letters. Raises UsageError for an id that names none or several."""
    wanted, span = _wanted(arguments.do, arguments.id), _span(arguments)
    actors = (known(arguments.actor),) if arguments.actor else ALL
    with Home() as home:
        alive = home.alive(actors)
        if not alive:
            raise UnavailableError(f"{arguments.actor or 'no actor'} is {'not ' if arguments.actor else ''}running")
        if arguments.do == "list":
            return _list(arguments, letters(home, alive, "list", "all", span), Local.of(home.settings))
        if wanted == "all":
            return _settle_all(arguments, home, alive, span)
        alive, letter = _one(letters(home, alive, "list", wanted, span), wanted)
        if arguments.do == "show":
            return _show(arguments, letters(home, alive, "show", letter["id"], span), Local.of(home.settings))
        count = home.ask(letter["actor"], "dead", do=arguments.do, id=letter["id"])["count"]
        age_s = max(0, SystemClock().now_ms() - letter["dead_ms"]) / 1000
        return _tell(arguments, {letter["actor"]: count}, f", {seconds(age_s)} after it died"
                     if arguments.do == "retry" else "")


def _wanted(do: str, letter: str | None) -> str:
    """The id as the actors take it. Raises UsageError: the id is missing, or is no hexadecimal number."""
    if do == "list":
        if letter is not None:
            raise UsageError(f"list takes no id; catalyst dead show {letter}")
        return "all"
    if letter is None:
        raise UsageError(f"{do} which letter? catalyst dead list shows their ids")
    if letter == "all" or (letter and len(letter) <= 32 and set(letter) <= set(string.hexdigits)):
        return letter.lower()
    raise UsageError(f"{letter!r} is not the id of a letter")


def _span(arguments: argparse.Namespace) -> Span:
    """When the wanted letters died. Raises UsageError for a span that holds nothing."""
    now_ms = SystemClock().now_ms()
    older_ms, newer_ms = arguments.older_than, arguments.newer_than
    if older_ms is not None and newer_ms is not None and older_ms >= newer_ms:
        raise UsageError("nothing is older than --older-than and newer than --newer-than")
    if newer_ms is None and older_ms is None and arguments.do == "retry" and arguments.id == "all":
        newer_ms = FRESH_MS
    return (now_ms - newer_ms if newer_ms is not None else 0, now_ms - (older_ms or 0))


def letters(home: Home, actors: list[str], do: str, wanted: str, span: Span) -> list[dict[str, Any]]:
    """Letters whose id begins with `wanted` (or all), each with its actor, the oldest first."""
    answers = home.ask_all(actors, "dead", do=do, id=wanted, from_ms=span[0], until_ms=span[1])
    found = [{"actor": actor, **letter} for actor, answer in answers.items()
             if answer.get("ok") for letter in answer["letters"]]
    return sorted(found, key=lambda letter: letter["dead_ms"])


def _one(found: list[dict[str, Any]], wanted: str) -> tuple[list[str], dict[str, Any]]:
    if not found:
        raise UsageError(f"no dead letter {wanted}")
    if len(found) > 1:
        raise UsageError(f"{wanted} begins {len(found)} letters: " + ", ".join(row["id"] for row in found[:5]))
    return [found[0]["actor"]], found[0]


def _list(arguments: argparse.Namespace, found: list[dict[str, Any]], local: Local) -> int:
    if arguments.json:
        for letter in found:
            print_json({key: value for key, value in as_json(letter).items() if key not in ("traceback", "body")})
    elif found:
        rows = [(row["id"][:SHORT], row["actor"], row["type"], row["sender"] or None, row["item_id"][:SHORT],
                 local.date_time(row["dead_ms"]), cut(row["reason"], 80)) for row in found]
        print(table(("ID", "ACTOR", "TYPE", "FROM", "ITEM", "DIED", "REASON"), rows))
    else:
        print("no dead letters")
    return 0


def as_json(letter: dict[str, Any]) -> dict[str, Any]:
    """A letter with its time as text."""
    shown = {key: value for key, value in letter.items() if key != "dead_ms"}
    return {**shown, "died": when(letter["dead_ms"])}


def _show(arguments: argparse.Namespace, found: list[dict[str, Any]], local: Local) -> int:
    for letter in found:
        if arguments.json:
            print_json(as_json(letter))
            continue
        print(f"{letter['id']}  {letter['type']} at {letter['actor']}, from {letter['sender'] or 'itself'},"
              f" item {plain(letter['item_id'])}, died {local.date_time(letter['dead_ms'])}\n"
              f"  {plain(letter['reason'])}")
        print("\n".join(f"  {plain(line)}" for line in letter["traceback"].rstrip().splitlines()))
        body = letter["body"]
        for key, value in body.items() if isinstance(body, dict) else [("body", body)]:
            print(f"  {plain(key)}: {plain(value)}")
    return 0


def _settle_all(arguments: argparse.Namespace, home: Home, actors: list[str], span: Span) -> int:
    """Settle all letters of a span. What dies again meanwhile dies after its end, so this comes to an end."""
    done = dict.fromkeys(actors, 0)
    for actor in actors:
        while settled := home.ask(actor, "dead", do=arguments.do, id="all", from_ms=span[0], until_ms=span[1])["count"]:
            done[actor] += settled
    older = 0
    if arguments.do == "retry" and span[0]:
        older = sum(home.ask(actor, "query", sql="SELECT count(*) FROM dead WHERE dead_ms < ?",
                             parameters=[span[0]])["rows"][0][0] for actor in actors)
    left = (f"; {older} died before and stayed: what an old letter tells is late news. catalyst dead retry ID takes"
            " one, --newer-than 7d takes those of a week") if older else ""
    return _tell(arguments, done, left)


def _tell(arguments: argparse.Namespace, done: dict[str, int], more: str) -> int:
    total = sum(done.values())
    if arguments.json:
        print_json({"did": arguments.do, "count": total, "actors": done})
    else:
        word = "handed over again" if arguments.do == "retry" else "dropped"
        print(f"{total} letter{'' if total == 1 else 's'} {word}{more}")
    return 0
