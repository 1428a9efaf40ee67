"""Titles that publishers change in place: which of them say something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.core.edits import FEW, corrects, edit_id, is_few, is_marked, title_key

DEAL = "Acme Robotics Prices $12 Million Registered Direct Offering"
LONG = "Acme Robotics Announces Positive Phase 2 Results of Zolvex in Severe Asthma After 52 Weeks"


@pytest.mark.parametrize(("old", "new"), [
    (DEAL, "CORRECTION - Acme Robotics Prices $15 Million Registered Direct Offering"),
    (DEAL, "CORRECTION: " + DEAL), (DEAL, DEAL + " (Corrected)"), ("UPDATE: " + DEAL, "CORRECTED: " + DEAL),
    (LONG, "/C O R R E C T I O N -- Acme Robotics/"),
    (DEAL, DEAL.replace("12", "15")), (DEAL, DEAL.replace("$12", "$1.2")), (DEAL, DEAL.replace("Million", "Billion")),
    (DEAL, DEAL.replace("Prices", "Withdraws")), (DEAL, "UPDATE 1-" + DEAL.replace("12", "15")),
    ("Acme Robotics Announces", "Acme Robotics Announces FDA Approval of Zolvex"),
    ("Acme Robotics Provides Update", "Acme Robotics Provides Update - FDA Approval of Zolvex"),
    ("Acme Meets Endpoint in Phase 3 Trial", "Acme Does Not Meet Endpoint in Phase 3 Trial"),
    ("Acme's Trial Was Successful", "Acme's Trial Was Unsuccessful"),
    ("Acme Shares Change -5% in 2025", "Acme Shares Change 5% in 2025"),
    (LONG[:70] + "...", LONG[:70].replace("Phase 2", "Phase 3") + "…"),
    ("Acme Robotics Announces", "Acme Robotics Announces FDA Approval of Zol…")])
def test_what_corrects(old: str, new: str) -> None:
    """A word or figure with meaning, or a mark of correction, makes a title say something else; its key differs."""
    assert corrects(new, [old])
    assert title_key(old) != title_key(new)


@pytest.mark.parametrize(("old", "new"), [
    (DEAL, DEAL), (DEAL, DEAL.upper()), (DEAL, DEAL.replace(" ", "  ")), (DEAL, DEAL.replace("Direct", "“Direct”")),
    ("Acme - a Maker", "Acme – a Maker"), (DEAL, "UPDATE: " + DEAL), (DEAL, "UPDATE -- " + DEAL),
    ("CORRECTION: " + DEAL, DEAL), ("CORRECTION: " + DEAL, "Corrected: " + DEAL), (DEAL, "Press Release: " + DEAL),
    (DEAL, DEAL + " - Yahoo Finance"), (DEAL + " | Motley Fool", DEAL), (DEAL, DEAL + " – The Globe and Mail"),
    (DEAL, DEAL + " (ACME)"), (DEAL, DEAL.replace("Robotics", "Robotics (Nasdaq: ACME)")), (DEAL, DEAL + " $ACME"),
    (DEAL, "ACME: " + DEAL), (DEAL, DEAL.replace("Robotics", "Robotics, Inc.")), (DEAL, DEAL.replace(" Million", "M")),
    (DEAL, DEAL.replace("$12 Million", "$12.0 million")), (DEAL, DEAL.replace("Prices", "Announces Pricing of")),
    (DEAL, DEAL.replace("Registered", "Registred")), (LONG, LONG[:60] + "…"), (LONG[:60] + " ...", LONG),
    (LONG[:57], LONG), (LONG, LONG[:57]), (LONG[:60] + "…", LONG[:80] + "…"),
    ("Zolvex Meets Endpoint in Asthma", "In Asthma, Zolvex Meets Endpoint"),
    ("Market Today: Dow Falls on Rates", "Why Chip Makers Jump Ahead of Earnings"), (DEAL, ""), ("", DEAL), ("", "")])
def test_what_corrects_nothing(old: str, new: str) -> None:
    """What feeds dress a title in, cut off or spell otherwise is no correction, and neither is another story."""
    assert not corrects(new, [old])


def test_what_was_told_is_not_told_again() -> None:
    """A title must say something that no earlier one said: back to the first, or to an earlier correction, is none."""
    second, third = DEAL.replace("12", "15"), DEAL.replace("12", "18")
    assert corrects(third, [DEAL, second])
    assert not corrects(DEAL, [DEAL, second])
    assert not corrects(second.upper(), [DEAL, second, third])


def test_the_key_folds() -> None:
    """Case, quotes, dashes and blanks are not in it, figures and signs are."""
    assert title_key("Acme’s  “Big” Deal – Done") == title_key("ACME'S 'BIG' DEAL - done") > 0
    assert title_key("Acme gains 5%") != title_key("Acme gains -5%") != title_key("Acme gains 0.5%")


def test_the_id_is_that_of_story_and_title() -> None:
    """It is the same for one title however it is written, another one for another title or story."""
    assert edit_id("a" * 20, DEAL) == edit_id("a" * 20, DEAL.upper())
    assert len({edit_id("a" * 20, DEAL), edit_id("b" * 20, DEAL), edit_id("a" * 20, LONG), "a" * 20}) == 4
    assert len(edit_id("a" * 20, DEAL)) == 20


@pytest.mark.parametrize(("edits", "entries", "expected"), [
    (FEW, FEW, True), (FEW + 1, 20, False), (10, 100, True), (11, 100, False)])
def test_few_titles_change_at_once(edits: int, entries: int, expected: bool) -> None:
    """A document in which many titles are another has another form, not many errors."""
    assert is_few(edits, entries) is expected


def test_marks_of_updates_are_none() -> None:
    """Only a mark that speaks of an error counts by itself."""
    assert [is_marked(title) for title in ("UPDATE 2-Acme", "Updated: Acme", "U P D A T E -- Acme", "CORRECTED-Acme")
            ] == [False, False, False, True]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=120), min_size=1, max_size=5), st.integers(0, 4))
def test_nothing_goes_round(titles: list[str], seed: int) -> None:
    """Whatever an entry shows, each title is told once at most, in any order and however often it comes back."""
    told, ids = [titles[seed % len(titles)]], []
    for title in titles * 3:
        if corrects(title, told):
            told.append(title)
            ids.append(edit_id("f", title))
    assert len(ids) == len(set(ids)) <= len(titles) - 1
