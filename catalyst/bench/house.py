"""A whole Catalyst in a folder, as real processes: a generated day, its world, `catalyst up`. For tests and benches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import ALL, WORKERS
from catalyst.settings import inherited
from catalyst.testing import wait_until
from catalyst.world.day import Day, environment, write_sources
from catalyst.world.generate import generate

# Stands in every secret of a house: tests look for it in all that a house leaves.
SECRET = "cAnArYofAhOuSe"  # noqa: S105 - it opens nothing
ADDRESSES = ("DISCORD_WEBHOOK_URL", "DISCORD_ADMIN_WEBHOOK", "CATALYST_WEBHOOK_URL")


class House:
    """One home with its world. Start with `up`; `items`, `status` and `sent` look at it; a context manager."""

    def __init__(self, folder: Path, *, items: int = 200, seed: int = 1, duration_s: float = 20, every_s: float = 1.0,
                 window: int | None = None, day: Path | None = None, **settings: str):
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.day_folder = day or folder / "day"
        if day is None:
            generate(seed, items, self.day_folder, duration_s=duration_s, every_s=every_s, window=window)
        self.sent_file = folder / "sent.jsonl"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = inherited() | {"CATALYST_HOME": str(self.home), "DISCORD_PER_MINUTE": "0",
                                          "CATALYST_DIGEST_FROM": "0", "CATALYST_WEB_PORT": "0", **settings}

    # -- processes

    def open_world(self, *words: str) -> str:
        """Start the world; its address. The settings that point at it are in the environment from here on."""
        world = self._start("world", str(self.day_folder), "--json", "--sent", str(self.sent_file), "--state",
                            str(self.home / "world.json"), *words, stdout=subprocess.PIPE)
        assert world.stdout is not None
        self.url: str = json.loads(world.stdout.readline())["url"]
        day = Day.load(self.day_folder)
        sources = self.home / "sources.toml"
        write_sources(day, self.url, sources)
        given = environment(day, self.url, sources)
        given |= {name: f"{given[name]}?key={SECRET}" for name in ADDRESSES} | {"CATALYST_WEBHOOK_SECRET": SECRET}
        self.environment = {**given, **self.environment}
        return self.url

    def up(self) -> subprocess.Popen[bytes]:
        """Start the supervisor and with it everything; waits until all actors run."""
        supervisor = self._start("up", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until_running()
        return supervisor

    def wait_until_running(self, timeout_s: float = 40) -> None:
        """Wait until every actor that is meant to run does; the first start of a busy machine takes its time."""
        wait_until(self.all_running, timeout_s, "all actors running")

    def _start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "catalyst", *words], env=self.environment,  # noqa: S603
                                   cwd=self.home, start_new_session=True, **options)
        self._processes.append(process)
        return process

    def owns(self, process: subprocess.Popen[bytes]) -> None:
        """Let `close` end a process that a test started on this home."""
        self._processes.append(process)

    def catalyst(self, *words: str, code: int | None = 0) -> str:
        """Standard output of a command."""
        done = subprocess.run([sys.executable, "-m", "catalyst", *words], env=self.environment,  # noqa: S603
                              cwd=self.home, capture_output=True, text=True, timeout=60)
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout[-500:], done.stderr)
        return done.stdout

    def pid(self, name: str) -> int | None:
        """Process id of an actor, None while it does not run."""
        owner = living_owner(self.home / "db", name)
        return owner.pid if owner else None

    def kill(self, name: str, number: int = signal.SIGKILL) -> int | None:
        """Send a signal to an actor; the pid it had, None if it was not running."""
        pid = self.pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def close(self) -> None:
        """End everything that this house started, the hard way where it must be; who restarts others goes first."""
        for name in ALL:
            self.kill(name, signal.SIGCONT)
        for process in reversed(self._processes[1:]):
            process.terminate()
        self.kill("supervisor", signal.SIGTERM)
        with suppress(AssertionError):
            wait_until(lambda: not any(self.pid(name) for name in ALL), 12)
        for process in reversed(self._processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        for name in ("supervisor", *WORKERS):
            self.kill(name)

    # -- looking

    def status(self) -> dict[str, Any]:
        """What `catalyst status --json` says."""
        return json.loads(self.catalyst("status", "--json", code=None) or '{"actors": [], "idle": false}')

    def all_running(self) -> bool:
        """Whether every actor that is meant to run does."""
        rows = self.status()["actors"]
        return len(rows) >= len(ALL) and all(row["state"] == "running" for row in rows)

    def query(self, actor: str, sql: str) -> list[dict[str, Any]]:
        """Rows of a statement that an actor ran for us, 1,000 at most."""
        return [json.loads(line) for line in self.catalyst("query", actor, sql, "--json").splitlines()]

    def items(self) -> dict[str, dict[str, Any]]:
        """Item id -> what `catalyst items --json` says of it."""
        lines = self.catalyst("items", "--json", "-n", "1000000").splitlines()
        return {row["id"]: row for row in map(json.loads, lines)}

    def truth(self) -> list[dict[str, Any]]:
        """What the generator says of each item."""
        return [json.loads(line) for line in (self.day_folder / "truth.jsonl").read_text().splitlines()]

    def sent(self) -> dict[str, Any]:
        """What the world was sent."""
        return self._ask("_sent")

    def _ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=30) as answer:  # noqa: S310 - our own world
            found: dict[str, Any] = json.load(answer)
        return found

    def over(self) -> bool:
        """Whether the world has published the whole day."""
        day = self._ask("_day")
        return bool(day["published"] >= day["items"])

    def expected(self) -> int:
        """How many items the day has; one link is one item, however often it appears, and so is one filing."""
        if (self.day_folder / "truth.jsonl").exists():
            return len({row.get("id") or row["link"] for row in self.truth()
                        if row["what"] != "same_link" and row.get("listed", True)})
        return int(self._ask("_day")["items"])

    def wait_until_settled(self, timeout_s: float = 120) -> dict[str, dict[str, Any]]:
        """Wait until the day is over, every item of it has a fate and nothing waits; the items."""
        expected = self.expected()
        found: dict[str, dict[str, Any]] = {}

        def settled() -> bool:
            if not self.over() or not self.status().get("idle"):
                return False
            found.clear()
            found.update(self.items())
            seen = len({row["link"] or row["id"] for row in found.values()})  # one link, however often it was edited
            return seen >= expected and all(row["fate"] != "in_flight" for row in found.values())

        try:
            wait_until(settled, timeout_s)
        except AssertionError:
            raise AssertionError(f"not settled: {len(found)} of {expected} items, "
                                 f"{Counter(row['fate'] for row in found.values())}, {self.status()}") from None
        return found

    def __enter__(self) -> House:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

