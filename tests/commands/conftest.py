"""What the tests of the commands share: a home that the command line takes for its own, actors in it, a way to ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalyst import cli
from tests.commands.tiny import Running, TinySupervisor


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that was printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON values that were printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Catalyst = Callable[..., Done]


@pytest.fixture
def catalyst(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
             capsys: pytest.CaptureFixture[str]) -> Catalyst:
    """`catalyst("status", "--json")` runs the command in this process on the home of the test."""
    monkeypatch.setenv("CATALYST_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        capsys.readouterr()
        code = cli.main(words)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    """No actor yet, in the home of the test."""
    TinySupervisor.children = {}
    TinySupervisor.script = []
    with Running(home) as running:
        yield running
