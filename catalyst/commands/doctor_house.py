"""`catalyst doctor`, the house: who runs and answers, what waits, what is left behind, how the sources do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from catalyst.commands.doctor_check import Check, Examined, fail, ok, warn
from catalyst.commands.output import megabytes, seconds
from catalyst.commands.sources import state
from catalyst.commands.status import closed_words
from catalyst.runtime.aside import FOLDER
from catalyst.runtime.ownership import living_owner
from catalyst.runtime.roster import ALL, SUPERVISOR, WORKERS

BEAT_S = 3.0  # three beats: what the supervisor calls silent
UNSENT_S = 60.0
WAL_BYTES = 200_000_000
LOG_BYTES = 2_000_000_000
RESTARTS = 3
ENDINGS = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock", ".id", ".id-new", ".suspect")
REPLACED = re.compile(rf"({'|'.join(ALL)})\.replaced-[0-9]+\.db(-wal|-shm|-journal)?")  # by a restore


def supervisor(about: Examined) -> Iterator[Check]:
    """Who starts the others."""
    if SUPERVISOR in about.heard.alive:
        if about.heard.children is None:
            yield fail("supervisor", "runs and does not answer", "catalyst stacks supervisor; then kill -9 its pid:"
                                                                 " the actors go on, supervisord starts a new one")
        else:
            yield ok("supervisor", "runs and answers")
    elif about.heard.alive:
        yield fail("supervisor", "does not run: nobody starts an actor that dies", "supervisorctl -c supervisor.conf"
                                                                                   " start catalyst")
    else:
        yield warn("supervisor", "nothing runs", "scripts/run")


def actors(about: Examined) -> Iterator[Check]:
    """Each actor that is meant to run: it runs, it answers, its last beat is young."""
    heard = about.heard
    meant = [name for name in WORKERS if not about.settings.actors or name in about.settings.actors]
    for name in meant if heard.children is None else heard.children:
        child = (heard.children or {}).get(name, {})
        if name not in heard.alive:
            if heard.alive:
                yield _absent(name, child)
            continue
        status = heard.status.get(name)
        if status is None:
            yield fail(f"actor {name}", f"pid {child.get('pid')} does not answer",
                       f"catalyst stacks {name}, then catalyst restart {name}, or kill -9")
            continue
        age_s = child.get("beat_age_s")
        said = f"{status['state']} as pid {status['pid']}" + (f", beat {seconds(age_s)} ago" if age_s is not None else
                                                              "")
        if storage := status.get("storage"):
            yield fail(f"actor {name}", f"{said}; its disk is {storage}", "make room: all goes on by itself" if
                       storage == "full" else f"catalyst logs {name}; look at the disk")
        elif 0 < status["current_limit_s"] < status["current_age_s"]:
            yield fail(f"actor {name}", f"{said}; {status['current']} is over its limit", f"catalyst stacks {name}")
        elif age_s is not None and age_s > BEAT_S:
            yield warn(f"actor {name}", said, f"catalyst stacks {name}; is the machine overloaded?")
        else:
            yield ok(f"actor {name}", said)


def _absent(name: str, child: dict[str, Any]) -> Check:
    if child and not child.get("wanted", True):
        return warn(f"actor {name}", "was drained by a person", f"catalyst restart {name} starts it")
    where = f" ({child['state']}, {child.get('restarts', 0)} restarts)" if child else ""
    return fail(f"actor {name}", f"does not run{where}", f"catalyst logs {name} -n 50; catalyst restart {name}")


def restarts(about: Examined) -> Iterator[Check]:
    """Deaths of the last hour that nobody asked for."""
    if about.heard.restarts is None or not about.heard.restarts.get("ok"):
        return
    often = {name: count for name, count in about.heard.restarts["rows"] if count > RESTARTS}
    for name, count in often.items():
        yield warn(f"restarts {name}", f"{count} deaths in an hour", f"catalyst logs {name} --level error")
    if not often:
        yield ok("restarts", f"{sum(count for _, count in about.heard.restarts['rows'])} deaths in an hour")


def letters(about: Examined) -> Iterator[Check]:
    """Dead letters, messages that wait too long, the backlog, links that had to be settled."""
    answers = about.heard.status
    if not answers:
        return
    dead = {name: answer["dead"] for name, answer in answers.items() if answer.get("dead")}
    for name, count in dead.items():
        yield warn("dead letters", f"{name} has {count}", f"catalyst dead list --actor {name}; then retry or drop")
    if not dead:
        yield ok("dead letters", "none")
    late = {name: answer["oldest_unsent_s"] for name, answer in answers.items()
            if (answer.get("oldest_unsent_s") or 0) > UNSENT_S}
    for name, age_s in late.items():
        yield warn("unsent", f"a message of {name} waits since {seconds(age_s)}", "its receiver does not run or is"
                                                                                  " stuck: catalyst status")
    if not late:
        yield ok("unsent", f"nothing waits for longer than {UNSENT_S:g} s")
    waiting = sum((answer.get("inbox") or 0) + (answer.get("outbox") or 0) for answer in answers.values())
    if waiting > about.settings.backlog_limit // 2:
        yield warn("backlog", f"{waiting} wait; at {about.settings.backlog_limit} the fetcher pauses", "catalyst top"
                                                                                " shows where")
    else:
        yield ok("backlog", f"{waiting} wait")
    if count := sum(answer.get("mismatches") or 0 for answer in answers.values()):
        yield warn("links", f"{count} mismatches were settled since the start", "expected after a restore; else"
                                                                               " catalyst logs --level warning")
    else:
        yield ok("links", "no mismatch since the start")


def schemas(about: Examined) -> Iterator[Check]:
    """The databases have the schema of this version; asked of the actors that run."""
    from catalyst.runtime.roster import load_actor
    from catalyst.runtime.schema import RUNTIME_STEPS

    wrong = []
    for name, answer in about.heard.versions.items():
        if not answer.get("ok") or name not in ALL:
            continue
        found, known = answer["rows"][0][0], len(RUNTIME_STEPS) * 1000 + len(load_actor(name).tables)
        if found != known:
            wrong.append(name)
            yield warn("schema", f"{name} runs with schema {found}, this version has {known}",
                       f"it runs an older version: catalyst restart {name}")
    if about.heard.versions and not wrong:
        yield ok("schema", f"{len(about.heard.versions)} databases are of this version")


def files(about: Examined) -> Iterator[Check]:
    """The folder of the databases: what is there, whose it is, how large the write-ahead logs are."""
    folder: Path = about.settings.database_folder
    found = sorted(path for path in folder.iterdir()) if folder.is_dir() else []
    ours = {FOLDER} | {f"{name}{ending}" for name in ALL for ending in ENDINGS}
    replaced = [path for path in found if REPLACED.fullmatch(path.name)]
    if replaced:
        size = megabytes(sum(path.stat().st_size for path in replaced))
        yield ok("restored", f"{len(replaced)} files of before a restore, {size}, may be deleted: *.replaced-*")
    for path in found:
        if path.name not in ours and path not in replaced:
            yield warn("databases", f"{path.name} belongs to no actor here", f"move it away from {folder} unless it"
                                                                              " was set aside on purpose")
    aside = sorted(path.name for path in (folder / FOLDER).glob("*"))
    if aside:
        yield warn("databases", f"set aside as damaged: {', '.join(aside)}",
                   f"look after the disk; what is in {folder / FOLDER} may be deleted")
    there = {path.name for path in found}
    gone = [name for name in about.heard.alive if f"{name}.db" not in there]
    for name in gone:
        yield fail("databases", f"{name} runs and its file is gone",
                   f"catalyst restart {name} begins a new one; what it had not sent is lost")
    count = sum(name.endswith(".db") for name in there & ours)
    if not gone:
        yield ok("databases", f"{count} in {folder}" if count else "none yet")
    large = [path for path in found if path.name.endswith(".db-wal") and path.stat().st_size > WAL_BYTES]
    for path in large:
        yield warn("write-ahead logs", f"{path.name} has {megabytes(path.stat().st_size)}",
                   f"catalyst restart {path.name.removesuffix('.db-wal')} writes it back")
    if not large:
        total = sum(path.stat().st_size for path in found if path.name.endswith(".db-wal"))
        yield ok("write-ahead logs", megabytes(total))


def locks(about: Examined) -> Iterator[Check]:
    """Lock files: held by a living process, or left behind by a kill."""
    folder: Path = about.settings.database_folder
    left, held = [], []
    for path in sorted(folder.glob("*.lock")) if folder.is_dir() else []:
        owner = living_owner(folder, path.stem)
        if owner is None:
            left.append(path.stem)
        else:
            held.append(f"{path.stem} {owner.pid}")
    if left:
        yield warn("locks", f"left by a process that is gone: {', '.join(left)}",
                   "nothing to do: the next start of the actor takes it over")
    yield ok("locks", f"held: {', '.join(held)}" if held else "none held")


def logs(about: Examined) -> Iterator[Check]:
    """The size of the logs."""
    folder: Path = about.settings.log_folder
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if folder.is_dir() else 0
    if size > LOG_BYTES:
        yield warn("logs", f"{megabytes(size)} in {folder}", "old ones may be deleted; catalyst log-level NAME info")
    else:
        yield ok("logs", megabytes(size))


def feeds(about: Examined) -> Iterator[Check]:
    """The sources as the fetcher knows them, and whether it is paused."""
    answer = about.heard.sources
    if answer is None or not answer.get("ok"):
        return
    states = {row["name"]: state(row) for row in answer["sources"]
              if row["enabled"] and not row.get("no_key")}  # the set-up's checks name a key that is missing
    for name in (name for name, word in states.items() if word == "outage"):
        yield warn(f"source {name}", "gives nothing", "catalyst sources --check; enabled = false silences it")
    words = {word: list(states.values()).count(word) for word in dict.fromkeys(states.values())}
    said = ", ".join(f"{count} {word}" for word, count in words.items()) or "none"
    if states and not words.get("ok"):
        yield fail("sources", said, "is the network up? catalyst sources --check")
    else:
        yield ok("sources", said)
    if answer["paused_by"]:
        who, advice = {"person": ("a person", "catalyst resume"), "storage": ("the disk", "make room on it")}.get(
            answer["paused_by"], ("the backlog", "catalyst top shows what is slow"))
        yield warn("pause", f"polling is paused by {who}", advice)


def closed_sinks(about: Examined) -> Iterator[Check]:
    """Sinks that the alerter uses no more."""
    answer = about.heard.sinks
    if answer is None or not answer.get("ok"):
        return
    for row in answer["closed"]:
        yield fail(f"sink {row['sink']}", closed_words(row),
                   f"catalyst send-test {row['sink']} opens it if it is good; else a new address, then catalyst reload")
    if not answer["closed"]:
        yield ok("closed sinks", "none")


CHECKS: tuple[Callable[[Examined], Iterator[Check]], ...] = (
    supervisor, actors, restarts, letters, schemas, files, locks, logs, feeds, closed_sinks)
