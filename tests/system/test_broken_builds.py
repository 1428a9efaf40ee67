"""Builds that are broken on purpose: the driver says so each time, and passes the same run of the sound build."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catalyst.settings import inherited

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BROKEN = Path(__file__).resolve().parents[1] / "chaos" / "broken"
# Broken build, the sound one of the same run ("": nothing is changed), the run, the counts of which one says so: where
# timers stand still, what is not seen any more is lost, and what was under way ends otherwise. Nobody is killed there:
# a process that begins anew reads the clock anew, and its timers go.
BUILDS = [
    ("ack_before_commit", "", ["--scenario", "points", "--only", "classifier,market,commit", "--kills", "6"],
     {"links that disagreed"}),
    ("post_without_intent", "", ["--scenario", "points", "--only", "alerter,worked,posted", "--kills", "4"],
     {"repeated"}),
    ("wall_clock_timers", "clock_set_back", ["--scenario", "kills", "--kills", "0", "--items", "40"],
     {"lost", "fate changed", "not at rest in the end"}),
    ("high_water_mark", "lossy_bus", ["--scenario", "kills", "--kills", "3", "--items", "60"],
     {"links that disagreed"}),
]


def chaos(words: list[str], patch: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of `catalyst chaos`."""
    more = ["--patch", str(BROKEN / f"{patch}.py")] if patch else []
    done = subprocess.run([sys.executable, "-m", "catalyst", "chaos", *words, *more, "--seed", "5", "--json"],
                          env=inherited(), capture_output=True, text=True, timeout=290)
    assert done.returncode in (0, 1), (done.stdout, done.stderr[-2000:])
    return done.returncode, json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.parametrize(("broken", "sound", "words", "named"),
                         [pytest.param(*build, id=build[0]) for build in BUILDS])
def test_a_broken_build_is_caught(broken: str, sound: str, words: list[str], named: set[str]) -> None:
    """Exit code 1 with the count that names the fault; the sound build ends with 0."""
    code, report = chaos(words, broken)
    bad = {name: count for name, count in report["counts"].items() if count}
    print(f"{broken}: exit code {code}, {bad}")
    assert code == 1
    assert named & set(bad)
    code, report = chaos(words, sound)
    print(f"{sound or 'unchanged'}: exit code {code}")
    assert (code, report["good"]) == (0, True), report["counts"]
