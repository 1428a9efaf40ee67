"""Hands a message to one address of CATALYST_NOTIFY by the package apprise (extra `[notify]`), which is imported only
here and only when it is needed. It never repeats by itself, and nothing that apprise says of an address is kept.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from queue import Empty, SimpleQueue
from typing import Any

from catalyst.clock import Clock
from catalyst.core.delivery import Sent
from catalyst.core.notify import addresses, meaning
from catalyst.settings import Settings

DEADLINE_S = 10.0
MISSING = "the package apprise is not installed: pip install 'catalyst[notify]'"


class Ear(logging.Handler):
    """Keeps what apprise logs in this thread: the only place where it says why something failed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, if it is one of this thread."""
        if record.thread == self._thread:
            self.lines.append(record.getMessage()[:2_000])

    def __enter__(self) -> Ear:
        logger = logging.getLogger("apprise")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # it logs whole addresses
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def is_installed() -> bool:
    """Whether apprise can be imported; it is not."""
    return importlib.util.find_spec("apprise") is not None


def sinks(settings: Settings) -> dict[str, str]:
    """Sink -> address of those that can be used: none where apprise is missing."""
    found = addresses(settings.notify)
    return found if found and is_installed() else {}


def fault(settings: Settings) -> str:
    """What is wrong with CATALYST_NOTIFY as far as it shows without the package, in words without an address."""
    found = addresses(settings.notify)
    return f"CATALYST_NOTIFY: {len(found)} addresses, {MISSING}" if found and not is_installed() else ""


def unreadable(settings: Settings) -> list[str]:
    """The sinks whose addresses apprise does not understand. It needs apprise."""
    with Ear():
        return [sink for sink, address in addresses(settings.notify).items() if _service(address) is None]


def _service(address: str) -> Any:
    """Apprise's object for an address, None for one that it does not understand."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(app_id="Catalyst", app_desc="Catalyst", app_url="", storage_mode="memory", secure_logging=True)
    return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def post(clock: Clock, address: str, title: str, body: str, deadline_s: float = DEADLINE_S) -> Sent:
    """Send one message. Refused as `bad_address` where apprise does not understand the address, as `no_apprise` where
    it is missing; ambiguous as `timeout` at the deadline.

    Apprise knows no limit in all: a name that nobody resolves, several targets and waits that the address itself asks
    for may take longer than a job may last. So it works in a thread that is left behind when the time is over.
    """
    begun_ms = clock.now_ms()
    if not is_installed():
        return Sent("refused", begun_ms, begun_ms, reason="no_apprise")
    found: SimpleQueue[Sent | Exception] = SimpleQueue()

    def work() -> None:
        try:
            found.put(_send(clock, address, title, body, deadline_s))
        except Exception as error:  # boundary: the job's failure, told by the job's own thread
            found.put(error)

    threading.Thread(target=work, name="notify", daemon=True).start()
    try:
        sent = found.get(timeout=deadline_s)
    except Empty:
        return Sent("ambiguous", begun_ms, clock.now_ms(), reason="timeout")
    if isinstance(sent, Exception):
        raise sent
    return sent


def _send(clock: Clock, address: str, title: str, body: str, deadline_s: float) -> Sent:
    """Send one message, to each target of the address."""
    begun_ms = clock.now_ms()
    with Ear() as ear:
        service = _service(address)
        if service is None:
            return Sent("refused", begun_ms, clock.now_ms(), reason="bad_address")
        # Its pause between two targets is up to 5.5 s; how often an address is used at all is the limiter's.
        service.request_rate_per_sec = min(service.request_rate_per_sec, deadline_s / 2 / max(1, len(service)))
        begun_ms = clock.now_ms()
        taken = service.notify(body=body, title=title, body_format="text")
    if taken:
        return Sent("delivered", begun_ms, clock.now_ms())
    outcome, status, reason = meaning(ear.lines)
    return Sent(outcome, begun_ms, clock.now_ms(), status, reason)
