"""Marks with which publishers say that a release corrects an earlier one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.corrections import read_mark

TEXT = ("In the news release, Acme Wins Contract for Ten Boats, issued 26-Aug-2025 by Acme Corp. over PR Newswire, "
        "we are advised by the company that the second paragraph should read otherwise.")


@pytest.mark.parametrize(("title", "mark", "rest"), [
    ("CORRECTION: Acme Wins", "correction", "Acme Wins"), ("Correction – Acme Wins", "correction", "Acme Wins"),
    ("CORRECTION -- Acme Wins", "correction", "Acme Wins"), ("UPDATE -- Acme Wins", "update", "Acme Wins"),
    ("Update: Acme Wins", "update", "Acme Wins"), ("Corrected: Acme Wins", "corrected", "Acme Wins"),
    ("CORRECTING and REPLACING Acme Wins", "correcting and replacing", "Acme Wins"),
    ("CORRECTING and ADDING MULTIMEDIA Acme Wins", "correcting and adding multimedia", "Acme Wins"),
    ("/C O R R E C T I O N -- Acme Corp./", "c o r r e c t i o n", "Acme Corp."),
    ("/C O R R E C T I O N ... Acme/", "c o r r e c t i o n", "Acme"),
    ("CORRECTION FROM SOURCE: Acme Wins", "correction from source", "Acme Wins"),
    ("REPLACEMENT: Acme Wins", "replacement", "Acme Wins"), ("Amended: Acme Wins", "amended", "Acme Wins"),
    ("Amended Press Release - Acme Wins", "amended press release", "Acme Wins"),
    ("UPDATE 1-Acme cuts guidance", "update 1", "Acme cuts guidance"),
    ("CORRECTED-Acme cuts", "corrected", "Acme cuts"),
    ("Acme Wins (Corrected)", "corrected", "Acme Wins"), ("Acme Wins [Amended Release]", "amended", "Acme Wins"),
    ("Acme Announces Amended Press Release Relating to the Closing of Its Sale", "amended",
     "Acme the Closing of Its Sale")])
def test_marks(title: str, mark: str, rest: str) -> None:
    """The wires' marks, at the beginning, at the end and within, are found and taken off."""
    found = read_mark(title)
    assert found is not None
    assert (found.mark, found.title, found.earlier) == (mark, rest, "")


@pytest.mark.parametrize("title", [
    "Acme Provides Corporate Update", "Update on the Acme Trial", "Updated Guidance From Acme",
    "Corrected EBITDA Rises",
    "Replacement Therapy of Acme Approved", "Amendment to the By-Laws of Acme",
    "Corrections Corporation of America Wins",
    "Acme Update: Drilling Begins", "Correction to Follow", "Update-Driven Software Wins", "Acme Corrects Course", ""])
def test_what_is_no_mark(title: str) -> None:
    """Words of correction that belong to the story are no mark."""
    assert read_mark(title) is None


def test_the_earlier_title() -> None:
    """PR Newswire names the old release in the text, not in the title."""
    found = read_mark("/C O R R E C T I O N -- Acme Corp./", TEXT)
    assert found is not None
    assert found.earlier == "Acme Wins Contract for Ten Boats"
    assert read_mark("Acme Corp. Wins", TEXT) is None


@given(st.text(max_size=200), st.text(max_size=400))
def test_any_text(title: str, text: str) -> None:
    """Any two texts can be read; what is left of a title is no longer than it was."""
    found = read_mark(title, text)
    assert found is None or len(found.title) <= len(title) + 1
