"""Frames as an enemy, a defect or another version would send them: a seeded source for every socket of an actor."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgpack

from catalyst.plain import BODY_LIMIT_BYTES, MAX_ITEMS
from catalyst.runtime import wire
from catalyst.runtime.sockets import CONTROL_VERSION, FRAME_LIMIT_BYTES

OVERSIZED_BYTES = 2 * FRAME_LIMIT_BYTES
TYPES = ("StoryFound", "StoryJoined", "StoryCorrected", "FilingFound", "FilingRead", "CatalystScored", "AlertReady",
         "ChartWanted", "ChartReady", "AlertPosted", "PriceSeen", "WatchTicker", "OutcomeKnown", "ItemDropped",
         "OpsNotice", "Nonsense", "")
# Every verb but those that change a house even when they are asked badly.
VERBS = ("ping", "status", "stacks", "log-level", "query", "trace", "integrity", "dead", "filings", "decision",
         "address", "children", "incidents", "fates", "outcomes", "chart", "alerts", "alert", "sources", "explain",
         "company", "resume", "count", "", "_run", "verb_status", "__class__", "x" * 3_000, "é" * 50)
ARGUMENTS = ("sql", "parameters", "item", "level", "do", "id", "ids", "limit", "since_ms", "actor", "ticker",
             "alert_id", "alert_ids", "until_ms", "for_s", "n")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63 - 1, -2**63, 2**64 - 1, 0.5, -1e308, float("nan"), float("inf"), "",
    "all", "0", "%", "'; DROP TABLE inbox; --", "\x00", "SELECT 1", "SELECT * FROM sqlite_schema", "é" * 1_000, b"",
    b"\x00" * 64, [], [1] * 50, [[[]]], {}, {"a": {"b": [None]}}, ["x", 1, None, b"y"])

Chance = random.Random


def well_formed(chance: Chance) -> list[Any]:
    """The fields of a frame as a peer sends it, of any of the five kinds."""
    epoch, seq = chance.randbytes(8), chance.choice((0, 1, 2, chance.randrange(2**40), wire.MAX_SEQ))
    kind = chance.choice(("hello", "welcome", "data", "data", "data", "ack", "again"))
    if kind == "hello":
        return [wire.PROTOCOL, kind, chance.randbytes(8), epoch, seq, seq + 1]
    if kind == "welcome":
        return [wire.PROTOCOL, kind, chance.randbytes(8), epoch, seq, chance.randbytes(16)]
    if kind == "ack":
        return [wire.PROTOCOL, kind, epoch, seq, chance.randbytes(16)]
    if kind == "again":
        return [wire.PROTOCOL, kind, epoch, seq]
    return [wire.PROTOCOL, kind, epoch, seq, chance.randbytes(16), f"fuzz{chance.randrange(100)}", chance.choice(TYPES),
            chance.choice((0, 1, 1, 1, 2, 9)), chance.randrange(2**42), body(chance)]


def body(chance: Chance) -> bytes:
    """A message's body: fields of some message with wrong values, or bytes that are none."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(200))
    names = chance.sample(("item_id", "title", "link", "ticker", "score", "price_usd", "kinds", "png", "seen_ms"), 4)
    return packed({name: chance.choice(VALUES) for name in names})


def packed(value: Any) -> bytes:
    """The value as msgpack."""
    data: bytes = msgpack.packb(value, use_bin_type=True)
    return data


def noise(chance: Chance) -> bytes:
    """Random bytes."""
    return chance.randbytes(chance.choice((0, 1, 7, 64, 300, 5_000)))


def mutated(chance: Chance) -> bytes:
    """A well-formed frame with one to four bytes changed."""
    data = bytearray(packed(well_formed(chance)))
    for _ in range(chance.randrange(1, 5)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def truncated(chance: Chance) -> bytes:
    """A well-formed frame cut off, or with bytes behind it."""
    data = packed(well_formed(chance))
    return data[:chance.randrange(len(data))] if chance.random() < 0.8 else data + chance.randbytes(5)


def lying(chance: Chance) -> bytes:
    """Lengths that are not there: of arrays, maps, texts, binaries, extensions."""
    length = chance.choice((2**32 - 1, 2**31, 70_000)).to_bytes(4)
    return b"\x95\x01\xa4data" + chance.choice((b"\xdd", b"\xdf", b"\xc6", b"\xdb", b"\xc9")) + length + b"x" * 20


def nested(chance: Chance) -> bytes:
    """Deeper than any message, with and without an end."""
    depth = chance.choice((50, 600, 5_000, 100_000))
    return chance.choice((b"\x91", b"\x81\xa1a")) * depth + chance.choice((b"", b"\xc0"))


def odd(chance: Chance) -> bytes:
    """What msgpack knows and we do not: extensions, times, not-a-number, keys that are no text, many empty maps."""
    return chance.choice((
        packed(msgpack.ExtType(5, b"x" * 9)), packed(msgpack.Timestamp(1, 5)),
        packed([1, "ack", b"l" * 8, float("nan"), b"h" * 16]), b"\x81\x01\x02", b"\x81\x90\x02", b"\xc1",
        packed([{}] * MAX_ITEMS), packed([{}] * (MAX_ITEMS + 1)), b"\xdd\x00\x01\x00\x00" + b"\x80" * 65_536,
        packed(chance.choice(VALUES[:10]))))


def other_version(chance: Chance) -> bytes:
    """A frame of another protocol, or of a kind that is none."""
    fields = well_formed(chance)
    if chance.random() < 0.5:
        fields[0] = chance.choice((0, 2, 99, True, None, "1", -1, 1.0, [1]))
    else:
        fields[1] = chance.choice(("hullo", "DATA", "", b"data", None, 1, ["data"], "x" * 500))
    return packed(fields)


def wrong_fields(chance: Chance) -> bytes:
    """A frame with one field of another type or size, one too many or too few."""
    fields = well_formed(chance)
    place = chance.randrange(2, len(fields) + 1)
    if place == len(fields):
        return packed([*fields, 0] if chance.random() < 0.5 else fields[:-1])
    fields[place] = chance.choice(VALUES)
    return packed(fields)


def large(chance: Chance) -> bytes:
    """A body or a frame just over its limit."""
    if chance.random() < 0.5:
        return packed([wire.PROTOCOL, "data", b"l" * 8, 1, b"i" * 16, "fuzz", "StoryFound", 1, 1,
                       bytes(BODY_LIMIT_BYTES + 1)])
    return bytes(FRAME_LIMIT_BYTES)


SHAPES: tuple[tuple[Callable[[Chance], bytes], float], ...] = (
    (noise, 15), (mutated, 30), (truncated, 12), (lying, 6), (nested, 2), (odd, 4), (other_version, 10),
    (wrong_fields, 14), (lambda chance: packed(well_formed(chance)), 7), (large, 0.02))


def frames(seed: int) -> Iterator[list[bytes]]:
    """Messages for a data socket without end, as their parts: mostly one, sometimes none that counts, or several."""
    chance = random.Random(seed)  # noqa: S311 - it is to be repeated
    shapes, weights = zip(*SHAPES, strict=True)
    while True:
        for shape in chance.choices(shapes, weights, k=64):
            parts = [shape(chance)]
            if chance.random() < 0.02:
                parts = [b"", *parts] if chance.random() < 0.5 else [chance.randbytes(5) for _ in range(3)]
            yield parts


def link_frames(chance: Chance, count: int) -> Iterator[bytes]:
    """What a peer with a sender's name says when it is out of its mind: hello, then `count` frames of that link.

    In sequence with wrong bodies, repeated, with gaps, with a huge or a negative sequence, of another link epoch.
    """
    epoch, seq = chance.randbytes(8), 0
    yield wire.pack_hello(chance.randbytes(8), epoch, 0, 1)
    for _ in range(count):
        wanted = chance.choice((seq + 1, seq + 1, seq, max(0, seq - 3), seq + 7, wire.MAX_SEQ, -1, 2**64 - 1))
        stranger = chance.random() < 0.1
        fields = [wire.PROTOCOL, "data", chance.randbytes(8) if stranger else epoch, wanted, chance.randbytes(16),
                  chance.choice(("", "fuzz", "fuzz" * 16, f"fuzz{chance.randrange(100)}")), chance.choice(TYPES),
                  chance.choice((1, 1, 2, 0)), 1, body(chance)]
        seq += wanted == seq + 1 and not stranger
        yield packed(fields)


def requests(seed: int) -> Iterator[list[bytes]]:
    """Messages for a control socket without end: unknown verbs, known ones with wrong arguments, and no requests."""
    chance = random.Random(seed)  # noqa: S311 - it is to be repeated
    while True:
        kind = chance.random()
        if kind < 0.5:
            names = chance.sample(ARGUMENTS, chance.randrange(4))
            request: Any = {"v": CONTROL_VERSION, "verb": chance.choice(VERBS),
                            "args": {name: chance.choice(VALUES) for name in names}}
        elif kind < 0.65:
            request = {"v": chance.choice(VALUES), "verb": chance.choice(VALUES), "args": chance.choice(VALUES)}
        elif kind < 0.9:
            yield [chance.choice((noise, lying, nested, odd))(chance)]
            continue
        else:
            yield [b"", packed(chance.choice(VALUES))] if kind < 0.98 else [chance.randbytes(3)] * 3
            continue
        yield [packed(request)]
