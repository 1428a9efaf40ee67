"""Which of two companies of one title moves."""

from __future__ import annotations

import pytest

from catalyst.core.companies import Companies, Company
from catalyst.core.mentions import Text
from catalyst.core.parties import moved

FILLERS = [(f"XX{chr(65 + n // 26)}{chr(65 + n % 26)}", f"Filler {n} Inc") for n in range(60)]
ROWS = [("UBER", "Uber Technologies, Inc"), ("F", "Ford Motor Co"), ("LNDX", "Lindexa Pharmaceuticals plc"),
        ("DRVS", "Dravis Therapeutics"), *FILLERS, ("GRVL", "Gravelle Motion Inc"), ("ON", "On Example Corp")]
LIST = Companies([Company(number, ticker, name) for number, (ticker, name) in enumerate(ROWS, 1)])


@pytest.mark.parametrize(
    ("title", "tickers", "first"),
    [
        ("Lindexa Pharmaceuticals to Acquire Dravis Therapeutics for $1.1 Billion", ("LNDX", "DRVS"), "DRVS"),
        ("Dravis to be bought: Lindexa buys Dravis", ("LNDX", "DRVS"), None),
        ("Lindexa to Acquire Rival Dravis in Cash Deal", ("LNDX", "DRVS"), "DRVS"),
        ("Lindexa to Acquire Dravis's Ohio Plant", ("LNDX", "DRVS"), None),
        ("Lindexa Completes Offer; to Acquire Dravis", ("LNDX", "DRVS"), None),
        ("Lindexa Terminates Agreement to Acquire Dravis", ("LNDX", "DRVS"), None),
        ("Lindexa and Dravis Sign License", ("LNDX", "DRVS"), None),
        ("Uber and Gravelle Motion Team Up", ("UBER", "GRVL"), "GRVL"),
        ("Ford Chooses Gravelle for Depot Robots", ("F", "GRVL"), "GRVL"),
        ("Gravelle to Acquire a Plant From Ford", ("F", "GRVL"), "GRVL"),
        ("Uber, Ford and Gravelle Team Up", ("UBER", "F", "GRVL"), None),
        ("A Robot Maker Teams Up With Uber", ("UBER", "GRVL"), None),
        ("Uber Turns On Its Robots", ("UBER", "ON"), None),
        ("Lindexa Offers Notes", ("LNDX", "XNOT"), None),
    ],
)
def test_who_moves(title: str, tickers: tuple[str, ...], first: str | None) -> None:
    """Who is bought moves, else the much smaller of two named ones; a plant, a closed deal or a third name says
    nothing."""
    found = moved(Text.of(title), tickers, LIST)
    assert (found.ticker if found else None) == first
