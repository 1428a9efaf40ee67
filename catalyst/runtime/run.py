"""The life of one actor in this process, from the lock to the exit code."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable

from catalyst import log
from catalyst.clock import SystemClock
from catalyst.errors import CatalystError, StoreError
from catalyst.runtime.contract import Actor
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.patience import Patience
from catalyst.runtime.process import Process
from catalyst.runtime.storage import kind_of, mark_suspect
from catalyst.runtime.store import Store, storage_failed
from catalyst.runtime.turn import Birth
from catalyst.settings import Settings


def run_actor(cls: type[Actor], settings: Settings, senders: Iterable[str], *, foreground: bool = False,
              ownership: Ownership | None = None, birth: Birth | None = None) -> int:
    """Run an actor in this process to its end; the exit code. Used by `catalyst actor` and by the supervisor."""
    def open_log() -> None:
        log.configure(cls.name, settings.log_folder, settings.log_level, foreground=foreground)

    os.nice(cls.niceness)  # its threads inherit it
    clock = SystemClock()
    patience = Patience(cls.name, settings.run_folder, clock, open_log)
    try:
        owned = ownership or patience.keep_trying(lambda: Ownership(settings.database_folder, cls.name))
        store = patience.keep_trying(lambda: _open(cls, settings, owned))  # before the log: a refusal changes nothing
        open_log()
        process = Process(cls, settings, senders, store=store, clock=clock, patience=patience,
                          suspect=birth is not None and birth.suspect)
    except CatalystError as error:
        if not foreground:  # in the foreground the command says it, in one line
            log.configure(cls.name, settings.log_folder, settings.log_level)
            log.error("not_started", reason=str(error))
        raise
    try:
        process.run(birth)
    except Exception as error:  # the process's top: say why before the end, which the supervisor sees by itself
        log.error("crashed", exc_info=error)
        kind = error.kind if isinstance(error, StoreError) else (
            kind_of(error, store.path.parent) if isinstance(error, sqlite3.Error) and storage_failed(error) else "")
        if kind in ("failing", "damaged"):
            mark_suspect(store.path, str(error), clock.now_ms())
        return 1
    return 0


def _open(cls: type[Actor], settings: Settings, ownership: Ownership) -> Store:
    ownership.note()
    return Store(cls, settings, ownership=ownership)
