"""Canary values for every secret: after a day with refusals, resets and bad addresses none of them stands anywhere."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.runtime.control import Control
from catalyst.runtime.roster import ALL
from catalyst.settings import TABLE, load
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

MARK = "cAnArY"
PAGES = ("", "sources", "actors", "healthz", "livez", "readyz", "metrics", "alerts")
COMMANDS = (("config", "show"), ("config", "show", "--json"), ("status", "--json"), ("sources", "--json"),
            ("doctor", "--json"), ("incidents", "--json"), ("alerts", "--json"), ("dead", "list", "--json"),
            ("send-test", "--json"), ("send-test", "--preview", "--json"), ("stacks", "alerter"), ("logs", "-n", "500"))
SERVICES = ("finnhub", "finviz", "benzinga")


def secrets(url: str) -> dict[str, str]:
    """A value with a mark of its own for each secret; the addresses lead to refusals and to nobody."""
    values = {row.name: f"{MARK}{place:02}{'x' * 20}" for place, row in enumerate(TABLE) if row.kind == "secret"}
    host = url.removeprefix("http://")
    address = {
        "DISCORD_WEBHOOK_URL": f"{url}/api/webhooks/1/{values['DISCORD_WEBHOOK_URL']}",
        "DISCORD_ADMIN_WEBHOOK": f"{url}/api/webhooks/2/{values['DISCORD_ADMIN_WEBHOOK']}/nowhere",  # 404: is closed
        "CATALYST_WEBHOOK_URL": f"http://127.0.0.1:1/{values['CATALYST_WEBHOOK_URL']}",  # nobody listens
        "CATALYST_NOTIFY": f"json://{host}/nowhere/{values['CATALYST_NOTIFY']},nonsense://{values['CATALYST_NOTIFY']}@x"}
    return values | address


def cat(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def command_lines(house: House) -> bytes:
    """What `ps` shows of each process of the house: its words and its name."""
    pids = [pid for name in ALL if (pid := house.pid(name)) is not None] + [one.pid for one in house._processes]
    return b"\n".join(cat(Path("/proc") / str(pid) / name) for pid in pids for name in ("cmdline", "comm", "status"))


def rows(path: Path) -> bytes:
    """Every value of a copied database, blobs too; pages that were freed are read with the file."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)  # a copy that no actor owns
    try:
        names = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(repr(row) for name in names for row in db.execute(f'SELECT * FROM "{name}"')).encode()
    finally:
        db.close()


def places(house: House) -> dict[str, bytes]:
    """Everything that a house shows or leaves: files, answers of the page and of the commands, its processes."""
    with Control(house.home / "run") as control:
        web = wait_until(lambda: control.ask_all(["web"], "address", 0.5).get("web", {}).get("url"), 10)
    found = {}
    for page in PAGES:
        try:
            with urllib.request.urlopen(f"{web.rstrip('/')}/{page}", timeout=10) as answer:
                found[f"page {page}"] = answer.read()
        except urllib.error.HTTPError as error:
            found[f"page {page}"] = error.read()
    for words in COMMANDS:
        found[f"command {' '.join(words)}"] = house.catalyst(*words, code=None).encode()
    for alert in house.catalyst("alerts", "--json").splitlines()[:2]:
        found["command show"] = house.catalyst("show", json.loads(alert)["id"], "--json").encode()
    found["processes"] = command_lines(house)
    house.catalyst("backup", str(house.home / "copy"))
    for path in sorted((house.home / "copy").rglob("*")):
        if path.suffix == ".db":
            found[f"rows of {path.name}"] = rows(path)
    for folder, _, names in os.walk(house.home):
        found |= {f"file {Path(folder, name)}": cat(Path(folder, name)) for name in names}
    return found


def test_no_secret_is_left_anywhere(tmp_path: Path) -> None:
    """Logs, databases, page, metrics, commands and process lists hold none; `.env`, where they are kept, does."""
    with House(tmp_path, items=40, duration_s=3) as house:
        url = house.open_world()
        for name in secrets(url):
            house.environment.pop(name, None)
        (house.home / ".env").write_text("".join(f"{name}={value}\n" for name, value in secrets(url).items()))
        (house.home / ".env").chmod(0o600)
        with open(house.home / "sources.toml", "a", encoding="utf-8") as sources:
            for kind in SERVICES:
                sources.write(f'\n[[source]]\nname = "{kind}"\nkind = "{kind}"\nurl = "{url}/nowhere"\nevery = 1\n'
                              "trust = 0.5\nenabled = true\n")
        assert all(MARK in str(load({}, house.home / ".env").values[row.attribute]) for row in TABLE
                   if row.kind == "secret")
        urllib.request.urlopen(f"{url}/_trouble", json.dumps(
            {"what": "reset_after", "sink": "discord", "for_s": 2}).encode(), timeout=5).close()
        house.up()
        wait_until(house.over, 20)
        wait_until(lambda: len(house.query("alerter", "SELECT 1 FROM deliveries WHERE state = 'delivered'")) > 3, 20)
        wait_until(lambda: house.query("alerter", "SELECT 1 FROM closed WHERE sink = 'ops'"), 20)
        if importlib.util.find_spec("apprise") is not None:
            wait_until(lambda: len(house.query("alerter", "SELECT 1 FROM closed WHERE sink LIKE 'notify-%'")) == 2, 20)
        house.kill("alerter")
        wait_until(house.all_running, 20)
        found = places(house)
        assert found["processes"]
        assert any(name.startswith("rows of alerter") for name in found)
        assert any(name.endswith("alerter.jsonl") and b"undelivered" in data for name, data in found.items())
    mark = MARK.lower().encode()  # a host's name may come back in small letters
    hits = {name: data[max(0, data.lower().find(mark) - 60):][:100] for name, data in found.items()
            if mark in data.lower()}
    assert list(hits) == [f"file {house.home / '.env'}"], hits
