"""How long an actor is away: kill -9 and `restart` of the classifier, to the next message handled.

The real supervisor and classifier; the fetcher is a stand-in in this process that sends a story each few milliseconds,
so that there is always a next message. The time away is the longest pause between two handled messages.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from catalyst.bench.measure import Report, progress
from catalyst.clock import SystemClock
from catalyst.messages import ItemDropped, OpsNotice, StoryFound, StoryJoined
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.runtime.control import Control
from catalyst.runtime.ownership import living_owner
from catalyst.runtime.process import Process
from catalyst.runtime.roster import ALL
from catalyst.settings import Settings, defaults
from catalyst.testing import wait_until

VICTIM = "classifier"
EACH_S = 0.004
AIM_MS = 50


class Stream(Actor):
    """Sends stories without end, in the fetcher's place."""

    name = "fetcher"
    outbox = (StoryFound, StoryJoined, ItemDropped, OpsNotice)
    every = (Every("tell", EACH_S),)
    count = 0

    def tell(self, db: sqlite3.Connection) -> Iterator[Output]:
        """One more story."""
        self.count += 1
        yield StoryFound(item_id=f"{self.now_ms}-{self.count}", source="bench", trust=1.0, title="A plain headline",
                         link=f"https://bench.example/{self.count}", summary="Nothing happened.", published_ms=None,
                         seen_ms=self.now_ms)


def run(*, quick: bool) -> Report:
    """Milliseconds away, by kill -9, by `restart`, and a cold start of the same actor."""
    times = 5 if quick else 20
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        settings = defaults(home=Path(folder))
        system = _up(settings)
        stream = _Stream(settings)
        try:
            with Control(settings.run_folder) as control:
                wait_until(lambda: _handled(control) > 50, 20, "stories flow")
                killed = [_away(control, settings, kill=True) for _ in range(times)]
                asked = [_away(control, settings, kill=False) for _ in range(times)]
        finally:
            stream.stop()
            system.terminate()
            system.wait(15)
    report = Report(f"restart: {VICTIM} away until the next message is handled")
    cold = [_cold_ms() for _ in range(times)]
    for one, two, three in zip(killed, asked, cold, strict=True):
        report.add({"kill -9": one, "catalyst restart": two, "cold start": three, "aim": AIM_MS}, "ms")
    report.ratio("kill", "cold start", "kill -9", 5)
    report.ratio("aim", "aim", "kill -9", 1)
    return report


class _Stream:
    """The stand-in for the fetcher in a thread of this process."""

    def __init__(self, settings: Settings):
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self, settings: Settings) -> None:
        self._process = Process(Stream, settings, ALL)  # made here: SQLite binds a connection to its thread
        self._ready.set()
        while not self._process.stopping:
            self._process.turn()

    def stop(self) -> None:
        """End the stream."""
        self._process.stop()
        self._thread.join(5)


def _up(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {"CATALYST_HOME": str(settings.home), "CATALYST_ACTORS": "alerter,tracker,market,classifier"}
    return subprocess.Popen(["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()),  # noqa: S603
                             sys.executable, "-m", "catalyst", "up"], stderr=subprocess.DEVNULL,
                            cwd=settings.home, start_new_session=True)


def _handled(control: Control) -> int:
    return int(control.ask_all([VICTIM], "status").get(VICTIM, {}).get("handled", 0))


def _away(control: Control, settings: Settings, *, kill: bool) -> float:
    """The longest pause between handled messages around one restart, in ms."""
    owner = living_owner(settings.database_folder, VICTIM)
    assert owner is not None
    began_ms = SystemClock().now_ms()
    if kill:
        os.kill(owner.pid, signal.SIGKILL)
    else:
        control.ask("supervisor", "restart", actor=VICTIM)
    wait_until(lambda: (found := living_owner(settings.database_folder, VICTIM)) and found.pid != owner.pid, 10)
    wait_until(lambda: _handled(control) > 400, 20, "it handles stories")
    sql = "SELECT committed_ms FROM inbox WHERE committed_ms >= ? ORDER BY n LIMIT 900"
    rows = control.ask(VICTIM, "query", sql=sql, parameters=[began_ms - 50])["rows"]
    away_ms = max(after[0] - before[0] for before, after in pairwise(rows))
    progress(f"restart: {'kill -9' if kill else 'restart'} {away_ms} ms")
    return float(away_ms)


def _cold_ms() -> float:
    """Milliseconds of a cold start of the same actor: a new interpreter until it answers on its control socket."""
    with tempfile.TemporaryDirectory(prefix="cat-") as folder, Control(Path(folder) / "run") as control:
        began = SystemClock().monotonic_s()
        process = subprocess.Popen(["/usr/bin/env", f"CATALYST_HOME={folder}", sys.executable, "-m",  # noqa: S603
                                    "catalyst", "actor", VICTIM], stderr=subprocess.DEVNULL, cwd=folder)
        try:
            wait_until(lambda: control.ask_all([VICTIM], "ping", 0.5), 20)
            return (SystemClock().monotonic_s() - began) * 1000
        finally:
            process.terminate()
            process.wait(10)
