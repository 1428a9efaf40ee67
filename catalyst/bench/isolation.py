"""Whether trouble in one actor slows the alerts: seen -> request begun while the charter or the page is in trouble.

One house, one day, one item after the other; each phase brings another trouble, and one without any begins and ends the
series, so that what changes with time alone shows in both. The ratio is that of the quiet phases together to the phase
with trouble, by medians and by the slowest tenth.
"""

from __future__ import annotations

import json
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from catalyst.bench.house import House
from catalyst.bench.measure import Report, progress
from catalyst.clock import from_iso
from catalyst.testing import wait_until

VICTIMS = ("charter", "web")
ROOM_BYTES = 2_000_000  # of address space that a limited process may still take: less than one picture needs
KILL_EVERY_S = 2.0
ITEMS_PER_S = 2
WINDOW = 40  # entries that a feed shows at most, as many as the wires' own: a poll then costs the same all day


def run(*, quick: bool) -> Report:
    """Milliseconds from seen to sent in each phase."""
    phase_s = 15.0 if quick else 60.0
    phases = [("calm", "", calm), *((f"{victim} {name}", victim, trouble) for victim in VICTIMS
                                    for name, trouble in (("stopped", stopped), ("killed", killed),
                                                          ("limited", limited))), ("calm", "", calm)]
    span_s = (phase_s + 6) * len(phases) + 10
    with tempfile.TemporaryDirectory(prefix="cat-") as folder, House(
            Path(folder), items=round(span_s * ITEMS_PER_S), duration_s=span_s, every_s=0.2,
            window=WINDOW) as house:
        house.open_world()
        house.up()
        moments: dict[str, list[tuple[float, float]]] = {}
        for name, victim, trouble in phases:
            progress(f"isolation: {name}, {phase_s:.0f} s")
            with trouble(house, victim) as step:
                began_ms = time.time() * 1000
                spend(phase_s, step)
                moments.setdefault(name, []).append((began_ms, time.time() * 1000))
            wait_until(house.all_running, 30, f"all running after {name}")
        house.wait_until_settled(120)
        bodies = [json.loads(event["body"]) for event in house.sent()["events"]]
        charts = house.status()
    report = Report("isolation: seen -> request begun, while another actor is in trouble")
    for name, spans in moments.items():
        each = [sorted(from_iso(body["sent"]) - from_iso(body["seen"]) for body in bodies
                       if body["event"] == "alert" and began_ms <= from_iso(body["seen"]) <= ended_ms)
                for began_ms, ended_ms in spans]
        waits = sorted(wait for found in each for wait in found)
        report.add({f"{name} p50": _at(waits, 0.5), f"{name} p90": _at(waits, 0.9)}, "ms")
        report.notes.append(f"{name}: {len(waits)} alerts, longest {waits[-1]} ms" + "".join(
            f"; {_at(found, 0.5)}/{_at(found, 0.9)}" for found in each if len(each) > 1))
        if name != "calm":
            report.ratio(f"{name} p50", "calm p50", f"{name} p50", 0.8)
            report.ratio(f"{name} p90", "calm p90", f"{name} p90", 0.5)
    report.notes.append(f"idle at the end: {charts['idle']}")
    return report


def _at(waits: list[int], share: float) -> int:
    """The wait that `share` of the sorted `waits` stay under."""
    return waits[int(len(waits) * share)]


def spend(span_s: float, step: Callable[[], object]) -> None:
    """Let `span_s` pass; `step` is called each KILL_EVERY_S."""
    end_s = time.monotonic() + span_s
    while (left_s := end_s - time.monotonic()) > 0:
        time.sleep(min(KILL_EVERY_S, left_s))
        step()


@contextmanager
def calm(house: House, victim: str) -> Iterator[Callable[[], object]]:
    """No trouble."""
    yield lambda: None


@contextmanager
def stopped(house: House, victim: str) -> Iterator[Callable[[], object]]:
    """The actor is stopped (SIGSTOP) and goes on afterwards; whoever stands in for it is stopped too."""
    try:
        house.kill(victim, signal.SIGSTOP)
        yield lambda: house.kill(victim, signal.SIGSTOP)
    finally:
        house.kill(victim, signal.SIGCONT)


@contextmanager
def killed(house: House, victim: str) -> Iterator[Callable[[], object]]:
    """The actor is killed again and again."""
    house.kill(victim)
    yield lambda: house.kill(victim)


@contextmanager
def limited(house: House, victim: str) -> Iterator[Callable[[], object]]:
    """The actor gets hardly any more memory; also the one that follows it when it dies of that."""
    bound: set[int] = set()  # a limit is set once: only the machine's owner may raise it again

    def limit() -> None:
        if (pid := house.pid(victim)) is not None and pid not in bound:
            bound.add(pid)
            with suppress(psutil.Error, ProcessLookupError):
                most = psutil.Process(pid).memory_info().vms + ROOM_BYTES
                resource.prlimit(pid, resource.RLIMIT_AS, (most, most))

    limit()
    yield limit
    house.kill(victim)
