"""The process of one actor: open, loop, drain.

One turn of the loop: wait for sockets, results, commands or timers; do everything that came in one transaction; after
the commit send answers, messages and jobs. Nothing leaves the process before its commit.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import zmq

from catalyst import log
from catalyst.clock import Clock, SystemClock
from catalyst.errors import CatalystError, StoreError
from catalyst.runtime import wire
from catalyst.runtime.bus import Arrivals, Bus
from catalyst.runtime.contract import Actor
from catalyst.runtime.copies import Copier
from catalyst.runtime.engine import Engine, Received
from catalyst.runtime.faults import Faults
from catalyst.runtime.heartbeat import Command, Heartbeat
from catalyst.runtime.jobs import FAR_MS, Finished
from catalyst.runtime.links import Links
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.places import Places
from catalyst.runtime.progress import Progress
from catalyst.runtime.retention import KEPT_MS, forget
from catalyst.runtime.sockets import make_run_folder
from catalyst.runtime.store import Store
from catalyst.runtime.verbs import Verbs
from catalyst.settings import Settings

DRAIN_JOBS_S = 3.0  # running jobs may end within this; the whole system stops within 8 s
DRAIN_ACKS_S = 0.3  # a drain never waits longer for the acknowledgement of a peer, who may be stopped
PRUNE_S = 30.0
AGE_S = 1.0
LOOK_S = 0.01  # a busy loop refreshes what the heartbeat shows no more often than this
COMMANDS_PER_TURN = 32  # whoever asks fast must not keep the messages waiting
STORE_PAUSE_S = 0.5  # after a refused transaction, for example on a full disk


@dataclass(frozen=True, slots=True)
class Birth:
    """When a start was asked for (monotonic, which is the same in all processes) and the modules that were there.

    `suspect`: what the actor had in hand may be what ended its last process.
    """

    asked_s: float
    modules: frozenset[str]
    suspect: bool = False


class Process:
    """Runs one actor until SIGTERM or `drain`. `senders` are the actors whose frames it takes."""

    def __init__(self, cls: type[Actor], settings: Settings, senders: Iterable[str], *,
                 store: Store | None = None, clock: Clock | None = None, suspect: bool = False):
        self.clock = clock or SystemClock()
        self.settings = settings
        self.progress = Progress(self.clock)
        self.store = store or Store(cls, settings)
        make_run_folder(settings.run_folder)
        senders = tuple(senders)
        places = Places.of(settings, senders)
        places.check()
        self.actor = cls(settings, self.clock)
        self.links = Links(self.store.db, self.store.epoch, (kind.RECEIVER for kind in cls.outbox), self.clock)
        self.faults = Faults(settings.faults, cls.name, settings.home)
        self.engine = Engine(self.actor, self.store.db, self.links, self.progress, self.faults.reach)
        self.verbs = Verbs(self)
        self.stopping = False
        self.copier = Copier(self.store.db, self.progress, self.turn, lambda: self.stopping)
        now_s = self.clock.monotonic_s()
        self._timers = {timer.name: now_s + (0 if timer.at_start else timer.period_s) for timer in cls.every}
        self._periods = {timer.name: timer.period_s for timer in cls.every}
        self._next_prune_s = now_s + PRUNE_S
        self._next_age_s = now_s
        self._next_look_s = now_s
        self._looked = False
        self._paused_until_s = 0.0
        self._commands: list[Command] = []
        self._late: list[Finished] = []
        self._wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_fd, False)
        self.engine.reach("start", "")
        with self.store.transaction() as db:
            self.engine.start(db, suspect=suspect and not self.store.was_clean)
            self.links.flush(db)
        self.bus = Bus(cls.name, places, self.links, senders, self.clock)
        self.heartbeat = Heartbeat(cls.name, places, self.bus, self.progress, self.clock)
        self._watched: dict[Any, str] = {}
        for fd in (self._wake_fd, self.engine.jobs.wake_fd, self.heartbeat.command_fd):
            self.bus.poller.register(fd, zmq.POLLIN)
        self.actor.attach(self)

    def watch(self, source: Any, method: str) -> None:
        """Run the actor's `method(db)` whenever `source` is readable (contract.Loop)."""
        self._watched[source] = method
        self.bus.poller.register(source, zmq.POLLIN)

    def unwatch(self, source: Any) -> None:
        """Watch `source` no longer (contract.Loop)."""
        if self._watched.pop(source, None) is not None:
            self.bus.poller.unregister(source)

    # -- start, loop, stop

    def run(self, birth: Birth | None = None) -> None:
        """Loop until told to stop, then drain. Raises what the loop could not deal with."""
        signal.signal(signal.SIGTERM, self._on_signal)
        self._look()
        self.heartbeat.start()
        self.progress.state = "running"
        cost = {"start_ms": round((self.clock.monotonic_s() - birth.asked_s) * 1000),
                "late_imports": " ".join(sorted(set(sys.modules) - birth.modules))} if birth else {}
        if self.store.replaced is not None:
            log.warning("restored", before=str(self.store.replaced))
        log.info("started", pid=os.getpid(), clean=self.store.was_clean, epoch=self.store.epoch.hex(), **cost)
        while not self.stopping:
            self.turn()
        self._drain()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask the loop to drain and end; safe from a signal handler."""
        self.stopping = True
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # full of wake-ups already

    def turn(self) -> None:
        """One turn of the loop."""
        ready = dict(self.bus.poller.poll(self._timeout_ms()))
        self.progress.loops += 1
        if self._wake_fd in ready:
            os.read(self._wake_fd, 4096)
        arrivals = self.bus.receive(ready)
        finished = self._finished(ready)
        if self.clock.monotonic_s() >= self._paused_until_s:
            called = dict.fromkeys(self._watched[source] for source in ready if source in self._watched)
            self._work(arrivals, finished, called)
        else:
            self._late += finished
        if self.heartbeat.command_fd in ready:
            self._read_commands()
        self._looked = not ready or self.clock.monotonic_s() >= self._next_look_s
        if self._looked:
            self._look()
        if self.copier.is_due and not self.stopping:
            self.copier.run()  # turns go on inside, between its steps; this one is over

    def _finished(self, ready: dict[Any, int]) -> list[Finished]:
        late, self._late = self._late, []
        return late + (self.engine.jobs.finished() if self.engine.jobs.wake_fd in ready else [])

    def _timeout_ms(self) -> int:
        if self.copier.is_running:
            return 0
        now_s = self.clock.monotonic_s()
        due_s = min(self._next_prune_s, now_s + 1.0 if self._looked else self._next_look_s, *self._timers.values())
        for link in self.links.out.values():
            if link.connected and link.hello_at_s < due_s:
                due_s = link.hello_at_s
        if not self.stopping and self.engine.jobs.may_pick(self.clock.now_ms()):
            due_s = now_s  # the end of a job has made room for one that waits
        wall_ms = min(self.engine.deferred_due_ms, self.engine.jobs.next_ms)
        if wall_ms < FAR_MS:
            due_s = min(due_s, now_s + (wall_ms - self.clock.now_ms()) / 1000)
        wait_s = max(0.0, due_s - now_s)
        if now_s < self._paused_until_s:
            wait_s = max(wait_s, self._paused_until_s - now_s)
        return min(1000, int(wait_s * 1000 + 0.999))

    def _work(self, arrivals: Arrivals, finished: list[Finished], called: Iterable[str] = ()) -> None:
        """Everything of this turn in one transaction, then what may leave."""
        now_s = self.clock.monotonic_s()
        now_ms, jumped_ms = self.actor.time.look()
        timers = [name for name, due_s in self._timers.items() if now_s >= due_s]
        timers += [name for name in called if name not in timers]
        prune = now_s >= self._next_prune_s
        retry = self.engine.deferred_due_ms <= now_ms and not jumped_ms
        jobs = self.engine.jobs
        if not (arrivals or finished or timers or prune or retry or self._commands or self.links.needs_flush
                or jumped_ms or jobs.may_pick(now_ms)):
            self._send()
            return
        self.actor.now_ms = now_ms
        answers: list[tuple[str, bytes]] = []
        replies: list[tuple[Command, dict[str, Any]]] = []
        over: list[Finished] = []
        put_back: list[Finished] = []
        try:
            if retry and self.engine.careful:
                with self.store.transaction() as db:
                    self.engine.accuse(db)
                    self.links.flush(db)
            with self.store.transaction() as db:
                if jumped_ms:
                    self.engine.clock_jumped(db, jumped_ms)
                self._take(db, arrivals, answers, now_ms)
                for result in finished:
                    (over if self.engine.finish(db, result) else put_back).append(result)
                for name in timers:
                    self.engine.tick(db, name)
                    if name in self._periods:
                        self._timers[name] = self.clock.monotonic_s() + self._periods[name]
                if retry:
                    self.engine.retry_deferred(db)
                if prune:
                    self._prune(db)
                    self._next_prune_s = now_s + PRUNE_S
                replies = [(command, self.verbs.in_transaction(command, db)) for command in self._commands]
                picked = [] if self.stopping else jobs.pick(db, now_ms)
                self.links.flush(db)
                self.engine.reach("commit", "")
        except StoreError as error:
            self._refused(error, finished)
            return
        self.engine.reach("committed", "")
        self._commands.clear()
        for result in over:
            jobs.over(result.job)
        for result in put_back:
            jobs.put_back(result)
        jobs.start(picked)
        for sender, frame in answers:
            self.engine.reach("ack", "")
            self.bus.answer(sender, frame)
            self.engine.reach("acked", "")
        self._send()
        for command, reply in replies:
            self._reply(command, reply)

    def _prune(self, db: Any) -> None:
        """Forget what is old in the runtime's tables. The two ends of a link must first have met after a restore: until
        then the messages and ids of before settle what one of them lacks."""
        time, kept_ms = self.actor.time, round(self.settings.link_retention_s * 1000)
        if time.passed_ms(self.store.reborn_ms or 0) > 2 * kept_ms:
            self.links.prune(db, kept_ms, time)
        self.engine.dead -= forget(db, time.before_ms(KEPT_MS))
        time.follow(db)

    def _take(self, db: Any, arrivals: Arrivals, answers: list[tuple[str, bytes]], now_ms: int) -> None:
        """Frames of this turn: answers change the links, messages go to the engine, acknowledgements are prepared."""
        for link, answer in arrivals.answers:
            link = self.links.out[link.receiver]
            if isinstance(answer, wire.Welcome):
                self.links.on_welcome(db, link, answer, now_ms)
            elif isinstance(answer, wire.Ack):
                self.links.on_ack(db, link, answer, now_ms)
            else:
                self.links.on_again(link, answer)
        talked: dict[str, None] = {}
        for sender, frame in arrivals.frames:
            if isinstance(frame, wire.Hello):
                answers.append((sender, self.links.on_hello(db, sender, frame, now_ms)))
                continue
            talked[sender] = None
            is_next, again = self.links.take(sender, frame)
            if again is not None:
                answers.append((sender, again))
            if is_next:
                self.engine.reach("receive", frame.item_id)
                self.engine.receive(db, Received(frame.id, frame.item_id, sender, frame.type, frame.version,
                                                 frame.body, frame.queued_ms, now_ms))
        for sender in talked:
            if (ack := self.links.ack(sender)) is not None:
                answers.append((sender, ack))

    def _refused(self, error: StoreError, finished: list[Finished]) -> None:
        """The disk said no: nothing of this turn happened. Read the truth again and pause."""
        log.error("store_refused", reason=str(error))
        self.progress.failed += 1
        self.links.reload(self.store.db)
        self.engine.reload(self.store.db)
        self._late += finished
        self._paused_until_s = self.clock.monotonic_s() + STORE_PAUSE_S

    def _send(self) -> None:
        """Greet where it is due and fill the windows."""
        for link in self.links.out.values():
            if self.links.hello_due(link):
                self.bus.greet(link, self.links.hello(link))
            for seq, frame in self.links.to_send(self.store.db, link):
                self.engine.reach("send", "")
                if not self.bus.send(link, frame):
                    self.links.refused(link)
                    break
                self.engine.reach("sent", "")
                self.links.sent(link, seq, self.actor.now_ms)

    def _read_commands(self) -> None:
        """Answer what needs no transaction; the rest is done in the next turn's."""
        for command in self.heartbeat.take(COMMANDS_PER_TURN):
            reply = self.verbs.outside(command)
            if reply is None:
                self._commands.append(command)
            else:
                self._reply(command, reply)
        if self._commands:
            self._work(Arrivals(), [])

    def _reply(self, command: Command, reply: dict[str, Any]) -> None:
        """Answer a command; who has the answer may ask for the status next, so that is refreshed before."""
        self._look()
        self.heartbeat.answer(command, reply)

    def _look(self) -> None:
        """Refresh what the heartbeat shows."""
        now_s = self.clock.monotonic_s()
        self._next_look_s = now_s + LOOK_S
        waiting = sum(link.unacked for link in self.links.out.values())
        before = self.progress.snapshot
        oldest_s = before.get("oldest_unsent_s", 0.0) if waiting else 0.0
        if waiting and now_s >= self._next_age_s:
            self._next_age_s = now_s + AGE_S
            queued_ms = self.links.backlog(self.store.db)[1]
            oldest_s = self.actor.time.passed_ms(queued_ms) / 1000 if queued_ms is not None else 0.0
        job = self.engine.jobs.oldest_running()
        self.progress.snapshot = {
            "inbox": self.engine.deferred + self.engine.jobs.waiting(), "outbox": waiting,
            "waiting": self.actor.waiting(), "oldest_unsent_s": oldest_s, "dead": self.engine.dead,
            "job": job[0] if job else "", "job_age_s": now_s - job[1] if job else 0.0,
            "job_limit_s": job[2] if job else 0.0, "mismatches": self.links.mismatches,
            "clock_jumps": self.actor.time.count, "rejected": self.heartbeat.rejected(),
            "statistics": dict(self.actor.statistics())}

    # -- drain

    def _drain(self) -> None:
        """Stop taking, let running jobs end, hand over what is queued, close. Nothing here waits for a thread."""
        self.progress.state = "draining"
        log.info("draining", jobs=len(self.engine.jobs.running))
        self.actor.before_drain()
        self.bus.stop_taking()
        self._timers.clear()
        end_s = self.clock.monotonic_s() + DRAIN_JOBS_S
        while self.engine.jobs.waits_for_running() and self.clock.monotonic_s() < end_s:
            self.turn()
        end_s = self.clock.monotonic_s() + DRAIN_ACKS_S
        while any(link.live and link.unacked for link in self.links.out.values()) and self.clock.monotonic_s() < end_s:
            self.turn()
        self.heartbeat.stop()
        self.bus.close()
        self.store.close()
        log.info("stopped")


def run_actor(cls: type[Actor], settings: Settings, senders: Iterable[str], *, foreground: bool = False,
              ownership: Ownership | None = None, birth: Birth | None = None) -> int:
    """Run an actor in this process to its end; the exit code. Used by `catalyst actor` and by the supervisor."""
    os.nice(cls.niceness)  # its threads inherit it
    try:
        store = Store(cls, settings, ownership=ownership)  # before the log: a refusal must change nothing
        log.configure(cls.name, settings.log_folder, settings.log_level, foreground=foreground)
        process = Process(cls, settings, senders, store=store, suspect=birth is not None and birth.suspect)
    except CatalystError as error:
        if not foreground:  # in the foreground the command says it, in one line
            log.configure(cls.name, settings.log_folder, settings.log_level)
            log.error("not_started", reason=str(error))
        raise
    try:
        process.run(birth)
    except Exception as error:  # the process's top: say why before the end, which the supervisor sees by itself
        log.error("crashed", exc_info=error)
        return 1
    return 0
