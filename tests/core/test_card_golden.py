"""Forty-three cards as they go out, compared with the files of tests/data/cards, and what each of them must tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from catalyst.core.card import Moment, discord_card
from catalyst.testing import START_MS
from catalyst.world.discord import Upload, attachment_faults, body_faults
from tests.core.cards import CASES, Case

FOLDER = Path(__file__).resolve().parents[1] / "data" / "cards"


def card_of(case: Case) -> dict[str, Any]:
    return discord_card(case.alert, case.sources, Moment(START_MS, ZoneInfo("America/New_York"), case.repeat), case.alt,
                        case.corrections, case.followed)


@pytest.mark.parametrize("name", CASES)
def test_golden_card(name: str, request: pytest.FixtureRequest) -> None:
    """The payload is the stored one, and Discord takes it. `--write-cards` stores the present ones."""
    card = card_of(CASES[name])
    uploads = () if CASES[name].alt is None else (Upload("files[0]", "chart.png", 9),)
    assert body_faults(card, uploads, is_edit=False) + attachment_faults(card, uploads, []) == []
    file = FOLDER / f"{name}.json"
    if request.config.getoption("--write-cards"):
        file.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert card == json.loads(file.read_text(encoding="utf-8"))


def test_every_golden_card_has_its_case() -> None:
    """Forty-three of each, under the same names."""
    assert len(CASES) == 43
    assert {file.stem for file in FOLDER.glob("*.json")} == set(CASES)


@pytest.mark.parametrize(("name", "words"), [
    ("approval_with_offering", "also offering pricing: “Prices $12 Million Public Offering”"),
    ("letter_of_intent", "not done yet: “Non-Binding”"), ("amendment", "an amendment (8-K/A)"),
    ("stale_price", "the price is old"), ("thin", "thin: $3,780 traded today"), ("already_moved", "already +60 %"),
    ("low_trust", "a source of low trust (0.30)"), ("late_news", "4 h old when it was seen"),
    ("no_price", "no price is known")])
def test_what_speaks_against_it(name: str, words: str) -> None:
    """One line begins with ⚠ and says so; an alert without a doubt has none."""
    description = card_of(CASES[name])["embeds"][0]["description"]
    assert words in description.rpartition("⚠ Against: ")[2].replace("\\", "")
    assert "⚠" not in card_of(CASES["approval"])["embeds"][0]["description"]


@pytest.mark.parametrize(("name", "flags"), [
    ("offering", "⚑ dilution"), ("offering_warrants", "⚑ dilution · warrants"), ("halt", "⚑ halted"),
    ("simulated", "⚑ simulated"), ("approval", None), ("offering_withdrawn", None)])
def test_flags(name: str, flags: str | None) -> None:
    """What a reader must not overlook has a field of its own."""
    shown = {row["name"]: row["value"] for row in card_of(CASES[name])["embeds"][0]["fields"]}
    assert shown.get("Flags") == flags


def test_history_is_told_from_twenty_on() -> None:
    """Number, horizon, median with its interval and the share that fell; fewer are an anecdote."""
    shown = {row["name"]: row["value"] for row in card_of(CASES["history"])["embeds"][0]["fields"]}
    assert shown["History"] == "n=41, 60 min median -6.2 % (-9.1 to -3.0), 73% down"
    assert "History" not in json.dumps(card_of(CASES["history_too_short"]))


def test_what_followed() -> None:
    """The changes in the order of their horizons, marked where no market made them; what gives way to them is what the
    moment of the alert was like, not what a reader must know."""
    shown = {row["name"]: row["value"] for row in card_of(CASES["after"])["embeds"][0]["fields"]}
    assert shown["After"] == "15 min +4.2 % · 30 min -3.1 % · 1 h +0.4 %"
    names = [row["name"] for row in card_of(CASES["after_with_everything"])["embeds"][0]["fields"]]
    assert names == ["✎ Corrected by its publisher", "Price", "Flags", "History", "After", "Sources"]
    shown = {row["name"]: row["value"] for row in card_of(CASES["after_simulated"])["embeds"][0]["fields"]}
    assert shown["After (simulated prices)"] == "15 min +1.0 %"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.alert.direction == "down"])
def test_bad_news_reads_as_bad_news(name: str) -> None:
    """A word and an arrow beside the colour, in the notification and in the title."""
    card = card_of(CASES[name])
    assert "▼ negative: " in card["content"]
    assert card["embeds"][0]["title"].startswith("▼ ACME · negative: ")
    assert card["embeds"][0]["color"] in (0xE08A87, 0xC62F2D, 0xE0A100)
