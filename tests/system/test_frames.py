"""A running house under fuzz: every socket of every actor gets what no peer sends, and the day goes on."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import zmq

from catalyst.bench.house import House
from catalyst.chaos.frames import OVERSIZED_BYTES, frames, link_frames, requests
from catalyst.clock import SystemClock, from_iso
from catalyst.errors import MessageError
from catalyst.runtime.control import Control
from catalyst.runtime.heartbeat import read_request
from catalyst.runtime.roster import ALL
from catalyst.runtime.sockets import address, plain_socket
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SENDERS = {"classifier": "fetcher", "sec": "fetcher", "market": "classifier", "charter": "market", "alerter": "market",
           "tracker": "market", "web": "fetcher", "fetcher": "tracker", "supervisor": "alerter"}
MAD_FRAMES = 60
TOPIC_BYTES = 40
SHARES = (("in", 0.7), ("ctl", 0.2), ("beat", 0.1))


class Enemy:
    """Sends fuzz to the sockets of one house and counts what it sent and what came back."""

    def __init__(self, house: House, seed: int):
        self.folder = house.home / "run"
        self.sent: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()  # answers, by actor
        self.answered: Counter[str] = Counter()
        self.chance = random.Random(seed)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._frames, self._requests = frames(seed), requests(seed)
        self._sockets = {(name, ending): self.socket(name, ending) for name in ALL for ending, _ in SHARES}

    def socket(self, name: str, ending: str, identity: str = "") -> zmq.Socket[bytes]:
        """A socket at one of an actor's; it waits when that actor is slow."""
        socket = plain_socket(self.context, zmq.XSUB if ending == "beat" else zmq.DEALER)
        if identity:
            socket.setsockopt(zmq.IDENTITY, identity.encode())
        socket.setsockopt(zmq.RECONNECT_IVL, 10)
        socket.setsockopt(zmq.SNDTIMEO, 20_000)
        socket.connect(address(self.folder, name, ending))
        return socket

    def round(self, count: int) -> None:
        """Some messages to each socket of each actor: `count` in all, or a little more."""
        for ending, share in SHARES:
            each = max(1, round(count * share / len(ALL)))
            for name in ALL:
                socket = self._sockets[name, ending]
                for parts in islice(self._requests if ending == "ctl" else self._frames, each):
                    socket.send_multipart([b"\x01" + parts[0][:TOPIC_BYTES]] if ending == "beat" else parts)
                    if ending == "ctl":
                        self._expect(name, parts[-1])
                        wait_until(lambda name=name, socket=socket: self._has_answered(name, socket), 20, name)
                self.sent[ending] += each

    def listen_anew(self) -> None:
        """Drop all subscriptions, as a listener does that goes."""
        for name in ALL:
            self._sockets[name, "beat"].close(0)
            self._sockets[name, "beat"] = self.socket(name, "beat")

    def _expect(self, name: str, request: bytes) -> None:
        with suppress(MessageError):
            read_request(request)
            self.expected[name] += 1

    def _has_answered(self, name: str, socket: zmq.Socket[bytes]) -> bool:
        """Whether few answers are owed: who asks and does not read loses some, by design."""
        self._read(name, socket)
        return self.expected[name] - self.answered[name] < 50

    def _read(self, name: str, socket: zmq.Socket[bytes]) -> None:
        while socket.poll(0):
            socket.recv_multipart()
            self.answered[name] += 1

    def answers(self) -> bool:
        """Whether every request that is one was answered."""
        for name in ALL:
            self._read(name, self._sockets[name, "ctl"])
        return self.answered == self.expected

    def masquerade(self, name: str) -> None:
        """Speak as one of the actor's senders, out of its mind, until the actor has read it all."""
        socket = self.socket(name, "in", SENDERS[name])
        for data in link_frames(self.chance, MAD_FRAMES):
            socket.send(data)
            self.sent["in"] += 1
        assert socket.poll(20_000), f"{name} does not welcome"
        socket.close(0)

    def oversize(self, name: str) -> None:
        """Messages of 2 MiB, and a subscription of 9 KB, which cut their connections off."""
        for ending, size in (("in", OVERSIZED_BYTES), ("ctl", OVERSIZED_BYTES), ("beat", 9_000)):
            socket = self.socket(name, ending)
            monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            socket.send(b"\x01" + bytes(size))
            assert monitor.poll(10_000), f"{name}.{ending} took {size} bytes"
            socket.disable_monitor()
            monitor.close(0)
            socket.close(0)
            self.sent[ending] += 1


def status(house: House) -> dict[str, dict[str, Any]]:
    """What every actor says of itself."""
    with Control(house.home / "run") as control:
        return control.ask_all(ALL, "status", 10.0)


def refused(house: House, reason: str) -> int:
    """How many frames all actors refused for a reason."""
    return sum(answer["rejected"].get(reason, 0) for answer in status(house).values())


def latencies_ms(house: House, until_ms: int) -> tuple[str, str]:
    """Median way of an alert from the feed's answer to the webhook, of those seen before `until_ms` and after."""
    found: tuple[list[int], list[int]] = ([], [])
    for event in house.sent()["events"]:
        fields = json.loads(event["body"])
        if fields["event"] == "alert":
            seen_ms = from_iso(fields["seen"])
            found[seen_ms >= until_ms].append(from_iso(fields["sent"]) - seen_ms)
    return tuple(f"{statistics.median(part):.0f} ms (n {len(part)})" if part else "-" for part in found)


SIZES = [pytest.param(15_000, 30, 4.0, id="small"),
         pytest.param(1_000_000, 300, 300.0, id="million", marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]


@pytest.fixture
def house(tmp_path: Path, items: int, span_s: float) -> Iterator[House]:
    """A house that plays a day."""
    with House(tmp_path, items=items, duration_s=span_s) as made:
        made.open_world()
        made.up()
        yield made


@pytest.fixture
def enemy(house: House, total: int) -> Iterator[Enemy]:
    """Who sends fuzz to that house."""
    made = Enemy(house, seed=total)
    yield made
    made.context.destroy(linger=0)


@pytest.mark.parametrize(("total", "items", "span_s"), SIZES)
def test_fuzzed_frames_change_nothing(house: House, enemy: Enemy, total: int) -> None:
    """No process ends, each frame is counted or answered, memory stays, and every item of the day has its fate."""
    before = status(house)
    pids = {name: house.pid(name) for name in ALL}
    began_s = time.monotonic()
    for name in ALL:
        enemy.oversize(name)
    for name in SENDERS:
        enemy.masquerade(name)
    while enemy.sent.total() < total:
        enemy.round(min(20_000, total - enemy.sent.total()))
        enemy.listen_anew()
    wait_until(enemy.answers, 60, "an answer to each request")
    strangers = enemy.sent["in"] - len(SENDERS) * (MAD_FRAMES + 1) - len(ALL)
    wait_until(lambda: refused(house, "stranger") >= strangers, 60, "every frame is counted")
    over_ms = SystemClock().now_ms()
    passed_s = time.monotonic() - began_s
    items = {number: row for number, row in house.wait_until_settled(240).items() if not number.startswith("fuzz")}
    assert len(items) >= house.expected()
    assert not [row for row in items.values() if row["fate"] in ("dead", "in_flight")]
    assert {name: house.pid(name) for name in ALL} == pids
    after = status(house)
    assert refused(house, "stranger") == strangers
    assert all(sum(after[name]["rejected"].values()) > 100 for name in ALL)
    grown = {name: after[name]["rss_bytes"] - before[name]["rss_bytes"] for name in ALL}
    assert max(grown.values()) < 60_000_000, grown
    lines = Counter(line for name in ALL for line in (house.home / "logs" / f"{name}.jsonl").read_text().splitlines()
                    if "frame_rejected" in line)
    assert lines.total() <= len(ALL) * 20 * (1 + passed_s / 60)
    during, calm = latencies_ms(house, over_ms)
    reasons: Counter[str] = sum((Counter(answer["rejected"]) for answer in after.values()), Counter())
    print(f"{enemy.sent.total()} messages {dict(enemy.sent)} in {passed_s:.0f} s, {enemy.answered.total()} answered,"
          f" refused {dict(reasons)}; an actor grew by {max(grown.values()) / 1e6:.0f} MB at most; an alert's way took"
          f" {during} during the fuzz, {calm} after it")
