"""Starting actors through multiprocessing's fork server, without ever blocking the supervisor.

A start runs in a helper thread; one that takes too long means a dead or stuck fork server, which is then replaced. What
became of a started process is not asked here: a death is known by pidfd (actors/supervisor.py).
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import select
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from catalyst import log
from catalyst.clock import Clock
from catalyst.core.watch import Blame
from catalyst.errors import CatalystError
from catalyst.runtime.ownership import start_time
from catalyst.runtime.roster import ALL, load_actor
from catalyst.runtime.run import run_actor
from catalyst.runtime.turn import Birth
from catalyst.settings import Settings, load

START_LIMIT_S = 3.0  # a start takes 10 ms
# The first one waits for the fork server's imports: half a second, several on a machine that is busy. Each replacement
# in a row gets twice the time, for a slow machine must not be taken for a stuck server for ever.
FIRST_LIMIT_S, LONGEST_LIMIT_S = 15.0, 60.0
STATUS_S = 0.3  # for what the fork server tells within milliseconds, on a busy machine too
# Ends that are nobody's fault: in order, somebody else's lock, a wrong setting, SIGTERM, SIGKILL; or unknown.
INNOCENT = (None, 0, 75, 78, 255, -signal.SIGTERM, -signal.SIGKILL)
PRELOAD = ["catalyst.runtime.preload", "actors.preload"]


@dataclass(frozen=True, slots=True)
class Started:
    """The end of a start: `pid` is None when it failed."""

    name: str
    pid: int | None
    reason: str = ""


class Launcher:
    """Starts actors by name; results come with `finished` when `wake_fd` is readable."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOAD)
        self._results: SimpleQueue[Started] = SimpleQueue()
        self.wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self.wake_fd, False)
        self.starting: dict[str, float] = {}  # name -> monotonic start
        self._living: dict[int, Any] = {}  # pid -> multiprocessing's process, asked for nothing but how it ended
        self._limit_s = FIRST_LIMIT_S
        # The imports of the fork server take half a second: begin now, so that the first crash does not wait for them.
        threading.Thread(target=multiprocessing.forkserver.ensure_running, name="fork-server", daemon=True).start()

    def start(self, name: str, *, suspect: Blame = "") -> None:
        """Begin to start actor `name`; `suspect`: what of that which it had in hand may have ended its last process."""
        self.starting[name] = self._clock.monotonic_s()
        threading.Thread(target=self._start, args=(name, suspect), name=f"start-{name}", daemon=True).start()

    def ended_by_itself(self, pid: int) -> bool:
        """Whether the end of a process was its own doing: a defect, a signal that no person sends.

        False where that is not known: an adopted process, a fork server that is gone. SIGKILL says nothing: it may
        come from a person or from the kernel that needs the memory.
        """
        process = self._living.pop(pid, None)
        if process is None:
            return False
        select.select([process.sentinel], [], [], STATUS_S)  # the fork server tells it a moment after the death
        return process.exitcode not in INNOCENT

    def _start(self, name: str, suspect: Blame) -> None:
        try:
            asked_s = self._clock.monotonic_s()
            child = self._context.Process(target=child_main, args=(name, asked_s, os.getpid(), suspect), name=name,
                                          daemon=True)
            child.start()
            self._living[child.pid or 0] = child
            result = Started(name, child.pid)
        except (OSError, EOFError, RuntimeError) as error:
            result = Started(name, None, f"{type(error).__name__}: {error}")
        self._results.put(result)
        os.write(self._wake_write, b"x")

    def finished(self) -> list[Started]:
        """Starts that ended since the last call."""
        with suppress(BlockingIOError):
            os.read(self.wake_fd, 4096)
        found = []
        while not self._results.empty():
            found.append(self._results.get())
            self.starting.pop(found[-1].name, None)
            if found[-1].pid is not None:
                self._limit_s = START_LIMIT_S
        return found

    def replace_stuck_server(self) -> bool:
        """Kill the fork server if a start takes longer than its limit: the next start makes a new one."""
        now_s = self._clock.monotonic_s()
        stuck = [name for name, began_s in self.starting.items() if now_s - began_s > self._limit_s]
        if not stuck:
            return False
        pid = server_pid()
        log.error("fork_server_stuck", actors=" ".join(stuck), pid=pid, after_s=self._limit_s)
        self._limit_s = min(LONGEST_LIMIT_S, max(FIRST_LIMIT_S, 2 * self._limit_s))
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for name in stuck:
            self.starting[name] = now_s
        return True


def server_pid() -> int | None:
    """Process id of this process's fork server, None before the first start."""
    pid: int | None = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return pid


def child_main(name: str, asked_s: float, asked_by: int, suspect: Blame) -> None:
    """The whole life of a started actor, in its own process; ends the process. `asked_s`: when it was asked for.

    `suspect`: what it had in hand may be what ended its last process. A start that a slow fork server brings about
    after the one who asked has ended (`asked_by`, its pid) is not wanted any more: nobody would end that process.
    """
    birth = Birth(asked_s, frozenset(sys.modules), suspect)
    if start_time(asked_by) < 0:
        os._exit(0)
    try:
        settings = load()
        detach(settings, name)
        code = run_actor(load_actor(name), settings, ALL, birth=birth)
    except CatalystError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.stderr.flush()
        code = error.exit_code
    os._exit(code)  # an exit never waits for a thread


def own_process(name: str) -> None:
    """Title and signals of an actor that runs in the foreground: it ends by SIGTERM, or by Ctrl-C."""
    import setproctitle

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    setproctitle.setproctitle(f"catalyst: {name}")


def detach(settings: Settings, name: str) -> None:
    """Cut what ties the actor to its supervisor, so that the supervisor's death stops nothing.

    The fork server and multiprocessing's resource tracker live as long as somebody holds their pipes; actors must not.
    Ctrl-C in the terminal and its closing are the supervisor's business. A dead supervisor's pipe would break every
    print, so standard output and error go to the actor's own log.
    """
    import setproctitle

    for fd in (multiprocessing.forkserver._forkserver._forkserver_alive_fd,  # type: ignore[attr-defined]
               multiprocessing.resource_tracker._resource_tracker._fd):
        if isinstance(fd, int):
            with suppress(OSError):
                os.close(fd)
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        settings.log_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        output = os.open(settings.log_folder / f"{name}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:  # a full disk; what else is wrong there the start finds out, and says
        output = os.open(os.devnull, os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    os.close(nothing)
    setproctitle.setproctitle(f"catalyst: {name}")
