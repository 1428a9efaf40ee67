"""Words of a command line that name nothing: a kind that no rule makes, a source or a ticker that is in no list; each
with the nearest name. They are warned of, not refused: a rule, a source or a listing may come or have been.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from catalyst.commands.output import plain
from catalyst.errors import ConfigError
from catalyst.settings import Settings


def warn(text: str) -> None:
    """One line on standard error; the exit code stays."""
    sys.stderr.write(f"catalyst: {plain(text)}\n")


def unknown(what: str, value: str, settings: Settings) -> str:
    """Why `value` is no kind, source or ticker (`what`) that is known here; empty where it is one, and where the list
    cannot be read."""
    with suppress(ConfigError):
        return {"kind": _kind, "source": _source, "ticker": _ticker}[what](value, settings)
    return ""


def unknown_beginning(value: str, settings: Settings) -> str:
    """Why no kind begins so; empty where one does."""
    from catalyst.clients.files import kinds_of, load_rules

    with suppress(ConfigError):
        if any(kind.startswith(value) for kind in kinds_of(load_rules(settings))):
            return ""
    return unknown("kind", value, settings)


def _kind(value: str, settings: Settings) -> str:
    from catalyst.clients.files import kinds_of, load_rules  # needed for words of kinds only
    from catalyst.core.sieve import unknown_kind

    return unknown_kind(value.lower(), sorted(kinds_of(load_rules(settings))))


def _source(value: str, settings: Settings) -> str:
    import difflib

    from catalyst.clients.polls import list_sources

    names = [source.name for source in list_sources(settings)]
    if value.casefold() in (name.casefold() for name in names):
        return ""
    bare = {_bare(name): name for name in names}
    near = difflib.get_close_matches(_bare(value), bare, 1, 0.5)
    return f"no source is named {value!r}" + (f", did you mean {bare[near[0]]}?" if near else "")


def _bare(name: str) -> str:
    """Letters and digits alone: who writes PR Newswire means prnewswire."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _ticker(value: str, settings: Settings) -> str:
    from catalyst.clients.files import load_companies
    from catalyst.core.watchlist import ticker_of

    companies, ticker = load_companies(settings), ticker_of(value)
    if companies is None or companies.ticker(ticker) is not None:
        return ""
    named = companies.name(value)
    near = [named.ticker] if named is not None else companies.near(ticker, 1)
    return f"no company of the list has the ticker {ticker}" + (f", did you mean {near[0]}?" if near else "")
