"""`catalyst trace`: the way of one item through the actors, joined from what each of them knows."""

from __future__ import annotations

import argparse
from typing import Any

from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, plain, print_json, when
from catalyst.core.hops import join
from catalyst.errors import UnavailableError, UsageError

SHORTEST_PREFIX = 4
PLACES = (("fetcher", "stories"), ("tracker", "fates"))  # who knows items, for completing an id


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst trace ID`."""
    parser.add_argument("id", metavar="ID", help="the item's id, or as much of it as is unique")


def run(arguments: argparse.Namespace) -> int:
    """Print the way. Raises UsageError for an id that names no item or several."""
    with Home() as home:
        if not home.alive():
            raise UnavailableError("no actor is running")
        found = trace(home, arguments.id)
        if found is None and (whole := complete(home, arguments.id)) is not None:
            found = trace(home, whole)
    if found is None:
        raise UsageError(f"no actor that runs knows of an item {arguments.id!r}")
    if arguments.json:
        print_json({**found, "hops": [as_json(hop) for hop in found["hops"]]})
    else:
        print(as_text(found, Local.of(home.settings)))
    return 0


def complete(home: Home, prefix: str) -> str | None:
    """The one item id that begins with `prefix`, None where none does. Raises UsageError for several."""
    if len(prefix) < SHORTEST_PREFIX:
        raise UsageError(f"{prefix!r} is too short; give {SHORTEST_PREFIX} characters of the id or more")
    found: set[str] = set()
    for actor, place in PLACES:
        answer = home.ask_all(
            [actor], "query", QUERY_ANSWER_S, parameters=[prefix, f"{prefix}\U0010ffff"],
            sql=f"SELECT DISTINCT item_id FROM {place} WHERE item_id >= ? AND item_id < ? LIMIT 5",  # noqa: S608
        ).get(actor, {})
        found |= {row[0] for row in answer.get("rows", ())}
    if len(found) > 1:
        raise UsageError(f"{prefix} begins several ids: {', '.join(sorted(found)[:5])}")
    return found.pop() if found else None


def trace(home: Home, item: str) -> dict[str, Any] | None:
    """`{"id", "fate", "reason", "hops"}` of an item, or None where nobody knows it; times are milliseconds here."""
    answers = {actor: answer for actor, answer in home.ask_all(home.alive(), "trace", QUERY_ANSWER_S,
                                                               item=item).items() if answer.get("ok")}
    fate = home.ask_all(["tracker"], "fates", ids=[item]).get("tracker", {}).get("fates", {}).get(item)
    hops = join(answers)
    if not hops and fate is None:
        return None
    dead = [letter for answer in answers.values() for letter in answer["dead"]]
    if fate is None:
        fate = {"fate": "dead", "reason": dead[0][1]} if dead else {"fate": "in_flight", "reason": None}
    return {"id": item, "fate": fate["fate"], "reason": fate["reason"], "hops": hops}


def as_json(hop: dict[str, Any]) -> dict[str, Any]:
    """The hop in the fixed shape."""
    return {"actor": hop["actor"], "message": hop["message"], "received": when(hop["received"]),
            "committed": when(hop["committed"]), "sent": when(hop["sent"]), "acked": when(hop["acked"])}


def as_text(found: dict[str, Any], local: Local) -> str:
    """A line a hop: when it was queued, from where to where, and how long each step took."""
    reason = f" ({found['reason']})" if found["reason"] else ""
    began = next((hop["queued"] or hop["received"] for hop in found["hops"]), None)
    lines = [f"{found['id']}  {found['fate']}{reason}" + (f"  times in {local.name(began)}" if began else "")]
    before_ms = None
    for hop in found["hops"]:
        begin_ms = hop["queued"] if hop["queued"] is not None else hop["received"]
        gap = "" if before_ms is None or begin_ms is None else f"+{max(0, begin_ms - before_ms)} ms"
        lines.append(f"  {local.time(begin_ms)} {gap:>9}  {hop['sender']:>10} -> {hop['actor']:<10}"
                     f" {hop['message']:<14} {_steps(hop)}")
        before_ms = begin_ms
    return "\n".join(plain(line) for line in lines)


def _steps(hop: dict[str, Any]) -> str:
    if hop["received"] is None:
        return "handled, says the receipt" if hop["acked"] is not None else "not received yet"
    steps = [("on the way", hop["queued"], hop["received"]), ("handled in", hop["received"], hop["committed"]),
             ("receipt after", hop["committed"], hop["acked"])]
    return ", ".join(f"{words} {max(0, end - begin)} ms" for words, begin, end in steps
                     if begin is not None and end is not None)
