"""Alerts for services that Apprise reaches: the addresses of CATALYST_NOTIFY, the words of a message, the meaning of
what Apprise says of a failure. Pure.

Apprise (github.com/caronc/apprise) answers only yes or no; why it was no stands in what it logs: `error=503` for a
status, the exception of the connection for the rest. Those words name hosts and tokens, so only a number or a word of
our own leaves this module.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from catalyst.core.card import ARROWS, Moment, age, kind_label, points
from catalyst.core.delivery import NOTIFY, Correction, Digest, Outcome
from catalyst.core.digest import counted
from catalyst.core.dollars import money
from catalyst.core.doubts import change_pct, price_age_ms
from catalyst.core.history import change_text
from catalyst.core.outside import plain_line, safe_link, unmentioned
from catalyst.messages import AlertReady

PER_MINUTE = 20  # of one address: Telegram's limit for a group (core.telegram.org/bots/faq), the lowest of the usual
TITLE_LIMIT, WHY_LIMIT, LINE_LIMIT = 110, 220, 200
# Reasons after which an address is not tried again until it is changed.
GONE = frozenset({"status_401", "status_403", "status_404", "status_410", "bad_address", "no_apprise"})
SPLIT = re.compile(r"[\s,](?=[A-Za-z][A-Za-z0-9+.-]{0,30}://)")  # addresses may hold commas themselves
SCHEME = re.compile(r"([A-Za-z0-9]{1,20})[A-Za-z0-9+.-]{0,30}://")
PARTING = " \t\r\n,"
STATUS = re.compile(r"\berror=(\d{3})\b")
UNREACHED = ("NewConnectionError", "ConnectTimeout", "NameResolutionError", "SSLError", "ProxyError")


def addresses(text: str) -> dict[str, str]:
    """Sink -> address of each address in the setting, in its order; what follows a comma or a blank and begins with
    `SCHEME://` is the next one. A sink's name tells the service and does not change when others come or go."""
    found = [bare for part in SPLIT.split(text) if (bare := part.strip(PARTING))]
    return {_sink(address): address for address in found}


def _sink(address: str) -> str:
    """`notify-ntfy-5f3a9c`: the service and a hash of the whole, so short that nobody finds the address by it."""
    scheme = SCHEME.match(address)
    digest = hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
    return f"{NOTIFY}{scheme[1].lower() if scheme else 'unknown'}-{digest}"


def is_notify(sink: str) -> bool:
    """Whether a sink is an address of CATALYST_NOTIFY."""
    return sink.startswith(NOTIFY)


def is_gone(sink: str, reason: str) -> bool:
    """Whether a refusal for this reason says that the address itself is of no use."""
    return is_notify(sink) and reason in GONE


def alert_text(alert: AlertReady, moment: Moment, corrections: Sequence[Correction] = ()) -> tuple[str, str]:
    """Title and body, plain text: the phone's line; then why, price, link and id. Nothing in it can mention, and a link
    is there by itself only where it is a safe one."""
    lines = [_plain(alert.title, LINE_LIMIT), f"Why: {_plain(alert.why, WHY_LIMIT) or 'no reason stored'}",
             _price(alert, moment.sent_ms)]
    if corrections:
        lines.insert(0, f"Corrected by its publisher: {_plain(corrections[-1].title, LINE_LIMIT)}")
    if alert.simulated:
        lines.insert(0, "SIMULATED PRICE: not from a market")
    if moment.possible_repeat:
        lines.append("possible repeat")
    link = safe_link(corrections[-1].link if corrections else alert.link)
    lines += [link] if link is not None else []
    lines.append(f"{_plain(alert.source, 80)} · id {alert.alert_id}")
    return _headed(alert, is_corrected=bool(corrections)), "\n".join(lines)


def digest_text(digest: Digest) -> tuple[str, str]:
    """Title and body of a digest: the line that counts, then a line an alert, the best first."""
    lines = [_headed(alert, is_corrected=bool(digest.corrections.get(alert.alert_id))) for alert in digest.alerts]
    lines += [f"and {digest.more} more: catalyst alerts --suppressed"] if digest.more else []
    return counted(digest), "\n".join(lines)


def _headed(alert: AlertReady, *, is_corrected: bool) -> str:
    first = kind_label(alert.kinds[0].kind) if alert.kinds else "catalyst"
    mark = "Corrected: " if is_corrected else ""
    return _plain(f"{mark}{alert.ticker} {ARROWS[alert.direction]} {first} · {points(alert)}", TITLE_LIMIT)


def trial_text(sink: str) -> tuple[str, str]:
    """What a person's test sends."""
    return "Catalyst test", f"Catalyst test of the sink {sink}: no alert"


def _price(alert: AlertReady, sent_ms: int) -> str:
    if alert.price_usd is None:
        return "Price: unknown"
    span_ms, change = price_age_ms(alert, sent_ms), change_pct(alert)
    facts = [money(alert.price_usd), *([] if change is None else [f"{change_text(change)} %"]),
             "age unknown" if span_ms is None else f"{age(span_ms)} old"]
    return f"Price: {' · '.join(facts)}"


def _plain(text: str, limit: int) -> str:
    """A line of outside text: what some services would take for a link with a false name, or for code, is parted; an
    address in it is no longer one that a client makes clickable."""
    line = plain_line(text).replace("](", "] (").replace("```", "'''").replace("<", "‹").replace(">", "›")
    return unmentioned(re.sub(r"(?i)\b(https?|ftp)://", r"\1 ://", line), limit)


def meaning(lines: Iterable[str]) -> tuple[Outcome, int | None, str]:
    """Outcome, status and reason of a failure, from what Apprise logged about it.

    A status is taken as for every other sink; without one the request was not made where no connection came about, and
    may have arrived otherwise.
    """
    text = "\n".join(lines)
    if found := STATUS.findall(text):
        status = int(found[-1])
        outcome: Literal["retry", "refused"] = "retry" if status >= 500 or status in (408, 425, 429) else "refused"
        return outcome, status, f"status_{status}"
    if any(word in text for word in UNREACHED):
        return "retry", None, "refused"
    return "ambiguous", None, "failed"
