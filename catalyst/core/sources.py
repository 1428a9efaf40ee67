"""The list of sources: the text of a `sources.toml` -> checked, frozen rows. It reads no file and asks no server."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from catalyst.core.keyed import SERVICES, fault_of
from catalyst.errors import ConfigError

KINDS = ("rss", "atom", "edgar", "json", "csv", "finnhub", "finviz", "benzinga")
DEFAULT_TRUST = 0.7
SHORTEST_S, LONGEST_S = 0.1, 86_400.0
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,39}")
FIELDS = {"name": (str,), "url": (str,), "kind": (str,), "every": (int, float), "trust": (int, float),
          "enabled": (bool,)}
REQUIRED = ("name", "url", "kind")


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `every_s` is its own pace, None: catalyst.core.pace decides. `trust` is 0 to 1."""

    name: str
    url: str
    kind: str
    every_s: float | None = None
    trust: float = DEFAULT_TRUST
    enabled: bool = True


def read_sources(text: str) -> tuple[Source, ...]:
    """The sources of a TOML text with `[[source]]` tables, in its order.

    Raises ConfigError that names the source and the field: an unknown field or kind, a value out of range, a name that
    is there twice.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"sources: {error}") from error
    for key in table:
        if key != "source":
            raise ConfigError(f"sources: unknown table {key!r}, each source is a [[source]]")
    rows = table.get("source", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError("sources: each source is a [[source]] table")
    found: dict[str, Source] = {}
    for number, row in enumerate(rows, 1):
        source = _source(row, _label(row, number))
        if source.name.lower() in found:
            raise ConfigError(f"source {source.name}: name: is there twice")
        found[source.name.lower()] = source
    return tuple(found.values())


def _label(row: dict[str, Any], number: int) -> str:
    name = row.get("name")
    return f"source {name}" if isinstance(name, str) and name else f"source number {number}"


def _source(row: dict[str, Any], label: str) -> Source:
    for field, value in row.items():
        if field not in FIELDS:
            near = difflib.get_close_matches(field, FIELDS, 1, 0.5)
            raise ConfigError(f"{label}: {field}: unknown field" + (f", did you mean {near[0]}?" if near else ""))
        if not isinstance(value, FIELDS[field]) or (isinstance(value, bool) and field != "enabled"):
            raise ConfigError(f"{label}: {field}: {value!r} is not {_wanted(field)}")
    for field in REQUIRED:
        if field not in row:
            raise ConfigError(f"{label}: {field}: is missing")
    if not NAME.fullmatch(row["name"]):
        raise ConfigError(f"{label}: name: letters, digits, dot, dash and underscore, at most 40")
    if row["kind"] not in KINDS:
        raise ConfigError(f"{label}: kind: {row['kind']!r} is none of {', '.join(KINDS)}")
    if row["kind"] in SERVICES and (fault := fault_of(row["kind"], _address(row["url"], label))):
        raise ConfigError(f"{label}: url: {fault}")
    every = _between(row, "every", SHORTEST_S, LONGEST_S, label)
    trust = _between(row, "trust", 0, 1, label)
    return Source(row["name"], _address(row["url"], label), row["kind"], every,
                  DEFAULT_TRUST if trust is None else trust, row.get("enabled", True))


def _wanted(field: str) -> str:
    kinds = {str: "a text", bool: "true or false"}
    return kinds.get(FIELDS[field][0], "a number")


def _between(row: dict[str, Any], field: str, low: float, high: float, label: str) -> float | None:
    if field not in row:
        return None
    value = float(row[field])
    if not low <= value <= high:
        raise ConfigError(f"{label}: {field}: {row[field]} is not between {low:g} and {high:g}")
    return value


def _address(url: str, label: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or len(url) > 2_000 or any(char.isspace() for char in url):
        raise ConfigError(f"{label}: url: is no http or https address")
    return url
