"""`catalyst doctor`, the set-up: settings, `.env`, home, the files that actors read, addresses, the page's port."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalyst.commands.doctor_check import Check, Examined, fail, ok, warn
from catalyst.commands.output import seconds
from catalyst.core.quiet import parse_hours
from catalyst.errors import ConfigError, UsageError
from catalyst.runtime.roster import ALL, WORKERS, check_names
from catalyst.settings import TABLE, Settings, nearest, strangers

if TYPE_CHECKING:
    from catalyst.core.sources import Source

OLD_LIST_S = 7 * 86_400
DISCORD_PATH = re.compile(r"/api/(?:v\d+/)?webhooks/\d+/[\w-]+/?")
CONTACT = re.compile(r"\S+@\S+\.\S+")  # sec.gov/os/webmaster-faq asks for a name and a mail address
SUPERVISORCTL_BYTES = 100  # catalyst/commands/run.py leaves supervisorctl's socket out over this


def settings(about: Examined) -> Iterator[Check]:
    """Every fault of the environment and of `.env`; a misspelt name with the nearest."""
    for fault in about.faults:
        yield fail("settings", fault, "correct it; docs/settings.md has every name; the actors do not start with it")
    if not about.faults:
        changed = sum(where != "default" for where in about.settings.origin.values())
        yield ok("settings", f"{len(TABLE)} valid, {changed} of them not the default")


def dotenv(about: Examined) -> Iterator[Check]:
    """`.env`: there, readable, for nobody else's eyes; names in it that nobody reads."""
    if not about.dotenv.is_file():
        yield ok(".env", f"none in {Path.cwd()}: scripts/run plays the demo")
        return
    try:
        others = strangers(about.dotenv)
    except ConfigError as error:
        yield fail(".env", str(error), "make it a UTF-8 text that this user can read; .env.example is one")
        return
    mode = about.dotenv.stat().st_mode & 0o777
    if mode & 0o077:
        yield warn(".env", f"mode {mode:04o}: others can read its secrets", f"chmod 600 {about.dotenv}")
    else:
        yield ok(".env", f"mode {mode:04o}")
    for name in others:
        near = nearest(name)
        yield warn(".env names", f"{name} is no setting" + (f", did you mean {near}?" if near else ""),
                   "rename it, or remove it if no other program reads this file")


def actors(about: Examined) -> Iterator[Check]:
    """The actors that are to run exist, and those of other hosts have addresses."""
    from catalyst.runtime.places import parse_endpoints

    try:
        names = check_names(list(about.settings.actors) or list(WORKERS))
        parse_endpoints(about.settings.endpoints, ALL)
    except (ConfigError, UsageError) as error:
        yield fail("actors", str(error), "correct CATALYST_ACTORS or CATALYST_ENDPOINTS; nothing starts with it")
        return
    yield ok("actors", "all" if names == WORKERS else ", ".join(names))


def time_zone(about: Examined) -> Iterator[Check]:
    """The zone of cards and page is in the machine's tables, and so is New York's, which sessions go by."""
    from zoneinfo import ZoneInfo

    for name in dict.fromkeys((about.settings.tz, "America/New_York")):
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            yield fail("time zone", f"{name} is not in this machine's tables", "install tzdata (apt install tzdata, or"
                                                                               " pip install tzdata)")
            return
    yield ok("time zone", str(about.settings.tz))


def quiet_hours(about: Examined) -> Iterator[Check]:
    """The times without alerts can be read."""
    try:
        parse_hours(about.settings.quiet_hours)
    except ConfigError as error:
        yield fail("quiet hours", str(error), "correct it; the alerter does not start with it")
        return
    yield ok("quiet hours", ", ".join(about.settings.quiet_hours) or "none")


def horizons(about: Examined) -> Iterator[Check]:
    """The tracker can read when outcomes are to be taken."""
    from catalyst.core.outcomes import parse_horizons

    try:
        parse_horizons(about.settings.horizons)
    except ConfigError as error:
        yield fail("outcomes", str(error), "correct it; the tracker does not start with it")
        return
    yield ok("outcomes", f"after {', '.join(about.settings.horizons)}" if about.settings.horizons else "none")


def home(about: Examined) -> Iterator[Check]:
    """The home can be written, and its inner folders are this user's alone."""
    place: Path = about.settings.home
    if not place.exists():
        parent = next(path for path in place.parents if path.exists())
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            yield ok("home", f"{place} will be made at the first start")
        else:
            yield fail("home", f"{place} cannot be made in {parent}", "choose another CATALYST_HOME")
        return
    if not place.is_dir() or not can_write(place):
        yield fail("home", f"{place} cannot be written", f"chown {os.getuid()} {place}, or another CATALYST_HOME")
        return
    yield ok("home", str(place))
    settings = about.settings
    for folder in (settings.database_folder, settings.run_folder, settings.log_folder, settings.key_folder):
        if not folder.exists():
            continue
        status = folder.stat()
        if not folder.is_dir() or status.st_uid != os.getuid():
            yield fail("permissions", f"{folder} is not a folder of this user's", f"chown -R {os.getuid()} {place}")
        elif status.st_mode & 0o077:
            yield warn("permissions", f"{folder} has mode {status.st_mode & 0o777:04o}", f"chmod 700 {folder}")
        else:
            yield ok("permissions", f"{folder.name}/ mode {status.st_mode & 0o777:04o}")


def can_write(folder: Path) -> bool:
    """Whether a file can be made in a folder: access(2) alone does not know of a read-only mount for root."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError:
        return False
    return True


def socket_path(about: Examined) -> Iterator[Check]:
    """A socket's address holds 107 bytes (unix(7)); a longer folder is reached through a short link."""
    from catalyst.runtime.sockets import SOCKET_PATH_LIMIT

    run_folder: Path = about.settings.run_folder
    length = len(os.fsencode(run_folder))
    if length >= SOCKET_PATH_LIMIT - 20:
        yield warn("socket path", f"{run_folder} has {length} bytes: sockets are reached through a link in the"
                                  " temporary folder", "a shorter CATALYST_HOME")
    elif len(os.fsencode(about.settings.home / "supervisord.sock")) > SUPERVISORCTL_BYTES:
        yield warn("socket path", "too long for supervisorctl", "a shorter CATALYST_HOME")
    else:
        yield ok("socket path", f"{length} bytes")


def sources(about: Examined) -> Iterator[Check]:
    """The list of sources can be read and has some that are enabled; EDGAR is asked only by who says who asks."""
    from catalyst.clients.polls import list_sources

    try:
        listed = list_sources(about.settings)
    except ConfigError as error:
        yield fail("source list", str(error), "correct the file that CATALYST_SOURCES names; catalyst reload keeps the"
                                              " old list until then")
        return
    enabled = [source for source in listed if source.enabled]
    if not enabled:
        yield warn("source list", f"{len(listed)} sources, none enabled", "nothing is polled: set enabled = true")
    else:
        yield ok("source list", f"{len(enabled)} of {len(listed)} sources enabled")
    for name, text in _without_key(enabled, about.settings):
        yield warn(name, "is not set", f"{text} not asked without it; enabled = false leaves it out")
    agent = str(about.settings.sec_user_agent)
    is_source = any(source.kind == "edgar" for source in enabled)
    if CONTACT.search(agent):
        yield ok("SEC_USER_AGENT", "names a contact")
    elif agent and is_source:
        yield fail("SEC_USER_AGENT", "names no mail address, and EDGAR is asked with it",
                   "SEC_USER_AGENT=Your Name you@example.com: without an address the SEC refuses")
    else:
        missed = "neither EDGAR nor the SEC's company list is asked for" if is_source else (
            "the SEC's company list is not fetched")
        yield warn("SEC_USER_AGENT", "names no mail address" if agent else f"is not set: {missed}",
                   "SEC_USER_AGENT=Your Name you@example.com")


def _without_key(sources: list[Source], settings: Settings) -> list[tuple[str, str]]:
    """(setting, sources) for each key that an enabled source asks for and that is not set."""
    from catalyst.clients.polls import key_of
    from catalyst.core.keyed import SERVICES

    missing: dict[str, list[str]] = {}
    for source in sources:
        if key_of(source, settings) == "":
            missing.setdefault(SERVICES[source.kind].setting, []).append(source.name)
    return [(name, f"{', '.join(names)}: {'is' if len(names) == 1 else 'are'}") for name, names in missing.items()]


def companies(about: Examined) -> Iterator[Check]:
    """The company list: names become tickers through it."""
    from catalyst.clients.files import companies_path, load_companies

    path = companies_path(about.settings)
    if path is None:
        yield warn("company list", "none yet: only stories that name their ticker are found",
                   "set SEC_USER_AGENT: the fetcher fetches it once a day; or CATALYST_COMPANIES")
        return
    try:
        found = load_companies(about.settings)
        age_s = max(0.0, about.now_ms / 1000 - path.stat().st_mtime)
    except (ConfigError, OSError) as error:
        yield fail("company list", str(error), f"remove or correct {path}; the fetcher fetches a new one")
        return
    said = f"{len(found or ())} lines, {seconds(age_s)} old"
    if age_s > OLD_LIST_S:
        yield warn("company list", said, "new listings are unknown; catalyst logs fetcher says why it is not renewed"
                   if about.settings.companies is None else f"renew {path}")
    else:
        yield ok("company list", said)


def watch_list(about: Examined) -> Iterator[Check]:
    """The watch list, where there is one."""
    from catalyst.clients.files import load_watchlist, watchlist_path

    path = watchlist_path(about.settings)
    try:
        watched = load_watchlist(about.settings)
    except ConfigError as error:
        yield fail("watch list", str(error), "correct CATALYST_WATCHLIST, or remove it")
        return
    if path is not None and not watched:
        yield warn("watch list", f"{path} holds no ticker", "a column Ticker or Symbol, or one ticker a line")
    else:
        yield ok("watch list", f"{len(watched)} tickers" if path else "none")


def market_values(about: Examined) -> Iterator[Check]:
    """The market values by which contracts are measured, where there are some; old ones do not count."""
    from catalyst.clients.files import load_market_values
    from catalyst.core.market_values import known_usd

    try:
        values = load_market_values(about.settings)
    except ConfigError as error:
        yield fail("market values", str(error), "correct CATALYST_MARKET_VALUES, or remove it")
        return
    known = sum(known_usd(values, ticker, about.now_ms) is not None for ticker in values)
    if known < len(values):
        yield warn("market values", f"{len(values) - known} of {len(values)} are too old to count",
                   "export the screener anew; catalyst watch import, or the file of CATALYST_MARKET_VALUES")
    else:
        yield ok("market values", f"{known} known" if known else "none")


def rules(about: Examined) -> Iterator[Check]:
    """The rule table can be read, and it makes the kinds that the gates and the sinks' filters name."""
    from catalyst.clients.files import check_kinds, load_gates, load_rules

    try:
        found = load_rules(about.settings)
        load_gates(about.settings, found)
        check_kinds(about.settings, found)
    except ConfigError as error:
        yield fail("rules", str(error), "correct the file that CATALYST_RULES names, or the setting that is named;"
                   " the classifier, or the alerter, does not start with it")
        return
    yield ok("rules", f"version {found.version}, {len(found.rules)} rules"
             f"{'' if about.settings.rules else ', the bundled ones'}")


def sinks(about: Examined) -> Iterator[Check]:
    """Where alerts go: set, and an address that can be asked. Nothing is posted; the address is not shown."""
    from catalyst.clients.sinks import address, alert_sinks, can_be_asked, is_usable

    by_bot = can_be_asked(about.settings, "discord")
    if not by_bot and (about.settings.discord_bot_token or about.settings.discord_channel_id):
        yield warn("sink discord", "a bot needs its token and its channel: one of them is missing",
                   "DISCORD_BOT_TOKEN and DISCORD_CHANNEL_ID")
    names = {"discord": ("DISCORD_BASE_URL" if by_bot else "DISCORD_WEBHOOK_URL", address(about.settings, "discord")),
             "ops": ("DISCORD_ADMIN_WEBHOOK", about.settings.discord_admin_webhook),
             "webhook": ("CATALYST_WEBHOOK_URL", about.settings.webhook_url)}
    if not alert_sinks(about.settings):
        yield warn("sinks", "no sink is set: alerts are stored and shown, not sent",
                   "DISCORD_WEBHOOK_URL, CATALYST_WEBHOOK_URL or CATALYST_NOTIFY")
    for sink, (name, url) in names.items():
        if not url:
            continue
        if not is_usable(url):
            yield fail(f"sink {sink}", f"{name} is no http or https address", "copy it again from Discord: channel"
                       " settings, Integrations, Webhooks" if sink != "webhook" else "https://host/path")
        elif sink != "webhook" and name != "DISCORD_BASE_URL" and not DISCORD_PATH.fullmatch(urlsplit(url).path):
            yield warn(f"sink {sink}", f"{name} does not look like a Discord webhook",
                       "https://discord.com/api/webhooks/NUMBER/TOKEN")
        elif sink == "webhook" and not about.settings.webhook_secret:
            yield warn(f"sink {sink}", "events go out unsigned", "set CATALYST_WEBHOOK_SECRET on both sides")
        else:
            yield ok(f"sink {sink}", "set; catalyst send-test tries it")
    if not names["ops"][1]:
        yield warn("sink ops", "the operator's notices go nowhere", "DISCORD_ADMIN_WEBHOOK")


def notify_addresses(about: Examined) -> Iterator[Check]:
    """The addresses of CATALYST_NOTIFY: apprise is there and understands each. Nothing is sent."""
    from catalyst.clients import notify
    from catalyst.core.notify import addresses

    found = addresses(about.settings.notify)
    if not found:
        return
    if missing := notify.fault(about.settings):
        yield fail("sink notify", missing, "without it nothing goes to these addresses")
        return
    unreadable = notify.unreadable(about.settings)
    for sink in unreadable:
        yield fail(f"sink {sink}", "apprise does not understand the address", "github.com/caronc/apprise/wiki lists how"
                                                                              " each service is written")
    if ready := [sink for sink in found if sink not in unreadable]:
        yield ok("sink notify", f"{', '.join(ready)}; catalyst send-test tries each")


def quote_providers(about: Examined) -> Iterator[Check]:
    """The providers of prices are known ones; simulated prices are named as such."""
    from catalyst.clients.prices import PROVIDERS

    chain = about.settings.quote_providers
    if unknown := [name for name in chain if name not in PROVIDERS]:
        yield fail("quote providers", f"{unknown[0]} is none of {', '.join(PROVIDERS)}", "correct QUOTE_PROVIDERS")
    elif not chain:
        yield warn("quote providers", "none: every alert goes out with price unknown", "QUOTE_PROVIDERS=yahoo")
    elif "simulated" in chain:
        yield warn("quote providers", f"{', '.join(chain)}: prices may be simulated", "QUOTE_PROVIDERS=yahoo when live")
    else:
        yield ok("quote providers", ", ".join(chain))


def web_port(about: Examined) -> Iterator[Check]:
    """The page's port is free, or our own page has it."""
    port = int(about.settings.web_port)
    if why_not := (about.heard.page or {}).get("reason"):
        yield fail("web port", f"the page is not there: {why_not}", "end the program that has the port, or set"
                                                                    " CATALYST_WEB_PORT")
    elif port == 0 or "web" in about.heard.alive:
        yield ok("web port", f"{port}, our page" if port else "any free port")
    else:
        yield from _is_free(port)


def _is_free(port: int) -> Iterator[Check]:
    """Whether a page of ours could have the port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            yield fail("web port", f"{port}: {error.strerror}", "end the program that has it, or set CATALYST_WEB_PORT")
            return
    yield ok("web port", f"{port} is free")


CHECKS: tuple[Callable[[Examined], Iterator[Check]], ...] = (
    settings, dotenv, actors, time_zone, quiet_hours, horizons, home, socket_path, sources, companies, watch_list,
    market_values, rules, sinks, notify_addresses, quote_providers, web_port)
