"""Actors in threads of the test's own process, on real sockets and databases, for the commands to talk to."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from actors.tracker import Tracker
from catalyst.messages import ItemDropped, StoryFound
from catalyst.runtime.contract import Actor, Every, Output
from catalyst.runtime.process import Process
from catalyst.runtime.roster import ALL
from catalyst.settings import Settings, load
from catalyst.testing import START_MS, wait_until

BROKEN, DROPPED, LOST = "b0" * 16, "d0" * 16, "1057" * 8  # ids of the items that TinyFetcher knows


class TinyFetcher(Actor):
    """Knows three stories: one whose message cannot be handled, one that it drops, one whose message is on its way."""

    name = "fetcher"
    outbox = (StoryFound, ItemDropped)
    tables = ("CREATE TABLE stories(item_id TEXT PRIMARY KEY, source TEXT, title TEXT, link TEXT, published_ms INTEGER,"
              " seen_ms INTEGER) WITHOUT ROWID;",)
    every = (Every("begin", 3600, at_start=True),)

    def begin(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Take in the stories, once."""
        stories = [(BROKEN, "wire", "Acme \x1b[31mred", START_MS), (DROPPED, "wire", "Fund notice", None),
                   (LOST, "other", "Still going", START_MS)]
        for place, (item_id, source, title, published_ms) in enumerate(stories):
            db.execute("INSERT OR IGNORE INTO stories VALUES(?, ?, ?, 'https://example.com/', ?, ?)",
                       (item_id, source, title, published_ms, START_MS + place))
        yield StoryFound(item_id=BROKEN, source="wire", trust=1, title="Acme", link="https://example.com/", summary="",
                         published_ms=None, seen_ms=START_MS)
        yield ItemDropped(item_id=DROPPED, stage="fetcher", reason="backlog", dropped_ms=START_MS)


class TinyClassifier(Actor):
    """Fails on every story."""

    name = "classifier"
    inbox = (StoryFound,)

    def on_story_found(self, story: StoryFound, db: sqlite3.Connection) -> Iterator[Output]:
        """Raise."""
        raise ValueError(f"no opinion on {story.title}")


class TinySupervisor(Actor):
    """Says of each child what the test wrote into `children`; a restart or stop plays the rows of `script`."""

    name = "supervisor"
    children: ClassVar[dict[str, dict[str, Any]]] = {}
    script: ClassVar[list[dict[str, Any]]] = []

    def verb_children(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """One more row of the script takes effect with each call."""
        if self.script:
            row = self.script.pop(0)
            self.children[row["name"]] = {**self.children[row["name"]], **row}
        return {"children": list(self.children.values())}

    def verb_restart(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """As the supervisor answers."""
        return {"actor": arguments["actor"], "pid_before": self.children[arguments["actor"]]["pid"]}

    verb_stop = verb_restart


def child(name: str, state: str = "running", pid: int | None = 1, **fields: Any) -> dict[str, Any]:
    """A row of the supervisor's answer."""
    return {"name": name, "state": state, "pid": pid, "restarts": 0, "beat_age_s": 0.5, **fields}


class Running:
    """Actors of one home. A context manager that drains them at its end."""

    def __init__(self, home: Path):
        self.settings: Settings = load({}, Path("/nonexistent")).but(home=home)
        self._threads: dict[str, threading.Thread] = {}
        self.processes: dict[str, Process] = {}

    def start(self, *classes: type[Actor]) -> None:
        """Run these actors, each in a thread, and wait until they run."""
        for cls in classes:
            thread = threading.Thread(target=self._run, args=(cls,), daemon=True)
            self._threads[cls.name] = thread
            thread.start()
        wait_until(lambda: all(cls.name in self.processes for cls in classes))

    def _run(self, cls: type[Actor]) -> None:
        process = Process(cls, self.settings, ALL)  # made here: SQLite binds its connection to the thread
        process.heartbeat.start()
        process.progress.state = "running"
        process.turn()
        self.processes[cls.name] = process
        while not process.stopping:
            process.turn()
        process._drain()

    def stop(self, name: str) -> None:
        """Drain an actor and wait for its end."""
        self.processes.pop(name).stop()
        self._threads.pop(name).join(5)

    def spine(self) -> None:
        """Fetcher, classifier and tracker, and the wait until what they do is done: one drop, one dead letter."""
        self.start(Tracker, TinyClassifier, TinyFetcher)
        wait_until(lambda: self.processes["classifier"].engine.dead == 1
                   and self.processes["tracker"].progress.handled == 1)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for name in list(self.processes):
            self.stop(name)
