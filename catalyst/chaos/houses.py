"""What a run asks of its house: how it is fitted out, what is left in it, when it is at rest."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from catalyst.bench.house import SECRET, House
from catalyst.chaos.verdict import Taken, damages
from catalyst.core.stories import item_id_of
from catalyst.errors import CatalystError, UnavailableError
from catalyst.runtime.control import Control
from catalyst.runtime.faults import ARMED
from catalyst.runtime.roster import WORKERS

SINKS = ("webhook", "bot")
SOFT_MB, HARD_MB = 150, 300  # where memory is to grow: soon over
DIGEST_FROM = "5"
SETTLED_S = 5.0
WAITING = ("inbox", "outbox", "waiting")
PAGE = 1_000  # rows that one query gives
TAKEN = "SELECT n, item_id FROM inbox WHERE type = 'AlertReady' AND n > ? ORDER BY n LIMIT 1000"
ALERTS = ("SELECT alert_id, item_id, ticker, json_extract(body, '$.score') + json_extract(body, '$.watched')"
          " FROM alerts WHERE alert_id > ? ORDER BY alert_id LIMIT 1000")
MISMATCHES = "SELECT subject, detail FROM incidents WHERE kind = 'link_mismatch' LIMIT 100"
FATES = "SELECT count(DISTINCT item_id) FROM fates"


def fit_out(house: House, *, sink: str = "webhook", armed: bool = False, swells: bool = False,
            patch: Path | None = None) -> None:
    """Settings of a struck house, once its world is open; digests begin early, so that there are some.

    `armed`: its points know the faults of `faults.arm`; `patch`: a file that each of its processes runs first.
    """
    house.environment["CATALYST_DIGEST_FROM"] = DIGEST_FROM
    if armed:
        house.environment["CATALYST_FAULTS"] = ARMED
    if swells:
        house.environment |= {"CATALYST_MEMORY_SOFT_MB": str(SOFT_MB), "CATALYST_MEMORY_HARD_MB": str(HARD_MB)}
    if sink == "bot":
        house.environment |= {"DISCORD_BASE_URL": house.url, "DISCORD_BOT_TOKEN": SECRET, "DISCORD_CHANNEL_ID": "1"}
    if patch is not None:
        folder = house.home.parent / "patch"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(f"import runpy\n\nrunpy.run_path({str(patch.absolute())!r})\n")
        paths = [str(folder), *(path for path in sys.path if path), house.environment.get("PYTHONPATH", "")]
        house.environment["PYTHONPATH"] = ":".join(dict.fromkeys(path for path in paths if path))


def post(house: House, path: str, value: Any) -> dict[str, Any]:
    """What the house's world answers to a POST of JSON."""
    request = urllib.request.Request(f"{house.url}/{path}", json.dumps(value).encode())  # noqa: S310 - our own world
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


def settle(house: House, timeout_s: float, say: Callable[[str], None]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The items once the house is at rest; where it never is, as they are then, and what waits where.

    A busy machine may need longer: as long as each third of `timeout_s` takes away a fifth of what waits, it goes on.
    So a backlog that shrinks ends in rest, and one that stands still or circles is found.
    """
    most, wait_s = sys.maxsize, timeout_s
    while True:
        try:
            return house.wait_until_settled(wait_s), []
        except AssertionError:
            waiting = _waiting(house)
            left = sum(waiting.values())
            say(f"not at rest after {wait_s:.0f} s: {', '.join(f'{name} {n}' for name, n in waiting.items())}")
        if not 0 < left <= most:
            break
        most, wait_s = left * 4 // 5, timeout_s / 3
    try:
        return house.items(), [f"{name} {n}" for name, n in waiting.items()] or ["the house"]
    except (AssertionError, ValueError):
        return {}, ["the house"]


def _waiting(house: House) -> dict[str, int]:
    """Actor -> messages and jobs that wait in it; only those where something does, 1 for one that does not answer."""
    with Control(house.home / "run") as control:
        answers = control.ask_all(WORKERS, "status", 2.0)
    found = {name: sum(answers[name].get(what, 0) for what in WAITING) if name in answers else 1 for name in WORKERS}
    return {name: count for name, count in found.items() if count}


def truth(house: House) -> dict[str, str]:
    """Item id -> fate, where the day is certain of it: a duplicate may be the first to be seen, and an undated story
    that stands in a source's first document is backlog, which depends on when that is read. A correction shares its
    story's fate: it stands in the same feed, later."""
    rows = [row for row in house.truth() if row["what"] != "same_link" and row["fate"] and row.get("odd") != "undated"]
    return {row.get("id") or item_id_of("", row["link"], ""): row["fate"] for row in rows
            if not row["duplicate_of"] or row["what"] == "correction"}


def integrity(house: House) -> dict[str, dict[str, Any]]:
    """What each actor says of its database and its links, and of links that disagreed before.

    The ends of a link are asked one after the other: where they differ, they are asked again for SETTLED_S, since
    prices for outcomes are on their way at any time.
    """
    end_s = time.monotonic() + SETTLED_S
    while True:
        found = _integrity(house)
        if not damages(found) or time.monotonic() >= end_s:
            return found


def _integrity(house: House) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with Control(house.home / "run") as control:
        for name in WORKERS:
            try:
                rows = control.ask(name, "query", 10.0, sql=MISMATCHES)["rows"]
                found[name] = {**control.ask(name, "integrity", 30.0), "mismatches": [" ".join(row) for row in rows]}
            except UnavailableError as error:
                found[name] = {"integrity": str(error), "out": {}, "in": {}}
    return found


def taken(house: House) -> list[Taken]:
    """The alerts as the alerter took them."""
    with Control(house.home / "run") as control:
        places: dict[str, list[int]] = {}
        for n, item_id in _pages(control, TAKEN, 0):
            places.setdefault(item_id, []).append(n)
        return [Taken(alert_id, ticker, urgency, places[item_id][0] if len(places.get(item_id, ())) == 1 else None)
                for alert_id, item_id, ticker, urgency in _pages(control, ALERTS, "")]


def _pages(control: Control, sql: str, after: Any) -> list[tuple[Any, ...]]:
    """All rows of a statement that goes on after the first column of the last row; none where nobody answers."""
    rows: list[tuple[Any, ...]] = []
    try:
        while True:
            page = control.ask("alerter", "query", 10.0, sql=sql, parameters=[after])["rows"]
            rows += [tuple(row) for row in page]
            if len(page) < PAGE:
                return rows
            after = page[-1][0]
    except CatalystError:
        return rows


def is_at_rest(control: Control, wanted: int) -> bool:
    """Whether every actor answers, nothing waits, and so many items have a fate."""
    answers = control.ask_all(WORKERS, "status", 0.5)
    if len(answers) < len(WORKERS) or not all(_rests(answer) for answer in answers.values()):
        return False
    told = control.ask_all(["tracker"], "query", 1.0, sql=FATES).get("tracker", {})
    return bool(told.get("ok")) and told["rows"][0][0] >= wanted


def _rests(answer: Mapping[str, Any]) -> bool:
    return answer.get("state") == "running" and not any(answer.get(what, 0) for what in WAITING)
