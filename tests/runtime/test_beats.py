"""catalyst.runtime.beats: a listener believes only beats, and hears again whom it lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
import zmq

from catalyst.runtime.beats import Beats
from catalyst.runtime.sockets import address, make_run_folder
from catalyst.testing import wait_until

NAMES = ("market", "sec")
GOOD = {"actor": "market", "state": "running", "pid": 5, "inbox": 2, "outbox": 1}


class Publisher:
    """Somebody where an actor's beats come from."""

    def __init__(self, folder: Path):
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.PUB)
        self.socket.bind(address(folder, "market", "beat"))

    def until(self, beats: Beats, data: bytes, what: str) -> None:
        """Publish until the listener has something of it."""
        before = beats.refused, len(beats.last)
        found: list[object] = []

        def heard() -> bool:
            self.socket.send(data)
            found.extend(beats.read())
            return bool(found) or (beats.refused, len(beats.last)) != before

        wait_until(heard, 15, what)

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.destroy(linger=0)


@pytest.fixture
def beats(home: Path) -> Iterator[Beats]:
    """A listener to two actors."""
    make_run_folder(home / "run")
    made = Beats(home / "run", NAMES)
    yield made
    made.socket.close(0)


def test_false_beats_are_counted_and_believed_by_nobody(home: Path, beats: Beats) -> None:
    """No beat, one of somebody who is not listened to, one with counts that are none; then a good one is heard."""
    false = [b"", b"\xc1", b"\x91" * 90_000, msgpack.packb([GOOD]), msgpack.packb({"actor": "market"})]
    false += [msgpack.packb({**GOOD, **wrong}) for wrong in (
        {"actor": "nobody"}, {"inbox": "many"}, {"outbox": -1}, {"pid": 1.5}, {"inbox": float("nan")}, {"state": None})]
    with Publisher(home / "run") as publisher:
        for data in false:
            before = beats.refused
            publisher.until(beats, data, repr(data[:40]))
            assert beats.refused > before
            assert beats.last == {}
        publisher.until(beats, msgpack.packb(GOOD), "a good one")
        assert beats.backlog() == 3


def test_a_publisher_beyond_the_limit_is_left_and_the_next_one_heard(home: Path, beats: Beats) -> None:
    """ZeroMQ gives up a connection for good after 2 MiB; who takes the place is heard all the same."""
    with Publisher(home / "run") as false:
        false.until(beats, msgpack.packb({**GOOD, "pid": -1}), "connected")
        monitor = false.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        false.socket.send(bytes(2 * 1024 * 1024))
        assert monitor.poll(15_000)
        false.socket.disable_monitor()
    with Publisher(home / "run") as true:
        def heard() -> bool:
            true.socket.send(msgpack.packb(GOOD))
            return any(beat["pid"] == GOOD["pid"] for beat in beats.read())

        wait_until(heard, 15, "heard again")
