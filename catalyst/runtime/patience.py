"""A start on a full disk: the process waits inside it instead of dying of it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import zmq

from catalyst import log
from catalyst.clock import Clock
from catalyst.errors import CatalystError, StoreError
from catalyst.runtime.heartbeat import MOST_COMMANDS, Alone, Heartbeat
from catalyst.runtime.places import Places
from catalyst.runtime.progress import Progress
from catalyst.runtime.refusals import Refusals
from catalyst.runtime.storage import PAUSE_S, SAY_AGAIN_S

T = TypeVar("T")


class Patience:
    """Waits inside a start while the disk is full, beating meanwhile, so that the process is seen and left in peace.

    SIGTERM ends the process there and then, as nothing is open that would have to be closed.
    """

    def __init__(self, name: str, run_folder: Path, clock: Clock, open_log: Callable[[], None] | None = None):
        self._name = name
        self._open_log = open_log  # called before the first line; None: it is open
        self._run_folder = run_folder
        self._clock = clock
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._heartbeat: Heartbeat | None = None
        self._said_s = -SAY_AGAIN_S

    def keep_trying(self, attempt: Callable[[], T], again: Callable[[], object] | None = None) -> T:
        """What `attempt` gives, once the disk lets it; `again` goes before a further try. Raises all its other
        errors."""
        while True:
            try:
                return attempt()
            except StoreError as error:
                if error.kind != "full":
                    raise
                self._wait(error)
            if again is not None:
                again()

    def _wait(self, error: StoreError) -> None:
        now_s = self._clock.monotonic_s()
        if self._open_log is not None:
            self._open_log()
            self._open_log = None
        if now_s - self._said_s >= SAY_AGAIN_S:
            self._said_s = now_s
            log.error("start_waits_for_room", reason=str(error))
        if self._heartbeat is None:
            self._beat()
        time.sleep(PAUSE_S)
        for command in self._heartbeat.take(MOST_COMMANDS) if self._heartbeat is not None else ():
            self._heartbeat.answer(command, {"ok": False, "error": "it waits in its start: the disk is full"})

    def _beat(self) -> None:
        """Begin to beat, for this host; without room for the sockets either, the process waits unseen."""
        progress = Progress(self._clock)
        progress.snapshot = {"storage": "full", "waiting": 1, "inbox": 0, "outbox": 0, "oldest_unsent_s": 0.0,
                             "dead": 0}
        self._context = zmq.Context()
        try:
            self._heartbeat = Heartbeat(self._name, Places(self._run_folder),
                                        Alone(self._context, Refusals(self._clock)), progress, self._clock)
        except (CatalystError, zmq.ZMQError, OSError):
            self._context.destroy(linger=0)
            return
        self._heartbeat.start()

    def end(self) -> None:
        """The start goes on: its own heartbeat takes over."""
        if self._heartbeat is not None and self._context is not None:
            self._heartbeat.stop()
            self._context.destroy(linger=0)
            self._heartbeat = None
            log.warning("start_goes_on")
