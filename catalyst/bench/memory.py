"""Memory of the running system of the current CATALYST_HOME, as proportional set size (PSS).

PSS shares a page that several processes map among them (proc(5), smaps_rollup), so the sum counts it once.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from catalyst.bench.measure import Report
from catalyst.errors import UnavailableError
from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import ALL, SUPERVISOR
from catalyst.settings import load

AIM_MB = 300


def run(*, quick: bool) -> Report:
    """MB of each process. Raises UnavailableError when nothing runs, or where there is no /proc."""
    folder = load().database_folder
    owners = {name: owner.pid for name in ALL if (owner := living_owner(folder, name)) is not None}
    if not owners:
        raise UnavailableError(f"no actor of {folder.parent} runs: start one, then measure its memory")
    pids = {pid: name for name, pid in owners.items()}
    if SUPERVISOR in owners:
        for child in psutil.Process(owners[SUPERVISOR]).children(recursive=True):
            pids.setdefault(child.pid, f"of the supervisor: {title(child)} {child.pid}")
    report = Report("memory: PSS of the running system")
    total = 0.0
    for pid, name in pids.items():
        size = pss_mb(pid)
        total += size
        report.add({name: size}, "MB")
    report.add({"total": total}, "MB")
    report.add({"aim": AIM_MB}, "MB")
    report.ratio("memory.total", "aim", "total", 1)
    return report


def title(process: psutil.Process) -> str:
    """What multiprocessing's helper process is."""
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return "process"
    return next((word for word in ("forkserver", "resource_tracker") if word in line), process.name())


def pss_mb(pid: int) -> float:
    """Proportional set size of a process. Raises UnavailableError where it is gone or there is no smaps_rollup."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError as error:
        raise UnavailableError(f"memory of process {pid}: {error.strerror}") from error
    raise UnavailableError(f"process {pid} has no PSS")
