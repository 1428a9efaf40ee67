"""`catalyst run`: the whole system in the foreground under supervisord, showing each alert as it comes.

Without a `.env` it plays a generated day of fictional companies (the demo); with one, or with --live, the real sources.
"""

from __future__ import annotations

import argparse
import configparser
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from catalyst import __version__
from catalyst import settings as settings_module
from catalyst.clock import SystemClock, from_iso
from catalyst.commands.alerts import MOST, render
from catalyst.commands.house import add_backlog, export_backlog, make_home
from catalyst.commands.output import Local
from catalyst.errors import OwnedElsewhere, UnavailableError
from catalyst.runtime.control import Control
from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import SUPERVISOR
from catalyst.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
DEMO_ITEMS = 360
DEMO_FILINGS = 72
DEMO_S = 3600  # an item each ten seconds
STOP_S = 12.0
FEW = 50  # alerts that are asked for twice a second
PR_SET_PDEATHSIG = 1
SOCKET_PATH_LIMIT = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst run [--live] [--alert-backlog N]`."""
    parser.add_argument("--live", action="store_true", help="use the real sources even without a .env")
    add_backlog(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start supervisord, show alerts until Ctrl-C or SIGTERM, then end everything."""
    export_backlog(arguments)
    settings = load()
    owner = living_owner(settings.database_folder, SUPERVISOR)
    if owner is not None:
        raise OwnedElsewhere("Catalyst", owner.pid)
    make_home(settings.home)
    live = arguments.live or Path(".env").is_file()
    world = None if live else prepare_demo(settings)
    if live:
        leave_demo(settings)
    configuration = write_configuration(settings, world)
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: stopping.append(received))
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)],
        start_new_session=True, preexec_fn=_end_with_parent)
    print(f"Catalyst {__version__}: {'live' if live else 'demo, a generated day of fictional companies'}; "
          f"home {settings.home}; Ctrl-C ends it", flush=True)
    try:
        _show_alerts(load(), child, stopping)
    finally:
        ended = _end(child)
    return 0 if stopping and ended else 1


class News:
    """Picks the alerts that a person who looks on from now has not been shown.

    `found` are the newest alerts at the beginning, `since` those among them that came after it: all others that are
    out are `earlier` ones. What still waited then is news when it goes out.
    """

    def __init__(self, found: list[dict[str, Any]], since: list[dict[str, Any]]):
        self._known = _out(found) - _out(since)
        self.earlier = len(self._known)

    def of(self, alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The news among the newest alerts, oldest first; each once."""
        fresh = _out(alerts) - self._known
        self._known |= fresh
        return [alert for alert in reversed(alerts) if alert["id"] in fresh]


def _out(alerts: list[dict[str, Any]]) -> set[str]:
    """The ids of those that a sink has, or that no sink took."""
    return {alert["id"] for alert in alerts if alert["state"] != "new"}


def _end_with_parent() -> None:
    """In the child: let the kernel end supervisord if this process is killed (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _show_alerts(settings: Settings, child: subprocess.Popen[bytes], stopping: list[int]) -> None:
    began_ms = SystemClock().now_ms()
    news: News | None = None
    page = ""
    with Control(settings.run_folder) as control:
        while not stopping and child.poll() is None:
            found = _page(control)
            if found and found != page:
                page = found
                print(page, flush=True)
            found = _alerts(control, limit=FEW if news else MOST)
            if news is None and found is not None:
                news = News(found, _alerts(control, limit=MOST, since_ms=began_ms) or [])
                if news.earlier:
                    print(f"{news.earlier} earlier alert{'s' if news.earlier > 1 else ''}: catalyst alerts", flush=True)
            for alert in news.of(found or []) if news else ():
                print(render(alert, Local.of(settings)), flush=True)
            for _ in range(5):
                if stopping:
                    return
                time.sleep(0.1)
    if child.poll() is not None:
        raise UnavailableError(f"supervisord ended by itself; see {settings.home / 'supervisord.log'}")


def _alerts(control: Control, **bounds: int) -> list[dict[str, Any]] | None:
    """The newest alerts, None where the alerter does not answer."""
    answer = control.ask_all(["alerter"], "alerts", 1.0, **bounds).get("alerter", {})
    return answer["alerts"] if answer.get("ok") else None


def _page(control: Control) -> str:
    """Where the page is, or why it is not there; empty while nobody says."""
    answer = control.ask_all(["web"], "address", 0.3).get("web", {})
    if answer.get("url"):
        return f"page: {answer['url']}"
    return f"no page: {answer['reason']}; set CATALYST_WEB_PORT" if answer.get("reason") else ""


def _end(child: subprocess.Popen[bytes]) -> bool:
    """End supervisord and with it everything; True when it went in order."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(STOP_S)
        return True
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return False


def prepare_demo(settings: Settings) -> list[str]:
    """Make the demo's day if there is none left to play, export its settings; the command that plays it."""
    from catalyst.world.day import Day, environment, write_sources
    from catalyst.world.generate import generate

    home = settings.home
    day, state = home / "demo" / "day", home / "demo" / "world.json"
    if day.is_dir() and is_over(state):
        shutil.rmtree(day)
        state.unlink()
    if not day.is_dir():
        seed = int(time.time())
        print(f"making a day of {DEMO_ITEMS} items and {DEMO_FILINGS} filings (seed {seed})", flush=True)
        fresh = day.with_name("day.new")
        shutil.rmtree(fresh, ignore_errors=True)
        generate(seed, DEMO_ITEMS, fresh, duration_s=DEMO_S, filings=DEMO_FILINGS)
        fresh.rename(day)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    sources = home / "demo" / "sources.toml"
    loaded = Day.load(day)
    write_sources(loaded, url, sources)
    settings_module.export(environment(loaded, url, sources))
    print(f"channel: {url}/_channel shows the alerts as their readers see them", flush=True)
    return [sys.executable, "-m", "catalyst", "world", str(day), "--port", str(port), "--state", str(state)]


def is_over(state: Path) -> bool:
    """Whether the day that `state` belongs to was played to its end."""
    try:
        started_ms = from_iso(json.loads(state.read_text())["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return time.time() * 1000 > started_ms + DEMO_S * 1000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def leave_demo(settings: Settings) -> None:
    """Move a demo's databases and logs away: fictional companies must not mix with real ones."""
    demo = settings.home / "demo"
    if not demo.is_dir():
        return
    aside = settings.home / f"demo-{int(time.time())}"
    aside.mkdir(mode=0o700)
    for name in ("db", "logs", "demo"):
        if (settings.home / name).exists():
            (settings.home / name).rename(aside / name)
    print(f"the demo's data was moved to {aside}", flush=True)


def write_configuration(settings: Settings, world: list[str] | None) -> Path:
    """supervisor.conf with this home, this Python and, in the demo, the world beside it; the file's path."""
    parser = configparser.RawConfigParser()
    parser.read_string((ROOT / "supervisor.conf").read_text())
    for section in parser.sections():
        for key, value in parser.items(section):
            parser.set(section, key, value.replace("%(here)s/var", str(settings.home)).replace("%(here)s", str(ROOT)))
    command = [sys.executable, "-m", "catalyst", "actor", SUPERVISOR, "--wait"]
    parser.set("program:catalyst", "command", _command_line(command))
    parser.set("program:catalyst", "directory", os.getcwd())
    if len(parser.get("unix_http_server", "file")) > SOCKET_PATH_LIMIT:
        for section in ("unix_http_server", "rpcinterface:supervisor", "supervisorctl"):
            parser.remove_section(section)  # supervisorctl cannot reach so long a path; catalyst's commands can
    if world is not None:
        parser.add_section("program:world")
        for key, value in (("command", _command_line(world)), ("directory", os.getcwd()), ("autorestart", "true"),
                           ("stdout_logfile", str(settings.home / "world.out")), ("redirect_stderr", "true")):
            parser.set("program:world", key, value)
    path: Path = settings.home / "supervisor.conf"
    with path.open("w") as file:
        parser.write(file)
    return path


def _command_line(words: list[str]) -> str:
    """A command for supervisord's configuration: its own % is doubled, a blank quoted."""
    return " ".join(f'"{word}"' if " " in word else word for word in words).replace("%", "%%")
