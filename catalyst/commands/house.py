"""The commands that run the house: `up`, `down`, `actor`.

`up` is what supervisord does, without supervisord: it keeps one supervisor actor in the foreground. `actor supervisor
--wait` is what supervisor.conf starts.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from catalyst import settings as settings_module
from catalyst.clock import SystemClock
from catalyst.commands.output import count, speed
from catalyst.errors import ConfigError, OwnedElsewhere, UnavailableError
from catalyst.runtime.contract import Actor
from catalyst.runtime.control import Control
from catalyst.runtime.launch import own_process
from catalyst.runtime.ownership import Ownership, living_owner, wait_until_owned
from catalyst.runtime.patience import Patience
from catalyst.runtime.roster import ALL, SUPERVISOR, WORKERS, check_names, load_actor
from catalyst.runtime.run import run_actor
from catalyst.settings import Settings, load

HANDOVER_S = 30 * 86_400.0  # a second supervisor under supervisord waits for the first, it never gives up
DOWN_S = 10.0


def make_home(home: Path) -> None:
    """The folder of CATALYST_HOME. Raises ConfigError where it cannot be made."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"CATALYST_HOME: cannot make {home}: {error.strerror}") from error


def add_backlog(parser: argparse.ArgumentParser) -> None:
    """`--alert-backlog N`, for every command that starts a fetcher."""
    parser.add_argument("--alert-backlog", metavar="N", type=count,
                        help="let N items of a new source's backlog alert, as CATALYST_ALERT_BACKLOG does")


def export_backlog(arguments: argparse.Namespace) -> None:
    """Put the flag, where it was given, above the environment for this process and those that it starts."""
    if arguments.alert_backlog is not None:
        settings_module.export({"CATALYST_ALERT_BACKLOG": str(arguments.alert_backlog)})


def add_arguments_actor(parser: argparse.ArgumentParser) -> None:
    """`catalyst actor NAME`."""
    parser.add_argument("name", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--wait", action="store_true", help="wait while another process runs this actor")
    add_backlog(parser)


def run_actor_command(arguments: argparse.Namespace) -> int:
    """Run one actor in the foreground; exit 75 when it runs already (unless --wait)."""
    export_backlog(arguments)
    settings = load()
    cls = load_actor(arguments.name)
    patience = Patience(arguments.name, settings.run_folder, SystemClock())
    ownership = patience.keep_trying(lambda: _claim(settings, arguments.name, wait=arguments.wait))
    own_process(arguments.name)
    return _leave(_run(cls, settings, ownership))


def _run(cls: type[Actor], settings: Settings, ownership: Ownership) -> int:
    """Run an actor to its end; the exit code. SIGTERM while it waits in its start ends it in order too.

    A supervisor has not met its predecessor's actors then: they are ended by name.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the loop puts its own in the place of this one
    try:
        return run_actor(cls, settings, ALL, foreground=True, ownership=ownership)
    except SystemExit:
        for name in reversed(WORKERS) if cls.name == SUPERVISOR else ():
            _terminate(settings, name)
        ownership.release()
        return 0


def _leave(code: int) -> int:
    """End this process here: an exit waits for no thread, and multiprocessing's would end the handed-over actors."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _claim(settings: Settings, name: str, *, wait: bool) -> Ownership:
    """The actor's lock. With `wait`, ask an orphaned predecessor to hand over, then wait for it."""
    try:
        return Ownership(settings.database_folder, name)
    except OwnedElsewhere:
        if not wait:
            raise
    with Control(settings.run_folder) as control:
        control.ask_all([name], "handover")
    return wait_until_owned(settings.database_folder, name, HANDOVER_S)


def add_arguments_up(parser: argparse.ArgumentParser) -> None:
    """`catalyst up`."""
    parser.add_argument("--actors", metavar="A,B", default="", help="only these actors")
    parser.add_argument("--world", metavar="DAY", type=Path, help="play this day and connect to it")
    parser.add_argument("--speed", metavar="N", type=speed, default=1.0, help="play it N times as fast")
    add_backlog(parser)


def run_up(arguments: argparse.Namespace) -> int:
    """Run the whole system in the foreground until Ctrl-C or SIGTERM."""
    export_backlog(arguments)
    if arguments.actors:
        check_names(arguments.actors.split(","))
        settings_module.export({"CATALYST_ACTORS": arguments.actors})
    with ExitStack() as stack:
        settings = load()
        patience = Patience(SUPERVISOR, settings.run_folder, SystemClock())
        ownership = patience.keep_trying(lambda: Ownership(settings.database_folder, SUPERVISOR))
        if arguments.world:
            stack.enter_context(_World(arguments.world, arguments.speed, settings.home))
            settings = load()
        own_process(SUPERVISOR)
        code = _run(load_actor(SUPERVISOR), settings, ownership)
    return _leave(code)


class _World:
    """The stand-in world as a child process; its settings are exported to this process and its children."""

    def __init__(self, day: Path, speed: float, home: Path):
        from catalyst.world.day import Day, environment, write_sources

        loaded = Day.load(day)
        command = [sys.executable, "-m", "catalyst", "world", str(day), "--speed", str(speed), "--json", "--state",
                   str(home / "world.json")]
        make_home(home)
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)  # noqa: S603
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise UnavailableError(f"the world of {day} did not start")
        url = json.loads(line)["url"]
        sources = home / "world-sources.toml"
        write_sources(loaded, url, sources)
        settings_module.export(environment(loaded, url, sources))

    def __enter__(self) -> _World:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        try:
            self._child.wait(2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def add_arguments_down(parser: argparse.ArgumentParser) -> None:
    """`catalyst down`."""


def run_down(arguments: argparse.Namespace) -> int:
    """Stop everything that runs in this home: the supervisor first, who stops the rest; it works without him too."""
    settings = load()
    ended = []
    for name in (SUPERVISOR, *reversed(WORKERS)):
        pid = _terminate(settings, name)
        if pid is not None:
            ended.append({"name": name, "pid": pid})
    if arguments.json:
        print(json.dumps({"stopped": ended}))
    elif ended:
        print("\n".join(f"{row['name']} (pid {row['pid']}) ended" for row in ended))
    else:
        print("nothing was running")
    return 0


def _terminate(settings: Settings, name: str) -> int | None:
    """End the process that runs `name` and wait for it; its pid, or None where none runs."""
    import select

    owner = living_owner(settings.database_folder, name)
    if owner is None:
        return None
    try:
        pidfd = os.pidfd_open(owner.pid)
    except ProcessLookupError:
        return None
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], DOWN_S)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], 1.0)
    finally:
        os.close(pidfd)
    return owner.pid

