"""Every setting, once: name, default, range and meaning; read from the environment, then `.env`, then the default.

This is the only module that reads the environment. `load` reports all faults together. An unknown `CATALYST_` name is
an error that names the nearest known one. `.env.example` and `docs/settings.md` are generated from here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from catalyst.errors import ConfigError


class Setting(NamedTuple):
    """One row: `kind` is str, int, float, bool, path, list or secret; `low` and `high` bound a number."""

    name: str
    kind: str
    default: Any
    meaning: str
    group: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    @property
    def attribute(self) -> str:
        """Name as an attribute of `Settings`: lower case, without the prefix CATALYST_."""
        return self.name.lower().removeprefix("catalyst_")


S = Setting
TABLE: tuple[Setting, ...] = (
    S("CATALYST_HOME", "path", "./var", "databases, sockets, logs/ACTOR.jsonl", "system"),
    S("CATALYST_LOG_LEVEL", "str", "info", "debug, info, warning or error", "system",
      choices=("debug", "info", "warning", "error")),
    S("CATALYST_ACTORS", "list", "", "actors to run, all when empty", "system"),
    S("CATALYST_ENDPOINTS", "list", "", "actors that other hosts reach: ACTOR=tcp://IP:PORT, of three ports each",
      "system"),
    S("CATALYST_MEMORY_SOFT_MB", "float", 300, "anonymous memory at which an actor is drained and restarted, 0 = none",
      "system", 0, 1e6),
    S("CATALYST_MEMORY_HARD_MB", "float", 600, "anonymous memory at which an actor is killed, 0 = none", "system",
      0, 1e6),
    S("CATALYST_FAULTS", "list", "", "faults on purpose, for tests: ACTOR:ACT@POINT:N", "system"),
    S("CATALYST_TZ", "str", "America/New_York", "zone of cards, page, commands and quiet hours", "system"),
    S("CATALYST_SOURCES", "path", "", "sources.toml to use instead of the bundled one", "fetching"),
    S("CATALYST_ALLOW_HOSTS", "list", "", "hosts or host:port on private addresses that may be fetched", "fetching"),
    S("CATALYST_ALERT_BACKLOG", "int", 0, "items of a new source's backlog that may alert", "fetching", 0, 10_000),
    S("NEWS_MAX_AGE_MINUTES", "float", 60, "age up to which a story that is first seen is news, 0 = any",
      "fetching", 0, 1e6),
    S("SEC_MAX_AGE_MINUTES", "float", 480, "age up to which a filing that is first seen is news, 0 = any",
      "fetching", 0, 1e6),
    S("FINNHUB_API_KEY", "secret", "", "key for sources of kind finnhub", "fetching"),
    S("FINVIZ_AUTH_TOKEN", "secret", "", "token of Finviz Elite, for sources of kind finviz", "fetching"),
    S("BENZINGA_API_KEY", "secret", "", "key for sources of kind benzinga", "fetching"),
    S("SEEN_TTL_DAYS", "int", 7, "days for which an item that left its feed is known again", "fetching", 1, 365),
    S("ALERT_CONSECUTIVE_EMPTY_CYCLES", "int", 5, "failed or empty polls of a source before the operator is told",
      "fetching", 1, 1000),
    S("SEC_BASE_URL", "str", "https://www.sec.gov", "EDGAR; the company list is /files/company_tickers.json there",
      "fetching"),
    S("SEC_USER_AGENT", "str", "", "who asks, with a contact: required by the SEC when live", "fetching"),
    S("CATALYST_EDGAR_PER_S", "float", 10, "requests a second to EDGAR over all actors, the SEC's limit; 0 = none",
      "fetching", 0, 10),
    S("SEC_LLM_CACHE_TTL_HOURS", "float", 72, "hours for which the analysis of a filing is used again", "fetching",
      0.01, 8760),
    S("CATALYST_COMPANIES", "path", "", "company list file in the SEC's JSON shape, instead of the SEC's own",
      "classification"),
    S("CATALYST_RULES", "path", "", "rules.toml to use instead of the bundled one", "classification"),
    S("CATALYST_WATCHLIST", "path", "", "watchlist.csv; default: in the home", "classification"),
    S("CATALYST_MARKET_VALUES", "path", "", "Finviz export with Market Cap, for contract sizes; not a watch list",
      "classification"),
    S("MIN_SCORE", "float", 0.2, "score gate, 0 lets all catalysts through", "classification", 0, 1),
    S("MIN_SENT_ABS", "float", 0, "sentiment gate: the least strength either way, 0 = off", "classification", 0, 1),
    S("CATEGORIES_ALLOW", "list", "", "kinds that may alert, or their first words as offering; all when empty",
      "classification"),
    S("PRICE_CEILING", "float", 10, "USD, 0 = none; an unknown price is alerted with price null", "market", 0, 1e6),
    S("PRICE_FLOOR", "float", 0.10, "USD, 0 = none", "market", 0, 1e6),
    S("QUOTE_PROVIDERS", "list", "yahoo", "chain of quote providers, in order; simulated only where it is named",
      "market"),
    S("YAHOO_BASE_URL", "str", "https://query1.finance.yahoo.com", "address of the Yahoo chart service", "market"),
    S("CATALYST_QUOTE_TTL_S", "float", 15, "seconds for which a quote is used again", "market", 0, 3600),
    S("CATALYST_CHARTS", "bool", True, "draw a chart for each alert", "charts"),
    S("CATALYST_CHART_THEME", "str", "dark", "dark or light", "charts", choices=("dark", "light")),
    S("CATALYST_CHART_FRAME", "str", "1D", "days of a chart; several are asked for once the alert is out", "charts",
      choices=("1D", "5D", "1M", "3M", "1Y")),
    S("CATALYST_CHART_PANES", "list", "", "what a chart shows beside prices: rsi, macd, sentiment", "charts",
      choices=("rsi", "macd", "sentiment")),
    S("CATALYST_HORIZONS", "list", "15m,30m,1h,4h,1d,7d", "when an alert's outcome is taken: s, m, h or d after it",
      "outcomes"),
    S("CATALYST_WEB_PORT", "int", 8787, "page, health and metrics on 127.0.0.1; 0 = any free port", "page", 0, 65_535),
    S("DISCORD_WEBHOOK_URL", "secret", "", "alerts go here", "alerting"),
    S("DISCORD_ADMIN_WEBHOOK", "secret", "", "the operator's notices go here", "alerting"),
    S("DISCORD_BASE_URL", "str", "https://discord.com", "Discord's address, for the bot", "alerting"),
    S("DISCORD_BOT_TOKEN", "secret", "", "alerts go out by this bot, repeat-free, instead of the webhook",
      "alerting"),
    S("DISCORD_CHANNEL_ID", "str", "", "the channel into which the bot posts", "alerting"),
    S("DISCORD_PER_MINUTE", "int", 30, "own cap beside Discord's headers, 0 = headers only", "alerting", 0, 10_000),
    S("DISCORD_KINDS", "list", "", "kinds that go to Discord, or their first words as offering; all when empty",
      "alerting"),
    S("DISCORD_MIN_SCORE", "float", 0, "least score of an alert for Discord", "alerting", 0, 1),
    S("DISCORD_WATCHED_ONLY", "bool", False, "only tickers of the watch list go to Discord", "alerting"),
    S("CATALYST_WEBHOOK_URL", "secret", "", "every event as signed JSON", "alerting"),
    S("CATALYST_WEBHOOK_SECRET", "secret", "", "key of the signature", "alerting"),
    S("CATALYST_NOTIFY", "secret", "", "alerts go to these Apprise addresses too (ntfy://..., mailto://...), parted by"
      " commas or blanks; needs the extra [notify]", "alerting"),
    S("CATALYST_WEBHOOK_KINDS", "list", "", "kinds that go to the signed webhook; all when empty", "alerting"),
    S("CATALYST_WEBHOOK_MIN_SCORE", "float", 0, "least score of an alert for the signed webhook", "alerting", 0, 1),
    S("CATALYST_WEBHOOK_WATCHED_ONLY", "bool", False, "only tickers of the watch list go to the signed webhook",
      "alerting"),
    S("ALERT_COOLDOWN_MINUTES", "float", 0, "for so long a repeat (ticker, kind) edits the alert before it, 0 = never",
      "alerting", 0, 10_080),
    S("CATALYST_QUIET_HOURS", "list", "", "times without alerts: 22:00-06:30, Sat-Sun 00:00-24:00; none when empty",
      "alerting"),
    S("CATALYST_QUIET_SCORE", "float", 0.9, "score from which an alert is posted in quiet hours all the same",
      "alerting", 0, 1),
    S("CATALYST_DIGEST_FROM", "int", 25, "alerts that may wait for Discord; those beyond go in digests, 0 = no digests",
      "alerting", 0, 10_000),
    S("SQLITE_WAL_MODE", "bool", True, "write-ahead log; off = rollback journal", "storage"),
    S("SQLITE_SYNCHRONOUS", "str", "NORMAL", "OFF, NORMAL, FULL or EXTRA; the alerter never goes below FULL", "storage",
      choices=("OFF", "NORMAL", "FULL", "EXTRA")),
    S("SQLITE_CACHE_SIZE", "int", 10_000, "pages of 4 KB kept in memory, at most", "storage", 10, 10_000_000),
    S("SQLITE_MMAP_SIZE", "int", 30_000_000_000, "bytes of a database that may be mapped, 0 = none", "storage",
      0, 2**40),
    S("CATALYST_LINK_RETENTION_S", "float", 21_600, "seconds for which delivered messages are kept for a resend",
      "storage", 60, 30 * 86_400),
    S("CATALYST_BACKLOG_LIMIT", "int", 20_000, "messages waiting in the whole system at which the fetcher pauses",
      "storage", 100, 10_000_000),
)


class Settings(NamedTuple):
    """All settings by attribute (`settings.min_score`), frozen. `origin` says where each value came from."""

    values: Mapping[str, Any]
    origin: Mapping[str, str] = MappingProxyType({})

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.values), dict(self.origin))

    @property
    def database_folder(self) -> Path:
        """Where each actor keeps its database and its lock."""
        return self.home / "db"

    @property
    def run_folder(self) -> Path:
        """Where the sockets are."""
        return self.home / "run"

    @property
    def key_folder(self) -> Path:
        """Where the keys for other hosts are."""
        return self.home / "keys"

    @property
    def log_folder(self) -> Path:
        """Where the logs are."""
        return self.home / "logs"

    def but(self, **changes: Any) -> Settings:
        """A copy with other values, for tests and for `catalyst up --world`."""
        unknown = set(changes) - set(self.values)
        if unknown:
            raise ConfigError(f"unknown setting {sorted(unknown)[0]}")
        return Settings(MappingProxyType({**self.values, **changes}), self.origin)

    def shown(self) -> list[dict[str, Any]]:
        """Rows for a person: name, value (secrets masked), origin, meaning."""
        return [{"name": row.name, "value": shown_value(row, self.values[row.attribute]),
                 "origin": self.origin.get(row.attribute, "default"), "meaning": row.meaning} for row in TABLE]


def _rebuild(values: dict[str, Any], origin: dict[str, str]) -> Settings:
    return Settings(MappingProxyType(values), MappingProxyType(origin))


def shown_value(row: Setting, value: Any) -> Any:
    """The value as a person may see it."""
    if row.kind == "secret":
        return "set" if value else ""
    if isinstance(value, Path):
        return str(value)
    return ",".join(value) if isinstance(value, tuple) else value


def load(environment: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    """Settings of the environment (default: the process's) over those of the `.env` file (default: `./.env`).

    Raises ConfigError that lists every fault: a value out of range, an unknown CATALYST_ name.
    """
    settings, faults = examine(environment, dotenv)
    if faults:
        raise ConfigError("; ".join(faults))
    return settings


def examine(environment: Mapping[str, str] | None = None, dotenv: Path | None = None
            ) -> tuple[Settings, tuple[str, ...]]:
    """As `load`, but with the faults, a sentence each, beside the settings; a faulty one has its default."""
    environment = dict(os.environ if environment is None else environment)
    dotenv = Path(".env") if dotenv is None else dotenv
    faults: list[str] = []
    try:
        from_file = _read_dotenv(dotenv)
    except ConfigError as error:
        from_file = {}
        faults.append(str(error))
    for name in sorted({*environment, *from_file}):
        if name.startswith("CATALYST_") and name not in known_names():
            faults.append(f"unknown setting {name}" + (f", did you mean {near}?" if (near := nearest(name)) else ""))
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for row in TABLE:
        text, where = environment.get(row.name), "environment"
        if text is None:
            text, where = from_file.get(row.name), str(dotenv)
        if text is None:
            text, where = str(row.default), "default"
        origin[row.attribute] = where
        try:
            values[row.attribute] = _parse(row, text)
        except ValueError as fault:
            values[row.attribute] = _parse(row, str(row.default))
            faults.append(f"{row.name}: {fault}")
    return Settings(MappingProxyType(values), MappingProxyType(origin)), tuple(faults)


def known_names() -> frozenset[str]:
    """The name of every setting."""
    return frozenset(row.name for row in TABLE)


def nearest(name: str) -> str | None:
    """The setting whose name is most like `name`; None where none is like it."""
    import difflib  # needed for a fault only

    near = difflib.get_close_matches(name, known_names(), 1, 0.5)
    return near[0] if near else None


def strangers(dotenv: Path) -> list[str]:
    """Names in a `.env` file that are no setting of ours, without those of CATALYST_ (which are faults).

    Raises ConfigError for a file that cannot be read.
    """
    return sorted(name for name in _read_dotenv(dotenv)
                  if name not in known_names() and not name.startswith("CATALYST_"))


def inherited() -> dict[str, str]:
    """The environment without Catalyst's own names: for processes that get their settings given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}


def export(changes: Mapping[str, str]) -> None:
    """Put settings into the environment, for this process's later `load` and for the processes that it starts."""
    os.environ.update(changes)


def defaults(**changes: Any) -> Settings:
    """Settings that no environment and no file has touched, with `changes` by attribute."""
    return load({}, Path("/nonexistent/.env")).but(**changes)


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # read only where there is a file: 59 ms

    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    return {name: value for name, value in found.items() if value is not None}


def _parse(row: Setting, text: str) -> Any:
    """The typed value of `text`. Raises ValueError with a plain sentence."""
    text = text.strip()
    if row.kind in ("int", "float"):
        try:
            number = int(text) if row.kind == "int" else float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not (row.low <= number <= row.high):
            raise ValueError(f"{text} is not between {row.low:g} and {row.high:g}")
        return number
    if row.kind == "bool":
        if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
            raise ValueError(f"{text!r} is neither 1 nor 0")
        return text.lower() in ("1", "true", "yes", "on")
    if row.kind == "path":
        if not text and row.default:
            raise ValueError("must not be empty")
        return Path(text).expanduser().absolute() if text else None
    if row.kind == "list":
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        if row.choices and (strange := [part for part in parts if part not in row.choices]):
            raise ValueError(f"{strange[0]!r} is none of {', '.join(row.choices)}")
        return parts
    if row.choices:
        by_fold = {choice.lower(): choice for choice in row.choices}
        if text.lower() not in by_fold:
            raise ValueError(f"{text!r} is none of {', '.join(row.choices)}")
        return by_fold[text.lower()]
    if row.name == "CATALYST_TZ" and text != row.default:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{text!r} is not a time zone") from None
    return text


def example_file() -> str:
    """The text of `.env.example`."""
    lines = ["# Settings of Catalyst. Copy to .env and uncomment what you change.",
             "# Order of precedence: command line, environment, .env, default.", ""]
    group = ""
    for row in TABLE:
        if row.group != group:
            group = row.group
            lines += [f"# -- {group}", ""]
        lines += [f"# {row.meaning}", f"# {row.name}={row.default if row.kind != 'bool' else int(row.default)}", ""]
    return "\n".join(lines)


def table_page() -> str:
    """The text of `docs/settings.md`: a table a group."""
    lines = ["# Settings", "", "Made from `catalyst/settings.py` by `scripts/generate`; do not edit.", "",
             "A setting is looked for on the command line, then in the environment, then in `.env`, then here. A name"
             " that begins with", "`CATALYST_` and is not in these tables is an error. `catalyst config show` says what"
             " is in force and where each value comes", "from; `catalyst doctor` says what is wrong. `catalyst reload`"
             " applies changed limits, rules, sources and lists to the", "running house; addresses of folders and"
             " sockets need a restart.", ""]
    group = ""
    for row in TABLE:
        if row.group != group:
            lines += [*([""] if group else []), f"## {row.group.capitalize()}", "",
                      "| name | kind | default | range | meaning |", "| --- | --- | --- | --- | --- |"]
            group = row.group
        default = int(row.default) if row.kind == "bool" else row.default
        lines.append(f"| `{row.name}` | {row.kind} | {f'`{default}`' if default != '' else ''} | {_range(row)} |"
                     f" {row.meaning} |")
    return "\n".join([*lines, ""])


def _range(row: Setting) -> str:
    """The bounds of a number or the words that a text may be."""
    if row.choices:
        return ", ".join(row.choices)
    return "" if math.isinf(row.low) else f"{row.low:,.10g} to {row.high:,.15g}"
