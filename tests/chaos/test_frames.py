"""catalyst.chaos.frames, and what the readers of frames, messages and requests make of it: a reason, nothing else."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.chaos.frames import body, frames, link_frames, requests
from catalyst.errors import MessageError
from catalyst.messages import Message, message_types
from catalyst.packing import unpack
from catalyst.plain import unpack_raw
from catalyst.runtime import wire
from catalyst.runtime.beats import read_beat
from catalyst.runtime.heartbeat import read_request

SEED = 4


def outcomes(count: int) -> Counter[str]:
    """What becomes of so many generated frames: the kind of frame, or the reason of the refusal."""
    found: Counter[str] = Counter()
    for parts in islice(frames(SEED), count):
        try:
            found[type(wire.unpack_frame(parts[-1])).__name__] += 1
        except MessageError as error:
            found[error.reason] += 1
    return found


def test_generated_frames_reach_every_reason_and_raise_nothing_else() -> None:
    """Each kind of frame and each reason for a refusal comes up, so the generator leaves none out."""
    assert outcomes(6_000).keys() == {"Hello", "Welcome", "Data", "Ack", "Again", "not_msgpack", "not_a_frame",
                                      "wrong_protocol", "unknown_frame", "wrong_fields", "too_big"}


def test_the_seed_repeats_the_frames() -> None:
    """The same seed, the same bytes; another one, others."""
    assert list(islice(frames(SEED), 200)) == list(islice(frames(SEED), 200)) != list(islice(frames(5), 200))
    assert list(islice(requests(SEED), 200)) == list(islice(requests(SEED), 200))


def test_generated_requests_are_read_or_refused() -> None:
    """The reader of the control socket: a verb with a map of arguments, or a reason."""
    found: Counter[str] = Counter()
    for parts in islice(requests(SEED), 4_000):
        try:
            verb, arguments = read_request(parts[-1])
            assert isinstance(verb, str)
            assert isinstance(arguments, dict)
            found["read"] += 1
        except MessageError as error:
            found[error.reason] += 1
    assert found.keys() == {"read", "not_msgpack", "wrong_request", "too_big"}


def test_a_mad_peers_link_has_every_kind_of_sequence() -> None:
    """In sequence, repeated, with a gap, out of range: the first is what the receiver must bury and acknowledge."""
    chance = random.Random(SEED)
    seqs = [unpack_raw(data)[3] for data in islice(link_frames(chance, 400), 1, None)]
    assert {-1, 2**64 - 1, wire.MAX_SEQ, 1} <= set(seqs)
    assert len(seqs) > len(set(seqs))


OURS = {name: kind for name, kind in message_types().items() if kind.__module__ == "catalyst.messages"}  # no test's own


@pytest.mark.parametrize("kind", OURS.values(), ids=OURS)
def test_generated_bodies_are_messages_or_refused(kind: type[Message]) -> None:
    """No body of fuzz raises anything but MessageError, whatever type and version it claims."""
    chance = random.Random(SEED)
    found = set()
    for _ in range(300):
        try:
            unpack(kind.__name__, chance.choice((0, 1, 1, 1, 2)), body(chance), {kind.__name__: kind})
        except MessageError as error:
            found.add(error.reason)
    assert {"not_msgpack", "invalid_field"} <= found <= {"wrong_version", "not_msgpack", "invalid_field"}


@given(st.dictionaries(st.sampled_from(("actor", "state", "pid", "inbox", "outbox", "handled", "failed", "dead", "x")),
                       st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.floats() | st.text(max_size=9)
                       | st.lists(st.integers(0, 9), max_size=2)))
def test_what_passes_for_a_beat_has_a_name_a_state_and_counts(fields: dict[str, object]) -> None:
    """Whoever listens adds its counts up and looks its name up: nothing else gets through."""
    import msgpack

    beat = read_beat(msgpack.packb(fields))
    if beat is None:
        assert not (isinstance(fields.get("actor"), str) and isinstance(fields.get("state"), str)
                    and len(fields) == 2)
    else:
        assert all(type(beat.get(name, 0)) is int and beat.get(name, 0) >= 0 for name in ("pid", "inbox", "outbox"))
