"""catalyst.runtime.bus alone: how a sender waits for a receiver that is not there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from catalyst.clock import SystemClock
from catalyst.runtime.bus import Bus
from catalyst.runtime.links import Links
from catalyst.runtime.places import Places
from catalyst.runtime.sockets import address, make_run_folder, plain_socket
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from tests.runtime.cast import Giver


class Sender:
    """The giver's bus, turned by hand; the taker is a socket that a test binds or not."""

    def __init__(self, home: Path):
        settings, clock = defaults(home=home, sqlite_synchronous="OFF"), SystemClock()
        make_run_folder(settings.run_folder)
        self.store = Store(Giver, settings)
        self.place = address(settings.run_folder, "taker", "in")
        self.links = Links(self.store.db, self.store.epoch, {"taker"}, clock)
        self.bus = Bus("giver", Places.of(settings), self.links, (), clock)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def receiver(self) -> zmq.Socket[bytes]:
        """A taker's inbox."""
        inbox = plain_socket(self.context, zmq.ROUTER)
        inbox.bind(self.place)
        return inbox

    def turn_until(self, *, connected: bool, within_s: float = 5.0) -> float:
        """Turn until the link stands or falls; the seconds that it took."""
        began_s = time.monotonic()
        while self.links.out["taker"].connected is not connected:
            assert time.monotonic() - began_s < within_s
            self.bus.receive(dict(self.bus.poller.poll(1_000)))
        return time.monotonic() - began_s

    def turns(self, for_s: float) -> int:
        """How often the sockets wake a loop that has nothing to do, the last time in vain."""
        count, end_s = 0, time.monotonic() + for_s
        while (left_s := end_s - time.monotonic()) > 0:
            self.bus.receive(dict(self.bus.poller.poll(left_s * 1_000 + 1)))
            count += 1
        return count

    def close(self) -> None:
        """Let all go."""
        self.bus.close()
        self.context.destroy(linger=0)
        self.store.close()


@pytest.fixture
def sender(home: Path) -> Iterator[Sender]:
    """A sender whose receiver has never been there."""
    made = Sender(home)
    yield made
    made.close()


def test_an_absent_receiver_wakes_nobody(sender: Sender) -> None:
    """ZeroMQ dials each five milliseconds; the loop hears of it with its own turns, before a first receiver comes and
    after it has gone, and is awake at once when one is there."""
    for _ in range(2):
        assert sender.turns(0.5) < 20
        inbox = sender.receiver()
        assert sender.turn_until(connected=True) < 0.5
        assert sender.turns(0.1) < 10
        sender.bus.send(sender.links.out["taker"], b"frame")
        assert inbox.poll(1_000)
        inbox.close(0)
        assert sender.turn_until(connected=False) < 0.5


def test_a_receiver_that_came_and_went_unseen_is_met(sender: Sender) -> None:
    """While the loop stood still it was there, went, and came again: the link stands with the first turns."""
    sender.turns(0.1)
    for _ in range(2):
        inbox = sender.receiver()
        assert inbox.poll(50) == 0  # ZeroMQ connects, and nobody turns
        inbox.close(0)
    inbox = sender.receiver()
    assert sender.turn_until(connected=True) < 0.5
    assert sender.turns(0.1) < 10
