"""What the operator is told of a database that was set aside, and of links that were settled. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# What an actor keeps for longer than its neighbours keep their messages: that is gone with its database.
GONE_WITH = {
    "alerter": "alerts and deliveries older than that are no longer listed, and later wires and charts of older alerts"
               " are not edited into their messages; an alert that may have been posted says so",
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


def aside_notice(actor: str, folder: str, why: str, retention_s: float) -> tuple[str, str]:
    """(title, text) for the database of `actor` that is now in `folder`."""
    refilled = "" if actor in ("fetcher", "supervisor", "web") else (
        f"What its neighbours sent in the last {retention_s / 3600:g} h is sent and handled again; ")
    return (f"The database of {actor} was damaged",
            f"{why}. The files are kept in {folder}, a new database is in use. {refilled}{GONE_WITH[actor]}."
            " Look after the disk.")


def links_notice(counts: Mapping[str, int]) -> tuple[str, str]:
    """(title, text) for the actors whose links were out of step, each with how often since its start."""
    named = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return ("Links were out of step and are settled",
            f"{named}. What is held was sent again, known messages are dropped. This follows a database that was set"
            " aside or restored; without one rows were lost on the disk: catalyst incidents")
