"""Asking an actor on its control socket: what the command line, the supervisor and the page use.

It needs nobody between: it works while the supervisor is down.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import msgpack
import zmq

from catalyst.clock import SystemClock
from catalyst.errors import MessageError, UnavailableError
from catalyst.plain import unpack_raw
from catalyst.runtime.places import Places, places
from catalyst.runtime.sockets import CONTROL_VERSION, plain_socket

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024


class Control:
    """Asks actors by their places, or those of one run folder. A context manager."""

    def __init__(self, where: Places | Path):
        self._places = places(where)
        self._context = zmq.Context()
        self._clock = SystemClock()

    def ask(self, actor: str, verb: str, timeout_s: float = 2.0, /, **arguments: Any) -> dict[str, Any]:
        """The actor's answer. Raises UnavailableError when none comes in time or the actor refuses."""
        answer = self.ask_all([actor], verb, timeout_s, **arguments).get(actor)
        if answer is None:
            raise UnavailableError(f"{actor} does not answer; is it running?")
        if not answer.get("ok"):
            raise UnavailableError(f"{actor}: {answer.get('error', 'refused')}")
        return answer

    def ask_all(self, actors: Iterable[str], verb: str, timeout_s: float = 2.0, /,
                **arguments: Any) -> dict[str, dict[str, Any]]:
        """Answers by actor, of those that answered in time and readably; all are asked at once."""
        request = msgpack.packb({"v": CONTROL_VERSION, "verb": verb, "args": arguments}, use_bin_type=True)
        poller = zmq.Poller()
        waiting: dict[zmq.Socket[bytes], str] = {}
        for actor in actors:
            socket = plain_socket(self._context, zmq.DEALER)
            socket.setsockopt(zmq.MAXMSGSIZE, ANSWER_LIMIT_BYTES)
            self._places.connect(socket, actor, "ctl")
            socket.send(request)
            poller.register(socket, zmq.POLLIN)
            waiting[socket] = actor
        answers: dict[str, dict[str, Any]] = {}
        end_s = self._clock.monotonic_s() + timeout_s
        while waiting and (left_s := end_s - self._clock.monotonic_s()) > 0:
            for socket, _ in poller.poll(left_s * 1000):
                poller.unregister(socket)
                actor = waiting.pop(socket)
                answer = _read(socket.recv())
                if answer is not None:
                    answers[actor] = answer
                socket.close(0)
        for socket in waiting:
            socket.close(0)
        return answers

    def close(self) -> None:
        """Close everything, dropping what is under way."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Control:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def _read(data: bytes) -> dict[str, Any] | None:
    """The answer, None for bytes that are none: they come from no actor."""
    try:
        answer = unpack_raw(data, ANSWER_LIMIT_BYTES)
    except MessageError:
        return None
    return answer if isinstance(answer, dict) else None
