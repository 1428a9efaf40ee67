"""catalyst.runtime.places and keys: who is reached where, and who may come in over a network."""

from __future__ import annotations

import random
import socket as plain
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import zmq
from zmq.utils import z85

from catalyst.errors import ConfigError, UnavailableError, UsageError
from catalyst.runtime import wire
from catalyst.runtime.beats import Beats
from catalyst.runtime.control import Control
from catalyst.runtime.keys import OPERATOR, Keys
from catalyst.runtime.places import Endpoint, Places, parse_endpoints
from catalyst.runtime.sockets import plain_socket
from catalyst.settings import defaults
from catalyst.testing import wait_until
from tests.runtime.cast import Giver, Taker
from tests.runtime.forked import Town, exit_code

NAMES = ("alerter", "market", "fetcher")


def free_ports() -> int:
    """The first of three ports in a row that nobody listens at."""
    for port in random.Random().sample(range(20_000, 32_000, 3), 50):
        with suppress(OSError):
            for number in range(port, port + 3):
                with plain.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
    raise AssertionError("no three free ports")


# -- endpoints


def test_endpoints_are_read() -> None:
    """Data, control and beats have three ports in a row; an IPv6 address stands in brackets."""
    found = parse_endpoints(["market=tcp://10.0.0.2:9100", "fetcher=tcp://[fd00::1]:9100"], NAMES)
    assert found == {"market": Endpoint("10.0.0.2", 9100), "fetcher": Endpoint("fd00::1", 9100)}
    assert [found["market"].address(ending) for ending in ("in", "ctl", "beat")] == [
        "tcp://10.0.0.2:9100", "tcp://10.0.0.2:9101", "tcp://10.0.0.2:9102"]
    assert found["fetcher"].address("ctl") == "tcp://[fd00::1]:9101"


@pytest.mark.parametrize(("entries", "words"), [
    (["market"], "is not ACTOR=tcp"), (["market=ipc:///tmp/x"], "is not ACTOR=tcp"),
    (["market=tcp://host.example:9100"], "is not ACTOR=tcp"), (["market=tcp://*:9100"], "is not ACTOR=tcp"),
    (["market=tcp://10.0.0.1:9100;tcp://x"], "is not ACTOR=tcp"), (["market=tcp://10.0.0.300:1"], "no IP address"),
    (["market=tcp://0.0.0.0:9100"], "no address of one host"), (["market=tcp://[::]:9100"], "no address of one host"),
    (["market=tcp://10.0.0.1:0"], "port 0"), (["market=tcp://10.0.0.1:65534"], "port 65536"),
    (["supervisor=tcp://10.0.0.1:9100"], "no such actor"), (["maket=tcp://10.0.0.1:9100"], "no such actor"),
    (["market=tcp://10.0.0.1:9100", "market=tcp://10.0.0.1:9200"], "twice"),
    (["market=tcp://10.0.0.1:9100", "alerter=tcp://10.0.0.1:9102"], "port 9102; market has it")])
def test_a_wrong_endpoint_is_refused_by_name(entries: list[str], words: str) -> None:
    """Nothing but one IP address, three free ports and an actor that there is."""
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        parse_endpoints(entries, NAMES)


def test_without_endpoints_no_key_is_needed(home: Path) -> None:
    """One host alone has no keys folder; all its actors are reached in the run folder."""
    found = Places.of(defaults(home=home))
    found.check()
    assert not found.remote
    assert not found.is_remote("market")
    assert not (home / "keys").exists()


# -- keys on disk


def test_keys_are_made_once_and_are_the_users_alone(tmp_path: Path) -> None:
    """Private files 0600 in a folder 0700; a second --init makes only what is missing; nothing shows a private key."""
    keys = Keys(tmp_path / "keys")
    assert keys.make(["market", OPERATOR]) == ["market", OPERATOR]
    before = keys.pair("market")
    assert keys.make(["market", "alerter", OPERATOR]) == ["alerter"]
    again = Keys(tmp_path / "keys")
    assert again.pair("market") == before
    assert again.public("market") == before.public
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert before.secret.decode() not in (tmp_path / "keys" / "public.txt").read_text() + repr(before)
    assert {found.name for found in again.own} == {"market", "alerter", OPERATOR}


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """As ssh does: with the command that mends it."""
    keys = Keys(tmp_path)
    keys.make(["market"])
    (tmp_path / "market.secret").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.pair("market")


@pytest.mark.parametrize("content", [b"", b"x" * 39, b"\xff" * 40, b"a b\n" * 20])
def test_a_damaged_private_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that holds no key is named; it is not replaced silently, since peers know the old one."""
    (tmp_path / "market.secret").write_bytes(content)
    (tmp_path / "market.secret").chmod(0o600)
    with pytest.raises(ConfigError, match=r"market\.secret"):
        Keys(tmp_path).pair("market")


def test_an_actor_has_one_key(tmp_path: Path) -> None:
    """An actor lives on one host: a second key is refused, or takes the first one's place; operators may be many."""
    here, there, third = (Keys(tmp_path / name) for name in ("here", "there", "third"))
    here.make(["market", OPERATOR])
    there.make(["fetcher", OPERATOR])
    third.make(["fetcher", "market", OPERATOR])
    fresh = here.take_over(there.folder / "public.txt", replace=False)
    assert [found.name for found in fresh] == ["fetcher", OPERATOR]
    assert here.take_over(there.folder / "public.txt", replace=False) == []
    with pytest.raises(UsageError, match="market has a key of its own"):
        here.take_over(third.folder / "public.txt", replace=True)
    (third.folder / "market.secret").unlink()
    third.make([])
    with pytest.raises(UsageError, match="fetcher has another key already"):
        here.take_over(third.folder / "public.txt", replace=False)
    here.take_over(third.folder / "public.txt", replace=True)
    again = Keys(here.folder)
    assert again.public("fetcher") == third.pair("fetcher").public
    assert sorted(again.peers().values()) == sorted(["market", "fetcher", *(
        f"operator@{next(one.fingerprint for one in keys.own if one.name == OPERATOR)}" for keys in
        (here, there, third))])
    gone = again.forget(next(one.fingerprint for one in there.own if one.name == OPERATOR))
    assert z85.decode(gone.key) not in Keys(here.folder).peers()
    with pytest.raises(UsageError, match="no imported key"):
        again.forget("00")


@pytest.mark.parametrize("text", ["market\n", "market " + "x" * 39, "MARKET " + "x" * 40, "market " + "\\" * 40,
                                  "x" * 200_000, "../../etc/passwd " + "x" * 40, "market \x00" + "x" * 40])
def test_a_file_that_is_no_list_of_keys_is_refused(tmp_path: Path, text: str) -> None:
    """With its name and line; nothing is imported."""
    (tmp_path / "other.txt").write_text(text)
    keys = Keys(tmp_path / "keys")
    keys.make([OPERATOR])
    with pytest.raises(ConfigError, match=r"other\.txt"):
        keys.take_over(tmp_path / "other.txt", replace=False)
    assert not keys.known


# -- two hosts on loopback


class Hosts:
    """A giver's host and a taker's host, each with a home and keys of its own."""

    def __init__(self, folder: Path):
        ports = {name: free_ports() for name in ("giver", "taker")}
        self.endpoints = tuple(f"{name}=tcp://127.0.0.1:{port}" for name, port in ports.items())
        self.giver, self.taker = (
            Town(folder / name, (Giver, Taker), actors=(name,), endpoints=self.endpoints, sqlite_synchronous="OFF")
            for name in ("giver", "taker"))
        self.folder = folder
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def keys(self, name: str) -> Keys:
        """Keys of one of the hosts."""
        return Keys(self.folder / name / "keys")

    def place(self, town: Town) -> Places:
        """What the host of a town sees."""
        return Places.of(town.settings, ("giver", "taker"))

    def share(self, *others: str) -> None:
        """Make keys on both hosts and let each know the other's; `others` have keys on the giver's."""
        giver, taker = self.keys("giver"), self.keys("taker")
        giver.make(["giver", *others, OPERATOR])
        taker.make(["taker", OPERATOR])
        giver.take_over(taker.folder / "public.txt", replace=False)
        taker.take_over(giver.folder / "public.txt", replace=False)

    def start(self) -> None:
        """Start both actors and wait until each answers to the other's host."""
        self.giver.start("giver")
        self.taker.start("taker")
        for town, name in ((self.giver, "taker"), (self.taker, "giver")):
            town.control.close()
            town.control = Control(self.place(town))
            town.ready(name)

    def taken(self) -> float:
        """How many parcels the taker has, asked over the network."""
        return self.giver.number("taker", "SELECT count(*) FROM seen")

    def dealer(self, identity: str, keys: Keys | None, name: str = "", ending: str = "in") -> zmq.Socket[bytes]:
        """A socket that calls itself `identity`, at the taker, with the keys of `name` there (None: without keys)."""
        socket = plain_socket(self.context, zmq.DEALER)
        if identity:
            socket.setsockopt(zmq.IDENTITY, identity.encode())
        if keys is not None:
            pair = keys.pair(name)
            socket.curve_serverkey = self.keys("taker").public("taker")
            socket.curve_publickey, socket.curve_secretkey = pair.public, pair.secret
        socket.connect(self.place(self.giver).endpoints["taker"].address(ending))
        return socket

    def rejected(self, reason: str) -> int:
        """How many frames or keys the taker refused for a reason."""
        return int(self.taker.ask("taker", "status")["rejected"].get(reason, 0))

    def close(self) -> None:
        """End everything."""
        self.giver.close()
        self.taker.close()
        self.context.destroy(linger=0)


@pytest.fixture
def hosts(home: Path) -> Iterator[Hosts]:
    """Two hosts without keys, nothing started."""
    made = Hosts(home)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.system
def test_messages_go_between_hosts(hosts: Hosts) -> None:
    """Over CURVE: each once; commands and beats of the other host too; a kill of either side changes nothing."""
    hosts.share()
    hosts.start()
    for victim, town in (("giver", hosts.giver), ("taker", hosts.taker)):
        before = hosts.taken()
        hosts.giver.ask("giver", "give", count=300)
        wait_until(lambda before=before: hosts.taken() > before, 10, "some flow")  # type: ignore[misc]
        town.kill(victim)
        town.start(victim)
        town.ready(victim)
        wait_until(lambda: hosts.giver.ask("giver", "give", count=0)["promised"] == 0, 10, "all given")
        wait_until(lambda: hosts.taken() == hosts.giver.number("giver", "SELECT count(*) FROM given"), 20, "all taken")
    (counts,) = hosts.giver.rows("taker", "SELECT count(*), count(DISTINCT number), max(number) FROM seen")
    assert counts == [hosts.taken()] * 3
    assert counts[0] > 300
    beats = Beats(hosts.place(hosts.giver), ("giver", "taker"))
    wait_until(lambda: beats.read() and beats.last.keys() == {"giver", "taker"}, 5, "beats of both")
    beats.socket.close(0)


@pytest.mark.system
def test_the_supervisor_of_each_host_has_a_link_of_its_own(hosts: Hosts) -> None:
    """Its name on another host is that of its operator's key: two supervisors never share a sequence."""
    hosts.share()
    there = hosts.place(hosts.giver)
    fingerprint = next(one.fingerprint for one in hosts.keys("giver").own if one.name == OPERATOR)
    assert there.sender("supervisor") == f"supervisor@{fingerprint}"
    assert there.sender("giver") == "giver"
    assert there.sender("supervisor") != hosts.place(hosts.taker).sender("supervisor")


@pytest.mark.system
def test_a_key_is_bound_to_its_name(hosts: Hosts) -> None:
    """A known key under another name is counted, one that is not a sender's too; neither is heard nor answered."""
    hosts.share("web")
    hosts.start()
    hello = wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1)
    for identity, name, reason in (("giver", "web", "stranger"), ("other", "giver", "wrong_key")):
        liar = hosts.dealer(identity, hosts.keys("giver"), name)

        def is_refused(liar: zmq.Socket[bytes] = liar, reason: str = reason) -> bool:
            liar.send(hello)  # again: the true giver may take its name back before the first one was read
            return hosts.rejected(reason) >= 1

        wait_until(is_refused, 20, reason)
        assert not liar.poll(200)
    hosts.giver.ask("giver", "give", count=3)
    wait_until(lambda: hosts.taken() == 3)


@pytest.mark.system
@pytest.mark.parametrize("ending", ["in", "ctl"])
def test_an_unknown_key_gets_nothing(hosts: Hosts, ending: str) -> None:
    """Neither data nor control; without keys there is not even a question; an actor's key does not open control."""
    hosts.share()
    hosts.start()
    unknown = Keys(hosts.folder / "unknown")
    unknown.make(["giver"])
    request = b"\x82\xa1v\x01\xa4verb\xa4ping"
    frames = [wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1), request]
    before = wait_until(lambda: hosts.taker.rows("taker", "SELECT link_epoch FROM links_in"))
    callers = [hosts.dealer("giver", unknown, "giver", ending), hosts.dealer("giver", None, ending=ending)]
    if ending == "ctl":
        callers.append(hosts.dealer("", hosts.keys("giver"), "giver", ending))
    for caller in callers:
        for frame in frames:
            caller.send(frame)
    wait_until(lambda: hosts.rejected("unknown_key") >= 1, 10)
    assert not any(caller.poll(300) for caller in callers)
    assert hosts.taker.rows("taker", "SELECT link_epoch FROM links_in") == before
    hosts.giver.ask("giver", "give", count=3)
    wait_until(lambda: hosts.taken() == 3)


@pytest.mark.system
def test_an_asker_with_an_unknown_key_or_the_wrong_server_key_hears_nothing(hosts: Hosts) -> None:
    """The server's key is pinned: another one than expected is no answer, not even for who is known there."""
    hosts.share()
    hosts.start()
    stranger = Keys(hosts.folder / "stranger")
    stranger.make(["taker", "giver", OPERATOR])
    known = hosts.keys("giver").folder / "known.txt"
    wrong = (stranger.folder / "public.txt").read_text().replace("giver", "web")
    for folder, pinned in ((stranger.folder, known.read_text()), (known.parent, wrong)):
        (folder / "known.txt").write_text(pinned)
        found = Places(hosts.folder, hosts.place(hosts.giver).endpoints, (), Keys(folder))
        with Control(found) as control, pytest.raises(UnavailableError, match="does not answer"):
            control.ask("taker", "ping", 0.5)


@pytest.mark.system
def test_a_key_that_is_imported_later_opens_the_way(hosts: Hosts) -> None:
    """Who was refused tries again: after the taker's next start, which knows the key, everything arrives."""
    old = Keys(hosts.folder / "old")
    old.make(["giver", OPERATOR])
    hosts.share()
    right = (hosts.keys("taker").folder / "known.txt").read_text()
    (hosts.keys("taker").folder / "known.txt").write_text((old.folder / "public.txt").read_text())
    hosts.giver.start("giver")
    hosts.taker.start("taker")
    hosts.giver.ready("giver")
    hosts.taker.ready("taker")
    hosts.giver.ask("giver", "give", count=5)
    wait_until(lambda: hosts.rejected("unknown_key") > 0, 10)
    (hosts.keys("taker").folder / "known.txt").write_text(right)
    hosts.taker.stop("taker")
    hosts.taker.start("taker")
    hosts.taker.ready("taker")
    wait_until(lambda: hosts.taker.number("taker", "SELECT count(*) FROM seen") == 5, 10)


@pytest.mark.system
def test_no_tcp_without_keys(hosts: Hosts) -> None:
    """Exit code 78 and a line that says what to do, on loopback too; a missing peer's key is named as well."""
    hosts.taker.start("taker")
    assert exit_code(hosts.taker.pids.pop("taker")) == 78
    log = hosts.taker.settings.log_folder / "taker.jsonl"
    assert "catalyst keys --init" in log.read_text()
    hosts.keys("taker").make(["taker", OPERATOR])
    hosts.taker.start("taker")
    assert exit_code(hosts.taker.pids.pop("taker")) == 78
    assert "the key of giver is not known here" in log.read_text()


@pytest.mark.system
@pytest.mark.parametrize("count", [200, pytest.param(2_000, marks=pytest.mark.long)])
def test_connections_of_random_bytes_change_nothing(hosts: Hosts, count: int) -> None:
    """Random bytes, half of a greeting, nothing at all, cut off or left open: messages go on meanwhile."""
    hosts.share()
    hosts.start()
    chance = random.Random(7)
    endpoint = hosts.place(hosts.giver).endpoints["taker"]
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(15) + b"\x00" + bytes(31)
    hosts.giver.ask("giver", "give", count=1_000)
    held = []
    for number in range(count):
        raw = plain.create_connection((endpoint.host, endpoint.port + number % 3), 5)
        with suppress(OSError):  # it may hang up in the middle
            raw.send(chance.choice((b"", greeting[:chance.randrange(64)], greeting + chance.randbytes(200),
                                    chance.randbytes(chance.randrange(1, 500)))))
        if number % 10:
            raw.close()
        else:
            held.append(raw)
    wait_until(lambda: hosts.taken() == 1_000, 20, "all taken")
    assert hosts.taker.ask("taker", "ping")["pid"] == hosts.taker.pids["taker"]
    for raw in held:  # who says nothing is sent away
        raw.settimeout(10)
        with suppress(ConnectionError):
            while raw.recv(4096):
                pass
        raw.close()


@pytest.mark.system
def test_a_link_survives_bytes_against_the_protocol(home: Path) -> None:
    """A false receiver that answers beyond the limit ends ZeroMQ's own tries; the sender connects anew."""
    giver, taker = Town(home, (Giver, Taker)), home / "run" / "taker.in"
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        giver.start("giver")
        giver.ready("giver")
        false = context.socket(zmq.ROUTER)
        false.bind(f"ipc://{taker}")
        identity, _ = false.recv_multipart()
        false.send_multipart([identity, bytes(2 * wire.FRAME_LIMIT_BYTES)])
        log = giver.settings.log_folder / "giver.jsonl"
        wait_until(lambda: "redialled" in log.read_text(), 10)
        context.destroy(linger=0)
        giver.ask("giver", "give", count=5)
        giver.start("taker")
        wait_until(lambda: giver.number("taker", "SELECT count(*) FROM seen") == 5, 10)
    finally:
        giver.close()
        context.destroy(linger=0)
