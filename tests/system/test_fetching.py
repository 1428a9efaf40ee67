"""Real fetchers against a bad net: hostile servers beside good ones, outages, kill -9 in mid-cycle, many askers."""

from __future__ import annotations

import json
import random
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.chaos.houses import integrity, truth
from catalyst.chaos.verdict import alert_of, judge
from catalyst.core.edits import edit_id
from catalyst.core.stories import item_id_of
from catalyst.testing import wait_until
from catalyst.world.generate import generate
from tests.asking import CLIENTS, ask_at_once
from tests.hostile import FEED, OK, Hostile, answer, bomb, drip, filled, flood, raw, redirect

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BAD = {
    "bomb": answer(bomb(200_000_000), "Content-Encoding: gzip"), "endless": flood(OK + b"\r\n", bytes(65_536)),
    "drip": drip(OK + b"Content-Length: 100000\r\n\r\n"), "silent": raw(linger=True),
    "headers": flood(OK, b"X-A: b\r\n" * 5_000), "loop": redirect("{base}/loop"),
    "inside": redirect("http://169.254.169.254/"), "deep": answer(filled(b"<rss><channel>", b"<a>")),
    "long": answer(b"<rss><channel>" + b"".join(
        b"<item><title>Acme Robotics wins order %d</title><guid>%d</guid></item>" % (n, n) for n in range(3_900))),
}


class Wire:
    """A good source: its documents, the moments at which it was asked, and whether it is down just now."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self.is_down = False

    def __call__(self, sock: socket.socket, server: Hostile) -> None:
        self.asked_s.append(time.monotonic())
        if self.is_down:
            sock.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        elif b"If-None-Match" in server.requests[-1]:
            sock.sendall(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')
        else:
            sock.sendall(OK + b'ETag: "a"\r\nContent-Length: %d\r\n\r\n' % len(FEED) + FEED)


def listing(every_s: float, sources: dict[str, str]) -> str:
    """A sources.toml of name -> address."""
    return "".join(f'[[source]]\nname = "{name}"\nurl = "{url}"\nkind = "rss"\nevery = {every_s}\n'
                   for name, url in sources.items())


@pytest.fixture
def net() -> Iterator[tuple[dict[str, Wire], Hostile, Hostile]]:
    """Ten good sources and their server, and the server of the bad ones."""
    good = {f"good{number}": Wire() for number in range(10)}
    servers = Hostile(dict(good)), Hostile(dict(BAD))
    yield good, *servers
    for server in servers:
        server.close()


def opened(folder: Path, sources: str, *servers: Hostile, **settings: str) -> House:
    """A house with its world, whose fetcher asks these sources."""
    folder.mkdir(exist_ok=True)
    path = folder / "own.toml"
    path.write_text(sources)
    house = House(folder, items=10, CATALYST_SOURCES=str(path),
                  CATALYST_ALLOW_HOSTS=",".join(f"127.0.0.1:{server.port}" for server in servers), **settings)
    house.open_world()
    return house


@pytest.mark.long
def test_hostile_sources_delay_no_good_one(tmp_path: Path, net: tuple[dict[str, Wire], Hostile, Hostile]) -> None:
    """Beside nine hostile sources ten good ones keep their rhythm, and the process is neither ended nor swollen."""
    good, fine, bad = net
    addresses = {name: f"{fine.base}/{name}" for name in good} | {name: f"{bad.base}/{name}" for name in BAD}
    with opened(tmp_path, listing(1, addresses), fine, bad) as house:
        house.up()
        pid = house.pid("fetcher")
        start_s = time.monotonic()
        wait_until(lambda: min(len(wire.asked_s) for wire in good.values()) >= 8, 60, "eight polls of each")
        late_s = max(later - earlier - 1 for wire in good.values() for earlier, later in pairwise(wire.asked_s))
        outcomes = {row["name"]: row["outcome"] for row in house.query("fetcher", "SELECT name, outcome FROM feeds")}
        sys.stdout.write(json.dumps({"late_s": round(late_s, 3), "took_s": round(time.monotonic() - start_s, 1),
                                     "outcomes": {name: outcomes[name] for name in BAD}}) + "\n")
        assert house.pid("fetcher") == pid
        assert late_s < 3  # the aim is 1 s; a shared machine is given more
        assert {outcomes[name] for name in good} <= {"ok", "not_modified"}
        wait_until(lambda: all(row["outcome"] for row in house.query("fetcher", "SELECT outcome FROM feeds")), 30)


def notices(house: House) -> Counter[str]:
    """Titles at the operator's sink that are about sources."""
    titles = [message["payload"]["embeds"][0]["title"] for message in house.sent()["messages"]
              if message["webhook"] == "2/ops" and message["method"] == "POST" and message["status"] == 200]
    titles = [title.lstrip("ℹ⚠✖ ") for title in titles]
    return Counter(title for title in titles if "ource" in title or "good" in title or "dead" in title
                   or "gives nothing" in title)


def test_outages_are_told_exactly_once(tmp_path: Path, net: tuple[dict[str, Wire], Hostile, Hostile]) -> None:
    """A quiet night, one dead source of ten, one beside them whose name is not known, all of them, a kill in between,
    no name known at all: one notice for each and one for its end."""
    good, fine, _ = net
    addresses = {name: f"{fine.base}/{name}" for name in good}
    with opened(tmp_path, listing(0.3, addresses), fine, ALERT_CONSECUTIVE_EMPTY_CYCLES="3") as house:
        house.up()
        expected: Counter[str] = Counter()

        def has_come(*titles: str) -> None:
            expected.update(titles)
            wait_until(lambda: sum(notices(house).values()) >= sum(expected.values()), 60, f"{titles}")
            assert notices(house) == expected

        def polled_again(count: int) -> None:
            before = {name: len(wire.asked_s) for name, wire in good.items()}
            wait_until(lambda: all(len(wire.asked_s) >= before[name] + count for name, wire in good.items()), 90)

        polled_again(10)  # the quiet night: 304s only
        assert notices(house) == expected
        good["good3"].is_down = True
        has_come("good3 gives nothing")
        good["good3"].is_down = False
        has_come("good3 is back")
        for address, title in (("http://dead.invalid/", "dead gives nothing"), (f"{fine.base}/good0", "dead is back")):
            (tmp_path / "own.toml").write_text(listing(0.3, addresses | {"dead": address}))
            house.catalyst("reload")
            has_come(title)
        (tmp_path / "own.toml").write_text(listing(0.3, addresses))
        house.catalyst("reload")
        for wire in good.values():
            wire.is_down = True
        has_come("No source answers")
        house.kill("fetcher")
        polled_again(1)
        for wire in good.values():
            wire.is_down = False
        has_come("Sources answer again")
        polled_again(3)
        (tmp_path / "own.toml").write_text(listing(0.3, {name: f"http://{name}.invalid/" for name in good}))
        house.catalyst("reload")
        has_come("Hardly any source answers" if "Hardly any source answers" in notices(house) else "No source answers")
        (tmp_path / "own.toml").write_text(listing(0.3, addresses))
        house.catalyst("reload")
        has_come("Sources answer again")
        polled_again(5)
        assert notices(house) == expected


def test_corrections_reach_the_alerts_they_correct(tmp_path: Path) -> None:
    """A publisher's correction, under a link of its own or in place, comes as an update of the alert, in the card and
    at the webhook, never as a second alert; what was not alerted stays dropped. Wires that begin empty are told of to
    nobody."""
    generate(33, 90, tmp_path / "day", duration_s=8, every_s=0.3, duplicates=0.2, edits=True)
    with House(tmp_path, day=tmp_path / "day", ALERT_CONSECUTIVE_EMPTY_CYCLES="2") as house:
        house.open_world()
        house.up()
        edited = {edit_id(item_id_of("", line["link"], ""), line["title"]): line for line in house.truth()
                  if line["link"] == line["duplicate_of"]}
        wait_until(lambda: edited.keys() <= house.items().keys(), 60, "every edit is seen")
        items = house.wait_until_settled(90)
        assert not notices(house)  # of wires that had published nothing yet
        lines = [line for line in house.truth() if line["what"] == "correction"]
        wanted = edited | {item_id_of("", line["link"], ""): line for line in lines if line["fate"] == "alerted"}
        assert edited
        sent = house.sent()
        bodies = [json.loads(event["body"]) for event in sent["events"]]
        told = Counter((body["event"], body["item_id"]) for body in bodies if body["item_id"] in wanted)
        assert len(wanted) >= 2
        assert told == Counter({("update", item_id): 1 for item_id in wanted})
        alerts = {body["id"]: body["item_id"] for body in bodies if body["event"] == "alert"}
        for body in bodies:
            if body["item_id"] in wanted:
                assert alerts[body["id"]] == item_id_of("", wanted[body["item_id"]]["duplicate_of"], "")
        cards = {alert_of(message): message for message in sent["messages"] if message["status"] == 200}
        for body in bodies:
            if body["item_id"] in wanted:  # the last state of its card
                fields = cards[body["id"]]["payload"]["embeds"][0]["fields"]
                assert any("Corrected" in field["name"] for field in fields)
        assert {items[item_id]["fate"] for item_id in wanted} == {"alerted"}
        verdict = judge(items, house.expected(), truth(house), sent, integrity(house), alerter_kills=0)
        assert verdict.is_good, verdict.rows()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [8, 50])
def test_killed_in_mid_cycle(tmp_path: Path, kills: int) -> None:
    """The fetcher is killed again and again while a day plays: no item is skipped, none handed on twice."""
    span_s = 10 + kills * 1.5
    chance = random.Random(31)
    generate(31, 300, tmp_path / "day", filings=40, duration_s=span_s, every_s=0.5)
    with House(tmp_path, day=tmp_path / "day") as house:
        house.open_world()
        house.up()
        killed = 0
        while killed < kills:
            pid = house.pid("fetcher")
            if pid is not None and house.kill("fetcher") == pid:
                killed += 1
                wait_until(lambda pid=pid: house.pid("fetcher") not in (None, pid), 60, "the fetcher is back")
                again_s = time.monotonic() + chance.uniform(1.1, 1.6)  # somewhere in a cycle, and never a quick death
                wait_until(lambda again_s=again_s: time.monotonic() >= again_s)
        items = house.wait_until_settled(200)
        verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house), alerter_kills=0)
        assert verdict.is_good, verdict.rows()
        rows = house.query("fetcher", "SELECT count(*) AS n, count(DISTINCT item_id) AS ids FROM stories")[0]
        assert rows["n"] == rows["ids"]
        assert len(items) == house.expected()


@pytest.mark.long
def test_two_hundred_ask_while_it_polls(tmp_path: Path) -> None:
    """200 clients at once, again and again, ask the running fetcher what it has seen, while a day comes in: each gets
    an answer, no mark that one of them saw is ever missing, and no item is handed on twice."""
    generate(32, 150, tmp_path / "day", duration_s=8, every_s=0.3)
    with House(tmp_path, day=tmp_path / "day") as house:
        house.open_world()
        house.up()
        seen: dict[int, list[set[str]]] = defaultdict(list)
        wait_until(lambda: house.query("fetcher", "SELECT 1 FROM seen LIMIT 1"), 30, "the first marks")
        for _ in range(2):
            for number, marks in enumerate(marks_at_once(house)):
                seen[number].append(marks)
        assert len(seen) == CLIENTS
        items = house.wait_until_settled(120)
        final = marks_at_once(house)[0]
        for answers in seen.values():
            assert all(earlier <= later for earlier, later in pairwise([*answers, final]))
        verdict = judge(items, house.expected(), truth(house), house.sent(), integrity(house), alerter_kills=0)
        assert verdict.is_good, verdict.rows()


def marks_at_once(house: House) -> list[set[str]]:
    """What each of 200 clients is told that was seen."""
    query = "SELECT entry_key FROM seen ORDER BY last_seen_ms, entry_key LIMIT 1000"
    return [{row[0] if isinstance(row, list) else row["entry_key"] for row in rows}
            for rows in ask_at_once(house.home / "run", "fetcher", query)]
