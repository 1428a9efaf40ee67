"""Addresses of CATALYST_NOTIFY through apprise itself: no address keeps its worker for longer than a job may last."""

from __future__ import annotations

import threading

import pytest

from catalyst.clients.notify import post
from catalyst.clock import SystemClock
from tests.receiver import Answer, Got, Receiver

pytest.importorskip("apprise", reason="the extra [notify] is not installed")

CLOCK = SystemClock()


def test_what_takes_too_long_is_left_behind() -> None:
    """Whatever an address waits for, by its name or by its own settings: it may have arrived, and the sink goes on."""
    gate = threading.Event()

    def late(got: Got) -> Answer:
        gate.wait(10)
        return Answer(200, b"")

    with Receiver(late) as receiver:
        sent = post(CLOCK, f"json://{receiver.url.removeprefix('http://')}/x", "title", "body", deadline_s=0.2)
        gate.set()
        assert (sent.outcome, sent.status, sent.reason) == ("ambiguous", None, "timeout")
        assert sent.done_ms - sent.begun_ms < 5_000


def test_an_address_of_several_targets() -> None:
    """Apprise's own pause between them, seconds each, is cut to what a job may last."""
    with Receiver(lambda got: Answer(200, {})) as receiver:
        sent = post(CLOCK, f"ntfy://{receiver.url.removeprefix('http://')}/a/b/c/d", "title", "body", deadline_s=2.0)
        assert (sent.outcome, len(receiver.got)) == ("delivered", 4)
