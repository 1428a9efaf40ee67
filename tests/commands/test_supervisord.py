"""The line that restarts the supervisor, as it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.commands.supervisord import configuration, line
from tests.commands.conftest import Catalyst

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("command", "file"), [
    (["python", "-m", "supervisor.supervisord", "-n", "-c", "/x/supervisor.conf"], "/x/supervisor.conf"),
    (["python", ".venv/bin/supervisord", "--configuration=a.conf"], "a.conf"),
    (["python", "supervisord"], None), (["supervisord", "-c"], None), (["bash", "-c", "supervised"], None), ([], None)])
def test_the_file_in_force(command: list[str], file: str | None) -> None:
    """It is the one that supervisord was started with; another program's -c is none."""
    assert configuration(command) == file


def test_the_whole_line(tmp_path: Path) -> None:
    """supervisorctl beside our Python, the file as seen from here, quoted; a file without a way in gives no line."""
    file, python = tmp_path / "my var" / "supervisor.conf", tmp_path / ".venv" / "bin" / "python"
    file.parent.mkdir()
    python.parent.mkdir(parents=True)
    file.write_text((ROOT / "supervisor.conf").read_text())
    assert line(file, python, tmp_path) == "supervisorctl -c 'my var/supervisor.conf' restart catalyst"
    python.with_name("supervisorctl").touch()
    assert line(file, python, tmp_path) == (
        ".venv/bin/supervisorctl -c 'my var/supervisor.conf' restart catalyst")
    assert line(file, python, Path("/nowhere")) == f"{python.parent}/supervisorctl -c '{file}' restart catalyst"
    file.write_text("[supervisord]\n")
    assert line(file, python, tmp_path) is None


def test_without_supervisord(catalyst: Catalyst, home: Path) -> None:
    """Where nothing runs, or no supervisord keeps what runs, the advice names no supervisorctl."""
    assert "it is not running" in catalyst("restart", "supervisor").err
    holder = subprocess.Popen([sys.executable, "-c", "import sys; from pathlib import Path;"
                               "from catalyst.runtime.ownership import Ownership;"
                               "lock = Ownership(Path(sys.argv[1]), 'supervisor'); print(flush=True); sys.stdin.read()",
                               str(home / "db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        done = catalyst("restart", "supervisor")
    finally:
        holder.communicate(b"")
    assert (done.code, "catalyst down, then the command that started it" in done.err) == (64, True)
