"""catalyst.runtime.links: the protocol's state on real databases, without sockets (docs/protocol.md)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import Damaged
from catalyst.runtime import wire
from catalyst.runtime.links import CHECKPOINT, IDLE_CHECK_S, STALLED_S, WINDOW
from tests.runtime.ends import End, Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Both ends, connected, nothing said yet."""
    made = Pair(tmp_path)
    yield made
    made.close()


def kinds(frames: list[bytes]) -> dict[str, int]:
    """How many frames of each kind."""
    return dict(Counter(type(wire.unpack_frame(frame)).__name__ for frame in frames))


def whole(pair: Pair, incidents_at_least: int = 0) -> None:
    """All messages were handled exactly once, both ends agree, and the incidents are stored."""
    pair.settle()
    assert sorted(pair.receiver.seen()) == list(range(1, pair.sender.given() + 1))
    assert len(pair.sender.incidents()) + len(pair.receiver.incidents()) >= incidents_at_least


# -- the normal flow


def test_hello_first_then_data_then_one_ack(pair: Pair) -> None:
    """No data before the welcome; a turn's messages are acknowledged once; first contact is no mismatch."""
    pair.sender.give(5)
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Hello": 1}
    pair.receiver.hear(pair.there())
    assert kinds(pair.receiver.out) == {"Welcome": 1}
    pair.sender.hear(pair.back())
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Data": 5}
    pair.receiver.hear(pair.there())
    assert kinds(pair.receiver.out) == {"Ack": 1}
    pair.sender.hear(pair.back())
    assert pair.agree()
    assert pair.receiver.seen() == [1, 2, 3, 4, 5]
    assert pair.sender.incidents() == pair.receiver.incidents() == []


def test_messages_queued_on_a_live_link_leave_in_the_same_turn_and_once(pair: Pair) -> None:
    """What a handler yields is sent from memory; reading the outbox as well does not send it twice."""
    pair.settle()
    for count in (1, 3, WINDOW, 2):
        pair.sender.give(count)
        pair.sender.pump()
        assert kinds(pair.sender.out) == {"Data": count}
        pair.round()
        assert pair.agree()


def test_the_window_bounds_what_is_in_flight(pair: Pair) -> None:
    """More than 256 are not sent without an acknowledgement, however many wait; all arrive in order."""
    pair.settle()
    pair.sender.give(2 * WINDOW + 10)
    for expected in (WINDOW, WINDOW, 10):
        pair.sender.pump()
        pair.sender.pump()
        assert kinds(pair.sender.out) == {"Data": expected}
        pair.round()
    assert pair.agree()
    assert pair.receiver.seen() == list(range(1, 2 * WINDOW + 11))


def test_an_idle_link_is_checked_each_minute(pair: Pair) -> None:
    """Nothing is said for a minute, then one hello, whose answer changes nothing."""
    pair.settle()
    pair.clock.advance(IDLE_CHECK_S - 1)
    pair.sender.pump()
    assert pair.sender.out == []
    pair.clock.advance(1.5)
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Hello": 1}
    pair.settle()
    assert pair.sender.incidents() == []


def test_an_unanswered_hello_is_repeated(pair: Pair) -> None:
    """After a quarter of a second, not before."""
    pair.sender.pump()
    pair.there()
    pair.clock.advance(0.2)
    pair.sender.pump()
    assert pair.sender.out == []
    pair.clock.advance(0.06)
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Hello": 1}


# -- loss, repetition, order


def test_a_gap_is_asked_for_once_and_filled(pair: Pair) -> None:
    """One `again` for a gap, however many later messages come; nothing is taken out of order."""
    pair.settle()
    pair.sender.give(10)
    pair.sender.pump()
    frames = pair.there()
    pair.receiver.hear(frames[:3] + frames[4:7])
    assert kinds(pair.receiver.out) == {"Again": 1, "Ack": 1}
    pair.receiver.hear(frames[7:])
    assert kinds(pair.back()) == {"Again": 1, "Ack": 2}
    assert pair.receiver.seen() == [1, 2, 3]


def test_each_further_gap_is_asked_for_again(pair: Pair) -> None:
    """`again` rewinds the sender to the gap; a second gap is another one."""
    pair.settle()
    pair.sender.give(10)
    pair.sender.pump()
    for lost in (2, 5):
        frames = pair.there()
        pair.receiver.hear(frames[:lost] + frames[lost + 1:])
        assert kinds(pair.receiver.out)["Again"] == 1
        pair.sender.hear(pair.back())
        pair.sender.pump()
    assert len(pair.sender.out) == 3
    whole(pair)
    assert pair.sender.incidents() == []


def test_a_duplicate_is_dropped_and_acknowledged_again(pair: Pair) -> None:
    """A frame that came before changes nothing and names the committed sequence."""
    pair.settle()
    pair.sender.give(3)
    pair.sender.pump()
    frames = pair.there()
    pair.receiver.hear(frames * 3)
    pair.receiver.hear(frames[:1])
    last = [wire.unpack_frame(frame) for frame in pair.back()][-1]
    assert isinstance(last, wire.Ack)
    assert last.last_seq == 3
    assert pair.receiver.seen() == [1, 2, 3]


def test_a_lost_acknowledgement_does_no_harm(pair: Pair) -> None:
    """After a second without one the sender says hello, and the welcome acknowledges."""
    pair.settle()
    pair.sender.give(3)
    pair.sender.pump()
    pair.receiver.hear(pair.there())
    pair.back()
    pair.clock.advance(STALLED_S + 0.01)
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Hello": 1}
    pair.receiver.hear(pair.there())
    pair.sender.hear(pair.back())
    assert pair.agree()


def test_lost_frames_are_sent_again_after_a_second(pair: Pair) -> None:
    """The welcome that names less than was sent before the hello rewinds the sender."""
    pair.settle()
    pair.sender.give(4)
    pair.sender.pump()
    pair.there()
    pair.clock.advance(STALLED_S + 0.01)
    pair.round()
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Data": 4}
    whole(pair)


def test_acknowledged_rows_stay_with_their_times_for_the_retention(pair: Pair) -> None:
    """Rows are marked, not deleted; `prune` deletes them after the retention, and inbox ids after twice that."""
    pair.settle()
    pair.sender.give(3)
    pair.round()
    rows = pair.sender.store.db.execute("SELECT sent_ms, acked_ms FROM outbox").fetchall()
    assert rows == [(pair.clock.now_ms(), pair.clock.now_ms())] * 3

    def prune(end: End) -> int:
        return end.links.prune(end.store.db, 1_000, end.actor.time)

    for end, wait_s in ((pair.sender, 1), (pair.receiver, 0.999)):
        pair.clock.advance(wait_s)
        assert prune(end) == 0
        pair.clock.advance(0.001)
        assert prune(pair.sender) == (3 if end is pair.sender else 0)
    assert prune(pair.receiver) == 3
    pair.sender.give(1)
    whole(pair)


@pytest.mark.parametrize("prune", [False, True])
def test_the_state_of_a_link_outlives_kills_and_the_rows_it_is_read_from(pair: Pair, prune: bool) -> None:
    """Also when the last row of every table is gone, so that their numbers begin anew; no message is handled twice."""
    for _ in range(3):
        pair.settle()
        pair.sender.give(CHECKPOINT // 2 - 1)
        pair.settle()
        sequence = pair.sender.link.acked_seq
        for end in (pair.sender, pair.receiver):
            if prune:
                pair.clock.advance(0.001)
                with end.store.transaction() as db:
                    end.links.prune(db, 0, end.actor.time)
                assert end.store.db.execute("SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM outbox)"
                                            ).fetchone() == (0,)
            end.kill()
            end.open()
        assert (pair.sender.link.acked_seq, pair.receiver.links.inn["giver"].last_seq) == (sequence, sequence)
        assert pair.sender.link.hash == pair.sender.link.acked_hash == pair.receiver.links.inn["giver"].hash
        pair.connect()
    whole(pair)
    assert pair.sender.incidents() == pair.receiver.incidents() == []


def test_messages_that_are_only_passed_over_are_remembered(pair: Pair) -> None:
    """Known ids under a new link epoch leave no row, yet the receiver does not take them again after a kill."""
    pair.sender.give(5)
    pair.settle()
    pair.sender.replace(None)
    pair.connect()
    pair.sender.give(5)
    pair.settle()
    pair.receiver.kill()
    pair.receiver.open()
    assert pair.receiver.links.inn["giver"].last_seq == 5
    pair.connect()
    pair.sender.give(1)
    whole(pair)
    assert len(pair.sender.incidents()) + len(pair.receiver.incidents()) == 1


def test_what_is_not_acknowledged_is_never_pruned(pair: Pair) -> None:
    """A peer may be away for longer than the retention."""
    pair.sender.give(3)
    given_ms = pair.clock.now_ms()
    pair.clock.advance(10**7)
    assert pair.sender.links.prune(pair.sender.store.db, 0, pair.sender.actor.time) == 0
    assert pair.sender.links.backlog(pair.sender.store.db) == (3, given_ms)


# -- restarts and refused transactions


def test_acknowledgements_survive_the_senders_restart(pair: Pair) -> None:
    """A new process sends what was not acknowledged and nothing else."""
    pair.settle()
    pair.sender.give(3)
    pair.round()
    pair.sender.give(2)
    pair.sender.kill()
    pair.sender.open()
    pair.connect()
    pair.round()
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Data": 2}
    whole(pair)
    assert pair.sender.incidents() == pair.receiver.incidents() == []


@pytest.mark.parametrize("victim", ["sender", "receiver"])
def test_a_kill_between_commit_and_acknowledgement_repeats_nothing(pair: Pair, victim: str) -> None:
    """The receiver has committed, its ack is lost with a process: no message is handled twice."""
    pair.settle()
    pair.sender.give(4)
    pair.sender.pump()
    pair.receiver.hear(pair.there())
    end = getattr(pair, victim)
    end.kill()
    end.open()
    pair.connect()
    whole(pair)
    assert pair.sender.incidents() == pair.receiver.incidents() == []


def test_a_refused_commit_at_the_receiver_is_as_if_nothing_came(pair: Pair) -> None:
    """No ack leaves; the rows and the memory are those of before; the sender asks and sends again."""
    pair.settle()
    pair.sender.give(4)
    pair.sender.pump()
    pair.receiver.hear(pair.there(), fail=True)
    assert pair.receiver.out == []
    assert pair.receiver.seen() == []
    assert pair.receiver.links.inn["giver"].last_seq == 0
    pair.clock.advance(STALLED_S)
    whole(pair)
    assert pair.sender.incidents() == []


def test_a_refused_commit_at_the_sender_queues_nothing(pair: Pair) -> None:
    """What was packed for sending in a refused turn never leaves."""
    pair.settle()
    pair.sender.give(4, fail=True)
    pair.sender.pump()
    assert kinds(pair.sender.out) == {"Hello": 1}
    pair.sender.give(2)
    whole(pair)
    assert pair.receiver.seen() == [1, 2]


def test_a_refused_commit_of_an_acknowledgement_is_made_up(pair: Pair) -> None:
    """The ack is forgotten with the turn; the next welcome brings it again."""
    pair.settle()
    pair.sender.give(4)
    pair.sender.pump()
    pair.receiver.hear(pair.there())
    pair.sender.hear(pair.back(), fail=True)
    assert pair.sender.link.unacked == 4
    whole(pair)
    assert pair.sender.incidents() == []


# -- mismatches


def test_a_sender_rolled_back_by_ten_commits(pair: Pair, tmp_path: Path) -> None:
    """What it lost it makes again, with the same ids; the receiver drops what it knows and takes what is new."""
    pair.settle()
    pair.sender.give(2, commits=5)
    pair.settle()
    pair.sender.copy_to(tmp_path / "copy.db")
    pair.sender.give(2, commits=10)
    pair.settle()
    assert pair.receiver.seen() == list(range(1, 31))
    pair.sender.replace(tmp_path / "copy.db")
    pair.connect()
    assert pair.sender.given() == 10
    pair.settle()
    assert len(pair.sender.incidents()) == 1
    assert "receiver has 30" in pair.sender.incidents()[0]
    pair.sender.give(25)
    whole(pair, 1)


def test_a_rolled_back_sender_that_made_the_same_again_before_it_was_asked(pair: Pair, tmp_path: Path) -> None:
    """The same bytes under the same sequences are no mismatch: both ends already agree."""
    pair.sender.give(3)
    pair.settle()
    pair.sender.copy_to(tmp_path / "copy.db")
    pair.sender.give(3)
    pair.settle()
    pair.sender.replace(tmp_path / "copy.db")
    pair.sender.give(5)
    pair.connect()
    whole(pair)
    assert pair.sender.incidents() == pair.receiver.incidents() == []


def test_a_rolled_back_sender_that_is_ahead_again_is_found_by_the_hash(pair: Pair, tmp_path: Path) -> None:
    """It makes other messages than before under the same sequences: only the hash tells."""
    pair.sender.give(3)
    pair.settle()
    pair.sender.copy_to(tmp_path / "copy.db")
    pair.sender.give(2)
    pair.settle()
    pair.sender.replace(tmp_path / "copy.db")
    with pair.sender.store.transaction() as db:
        db.execute("INSERT INTO given(number) VALUES(100)")
    pair.sender.give(4)
    pair.connect()
    pair.settle()
    assert sorted(pair.receiver.seen()) == [1, 2, 3, 4, 5, 101, 102, 103, 104]
    assert len(pair.sender.incidents()) == 1
    assert "differs" in pair.sender.incidents()[0]


@pytest.mark.parametrize("waiting", [0, 5])
def test_a_sender_whose_database_was_set_aside(pair: Pair, waiting: int) -> None:
    """A new link epoch from a known sender: taken over, an incident at the receiver, known ids dropped."""
    pair.sender.give(10)
    pair.settle()
    pair.sender.replace(None)
    pair.connect()
    pair.sender.give(10 + waiting)
    whole(pair)
    assert len(pair.receiver.incidents()) == 1
    assert "new link epoch after 10" in pair.receiver.incidents()[0]


def test_a_receiver_rolled_back(pair: Pair, tmp_path: Path) -> None:
    """It is behind its own acknowledgement: everything that is held goes out again, nothing is handled twice."""
    pair.sender.give(10)
    pair.settle()
    pair.receiver.copy_to(tmp_path / "copy.db")
    pair.sender.give(2, commits=10)
    pair.settle()
    pair.receiver.replace(tmp_path / "copy.db")
    pair.connect()
    pair.sender.give(3)
    whole(pair, 2)


def test_a_receiver_whose_database_was_set_aside(pair: Pair) -> None:
    """All that the sender holds is made up to an empty receiver."""
    pair.sender.give(300)
    pair.settle()
    pair.receiver.replace(None)
    pair.connect()
    pair.sender.give(3)
    whole(pair, 1)
    assert pair.receiver.seen() == list(range(1, 304))


@pytest.mark.parametrize(("end", "sql"), [
    ("sender", "UPDATE links_out SET hash = zeroblob(16)"),
    ("sender", "UPDATE links_out SET acked_hash = zeroblob(16)"),
    ("receiver", "UPDATE links_in SET hash = zeroblob(16)"),
    ("receiver", "UPDATE links_in SET last_seq = last_seq - 1"),
    ("receiver", "UPDATE links_in SET last_seq = last_seq + 9"),
    ("receiver", "UPDATE inbox SET hash = zeroblob(16) WHERE seq = 10"),
    ("receiver", "UPDATE inbox SET seq = 9 WHERE seq = 10"),
    ("receiver", "UPDATE inbox SET seq = 19 WHERE seq = 10"),
])
def test_a_changed_link_row_is_found_and_settled(pair: Pair, end: str, sql: str) -> None:
    """Bytes that changed on a disk, on either side, in the checkpoint or in the rows after it, end as an incident."""
    pair.sender.give(10)
    pair.settle()
    pair.sender.give(3)
    changed = getattr(pair, end)
    if "links" in sql:
        changed.links.needs_flush = True
        changed.turn(lambda db: None)
    changed.store.db.execute(sql)
    changed.kill()
    changed.open()
    pair.connect()
    whole(pair, 1)
    pair.sender.give(3)
    whole(pair)


@pytest.mark.parametrize("sql", ["UPDATE outbox SET body = X'80' WHERE seq = 2",
                                 "UPDATE outbox SET id = zeroblob(16) WHERE seq = 2",
                                 "UPDATE outbox SET hash = zeroblob(16) WHERE seq = 2",
                                 "DELETE FROM outbox WHERE seq = 2", "DELETE FROM outbox WHERE seq > 1"])
def test_a_row_changed_in_the_outbox_never_leaves(pair: Pair, sql: str) -> None:
    """What is read back from the disk for sending is compared with its hash: the sender's database is damaged."""
    pair.settle()
    pair.sender.links.disconnected(pair.sender.link)
    pair.sender.give(3)
    pair.sender.store.db.execute(sql)
    pair.sender.links.connected(pair.sender.link)
    with pytest.raises(Damaged, match="message 2 is"):
        pair.settle()
    pair.receiver.hear(frame for frame in pair.there() if isinstance(wire.unpack_frame(frame), wire.Data))
    assert pair.receiver.seen() in ([], [1])


@pytest.mark.parametrize("sql", ["UPDATE outbox SET body = X'80' WHERE seq = 7",
                                 "UPDATE outbox SET hash = zeroblob(16) WHERE seq = 7"])
def test_a_changed_row_is_not_blessed_with_a_new_hash(pair: Pair, sql: str) -> None:
    """A resend numbers and hashes all rows anew: not without having compared them with the former hashes."""
    pair.sender.give(10)
    pair.settle()
    pair.receiver.replace(None)
    pair.sender.store.db.execute(sql)
    pair.connect()
    with pytest.raises(Damaged, match=r"message [78] is not what was queued"):
        pair.settle()
    assert pair.receiver.seen() == []


@pytest.mark.parametrize("victim", ["sender", "receiver"])
def test_a_log_that_lost_its_last_commits_is_made_up(pair: Pair, victim: str) -> None:
    """Frames that are gone up to the end of an earlier commit show nowhere in the file: the neighbour knows."""
    pair.sender.give(3, commits=4)
    pair.settle()
    end = getattr(pair, victim)
    wal = Path(f"{end.store.path}-wal")
    kept = wal.read_bytes()
    for _ in range(4):
        pair.sender.give(3)
        pair.settle()
    database = end.store.path.read_bytes()
    end.kill()
    end.store.path.write_bytes(database)
    wal.write_bytes(kept)
    end.open()
    assert (end.store.set_aside, end.store.rows_lost) == ("", "")
    pair.connect()
    pair.settle()
    assert end.incidents()
    pair.sender.give(24 - pair.sender.given())
    whole(pair, 1)
    assert end.actor.losses == 1


@pytest.mark.parametrize(("victim", "losses"), [("sender", (1, 0)), ("receiver", (0, 1))])
def test_who_lost_rows_is_told_before_they_come_again(pair: Pair, tmp_path: Path, victim: str,
                                                      losses: tuple[int, int]) -> None:
    """The end that lost rows learns of it from what the other one knows; the other end is told nothing."""
    pair.sender.give(10)
    pair.settle()
    end = getattr(pair, victim)
    end.copy_to(tmp_path / "copy.db")
    pair.sender.give(5)
    pair.settle()
    end.replace(tmp_path / "copy.db")
    pair.connect()
    pair.round()
    assert (pair.sender.actor.losses, pair.receiver.actor.losses) == losses
    pair.settle()
    pair.sender.give(15 - pair.sender.given())
    whole(pair, 1)
    assert (pair.sender.actor.losses, pair.receiver.actor.losses) == losses


def test_frames_of_another_link_epoch_change_nothing(pair: Pair) -> None:
    """Data, acks and welcomes of an epoch of before are left alone by both sides."""
    pair.sender.give(2)
    pair.settle()
    old = b"x" * 8
    before = (pair.sender.link.acked_seq, pair.receiver.links.inn["giver"].last_seq)
    pair.receiver.hear([wire.pack_data(old, (3, b"i" * 16, "item", "Parcel", 1, 5, b"\x80"))])
    pair.sender.hear([wire.pack_ack(old, 9, b"h" * 16), wire.pack_again(old, 0),
                      wire.pack_welcome(b"e" * 8, old, 0, wire.ZERO_HASH)])
    assert (pair.sender.link.acked_seq, pair.receiver.links.inn["giver"].last_seq) == before
    assert pair.sender.incidents() == pair.receiver.incidents() == []
    pair.sender.give(1)
    whole(pair)


def test_an_acknowledgement_of_what_was_never_queued_is_a_mismatch(pair: Pair) -> None:
    """A receiver that claims more than there is does not make messages vanish."""
    pair.settle()
    pair.sender.give(2)
    pair.sender.pump()
    pair.sender.hear([wire.pack_ack(pair.sender.link.link_epoch, 50, b"h" * 16)])
    assert len(pair.sender.incidents()) == 1
    assert pair.sender.link.unacked == 2
    whole(pair)


STEPS = st.lists(st.tuples(st.sampled_from(["give", "give", "there", "there", "back", "back", "time", "kill", "refuse",
                                            "cut"]), st.integers(0, 2**16)), min_size=15, max_size=60)


@settings(max_examples=100)
@given(steps=STEPS, source=st.randoms(use_true_random=False))
def test_whatever_the_network_and_the_processes_do_all_arrives_once(tmp_path_factory: pytest.TempPathFactory,
                                                                    steps: list[tuple[str, int]],
                                                                    source: random.Random) -> None:
    """Frames lost, doubled and out of order, kills, refused commits and cut connections: both ends agree in the end."""
    with closing(Pair(tmp_path_factory.mktemp("pair"))) as pair:
        for what, amount in steps:
            end = pair.sender if amount % 2 else pair.receiver
            if what == "give":
                pair.sender.give(amount % 40, fail=amount % 7 == 0)
                pair.sender.pump()
            elif what in ("there", "back"):
                frames = pair.there() if what == "there" else pair.back()
                frames = [frame for frame in frames for _ in range(source.choice((0, 1, 1, 1, 1, 2)))]
                if amount % 5 == 0:
                    source.shuffle(frames)
                (pair.receiver if what == "there" else pair.sender).hear(frames, fail=amount % 11 == 0)
                pair.sender.pump()
            elif what == "time":
                pair.clock.advance(amount % 1500 / 1000)
                pair.sender.pump()
            elif what == "kill":
                end.kill()
                end.open()
                pair.connect()
            elif what == "refuse":
                end.turn(lambda db: None, fail=True)
            else:
                pair.connect()
        whole(pair)
