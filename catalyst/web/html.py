"""HTML made of nested calls, which escape everything that is not made here.

`el("td", text, cls="num")` is a `Safe` text; any other text that goes in is escaped, stripped of control, direction and
zero-width characters, and so is every attribute's value. There is no way to pass a script, a style or an address:
links and pictures have functions of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from catalyst.core.outside import plain_line, safe_link

VOID = frozenset({"meta", "link", "img", "input", "br"})
NAME = re.compile(r"[a-z][a-z0-9-]*")
FORBIDDEN = frozenset({"href", "src", "style", "action", "srcdoc", "formaction"})
OWN_PATH = re.compile(r"/[A-Za-z0-9_.:/?&=%+-]*")


class Safe(str):
    """Markup made by this module."""

    __slots__ = ()


Node = Any  # Safe, text, a number, None (nothing) or an iterable of these


def text(value: Any) -> Safe:
    """A value as escaped text; Safe stays as it is, None is nothing, an iterable is joined."""
    if isinstance(value, Safe):
        return value
    if value is None or value is False:
        return Safe("")
    if isinstance(value, str):
        lead, tail = value[:1].isspace(), value[-1:].isspace() and len(value) > 1
        return Safe(f"{' ' * lead}{_plain(value)}{' ' * tail}")
    if isinstance(value, Iterable):
        return Safe("".join(map(text, value)))
    return Safe(escape(str(value)))


def el(name: str, *children: Node, **attributes: Any) -> Safe:
    """An element. `cls` is its class; an underscore in an attribute's name is a hyphen; None leaves it out, True has
    no value. Raises ValueError for an attribute that could run or load something."""
    if not FORBIDDEN.isdisjoint(attributes):
        raise ValueError(f"{sorted(FORBIDDEN & attributes.keys())[0]} has a function of its own")
    return _element(name, children, attributes)


def link(address: str, *children: Node, **attributes: Any) -> Safe:
    """A link to the outside, told nothing of us; only its text where the address is not plain http or https."""
    target = safe_link(address)
    if target is None:
        return el("span", *children, **attributes)
    return _element("a", children, {**attributes, "href": target, "rel": "noreferrer noopener"})


def own(path: str, *children: Node, **attributes: Any) -> Safe:
    """A link to a page of ours. Raises ValueError for anything that is no plain path."""
    return _element("a", children, {**attributes, "href": _own(path)})


def picture(path: str, alt: str, **attributes: Any) -> Safe:
    """A picture of ours. Raises ValueError for anything that is no plain path."""
    return _element("img", (), {**attributes, "src": _own(path), "alt": alt})


def stylesheet(path: str) -> Safe:
    """The link to our style sheet."""
    return _element("link", (), {"rel": "stylesheet", "href": _own(path)})


def icon(path: str) -> Safe:
    """The link to our sign."""
    return _element("link", (), {"rel": "icon", "type": "image/svg+xml", "href": _own(path)})


def script(path: str) -> Safe:
    """The link to our script."""
    return _element("script", (), {"src": _own(path), "defer": True})


def form(path: str, *children: Node, **attributes: Any) -> Safe:
    """A form that asks a page of ours."""
    return _element("form", children, {**attributes, "method": "get", "action": _own(path)})


def _own(path: str) -> str:
    if not OWN_PATH.fullmatch(path) or path.startswith("//"):
        raise ValueError(f"{path!r} is no path of ours")
    return path


def _element(name: str, children: Iterable[Node], attributes: dict[str, Any]) -> Safe:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no element")
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and
                   value is not False)
    if name in VOID:
        return Safe(f"<{name}{said}>")
    return Safe(f"<{name}{said}>{''.join(map(text, children))}</{name}>")


@lru_cache(maxsize=2_048)  # the same titles are shown again and again; a look at each character costs most of a page
def _plain(value: str) -> str:
    """The text as one escaped line."""
    return escape(plain_line(value))


def _attribute(key: str, value: Any) -> str:
    name = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
    if not NAME.fullmatch(name) or name.startswith("on"):
        raise ValueError(f"{name!r} is no attribute")
    return f" {name}" if value is True else f' {name}="{_plain(str(value))}"'
