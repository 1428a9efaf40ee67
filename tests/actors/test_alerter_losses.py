"""The alerter after its database was lost, or rows of it: what may have been posted already is asked of the tracker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgpack
import pytest
import zmq

from catalyst.messages import AlertPosted
from catalyst.runtime.sockets import address, make_run_folder, plain_socket, socket_folder
from catalyst.testing import START_MS, Bench, same
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, drain, numbered, states
from tests.receiver import Receiver

OLD = same(ALERT, published_ms=START_MS - 400_000, seen_ms=START_MS - 300_000, ready_ms=START_MS - 299_000)


@contextmanager
def tracker(bench: Bench, posted: dict[str, int]) -> Iterator[list[list[str]]]:
    """Somebody who answers `posted` in the tracker's place; the item ids that were asked for."""
    asked: list[list[str]] = []
    folder = bench.settings.run_folder
    make_run_folder(folder)
    context = zmq.Context()
    socket = plain_socket(context, zmq.ROUTER)
    socket.bind(address(socket_folder(folder), "tracker", "ctl"))

    def answer() -> None:
        with suppress(zmq.ContextTerminated), socket:
            while True:
                *peer, request = socket.recv_multipart()
                asked.append(msgpack.unpackb(request)["args"]["item_ids"])
                socket.send_multipart([*peer, msgpack.packb({"ok": True, "posted": posted})])

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield asked
    finally:
        context.term()
        thread.join()


def lose(bench: Bench) -> Bench:
    """The database is gone at the next start."""
    bench.store.abandon()
    Path(bench.store.path).unlink()
    bench.restart()
    assert bench.actor.reborn_ms == bench.clock.now_ms()
    return bench


def marks(receiver: Receiver) -> list[bool]:
    """Of each post to Discord whether it says that it may be a repeat."""
    return ["possible repeat" in got.json["embeds"][0]["footer"]["text"] for got in receiver.got
            if got.path.startswith("/discord") and got.method == "POST"]


def test_a_first_database_doubts_nothing(make: Callable[..., Bench], receiver: Receiver) -> None:
    """What is older than the first start is posted at once and unmarked."""
    bench = make("discord")
    bench.send(OLD)
    drain(bench)
    assert marks(receiver) == [False]


@pytest.mark.parametrize(("posted", "expected"), [({"a1": START_MS - 100}, []), ({}, [True])])
def test_what_the_tracker_knows_is_not_posted_again(make: Callable[..., Bench], receiver: Receiver,
                                                    posted: dict[str, int], expected: list[bool]) -> None:
    """Out: written down as delivered, and later wires and charts change nothing. Unknown: posted, and marked."""
    bench = lose(make("discord"))
    with tracker(bench, posted) as asked:
        bench.send(OLD)
        bench.send(JOINED)
        assert [type(message) for message in drain(bench)] == [AlertPosted, AlertPosted]
        bench.send(CHART)
        drain(bench)
    assert asked == [["i1"]]
    assert marks(receiver)[:1] == expected
    if posted:
        assert receiver.got == []
        assert states(bench)[0] == ("discord", 0, "delivered")


def test_a_silent_tracker_delays_and_does_not_stop(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Asked a few times, then the alert goes out as a possible repeat; a kill meanwhile asks again."""
    bench = lose(make("discord"))
    bench.send(OLD)
    bench.interrupt_jobs()
    bench.restart()
    drain(bench)
    assert marks(receiver) == [True]


@pytest.mark.parametrize(("age_ms", "expected"), [(100, [True]), (61_000, [])])
def test_with_two_sinks_the_word_of_one_is_enough_after_a_minute(
        make: Callable[..., Bench], receiver: Receiver, age_ms: int, expected: list[bool]) -> None:
    """The tracker hears of the first sink only: just before the loss Discord may not have had it. The signed webhook
    gets it again under the same key."""
    bench = lose(make("discord", "hook"))
    with tracker(bench, {"a1": START_MS - age_ms}):
        bench.send(OLD)
        drain(bench)
    assert marks(receiver) == expected
    assert [got.headers["idempotency-key"] for got in receiver.got if got.path.startswith("/hook")] == ["a1"]


def test_no_update_bears_the_key_of_another_of_before(make: Callable[..., Bench], receiver: Receiver) -> None:
    """The same wire told again has the key that it had, a correction that is new has one of its own, whatever else
    comes again or does not."""
    bench = make("hook")
    bench.send(OLD)
    bench.send(JOINED)
    drain(bench)
    for messages in ((JOINED,), (CORRECTED,)):
        lose(bench)
        with tracker(bench, {"a1": START_MS - 100}):
            bench.send(OLD)
            drain(bench)
        for message in messages:
            bench.send(message)
        drain(bench)
    keys = [got.headers["idempotency-key"] for got in receiver.got if got.json["event"] == "update"]
    assert keys == [numbered("j1", START_MS)] * 2 + [numbered("c1", START_MS)]
    assert keys[2] not in keys[:2]


@pytest.mark.parametrize("change", [{"published_ms": START_MS - 1}, {"seen_ms": START_MS - 1},
                                    {"ready_ms": START_MS - 1}, {}])
def test_what_is_about_later_events_is_not_doubted(make: Callable[..., Bench], receiver: Receiver,
                                                   change: dict[str, int]) -> None:
    """Only what was published, seen and made after the loss is certain to be new, however often it was made since."""
    bench = lose(make("discord"))
    with tracker(bench, {}) as asked:
        new = same(ALERT, published_ms=START_MS, seen_ms=START_MS, ready_ms=START_MS)
        bench.send(same(new, **change))
        drain(bench)
    assert (marks(receiver), len(asked)) == ([bool(change)], len(change))


def test_rows_that_are_gone_from_a_whole_database_count_as_lost(make: Callable[..., Bench],
                                                                receiver: Receiver) -> None:
    """A link tells that the database is of an earlier commit: from then on what is older is doubted."""
    bench = make("discord")
    bench.links.lost_rows = True
    bench._turn(bench.engine.mind_loss)
    with tracker(bench, {"a1": START_MS - 1}):
        bench.send(OLD)
        drain(bench)
    assert receiver.got == []
    assert states(bench) == [("discord", 0, "delivered")]
