"""`catalyst backup DIR`: a checked copy of every actor's database, and of a person's own lists, while all goes on.

A running actor copies its database itself, beside its work; that of one that does not run is copied here, under its
lock. One after the other, the fetcher first and the alerter last, so that the copy knows of every alert that was posted
before its end.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from catalyst import __version__
from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.manifest import FILES, FORMAT, Database, File, Manifest, as_json, begin, disk, finish
from catalyst.commands.output import megabytes, print_json
from catalyst.errors import OwnedElsewhere, UnavailableError
from catalyst.runtime.copies import Facts, copy_at_rest, copy_file, digest, seal
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.restored import take_over, write_out
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.settings import Settings

ORDER = (SUPERVISOR, *reversed(WORKERS))
POLL_S = 0.03
SHOW_S = 1.0  # what is over sooner needs no progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst backup DIR`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that is new or empty")


def run(arguments: argparse.Namespace) -> int:
    """Make a backup. Raises UsageError (folder) or UnavailableError: an actor does not answer, the disk is full,
    a database is damaged."""
    folder = arguments.folder.absolute()
    with Home() as home, disk():
        names = [name for name in ORDER if (home.settings.database_folder / f"{name}.db").is_file()]
        if not names:
            raise UnavailableError(f"there is no database in {home.settings.database_folder}")
        begin(folder)
        show = Progress(len(names), quiet=arguments.json)
        actors: dict[str, Database] = {}
        for name in names:
            show.at(name)
            facts = copy(home, name, folder / f"{name}.db", show)
            actors[name] = Database(f"{name}.db", facts.epoch, facts.user_version, facts.pages, facts.size,
                                    facts.sha256, "ok")
        show.end()
        files = copy_lists(home.settings, folder / FILES)
        manifest = Manifest(FORMAT, __version__, SystemClock().now_ms(), actors, files)
        finish(folder, manifest)
    found = as_json(folder, manifest)
    if arguments.json:
        print_json(found)
    else:
        print(f"{len(actors)} databases, {megabytes(found['bytes'])}, checked, are in {folder}")
    return 0


class Progress:
    """A line on the terminal for what takes longer than a second."""

    def __init__(self, total: int, *, quiet: bool):
        self._total = total
        self._quiet = quiet
        self._began_s = time.monotonic()
        self._done = 0
        self._name = ""
        self._shown = False

    def at(self, name: str) -> None:
        """The next database begins."""
        self._name = name
        self._done += 1

    def say(self, pages: int, remaining: int) -> None:
        """So much of it is still to be copied."""
        if self._quiet or time.monotonic() - self._began_s < SHOW_S:
            return
        share = 100 * (pages - remaining) // pages if pages else 0
        start, stop = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        if start or not self._shown:
            sys.stderr.write(f"{start}{self._done} of {self._total}: {self._name} {share} %{stop}")
            sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        """All are copied."""
        if self._shown and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def copy(home: Home, name: str, target: Path, show: Progress) -> Facts:
    """Copy one actor's database, whether it runs or not, and check the copy."""
    while True:
        try:
            if home.owner(name) is None:
                _copy_at_rest(home.settings, name, target)
            else:
                _copy_running(home, name, target, show)
        except OwnedElsewhere:  # it starts just now
            time.sleep(POLL_S)
            continue
        return seal(target)


def _copy_at_rest(settings: Settings, name: str, target: Path) -> None:
    ownership = Ownership(settings.database_folder, name)
    try:
        source = settings.database_folder / f"{name}.db"
        take_over(source)
        copy_at_rest(source, target)
    finally:
        ownership.release()


def _copy_running(home: Home, name: str, target: Path, show: Progress) -> None:
    """Ask for the copy and wait for its end; the supervisor ends an actor that hangs in it."""
    home.ask(name, "backup", QUERY_ANSWER_S, do="begin", path=str(target))
    while True:
        answer = home.ask(name, "backup", QUERY_ANSWER_S)
        if answer["state"] == "done":
            return
        if answer["state"] not in ("waiting", "copying"):
            raise UnavailableError(f"{name} could not copy its database: {answer['error'] or 'it was started again'}")
        show.say(answer["pages"], answer["remaining"])
        time.sleep(POLL_S)


def lists_of(settings: Settings) -> list[str]:
    """Files of a person's own that lie in the home, as paths below it; what can be fetched again is none of them."""
    named = [settings.home / "watchlist.csv", settings.watchlist, settings.sources, settings.rules, settings.companies,
             settings.market_values]
    home = settings.home.absolute()
    found = {path.absolute() for path in named if path is not None}
    return sorted(str(path.relative_to(home)) for path in found if path.is_file() and path.is_relative_to(home))


def copy_lists(settings: Settings, folder: Path) -> tuple[File, ...]:
    """Copy those lists into `folder`. Raises OSError."""
    rows = []
    for name in lists_of(settings):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy_file(settings.home / name, target)
        rows.append(File(name, target.stat().st_size, digest(target)))
        write_out(target.parent)
    return tuple(rows)
