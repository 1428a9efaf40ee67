"""What is odd in a rule table that can be read."""

from __future__ import annotations

import pytest

from catalyst.clients.files import BUNDLED_RULES
from catalyst.core.rule_check import check
from catalyst.core.rules import Rules
from catalyst.errors import RuleError

UP = '[[kind]]\nname = "up_kind"\ndirection = "up"\nweight = 0.5\n'
DOWN = '[[kind]]\nname = "down_kind"\ndirection = "down"\nweight = 0.5\n'
NOISE = '[[noise]]\nname = "noise_kind"\n'


def family(text: str) -> str:
    return text + 'family = "f"\n'


@pytest.mark.parametrize(("text", "remarks"), [
    (UP + 'phrases = ["wins prize"]\n', []),
    (UP + 'phrases = ["cuts debt"]\n' + DOWN + 'phrases = ["Cuts-Debt"]\n',
     [("down_kind", "Cuts-Debt", "two_directions")]),
    (UP + 'phrases = ["cuts .. debt"]\n' + DOWN + 'phrases = ["cuts debt"]\n', []),
    (UP + 'phrases = ["a b", "A-B"]\n', [("up_kind", "A-B", "twice")]),
    (UP + 'phrases = ["wins big prize"]\nexcept = ["big prize"]\n', [("up_kind", "wins big prize", "excepted")]),
    (UP + 'phrases = ["wins bigger prize"]\nexcept = ["big"]\n', []),
    (UP + 'phrases = ["wins .. big prize"]\nexcept = ["wins .. prize"]\n',
     [("up_kind", "wins .. big prize", "excepted")]),
    (UP + 'phrases = ["prize .. wins"]\nexcept = ["wins .. prize"]\n', []),
    (NOISE + 'phrases = ["fund notice"]\nexcept = ["notice"]\n' + UP + 'phrases = ["wins"]\n',
     [("noise_kind", "fund notice", "excepted")]),
    (family(UP) + 'phrases = ["public offering"]\n' + family(UP.replace("up_kind", "late_kind"))
     + 'phrases = ["public offering of notes"]\n', [("late_kind", "public offering of notes", "shadowed")]),
    (family(UP) + 'phrases = ["public offering"]\nexcept = ["notes"]\n' + family(UP.replace("up_kind", "late_kind"))
     + 'phrases = ["public offering of notes"]\n', []),
    (UP + 'phrases = ["public offering"]\n' + UP.replace("up_kind", "late_kind")
     + 'phrases = ["public offering of notes"]\n', []),
    (family(UP) + 'where = "title"\nphrases = ["public offering"]\n' + family(UP.replace("up_kind", "late_kind"))
     + 'phrases = ["public offering of notes"]\n', []),
    (family(UP) + 'phrases = ["public offering"]\n' + family(DOWN) + 'phrases = ["public offering halted"]\n', []),
])
def test_remarks(text: str, remarks: list[tuple[str, str, str]]) -> None:
    """Contrary and double phrases are found, and those that an exception or an earlier rule of the family hides."""
    Rules.from_toml(text)
    found, _ = check(text)
    assert [(one.rule, one.phrase, one.what) for one in found] == remarks
    assert all(one.text for one in found)


def test_what_never_fires_does_not() -> None:
    """A phrase that the check calls dead makes no hit where it stands, one that it does not call so does."""
    excepted = Rules.from_toml(UP + 'phrases = ["wins big prize", "wins a car"]\nexcept = ["big prize"]\n')
    assert not excepted.find("Acme wins big prize", "").kinds
    assert excepted.find("Acme wins a car", "").kinds
    shadowed = Rules.from_toml(family(UP) + 'phrases = ["public offering"]\n' + family(
        UP.replace("up_kind", "late_kind")) + 'phrases = ["public offering of notes"]\n')
    assert [hit.rule.name for hit in shadowed.find("Acme public offering of notes", "").kinds] == ["up_kind"]


def test_counts() -> None:
    """Rules, phrases, needs and exceptions are counted."""
    text = NOISE + 'phrases = ["x y"]\n' + UP + 'phrases = ["a b", "c d"]\nneeds = ["e f"]\nexcept = ["g h", "i j"]\n'
    assert check(text)[1] == {"kinds": 1, "noise": 1, "filings": 0, "phrases": 3, "needs": 1, "exceptions": 2}
    assert check(BUNDLED_RULES.read_text(encoding="utf-8"))[1]["phrases"] > 1_000


@pytest.mark.parametrize(("text", "said"), [
    (UP + 'phrases = ["a b"]\nphrase = ["x"]\n', "up_kind.*phrase"),
    ("[[kinds]]\n", "unknown table 'kinds'"), (UP, "up_kind"), (UP + 'phrases = ["a"]\n', "less than two characters")])
def test_what_is_refused(text: str, said: str) -> None:
    """An unknown key or table and a rule without phrases are errors before any remark."""
    with pytest.raises(RuleError, match=said):
        Rules.from_toml(text)
