"""The life of one actor in this process, from the lock to the exit code."""

from __future__ import annotations

import os
from collections.abc import Iterable

from catalyst import log
from catalyst.clock import SystemClock
from catalyst.errors import CatalystError
from catalyst.runtime.contract import Actor
from catalyst.runtime.damage import noticing
from catalyst.runtime.ownership import Ownership
from catalyst.runtime.patience import Patience
from catalyst.runtime.process import Process
from catalyst.runtime.store import Store
from catalyst.runtime.turn import Birth
from catalyst.settings import Settings


def run_actor(cls: type[Actor], settings: Settings, senders: Iterable[str], *, foreground: bool = False,
              ownership: Ownership | None = None, birth: Birth | None = None) -> int:
    """Run an actor in this process to its end; the exit code. Used by `catalyst actor` and by the supervisor."""
    def open_log() -> None:
        log.configure(cls.name, settings.log_folder, settings.log_level, foreground=foreground)

    def open_store(owned: Ownership) -> Store:
        owned.note()
        return Store(cls, settings, ownership=owned, suspect=bool(suspect), clock=clock)

    os.nice(cls.niceness)  # its threads inherit it
    clock, suspect = SystemClock(), birth.suspect if birth is not None else ""
    patience = Patience(cls.name, settings.run_folder, clock, open_log)
    try:
        with noticing(settings.database_folder, cls.name):
            held = ownership = ownership or patience.keep_trying(lambda: Ownership(settings.database_folder, cls.name))
            store = patience.keep_trying(lambda: open_store(held))  # before the log: a refusal changes nothing
            open_log()
            if store.is_reborn:
                log.error("set_aside", folder=store.set_aside)
            if store.replaced is not None:
                log.warning("restored", before=str(store.replaced))
            process = Process(cls, settings, senders, store=store, clock=clock, patience=patience, suspect=suspect)
    except CatalystError as error:
        if not foreground:  # in the foreground the command says it, in one line
            log.configure(cls.name, settings.log_folder, settings.log_level)
            log.error("not_started", reason=str(error))
        if ownership is not None:
            ownership.release()
        raise
    try:
        with noticing(settings.database_folder, cls.name):
            process.run(birth)
    except Exception as error:  # the process's top: say why before the end, which the supervisor sees by itself
        log.error("crashed", exc_info=error)
        return 1
    return 0
