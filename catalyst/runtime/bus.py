"""The bus: an actor's data sockets. Frames in, frames out; it decides nothing and stores nothing.

One ROUTER for what comes in on this host, a second for other hosts where the actor has an endpoint, one DEALER for each
receiver. Every frame is checked before anybody sees it; a bad one is counted by reason and dropped. The state of the
links is `links.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import zmq
from zmq.utils.monitor import recv_monitor_message

from catalyst import log
from catalyst.clock import Clock
from catalyst.errors import MessageError
from catalyst.runtime import wire
from catalyst.runtime.ledger import OutLink
from catalyst.runtime.links import Links
from catalyst.runtime.places import Guard, Places, sender_of
from catalyst.runtime.refusals import Refusals
from catalyst.runtime.sockets import plain_socket

FRAMES_PER_TURN = 512
AT_ONCE, AT_ONCE_MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)  # plain numbers: an enum costs 1 us a use
READABLE, WRITABLE = int(zmq.POLLIN), int(zmq.POLLOUT)
MUTE_HELLOS, MUTE_MOST = 8, 256  # hellos without an answer, two seconds and a minute, after which we connect anew
REDIAL_S = 1.0  # after which a connection that ZeroMQ has given up is made anew
LOST_EVENTS = zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
TRIED_EVENTS = zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_CONNECT_DELAYED | zmq.EVENT_CONNECTED
WATCHED_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | LOST_EVENTS | TRIED_EVENTS


@dataclass(slots=True)
class Arrivals:
    """What came in during one turn, in order of arrival within each list."""

    frames: list[tuple[str, wire.Data | wire.Hello]] = field(default_factory=list)  # from senders
    answers: list[tuple[OutLink, wire.Welcome | wire.Ack | wire.Again]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.frames or self.answers)


class Bus:
    """Data sockets of actor `name`. `senders` are the names whose frames are taken."""

    def __init__(self, name: str, places: Places, links: Links, senders: Iterable[str], clock: Clock):
        self.context = zmq.Context()
        self.refusals = Refusals(clock)
        self._name = name
        self._places = places
        self._links = links
        self._clock = clock
        self._senders = {sender.encode(): sender for sender in senders}
        self.poller = zmq.Poller()
        self.inbox = self._bound_inbox()
        self.door = places.bind(self.inbox, name, "in")
        self.guard: Guard | None = None
        self._outer: zmq.Socket[bytes] | None = None  # the inbox for other hosts
        if places.listens(name):
            assert places.keys is not None
            self.guard = Guard(self.context, places.keys)
            self._outer = self._bound_inbox()
            places.bind_tcp(self._outer, name, "in")
        self._far: set[str] = set()  # senders that spoke to us from other hosts last
        self._dealers: dict[str, zmq.Socket[bytes]] = {}
        self._monitors: dict[zmq.Socket[bytes], str] = {}
        self._absent: set[str] = set()  # receivers that ZeroMQ dials in vain: its monitor wakes nobody
        self._lost: dict[str, float] = {}  # receiver -> when its connection ended, unless ZeroMQ tries again
        self._unanswered = dict.fromkeys(links.out, 0)  # hellos since the last welcome
        for receiver in links.out:
            self._connect(receiver)

    def _bound_inbox(self) -> zmq.Socket[bytes]:
        inbox = plain_socket(self.context, zmq.ROUTER)
        inbox.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.poller.register(inbox, zmq.POLLIN)
        return inbox

    def _connect(self, receiver: str) -> None:
        dealer = plain_socket(self.context, zmq.DEALER)
        own = self._places.sender(self._name) if self._places.is_remote(receiver) else self._name
        dealer.setsockopt(zmq.IDENTITY, own.encode())
        dealer.setsockopt(zmq.IMMEDIATE, 1)
        monitor = self._monitor(dealer)
        self._places.connect(dealer, receiver, "in", self._name)
        self._dealers[receiver] = dealer
        self._monitors[monitor] = receiver
        self.poller.register(dealer, zmq.POLLIN)
        self.poller.register(monitor, zmq.POLLIN)

    def _monitor(self, dealer: zmq.Socket[bytes]) -> zmq.Socket[bytes]:
        """What ZeroMQ tells of a dealer's connection, without a limit: its one thread would stand still at it."""
        place = f"inproc://monitor-{dealer.FD}"
        dealer.monitor(place, WATCHED_EVENTS)
        monitor = self.context.socket(zmq.PAIR)
        monitor.setsockopt(zmq.RCVHWM, 0)
        monitor.connect(place)
        return monitor

    def _leave(self, receiver: str, monitor: zmq.Socket[bytes]) -> None:
        """Nobody answers there. ZeroMQ tries again every few milliseconds and says so each time, which is to wake
        nobody: the monitor is read with whatever else comes, once a second at least, and that the dealer takes frames
        (IMMEDIATE) tells that a try has succeeded."""
        if receiver not in self._absent:
            self._absent.add(receiver)
            self.poller.unregister(monitor)
            self.poller.modify(self._dealers[receiver], READABLE | WRITABLE)

    def _meet(self, receiver: str, monitor: zmq.Socket[bytes]) -> None:
        """It is there again: hear at once what becomes of the connection."""
        if receiver in self._absent:
            self._absent.discard(receiver)
            self.poller.register(monitor, READABLE)
            self.poller.modify(self._dealers[receiver], READABLE)

    def _redial(self, receiver: str) -> None:
        """Connect anew. ZeroMQ does not (libzmq 4.3.5) after bytes against its protocol, nor where another peer took
        our name: the receiver's side is his then, and ours stays open and leads nowhere."""
        self._links.disconnected(self._links.out[receiver])
        log.warning("redialled", receiver=receiver)
        monitor = next(found for found, name in self._monitors.items() if name == receiver)
        self._meet(receiver, monitor)
        del self._monitors[monitor]
        dealer = self._dealers.pop(receiver)
        for socket in (dealer, monitor):
            self.poller.unregister(socket)
        dealer.disable_monitor()
        monitor.close(0)
        dealer.close(0)
        self._connect(receiver)

    def receive(self, ready: dict[object, int]) -> Arrivals:
        """Frames of the sockets in `ready` (the poller's answer), checked."""
        arrivals = Arrivals()
        for monitor, receiver in self._monitors.items():
            if receiver in self._absent and ready.get(self._dealers[receiver], 0) & WRITABLE:
                self._meet(receiver, monitor)
            if monitor in ready or receiver in self._absent:
                self._watch(monitor, self._links.out[receiver])
        for receiver, dealer in self._dealers.items():
            if dealer in ready:
                self._read_answers(dealer, receiver, arrivals)
        if self.inbox in ready:
            self._read_inbox(arrivals)
        if self._outer is not None and self._outer in ready:
            self._read_outer(self._outer, arrivals)
        if self._lost:
            now_s = self._clock.monotonic_s()
            for receiver in [name for name, since_s in self._lost.items() if now_s - since_s > REDIAL_S]:
                del self._lost[receiver]
                self._redial(receiver)
        return arrivals

    def _watch(self, monitor: zmq.Socket[bytes], link: OutLink) -> None:
        while monitor.poll(0):
            event = int(recv_monitor_message(monitor)["event"])
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._meet(link.receiver, monitor)
                self._links.connected(link)
            elif event & LOST_EVENTS:
                self._links.disconnected(link)
                self._lost[link.receiver] = self._clock.monotonic_s()
            else:
                self._lost.pop(link.receiver, None)
                if event == zmq.EVENT_CONNECT_RETRIED:
                    self._leave(link.receiver, monitor)

    def _read_answers(self, dealer: zmq.Socket[bytes], receiver: str, arrivals: Arrivals) -> None:
        for _ in range(FRAMES_PER_TURN):
            if not dealer.get(zmq.EVENTS) & READABLE:  # mostly there is one: asking is cheaper than `Again` raised
                return
            try:
                frame = wire.unpack_frame(dealer.recv(AT_ONCE))
            except MessageError as error:
                self.refusals.add(error.reason)
                continue
            if isinstance(frame, (wire.Welcome, wire.Ack, wire.Again)):
                self._unanswered[receiver] = 0
                arrivals.answers.append((self._links.out[receiver], frame))
            else:
                self.refusals.add("wrong_direction")

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
                self.refusals.add("stranger")
                continue
            if self._far:
                self._far.discard(sender)
            self._take(sender, body if whole else None, arrivals)

    def _read_outer(self, inbox: zmq.Socket[bytes], arrivals: Arrivals) -> None:
        """Frames of other hosts: who sent one is what its key says, and it must name itself so."""
        for _ in range(FRAMES_PER_TURN):
            try:
                identity, *parts = inbox.recv_multipart(AT_ONCE, copy=False)
            except zmq.Again:
                return
            sender = sender_of(str(parts[0].get("User-Id")))
            if sender.partition("@")[0].encode() not in self._senders:
                self.refusals.add("stranger")
            elif identity.bytes != sender.encode():
                self.refusals.add("wrong_key")
            else:
                self._far.add(sender)
                self._take(sender, parts[0].bytes if len(parts) == 1 else None, arrivals)

    def _take(self, sender: str, data: bytes | None, arrivals: Arrivals) -> None:
        """Check a known sender's frame; None where it had several parts."""
        try:
            if data is None:
                raise MessageError("wrong_parts")
            frame = wire.unpack_frame(data)
        except MessageError as error:
            self.refusals.add(error.reason)
            return
        if isinstance(frame, (wire.Data, wire.Hello)):
            arrivals.frames.append((sender, frame))
        else:
            self.refusals.add("wrong_direction")

    def answer(self, sender: str, frame: bytes) -> None:
        """Send a frame back to a sender; it is lost if the sender is gone, who then says hello again."""
        inbox = self._outer if self._outer is not None and sender in self._far else self.inbox
        try:
            inbox.send(sender.encode(), AT_ONCE_MORE)
            inbox.send(frame, AT_ONCE)
        except zmq.ZMQError as error:
            log.debug("answer_lost", peer=sender, reason=str(error))

    def greet(self, link: OutLink, hello: bytes) -> None:
        """Send a hello; after several that found no answer on another connection, more and more rarely."""
        count = self._unanswered[link.receiver] = self._unanswered[link.receiver] + 1
        if count >= MUTE_HELLOS and (count & (count - 1) == 0 or count % MUTE_MOST == 0):
            self._redial(link.receiver)  # its handshake makes the next hello due
        else:
            self.send(link, hello)

    def send(self, link: OutLink, frame: bytes) -> bool:
        """Send a frame on a link. False: the connection does not take it now."""
        try:
            self._dealers[link.receiver].send(frame, AT_ONCE)
        except zmq.Again:
            return False
        return True

    def stop_taking(self) -> None:
        """Take nothing more from senders; what they sent stays theirs."""
        for inbox in (self.inbox, self._outer):
            if inbox is not None:
                self.poller.unregister(inbox)
                inbox.close(0)

    def close(self) -> None:
        """Close all sockets, dropping what was not sent: the rows are still there."""
        for dealer in self._dealers.values():
            dealer.disable_monitor()
        self.context.destroy(linger=0)
