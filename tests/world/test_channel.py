"""The channel's page shows messages as they stand, and nothing from outside becomes part of the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.outside import escaped
from catalyst.world.channel import channel_page, marked_up

MESSAGE = {"content": "ARQX ▲ FDA approval · 87", "timestamp": "2026-03-03T14:35:00.000Z", "embeds": [{
    "title": "Arqx wins", "url": "https://a.example/1", "description": "**Simulated.**\nwhy", "color": 0x1B9E4B,
    "author": {"name": "sec_8k · 8-K"}, "fields": [{"name": "Price", "value": "$1.02", "inline": True}],
    "image": {"url": "attachment://chart.png"}, "footer": {"text": "id 1"}}],
    "attachments": [{"filename": "chart.png", "url": "/attachments/1/chart.png"}]}


def test_a_message_is_shown_whole() -> None:
    """Phone line, title with its link, why, fields, chart and footer are on the page."""
    page = channel_page([MESSAGE])
    for part in ("ARQX ▲ FDA approval · 87", '<a href="https://a.example/1"', "<strong>Simulated.</strong>", "$1.02",
                 '<img src="/attachments/1/chart.png"', "sec_8k · 8-K", "#1b9e4b", "id 1", "14:35:00 UTC"):
        assert part in page
    assert "(edited)" not in page
    assert "(edited)" in channel_page([{**MESSAGE, "edited_timestamp": "2026-03-03T14:35:01.000Z"}])


@pytest.mark.parametrize(("text", "shown"), [
    ("a \\* b", "a * b"), ("**bold**", "<strong>bold</strong>"), ("<script>", "&lt;script&gt;"),
    ("[wire](https://a.example/x)", '<a href="https://a.example/x" rel="noreferrer">wire</a>'),
    ("[wire](javascript:alert)", "[wire](javascript:alert)")])
def test_markup_is_that_of_cards(text: str, shown: str) -> None:
    """Escapes, bold and masked web links are read; everything else stays text."""
    assert marked_up(text) == shown


@given(st.text(max_size=80))
def test_what_the_card_escaped_is_shown_as_text(text: str) -> None:
    """Text that went through the card's escaping makes no element of its own."""
    assert "<a " not in marked_up(escaped(text, 200))
    assert "<strong>" not in marked_up(escaped(text, 200))
