"""Plain objects out of msgpack bytes from outside, with every size limited. It knows no message and no frame."""

from __future__ import annotations

from typing import Any

import msgpack

from catalyst.errors import MessageError

BODY_LIMIT_BYTES = 512 * 1024
MAX_ITEMS = 10_000  # entries in one array or map: 5 MB of empty maps would unpack to 367 MB


def unpack_raw(data: bytes, limit_bytes: int = BODY_LIMIT_BYTES) -> Any:
    """Plain objects of msgpack bytes from outside. Raises MessageError for anything but one whole, small value."""
    if len(data) > limit_bytes:
        raise MessageError("too_big", f"{len(data)} bytes")
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True, max_str_len=limit_bytes,
                               max_bin_len=limit_bytes, max_array_len=MAX_ITEMS, max_map_len=MAX_ITEMS,
                               max_ext_len=0)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise MessageError("not_msgpack", f"{type(error).__name__}: {error}") from error
