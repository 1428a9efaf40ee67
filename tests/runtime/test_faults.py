"""Faults happen where and when they are planned, once, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.errors import ConfigError
from catalyst.runtime.faults import Faults, Injected, arm, fallen, read_faults


def reached(faults: Faults, times: int, point: str = "handle", item: str = "x") -> list[int]:
    """At which of so many passes the fault happened."""
    found = []
    for number in range(1, times + 1):
        try:
            faults.reach(point, item)
        except Injected:
            found.append(number)
    return found


def test_a_fault_happens_once(tmp_path: Path) -> None:
    """The N-th pass of the point, in one process of the home only."""
    entries = ["market:raise@handle:3"]
    assert reached(Faults(entries, "market", tmp_path), 10) == [3]
    assert reached(Faults(entries, "market", tmp_path), 10) == []


def test_a_fault_happens_again_and_again(tmp_path: Path) -> None:
    """With a plus each pass from the N-th on, in every process."""
    entries = ["market:raise@handle:3+"]
    for _ in range(2):
        assert reached(Faults(entries, "market", tmp_path), 5) == [3, 4, 5]


def test_a_fault_concerns_its_actor_point_and_item(tmp_path: Path) -> None:
    """Another actor, point or item passes."""
    assert reached(Faults(["market:raise@handle:1+"], "alerter", tmp_path), 3) == []
    assert reached(Faults(["market:raise@commit:1+"], "market", tmp_path), 3) == []
    faults = Faults(["market:raise@handle:1+:abc"], "market", tmp_path)
    assert reached(faults, 3) == []
    assert reached(faults, 3, item="abc") == [1, 2, 3]


def test_faults_are_armed_while_a_process_runs(tmp_path: Path) -> None:
    """With the word `armed` a process looks for faults at each point; passes count from then on, once a name."""
    faults = Faults(["armed"], "market", tmp_path)
    assert reached(faults, 5) == []
    arm(tmp_path, {"one": "market:raise@handle:2", "other": "alerter:raise@handle:1"})
    assert fallen(tmp_path, "one") is None
    assert reached(faults, 5) == [2]
    assert fallen(tmp_path, "one") > 0
    assert reached(Faults(["armed"], "market", tmp_path), 5) == []
    arm(tmp_path, {"two": "market:raise@handle:2"})
    assert reached(faults, 5) == [2]
    arm(tmp_path, {})
    assert reached(faults, 5) == []


def test_nothing_is_armed_without_the_word(tmp_path: Path) -> None:
    """A file in the home alone does nothing."""
    arm(tmp_path, {"one": "market:raise@handle:1"})
    assert reached(Faults([], "market", tmp_path), 3) == []


@pytest.mark.parametrize("text", ["market", "market:crash", "market:crash@nowhere:1", "market:crash@handle:0",
                                  "market:dance@handle:1", "market:crash@handle:1:two words"])
def test_a_wrong_entry_is_named(text: str) -> None:
    """An entry that says nothing sensible is refused with its text."""
    with pytest.raises(ConfigError, match="CATALYST_FAULTS"):
        read_faults([text])
