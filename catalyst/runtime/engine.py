"""The engine: runs an actor's handlers inside the loop's transaction and writes down what they yield.

It decides what becomes of a message: handled, deferred (`Retry`), tried again, dead letter. It knows no socket; links
are only asked to queue rows. The loop (`process.py`) and the test bench drive it the same way.
"""

from __future__ import annotations

import hashlib
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgpack
import msgspec

from catalyst import log
from catalyst.core.watch import Blame
from catalyst.errors import ContractError, MessageError, Retry
from catalyst.messages import ItemDropped, Message
from catalyst.packing import pack, unpack
from catalyst.runtime.contract import Actor, Cancel, Hold, Job, Output, snake
from catalyst.runtime.faults import Reach, nothing
from catalyst.runtime.jobs import FAR_MS, Finished, Jobs
from catalyst.runtime.links import Links
from catalyst.runtime.progress import Progress
from catalyst.runtime.store import storage_failed

HANDLER_LIMIT_S = 2.5
MAX_TRIES = 3
BACKOFF_MS = (50, 500)  # after the first and the second failure
DEFERRED_PER_TURN = 64
# After an end that was the process's own doing so many messages are handled one by one, each start counted before: the
# windows of four links, since what ended the process was among the messages that were then in flight.
CAREFUL = 1_024
MOST_STARTS = 2  # counted ones; the first, which nobody counted, makes three tries
MOST_DEATHS = 3  # processes that may end under a job


class Received(msgspec.Struct, frozen=True):
    """A message as it came off a link, or out of `deferred`; `tries` counts its failures so far."""

    id: bytes
    item_id: str
    sender: str
    type: str
    version: int
    body: bytes
    queued_ms: int
    received_ms: int
    tries: int = 0


class Engine:
    """Handlers of one actor over its database. All methods but `reload` expect an open transaction."""

    def __init__(self, actor: Actor, db: sqlite3.Connection, links: Links, progress: Progress,
                 reach: Reach = nothing):
        self.actor = actor
        self.links = links
        self.reach = actor.reach = reach
        self.careful = 0
        self.accused: int | None = None  # the deferred row whose start was counted, until its turn is stored
        self.jobs = Jobs(actor, db, self._unreadable, reach)
        self.progress = progress
        self._known = {kind.__name__: kind for kind in actor.inbox}
        self._handlers = {name: f"on_{snake(name)}" for name in self._known}
        self._sends = set(actor.outbox)
        self.reload(db)

    def reload(self, db: sqlite3.Connection) -> None:
        """Read the mirrors of the rows again: at start and after a rolled-back transaction."""
        self._deferred: Counter[str] = Counter(dict(db.execute(
            "SELECT order_key, count(*) FROM deferred GROUP BY order_key").fetchall()))
        self.dead = db.execute("SELECT count(*) FROM dead").fetchone()[0]
        self.deferred_due_ms = self._next_deferred(db)
        self.jobs.reload(db)
        self.actor.time.reload(db)

    @property
    def deferred(self) -> int:
        """Messages that wait for their time."""
        return self._deferred.total()

    def start(self, db: sqlite3.Connection, *, suspect: Blame = "") -> None:
        """A jump of the clock since the last process, `on_start`, then the jobs that it left under way.

        `suspect`: what of that which it had in hand may have ended it. A message whose starts were counted is suspect
        for ever.
        """
        self.actor.time.begin(db)
        self.look_at_clock(db)
        counted = db.execute("SELECT 1 FROM deferred WHERE starts > 0").fetchone() is not None
        self.careful = CAREFUL if suspect in ("message", "any") or counted else 0
        self._emit(db, self.actor.on_start(db))
        for job in self.jobs.interrupted(db, suspect=suspect in ("job", "any")):
            if job.deaths >= MOST_DEATHS:
                self._bury_job(db, job, "killed:process", f"{job.deaths} processes ended while it ran")
                continue
            settle = getattr(self.actor, f"interrupted_{job.kind}", None)
            self._emit(db, settle(job, db) if settle else (job,))

    def look_at_clock(self, db: sqlite3.Connection) -> None:
        """Set the actor's time for this turn; deal with a jump, if there was one."""
        self.actor.now_ms, by_ms = self.actor.time.look()
        if by_ms:
            self.clock_jumped(db, by_ms)

    def clock_jumped(self, db: sqlite3.Connection, by_ms: int) -> None:
        """The wall clock was set: every wait lasts as long as it would have lasted. Stored as an incident."""
        now_ms = self.actor.now_ms
        self.actor.time.accept(db, now_ms, by_ms)
        db.execute("UPDATE deferred SET due_ms = due_ms + ?", (by_ms,))
        self.deferred_due_ms = self._next_deferred(db)
        self.jobs.shift(db, by_ms)
        db.execute("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES('clock_jumped', ?, ?, ?)",
                   (self.actor.name, f"by {by_ms / 1000:+.1f} s", now_ms))
        log.warning("clock_jumped", by_s=round(by_ms / 1000, 1))
        self._run(db, "on_clock_jump", lambda: self.actor.on_clock_jump(by_ms, db))

    def mind_loss(self, db: sqlite3.Connection, *, known: bool = False) -> None:
        """Let the actor deal with the loss of committed rows, where a link just told of it or it is `known`; before any
        of them is made again."""
        if self.links.lost_rows or known:
            self.links.lost_rows = False
            self._emit(db, self.actor.after_loss(db))

    def receive(self, db: sqlite3.Connection, message: Received) -> None:
        """Handle a message that is next on its link; one whose id is known is only passed over."""
        seq, chain = self.links.position(message.sender)
        fresh = db.execute(
            "INSERT OR IGNORE INTO inbox(id, item_id, sender, seq, hash, type, queued_ms, received_ms, committed_ms)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (message.id, message.item_id, message.sender, seq, chain, message.type, message.queued_ms,
             message.received_ms, self.actor.now_ms)).rowcount
        if fresh:
            self._handle(db, message, None)
        else:
            self.links.needs_flush = True  # no row tells that the link went on

    def retry_deferred(self, db: sqlite3.Connection) -> None:
        """Hand over again what is due: of each order key only the first; with care only one."""
        for n, *fields in self._due(db, 1 if self.careful else DEFERRED_PER_TURN):
            self._handle(db, Received(*fields), n)
            self.careful = max(0, self.careful - 1)
        self.deferred_due_ms = self._next_deferred(db)

    def accuse(self, db: sqlite3.Connection) -> None:
        """With care: count the start of the message that is next, in a transaction before that of its handler.

        One whose counted starts all ended in the process's death becomes a dead letter instead.
        """
        for n, *fields in self._due(db, 1):
            if n == self.accused:
                return  # this process has not ended in its handler: the disk refused the turn
            self.accused = n
            (starts,) = db.execute("UPDATE deferred SET starts = starts + 1 WHERE n = ? RETURNING starts",
                                   (n,)).fetchone()
            if starts > MOST_STARTS:
                self._leave(db, n)
                self.bury(db, Received(*fields), "killed:process", f"{starts} processes ended in its handler")
                self.deferred_due_ms = self._next_deferred(db)

    def _due(self, db: sqlite3.Connection, most: int) -> list[tuple[Any, ...]]:
        return db.execute(
            "SELECT n, id, item_id, sender, type, version, body, queued_ms, received_ms, tries FROM deferred"
            " WHERE n IN (SELECT min(n) FROM deferred GROUP BY order_key) AND due_ms <= ? ORDER BY n LIMIT ?",
            (self.actor.now_ms, most)).fetchall()

    def _handle(self, db: sqlite3.Connection, received: Received, row: int | None) -> None:
        """Run the handler in a savepoint; `row` is the message's row in `deferred` where it comes from there."""
        try:
            message = unpack(received.type, received.version, received.body, self._known)
        except MessageError as error:
            self._leave(db, row)
            self.bury(db, received, f"invalid:{error.reason}", str(error))
            return
        key = message.order_key()
        if row is None and (self.careful or self._deferred.get(key)):
            self._defer(db, received, key, self.actor.now_ms)
            return
        handler = getattr(self.actor, self._handlers[received.type])
        self.progress.begin(f"{received.type} {received.item_id}", HANDLER_LIMIT_S)
        try:
            self.reach("handle", received.item_id)
            self._in_savepoint(db, lambda: handler(message, db))
        except Retry as wish:
            self._wait(db, received, row, key, self.actor.now_ms + round(wish.after_s * 1000), received.tries)
        except Exception as error:  # boundary: a defect in a handler concerns this message only
            if not_its_fault(error):
                raise  # the whole turn is rolled back
            self._failed(db, received, row, key, error)
        else:
            self.progress.handled += 1
            if row is not None:
                self._leave(db, row)
                db.execute("UPDATE inbox SET committed_ms = ? WHERE id = ?", (self.actor.now_ms, received.id))
        finally:
            self.progress.end()

    def _failed(self, db: sqlite3.Connection, received: Received, row: int | None, key: str, error: Exception) -> None:
        self.progress.failed += 1
        tries = received.tries + 1
        log.error("handler_failed", exc_info=error, msg=received.id.hex(), item=received.item_id, type=received.type,
                  tries=tries)
        if tries >= MAX_TRIES:
            self._leave(db, row)
            self.bury(db, received, f"failed:{type(error).__name__}", _text(error))
        else:
            self._wait(db, received, row, key, self.actor.now_ms + BACKOFF_MS[tries - 1], tries)

    def _wait(self, db: sqlite3.Connection, received: Received, row: int | None, key: str, due_ms: int,
              tries: int) -> None:
        if row is None:
            self._defer(db, received, key, due_ms, tries)
        else:
            db.execute("UPDATE deferred SET due_ms = ?, tries = ?, starts = 0 WHERE n = ?", (due_ms, tries, row))

    def _defer(self, db: sqlite3.Connection, received: Received, key: str, due_ms: int, tries: int = 0) -> None:
        db.execute(
            "INSERT INTO deferred(id, item_id, sender, type, version, body, order_key, due_ms, tries, queued_ms,"
            " received_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (received.id, received.item_id, received.sender, received.type, received.version, received.body, key,
             due_ms, tries, received.queued_ms, received.received_ms))
        self._deferred[key] += 1
        self.deferred_due_ms = self._next_deferred(db)

    def _leave(self, db: sqlite3.Connection, row: int | None) -> None:
        if row is None:
            return
        (key,) = db.execute("DELETE FROM deferred WHERE n = ? RETURNING order_key", (row,)).fetchone()
        self._deferred[key] -= 1
        if not self._deferred[key]:
            del self._deferred[key]

    def _next_deferred(self, db: sqlite3.Connection) -> int:
        if not self._deferred:
            return FAR_MS
        due: int | None = db.execute("SELECT min(due_ms) FROM deferred WHERE n IN"
                                     " (SELECT min(n) FROM deferred GROUP BY order_key)").fetchone()[0]
        return FAR_MS if due is None else due

    def finish(self, db: sqlite3.Connection, finished: Finished) -> bool:
        """Apply a job's result. False: it could not be applied and is to be offered again.

        Raises MemoryError where the work did: the job counts as interrupted, see `not_its_fault`.
        """
        if isinstance(finished.error, MemoryError):
            raise finished.error
        job = replace(finished.job, deaths=0)  # the process has survived it
        word = "done" if finished.error is None else "failed"
        handler = getattr(self.actor, f"{word}_{job.kind}")
        outcome = finished.result if finished.error is None else finished.error
        self.progress.begin(f"{word}_{job.kind} {job.item_id}", HANDLER_LIMIT_S)

        def apply() -> Iterable[Output]:
            self.jobs.remove(db, job)
            return handler(job, outcome, db)

        try:
            self._in_savepoint(db, apply)
        except Exception as error:  # boundary: a defect in a handler concerns this job only
            if not_its_fault(error):
                raise
            self.progress.failed += 1
            log.error("result_failed", exc_info=error, job=job.kind, item=job.item_id, attempt=finished.attempt)
            if finished.attempt < MAX_TRIES:
                return False
            self.jobs.remove(db, job)
            self._bury_job(db, job, f"failed:{type(error).__name__}", _text(error))
        finally:
            self.progress.end()
        return True

    def tick(self, db: sqlite3.Connection, timer: str) -> None:
        """Run a timer's method; a failure is counted and logged, the timer comes again."""
        self._run(db, timer, lambda: getattr(self.actor, timer)(db))

    def _run(self, db: sqlite3.Connection, timer: str, method: Callable[[], Iterable[Output] | None]) -> None:
        self.progress.begin(timer, HANDLER_LIMIT_S)
        try:
            self.reach("tick", timer)
            self._in_savepoint(db, method)
        except Exception as error:  # boundary: a defect in a timer must not stop the actor
            if not_its_fault(error):
                raise
            self.progress.failed += 1
            log.error("timer_failed", exc_info=error, timer=timer)
        finally:
            self.progress.end()

    def _in_savepoint(self, db: sqlite3.Connection, run: Callable[[], Iterable[Output] | None]) -> None:
        db.execute("SAVEPOINT handler")
        mark = self.links.mark()
        try:
            self._emit(db, run() or ())
        except BaseException:
            with suppress(sqlite3.OperationalError):  # SQLite rolls all back by itself after some disk errors
                db.execute("ROLLBACK TO handler")
                db.execute("RELEASE handler")
                self.links.back_to(mark)
                self.jobs.reload(db)
            raise
        db.execute("RELEASE handler")

    def _emit(self, db: sqlite3.Connection, outputs: Iterable[Output]) -> None:
        """Write down what a handler yielded: nothing of it where one output cannot be written down."""
        rows: list[tuple[Message, bytes]] = []
        for output in list(outputs):  # a generator runs to its end, or raises, before anything is written down
            if isinstance(output, Job):
                self.jobs.add(db, output, self.actor.now_ms)
            elif isinstance(output, Hold):
                self.jobs.hold(db, output.lane, output.until_ms)
            elif isinstance(output, Cancel):
                self.jobs.cancel(db, output.kind, output.key)
            elif type(output) in self._sends:
                rows.append((output, pack(output)))
            else:
                raise ContractError(f"{self.actor.name} does not declare that it sends {type(output).__name__}")
        for message, body in rows:
            self.links.queue(db, message, body, self.actor.now_ms)

    def bury(self, db: sqlite3.Connection, received: Received, reason: str, trace: str) -> None:
        """Store a message as a dead letter and tell the tracker that its item ended here."""
        db.execute(
            "INSERT OR REPLACE INTO dead(id, item_id, sender, type, version, body, reason, traceback, dead_ms)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (received.id, received.item_id, received.sender, received.type, received.version, received.body, reason,
             trace, self.actor.now_ms))
        self._buried(db, received.item_id, reason)
        log.error("dead_letter", msg=received.id.hex(), item=received.item_id, type=received.type, reason=reason)

    def _unreadable(self, db: sqlite3.Connection, job: Job, error: Exception) -> None:
        self._bury_job(db, job, f"failed:{type(error).__name__}", _text(error))

    def _bury_job(self, db: sqlite3.Connection, job: Job, reason: str, trace: str) -> None:
        payload = msgpack.packb({"payload": msgspec.to_builtins(job.payload), "lane": job.lane, "key": job.key,
                                 "priority": job.priority}, use_bin_type=True)
        letter = hashlib.blake2b(payload + str(job.id).encode(), digest_size=16).digest()
        db.execute(
            "INSERT OR REPLACE INTO dead(id, item_id, sender, type, version, body, reason, traceback, dead_ms)"
            " VALUES(?, ?, '', ?, 1, ?, ?, ?, ?)",
            (letter, job.item_id, f"job:{job.kind}", payload, reason, trace, self.actor.now_ms))
        self._buried(db, job.item_id, reason)
        log.error("dead_job", job=job.kind, item=job.item_id, reason=reason)

    def _buried(self, db: sqlite3.Connection, item_id: str, reason: str) -> None:
        self.dead += 1
        if ItemDropped in self._sends and item_id:
            self._emit(db, [ItemDropped(item_id=item_id, stage=self.actor.name, reason=reason, fate="dead",
                                        dropped_ms=self.actor.now_ms)])

    def revive(self, db: sqlite3.Connection, letter: bytes) -> bool:
        """Take a dead letter out and try it again, from the first try. False where there is none."""
        row = db.execute("DELETE FROM dead WHERE id = ? RETURNING id, item_id, sender, type, version, body",
                         (letter,)).fetchone()
        if row is None:
            return False
        self.dead -= 1
        if not row[2]:  # a message has a sender, whatever its type says
            kind = row[3].removeprefix("job:")
            fields: dict[str, Any] = msgpack.unpackb(row[5], raw=False)
            payload_type = next((declared.payload for declared in self.actor.jobs if declared.name == kind), None)
            if payload_type is None:
                raise ContractError(f"{self.actor.name} declares no job {kind}")
            self.jobs.add(db, Job(kind, msgspec.convert(fields["payload"], payload_type), fields["lane"],
                                  fields["key"], fields["priority"], row[1]), self.actor.now_ms)
        else:
            self._defer(db, Received(*row, self.actor.now_ms, self.actor.now_ms), row[1], self.actor.now_ms)
        return True


def not_its_fault(error: Exception) -> bool:
    """Whether a handler failed for want of disk or memory, which says nothing about the message or job in hand.

    A process without memory ends, and a fresh one goes on. What takes too much each time is found by its deaths.
    """
    return storage_failed(error) or isinstance(error, MemoryError)


def _text(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-20_000:]
