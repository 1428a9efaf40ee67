"""Files that are made from the code are current, and `scripts/generate` makes and checks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.chaos import record
from catalyst.settings import TABLE, example_file, table_page

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the script needs, without the generated file."""
    for name in ("catalyst/__init__.py", "catalyst/errors.py", "catalyst/settings.py", "catalyst/chaos/__init__.py",
                 "catalyst/chaos/record.py", "docs/reliability.md", "docs/reliability.json", "scripts/generate"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a copy."""
    return subprocess.run([sys.executable, root / "scripts" / "generate", *arguments], capture_output=True, text=True)


def test_the_example_of_the_settings_is_current() -> None:
    """`.env.example` is what the table says; run scripts/generate after a change."""
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example_file()


def test_the_table_of_the_settings_is_current() -> None:
    """`docs/settings.md` is what the table says, one row a setting."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert text == table_page()
    for row in TABLE:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{row.name}` |")]
        assert line.endswith(f"| {row.meaning} |")


def test_the_table_of_the_chaos_runs_is_current() -> None:
    """`docs/reliability.md` shows what `docs/reliability.json` keeps, a line a report."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    reports = record.read(ROOT / "docs" / "reliability.json")
    assert text == record.page(text, reports)
    assert all(f"| {row['scenario']} | {row['sink']} |" in text for row in reports)


def test_the_newest_report_of_a_scenario_is_kept(tmp_path: Path) -> None:
    """One line for each scenario, sink and seed; a page without the marks is refused."""
    counts = dict.fromkeys(("lost", "repeated", "repeated and marked", "out of order", "dead, or without reason",
                            "damaged", "links that disagreed"), 0)
    report = {"date": "2026-11-22", "version": "0", "seed": 1, "scenario": "kills", "sink": "bot", "items": 9,
              "alerts": 2, "blows": {"alerter": 3}, "allowed": 3, "good": True, "counts": counts,
              "back_s": {"kill": {"median": 0.1, "longest": 0.24, "n": 3}}}
    file = tmp_path / "reports.json"
    for seed, sink, items in ((1, "bot", 8), (2, "webhook", 9), (3, "bot", 9), (1, "bot", 9)):
        record.add(file, {**report, "seed": seed, "sink": sink, "items": items})
    assert [(row["seed"], row["sink"], row["items"]) for row in record.read(file)] == [
        (1, "bot", 9), (3, "bot", 9), (2, "webhook", 9)]
    shown = record.page(f"before\n{record.MARKS[0]}\nold\n{record.MARKS[1]}\nafter", record.read(file))
    assert shown.startswith("before\n")
    assert shown.endswith("\nafter")
    assert "old" not in shown
    assert "| kills | bot | alerter 3 | 9, 2 | 0 | 0 | 0, 3 | 0 | 0 | kill 0.10 s, 0.24 s | yes |" in shown
    with pytest.raises(ValueError, match="lacks"):
        record.page("no marks", [])


def test_every_setting_is_in_the_example_with_its_meaning() -> None:
    """Name, default and meaning of each, once."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for row in TABLE:
        (place,) = [number for number, line in enumerate(lines) if line.startswith(f"# {row.name}=")]
        assert lines[place - 1] == f"# {row.meaning}"


def test_check_names_what_is_stale_and_writes_nothing(copy: Path) -> None:
    """Exit code 1 and the file's name; without --check the file is written and then current."""
    missing = generate(copy, "--check")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert ".env.example is not current" in missing.stderr
    assert "docs/settings.md is not current" in missing.stderr
    assert "docs/reliability.md" not in missing.stderr
    assert not (copy / ".env.example").exists()
    assert generate(copy).stdout == "wrote .env.example\nwrote docs/settings.md\n"
    assert generate(copy, "--check").returncode == 0
    assert generate(copy).stdout == ""
    (copy / ".env.example").write_text("stale")
    assert generate(copy, "--check").returncode == 1
    assert (copy / ".env.example").read_text() == "stale"


def test_the_example_holds_no_secret() -> None:
    """Secrets have no default."""
    assert all(row.default == "" for row in TABLE if row.kind == "secret")
