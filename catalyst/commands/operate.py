"""`catalyst restart`, `drain`, `stacks`, `reload`, `log-level`: what a person does to running actors."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from catalyst.commands.home import Home, known
from catalyst.commands.logs import LEVELS
from catalyst.commands.output import plain, print_json
from catalyst.commands.supervisord import restart_advice
from catalyst.errors import CatalystError, ConfigError, UnavailableError, UsageError
from catalyst.runtime.roster import ALL, SUPERVISOR, WORKERS

ALERTER = "alerter"
WAIT_S = 10.0
POLL_S = 0.03
DRAIN_ANSWER_S = 0.3  # an actor may be gone before its answer is out; its lock tells the rest


class NotYet(CatalystError):
    """Something was asked for and is under way, but is not done in time."""

    exit_code = 75


def add_arguments_name(parser: argparse.ArgumentParser) -> None:
    """`catalyst restart NAME` and the like."""
    parser.add_argument("name", metavar="NAME", help=", ".join(ALL))


def add_arguments_none(parser: argparse.ArgumentParser) -> None:
    """`catalyst reload` has no words of its own."""


def add_arguments_level(parser: argparse.ArgumentParser) -> None:
    """`catalyst log-level NAME LEVEL`."""
    add_arguments_name(parser)
    parser.add_argument("level", metavar="LEVEL", choices=LEVELS, help=", ".join(LEVELS))


def run_restart(arguments: argparse.Namespace) -> int:
    """Restart through the supervisor and wait until the new process runs. Raises UnavailableError without one."""
    began_s = time.monotonic()
    with Home() as home:
        name = _worker(arguments.name, lambda: restart_advice(home))
        if home.owner(SUPERVISOR) is None:
            raise UnavailableError(f"the supervisor is not running, and it is what starts actors: catalyst up, or"
                                   f" catalyst actor {name}")
        before = home.ask(SUPERVISOR, "restart", actor=name)["pid_before"]
        child = _wait(home, name, arguments, lambda child: child["state"] == "running" and child["pid"] not in
                      (None, before))
    _tell(arguments, {"actor": name, "pid_before": before, "pid": child["pid"], "seconds": _since(began_s)},
          "{actor} runs as pid {pid} after {seconds} s")
    return 0


def run_drain(arguments: argparse.Namespace) -> int:
    """Drain an actor and wait until it is gone; without a supervisor the actor itself is asked."""
    name, began_s = _worker(arguments.name, lambda: "catalyst down stops everything"), time.monotonic()
    with Home() as home:
        if home.owner(SUPERVISOR) is not None:
            before = home.ask(SUPERVISOR, "stop", actor=name)["pid_before"]
            _wait(home, name, arguments, lambda child: child["state"] == "stopped" and child["pid"] is None)
        else:
            owner = home.owner(name)
            if owner is None:
                raise UnavailableError(f"{name} is not running")
            before = owner.pid
            home.ask_all([name], "drain", DRAIN_ANSWER_S)
            _until(lambda: home.owner(name) is None, f"{name} is still draining after {WAIT_S:g} s")
    _tell(arguments, {"actor": name, "pid_before": before, "seconds": _since(began_s)},
          "{actor} is stopped after {seconds} s; catalyst restart {actor} starts it again")
    return 0


def _worker(name: str, instead: Callable[[], str]) -> str:
    if name == SUPERVISOR:
        raise UsageError(f"not for the supervisor: {instead()}")
    return known(name, WORKERS)


def _wait(home: Home, name: str, arguments: argparse.Namespace, is_done: Callable[[dict[str, Any]], bool]
          ) -> dict[str, Any]:
    """The supervisor's word on an actor once `is_done` says so; its states on the way are shown. Raises NotYet."""
    states: list[str] = []
    found: list[dict[str, Any]] = []

    def look() -> bool:
        child = (home.children() or {}).get(name)
        if child is None:
            return False
        if states[-1:] != [child["state"]]:
            states.append(child["state"])
            if not arguments.json and sys.stderr.isatty():
                sys.stderr.write(f"{name}: {child['state']}\n")
        found[:] = [child]
        return is_done(child)

    _until(look, lambda: f"{name} is not there yet after {WAIT_S:g} s, it went through {', '.join(states)}; see"
                         f" catalyst status and catalyst logs {name}")
    return found[0]


def _until(condition: Callable[[], bool], complaint: str | Callable[[], str]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end_s:
            raise NotYet(complaint if isinstance(complaint, str) else complaint())
        time.sleep(POLL_S)


def run_stacks(arguments: argparse.Namespace) -> int:
    """Print the Python stacks of an actor's threads, also of one whose loop is stuck."""
    name = known(arguments.name)
    with Home() as home:
        stacks = home.ask(name, "stacks")["stacks"]
    if arguments.json:
        print_json({"actor": name, "stacks": stacks})
    else:
        print("\n".join(plain(line) for line in stacks.splitlines()))
    return 0


def run_reload(arguments: argparse.Namespace) -> int:
    """Let every running actor read its settings; 78 when one refuses them, 69 when one is silent."""
    with Home() as home:
        actors = home.alive()
        if not actors:
            raise UnavailableError("no actor is running")
        answers = home.ask_all(actors, "reload")
        opened = _open_sinks(home) if answers.get(ALERTER, {}).get("ok") else []
    rows = [{"actor": actor, "ok": bool(answers.get(actor, {}).get("ok")),
             "changed": answers.get(actor, {}).get("changed", []),
             "error": answers[actor].get("error") if actor in answers else "no answer"} for actor in actors]
    for row in rows:
        if arguments.json:
            print_json(row)
        else:
            print(f"{row['actor']:<11}{_outcome(row)}")
    if opened and not arguments.json:
        print(f"used again: {', '.join(opened)}")
    if any(not answer.get("ok") for answer in answers.values()):
        return ConfigError.exit_code
    return 0 if len(answers) == len(actors) else UnavailableError.exit_code


def _open_sinks(home: Home) -> list[str]:
    """Let the alerter use the sinks again that it has closed; these."""
    opened: list[str] = home.ask_all([ALERTER], "open-sinks").get(ALERTER, {}).get("opened", [])
    return opened


def _outcome(row: dict[str, Any]) -> str:
    if not row["ok"]:
        return plain(f"not reloaded: {row['error']}")
    return plain(f"changed: {', '.join(row['changed'])}") if row["changed"] else "nothing changed"


def run_level(arguments: argparse.Namespace) -> int:
    """Set an actor's log level until it ends."""
    name = known(arguments.name)
    with Home() as home:
        answer = home.ask(name, "log-level", level=arguments.level)
    _tell(arguments, {"actor": name, "level": answer["level"]}, "{actor} logs {level} and above until its end")
    return 0


def _tell(arguments: argparse.Namespace, answer: dict[str, Any], sentence: str) -> None:
    if arguments.json:
        print_json(answer)
    else:
        print(sentence.format(**answer))


def _since(began_s: float) -> float:
    return round(time.monotonic() - began_s, 3)
