"""What is known of one link, at each of its two ends; see links.py. Plain records."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from catalyst.runtime import wire

SEQ_BITS = 40  # in the key of an outbox row; above them stands the number of the link
MAX_SEQ = (1 << SEQ_BITS) - 1


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
