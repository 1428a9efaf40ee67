"""The command line: a table of commands, of which only the one that was named is imported.

It parses, calls, and turns errors into one plain line and an exit code (sysexits.h: 64 usage, 69 unavailable, 75 try
again, 78 configuration; 130 after Ctrl-C, 141 when the reader of a pipe went away). The work is in catalyst/commands.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from catalyst.errors import CatalystError, OwnedElsewhere, UsageError

INTERRUPTED, PIPE_CLOSED = 130, 141


class Command(NamedTuple):
    """A row of the table: the module under catalyst/commands, its two functions, one line of help, examples."""

    name: str
    module: str
    help: str
    examples: tuple[str, ...]
    add: str = "add_arguments"
    run: str = "run"


C = Command
GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    ("run", (
        C("run", "run", "run everything under supervisord and show each alert", ("catalyst run --live",)),
        C("up", "house", "run everything in the foreground, without supervisord",
          ("catalyst up", "catalyst up --world var/day --speed 10"), "add_arguments_up", "run_up"),
        C("down", "house", "stop everything", ("catalyst down",), "add_arguments_down", "run_down"),
        C("actor", "house", "run one actor in the foreground", ("catalyst actor classifier",),
          "add_arguments_actor", "run_actor_command"),
        C("world", "world", "play a day as the outside world, or write a new one", ("catalyst world var/day",)),
    )),
    ("operate", (
        C("status", "status", "what runs, how it is, what waits", ("catalyst status", "catalyst status --json")),
        C("top", "top", "the running house on one screen, with keys to steer it",
          ("catalyst top", "catalyst top --once")),
        C("logs", "logs", "the actors' logs, readable",
          ("catalyst logs fetcher -n 100", "catalyst logs -f --level warning")),
        C("restart", "operate", "drain an actor and start it again", ("catalyst restart fetcher",),
          "add_arguments_name", "run_restart"),
        C("drain", "operate", "drain an actor and leave it stopped", ("catalyst drain classifier",),
          "add_arguments_name", "run_drain"),
        C("stacks", "operate", "where all threads of an actor are now", ("catalyst stacks market",),
          "add_arguments_name", "run_stacks"),
        C("reload", "operate", "let all actors read settings, rules and lists again", ("catalyst reload",),
          "add_arguments_none", "run_reload"),
        C("log-level", "operate", "how much an actor writes into its log", ("catalyst log-level fetcher debug",),
          "add_arguments_level", "run_level"),
        C("pause", "pause", "take nothing new in for a time",
          ("catalyst pause", "catalyst pause --for 30m"), "add_arguments_pause", "run_pause"),
        C("resume", "pause", "end a pause", ("catalyst resume",), "add_arguments_resume", "run_resume"),
        C("mute", "mute", "hold the alerts of a ticker, kind or source for a time",
          ("catalyst mute ticker ACME", "catalyst mute kind offering --for 2d --note 'enough of these'",
           "catalyst mute source 'PR Newswire' --for 30m"), "add_arguments_mute", "run_mute"),
        C("unmute", "mute", "end a mute", ("catalyst unmute ticker ACME",), "add_arguments_unmute", "run_unmute"),
        C("mutes", "mute", "what is muted, and for how long", ("catalyst mutes", "catalyst mutes --json"),
          "add_arguments_mutes", "run_mutes"),
        C("incidents", "incidents", "what went wrong: hangs, memory, parked actors, links that disagreed",
          ("catalyst incidents --since 1d", "catalyst incidents -n 1 --stacks")),
        C("dead", "dead", "dead letters: list, show, retry, drop",
          ("catalyst dead list --actor market", "catalyst dead show 5f3a", "catalyst dead retry all")),
    )),
    ("look", (
        C("items", "items", "every item and what became of it",
          ("catalyst items --since 1h", "catalyst items --fate dropped -n 20 --json")),
        C("alerts", "alerts", "alerts, as they were sent",
          ("catalyst alerts --since 2h", "catalyst alerts --follow", "catalyst alerts --suppressed")),
        C("filings", "filings", "filings and what was read in them",
          ("catalyst filings --since 1h", "catalyst filings --ticker ACME --json")),
        C("trace", "trace", "the way of one item through the actors, with times", ("catalyst trace 5f3a9c",)),
        C("explain", "explain", "why there was or was no alert for a ticker",
          ("catalyst explain --ticker ARQX", "catalyst explain --ticker ARQX --since 1d --json")),
        C("show", "show", "one alert: its words, score, price, deliveries and what came after",
          ("catalyst show 5f3a9c",)),
        C("query", "query", "read an actor's database",
          ("catalyst query fetcher 'SELECT count(*) FROM stories'",)),
    )),
    ("set up", (
        C("doctor", "doctor", "check the set-up and the running house, each fault with its fix",
          ("catalyst doctor", "catalyst doctor --network")),
        C("sources", "sources", "the sources and how they do; --check asks each once",
          ("catalyst sources", "catalyst sources --check", "catalyst sources import feeds.opml")),
        C("watch", "watch", "the watch list, whose tickers pass the price ceiling",
          ("catalyst watch add ACME BRK.B --note 'earnings on Friday'", "catalyst watch list",
           "catalyst watch import finviz.csv")),
        C("rules", "rules", "check the table of kinds and noise",
          ("catalyst rules check", "catalyst rules check my-rules.toml --json")),
        C("config", "config", "settings in force and where each comes from", ("catalyst config show",)),
        C("send-test", "filters", "send a marked test card to the sinks",
          ("catalyst send-test", "catalyst send-test discord --sample fda_approval --preview --out var/preview"),
          "add_arguments_send_test", "run_send_test"),
        C("keys", "keys", "key pairs for actors on several hosts",
          ("catalyst keys --init", "catalyst keys --import other-host.txt")),
        C("version", "version", "versions of Catalyst and of what it stands on", ("catalyst version --json",)),
    )),
    ("prove and repair", (
        C("backup", "backup", "a checked copy of all databases, while everything runs",
          ("catalyst backup /backups/2026-01-31",)),
        C("restore", "restore", "put the databases of a backup in the place of the present ones",
          ("catalyst restore /backups/2026-01-31", "catalyst restore /backups/2026-01-31 --yes --json")),
        C("chaos", "chaos", "strike a house of its own by plan, and say what is lost",
          ("catalyst chaos", "catalyst chaos --kills 200 --items 2000 --seed 7 --scenario kills,sinks --sink bot",
           "catalyst chaos --scenario points --kills 50", "catalyst chaos --scenario points --only alerter,post")),
    )),
    ("one stage as a filter", (
        C("parse-feed", "filters", "read feed documents", ("catalyst parse-feed feed.xml",),
          "add_arguments_parse_feed", "run_parse_feed"),
        C("classify", "filters", "judge items, JSON lines in and out", ("catalyst classify < items.jsonl",),
          "add_arguments_classify", "run_classify"),
        C("read-filing", "read_filing", "read SEC filings", ("catalyst read-filing 0001108205-25-000026.txt",)),
        C("draw-chart", "draw_chart", "draw bars as a PNG", ("catalyst draw-chart bars/ARQX.csv chart.png",)),
    )),
)
COMMANDS = {command.name: command for _, commands in GROUPS for command in commands}


class Parser(argparse.ArgumentParser):
    """Misuse is a UsageError, so that it ends like every other error: in one line and exit code 64."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Called by argparse. Raises UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words` (default: the process's arguments) name; the exit code."""
    _fill_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not Unicode gets \u25b2 for an arrow
    try:
        code = _dispatch(list(sys.argv[1:] if words is None else words))
        sys.stdout.flush()
    except CatalystError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go; Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        if error.filename is None:
            raise
        return _complain(f"{os.fsdecode(error.filename)}: {error.strerror}", UsageError.exit_code)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _complain(f"{error.strerror}: make room and try again", OwnedElsewhere.exit_code)
    return code


def _fill_streams() -> None:
    """Put /dev/null in the place of standard streams that are closed: no other file may get their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _complain(text: str, code: int) -> int:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    sys.stderr.write(f"catalyst: {line}\n")
    return code


def _dispatch(words: list[str]) -> int:
    if words[:1] in (["--help"], ["-h"]) or words == ["help"]:
        sys.stdout.write(overview())
        return 0
    if not words:
        raise UsageError("which command? see catalyst --help")
    if words[0] == "help":
        words = [words[1], "--help"]
    if words[0] == "--version":
        words[0] = "version"
    command = COMMANDS.get(words[0])
    if command is None:
        raise UsageError(f"there is no command {words[0]!r}{_nearest(words[0])}; see catalyst --help")
    module = importlib.import_module(f"catalyst.commands.{command.module}")
    parser = make_parser(command)
    getattr(module, command.add)(parser)
    try:
        arguments = parser.parse_intermixed_args(words[1:])  # options may stand between names, as in other programs
    except SystemExit as end:  # after --help
        return int(end.code or 0)
    code: int = getattr(module, command.run)(arguments)
    return code


def make_parser(command: Command) -> Parser:
    """The command's parser with what all share; a module may declare any of it in its own way."""
    examples = "\n".join(f"  {example}" for example in command.examples)
    parser = Parser(prog=f"catalyst {command.name}", description=f"{command.help[:1].upper()}{command.help[1:]}.",
                    epilog=f"examples:\n{examples}", formatter_class=argparse.RawDescriptionHelpFormatter,
                    conflict_handler="resolve", allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print JSON, one value a line where there are many")
    return parser


def _nearest(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, 1)
    return f", did you mean {near[0]}" if near else ""


def overview() -> str:
    """The text of `catalyst --help`."""
    lines = ["usage: catalyst COMMAND [--json] ...", "",
             "Watches news wires and SEC filings and alerts a trader to catalysts of low-priced US stocks."]
    for title, commands in GROUPS:
        lines += ["", f"{title}:", *(f"  {command.name:<12}{command.help}" for command in commands)]
    lines += ["", "example: catalyst status", "catalyst COMMAND --help says more about one.", ""]
    return "\n".join(lines)
