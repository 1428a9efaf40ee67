"""Listening to heartbeats: the last one of each actor. It starts, ends and judges nobody."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq

from catalyst.errors import MessageError
from catalyst.plain import unpack_raw
from catalyst.runtime.sockets import address, plain_socket, socket_folder


class Beats:
    """The beats of the named actors. `socket` is readable when there are new ones; `last` holds the newest of each."""

    def __init__(self, run_folder: Path, names: Iterable[str]):
        self.socket = plain_socket(zmq.Context.instance(), zmq.SUB)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.setsockopt(zmq.RECONNECT_IVL, 10)
        self.last: dict[str, dict[str, Any]] = {}
        folder = socket_folder(run_folder)
        for name in names:
            self.socket.connect(address(folder, name, "beat"))

    def read(self) -> list[dict[str, Any]]:
        """Beats that came since the last call, oldest first; what is no beat is passed over."""
        found = []
        with suppress(zmq.Again):
            while True:
                with suppress(MessageError):
                    beat = unpack_raw(self.socket.recv(zmq.NOBLOCK))
                    if isinstance(beat, dict) and isinstance(beat.get("actor"), str):
                        self.last[beat["actor"]] = beat
                        found.append(beat)
        return found

    def backlog(self) -> int:
        """Messages and jobs that wait in all the actors that were heard, as of their last beats."""
        return sum(beat.get("inbox", 0) + beat.get("outbox", 0) for beat in self.last.values())
