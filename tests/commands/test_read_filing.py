"""The filter read-filing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from catalyst.commands.read_filing import rows
from catalyst.core.companies import Companies

FIELDS = ["file", "form", "accession", "cik", "ticker", "items", "amendment", "offering", "sentiment", "summary",
          "provider"]
FORM_4 = (""
          "<documentType>4</documentType><issuer><issuerCik>7</issuerCik><issuerName>Acme</issuerName><issuerTradingSymbol>ACME</issuerTradingSymbol></issuer>")


def test_a_row_a_file(tmp_path: Path) -> None:
    """A row has every field of the contract; the accession may be the file name's; an offering has plain numbers."""
    path = tmp_path / "0001193125-12-043763.txt"
    path.write_text("FORM 8-K/A\nItem 8.01 Other Events\nAcme priced its public offering of 4,000,000 shares of "
                    "common stock at a public offering price of $1.25 per share.\n")
    (row,) = rows([str(path)])
    assert list(row) == FIELDS
    assert (row["form"], row["accession"], row["amendment"]) == ("8-K/A", "0001193125-12-043763", True)
    assert (row["cik"], row["ticker"], row["provider"]) == (None, None, "embedded")
    assert row["items"] == [{"item": "8.01", "title": "Other Events"}]
    quotes = row["offering"].pop("quotes")
    assert row["offering"] == {"stage": "pricing", "type": "public", "gross_proceeds": None, "shares": 4_000_000.0,
                               "price": 1.25, "warrants": None, "dilution_pct": None}
    assert set(quotes) == {"shares", "price"}
    assert "4,000,000 shares" in quotes["shares"]
    assert json.loads(json.dumps(row)) == row


def test_items_of_before_2004(tmp_path: Path) -> None:
    """Old reports have the old numbers."""
    path = tmp_path / "old.txt"
    path.write_text("FORM 8-K\nItem 5. Other Events\n")
    (row,) = rows([str(path)])
    assert row["items"] == [{"item": "5", "title": "Other Events"}]


def test_ticker(tmp_path: Path) -> None:
    """The company list knows the ticker by CIK; without it the document's own symbol counts."""
    path = tmp_path / "form4.xml"
    path.write_text(FORM_4)
    listed = Companies.from_json('{"0":{"cik_str":7,"ticker":"NEWW","title":"Acme"}}')
    assert next(rows([str(path)]))["ticker"] == "ACME"
    assert next(rows([str(path)], listed))["ticker"] == "NEWW"


def test_faults_are_rows(tmp_path: Path) -> None:
    """A missing file, a folder, a picture and a bad name are rows with an error; the others are still read."""
    good, picture = tmp_path / "good.xml", tmp_path / "picture.png"
    good.write_text(FORM_4)
    picture.write_bytes(b"\x89PNG\r\n\0")
    found = list(rows(["nowhere.txt", str(tmp_path), str(picture), "\0", str(good)]))
    for row in found[:4]:
        assert list(row) == [*FIELDS, "error"]
        assert row["error"]
        assert row["items"] == []
        assert all(row[name] is None for name in FIELDS if name not in ("file", "items"))
    assert "error" not in found[4]


def test_the_command(tmp_path: Path) -> None:
    """A line a file, also of standard input; one that cannot be read is said, and ends it with 64."""
    done = subprocess.run([sys.executable, "-m", "catalyst", "read-filing", "-", str(tmp_path / "absent")],
                          input=FORM_4.encode(), capture_output=True, timeout=60, check=False,
                          env={"CATALYST_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[2])})
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (done.returncode, first["form"], first["file"]) == (64, "4", "-")
    assert second["error"].startswith("cannot read it")
    assert done.stderr.decode() == f"catalyst: {tmp_path / 'absent'}: {second['error']}\n"
