"""Numbers that a sentence sets against each other."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.compared import compared


@pytest.mark.parametrize(
    ("sentence", "outcome"),
    [
        ("EPS $0.92 vs. $0.80 est", "more"),
        ("EPS $0.72 vs $0.80 consensus", "less"),
        ("Q2 EPS $(0.11) misses $(0.05) estimate", "less"),
        ("Q3 loss of $0.11 versus loss of $0.20 expected", "more"),
        ("EPS -$0.30 vs -$0.40", "more"),
        ("cuts its view to $300M-$310M from $345M-$360M", "less"),
        ("to between $54 million and $58 million from $47 million to $51 million", "more"),
        ("raised from $40 million to $45 million", "more"),
        ("a dividend of $0.10 per share, against $0.26 in the first quarter", "less"),
        ("sees revenue of $1.2-1.3 billion vs $1.4 billion consensus", "less"),
        ("$900 million vs. $1.1 billion", "less"),
        ("Net loss of (US$12,345,678,901.123456) thousand and losses of (US$12,345,678,902.123456) thousand, "
         "which is the figure that we expected, versus $5", "less"),  # as far before the word as can be
        ("$4 vs $4", ""),
        ("$4 a share", ""),
        ("no number", ""),
        ("", ""),
    ],
)
def test_comparisons(sentence: str, outcome: str) -> None:
    """The first number that is set against another decides; ranges count with their middle, losses below zero."""
    assert compared(sentence) == outcome


@given(st.text(alphabet="0123456789$().,- vsfromtk", max_size=300) | st.text(max_size=300))
def test_any_text(sentence: str) -> None:
    """Any text has an outcome."""
    assert compared(sentence) in ("more", "less", "")


@pytest.mark.parametrize("text", ["1 " * 4_000, "$1-" * 3_000, "from " * 2_000, "from 1 to " * 1_500, "1 vs " * 2_000])
def test_no_text_takes_long(text: str) -> None:
    """No repetition makes the patterns blow up."""
    began = time.process_time()
    compared(text[:2_000])
    assert time.process_time() - began < 0.2
