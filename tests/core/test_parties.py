"""Which of two companies of one title moves."""

from __future__ import annotations

import pytest

from catalyst.core.companies import Companies, Company
from catalyst.core.mentions import Text
from catalyst.core.parties import moved

FILLERS = [(f"XX{chr(65 + n // 26)}{chr(65 + n % 26)}", f"Filler {n} Inc") for n in range(60)]
ROWS = [("UBER", "Uber Technologies, Inc"), ("F", "Ford Motor Co"), ("LNDX", "Lindexa Pharmaceuticals plc"),
        ("DRVS", "Dravis Therapeutics"), *FILLERS, ("UBRL", "Uber Labs Inc"), ("GRVL", "Gravelle Motion Inc"),
        ("ON", "On Example Corp")]
LIST = Companies([*(Company(number, ticker, name) for number, (ticker, name) in enumerate(ROWS, 1)),
                  Company(1, "UBER-B", "Uber Technologies, Inc")])


@pytest.mark.parametrize(
    ("title", "tickers", "first"),
    [
        ("Lindexa Pharmaceuticals to Acquire Dravis Therapeutics for $1.1 Billion", ("LNDX", "DRVS"), "DRVS"),
        ("Lindexa to Acquire Rival Dravis in Cash Deal", ("LNDX", "DRVS"), "DRVS"),
        ("Lindexa to Acquire Dravis's Ohio Plant", ("LNDX", "DRVS"), None),
        ("Lindexa Completes Offer; to Acquire Dravis", ("LNDX", "DRVS"), None),
        ("Lindexa Terminates Agreement to Acquire Dravis", ("LNDX", "DRVS"), "DRVS"),
        ("Lindexa and Dravis Sign License", ("LNDX", "DRVS"), None),
        ("Uber and Gravelle Motion Team Up", ("UBER", "GRVL"), "GRVL"),
        ("Ford Chooses Gravelle for Depot Robots", ("F", "GRVL"), "GRVL"),
        ("Gravelle to Acquire a Plant From Ford", ("F", "GRVL"), "GRVL"),
        ("Uber to Acquire Dravis Therapeutics", ("UBER-B", "UBER", "DRVS"), "DRVS"),
        ("Uber, Ford and Gravelle Team Up", ("UBER", "F", "GRVL"), None),
        ("A Robot Maker Teams Up With Uber", ("UBER", "GRVL"), None),
        ("Uber Technologies Teams Up With a Robot Maker", ("UBER", "UBRL"), None),
        ("Uber Technologies and Uber Labs Team Up", ("UBER", "UBRL"), "UBRL"),
        ("Uber Turns On Its Robots", ("UBER", "ON"), None),
        ("Lindexa Offers Notes", ("LNDX", "XNOT"), None),
    ],
)
def test_who_moves(title: str, tickers: tuple[str, ...], first: str | None) -> None:
    """Who is bought moves, else the much smaller of two named ones; a plant, a closed deal or a third name says
    nothing."""
    found = moved(Text.of(title), Text.of(""), tickers, LIST)
    assert (found.ticker if found else None) == first


@pytest.mark.parametrize(
    ("summary", "first"),
    [
        ("Dravis Therapeutics will merge with and into Lindexa.", "DRVS"),
        ("Each Dravis share will become 0.7 of a Lindexa share.", "DRVS"),
        ("Dravis holders will get 0.84 of a Lindexa share.", "DRVS"),
        ("Lindexa was to buy Dravis for $33 a share.", "DRVS"),
        ("Dravis receives $70 million in cash and Lindexa gets options.", "DRVS"),
        ("Lindexa will buy Dravis's plant.", None),
        ("Dravis receives $7 million, Lindexa receives $9 million.", None),
        ("Both will share the costs.", None),
        ("Both plan to buy lindexas, a kind of flower.", None),
        ("They will acquire dravis, a kind of stone.", None),
    ],
)
def test_the_summary_says_who_moves(summary: str, first: str | None) -> None:
    """Between two partners of like size the summary may tell who is bought or paid; where it tells it of both, nobody
    is."""
    found = moved(Text.of("Lindexa and Dravis Announce Agreement"), Text.of(summary), ("LNDX", "DRVS"), LIST)
    assert (found.ticker if found else None) == first
