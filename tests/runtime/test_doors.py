"""catalyst.runtime.doors: sockets whose files go away are found again, by real sockets in real folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from catalyst.runtime.control import Control
from catalyst.runtime.doors import LOST_LOOKS, Door
from catalyst.runtime.process import Process
from catalyst.runtime.sockets import plain_socket, socket_folder
from catalyst.settings import defaults
from catalyst.testing import FakeClock, wait_until
from tests.runtime.cast import Giver, Taker
from tests.runtime.forked import town


class Hall:
    """A bound ROUTER with its door, and guests who knock."""

    def __init__(self, run_folder: Path):
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.folder = run_folder
        self.socket = plain_socket(self.context, zmq.ROUTER)
        self.door = Door(self.socket, run_folder, "hall", "in")

    @property
    def file(self) -> Path:
        """The socket's file."""
        return self.folder / "hall.in"

    def guest(self) -> zmq.Socket[bytes]:
        """Somebody who comes anew."""
        made = plain_socket(self.context, zmq.DEALER)
        made.setsockopt(zmq.RECONNECT_IVL, 5)
        made.connect(f"ipc://{socket_folder(self.folder)}/hall.in")
        return made

    def hears(self, guest: zmq.Socket[bytes], timeout_ms: int = 5_000) -> bool:
        """Whether what the guest says arrives."""
        guest.send(b"knock")
        return bool(self.socket.poll(timeout_ms)) and self.socket.recv_multipart()[-1] == b"knock"

    def look(self, times: int = LOST_LOOKS) -> int:
        """So many seconds later: how often the file was found lost since the start."""
        for _ in range(times):
            self.door.look()
        return self.door.losses


@pytest.fixture
def hall(home: Path) -> Iterator[Hall]:
    """One whose run folder did not exist."""
    made = Hall(home / "run")
    yield made
    made.context.destroy(linger=0)


def test_a_lost_file_is_made_again_and_everybody_gets_in(hall: Hall) -> None:
    """Removed, replaced by another file, or with its whole folder; who was connected is back, no descriptor is left."""
    old = hall.guest()
    assert hall.hears(old)
    ways = (lambda: hall.file.unlink(),
            lambda: (hall.file.unlink(), hall.file.write_text("not a socket")),
            lambda: shutil.rmtree(hall.folder))
    used: list[int] = []
    for number, lose in enumerate(ways * 2, 1):
        lose()
        assert hall.look() == number
        assert hall.folder.stat().st_mode & 0o777 == 0o700
        with hall.guest() as new:
            assert hall.hears(new)
        wait_until(lambda: hall.hears(old, 50), 5, "who was there before is back")
        while hall.socket.poll(50):  # what was said on the connection that was cut
            hall.socket.recv_multipart()
        used.append(len(os.listdir("/proc/self/fd")))
    assert used[-1] <= used[1] + 1
    assert hall.look(5) == 6


def test_one_look_is_not_enough(hall: Hall) -> None:
    """What is in its place again at the next look was never lost: a folder that is moved away and back."""
    away = hall.folder.with_name("away")
    for _ in range(3):
        hall.folder.rename(away)
        assert hall.look(1) == 0
        away.rename(hall.folder)
        assert hall.look(1) == 0
    with hall.guest() as guest:
        assert hall.hears(guest)


def test_a_place_that_cannot_be_had_is_tried_again(hall: Hall) -> None:
    """A folder of that name stands there: it counts as one loss, and the socket is bound once the folder is gone."""
    hall.file.unlink()
    hall.file.mkdir()
    assert hall.look(6) == 1
    hall.file.rmdir()
    assert hall.look(1) == 1
    with hall.guest() as guest:
        assert hall.hears(guest)
    assert hall.look(3) == 1


def test_a_lost_link_to_a_long_path_is_made_again() -> None:
    """The link in the temporary folder is what a clean-up meets first."""
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        hall = Hall(Path(folder).joinpath(*["a-rather-long-name"] * 10) / "run")
        alias = socket_folder(hall.folder)
        try:
            alias.unlink()
            assert hall.look() == 1
            assert Path(os.readlink(alias)) == hall.folder
            with hall.guest() as guest:
                assert hall.hears(guest)
        finally:
            hall.context.destroy(linger=0)
            alias.unlink()


# -- in a process


@pytest.fixture
def taker(home: Path) -> Iterator[tuple[Process, FakeClock]]:
    """A taker whose loop is turned by hand."""
    clock = FakeClock()
    process = Process(Taker, defaults(home=home, sqlite_synchronous="OFF"), ("giver",), clock=clock)
    yield process, clock
    process.bus.close()
    process.store.close()


def seconds(process: Process, clock: FakeClock, count: int) -> list[tuple[str, str]]:
    """Let the loop look so many times: the incidents that are stored then."""
    for _ in range(count):
        clock.advance(1)
        process.doors.turned()
    return process.store.db.execute("SELECT kind, subject FROM incidents").fetchall()


def test_the_loop_stores_an_incident_for_each_loss(taker: tuple[Process, FakeClock]) -> None:
    """Of its own socket and of the heartbeat's, once each; the process goes on."""
    process, clock = taker
    folder = process.settings.run_folder
    (folder / "taker.in").unlink()
    assert seconds(process, clock, 1) == []
    assert seconds(process, clock, 5) == [("socket_lost", "taker.in")]
    for file in folder.iterdir():
        file.unlink()
    for door in process.heartbeat.doors * 2:  # as its thread does
        door.look()
    assert seconds(process, clock, 5)[1:] == [("socket_lost", name) for name in ("taker.beat", "taker.ctl", "taker.in")]
    assert sorted(file.name for file in folder.iterdir()) == ["taker.beat", "taker.ctl", "taker.in"]
    assert not process.stopping


def test_a_process_without_its_lock_leaves_the_sockets_to_its_successor(taker: tuple[Process, FakeClock]) -> None:
    """The home was deleted, or is another's by now: nothing is made again, nothing is another's fault."""
    process, clock = taker
    (process.settings.database_folder / "taker.lock").unlink()
    (process.settings.run_folder / "taker.in").unlink()
    assert seconds(process, clock, 5) == []
    assert not (process.settings.run_folder / "taker.in").exists()


def test_a_drain_leaves_the_sockets_alone(taker: tuple[Process, FakeClock]) -> None:
    """The inbox is closed then."""
    process, clock = taker
    process.stop()
    process.bus.stop_taking()
    (process.settings.run_folder / "taker.in").unlink()
    assert seconds(process, clock, 5) == []


def test_a_socket_that_is_on_the_network_too_is_left_to_a_new_process(taker: tuple[Process, FakeClock]) -> None:
    """It cannot be bound anew without keys: the incident is stored and the process asked to drain."""
    process, clock = taker
    door = process.heartbeat.doors[0]
    door.opens_again = False
    (process.settings.run_folder / door.file).unlink()
    for _ in range(LOST_LOOKS):
        door.look()
    assert seconds(process, clock, 1) == [("socket_lost", door.file)]
    assert process.stopping


@pytest.mark.system
def test_an_emptied_run_folder_stops_nobody_for_long(home: Path) -> None:
    """All socket files removed, the sender killed: within seconds commands are answered and messages flow again."""
    with town(home, Giver, Taker, sqlite_synchronous="OFF") as pair:
        pair.start()
        pair.ready()
        for file in pair.settings.run_folder.iterdir():
            file.unlink()
        pair.kill("giver")
        pair.start("giver")
        pair.ready("giver")
        pair.ask("giver", "give", count=50)
        with Control(pair.settings.run_folder) as anew:
            wait_until(lambda: anew.ask_all(["taker"], "ping").get("taker"), 10, "a new asker is answered")
        wait_until(lambda: pair.number("taker", "SELECT count(*) FROM seen") == 50, 10, "all taken")
        wait_until(lambda: pair.ask("giver", "status")["outbox"] == 0, 5, "acknowledged")
        assert pair.rows("taker", "SELECT kind, subject FROM incidents ORDER BY subject") == [
            ["socket_lost", f"taker.{ending}"] for ending in ("beat", "ctl", "in")]
