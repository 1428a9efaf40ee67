"""The files of an actor's sockets, by which others find the way in: noticed when one goes away, and made again.

A connection outlives the file that it came by, so the loss of a file shows only where somebody comes anew: a sender
that was started again, a command, a supervisor. All of them would wait for ever. A clean-up of old files is enough: a
socket's file bears the date of its actor's start.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from catalyst import log
from catalyst.errors import CatalystError, StoreError
from catalyst.runtime.sockets import address, make_run_folder, socket_folder

if TYPE_CHECKING:
    from catalyst.runtime.process import Process

LOOK_S = 1.0
# Looks in a row that find the file gone, after which it is made again: whoever deletes a whole home removes the lock
# within that time too, and nothing is made again in a home that is no longer ours.
LOST_LOOKS = 2


class Door:
    """A socket bound in the run folder. It belongs to the thread that has the socket; `losses` may be read by any.

    `opens_again`: whether the socket may be bound anew. One that listens on the network as well may not: it would ask
    for keys on this host too, as ZeroMQ (libzmq 4.3.5) cannot take a ZAP domain back.
    """

    def __init__(self, socket: zmq.Socket[bytes], run_folder: Path, name: str, ending: str):
        self.file = f"{name}.{ending}"
        self.losses = 0
        self.opens_again = True
        self._socket = socket
        self._run_folder = run_folder
        self._name, self._ending = name, ending
        self._missed = 0
        self._bind()

    def look(self) -> None:
        """To be called each LOOK_S by the owner of the actor's lock. Who is connected has to connect again."""
        found = self._found()
        self._missed = self._missed + 1 if found is None or found != self._bound else 0
        if self._missed < LOST_LOOKS:
            return
        is_first = self._missed == LOST_LOOKS
        self.losses += is_first
        if not self.opens_again:
            return
        try:
            with suppress(zmq.ZMQError):  # not bound, where the last try failed
                self._socket.unbind(self._address)
            self._bind()
            self._missed = 0
        except (CatalystError, zmq.ZMQError, OSError) as error:
            if is_first:
                log.error("socket_not_bound", file=self.file, reason=str(error))

    def _bind(self) -> None:
        """Raises ConfigError for a folder, ZMQError for a file that cannot be made."""
        self._bound: tuple[int, int] | None = None
        make_run_folder(self._run_folder)
        self._address = address(socket_folder(self._run_folder), self._name, self._ending)
        self._socket.bind(self._address)
        self._bound = self._found()

    def _found(self) -> tuple[int, int] | None:
        """Which file is in the socket's place."""
        try:
            found = Path(self._address.removeprefix("ipc://")).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:  # a disk that fails says nothing about the file
            return self._bound
        return found.st_dev, found.st_ino


class Doors:
    """The loop's part for one process: looks at the inbox, and stores an incident for each door that was lost.

    The heartbeat's thread looks at its own two, also where the loop is stuck.
    """

    def __init__(self, process: Process):
        self._process = process
        self._next_s = process.clock.monotonic_s()
        self._told: dict[str, int] = {}  # file -> losses that are stored

    def turned(self) -> None:
        """A turn is over: look, once a second."""
        process, now_s = self._process, self._process.clock.monotonic_s()
        if now_s < self._next_s or process.stopping or process.store.is_homeless():
            return
        self._next_s = now_s + LOOK_S
        process.bus.door.look()
        for door in (process.bus.door, *process.heartbeat.doors):
            if door.losses > self._told.get(door.file, 0) and self._store(door):
                self._told[door.file] = door.losses
                if not door.opens_again:
                    process.stop()  # drained and started anew

    def _store(self, door: Door) -> bool:
        """Whether the incident is stored; a disk that has no room for it gets it later."""
        end = "bound again" if door.opens_again else "the process ends, a new one binds it"
        try:
            with self._process.store.transaction() as db:
                db.execute("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES('socket_lost', ?, ?, ?)",
                           (door.file, f"removed or replaced by somebody; {end}", self._process.actor.time.now_ms()))
        except StoreError as error:
            if error.kind == "damaged":
                raise
            return False
        log.error("socket_lost", file=door.file, end=end)
        return True
