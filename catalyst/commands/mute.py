"""`catalyst mute`, `unmute` and `mutes`: hold the alerts of a ticker, kind or source; each mute ends by itself."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from catalyst.commands.home import Home
from catalyst.commands.output import Local, duration_ms, plain, print_json, seconds, table, when
from catalyst.commands.unknown import unknown, warn
from catalyst.core.quiet import DEFAULT_S, WHATS
from catalyst.settings import load

ALERTER = "alerter"
ONLY_SO = "only alerts that are named so"  # a new listing may not be in the list yet


def add_arguments_mute(parser: argparse.ArgumentParser) -> None:
    """`catalyst mute ticker|kind|source VALUE [--for D] [--note TEXT]`."""
    add_arguments_unmute(parser)
    parser.add_argument("--for", dest="length", type=duration_ms, default=DEFAULT_S * 1000, metavar="D",
                        help="30m, 4h, 2d (default: 4h, at most 30d); of a mute in force it moves the end")
    parser.add_argument("--note", default="", metavar="TEXT", help="why")


def add_arguments_unmute(parser: argparse.ArgumentParser) -> None:
    """`catalyst unmute ticker|kind|source VALUE`."""
    parser.add_argument("what", choices=WHATS, metavar="WHAT", help="ticker, kind or source")
    parser.add_argument("value", metavar="VALUE",
                        help="ACME; fda_approval or the first words of kinds, as offering; the source's name")


def add_arguments_mutes(parser: argparse.ArgumentParser) -> None:
    """`catalyst mutes` has no words of its own."""


def run_mute(arguments: argparse.Namespace) -> int:
    """Mute. Raises UsageError for what cannot be muted or too long, UnavailableError without an alerter."""
    with Home() as home:
        mute = home.ask(ALERTER, "mute", what=arguments.what, value=arguments.value, for_s=arguments.length / 1000,
                        note=arguments.note)
        local = Local.of(home.settings)
    if why := unknown(mute["what"], arguments.value if mute["what"] == "ticker" else mute["value"], load()):
        warn(f"{why}; the mute holds {ONLY_SO if mute['what'] == 'ticker' else 'nothing'}")
    if arguments.json:
        print_json(as_json(mute))
    else:
        print(plain(f"alerts of {mute['what']} {mute['value']} are held until {local.date_time(mute['until_ms'])};"
                    " catalyst alerts --suppressed lists them, catalyst unmute ends it"))
    return 0


def run_unmute(arguments: argparse.Namespace) -> int:
    """End a mute. Raises UsageError for what cannot be muted, UnavailableError without an alerter."""
    with Home() as home:
        answer = home.ask(ALERTER, "unmute", what=arguments.what, value=arguments.value)
    if arguments.json:
        print_json({name: answer[name] for name in ("what", "value", "was_muted")})
    else:
        said = "is no longer muted" if answer["was_muted"] else "was not muted"
        print(plain(f"{answer['what']} {answer['value']} {said}"))
    return 0


def run_mutes(arguments: argparse.Namespace) -> int:
    """Print the mutes in force, the one that ends first first. Raises UnavailableError without an alerter."""
    with Home() as home:
        mutes = home.ask(ALERTER, "mutes")["mutes"]
        local = Local.of(home.settings)
    if arguments.json:
        for mute in mutes:
            print_json(as_json(mute))
    elif mutes:
        print(table(("WHAT", "VALUE", "LEFT", "UNTIL", "HELD", "NOTE"), [
            (mute["what"], mute["value"], seconds(mute["left_s"]), local.date_time(mute["until_ms"]), mute["held"],
             mute["note"]) for mute in mutes]))
    else:
        print("nothing is muted; catalyst mute ticker ACME --for 4h")
    return 0


def as_json(mute: Mapping[str, Any]) -> dict[str, Any]:
    """A mute as --json prints it."""
    return {"what": mute["what"], "value": mute["value"], "note": mute["note"], "held": mute["held"],
            "began": when(mute["began_ms"]), "until": when(mute["until_ms"]), "left_s": mute["left_s"]}
