"""The process of one actor: open, loop, drain.

One turn of the loop: wait for sockets, results, commands or timers; do everything that came in one transaction; after
the commit send answers, messages and jobs. Nothing leaves the process before its commit.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from types import FrameType
from typing import Any

import zmq

from catalyst import log
from catalyst.clock import Clock, SystemClock
from catalyst.core.watch import Blame
from catalyst.errors import Damaged, StoreError
from catalyst.runtime import wire
from catalyst.runtime.bus import Arrivals, Bus
from catalyst.runtime.contract import Actor
from catalyst.runtime.copies import Copier
from catalyst.runtime.damage import Checkup
from catalyst.runtime.doors import Doors
from catalyst.runtime.engine import Engine, Received
from catalyst.runtime.faults import Faults
from catalyst.runtime.heartbeat import Heartbeat
from catalyst.runtime.jobs import FAR_MS, Finished
from catalyst.runtime.links import Links
from catalyst.runtime.patience import Patience
from catalyst.runtime.places import Places
from catalyst.runtime.progress import Progress
from catalyst.runtime.retention import prune
from catalyst.runtime.storage import Storage
from catalyst.runtime.store import Store
from catalyst.runtime.turn import Birth, Turn
from catalyst.runtime.verbs import Verbs
from catalyst.runtime.vitals import Vitals
from catalyst.settings import Settings

DRAIN_JOBS_S = 3.0  # running jobs may end within this; the whole system stops within 8 s
DRAIN_ACKS_S = 0.3  # a drain never waits longer for the acknowledgement of a peer, who may be stopped
PRUNE_S = 30.0


class Process:
    """Runs one actor until SIGTERM or `drain`. `senders` are the actors whose frames it takes."""

    def __init__(self, cls: type[Actor], settings: Settings, senders: Iterable[str], *,
                 store: Store | None = None, clock: Clock | None = None, suspect: Blame = "",
                 patience: Patience | None = None):
        self.clock = clock or SystemClock()
        self.settings = settings
        self.progress = Progress(self.clock)
        self.store = store or Store(cls, settings, suspect=bool(suspect), clock=self.clock)
        self.storage = Storage(self.store.path, self.clock)
        senders = tuple(senders)
        places = Places.of(settings, senders)
        places.check()
        self.actor = cls(settings, self.clock)
        self.actor.reborn_ms, self.actor.set_aside = self.store.reborn_ms, self.store.set_aside
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
        self.vitals = Vitals(self)
        self.doors = Doors(self)
        self._late: list[Finished] = []
        self._wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_fd, False)
        self.engine.reach("start", "")
        patience = patience or Patience(cls.name, settings.run_folder, self.clock)
        patience.keep_trying(lambda: self._begin("" if self.store.was_clean else suspect), self.read_again)
        patience.end()
        self.bus = Bus(cls.name, places, self.links, senders, self.clock)
        self.heartbeat = Heartbeat(cls.name, places, self.bus, self.progress, self.clock,
                                   self.store.is_homeless)
        self.checkup = Checkup(self.store.db, self.store.beside, self.clock)
        self._watched: dict[Any, str] = {}
        for fd in (self._wake_fd, self.engine.jobs.wake_fd, self.heartbeat.command_fd):
            self.bus.poller.register(fd, zmq.POLLIN)
        self._resting = zmq.Poller()
        for fd in (self._wake_fd, self.heartbeat.command_fd):
            self._resting.register(fd, zmq.POLLIN)
        self.actor.attach(self)

    def _begin(self, suspect: Blame) -> None:
        """The first transaction."""
        with self.store.transaction() as db:
            self.engine.start(db, suspect=suspect)
            if self.store.rows_lost:
                self.links.incident(db, self.actor.name, self.store.rows_lost, self.actor.now_ms)
                self.engine.mind_loss(db, known=True)
            self.links.flush(db)
            self.engine.reach("recover", "")

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
        self.vitals.refresh()
        self.heartbeat.start()
        self.progress.state = "running"
        cost = {"start_ms": round((self.clock.monotonic_s() - birth.asked_s) * 1000),
                "late_imports": " ".join(sorted(set(sys.modules) - birth.modules))} if birth else {}
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
        if (rest_s := self.storage.rest_s()) > 0:
            self._rest(rest_s)
            return
        ready = dict(self.bus.poller.poll(self._timeout_ms()))
        self.progress.loops += 1
        if self._wake_fd in ready:
            os.read(self._wake_fd, 4096)
        arrivals = self.bus.receive(ready)
        finished = self._finished(ready)
        called = dict.fromkeys(self._watched[source] for source in ready if source in self._watched)
        self._work(arrivals, finished, called)
        if self.heartbeat.command_fd in ready:
            self._read_commands()
        if self.checkup.is_due(idle=not ready):
            self.checkup.step()
        self.doors.turned()
        self.vitals.turned(idle=not ready)
        if self.copier.is_due and not self.stopping:
            self.copier.run()  # turns go on inside, between its steps; this one is over

    def _rest(self, rest_s: float) -> None:
        """The disk has just refused: only questions are answered, all else waits where it is, in sockets and queues."""
        ready = dict(self._resting.poll(rest_s * 1000 + 1))
        self.progress.loops += 1
        if self._wake_fd in ready:
            os.read(self._wake_fd, 4096)
        if self.heartbeat.command_fd in ready:
            self._read_commands()
        self.vitals.refresh()

    def _finished(self, ready: dict[Any, int]) -> list[Finished]:
        late, self._late = self._late, []
        return late + (self.engine.jobs.finished() if self.engine.jobs.wake_fd in ready else [])

    def _timeout_ms(self) -> int:
        if self.copier.is_running:
            return 0
        now_s = self.clock.monotonic_s()
        due_s = min(self._next_prune_s, self.checkup.due_s,
                    now_s + 1.0 if self.vitals.is_fresh else self.vitals.next_s, *self._timers.values())
        for link in self.links.out.values():
            if link.connected and link.hello_at_s < due_s:
                due_s = link.hello_at_s
        if not self.stopping and self.engine.jobs.may_pick(self.clock.now_ms()):
            due_s = now_s  # the end of a job has made room for one that waits
        wall_ms = min(self.engine.deferred_due_ms, self.engine.jobs.next_ms)
        if wall_ms < FAR_MS:
            due_s = min(due_s, now_s + (wall_ms - self.clock.now_ms()) / 1000)
        if self.storage.refusal:
            due_s = min(due_s, self.storage.next_try_s)
        return min(1000, int(max(0.0, due_s - now_s) * 1000 + 0.999))

    def _work(self, arrivals: Arrivals, finished: list[Finished], called: Iterable[str] = ()) -> None:
        """Everything of this turn in one transaction, then what may leave."""
        self.actor.storage = self.storage.look()
        if self.storage.refusal:
            self.verbs.answer_alone()
        turn = self._plan(arrivals, finished, called)
        if not (arrivals or finished or turn.timers or turn.prune or turn.retry or turn.jumped_ms or self.verbs.pending
                or self.links.needs_flush or self.storage.is_due() or self.engine.jobs.may_pick(turn.now_ms)):
            self._send()
            return
        changes = self.store.db.total_changes
        try:
            with log.held() if self.storage.refusal else nullcontext():
                self._store(turn)
        except Damaged:
            raise  # the file, not the disk: the next start looks through it
        except StoreError as error:
            self._refused(error, turn)
            return
        if self.storage.refusal and self.store.db.total_changes != changes:
            self.storage.stored()
        self._conclude(turn)

    def _plan(self, arrivals: Arrivals, finished: list[Finished], called: Iterable[str]) -> Turn:
        """What is to be done now."""
        now_s = self.clock.monotonic_s()
        now_ms, jumped_ms = self.actor.time.look()
        timers = [name for name, due_s in self._timers.items() if now_s >= due_s]
        timers += [name for name in called if name not in timers]
        before = (self.progress.handled, self.progress.failed, self.engine.careful, dict(self.actor.counters.values))
        return Turn(now_s, now_ms, jumped_ms, arrivals, finished, timers, now_s >= self._next_prune_s,
                    self.engine.deferred_due_ms <= now_ms and not jumped_ms, before)

    def _store(self, turn: Turn) -> None:
        """The transaction. Raises StoreError where the disk refuses it: then nothing of it happened."""
        self.actor.now_ms = turn.now_ms
        if turn.retry and self.engine.careful:
            with self.store.transaction() as db:
                self.engine.accuse(db)
                self.links.flush(db)
        with self.store.transaction() as db:
            if turn.jumped_ms:
                self.engine.clock_jumped(db, turn.jumped_ms)
            self._take(db, turn.arrivals, turn.answers, turn.now_ms)
            for result in turn.finished:
                (turn.over if self.engine.finish(db, result) else turn.put_back).append(result)
            for name in turn.timers:
                self.engine.tick(db, name)
            if turn.retry:
                self.engine.retry_deferred(db)
            if turn.prune:
                self.engine.dead -= prune(db, self.links, self.actor.time, self.settings, self.store.reborn_ms)
            turn.replies = [(command, self.verbs.in_transaction(command, db)) for command in self.verbs.pending]
            turn.picked = [] if self.stopping else self.engine.jobs.pick(db, turn.now_ms)
            self.links.flush(db)
            if self.storage.refusal:
                self.store.probe()
            if turn.picked:
                self.engine.reach("intend", turn.picked[0].item_id)
            self.engine.reach("commit", "")

    def _conclude(self, turn: Turn) -> None:
        """After the commit: what follows in memory, then what may leave."""
        self.engine.reach("committed", "")
        if turn.picked:
            self.engine.reach("intended", turn.picked[0].item_id)
        self.engine.accused = None
        for name in turn.timers:
            if name in self._timers:
                self._timers[name] = self.clock.monotonic_s() + self._periods[name]
        if turn.prune:
            self._next_prune_s = turn.now_s + PRUNE_S
        self.verbs.pending.clear()
        self.actor.after_turn(stored=True)
        for result in turn.over:
            self.engine.jobs.over(result.job)
        for result in turn.put_back:
            self.engine.jobs.put_back(result)
        self.engine.jobs.start(turn.picked)
        for sender, frame in turn.answers:
            self.engine.reach("ack", "")
            self.bus.answer(sender, frame)
            self.engine.reach("acked", "")
        self._send()
        for command, reply in turn.replies:
            self.verbs.reply(command, reply)

    def _take(self, db: Any, arrivals: Arrivals, answers: list[tuple[str, bytes]], now_ms: int) -> None:
        """Frames of this turn: answers change the links, messages go to the engine, acknowledgements are prepared."""
        for link, answer in arrivals.answers:
            link = self.links.out[link.receiver]
            if isinstance(answer, wire.Welcome):
                self.links.on_welcome(db, link, answer, now_ms)
                self.engine.mind_loss(db)
            elif isinstance(answer, wire.Ack):
                self.links.on_ack(db, link, answer, now_ms)
            else:
                self.links.on_again(link, answer)
        talked: dict[str, None] = {}
        for sender, frame in arrivals.frames:
            if isinstance(frame, wire.Hello):
                answers.append((sender, self.links.on_hello(db, sender, frame, now_ms)))
                self.engine.mind_loss(db)
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

    def _refused(self, error: StoreError, turn: Turn) -> None:
        """The disk said no: nothing of this turn happened, and what was in hand is tried again after a pause.

        Results of jobs are kept; no job was picked, so there are never more of them than workers. Frames are let go:
        their senders send them again. Raises the error where waiting does not help.
        """
        self._late += turn.finished
        self.progress.handled, self.progress.failed, self.engine.careful, counted = turn.before
        self.actor.counters.values = counted
        self.storage.refused(error)
        if self.storage.is_hopeless() and (error.kind == "damaged" or not self.actor.outlasts_storage):
            raise error
        self.read_again()
        self.actor.after_turn(stored=False)
        self.verbs.answer_alone()

    def read_again(self) -> None:
        """Let memory agree with the rows, after a transaction that came to nothing."""
        self.progress.snapshot = {**self.progress.snapshot, "storage": self.storage.state}
        self.storage.outlast(lambda: (self.links.reload(self.store.db), self.engine.reload(self.store.db)),
                             lambda: self.stopping)

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
        """Answer what needs no transaction; the rest gets one at once."""
        self.verbs.read()
        if self.storage.refusal:
            self.verbs.answer_alone()
        elif self.verbs.pending:
            self._work(Arrivals(), [])

    @property
    def late(self) -> int:
        """Results that could not be stored yet."""
        return len(self._late)

    # -- drain

    def _drain(self) -> None:
        """Stop taking, let running jobs end, hand over what is queued, close. Nothing here waits for a thread."""
        self.progress.state = "draining"
        log.info("draining", jobs=len(self.engine.jobs.running))
        self.actor.before_drain()
        self.bus.stop_taking()
        self._timers.clear()
        end_s = self.clock.monotonic_s() + DRAIN_JOBS_S
        while not self.storage.refusal and self.engine.jobs.waits_for_running() and self.clock.monotonic_s() < end_s:
            self.turn()
        end_s = self.clock.monotonic_s() + DRAIN_ACKS_S
        while not self.storage.refusal and any(
                link.live and link.unacked for link in self.links.out.values()) and self.clock.monotonic_s() < end_s:
            self.turn()
        self.heartbeat.stop()
        self.bus.close()
        self.store.close()
        log.info("stopped")
