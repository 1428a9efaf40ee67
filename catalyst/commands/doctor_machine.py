"""`catalyst doctor`, the machine: Python, packages, SQLite, limits, disk, clock, fonts, supervisord."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import resource
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalyst.commands.doctor_check import Check, Examined, fail, ok, warn

PYTHON = (3, 11)
SQLITE = (3, 35, 0)
OPEN_FILES = 1024
ROOM_BYTES, LITTLE_BYTES = 1_000_000_000, 200_000_000
FIRST_MS = 1_735_689_600_000  # 2025-01-01: no machine that runs this can have an earlier date
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 30.0
# Distribution -> module, as setup.cfg requires them; the supervisor package has a check of its own.
PACKAGES = {
    "pyzmq": "zmq", "msgpack": "msgpack", "psutil": "psutil", "requests": "requests", "urllib3": "urllib3",
    "certifi": "certifi", "msgspec": "msgspec", "fastfeedparser": "fastfeedparser", "feedparser": "feedparser",
    "ahocorasick-rs": "ahocorasick_rs", "rapidfuzz": "rapidfuzz", "holidays": "holidays", "Pillow": "PIL",
    "selectolax": "selectolax", "prometheus-client": "prometheus_client", "python-dotenv": "dotenv",
    "setproctitle": "setproctitle"}


def python(about: Examined, version: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Check]:
    """The version of Python."""
    said = ".".join(map(str, version))
    if version[:2] < PYTHON:
        yield fail("python", said, "install Python 3.11 or newer, remove .venv and call scripts/run again")
    else:
        yield ok("python", f"{said}, {sys.executable}")


def packages(about: Examined, wanted: dict[str, str] = PACKAGES) -> Iterator[Check]:
    """Every package that the actors import can be imported."""
    found, missing = [], []
    for name, module in wanted.items():
        try:
            importlib.import_module(module)
            found.append(f"{name} {importlib.metadata.version(name)}")
        except ImportError as error:  # PackageNotFoundError is one too
            missing.append(name)
            yield fail("packages", f"{name} cannot be imported: {error}", "scripts/setup installs what is missing")
    if not missing:
        yield ok("packages", f"{len(found)}: {', '.join(found)}")


def sqlite(about: Examined, version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Iterator[Check]:
    """The version of SQLite, and whether it may map files into memory."""
    from catalyst.runtime.store import connect

    said = ".".join(map(str, version))
    if version < SQLITE:
        yield fail("sqlite", f"{said} is older than 3.35", "use a Python that was built with a newer SQLite")
    else:
        yield ok("sqlite", said)
    db = connect(":memory:")
    try:
        options = {row[0] for row in db.execute("PRAGMA compile_options")}
    finally:
        db.close()
    if "MAX_MMAP_SIZE=0" in options:
        yield warn("sqlite mmap", "this SQLite cannot map files", "SQLITE_MMAP_SIZE has no effect; reading is slower")
    else:
        yield ok("sqlite mmap", "files can be mapped")


def open_files(about: Examined, limit: int | None = None) -> Iterator[Check]:
    """How many files a process may have open (getrlimit(2), RLIMIT_NOFILE)."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if limit is None else limit
    if limit != resource.RLIM_INFINITY and limit < OPEN_FILES:
        yield warn("open files", f"at most {limit} a process", f"ulimit -n {OPEN_FILES} before the start, or minfds in"
                                                                " supervisor.conf")
    else:
        yield ok("open files", "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit} a process")


def disk(about: Examined, free_bytes: int | None = None) -> Iterator[Check]:
    """Free room where the home is, or will be."""
    place: Path = about.settings.home
    while not place.exists():
        place = place.parent
    free_bytes = shutil.disk_usage(place).free if free_bytes is None else free_bytes
    said = f"{free_bytes / 1e9:.1f} GB free at {place}"
    fix = "make room: old logs in logs/, demo-* and backups; a full disk stops the actors, it loses nothing"
    if free_bytes < LITTLE_BYTES:
        yield fail("disk", said, fix)
    elif free_bytes < ROOM_BYTES:
        yield warn("disk", said, fix)
    else:
        yield ok("disk", said)


def clock(about: Examined) -> Iterator[Check]:
    """The wall clock: not absurd, and with --network not far from that of servers (their Date header)."""
    if about.now_ms < FIRST_MS:
        yield fail("clock", "the date is before 2025", "set the clock; ages and sessions are wrong until then")
        return
    if not about.network:
        yield ok("clock", "a likely date; --network compares it with servers")
        return
    from catalyst.clients.http import place

    asked = clock_addresses(about)
    with ThreadPoolExecutor(len(asked)) as pool:
        skews = list(pool.map(lambda url: skew_of(about, url), asked))
    for url, skew_s in zip(asked, skews, strict=True):
        if skew_s is None:
            continue
        said = f"{abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} {place(url)}"
        fix = "switch on time synchronisation: timedatectl set-ntp true"
        if abs(skew_s) > SKEW_FAIL_S:
            yield fail("clock", said, fix)
        else:
            yield warn("clock", said, fix) if abs(skew_s) > SKEW_WARN_S else ok("clock", said)
        return
    yield warn("clock", f"none of {len(asked)} servers answered with a date", "is the network up? catalyst sources"
                                                                              " --check")


def clock_addresses(about: Examined) -> list[str]:
    """Servers to compare the clock with: Discord, then the sites of three sources."""
    from urllib.parse import urlsplit

    from catalyst.clients.polls import address_of, list_sources
    from catalyst.errors import ConfigError

    try:
        sources = [address_of(source, about.settings) for source in list_sources(about.settings) if source.enabled]
    except ConfigError:
        sources = []
    own = [about.settings.discord_webhook_url] if about.settings.discord_webhook_url else []
    sites = ["{0.scheme}://{0.netloc}/".format(urlsplit(url)) for url in [*own, *sources]]
    return list(dict.fromkeys(sites))[:4] or ["https://discord.com/"]


def skew_of(about: Examined, url: str) -> float | None:
    """Seconds by which our clock is ahead of a server's, which counts whole seconds; None without an answer."""
    from email.utils import parsedate_to_datetime

    from catalyst.clients.http import Http
    from catalyst.clock import SystemClock
    from catalyst.errors import FetchError

    http = Http(SystemClock(), allow_hosts=about.settings.allow_hosts)
    try:
        answer = http.get(url, deadline_s=2.0, limit_bytes=2_000_000)
        theirs_s = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (FetchError, ValueError, TypeError, OverflowError):
        return None
    finally:
        http.close()
    ahead_s = answer.done_ms / 1000 - theirs_s
    return 0.0 if 0 <= ahead_s <= 1 else ahead_s if ahead_s < 0 else ahead_s - 1


def fonts(about: Examined) -> Iterator[Check]:
    """Pillow has fonts: a small chart can be drawn."""
    try:
        from catalyst.core.chart import draw_chart

        picture = draw_chart((), ticker="TEST", size=(320, 180))
    except (ImportError, OSError, ValueError) as error:
        yield fail("charts", f"cannot be drawn: {error}", "scripts/setup installs Pillow; or CATALYST_CHARTS=0")
        return
    yield ok("charts", f"drawn, {len(picture)} bytes")


def supervisord(about: Examined, module: str = "supervisor") -> Iterator[Check]:
    """supervisord and supervisorctl come with the supervisor package."""
    if importlib.util.find_spec(module) is None:
        yield fail("supervisord", "the package supervisor is not there", "scripts/setup; until then: catalyst up")
        return
    beside = Path(sys.executable).parent
    missing = [name for name in ("supervisord", "supervisorctl")
               if shutil.which(name) is None and not (beside / name).exists()]
    version = importlib.metadata.version(module)
    if missing:
        yield warn("supervisord", f"supervisor {version}, but no command {' and no '.join(missing)}",
                   "scripts/run needs none; to have them: scripts/setup")
    else:
        yield ok("supervisord", f"supervisor {version}, with supervisorctl")


CHECKS: tuple[Callable[[Examined], Iterator[Check]], ...] = (
    python, packages, sqlite, open_files, disk, clock, fonts, supervisord)
