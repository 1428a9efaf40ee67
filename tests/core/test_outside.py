"""Outside text: nothing of it comes alive in Discord, and lengths are kept."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.outside import BREAK, cut, escaped, length, masked_link, plain_line, safe_link, unmentioned

HOSTILE = st.lists(st.sampled_from([
    "@everyone", "@here", "<@123>", "<@&1>", "<#1>", "<:x:1>", "<t:1:R>", "</a:1>", "**b**", "__u__", "~~s~~", "||x||",
    "`c`", "```\ncode\n```", "[buy](https://evil.example)", "https://evil.example/a_b", "http://x", "discord.gg/abc",
    ":smile:", "# h", "- l", "> q", "1. n", "-# small", "\u202eevil", "\u200b", "\u2066", "\ufeff", "\x00", "\x1b[31m",
    "\n", "\r\n", "\u2028", "\t", "é", "😀", "\u0301" * 20, "\\", "\ud7ff", "A", "z", " ", "10:30", "U.S.", "\u3164",
]) | st.text(max_size=6), max_size=14).map("".join)


def alive(text: str) -> str:
    """What Discord would see after taking every escaped character as plain."""
    return re.sub(r"\\[^0-9A-Za-z\s]", "\u25a1", text)


@pytest.mark.parametrize(("given_text", "shown"), [
    ("Acme Corp. prices $10.5 million offering - low-priced", "Acme Corp. prices $10.5 million offering - low-priced"),
    ("*bold* _x_ ~y~ `z` |w|", "\\*bold\\* \\_x\\_ \\~y\\~ \\`z\\` \\|w\\|"),
    ("[a](https://b.example/c)", "\\[a\\](https\\://b\\.example/c)"),
    ("# head", "\\# head"), ("a # b", "a # b"), ("-5 %", "\\-5 %"), ("> q", "\\> q"), ("12. x", "12\\. x"),
    ("12) x", "12\\) x"), ("a 12. x", "a 12. x"), ("Note: this", "Note: this"), ("at 10:30", "at 10\\:30"),
    ("@everyone", f"@{BREAK}everyone"), ("<@12>", f"\\<@{BREAK}12>"), ("discord.gg/abc", "discord\\.gg/abc"),
    ("a\u202eb\u200bc\x00d\ufeff", "abcd"), (" a\n\n b\tc ", "a b c"), ("", ""), ("\u200b\n", ""),
])
def test_escaped(given_text: str, shown: str) -> None:
    """Only what could mean something is escaped, so that ordinary titles stay readable."""
    assert escaped(given_text, 200) == shown


@given(HOSTILE, st.integers(1, 60))
def test_nothing_comes_alive(text: str, limit: int) -> None:
    """No Markdown, link, mention, emoji or line of its own is left, and the length holds."""
    result = escaped(text, limit)
    assert length(result) <= limit
    seen = alive(result)
    assert not re.search(r"[*_~`|<\[\]]", seen)
    assert not re.search(r"https?:|discord\.gg/|:\w+:", seen)
    assert not re.match(r"[#>+-]|\d+[.)]\s", seen)
    assert not re.search(r"@(?!\u200b)", seen)
    assert "\n" not in result
    assert not result.replace("@" + BREAK, "@").endswith("\\") or result.endswith("\\\\")


@given(HOSTILE)
def test_plain_line(text: str) -> None:
    """One line without characters that draw nothing or turn the direction; done twice it is the same."""
    line = plain_line(text)
    assert line == plain_line(line)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for character in line)
    assert line == line.strip()
    assert "\u0301" * 5 not in line


@given(HOSTILE, st.integers(0, 30))
def test_cut_and_unmentioned_keep_the_limit(text: str, limit: int) -> None:
    """Both are never longer than asked, in UTF-16 units; what fits is whole."""
    assert length(cut(text, limit)) <= limit
    assert length(unmentioned(text, limit)) <= limit
    assert cut(text, 10_000) == plain_line(text)
    assert not re.search("@(?!\u200b)", unmentioned(text, 10_000))


def test_a_pair_is_never_split() -> None:
    """A limit in the middle of an emoji leaves it out."""
    assert cut("😀😀😀", 4) == "😀…"
    assert length("😀") == 2


@pytest.mark.parametrize(("address", "link"), [
    ("https://www.example.com/a/b-c_d?x=1&y=2#z", "https://www.example.com/a/b-c_d?x=1&y=2#z"),
    ("http://example.com:8080/", "http://example.com:8080/"),
    ("https://EXAMPLE.com/A", "https://example.com/A"),
    ("https://e.example/a(b)[c]*", "https://e.example/a%28b%29%5Bc%5D%2A"),
    ("https://e.example/%E2%82%AC?q=%20", "https://e.example/%E2%82%AC?q=%20"),
    ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
    ("http://[::1]:80/x", "http://[::1]:80/x"),
    ("javascript:alert(1)", None), ("data:text/html,x", None), ("file:///etc/passwd", None), ("ftp://x.example/", None),
    ("//x.example/a", None), ("https://", None), ("", None), ("https://user:secret@x.example/", None),
    ("https://user@x.example/", None), ("https://x.example/a b", None), ("https://x.example/\n", None),
    ("https://x.example:99999/", None), ("https://x.example:abc/", None), ("https://a<b>.example/", None),
    ("https://x.example/" + "a" * 3000, None), ("https://[::1", None),
])
def test_safe_link(address: str, link: str | None) -> None:
    """Only http and https with a plain host pass; odd characters are percent-encoded."""
    assert safe_link(address) == link


@given(st.text(max_size=40) | HOSTILE.map(lambda text: "https://x.example/" + text))
def test_safe_link_is_ascii_and_encloses_nothing(address: str) -> None:
    """What passes is plain ASCII that ends no Markdown link, and passing it again changes nothing."""
    link = safe_link(address)
    if link is not None:
        assert link.isascii()
        assert not re.search(r"[\s()<>\[\]`|*\\\"]", link.partition("://")[2].removeprefix("[::1]"))
        assert urlsplit(link).scheme in ("http", "https")
        assert safe_link(link) == link


@given(HOSTILE, st.sampled_from(["https://x.example/a", "javascript:x", "https://x.example/" + "a" * 80]),
       st.integers(30, 90))
def test_masked_link(label: str, address: str, limit: int) -> None:
    """The only live link is the checked address; without room or with another scheme the label stands alone."""
    result = masked_link(label, address, limit)
    assert length(result) <= limit
    links = re.findall(r"\]\(([^)]*)\)", alive(result))
    assert links in ([], [safe_link(address)])
