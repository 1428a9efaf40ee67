"""`catalyst chaos` as its user runs it: strikes a house of its own and says that the promise held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import ALL
from catalyst.settings import inherited
from catalyst.testing import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


def chaos(*words: str, code: int = 0, timeout_s: float = 220) -> tuple[dict[str, Any], str]:
    """Report and what was said on the way."""
    done = subprocess.run([sys.executable, "-m", "catalyst", "chaos", *words, "--json"], env=inherited(),
                          capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == code, done.stdout + done.stderr[-2000:]
    return json.loads(done.stdout or "{}"), done.stderr


def test_a_small_run_holds(tmp_path: Path) -> None:
    """Kills, hangs, sinks in trouble, alerts by the bot: exit code 0, nothing lost, repeated or marked.

    The history tells what fell and when, and the report is kept where it was asked for.
    """
    report, said = chaos("--kills", "18", "--items", "80", "--seed", "30", "--scenario", "mixed,sinks", "--sink", "bot",
                         "--slack", "10", "--keep", str(tmp_path / "run"), "--record", str(tmp_path / "reports.json"))
    assert said.splitlines()[0] == "chaos: seed 30"
    assert (report["seed"], report["good"], report["sink"]) == (30, True, "bot")
    assert report["counts"]["lost"] == report["counts"]["repeated"] == report["counts"]["repeated and marked"] == 0
    assert json.loads((tmp_path / "reports.json").read_text()) == [report]
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    fell = [line for line in lines if "fell" in line]
    assert len([line for line in lines if "planned" in line]) == 18
    assert len(fell) >= 14
    assert all(line["at_s"] > 0 and line["wall_ms"] > 0 for line in fell)
    assert {"kill", "trouble"} <= {line["fell"] for line in fell}


def test_a_sample_of_crash_points() -> None:
    """Fifty drawn points, each met by a kill -9, some successors too: nothing lost, repeated or damaged."""
    report, _ = chaos("--scenario", "points", "--kills", "50", "--seed", "2")
    print(f"{report['fell']} of {report['crashes']} crashes fell: {report['deepest']}")
    assert report["good"]
    assert (report["crashes"], report["left"]) == (50, 0)
    assert report["fell"] >= 25


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_all_crash_points() -> None:
    """Every point of every actor, n = 1, 2, 3 ... until untouched, then all again with a second kill."""
    report, _ = chaos("--scenario", "points", "--seed", "3", timeout_s=3_500)
    print(f"{report['fell']} of {report['crashes']} crashes fell, {report['left']} left: {report['deepest']}")
    assert report["good"]
    assert report["left"] == 0


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("scenario", ["stops", "loops"])
def test_every_hang_is_found_in_time(scenario: str) -> None:
    """Each actor twenty times, with work for both cores: found within 3.5 s, replaced within 6, stacks of each loop."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        report, _ = chaos("--scenario", scenario, "--kills", "160", "--items", "6000", "--seed", "4", timeout_s=1_700)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(scenario, report["blows"], report["back_s"])
    assert report["good"]
    assert sum(report["blows"].values()) >= 150


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--scenario", "party"], 64, "there is no scenario 'party'"),
    (["--scenario", "points", "--only", "nobody"], 64, "no actor and no point"),
    (["--patch", "/nowhere.py"], 64, "there is no such file")])
def test_a_wrong_wish_is_one_line(words: list[str], code: int, said: str) -> None:
    """What cannot be is said before anything starts."""
    _, told = chaos(*words, "--seed", "1", code=code)
    assert said in told.splitlines()[-1]


def test_an_ended_run_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGTERM, and again while it ends its house, as an impatient person sends it: supervisord, actors and world end
    with the driver."""
    run = subprocess.Popen([sys.executable, "-m", "catalyst", "chaos", "--kills", "4", "--items", "60", "--seed", "5",
                            "--keep", str(tmp_path / "kept")], stderr=subprocess.DEVNULL, env=inherited())
    try:
        wait_until(lambda: living_owner(tmp_path / "kept/home/db", "fetcher"), 60, "the house runs")
        run.terminate()
        wait_until(lambda: not living_owner(tmp_path / "kept/home/db", "fetcher"), 20, "it ends its house")
        run.terminate()
        run.wait(40)
    finally:
        run.kill()
    left = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])
            if str(tmp_path) in " ".join(process.info["cmdline"] or ())]
    assert left == []
    assert [name for name in ALL if living_owner(tmp_path / "kept/home/db", name)] == []
