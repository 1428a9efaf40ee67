"""Broken on purpose: a receiver takes any message above the last one, not only the next; frames are lost."""

from __future__ import annotations

import runpy
from pathlib import Path

from catalyst.runtime import wire
from catalyst.runtime.links import Links

runpy.run_path(str(Path(__file__).with_name("lossy_bus.py")))


def take_above(self: Links, sender: str, frame: wire.Data) -> tuple[bool, bytes | None]:
    """Take what is newer than the last message, whatever lies between."""
    link = self.inn.get(sender)
    if link is None or link.link_epoch != frame.link_epoch or frame.seq <= link.last_seq:
        return False, None
    link.last_seq = frame.seq
    link.hash = wire.chain(link.hash, frame.id, frame.body)
    self._since += 1
    return True, None


Links.take = take_above  # type: ignore[method-assign]
