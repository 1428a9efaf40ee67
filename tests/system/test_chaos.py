"""`catalyst chaos` as its user runs it: strikes a house of its own and says that the promise held."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from catalyst.settings import inherited

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


def test_a_small_run_holds() -> None:
    """Kills and stops of actors, the supervisor too: exit code 0, nothing lost, seed and counts in the report."""
    done = subprocess.run([sys.executable, "-m", "catalyst", "chaos", "--kills", "10", "--items", "80", "--seed", "6",
                           "--json"], env=inherited(), capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert (report["seed"], report["good"], sum(report["blows"].values())) == (6, True, 10)
    assert report["counts"]["lost"] == report["counts"]["repeated"] == 0
