"""The files that several actors read and one at a time writes: rules, company list, watch list, market values.

They are replaced as a whole (`replace_file`), so a reader sees the old one or the new one. What is in them is read by
`catalyst.core`; this module opens them and says when they changed.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from catalyst.core import watchlist
from catalyst.core.classify_filing import OFFERING
from catalyst.core.companies import Companies
from catalyst.core.market_values import MarketValue, newest
from catalyst.core.rules import Rules
from catalyst.core.sentiment import Sentiment
from catalyst.core.sieve import Gates, unknown_kind
from catalyst.errors import ConfigError, StorageKind, StoreError
from catalyst.settings import Settings

BUNDLED_RULES = Path(__file__).parent.parent / "core" / "rules.toml"
SENTIMENT = BUNDLED_RULES.with_name("sentiment.tsv")
LIMIT_BYTES = 64_000_000  # the SEC's company list has 0.8 MB
Stamp = tuple[int, int]
TICKER_CHARS = 10  # as messages carry it


class Lists:
    """The company list, the watch list and, where wanted, market values, read again when their files change."""

    def __init__(self, *, with_values: bool = False) -> None:
        self._with_values = with_values
        self.companies: Companies | None = None
        self.watched: frozenset[str] = frozenset()
        self.values: Mapping[str, MarketValue] = {}
        self._read: dict[str, tuple[Stamp | None, ...]] = {}

    @property
    def versions(self) -> tuple[object, ...]:
        """Differs after a reading."""
        return tuple(self._read.items())

    def forget(self) -> None:
        """Read all of them at the next `refresh`, whether they changed or not."""
        self._read.clear()

    def refresh(self, settings: Settings) -> list[ConfigError]:
        """Take up what was replaced since the last call; a wrong file leaves the old list in force and is returned."""
        faults: list[ConfigError] = []
        watched = watchlist_path(settings)
        for name, *paths in (("companies", companies_path(settings)), ("watched", watched),
                             ("values", watched, settings.market_values)):
            now = tuple(map(stamp, paths))
            if self._read.get(name) == now or (name == "values" and not self._with_values):
                continue
            self._read[name] = now
            try:
                if name == "companies":
                    self.companies = load_companies(settings)
                elif name == "watched":
                    self.watched = load_watchlist(settings)
                else:
                    self.values = load_market_values(settings)
            except ConfigError as error:
                faults.append(error)
        return faults

    def ticker_of(self, cik: str) -> str:
        """The main line's ticker of a company by its CIK, empty where it is unknown."""
        rows = self.companies.cik(int(cik)) if self.companies is not None and cik else ()
        return rows[0].ticker if rows and len(rows[0].ticker) <= TICKER_CHARS else ""


def read_text(path: Path, what: str) -> str:
    """The UTF-8 text of a file; `what` names it in the error. Raises ConfigError when it cannot be read."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise ConfigError(f"{what}: {path} is larger than {LIMIT_BYTES // 1_000_000} MB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what}: {path} is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(f"{what}: cannot read {path}: {error.strerror}") from error


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, as a whole and for good, with the rights of the old one.

    Raises StoreError where the disk does not take it; the file is untouched then.
    """
    path = path.resolve()  # the file itself, where a link leads to it
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("wb") as file:
            if path.is_file():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)  # half a list would keep the room that is wanting
        kind: StorageKind = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failing"
        raise StoreError(path, error.strerror or "cannot be written", kind) from error


def stamp(path: Path | None) -> Stamp | None:
    """When a file was written and its size; None where there is none."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status is not None else None


def companies_path(settings: Settings) -> Path | None:
    """The company list that the user names, else the copy in the home if there is one."""
    named: Path | None = settings.companies
    cached: Path = settings.home / "companies.json"
    return named if named is not None else cached if cached.is_file() else None


def watchlist_path(settings: Settings) -> Path | None:
    """The watch list that the user names, else the one in the home if there is one."""
    named: Path | None = settings.watchlist
    own: Path = settings.home / "watchlist.csv"
    return named if named is not None else own if own.is_file() else None


def own_watchlist(settings: Settings) -> Path:
    """The watch list that the user names, else the one in the home, whether it is there or not."""
    named: Path | None = settings.watchlist
    own: Path = settings.home / "watchlist.csv"
    return named if named is not None else own


def read_own_watchlist(settings: Settings) -> watchlist.Listed:
    """All that the watch list says; empty where there is none. Raises ConfigError for a file that cannot be read."""
    path = own_watchlist(settings)
    return read_list(path, "watch list") if path.is_file() else watchlist.Listed((), (), True)


def read_list(path: Path, what: str) -> watchlist.Listed:
    """The tickers that a file lists, the market values of an export as of its last change. Raises ConfigError, in which
    `what` names it.
    """
    text, written = read_text(path, what), stamp(path)
    return watchlist.read(text, written[0] // 1_000_000 if written is not None else None)


def change_watchlist(settings: Settings, change: Callable[[tuple[watchlist.Watched, ...]], watchlist.Change]
                     ) -> watchlist.Change:
    """Replace the watch list by what `change` makes of it; one writer at a time, readers see the old one or the new.

    A list that is not in our form, or has notes of its own, is kept beside it as `NAME.old`. Raises ConfigError for a
    file that cannot be read, StoreError where the disk does not take the new one; the old one stands then.
    """
    path = own_watchlist(settings).resolve()
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        guard = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(lock, error.strerror or "cannot be written", "failing") from error
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)  # goes with the process that holds it
        before = read_own_watchlist(settings)
        changed = change(before.rows)
        if changed.rows != before.rows:
            if not before.is_ours:
                replace_file(path.with_name(f"{path.name}.old"), path.read_bytes())
            replace_file(path, watchlist.to_csv(changed.rows).encode())
    finally:
        os.close(guard)
    return changed


def load_rules(settings: Settings) -> Rules:
    """The rule table that the user names, else the bundled one. Raises ConfigError (RuleError for a wrong rule)."""
    return Rules.from_toml(read_text(settings.rules, "rules")) if settings.rules else bundled_rules()


def load_gates(settings: Settings, rules: Rules) -> Gates:
    """The gates of the settings. Raises ConfigError for a kind that the rules do not make."""
    return Gates.of(settings.min_score, settings.min_sent_abs, settings.categories_allow, kinds_of(rules))


def check_kinds(settings: Settings, rules: Rules | None = None) -> None:
    """Raises ConfigError for a kind in a sink's filter that the rules do not make: it would hold alerts in silence.

    Without `rules` those of the settings; a table that cannot be read is left to the classifier, which refuses it.
    """
    filters = {"DISCORD_KINDS": settings.discord_kinds, "CATALYST_WEBHOOK_KINDS": settings.webhook_kinds}
    if not any(filters.values()):
        return
    try:
        names = sorted(kinds_of(rules or load_rules(settings)))
    except ConfigError:
        return
    for setting, kinds in filters.items():
        for kind in kinds:
            if why := unknown_kind(kind.strip().lower(), names):
                raise ConfigError(f"{setting}: {why}")


def kinds_of(rules: Rules) -> frozenset[str]:
    """The names of all kinds that a decision by these rules can have."""
    return frozenset((OFFERING, *(one.name for one in (*rules.rules, *rules.filings.rules) if not one.noise)))


@functools.cache
def bundled_rules() -> Rules:
    """The rule table that comes with Catalyst. It takes 50 ms to read, so the fork server reads it for its children."""
    return Rules.from_toml(read_text(BUNDLED_RULES, "rules"))


@functools.cache
def load_sentiment() -> Sentiment:
    """The model of how a story sounds, with the weights that come with Catalyst; read once, as the rules are."""
    return Sentiment.from_text(read_text(SENTIMENT, "sentiment weights"))


def load_companies(settings: Settings) -> Companies | None:
    """The company list, None where there is none. Raises ConfigError."""
    path = companies_path(settings)
    return Companies.from_json(read_text(path, "company list")) if path is not None else None


def load_watchlist(settings: Settings) -> frozenset[str]:
    """The watch-listed tickers. Raises ConfigError."""
    path = watchlist_path(settings)
    return frozenset(row.ticker for row in read_list(path, "watch list").rows) if path is not None else frozenset()


def load_market_values(settings: Settings) -> Mapping[str, MarketValue]:
    """What the watch list and the file of the setting say of market values, of each ticker the newest.

    Raises ConfigError for a file that cannot be read, and where that of the setting states none.
    """
    path = watchlist_path(settings)
    own = _values(path, "watch list") if path is not None else []
    if settings.market_values is None:
        return newest(own)
    wide = _values(settings.market_values, "market values")
    if not wide:
        raise ConfigError(f"market values: {settings.market_values} states none: it wants the columns Ticker and Market"
                          " Cap, as Finviz exports them")
    return newest(own, wide)


def _values(path: Path, what: str) -> list[tuple[str, MarketValue]]:
    return [(row.ticker, row.market_value) for row in read_list(path, what).rows if row.market_value is not None]
