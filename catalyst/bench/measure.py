"""Figures of a bench: cases measured in turn, round after round, with medians, ranges and ratios of the same run.

It measures nothing by itself. Ratios are taken within a round, so that a busy machine slows both of its sides.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Measures = Mapping[str, float]
ADDITIONS = 1_000_000


@dataclass(slots=True)
class Report:
    """Values of each case, one a round; `ratios` and `aims` (what a ratio should reach) by name."""

    title: str
    values: dict[str, list[float]] = field(default_factory=dict)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    aims: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # ratios that were not measured here, and why

    def add(self, measures: Measures, unit: str) -> None:
        """Keep one round's value of each case."""
        for name, value in measures.items():
            self.values.setdefault(name, []).append(value)
            self.units[name] = unit

    def ratio(self, name: str, over: str, under: str, aim: float | None = None) -> None:
        """Median of `over` / `under`, round by round; `aim` is what it should reach, at least."""
        self.ratios[name] = [a / b for a, b in zip(self.values[over], self.values[under], strict=True)]
        if aim is not None:
            self.aims[name] = aim

    def medians(self) -> dict[str, float]:
        """The ratios that are compared with the floors."""
        return {name: statistics.median(values) for name, values in self.ratios.items()}

    def plain(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {"title": self.title, "notes": self.notes, "cases": {
            name: {"unit": self.units[name], **_spread(values)} for name, values in self.values.items()}, "ratios": {
            name: {**_spread(values), "aim": self.aims.get(name)} for name, values in self.ratios.items()}}

    def text(self) -> str:
        """The report as a table."""
        lines = [self.title, ""]
        for name, values in self.values.items():
            lines.append(_line(name, values, self.units[name]))
        for name, values in self.ratios.items():
            aim = self.aims.get(name)
            median = statistics.median(values)
            verdict = "" if aim is None else f"aim {aim:g}" + ("" if median >= aim else ", MISSED")
            lines.append(_line(f"ratio {name}", values, verdict))
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes), ""])


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "rounds": len(values)}


def _line(name: str, values: list[float], after: str) -> str:
    low, middle, high = (_number(value) for value in (min(values), statistics.median(values), max(values)))
    return f"  {name:<44} {middle:>10}  [{low} - {high}]  {after}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def rate(work: Callable[[], int]) -> float:
    """Units of work a second; `work` returns how many it did."""
    began = time.perf_counter()
    return work() / (time.perf_counter() - began)


def cpu_rate(work: Callable[[], int]) -> float:
    """Units of work a second of this process's CPU time, for work that waits for nothing."""
    began = time.process_time()
    return work() / (time.process_time() - began)


def cpu_rates(works: Mapping[str, Callable[[T], int]], parts: Sequence[T]) -> dict[str, float]:
    """As `cpu_rate`, for each of the works on all parts; they take turns part by part, so that a machine whose speed
    changes by the second slows all of them alike.
    """
    spent_s, done = dict.fromkeys(works, 0.0), dict.fromkeys(works, 0)
    for part in parts:
        for name, work in works.items():
            began = time.process_time()
            done[name] += work(part)
            spent_s[name] += time.process_time() - began
    return {name: done[name] / spent_s[name] for name in works}


def additions() -> int:
    """The yardstick of a core: plain Python's additions of squares, ADDITIONS of them."""
    total = 0
    for number in range(ADDITIONS):
        total += number * number
    return ADDITIONS


def progress(text: str) -> None:
    """Say on standard error what is under way."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
