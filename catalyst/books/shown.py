"""What a person is shown of the alerter's alerts: the list of them, and all about one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from catalyst.books.deliveries import Deliveries
from catalyst.books.followups import Followups
from catalyst.clock import iso
from catalyst.core.delivery import ARRIVED, by_clock_of
from catalyst.core.event import detail, listed_alert
from catalyst.errors import UsageError
from catalyst.messages import AlertReady

SHORTEST_PREFIX = 4  # of an alert's id, where a person names one
LAST_LETTER = "\U0010ffff"  # sorts behind every other


@dataclass(frozen=True, slots=True)
class Shown:
    """Access to the rows for reading; `present_ms` tells a stamp in the clock of now (Timekeeper.present_ms)."""

    rows: Deliveries
    present_ms: Callable[[int], int]

    def listed(self, since_ms: int, most: int, *, held: bool = False) -> list[dict[str, Any]]:
        """The newest alerts for a person; `held`: those that were not posted, each with its reason. `sent` is the
        request to the first sink, `took_ms` by sink from seen to the request to it."""
        which = "NOT NULL" if held else "NULL"
        return [self._listed(*row) for row in self.rows.db.execute(
            f"SELECT alert_id, body, state FROM alerts WHERE made_ms >= ? AND reason IS {which}"  # noqa: S608
            " ORDER BY made_ms DESC, alert_id LIMIT ?", (since_ms, most)).fetchall()]

    def _listed(self, alert_id: str, body: str, state: str) -> dict[str, Any]:
        alert = msgspec.json.decode(body, type=AlertReady)
        rows = self.rows.db.execute("SELECT sink, state, sent_ms FROM deliveries WHERE alert_id = ? AND n = 0",
                                    (alert_id,)).fetchall()
        sent = {row[0]: row[2] for row in rows if row[1] in ARRIVED and row[2] is not None}
        took_ms = {sink: at_ms - by_clock_of(at_ms, alert.seen_ms, self.present_ms) for sink, at_ms in sent.items()}
        sent_ms = min(sent.values(), default=None)
        if sent_ms is not None:
            alert = msgspec.structs.replace(alert, seen_ms=by_clock_of(sent_ms, alert.seen_ms, self.present_ms))
        listed = listed_alert(alert, state, [wire.source for wire in self.rows.wires(alert)],
                              {row[0]: row[1] for row in rows}, sent_ms)
        reason = self.rows.why(alert_id) if state in ("suppressed", "folded") else None
        return {**listed, "took_ms": took_ms, "reason": reason}

    def alert(self, prefix: str) -> dict[str, Any]:
        """All that is known of the one alert whose id begins so. Raises UsageError for none, several, a short one."""
        found = self.rows.db.execute("SELECT alert_id, body, state FROM alerts WHERE alert_id BETWEEN ? AND ?"
                                     " ORDER BY alert_id LIMIT 2", (prefix, prefix + LAST_LETTER)).fetchall()
        is_whole = bool(found) and found[0][0] == prefix
        if not is_whole and len(prefix) < SHORTEST_PREFIX:
            raise UsageError(f"an alert is named by at least {SHORTEST_PREFIX} characters of its id")
        if not is_whole and len(found) != 1:
            raise UsageError(f"{'several alerts begin' if found else 'no alert begins'} with {prefix[:64]!r}")
        alert_id, body, state = found[0]
        alert = msgspec.json.decode(body, type=AlertReady)
        names = ("sink", "n", "what", "state", "sent", "status", "reason", "possible_repeat", "tries", "message_id")
        rows = self.rows.db.execute(
            "SELECT sink, n, what, state, sent_ms, status, reason, possible_repeat, tries, message_id FROM deliveries"
            " WHERE alert_id = ? ORDER BY sink, n", (alert_id,)).fetchall()
        return {"alert": {**self._listed(alert_id, body, state), **detail(alert)},
                "deliveries": [{**dict(zip(names, row, strict=True)), "sent": iso(row[4]),
                                "possible_repeat": bool(row[7])} for row in rows],
                "sources": [{"name": alert.source, "link": alert.link, "item_id": alert.item_id},
                            *({"name": wire.source, "link": wire.link, "item_id": wire.joined_id}
                              for wire in self.rows.wires(alert))],
                "corrections": [msgspec.to_builtins(one) for one in self.rows.corrections(alert)],
                "history": msgspec.to_builtins(Followups(self.rows.db).followed(alert_id).history),
                "has_chart": self.rows.chart(alert_id) is not None}
