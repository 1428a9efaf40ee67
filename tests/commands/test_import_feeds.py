"""`catalyst sources import`: another reader's list of feeds becomes part of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.core.sources import read_sources
from tests.commands.conftest import Catalyst

OPML = ('<opml version="2.0"><body><outline text="Folder"><outline text="Acme News" type="rss" '
        'xmlUrl="https://acme.example/feed"/><outline text="Mine" xmlUrl="https://mine.example/rss"/></outline>'
        '<outline text="Odd" xmlUrl="feed:nothing"/></body></opml>')


@pytest.fixture
def opml(tmp_path: Path) -> Path:
    """A list with a new feed, one that may be known, and one without an address."""
    path = tmp_path / "feeds.opml"
    path.write_text(OPML)
    return path


def test_into_the_users_list(catalyst: Catalyst, opml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are put behind what is there, with its comments and rights; a second import changes nothing."""
    own = tmp_path / "own.toml"
    before = '# my list\n[[source]]\nname = "mine"  # keep\nurl = "https://mine.example/rss"\nkind = "rss"\n'
    own.write_text(before)
    own.chmod(0o640)
    monkeypatch.setenv("CATALYST_SOURCES", str(own))
    done = catalyst("sources", "import", str(opml), "--json")
    assert done.code == 0
    assert done.json == {
        "file": str(own), "added": [{"name": "acme-news", "url": "https://acme.example/feed", "kind": "rss"}],
        "skipped": [{"title": "Mine", "url": "https://mine.example/rss", "why": "is there already"},
                    {"title": "Odd", "url": "feed:nothing", "why": "has no http or https address"}], "env_line": None}
    assert own.read_text().startswith(before)
    assert own.stat().st_mode & 0o777 == 0o640
    assert [source.name for source in read_sources(own.read_text())] == ["mine", "acme-news"]
    whole = own.read_bytes()
    assert "0 added, 3 skipped" in catalyst("sources", "import", str(opml)).out
    assert own.read_bytes() == whole
    assert not list(tmp_path.glob(".own*"))


def test_from_the_bundled_list(catalyst: Catalyst, opml: Path, home: Path) -> None:
    """A copy in the home gets the feeds; the line for .env is told; the next import goes on with that copy."""
    done = catalyst("sources", "import", str(opml))
    assert done.code == 0
    assert f"put this line into .env: CATALYST_SOURCES={home / 'sources.toml'}" in done.out
    assert "added    acme-news  https://acme.example/feed" in done.out
    names = [source.name for source in read_sources((home / "sources.toml").read_text())]
    assert (names[0], names[-2:]) == ("globenewswire", ["acme-news", "mine"])
    opml.write_text(OPML.replace("acme.example/feed", "acme.example/other"))
    assert "added    acme-news-2" in catalyst("sources", "import", str(opml)).out
    assert len(read_sources((home / "sources.toml").read_text())) == len(names) + 1


@pytest.mark.parametrize(("text", "word"), [
    ("no", "no XML"), ("<rss/>", "no OPML"), ('<!DOCTYPE opml [<!ENTITY a "b">]><opml/>', "declares"),
    (None, "cannot")])
def test_bad_files(catalyst: Catalyst, opml: Path, home: Path, text: str | None, word: str) -> None:
    """What cannot be read is refused in one line that names the file, and nothing is written."""
    opml.unlink() if text is None else opml.write_text(text)
    done = catalyst("sources", "import", str(opml))
    assert (done.code, done.out, done.err.count("\n")) == (78, "", 1)
    assert "feeds.opml" in done.err
    assert word in done.err
    assert not (home / "sources.toml").exists()


@pytest.mark.parametrize("words", [("import",), ("import", "a", "b"), ("export", "a")])
def test_misuse(catalyst: Catalyst, words: tuple[str, ...]) -> None:
    """64 for anything but one file."""
    assert catalyst("sources", *words).code == 64
