"""What `scripts/bench --check` calls too slow: ratios below their floors, and floors that nothing was measured for."""

from __future__ import annotations

from pathlib import Path

from catalyst.bench.command import CHECKED, FLOORS, compare
from catalyst.bench.measure import Report


def test_floors(tmp_path: Path) -> None:
    """A ratio at its floor is fine; one that was skipped with a reason is no fault, one that was forgotten is."""
    floors = tmp_path / "floors.toml"
    floors.write_text("[chart]\nfine = 2\nslow = 2.5\nabsent = 1\nforgotten = 1\n[other]\nnever = 9\n")
    report = Report("a bench", ratios={"chart.fine": [1, 2, 9], "chart.slow": [2, 2, 9], "chart.more": [0]},
                    skipped={"chart.absent": "not installed"})
    assert compare({"chart": report}, floors) == ["chart.slow: 2 is below its floor 2.5",
                                                  "chart.forgotten: not measured"]


def test_each_checked_bench_has_floors() -> None:
    """Otherwise its check could not fail."""
    assert all(f"[{name}]" in FLOORS.read_text() for name in CHECKED)
