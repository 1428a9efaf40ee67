"""The bus: an actor's data sockets. Frames in, frames out; it decides nothing and stores nothing.

One ROUTER for what comes in, one DEALER for each receiver. Every frame is checked before anybody sees it; a bad one is
counted by reason and dropped. The state of the links is `links.py`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils.monitor import recv_monitor_message

from catalyst import log
from catalyst.errors import MessageError
from catalyst.runtime import wire
from catalyst.runtime.link_state import OutLink
from catalyst.runtime.links import Links
from catalyst.runtime.sockets import address, plain_socket, socket_folder

FRAMES_PER_TURN = 512
AT_ONCE, AT_ONCE_MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)  # plain numbers: an enum costs 1 us a use
READABLE = int(zmq.POLLIN)
RECONNECT_MS = 5
WATCHED_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED


@dataclass(slots=True)
class Arrivals:
    """What came in during one turn, in order of arrival within each list."""

    frames: list[tuple[str, wire.Data | wire.Hello]] = field(default_factory=list)  # from senders
    answers: list[tuple[OutLink, wire.Welcome | wire.Ack | wire.Again]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.frames or self.answers)


class Bus:
    """Data sockets of actor `name`. `senders` are the names whose frames are taken."""

    def __init__(self, name: str, run_folder: Path, links: Links, senders: Iterable[str]):
        self.context = zmq.Context()
        self.rejected: Counter[str] = Counter()
        self._links = links
        self._senders = {sender.encode(): sender for sender in senders}
        self._folder = socket_folder(run_folder)
        self.poller = zmq.Poller()
        self.inbox = plain_socket(self.context, zmq.ROUTER)
        self.inbox.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.inbox.bind(address(self._folder, name, "in"))
        self.poller.register(self.inbox, zmq.POLLIN)
        self._dealers: dict[str, zmq.Socket[bytes]] = {}
        self._monitors: dict[zmq.Socket[bytes], str] = {}
        for receiver in links.out:
            self._connect(name, receiver)

    def _connect(self, name: str, receiver: str) -> None:
        dealer = plain_socket(self.context, zmq.DEALER)
        dealer.setsockopt(zmq.IDENTITY, name.encode())
        dealer.setsockopt(zmq.IMMEDIATE, 1)
        dealer.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        dealer.setsockopt(zmq.RECONNECT_IVL_MAX, 0)
        monitor = dealer.get_monitor_socket(WATCHED_EVENTS)
        dealer.connect(address(self._folder, receiver, "in"))
        self._dealers[receiver] = dealer
        self._monitors[monitor] = receiver
        self.poller.register(dealer, zmq.POLLIN)
        self.poller.register(monitor, zmq.POLLIN)

    def receive(self, ready: dict[object, int]) -> Arrivals:
        """Frames of the sockets in `ready` (the poller's answer), checked."""
        arrivals = Arrivals()
        for monitor, receiver in self._monitors.items():
            if monitor in ready:
                self._watch(monitor, self._links.out[receiver])
        for receiver, dealer in self._dealers.items():
            if dealer in ready:
                self._read_answers(dealer, receiver, arrivals)
        if self.inbox in ready:
            self._read_inbox(arrivals)
        return arrivals

    def _watch(self, monitor: zmq.Socket[bytes], link: OutLink) -> None:
        while monitor.poll(0):
            event = recv_monitor_message(monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._links.connected(link)
            else:
                self._links.disconnected(link)

    def _read_answers(self, dealer: zmq.Socket[bytes], receiver: str, arrivals: Arrivals) -> None:
        for _ in range(FRAMES_PER_TURN):
            if not dealer.get(zmq.EVENTS) & READABLE:  # mostly there is one: asking is cheaper than `Again` raised
                return
            try:
                frame = wire.unpack_frame(dealer.recv(AT_ONCE))
            except MessageError as error:
                self._reject(error.reason)
                continue
            if isinstance(frame, (wire.Welcome, wire.Ack, wire.Again)):
                arrivals.answers.append((self._links.out[receiver], frame))
            else:
                self._reject("wrong_direction")

    def _read_inbox(self, arrivals: Arrivals) -> None:
        for _ in range(FRAMES_PER_TURN):
            try:
                identity = self.inbox.recv(AT_ONCE)
            except zmq.Again:
                return
            body = self.inbox.recv()  # the parts of a message arrive together
            whole = not self.inbox.get(zmq.RCVMORE)
            if not whole:
                self.inbox.recv_multipart()
            sender = self._senders.get(identity)
            if sender is None:
                self._reject("stranger")
                continue
            try:
                if not whole:
                    raise MessageError("wrong_parts")
                frame = wire.unpack_frame(body)
            except MessageError as error:
                self._reject(error.reason)
                continue
            if isinstance(frame, (wire.Data, wire.Hello)):
                arrivals.frames.append((sender, frame))
            else:
                self._reject("wrong_direction")

    def _reject(self, reason: str) -> None:
        self.rejected[reason] += 1
        log.debug("frame_rejected", reason=reason)

    def answer(self, sender: str, frame: bytes) -> None:
        """Send a frame back to a sender; it is lost if the sender is gone, who then says hello again."""
        try:
            self.inbox.send(sender.encode(), AT_ONCE_MORE)
            self.inbox.send(frame, AT_ONCE)
        except zmq.ZMQError as error:
            log.debug("answer_lost", peer=sender, reason=str(error))

    def send(self, link: OutLink, frame: bytes) -> bool:
        """Send a frame on a link. False: the connection does not take it now."""
        try:
            self._dealers[link.receiver].send(frame, AT_ONCE)
        except zmq.Again:
            return False
        return True

    def stop_taking(self) -> None:
        """Take nothing more from senders; what they sent stays theirs."""
        self.poller.unregister(self.inbox)
        self.inbox.close(0)

    def close(self) -> None:
        """Close all sockets, dropping what was not sent: the rows are still there."""
        for dealer in self._dealers.values():
            dealer.disable_monitor()
        self.context.destroy(linger=0)
