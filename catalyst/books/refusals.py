"""The rows that remember that EDGAR refuses an actor, so that the operator hears of it once and of its end once. It
only reads and writes rows of that actor's database; what counts as a refusal is decided in catalyst.core.edgar.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from catalyst import log
from catalyst.messages import OpsNotice

SCHEMA = """
CREATE TABLE refusals (
    reason TEXT PRIMARY KEY,     -- edgar_rate, edgar_agent or no_sec_user_agent
    since_ms INTEGER NOT NULL    -- when it began; the row goes with the next answer
) WITHOUT ROWID;
"""

TEXTS = {
    "edgar_rate": "too many requests: it is left alone for ten minutes at a time. Do other programs use this address?",
    "edgar_agent": "it does not accept the User-Agent: SEC_USER_AGENT must name who asks, with a mail address.",
    "no_sec_user_agent": "SEC_USER_AGENT is not set, so EDGAR is not asked: name who asks, with a mail address.",
}


@dataclass(frozen=True, slots=True)
class Refusalbook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int
    actor: str

    def refused(self, reason: str) -> list[OpsNotice]:
        """Note a refusal; what to tell the operator, nothing where it was told."""
        fresh = self.db.execute("INSERT OR IGNORE INTO refusals(reason, since_ms) VALUES(?, ?)",
                                (reason, self.now_ms)).rowcount
        if not fresh or reason not in TEXTS:
            return []
        return [self._notice(f"{reason}:{self.now_ms}", True, f"EDGAR refuses the {self.actor}", TEXTS[reason])]

    def answered(self) -> list[OpsNotice]:
        """Note that EDGAR answers; what to tell the operator where it had refused."""
        rows = self.db.execute("DELETE FROM refusals RETURNING since_ms").fetchall()
        if not rows:
            return []
        since_ms = min(row[0] for row in rows)
        return [self._notice(f"{since_ms}:over", False, f"EDGAR answers the {self.actor} again",
                             f"after {max(0, self.now_ms - since_ms) // 1000} s")]

    def _notice(self, episode: str, is_bad: bool, title: str, text: str) -> OpsNotice:
        log.warning("edgar_notice", title=title, text=text)
        return OpsNotice(item_id=f"edgar:{self.actor}", episode=episode, severity="warning" if is_bad else "info",
                         title=title, text=text, made_ms=self.now_ms)
