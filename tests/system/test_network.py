"""The way to Discord is gone for a minute: a house in a network namespace whose route to it is a black hole (D5)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalyst.bench.house import SECRET, House
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(400)]

DISCORD = "10.78.0.1"  # an address of the namespace alone; feeds and prices stay on its loopback
OUT_S, BACK_S = 60.0, 5.0
READ = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=30).read().decode())"


def ip(*words: str) -> str:
    """Run ip(8); what it complains of, empty where all is well."""
    return subprocess.run(["ip", *words], capture_output=True, text=True).stderr.strip()


@pytest.fixture
def space() -> Iterator[str]:
    """A network namespace with a loopback; skipped where none can be made."""
    if shutil.which("ip") is None:
        pytest.skip("needs ip(8)")
    name = f"cat{os.getpid()}net"
    if complaint := ip("netns", "add", name):
        pytest.skip(f"no network namespace can be made here: {complaint}")
    try:
        assert not ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)


class Apart(House):
    """A house all of whose processes live in a namespace."""

    def __init__(self, space: str, folder: Path, **options: Any):
        super().__init__(folder, **options)
        self._inside = ["ip", "netns", "exec", space]

    def _start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*self._inside, sys.executable, "-m", "catalyst", *words], env=self.environment,
                                   cwd=self.home, start_new_session=True, **options)
        self.owns(process)
        return process

    def _ask(self, path: str) -> dict[str, Any]:
        done = subprocess.run([*self._inside, sys.executable, "-c", READ, f"{self.url}/{path}"], capture_output=True,
                              text=True, timeout=60, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def posted(self) -> list[dict[str, Any]]:
        """The alerts' messages that Discord made."""
        return [one for one in self.sent()["messages"] if one["method"] == "POST" and one["status"] == 200]


def set_route(space: str, *, is_there: bool) -> None:
    """Let Discord's address be on this machine, or let what goes there vanish."""
    for words in (["route", "del" if is_there else "add", "blackhole", f"{DISCORD}/32"],
                  ["addr", "add" if is_there else "del", f"{DISCORD}/32", "dev", "lo"])[::1 if is_there else -1]:
        assert not (complaint := ip("-n", space, *words)), complaint


def test_the_way_to_discord_is_a_black_hole_for_a_minute(space: str, tmp_path: Path) -> None:
    """Nothing is lost, what may be a repeat says so, and the first alert goes out within 5 s of the way's return."""
    assert not ip("-n", space, "addr", "add", f"{DISCORD}/32", "dev", "lo")
    with Apart(space, tmp_path, items=120, duration_s=40) as house:
        port = house.open_world("--host", "0.0.0.0").rpartition(":")[2]
        house.environment |= {"CATALYST_WEBHOOK_URL": "", "DISCORD_ADMIN_WEBHOOK": "",
                              "DISCORD_WEBHOOK_URL": f"http://{DISCORD}:{port}/api/webhooks/1/alerts?key={SECRET}"}
        house.up()
        wait_until(lambda: len(house.posted()) >= 5, 60, "the first alerts")
        set_route(space, is_there=False)
        gone_s, before = time.monotonic(), len(house.posted())
        wait_until(lambda: time.monotonic() - gone_s >= OUT_S, OUT_S + 10)
        assert len(house.posted()) <= before + 1
        set_route(space, is_there=True)
        before = len(house.posted())
        wait_until(lambda: len(house.posted()) > before, BACK_S, "an alert after the way's return")
        items = house.wait_until_settled()
        alerts = {row["alert_id"] for row in house.query("alerter", "SELECT alert_id FROM alerts")}
        told = Counter(one["payload"]["embeds"][0]["footer"]["text"].split()[1] for one in house.posted())
        marked = {one["payload"]["embeds"][0]["footer"]["text"].split()[1] for one in house.posted()
                  if "possible repeat" in one["payload"]["embeds"][0]["footer"]["text"]}
        assert set(told) == alerts
        assert len(alerts) > before
        assert {alert_id for alert_id, count in told.items() if count > 1} <= marked
        assert not [row for row in items.values() if row["fate"] == "dead"]
