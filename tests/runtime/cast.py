"""Test-only messages and actors: a giver, a taker that can be told to fail, and a ring of three.

Their names are on no roster; `catalyst.messages.message_types()` knows the types once this module is imported.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from catalyst.errors import FetchError, Retry
from catalyst.messages import ItemDropped, Message
from catalyst.runtime.contract import Actor, Cancel, Every, Hold, Job, JobKind, Output

SEEN = "CREATE TABLE seen(n INTEGER PRIMARY KEY, item_id TEXT NOT NULL, number INTEGER NOT NULL);"


class Parcel(Message, frozen=True, kw_only=True):
    """giver -> taker; `wish` tells the taker's handler what to do."""

    RECEIVER: ClassVar[str] = "taker"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int
    wish: str = ""
    padding: str = ""


class Loser(Actor):
    """Counts how often it was told of lost rows."""

    losses = 0

    def after_loss(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Count."""
        self.losses += 1
        return iter(())


class Giver(Loser):
    """Gives `give` parcels when asked; holds nothing back."""

    name = "giver"
    inbox = ()
    outbox = (Parcel,)
    tables = ("CREATE TABLE given(number INTEGER PRIMARY KEY);",)
    every = (Every("drip", 0.02),)
    dripping = 0

    def drip(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Give on what `verb_give` promised, 50 at a time."""
        for _ in range(min(self.dripping, 50)):
            number = db.execute("INSERT INTO given(number) VALUES(NULL) RETURNING number").fetchone()[0]
            yield Parcel(item_id=f"item{number}", number=number)
        self.dripping -= min(self.dripping, 50)

    def verb_give(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Promise `count` more."""
        self.dripping += int(arguments["count"])
        return {"promised": self.dripping}


class Errand(msgspec.Struct, frozen=True):
    """What a job of the taker is to do."""

    do: str
    number: int = 0


class Taker(Loser):
    """Writes down what it is given; a parcel's `wish` makes it wait, fail, send or start jobs."""

    name = "taker"
    inbox = (Parcel,)
    outbox = (ItemDropped,)
    tables = (SEEN, "CREATE TABLE results(n INTEGER PRIMARY KEY, word TEXT NOT NULL, number INTEGER, tries INTEGER);")
    jobs = (JobKind("errand", Errand, limit_s=5, workers=1), JobKind("quiet", Errand, limit_s=5, background=True))
    every = (Every("tidy", 3600),)
    broken = True  # while it is, the wish "fail" fails

    def on_parcel(self, parcel: Parcel, db: sqlite3.Connection) -> Iterator[Output]:
        """Obey the wish, write the parcel down."""
        db.execute("INSERT INTO seen(item_id, number) VALUES(?, ?)", (parcel.item_id, parcel.number))
        word, _, rest = parcel.wish.partition(":")
        if word == "wait" and self.broken:
            raise Retry(float(rest))
        if word == "fail" and self.broken:
            raise ZeroDivisionError(f"told to fail {parcel.number}")
        if word == "sql":
            db.execute("SELECT * FROM no_such_table")
        if word == "spin":
            while True:
                pass
        if word == "exit":
            os._exit(9)
        if word == "full":
            db.execute("PRAGMA max_page_count = 1")  # SQLite refuses to grow: the same error as on a full disk
            db.execute("INSERT INTO seen(item_id, number) VALUES(zeroblob(1000000), 0)")
        if word == "huge":
            yield self._drop(parcel, kinds=("x" * 1000,) * 600)
        if word == "undeclared":
            yield Parcel(item_id=parcel.item_id, number=-1)
        if word == "drop":
            yield self._drop(parcel)
        if word == "drop_two":
            yield self._drop(parcel)
            yield self._drop(parcel, kinds=("x" * 200,) * 500)
        if word == "memory":
            raise MemoryError
        if word == "drop_then_fail":
            yield self._drop(parcel)
            yield Job("errand", Errand("ok"))
            raise ZeroDivisionError("after yielding")
        if word in ("job", "quiet"):
            yield self._job(parcel, rest, "quiet" if word == "quiet" else "errand")
        if word == "hold":
            yield Hold("", self.now_ms + int(rest))
        if word == "cancel":
            yield Cancel("errand", rest)
        if word == "unknown_job":
            yield Job("nothing", Errand("ok"))

    def _drop(self, parcel: Parcel, **changes: Any) -> ItemDropped:
        return ItemDropped(item_id=parcel.item_id, stage="taker", reason="told", dropped_ms=self.now_ms, **changes)

    def _job(self, parcel: Parcel, rest: str, kind: str) -> Job:
        fields = dict(part.split("=") for part in rest.split(",") if "=" in part)
        return Job(kind, Errand(fields.get("do", "ok"), parcel.number), lane=fields.get("lane", ""),
                   key=fields.get("key"), priority=float(fields.get("priority", 0)), item_id=parcel.item_id,
                   not_before_ms=int(fields.get("at", 0)))

    def work_errand(self, errand: Errand) -> int:
        """Succeed, fail as the outside world does, or raise like a defect."""
        if errand.do == "refused":
            raise FetchError("refused")
        if errand.do == "defect":
            raise KeyError("defect")
        if errand.do == "memory":
            raise MemoryError
        return errand.number

    work_quiet = work_errand

    def done_errand(self, job: Job, result: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Write the result down; `unappliable` raises, as a defect in a handler does."""
        db.execute("INSERT INTO results(word, number, tries) VALUES('done', ?, ?)", (result, job.tries))
        if job.payload.do == "unappliable" and self.broken:
            raise ZeroDivisionError("told to fail")
        if job.payload.do == "again" and job.tries < 3:
            yield Job("errand", Errand("ok", 1000 + job.tries), priority=-1)
            yield job.again(self.now_ms)

    done_quiet = done_errand

    def failed_errand(self, job: Job, error: Exception, db: sqlite3.Connection) -> Iterator[Output]:
        """Write the error down."""
        db.execute("INSERT INTO results(word, number, tries) VALUES(?, ?, ?)",
                   (type(error).__name__, job.payload.number, job.tries))
        return iter(())

    failed_quiet = failed_errand

    def interrupted_errand(self, job: Job, db: sqlite3.Connection) -> Iterator[Output]:
        """Ask for another job, then for the interrupted one again."""
        db.execute("INSERT INTO results(word, number, tries) VALUES('interrupted', ?, ?)",
                   (job.payload.number, job.tries))
        if job.payload.do == "more":
            yield Job("errand", Errand("ok", 2000))
        if job.payload.do != "forget":
            yield job

    def tidy(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Fail while `broken`."""
        db.execute("DELETE FROM seen")
        if self.broken:
            raise ZeroDivisionError("told to fail")
        return iter(())

    def verb_count(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """How many parcels came; `sql` is run as it is."""
        db.execute("INSERT INTO seen(item_id, number) VALUES('verb', 0)")
        db.execute(str(arguments.get("sql", "SELECT 1")))
        return {"count": db.execute("SELECT count(*) FROM seen").fetchone()[0],
                "text": chr(int(arguments.get("n", 65)))}

    def verb_mend(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Fail no more."""
        self.broken = False
        return {}


class ToTwo(Message, frozen=True, kw_only=True):
    """one -> two."""

    RECEIVER: ClassVar[str] = "two"
    lap: int
    KEY: ClassVar[tuple[str, ...]] = ("lap",)


class ToThree(ToTwo, frozen=True, kw_only=True):
    """two -> three."""

    RECEIVER: ClassVar[str] = "three"


class ToOne(ToTwo, frozen=True, kw_only=True):
    """three -> one."""

    RECEIVER: ClassVar[str] = "one"


RING_ITEMS = 250
RING_LAPS = 3


class Ring(Actor):
    """Base of the ring: writes down every message and passes it on."""

    tables = (SEEN,)

    def _pass(self, message: ToTwo, db: sqlite3.Connection, nxt: type[ToTwo]) -> Iterator[Output]:
        db.execute("INSERT INTO seen(item_id, number) VALUES(?, ?)", (message.item_id, message.lap))
        yield nxt(item_id=message.item_id, lap=message.lap)


class One(Ring):
    """Begins with a few items each tick and sends what comes back on its next lap."""

    name = "one"
    inbox = (ToOne,)
    outbox = (ToTwo,)
    tables = (SEEN, "CREATE TABLE begun(number INTEGER PRIMARY KEY);")
    every = (Every("begin", 0.01),)

    def begin(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Ten more items, until there are enough."""
        count = db.execute("SELECT count(*) FROM begun").fetchone()[0]
        for number in range(count, min(count + 10, RING_ITEMS)):
            db.execute("INSERT INTO begun(number) VALUES(?)", (number,))
            yield ToTwo(item_id=f"item{number}", lap=1)

    def on_to_one(self, message: ToOne, db: sqlite3.Connection) -> Iterator[Output]:
        """The end of a lap."""
        db.execute("INSERT INTO seen(item_id, number) VALUES(?, ?)", (message.item_id, message.lap))
        if message.lap < RING_LAPS:
            yield ToTwo(item_id=message.item_id, lap=message.lap + 1)


class Two(Ring):
    """Passes on."""

    name = "two"
    inbox = (ToTwo,)
    outbox = (ToThree,)

    def on_to_two(self, message: ToTwo, db: sqlite3.Connection) -> Iterator[Output]:
        """Pass on."""
        return self._pass(message, db, ToThree)


class Three(Ring):
    """Passes on."""

    name = "three"
    inbox = (ToThree,)
    outbox = (ToOne,)

    def on_to_three(self, message: ToThree, db: sqlite3.Connection) -> Iterator[Output]:
        """Pass on."""
        return self._pass(message, db, ToOne)
