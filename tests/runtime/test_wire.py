"""catalyst.runtime.wire: what is packed comes back, and nothing but MessageError comes of any other bytes."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalyst.errors import MessageError
from catalyst.plain import BODY_LIMIT_BYTES, MAX_ITEMS, unpack_raw
from catalyst.runtime import wire

EPOCH = st.binary(min_size=8, max_size=8)
HASH = st.binary(min_size=16, max_size=16)
SEQ = st.integers(0, wire.MAX_SEQ)
SHORT = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)

FRAMES = st.one_of(
    st.builds(wire.Hello, EPOCH, EPOCH, SEQ, SEQ),
    st.builds(wire.Welcome, EPOCH, EPOCH, SEQ, HASH),
    st.builds(wire.Data, EPOCH, SEQ, HASH, SHORT, SHORT, st.integers(0, 100), SEQ, st.binary(max_size=300)),
    st.builds(wire.Ack, EPOCH, SEQ, HASH),
    st.builds(wire.Again, EPOCH, SEQ),
)
EXAMPLES = (
    wire.Hello(b"e" * 8, b"l" * 8, 3, 9),
    wire.Welcome(b"e" * 8, b"l" * 8, 3, b"h" * 16),
    wire.Data(b"l" * 8, 4, b"i" * 16, "item", "StoryFound", 1, 1_767_362_400_000, b"\x81\xa1a\x01"),
    wire.Ack(b"l" * 8, 3, b"h" * 16),
    wire.Again(b"l" * 8, 3),
)


OUTCOMES = {"Hello", "Welcome", "Data", "Ack", "Again", "not_msgpack", "not_a_frame", "wrong_protocol",
            "unknown_frame", "wrong_fields", "too_big"}


def packed(frame: wire.Frame) -> bytes:
    """The bytes of a frame, by the function that the runtime uses."""
    if isinstance(frame, wire.Hello):
        return wire.pack_hello(frame.epoch, frame.link_epoch, frame.acked_seq, frame.next_seq)
    if isinstance(frame, wire.Welcome):
        return wire.pack_welcome(frame.epoch, frame.link_epoch, frame.last_seq, frame.hash)
    if isinstance(frame, wire.Data):
        return wire.pack_data(frame.link_epoch, (frame.seq, frame.id, frame.item_id, frame.type, frame.version,
                                                 frame.queued_ms, frame.body))
    if isinstance(frame, wire.Ack):
        return wire.pack_ack(frame.link_epoch, frame.last_seq, frame.hash)
    return wire.pack_again(frame.link_epoch, frame.last_seq)


def outcome(data: bytes) -> str:
    """The kind of frame that bytes are, or the reason for which they are refused; any other exception is the test's."""
    try:
        return type(wire.unpack_frame(data)).__name__
    except MessageError as error:
        return error.reason


def refused(data: bytes) -> str:
    """The reason for which bytes are refused."""
    with pytest.raises(MessageError) as caught:
        wire.unpack_frame(data)
    return caught.value.reason


@given(FRAMES)
def test_frames_come_back_as_they_went(frame: wire.Frame) -> None:
    """Every frame of every kind survives packing and unpacking."""
    assert wire.unpack_frame(packed(frame)) == frame


@pytest.mark.parametrize("frame", EXAMPLES, ids=lambda frame: type(frame).__name__)
def test_every_prefix_is_refused(frame: wire.Frame) -> None:
    """A frame cut at any byte is refused; no prefix passes for a frame."""
    data = packed(frame)
    for length in range(len(data)):
        refused(data[:length])


@pytest.mark.parametrize("frame", EXAMPLES, ids=lambda frame: type(frame).__name__)
def test_every_changed_byte_is_refused_or_another_frame(frame: wire.Frame) -> None:
    """Each byte set to each other value gives MessageError or a well-formed frame, nothing else."""
    data = packed(frame)
    for place in range(len(data)):
        for value in range(256):
            changed = data[:place] + bytes([value]) + data[place + 1:]
            assert outcome(changed) in OUTCOMES


@given(st.binary(max_size=400))
@example(b"")
def test_random_bytes_raise_message_error_only(data: bytes) -> None:
    """Bytes of a stranger are refused with a reason, never with another exception."""
    assert outcome(data) in OUTCOMES


@given(st.recursive(st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.floats() | st.text() | st.binary(),
                    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner, max_size=4),
                    max_leaves=12))
def test_any_other_value_is_refused(value: object) -> None:
    """Well-formed msgpack that is no frame is refused, whatever it holds."""
    data = msgpack.packb(value, use_bin_type=True, unicode_errors="surrogatepass")
    refused(data)
    refused(msgpack.packb([1, "data", data, value], use_bin_type=True, unicode_errors="surrogatepass"))


HELLO = [wire.PROTOCOL, "hello", b"e" * 8, b"l" * 8, 0, 1]
DATA = [wire.PROTOCOL, "data", b"l" * 8, 1, b"i" * 16, "item", "Type", 1, 5, b""]


@pytest.mark.parametrize(("fields", "reason"), [
    ([2, *HELLO[1:]], "wrong_protocol"),
    ([True, *HELLO[1:]], "wrong_protocol"),
    ([None, *HELLO[1:]], "wrong_protocol"),
    ([1, "hullo", *HELLO[2:]], "unknown_frame"),
    ([1, b"hello", *HELLO[2:]], "unknown_frame"),
    ([1, ["hello"], *HELLO[2:]], "unknown_frame"),
    (HELLO[:-1], "wrong_fields"),
    ([*HELLO, 1], "wrong_fields"),
    ([*HELLO[:4], -1, 1], "wrong_fields"),
    ([*HELLO[:4], True, 1], "wrong_fields"),
    ([*HELLO[:4], 1.0, 1], "wrong_fields"),
    ([*HELLO[:4], float("nan"), 1], "wrong_fields"),
    ([*HELLO[:4], wire.MAX_SEQ + 1, 1], "wrong_fields"),
    ([*HELLO[:4], 2**64 - 1, 1], "wrong_fields"),
    ([*HELLO[:2], b"short", *HELLO[3:]], "wrong_fields"),
    ([*HELLO[:2], "e" * 8, *HELLO[3:]], "wrong_fields"),
    ([*DATA[:5], "x" * 65, *DATA[6:]], "too_big"),
    ([*DATA[:6], "x" * 65, *DATA[7:]], "too_big"),
    ([*DATA[:9], bytes(BODY_LIMIT_BYTES + 1)], "too_big"),
    ([*DATA[:9], "text"], "wrong_fields"),
    ([1], "not_a_frame"),
    ([], "not_a_frame"),
    ({"v": 1}, "not_a_frame"),
    (1, "not_a_frame"),
])
def test_what_is_almost_a_frame_is_refused_with_a_reason(fields: object, reason: str) -> None:
    """Each way of being wrong has its word, which is what the heartbeat counts."""
    assert refused(msgpack.packb(fields, use_bin_type=True)) == reason


@pytest.mark.parametrize("data", [
    pytest.param(b"\x91" * 1_000_000, id="deep nesting of arrays"),
    pytest.param(b"\x81\xa1a" * 300_000, id="deep nesting of maps"),
    pytest.param(b"\xdd\xff\xff\xff\xff", id="array of 4 billion that is not there"),
    pytest.param(b"\xdf\xff\xff\xff\xff", id="map of 4 billion that is not there"),
    pytest.param(b"\xc6\xff\xff\xff\xff" + bytes(10), id="binary of 4 GB that is not there"),
    pytest.param(b"\xdb\x7f\xff\xff\xff" + bytes(10), id="text of 2 GB that is not there"),
    pytest.param(b"\xc9\x7f\xff\xff\xff\x05" + bytes(10), id="extension of 2 GB that is not there"),
    pytest.param(b"\xdc" + (MAX_ITEMS + 1).to_bytes(2) + b"\xc0" * (MAX_ITEMS + 1), id="one entry too many"),
    pytest.param(msgpack.packb(msgpack.ExtType(5, b"x")), id="unknown extension"),
    pytest.param(msgpack.packb(msgpack.Timestamp(1, 5)), id="timestamp"),
    pytest.param(b"\xc7\x00\xff", id="timestamp without bytes"),
    pytest.param(b"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff", id="timestamp with too many nanoseconds"),
    pytest.param(b"\xc1", id="the byte that msgpack never uses"),
    pytest.param(b"\xa2\xff\xfe", id="text that is not UTF-8"),
    pytest.param(b"\x81\x01\x02", id="map with a number as key"),
    pytest.param(b"\x81\x90\x02", id="map with an array as key"),
    pytest.param(packed(EXAMPLES[0]) + b"\x00", id="trailing byte"),
    pytest.param(packed(EXAMPLES[0]) * 2, id="two frames"),
])
def test_hostile_msgpack_is_refused_as_not_msgpack(data: bytes) -> None:
    """Length lies, nesting, extensions and trailing bytes end as one reason."""
    assert refused(data) == "not_msgpack"


def test_an_extension_without_bytes_is_no_frame() -> None:
    """The one extension that the length limit lets through is no list and no field."""
    assert refused(b"\xc7\x00\x05") == "not_a_frame"
    assert refused(b"\x95\x01\xa5again\xc7\x00\x05\x01\x01") == "wrong_fields"


def test_the_frame_limit_is_one_mebibyte() -> None:
    """A frame over 1 MiB is refused before it is unpacked; the largest body passes."""
    assert refused(bytes(wire.FRAME_LIMIT_BYTES + 1)) == "too_big"
    frame = wire.Data(b"l" * 8, 1, b"i" * 16, "x" * 64, "y" * 64, 1, 5, bytes(BODY_LIMIT_BYTES))
    assert wire.unpack_frame(packed(frame)) == frame


def test_as_many_entries_as_allowed_pass() -> None:
    """An array of exactly MAX_ITEMS entries is unpacked."""
    assert unpack_raw(msgpack.packb([None] * MAX_ITEMS)) == [None] * MAX_ITEMS


def test_the_running_hash_depends_on_order_id_and_body() -> None:
    """The chain tells two messages from the same two in another order, and one changed byte."""
    def after(*messages: tuple[bytes, bytes]) -> bytes:
        found = wire.ZERO_HASH
        for number, body in messages:
            found = wire.chain(found, number, body)
        return found

    one, two = (b"1" * 16, b"body"), (b"2" * 16, b"body")
    assert after(one, two) != after(two, one)
    assert after(one) != after((b"1" * 16, b"bodY"))
    assert after(one).hex() == "1f679cb5738151570c238de4e1255e18"
    assert len(after()) == len(after(one)) == 16
