"""Links: the persisted state of every ordered pair of actors, and what a frame does to it. See docs/protocol.md.

Rows and frames in, rows and frames out; it owns no socket. Sequences and hashes are mirrored in memory, so `reload`
must follow a rolled-back transaction. Methods that take `db` expect an open transaction.

The rows of messages carry sequence and hash, so a link's own row is not written with each of them, which would cost
every commit a page: it is a checkpoint, and what came after it is read from the messages. It is written wherever they
would not tell: a new epoch, a message that leaves no row, retention.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

from catalyst import log
from catalyst.clock import Clock
from catalyst.messages import Message
from catalyst.runtime import wire
from catalyst.runtime.ledger import MAX_SEQ, InLink, OutLink, changed, check_row
from catalyst.runtime.timekeeper import Timekeeper

WINDOW = 256  # frames in flight on one link
HELLO_AGAIN_S = 0.25
STALLED_S = 1.0
IDLE_CHECK_S = 60.0
INCIDENT_S = 60.0  # between two incidents with one peer: each is counted
CHECKPOINT = 1_000  # messages taken, queued or acknowledged after which the rows of the links are written
BATCH_BYTES = 8_000_000  # of bodies read at once for sending


class Links:
    """All links of one actor. `epoch` is the database's, `receivers` the actors that it sends to."""

    def __init__(self, db: sqlite3.Connection, epoch: bytes, receivers: Iterable[str], clock: Clock):
        self.epoch = epoch
        self._clock = clock
        self._receivers = tuple(sorted(set(receivers)))
        self.out: dict[str, OutLink] = {}
        self.inn: dict[str, InLink] = {}
        self.mismatches = 0
        self._told: dict[str, float] = {}  # peer -> when its last incident was stored
        self.lost_rows = False  # a peer knows of messages that this database does not: it is of an earlier commit
        self.needs_flush = False  # the rows of messages do not tell where the links are
        self._since = 0  # messages since the rows of the links were written
        self.reload(db)

    def reload(self, db: sqlite3.Connection) -> None:
        """Read the rows again; every link must be greeted anew."""
        connected = {name for name, link in self.out.items() if link.connected}
        rows = db.execute("SELECT number, receiver, link_epoch, next_seq, acked_seq, hash, acked_hash"
                          " FROM links_out ORDER BY number").fetchall()
        self.out = {row[1]: OutLink(*row) for row in rows}
        for link in self.out.values():
            self._catch_up(db, link)
        free = rows[-1][0] + 1 if rows else 1
        new = [name for name in self._receivers if name not in self.out]
        self.out.update({name: OutLink(number, name, os.urandom(8)) for number, name in enumerate(new, free)})
        for link in self.out.values():
            link.connected = link.receiver in connected
            link.sent_seq = link.acked_seq
        rows = db.execute("SELECT sender, peer_epoch, link_epoch, last_seq, hash FROM links_in").fetchall()
        self.inn = {row[0]: InLink(*row) for row in rows}
        for sender, seq, chain in db.execute(
                "SELECT sender, i.seq, i.hash FROM links_in AS l CROSS JOIN inbox AS i USING(sender)"
                " WHERE i.n > l.n ORDER BY i.n"):
            self.inn[sender].last_seq, self.inn[sender].hash = seq, chain
        self.needs_flush = bool(new)
        self._since = CHECKPOINT  # unknown: the next transaction writes them

    def _catch_up(self, db: sqlite3.Connection, link: OutLink) -> None:
        """Go on from the link's row with the messages that were queued and acknowledged after it was written."""
        last = db.execute("SELECT seq, hash FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n DESC LIMIT 1",
                          (link.key(link.next_seq), link.key(MAX_SEQ))).fetchone()
        if last is not None:
            link.next_seq, link.hash = last[0] + 1, last[1]
        rows = db.execute("SELECT seq, hash, acked_ms FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n",
                          (link.key(link.acked_seq + 1), link.key(MAX_SEQ)))
        for seq, chain, acked_ms in rows:
            if acked_ms is None:
                break
            link.acked_seq, link.acked_hash = seq, chain
        rows.close()

    # -- sending

    def mark(self) -> list[tuple[OutLink, int, bytes, int]]:
        """Where each link stands, for `back_to`: taken before a savepoint, of which SQLite alone undoes the rows."""
        return [(link, link.next_seq, link.hash, len(link.fresh)) for link in self.out.values()]

    def back_to(self, mark: list[tuple[OutLink, int, bytes, int]]) -> None:
        """Forget what was queued since `mark`: a sequence without a row would be a hole that nothing ever fills."""
        for link, next_seq, chain, fresh in mark:
            for seq, _ in link.fresh[fresh:]:
                del link.hashes[seq]
            del link.fresh[fresh:]
            link.next_seq, link.hash = next_seq, chain

    def queue(self, db: sqlite3.Connection, message: Message, body: bytes, now_ms: int) -> None:
        """Insert an outgoing message as the next of its link."""
        link = self.out[message.RECEIVER]
        seq, number = link.next_seq, message.message_id()
        kind, version = type(message).__name__, message.VERSION
        link.hash = wire.chain(link.hash, number, body)
        link.next_seq = seq + 1
        self._since += 1
        db.execute(
            "INSERT INTO outbox(n, receiver, id, item_id, type, version, body, hash, queued_ms)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (link.key(seq), link.receiver, number, message.item_id, kind, version, body, link.hash, now_ms))
        if link.live and link.sent_seq + len(link.fresh) == seq - 1 and len(link.in_flight) + len(link.fresh) < WINDOW:
            row = (seq, number, message.item_id, kind, version, now_ms, body)
            link.fresh.append((seq, wire.pack_data(link.link_epoch, row)))
            link.hashes[seq] = link.hash

    def flush(self, db: sqlite3.Connection) -> None:
        """Write the rows of the links where the messages do not tell, or too many would: last in a transaction."""
        if not self.needs_flush and self._since < CHECKPOINT:
            return
        db.executemany(
            "INSERT OR REPLACE INTO links_out(number, receiver, link_epoch, next_seq, acked_seq, hash, acked_hash)"
            " VALUES(?, ?, ?, ?, ?, ?, ?)",
            [(link.number, link.receiver, link.link_epoch, link.next_seq, link.acked_seq, link.hash, link.acked_hash)
             for link in self.out.values()])
        newest = db.execute("SELECT ifnull(max(n), 0) FROM inbox").fetchone()[0]
        db.executemany(
            "INSERT OR REPLACE INTO links_in(sender, peer_epoch, link_epoch, last_seq, hash, n)"
            " VALUES(?, ?, ?, ?, ?, ?)",
            [(link.sender, link.peer_epoch, link.link_epoch, link.last_seq, link.hash, newest)
             for link in self.inn.values()])
        self.needs_flush, self._since = False, 0

    def to_send(self, db: sqlite3.Connection, link: OutLink) -> Iterator[tuple[int, bytes]]:
        """(sequence, frame) to send now, within the window; after the commit, outside a transaction.

        Raises Damaged for a row that is not what was queued: what is sent again may have lain on the disk for hours.
        """
        if not link.live:
            link.fresh.clear()
            return
        if link.fresh:
            fresh, link.fresh = link.fresh, []
            yield from fresh
        room = WINDOW - len(link.in_flight)
        if link.sent_seq + 1 >= link.next_seq or room <= 0:
            return
        rows = db.execute("SELECT seq, id, item_id, type, version, queued_ms, body, hash FROM outbox"
                          " WHERE n BETWEEN ? AND ? ORDER BY n LIMIT ?",
                          (link.key(link.sent_seq + 1), link.key(MAX_SEQ), room))
        size, seq, before = 0, link.sent_seq, self._hash_at(db, link, link.sent_seq)
        last = min(link.next_seq - 1, seq + room)
        for *row, chain in rows:
            seq += 1
            if row[0] != seq or before is None:
                raise changed(db, f"outgoing message {seq} is missing")
            check_row(db, seq, before, row[1], row[6], chain)
            before = chain
            yield seq, wire.pack_data(link.link_epoch, row)
            size += len(row[6])
            if size > BATCH_BYTES:
                return
        if seq < last:
            raise changed(db, f"outgoing message {seq + 1} is missing")

    def hello(self, link: OutLink) -> bytes:
        """The frame that asks the receiver where we are; sets when to ask again."""
        link.hello_at_s = self._clock.monotonic_s() + HELLO_AGAIN_S
        link.hello_seq = link.sent_seq
        return wire.pack_hello(self.epoch, link.link_epoch, link.acked_seq, link.next_seq)

    def hello_due(self, link: OutLink) -> bool:
        """Whether to say hello: not welcomed yet, stalled, or idle for a minute."""
        return link.connected and self._clock.monotonic_s() >= link.hello_at_s

    def on_welcome(self, db: sqlite3.Connection, link: OutLink, frame: wire.Welcome, now_ms: int) -> None:
        """Compare the receiver's state with ours: go on, or settle the mismatch with a new link epoch."""
        if frame.link_epoch != link.link_epoch:
            return  # the answer to a hello of before: the next one is under way
        found = self._hash_at(db, link, frame.last_seq)
        if link.acked_seq <= frame.last_seq < link.next_seq and found == frame.hash:
            self._acknowledge(db, link, frame.last_seq, frame.hash, now_ms)
            if not link.live:
                link.live = True
                link.in_flight.clear()
                link.sent_seq = link.acked_seq
            elif frame.last_seq < link.hello_seq:  # frames arrive in order: what was sent before the hello is lost
                self._rewind(link, frame.last_seq)
            self._checked(link)
            return
        self.lost_rows |= frame.last_seq >= link.next_seq
        self._settle(db, link, f"receiver has {frame.last_seq}, acknowledged {link.acked_seq}, next {link.next_seq},"
                               f" hash {'agrees' if found == frame.hash else 'differs'}", now_ms)

    def on_ack(self, db: sqlite3.Connection, link: OutLink, frame: wire.Ack, now_ms: int) -> None:
        """Mark everything up to the sequence as acknowledged."""
        if frame.link_epoch != link.link_epoch or not link.live or frame.last_seq <= link.acked_seq:
            return
        if frame.last_seq >= link.next_seq or self._hash_at(db, link, frame.last_seq) != frame.hash:
            self._settle(db, link, f"acknowledged {frame.last_seq} of {link.next_seq - 1} with another hash", now_ms)
            return
        self._acknowledge(db, link, frame.last_seq, frame.hash, now_ms)
        self._checked(link)

    def on_again(self, link: OutLink, frame: wire.Again) -> None:
        """Go back to the sequence after the one that the receiver has."""
        if frame.link_epoch == link.link_epoch and link.live and link.acked_seq <= frame.last_seq <= link.sent_seq:
            self._rewind(link, frame.last_seq)

    def _rewind(self, link: OutLink, seq: int) -> None:
        link.sent_seq = seq
        link.in_flight = deque(entry for entry in link.in_flight if entry[0] <= seq)

    def _checked(self, link: OutLink) -> None:
        wait_s = STALLED_S if link.in_flight else IDLE_CHECK_S
        link.hello_at_s = self._clock.monotonic_s() + wait_s

    def disconnected(self, link: OutLink) -> None:
        """The receiver is gone; nothing is sent until it has answered a hello again."""
        link.connected = link.live = False
        link.in_flight.clear()
        link.fresh.clear()
        link.hashes.clear()
        link.sent_seq = link.acked_seq

    def refused(self, link: OutLink) -> None:
        """The connection takes no more: gone, which the monitor will say, or full. Begin again with a hello."""
        stands = link.connected
        self.disconnected(link)
        link.connected = stands
        link.hello_at_s = self._clock.monotonic_s() + HELLO_AGAIN_S

    def connected(self, link: OutLink) -> None:
        """A new connection stands: a hello is due at once."""
        self.disconnected(link)
        link.connected = True
        link.hello_at_s = 0.0

    def sent(self, link: OutLink, seq: int, now_ms: int) -> None:
        """Note that a frame left."""
        link.sent_seq = seq
        if not link.in_flight:
            link.hello_at_s = self._clock.monotonic_s() + STALLED_S
        link.in_flight.append((seq, now_ms))

    def _acknowledge(self, db: sqlite3.Connection, link: OutLink, seq: int, chain: bytes, now_ms: int) -> None:
        if seq > link.acked_seq:
            times = []
            while link.in_flight and link.in_flight[0][0] <= seq:
                times.append(link.in_flight.popleft())
                link.hashes.pop(times[-1][0], None)
            db.executemany("UPDATE outbox SET sent_ms = ?, acked_ms = ? WHERE n = ?",
                           [(sent_ms, now_ms, link.key(number)) for number, sent_ms in times])
            if len(times) < seq - link.acked_seq:  # sent by an earlier process: its time of sending is not known
                db.execute("UPDATE outbox SET acked_ms = ? WHERE n BETWEEN ? AND ? AND acked_ms IS NULL",
                           (now_ms, link.key(link.acked_seq + 1), link.key(seq)))
            self._since += seq - link.acked_seq
            link.acked_seq = seq
            link.acked_hash = chain
        link.sent_seq = max(link.sent_seq, link.acked_seq)

    def _hash_at(self, db: sqlite3.Connection, link: OutLink, seq: int) -> bytes | None:
        if seq == link.next_seq - 1:
            return link.hash
        if seq == link.acked_seq:
            return link.acked_hash
        if seq in link.hashes:
            return link.hashes[seq]
        if not 0 < seq < link.next_seq:
            return None  # whatever the peer says, it is no key of another link
        row = db.execute("SELECT hash FROM outbox WHERE n = ?", (link.key(seq),)).fetchone()
        return row[0] if row else None

    def _settle(self, db: sqlite3.Connection, link: OutLink, detail: str, now_ms: int) -> None:
        """New link epoch; everything still held is numbered from 1 again and goes out once more."""
        self.incident(db, link.receiver, f"sender: {detail}", now_ms)
        rows = db.execute("SELECT n, id, body, hash FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n",
                          (link.key(1), link.key(MAX_SEQ))).fetchall()
        for (_, _, _, before), (n, number, body, found) in pairwise(rows):
            check_row(db, n & MAX_SEQ, before, number, body, found)  # new hashes would bless what was changed
        chain = wire.ZERO_HASH
        for seq, (n, number, body, _) in enumerate(rows, 1):  # upwards, so that the new key is free
            chain = wire.chain(chain, number, body)
            db.execute("UPDATE outbox SET n = ?, hash = ?, acked_ms = NULL, sent_ms = NULL WHERE n = ?",
                       (link.key(seq), chain, n))
        self.out[link.receiver] = OutLink(link.number, link.receiver, os.urandom(8), len(rows) + 1, 0, chain,
                                          wire.ZERO_HASH, connected=link.connected)
        self.needs_flush = True

    # -- receiving

    def on_hello(self, db: sqlite3.Connection, sender: str, frame: wire.Hello, now_ms: int) -> bytes:
        """Our state of the link, as a `welcome` frame to send after the commit; an unknown link epoch is taken over."""
        link = self.inn.get(sender)
        if link is None or link.link_epoch != frame.link_epoch:
            if link is not None and (link.last_seq or link.peer_epoch != frame.epoch):
                self.incident(db, sender, f"receiver: new link epoch after {link.last_seq}", now_ms)
            link = InLink(sender, frame.epoch, frame.link_epoch)
            self.inn[sender] = link
            self.needs_flush = True
        self.lost_rows |= frame.acked_seq > link.last_seq
        link.asked_seq = -1
        return wire.pack_welcome(self.epoch, link.link_epoch, link.last_seq, link.hash)

    def take(self, sender: str, frame: wire.Data) -> tuple[bool, bytes | None]:
        """(whether the message is next on its link, an `again` frame to send). Advances the link if it is next."""
        link = self.inn.get(sender)
        if link is None or link.link_epoch != frame.link_epoch:
            return False, None
        if frame.seq == link.last_seq + 1:
            link.last_seq = frame.seq
            link.hash = wire.chain(link.hash, frame.id, frame.body)
            self._since += 1
            return True, None
        if frame.seq > link.last_seq and link.asked_seq != link.last_seq:
            link.asked_seq = link.last_seq
            return False, wire.pack_again(link.link_epoch, link.last_seq)
        return False, None

    def position(self, sender: str) -> tuple[int, bytes]:
        """(sequence, hash) of the message that was taken last, for its inbox row."""
        link = self.inn.get(sender)
        return (link.last_seq, link.hash) if link else (0, wire.ZERO_HASH)

    def ack(self, sender: str) -> bytes | None:
        """An `ack` frame of what is committed."""
        link = self.inn.get(sender)
        return wire.pack_ack(link.link_epoch, link.last_seq, link.hash) if link else None

    def incident(self, db: sqlite3.Connection, peer: str, detail: str, now_ms: int) -> None:
        """Store and count that two ends do not agree; the supervisor reads the count in the heartbeat and tells."""
        self.mismatches += 1
        now_s = self._clock.monotonic_s()
        if now_s - self._told.get(peer, -INCIDENT_S) < INCIDENT_S:
            return
        self._told[peer] = now_s
        db.execute("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES('link_mismatch', ?, ?, ?)",
                   (peer, detail, now_ms))
        log.warning("link_mismatch", peer=peer, detail=detail)

    # -- housekeeping

    def prune(self, db: sqlite3.Connection, retention_ms: int, time: Timekeeper, limit: int = 2_000) -> int:
        """Delete what is acknowledged and older than the retention; `limit` rows of each a call. Returns how many.

        Rows grow old in their order, so it goes from the front of each table to the first that is young: an index by
        time would cost a page in every commit. A jump of the clock makes no row older.
        """
        gone, now_ms = 0, time.now_ms()
        sent_before_ms, handled_before_ms = time.before_ms(retention_ms), time.before_ms(2 * retention_ms)
        for link in self.out.values():
            first = link.key(1)
            rows = db.execute("SELECT n, acked_ms FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n",
                              (first, link.key(link.acked_seq)))
            if (last := _last_before(rows, sent_before_ms, now_ms, limit)) is not None:
                gone += db.execute("DELETE FROM outbox WHERE n BETWEEN ? AND ?", (first, last)).rowcount
        rows = db.execute("SELECT n, committed_ms FROM inbox ORDER BY n")
        if (last := _last_before(rows, handled_before_ms, now_ms, limit)) is not None:
            gone += db.execute("DELETE FROM inbox WHERE n <= ?", (last,)).rowcount
        if gone:
            self.needs_flush = True  # what is gone may be what the links were to be caught up from
            self.flush(db)
        return gone

    def backlog(self, db: sqlite3.Connection) -> tuple[int, int | None]:
        """(messages not acknowledged, queueing time of the oldest one or None)."""
        waiting = sum(link.unacked for link in self.out.values())
        if not waiting:
            return 0, None
        oldest = [db.execute("SELECT queued_ms FROM outbox WHERE n = ?", (link.key(link.acked_seq + 1),)).fetchone()
                  for link in self.out.values() if link.unacked]
        return waiting, min((row[0] for row in oldest if row), default=None)


def _last_before(rows: sqlite3.Cursor, before_ms: int, now_ms: int, most: int) -> int | None:
    """Of rows (number, time): the last number before the first row that is not older than `before_ms`, and of those
    one of the first `most`. A row of the future was written before the clock was set back: it is older than the next.
    """
    last, found = None, 0
    for number, time_ms in rows:
        if time_ms is None or before_ms <= time_ms <= now_ms or found >= most:
            break
        if time_ms < before_ms:
            last = number
            found += 1
    rows.close()
    return last
