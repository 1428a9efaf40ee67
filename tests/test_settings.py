"""catalyst.settings: every value parsed, bounded and explained; all faults named together."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.errors import ConfigError
from catalyst.settings import (
    TABLE,
    Setting,
    Settings,
    defaults,
    examine,
    example_file,
    load,
    nearest,
    shown_value,
    strangers,
)

NOWHERE = Path("/nonexistent/.env")
BY_NAME = {row.name: row for row in TABLE}


def with_env(**environment: str) -> Settings:
    """Settings of these names alone."""
    return load(environment, NOWHERE)


def test_defaults_are_inside_their_own_limits() -> None:
    """The table loads without a fault, and every value comes from it."""
    found = with_env()
    assert set(found.origin.values()) == {"default"}
    assert found.min_score == 0.2
    assert found.sqlite_mmap_size == 30_000_000_000
    assert found.sqlite_wal_mode is True
    assert found.quote_providers == ("yahoo",)
    assert found.home == Path.cwd() / "var"


def test_the_table_is_consistent() -> None:
    """Names and attributes are unique, kinds known, meanings short lines; at most 80 settings."""
    assert len({row.attribute for row in TABLE}) == len(BY_NAME) == len(TABLE) <= 80
    for row in TABLE:
        assert row.kind in ("str", "int", "float", "bool", "path", "list", "secret"), row.name
        assert row.meaning
        assert "\n" not in row.meaning
        assert not hasattr(Settings, row.attribute), f"{row.name} is hidden by an attribute of the class"


@pytest.mark.parametrize(("name", "text", "value"), [
    ("SQLITE_WAL_MODE", "0", False), ("SQLITE_WAL_MODE", " Yes ", True), ("SQLITE_WAL_MODE", "off", False),
    ("SQLITE_SYNCHRONOUS", "full", "FULL"), ("CATALYST_LOG_LEVEL", "WARNING", "warning"),
    ("MIN_SCORE", "1", 1.0), ("PRICE_CEILING", "0", 0.0), ("DISCORD_PER_MINUTE", "0", 0),
    ("CATALYST_ALLOW_HOSTS", " a:1, b ,,", ("a:1", "b")), ("CATALYST_ALLOW_HOSTS", "", ()),
    ("CATALYST_SOURCES", "", None), ("CATALYST_SOURCES", "/x/y.toml", Path("/x/y.toml")),
    ("CATALYST_SOURCES", "~/y.toml", Path("~/y.toml").expanduser()),
    ("CATALYST_TZ", "UTC", "UTC"), ("DISCORD_WEBHOOK_URL", " https://d/x ", "https://d/x"),
])
def test_values_are_typed(name: str, text: str, value: object) -> None:
    """Each kind reads the spellings that people use."""
    found = with_env(**{name: text})
    assert getattr(found, BY_NAME[name].attribute) == value
    assert found.origin[BY_NAME[name].attribute] == "environment"


@pytest.mark.parametrize(("name", "text", "words"), [
    ("MIN_SCORE", "1.01", "not between 0 and 1"), ("MIN_SCORE", "nan", "not between"), ("MIN_SCORE", "-inf", "not"),
    ("MIN_SCORE", "high", "'high' is not a number"), ("MIN_SCORE", "", "not a number"),
    ("DISCORD_PER_MINUTE", "2.5", "not a number"), ("DISCORD_PER_MINUTE", "-1", "not between"),
    ("SQLITE_WAL_MODE", "maybe", "neither 1 nor 0"), ("SQLITE_SYNCHRONOUS", "SOMETIMES", "none of OFF, NORMAL"),
    ("CATALYST_TZ", "Mars/Olympus", "not a time zone"), ("CATALYST_TZ", "../../etc/passwd", "not a time zone"),
    ("CATALYST_TZ", "America", "not a time zone"), ("CATALYST_TZ", "", "not a time zone"),
    ("CATALYST_HOME", "", "must not be empty"),
])
def test_a_bad_value_is_named_with_its_setting(name: str, text: str, words: str) -> None:
    """The error says which setting and what would be right; its exit code is that of a configuration error."""
    with pytest.raises(ConfigError, match=words) as caught:
        with_env(**{name: text})
    assert str(caught.value).startswith(f"{name}: ")
    assert caught.value.exit_code == 78


def test_all_faults_are_reported_together() -> None:
    """One start shows everything that is wrong."""
    with pytest.raises(ConfigError) as caught:
        with_env(MIN_SCORE="2", PRICE_FLOOR="x", CATALYST_HOMES="y")
    text = str(caught.value)
    assert all(name in text for name in ("MIN_SCORE", "PRICE_FLOOR", "CATALYST_HOMES"))


@pytest.mark.parametrize(("name", "near"), [
    ("CATALYST_HOEM", "CATALYST_HOME"), ("CATALYST_SOURCE", "CATALYST_SOURCES"),
    ("CATALYST_BACKLOG_LIMITS", "CATALYST_BACKLOG_LIMIT")])
def test_an_unknown_name_is_an_error_that_names_the_nearest(name: str, near: str) -> None:
    """A misspelt setting does not silently keep its default."""
    with pytest.raises(ConfigError, match=f"unknown setting {name}, did you mean {near}\\?"):
        with_env(**{name: "x"})


def test_faults_beside_the_settings(tmp_path: Path) -> None:
    """Who only examines gets every fault as a sentence, a default in the place of what is wrong, and the rest."""
    path = tmp_path / ".env"
    path.write_text("PRICE_FLOOR=2\nCATALYST_HOMES=x\n")
    settings, faults = examine({"MIN_SCORE": "high", "PRICE_CEILING": "5"}, path)
    assert (settings.min_score, settings.price_ceiling, settings.price_floor) == (0.2, 5, 2)
    assert faults == ("unknown setting CATALYST_HOMES, did you mean CATALYST_HOME?",
                      "MIN_SCORE: 'high' is not a number")
    path.write_bytes(b"\xff")
    assert "cannot read" in examine({}, path)[1][0]


def test_strangers_in_the_file(tmp_path: Path) -> None:
    """Names that are no setting are listed, with what they may have been meant to be, and are no fault."""
    path = tmp_path / ".env"
    path.write_text("MIN_SCORRE=1\nPRICE_FLOOR=2\nPATH_OF_MINE=x\n")
    assert strangers(path) == ["MIN_SCORRE", "PATH_OF_MINE"]
    assert nearest("MIN_SCORRE") == "MIN_SCORE"
    assert nearest("ZZZ") is None
    assert examine({}, path)[1] == ()
    assert strangers(tmp_path / "absent") == []


def test_names_of_other_programs_are_left_alone() -> None:
    """Only names with our prefix are checked."""
    assert with_env(PATH="/bin", MIN_SCOREX="9", catalyst_home="x").origin["home"] == "default"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    """Precedence, and the origin that a person is shown."""
    file = tmp_path / ".env"
    file.write_text("MIN_SCORE=0.5\nexport PRICE_FLOOR='1'\n# PRICE_CEILING=3\nDISCORD_PER_MINUTE=7\nEMPTY\n")
    found = load({"MIN_SCORE": "0.75"}, file)
    assert (found.min_score, found.price_floor, found.price_ceiling, found.discord_per_minute) == (0.75, 1.0, 10.0, 7)
    assert (found.origin["min_score"], found.origin["price_floor"]) == ("environment", str(file))


def test_the_file_is_not_expanded(tmp_path: Path) -> None:
    """A dollar sign in a secret is a dollar sign."""
    (tmp_path / ".env").write_text("CATALYST_WEBHOOK_SECRET=a${HOME}$x\n")
    assert load({}, tmp_path / ".env").webhook_secret == "a${HOME}$x"


@pytest.mark.parametrize("content", [b"\xff\xfeM\x00", b"MIN_SCORE=\xe4"])
def test_a_file_that_is_not_utf8_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    """A file saved in another encoding is named, without a traceback."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigError, match=r"\.env"):
        load({}, tmp_path / ".env")


def test_an_unknown_name_in_the_file_is_an_error_too(tmp_path: Path) -> None:
    """The file is checked as the environment is."""
    (tmp_path / ".env").write_text("CATALYST_HOEM=1\n")
    with pytest.raises(ConfigError, match="CATALYST_HOME"):
        load({}, tmp_path / ".env")


def test_settings_cannot_be_changed() -> None:
    """Neither values nor attributes; `but` gives a copy and knows its names."""
    found = defaults(min_score=0.9)
    with pytest.raises(AttributeError):
        found.min_score = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.values["min_score"] = 1  # type: ignore[index]
    assert (found.min_score, defaults().min_score) == (0.9, 0.2)
    with pytest.raises(ConfigError, match="unknown setting min_scores"):
        found.but(min_scores=1)
    with pytest.raises(AttributeError):
        found.no_such_setting  # noqa: B018 - the access is the test


def test_settings_travel_between_processes() -> None:
    """A pickled or copied record is the same record."""
    found = defaults(home=Path("/h"), allow_hosts=("a",))
    for other in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert dict(other.values) == dict(found.values)
        assert (other.database_folder, other.run_folder, other.log_folder) == (Path("/h/db"), Path("/h/run"),
                                                                               Path("/h/logs"))


@given(st.sampled_from([row for row in TABLE if row.kind == "secret"]), st.text(min_size=8, max_size=30))
def test_secrets_are_never_shown(row: Setting, text: str) -> None:
    """A secret's value is in no row for a person; whether it is set is."""
    rows = {shown["name"]: shown for shown in defaults(**{row.attribute: text}).shown()}
    assert rows[row.name]["value"] == "set"
    assert shown_value(row, "") == ""


def test_every_setting_is_shown_with_origin_and_meaning() -> None:
    """What `config show` prints is complete and plain."""
    rows = defaults().shown()
    assert [row["name"] for row in rows] == [row.name for row in TABLE]
    assert all(isinstance(row["value"], (str, int, float, type(None))) and row["origin"] == "default" for row in rows)


def test_the_example_file_uncommented_is_the_defaults(tmp_path: Path) -> None:
    """Every line of `.env.example` can be used as it is, and documents every setting."""
    lines = [line.removeprefix("# ") for line in example_file().splitlines()
             if line.removeprefix("# ").partition("=")[0] in BY_NAME]
    assert [line.partition("=")[0] for line in lines] == [row.name for row in TABLE]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert dict(load({}, tmp_path / ".env").values) == dict(load({}, NOWHERE).values)
    assert set(load({}, tmp_path / ".env").origin.values()) == {str(tmp_path / ".env")}


def test_export_reaches_the_next_load_and_children(tmp_path: Path) -> None:
    """What is exported is seen by this process's later `load` and by what it starts."""
    code = ("from catalyst.settings import export, load\nimport subprocess, sys\n"
            "export({'MIN_SCORE': '0.625'})\nassert load().min_score == 0.625\n"
            "child = 'from catalyst.settings import load; print(load().min_score)'\n"
            "print(subprocess.run([sys.executable, '-c', child], capture_output=True, text=True).stdout)")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
                          env={**environment, "PYTHONPATH": root})
    assert done.stdout.strip() == "0.625", done.stderr
