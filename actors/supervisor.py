"""supervisor: starts the other actors, sees them die, starts them again, ends them in order.

Its own death stops nothing: a new one finds the living by their locks and adopts them. A death is known by pidfd and
start time only. It stores every death; it decides nothing about messages.

sends     OpsNotice  to alerter (an actor does not stay up)
stores    restarts   one row a death, kept 30 days
"""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from catalyst import log
from catalyst.core.restarts import RestartState, after_death
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import OpsNotice
from catalyst.runtime.beats import Beats
from catalyst.runtime.contract import Actor, Every, Loop, Output
from catalyst.runtime.launch import Launcher
from catalyst.runtime.ownership import living_owner, start_time
from catalyst.runtime.roster import WORKERS, check_names

READY_LIMIT_S = 5.0  # how long the next actor in order waits for this one's first beat
STOP_S = 6.0  # for all actors together; the whole stop stays under 8 s
STOP_ONE_S = 4.0  # of a single actor: its running jobs may take 3 s
NOTICE_AFTER = 4  # quick deaths in a row that the operator is told of
KEEP_MS = 30 * 86_400_000


@dataclass(slots=True)
class Child:
    """What the supervisor knows of one actor. Times are monotonic seconds."""

    name: str
    state: str = "stopped"  # running, starting, draining, backoff, stopped
    wanted: bool = True
    pid: int | None = None
    pidfd: int = -1
    began_s: float = 0.0
    ready: bool = False
    start_at_s: float = 0.0
    kill_at_s: float | None = None
    restarts: int = 0
    told: bool = False
    history: RestartState = field(default_factory=RestartState)
    beat: dict[str, Any] = field(default_factory=dict)
    beat_s: float = 0.0


class Supervisor(Actor):
    """Keeps the wanted actors alive. Its loop watches their pidfds and their beats."""

    name = "supervisor"
    inbox = ()
    outbox = (OpsNotice,)
    tables = ("""
        CREATE TABLE restarts(
          n INTEGER PRIMARY KEY,
          actor TEXT NOT NULL,
          pid INTEGER NOT NULL,
          lived_s REAL NOT NULL,
          delay_s REAL NOT NULL,            -- until it was started again
          expected INTEGER NOT NULL,        -- 1: asked for (restart, drain)
          at_ms INTEGER NOT NULL);
        CREATE INDEX restarts_at ON restarts(at_ms);  -- retention""",)
    every = (Every("supervise", 0.1, at_start=True), Every("prune", 3600.0))

    def attach(self, loop: Loop) -> None:
        """Find the living, watch starts and beats."""
        names = check_names(list(self.settings.actors) or list(WORKERS))
        self._loop = loop
        self._parent = os.getppid()
        self._hands_over = False
        self._chance = random.Random()  # noqa: S311 - spreads restarts, guards nothing
        self._launcher = Launcher(self.clock)
        self.children = {name: Child(name) for name in names}
        self._beats = Beats(self.settings.run_folder, names)
        loop.watch(self._beats.socket, "beats")
        loop.watch(self._launcher.wake_fd, "starts")
        for child in self.children.values():
            self._adopt(child)

    def _adopt(self, child: Child) -> bool:
        """Take over the process that holds the actor's lock, if one does."""
        owner = living_owner(self.settings.database_folder, child.name)
        if owner is None or not self._watch(child, owner.pid, owner.start_time):
            return False
        child.state, child.ready = "running", True
        log.info("adopted", child=child.name, pid=owner.pid)
        return True

    def _watch(self, child: Child, pid: int, started: int) -> bool:
        """Open the pidfd of `pid`, if it is still the process that started at `started` (-1: any)."""
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        if started >= 0 and start_time(pid) != started:
            os.close(pidfd)
            return False
        child.pid, child.pidfd, child.began_s = pid, pidfd, self.clock.monotonic_s()
        child.kill_at_s = None
        self._loop.watch(pidfd, "deaths")
        return True

    # -- timers and watched descriptors

    def supervise(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Start what is due, in order; kill what does not end."""
        now_s = self.clock.monotonic_s()
        self._launcher.replace_stuck_server()
        for child in self.children.values():
            if child.kill_at_s is not None and now_s >= child.kill_at_s:
                self._signal(child, signal.SIGKILL)
                child.kill_at_s = None
            if child.wanted and child.state in ("stopped", "backoff") and now_s >= child.start_at_s:
                self._start(child)
            if child.state == "starting" and now_s - child.began_s < READY_LIMIT_S:
                break  # the next in order waits
        yield from ()

    def _start(self, child: Child) -> None:
        if self._adopt(child):
            return
        child.state, child.ready, child.beat = "starting", False, {}
        child.began_s = self.clock.monotonic_s()
        self._launcher.start(child.name)

    def starts(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Processes that came to life, or did not."""
        for started in self._launcher.finished():
            child = self.children[started.name]
            if started.pid is None or not self._watch(child, started.pid, -1):
                log.warning("start_failed", child=child.name, reason=started.reason or "died at once")
                yield from self._fell(db, child, started.pid or 0)
            elif not child.wanted:
                self._end(child, "stopped")
            else:
                log.info("child_started", child=child.name, pid=started.pid)

    def deaths(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Children whose pidfd says that they ended."""
        for child in self.children.values():
            if child.pidfd >= 0 and select.select([child.pidfd], [], [], 0)[0]:
                pid = child.pid or 0
                self._forget(child)
                yield from self._fell(db, child, pid)

    def _forget(self, child: Child) -> None:
        self._loop.unwatch(child.pidfd)
        os.close(child.pidfd)
        child.pid, child.pidfd, child.kill_at_s = None, -1, None

    def _fell(self, db: sqlite3.Connection, child: Child, pid: int) -> Iterator[Output]:
        """Note a death and decide when the actor starts again."""
        now_s = self.clock.monotonic_s()
        lived_s, expected = now_s - child.began_s, child.state == "draining"
        if expected:
            delay_s = 0.0
        else:
            child.history, delay_s = after_death(child.history, lived_s if child.ready else 0.0,
                                                 self._chance.random())
        child.state = "backoff" if child.wanted else "stopped"
        child.start_at_s, child.ready = now_s + delay_s, False
        child.restarts += child.wanted
        db.execute("INSERT INTO restarts(actor, pid, lived_s, delay_s, expected, at_ms) VALUES(?, ?, ?, ?, ?, ?)",
                   (child.name, pid, lived_s, delay_s, expected, self.now_ms))
        log.warning("child_ended", child=child.name, pid=pid, lived_s=round(lived_s, 3), delay_s=round(delay_s, 3),
                    expected=expected)
        if child.wanted and delay_s == 0.0:
            self._start(child)
        if child.history.quick >= NOTICE_AFTER and not child.told:
            child.told = True
            yield OpsNotice(item_id=f"actor:{child.name}", episode=str(self.now_ms), severity="critical",
                            title=f"{child.name} does not stay up",
                            text=f"{child.history.quick} quick ends in a row; see catalyst logs {child.name}",
                            made_ms=self.now_ms)

    def beats(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Heartbeats: the first one says that an actor is ready."""
        for beat in self._beats.read():
            child = self.children.get(beat["actor"])
            if child is None or beat.get("pid") != child.pid:
                continue
            child.beat, child.beat_s = beat, self.clock.monotonic_s()
            if child.state == "starting" and beat["state"] == "running":
                child.state, child.ready, child.told = "running", True, False
        yield from ()

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old deaths."""
        db.execute("DELETE FROM restarts WHERE at_ms < ?", (self.now_ms - KEEP_MS,))
        yield from ()

    # -- ending actors

    def _signal(self, child: Child, number: int) -> None:
        if child.pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child.pidfd, number)

    def _end(self, child: Child, word: str) -> None:
        child.wanted = word != "stopped"
        if child.pid is None:
            child.state = "stopped"
            child.start_at_s = 0.0
            return
        child.state = "draining"
        self._signal(child, signal.SIGTERM)
        child.kill_at_s = self.clock.monotonic_s() + STOP_ONE_S

    def before_drain(self) -> None:
        """End all actors, the fetcher first and the alerter last, adopted ones too; none after a handover."""
        if self._hands_over:
            return
        end_s = self.clock.monotonic_s() + STOP_S
        for child in reversed(self.children.values()):
            child.wanted = False
            if child.pid is None and not self._adopt(child):
                continue
            self._signal(child, signal.SIGTERM)
            left_s = min(STOP_ONE_S, max(0.0, end_s - self.clock.monotonic_s()))
            if not select.select([child.pidfd], [], [], left_s)[0]:
                log.warning("killed", child=child.name, pid=child.pid)
                self._signal(child, signal.SIGKILL)
                select.select([child.pidfd], [], [], 1.0)
            self._forget(child)
            child.state = "stopped"

    # -- verbs

    def verb_children(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """State of every actor that is meant to run."""
        now_s = self.clock.monotonic_s()
        return {"children": [{"name": child.name, "state": child.state, "pid": child.pid, "restarts": child.restarts,
                              "wanted": child.wanted, "beat": child.beat,
                              "beat_age_s": now_s - child.beat_s if child.beat else None}
                             for child in self.children.values()]}

    def _named(self, arguments: dict[str, Any]) -> Child:
        child = self.children.get(str(arguments.get("actor", "")))
        if child is None:
            raise UsageError(f"no actor {arguments.get('actor')!r} here; there are {', '.join(self.children)}")
        return child

    def verb_restart(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Drain an actor and start it again; a stopped one is started."""
        child = self._named(arguments)
        before = child.pid
        self._end(child, "restart")
        return {"actor": child.name, "pid_before": before}

    def verb_stop(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Drain an actor and leave it stopped until `restart`."""
        child = self._named(arguments)
        self._end(child, "stopped")
        return {"actor": child.name, "pid_before": child.pid}

    def verb_handover(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """End, and leave the actors to the supervisor that asks; refused while the one who started us lives."""
        if os.getppid() == self._parent:
            raise UsageError("this supervisor is itself looked after")
        self._hands_over = True
        self._loop.stop()
        return {"pid": os.getpid()}

    def on_reload(self) -> None:
        """The list of actors is fixed while the supervisor runs."""
        if set(check_names(list(self.settings.actors) or list(WORKERS))) != set(self.children):
            raise ConfigError("CATALYST_ACTORS changes with the next start only")
