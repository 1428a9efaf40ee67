import re
import tomllib

import pytest

from catalyst.core.sources import read_sources
from catalyst.errors import ConfigError
from catalyst.settings import load
from catalyst.world.day import Day, Shift, environment, write_day, write_sources

GOOD = """
name = "x"
starts = "2026-03-03T14:30:00Z"
duration_s = 60
[[feed]]
name = "wire"
file = "wire.xml"
"""


def made(folder, text):
    (folder / "wire.xml").write_text("<rss/>")
    (folder / "day.toml").write_text(text)
    return folder


def test_reads_back_what_was_written(day):
    """A written day.toml gives the same day."""
    assert Day.load(day.folder) == day
    write_day(day)
    assert Day.load(day.folder) == day


def test_fills_in_defaults(tmp_path):
    """Without company list, bars, trust and window a day is still a day."""
    day = Day.load(made(tmp_path, GOOD))
    assert (day.companies, day.bars, day.seed, day.bar_s) == (None, None, None, 60)
    assert (day.feeds[0].trust, day.feeds[0].window, day.feeds[0].every_s) == (0.8, 200, None)


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('"wire.xml"', '"gone.xml"', "feed wire: gone.xml is missing"),
    ('"wire.xml"', '"../wire.xml"', "is not a name inside the folder"),
    ('"wire"', '"../etc"', "must be lower-case letters"),
    ("2026-03-03T14:30:00Z", "yesterday", "starts is not an ISO time"),
    ("duration_s = 60", "duration_s = true", "duration_s is not a number between"),
    ("duration_s = 60", "duration_s = -1", "duration_s is not a number between"),
    ("[[feed]]", "[feed]", "feed must be written as [[feed]]"),
    ('file = "wire.xml"', 'file = "wire.xml"\nkind = "json"', "kind 'json' is none of rss, atom"),
    ('file = "wire.xml"', 'file = "wire.xml"\nform = "8-K"', "only a feed of kind edgar has a form"),
    ('file = "wire.xml"', 'file = "wire.xml"\n[filings]\nfolder = "gone"', "[filings]: gone is missing"),
    ('file = "wire.xml"', 'file = "wire.xml"\ntrust = 2', "trust is not a number between 0 and 1"),
    ('name = "x"', 'name = "x', "cannot be read"),
    ('name = "x"', 'seed = "x"', "seed is not a whole number"),
    ('file = "wire.xml"', 'file = "wire.xml"\n[[feed]]\nname = "wire"\nfile = "wire.xml"', "feed wire is there twice"),
    ('file = "wire.xml"', 'file = "wire.xml"\n[bars]\nfolder = "bars"', "[bars]: bars is missing"),
])
def test_says_plainly_what_is_wrong(tmp_path, old, new, expected):
    """Every fault of a day.toml is one line that names the file and the fault."""
    made(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=re.escape(expected)) as caught:
        Day.load(tmp_path)
    assert "day.toml" in str(caught.value)


def test_lists_of_filings_are_written_and_read(filed_day, tmp_path):
    """Feeds of kind edgar share one document; each becomes a source that asks for its form."""
    assert Day.load(filed_day.folder) == filed_day
    write_day(filed_day)
    assert Day.load(filed_day.folder) == filed_day
    lists = [feed for feed in filed_day.feeds if feed.kind == "edgar"]
    assert len({feed.file for feed in lists}) == 1
    write_sources(filed_day, "http://127.0.0.1:8123", tmp_path / "sources.toml")
    sources = {row["name"]: row for row in tomllib.loads((tmp_path / "sources.toml").read_text())["source"]}
    assert sources["sec_13d"]["kind"] == "edgar"
    assert sources["sec_13d"]["url"] == (
        "http://127.0.0.1:8123/cgi-bin/browse-edgar?action=getcurrent&type=SCHEDULE+13D&company=&dateb=&owner=include"
        "&start=0&count=100&output=atom")
    assert len(read_sources((tmp_path / "sources.toml").read_text())) == len(filed_day.feeds)


def test_a_folder_without_day_toml_is_not_a_day(tmp_path):
    """The message names the folder."""
    with pytest.raises(ConfigError, match="is not a day"):
        Day.load(tmp_path)


def test_what_lies_before_the_start_keeps_its_distance():
    """Only what comes after the start runs faster; the way back gives the day's own time."""
    shift = Shift(day_start_ms=1_000_000, real_start_ms=5_000_000, speed=10)
    assert shift.real_ms(1_000_000) == 5_000_000
    assert shift.real_ms(400_000) == 4_400_000
    assert shift.real_ms(1_060_000) == 5_006_000
    assert [shift.day_ms(shift.real_ms(moment)) for moment in (400_000, 1_060_000)] == [400_000, 1_060_000]


def test_sources_and_settings_point_at_the_world(day, tmp_path):
    """A sources.toml with every feed, and an environment that the settings accept."""
    write_sources(day, "http://127.0.0.1:8123", tmp_path / "sources.toml")
    sources = tomllib.loads((tmp_path / "sources.toml").read_text())["source"]
    assert [source["name"] for source in sources] == [feed.name for feed in day.feeds]
    assert sources[0] == {"name": "globenewswire", "url": "http://127.0.0.1:8123/feeds/globenewswire.xml",
                          "kind": "rss", "every": 2, "trust": 0.9, "enabled": True}
    settings = load(environment(day, "http://127.0.0.1:8123", tmp_path / "sources.toml"), tmp_path / "no.env")
    assert settings.allow_hosts == ("127.0.0.1:8123",)
    assert settings.quote_providers == ("simulated",)
    assert (settings.edgar_per_s, "@" in settings.sec_user_agent) == (0, True)
    assert settings.companies == day.companies


def test_a_day_reaches_nobody_outside(day, tmp_path):
    """Whatever sinks the user has set, alerts of a day go to its world: webhooks, a bot, other services."""
    own = {"DISCORD_WEBHOOK_URL": "https://discord.com/api/webhooks/1/x", "CATALYST_WEBHOOK_URL": "https://example.com",
           "DISCORD_ADMIN_WEBHOOK": "https://discord.com/api/webhooks/2/x", "CATALYST_NOTIFY": "ntfy://example.com/x",
           "DISCORD_BOT_TOKEN": "token", "DISCORD_CHANNEL_ID": "7"}
    world = "http://127.0.0.1:8123"
    settings = load(own | environment(day, world, tmp_path / "sources.toml"), tmp_path / "no.env")
    sinks = (settings.discord_base_url, settings.discord_webhook_url, settings.discord_admin_webhook,
             settings.webhook_url)
    assert [sink for sink in sinks if not sink.startswith(world)] == []
    assert settings.notify == ""
