"""What the documentation says to type: every `catalyst ...` line is one that the command line understands."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalyst.cli import COMMANDS, make_parser
from catalyst.errors import UsageError
from catalyst.runtime.roster import ALL
from catalyst.settings import TABLE

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
SPANS = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:\.venv/bin/)?catalyst(?: |$)")
SETTING = re.compile(r"\b(?:CATALYST|SQLITE|DISCORD|SEC|SEEN|ALERT|PRICE|MIN|QUOTE)_[A-Z_]*[A-Z]\b")


def fenced(text: str) -> Iterator[str]:
    """The lines of the blocks of shell commands."""
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        if language in ("sh", "bash", "console"):
            yield from (line.strip() for line in block.splitlines())


def spans(text: str) -> Iterator[str]:
    """What stands between backticks outside of blocks."""
    yield from SPANS.findall(re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE))


def words_of(line: str) -> list[str]:
    """The words of the command itself: without a comment, a pipe, a redirection, what follows it."""
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in ("|", "<", ">", ">>", "&", "&&", "||", ";"):
            break
        words.append(word)
    return words


def complaint(line: str, *, whole: bool) -> str | None:
    """Why a line would be refused; None where it is understood. Unless it is `whole`, words may be missing."""
    words = words_of(line)[1:]
    if not words or words[0] in ("--help", "--version", "help"):
        return None
    command = COMMANDS.get(words[0])
    if command is None:
        return f"there is no command {words[0]}"
    parser = make_parser(command)
    getattr(importlib.import_module(f"catalyst.commands.{command.module}"), command.add)(parser)
    try:
        parser.parse_args(words[1:])
    except UsageError as error:
        if whole or "the following arguments are required" not in str(error):
            return str(error)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands(page: Path) -> None:
    """Each command exists and takes the options and words that the page gives it; none is run."""
    text = page.read_text(encoding="utf-8")
    faults = []
    for lines, whole in ((fenced(text), True), (spans(text), False)):
        for line in lines:
            if CALL.match(line) and (why := complaint(line, whole=whole)):
                faults.append(f"{page.name}: {line}: {why}")
    assert not faults, "\n".join(faults)


def test_the_test_sees_faults() -> None:
    """A command, an option, a word or a length that is none is found; a comment or a pipe is not part of a command."""
    assert complaint("catalyst staus", whole=False) == "there is no command staus"
    assert "--quick" in (complaint("catalyst restart market --quick", whole=False) or "")
    assert complaint("catalyst restart", whole=True)
    assert complaint("catalyst restart", whole=False) is None
    assert complaint("catalyst pause --for soon", whole=False)
    assert complaint(".venv/bin/catalyst items --json | head -3  # the newest", whole=True) is None
    assert complaint("catalyst classify < items.jsonl", whole=True) is None


def test_there_are_commands_to_look_at() -> None:
    """The page for the operator is full of them, so the test above cannot pass by finding none."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert sum(bool(CALL.match(line)) for line in fenced(text)) > 25
    assert sum(bool(CALL.match(span)) for span in spans(text)) > 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings(page: Path) -> None:
    """Each setting that a page names exists."""
    text = page.read_text(encoding="utf-8")
    named = {name for span in [*spans(text), *fenced(text)] for name in SETTING.findall(span)}
    assert named <= {row.name for row in TABLE}


def test_every_actor_has_a_row_for_its_absence() -> None:
    """Who operates the house finds each actor in the table of what its absence means."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    table = text.split("## What an actor's absence means", 1)[1].split("\n## ", 1)[0]
    assert [name for name in ALL if f"| `{name}` |" not in table] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_linked_exist(page: Path) -> None:
    """A relative link leads to a file, and a script that is named is there."""
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    scripts = {line.split()[0] for line in [*fenced(text), *spans(text)] if line.startswith("scripts/")}
    assert [script for script in scripts if not (ROOT / script).exists()] == []
