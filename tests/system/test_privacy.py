"""What a house leaves on disk is its user's alone: another user opens no file of it and reaches no socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.runtime.keys import OPERATOR, Keys
from catalyst.runtime.roster import WORKERS

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

NOBODY = 65_534
INTRUDE = """
import json, os, socket, stat, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
opened = []
for path in json.load(sys.stdin):
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
        opened.append(path)
    except OSError:
        pass
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(path, flags | os.O_NONBLOCK))
            opened.append(path)
        except OSError:
            pass
json.dump(opened, sys.stdout)
"""


def inside(folder: Path) -> Iterator[Path]:
    """Everything in a folder that is no folder."""
    for path, _, names in os.walk(folder):
        yield from (Path(path) / name for name in names)


def test_another_user_opens_nothing(tmp_path: Path) -> None:
    """Modes without a bit for others, whatever the umask was; as another user no open and no connect succeeds."""
    before = os.umask(0o000)
    try:
        with House(tmp_path, items=20, duration_s=3) as house:
            (house.home / ".env").write_text("MIN_SCORE=0.2\n")
            (house.home / ".env").chmod(0o600)
            Keys(house.home / "keys").make([*WORKERS, OPERATOR])
            house.home.chmod(0o755)  # made by hand and open: what is in it must not need the folder's protection
            house.open_world()
            house.up()
            house.wait_until_settled(90)
            found = [path for path in inside(house.home) if path.name != "sources.toml"]
            names = {path.name for path in found}
            for kind in ("db", "lock", "in", "ctl", "beat", "jsonl", "secret"):
                assert sum(name.endswith(f".{kind}") for name in names) >= len(WORKERS), (kind, sorted(names))
            loose = {str(path): oct(path.lstat().st_mode) for path in found
                     if path.lstat().st_mode & 0o077 and path.parent.stat().st_mode & 0o077}
            assert not loose
            assert (house.home / "run").stat().st_mode & 0o777 == 0o700
            with socket.socket(socket.AF_UNIX) as probe:  # the same for its own user succeeds
                probe.connect(str(house.home / "run" / "market.ctl"))
            if os.getuid() != 0:
                pytest.skip("only root can look with another user's eyes")
            for parent in (tmp_path, *tmp_path.parents[:2]):
                parent.chmod(parent.stat().st_mode | 0o055)
            done = subprocess.run([sys.executable, "-I", "-S", "-c", INTRUDE], capture_output=True, text=True,
                                  check=True, input=json.dumps([str(path) for path in found]))
            assert json.loads(done.stdout) == []
    finally:
        os.umask(before)
