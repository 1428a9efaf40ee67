"""The HTML helper: everything is escaped, nothing that runs or loads can be made."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.web.html import Safe, el, form, link, own, picture, text
from tests.web.examples import HOSTILE


@pytest.mark.parametrize("value", HOSTILE)
def test_text_is_escaped_as_content_and_as_value(value: str) -> None:
    """No character of a hostile text is markup, in an element or in an attribute."""
    made = el("p", value, title=value)
    assert made.count("<") == 2
    assert made.count('"') == 2
    assert not {"\x00", "\x1b", "\r", "\n", "\u202e", "\ud800"} & set(made)


@given(st.text(max_size=60))
def test_any_text_comes_back_as_text(value: str) -> None:
    """A parser finds one element, no other tag, whatever the text is."""
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)

    Tags().feed(el("p", value, data_x=value))
    assert tags == ["p"]


def test_markup_is_made_of_calls() -> None:
    """Elements nest, None and False are left out, True has no value, a number is text."""
    assert el("p", "a ", el("b", 1), None, [" ", "c"], cls="x", hidden=True, title=None) == (
        '<p class="x" hidden>a <b>1</b> c</p>')
    assert el("br") == "<br>"
    assert text(Safe("<i></i>")) == "<i></i>"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "https://a b/",
                                     "http://user:pw@host/", "ftp://host/", "HTTPS:evil", "\x01https://x.example/"])
def test_only_web_addresses_become_links(address: str) -> None:
    """What is no plain http or https address is shown as text."""
    assert link(address, "words") == "<span>words</span>"


def test_a_link_tells_nothing_of_us() -> None:
    """A link to the outside has rel, an escaped address, escaped words."""
    assert link('https://a.example/?x="&y=<', "<w>") == (
        '<a href="https://a.example/?x=%22&amp;y=%3C" rel="noreferrer noopener">&lt;w&gt;</a>')


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example", "javascript:x", "/a b", '/"', "/\n", ""])
def test_our_own_links_lead_to_us(path: str) -> None:
    """A path of ours begins with one slash and holds no odd character."""
    for make in (lambda: own(path, "x"), lambda: picture(path, "x"), lambda: form(path)):
        with pytest.raises(ValueError, match="no path of ours"):
            make()


@pytest.mark.parametrize("attributes", [{"href": "x"}, {"src": "x"}, {"style": "x"}, {"onclick": "x"}, {"srcdoc": "x"},
                                        {"on_click": "x"}, {"a b": "x"}])
def test_what_runs_or_loads_cannot_be_made(attributes: dict[str, str]) -> None:
    """Attributes that could run or load something are refused."""
    with pytest.raises(ValueError, match=r"attribute|function"):
        el("p", **attributes)
    with pytest.raises(ValueError, match="no element"):
        el("script src=x")
