"""Two hosts, as two network namespaces with a cable between them: one takes in and judges, the other alerts.

Each has its own home, supervisor and keys; the world stands on the second one's side.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import ALL, WORKERS
from catalyst.settings import inherited
from catalyst.testing import wait_until
from catalyst.world.day import Day, environment, write_sources
from catalyst.world.generate import generate

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600)]

NEAR = ("fetcher", "sec", "classifier")
FAR = tuple(name for name in WORKERS if name not in NEAR)
ADDRESS = {"near": "10.77.0.1", "far": "10.77.0.2"}
PORT = 9_100
WORLD_PORT = 9_099
CABLE_OUT_S = 5.0


def ip(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ip(8)."""
    return subprocess.run(["ip", *words], capture_output=True, text=True)


class Host:
    """A network namespace with a home in it."""

    def __init__(self, name: str, folder: Path, tag: str, actors: tuple[str, ...]):
        self.name, self.space, self.actors = name, f"{tag}{name}", actors
        self.home = folder / name
        self.home.mkdir(parents=True)
        endpoints = [f"{actor}=tcp://{ADDRESS['near' if actor in NEAR else 'far']}:{PORT + 10 * place}"
                     for place, actor in enumerate(WORKERS)]
        self.environment = inherited() | {
            "CATALYST_HOME": str(self.home), "DISCORD_PER_MINUTE": "0", "CATALYST_DIGEST_FROM": "0",
            "CATALYST_WEB_PORT": "0",
            "CATALYST_ACTORS": ",".join(actors), "CATALYST_ENDPOINTS": ",".join(endpoints)}
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command on this host."""
        self.processes.append(subprocess.Popen(
            ["ip", "netns", "exec", self.space, sys.executable, "-m", "catalyst", *words], env=self.environment,
            cwd=self.home, start_new_session=True, **options))
        return self.processes[-1]

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command on this host to its end."""
        return subprocess.run(["ip", "netns", "exec", self.space, sys.executable, "-m", "catalyst", *words], text=True,
                              env=self.environment | settings, cwd=self.home, capture_output=True, timeout=60)

    def status(self) -> dict[str, Any]:
        """What `catalyst status` says here, of both hosts."""
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout or '{"actors": [], "idle": false}')
        return found

    def close(self) -> None:
        """End everything on this host."""
        for process in reversed(self.processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(12)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        for name in ALL:
            owner = living_owner(self.home / "db", name)
            if owner is not None:
                with suppress(ProcessLookupError):
                    os.kill(owner.pid, signal.SIGKILL)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts with a cable; skipped where such cannot be made."""
    if shutil.which("ip") is None:
        pytest.skip("needs ip(8)")
    tag = f"cat{os.getpid()}"
    made = Host("near", tmp_path, tag, NEAR), Host("far", tmp_path, tag, FAR)
    try:
        for host in made:
            done = ip("netns", "add", host.space)
            if done.returncode:
                pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
        ends = [f"v{os.getpid()}{host.name[0]}" for host in made]
        done = ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        if done.returncode:
            pytest.skip(f"no cable can be made here: {done.stderr.strip()}")
        for host, end in zip(made, ends, strict=True):
            for words in (["link", "set", end, "netns", host.space],
                          ["-n", host.space, "link", "set", end, "name", "cable"],
                          ["-n", host.space, "addr", "add", f"{ADDRESS[host.name]}/24", "dev", "cable"],
                          ["-n", host.space, "link", "set", "cable", "up"],
                          ["-n", host.space, "link", "set", "lo", "up"]):
                done = ip(*words)
                assert done.returncode == 0, (words, done.stderr)
        yield made
    finally:
        for host in made:
            host.close()
            ip("netns", "del", host.space)


def exchange_keys(near: Host, far: Host) -> None:
    """Keys on both hosts, each other's public ones imported, by the commands that the manual names."""
    for host in (near, far):
        assert host.run("keys", "--init").returncode == 0
    for host, other in ((near, far), (far, near)):
        done = host.run("keys", "--import", str(other.home / "keys" / "public.txt"), "--json")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert {row["name"] for row in rows} == {*WORKERS, "operator"}


def test_a_day_on_two_hosts_with_the_cable_out_for_a_while(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    """Every item has its fate and nothing comes twice; who has another key, or none, gets nothing."""
    near, far = hosts
    refused = near.run("up")
    assert (refused.returncode, "catalyst keys --init" in refused.stderr) == (78, True), refused.stderr
    exchange_keys(near, far)
    day = tmp_path / "day"
    generate(3, 200, day, filings=40, duration_s=25, every_s=1.0)
    url = f"http://{ADDRESS['far']}:{WORLD_PORT}"
    world = far.start("world", str(day), "--json", "--port", str(WORLD_PORT), "--host", ADDRESS["far"],
                      stdout=subprocess.PIPE)
    assert world.stdout is not None
    assert json.loads(world.stdout.readline())["url"] == url
    for host in hosts:
        write_sources(Day.load(day), url, host.home / "sources.toml")
        host.environment = {**environment(Day.load(day), url, host.home / "sources.toml"), **host.environment,
                            "CATALYST_ALLOW_HOSTS": f"{ADDRESS['far']}:{WORLD_PORT}"}
        host.start("up", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for host in hosts:
        wait_until(lambda host=host: all_running(host), 150, f"{host.name} sees all actors")  # type: ignore[misc]

    def items() -> dict[str, dict[str, Any]]:
        lines = near.run("items", "--json", "-n", "100000").stdout.splitlines()
        return {row["id"]: row for row in map(json.loads, lines)}

    wait_until(lambda: len(items()) > 20, 40, "the day is under way")
    assert ip("-n", near.space, "link", "set", "cable", "down").returncode == 0
    with suppress(AssertionError):
        wait_until(lambda: False, CABLE_OUT_S)
    assert not all_running(far)
    assert ip("-n", near.space, "link", "set", "cable", "up").returncode == 0
    truth = [json.loads(line) for line in (day / "truth.jsonl").read_text().splitlines()]
    expected = len({row.get("id") or row["link"] for row in truth if row["what"] != "same_link"
                    and row.get("listed", True)})
    wait_until(lambda: len(items()) >= expected and near.status()["idle"] and far.status()["idle"], 150,
               "everything is settled")
    fates = Counter(row["fate"] for row in items().values())
    assert fates.keys() <= {"alerted", "dropped"}
    assert fates["alerted"] > 0
    sent = json.loads(far_get(far, f"{url}/_sent"))
    keys = Counter(event["headers"]["idempotency-key"] for event in sent["events"])
    assert max(keys.values()) == 1
    print(f"{len(items())} items of {expected}, {dict(fates)}, {sum(keys.values())} events, none twice")
    check_strangers(near, tmp_path)


def all_running(host: Host) -> bool:
    """Whether this host hears every actor of both."""
    rows = host.status()["actors"]
    return {row["name"] for row in rows if row["state"] == "running"} == set(ALL)


def far_get(host: Host, url: str) -> str:
    """What an address answers, asked from this host."""
    code = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=30).read().decode())"
    return subprocess.run(["ip", "netns", "exec", host.space, sys.executable, "-c", code, url], text=True, check=True,
                          capture_output=True).stdout


def check_strangers(near: Host, folder: Path) -> None:
    """An operator whom the other host does not know, and one who expects another key there, get no answer."""
    for change in ("unknown", "wrong"):
        home = folder / change
        shutil.copytree(near.home / "keys", home / "keys")
        settings = {"CATALYST_HOME": str(home)}
        if change == "unknown":
            (home / "keys" / "operator.secret").unlink()
            assert near.run("keys", "--init", **settings).returncode == 0
        else:
            known = home / "keys" / "known.txt"
            own = dict(line.split() for line in (home / "keys" / "public.txt").read_text().splitlines()[1:])
            lines = [line if line.split()[0] != "market" else f"market {own['fetcher']}"
                     for line in known.read_text().splitlines()]
            known.write_text("\n".join(lines) + "\n")
        done = near.run("query", "market", "SELECT 1", **settings)
        assert done.returncode == 69, (change, done.stdout, done.stderr)
        assert "does not answer" in done.stderr
    assert near.run("query", "market", "SELECT 1").returncode == 0
