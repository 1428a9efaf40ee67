"""Means for tests, shipped with the package: a clock that obeys, a bench that runs one actor without sockets.

The bench uses the engine, the jobs and the real SQLite file of the running system; only the loop and the sockets are
left out.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from catalyst.core.watch import Blame
from catalyst.errors import StoreError
from catalyst.messages import Message, message_types
from catalyst.packing import pack, unpack
from catalyst.runtime.contract import Actor, Job
from catalyst.runtime.engine import Engine, Received
from catalyst.runtime.links import Links
from catalyst.runtime.progress import Progress
from catalyst.runtime.store import Store
from catalyst.settings import defaults

START_MS = 1_767_362_400_000  # 2026-01-02 14:00 UTC, a trading day, half an hour before the opening


class FakeClock:
    """A clock that moves when told to: wall and monotonic time together, or the wall clock alone."""

    def __init__(self, now_ms: int = START_MS):
        self._now_ms = float(now_ms)
        self._monotonic_s = 1000.0
        self._boot = 1

    def now_ms(self) -> int:
        return int(self._now_ms)

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def since_boot_s(self) -> float:
        return self._monotonic_s

    def boot(self) -> str:
        return f"boot-{self._boot}"

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now_ms += seconds * 1000
        self._monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock on, or back where `seconds` is below 0, while no time passes."""
        self._now_ms += seconds * 1000

    def reboot(self, seconds: float = 60.0) -> None:
        """Start the machine again, which takes `seconds`: what is monotonic begins anew."""
        self._now_ms += seconds * 1000
        self._monotonic_s = 10.0
        self._boot += 1


class RecordingLinks(Links):
    """Links that also note what is queued, over all receivers in its order: (type, version, body)."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.queued: list[tuple[str, int, bytes]] = []

    def queue(self, db: sqlite3.Connection, message: Message, body: bytes, now_ms: int) -> None:
        """Note the message, then queue it as always."""
        self.queued.append((type(message).__name__, message.VERSION, body))
        super().queue(db, message, body, now_ms)


class Bench:
    """One actor on its real database, driven by hand. `sent` holds every message that it has sent, in order."""

    def __init__(self, cls: type[Actor], folder: Path, *, clock: FakeClock | None = None, **settings: Any):
        self._cls = cls
        self.clock = clock or FakeClock()
        self.settings = defaults(home=folder, **settings)
        self.sent: list[Message] = []
        self._open()

    def _open(self, *, suspect: Blame = "") -> None:
        self.store = Store(self._cls, self.settings, suspect=bool(suspect), clock=self.clock)
        self.actor = self._cls(self.settings, self.clock)
        self.actor.reborn_ms, self.actor.set_aside = self.store.reborn_ms, self.store.set_aside
        receivers = {kind.RECEIVER for kind in self._cls.outbox}
        self.links = RecordingLinks(self.store.db, self.store.epoch, receivers, self.clock)
        self.engine = Engine(self.actor, self.store.db, self.links, Progress(self.clock))
        try:
            self._turn(lambda db: self.engine.start(db, suspect=suspect))
        except (StoreError, sqlite3.Error):
            self.store.abandon()
            raise

    def _turn(self, work: Callable[[Any], Any]) -> list[Message]:
        try:
            with self.store.transaction() as db:
                self.engine.look_at_clock(db)
                work(db)
                self.links.flush(db)
        except StoreError:
            self.links.queued.clear()
            self.links.reload(self.store.db)
            self.engine.reload(self.store.db)
            self.actor.after_turn(stored=False)
            raise
        self.actor.after_turn(stored=True)
        queued, self.links.queued = self.links.queued, []
        sent = [unpack(kind, version, body, message_types()) for kind, version, body in queued]
        self.sent += sent
        return sent

    def send(self, message: Message) -> list[Message]:
        """Hand a message to the actor as if it came off a link; the messages that it sent."""
        now_ms = self.clock.now_ms()
        received = Received(message.message_id(), message.item_id, "bench", type(message).__name__, message.VERSION,
                            pack(message), now_ms, now_ms)
        return self._turn(lambda db: self.engine.receive(db, received))

    def retry(self) -> list[Message]:
        """Hand over again what was deferred and is due."""
        return self._turn(self.engine.retry_deferred)

    def tick(self, timer: str) -> list[Message]:
        """Run a timer."""
        return self._turn(lambda db: self.engine.tick(db, timer))

    def run_jobs(self, limit: int = 1000) -> list[Message]:
        """Do the jobs that are due, one after the other, and what they bring about, until none is due."""
        sent: list[Message] = []
        for _ in range(limit):
            picked: list[Job] = []
            sent += self._turn(lambda db, picked=picked: picked.extend(  # type: ignore[misc]
                self.engine.jobs.pick(db, self.clock.now_ms())))
            if not picked:
                return sent
            for job in picked:
                finished = self.engine.jobs.run_one(job)
                applied: list[bool] = []
                sent += self._turn(lambda db, finished=finished, applied=applied: applied.append(  # type: ignore[misc]
                    self.engine.finish(db, finished)))
                assert applied[0], "the handler of the result raised; see the log"
        raise AssertionError(f"still busy after {limit} rounds of jobs")

    def jobs(self) -> list[Job]:
        """Jobs that wait, the first to be picked first."""
        rows = self.rows("SELECT kind, lane, id, payload, key, priority, item_id, not_before_ms, tries, deaths"
                         " FROM jobs WHERE state = 'queued' ORDER BY priority DESC, id")
        return [self.engine.jobs._job(row[0], row[1], row[2:]) for row in rows]

    def interrupt_jobs(self) -> list[Job]:
        """Mark the due jobs as running and leave them so, as a process does that dies in the middle."""
        picked: list[Job] = []
        self._turn(lambda db: picked.extend(self.engine.jobs.pick(db, self.clock.now_ms())))
        return picked

    def restart(self, *, suspect: Blame = "") -> list[Message]:
        """Go on with the database as a new process after a kill; the messages that the start sent.

        `suspect`: what of that which it had in hand may have ended it.
        """
        self.store.abandon()
        before = len(self.sent)
        self._open(suspect=suspect)
        return self.sent[before:]

    def verb(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What the actor answers on its control socket."""
        answer: list[dict[str, Any]] = []
        self._turn(lambda db: answer.append(getattr(self.actor, f"verb_{name}")(arguments, db)))
        return answer[0]

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the actor's database."""
        return self.store.db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """End as a drained actor ends."""
        self.store.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wait_until(condition: Callable[[], Any], timeout_s: float = 10.0, what: str = "") -> Any:
    """The first true value of `condition`, asked every few milliseconds. AssertionError after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while True:
        with suppress(ConnectionError):
            if value := condition():
                return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout_s} s: {what or condition}")
        time.sleep(0.005)


def same(message: Message, **changes: Any) -> Message:
    """A copy of a message with other fields."""
    return msgspec.structs.replace(message, **changes)
