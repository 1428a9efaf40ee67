"""`catalyst dead`: letters that could not be handled, over all running actors."""

from __future__ import annotations

import argparse
import string
from typing import Any

from catalyst.commands.home import Home, known
from catalyst.commands.output import cut, plain, print_json, table, when
from catalyst.errors import UnavailableError, UsageError
from catalyst.runtime.roster import ALL

SHORT = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst dead list|show ID|retry ID|all|drop ID|all [--actor NAME]`."""
    parser.add_argument("do", choices=("list", "show", "retry", "drop"), help="what to do")
    parser.add_argument("id", nargs="?", metavar="ID", help="a letter, or as much of it as is unique; or all")
    parser.add_argument("--actor", metavar="NAME", help="only this actor's")


def run(arguments: argparse.Namespace) -> int:
    """List, show or settle letters. Raises UsageError for an id that names none or several."""
    wanted = _wanted(arguments.do, arguments.id)
    actors = (known(arguments.actor),) if arguments.actor else ALL
    with Home() as home:
        alive = home.alive(actors)
        if not alive:
            raise UnavailableError(f"{arguments.actor or 'no actor'} is {'not ' if arguments.actor else ''}running")
        if arguments.do == "list":
            return _list(arguments, letters(home, alive, "list", "all"))
        if wanted != "all":
            alive, wanted = _one(letters(home, alive, "list", wanted), wanted)
        if arguments.do == "show":
            return _show(arguments, letters(home, alive, "show", wanted))
        return _settle(arguments, home, alive, wanted)


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


def letters(home: Home, actors: list[str], do: str, wanted: str) -> list[dict[str, Any]]:
    """Letters whose id begins with `wanted` (or all), each with its actor, the oldest first."""
    found = [{"actor": actor, **letter} for actor, answer in home.ask_all(actors, "dead", do=do, id=wanted).items()
             if answer.get("ok") for letter in answer["letters"]]
    return sorted(found, key=lambda letter: letter["dead_ms"])


def _one(found: list[dict[str, Any]], wanted: str) -> tuple[list[str], str]:
    if not found:
        raise UsageError(f"no dead letter {wanted}")
    if len(found) > 1:
        raise UsageError(f"{wanted} begins {len(found)} letters: " + ", ".join(row["id"] for row in found[:5]))
    return [found[0]["actor"]], found[0]["id"]


def _list(arguments: argparse.Namespace, found: list[dict[str, Any]]) -> int:
    if arguments.json:
        for letter in found:
            print_json({key: value for key, value in as_json(letter).items() if key not in ("traceback", "body")})
    elif found:
        rows = [(row["id"][:SHORT], row["actor"], row["type"], row["sender"] or None, row["item_id"][:SHORT],
                 (when(row["dead_ms"]) or "")[:19], cut(row["reason"], 80)) for row in found]
        print(table(("ID", "ACTOR", "TYPE", "FROM", "ITEM", "DIED", "REASON"), rows))
    else:
        print("no dead letters")
    return 0


def as_json(letter: dict[str, Any]) -> dict[str, Any]:
    """A letter with its time as text."""
    shown = {key: value for key, value in letter.items() if key != "dead_ms"}
    return {**shown, "died": when(letter["dead_ms"])}


def _show(arguments: argparse.Namespace, found: list[dict[str, Any]]) -> int:
    for letter in found:
        if arguments.json:
            print_json(as_json(letter))
            continue
        print(f"{letter['id']}  {letter['type']} at {letter['actor']}, from {letter['sender'] or 'itself'},"
              f" item {plain(letter['item_id'])}, died {when(letter['dead_ms'])}\n  {plain(letter['reason'])}")
        print("\n".join(f"  {plain(line)}" for line in letter["traceback"].rstrip().splitlines()))
        body = letter["body"]
        for key, value in body.items() if isinstance(body, dict) else [("body", body)]:
            print(f"  {plain(key)}: {plain(value)}")
    return 0


def _settle(arguments: argparse.Namespace, home: Home, actors: list[str], wanted: str) -> int:
    done = dict.fromkeys(actors, 0)
    for actor in actors:
        # Counted before: a letter that is handed over again may die again while we go on.
        most = home.ask(actor, "query", sql="SELECT count(*) FROM dead")["rows"][0][0] if wanted == "all" else 1
        while done[actor] < most and (settled := home.ask(actor, "dead", do=arguments.do, id=wanted)["count"]):
            done[actor] += settled
    total = sum(done.values())
    if arguments.json:
        print_json({"did": arguments.do, "count": total, "actors": done})
    else:
        word = "handed over again" if arguments.do == "retry" else "dropped"
        print(f"{total} letter{'' if total == 1 else 's'} {word}")
    return 0
