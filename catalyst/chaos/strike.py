"""One run of blows against a house of its own: it strikes by plan, waits until all is at rest, and has it judged."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from catalyst.bench.house import House
from catalyst.chaos.blows import Blows
from catalyst.chaos.houses import fit_out, integrity, settle, taken, truth
from catalyst.chaos.plan import Act, Blow
from catalyst.chaos.verdict import Hang, Verdict, judge
from catalyst.errors import UnavailableError
from catalyst.runtime.roster import WORKERS
from catalyst.testing import wait_until
from catalyst.world.generate import generate

BACK_S = 120.0  # within which a struck process must be back
SETTLED_S = 180.0  # after the last blow: within which all is at rest
SHOW_S = 5.0
DISK_BYTES, ITEM_BYTES = 64 * 2**20, 256 * 2**10  # of a small disk: empty it holds the whole day, with charts and logs
TOOLS: dict[Act, str] = {"disk": "catalyst.chaos.disk", "clock": "catalyst.chaos.clockwork"}
Keep = Callable[[House], "subprocess.Popen[bytes]"]  # starts supervisord on a house and waits until all runs


def tool(act: Act) -> Any:
    """The module that an act needs. Raises UnavailableError, with the reason, where it cannot work on this machine."""
    try:
        module = import_module(TOOLS[act])
    except ModuleNotFoundError:
        raise UnavailableError(f"scenario {act}: this build has no {TOOLS[act]}") from None
    maker = module.SmallDisk if act == "disk" else module
    if reason := maker.available():
        raise UnavailableError(f"scenario {act}: {reason}")
    return module


class Strike:
    """One run: the house, the blows that fell, how long each process was away."""

    def __init__(self, folder: Path, blows: tuple[Blow, ...], keep: Keep, say: Callable[[str], None], *,
                 sink: str = "webhook", patch: Path | None = None, slack: float = 1.0):
        self.folder = folder
        self.blows = blows
        self._keep = keep
        self._say = say
        self._sink = sink
        self._patch = patch
        self._slack = slack
        self._acts = {blow.act for blow in blows}
        self._disk: Any = None
        self._jump: Callable[[float], Any] | None = None

    def play(self, seed: int, items: int, span_s: float) -> Verdict:
        """Make the day, start the house, strike, wait until all is at rest, judge. Raises UnavailableError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        generate(seed, items - items // 4, self.folder / "day", filings=items // 4, duration_s=span_s, every_s=1.0,
                 edits=True)
        with ExitStack() as stack:
            if "disk" in self._acts:
                self._disk = tool("disk").SmallDisk(self.folder / "home", DISK_BYTES + items * ITEM_BYTES)
                stack.callback(self._disk.close)
            house = stack.enter_context(House(self.folder, day=self.folder / "day"))
            house.open_world()
            if "clock" in self._acts:  # the world keeps the true time
                clock = tool("clock")
                house.environment |= clock.environment(self.folder / "clock")
                self._jump = partial(clock.jump, self.folder / "clock")
            self.at(house, span_s)
            self._say("waiting until nothing waits")
            found, waiting = settle(house, max(SETTLED_S, 3 * span_s), self._say)
            verdict = self.judge(house, found)
            verdict.restless += waiting
        self._write_history(verdict)
        return verdict

    def at(self, house: House, span_s: float) -> None:
        """Start the house's actors and strike them by plan; all are back when it returns."""
        fit_out(house, sink=self._sink, armed=bool(self._acts & {"loop", "swell"}), swells="swell" in self._acts,
                patch=self._patch)
        self._supervisord = self._keep(house)
        self.struck = Blows(house, self._disk, self._jump)
        self._shown_s = self.struck.began_s
        for number, blow in enumerate(self.blows):
            self._tell(span_s, number)
            while time.monotonic() - self.struck.began_s < blow.at_s:
                self.struck.watch()
                self._tell(span_s, number)
                time.sleep(0.02)
            self._strike(blow, number)
        self.struck.end()
        wait_until(lambda: not self.struck.is_down(WORKERS), BACK_S, "every struck process is back")

    def _tell(self, span_s: float, number: int) -> None:
        """Say now and then how far it is; a slow machine falls behind its plan, since who is away is waited for."""
        now_s = time.monotonic()
        if now_s - self._shown_s >= SHOW_S:
            self._shown_s = now_s
            self._say(f"{now_s - self.struck.began_s:4.0f} s of {span_s:.0f}: {len(self.struck.fell)} blows fell,"
                      f" {len(self.blows) - number} to come")

    def _strike(self, blow: Blow, number: int) -> None:
        if blow.target == "supervisord":
            self._supervisord.kill()
            self._supervisord.wait()
            self._supervisord = self._keep(self.struck.house)
            self.struck.note_supervisord(blow)
            return
        if blow.act in ("kill", "kill_all", "stop"):
            targets = WORKERS if blow.act == "kill_all" else (blow.target,)
            if self.struck.is_down(targets):
                wait_until(lambda: not self.struck.is_down(targets), BACK_S, f"{blow.target or 'everybody'} comes back")
                back_s = time.monotonic()
                wait_until(lambda: time.monotonic() - back_s >= blow.grace_s, 5)
        self.struck.strike(blow, number)

    def judge(self, house: House, found: dict[str, dict[str, Any]]) -> Verdict:
        """The verdict over the items `found` in a house at rest."""
        self.hangs: list[Hang] = self.struck.hangs()
        done = self.struck.done
        return judge(found, house.expected(), truth(house), house.sent(), integrity(house), taken=taken(house),
                     hangs=self.hangs, slack=self._slack, alerter_kills=done["alerter"] + done["all"])

    def figures(self) -> dict[str, dict[str, float]]:
        """Act -> how long a struck process was away; `found ACT`: until its incident. Seconds."""
        spans: dict[str, list[float]] = {}
        for fell in self.struck.fell:
            if fell.back_s is not None and not fell.goes_on:
                spans.setdefault(fell.act, []).append(fell.back_s)
        for hang in self.hangs:
            if hang.found_s is not None and not hang.excused:
                spans.setdefault(f"found {hang.act}", []).append(hang.found_s)
        return {act: {"median": statistics.median(waits), "longest": max(waits), "n": len(waits)}
                for act, waits in spans.items()}

    def _write_history(self, verdict: Verdict) -> None:
        """The blows as planned, those that fell with their times, what hung, the verdict."""
        lines: list[dict[str, Any]] = [{"planned": asdict(blow)} for blow in self.blows]
        lines += [{"fell": fell.blow.act, "target": fell.target, "at_s": round(fell.at_s, 3), "pid": fell.pid,
                   "what": fell.blow.what, "for_s": fell.blow.for_s, "wall_ms": round(fell.wall_ms),
                   "back_s": None if fell.back_s is None else round(fell.back_s, 3)} for fell in self.struck.fell]
        lines += [{"hang": asdict(hang)} for hang in self.hangs]
        text = "".join(json.dumps(line) + "\n" for line in [*lines, {"verdict": verdict.rows()}])
        with (self.folder / "history.jsonl").open("w", encoding="utf-8") as file:
            file.write(text)
            os.fsync(file.fileno())
