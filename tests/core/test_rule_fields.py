"""The fields of a rule that set it beside other rules: slot, family, vague, yields, mild, compared, and brackets."""

from __future__ import annotations

import pytest

from catalyst.core.rules import Rules
from catalyst.errors import RuleError

TABLE = """
[[noise]]
name = "move"
mild = true
where = "title"
phrases = ["shares [rise|fall]"]
[[kind]]
name = "beat"
family = "numbers"
direction = "up"
weight = 0.7
phrases = ["[beats|tops] .. [estimates|consensus]"]
[[kind]]
name = "results"
family = "numbers"
direction = "neutral"
weight = 0.3
vague = true
phrases = ["results"]
[[kind]]
name = "cut"
family = "outlook"
direction = "down"
weight = 0.8
compared = "less"
phrases = ["outlook"]
needs = ["from"]
[[kind]]
name = "stage"
family = "sale"
direction = "down"
weight = 0.7
phrases = ["prices"]
[[kind]]
name = "way"
family = "sale"
slot = "way"
direction = "down"
weight = 0.7
phrases = ["convertible"]
[[kind]]
name = "grave"
direction = "down"
weight = 0.8
phrases = ["bankruptcy"]
[[kind]]
name = "light"
direction = "up"
weight = 0.3
phrases = ["partner"]
[[kind]]
name = "missed"
family = "trial"
direction = "down"
weight = 0.9
overrides = true
phrases = ["missed its goal"]
[[kind]]
name = "trend"
family = "trial"
direction = "up"
weight = 0.9
phrases = ["encouraging trends"]
[[kind]]
name = "theme"
direction = "neutral"
weight = 0.1
yields = ["*"]
phrases = ["quantum"]
"""


@pytest.mark.parametrize(
    ("title", "summary", "names"),
    [
        ("Tops Analyst Consensus", "", ["beat"]),
        ("Beats Rivals", "", []),
        ("Announces Results", "It beats estimates.", ["beat"]),
        ("Announces Results", "", ["results"]),
        ("Beats Estimates", "The results came.", ["beat"]),
        ("Outlook to $4 from $5", "", ["cut"]),
        ("Outlook to $6 from $5", "", []),
        ("Outlook from Acme", "", []),
        ("Prices Convertible", "", ["stage", "way"]),
        ("Prices Units", "A convertible was sold.", ["stage"]),
        ("Beats Estimates", "A partner came. Its bankruptcy is near.", ["beat", "grave"]),
        ("Acme", "A partner came.", ["light"]),
        ("Quantum", "", ["theme"]),
        ("Quantum Prices", "", ["stage"]),
        ("Encouraging Trends", "The trial missed its goal.", ["missed"]),
        ("Encouraging Trends: No Bankruptcy: Prices Units", "", ["trend", "stage"]),
        ("No Bankruptcy: Encouraging Trends", "", ["trend"]),
    ],
)
def test_kinds_beside_each_other(title: str, summary: str, names: list[str]) -> None:
    """Slots, vague titles, what overrides a title, negations before a colon, families between
    title and summary, grave asides, comparisons and what yields."""
    assert [hit.rule.name for hit in Rules.from_toml(TABLE).find(title, summary).kinds] == names


@pytest.mark.parametrize(("title", "noise"), [("Shares Fall", True), ("Shares Fall, Prices Units", False)])
def test_mild_noise(title: str, noise: bool) -> None:
    """Mild noise gives way to a catalyst in the title."""
    assert (Rules.from_toml(TABLE).find(title, "").noise is not None) is noise


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('compared = "less"', 'compared = "most"'), "compared: 'most' is neither more nor less"),
        (('phrases = ["quantum"]', 'phrases = ["quantum"]\nmild = true'), "only noise has it"),
        (("mild = true", "mild = true\nvague = true"), "noise has no weight"),
        (("mild = true", "mild = true\noverrides = true"), "noise has no weight"),
        (('["quantum"]', '["[a|b] .. quantum"]'), "less than two characters"),
        (('["quantum"]', '["[' + "|".join(f"aa{n}" for n in range(1_001)) + ']"]'), "over 1000 choices"),
    ],
)
def test_faults(change: tuple[str, str], words: str) -> None:
    """A fault names the rule and the field."""
    with pytest.raises(RuleError, match=words):
        Rules.from_toml(TABLE.replace(*change))
