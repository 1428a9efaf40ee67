"""Where every actor's sockets are, as one host sees them, and the one way to bind and to reach them.

Actors of this host talk over `ipc://` in the run folder. One that lives on another host, or must be reached from one,
has an entry in CATALYST_ENDPOINTS: its data socket is at that port, control at the next, beats at the one after. All
`tcp://` is CURVE with the server's key pinned; without keys nothing is bound and nobody asked.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import zmq

from catalyst.errors import ConfigError
from catalyst.runtime.doors import Door
from catalyst.runtime.keys import OPERATOR, Keys
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.runtime.sockets import address, plain_socket, socket_folder
from catalyst.settings import Settings

PORTS = {"in": 0, "ctl": 1, "beat": 2}  # after the one of the endpoint
ENDPOINT = re.compile(r"(\w+)=tcp://(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})")
HEARTBEAT_MS = 1_000  # a peer whose cable is out is noticed after as many
HEARTBEAT_TIMEOUT_MS = 3_000
CONNECT_TIMEOUT_MS = 2_000  # the kernel would wait two minutes for a host that is away
HANDSHAKE_MS = 3_000  # who says nothing is sent away after as many
AGAIN_MS, LATEST_AGAIN_MS = 50, 1_000  # between two tries to reach another host


class Endpoint(NamedTuple):
    """Where an actor listens for other hosts: an IP address and the first of three ports."""

    host: str
    port: int

    def address(self, ending: str) -> str:
        """ZeroMQ address of one of its sockets; `ending` is in, ctl or beat."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port + PORTS[ending]}"


class Places:
    """The sockets of all actors. `local` names live on this host; the others are reached at their endpoints."""

    def __init__(self, run_folder: Path, endpoints: dict[str, Endpoint] | None = None, local: Iterable[str] = (),
                 keys: Keys | None = None):
        self.run_folder = run_folder
        self.folder = socket_folder(run_folder)
        self.endpoints = endpoints or {}
        self.local = frozenset(local)
        self.keys = keys

    @classmethod
    def of(cls, settings: Settings, names: Iterable[str] = WORKERS) -> Places:
        """As the settings say; `names` are all actors that there are. Raises ConfigError for a wrong endpoint."""
        names = frozenset(names) - {SUPERVISOR}
        endpoints = parse_endpoints(settings.endpoints, names)
        return cls(settings.run_folder, endpoints, settings.actors or names,
                   Keys(settings.key_folder) if endpoints else None)

    @property
    def remote(self) -> tuple[str, ...]:
        """The actors that live on other hosts."""
        return tuple(name for name in self.endpoints if name not in self.local)

    def is_remote(self, name: str) -> bool:
        """Whether the actor lives on another host."""
        return name in self.endpoints and name not in self.local

    def listens(self, name: str) -> bool:
        """Whether the actor's sockets are to be reached from other hosts."""
        return name in self.endpoints

    def check(self) -> None:
        """Raises ConfigError where a key is missing: those of this host's listeners, of its operator, of all others."""
        if not self.endpoints:
            return
        for name in (OPERATOR, *self.endpoints):
            if not self.is_remote(name):
                self._keys().pair(name)
        for name in self.remote:
            self._keys().public(name)

    def sender(self, name: str) -> str:
        """How an actor of this host is named on a link to another: its name, for the supervisor with its key's."""
        return f"{SUPERVISOR}@{self._operator()}" if name == SUPERVISOR else name

    def connect(self, socket: zmq.Socket[bytes], name: str, ending: str, own: str = OPERATOR, *,
                again_ms: int = 5) -> str:
        """Connect to a socket of actor `name`, on another host with the keys of `own`; the address.

        On this host ZeroMQ tries again every `again_ms`.
        """
        if not self.is_remote(name):
            place = address(self.folder, name, ending)
            socket.curve_server = 0  # no keys, also where the last connection of this socket had some
            socket.setsockopt(zmq.RECONNECT_IVL, again_ms)
            socket.setsockopt(zmq.RECONNECT_IVL_MAX, 0)
        else:
            place = self.endpoints[name].address(ending)
            pair = self._keys().pair(own if own != SUPERVISOR else OPERATOR)
            socket.curve_serverkey = self._keys().public(name)
            socket.curve_publickey, socket.curve_secretkey = pair.public, pair.secret
            _over_network(socket, place)
            socket.setsockopt(zmq.CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS)
            socket.setsockopt(zmq.RECONNECT_IVL, AGAIN_MS)
            socket.setsockopt(zmq.RECONNECT_IVL_MAX, LATEST_AGAIN_MS)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        socket.connect(place)
        return place

    def bind(self, socket: zmq.Socket[bytes], name: str, ending: str) -> Door:
        """Bind a socket of actor `name` in the run folder, which is made where it is not there. Raises ConfigError."""
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        return Door(socket, self.run_folder, name, ending)

    def bind_tcp(self, socket: zmq.Socket[bytes], name: str, ending: str) -> None:
        """Bind a socket to the actor's endpoint too, for those whom the guard lets in. Raises ConfigError.

        What is bound already keeps the options that it was bound with: `ipc://` stays without keys.
        """
        place = self.endpoints[name].address(ending)
        socket.curve_server = 1
        socket.curve_secretkey = self._keys().pair(name).secret
        socket.setsockopt(zmq.ZAP_DOMAIN, ending.encode())
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # nobody gets in where no guard answers
        _over_network(socket, place)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        try:
            socket.bind(place)
        except zmq.ZMQError as error:
            raise ConfigError(f"{name} cannot listen at {place}: {error.strerror}") from error

    def _keys(self) -> Keys:
        if self.keys is None:
            raise ConfigError("tcp:// needs keys: catalyst keys --init")
        return self.keys

    def _operator(self) -> str:
        public = self._keys().pair(OPERATOR).public
        return next((found.fingerprint for found in self._keys().own if found.key == public), "")


def places(where: Places | Path) -> Places:
    """The places themselves, or those of a run folder alone, where all live on this host."""
    return where if isinstance(where, Places) else Places(where)


def parse_endpoints(entries: Iterable[str], names: Iterable[str]) -> dict[str, Endpoint]:
    """`ACTOR=tcp://HOST:PORT` for each. Raises ConfigError for a name, an address or a port that cannot be."""
    found: dict[str, Endpoint] = {}
    taken: dict[tuple[str, int], str] = {}
    for entry in entries:
        match = ENDPOINT.fullmatch(entry)
        if match is None:
            raise ConfigError(f"CATALYST_ENDPOINTS: {entry!r} is not ACTOR=tcp://IP-ADDRESS:PORT")
        name, host, port = match[1], match[2] or match[3], int(match[4])
        if name not in names or name in found:
            raise ConfigError(f"CATALYST_ENDPOINTS: {name} is {'there twice' if name in found else 'no such actor'};"
                              f" there are {', '.join(sorted(names))}")
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            raise ConfigError(f"CATALYST_ENDPOINTS: {host} is no IP address") from None
        if ip.is_unspecified or ip.is_multicast:
            raise ConfigError(f"CATALYST_ENDPOINTS: {host} is no address of one host")
        for number in (port + offset for offset in PORTS.values()):
            if not 1 <= number <= 65_535 or (host, number) in taken:
                other = f"; {taken[host, number]} has it" if (host, number) in taken else ""
                raise ConfigError(f"CATALYST_ENDPOINTS: {name} cannot have port {number}{other}: an actor takes three"
                                  " in a row")
            taken[host, number] = name
        found[name] = Endpoint(host, port)
    return found


class Guard:
    """Answers ZeroMQ's question whether a key may come in (RFC 27). One a context, asked by the heartbeat thread.

    Data sockets are for actors and supervisors, control and beats for operators. A key that is not known is told to
    come again later, for it may be known by then; what it sends until then is thrown away by ZeroMQ.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Keys):
        self.socket = plain_socket(context, zmq.ROUTER)
        self.socket.bind("inproc://zeromq.zap.01")
        self.refused = 0
        self._peers = keys.peers()

    def serve(self, most: int = 64) -> None:
        """Answer the questions that wait, `most` of them."""
        for _ in range(most):
            try:
                asker, *parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(parts) != 8 or parts[1] != b"1.0":
                continue  # only ZeroMQ itself can ask here
            peer = self._peer(parts[3], parts[6], parts[7])
            self.refused += not peer
            said = (b"200", b"OK", peer.encode()) if peer else (b"300", b"key not known", b"")
            self.socket.send_multipart([asker, b"", b"1.0", parts[2], *said, b""], zmq.NOBLOCK)

    def _peer(self, domain: bytes, mechanism: bytes, key: bytes) -> str:
        """Whom the key belongs to, empty where it may not come in."""
        peer = self._peers.get(key, "") if mechanism == b"CURVE" else ""
        return peer if domain == b"in" or peer.startswith(f"{OPERATOR}@") else ""


def sender_of(peer: str) -> str:
    """How a peer's links are named: an actor's by its name, a supervisor's by its operator's key."""
    return peer.replace(f"{OPERATOR}@", f"{SUPERVISOR}@", 1)


def _over_network(socket: zmq.Socket[bytes], place: str) -> None:
    socket.setsockopt(zmq.IPV6, int("[" in place))
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
