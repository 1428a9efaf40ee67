"""What the bundled rules make of a thousand headlines of every kind, each in the words of another press office."""

from __future__ import annotations

from pathlib import Path

from catalyst.clients.files import BUNDLED_RULES
from catalyst.core.rules import Rules

HEADLINES = Path(__file__).resolve().parents[1] / "data/headlines.tsv"
DATELINE = "NEW YORK, Nov. 20, 2026 (GLOBE NEWSWIRE) -- "
PLAIN = "Acme, Inc. (Nasdaq: ACME) today made an announcement."  # of a release that tells its news in the title


def test_headlines() -> None:
    """Each has the kind first, or the noise, that a reader would give it; `none` has neither."""
    rules = Rules.from_toml(BUNDLED_RULES.read_text(encoding="utf-8"))
    wrong = []
    for line in HEADLINES.read_text(encoding="utf-8").splitlines():
        wanted, title, body = (*line.split("\t"), PLAIN)[:3]
        found = rules.find(title, DATELINE + body)
        names = [found.noise.rule.name] if found.noise else [hit.rule.name for hit in found.kinds]
        if names[:1] != ([] if wanted == "none" else [wanted]):
            wrong.append((wanted, names, title))
    assert not wrong
