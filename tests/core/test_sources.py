"""sources.toml: what is read, what is refused and with which words, and the bundled list."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.edgar import asked_form, reading_of
from catalyst.core.sources import KINDS, Source, read_sources
from catalyst.errors import ConfigError

GOOD = 'name = "wire"\nurl = "https://wire.example/feed.xml"\nkind = "rss"\n'


def one(text: str) -> Source:
    """The only source of a text of its fields."""
    (source,) = read_sources(f"[[source]]\n{text}")
    return source


def test_all_fields() -> None:
    """Every field is read as given, `every` exactly."""
    source = one(GOOD + "every = 0.5\ntrust = 0.25\nenabled = false")
    assert source == Source("wire", "https://wire.example/feed.xml", "rss", 0.5, 0.25, False)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_pace(kind: str) -> None:
    """Without `every` a source has no pace of its own; it is enabled and fairly trusted."""
    source = one(GOOD.replace("rss", kind))
    assert (source.kind, source.every_s, source.enabled, source.trust) == (kind, None, True, 0.7)


def test_order_and_none() -> None:
    """Sources keep the order of the file; an empty file has none."""
    text = "".join(f"[[source]]\n{GOOD.replace('wire', name, 1)}" for name in ("b", "a", "c"))
    assert [source.name for source in read_sources(text)] == ["b", "a", "c"]
    assert read_sources("# nothing\n") == ()


@pytest.mark.parametrize(("text", "words"), [
    (GOOD + "evry = 5", ("source wire", "evry", "did you mean every")),
    (GOOD + "colour = 1", ("source wire", "colour")),
    (GOOD.replace("rss", "rdf"), ("source wire", "kind", "rdf")), (GOOD + 'every = "5"', ("source wire", "every")),
    (GOOD + "every = 0", ("source wire", "every", "0.1")), (GOOD + "every = true", ("source wire", "every")),
    (GOOD + "every = nan", ("source wire", "every")), (GOOD + "trust = 1.5", ("source wire", "trust")),
    (GOOD + "enabled = 1", ("source wire", "enabled", "true or false")),
    ('url = "https://e.example"\nkind = "rss"', ("source number 1", "name", "missing")),
    ('name = "wire"\nkind = "rss"', ("source wire", "url", "missing")),
    ('name = "wire"\nurl = "https://e.example/"', ("source wire", "kind", "missing")),
    (GOOD.replace('"wire"', '"two words"'), ("name",)), (GOOD.replace('"wire"', f'"{"x" * 41}"'), ("name",)),
    (GOOD.replace("https://wire.example/feed.xml", "ftp://x/"), ("source wire", "url")),
    (GOOD.replace("https://wire.example/feed.xml", "https://x.example:nine/"), ("source wire", "url")),
    (GOOD.replace("https://wire.example/feed.xml", "https://x.example/a b"), ("source wire", "url")),
    (GOOD + "[[source]]\n" + GOOD.replace("wire", "WIRE", 1), ("source WIRE", "name", "twice")),
    (GOOD.replace("rss", "finviz").replace("feed.xml", "feed.xml?auth=abc"), ("source wire", "FINVIZ_AUTH_TOKEN")),
    (GOOD.replace("rss", "benzinga").replace("feed.xml", "?pageSize=9&Token="), ("source wire", "BENZINGA_API_KEY")),
    (GOOD.replace("rss", "finnhub").replace("feed.xml", "?token=abc"), ("source wire", "FINNHUB_API_KEY")),
    (GOOD.replace("rss", "finnhub").replace("https", "http"), ("source wire", "url", "https://")),
    (GOOD + "[other]\nx = 1", ("other",)), ("name = ", ("sources:",))])
def test_faults_name_source_and_field(text: str, words: tuple[str, ...]) -> None:
    """A fault is one line that names the source and the field."""
    with pytest.raises(ConfigError) as caught:
        one(text)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["source = 1", "source = [1]", "[source]\nname = 'x'"])
def test_source_must_be_tables(text: str) -> None:
    """`source` must be a list of tables."""
    with pytest.raises(ConfigError):
        read_sources(text)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any text is read or refused, nothing else."""
    try:
        rows = read_sources(text)
    except ConfigError:
        rows = ()
    assert rows == ()


def test_bundled_sources() -> None:
    """The bundled list is valid, uses https, and asks EDGAR for forms that are read, each with one list."""
    text = files("catalyst").joinpath("sources.toml").read_text("utf-8")
    sources = read_sources(text)
    enabled = {source.name for source in sources if source.enabled}
    assert {"globenewswire", "prnewswire"} <= enabled
    assert all(source.url.startswith("https://") for source in sources)
    forms = [asked_form(source.url) for source in sources if source.kind == "edgar"]
    assert {"8-K", "6-K", "S-1", "S-3", "424B3", "424B4", "424B5", "FWP", "SCHEDULE 13D", "SCHEDULE 13G", "4", "10-Q",
            "10-K"} == set(forms)
    assert {source.kind for source in sources} >= {"rss", "edgar", "finnhub", "finviz", "benzinga"}
    assert not [name for name in enabled if name in ("finnhub", "finviz", "benzinga")]
    assert len(set(forms)) == len(forms)
    assert all(reading_of(form) for form in forms)
    assert len(tomllib.loads(text)["source"]) == len(sources)
