"""`catalyst doctor`: every kind of fault is made for real and must be named by the right check, with a fix."""

from __future__ import annotations

import configparser
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.tracker import Tracker
from catalyst.clients.notify import is_installed
from catalyst.commands import doctor_house, doctor_machine, doctor_setup
from catalyst.commands.doctor import checks, column, listen
from catalyst.commands.doctor_check import Check, Examined, Heard
from catalyst.runtime.contract import Actor
from catalyst.settings import defaults, examine
from catalyst.testing import START_MS, wait_until
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running, TinySupervisor, child

ROOT = Path(__file__).resolve().parents[2]
wires = base.wires
Look = Callable[[Examined], Iterator[Check]]


def examined(home: Path, dotenv: Path | None = None, heard: Heard | None = None, **settings: Any) -> Examined:
    """A house with these settings, of which nothing runs."""
    return Examined(defaults(home=home, **settings), (), dotenv or home / "absent.env", int(time.time() * 1000),
                    heard or Heard())


def seen(look: Look, about: Examined) -> dict[str, str]:
    """State of each check that a function gives; what is not ok has a fix, what is ok needs none."""
    found = list(look(about))
    assert all(check.said and bool(check.fix) == (check.state != "ok") for check in found), found
    return {check.name: check.state for check in found}


def said(look: Look, about: Examined) -> str:
    """All the words of a function's checks."""
    return " | ".join(f"{check.said} -> {check.fix}" for check in look(about))


# -- the whole command


def test_a_fresh_folder(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a set-up nothing fails: 25 checks and more, in a few seconds, and no file is left behind."""
    monkeypatch.setenv("CATALYST_WEB_PORT", "0")
    began_s = time.monotonic()
    done = catalyst("doctor", "--json")
    assert time.monotonic() - began_s < 10
    assert done.code == 0, done.out
    assert len({row["name"] for row in done.lines}) >= 25
    assert all(list(row) == ["name", "state", "said", "fix"] for row in done.lines)
    assert {row["state"] for row in done.lines} == {"ok", "warn"}
    assert list(Path.cwd().iterdir()) == []


def test_text_and_exit_code(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed check makes it exit 1; the fix stands below the fault, the sum at the end."""
    monkeypatch.setenv("CATALYST_WEB_PORT", "0")
    monkeypatch.setenv("CATALYST_CHART_TEME", "dark")
    monkeypatch.setenv("MIN_SCORE", "7")
    done = catalyst("doctor")
    assert done.code == 1
    assert "unknown setting CATALYST_CHART_TEME, did you mean CATALYST_CHART_THEME?" in done.out
    assert "MIN_SCORE: 7 is not between 0 and 1" in done.out
    assert "-> correct it" in done.out
    assert "2 failed" in done.out.splitlines()[-1]


def test_a_running_house(catalyst: Catalyst, running: Running) -> None:
    """Actors that run and answer are well; one that should run and does not fails."""
    TinySupervisor.children = {"tracker": child("tracker", pid=os.getpid()), "market": child("market", "backoff", None)}
    running.start(TinySupervisor, Tracker)
    rows = {row["name"]: row for row in catalyst("doctor", "--json").lines}
    assert rows["supervisor"]["state"] == rows["actor tracker"]["state"] == "ok"
    assert rows["actor market"]["state"] == "fail"
    assert "catalyst logs market" in rows["actor market"]["fix"]
    assert rows["databases"]["state"] == rows["dead letters"]["state"] == "ok"
    assert "supervisor runs with schema" in rows["schema"]["said"]  # the stand-in has no table of its own
    assert f"tracker {os.getpid()}" in rows["locks"]["said"]


def test_a_dead_letter(catalyst: Catalyst, running: Running) -> None:
    """A message that could not be handled is something to look at."""
    running.spine()
    (row,) = [row for row in catalyst("doctor", "--json").lines if row["name"] == "dead letters"]
    assert (row["state"], row["said"]) == ("warn", "classifier has 1")
    assert "catalyst dead list --actor classifier" in row["fix"]


# -- the machine


@pytest.mark.parametrize(("found", "name", "state"), [
    (lambda about: doctor_machine.python(about, (3, 10, 2)), "python", "fail"),
    (lambda about: doctor_machine.python(about, (3, 11, 0)), "python", "ok"),
    (lambda about: doctor_machine.packages(about, {"nothing-like-it": "nothing_like_it"}), "packages", "fail"),
    (lambda about: doctor_machine.sqlite(about, (3, 34, 1)), "sqlite", "fail"),
    (lambda about: doctor_machine.sqlite(about, (3, 35, 0)), "sqlite", "ok"),
    (lambda about: doctor_machine.open_files(about, 256), "open files", "warn"),
    (lambda about: doctor_machine.open_files(about, 1024), "open files", "ok"),
    (lambda about: doctor_machine.disk(about, 199_000_000), "disk", "fail"),
    (lambda about: doctor_machine.disk(about, 999_000_000), "disk", "warn"),
    (lambda about: doctor_machine.disk(about, 1_000_000_000), "disk", "ok"),
    (lambda about: doctor_machine.clock(replace(about, now_ms=1_000_000)), "clock", "fail"),
    (lambda about: doctor_machine.clock(replace(about, now_ms=START_MS)), "clock", "ok"),
    (lambda about: doctor_machine.supervisord(about, "nothing_like_it"), "supervisord", "fail")])
def test_machine(home: Path, found: Look, name: str, state: str) -> None:
    """Each limit of the machine, on both of its sides."""
    assert seen(found, examined(home))[name] == state


def test_packages_are_those_of_setup_cfg() -> None:
    """The list of the check is the list that is installed."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    wanted = {line.split()[0] for line in parser["options"]["install_requires"].split("\n") if line}
    assert set(doctor_machine.PACKAGES) == wanted - {"supervisor", "setuptools"}


@pytest.mark.parametrize(("off_s", "state"), [(0, "ok"), (10, "warn"), (-10, "warn"), (120, "fail"), (-120, "fail")])
def test_clock_against_a_server(home: Path, wires: Wires, off_s: int, state: str) -> None:
    """With --network the clock is compared with the Date header of the first server that answers."""
    from email.utils import formatdate

    wires.headers["/"] = {"Date": formatdate(time.time() + off_s, usegmt=True)}
    listed = base.listing(home, wires, "wire")
    about = replace(examined(home, sources=listed, allow_hosts=("127.0.0.1",)), network=True)
    skew_s = doctor_machine.skew_of(about, f"{wires.base}/")
    assert skew_s is not None
    assert abs(skew_s - -off_s) < 2  # the header holds whole seconds
    assert seen(doctor_machine.clock, about) == {"clock": state}


def test_clock_without_an_answer(home: Path, wires: Wires) -> None:
    """Servers that do not answer prove nothing about the clock."""
    listed = base.listing(home, wires, "wire")
    about = replace(examined(home, sources=listed), network=True)  # loopback is not allowed: nothing is asked
    assert seen(doctor_machine.clock, about) == {"clock": "warn"}


# -- the set-up


@pytest.mark.parametrize(("text", "mode", "states", "words"), [
    (b"MIN_SCORE=0.5\n", 0o600, {".env": "ok"}, "0600"),
    (b"MIN_SCORE=0.5\n", 0o644, {".env": "warn"}, "chmod 600"),
    (b"MIN_SCORE=0.5\n", 0o640, {".env": "warn"}, "0640"),
    (b"\xff\xfe\x00", 0o600, {".env": "fail"}, "UTF-8"),
    (b"MIN_SCOER=0.5\n", 0o600, {".env": "ok", ".env names": "warn"}, "did you mean MIN_SCORE?"),
    (b"SOMEBODY_ELSES=1\n", 0o600, {".env": "ok", ".env names": "warn"}, "SOMEBODY_ELSES is no setting")])
def test_dotenv(home: Path, text: bytes, mode: int, states: dict[str, str], words: str) -> None:
    """A file of settings that others can read, that is no text, that holds misspelt names."""
    path = home / "own.env"
    path.write_bytes(text)
    path.chmod(mode)
    about = examined(home, path)
    assert seen(doctor_setup.dotenv, about) == states
    assert words in said(doctor_setup.dotenv, about)


def test_settings_with_faults(home: Path) -> None:
    """Every fault is a check of its own, and the other settings are examined all the same."""
    settings, faults = examine({"CATALYST_HOME": str(home), "CATALYST_WEBPORT": "1", "PRICE_CEILING": "ten"},
                               home / ".env")
    about = Examined(settings, faults, home / ".env", START_MS)
    assert [check.state for check in doctor_setup.settings(about)] == ["fail", "fail"]
    assert "did you mean CATALYST_WEB_PORT?" in said(doctor_setup.settings, about)
    assert (settings.home, settings.price_ceiling) == (home, 10)
    assert seen(doctor_setup.settings, examined(home)) == {"settings": "ok"}


def test_home_that_cannot_be_written(home: Path) -> None:
    """A home that is a file, or inside of one; /proc stands for a read-only place."""
    (home / "file").write_text("")
    assert seen(doctor_setup.home, examined(home / "file")) == {"home": "fail"}
    assert seen(doctor_setup.home, examined(home / "file" / "deeper")) == {"home": "fail"}
    if Path("/proc/sys").is_dir():
        assert seen(doctor_setup.home, examined(Path("/proc/sys"))) == {"home": "fail"}
    assert seen(doctor_setup.home, examined(home / "new")) == {"home": "ok"}


def test_modes_of_the_folders(home: Path) -> None:
    """Sockets and databases are for this user alone."""
    for name, mode in (("db", 0o700), ("run", 0o755), ("keys", 0o750)):
        (home / name).mkdir()
        (home / name).chmod(mode)
    assert [(check.name, check.state) for check in doctor_setup.home(examined(home))] == [
        ("home", "ok"), ("permissions", "ok"), ("permissions", "warn"), ("permissions", "warn")]
    assert f"chmod 700 {home / 'run'}" in said(doctor_setup.home, examined(home))
    assert f"chmod 700 {home / 'keys'}" in said(doctor_setup.home, examined(home))


@pytest.mark.parametrize(("length", "state"), [(10, "ok"), (84, "warn"), (120, "warn")])
def test_length_of_the_socket_path(length: int, state: str) -> None:
    """A home too long for supervisorctl's socket, and one too long for the actors' own."""
    assert seen(doctor_setup.socket_path, examined(Path("/" + "h" * (length - 1)))) == {"socket path": state}


@pytest.mark.parametrize(("text", "agent", "states"), [
    ("[[source]\n", "", {"source list": "fail"}),
    ('[[source]]\nname = "a"\nurl = "https://a.example/"\nkind = "rrs"\n', "", {"source list": "fail"}),
    ("", "Me me@example.com", {"source list": "warn", "SEC_USER_AGENT": "ok"}),
    ('[[source]]\nname = "a"\nurl = "https://a.example/"\nkind = "rss"\n', "",
     {"source list": "ok", "SEC_USER_AGENT": "warn"}),
    ('[[source]]\nname = "a"\nurl = "https://www.sec.gov/"\nkind = "edgar"\n', "",
     {"source list": "ok", "SEC_USER_AGENT": "warn"}),
    ('[[source]]\nname = "a"\nurl = "https://www.sec.gov/"\nkind = "edgar"\n', "Mozilla/5.0",
     {"source list": "ok", "SEC_USER_AGENT": "fail"}),
    ('[[source]]\nname = "a"\nurl = "https://a.example/"\nkind = "finnhub"\n', "Me me@example.com",
     {"source list": "ok", "FINNHUB_API_KEY": "warn", "SEC_USER_AGENT": "ok"})])
def test_sources(home: Path, text: str, agent: str, states: dict[str, str]) -> None:
    """A list that cannot be read or enables nothing; EDGAR not asked for want of a name, or asked with a wrong one; a
    service without its key."""
    path = home / "own.toml"
    path.write_text(text)
    assert seen(doctor_setup.sources, examined(home, sources=path, sec_user_agent=agent)) == states


def test_company_list(home: Path) -> None:
    """None, a senseless one, an old one, a good one."""
    path = home / "companies.json"
    assert seen(doctor_setup.companies, examined(home)) == {"company list": "warn"}
    assert seen(doctor_setup.companies, examined(home, companies=home / "absent.json")) == {"company list": "fail"}
    path.write_text("<html>")
    assert seen(doctor_setup.companies, examined(home)) == {"company list": "fail"}
    path.write_text('{"0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Inc."}}')
    assert seen(doctor_setup.companies, examined(home)) == {"company list": "ok"}
    os.utime(path, (time.time() - 8 * 86_400,) * 2)
    assert seen(doctor_setup.companies, examined(home)) == {"company list": "warn"}


def test_watch_list_and_rules(home: Path) -> None:
    """Files that the user names and that are not there, hold nothing, or are wrong."""
    path = home / "own"
    assert seen(doctor_setup.watch_list, examined(home)) == {"watch list": "ok"}
    assert seen(doctor_setup.watch_list, examined(home, watchlist=path)) == {"watch list": "fail"}
    path.write_text("# none\n")
    assert seen(doctor_setup.watch_list, examined(home, watchlist=path)) == {"watch list": "warn"}
    assert seen(doctor_setup.market_values, examined(home)) == {"market values": "ok"}
    assert seen(doctor_setup.market_values, examined(home, market_values=path)) == {"market values": "fail"}
    path.write_text("Ticker,Market Cap\nACME,5\n")
    assert said(doctor_setup.market_values, examined(home, market_values=path)) == "1 known -> "
    os.utime(path, (0, 0))
    assert seen(doctor_setup.market_values, examined(home, market_values=path)) == {"market values": "warn"}
    assert "version" in said(doctor_setup.rules, examined(home))
    path.write_text('[[rule]]\nkind = "x"\nwieght = 1\n')
    assert seen(doctor_setup.rules, examined(home, rules=path)) == {"rules": "fail"}


@pytest.mark.parametrize(("settings", "states"), [
    ({}, {"sinks": "warn", "sink ops": "warn"}),
    ({"discord_webhook_url": "https://discord.com/api/webhooks/123/a-b_C", "discord_admin_webhook":
      "https://discord.com/api/v10/webhooks/1/x"}, {"sink discord": "ok", "sink ops": "ok"}),
    ({"discord_webhook_url": "discord.com/api/webhooks/123/abc"}, {"sink discord": "fail", "sink ops": "warn"}),
    ({"discord_webhook_url": "https://discord.com/channels/1/2"}, {"sink discord": "warn", "sink ops": "warn"}),
    ({"webhook_url": "https://a.example/hook"}, {"sink webhook": "warn", "sink ops": "warn"}),
    ({"webhook_url": "https://a.example/hook", "webhook_secret": "s"}, {"sink webhook": "ok", "sink ops": "warn"})])
def test_sinks(home: Path, settings: dict[str, str], states: dict[str, str]) -> None:
    """No sink, an address that is none, one that is not a webhook's; no address is ever shown."""
    about = examined(home, **settings)
    assert seen(doctor_setup.sinks, about) == states
    assert not any(url in said(doctor_setup.sinks, about) for url in settings.values() if "/" in url)


def test_notify_addresses(home: Path) -> None:
    """None: no check; apprise missing, or an address it does not understand: a failure that shows no address."""
    assert seen(doctor_setup.notify_addresses, examined(home)) == {}
    about = examined(home, notify="ntfy://topicSECRET, nonsense://tokenSECRET@/x")
    states = seen(doctor_setup.notify_addresses, about)
    if is_installed():
        assert sorted((name.rpartition("-")[0], state) for name, state in states.items()) == [
            ("", "ok"), ("sink notify-nonsense", "fail")]
        assert "no sink" not in said(doctor_setup.sinks, about)
    else:
        assert states == {"sink notify": "fail"}
        assert "pip install 'catalyst[notify]'" in said(doctor_setup.notify_addresses, about)
    assert "SECRET" not in said(doctor_setup.notify_addresses, about)


@pytest.mark.parametrize(("chain", "state"), [(("yahoo",), "ok"), ((), "warn"), (("simulated",), "warn"),
                                              (("yahho",), "fail")])
def test_quote_providers(home: Path, chain: tuple[str, ...], state: str) -> None:
    """Unknown, simulated or no providers."""
    assert seen(doctor_setup.quote_providers, examined(home, quote_providers=chain)) == {"quote providers": state}


def test_port_that_is_taken(home: Path) -> None:
    """Another program has the page's port; our own page may have it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert seen(doctor_setup.web_port, examined(home, web_port=port)) == {"web port": "fail"}
        ours = examined(home, heard=Heard(alive=("web",)), web_port=port)
        assert seen(doctor_setup.web_port, ours) == {"web port": "ok"}
        without = Heard(alive=("web",), page={"url": None, "reason": "port 80 is taken"})
        assert seen(doctor_setup.web_port, examined(home, heard=without, web_port=port)) == {"web port": "fail"}
    assert seen(doctor_setup.web_port, examined(home, web_port=port)) == {"web port": "ok"}


def test_time_zone(home: Path) -> None:
    """A zone that the machine does not know."""
    assert seen(doctor_setup.time_zone, examined(home, tz="Mars/Olympus")) == {"time zone": "fail"}
    assert seen(doctor_setup.time_zone, examined(home)) == {"time zone": "ok"}


def test_quiet_hours(home: Path) -> None:
    """A time that the alerter could not read is found before it starts."""
    assert seen(doctor_setup.quiet_hours, examined(home, quiet_hours=("at night",))) == {"quiet hours": "fail"}
    assert seen(doctor_setup.quiet_hours, examined(home, quiet_hours=("22:00-06:30",))) == {"quiet hours": "ok"}


def test_horizons_and_gates(home: Path) -> None:
    """A horizon that the tracker cannot read, a kind that no rule makes: such an actor would not start."""
    assert seen(doctor_setup.horizons, examined(home, horizons=("soon",))) == {"outcomes": "fail"}
    assert seen(doctor_setup.horizons, examined(home)) == {"outcomes": "ok"}
    assert seen(doctor_setup.rules, examined(home, categories_allow=("nosuch",))) == {"rules": "fail"}
    assert seen(doctor_setup.rules, examined(home, webhook_kinds=("nosuch",))) == {"rules": "fail"}
    assert seen(doctor_setup.rules, examined(home, categories_allow=("offering",))) == {"rules": "ok"}


def test_actors(home: Path) -> None:
    """Actors and addresses that nobody can start or reach."""
    assert seen(doctor_setup.actors, examined(home, actors=("nosuch",))) == {"actors": "fail"}
    assert seen(doctor_setup.actors, examined(home, endpoints=("market=here",))) == {"actors": "fail"}
    assert seen(doctor_setup.actors, examined(home, actors=("market",))) == {"actors": "ok"}


# -- the house


def beat(**fields: Any) -> dict[str, Any]:
    """What a well actor says of itself, with changes."""
    return {"ok": True, "state": "running", "pid": 7, "current": "", "current_age_s": 0.0, "current_limit_s": 0.0,
            "inbox": 0, "outbox": 0, "oldest_unsent_s": 0.0, "dead": 0, "mismatches": 0, **fields}


@pytest.mark.parametrize(("heard", "name", "state"), [
    (Heard(), "supervisor", "warn"),
    (Heard(("market",)), "supervisor", "fail"),
    (Heard(("supervisor",)), "supervisor", "fail"),
    (Heard(("supervisor",), children={}), "supervisor", "ok"),
    (Heard(("supervisor",), children={"market": child("market", "parked", None)}), "actor market", "fail"),
    (Heard(("supervisor",), children={"market": child("market", "stopped", None, wanted=False)}), "actor market",
     "warn"),
    (Heard(("market",), children={"market": child("market")}), "actor market", "fail"),
    (Heard(("market",), {"market": beat()}, {"market": child("market", beat_age_s=9.0)}), "actor market", "warn"),
    (Heard(("market",), {"market": beat(current="x", current_age_s=3.0, current_limit_s=2.5)},
           {"market": child("market")}), "actor market", "fail"),
    (Heard(("market",), {"market": beat(dead=2)}), "dead letters", "warn"),
    (Heard(("market",), {"market": beat(oldest_unsent_s=61.0)}), "unsent", "warn"),
    (Heard(("market",), {"market": beat(outbox=10_001)}), "backlog", "warn"),
    (Heard(("market",), {"market": beat(mismatches=1)}), "links", "warn"),
    (Heard(versions={"tracker": {"ok": True, "rows": [[1000]]}}), "schema", "warn"),
    (Heard(restarts={"ok": True, "rows": [["market", 4]]}), "restarts market", "warn"),
    (Heard(restarts={"ok": True, "rows": [["market", 3]]}), "restarts", "ok"),
    (Heard(("market",)), "databases", "fail")])
def test_house(home: Path, heard: Heard, name: str, state: str) -> None:
    """What a house can suffer from, each named by its own check."""
    found: dict[str, str] = {}
    for look in doctor_house.CHECKS:
        found |= seen(look, examined(home, heard=heard))
    assert found[name] == state, found


def source(outcome: str | None = "ok", *, outage: bool = False) -> dict[str, Any]:
    """A row of the fetcher's answer."""
    return {"name": "wire", "enabled": True, "outcome": outcome, "outage": outage}


@pytest.mark.parametrize(("row", "by", "states"), [
    (source(), None, {"sources": "ok"}), (source("timeout"), None, {"sources": "fail"}),
    (source("timeout", outage=True), None, {"source wire": "warn", "sources": "fail"}),
    (source(), "person", {"sources": "ok", "pause": "warn"}),
    (source(None) | {"no_key": True}, None, {"sources": "ok"}),
    (source(), "backlog", {"sources": "ok", "pause": "warn"})])
def test_feeds(home: Path, row: dict[str, Any], by: str | None, states: dict[str, str]) -> None:
    """Sources that give nothing, and who pauses them."""
    heard = Heard(sources={"ok": True, "sources": [row], "paused_by": by, "paused_until_ms": None})
    assert seen(doctor_house.feeds, examined(home, heard=heard)) == states


def test_what_lies_in_the_folder_of_the_databases(home: Path) -> None:
    """A foreign file, a lock that a kill left behind, a write-ahead log that grew, a database that was set aside."""
    folder = home / "db"
    folder.mkdir()
    with sqlite3.connect(folder / "market.db"):
        (folder / "market.lock").write_text("999999999 1\n")
        (folder / "market.id").write_text("{}")
    assert seen(doctor_house.files, examined(home)) == {"databases": "ok", "write-ahead logs": "ok"}
    assert [(check.name, check.state) for check in doctor_house.locks(examined(home))] == [
        ("locks", "warn"), ("locks", "ok")]
    (folder / "notes.txt").write_text("")
    with (folder / "market.db-wal").open("wb") as file:
        file.truncate(doctor_house.WAL_BYTES + 1)
    found = list(doctor_house.files(examined(home)))
    assert [(check.name, check.state) for check in found if check.state != "ok"] == [
        ("databases", "warn"), ("write-ahead logs", "warn")]
    assert "notes.txt" in found[0].said
    (folder / "aside" / "market-20260102T140000Z").mkdir(parents=True)
    assert "market-20260102T140000Z" in next(check.said for check in doctor_house.files(examined(home))
                                             if "set aside" in check.said)


def test_logs_that_grew(home: Path) -> None:
    """The size of all logs together."""
    (home / "logs").mkdir()
    with (home / "logs" / "market.jsonl.1").open("wb") as file:
        file.truncate(doctor_house.LOG_BYTES + 1)
    assert seen(doctor_house.logs, examined(home)) == {"logs": "warn"}


def test_an_actor_that_was_ended(home: Path, running: Running) -> None:
    """Between two looks an actor ends: the second one names it, though no supervisor runs."""
    class TinyMarket(Actor):
        """Nothing but a name."""

        name = "market"

    running.start(Tracker, TinyMarket)
    about = replace(examined(home, actors=("tracker", "market")), heard=listen(running.settings))
    assert seen(doctor_house.actors, about) == {"actor tracker": "ok", "actor market": "ok"}
    running.stop("market")
    wait_until(lambda: not (home / "db" / "market.lock").exists())
    about = replace(about, heard=listen(running.settings))
    assert seen(doctor_house.actors, about) == {"actor tracker": "ok", "actor market": "fail"}


def test_every_check_in_order(home: Path) -> None:
    """The machine comes first, the house last."""
    names = [check.name for check in checks(examined(home, web_port=0))]
    assert names.index("python") < names.index("settings") < names.index("supervisor")


def test_what_a_restore_left_is_one_line(home: Path) -> None:
    """The databases of before a documented restore are named together and are nothing to look at."""
    (home / "db").mkdir(exist_ok=True)
    for name in ("fetcher.replaced-1767362400000.db", "fetcher.replaced-1767362400000.db-wal",
                 "market.replaced-1767362400001.db"):
        (home / "db" / name).write_bytes(b"x")
    found = [check for check in doctor_house.files(examined(home)) if "replaced" in check.said]
    assert [(check.state, check.said.split(",")[0]) for check in found] == [("ok", "3 files of before a restore")]
    (home / "db" / "stranger.replaced-1.db").write_bytes(b"x")
    assert "stranger.replaced-1.db belongs to no actor" in said(doctor_house.files, examined(home))


def test_a_long_name_stands_free(home: Path) -> None:
    """The column of the names is as wide as the longest needs."""
    sources = {"ok": True, "sources": [{"name": "globenewswire-biotech-and-more"}]}
    about = examined(home, heard=Heard(sources=sources))
    assert column(about) == len("source globenewswire-biotech-and-more") + 2
    assert column(examined(home)) == 19
    assert column(examined(home, notify="ntfy://example.com/x")) == len("sink notify-ntfy-000000") + 2
