"""The ledger: the two ends of a link as they are remembered, and the check of outgoing rows against their hashes.

SQLite's own check says nothing of a byte that changed inside a row; the running hash of a link does. It owns no socket.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from catalyst.errors import Damaged
from catalyst.runtime import wire

SEQ_BITS = 40  # in the key of an outbox row; above them stands the number of the link
MAX_SEQ = (1 << SEQ_BITS) - 1
ROWS_AT_ONCE = 500


@dataclass(slots=True)
class OutLink:
    """The sender's side. Persisted fields first; `live` says that the receiver has welcomed us on this connection."""

    number: int
    receiver: str
    link_epoch: bytes
    next_seq: int = 1
    acked_seq: int = 0
    hash: bytes = wire.ZERO_HASH
    acked_hash: bytes = wire.ZERO_HASH
    live: bool = False
    connected: bool = False
    sent_seq: int = 0  # highest sequence sent on this connection
    in_flight: deque[tuple[int, int]] = field(default_factory=deque)  # (sequence, sent at), oldest first
    fresh: list[tuple[int, bytes]] = field(default_factory=list)  # packed in this turn: (sequence, frame)
    hashes: dict[int, bytes] = field(default_factory=dict)  # of what was fresh and is not acknowledged, by sequence
    hello_at_s: float = 0.0  # when to say hello next, monotonic
    hello_seq: int = 0  # highest sequence sent before the last hello

    @property
    def unacked(self) -> int:
        """Messages that the receiver has not acknowledged, sent or not."""
        return self.next_seq - 1 - self.acked_seq

    def key(self, seq: int) -> int:
        """Key of a message's row in `outbox`."""
        return (self.number << SEQ_BITS) + seq


@dataclass(slots=True)
class InLink:
    """The receiver's side. `asked_seq` is the sequence after which we asked to send again."""

    sender: str
    peer_epoch: bytes
    link_epoch: bytes
    last_seq: int = 0
    hash: bytes = wire.ZERO_HASH
    asked_seq: int = -1


def check_outbox(db: sqlite3.Connection) -> Iterator[None]:
    """Compare all held messages with their hashes, some at a time. Raises Damaged for a gap or a changed row.

    Of each link the first row is taken as it is: what its hash was made from has been pruned. So is the row at which
    a piece begins, since links may be pruned or numbered anew between two pieces.
    """
    last, chain = -1, wire.ZERO_HASH
    while True:
        rows = db.execute("SELECT n, id, body, hash FROM outbox WHERE n >= ? ORDER BY n LIMIT ?",
                          (last, ROWS_AT_ONCE)).fetchall()
        last = -1
        for n, number, body, found in rows:
            is_first = last < 0 or n >> SEQ_BITS != last >> SEQ_BITS
            if not is_first and n != last + 1:
                raise changed(db, f"outgoing messages are missing between {last & MAX_SEQ} and {n & MAX_SEQ}")
            if not is_first or n & MAX_SEQ == 1:
                check_row(db, n & MAX_SEQ, wire.ZERO_HASH if is_first else chain, number, body, found)
            last, chain = n, found
        if len(rows) < ROWS_AT_ONCE:
            return
        yield


def check_row(db: sqlite3.Connection, seq: int, before: bytes, number: bytes, body: bytes, chain: bytes) -> None:
    """Raise Damaged where a message is not what was queued: `chain` is the hash behind it, `before` that before it."""
    if wire.chain(before, number, body) != chain:
        raise changed(db, f"outgoing message {seq} is not what was queued")


def changed(db: sqlite3.Connection, what: str) -> Damaged:
    """The error for rows of a database that are not as they were written."""
    return Damaged(Path(db.execute("PRAGMA database_list").fetchone()[2]), what)
