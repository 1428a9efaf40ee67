"""Folding and the phrase scan."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.wordscan import Phrases, fold, plain, sentence_ends

TEXTS = st.text(st.sampled_from(list("aB ß.İé-–“’\u00a0\t\n®x0")), max_size=60)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("At-the-Market", "at the market"),
        ("two  blanks", "two blanks"),
        ("“Curly” – dash", '"curly" dash'),
        ("a\u00a0b\nc", "a b c"),
        ("İstanbul", "İstanbul"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case, quotes, dashes and runs of blanks do not matter."""
    assert fold(text).text == folded


@given(TEXTS)
def test_fold_leads_back(text: str) -> None:
    """Each letter of the folded text is the letter at its offset of the source, but for case and punctuation."""
    folded = fold(text)
    for position, letter in enumerate(folded.text):
        source = text[folded.offset(position)]
        assert letter in (source.lower(), source, plain(source).replace("-", " "))


@given(TEXTS)
def test_plain_keeps_offsets(text: str) -> None:
    """A plain text is as long as its source."""
    assert len(plain(text)) == len(text)


def test_original_gives_the_words_as_written() -> None:
    """The words of the source come back with their own blanks and dashes."""
    folded = fold("The  at-the–Market   offering")
    at = folded.text.index("at the market offering")
    assert folded.original(at, len(folded.text)) == "at-the–Market   offering"


@given(
    st.lists(st.sampled_from(["fda", "fda approval", "a", "phase 2", "u.s.", "$5"]), unique=True, min_size=1),
    st.text(st.sampled_from(list("fda proval2ph s.u$5")), max_size=80),
)
def test_whole_words_as_a_regex_finds_them(phrases: list[str], text: str) -> None:
    """Every whole-word occurrence is found, overlapping ones too, and nothing else."""
    text = fold(text).text
    found = Phrases(phrases).find(text)
    wanted = set()
    for number, phrase in enumerate(phrases):
        left = r"(?<![^\W_])" if phrase[0].isalnum() else ""
        right = r"(?![^\W_])" if phrase[-1].isalnum() else ""
        wanted |= {
            (number, hit.start(1), hit.end(1)) for hit in re.finditer(f"(?=({left}{re.escape(phrase)}{right}))", text)
        }
    assert set(found) == wanted


def test_sentences_end_at_stops_not_at_abbreviations() -> None:
    """`Inc.`, `U.S.` and decimals end no sentence."""
    text = fold("Acme Inc. said $4.5 million in U.S. sales. It failed; really.").text
    assert [text[:end].split()[-1] for end in sentence_ends(text)] == ["sales.", "failed;"]
