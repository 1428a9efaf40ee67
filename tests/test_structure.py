"""The shape of the code: which part may import what, and what may stand nowhere. Read from the syntax trees."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from catalyst.runtime.contract import Actor, compare_header, header_contract
from catalyst.runtime.roster import ALL, load_actor

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = sorted([*ROOT.glob("catalyst/**/*.py"), *ROOT.glob("actors/*.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))
SCRIPTS = sorted(path for path in ROOT.glob("scripts/*") if path.is_file()
                 and path.read_text(errors="replace").splitlines()[:1] == ["#!/usr/bin/env python3"])

# What stands in the root folder, hidden names apart. A new name is added here on purpose or not at all.
IN_ROOT = {"README.md", "CHANGELOG.md", "LICENSE", "setup.cfg", "pyproject.toml", "supervisor.conf", "actors",
           "catalyst", "docs", "scripts", "tests"}
MADE = {"catalyst.egg-info", "build", "var", "__pycache__"}  # ignored by git

# Parsing and mathematics: what core may use beside the standard library.
CORE_PACKAGES = {"msgspec", "msgpack", "fastfeedparser", "feedparser", "selectolax", "lxml", "ahocorasick_rs",
                 "rapidfuzz", "holidays", "PIL"}
CORE_FORBIDDEN = {"socket", "ssl", "http", "urllib.request", "sqlite3", "subprocess", "threading", "multiprocessing",
                  "asyncio", "logging", "time", "random", "secrets", "os", "shutil", "tempfile", "signal", "zmq",
                  "requests"}
HEAVY = {"numpy", "pandas", "matplotlib", "mplfinance"}
HEAVY_PEERS = {"catalyst/bench/chart.py"}  # where installed, as peers, inside the functions that measure them

TOP = {"catalyst/commands", "catalyst/bench", "catalyst/chaos", "catalyst/evaluate", "catalyst/__main__.py",
       "catalyst/cli.py", "catalyst/top.py"}

# First name of an import inside the project -> folders that may import it; what is not named may be imported by all.
ALLOWED = {
    "catalyst.bench": {"catalyst/chaos", *TOP},
    "catalyst.evaluate": {"catalyst/evaluate"},
    "catalyst.chaos": {"catalyst/chaos", "catalyst/commands"},
    "catalyst.commands": {"catalyst/commands", "catalyst/__main__.py", "catalyst/cli.py"},
    "catalyst.world": {"catalyst/world", *TOP},
    "catalyst.testing": {"catalyst/bench", "catalyst/chaos"},
    "catalyst.runtime": {"catalyst/runtime", "catalyst/testing.py", "catalyst/web", "actors", *TOP},
    "catalyst.web": {"catalyst/web", "actors", *TOP},
    "catalyst.books": {"catalyst/books", "actors", *TOP},  # rows behind an actor: SQL and what belongs to it
    "catalyst.clients": {"catalyst/clients", "catalyst/runtime", "catalyst/books", "catalyst/world", "actors", *TOP},
    "catalyst.settings": {"catalyst/settings.py", "catalyst/clients", "catalyst/runtime", "catalyst/books",
                          "catalyst/testing.py", "catalyst/web", "catalyst/world", "actors", *TOP},
    "actors": {"actors"},
    "tests": set(),
}

# Actors that receive, send and store nothing.
ONLY_ASKS = {"web"}

# Where every exception is caught: file -> how often, and why.
CATCH_ALL = {
    "catalyst/clients/notify.py": (1, "a defect in apprise is the job's failure, not that of the thread it works in"),
    "catalyst/runtime/engine.py": (3, "a defect in a handler, a result or a timer concerns one message, job or tick"),
    "catalyst/runtime/jobs.py": (1, "a defect in the work is the job's failure, not the thread's end"),
    "catalyst/runtime/verbs.py": (1, "what somebody asks must not end the actor"),
    "catalyst/web/server.py": (1, "a defect of one page is that page's alone"),
    "catalyst/runtime/run.py": (1, "the top of the process: say why before the end"),
}

# What opens a connection over TCP or fetches an address, and where it may stand: file -> why.
OPENERS = ("urlopen", "urlretrieve", "create_connection", "open_connection", "HTTPConnection", "HTTPSConnection",
           "PoolManager", "ProxyManager", "build_opener", "getaddrinfo")
NET_MODULES = ("requests", "httpx", "aiohttp", "ftplib", "smtplib", "telnetlib", "urllib3", "http.client",
               "urllib.request")
NET_PLACES = {
    "catalyst/clients/http.py": "the one way out",
    "catalyst/clients/kept.py": "the connections of the one way out",
    "catalyst/clients/dial.py": "the sockets of the one way out",
    "catalyst/clients/sinks.py": "urllib3's writer of multipart bodies, which opens nothing",
    "catalyst/runtime/preload.py": "imports what actors need before they are forked",
    "catalyst/bench": "asks our own world on loopback",
    "catalyst/chaos": "asks our own world on loopback",
}

# Test files in which a server on loopback is slow on purpose; nothing else may sleep.
SLOW_SERVERS = {"tests/clients/test_http.py"}

# Names of modules' containers that are changed while the program runs. UPGRADES is filled where a message changes.
REGISTRIES = {("catalyst/packing.py", "UPGRADES")}
CHANGES = {"append", "add", "update", "setdefault", "pop", "clear", "extend", "insert", "remove", "discard", "popitem"}


def relative(path: Path) -> str:
    """The path from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, however deep inside, with the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno} imports relatively"
            yield node.module or "", node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def within(path: Path, places: set[str]) -> bool:
    """Whether a file is one of `places` or inside one."""
    name = relative(path)
    return any(name == place or name.startswith(f"{place}/") for place in places)


def is_or_in(module: str, package: str) -> bool:
    """Whether a module is a package or inside it."""
    return module == package or module.startswith(f"{package}.")


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted names of everything that a file calls."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def each(paths: list[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Run a rule over all files and report every fault, not only the first."""
    def decorate(rule: Callable[[Path], None]) -> Callable[[], None]:
        def run() -> None:
            faults = []
            for path in paths:
                try:
                    rule(path)
                except AssertionError as error:
                    faults.append(str(error).splitlines()[0])
            assert not faults, "\n".join(faults)

        run.__name__, run.__doc__ = rule.__name__, rule.__doc__
        return run

    return decorate


def test_there_is_something_to_look_at() -> None:
    """The lists of files are not empty, so the other tests cannot pass by finding nothing."""
    assert len(PROGRAM) > 30
    assert len(TESTS) > 10


@each(PROGRAM)
def test_imports_point_downwards(path: Path) -> None:
    """actors -> runtime, clients, core; clients -> core; only the command line imports the commands."""
    for module, line in imports(path):
        for package, places in ALLOWED.items():
            if is_or_in(module, package):
                assert within(path, places), f"{relative(path)}:{line} imports {module}"


@each([path for path in PROGRAM if within(path, {"catalyst/core"})])
def test_core_is_pure(path: Path) -> None:
    """core imports the standard library without its outside world, parsing packages, and four modules of ours."""
    ours = {"catalyst", "catalyst.core", "catalyst.errors", "catalyst.messages", "catalyst.clock"}
    for module, line in imports(path):
        top = module.split(".")[0]
        where = f"{relative(path)}:{line} imports {module}"
        assert not any(is_or_in(module, name) for name in CORE_FORBIDDEN), where
        assert (top in sys.stdlib_module_names or top in CORE_PACKAGES
                or any(is_or_in(module, name) for name in ours - {"catalyst"})), where
    for name, line in calls(path):
        assert name not in ("open", "datetime.now", "datetime.utcnow", "date.today", "SystemClock", "input"), (
            f"{relative(path)}:{line} calls {name}")


@each([path for path in PROGRAM if relative(path) in ("catalyst/errors.py", "catalyst/clock.py", "catalyst/log.py",
                                                      "catalyst/messages.py", "catalyst/settings.py",
                                                      "catalyst/plain.py")])
def test_the_ground_floor_stands_on_itself(path: Path) -> None:
    """errors, clock, log, plain, messages and settings import nothing of the floors above."""
    for module, line in imports(path):
        if is_or_in(module, "catalyst"):
            assert module.split(".")[1] in ("errors", "clock", "plain"), f"{relative(path)}:{line} imports {module}"


@each(PROGRAM + TESTS)
def test_no_heavy_package_anywhere(path: Path) -> None:
    """numpy, pandas and matplotlib would cost more memory than all actors together; one bench measures against them."""
    for module, line in imports(path):
        assert module.split(".")[0] not in HEAVY or within(path, HEAVY_PEERS), f"{relative(path)}:{line}"


@each(PROGRAM)
def test_one_place_opens_sqlite(path: Path) -> None:
    """sqlite3.connect stands in the store; the benches compare with a bare SQLite beside it."""
    found = [line for name, line in calls(path) if name.endswith("sqlite3.connect") or name == "Connection"]
    assert not found or within(path, {"catalyst/runtime/store.py", "catalyst/bench"}), f"{relative(path)}:{found}"
    assert "sqlite3.connect" not in {module for module, _ in imports(path)}


@each(PROGRAM + SCRIPTS)
def test_one_place_reads_the_environment(path: Path) -> None:
    """os.environ and os.getenv stand in the settings and nowhere else."""
    if relative(path) == "catalyst/settings.py":
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("environ", "getenv", "environb", "putenv"), f"{relative(path)}:{node.lineno}"
    assert not {"os.environ", "os.getenv"} & {module for module, _ in imports(path)}


@each(PROGRAM)
def test_one_place_opens_an_address(path: Path) -> None:
    """Every request goes out through catalyst.clients.http, which bounds it; no other module can make one."""
    if within(path, set(NET_PLACES)):
        return
    for module, line in imports(path):
        assert not any(is_or_in(module, name) for name in NET_MODULES), f"{relative(path)}:{line} imports {module}"
    for name, line in calls(path):
        assert name.split(".")[-1] not in OPENERS, f"{relative(path)}:{line} calls {name}"


@each(PROGRAM)
def test_no_global_statement(path: Path) -> None:
    """State is in SQLite or in an object."""
    for node in ast.walk(tree(path)):
        assert not isinstance(node, ast.Global), f"{relative(path)}:{node.lineno}"


@each(PROGRAM)
def test_no_module_keeps_state(path: Path) -> None:
    """No module-level container in small letters, and none that a function changes, but the registries."""
    module = tree(path)
    containers: set[str] = set()
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
            node, ast.AnnAssign) and node.value else []
        value = getattr(node, "value", None)
        makes = isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)) or (
            isinstance(value, ast.Call) and ast.unparse(value.func) in ("dict", "list", "set", "defaultdict", "deque",
                                                                        "Counter", "OrderedDict"))
        for target in targets:
            if makes and isinstance(target, ast.Name) and target.id != "__all__":
                assert target.id.isupper(), f"{relative(path)}:{node.lineno} {target.id}"
                containers.add(target.id)
    for node in ast.walk(module):
        changed = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            changed = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            changed = node.value
        if isinstance(changed, ast.Name) and changed.id in containers:
            assert (relative(path), changed.id) in REGISTRIES, f"{relative(path)}:{node.lineno} changes {changed.id}"


@each([path for path in PROGRAM if not within(path, TOP)])
def test_nothing_prints(path: Path) -> None:
    """Actors' standard output is nobody's; what is worth saying goes to the log."""
    found = [line for name, line in calls(path) if name in ("print", "sys.stdout.write")]
    assert not found, f"{relative(path)}:{found}"


@each(PROGRAM)
def test_every_exception_is_caught_only_where_that_is_decided(path: Path) -> None:
    """`except Exception` stands in a few places, each with its reason in the code and here; a bare one nowhere."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = 0
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        where = f"{relative(path)}:{node.lineno}"
        assert node.type is not None, where
        names = {ast.unparse(one) for one in (node.type.elts if isinstance(node.type, ast.Tuple) else [node.type])}
        if "Exception" in names:
            found += 1
            assert "#" in lines[node.lineno - 1], f"{where} says no reason"
        if "BaseException" in names:
            assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{where} swallows everything"
    assert found == CATCH_ALL.get(relative(path), (0, ""))[0], relative(path)


@each(PROGRAM + TESTS + SCRIPTS)
def test_files_are_short(path: Path) -> None:
    """At most 400 lines; the tests of one module 700."""
    limit = 700 if path in TESTS else 400
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit, relative(path)


@each(PROGRAM)
def test_functions_are_short(path: Path) -> None:
    """At most 60 lines, or a comment `long: why` inside."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for function in functions(path):
        end = function.end_lineno or function.lineno
        if end - function.lineno + 1 > 60:
            text = "\n".join(lines[function.lineno - 2:end])
            assert "long:" in text, f"{relative(path)}:{function.lineno} {function.name}"


@each(PROGRAM)
def test_every_module_class_and_public_function_says_what_it_is(path: Path) -> None:
    """Modules, public classes and public functions have docstrings; an empty package file needs none."""
    module = tree(path)
    if not module.body:
        return
    assert ast.get_docstring(module), relative(path)
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{relative(path)}:{node.lineno} {node.name}"


@each(TESTS)
def test_tests_say_what_they_hold_and_use_no_mock_and_no_sleep(path: Path) -> None:
    """Each test function has a docstring; nothing is mocked; waiting is for a condition."""
    for function in functions(path):
        if function.name.startswith("test_"):
            assert ast.get_docstring(function), f"{relative(path)}:{function.lineno} {function.name}"
    for name, line in calls(path):
        sleeps = name.split(".")[-1] == "sleep" and relative(path) not in SLOW_SERVERS
        assert not sleeps, f"{relative(path)}:{line} sleeps"
        assert not name.startswith(("monkeypatch.setattr", "mock.", "patch(")), f"{relative(path)}:{line} mocks"
    assert not {module for module, _ in imports(path) if is_or_in(module, "unittest") or module == "mock"}


@each(TESTS)
def test_a_test_is_never_alone_under_two_names(path: Path) -> None:
    """A second function of the same name would silently replace the first."""
    for scope in ast.walk(tree(path)):
        if isinstance(scope, (ast.Module, ast.ClassDef)):
            names = [node.name for node in scope.body if isinstance(node, ast.FunctionDef)]
            assert len(names) == len(set(names)), f"{relative(path)}: {[n for n in names if names.count(n) > 1]}"


@pytest.mark.parametrize("name", ALL)
def test_every_actor_is_as_its_header_says(name: str) -> None:
    """The file begins with the contract, one line a type and table, and the class declares the same."""
    cls = load_actor(name)
    header = inspect.getdoc(inspect.getmodule(cls)) or ""
    assert header.startswith(f"{name}: ")
    compare_header(cls, header)
    assert issubclass(cls, Actor)
    assert any(header_contract(header).values()) or name in ONLY_ASKS


def test_every_file_in_actors_is_on_the_roster() -> None:
    """One file an actor, none that nobody starts."""
    files = {path.stem for path in ROOT.glob("actors/*.py")} - {"__init__", "preload"}
    assert set(ALL) <= files
    helpers = {stem for stem in files - set(ALL) if stem.partition("_")[0] not in ALL}
    assert not helpers, "a file beside an actor's bears its name: alerter_rows"


def test_the_root_folder_holds_what_it_should() -> None:
    """A new name in the root is put on the list on purpose."""
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - MADE <= IN_ROOT, sorted(found - MADE - IN_ROOT)


def test_scripts_can_be_called_by_their_names() -> None:
    """What a person types is executable, as its first line says how."""
    scripts = [path for path in (*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run")
               if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert len(scripts) > 5
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []


def test_tables_are_commented() -> None:
    """Every index of every schema says which query it serves."""
    from catalyst.runtime.schema import RUNTIME_STEPS

    schemas = {"runtime": RUNTIME_STEPS, **{name: load_actor(name).tables for name in ALL}}
    for name, steps in schemas.items():
        lines = "\n".join(steps).splitlines()
        for number, line in enumerate(lines):
            if "CREATE INDEX" in line or "CREATE UNIQUE INDEX" in line:
                assert "--" in line or "--" in lines[number - 1], f"{name}: {line.strip()}"


def test_importing_a_module_starts_nothing() -> None:
    """Importing all of the runtime opens no file, starts no thread and makes no ZeroMQ context."""
    code = ("import threading, sys, os\nbefore = set(os.listdir('/proc/self/fd'))\n"
            "import catalyst.runtime.preload, actors.preload\nimport zmq\n"
            "assert threading.active_count() == 1, threading.enumerate()\n"
            "assert zmq.Context._instance is None\n"
            "assert set(os.listdir('/proc/self/fd')) <= before, os.listdir('/proc/self/fd')\n")
    if not Path("/proc/self/fd").exists():
        pytest.skip("there is no /proc here")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
