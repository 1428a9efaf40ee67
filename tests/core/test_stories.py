"""Identity of stories: canonical links, ids, and titles that are or are not one story."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.duplicates import print_of
from catalyst.core.stories import (
    accession_of,
    canonical_link,
    item_id_of,
    signatures_agree,
    story_id,
    title_signature,
)

RELEASES = (Path(__file__).resolve().parents[2] / "../shared/data/news/globenewswire_biotech_releases_2020-2024.csv")


@pytest.mark.parametrize(("url", "expected"), [
    ("http://Wire.Example/a/", "https://wire.example/a"), ("https://wire.example", "https://wire.example"),
    ("https://wire.example/", "https://wire.example"), ("https://wire.example:443/a", "https://wire.example/a"),
    ("http://wire.example:80/a", "https://wire.example/a"),
    ("https://wire.example:8443/a", "https://wire.example:8443/a"),
    ("https://wire.example/a#part", "https://wire.example/a"), ("https://wire.example/A", "https://wire.example/A"),
    ("https://wire.example/a?utm_source=x&b=2&a=1&UTM_Medium=y", "https://wire.example/a?a=1&b=2"),
    ("https://wire.example/a?gclid=1&fbclid=2&cmpid=3&icid=4&src=5&ref=6&mc_cid=7&mc_eid=8", "https://wire.example/a"),
    ("https://wire.example/a?id=7&refnum=1", "https://wire.example/a?id=7&refnum=1"),
    ("https://wire.example/%7euser/%e9", "https://wire.example/~user/%E9"),
    ("https://user:word@wire.example/a", "https://wire.example/a"), ("  https://wire.example/a ", "https://wire.example/a"),
    ("https://wire.example/a?b", "https://wire.example/a?b"), ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a"),
    ("urn:uuid:1", "urn:uuid:1"), ("https://[bad", "https://[bad"), ("https://e.example:x/", "https://e.example:x/"),
    ("", "")])
def test_canonical_link(url: str, expected: str) -> None:
    """Links that lead to the same page have one canonical form; what matters in a link stays."""
    assert canonical_link(url) == expected


@given(st.one_of(st.text(max_size=60),
                 st.from_regex(r"https?://[a-zA-Z.]{1,12}(:\d{1,4})?/[ -~]{0,40}", fullmatch=True)))
def test_canonical_link_is_stable(url: str) -> None:
    """The canonical form of a canonical form is itself."""
    once = canonical_link(url)
    assert canonical_link(once) == once


def is_same_story(one: str, other: str) -> bool:
    """Whether two titles are one story."""
    return signatures_agree(title_signature(one), title_signature(other))


def test_story_id() -> None:
    """Equal links give equal ids; without a link, guid and source make the id."""
    assert story_id("http://wire.example/a/?utm_id=1") == story_id("https://WIRE.example/a")
    assert len(story_id("https://wire.example/a")) == 20
    assert story_id("", "1", "one") != story_id("", "1", "two")
    assert story_id("", "1", "one") == story_id("", "1", "one")


@pytest.mark.parametrize(("entry_id", "link", "expected"), [
    ("urn:tag:sec.gov,2008:accession-number=0002063236-25-000004", "", "0002063236-25-000004"),
    ("", "https://www.sec.gov/Archives/edgar/data/2063236/000206323625000004/0002063236-25-000004-index.htm",
     "0002063236-25-000004"),
    ("https://wire.example/0002063236-25-000004", "https://wire.example/0002063236-25-000004", None), ("", "", None)])
def test_accession(entry_id: str, link: str, expected: str | None) -> None:
    """A filing is known by its accession number, whichever party's entry it is."""
    assert accession_of(entry_id, link) == expected
    assert item_id_of(entry_id, link, "s") == (expected or story_id(link, entry_id, "s"))


FIRST = "Acme Robotics, Inc. Announces Pricing of $5.0 Million Registered Direct Offering"


@pytest.mark.parametrize(("one", "other"), [
    (FIRST, FIRST.upper()), (FIRST, "Acme Robotics (NASDAQ: ACME) Announces Pricing of $5M Registered Direct Offering"),
    (FIRST, "ACME Robotics prices $5 million registered-direct offering"), (FIRST, FIRST + " - Business Wire"),
    (FIRST, FIRST + " | GlobeNewswire"),
    (FIRST, "Acme Robotics announces pricing of US$5 million registered direct offering"),
    ("Acme Reports Third Quarter 2025 Financial Results", "Acme Announces Q3 2025 Financial Results"),
    ("Acme’s Phase II Trial of ABC-101 Meets Primary Endpoint",
     "Acme's Phase 2 Trial of ABC 101 Meets Primary Endpoint"),
    ("Acme Therapeutics Receives U.S. FDA Approval for Zolvex",
     "Acme Therapeutics receives US FDA approval for Zolvex"),
    ("FDA Rejects Acme Therapeutics Corporation's Zolvex Filing", "FDA Rejects Acme Therapeutics’ Zolvex Filing"),
    ("Acme Closes $1,000,000 Private Placement With Investors",
     "Acme closed $1000000 private placement with investors"),
    ("Acme Announces Late-Stage Pipeline Update and Over-Allotment", "Acme Announces Late Stage Pipeline Update and "
     "Overallotment"),
    ("Acme Pharmaceuticals Doses First Patient in Zolvex Trial",
     "Acme Pharmaceutcals Doses First Patient in Zolvex Trial"),
    ("Acme Robotics Wins Contract From US Navy for Ten Autonomous Vessels Worth $40 Million",
     "Acme Robotics Wins Contract From US Navy for Ten Autonomous Vessels…")])
def test_same_story(one: str, other: str) -> None:
    """What wires vary in a title does not make another story."""
    assert is_same_story(one, other)
    assert is_same_story(other, one)


@pytest.mark.parametrize(("one", "other"), [
    (FIRST, FIRST.replace("Acme", "Zenith")), (FIRST, FIRST.replace("5.0", "6.0")),
    (FIRST, FIRST.replace("Million", "Billion")), (FIRST, FIRST.replace("Pricing", "Closing")),
    (FIRST, FIRST.replace("Announces", "Withdraws")), (FIRST, FIRST.replace("Direct", "Direct Upsized")),
    ("Acme Reports First Quarter 2025 Results", "Acme Reports Second Quarter 2025 Results"),
    ("Acme Reports Q1 2025 Results", "Acme Reports Q2 2025 Results"),
    ("Acme Reports Third Quarter 2025 Results", "Acme to Report Third Quarter 2025 Results"),
    ("Acme to Acquire Zenith for $5 Million", "Acme Acquired by Zenith for $5 Million"),
    ("Acme Acquires Zenith Robotics for $5 Million", "Zenith Robotics Acquires Acme for $5 Million"),
    ("Acme Phase 2 Trial of Zolvex Meets Endpoint", "Acme Phase 3 Trial of Zolvex Meets Endpoint"),
    ("Acme Phase II Trial of Zolvex Meets Endpoint", "Acme Phase III Trial of Zolvex Meets Endpoint"),
    ("Acme Trial of Zolvex Meets Primary Endpoint", "Acme Trial of Zolvex Does Not Meet Primary Endpoint"),
    ("Acme Increases Full Year Revenue Guidance", "Acme Decreases Full Year Revenue Guidance"),
    ("Acme Receives FDA Approval for Zolvex", "Acme Receives FDA Approval for Zolvax"),
    ("Acme Receives FDA Approval for Zolvex in Obesity", "Acme Receives FDA Approval for Zolvex in Asthma"),
    ("Acme Reports EPS of $0.05 for the Year", "Acme Reports EPS of -$0.05 for the Year"),
    ("Acme Shares Rise 5% on Zolvex News", "Acme Shares Rise $5 on Zolvex News"),
    ("Correction: Acme Announces Special Dividend for Holders", "Acme Announces Special Dividend for Holders"),
    ("Alpha Biosciences Regains Nasdaq Compliance", "Alpho Biosciences Regains Nasdaq Compliance"),
    ("Net Asset Value(s)", "Net Asset Value(s)"), ("Transaction in Own Shares", "Transaction in Own Shares"),
    ("Director/PDMR Shareholding", "Director/PDMR Shareholding"), ("ROCC", "ROCC"), ("Price Update", "Price Update"),
    ("Notice of Annual General Meeting of Shareholders", "Notice of Annual General Meeting of Shareholders"),
    ("", ""), ("Acme…", "Acme…"),
    ("Acme Robotics Wins Contract…", "Acme Robotics Wins Contract From Navy"),
    ("Rosen Law Firm Reminds Acme Investors of the March 3 Deadline", "Rosen Law Firm Reminds Zenith Investors of the "
     "March 3 Deadline")])
def test_other_story(one: str, other: str) -> None:
    """A company, number, direction, tense or word that differs makes another story; so does a title without a name."""
    assert not is_same_story(one, other)
    assert not is_same_story(other, one)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_titles(one: str, other: str) -> None:
    """Any two texts can be compared, in either order, and a text with a signature is its own story."""
    assert is_same_story(one, other) == is_same_story(other, one)
    assert is_same_story(one, one) == bool(title_signature(one))


@pytest.mark.skipif(not RELEASES.is_file(), reason="the recorded releases are not on this machine")
def test_marks_that_could_be_parted_in_many_ways() -> None:
    """A title of names and colons behind an open bracket is read at once."""
    title = "(" + "abcdefghij:" * 9
    began = time.process_time()
    title_signature(title)
    print_of(title, "", title, (), None)
    assert time.process_time() - began < 0.5


def test_no_false_merge_in_recorded_releases() -> None:
    """Among 1,000 recorded releases no two with different titles merge, and none of two companies."""
    with RELEASES.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_first: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        if signature := title_signature(row["title"]):
            by_first[signature.partition(" ")[0]].append((signature, row["ticker"]))
    assert sum(map(len, by_first.values())) > 0.95 * len(rows)
    merged = [(a, b) for group in by_first.values() for index, a in enumerate(group) for b in group[:index]
              if signatures_agree(a[0], b[0])]
    assert all(a == b for a, b in merged)
