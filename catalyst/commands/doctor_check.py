"""What the checks of `catalyst doctor` are made of: what they are handed and what they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from catalyst.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `warn` is worth a look, `fail` keeps something from working; `fix` says what to do."""

    name: str
    state: Literal["ok", "warn", "fail"]
    said: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the running actors answered: `alive` hold their locks; the rest by actor, of those that answered.

    `children` is the supervisor's list, `versions` the schema numbers, `sources` the fetcher's list, `restarts` the
    unexpected deaths of the last hour, `page` what web says of its address, `sinks` what the alerter says of those that
    are closed; None: nobody answered.
    """

    alive: tuple[str, ...] = ()
    status: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    children: Mapping[str, dict[str, Any]] | None = None
    versions: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Any] | None = None
    restarts: Mapping[str, Any] | None = None
    page: Mapping[str, Any] | None = None
    sinks: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What is looked at: the settings (a faulty one has its default), their faults, the `.env` file, the house."""

    settings: Settings
    faults: tuple[str, ...]
    dotenv: Path
    now_ms: int
    heard: Heard = field(default_factory=Heard)
    network: bool = False


def ok(name: str, said: str) -> Check:
    """A check that found everything well."""
    return Check(name, "ok", said)


def warn(name: str, said: str, fix: str) -> Check:
    """Something to look at."""
    return Check(name, "warn", said, fix)


def fail(name: str, said: str, fix: str) -> Check:
    """Something that keeps the house, or a part of it, from working."""
    return Check(name, "fail", said, fix)
