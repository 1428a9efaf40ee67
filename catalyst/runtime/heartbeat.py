"""The heartbeat thread: says each second that the process lives, and answers on the control socket.

It runs beside the loop and shares with it only `Progress` (plain fields) and two queues. `ping`, `status` and `stacks`
are answered here, so a stuck loop can be looked at; all other verbs go to the loop.
"""

from __future__ import annotations

import faulthandler
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import msgpack
import psutil
import zmq

from catalyst import log
from catalyst.clock import Clock
from catalyst.errors import MessageError, UnavailableError
from catalyst.plain import unpack_raw
from catalyst.runtime.doors import Door
from catalyst.runtime.places import Guard, Places
from catalyst.runtime.progress import Progress
from catalyst.runtime.refusals import Refusals
from catalyst.runtime.roster import SUPERVISOR
from catalyst.runtime.sockets import CONTROL_VERSION, plain_socket

BEAT_S = 1.0
# Beats in a row with the home gone, after which the process ends. The supervisor goes first: it would start the others
# again, in a new home. Nobody drains: SQLite's files are closed by name, and the names may be a new home's by then.
LOST_BEATS, SUPERVISORS_LOST_BEATS = 4, 1
EARLY_BEATS, EARLY_BEAT_S = 20, 0.05  # listeners connect a moment after the start: the first beats come close
LAST_ANSWER_MS = 200  # at the end, for an answer that is still on its way out
REQUEST_LIMIT_BYTES = 256 * 1024
REQUESTS_AT_ONCE = 64  # before the next beat is looked at: whoever asks fast must not silence the actor
MOST_COMMANDS = 256  # that wait for the loop; who asks more is told so
# A listener sends nothing but its handshake and what it subscribes to, which is everything. ZeroMQ keeps a subscription
# in a tree as deep as it is long: one of 1 MB took 118 MB (libzmq 4.3.5).
SUBSCRIPTION_BYTES, HANDSHAKE_BYTES = 64, 1_024  # on this host; with the keys of CURVE
ANSWERS_KEPT = 100  # for one who asks and does not read


@dataclass(frozen=True, slots=True)
class Command:
    """A request for the loop; `peer` is where the answer goes."""

    peer: list[bytes]
    verb: str
    arguments: dict[str, Any]


class Shared(Protocol):
    """What the heartbeat has in common with the data sockets (`Bus`)."""

    context: zmq.Context[zmq.Socket[bytes]]
    guard: Guard | None
    refusals: Refusals


@dataclass(slots=True)
class Alone:
    """The same for a process that has no data sockets yet."""

    context: zmq.Context[zmq.Socket[bytes]]
    refusals: Refusals
    guard: Guard | None = None


class Heartbeat:
    """Beat and control socket of actor `name`. The loop takes commands when `command_fd` is readable."""

    def __init__(self, name: str, places: Places, bus: Shared, progress: Progress, clock: Clock,
                 is_lost: Callable[[], bool] = lambda: False):
        """`is_lost`: whether the home was deleted under this process, which then ends."""
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._refusals = Refusals(clock)
        self._answers: SimpleQueue[tuple[list[bytes], bytes]] = SimpleQueue()
        self.command_fd, self._command_write = _pipe()
        self._answer_fd, self._answer_write = _pipe()
        self._name = name
        self._bus = bus
        self._progress = progress
        self._clock = clock
        self._is_lost = is_lost
        self._process = psutil.Process()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._beat = plain_socket(bus.context, zmq.PUB)
        self._control = plain_socket(bus.context, zmq.ROUTER)
        self._control.setsockopt(zmq.SNDHWM, ANSWERS_KEPT)
        self._beat.setsockopt(zmq.MAXMSGSIZE, SUBSCRIPTION_BYTES)
        self.doors: list[Door] = []
        for socket, ending in ((self._beat, "beat"), (self._control, "ctl")):
            self.doors.append(door := places.bind(socket, name, ending))
            if places.listens(name):
                if socket is self._beat:
                    socket.setsockopt(zmq.MAXMSGSIZE, HANDSHAKE_BYTES)
                places.bind_tcp(socket, name, ending)
                door.opens_again = False

    def start(self) -> None:
        """Begin to beat; from here on the sockets belong to the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for it 1 s at most."""
        self._stopping = True
        _wake(self._answer_write)
        self._thread.join(1.0)

    def take(self, most: int) -> list[Command]:
        """Commands for the loop, `most` of them; `command_fd` stays readable while there are more."""
        _drain(self.command_fd)
        found: list[Command] = []
        while len(found) < most and not self._commands.empty():
            found.append(self._commands.get())
        if not self._commands.empty():
            _wake(self._command_write)
        return found

    def answer(self, command: Command, reply: Mapping[str, Any]) -> None:
        """Send the loop's answer to a command."""
        try:
            packed = msgpack.packb(reply, use_bin_type=True, default=str)
        except (ValueError, TypeError, OverflowError) as error:  # a number over 64 bits, text that is not Unicode
            packed = msgpack.packb({"ok": False, "error": f"the answer cannot be packed: {error}"})
        self._answers.put((command.peer, packed))
        _wake(self._answer_write)

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._control, zmq.POLLIN)
        poller.register(self._answer_fd, zmq.POLLIN)
        guard = self._bus.guard  # here, because a stuck loop must be looked at from another host too
        if guard is not None:
            poller.register(guard.socket, zmq.POLLIN)
        next_beat_s = self._clock.monotonic_s()
        beats, told_s, lost = 0, 0.0, 0
        while not self._stopping:
            over_s = self._progress.over_s()  # said at once, and once
            wait_s = min(next_beat_s, over_s if over_s > told_s else next_beat_s) - self._clock.monotonic_s()
            if wait_s <= 0:
                told_s = self._clock.monotonic_s()
                self._beat.send(msgpack.packb(self.status(), use_bin_type=True), zmq.NOBLOCK)
                beats += 1
                if beats > EARLY_BEATS:
                    lost = self._look_around(lost)
                next_beat_s = max(next_beat_s + (BEAT_S if beats > EARLY_BEATS else EARLY_BEAT_S),
                                  self._clock.monotonic_s())
                continue
            ready = dict(poller.poll(wait_s * 1000))
            if self._answer_fd in ready:
                _drain(self._answer_fd)
            if guard is not None and guard.socket in ready:
                guard.serve()
            self._send_answers()
            if self._control in ready:
                self._serve()
        self._send_answers()
        self._control.close(LAST_ANSWER_MS)
        self._beat.close(0)

    def _look_around(self, lost: int) -> int:
        """Look whether home and sockets are where they were; beats in a row without the home, `lost` of them before."""
        if not self._is_lost():
            for door in self.doors:
                door.look()
            return 0
        if lost + 1 == (SUPERVISORS_LOST_BEATS if self._name == SUPERVISOR else LOST_BEATS):
            log.error("home_deleted")
            os._exit(UnavailableError.exit_code)
        return lost + 1

    def _send_answers(self) -> None:
        while not self._answers.empty():
            peer, reply = self._answers.get()
            self._control.send_multipart([*peer, reply], zmq.NOBLOCK)

    def _serve(self) -> None:
        for _ in range(REQUESTS_AT_ONCE):
            try:
                *peer, request = self._control.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                verb, arguments = read_request(request)
            except MessageError as error:
                self._refusals.add(error.reason)
                continue
            if verb == "ping":
                reply: dict[str, Any] = {"ok": True, "pid": os.getpid()}
            elif verb == "status":
                reply = {"ok": True, **self.status()}
            elif verb == "stacks":
                reply = stacks()
            elif self._commands.qsize() >= MOST_COMMANDS:
                self._refusals.add("busy")
                reply = {"ok": False, "error": f"{MOST_COMMANDS} commands wait already"}
            else:
                self._commands.put(Command(peer, verb, arguments))
                _wake(self._command_write)
                continue
            self._control.send_multipart([*peer, msgpack.packb(reply, use_bin_type=True)], zmq.NOBLOCK)

    def rejected(self) -> dict[str, int]:
        """What was refused since the start, by reason, on all sockets; for the loop."""
        counts = Counter(self._bus.refusals.counts) + Counter(dict(self._refusals.counts))
        if self._bus.guard is not None and self._bus.guard.refused:
            counts["unknown_key"] += self._bus.guard.refused
        return dict(counts)

    def status(self) -> dict[str, Any]:
        """The record that a beat carries."""
        progress = self._progress
        current = progress.current
        memory = self._process.memory_info()
        cpu = self._process.cpu_times()
        return {
            "actor": self._name, "pid": os.getpid(), "state": progress.state, "loops": progress.loops,
            "current": current, "current_limit_s": progress.limit_s if current else 0.0,
            "current_age_s": self._clock.monotonic_s() - progress.since_s if current else 0.0,
            "rss_bytes": anonymous_bytes(os.getpid()) or memory.rss, "cpu_s": cpu.user + cpu.system,
            "handled": progress.handled, "failed": progress.failed, **progress.snapshot}


def anonymous_bytes(pid: int) -> int | None:
    """Anonymous memory of a process (proc(5), RssAnon): a mapped database is not a leak. None without /proc."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def stacks() -> dict[str, Any]:
    """Answer with the Python stacks of all threads of this process, most recent call first."""
    try:
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file=file, all_threads=True)
            file.seek(0)
            return {"ok": True, "stacks": file.read().decode(errors="replace")}
    except OSError as error:  # no room for the file; the thread must go on beating
        return {"ok": False, "error": str(error)}


def read_request(data: bytes) -> tuple[str, dict[str, Any]]:
    """Verb and arguments of a request. Raises MessageError for anything else."""
    request = unpack_raw(data, REQUEST_LIMIT_BYTES)
    if not isinstance(request, dict) or request.get("v") != CONTROL_VERSION:
        raise MessageError("wrong_request")
    verb, arguments = request.get("verb"), request.get("args", {})
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise MessageError("wrong_request")
    return verb, arguments


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _wake(fd: int) -> None:
    try:
        os.write(fd, b"x")
    except BlockingIOError:
        return  # full of wake-ups already


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        return
