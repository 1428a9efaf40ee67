"""Listening to heartbeats: the last one of each actor. It starts, ends and judges nobody."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq

from catalyst.clock import SystemClock
from catalyst.errors import MessageError
from catalyst.plain import unpack_raw
from catalyst.runtime.places import Places, places
from catalyst.runtime.sockets import plain_socket

READ_AT_ONCE = 256  # the listener has other work, however fast somebody publishes
REDIAL_S = 5.0
COUNTS = ("pid", "inbox", "outbox", "handled", "failed", "dead")  # whole numbers from 0, where they are there at all


class Beats:
    """The beats of the named actors. `socket` is readable when there are new ones; `last` holds the newest of each."""

    def __init__(self, where: Places | Path, names: Iterable[str]):
        self.socket = plain_socket(zmq.Context.instance(), zmq.SUB)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.last: dict[str, dict[str, Any]] = {}
        self.refused = 0  # what was no beat of one of them
        self._places = places(where)
        self._clock = SystemClock()
        self._heard_s = dict.fromkeys(names, self._clock.monotonic_s())
        self._connected = {name: self._connect(name) for name in self._heard_s}

    def _connect(self, name: str) -> str:
        return self._places.connect(self.socket, name, "beat", again_ms=10)

    def read(self) -> list[dict[str, Any]]:
        """Beats that came since the last call, oldest first; what is no beat is counted and passed over."""
        found = []
        for _ in range(READ_AT_ONCE):
            try:
                data = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            beat = read_beat(data)
            if beat is None or beat["actor"] not in self._heard_s:
                self.refused += 1
                continue
            self._heard_s[beat["actor"]] = self._clock.monotonic_s()
            self.last[beat["actor"]] = beat
            found.append(beat)
        self.redial()
        return found

    def redial(self) -> None:
        """Connect anew to who was not heard for a while: after bytes against the protocol ZeroMQ tries no more."""
        now_s = self._clock.monotonic_s()
        for name, heard_s in self._heard_s.items():
            if now_s - heard_s >= REDIAL_S:
                self._heard_s[name] = now_s
                with suppress(zmq.ZMQError):  # ZeroMQ knows the connection no more
                    self.socket.disconnect(self._connected[name])
                self._connected[name] = self._connect(name)

    def backlog(self) -> int:
        """Messages and jobs that wait in all the actors that were heard, as of their last beats."""
        return sum(beat.get("inbox", 0) + beat.get("outbox", 0) for beat in self.last.values())


def read_beat(data: bytes) -> dict[str, Any] | None:
    """What a beat says, None for anything else: those who read it rely on its name, its state and its counts."""
    try:
        beat = unpack_raw(data)
    except MessageError:
        return None
    if not isinstance(beat, dict) or not isinstance(beat.get("actor"), str) or not isinstance(beat.get("state"), str):
        return None
    if any(type(beat.get(name, 0)) is not int or not 0 <= beat.get(name, 0) < 2**53 for name in COUNTS):
        return None
    return beat
