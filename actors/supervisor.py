"""supervisor: starts the other actors, sees them die, hang or swell, starts them again, ends them in order.

Its own death stops nothing: a new one finds the living by their locks and adopts them. A death is known by pidfd and
start time only, a hang by what the process itself said. It stores every end and every trouble; it decides nothing
about messages. Nothing that it does waits for its database: on a full disk it goes on, and its rows follow.

sends     OpsNotice  to alerter (an actor hangs, swells, or does not stay up; a database was damaged); posted by itself
                     while the alerter is the one that does not stay up
stores    restarts   one row an end of a process, kept 30 days
stores    stacks     one row an incident, as long as it is kept: what the process was doing
"""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
from collections.abc import Iterator
from typing import Any

from catalyst import log
from catalyst.books import incidents
from catalyst.books.incidents import Incidents, Notes
from catalyst.books.slices import PRUNE_S
from catalyst.clock import Clock
from catalyst.core.delivery import Deliver, Sent
from catalyst.core.notices import aside_notice, jump_notice, links_notice, parked_notice, trouble_notice
from catalyst.core.restarts import CALM_S, RestartState, after_death
from catalyst.core.watch import Limits, Trouble, excused_s, trouble
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import OpsNotice
from catalyst.runtime import aside
from catalyst.runtime.beats import Beats
from catalyst.runtime.children import Child, Stacks, stacks_of
from catalyst.runtime.contract import Actor, Every, Job, JobKind, Loop, Output
from catalyst.runtime.launch import Launcher
from catalyst.runtime.operator import POST, Operator
from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import WORKERS, check_names
from catalyst.settings import Settings

READY_LIMIT_S = 5.0  # how long the next actor in order waits for this one's first beat
STOP_S = 6.0  # for all actors together; the whole stop stays under 8 s
STARTS_S = 1.0  # for starts that are under way when the end comes
STOP_ONE_S = 4.0  # of a single actor: its running jobs may take 3 s
STACKS_S = 0.8  # after which a process in trouble is ended, with its stacks or without
LOOK_S = 0.5  # between two looks at the signs of the living; sooner where a beat is missing or tells of trouble
TOLD_JUMP_MS = 60_000  # shorter jumps of the clock are stored, not told of
LINKS_S = 5.0  # after the first link that was out of step its neighbours' are told of in the same notice
MB = 1_000_000
WATCHED = ("starting", "running")  # the others are ended, or about to be


class Supervisor(Actor):
    """Keeps the wanted actors alive. Its loop watches their pidfds and their beats."""

    name = "supervisor"
    inbox = ()
    outbox = (OpsNotice,)
    tables = (incidents.SCHEMA, incidents.STACKS)
    jobs = (JobKind("stacks", Stacks, limit_s=5.0, workers=16, background=True), POST)
    every = (Every("supervise", 0.1, at_start=True), Every("prune", PRUNE_S))
    outlasts_storage = True

    def __init__(self, settings: Settings, clock: Clock):
        super().__init__(settings, clock)
        self._notes = Notes()
        self._operator = Operator(settings, clock)
        self.children: dict[str, Child] = {}

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Tell of a damaged database of its own."""
        if self.set_aside:
            yield from self._tell_aside(self.name, self.set_aside, db)

    def attach(self, loop: Loop) -> None:
        """Find the living, watch starts and beats."""
        names = check_names(list(self.settings.actors) or list(WORKERS))
        self._loop = loop
        self._parent = os.getppid()
        self._hands_over = False
        self._chance = random.Random()  # noqa: S311 - spreads restarts, guards nothing
        self._launcher = Launcher(self.clock)
        self._looked_s = self._supervised_s = self.clock.monotonic_s()
        self.children = {name: Child(name) for name in names}
        self._beats = Beats(self.settings.run_folder, names)
        self._out_of_step: dict[str, int] = {}  # actor -> settled mismatches that are to be told of
        self._tell_links_s = 0.0
        loop.watch(self._beats.socket, "beats")
        loop.watch(self._launcher.wake_fd, "starts")
        for child in self.children.values():
            self._adopt(child)

    def _adopt(self, child: Child) -> bool:
        """Take over the process that holds the actor's lock, if one does."""
        owner = living_owner(self.settings.database_folder, child.name)
        if owner is None or not self._watch(child, owner.pid, owner.start_time):
            return False
        child.state, child.ready, child.ready_s = "running", True, self.clock.monotonic_s()
        log.info("adopted", child=child.name, pid=owner.pid)
        return True

    def _watch(self, child: Child, pid: int, started: int) -> bool:
        if not child.take(pid, started, self.clock.monotonic_s()):
            return False
        self._loop.watch(child.pidfd, "deaths")
        return True

    # -- timers and watched descriptors

    def supervise(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Look at the living; start what is due, in order; end what is in trouble or does not end."""
        now_s = self.clock.monotonic_s()
        self._launcher.replace_stuck_server()
        self._beats.redial()
        self._look(now_s)
        if self._out_of_step and now_s >= self._tell_links_s:
            yield from self._tell_links()
        for child in self.children.values():
            child.enforce(now_s)
        for child in self.children.values():
            if child.wanted and child.state in ("stopped", "backoff", "parked") and now_s >= child.start_at_s:
                self._start(child)
            if (child.state == "starting" and not child.restarts and now_s - child.began_s < READY_LIMIT_S
                    and not child.beat.get("storage")):
                break  # the next in order waits, but not for one that was there, or that waits for room on the disk
        yield from self._notes.take(db)

    def after_turn(self, *, stored: bool) -> None:
        """What the disk did not take is written with the next turn."""
        self._notes.after_turn(stored=stored)

    def _look(self, now_s: float) -> None:
        """Find the living that are in trouble; where this process itself did not run, their silence does not count."""
        if (slept_s := excused_s(now_s - self._supervised_s)) > 0:
            for child in self.children.values():
                child.beat_s = min(now_s, child.beat_s + slept_s)
        self._supervised_s = now_s
        watched = [child for child in self.children.values() if child.state in WATCHED and child.pid is not None]
        if now_s - self._looked_s < LOOK_S and not any(child.is_suspicious(now_s) for child in watched):
            return
        self._looked_s = now_s
        limits = Limits(round(self.settings.memory_soft_mb * MB), round(self.settings.memory_hard_mb * MB))
        for child in watched:
            found = trouble(child.signs(now_s), limits)
            if found is not None:
                child.state, child.trouble, child.end_at_s = "hung", found, now_s + STACKS_S
                child.blame = found.blame
                log.error("trouble", child=child.name, pid=child.pid, kind=found.kind, detail=found.detail)
                self._note_trouble(child, found)
            elif child.told and child.ready and now_s - child.ready_s >= CALM_S:
                child.told, child.history = False, RestartState()
                log.info("calm", child=child.name)

    def _note_trouble(self, child: Child, found: Trouble) -> None:
        wanted = Stacks(child.name, child.pid or 0, found.kind, found.detail, self.now_ms)

        def note(rows: Incidents) -> Iterator[Output]:
            if self.now_ms - rows.now_ms < STACKS_S * 1000:
                yield Job("stacks", wanted)
            else:  # the disk kept this waiting: the process has been ended by now
                yield from self._troubled(rows, wanted, "no stacks: the disk was full")

        self._notes.add(self.now_ms, note)

    def work_stacks(self, wanted: Stacks) -> str:
        """Ask the process, else the kernel."""
        return stacks_of(self.settings.run_folder, wanted.actor, wanted.pid)

    def done_stacks(self, job: Job, text: str, db: sqlite3.Connection) -> Iterator[Output]:
        """Store the incident; the process may be ended now."""
        assert isinstance(job.payload, Stacks)
        wanted = job.payload
        yield from self._troubled(Incidents(db, wanted.found_ms or self.now_ms), wanted, text)
        child = self.children[wanted.actor]
        if child.pid == wanted.pid and child.end_at_s is not None:
            child.end_at_s = self.clock.monotonic_s()

    def _troubled(self, rows: Incidents, wanted: Stacks, text: str) -> Iterator[Output]:
        rows.add(wanted.kind, wanted.actor, wanted.detail, wanted.pid, text)
        yield from self._tell(trouble_notice(wanted.actor, wanted.kind, wanted.detail, rows.now_ms))

    def failed_stacks(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """The incident is stored without stacks."""
        yield from self.done_stacks(job, f"no stacks: {error!r}", db)

    def _start(self, child: Child) -> None:
        if self._adopt(child):
            return
        child.state, child.ready, child.beat = "starting", False, {}
        child.began_s = self.clock.monotonic_s()
        self._launcher.start(child.name, suspect=child.suspect)

    def starts(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Processes that came to life, or did not."""
        for started in self._launcher.finished():
            child = self.children[started.name]
            if started.pid is None or not self._watch(child, started.pid, -1):
                log.warning("start_failed", child=child.name, reason=started.reason or "died at once")
                self._fell(child, started.pid or 0)
            elif not child.wanted:
                self._end(child, "stopped")
            else:
                log.info("child_started", child=child.name, pid=started.pid)
        yield from self._notes.take(db)

    def deaths(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Children whose pidfd says that they ended."""
        for child in self.children.values():
            if child.is_ended():
                pid = child.pid or 0
                self._forget(child)
                self._fell(child, pid)
        yield from self._notes.take(db)

    def _forget(self, child: Child) -> None:
        self._loop.unwatch(child.pidfd)
        child.forget()

    def _fell(self, child: Child, pid: int) -> None:
        """Note a death and decide when the actor starts again."""
        now_s = self.clock.monotonic_s()
        child.suspect = child.blame or ("any" if self._launcher.ended_by_itself(pid) else "")
        lived_s, expected = now_s - child.began_s, child.state == "draining"
        delay_s = 0.0
        if not expected:
            child.history, delay_s = after_death(child.history, now_s - child.ready_s if child.ready else 0.0, now_s,
                                                 self._chance.random())
        is_parked = child.wanted and child.history.is_parked and not expected
        child.state = "parked" if is_parked else "backoff" if child.wanted else "stopped"
        child.start_at_s, child.ready = now_s + delay_s, False
        child.restarts += child.wanted
        self._notes.add(self.now_ms, lambda rows: rows.add_end(child.name, pid, lived_s, delay_s, expected=expected))
        log.warning("child_ended", child=child.name, pid=pid, lived_s=round(lived_s, 3), delay_s=round(delay_s, 3),
                    expected=expected, state=child.state)
        if child.wanted and delay_s == 0.0:
            self._start(child)
        if is_parked and not child.told:
            child.told = True
            text = f"{child.history.quick} quick ends in a row; tried again every {delay_s:.0f} s"
            self._notes.add(self.now_ms, lambda rows: self._parked(rows, child.name, text, pid))

    def _parked(self, rows: Incidents, name: str, text: str, pid: int) -> Iterator[Output]:
        rows.add("parked", name, text, pid)
        yield from self._tell(parked_notice(name, text, rows.now_ms))

    def _tell(self, notice: OpsNotice) -> Iterator[Output]:
        alerter = self.children.get(notice.RECEIVER)
        return self._operator.tell(notice, alerter.state if alerter is not None else "running")

    def work_post(self, payload: Deliver) -> Sent:
        """Post a notice to one sink."""
        return self._operator.post(payload)

    def done_post(self, job: Job, sent: Sent, db: sqlite3.Connection) -> Iterator[Output]:
        """Again a little later, where it is not out."""
        return self._operator.after(job, sent, self.now_ms)

    def failed_post(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """A defect of our own: the notice is given up, its incident is stored."""
        log.error("untold", exc_info=error, tries=job.tries)
        return iter(())

    def beats(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Heartbeats: the first one says that an actor is ready."""
        for beat in self._beats.read():
            child = self.children.get(beat["actor"])
            if child is None or beat.get("pid") != child.pid:
                continue
            child.beat, child.beat_s = beat, self.clock.monotonic_s()
            if child.state == "starting" and beat["state"] == "running":
                child.state, child.ready, child.ready_s = "running", True, child.beat_s
            mismatches, folder = int(beat.get("mismatches") or 0), str(beat.get("set_aside") or "")
            if mismatches > child.mismatches:
                if not self._out_of_step:
                    self._tell_links_s = child.beat_s + LINKS_S
                child.mismatches = self._out_of_step[child.name] = mismatches
            if folder and folder != child.set_aside:
                child.set_aside = folder
                yield from self._tell_aside(child.name, folder, db)

    def _tell_aside(self, actor: str, folder: str, db: sqlite3.Connection) -> Iterator[Output]:
        """Store and tell that a damaged database was set aside, once for each; the actor says it for a day."""
        book = Incidents(db, self.now_ms)
        if book.has("set_aside", actor, f"{folder}:"):
            return
        why = aside.why(self.settings.database_folder, folder)
        log.error("set_aside", child=actor, folder=folder, reason=why)
        book.add("set_aside", actor, f"{folder}: {why}")
        kept = str(self.settings.database_folder / aside.FOLDER / folder)
        yield from self._tell(aside_notice(actor, folder, kept, why, self.settings.link_retention_s, self.now_ms))

    def _tell_links(self) -> Iterator[Output]:
        counts, self._out_of_step = self._out_of_step, {}
        episode = " ".join(f"{name}:{self.children[name].pid}:{count}" for name, count in sorted(counts.items()))
        yield from self._tell(links_notice(counts, episode, self.now_ms))

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Tell the operator, for all: each actor sees the jump by itself."""
        if abs(by_ms) >= TOLD_JUMP_MS:
            yield from self._tell(jump_notice(by_ms, self.now_ms))

    def prune(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Forget old ends and stacks."""
        Incidents(db, self.now_ms).prune(self.time.before_ms(incidents.KEPT_MS))
        return iter(())

    # -- ending actors

    def _end(self, child: Child, word: str) -> None:
        child.wanted = word != "stopped"
        if child.pid is None:
            child.state = "stopped"
            child.start_at_s = 0.0
            return
        child.state, child.end_at_s = "draining", None
        child.signal(signal.SIGTERM)
        child.kill_at_s = self.clock.monotonic_s() + STOP_ONE_S

    def before_drain(self) -> None:
        """End all actors, the fetcher first and the alerter last, adopted ones too; none after a handover."""
        if self._hands_over:
            return
        end_s = self.clock.monotonic_s() + STOP_S
        self._await_starts(self.clock.monotonic_s() + STARTS_S)
        for child in reversed(self.children.values()):
            child.wanted = False
            if child.pid is None and not self._adopt(child):
                continue
            child.signal(signal.SIGTERM)
            left_s = min(STOP_ONE_S, max(0.0, end_s - self.clock.monotonic_s()))
            if not select.select([child.pidfd], [], [], left_s)[0]:
                log.warning("killed", child=child.name, pid=child.pid)
                child.signal(signal.SIGKILL)
                select.select([child.pidfd], [], [], 1.0)
            self._forget(child)
            child.state = "stopped"

    def _await_starts(self, end_s: float) -> None:
        """Starts under way come to life first, so that they can be ended like the others."""
        while self._launcher.starting and (left_s := end_s - self.clock.monotonic_s()) > 0:
            select.select([self._launcher.wake_fd], [], [], left_s)
            for started in self._launcher.finished():
                if started.pid is not None:
                    self._watch(self.children[started.name], started.pid, -1)

    # -- verbs

    def verb_children(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """State of every actor that is meant to run."""
        return {"children": [child.row(self.clock.monotonic_s()) for child in self.children.values()]}

    def verb_incidents(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Troubles with their stacks, oldest first: `{"incidents": [...]}`; `since_ms` and `limit` bound them."""
        rows = Incidents(db, self.now_ms)
        return {"incidents": rows.listed(int(arguments.get("since_ms", 0)), int(arguments.get("limit", 50)))}

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
