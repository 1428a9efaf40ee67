"""Files that a user names or the home holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalyst.clients.files import (
    Lists,
    companies_path,
    load_companies,
    load_market_values,
    load_rules,
    load_watchlist,
    read_text,
    stamp,
    watchlist_path,
)
from catalyst.core.market_values import DAY_MS, MarketValue
from catalyst.errors import ConfigError
from catalyst.settings import defaults

LIST = '{"0":{"cik_str":1,"ticker":"ABCD","title":"Abcd Inc"}}'


def test_home_and_named_files(tmp_path: Path) -> None:
    """A named file goes before the one in the home; without either there is no list, and the bundled rules apply."""
    bare = defaults(home=tmp_path)
    assert companies_path(bare) is watchlist_path(bare) is load_companies(bare) is None
    assert load_watchlist(bare) == frozenset()
    assert load_rules(bare).version
    (tmp_path / "companies.json").write_text(LIST)
    (tmp_path / "watchlist.csv").write_text("ABCD\n")
    (tmp_path / "mine.csv").write_text("\ufeffTicker\nEFGH\n", encoding="utf-8")
    assert "ABCD" in (load_companies(bare) or ())
    assert load_watchlist(bare) == {"ABCD"}
    assert load_watchlist(bare.but(watchlist=tmp_path / "mine.csv")) == {"EFGH"}


@pytest.mark.parametrize("name", ["missing", ".", "binary"])
def test_what_cannot_be_read(tmp_path: Path, name: str) -> None:
    """A missing file, a folder and bytes that are no text are ConfigErrors that name the file."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="rules: .*" + str(tmp_path)):
        read_text(tmp_path / name, "rules")
    with pytest.raises(ConfigError, match="watch list"):
        load_watchlist(defaults(home=tmp_path, watchlist=tmp_path / name))


def test_stamp_tells_a_replaced_file(tmp_path: Path) -> None:
    """The stamp differs after a replacement and is None where there is no file."""
    path = tmp_path / "list"
    assert stamp(path) is stamp(None) is None
    path.write_text("a")
    before = stamp(path)
    path.write_text("ab")
    assert before != stamp(path) is not None


def test_market_values(tmp_path: Path) -> None:
    """Those of the watch list and of an export of its own, which watches nothing; the newer one of a ticker counts."""
    own, wide = tmp_path / "watchlist.csv", tmp_path / "wide.csv"
    bare = defaults(home=tmp_path)
    assert load_market_values(bare) == {}
    own.write_text("ticker,added,note,market_value_usd,market_value_date\nACME,,,5000000,1970-01-03\nBCME,,,,\n")
    wide.write_text("Ticker,Market Cap\nACME,7\nZZZ,9\n")
    os.utime(wide, (0, 5))
    both = bare.but(market_values=wide)
    assert load_market_values(bare) == {"ACME": MarketValue(5e6, 2 * DAY_MS)}
    assert load_market_values(both) == {"ACME": MarketValue(5e6, 2 * DAY_MS), "ZZZ": MarketValue(9e6, 0)}
    assert load_watchlist(both) == {"ACME", "BCME"}
    lists = Lists(with_values=True)
    assert lists.refresh(both) == []
    os.utime(wide, (0, 5 * 86_400))
    assert lists.refresh(both) == []
    assert lists.values["ACME"] == MarketValue(7e6, 5 * DAY_MS)
    wide.write_text("ACME\n")
    (fault,) = lists.refresh(both)
    assert "states none" in str(fault)
    assert lists.values["ACME"].usd == 7e6
