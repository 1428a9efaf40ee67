"""What all tests share: a home with a short path, the long tests behind `--long`, quiet hypothesis deadlines."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.canary import leaks

settings.register_profile("catalyst", deadline=None, max_examples=50,
                          suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.load_profile("catalyst")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` also runs the tests that take minutes, `--write-cards` renews tests/data/cards."""
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")
    parser.addoption("--write-cards", action="store_true", help="write the golden cards anew, see tests/data/README.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked long, unless it was asked for by `--long` or by a marker expression that names it."""
    if config.getoption("--long") or "long" in config.getoption("markexpr"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes: --long"))


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short enough for sockets; looked through for secrets and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cat-"))
    yield folder
    found = list(leaks(folder))
    shutil.rmtree(folder, ignore_errors=True)
    assert not found, found


@pytest.fixture(autouse=True)
def no_secret_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test's folder holds once all is closed, no secret is among it (`tests.canary`)."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    assert folder is None or not (found := list(leaks(folder))), found
