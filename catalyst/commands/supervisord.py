"""How a person restarts the supervisor itself: the line for the supervisord that keeps it, with the file in force."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import join

from catalyst.commands.home import Home
from catalyst.runtime.roster import SUPERVISOR

OPTIONS = ("-c", "--configuration")  # of supervisord


def restart_advice(home: Home) -> str:
    """What restarts the supervisor of this home, as it can be typed."""
    import psutil  # what a person types often starts fast without it

    owner = home.owner(SUPERVISOR)
    if owner is None:
        return "it is not running; scripts/run or catalyst up starts everything"
    try:
        parent = psutil.Process(owner.pid).parent()
        command, folder = (parent.cmdline(), Path(parent.cwd())) if parent else ([], Path())
    except psutil.Error:
        command, folder = [], Path()
    file = configuration(command)
    if file is None:
        return "catalyst down, then the command that started it"
    return f"{line(folder / file, Path(sys.executable), Path.cwd()) or f'kill {owner.pid}'} restarts it"


def configuration(command: Sequence[str]) -> str | None:
    """The file that a command line gives to supervisord; None for any other program, or where none is given."""
    if not any("supervisord" in Path(word).name for word in command):
        return None
    for place, word in enumerate(command):
        name, _, value = word.partition("=")
        if name in OPTIONS:
            return value or next(iter(command[place + 1:]), None)
    return None


def line(file: Path, python: Path, here: Path) -> str | None:
    """The call of supervisorctl as it is typed in the folder `here`; None where the file has no way in for it."""
    try:
        if "[supervisorctl]" not in file.read_text():
            return None
    except (OSError, UnicodeDecodeError):
        return None
    program = python.with_name("supervisorctl")
    return join([_short(program, here) if program.exists() else program.name, "-c", _short(file, here), "restart",
                 "catalyst"])


def _short(path: Path, here: Path) -> str:
    """The path as seen from a folder above it, else the whole of it."""
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
