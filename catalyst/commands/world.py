"""`catalyst world`: the stand-in outside world in the foreground, or a new day written into a folder."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from catalyst.commands.output import count, port, speed
from catalyst.errors import UsageError
from catalyst.world.day import Day
from catalyst.world.generate import generate
from catalyst.world.server import World

EXAMPLE = """examples:
  catalyst world --generate 7 --items 200 var/day      write a day of 200 items
  catalyst world var/day --speed 10                    play it, ten times as fast, until Ctrl-C
  curl http://127.0.0.1:PORT/_sent                     what Discord and the signed webhook were sent"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.description = "Play a day folder as the outside world on 127.0.0.1, or write a new day."
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("day", type=Path, metavar="DAY", help="the day's folder")
    parser.add_argument("--port", type=port, default=0, help="port (default: a free one)")
    parser.add_argument("--host", default="127.0.0.1", metavar="IP", help="listen there instead; it trusts everybody")
    parser.add_argument("--speed", type=speed, default=1.0, help="how many times as fast as the day itself (default 1)")
    parser.add_argument("--discord-limit", metavar="N/S", help="allow N requests in S seconds a webhook (default: all)")
    parser.add_argument("--edgar-limit", type=count, default=0, metavar="N",
                        help="allow N requests a second to EDGAR (default: any number)")
    parser.add_argument("--strict-sec", action="store_true", help="EDGAR refuses a User-Agent without a contact")
    parser.add_argument("--state", type=Path, metavar="FILE", help="remember the start, to go on after a restart")
    parser.add_argument("--sent", type=Path, metavar="FILE", help="append every webhook request to this file at once")
    parser.add_argument("--generate", type=int, metavar="SEED", help="write a day instead of playing one")
    parser.add_argument("--items", type=int, default=200, help="items of the day to write (default 200)")
    parser.add_argument("--filings", type=int, metavar="N", help="its filings (default: a fifth of the items)")
    parser.add_argument("--duration", type=float, default=3600, metavar="S", help="its length (default 3600 s)")
    parser.add_argument("--burst", type=float, metavar="S", help="publish all its items at once, S s after its start")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Play until SIGTERM or SIGINT, or write a day. Raises ConfigError, UsageError or UnavailableError."""
    if arguments.generate is not None:
        return _write(arguments)
    day = Day.load(arguments.day)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    limit = parse_limit(arguments.discord_limit) if arguments.discord_limit else None
    with World(day, arguments.port, arguments.speed, limit, state=arguments.state, sent=arguments.sent,
               edgar_limit=arguments.edgar_limit, strict_sec=arguments.strict_sec, host=arguments.host) as world:
        about = {"url": world.url, "pid": os.getpid(), **world.about()}
        _print(arguments, about,
               f"world: {world.url} plays {about['name']}, {about['items']} items until {about['ends']}")
        ended.wait()
    return 0


def _write(arguments: argparse.Namespace) -> int:
    filings = arguments.items // 5 if arguments.filings is None else arguments.filings
    day = generate(arguments.generate, arguments.items, arguments.day, duration_s=arguments.duration,
                   burst_s=arguments.burst, filings=filings)
    about = {"day": str(day.folder), "name": day.name, "items": arguments.items, "filings": filings,
             "duration_s": day.duration_s}
    _print(arguments, about, f"world: wrote {day.name}, {arguments.items} items and {filings} filings over "
                             f"{day.duration_s:g} s, to {day.folder}")
    return 0


def _print(arguments: argparse.Namespace, about: dict[str, Any], line: str) -> None:
    print(json.dumps(about, ensure_ascii=False) if arguments.json else line, flush=True)


def parse_limit(text: str) -> tuple[int, float]:
    """`5/2` -> five requests in two seconds. Raises UsageError."""
    requests, _, seconds = text.partition("/")
    try:
        limit = int(requests), float(seconds)
    except ValueError:
        limit = (0, 0.0)
    if limit[0] < 1 or not 0 < limit[1] <= 86_400:
        raise UsageError(f"--discord-limit {text!r} is not N/S, for example 5/2")
    return limit
