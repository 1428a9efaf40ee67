"""`catalyst top`: the running house on one screen, and the keys to steer it."""

from __future__ import annotations

import argparse
import curses
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import to_builtins

from catalyst.clock import Clock, SystemClock
from catalyst.commands.home import Home
from catalyst.commands.output import print_json, when
from catalyst.commands.snapshot import read
from catalyst.commands.supervisord import restart_advice
from catalyst.errors import CatalystError, UnavailableError, UsageError
from catalyst.runtime.roster import SUPERVISOR
from catalyst.top import Line, Snapshot, View, frame, page, wrapped

KEY_WAIT_MS = 100  # how late a new snapshot is drawn; a key is seen at once
FIRST_RATE_S = 0.5  # between the two looks of --once, which rates need
NOTE_S = 6.0
ASK_S = 2.0
KEYS = "q quit  up/down select  r restart  d drain  s stacks"
COLOURS = {"bad": curses.COLOR_RED, "warn": curses.COLOR_YELLOW}
FIXED = {"title": curses.A_REVERSE, "head": curses.A_BOLD, "selected": curses.A_BOLD, "dim": curses.A_DIM}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst top [--once] [--interval S]`."""
    parser.add_argument("--once", action="store_true", help="print one frame as plain text and end")
    parser.add_argument("--interval", type=interval, default=1.0, metavar="S", help="seconds between looks (default 1)")


def interval(text: str) -> float:
    """Seconds between two looks. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.2 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.2 to 3600")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Show the screen until q; with --once or --json one frame, and 69 where no actor answers."""
    with Home() as home:
        zone = ZoneInfo(home.settings.tz)
        if not (arguments.json or arguments.once):
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                raise UsageError("top needs a terminal; catalyst top --once prints one frame without")
            _show(home, zone, arguments.interval)
            return 0
        clock = SystemClock()
        first = read(home, clock)
        if any(row.heard_s is not None for row in first.actors):
            time.sleep(min(FIRST_RATE_S, arguments.interval))
        snapshot = read(home, clock, first)
    if arguments.json:
        print_json(as_json(snapshot))
    else:
        size = shutil.get_terminal_size((120, 40))
        lines = [line.text for line in frame(snapshot, size.columns, size.lines, View(), zone)]
        print("\n".join(lines).rstrip())
    return 0 if any(row.cpu_s is not None for row in snapshot.actors) else UnavailableError.exit_code


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """`{"at", "home", "actors": [...], "alerts": [...], "alerts_at", "events": [...], "silence"}`, times as ISO UTC."""
    actors = [{name: value for name, value in asdict(row).items() if name != "heard_s"} for row in snapshot.actors]
    dated = {kind: [{"at": when(entry.at_ms), **{name: value for name, value in asdict(entry).items()
                                                 if name != "at_ms"}} for entry in entries]
             for kind, entries in (("alerts", snapshot.alerts), ("events", snapshot.events))}
    return {"at": when(snapshot.at_ms), "home": snapshot.home, "actors": actors,
            "alerts_at": when(snapshot.alerts_ms), **dated,
            "silence": None if snapshot.silence is None else to_builtins(snapshot.silence)}


# -- asking, beside the keys


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a key: a line for the foot of the screen, or a text to page through under its title."""

    note: str = ""
    title: str = ""
    text: str = ""


class Looker:
    """Looks at the home every `interval_s` in a thread of its own, and does there what a key asked for."""

    def __init__(self, home: Home, interval_s: float, clock: Clock):
        self.found: SimpleQueue[Snapshot | Said] = SimpleQueue()
        self._wishes: SimpleQueue[Callable[[Home], Said] | None] = SimpleQueue()
        self._home, self._interval_s, self._clock = home, interval_s, clock
        self._thread = Thread(target=self._run, name="looker", daemon=True)
        self._thread.start()

    def wish(self, wish: Callable[[Home], Said]) -> None:
        """Have this done as soon as the look in hand is over, and look again after it."""
        self._wishes.put(wish)

    def stop(self) -> None:
        """End; the thread is given the time that its longest question takes."""
        self._wishes.put(None)
        self._thread.join(ASK_S + 1.0)

    def _run(self) -> None:
        snapshot = None
        while True:
            snapshot = read(self._home, self._clock, snapshot)
            self.found.put(snapshot)
            with suppress(Empty):
                wish = self._wishes.get(timeout=self._interval_s)
                if wish is None:
                    return
                try:
                    self.found.put(wish(self._home))
                except CatalystError as error:
                    self.found.put(Said(str(error)))


def restart(home: Home, name: str) -> Said:
    """Let the supervisor restart an actor; the table shows how it goes on."""
    if name == SUPERVISOR:
        raise UsageError(f"not for the supervisor: {restart_advice(home)}")
    if home.owner(SUPERVISOR) is None:
        raise UnavailableError("the supervisor is not running, and it is what starts actors: catalyst up")
    home.ask(SUPERVISOR, "restart", ASK_S, actor=name)
    return Said(f"{name} is being restarted")


def drain(home: Home, name: str) -> Said:
    """Drain an actor and leave it stopped; without a supervisor the actor itself is asked."""
    if name == SUPERVISOR:
        raise UsageError("not for the supervisor: catalyst down stops everything")
    if home.owner(SUPERVISOR) is not None:
        home.ask(SUPERVISOR, "stop", ASK_S, actor=name)
    else:
        home.ask(name, "drain", ASK_S)
    return Said(f"{name} is being drained; r starts it again")


def stacks(home: Home, name: str) -> Said:
    """The stacks of all threads of an actor, also of one whose loop is stuck."""
    return Said(title=f"stacks of {name}", text=home.ask(name, "stacks", ASK_S)["stacks"])


# -- the screen


def _show(home: Home, zone: ZoneInfo, interval_s: float) -> None:
    try:
        curses.setupterm()
    except curses.error as error:
        raise UsageError(f"this terminal cannot show top ({error}); catalyst top --once prints one frame") from None
    looker = Looker(home, interval_s, SystemClock())
    try:
        curses.wrapper(lambda window: Screen(window, looker, zone).run())
    finally:
        looker.stop()


class Screen:
    """Draws what the looker found and takes keys. It never waits for an actor."""

    def __init__(self, window: curses.window, looker: Looker, zone: ZoneInfo):
        self._window, self._looker, self._zone = window, looker, zone
        self._snapshot: Snapshot | None = None
        self._view = View()
        self._note_ends_s = 0.0
        self._to_drain = ""
        self._paged: Said | None = None
        self._offset = 0
        self._styles = dict(FIXED)
        window.timeout(KEY_WAIT_MS)
        with suppress(curses.error):  # a terminal that cannot hide its cursor
            curses.curs_set(0)
        if curses.has_colors():
            curses.use_default_colors()
            for pair, (style, colour) in enumerate(COLOURS.items(), start=1):
                curses.init_pair(pair, colour, -1)
                self._styles[style] = curses.color_pair(pair)

    def run(self) -> None:
        """Until q."""
        is_stale = True
        while True:
            is_stale |= self._take()
            if is_stale:
                self._draw()
            key = self._window.getch()
            is_stale = key != -1
            if is_stale and not self._press(key):
                return

    def _take(self) -> bool:
        """Whether there is something new to draw."""
        is_new = False
        with suppress(Empty):
            while True:
                found = self._looker.found.get_nowait()
                is_new = True
                if isinstance(found, Snapshot):
                    self._snapshot = found
                    if self._place() is None and found.actors:
                        self._select(0)
                elif found.text:
                    self._paged, self._offset = found, 0
                    self._say("", 0)
                else:
                    self._say(found.note)
        if self._view.note and not self._to_drain and time.monotonic() > self._note_ends_s:
            self._say("", 0)
            is_new = True
        return is_new

    def _say(self, note: str, lasts_s: float = NOTE_S) -> None:
        self._view = replace(self._view, note=note)
        self._note_ends_s = time.monotonic() + lasts_s

    def _place(self) -> int | None:
        rows = self._snapshot.actors if self._snapshot else ()
        return next((place for place, row in enumerate(rows) if row.name == self._view.selected), None)

    def _select(self, place: int) -> None:
        rows = self._snapshot.actors if self._snapshot else ()
        if rows:
            self._view = replace(self._view, selected=rows[max(0, min(place, len(rows) - 1))].name)

    def _press(self, key: int) -> bool:
        """Do what the key says; false for the end."""
        letter = chr(key) if 0 < key < 128 else ""
        if self._paged:
            self._move_page(key, letter)
        elif self._to_drain:
            name, self._to_drain = self._to_drain, ""
            self._say(f"draining {name} ..." if letter in ("y", "Y") else f"{name} is left as it is")
            if letter in ("y", "Y"):
                self._looker.wish(lambda home: drain(home, name))
        elif letter == "q":
            return False
        elif key in (curses.KEY_UP, curses.KEY_DOWN):
            self._select((self._place() or 0) + (1 if key == curses.KEY_DOWN else -1))
        elif letter in ("r", "s", "d") and self._view.selected:
            self._ask_for(letter, self._view.selected)
        return True

    def _ask_for(self, letter: str, name: str) -> None:
        if letter == "d":
            self._to_drain = name
            self._say(f"drain {name} and leave it stopped? y yes, any other key no")
            return
        self._say(f"asking for the stacks of {name} ..." if letter == "s" else f"restarting {name} ...")
        self._looker.wish(lambda home: (stacks if letter == "s" else restart)(home, name))

    def _move_page(self, key: int, letter: str) -> None:
        height, width = self._window.getmaxyx()
        height = max(1, height - 2)
        steps = {curses.KEY_UP: -1, curses.KEY_DOWN: 1, curses.KEY_PPAGE: -height, curses.KEY_NPAGE: height}
        if letter == "q" or self._paged is None:
            self._paged = None
            return
        last = max(0, len(wrapped(self._paged.text, width)) - height)
        self._offset = max(0, min(last, self._offset + steps.get(key, 0)))

    def _draw(self) -> None:
        height, width = self._window.getmaxyx()
        if self._paged:
            lines = page(self._paged.title, wrapped(self._paged.text, width), width, height, self._offset)
        elif self._snapshot:
            lines = frame(self._snapshot, width, height, replace(self._view, note=self._view.note or KEYS), self._zone)
        else:
            lines = [Line("asking ...")]
        self._window.erase()
        encoding = self._window.encoding
        for place, line in enumerate(lines[:height]):
            text = line.text.encode(encoding, "replace").decode(encoding)
            with suppress(curses.error):  # the last cell of the screen is written, but the cursor has no place after it
                self._window.addnstr(place, 0, text, width, self._styles.get(line.style, 0))
        self._window.refresh()
