"""Sets the wall clock of processes while the rest of the machine keeps true time, by libfaketime.

The library is loaded into every process of a house and adds an offset, read from a file at each call (measured: 4 us
instead of 0.2), to the wall clock alone. The world, which stands for everybody else, runs without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

FOLDERS = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime",
           "/usr/lib64/faketime", "/usr/local/lib/faketime")
NAME = "libfaketime.so.1"
PROBE_S = 20.0
# Version 0.9.10, which distributions have, breaks every sleep that is told its end by the monotonic clock.
PROBE = """
import sys, time
from pathlib import Path
def look(): return time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
before = look()
Path(sys.argv[1]).write_text("+3600")
after = look()
time.sleep(0.01)
moved = [abs(now - then) for now, then in zip(after, before)]
sys.exit(0 if moved[0] > 3500 and max(moved[1:]) < 60 else 3)
"""


def available() -> str:
    """Why the clock of a process cannot be set here; empty where it can."""
    if sys.platform != "linux":
        return "libfaketime is loaded on Linux only"
    if not (found := libraries()):
        return "libfaketime is missing: pip install libfaketime"
    return "" if library() is not None else f"{found[0]} does not leave the monotonic clock and sleeps alone"


def libraries() -> list[Path]:
    """The libraries that are installed: the Python package's own, then those of the distribution."""
    spec = find_spec("libfaketime")
    own = [Path(place) / "vendor/libfaketime/src" for place in (spec and spec.submodule_search_locations) or ()]
    return [path for folder in (*own, *map(Path, FOLDERS)) if (path := folder / NAME).is_file()]


@lru_cache(maxsize=1)
def library() -> Path | None:
    """The first library that works, None where none does: a process is started with each to see."""
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        offset = Path(folder) / "offset"
        for path in libraries():
            write(offset, 0)
            done = subprocess.run([sys.executable, "-c", PROBE, str(offset)], capture_output=True, timeout=PROBE_S,  # noqa: S603
                                  env={**_variables(path, offset), "PATH": os.defpath})
            if done.returncode == 0 and not done.stderr:
                return path
    return None


def environment(file: Path) -> dict[str, str]:
    """What to add to the environment of processes whose clock is to be set by `file`, which is made here.

    Raises RuntimeError where `available` gives a reason.
    """
    path = library()
    if path is None:
        raise RuntimeError(available())
    write(file, 0)
    return _variables(path, file)


def _variables(path: Path, file: Path) -> dict[str, str]:
    return {"LD_PRELOAD": str(path), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1"}


def jump(file: Path, seconds: float) -> float:
    """Set the clock on by `seconds`, back where that is below 0, at once; by how much it differs from now on."""
    offset_s = float(file.read_text()) + seconds
    write(file, offset_s)
    return offset_s


def write(file: Path, offset_s: float) -> None:
    """Let the clock differ from the machine's by so much."""
    part = file.with_name(f"{file.name}.new")
    part.write_text(f"{offset_s:+.3f}")
    os.replace(part, file)
