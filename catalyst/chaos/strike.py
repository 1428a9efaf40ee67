"""One run of blows against a house of its own: it strikes by plan, waits until all is at rest, and has it judged."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalyst.bench.house import House
from catalyst.chaos.plan import Blow
from catalyst.chaos.verdict import Verdict, judge
from catalyst.core.stories import item_id_of
from catalyst.runtime.children import process_state
from catalyst.runtime.control import Control
from catalyst.runtime.roster import SUPERVISOR, WORKERS
from catalyst.testing import wait_until
from catalyst.world.generate import generate

BACK_S = 60.0  # within which a struck process must be back
SHOW_S = 5.0
Keep = Callable[[House], "subprocess.Popen[bytes]"]  # starts supervisord on a house and waits until all runs


class Strike:
    """One run: the house, the blows that fell, how long each process was away."""

    def __init__(self, folder: Path, blows: tuple[Blow, ...], keep: Keep, say: Callable[[str], None]):
        self.folder = folder
        self.blows = blows
        self._keep = keep
        self._say = say
        self.done: Counter[str] = Counter()
        self.back_s: dict[str, list[float]] = {}
        self._away: dict[str, tuple[str, int | None, float]] = {}  # who -> act, pid, when

    def play(self, seed: int, items: int, span_s: float) -> Verdict:
        """Make the day, start the house, strike, wait until all is at rest, judge."""
        self.folder.mkdir(parents=True, exist_ok=True)
        generate(seed, items - items // 4, self.folder / "day", filings=items // 4, duration_s=span_s, every_s=1.0)
        with House(self.folder, day=self.folder / "day") as house:
            house.open_world()
            self.at(house, span_s)
            self._say("waiting until nothing waits")
            found = house.wait_until_settled(max(120.0, span_s))
            verdict = self.judge(house, found)
        self._write_history(verdict)
        return verdict

    def at(self, house: House, span_s: float) -> None:
        """Start the house's actors and strike them by plan; all are back when it returns."""
        self._house = house
        self._supervisord = self._keep(house)
        self._strike_all(span_s)

    def judge(self, house: House, found: dict[str, dict[str, Any]]) -> Verdict:
        """The verdict over the items `found` in a house at rest."""
        return judge(found, house.expected(), truth(house), house.sent(), integrity(house),
                     alerter_kills=self.done["alerter"] + self.done["all"])

    def figures(self) -> dict[str, dict[str, float]]:
        """Act -> how long a struck process was away, seconds."""
        return {act: {"median": statistics.median(waits), "longest": max(waits), "n": len(waits)}
                for act, waits in self.back_s.items() if waits}

    def _strike_all(self, span_s: float) -> None:
        began_s = shown_s = time.monotonic()
        for blow in self.blows:
            while time.monotonic() - began_s < blow.at_s:
                self._watch()
                if time.monotonic() - shown_s >= SHOW_S:
                    shown_s = time.monotonic()
                    self._say(f"{shown_s - began_s:4.0f} s of {span_s:.0f}:"
                              f" {self.done.total()} of {len(self.blows)} blows")
                time.sleep(0.02)
            self._strike(blow)
        wait_until(lambda: self._watch() or not self._away, BACK_S, "every struck process is back")

    def _watch(self) -> None:
        """Note who is back: another process, or the stopped one where the kernel let it go on.

        It does so when the supervisor dies: stopped processes of a group that nobody looks after any more get SIGCONT
        (setpgid(2), "orphaned process group").
        """
        for who, (act, pid, since_s) in list(self._away.items()):
            now = self._house.pid(who)
            goes_on = act == "stop" and now == pid and pid is not None and process_state(pid) not in ("T", "t", "")
            if now not in (None, pid) or goes_on:
                self.back_s.setdefault(act, []).append(time.monotonic() - since_s)
                del self._away[who]

    def _strike(self, blow: Blow) -> None:
        if blow.target == "supervisord":
            self._supervisord.kill()
            self._supervisord.wait()
            self._supervisord = self._keep(self._house)
            self.done["supervisord"] += 1
            return
        targets = WORKERS if blow.act == "kill_all" else (blow.target,)
        if any(target in self._away or self._house.pid(target) is None for target in targets):
            wait_until(lambda: self._watch() or not any(  # type: ignore[func-returns-value]
                target in self._away or self._house.pid(target) is None for target in targets), BACK_S,
                f"{blow.target or 'everybody'} comes back")
            back_s = time.monotonic()
            wait_until(lambda: time.monotonic() - back_s >= blow.grace_s, 5)
        number = signal.SIGSTOP if blow.act == "stop" else signal.SIGKILL
        for target in targets:
            self._away[target] = (blow.act if target != SUPERVISOR else "supervisor", self._house.pid(target),
                                  time.monotonic())
        for target in targets:
            self._house.kill(target, number)
        self.done[blow.target or "all"] += 1

    def _write_history(self, verdict: Verdict) -> None:
        lines = [{"at_s": round(blow.at_s, 3), "act": blow.act, "target": blow.target} for blow in self.blows]
        text = "".join(json.dumps(line) + "\n" for line in [*lines, {"verdict": verdict.rows()}])
        with (self.folder / "history.jsonl").open("w", encoding="utf-8") as file:
            file.write(text)
            os.fsync(file.fileno())


def truth(house: House) -> dict[str, str]:
    """Item id -> fate, where the day is certain of it: a duplicate shares its story's, and an undated story that stands
    in a source's first document is backlog, which depends on when that is read."""
    rows = [row for row in house.truth() if row["what"] != "same_link" and row["fate"] and row.get("odd") != "undated"]
    return {row.get("id") or item_id_of("", row["link"], ""): row["fate"] for row in rows
            if not row["duplicate_of"]}


def integrity(house: House) -> dict[str, dict[str, Any]]:
    """What each actor says of its database and its links."""
    with Control(house.home / "run") as control:
        return {name: control.ask(name, "integrity", 30.0) for name in WORKERS}
