"""Where the news of a release ends, and which sentences tell of earlier years."""

from __future__ import annotations

import pytest

from catalyst.core.boilerplate import about_start, is_history, month_of, year_of
from catalyst.core.rules import Rules

TABLE = """
[[kind]]
name = "approval"
direction = "up"
weight = 0.9
phrases = ["fda approval"]
[[kind]]
name = "hold"
direction = "down"
weight = 0.9
phrases = ["clinical hold"]
"""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("It won. About Acme Corp. Acme makes pumps.", "About Acme Corp. Acme makes pumps."),
        ("It won. About Acme: a maker of pumps.", "About Acme: a maker of pumps."),
        ("It won.\nAbout Acme Bio\nFounded in 2001", "About Acme Bio\nFounded in 2001"),
        ("It won. About the Company — It makes pumps.", "About the Company — It makes pumps."),
        ("It won. About Acme & Sons, Inc. is a maker.", "About Acme & Sons, Inc. is a maker."),
        ("About 40 employees leave. It won.", ""),
        ("It won. About Half the staff leaves: it is sad.", ""),
        ("They know all About Acme: it won.", ""),
        ("", ""),
    ],
)
def test_paragraph_about_the_company(text: str, rest: str) -> None:
    """The paragraph about the company begins a sentence with About, a name and a mark."""
    assert text[about_start(text) :] == rest


@pytest.mark.parametrize(
    ("before", "behind", "year", "past"),
    [
        ("in 2021 the company received ", " for its pump", 2026, True),
        ("in 2026 the company received ", " for its pump", 2026, False),
        ("the company received ", " in march 2019 and sells it", 2026, True),
        ("the company received ", " today and will sell it in 2027", 2026, False),
        ("last year it received ", "", 0, True),
        ("two years ago it received ", "", 2026, True),
        ("in 2021 it received ", "", 0, False),
        ("today it received ", "", 2026, False),
    ],
)
def test_history(before: str, behind: str, year: int, past: bool) -> None:
    """A year before that of the dateline, or words as last year, make history; without a dateline years say nothing."""
    assert is_history(before, behind, year) is past


@pytest.mark.parametrize(
    ("before", "month", "past"),
    [
        ("in june the company received ", 11, True),
        ("in early june it received ", 11, True),
        ("on june 3 it received ", 7, False),
        ("on december 28 it received ", 1, False),
        ("in march it will receive ", 11, True),
        ("in june 2026 it received ", 11, True),
        ("in june 2026 it received ", 7, False),
        ("in june 2027 it will have received ", 11, False),
        ("in june it received ", 0, False),
        ("acme said in june that it received ", 11, False),
        ("in june the company, a maker of " + "pumps, " * 40 + "received ", 11, True),
        ("acme said " + "in june " + "x" * 182 + " received ", 11, False),
        ("in separate news it received ", 6, False),
        ("on market demand it received ", 11, False),
    ],
)
def test_a_month_that_is_long_past(before: str, month: int, past: bool) -> None:
    """A sentence that begins with a month other than those around the dateline's tells no news; nothing is known
    without a dateline, and a word that begins as a month does is none."""
    assert is_history(before, "", 2026, month) is past


def test_month_of_the_dateline() -> None:
    """The month of the first whole date is the present one."""
    assert month_of("boston, nov. 3, 2026 (wire) acme said in june that") == 11
    assert month_of("boston in may 15 patients") == 0


def test_year_of_the_dateline() -> None:
    """The first year in the head of a release is the present one."""
    assert year_of("boston, may 3, 2026 (wire) acme, founded in 1999, said") == 2026
    assert year_of("acme said") == 0


@pytest.mark.parametrize(
    ("summary", "kinds"),
    [
        ("BOSTON, May 3, 2026 -- Acme received FDA approval.", ["approval"]),
        ("BOSTON, May 3, 2026 -- Acme grew. In 2021 Acme received FDA approval.", []),
        ("Acme grew. This release contains forward-looking statements. A clinical hold may be imposed.", []),
        ("Acme grew. Cautionary note: the FDA may place a clinical hold.", []),
        ("Acme grew. Risks include a clinical hold.", []),
        ("Acme grew. The FDA might impose a clinical hold.", []),
        ("Acme grew. The FDA imposed a clinical hold.", ["hold"]),
        ("Acme grew. About Acme: it had a clinical hold.", []),
        ("One. Two. Three. Four. Acme has a clinical hold.", []),
    ],
)
def test_what_of_a_summary_is_read(summary: str, kinds: list[str]) -> None:
    """Cautions, the paragraph about the company, history and what stands far down are no news."""
    found = Rules.from_toml(TABLE).find("Acme Says Something", summary)
    assert [hit.rule.name for hit in found.kinds] == kinds
