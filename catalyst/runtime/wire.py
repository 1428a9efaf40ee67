"""Frames between actors: packing, and unpacking with every limit checked. See docs/protocol.md.

Bytes in, frozen records out, or MessageError; it knows no socket and no database.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgpack
import msgspec

from catalyst.errors import MessageError
from catalyst.plain import BODY_LIMIT_BYTES, unpack_raw
from catalyst.runtime.sockets import FRAME_LIMIT_BYTES

PROTOCOL = 1
ZERO_HASH = bytes(16)
MAX_SEQ = 2**62


class Hello(msgspec.Struct, frozen=True):
    """sender -> receiver, on every new connection."""

    epoch: bytes
    link_epoch: bytes
    acked_seq: int
    next_seq: int


class Welcome(msgspec.Struct, frozen=True):
    """receiver -> sender: what of this link is committed."""

    epoch: bytes
    link_epoch: bytes
    last_seq: int
    hash: bytes


class Data(msgspec.Struct, frozen=True):
    """sender -> receiver: one message of the link."""

    link_epoch: bytes
    seq: int
    id: bytes
    item_id: str
    type: str
    version: int
    queued_ms: int
    body: bytes


class Ack(msgspec.Struct, frozen=True):
    """receiver -> sender: committed up to `last_seq`."""

    link_epoch: bytes
    last_seq: int
    hash: bytes


class Again(msgspec.Struct, frozen=True):
    """receiver -> sender: a gap was seen; send from `last_seq` + 1."""

    link_epoch: bytes
    last_seq: int


Frame = Hello | Welcome | Data | Ack | Again

@dataclass(frozen=True, slots=True)
class Layout:
    """What the fields of a frame must be: their types, which binary ones have a size and which, which are numbers."""

    frame: type[Frame]
    types: tuple[type, ...]
    sized: tuple[int, ...]  # places
    sizes: list[int]  # bytes
    numbers: tuple[int, ...]  # places


_LAYOUT: dict[str, Layout] = {
    "hello": Layout(Hello, (bytes, bytes, int, int), (0, 1), [8, 8], (2, 3)),
    "welcome": Layout(Welcome, (bytes, bytes, int, bytes), (0, 1, 3), [8, 8, 16], (2,)),
    "data": Layout(Data, (bytes, int, bytes, str, str, int, int, bytes), (0, 2), [8, 16], (1, 5, 6)),
    "ack": Layout(Ack, (bytes, int, bytes), (0, 2), [8, 16], (1,)),
    "again": Layout(Again, (bytes, int), (0,), [8], (1,)),
}


def pack_hello(epoch: bytes, link_epoch: bytes, acked_seq: int, next_seq: int) -> bytes:
    """A `hello` frame."""
    return _pack([PROTOCOL, "hello", epoch, link_epoch, acked_seq, next_seq])


def pack_welcome(epoch: bytes, link_epoch: bytes, last_seq: int, chain: bytes) -> bytes:
    """A `welcome` frame."""
    return _pack([PROTOCOL, "welcome", epoch, link_epoch, last_seq, chain])


def pack_data(link_epoch: bytes, row: tuple[Any, ...]) -> bytes:
    """A `data` frame of an outbox row (seq, id, item_id, type, version, queued_ms, body)."""
    return _pack([PROTOCOL, "data", link_epoch, *row])


def pack_ack(link_epoch: bytes, last_seq: int, chain: bytes) -> bytes:
    """An `ack` frame."""
    return _pack([PROTOCOL, "ack", link_epoch, last_seq, chain])


def pack_again(link_epoch: bytes, last_seq: int) -> bytes:
    """An `again` frame."""
    return _pack([PROTOCOL, "again", link_epoch, last_seq])


def _pack(fields: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def unpack_frame(data: bytes) -> Frame:
    """The frame in `data`. Raises MessageError with a reason for counting; nothing else whatever the bytes are."""
    fields = unpack_raw(data, FRAME_LIMIT_BYTES)
    if not isinstance(fields, list) or len(fields) < 2:
        raise MessageError("not_a_frame")
    if fields[0] != PROTOCOL or isinstance(fields[0], bool):
        raise MessageError("wrong_protocol", repr(fields[0])[:40])
    layout = _LAYOUT.get(fields[1]) if isinstance(fields[1], str) else None
    if layout is None:
        raise MessageError("unknown_frame")
    values = fields[2:]
    if tuple(map(type, values)) != layout.types or [len(values[place]) for place in layout.sized] != layout.sizes:
        raise MessageError("wrong_fields", fields[1])
    numbers = [values[place] for place in layout.numbers]
    if min(numbers) < 0 or max(numbers) > MAX_SEQ:
        raise MessageError("wrong_fields", fields[1])
    frame = layout.frame(*values)
    if isinstance(frame, Data) and (len(frame.body) > BODY_LIMIT_BYTES or len(frame.item_id) > 64
                                    or len(frame.type) > 64):
        raise MessageError("too_big", "data")
    return frame


def chain(before: bytes, message_id: bytes, body: bytes) -> bytes:
    """The link's running hash after a message."""
    return hashlib.blake2b(before + message_id + body, digest_size=16).digest()
