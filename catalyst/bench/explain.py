"""How long `catalyst explain` takes with 100,000 items in the stores of fetcher, classifier, market and tracker.

The actors are real processes; only their rows are made up. Timed are the command in a process that is warm, and the
command as a person types it, with the start of the interpreter. The yardstick is a loop in plain Python, so that the
figures of two machines can be compared.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from catalyst import cli
from catalyst.bench.measure import Report, progress
from catalyst.clock import SystemClock
from catalyst.core.naming import words_of
from catalyst.runtime.control import Control
from catalyst.runtime.roster import load_actor
from catalyst.runtime.store import Store
from catalyst.settings import Settings, defaults, export, inherited
from catalyst.testing import wait_until
from catalyst.world.companies import Company, company_list, make_companies

ITEMS, QUICK_ITEMS = 100_000, 20_000
SPAN_MS = 6 * 86_400_000
OWN = 300           # items of the asked company: more than an answer tells of
AIM_MS = 300
YARD = 2_000_000    # turns of the yardstick's loop; an ordinary core takes about 60 ms for them
ACTORS = ("fetcher", "classifier", "market", "tracker")
VERBS = ("Announces Pricing of Public Offering", "Receives FDA Approval for Its Lead Candidate", "Names New CFO",
         "Reports Third Quarter 2026 Financial Results", "to Present at Healthcare Conference", "Wins Contract Award",
         "Opens an Office in the Northern Region", "Announces Closing of Private Placement")
REASONS = (None, None, "low_score", "no_catalyst", "noise:conference", "no_ticker", "backlog", "price_ceiling")


def run(*, quick: bool) -> Report:
    """Milliseconds of the answer over an hour and over all that is stored."""
    items, times = (QUICK_ITEMS, 5) if quick else (ITEMS, 20)
    with tempfile.TemporaryDirectory(prefix="cat-") as folder:
        settings = defaults(home=Path(folder))
        firms = make_companies(Random(1), 400)  # noqa: S311 - names
        _fill(settings, firms, items)
        system = _up(settings)
        try:
            with Control(settings.run_folder) as control:
                wait_until(lambda: len(control.ask_all(ACTORS, "ping", 0.5)) == len(ACTORS), 60, "all actors answer")
            report = Report(f"explain: {items:,} items stored, {OWN} of them the ticker's")
            for span in ("1h", "7d"):
                _measure(report, settings, firms[0].ticker, span, times)
        finally:
            system.terminate()
            system.wait(15)
    report.notes.append(f"yardstick: {YARD:,} turns of a plain loop; the figures are those of this machine")
    return report


def _measure(report: Report, settings: Settings, ticker: str, span: str, times: int) -> None:
    """Ask `times` times in this process, and a few times as a person does."""
    export({"CATALYST_HOME": str(settings.home)})
    words = ["explain", "--ticker", ticker, "--since", span, "--json"]
    took, cpu, yard = [], [], []
    for number in range(times + 1):
        began, busy = time.perf_counter(), time.process_time()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = cli.main(words)
        if number:  # the first one imports
            took.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - busy) * 1000)
            yard.append(_yardstick_ms())
        found = json.loads(out.getvalue())
        assert code == 0
        assert found["items"]
        assert not found["silent"]
    progress(f"explain: since {span}, {len(found['items'])} items, {found['counts']}")
    typed, children = [], []
    for _ in range(3):
        began, busy = time.perf_counter(), _children_s()
        subprocess.run([sys.executable, "-m", "catalyst", *words], check=True, capture_output=True,  # noqa: S603
                       env=inherited() | {"CATALYST_HOME": str(settings.home)})
        typed.append((time.perf_counter() - began) * 1000)
        children.append((_children_s() - busy) * 1000)
    took.sort()
    report.add({f"since {span}, p50": took[len(took) // 2], f"since {span}, p95": took[int(len(took) * 0.95)],
                f"since {span}, CPU of the command": sorted(cpu)[len(cpu) // 2],
                f"since {span}, as typed": sorted(typed)[1], f"since {span}, as typed, CPU": sorted(children)[1],
                f"since {span}, yardstick": sorted(yard)[len(yard) // 2], f"since {span}, aim": AIM_MS}, "ms")
    report.ratio(f"aim {span}", f"since {span}, aim", f"since {span}, p95", 1)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _yardstick_ms() -> float:
    began, total = time.process_time(), 0
    for number in range(YARD):
        total += number & 3
    return (time.process_time() - began) * 1000


def _up(settings: Settings) -> subprocess.Popen[bytes]:
    (settings.home / "sources.toml").write_text("")
    environment = {"CATALYST_HOME": str(settings.home), "CATALYST_ACTORS": ",".join(ACTORS),
                   "CATALYST_SOURCES": str(settings.home / "sources.toml")}
    return subprocess.Popen([sys.executable, "-m", "catalyst", "up"], stderr=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, cwd=settings.home, start_new_session=True,
                            env=inherited() | environment)


def _fill(settings: Settings, firms: list[Company], items: int) -> None:
    """Rows as the actors write them, the newest of this minute."""
    random, now_ms = Random(2), SystemClock().now_ms()  # noqa: S311 - rows
    (settings.home / "companies.json").write_text(company_list(firms))
    rows: list[tuple[str, str, str, int, str | None]] = []
    for number in range(items):
        firm = firms[0] if number % (items // OWN) == 0 else random.choice(firms[1:])
        reason = random.choice(REASONS)
        mark = "" if reason == "no_ticker" else f" ({firm.exchange}: {firm.ticker})"
        rows.append((f"{number:020x}", firm.ticker, f"{firm.name}{mark} {random.choice(VERBS)} {number}",
                     now_ms - SPAN_MS * number // items, reason))
    for name, fill in (("fetcher", _stories), ("classifier", _decisions), ("market", _prices), ("tracker", _fates)):
        progress(f"explain: {items:,} items for the {name}")
        store = Store(load_actor(name), settings)
        try:
            with store.transaction() as db:
                fill(db, rows)
        finally:
            store.close()


def _stories(db: Any, rows: list[tuple[str, str, str, int, str | None]]) -> None:
    db.executemany("INSERT INTO stories(item_id, source, title, link, published_ms, seen_ms, fate, signature, lead,"
                   " digest, symbols) VALUES(?, 'wire', ?, ?, ?, ?, 'sent', '', '', '', '[]')",
                   [(item, title, f"https://wire.example/{item}", at_ms, at_ms) for item, _, title, at_ms, _ in rows])
    db.executemany("INSERT INTO words(word, seen_ms, item_id) VALUES(?, ?, ?)", sorted(
        (word, at_ms, item) for item, _, title, at_ms, _ in rows for word in words_of(title)))


def _decisions(db: Any, rows: list[tuple[str, str, str, int, str | None]]) -> None:
    place = ["title", 20, 56]
    evidence = json.dumps({"tickers": [{"ticker": "X", "how": "tag", "evidence": "Nasdaq: X", "words": [place]}] * 2,
                           "kinds": [["offering_pricing", "Announces Pricing of Public Offering", [place]]] * 2,
                           "parts": [["lead", 0.75, "offering_pricing: Announces Pricing of an Offering", [0]]] * 3})
    db.executemany(
        "INSERT INTO decisions(item_id, ticker, role, decision, reason, kinds, direction, score, sentiment, why,"
        " evidence, rules, at_ms) VALUES(?, ?, 'primary', ?, ?, '[\"offering_pricing\"]', 'down', 0.75, -0.2, 'why', ?,"
        " '00000000', ?)", [
            (item, "" if reason == "no_ticker" else ticker, "alert" if reason in (None, "price_ceiling") else "drop",
             None if reason == "price_ceiling" else reason, evidence, at_ms)
            for item, ticker, _, at_ms, reason in rows if reason != "backlog"])


def _prices(db: Any, rows: list[tuple[str, str, str, int, str | None]]) -> None:
    db.executemany("INSERT INTO decisions(item_id, ticker, reason, price_usd, faults, at_ms)"
                   " VALUES(?, ?, ?, 4.2, '', ?)",
                   [(item, ticker, reason, at_ms) for item, ticker, _, at_ms, reason in rows
                    if reason in (None, "price_ceiling")])


def _fates(db: Any, rows: list[tuple[str, str, str, int, str | None]]) -> None:
    stages = {None: "alerter", "backlog": "fetcher", "price_ceiling": "market"}
    db.executemany(
        "INSERT INTO fates(item_id, ticker, fate, reason, stage, kinds, score, alert_id, price_usd, at_ms)"
        " VALUES(?, ?, ?, ?, ?, '[]', 0.75, ?, 4.2, ?)", [
            (item, "" if reason in ("backlog", "no_ticker") else ticker, "dropped" if reason else "alerted", reason,
             stages.get(reason, "classifier"), None if reason else item, at_ms)
            for item, ticker, _, at_ms, reason in rows])
