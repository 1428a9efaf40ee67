"""The funnel that every item walks, and where one stopped: from what the actors know of it, in words with figures.

An item is *seen* (unless it is old, or a repeat), *parsed* (a form that is read, a message that can be), has a
*ticker*, is no *noise*, has a *kind* and a *score*, passes the *price* limits, is not held back (*mute*) and is *sent*.
It asks nobody.
"""

from __future__ import annotations

from typing import Any

from catalyst.core.dollars import usd_text

STEPS = ("seen", "parsed", "ticker", "noise", "kind", "score", "price", "mute", "sent")
# First part of a reason -> step. Who holds an alert back for a time or tells it with others is at "mute".
STEP_OF = {
    "backlog": "seen", "stale": "seen", "duplicate": "seen", "missed": "seen",
    "malformed": "parsed", "form": "parsed", "unread": "parsed",
    "no_ticker": "ticker", "foreign_listing": "ticker", "instrument": "ticker", "noise": "noise", "no_catalyst": "kind",
    "low_score": "score", "sent_gate": "score", "category_gate": "score",
    "price_ceiling": "price", "price_floor": "price",
    "muted": "mute", "folded": "mute", "cooldown": "mute", "digest": "mute", "quiet": "mute",
    "filtered": "mute", "undelivered": "sent"}
# Where an item stopped for a reason that is not in the table: what a stage drops, and what dies in it.
DROPPED_IN = {"fetcher": "seen", "sec": "parsed", "classifier": "kind", "market": "price", "alerter": "mute"}
DIED_IN = {"fetcher": "seen", "sec": "parsed", "classifier": "kind", "market": "price", "alerter": "sent"}
READERS = ("sec", "classifier")  # who reads an item first: a message that is none to them dies as `invalid:...`

Row = dict[str, Any]


def step_of(reason: str, stage: str) -> str:
    """The step at which an item was dropped for a reason in a stage."""
    return STEP_OF.get(reason.partition(":")[0], DROPPED_IN.get(stage, "seen"))


def ended(ticker: str, decision: Row | None, fact: Row | None, price: Row | None, ceiling_usd: float,
          floor_usd: float) -> tuple[str, str, str | None, str]:
    """Where an item stopped: (step, fate, reason, in words).

    `decision` is the classifier's row, `fact` the tracker's, `price` the market's, each None where there is none.
    """
    told = decision["why"] if decision is not None else ""
    if fact is not None and fact["ticker"] not in ("", ticker):
        what = "alerted" if fact["fate"] == "alerted" else f"dropped, {fact['reason']}"
        return "ticker", fact["fate"], fact["reason"], (
            f"it names {ticker}, but was taken as news of {fact['ticker']} ({what}): {told}")
    if fact is not None and fact["fate"] == "alerted":
        folded = fact["reason"] == "folded"
        head = [f"told as an update of alert {fact['alert_id']}"] if folded else []
        return ("mute" if folded else "sent"), "alerted", fact["reason"], ": ".join([*head, *([told] if told else [])])
    if fact is not None and fact["fate"] == "dead":
        is_unreadable = (fact["reason"] or "").startswith("invalid:") and fact["stage"] in READERS
        step = "parsed" if is_unreadable else DIED_IN.get(fact["stage"], "seen")
        return (step, "dead", fact["reason"],
                f"a defect: it died in the {fact['stage']} ({fact['reason']}); see catalyst dead list")
    reason = fact["reason"] if fact is not None else decision["reason"] if decision is not None else None
    if fact is None and price is not None:
        reason = price["reason"]  # the market's word is here before the tracker's
    if reason is None:
        return _on_its_way(decision, price, told)
    step = step_of(reason, fact["stage"] if fact is not None else "classifier")
    usd = price["price_usd"] if price is not None else None
    return step, "dropped", reason, _words(reason, told, usd, ceiling_usd, floor_usd)


def _on_its_way(decision: Row | None, price: Row | None, told: str) -> tuple[str, str, None, str]:
    if price is not None:
        return "sent", "in_flight", None, f"its price passed, the alert is on its way: {told}"
    if decision is not None:
        return "price", "in_flight", None, f"its price is being asked for: {told}"
    return "seen", "in_flight", None, "nobody has decided about it yet"


def _words(reason: str, told: str, price_usd: float | None, ceiling_usd: float, floor_usd: float) -> str:
    """The reason of a drop in plain words, with figures."""
    name, _, more = reason.partition(":")
    if name in ("price_ceiling", "price_floor"):
        over, limit_usd = ("over the ceiling", ceiling_usd) if name[6:] == "ceiling" else ("under the floor", floor_usd)
        if price_usd is None:
            return f"the price was {over} {usd_text(limit_usd)}"
        return f"price {usd_text(price_usd)} {over} {usd_text(limit_usd)}"
    words = {"backlog": "it was published before its source was first asked: old news",
             "stale": "it was published too long before it was first seen: old news",
             "missed": "no list showed it in time; EDGAR's daily index did",
             "malformed": "it could not be read", "unread": "it could not be read",
             "duplicate": f"it repeats item {more}, which another wire had first",
             "form": f"filings of form {more} are not read",
             "muted": f"muted{f' ({more})' if more else ''}; see catalyst mutes, catalyst alerts --suppressed",
             "quiet": "quiet hours held it; a digest after them listed it: catalyst alerts --suppressed",
             "filtered": "the filters of all sinks held it (DISCORD_..., CATALYST_WEBHOOK_...):"
                         " catalyst alerts --suppressed",
             "cooldown": f"another alert for its ticker had just gone out{f' ({more})' if more else ''}",
             "digest": f"it waits to be told with others{f' ({more})' if more else ''}"}
    return words.get(name) or told or reason
