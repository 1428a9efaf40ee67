"""How a message becomes bytes and comes back: the one place that knows.

Wire form: a msgpack map of the fields, at most `BODY_LIMIT_BYTES`. A new field with a default is compatible in both
directions; any other change raises the class's `VERSION` and adds a function to `UPGRADES`, which turns the body of the
previous version into the present one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from catalyst.errors import MessageError, MessageTooBig
from catalyst.messages import Message
from catalyst.plain import BODY_LIMIT_BYTES, unpack_raw

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: dict[tuple[str, int], Upgrade] = {}  # (type, version of the body) -> body of the next version


def pack(message: Message) -> bytes:
    """Bytes of the message's fields. Raises MessageTooBig over BODY_LIMIT_BYTES."""
    body = msgspec.msgpack.encode(message)
    if len(body) > BODY_LIMIT_BYTES:
        raise MessageTooBig(type(message).__name__, len(body), BODY_LIMIT_BYTES)
    return body


def unpack(kind: str, version: int, body: bytes, known: dict[str, type[Message]]) -> Message:
    """The validated message in `body`. Raises MessageError: unknown type or version, a field not as declared."""
    cls = known.get(kind)
    if cls is None:
        raise MessageError("unknown_type", kind[:60])
    fields = unpack_raw(body)
    while version < cls.VERSION:
        upgrade = UPGRADES.get((kind, version))
        if upgrade is None or not isinstance(fields, dict):
            raise MessageError("wrong_version", f"{kind} {version}")
        try:
            fields = upgrade(fields)
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # a damaged body, as below
            raise MessageError("invalid_field", f"{kind} {version}: {error!r}"[:300]) from error
        version += 1
    if version != cls.VERSION:
        raise MessageError("wrong_version", f"{kind} {version}")
    try:
        return msgspec.convert(fields, cls)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise MessageError("invalid_field", str(error)[:300]) from error
