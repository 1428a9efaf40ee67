"""What is lost, repeated or damaged after a run: counts over what the sinks got and what the actors say. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ALERTS = "1/alerts"  # the world's webhook for alerts
REPEAT = "possible repeat"


@dataclass(slots=True)
class Verdict:
    """Counts and the first examples of each; `is_good` when all are within their bounds."""

    items: int = 0
    alerts: int = 0
    lost: list[str] = field(default_factory=list)  # items without a fate, alerted ones that the webhook never saw
    changed: list[str] = field(default_factory=list)  # items whose fate is not the one that the day's truth names
    repeated: list[str] = field(default_factory=list)  # at the signed webhook under another key, or unmarked at Discord
    marked: int = 0  # repeats at Discord that say so
    allowed: int = 0  # of those: one a kill of the alerter
    disordered: list[str] = field(default_factory=list)  # updates that came before their alert
    unexplained: list[str] = field(default_factory=list)  # dead letters, or drops without a reason
    damaged: list[str] = field(default_factory=list)  # databases that fail their check, links whose ends disagree
    violations: list[str] = field(default_factory=list)  # of Discord's rules

    @property
    def is_good(self) -> bool:
        """Whether the promise held."""
        return not any((self.lost, self.changed, self.repeated, self.disordered, self.unexplained, self.damaged,
                        self.violations)) and self.marked <= self.allowed

    def rows(self) -> list[tuple[str, int, str, str]]:
        """(what, count, bound, first examples), for a person."""
        found = [(name, len(values), "0", ", ".join(values[:3])) for name, values in (
            ("lost", self.lost), ("fate changed", self.changed), ("repeated", self.repeated),
            ("out of order", self.disordered), ("dead, or without reason", self.unexplained),
            ("damaged", self.damaged), ("broken rules of Discord", self.violations))]
        return [*found[:3], ("repeated and marked", self.marked, f"{self.allowed}", ""), *found[3:]]


def judge(items: Mapping[str, Mapping[str, Any]], expected: int, truth: Mapping[str, str], sent: Mapping[str, Any],
          answers: Mapping[str, Mapping[str, Any]], *, alerter_kills: int) -> Verdict:
    """The verdict. `items`: id -> row of `catalyst items`; `truth`: id -> fate where the day is certain of it.

    `sent` is what the world was sent, `answers` each actor's answer to the verb `integrity`.
    """
    found = Verdict(items=len(items), allowed=alerter_kills)
    if len(items) < expected:
        found.lost.append(f"{expected - len(items)} items never seen")
    for item_id, row in items.items():
        if row["fate"] == "in_flight":
            found.lost.append(item_id)
        elif row["fate"] == "dead" or (row["fate"] == "dropped" and not row["reason"]):
            found.unexplained.append(item_id)
        elif item_id in truth and truth[item_id] != row["fate"]:
            found.changed.append(f"{item_id} {row['fate']} {row['reason'] or ''}".strip())
    events = [(json.loads(event["body"]), event["headers"]["idempotency-key"]) for event in sent["events"]]
    _webhook(found, items, events)
    _discord(found, [message for message in sent["messages"] if message["webhook"] == ALERTS])
    found.violations += sent["violations"]
    found.damaged += damages(answers)
    return found


def _webhook(found: Verdict, items: Mapping[str, Mapping[str, Any]],
             events: Sequence[tuple[dict[str, Any], str]]) -> None:
    keys: dict[tuple[str, str, str], set[str]] = {}
    told: set[str] = set()
    for body, key in events:
        keys.setdefault((body["event"], body["id"], body["item_id"]), set()).add(key)
        if body["event"] == "alert":
            told.add(body["id"])
        elif body["event"] == "update" and body["id"] not in told:
            found.disordered.append(body["id"])
    found.alerts = len(told)
    found.repeated += [f"{key[0]} {key[1]}" for key, used in keys.items() if len(used) > 1]
    reached = {body["item_id"] for body, _ in events if body["event"] != "ops"}
    found.lost += sorted({number for number, row in items.items() if row["fate"] == "alerted"} - reached)


def _discord(found: Verdict, messages: Iterable[Mapping[str, Any]]) -> None:
    posts = Counter(alert_of(message) for message in messages if message["method"] == "POST"
                    and message["status"] == 200)
    marked = {alert_of(message) for message in messages if REPEAT in footer(message)}
    for alert_id, count in posts.items():
        if count > 1 and alert_id not in marked:
            found.repeated.append(f"discord {alert_id}")
        elif count > 1:
            found.marked += count - 1


def footer(message: Mapping[str, Any]) -> str:
    """The footer of a card, `id ALERT · ...`; empty where there is none."""
    embeds = (message["payload"] or {}).get("embeds") or [{}]
    return str((embeds[0].get("footer") or {}).get("text", ""))


def alert_of(message: Mapping[str, Any]) -> str:
    """The alert id in a card's footer."""
    words = footer(message).split()
    return words[1] if len(words) > 1 else ""


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
