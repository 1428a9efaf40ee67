"""Bench of fetching: a cycle over twelve slow sources beside the same questions in turn, and a burst of 2,000 items.

The fetcher runs with its own engine, database and threads; only the links to other actors are left out. Each source is
a server of its own on loopback that takes 300 ms to answer; they share a process, which is not the fetcher's.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalyst.bench.measure import Report, progress
from catalyst.clients.http import Http
from catalyst.clients.polls import Poll, ask
from catalyst.clock import SystemClock
from catalyst.messages import Message, StoryFound
from catalyst.runtime.roster import load_actor
from catalyst.testing import Bench

SOURCES = 12
ANSWER_S = 0.3
BURST = 2_000
LIMIT_S = 60.0
PATIENT_S = 3_600


class _Server:
    """A server that answers every GET with its document after a while, 304 to who has it already."""

    def __init__(self, number: int, answer_s: float):
        self.number = number
        self.answer_s = answer_s
        self._body, self._etag = b"", b""
        self._dates: dict[int, str] = {}  # of the items, each from when it was first shown
        self.publish(0)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/feed"
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def publish(self, first: int, count: int = 20) -> None:
        """Show the items from number `first` on, the newest at the top, as wires do."""
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        items = "".join(
            f"<item><title>{company(self.number, n)} Corp. wins an order of ${n} million</title>"
            f"<guid>{self.number}-{n}</guid>"
            f"<link>https://wire{self.number}.example/{n}</link>"
            f"<pubDate>{self._dates.setdefault(n, now)}</pubDate></item>"
            for n in range(first + count - 1, first - 1, -1))
        self._body = f"<rss version='2.0'><channel>{items}</channel></rss>".encode()
        self._etag = f'"{first}-{count}"'.encode()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, suppress(OSError):
            while request := sock.recv(65_536):
                body, etag = self._body, self._etag
                self._over.wait(self.answer_s)
                status, body = (b"304 Not Modified", b"") if etag in request else (b"200 OK", body)
                sock.sendall(b"HTTP/1.1 %s\r\nETag: %s\r\nContent-Length: %d\r\n\r\n%s"
                             % (status, etag, len(body), body))

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        self._listener.close()


def company(source: int, number: int) -> str:
    """A name of letters for each item: wires seldom write of one company in every line."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{source:02}{number:05}").title()


def serve(answer_s: float) -> None:
    """Run the sources; each line of the standard input, `FIRST COUNT ...`, changes what they show."""
    servers = [_Server(number, answer_s) for number in range(SOURCES)]
    sys.stdout.write(json.dumps([server.url for server in servers]) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        first, *counts = map(int, line.split())
        for server, count in zip(servers, counts, strict=True):
            server.publish(first, count)
        sys.stdout.write("\n")
        sys.stdout.flush()
    for server in servers:
        server.close()


class Sources:
    """The process of the sources and their addresses."""

    def __init__(self, answer_s: float):
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-c", f"from catalyst.bench.fetch import serve; serve({answer_s})"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.urls: list[str] = json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def publish(self, first: int, counts: list[int]) -> None:
        """Let each source show its count of items from number `first` on."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, [first, *counts])) + "\n")
        self._process.stdin.flush()
        self._line()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Cycles:
    """A fetcher over slow sources, cycle by cycle."""

    def __init__(self, folder: Path, sources: Sources):
        self.sources = sources
        path = folder / "sources.toml"
        path.write_text("".join(f'[[source]]\nname = "s{number}"\nurl = "{url}"\nkind = "rss"\nevery = {PATIENT_S}\n'
                                for number, url in enumerate(sources.urls)))
        clock: Any = SystemClock()
        self.bench = Bench(load_actor("fetcher"), folder, clock=clock, sources=path, allow_hosts=("127.0.0.1",))

    def run(self) -> tuple[float, list[Message]]:
        """Seconds until all sources have been asked and all of it is stored, and what was sent."""
        bench, jobs = self.bench, self.bench.engine.jobs
        with bench.store.transaction() as db:  # all are due now
            db.execute("UPDATE feeds SET next_due_ms = 0")
        woken = select.poll()
        woken.register(jobs.wake_fd, select.POLLIN)
        sent_before, began_s = len(bench.sent), time.perf_counter()
        bench.tick("poll_due")
        open_jobs = len(bench.jobs())
        while open_jobs:
            picked: list[Any] = []
            bench._turn(lambda db, picked=picked: picked.extend(jobs.pick(db, bench.clock.now_ms())))  # type: ignore[misc]
            jobs.start(picked)
            if not woken.poll(LIMIT_S * 1000):
                raise TimeoutError("a poll has not come back")
            finished = jobs.finished()  # in one transaction, as the process's loop does
            bench._turn(lambda db, all=finished: [bench.engine.finish(db, one) for one in all])  # type: ignore[misc]
            for one in finished:
                jobs.over(one.job)
            open_jobs -= len(finished)
        return time.perf_counter() - began_s, bench.sent[sent_before:]


@contextmanager
def cycles(answer_s: float = ANSWER_S) -> Iterator[Cycles]:
    """A fetcher and its sources, which have shown their first documents."""
    sources = Sources(answer_s)
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        running = Cycles(Path(folder), sources)
        try:
            running.bench.tick("poll_due")
            running.run()
            yield running
        finally:
            running.bench.close()
            sources.close()


def run(*, quick: bool) -> Report:
    """Seconds of a cycle over documents of 20 items, one of them new, and megabytes that a burst costs."""
    report = Report(f"fetch: {SOURCES} sources of {ANSWER_S * 1000:g} ms each, then {BURST:,} new items at once")
    with cycles() as running:
        bare = Bare(running.sources.urls)
        for number in range(3 if quick else 10):
            progress(f"fetch: round {number + 1}")
            running.sources.publish(number + 1, [20] * SOURCES)
            full_s = running.run()[0]
            unchanged_s = running.run()[0]
            bare_s = bare.run()
            asked = running.sources.urls[:3 if quick else None]  # of quick ones a part stands for all
            is_timed = number < (1 if quick else 3)
            turn_s = one_by_one_s(asked) * SOURCES / len(asked) if is_timed else report.values["in turn"][-1]
            report.add({"one answer": ANSWER_S, "in turn": turn_s, "bare loop": bare_s, "cycle": full_s,
                        "cycle of 304s": unchanged_s}, "s")
    bare.close()
    report.ratio("fetch.cycle", "one answer", "cycle", 1 / 1.10)
    report.ratio("fetch.cycle_304", "one answer", "cycle of 304s", 1 / 1.05)
    report.ratio("fetch.bare", "bare loop", "cycle", 1 / 1.10)
    report.ratio("fetch.bare_304", "bare loop", "cycle of 304s", 1 / 1.05)
    report.ratio("fetch.turn", "in turn", "cycle", 10)
    if not quick:
        found, ordered, took_s, grown_mb = burst()
        report.add({"burst, items handed on": found}, "items")
        report.add({"burst, sources in order": ordered}, "sources")
        report.add({"burst": took_s}, "s")
        report.add({"burst, growth of RssAnon": grown_mb}, "MB")
    report.notes.append("a cycle ends when everything is stored; the aims are 1.10 and 1.05 of one answer, upside down")
    report.notes.append("the bare loop: a thread and a kept socket each, whole documents, nothing read or stored")
    return report


class Bare:
    """The peer: the same questions at once over kept sockets, a thread each; the answers are taken and let go."""

    def __init__(self, urls: list[str]):
        self._sockets = [socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) for url in urls]
        for sock in self._sockets:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> float:
        """Seconds until the last document is there."""
        threads = [threading.Thread(target=self._ask, args=(sock,)) for sock in self._sockets]
        began_s = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began_s

    def _ask(self, sock: socket.socket) -> None:
        sock.sendall(b"GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65_536)
        head, _, body = answer.partition(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length:")[2].split(b"\r")[0]) - len(body)
        while left > 0:
            left -= len(sock.recv(65_536))

    def close(self) -> None:
        """Let the sockets go."""
        for sock in self._sockets:
            sock.close()


def one_by_one_s(urls: list[str]) -> float:
    """Seconds that the same questions take one after the other, connections kept."""
    http = Http(SystemClock(), allow_hosts=("127.0.0.1",))
    began_s = time.perf_counter()
    for url in urls:
        ask(http, Poll("x", url, "rss"))
    http.close()
    return time.perf_counter() - began_s


def burst(answer_s: float = 0.0) -> tuple[int, int, float, float]:
    """Items handed on of the burst, sources whose order was kept, seconds, and growth in MB."""
    with cycles(answer_s) as running:
        counts = [BURST // SOURCES + (number < BURST % SOURCES) for number in range(SOURCES)]
        running.sources.publish(1_000, counts)
        before_mb = anonymous_mb()
        took_s, sent = running.run()
        grown_mb = anonymous_mb() - before_mb
    links = [message.link for message in sent if isinstance(message, StoryFound)]
    ordered = 0
    for number, count in enumerate(counts):
        own = [int(link.rpartition("/")[2]) for link in links if link.startswith(f"https://wire{number}.")]
        ordered += own in (sorted(own), sorted(own, reverse=True)) and len(own) == count
    return len(set(links)), ordered, took_s, grown_mb


def anonymous_mb() -> float:
    """Private memory of this process; 0 where there is no /proc."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0
