"""Titles that name a company, and the words by which they are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.companies import Company
from catalyst.core.naming import MOST_WORDS, names, wanted, words_of

COMPANIES = (Company(7, "ACME", "Acme Therapeutics, Inc."), Company(8, "BRK-B", "Berkshire Hathaway Inc"),
             Company(9, "ON", "ON Semiconductor Corp"), Company(10, "FSLR", "First Solar, Inc."),
             Company(11, "NEW", "New Gold Holdings plc"), Company(12, "AI", "C3.ai, Inc."),
             Company(13, "TGT", "Target Corp"), Company(14, "A", "The A Company"))
PIECES = st.sampled_from(("Acme Therapeutics", "ACME", "(Nasdaq: ACME)", "BRK.B", "BRK-B", "Berkshire Hathaway", "$ON",
                          "(NYSE: A)", "First Solar", "FIRST SOLAR INC", "New Gold", "NEW", "C3.ai", "Target",
                          "(0000000007)",
                          "Announces", "the", "L.P.", "8-K - ", "’s", "Acme-Therapeutics", "ON", "/DE/", "ﬁ", "İ"))


@given(st.lists(PIECES | st.text(max_size=6), max_size=8).map(" ".join), st.sampled_from(COMPANIES), st.booleans())
def test_what_names_is_found(title: str, company: Company, is_listed: bool) -> None:
    """Every title that names a company has a word by which it is looked up: nothing is lost by the index."""
    listed = company if is_listed else None
    if not names(title, company.ticker, listed):
        return
    words, search = set(words_of(title)), wanted(company.ticker, listed)
    by_any = bool(words.intersection(search.any_of))
    assert by_any or (search.both is not None and words.issuperset(search.both)), (title, words, search)


@pytest.mark.parametrize(("title", "words"), [
    ("Acme Announces the Pricing of Its Offering", ["acme", "pricing", "offering"]),
    ("First Solar (Nasdaq: FSLR) Reports Results", ["first", "fslr", "solar"]),
    ("onsemi (Nasdaq: ON) and ALL", ["onsemi", "on", "all"]), ("", []),
    ("8-K - ACME INC (0000000007) (Filer)", ["8", "acme", "inc", "0000000007"])])
def test_words(title: str, words: list[str]) -> None:
    """Words of every headline are left out, but where they begin it or are written as tickers."""
    assert words_of(title) == words


def test_words_have_a_bound() -> None:
    """However long a title is."""
    assert len(words_of(" ".join(f"w{number}" for number in range(500)))) == MOST_WORDS
