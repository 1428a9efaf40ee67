"""Every error that Catalyst raises on purpose: one root, leaves that carry their data.

A foreign error (SQLite, ZeroMQ, HTTP, XML) is wrapped once, at the edge where it appears, with `from`.
`exit_code` is what a command line ends with when the error reaches it; the numbers are those of
sysexits.h: 64 usage, 69 unavailable, 75 try again later, 78 configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

StorageKind = Literal["", "full", "failing", "damaged"]


class CatalystError(Exception):
    """Root of all errors raised on purpose; its text is one plain line for a person."""

    exit_code = 1


class UsageError(CatalystError):
    """A command was given words that it does not understand."""

    exit_code = 64


class UnavailableError(CatalystError):
    """Something that the command needs does not answer, for example an actor that is not running."""

    exit_code = 69


class ConfigError(CatalystError):
    """A setting, a file or a folder is not as it must be; nothing was changed."""

    exit_code = 78


class OwnedElsewhere(CatalystError):
    """Another process owns the actor's database. `name` is the actor, `pid` the owner (None when unreadable)."""

    exit_code = 75

    def __init__(self, name: str, pid: int | None):
        self.name = name
        self.pid = pid
        super().__init__(f"{name} is already running as pid {pid if pid is not None else 'unknown'}")


class ForeignDatabase(ConfigError):
    """The file in place of an actor's database is not that actor's database."""

    def __init__(self, path: Path, why: str):
        self.path = path
        super().__init__(f"{path} is not this actor's database ({why}); move it away and start again")


class NewerSchema(ConfigError):
    """The database was written by a newer Catalyst. `found` and `known` are schema numbers."""

    def __init__(self, path: Path, found: int, known: int):
        self.path = path
        self.found = found
        self.known = known
        super().__init__(f"{path} has schema {found}, this version knows up to {known}; install the newer Catalyst")


class StoreError(CatalystError):
    """Storage refused: `kind` is full (no room on the disk), failing (an I/O error and the like) or damaged (the file).

    `path` is the database, or another file that could not be written.
    """

    def __init__(self, path: Path, why: str, kind: StorageKind = "failing"):
        self.path = path
        self.kind = kind
        super().__init__(f"{path}: {why}")


class Damaged(StoreError):
    """The file is not what was written to it; it is to be set aside, since neither retry nor restart mends it."""

    def __init__(self, path: Path, why: str):
        self.why = why
        super().__init__(path, why, "damaged")


class MessageError(CatalystError):
    """Bytes that are not a valid message. `reason` is a short word for counting."""

    def __init__(self, reason: str, detail: str = ""):
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class MessageTooBig(MessageError):
    """A message over the limit of `limit_bytes` was about to be sent."""

    def __init__(self, kind: str, size_bytes: int, limit_bytes: int):
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__("too_big", f"{kind} has {size_bytes} bytes, the limit is {limit_bytes}")


class ContractError(CatalystError):
    """An actor's class does not match what it declares; found at import or by a test, never by a user."""


class Retry(CatalystError):
    """Raised by a handler: put the message aside and hand it over again after `after_s` seconds."""

    def __init__(self, after_s: float):
        self.after_s = after_s
        super().__init__(f"again in {after_s} s")


class FetchError(CatalystError):
    """An HTTP request failed.

    `reason` is a short word for counting (`timeout`, `refused`, `dns`, `tls`, `reset`, `status`, `too_big`,
    `encoding`, `redirect`, `forbidden_address`); `status` the HTTP status where there was one, `headers` (names in
    lower case) those of an answer whose body did not come; `ambiguous` says that the request may have taken effect
    (it had left, no whole answer came); `retry_after_s` is the server's own wish.
    """

    def __init__(self, reason: str, detail: str = "", *, status: int | None = None, ambiguous: bool = False,
                 retry_after_s: float | None = None):
        self.reason = reason
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.ambiguous = ambiguous
        self.retry_after_s = retry_after_s
        super().__init__(f"{reason}: {detail}" if detail else reason)


class FeedError(CatalystError):
    """A body that is not a feed. `reason` is a short word: `not_xml`, `html`, `no_feed`, `too_complex`."""

    def __init__(self, reason: str, detail: str = ""):
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)


class FilingError(CatalystError):
    """A filing, or a page about one, that cannot be read. `reason` is a short word: `too_big`, `binary`, `empty`,
    `no_form`, `no_index`, `edgar_rate`, `edgar_agent`.
    """

    def __init__(self, reason: str, detail: str = ""):
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)


class RuleError(ConfigError):
    """A rule table is wrong; the text names the rule and the field."""


class BarsError(UsageError):
    """A text is not a table of bars; the message says what is missing or names the line."""


class ChartError(CatalystError):
    """A chart was drawn that cannot be used."""


class QuoteError(CatalystError):
    """A provider's answer is not a quote. `reason` is a short word: `unknown_ticker`, `malformed`, `empty`."""

    def __init__(self, reason: str, detail: str = ""):
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)
