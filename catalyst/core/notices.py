"""What the supervisor tells the operator: actors in trouble, databases set aside, links settled, clocks set;
and market: providers of prices in trouble. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from catalyst.messages import OpsNotice

TEXT_LIMIT = 2_000  # characters; the stacks and the rest are stored
# What an actor keeps for longer than its neighbours keep their messages: that is gone with its database.
GONE_WITH = {
    "alerter": "alerts and deliveries older than that are no longer listed, and later wires and charts of older alerts"
               " are not edited into their messages; an alert that may have been posted says so; mutes are over",
    "tracker": "fates and outcomes older than that are no longer known",
    "charter": "charts older than that are no longer shown",
    "market": "older decisions and prices asked for later than that are asked for again, or end as unknown",
    "classifier": "older decisions are no longer explained",
    "sec": "older filings are no longer listed",
    "web": "it keeps nothing",
    "fetcher": "every source counts as polled for the first time: what was published more than ten minutes before is"
               " backlog, unless it is on its way already",
    "supervisor": "older incidents are no longer listed",
}


def trouble_notice(actor: str, kind: str, detail: str, now_ms: int) -> OpsNotice:
    """An actor was found hanging or swollen and is replaced."""
    return _notice(f"actor:{actor}", str(now_ms), "warning", f"{actor} is restarted: {kind.replace('_', ' ')}",
                   f"{detail}; its stacks: catalyst incidents", now_ms)


def parked_notice(actor: str, detail: str, now_ms: int) -> OpsNotice:
    """An actor ends again and again and is tried now and then only."""
    return _notice(f"actor:{actor}", str(now_ms), "critical", f"{actor} does not stay up",
                   f"{detail}; see catalyst logs {actor}", now_ms)


def aside_notice(actor: str, folder: str, kept: str, why: str, retention_s: float, now_ms: int) -> OpsNotice:
    """The database of `actor` is now `kept` in `folder`, which names the affair; its links keep `retention_s`."""
    refilled = "" if actor in ("fetcher", "supervisor", "web") else (
        f"What its neighbours sent in the last {retention_s / 3600:g} h is sent and handled again; ")
    return _notice(f"database:{actor}", folder, "critical", f"The database of {actor} was damaged",
                   f"{why}. The files are kept in {kept}, a new database is in use. {refilled}{GONE_WITH[actor]}."
                   " Look after the disk.", now_ms)


def links_notice(counts: Mapping[str, int], episode: str, now_ms: int) -> OpsNotice:
    """The actors whose links were out of step, each with how often since its start."""
    named = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return _notice("links", episode[:200], "warning", "Links were out of step and are settled",
                   f"{named}. What is held was sent again, known messages are dropped. This follows a database that"
                   " was set aside or restored; without one rows were lost on the disk: catalyst incidents", now_ms)


def jump_notice(by_ms: int, now_ms: int) -> OpsNotice:
    """The wall clock was set by `by_ms`."""
    return _notice("clock", str(now_ms), "warning", "The machine's clock jumped",
                   f"by {by_ms / 1000:+.0f} s. Waits, retention and ages go on as before; outcomes of earlier alerts"
                   " end as unknown. See that the machine keeps its time (NTP).", now_ms)


def prices_notice(provider: str, reason: str, began_ms: int, now_ms: int) -> OpsNotice:
    """A provider of quotes has given no answer since `began_ms`; `reason` is that of its last fault."""
    lasted_s = max(0, now_ms - began_ms) // 1000
    return _notice(f"quotes:{provider}", str(began_ms), "warning", f"{provider} gives no prices",
                   f"no answer for {lasted_s} s, the last fault: {reason}. Alerts do not wait for it: they go out with"
                   " price unknown where no other provider has one; it is asked every 30 s at most", now_ms)


def prices_over_notice(provider: str, began_ms: int, ended_ms: int, now_ms: int) -> OpsNotice:
    """It gives prices again, since `ended_ms`."""
    return _notice(f"quotes:{provider}", f"{began_ms}:over", "info", f"{provider} gives prices again",
                   f"after {max(0, ended_ms - began_ms) // 1000} s", now_ms)


def _notice(affair: str, episode: str, severity: Literal["info", "warning", "critical"], title: str, text: str,
            now_ms: int) -> OpsNotice:
    return OpsNotice(item_id=affair, episode=episode, severity=severity, title=title, text=text[:TEXT_LIMIT],
                     made_ms=now_ms)
