"""What spreads waits, so that those who failed together do not come back together. Pure: it depends on names only."""

from __future__ import annotations

import hashlib


def spread_ms(wait_ms: int, *names: object) -> int:
    """Up to a quarter of a wait, the same for the same names (an id, a count of failures): to be added to it where it
    must not be shorter, taken off where it must not be longer."""
    digest = hashlib.blake2b(" ".join(map(str, names)).encode(errors="replace"), digest_size=2).digest()
    return wait_ms * int.from_bytes(digest) // (4 * 65_536)
