"""catalyst.runtime.process and bus: whole actors in their own processes, on real sockets."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgpack
import pytest
import zmq

from catalyst.errors import OwnedElsewhere, UnavailableError
from catalyst.runtime import wire
from catalyst.runtime.bus import Arrivals
from catalyst.runtime.contract import Job, Output
from catalyst.runtime.control import Control
from catalyst.runtime.process import Process
from catalyst.runtime.sockets import address, plain_socket, socket_folder
from catalyst.settings import defaults
from catalyst.testing import wait_until
from tests.runtime.cast import RING_ITEMS, RING_LAPS, Errand, Giver, One, Parcel, Taker, Three, Two
from tests.runtime.forked import Town, exit_code, town

RING_MESSAGES = RING_ITEMS * RING_LAPS * 3

pytestmark = pytest.mark.system  # real processes: they run when nothing else does


@pytest.fixture
def pair(home: Path) -> Iterator[Town]:
    """A giver and a taker, both running."""
    with town(home, Giver, Taker, sqlite_synchronous="OFF") as made:
        made.start()
        made.ready()
        yield made


def give(pair: Town, count: int) -> None:
    """Let the giver give `count` more."""
    pair.ask("giver", "give", count=count)


def taken(pair: Town) -> float:
    """How many the taker has written down."""
    return pair.number("taker", "SELECT count(*) FROM seen")


def started(pair: Town, name: str) -> list[str]:
    """The lines of an actor's log that tell of a start."""
    lines = (pair.settings.log_folder / f"{name}.jsonl").read_text().splitlines()
    return [line for line in lines if '"event": "started"' in line]


def all_taken(pair: Town, count: int, timeout_s: float = 15.0) -> None:
    """Wait until the taker has each of `count` parcels exactly once, and the giver knows."""
    wait_until(lambda: taken(pair) >= count, timeout_s, f"{count} parcels")
    assert pair.rows("taker", "SELECT count(*), count(DISTINCT number), max(number) FROM seen") == [[count] * 3]
    wait_until(lambda: pair.ask("giver", "status")["outbox"] == 0, 5, "acknowledged")
    incidents = [pair.number(name, "SELECT count(*) FROM incidents") for name in ("giver", "taker")]
    assert incidents == [0, 0]


# -- the flow


def test_messages_go_from_actor_to_actor(pair: Town) -> None:
    """All arrive once and in order; both ends agree on the hash; the times of the trace are there."""
    give(pair, 1_000)
    all_taken(pair, 1_000)
    assert pair.rows("taker", "SELECT count(*) FROM seen a JOIN seen b ON b.n = a.n + 1 WHERE b.number < a.number") == [
        [0]]
    out, inn = pair.ask("giver", "integrity")["out"]["taker"], pair.ask("taker", "integrity")["in"]["giver"]
    assert (out["hash"], out["epoch"], out["acked"]) == (inn["hash"], inn["epoch"], inn["last"])
    trace = pair.ask("giver", "trace", item="item7")["sent"][0]
    assert trace[1:3] == ["Parcel", "taker"]
    queued_ms, sent_ms, acked_ms = trace[3:]
    assert queued_ms <= sent_ms <= acked_ms
    (received,) = pair.ask("taker", "trace", item="item7")["received"]
    assert received[0] == trace[0]
    assert received[1:3] == ["Parcel", "giver"]


def test_a_receiver_that_comes_later_gets_everything(home: Path) -> None:
    """Messages wait in the outbox for an actor that was never there."""
    with town(home, Giver, Taker) as pair:
        pair.start("giver")
        pair.ready("giver")
        give(pair, 300)
        wait_until(lambda: pair.ask("giver", "status")["outbox"] == 300)
        wait_until(lambda: pair.ask("giver", "status")["oldest_unsent_s"] > 0, 5, "age of the oldest")
        pair.start("taker")
        all_taken(pair, 300)


@pytest.mark.parametrize("victim", ["giver", "taker"])
def test_kill_minus_nine_in_the_middle_loses_and_doubles_nothing(pair: Town, victim: str) -> None:
    """Either end, ten times, while messages flow: each parcel once, no incident."""
    for _ in range(10):
        before = taken(pair)  # before they are given: all may be taken by the time that one asks
        give(pair, 100)
        wait_until(lambda before=before: taken(pair) > before, 20, "some flow")  # type: ignore[misc]
        pair.kill(victim)
        pair.start(victim)
        pair.ready(victim)
    wait_until(lambda: pair.ask("giver", "status")["outbox"] == 0, 15, "all acknowledged")
    given = int(pair.number("giver", "SELECT count(*) FROM given"))
    all_taken(pair, given)


def ring(home: Path, seed: int, kills: int) -> float:
    """Let the ring run to its end with kills at random moments; seconds that it took."""
    chance = random.Random(seed)
    began_s = time.monotonic()
    with town(home, One, Two, Three) as made:
        made.start()
        made.ready()
        for kill in range(1, kills + 1):
            goal = RING_ITEMS * RING_LAPS * kill // (kills + 2)
            wait_until(lambda goal=goal: made.number("one", "SELECT count(*) FROM seen") >= goal,  # type: ignore[misc]
                       60, f"progress, seed {seed}")
            for victim in chance.sample(("one", "two", "three"), chance.choice((1, 1, 1, 2, 3))):
                made.kill(victim)
                made.start(victim)
        wait_until(lambda: made.number("one", "SELECT count(*) FROM seen") >= RING_ITEMS * RING_LAPS, 60,
                   f"the end, seed {seed}")
        for name in ("one", "two", "three"):
            rows = made.rows(name, "SELECT count(*), count(DISTINCT item_id || '/' || number) FROM seen")
            assert rows == [[RING_ITEMS * RING_LAPS] * 2], f"{name}, seed {seed}"
            assert made.ask(name, "integrity")["integrity"] == "ok"
            assert made.rows(name, "SELECT count(*) FROM dead") == [[0]]
            assert made.rows(name, "SELECT count(*) FROM incidents") == [[0]]
        wait_until(lambda: all(made.ask(name, "status")["outbox"] == 0 for name in made.classes), 10, "all acked")
        states = {name: made.ask(name, "integrity") for name in made.classes}
        for name, state in states.items():
            for peer, link in state["out"].items():
                assert link["hash"] == states[peer]["in"][name]["hash"]
    return time.monotonic() - began_s


def test_a_ring_of_three_under_random_kills(home: Path) -> None:
    """More than 2,000 messages around, 15 times one to three of the actors killed: each exactly once, hashes equal."""
    seed = random.SystemRandom().randrange(10**6)
    assert RING_MESSAGES > 2_000
    ring(home, seed, 15)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(20))
def test_the_ring_under_many_kills(home: Path, seed: int) -> None:
    """Sixty rounds of kills in each of twenty seeds."""
    ring(home, seed, 60)


def pause(pair: Town, seconds: float) -> None:
    """Stop the receiver for a while as messages come, and let it go on."""
    pair.signal("taker", signal.SIGSTOP)
    began_s = time.monotonic()
    promised = 0

    def flows() -> bool:
        nonlocal promised
        if promised <= (time.monotonic() - began_s) * 300:
            give(pair, 100)
            promised += 100
        return time.monotonic() - began_s >= seconds

    wait_until(flows, seconds + 5)
    pair.signal("taker", signal.SIGCONT)
    all_taken(pair, promised, 30)


def test_a_stopped_receiver_takes_all_when_it_goes_on(pair: Town) -> None:
    """SIGSTOP for 2.5 s: the sender goes on working, nothing is lost or doubled."""
    pause(pair, 2.5)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_receiver_stopped_for_minutes_takes_all_when_it_goes_on(pair: Town) -> None:
    """SIGSTOP for five minutes: the hellos that pile up in the socket do not end the link."""
    pause(pair, 300)


def test_a_connection_that_takes_no_more_is_used_again_later(home: Path) -> None:
    """A full socket is not a lost one: no event will say that it stands again, so the sender says hello itself."""
    settings = defaults(home=home)
    process = Process(Giver, settings, ("taker",))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    inbox = context.socket(zmq.ROUTER)
    inbox.bind(address(socket_folder(settings.run_folder), "taker", "in"))
    link = process.links.out["taker"]

    def hello() -> wire.Hello | None:
        process.turn()
        while inbox.poll(0):
            data = inbox.recv_multipart()[1]
            if data != b"filler":
                frame = wire.unpack_frame(data)
                assert isinstance(frame, wire.Hello)
                return frame
        return None

    first = wait_until(hello, 5)
    inbox.send_multipart([b"giver", wire.pack_welcome(b"e" * 8, first.link_epoch, 0, wire.ZERO_HASH)])
    wait_until(lambda: process.turn() or link.live, 5)
    dealer = process.bus._dealers["taker"]

    def full() -> bool:
        """Send until the socket takes no more; whether it took nothing at all."""
        count = 0
        with suppress(zmq.Again):
            while True:
                dealer.send(b"filler", zmq.NOBLOCK)
                count += 1
        return count == 0

    wait_until(full, 10)
    process.actor.dripping = 5
    wait_until(lambda: process.turn() or link.unacked == 5, 5)
    assert not link.live
    wait_until(lambda: hello(), 5, "hello on the same connection")
    process.bus.close()
    process.store.close()
    context.destroy(linger=0)


# -- hostile frames


@pytest.fixture
def stranger(pair: Town) -> Iterator[zmq.Socket[bytes]]:
    """A socket connected to the taker's inbox as `stranger`."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, b"stranger")
    socket.connect(address(socket_folder(pair.settings.run_folder), "taker", "in"))
    yield socket
    context.destroy(linger=0)


def rejected(pair: Town, reason: str) -> int:
    """How many frames the taker rejected for a reason."""
    return int(pair.ask("taker", "status")["rejected"].get(reason, 0))


def test_a_strangers_frames_are_counted_and_the_next_good_message_arrives(pair: Town,
                                                                          stranger: zmq.Socket[bytes]) -> None:
    """Well-formed or not, whoever is not a declared sender changes nothing."""
    stranger.send(wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1))
    stranger.send(b"")
    stranger.send_multipart([b"a", b"b", b"c"])
    wait_until(lambda: rejected(pair, "stranger") == 3)
    give(pair, 1)
    all_taken(pair, 1)


@pytest.mark.parametrize(("data", "reason"), [
    ([b"\xc1garbage"], "not_msgpack"), ([b""], "not_msgpack"), ([b"a", b"b"], "wrong_parts"),
    ([msgpack.packb([9, "hello"])], "wrong_protocol"), ([b"\x91" * 100_000], "not_msgpack"),
    ([wire.pack_ack(b"l" * 8, 1, b"h" * 16)], "wrong_direction"),
    ([msgpack.packb([1, "data", 5])], "wrong_fields")])
def test_a_known_peers_garbage_is_counted_by_reason_and_the_link_goes_on(home: Path, data: list[bytes],
                                                                         reason: str) -> None:
    """The identity of a sender does not make its bytes good; a real message after them is handled."""
    with town(home, Giver, Taker) as made:
        made.start("taker")
        made.ready("taker")
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.IDENTITY, b"giver")
        socket.connect(address(socket_folder(made.settings.run_folder), "taker", "in"))
        for _ in range(3):
            socket.send_multipart(data)
        wait_until(lambda: rejected(made, reason) == 3)
        body = msgpack.packb({"item_id": "item1", "number": 1})
        socket.send(wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1))
        socket.send(wire.pack_data(b"l" * 8, (1, b"i" * 16, "item1", "Parcel", 1, 5, body)))
        socket.send(wire.pack_data(b"l" * 8, (2, b"j" * 16, "item2", "Parcel", 1, 5, b"\x80")))
        answers = [wire.unpack_frame(socket.recv()) for _ in range(2) if socket.poll(5_000)]
        assert isinstance(answers[0], wire.Welcome)
        wait_until(lambda: taken(made) == 1)
        wait_until(lambda: made.rows("taker", "SELECT reason FROM dead") == [["invalid:invalid_field"]])
        assert made.ask("taker", "integrity")["in"]["giver"]["last"] == 2
        context.destroy(linger=0)


def test_an_oversized_frame_cuts_its_sender_off_and_nobody_else(pair: Town, stranger: zmq.Socket[bytes]) -> None:
    """1 MiB is the limit of the socket; the next good message of another peer arrives."""
    monitor = stranger.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    stranger.send(bytes(wire.FRAME_LIMIT_BYTES + 1))
    assert monitor.poll(5_000)
    stranger.disable_monitor()
    give(pair, 2)
    all_taken(pair, 2)


def test_bytes_that_are_not_zeromq_change_nothing(pair: Town) -> None:
    """A hundred connections with random bytes straight to the socket file."""
    import socket

    chance = random.Random(5)
    path = address(socket_folder(pair.settings.run_folder), "taker", "in").removeprefix("ipc://")
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(path)
            raw.send(chance.randbytes(chance.randrange(1, 500)))
    give(pair, 2)
    all_taken(pair, 2)


@pytest.mark.parametrize("stays", [False, True], ids=["and goes", "and stays for a while"])
def test_a_sender_whose_name_was_taken_recovers_by_itself(pair: Town, stays: bool) -> None:
    """Somebody connects under its name: the receiver hears only him until the sender has connected anew."""
    give(pair, 5)
    all_taken(pair, 5)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = plain_socket(context, zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, b"giver")
    socket.connect(address(socket_folder(pair.settings.run_folder), "taker", "in"))
    socket.send(b"not a frame")
    wait_until(lambda: rejected(pair, "not_msgpack") == 1)
    try:
        if not stays:
            context.destroy(linger=0)
        give(pair, 5)
        all_taken(pair, 10)
    finally:
        context.destroy(linger=0)


def test_a_message_that_cannot_be_handled_does_not_hold_up_the_link(pair: Town) -> None:
    """A thousand dead letters later the link still works."""
    path = address(socket_folder(pair.settings.run_folder), "taker", "in")
    give(pair, 3)
    all_taken(pair, 3)
    pair.stop("giver")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = plain_socket(context, zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, b"giver")
    socket.connect(path)
    socket.send(wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1))
    for seq in range(1, 201):
        socket.send(wire.pack_data(b"l" * 8, (seq, seq.to_bytes(16), f"bad{seq}", "Parcel", 1, 5, b"\x80")))
    wait_until(lambda: pair.number("taker", "SELECT count(*) FROM dead") == 200)
    context.destroy(linger=0)
    pair.start("giver")
    give(pair, 3)
    wait_until(lambda: taken(pair) == 6)
    assert pair.ask("taker", "status")["dead"] == 200


# -- damage


def test_rows_that_went_with_the_log_are_sent_again(pair: Town) -> None:
    """Killed, and its log removed: the taker goes on from an earlier commit, says so, and gets the rest once more."""
    give(pair, 100)
    all_taken(pair, 100)
    pair.stop("taker")  # what it has is in the file now
    pair.start("taker")
    pair.ready("taker")
    give(pair, 150)
    all_taken(pair, 250)
    pair.kill("taker")
    (pair.settings.database_folder / "taker.db-wal").unlink()
    pair.start("taker")
    wait_until(lambda: taken(pair) == 250, 15, "what was lost is there again")
    assert pair.rows("taker", "SELECT count(DISTINCT number), max(number) FROM seen") == [[250, 250]]
    details = [row[0] for row in pair.rows("taker", "SELECT detail FROM incidents ORDER BY n")]
    assert "the log is gone" in details[0]
    assert pair.ask("taker", "status")["mismatches"] == len(details) >= 2
    assert pair.ask("taker", "status")["set_aside"] == ""


def test_a_database_that_vanishes_under_its_process_is_begun_anew(pair: Town) -> None:
    """The process ends by itself within the time of a look, leaves word, and the next one has everything again."""
    give(pair, 100)
    all_taken(pair, 100)
    folder = pair.settings.database_folder
    (folder / "taker.db").unlink()
    assert exit_code(pair.pids.pop("taker"), 60) == 1
    assert "no longer in its place" in (folder / "taker.suspect").read_text()
    pair.start("taker")
    wait_until(lambda: taken(pair) == 100, 15, "all of it again")
    assert pair.ask("taker", "status")["set_aside"].startswith("taker-")
    assert [path.name for path in (folder / "aside").iterdir()] == [pair.ask("taker", "status")["set_aside"]]


def test_a_bad_answer_to_integrity_begins_the_set_aside(pair: Town) -> None:
    """The asker is told what is wrong; the process ends, and the next one has everything again in a new database."""
    give(pair, 100)
    all_taken(pair, 100)
    pair.stop("taker")  # what it has is in the file now
    pair.start("taker")
    pair.ready("taker")
    file = pair.settings.database_folder / "taker.db"
    data = file.read_bytes()
    with file.open("r+b") as writing:  # in place, as a bad disk does it
        writing.seek(2 * 4096)
        writing.write(b"\xee" * (len(data) - 2 * 4096))
    try:
        assert pair.ask("taker", "integrity")["integrity"] != "ok"
    except UnavailableError as error:  # where SQLite cannot even check
        assert "malformed" in str(error)  # noqa: PT017
    assert exit_code(pair.pids.pop("taker"), 5) == 1
    assert "integrity: " in (pair.settings.database_folder / "taker.suspect").read_text()
    pair.start("taker")
    wait_until(lambda: taken(pair) == 100, 15, "all of it again")
    assert pair.ask("taker", "status")["set_aside"].startswith("taker-")


# -- ends


def test_sigterm_drains(pair: Town) -> None:
    """Exit code 0, a clean mark, no lock, no WAL, what was queued handed over."""
    give(pair, 200)
    wait_until(lambda: pair.number("giver", "SELECT count(*) FROM given") > 0)
    assert pair.stop("giver") == 0
    files = os.listdir(pair.settings.database_folder)
    assert [name for name in sorted(files) if name.startswith("giver")] == ["giver.db", "giver.id"]
    lines = (pair.settings.log_folder / "giver.jsonl").read_text()
    assert '"event": "stopped"' in lines
    pair.start("giver")
    pair.ready("giver")
    wait_until(lambda: started(pair, "giver")[1:], what="the second start in the log")
    assert '"clean": true' in started(pair, "giver")[1]
    given = int(pair.number("giver", "SELECT count(*) FROM given"))
    all_taken(pair, given)


def test_a_drain_does_not_wait_for_a_stopped_peer(pair: Town) -> None:
    """What is not acknowledged stays in the outbox and goes out next time."""
    pair.signal("taker", signal.SIGSTOP)
    give(pair, 100)
    wait_until(lambda: pair.ask("giver", "status")["outbox"] == 100)
    began_s = time.monotonic()
    assert pair.stop("giver") == 0
    assert time.monotonic() - began_s < 1.5
    pair.signal("taker", signal.SIGCONT)
    pair.start("giver")
    all_taken(pair, 100)


def test_a_second_process_of_an_actor_is_refused_and_disturbs_nothing(pair: Town) -> None:
    """75 at once; the first one's sockets go on working."""
    first = pair.pids["taker"]
    pair.start("taker")
    assert exit_code(pair.pids["taker"], 1.0) == OwnedElsewhere.exit_code
    pair.pids["taker"] = first
    give(pair, 5)
    all_taken(pair, 5)


def test_an_unclean_end_is_in_the_log_of_the_next_start(pair: Town) -> None:
    """After kill -9 the actor says so."""
    pair.kill("taker")
    pair.start("taker")
    pair.ready("taker")
    wait_until(lambda: started(pair, "taker")[1:], what="the second start in the log")
    assert '"clean": false' in started(pair, "taker")[1]


def test_a_home_with_a_long_path_works() -> None:
    """Sockets are reached through a short link where the path is too long for a socket address."""
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        deep = Path(folder).joinpath(*["a-rather-long-name"] * 10)
        alias = socket_folder(deep / "run")
        assert alias != deep / "run"
        try:
            with town(deep, Giver, Taker) as pair:
                pair.start()
                pair.ready()
                give(pair, 10)
                all_taken(pair, 10)
                assert Path(os.readlink(alias)) == deep / "run"
        finally:
            alias.unlink()


def test_an_unusable_home_ends_with_the_code_of_a_configuration_error(home: Path) -> None:
    """A file where the folder of the logs should be: 78, no traceback."""
    (home / "logs").write_text("")
    with town(home, Taker) as made:
        made.start()
        assert exit_code(made.pids.pop("taker")) == 78


def test_the_run_folder_belongs_to_the_user_alone(pair: Town) -> None:
    """0700, whatever the umask."""
    assert pair.settings.run_folder.stat().st_mode & 0o777 == 0o700


def test_an_actor_that_is_gone_does_not_answer(home: Path) -> None:
    """UnavailableError within the time-out, with a question that helps."""
    (home / "run").mkdir(parents=True)
    with Control(home / "run") as control:
        began_s = time.monotonic()
        with pytest.raises(UnavailableError, match="taker does not answer; is it running"):
            control.ask("taker", "ping", 0.2)
        assert time.monotonic() - began_s < 1


def test_parcels_of_the_largest_size_pass(home: Path) -> None:
    """A body near the limit of 512 KiB goes through the sockets as it is."""
    class Heavy(Giver):
        """Gives parcels of 500 KB."""

        def drip(self, db: object) -> Iterator[Parcel]:  # type: ignore[override]
            """One more, if promised."""
            for parcel in super().drip(db):  # type: ignore[arg-type]
                assert isinstance(parcel, Parcel)
                yield Parcel(item_id=parcel.item_id, number=parcel.number, padding="x" * 500_000)

    with town(home, Heavy, Taker) as pair:
        pair.start()
        pair.ready()
        give(pair, 60)
        all_taken(pair, 60)


def test_the_end_of_a_job_starts_the_next_one_at_once(home: Path) -> None:
    """Jobs that wait for the one worker of their lane follow each other without waiting for the next event."""
    process = Process(Taker, defaults(home=home), ())
    process._timers.clear()
    jobs = process.engine.jobs
    with process.store.transaction() as db:
        for number in range(20):
            jobs.add(db, Job("errand", Errand("apply", number), lane="one"), 0)

    def done() -> bool:
        process.turn()
        return process.store.db.execute("SELECT count(*) FROM jobs").fetchone() == (0,)

    wait_until(done, 5, "20 jobs; one a second if each waited for the loop's idle tick")
    process.bus.close()
    process.store.close()


def test_a_result_that_comes_with_a_full_disk_is_applied_once(home: Path) -> None:
    """A result whose handler failed in a turn that the disk refused is offered again once, as all of that turn is."""
    class Stuffed(Taker):
        """Its timer finds no room on the disk."""

        def tidy(self, db: sqlite3.Connection) -> Iterator[Output]:
            """SQLite refuses to grow, as on a full disk."""
            db.execute("PRAGMA max_page_count = 1")
            db.execute("INSERT INTO seen(item_id, number) VALUES(zeroblob(1000000), 0)")
            yield from ()

    process = Process(Stuffed, defaults(home=home), ())
    jobs = process.engine.jobs
    with process.store.transaction() as db:
        jobs.add(db, Job("errand", Errand("unappliable", 1)), 0)
    process._work(Arrivals(), [])
    finished = wait_until(jobs.finished, 5)
    process._timers["tidy"] = 0.0
    process._work(Arrivals(), finished)
    assert (process._late, jobs.finished()) == (finished, [])
    assert process.store.db.execute("SELECT state FROM jobs").fetchall() == [("running",)]
    process.bus.close()
    process.store.close()
