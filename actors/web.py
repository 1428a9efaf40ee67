"""web: the page for people, health and metrics for machines; read-only, on loopback.

It listens to the beats and asks the actors over their control sockets, shortly and rarely. Its end affects nobody.

receives  nothing
sends     nothing
stores    nothing
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from catalyst import log
from catalyst.runtime.beats import Beats
from catalyst.runtime.contract import Actor, Every, Loop, Output
from catalyst.runtime.control import Control
from catalyst.runtime.places import Places
from catalyst.runtime.roster import ALL
from catalyst.web.facts import Facts
from catalyst.web.pulse import Pulse
from catalyst.web.routes import Routes
from catalyst.web.server import Server


class Web(Actor):
    """The loop hears the beats; the server's threads answer readers."""

    name = "web"
    niceness = 5
    inbox = ()
    outbox = ()
    every = (Every("open_page", 5.0, at_start=True),)
    listens_to: ClassVar[tuple[str, ...]] = ALL

    def attach(self, loop: Loop) -> None:
        """Listen to everybody's beats and prepare the page."""
        self._places = Places.of(self.settings)
        self._beats = Beats(self._places, self.listens_to)
        self._pulse = Pulse(self.settings.database_folder, self.clock, self._places.remote)
        self._facts = Facts(self.settings, Control(self._places), self._pulse, self.clock)
        self._routes = Routes(self._facts, self.clock)
        self._server: Server | None = None
        self._port = 0  # on which it listens, 0: on none
        self._why_not = ""
        loop.watch(self._beats.socket, "beats")

    def beats(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Heartbeats came."""
        for beat in self._beats.read():
            self._pulse.hear(beat)
        return iter(())

    def open_page(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Serve the page, as soon as the port can be had."""
        if self._server is None:
            self._open()
        return iter(())

    def _open(self) -> None:
        server = Server(self._routes, self.clock)
        try:
            self._port = server.open(self.settings.web_port)
        except OSError as error:
            if self._why_not != error.strerror:
                log.error("port_taken", port=self.settings.web_port, reason=error.strerror)
            self._why_not = error.strerror or "unknown"
            return
        self._server, self._why_not = server, ""
        log.info("page_opened", url=self._url())

    def _url(self) -> str | None:
        return f"http://127.0.0.1:{self._port}/" if self._server is not None else None

    def on_reload(self) -> None:
        """Another port or zone takes effect at once."""
        before, self._facts.settings = self._facts.settings, self.settings
        if before.web_port != self.settings.web_port:
            self._close()
            self._open()

    def before_drain(self) -> None:
        """Let go of the port."""
        self._close()

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server, self._port = None, 0

    def statistics(self) -> Mapping[str, float]:
        """What the server counts, and whether the port is somebody else's."""
        served = self._server.statistics() if self._server is not None else {}
        return {**self.counters.values, **served, "port_taken": int(bool(self._why_not))}

    def verb_address(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Where the page is: `{"url": text | null, "reason": text | null}`."""
        return {"url": self._url(), "reason": self._why_not or None}
