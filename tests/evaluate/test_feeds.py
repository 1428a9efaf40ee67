"""The table of recorded feeds: as many entries as feedparser finds in each document, every date right or null."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.errors import UnavailableError
from catalyst.evaluate import feeds
from catalyst.evaluate.command import main

ITEM = "<item><title>{n}</title><guid>{n}</guid><pubDate>{date}</pubDate></item>"


def document(*dates: str) -> bytes:
    """A feed with an item for each date text."""
    items = "".join(ITEM.format(n=number, date=date) for number, date in enumerate(dates))
    return f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>".encode()


@pytest.mark.skipif(not feeds.RECORDED.is_dir(), reason="the recorded feeds are not on this machine")
def test_recorded_feeds(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the recorded documents is read whole, with every date that is in it; the command says so."""
    assert main(["feeds", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = found["documents"]
    assert len(rows) > 70
    assert [row["file"] for row in rows if row["entries"] != row["feedparser"] or row["wrong"] or row["unread"]] == []
    assert sum(row["entries"] for row in rows) > 8_000


def test_without_feeds(tmp_path: Path) -> None:
    """Where the recorded feeds are absent, it says so and the exit code is 69."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnavailableError, match="no recorded feeds") as caught:
            feeds.table(folder)
        assert caught.value.exit_code == 69


def test_what_is_not_right_shows(tmp_path: Path) -> None:
    """A date that is none is null and good; a document that we refuse, or a count that differs, is marked."""
    (tmp_path / "a.xml").write_bytes(document("Fri, 02 Jan 2026 14:00:00 GMT", "2026-01-02T14:00:00Z", "soon"))
    (tmp_path / "b.xml").write_bytes(b"<!doctype html><html><body>no feed</body></html>")
    (tmp_path / "c.rss").write_bytes(document())
    (tmp_path / "d.txt").write_bytes(document("x"))
    rows = feeds.table(tmp_path)
    assert rows == [feeds.Row("a.xml", 3, 3, right=2, null=1), feeds.Row("b.xml", 0, 0, error="html"),
                    feeds.Row("c.rss", 0, 0)]
    assert not feeds.Row("x", 2, 3).is_good
    assert not feeds.Row("x", 2, 2, right=1, wrong=1).is_good
    text = feeds.text_of([*rows, feeds.Row("x", 2, 3)])
    assert text.splitlines()[-1].split() == ["4", "documents", "5", "6", "2", "1", "0", "0"]
    assert text.splitlines()[-2].endswith("<<")
