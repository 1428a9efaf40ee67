"""`catalyst status`: every actor that is meant to run, what it does, and whether anything waits anywhere."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalyst.clock import SystemClock, iso
from catalyst.commands.home import Home
from catalyst.commands.output import Local, megabytes, print_json, seconds, table
from catalyst.commands.pause import FETCHER, pause_line
from catalyst.core.breaker import PAUSED
from catalyst.errors import UnavailableError
from catalyst.runtime.roster import ALL, SUPERVISOR

LOOK_S = 1.0  # the heartbeat thread answers in milliseconds; a stopped process never does
BETWEEN_LOOKS_S = 0.05  # longer than an actor takes from a commit to showing it
ASIDE_S = 0.3  # for what is said beside the table
ALERTER, MARKET, WEB = "alerter", "market", "web"
COUNTS = ("inbox", "outbox", "oldest_unsent_s", "handled", "failed", "dead")
STORAGE = {"full": "the disk is full, all goes on by itself when there is room; waiting",
           "failing": "the disk fails, see catalyst logs; waiting"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst status` has no words of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Print the status; 69 where no actor answers."""
    with Home() as home:
        report = look_twice(home)
        hears = any(row["name"] == ALERTER and row["rss"] is not None for row in report["actors"])
        answer = home.ask_all([ALERTER], "sinks", ASIDE_S).get(ALERTER) if hears else None
        if closed := (answer or {}).get("closed"):
            report["closed_sinks"] = closed
        folder = home.settings.home
        notes = [] if arguments.json else [*remarks(home), *map(closed_note, report.get("closed_sinks", ()))]
    if arguments.json:
        print_json(report)
    else:
        print(as_text(report) if report["actors"] else f"nothing runs in {folder}")
        for note in notes:
            print(note)
    return 0 if any(row["rss"] is not None for row in report["actors"]) else UnavailableError.exit_code


def remarks(home: Home) -> list[str]:
    """What a person wants to know beside the table: a pause, providers without prices, where the page is."""
    answers = home.ask_all([FETCHER, MARKET], "status", ASIDE_S)
    pause = pause_line(answers.get(FETCHER), Local.of(home.settings))
    page = home.ask_all([WEB], "address", ASIDE_S).get(WEB, {}).get("url")
    return [*([pause] if pause else []), *price_lines(answers.get(MARKET), SystemClock().now_ms()),
            *([f"page: {page}"] if page else [])]


def price_lines(status: Mapping[str, Any] | None, now_ms: int) -> Iterator[str]:
    """A line for each provider of quotes that market leaves alone."""
    for name, until_ms in ((status or {}).get("statistics") or {}).items():
        if name.startswith(PAUSED):
            left_s = max(0, until_ms - now_ms) / 1000
            again = f"in {seconds(left_s)}" if left_s else "with the next alert"
            yield (f"{name.removeprefix(PAUSED)} gives no prices: alerts do not wait for it;"
                   f" it is asked again {again}")


def closed_note(row: dict[str, Any]) -> str:
    """The line for a closed sink."""
    return f"failure: sink {row['sink']} is {closed_words(row)}; catalyst send-test {row['sink']}"


def closed_words(row: dict[str, Any]) -> str:
    """Since when a sink is closed, and why."""
    return f"closed since {iso(row['since_ms'])}: {row['reason']}; no alert goes there"


def look_twice(home: Home) -> dict[str, Any]:
    """`{"actors": [...], "idle": bool}`.

    A message may be on its way between the looks at its sender and at its receiver. So the system is idle only when
    nothing waits in two looks, by the same processes, and nothing was handled between them. The actors' last beats,
    where the supervisor hands them on and none is too fresh, are a first look that takes no time.
    """
    children = home.children(LOOK_S)
    asked = home.alive() if children is None else [*children, *home.remote, SUPERVISOR]
    before = last_beats(children or {})
    answers = home.ask_all(asked, "status", LOOK_S)
    if _is_quiet(home, children, answers) and not _is_same(before, answers):
        before = answers
        time.sleep(BETWEEN_LOOKS_S)
        answers = home.ask_all(asked, "status", LOOK_S)
    idle = _is_quiet(home, children, answers) and _is_same(before, answers)
    return _report(home, children, answers, idle=idle)


def last_beats(children: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The beat of each actor, none at all unless each has one that is old enough for a look."""
    beats = {name: child.get("beat") for name, child in children.items()}
    is_old = all(beats[name] and child["beat_age_s"] >= BETWEEN_LOOKS_S for name, child in children.items())
    return {name: beat for name, beat in beats.items() if beat} if is_old else {}


def _is_quiet(home: Home, children: dict[str, Any] | None, answers: dict[str, dict[str, Any]]) -> bool:
    wanted = home.meant() if children is None else [
        name for name, child in children.items() if child.get("wanted", True)]
    wanted = {*wanted, *home.remote}
    return bool(answers) and wanted <= answers.keys() and all(_is_free(answer) for answer in answers.values())


def _is_free(answer: dict[str, Any]) -> bool:
    return answer["state"] == "running" and not answer.get("storage") and not any(
        answer.get(count, 1) for count in ("inbox", "outbox", "waiting"))


def _is_same(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> bool:
    """Whether nothing waited before and nothing was handled since, by actor. The supervisor handles no messages."""
    names = now.keys() - {SUPERVISOR}
    return names <= before.keys() and all(
        _is_free(before[name]) and before[name]["pid"] == now[name]["pid"]
        and before[name]["handled"] == now[name]["handled"] for name in names)


def _report(home: Home, children: dict[str, Any] | None, answers: dict[str, dict[str, Any]], *,
            idle: bool) -> dict[str, Any]:
    names = [name for name in ALL if name == SUPERVISOR or name in answers or name in home.remote or (
        home.owner(name) is not None if children is None else name in children)]
    if children is None and not answers and home.owner(SUPERVISOR) is None and names == [SUPERVISOR]:
        names = []
    return {"actors": [_row(home, name, (children or {}).get(name), answers.get(name)) for name in names],
            "idle": idle}


def _row(home: Home, name: str, child: dict[str, Any] | None, answer: dict[str, Any] | None) -> dict[str, Any]:
    """One actor; what nobody knows is None."""
    child = child or {}
    owner = home.owner(name) if answer is None else None
    pid = answer["pid"] if answer else child.get("pid") or (owner.pid if owner else None)
    row: dict[str, Any] = {"name": name, "pid": pid, "state": state(child, answer, held=owner is not None),
                           "rss": None, "cpu": None, "beat_age_s": child.get("beat_age_s")}
    row |= dict.fromkeys(COUNTS)
    if answer:
        row |= {"rss": answer["rss_bytes"], "cpu": round(answer["cpu_s"], 3), "beat_age_s": 0}
        row |= {key: answer.get(key) for key in COUNTS}
    row["restarts"] = 0 if name == SUPERVISOR else child.get("restarts")
    row["storage"] = (answer or child.get("beat") or {}).get("storage")
    return row


def state(child: dict[str, Any], answer: dict[str, Any] | None, *, held: bool) -> str:
    """The supervisor's word, but for an actor that says itself that it drains; without either, what its lock shows."""
    own = str(answer["state"]) if answer else None
    if own == "draining" or not child:
        return own or ("hung" if held else "stopped")
    return str(child["state"])


def as_text(report: dict[str, Any]) -> str:
    """A table and one line below it."""
    head = ("ACTOR", "STATE", "PID", "RSS", "CPU s", "BEAT", "INBOX", "OUTBOX", "OLDEST", "HANDLED", "FAILED", "DEAD",
            "RESTARTS")
    rows = [(row["name"], row["state"], row["pid"], megabytes(row["rss"]), row["cpu"], seconds(row["beat_age_s"]),
             row["inbox"], row["outbox"], seconds(row["oldest_unsent_s"]), row["handled"], row["failed"], row["dead"],
             row["restarts"]) for row in report["actors"]]
    return "\n".join([table(head, rows), *refusals(report["actors"]), last_line(report)])


def last_line(report: dict[str, Any]) -> str:
    """What a person looks at first: who does not run, whether on purpose or not, else whether something waits."""
    down = [row["name"] + (f" ({row['state']})" if row["state"] not in ("running", "stopped") else "")
            for row in report["actors"] if row["pid"] is None or row["state"] != "running"]
    if not down:
        return "idle: nothing waits" if report["idle"] else "busy"
    return f"not running: {', '.join(down)}{'; nothing waits in the others' if report['idle'] else ''}"


def refusals(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each trouble with storage, with the actors that have it."""
    for kind, text in STORAGE.items():
        if names := [row["name"] for row in rows if row["storage"] == kind]:
            yield f"{text}: {', '.join(names)}"
