"""The means to set the clock of processes: what moves, and that nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.chaos import clockwork
from catalyst.settings import inherited

LOOK = """
import json, select, sys, threading, time, zmq
def look(): return time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
print(json.dumps(look()), flush=True)
sys.stdin.readline()
print(json.dumps(look()), flush=True)
socket = zmq.Context().socket(zmq.PULL)
socket.bind("inproc://nobody")
poller = zmq.Poller()
poller.register(socket)
waits = (lambda: time.sleep(0.05), lambda: select.select((), (), (), 0.05), lambda: threading.Event().wait(0.05),
         lambda: poller.poll(50))
spans = []
for wait in waits:
    begun = time.monotonic()
    wait()
    spans.append(time.monotonic() - begun)
print(json.dumps(spans), flush=True)
"""


@pytest.mark.skipif(bool(clockwork.available()), reason=clockwork.available() or "the clock can be set")
@pytest.mark.parametrize("by_s", [3_600, -3_600, 172_800])
def test_the_wall_clock_moves_alone(tmp_path: Path, by_s: int) -> None:
    """A running process sees the jump at once; monotonic clocks, sleeps, locks, select and ZeroMQ are as before."""
    offset = tmp_path / "offset"
    process = subprocess.Popen([sys.executable, "-c", LOOK], env=inherited() | clockwork.environment(offset),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    before = json.loads(process.stdout.readline())
    assert clockwork.jump(offset, by_s) == by_s
    assert clockwork.jump(offset, 10) == by_s + 10
    after, spans = (json.loads(line) for line in process.communicate("\n", timeout=30)[0].splitlines())
    moved = [now - then for now, then in zip(after, before, strict=True)]
    assert by_s + 10 <= moved[0] < by_s + 40
    assert 0 <= moved[1] < 30
    assert moved[1] == pytest.approx(moved[2], abs=1)
    assert all(0.045 <= span < 20 for span in spans)


def test_where_it_cannot_be_set_there_is_a_reason() -> None:
    """Either there is a library or a sentence that says why not."""
    assert (clockwork.library() is None) == bool(clockwork.available())
