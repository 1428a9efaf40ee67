"""What is lost, repeated or damaged after a run: counts over what the sinks got and what the actors say. Pure.

Order within a ticker. The system promises it where it queues, at the alerter: of two alerts of one ticker the one that
the alerter took first from its link, if it is at least as urgent (watched, score), is also the first at each sink. A
more urgent one may overtake, and so may any other one while a request for the first was refused or broken off by the
sink: it then steps back for a moment. One that goes out in a digest waits longer than those by themselves. Of one alert
its updates come after it and, at the signed webhook, in their order. Nothing is promised between tickers, nor between
what is seen and what the alerter gets: quotes take their time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalyst.core.digest import DIGEST

ALERTS = ("1/alerts", "channels/1")  # where the world's Discord gets alerts: by the webhook, by the bot
REPEAT = "possible repeat"
UNANSWERED = ("reset_after",)  # troubles in which a post was made and its maker was not told
FOUND_S, REPLACED_S = 3.5, 6.0  # a process that hangs: from the blow to its incident, to its successor
RECYCLED_S = 5.0  # one that grows: from its incident to its successor
KINDS = {"stop": ("silent",), "loop": ("stuck", "silent"), "swell": ("swollen", "too_big", "slow_job", "silent")}


@dataclass(frozen=True, slots=True)
class Taken:
    """An alert as the alerter took it: its place in the inbox, None where several of its item make that unknown."""

    alert_id: str
    ticker: str
    urgency: float
    place: int | None


@dataclass(frozen=True, slots=True)
class Hang:
    """A process that was stopped, looped or grew. Seconds from the blow; None: never. `excused`: why no bound holds."""

    act: str
    target: str
    found_s: float | None
    back_s: float | None
    stacks: str = ""
    excused: str = ""


@dataclass(slots=True)
class Verdict:
    """Counts and the first examples of each; `is_good` when all are within their bounds."""

    items: int = 0
    alerts: int = 0
    lost: list[str] = field(default_factory=list)  # items without a fate, alerted ones that the webhook never saw
    changed: list[str] = field(default_factory=list)  # items whose fate is not the one that the day's truth names
    repeated: list[str] = field(default_factory=list)  # at the signed webhook under another key, or unmarked at Discord
    marked: int = 0  # repeats at Discord that say so
    allowed: int = 0  # of those: one a kill of the alerter, one a post whose answer Discord withheld
    disordered: list[str] = field(default_factory=list)  # within a ticker, or an update before its alert
    unexplained: list[str] = field(default_factory=list)  # dead letters, or drops without a reason
    damaged: list[str] = field(default_factory=list)  # databases that fail their check, links whose ends disagree
    mismatched: list[str] = field(default_factory=list)  # links that disagreed on the way: what one side had was gone
    violations: list[str] = field(default_factory=list)  # of Discord's rules
    late: list[str] = field(default_factory=list)  # hangs found or replaced after their time
    restless: list[str] = field(default_factory=list)  # what still waited at the end, though nothing new came
    unstacked: list[str] = field(default_factory=list)  # loops whose stacks nobody kept

    @property
    def is_good(self) -> bool:
        """Whether the promise held."""
        return not any(values for _, values in self._lists()) and self.marked <= self.allowed

    def _lists(self) -> list[tuple[str, list[str]]]:
        return [("lost", self.lost), ("fate changed", self.changed), ("repeated", self.repeated),
                ("out of order", self.disordered), ("dead, or without reason", self.unexplained),
                ("damaged", self.damaged), ("links that disagreed", self.mismatched),
                ("broken rules of Discord", self.violations), ("hangs found or replaced late", self.late),
                ("loops without stacks", self.unstacked), ("not at rest in the end", self.restless)]

    def rows(self) -> list[tuple[str, int, str, str]]:
        """(what, count, bound, first examples), for a person."""
        found = [(name, len(values), "0", ", ".join(values[:3])) for name, values in self._lists()]
        return [*found[:3], ("repeated and marked", self.marked, f"{self.allowed}", ""), *found[3:]]


def judge(items: Mapping[str, Mapping[str, Any]], expected: int, truth: Mapping[str, str], sent: Mapping[str, Any],
          answers: Mapping[str, Mapping[str, Any]], *, alerter_kills: int, taken: Iterable[Taken] = (),
          hangs: Iterable[Hang] = (), slack: float = 1.0) -> Verdict:
    """The verdict. `items`: id -> row of `catalyst items`; `truth`: id -> fate where the day is certain of it.

    `sent` is what the world was sent, `answers` each actor's answer to the verb `integrity`, with the `mismatches` that
    it noted; `taken` what the alerter took, `hangs` what hung, whose bounds of time are taken `slack` times.
    """
    found = Verdict(items=len(items), allowed=alerter_kills)
    if len(items) < expected:
        found.lost.append(f"{expected - len(items)} items never seen")
        found.lost += [""] * (expected - len(items) - 1)  # the count is that of items
    for item_id, row in items.items():
        if row["fate"] == "in_flight":
            found.lost.append(item_id)
        elif row["fate"] == "dead" or (row["fate"] == "dropped" and not row["reason"]):
            found.unexplained.append(item_id)
        elif item_id in truth and truth[item_id] != row["fate"]:
            found.changed.append(f"{item_id} {row['fate']} {row['reason'] or ''}".strip())
    events = [(json.loads(event["body"]), event["headers"]["idempotency-key"]) for event in sent["events"]]
    messages = [message for message in sent["messages"] if message["webhook"] in ALERTS]
    _discord(found, messages, _webhook(found, items, events))
    _order(found, list(taken), events, messages, {key.partition(":")[0] for key in sent.get("refused", ())})
    found.violations += sent["violations"]
    found.damaged += damages(answers)
    found.mismatched += [f"{name}: {text}" for name, answer in answers.items() for text in answer.get("mismatches", ())]
    _hangs(found, hangs, slack)
    return found


def _webhook(found: Verdict, items: Mapping[str, Mapping[str, Any]],
             events: Sequence[tuple[dict[str, Any], str]]) -> list[str]:
    """The alerts that it was told of."""
    keys: dict[tuple[str, ...], set[str]] = {}  # outcomes are all about the alert's item: their titles differ
    told: dict[str, int] = {}  # alert -> number of its last update
    seen: set[str] = set()
    for body, key in events:
        keys.setdefault((body["event"], body["id"], body["item_id"], body["title"]), set()).add(key)
        number = int(key.rpartition(":")[2]) if ":" in key else 0
        if body["event"] == "alert":
            told.setdefault(body["id"], 0)
        elif body["event"] == "update" and key not in seen:
            if number <= told.get(body["id"], number):  # it comes before its alert, or after a later update
                found.disordered.append(f"{body['id']} update {number}")
            told[body["id"]] = max(number, told.get(body["id"], 0))
        seen.add(key)
    found.alerts = len(told)
    found.repeated += [f"{key[0]} {key[1]}" for key, used in keys.items() if len(used) > 1]
    reached = {body["item_id"] for body, _ in events if body["event"] != "ops"}
    found.lost += sorted({number for number, row in items.items() if row["fate"] == "alerted"} - reached)
    return list(told)


def _discord(found: Verdict, messages: Sequence[Mapping[str, Any]], told: Iterable[str]) -> None:
    """Every alert that the signed webhook was told stands in one message, by itself or in a digest; a message that was
    posted twice says so."""
    posted = [message for message in messages if _made(message)]
    posts = Counter(map(message_of, posted))
    marked = {message_of(message) for message in messages if any(REPEAT in text for text in footers(message))}
    found.allowed += sum(message.get("trouble") in UNANSWERED for message in posted)
    homes: dict[str, set[str]] = {}
    for message in posted:
        for alert_id in alerts_of(message):
            homes.setdefault(alert_id, set()).add(message_of(message))
    found.repeated += [f"discord {alert_id} in {' and '.join(sorted(places))}" for alert_id, places in homes.items()
                       if len(places) > 1]
    found.lost += [f"discord {alert_id}" for alert_id in told if posted and alert_id not in homes]
    for name, count in posts.items():
        if count > 1 and name not in marked:
            found.repeated.append(f"discord {name}")
        elif count > 1:
            found.marked += count - 1


def _made(message: Mapping[str, Any]) -> bool:
    """Whether a request made a message: a known nonce makes none."""
    return bool(message["method"] == "POST" and message["status"] == 200 and not message.get("repeated"))


def _order(found: Verdict, taken: Sequence[Taken], events: Sequence[tuple[dict[str, Any], str]],
           messages: Sequence[Mapping[str, Any]], refused: set[str]) -> None:
    """Alerts of one ticker against the order in which the alerter took them; see the module's docstring."""
    troubled = {alert_of(message) for message in messages if message["status"] != 200 or message.get("trouble")}
    alone = [alert_of(message) for message in messages if _made(message) and message_of(message) == alert_of(message)]
    arrivals = {"discord": (alone, troubled),
                "webhook": ([body["id"] for body, _ in events if body["event"] == "alert"], refused)}
    for sink, (order, stepped_back) in arrivals.items():
        at = {alert_id: place for place, alert_id in reversed(list(enumerate(order)))}
        by_ticker: dict[str, list[Taken]] = {}
        for alert in taken:
            if alert.place is not None and alert.alert_id in at:
                by_ticker.setdefault(alert.ticker, []).append(alert)
        for ticker, alerts in by_ticker.items():
            alerts.sort(key=lambda alert: alert.place or 0)
            found.disordered += [f"{sink} {ticker} {first.alert_id}" for number, first in enumerate(alerts)
                                 if first.alert_id not in stepped_back and any(
                                     at[later.alert_id] < at[first.alert_id] and later.urgency <= first.urgency
                                     for later in alerts[number + 1:])]


def _hangs(found: Verdict, hangs: Iterable[Hang], slack: float) -> None:
    for hang in hangs:
        if hang.excused:
            continue
        name = f"{hang.act} {hang.target}"
        if hang.found_s is None or (hang.act != "swell" and hang.found_s > slack * FOUND_S):
            found.late.append(f"{name} found after {_s(hang.found_s)}")
        limit_s = slack * RECYCLED_S + (hang.found_s or 0.0) if hang.act == "swell" else slack * REPLACED_S
        if hang.back_s is None or hang.back_s > limit_s:
            found.late.append(f"{name} replaced after {_s(hang.back_s)}")
        if hang.act == "loop" and "_loop" not in hang.stacks:
            found.unstacked.append(name)


def _s(duration_s: float | None) -> str:
    return "never" if duration_s is None else f"{duration_s:.1f} s"


def footers(message: Mapping[str, Any]) -> list[str]:
    """The footers of a message's cards: `id ALERT · ...`, the last of a digest `id ALERT · digest ID`."""
    embeds = (message["payload"] or {}).get("embeds") or ()
    return [str(embed["footer"].get("text", "")) for embed in embeds if embed.get("footer")]


def alerts_of(message: Mapping[str, Any]) -> list[str]:
    """The ids of the alerts that a message tells of; none for a notice."""
    return [words[1] for text in footers(message) if len(words := text.split()) > 1 and words[0] == "id"]


def alert_of(message: Mapping[str, Any]) -> str:
    """The first of them, empty where there is none."""
    return next(iter(alerts_of(message)), "")


def message_of(message: Mapping[str, Any]) -> str:
    """What a message is known by: the digest's id, else the alert's."""
    _, found, rest = (footers(message) or [""])[-1].partition(DIGEST)
    return rest.split()[0] if found else alert_of(message)


def damages(answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Databases that fail SQLite's check, and links whose two ends do not agree on sequence and hash."""
    found = [f"{name}: {answer['integrity']}" for name, answer in answers.items() if answer["integrity"] != "ok"]
    for name, answer in answers.items():
        for receiver, out in answer["out"].items():
            inn = answers.get(receiver, {}).get("in", {}).get(name)
            if inn is None:
                if out["next"] > 1 and receiver in answers:
                    found.append(f"{name} -> {receiver}: unknown to the receiver")
            elif (out["epoch"], out["next"] - 1, out["hash"]) != (inn["epoch"], inn["last"], inn["hash"]):
                found.append(f"{name} -> {receiver}: {out} against {inn}")
    return found
