"""The filter parse-feed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from catalyst.commands.parse_feed import run
from catalyst.core.stories import story_id

FEED = (b"<rss><channel><item><title>Acme</title><link>https://e.example/1?utm_source=x</link><description>Why"
        b"</description><pubDate>Tue, 26 Aug 2025 02:15:00 GMT</pubDate></item><item><title>Undated</title></item>"
        b"</channel></rss>")


def test_entries_of_files(tmp_path: Path) -> None:
    """Each file gives one row with its entries; an unknown time is null."""
    path = tmp_path / "feed.xml"
    path.write_bytes(FEED)
    (row,) = run([str(path)])
    first, second = row["entries"]
    assert (row["file"], row["error"]) == (str(path), None)
    assert first == {"id": story_id("https://e.example/1"), "title": "Acme", "link": "https://e.example/1?utm_source=x",
                     "summary": "Why", "published": "2025-08-26T02:15:00.000Z"}
    assert (second["published"], second["link"]) == (None, "")
    assert len(second["id"]) == 20


def test_filing_has_its_accession(tmp_path: Path) -> None:
    """The id of an EDGAR entry is its accession number."""
    path = tmp_path / "sec.atom"
    path.write_text('<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>8-K</title><id>urn:tag:sec.gov,2008:'
                    "accession-number=0000000001-25-000004</id></entry></feed>")
    (row,) = run([str(path)])
    assert row["entries"][0]["id"] == "0000000001-25-000004"


def test_faults_are_rows(tmp_path: Path) -> None:
    """A missing file, a folder, a web page and a bad name are rows with an error; the others are still read."""
    good, page = tmp_path / "good.xml", tmp_path / "page.html"
    good.write_bytes(FEED)
    page.write_bytes(b"<!doctype html><p>no feed")
    rows = list(run(["nowhere.xml", str(tmp_path), str(page), "\0", str(good)]))
    assert [row["file"] for row in rows] == ["nowhere.xml", str(tmp_path), str(page), "\0", str(good)]
    assert all(row["entries"] == [] and row["error"] for row in rows[:4])
    assert "html" in rows[2]["error"]
    assert len(rows[4]["entries"]) == 2


def test_empty_feed(tmp_path: Path) -> None:
    """A valid feed without entries has no entries and no error."""
    path = tmp_path / "empty.xml"
    path.write_bytes(b"<rss><channel/></rss>")
    assert list(run([str(path)])) == [{"file": str(path), "entries": [], "error": None}]


def test_standard_input() -> None:
    """A dash reads standard input."""
    code = "import json; from catalyst.commands.parse_feed import run; print(json.dumps(list(run(['-']))))"
    done = subprocess.run([sys.executable, "-c", code], input=FEED, capture_output=True, check=True, timeout=60)
    (row,) = json.loads(done.stdout)
    assert (row["file"], len(row["entries"])) == ("-", 2)
