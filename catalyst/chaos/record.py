"""What runs of `catalyst chaos` found, kept beside the documentation, and the table that shows it.

`docs/reliability.json` is a list of reports as `catalyst chaos --json` prints them, the newest of each scenario,
sink and seed; `scripts/generate` puts the table into `docs/reliability.md` between MARKS. It imports nothing of
Catalyst.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MARKS = ("<!-- chaos: made by scripts/generate from reliability.json -->", "<!-- /chaos -->")
HEAD = ("| date, version, seed | scenario | sink | struck | items, alerts | lost | repeated | marked, allowed"
        " | out of order | dead or damaged | replaced after (median, longest) | held |")


def add(file: Path, report: dict[str, Any]) -> None:
    """Keep a report in place of the one of the same scenario, sink and seed."""
    known = read(file)
    kept = [row for row in known if _key(row) != _key(report)]
    file.write_text(json.dumps(sorted([*kept, report], key=_key), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read(file: Path) -> list[dict[str, Any]]:
    """The reports in the file, none where there is no file."""
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return found


def page(text: str, reports: list[dict[str, Any]]) -> str:
    """The page with its table made anew. Raises ValueError for a page without the marks."""
    before, _, rest = text.partition(MARKS[0])
    _, found, after = rest.partition(MARKS[1])
    if not found:
        raise ValueError(f"the page lacks {MARKS[0]} or {MARKS[1]}")
    return f"{before}{MARKS[0]}\n\n{table(reports)}\n{MARKS[1]}{after}"


def table(reports: list[dict[str, Any]]) -> str:
    """The reports as a Markdown table, a line each."""
    lines = [HEAD, "|" + " --- |" * (HEAD.count("|") - 1)]
    for row in reports:
        counts = row["counts"]
        broken = counts["dead, or without reason"] + counts["damaged"] + counts["links that disagreed"]
        lines.append(
            f"| {row['date']}, {row['version']}, {row['seed']} | {row['scenario']} | {row['sink']} | {_struck(row)} |"
            f" {row['items']}, {row['alerts']} | {counts['lost']} | {counts['repeated']} |"
            f" {counts['repeated and marked']}, {row['allowed']} | {counts['out of order']} | {broken} | {_back(row)} |"
            f" {'yes' if row['good'] else 'NO'} |")
    return "\n".join(lines) + "\n"


def _key(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["scenario"], row["sink"], row["seed"]


def _struck(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(row["blows"].items()))


def _back(row: dict[str, Any]) -> str:
    return "; ".join(f"{act} {span['median']:.2f} s, {span['longest']:.2f} s" for act, span in sorted(
        row["back_s"].items())) or "-"
