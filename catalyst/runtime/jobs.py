"""Jobs: slow work as rows, done by daemon threads, its results brought back to the loop.

The row is marked running in a commit before the thread starts, so a crash leaves a trace of what may have happened
outside. Threads get the payload and give a result; they never see the database. Deciding what a result means is the
actor's (`done_`, `failed_`, `interrupted_`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import msgpack
import msgspec

from catalyst import log
from catalyst.errors import CatalystError, ContractError
from catalyst.runtime.contract import Actor, Job, JobKind
from catalyst.runtime.faults import Reach, nothing

FAR_MS = 2**53
SUSPECT_DEATHS = 1  # a job under which a process ended by itself runs alone, so that the next end is its own
COLUMNS = "id, payload, key, priority, item_id, not_before_ms, tries, deaths"
Unreadable = Callable[[sqlite3.Connection, Job, Exception], None]  # what to do with a row that no declaration fits


@dataclass(frozen=True, slots=True)
class Finished:
    """A job's end: `error` is None where `result` counts. `attempt` counts the tries to apply it."""

    job: Job
    result: Any
    error: Exception | None
    attempt: int = 1


class Jobs:
    """The queue of one actor: rows in `jobs` and `lanes`, counts of them in memory, threads."""

    def __init__(self, actor: Actor, db: sqlite3.Connection, unreadable: Unreadable, reach: Reach = nothing):
        self._actor = actor
        self._reach = reach
        self._unreadable = unreadable
        self._kinds: dict[str, JobKind] = {kind.name: kind for kind in actor.jobs}
        self._work: SimpleQueue[Job] = SimpleQueue()
        self._results: SimpleQueue[Finished] = SimpleQueue()
        self.wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self.wake_fd, False)
        os.set_blocking(self._wake_write, False)
        self._threads = 0
        self.running: dict[int, tuple[Job, float]] = {}  # id -> job and monotonic start
        self._worked: set[int] = set()  # of these: the work is done, the result waits to be stored
        self.next_ms = FAR_MS  # when a queued job that waits for its time becomes due
        self.reload(db)

    def reload(self, db: sqlite3.Connection) -> None:
        """Read the counts again from the rows: at start and after a rolled-back transaction."""
        self._queued: Counter[tuple[str, str]] = Counter()
        for kind, lane, count in db.execute(
                "SELECT kind, lane, count(*) FROM jobs WHERE state = 'queued' GROUP BY kind, lane"):
            self._queued[kind, lane] = count
        self._suspects: int = db.execute("SELECT count(*) FROM jobs WHERE state = 'queued' AND deaths >= ?",
                                         (SUSPECT_DEATHS,)).fetchone()[0]
        self._open_ms: dict[str, int] = dict(db.execute("SELECT lane, open_ms FROM lanes").fetchall())
        self._look = True

    def add(self, db: sqlite3.Connection, job: Job, now_ms: int) -> None:
        """Insert the row of a yielded job; one of the same kind and key that still waits is replaced.

        Except by an older job that is yielded again: then the newer one stays and the older is over.
        """
        kind = self._kinds.get(job.kind)
        if kind is None or not isinstance(job.payload, kind.payload):
            raise ContractError(f"{self._actor.name} declares no job {job.kind} of {type(job.payload).__name__}")
        if job.key is not None:
            if job.id and db.execute("SELECT 1 FROM jobs WHERE kind = ? AND key = ? AND state = 'queued' AND id > ?",
                                     (job.kind, job.key, job.id)).fetchone():
                return
            self.cancel(db, job.kind, job.key)
        payload = msgpack.packb(msgspec.to_builtins(job.payload), use_bin_type=True)
        db.execute(
            "INSERT INTO jobs(id, kind, lane, key, priority, item_id, payload, state, not_before_ms, tries, queued_ms,"
            " deaths) VALUES(?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?)",
            (job.id or None, job.kind, job.lane, job.key, job.priority, job.item_id, payload, job.not_before_ms,
             job.tries, now_ms, job.deaths))
        self._suspects += job.deaths >= SUSPECT_DEATHS
        self._queued[job.kind, job.lane] += 1
        self._look = True

    def cancel(self, db: sqlite3.Connection, kind: str, key: str) -> None:
        """Delete the row of a job that waits, if there is one."""
        for lane, deaths in db.execute("DELETE FROM jobs WHERE kind = ? AND key = ? AND state = 'queued'"
                                       " RETURNING lane, deaths", (kind, key)).fetchall():
            self._queued[kind, lane] -= 1
            self._suspects -= deaths >= SUSPECT_DEATHS

    def hold(self, db: sqlite3.Connection, lane: str, until_ms: int) -> None:
        """Let no job of `lane` start before `until_ms`, nor before the end of any hold that was set already."""
        db.execute("INSERT INTO lanes(lane, open_ms) VALUES(?, ?)"
                   " ON CONFLICT(lane) DO UPDATE SET open_ms = max(open_ms, ?2)", (lane, until_ms))
        self._open_ms[lane] = max(until_ms, self._open_ms.get(lane, 0))
        self._look = True

    def shift(self, db: sqlite3.Connection, by_ms: int) -> None:
        """Move what waits for its time, and the holds: the wall clock jumped, the wait stays as long as it was."""
        db.execute("UPDATE jobs SET not_before_ms = iif(not_before_ms > 0, max(1, not_before_ms + ?1), 0),"
                   " queued_ms = queued_ms + ?1 WHERE state = 'queued'", (by_ms,))
        db.execute("UPDATE lanes SET open_ms = open_ms + ?", (by_ms,))
        self.reload(db)

    def may_pick(self, now_ms: int) -> bool:
        """Whether `pick` could find something."""
        return (self._look and any(self._queued.values())) or now_ms >= self.next_ms

    def pick(self, db: sqlite3.Connection, now_ms: int) -> list[Job]:
        """The jobs to start now, marked running; best priority first, then oldest. Sets `next_ms`."""
        if not self._look and now_ms < self.next_ms:
            return []
        self._look = False
        self.next_ms = FAR_MS
        if (alone := self._suspect(db, now_ms)) is not None:
            return alone
        busy = Counter((job.kind, job.lane) for job, _ in self.running.values())
        picked: list[Job] = []
        for (kind, lane), waiting in list(self._queued.items()):
            free = self._free(kind, lane, busy)
            if waiting <= 0 or free <= 0:
                continue
            opens_ms = self._open_ms.get(lane, 0)
            if opens_ms > now_ms:
                self.next_ms = min(self.next_ms, opens_ms)
                continue
            rows = db.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE state = 'queued' AND kind = ? AND lane = ? AND not_before_ms <= ?"  # noqa: S608
                " ORDER BY priority DESC, id LIMIT ?", (kind, lane, now_ms, free)).fetchall()
            jobs = [self._mark_running(db, kind, lane, row, now_ms) for row in rows]
            picked += [job for job in jobs if job is not None]
            busy[kind, lane] += len(rows)
            self._look |= None in jobs  # its place is free
            if len(rows) < min(free, waiting):
                later = db.execute("SELECT min(not_before_ms) FROM jobs WHERE state = 'queued' AND kind = ? AND"
                                   " lane = ?", (kind, lane)).fetchone()[0]
                self.next_ms = min(self.next_ms, later if later is not None else FAR_MS)
        return picked

    def _free(self, kind: str, lane: str, busy: Counter[tuple[str, str]]) -> int:
        declared = self._kinds.get(kind)
        if declared is None:
            return 0
        free = declared.workers - busy[kind, lane]
        if declared.most:
            free = min(free, declared.most - sum(count for (other, _), count in busy.items() if other == kind))
        return free

    def _suspect(self, db: sqlite3.Connection, now_ms: int) -> list[Job] | None:
        """The job to start alone, none while another runs; None where no suspect is due."""
        if any(job.deaths >= SUSPECT_DEATHS for job, _ in self.running.values()):
            return []
        if not self._suspects:
            return None
        rows = db.execute(
            f"SELECT kind, lane, {COLUMNS} FROM jobs WHERE state = 'queued' AND deaths >= ? AND not_before_ms <= ?"  # noqa: S608
            " ORDER BY id", (SUSPECT_DEATHS, now_ms)).fetchall()
        for kind, lane, *row in rows:
            if self._open_ms.get(lane, 0) <= now_ms:
                if self.running:
                    return []
                self._suspects -= 1
                job = self._mark_running(db, kind, lane, tuple(row), now_ms)
                return [job] if job is not None else None
        return None

    def _mark_running(self, db: sqlite3.Connection, kind: str, lane: str, row: tuple[Any, ...],
                      now_ms: int) -> Job | None:
        self._queued[kind, lane] -= 1
        job = self._read(db, kind, lane, row)
        if job is None:
            return None
        db.execute("UPDATE jobs SET state = 'running', started_ms = ?, tries = tries + 1 WHERE id = ?",
                   (now_ms, job.id))
        return replace(job, tries=job.tries + 1)

    def _read(self, db: sqlite3.Connection, kind: str, lane: str, row: tuple[Any, ...]) -> Job | None:
        """The job of a row. None for one that another version wrote and this one cannot read: it is handed over."""
        try:
            return self._job(kind, lane, row)
        except (KeyError, ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
            db.execute("DELETE FROM jobs WHERE id = ?", (row[0],))
            try:
                payload = msgpack.unpackb(row[1], raw=False)
            except (ValueError, msgpack.exceptions.UnpackException):
                payload = row[1]
            self._unreadable(db, Job(kind, payload, lane, *row[2:7], id=row[0], deaths=row[7]), error)
            return None

    def _job(self, kind: str, lane: str, row: tuple[Any, ...]) -> Job:
        number, payload, key, priority, item_id, not_before_ms, tries, deaths = row
        typed = msgspec.convert(msgpack.unpackb(payload, raw=False), self._kinds[kind].payload)
        return Job(kind, typed, lane, key, priority, item_id, not_before_ms, tries, number, deaths)

    def start(self, jobs: list[Job]) -> None:
        """Hand picked jobs to threads, after the commit that marked them."""
        for job in jobs:
            self.running[job.id] = (job, self._actor.clock.monotonic_s())
            self._work.put(job)
            if len(self.running) > self._threads:
                self._threads += 1
                threading.Thread(target=self._serve, name=f"job-{self._threads}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            finished = self.run_one(self._work.get())
            self._results.put(finished)
            self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # the pipe is full of wake-ups already

    def run_one(self, job: Job) -> Finished:
        """Do the work of one job here and now."""
        try:
            self._reach("job", job.item_id)
            result = getattr(self._actor, f"work_{job.kind}")(job.payload)
            self._reach("worked", job.item_id)
            return Finished(job, result, None)
        except CatalystError as error:
            return Finished(job, None, error)
        except Exception as error:  # boundary: a defect in the work is the job's failure, not the thread's end
            log.error("job_raised", exc_info=error, job=job.kind, item=job.item_id)
            return Finished(job, None, error)

    def finished(self) -> list[Finished]:
        """Results that came back since the last call."""
        try:
            while os.read(self.wake_fd, 4096):
                pass
        except BlockingIOError:
            pass
        found = []
        while not self._results.empty():
            found.append(self._results.get())
            self._worked.add(found[-1].job.id)
        return found

    def put_back(self, finished: Finished) -> None:
        """Offer a result again that could not be applied."""
        self._results.put(replace(finished, attempt=finished.attempt + 1))
        self._wake()

    def remove(self, db: sqlite3.Connection, job: Job) -> None:
        """Delete the row of a job whose result is being applied."""
        db.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
        self._look = True

    def over(self, job: Job) -> None:
        """Note, after the commit, that the job no longer runs."""
        self.running.pop(job.id, None)
        self._worked.discard(job.id)
        self._look = True

    def interrupted(self, db: sqlite3.Connection, *, suspect: bool = False) -> list[Job]:
        """Jobs that the last process had under way; their rows are removed, the caller decides what comes of them.

        With `suspect` its end is counted against them: one of them may have been the cause.

        Jobs of a kind that is no longer declared are handed over as unreadable.
        """
        rows = db.execute(
            "DELETE FROM jobs WHERE state = 'running' OR kind NOT IN (SELECT value FROM json_each(?))"
            " RETURNING kind, lane, id, payload, key, priority, item_id, not_before_ms, tries,"
            " deaths + (? AND state = 'running')", (json.dumps(list(self._kinds)), suspect)).fetchall()
        jobs = [self._read(db, row[0], row[1], row[2:]) for row in sorted(rows, key=lambda row: row[2])]
        self.reload(db)
        return [job for job in jobs if job is not None]

    def waiting(self) -> int:
        """Jobs that are queued or running and are not background work."""
        queued = sum(count for (kind, _), count in self._queued.items()
                     if kind in self._kinds and not self._kinds[kind].background)
        return queued + sum(not self._kinds[job.kind].background for job, _ in self.running.values())

    def waits_for_running(self) -> bool:
        """Whether a job is under way that a drain should wait for."""
        return any(not self._kinds[job.kind].background for job, _ in self.running.values())

    def oldest_running(self) -> tuple[str, float, float] | None:
        """Name, monotonic start and limit of the job that is nearest to its limit (seconds).

        One whose result waits for the disk is not late: ended now, a request that went out would be made again.
        """
        rows = [(job.kind, began, self._kinds[job.kind].limit_s) for job, began in list(self.running.values())
                if job.id not in self._worked]
        return min(rows, key=lambda row: row[1] + row[2], default=None)
