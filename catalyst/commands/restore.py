"""`catalyst restore DIR`: the databases of a backup take the place of the present ones, which are moved aside.

What went out stays known: the alerter's and the tracker's databases stay where they are sound and go on from those of
the backup, because they hold all of it and what was posted since. The others make again what is lacking between them.

All is checked and laid ready before anything is stopped. The databases go in as one folder, by one renaming; each then
takes its place under its actor's lock, here or by the actor's own start (catalyst.runtime.restored). So a kill leaves
the old or the new database of each actor, and the same command again completes it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from catalyst.clock import SystemClock
from catalyst.commands.home import Home
from catalyst.commands.manifest import FILES, Manifest, disk, read, refuse_changed
from catalyst.commands.operate import NotYet
from catalyst.commands.output import megabytes, print_json, when
from catalyst.errors import ConfigError, UsageError
from catalyst.runtime.copies import copy_file, goes_on_from, make_reborn, refuse_unfit
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.restored import PENDING, take_over, write_out
from catalyst.runtime.roster import ALL, SUPERVISOR, WORKERS, load_actor
from catalyst.settings import Settings

WAIT_S = 20.0  # the end of all actors takes 8 s at most, their starts less
POLL_S = 0.03
DRAIN_ANSWER_S = 0.3
PART = f"{PENDING}.part"
LEDGERS = ("alerter", "tracker")  # what was posted, and what became of each item


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst restore DIR [--yes]`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that catalyst backup wrote")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--all", action="store_true",
                        help=f"replace also those of {' and '.join(LEDGERS)} where they are sound and newer")


def run(arguments: argparse.Namespace) -> int:
    """Restore. Raises ConfigError for a folder that is no sound backup of this version, UsageError without a consent,
    NotYet where an actor does not end or start in time: the same command again goes on."""
    folder, clock = arguments.folder.absolute(), SystemClock()
    manifest = read(folder)
    refuse_changed(folder, manifest)
    unknown = sorted(set(manifest.actors) - set(ALL))
    if unknown:
        raise ConfigError(f"{folder} holds a database of {unknown[0]!r}, which this version does not have")
    with Home() as home, disk():
        # The one who stops and starts the others keeps its own: it holds incidents, nothing of the flow.
        kept = [SUPERVISOR] if SUPERVISOR in manifest.actors and home.owner(SUPERVISOR) is not None else []
        names = [name for name in ALL if name in manifest.actors and name not in kept]
        if not names:
            raise ConfigError(f"{folder} holds no database that could be restored")
        _consent(arguments, manifest, home.settings)
        part = lay_ready(home.settings, folder, manifest, names, clock.now_ms())
        stop(home)
        kept += [] if arguments.all else [name for name in LEDGERS if name in names
                                          and _stays(home.settings, name, manifest.actors[name].epoch)]
        names = [name for name in names if name not in kept]
        for name in kept:
            (part / f"{name}.db").unlink(missing_ok=True)
        aside = swap(home.settings, part, names)
        aside += put_lists(home.settings, folder, manifest, clock.now_ms())
        started = start(home)
    if arguments.json:
        print_json({"restored": names, "kept": kept, "made": when(manifest.made_ms), "started": started,
                    "aside": [str(path) for path in aside]})
        return 0
    print(f"{len(names)} databases are those of {when(manifest.made_ms)}; what they replace is in"
          f" {home.settings.database_folder}, as ACTOR.replaced-*")
    if SUPERVISOR in kept:
        print("the supervisor runs and keeps its own database: it holds incidents only")
    if ledgers := [name for name in kept if name != SUPERVISOR]:
        print(f"{' and '.join(ledgers)}: kept as they are, since they know what went out after the backup (--all)")
    print("every actor runs again" if started else "nothing runs; catalyst up, or supervisord, starts it")
    return 0


def _consent(arguments: argparse.Namespace, manifest: Manifest, settings: Settings) -> None:
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("restore replaces every database of the home; without a terminal say --yes")
    size = sum(row.size for row in manifest.actors.values())
    sys.stderr.write(f"Replace the databases in {settings.database_folder} by those of {when(manifest.made_ms)}"
                     f" ({len(manifest.actors)}, {megabytes(size)})? The present ones are moved aside. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")


def lay_ready(settings: Settings, folder: Path, manifest: Manifest, names: list[str], now_ms: int) -> Path:
    """Copies of the databases beside the present ones, each checked and made reborn; the folder that holds them."""
    part = settings.database_folder / PART
    settings.database_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        for name in names:
            target = part / f"{name}.db"
            copy_file(folder / manifest.actors[name].file, target)
            refuse_unfit(target, load_actor(name))
            make_reborn(target, now_ms)
        write_out(part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return part


def _stays(settings: Settings, name: str, epoch: str) -> bool:
    path = settings.database_folder / f"{name}.db"
    ownership = Ownership(settings.database_folder, name)
    try:
        take_over(path)  # of a restore that was broken off
        return path.is_file() and goes_on_from(path, epoch)
    finally:
        ownership.release()


def stop(home: Home) -> None:
    """End every actor that runs, the fetcher first; a running supervisor ends them and leaves them ended."""
    supervised = set(home.children() or {}) if home.owner(SUPERVISOR) is not None else set()
    for name in reversed(WORKERS):
        if name in supervised:
            home.ask(SUPERVISOR, "stop", actor=name)
        elif home.owner(name) is not None:
            home.ask_all([name], "drain", DRAIN_ANSWER_S)
    _until(lambda: not home.alive(WORKERS), lambda: f"{', '.join(home.alive(WORKERS))} did not end")


def swap(settings: Settings, part: Path, names: list[str]) -> list[Path]:
    """Commit to the restored databases, then let each take its place; where the ones of before are."""
    pending = part.with_name(PENDING)
    shutil.rmtree(pending, ignore_errors=True)  # of a restore that was broken off; this one covers it
    part.rename(pending)
    write_out(settings.database_folder)
    aside = []
    for name in names:
        path = settings.database_folder / f"{name}.db"
        ownership = Ownership(settings.database_folder, name)
        try:
            found = take_over(path)
        finally:
            ownership.release()
        if found is not None and found.exists():
            aside.append(found)
    return aside


def put_lists(settings: Settings, folder: Path, manifest: Manifest, now_ms: int) -> list[Path]:
    """Put back a person's own lists; those that differ are moved aside first. Where these are."""
    aside = []
    for row in manifest.files:
        source, target = folder / FILES / row.file, settings.home / row.file
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = target.with_name(f"{target.name}.part")
        draft.unlink(missing_ok=True)
        copy_file(source, draft)
        if target.exists():
            before = target.with_name(f"{target.name}.replaced-{now_ms}")
            target.rename(before)
            aside.append(before)
        draft.rename(target)
    return aside


def start(home: Home) -> bool:
    """Let a running supervisor start all its actors, and wait until they run; False where there is none."""
    if home.owner(SUPERVISOR) is None:
        return False
    names = [name for name in WORKERS if name in (home.children() or {})]
    for name in names:
        home.ask(SUPERVISOR, "restart", actor=name)

    def waiting() -> list[str]:
        children = home.children() or {}
        return [name for name in names if children.get(name, {}).get("state") != "running"]

    _until(lambda: not waiting(), lambda: f"{', '.join(waiting())} did not start; see catalyst status")
    return True


def _until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end_s:
            raise NotYet(f"{complaint()} within {WAIT_S:g} s; the same command again goes on")
        time.sleep(POLL_S)
