"""The rows of what is held back: mutes, alerts that went nowhere and why, and those folded into an earlier one.

It reads and writes rows of the alerter's database; what holds an alert is decided in catalyst.core.quiet.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from catalyst import log
from catalyst.clock import iso
from catalyst.core import quiet
from catalyst.core.delivery import DISCORD, WEBHOOK
from catalyst.core.quiet import COOLDOWN, DAY_S, DEFAULT_S, LEAST_S, MOST_S, NOTE_CHARS, Filter, Mute, Rules
from catalyst.core.watchlist import note_of
from catalyst.errors import UsageError
from catalyst.messages import AlertReady
from catalyst.settings import Settings

MOST_MUTES = 1_000
UNTOLD = "reason = 'quiet' AND told_in IS NULL"  # as the index has it
LOOKED_AT = 20  # earlier alerts of a ticker, the newest first

SCHEMA = """
ALTER TABLE alerts ADD COLUMN reason TEXT;    -- why it was not posted: muted:ticker ACME, quiet, cooldown:ALERT, ...
ALTER TABLE alerts ADD COLUMN host_id TEXT;   -- the alert that it was folded into as an update
ALTER TABLE alerts ADD COLUMN told_in TEXT;   -- the digest that ended the quiet hours which held it
-- state is also suppressed (went nowhere), folded (into host_id)
-- the alert that a new one repeats
CREATE INDEX alerts_by_ticker ON alerts(ticker, made_ms);
-- the updates of an alert
CREATE INDEX alerts_by_host ON alerts(host_id, made_ms) WHERE host_id IS NOT NULL;
-- how many a mute held
CREATE INDEX alerts_by_reason ON alerts(reason, made_ms) WHERE reason IS NOT NULL;
-- what quiet hours held and no digest told
CREATE INDEX alerts_untold ON alerts(made_ms) WHERE reason = 'quiet' AND told_in IS NULL;
-- the newest that were not posted
CREATE INDEX alerts_held ON alerts(made_ms) WHERE reason IS NOT NULL;
CREATE TABLE mutes (
    what TEXT NOT NULL,               -- ticker, kind, source
    value TEXT NOT NULL COLLATE NOCASE,
    began_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,        -- it ends by itself
    note TEXT NOT NULL,
    PRIMARY KEY (what, value)
) WITHOUT ROWID;
ALTER TABLE deliveries ADD COLUMN slot TEXT;  -- key of the request to Discord that carries it: its own, or its digest's
-- state of an alert's own delivery is also filtered (unwanted there), gathered (in a digest that waits), digest (told)
-- the alerts of a digest
CREATE INDEX deliveries_by_slot ON deliveries(slot) WHERE slot IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be done with a new alert: nothing and why, an update of `host_id`, or to post it but to `filtered`."""

    reason: str = ""
    host_id: str = ""
    filtered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quietbook:
    """Access to the rows, within the transaction of a handler that runs at `now_ms`."""

    db: sqlite3.Connection
    now_ms: int

    def judge(self, alert: AlertReady, rules: Rules, sinks: Sequence[str], before: Callable[[int], int],
              closed: Set[str] = frozenset()) -> Judged:
        """What holds a new alert that would go to `sinks`, of which some are closed; `before`: Timekeeper.before_ms."""
        wanted = {sink for sink in sinks if sink not in closed and not rules.refuses(sink, alert)}
        host_id = self._host(alert, wanted, before(rules.cooldown_ms)) if rules.cooldown_ms else ""
        reason, filtered = quiet.hold(alert, self.mutes(), rules, folds=bool(host_id), now_ms=self.now_ms, sinks=sinks)
        return Judged(reason) if reason else Judged("", host_id, filtered)

    def _host(self, alert: AlertReady, wanted: Set[str], since_ms: int) -> str:
        """The alert whose message a repeat edits: the newest of its ticker and lead kind that has one of its own at
        each sink which wants the repeat, that at Discord with a name."""
        for host_id, body in self.db.execute(
                "SELECT alert_id, body FROM alerts WHERE ticker = ? AND made_ms >= ? AND alert_id <> ?"
                " AND state IN ('new', 'posted') ORDER BY made_ms DESC LIMIT ?",
                (alert.ticker, since_ms, alert.alert_id, LOOKED_AT)):
            first = msgspec.json.decode(body, type=AlertReady)
            if quiet.lead_kind(first) == quiet.lead_kind(alert) and (has := self._told_at(host_id)) and wanted <= has:
                return host_id if quiet.is_repeat(first, alert) else ""
        return ""

    def _told_at(self, alert_id: str) -> set[str]:
        """The sinks at which an alert has a message of its own that can be told of more, or is about to have one."""
        return {row[0] for row in self.db.execute(
            "SELECT sink FROM deliveries WHERE alert_id = ? AND n = 0 AND (state IN ('waiting', 'queued')"
            " OR state = 'delivered' AND (sink <> ? OR message_id IS NOT NULL))", (alert_id, DISCORD))}

    def suppress(self, alert_id: str, reason: str) -> None:
        """Store that an alert goes nowhere; its chart is needed no more."""
        self.db.execute("UPDATE alerts SET state = 'suppressed', reason = ? WHERE alert_id = ?", (reason, alert_id))
        self.db.execute("DELETE FROM charts WHERE alert_id = ?", (alert_id,))

    def fold(self, alert_id: str, host_id: str) -> None:
        """Store that an alert is told as an update of another; its chart is needed no more."""
        self.db.execute("UPDATE alerts SET state = 'folded', host_id = ?, reason = ? WHERE alert_id = ?",
                        (host_id, f"{COOLDOWN}:{host_id}", alert_id))
        self.db.execute("DELETE FROM charts WHERE alert_id = ?", (alert_id,))

    def untold(self) -> list[AlertReady]:
        """What quiet hours held and no digest told of yet; the best first."""
        found = [msgspec.json.decode(body, type=AlertReady) for body, in self.db.execute(
            f"SELECT body FROM alerts INDEXED BY alerts_untold WHERE {UNTOLD} ORDER BY made_ms, alert_id")]  # noqa: S608
        return sorted(found, key=lambda alert: -alert.score)

    def told(self, digest_id: str) -> None:
        """Note that a digest tells of all that quiet hours held."""
        self.db.execute(f"UPDATE alerts INDEXED BY alerts_untold SET told_in = ? WHERE {UNTOLD}", (digest_id,))  # noqa: S608

    def mutes(self) -> list[Mute]:
        """The mutes in force, the one that ends first first."""
        return [Mute(*row) for row in self.db.execute(
            "SELECT what, value, began_ms, until_ms, note FROM mutes WHERE until_ms > ? ORDER BY until_ms, what, value",
            (self.now_ms,))]

    def mute(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Mute `what` and `value` for `for_s` seconds from now, with a `note`, or move the end of the mute in force.

        Raises UsageError for what cannot be muted and a length that is not from 1 s to 30 d.
        """
        what, value = quiet.what_and_value(arguments)
        wanted_s = arguments.get("for_s", DEFAULT_S)
        if isinstance(wanted_s, bool) or not isinstance(wanted_s, (int, float)) or not math.isfinite(wanted_s) \
                or not LEAST_S <= wanted_s <= MOST_S:
            raise UsageError(f"a mute lasts from {LEAST_S} s to {MOST_S // DAY_S} d")
        mutes = self.mutes()
        old = next((one for one in mutes if (one.what, one.value.casefold()) == (what, value.casefold())), None)
        if old is None and len(mutes) >= MOST_MUTES:
            raise UsageError(f"{MOST_MUTES} mutes are the most; end some first")
        note = note_of(str(arguments.get("note") or (old.note if old is not None else "")))[:NOTE_CHARS]
        began_ms = old.began_ms if old is not None else self.now_ms
        new = Mute(what, old.value if old is not None else value, began_ms, self.now_ms + round(wanted_s * 1000), note)
        self.db.execute("INSERT OR REPLACE INTO mutes(what, value, began_ms, until_ms, note) VALUES(?, ?, ?, ?, ?)",
                        (new.what, new.value, new.began_ms, new.until_ms, new.note))
        log.info("muted", what=what, value=value, until=iso(new.until_ms))
        return self.shown(new)

    def unmute(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """End a mute; `was_muted` false where there was none. Raises UsageError for what cannot be muted."""
        what, value = quiet.what_and_value(arguments)
        ended = self.db.execute("DELETE FROM mutes WHERE what = ? AND value = ? RETURNING until_ms",
                                (what, value)).fetchall()
        was_muted = any(until_ms > self.now_ms for until_ms, in ended)
        if was_muted:
            log.info("unmuted", what=what, value=value)
        return {"what": what, "value": value, "was_muted": was_muted}

    def shown(self, mute: Mute) -> dict[str, Any]:
        """A mute for a person: with how long it still lasts and how many alerts it has held."""
        held: int = self.db.execute("SELECT count(*) FROM alerts WHERE reason = ? AND made_ms >= ?", (
            f"{quiet.MUTED}:{mute.what} {mute.value}", mute.began_ms)).fetchone()[0]
        return {"what": mute.what, "value": mute.value, "note": mute.note, "held": held, "began_ms": mute.began_ms,
                "until_ms": mute.until_ms, "left_s": max(0, mute.until_ms - self.now_ms) / 1000}

    def silence(self, rules: Rules) -> dict[str, Any]:
        """What is held back, for catalyst.core.silence: the mutes in force, the end of the quiet hours that run now,
        and how many alerts of the day in the rules' zone were held, by the first word of the reason."""
        held = self.db.execute(
            "SELECT CASE WHEN instr(reason, ':') > 0 THEN substr(reason, 1, instr(reason, ':') - 1) ELSE reason END,"
            " count(*) FROM alerts INDEXED BY alerts_held WHERE made_ms >= ? AND reason IS NOT NULL GROUP BY 1"
            " ORDER BY 2 DESC, 1", (quiet.day_began_ms(self.now_ms, rules.zone),)).fetchall()
        return {"mutes": [self.shown(mute) for mute in self.mutes()], "held_today": dict(held),
                "quiet_until_ms": quiet.quiet_until_ms(rules, self.now_ms)}

    def shift(self, by_ms: int) -> None:
        """The clock jumped: mutes last as long as they would have."""
        self.db.execute("UPDATE mutes SET began_ms = began_ms + ?1, until_ms = until_ms + ?1", (by_ms,))

    def prune(self) -> None:
        """Forget the mutes that ended."""
        self.db.execute("DELETE FROM mutes WHERE until_ms <= ?", (self.now_ms,))


def rules_of(settings: Settings) -> Rules:
    """What the settings say. Raises ConfigError for quiet hours that are none."""
    windows = quiet.parse_hours(settings.quiet_hours)
    filters = {
        DISCORD: Filter(_small(settings.discord_kinds), settings.discord_min_score, settings.discord_watched_only),
        WEBHOOK: Filter(_small(settings.webhook_kinds), settings.webhook_min_score, settings.webhook_watched_only)}
    return Rules(windows, ZoneInfo(settings.tz), settings.quiet_score,
                 round(settings.alert_cooldown_minutes * 60_000), filters)


def _small(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip().lower().rstrip("_") for name in names)
