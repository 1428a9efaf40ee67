"""Two OS processes that talk over ipc sockets: our durable link, and bare loops with the same work to compare it with.

`PAIRS` names (left, right) functions; the left one reports. A bare loop has no epochs, hashes, checks, retries, dead
letters or second indexes: it is the least that a durable hop needs.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import msgpack
import msgspec
import zmq

from catalyst import log
from catalyst.messages import Message
from catalyst.runtime import bus
from catalyst.runtime.contract import Actor, Loop
from catalyst.runtime.links import WINDOW
from catalyst.runtime.process import Process
from catalyst.settings import Settings, defaults

LIMIT_S = 120.0
SUMMARY = "The company said that it closed its registered direct offering of common stock. " * 8


@dataclass(frozen=True, slots=True)
class Plan:
    """One measurement: `count` messages, `batch` of them in a transaction on both sides."""

    folder: Path
    count: int
    batch: int = 1


class Event(Message, frozen=True, kw_only=True):
    """A message of about 1 KB packed."""

    RECEIVER: ClassVar[str] = "benchright"

    source: str
    title: str
    link: str
    summary: str
    seen_ms: int
    symbols: tuple[str, ...]
    number: int


class Reply(Message, frozen=True, kw_only=True):
    """The answer to an event, of the same size."""

    RECEIVER: ClassVar[str] = "benchleft"

    summary: str
    number: int


def event(number: int) -> Event:
    """Event `number`."""
    item_id = hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest()  # ids are hashes: they come in no order
    return Event(item_id=item_id, source="globenewswire", title=f"Example Corp. Announces Closing {number}",
                 link=f"https://www.example.com/news-release/2026/01/02/{number:09d}/0/en/example-announces.html",
                 summary=SUMMARY, seen_ms=1_767_362_400_000 + number, symbols=("Nasdaq:EXMP",), number=number)


# -- our own link


class Left(Actor):
    """Sends what it is asked to send; keeps the number of the last reply."""

    name = "benchleft"
    outbox = (Event,)
    todo: range = range(0)

    def pump(self, db: sqlite3.Connection) -> Iterator[Message]:
        """Send the events in `todo`."""
        for number in self.todo:
            yield event(number)
        self.todo = range(0)


class Asking(Left):
    """Sends one event and takes its reply."""

    name = "benchleft"
    inbox = (Reply,)
    replied = -1

    def on_reply(self, message: Reply, db: sqlite3.Connection) -> None:
        """Note that the reply is here."""
        self.replied = message.number


class Right(Actor):
    """Stores one row for each event."""

    name = "benchright"
    inbox = (Event,)
    tables = ("CREATE TABLE effects(number INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL);",)

    def on_event(self, message: Event, db: sqlite3.Connection) -> Iterator[Message] | None:
        """The effect of an event."""
        db.execute("INSERT INTO effects(number, seen_ms) VALUES(?, ?)", (message.number, message.seen_ms))
        return None


class Answering(Right):
    """Stores one row for each event and replies."""

    name = "benchright"
    outbox = (Reply,)

    def on_event(self, message: Event, db: sqlite3.Connection) -> Iterator[Message]:
        """The effect, and the reply."""
        super().on_event(message, db)
        yield Reply(item_id=message.item_id, summary=message.summary, number=message.number)


class Pumped:
    """A process whose actor `Left` sends when told to, in a transaction of the loop like any other."""

    def __init__(self, cls: type[Left], settings: Settings):
        self.process = Process(cls, settings, ("benchright",))
        assert isinstance(self.process.actor, Left)
        self.actor: Left = self.process.actor
        self._fd, self._write = os.pipe()
        os.write(self._write, b"x")  # readable for ever: `pump` runs in every turn in which it is watched
        self._watched = False
        self.process.heartbeat.start()

    def turn(self, todo: range) -> None:
        """One turn of the loop that sends `todo`."""
        loop: Loop = self.process
        self.actor.todo = todo
        if bool(todo) != self._watched:
            self._watched = bool(todo)
            (loop.watch if todo else loop.unwatch)(*((self._fd, "pump") if todo else (self._fd,)))
        self.process.turn()

    @property
    def unacked(self) -> int:
        """Messages that the other side has not acknowledged."""
        return self.process.links.out["benchright"].unacked


def send_durable(plan: Plan) -> dict[str, float]:
    """Messages a second from the first commit to the last acknowledgement's."""
    pumped = Pumped(Left, settings(plan))
    wait_live(pumped)
    next_number, began = 0, time.perf_counter()
    while next_number < plan.count or pumped.unacked:
        room = min(plan.batch, plan.count - next_number) if pumped.unacked + plan.batch <= WINDOW else 0
        pumped.turn(range(next_number, next_number + room))
        next_number += room
    return {"rate": plan.count / (time.perf_counter() - began)}


def receive_durable(plan: Plan) -> None:
    """Take events until the process is ended."""
    bus.FRAMES_PER_TURN = plan.batch  # the receiver commits what a turn took
    Process(Right, settings(plan), ("benchleft",)).run()


def ask_durable(plan: Plan) -> dict[str, float]:
    """Seconds of each round trip, one at a time."""
    pumped = Pumped(Asking, settings(plan))
    wait_live(pumped)
    assert isinstance(pumped.actor, Asking)
    times = []
    for number in range(plan.count):
        began = time.perf_counter()
        pumped.turn(range(number, number + 1))
        while pumped.actor.replied < number:
            pumped.turn(range(0))
        times.append(time.perf_counter() - began)
    return round_trips(times)


def answer_durable(plan: Plan) -> None:
    """Reply until the process is ended."""
    Process(Answering, settings(plan), ("benchleft",)).run()


def wait_live(pumped: Pumped) -> None:
    """Turn until the link stands."""
    end = time.monotonic() + LIMIT_S
    while not pumped.process.links.out["benchright"].live:
        assert time.monotonic() < end, "the link does not come up"
        pumped.turn(range(0))


def settings(plan: Plan) -> Settings:
    """Defaults, in the folder of the plan."""
    return defaults(home=plan.folder)


def round_trips(times: list[float]) -> dict[str, float]:
    """Microseconds at the median and at 99 of 100."""
    times = sorted(value * 1e6 for value in times)
    return {"p50_us": times[len(times) // 2], "p99_us": times[int(len(times) * 0.99)]}


# -- bare peers


def bare_socket(plan: Plan, kind: int, *, bind: bool) -> zmq.Socket[bytes]:
    """One end of the ipc connection."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 1000)
    address = f"ipc://{plan.folder}/bare"
    if bind:
        socket.bind(address)
    else:
        socket.connect(address)
    return socket


def push_bare(plan: Plan) -> None:
    """Pack and push until the process is ended."""
    socket = bare_socket(plan, zmq.PUSH, bind=False)
    for number in range(plan.count):
        socket.send(msgpack.packb(msgspec.to_builtins(event(number)), use_bin_type=True))
    time.sleep(LIMIT_S)


def pull_bare(plan: Plan) -> dict[str, float]:
    """Messages a second from the first to the last arrival."""
    socket = bare_socket(plan, zmq.PULL, bind=True)
    msgpack.unpackb(socket.recv())
    began = time.perf_counter()
    for _ in range(plan.count - 1):
        msgpack.unpackb(socket.recv())
    return {"rate": (plan.count - 1) / (time.perf_counter() - began)}


def ask_bare(plan: Plan) -> dict[str, float]:
    """Seconds of each round trip between a DEALER and a ROUTER, msgpack both ways."""
    socket = bare_socket(plan, zmq.DEALER, bind=False)
    times = []
    for number in range(plan.count):
        began = time.perf_counter()
        socket.send(msgpack.packb(msgspec.to_builtins(event(number)), use_bin_type=True))
        msgpack.unpackb(socket.recv())
        times.append(time.perf_counter() - began)
    return round_trips(times)


def answer_bare(plan: Plan) -> None:
    """Unpack, pack and send back until the process is ended."""
    socket = bare_socket(plan, zmq.ROUTER, bind=True)
    while True:
        sender, body = socket.recv_multipart()
        socket.send_multipart([sender, msgpack.packb(msgpack.unpackb(body), use_bin_type=True)])


def bare_database(plan: Plan, name: str, *tables: str) -> sqlite3.Connection:
    """A database with the settings that ours has, and nothing else."""
    db = sqlite3.connect(plan.folder / f"{name}.db", isolation_level=None)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
        db.execute(f"PRAGMA {pragma}")
    for table in tables:
        db.execute(table)
    return db


def send_committing(plan: Plan) -> dict[str, float]:
    """The sender's commits and frames: outbox rows, commit, send; marks of what was acknowledged with the next rows."""
    socket = bare_socket(plan, zmq.DEALER, bind=False)
    db = bare_database(plan, "left", "CREATE TABLE outbox(seq INTEGER PRIMARY KEY, id BLOB NOT NULL,"
                                     " body BLOB NOT NULL, sent_ms INTEGER, acked_ms INTEGER)")
    seq = acked = 0
    began = time.perf_counter()
    while acked < plan.count:
        room = min(plan.batch, plan.count - seq) if seq - acked + plan.batch <= WINDOW else 0
        upto = acked
        if not room:
            socket.poll()
        while socket.poll(0):
            upto = msgpack.unpackb(socket.recv())[2]
        now_ms = time.time_ns() // 1_000_000
        db.execute("BEGIN IMMEDIATE")
        if upto > acked:
            db.execute("UPDATE outbox SET sent_ms = ?, acked_ms = ? WHERE seq > ? AND seq <= ?",
                       (now_ms, now_ms, acked, upto))
        frames = []
        for number in range(seq, seq + room):
            message = event(number)
            row = (number + 1, message.message_id(), msgpack.packb(msgspec.to_builtins(message), use_bin_type=True))
            db.execute("INSERT INTO outbox(seq, id, body) VALUES(?, ?, ?)", row)
            frames.append(msgpack.packb([1, "data", *row], use_bin_type=True))
        db.execute("COMMIT")
        for frame in frames:
            socket.send(frame)
        seq, acked = seq + room, upto
    return {"rate": plan.count / (time.perf_counter() - began)}


def receive_committing(plan: Plan) -> None:
    """The receiver's commits and frames: inbox row and effect, commit, acknowledge; until the process is ended."""
    socket = bare_socket(plan, zmq.ROUTER, bind=True)
    db = bare_database(plan, "right",
                       "CREATE TABLE inbox(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, seen_ms INTEGER)",
                       "CREATE TABLE effects(number INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL)")
    while True:
        socket.poll()
        db.execute("BEGIN IMMEDIATE")
        for _ in range(plan.batch):
            try:
                sender, frame = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            _, _, seq, number, body = msgpack.unpackb(frame)
            fields = msgpack.unpackb(body)
            db.execute("INSERT OR IGNORE INTO inbox(id, seen_ms) VALUES(?, ?)", (number, fields["seen_ms"]))
            db.execute("INSERT INTO effects(number, seen_ms) VALUES(?, ?)", (fields["number"], fields["seen_ms"]))
        db.execute("COMMIT")
        socket.send_multipart([sender, msgpack.packb([1, "ack", seq], use_bin_type=True)])


# -- running a pair

Side = Callable[[Plan], Any]
PAIRS: dict[str, tuple[Side, Side]] = {
    "durable": (send_durable, receive_durable), "committing": (send_committing, receive_committing),
    "push": (pull_bare, push_bare), "ask": (ask_durable, answer_durable), "ask_bare": (ask_bare, answer_bare)}


def run_pair(name: str, count: int, batch: int = 1,
             wrap: Callable[[Side], Side] = lambda side: side) -> dict[str, float]:
    """Run both sides of a pair in processes of their own; what the left one measured, and `cpu_us`: microseconds of
    CPU that both took for a message, from start to end."""
    left, right = (wrap(side) for side in PAIRS[name])
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        plan = Plan(Path(folder), count, batch)
        ours, theirs = context.Pipe(duplex=False)
        before_s = _children_s()
        sides = [context.Process(target=_right, args=(right, plan)),
                 context.Process(target=_left, args=(left, plan, theirs))]
        for side in sides:
            side.start()
        theirs.close()
        try:
            if not ours.poll(LIMIT_S):
                raise TimeoutError(f"{name}: not done after {LIMIT_S:g} s")
            measured: dict[str, float] = ours.recv()
        finally:
            for side in sides:
                side.terminate()
                side.join()
        return {**measured, "cpu_us": (_children_s() - before_s) / count * 1e6}


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _left(side: Side, plan: Plan, result: Connection) -> None:
    _quiet()
    result.send(side(plan))


def _right(side: Side, plan: Plan) -> None:
    _quiet()
    side(plan)


def _quiet() -> None:
    log.configure("bench", None, "error")
    gc.freeze()  # as in the fork server: what was imported is never looked at again
