"""The command line itself: the table, help, exit codes, and what it does not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalyst import cli
from catalyst.cli import COMMANDS, Parser, main, make_parser
from catalyst.errors import UsageError
from catalyst.runtime.roster import ALL

HEAVY = ("requests", "PIL", "psutil", "fastfeedparser", "feedparser", "selectolax", "ahocorasick_rs", "rapidfuzz",
         "holidays")
FIXED = ("up", "down", "actor", "world", "status", "logs", "restart", "drain", "stacks", "reload", "dead", "items",
         "alerts", "trace", "query", "config", "send-test", "version", "parse-feed", "classify",
         "top", "draw-chart", "sources", "pause", "resume", "doctor")


def run(*words: str, home: Path, code: str = "pass", stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `code` is run after it, in the same process."""
    program = f"import sys; from catalyst.__main__ import main; code = main(); {code}; sys.exit(code)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}
    return subprocess.run([sys.executable, "-c", program, *words], env={**environment, "CATALYST_HOME": str(home)},
                          cwd=home, capture_output=True, text=True, input=stdin, timeout=60, check=False)


def test_fixed_names() -> None:
    """The commands whose names are fixed are there."""
    assert set(FIXED) <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command has a help with an example that names it, and takes --json."""
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "example" in text.lower()
    assert f"catalyst {name}" in text.split("example", 1)[1]
    assert "--json" in text


def test_overview(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of the whole lists every command with one line, by every way of asking."""
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)
    assert max(map(len, text.splitlines())) <= 100
    assert main(["help"]) == main(["-h"]) == 0
    assert main(["--help", "--json"]) == main(["-h", "status"]) == 0
    assert capsys.readouterr().out == text * 4
    assert main(["help", "trace"]) == 0
    assert "catalyst trace 5f3a9c" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "said"), [
    ([], "which command"), (["staus"], "did you mean status"), (["status", "extra"], "unrecognized arguments: extra"),
    (["items", "--fate", "lucky"], "invalid choice"), (["items", "--since", "yesterday"], "is no duration"),
    (["restart"], "the following arguments are required: NAME"), (["logs", "-n", "-5"], "-n"),
    (["chaos", "--kills", "x"], "'x' is not a whole number"), (["world", "day", "--port", "99999"], "99999 is no port"),
    (["world", "day", "--speed", "nan"], "'nan' is no speed"),
    (["world", "day", "--edgar-limit", "-3"], "--edgar-limit"),
    (["query", "fetcher"], "SQL"), (["help", "nix"], "there is no command 'nix'"), (["stat\x1bus"], "stat"),
    (["status", "--js"], "--js")])
def test_misuse(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's mistake is one plain line and exit code 64."""
    assert main(words) == 64
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.startswith("catalyst: ")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.err.rstrip("\n").isprintable()


@pytest.mark.parametrize("words", [
    ["parse-feed", os.devnull, "--json", os.devnull], ["watch", "add", "--json", "ACME"],
    ["watch", "--json", "add", "ACME"], ["watch", "add", "--note", "results on Friday", "ACME"],
    ["watch", "add", "BRK.B", "--json", "ACME"]])
def test_words_in_any_order(words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch,
                            capsys: pytest.CaptureFixture[str]) -> None:
    """An option may stand before, between and after the names that a command takes."""
    monkeypatch.setenv("CATALYST_HOME", str(home))
    assert main(words) == 0, capsys.readouterr().err
    assert words[-1] in capsys.readouterr().out


@pytest.mark.parametrize(("words", "closed", "said"), [
    (("parse-feed", "-"), "<&-", "an empty body"), (("classify",), "<&-", ""), (("version",), ">&-", ""),
    (("nosuch",), "2>&-", "")])
def test_closed_streams(words: tuple[str, ...], closed: str, said: str, home: Path) -> None:
    """A command that is started without standard input, output or errors (cron, daemons) takes /dev/null for it."""
    line = f'exec "$0" -m catalyst "$@" {closed}'
    done = subprocess.run(["/bin/sh", "-c", line, sys.executable, *words], cwd=home, capture_output=True, text=True,
                          env={**os.environ, "CATALYST_HOME": str(home)}, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (64 if words == ("nosuch",) else 0, "")
    assert said in done.stdout


def test_parser_shares_json() -> None:
    """A module that declares --json itself does not collide."""
    parser = make_parser(COMMANDS["status"])
    parser.add_argument("--json", action="store_true")
    assert parser.parse_args(["--json"]).json
    with pytest.raises(UsageError):
        Parser(prog="x").parse_args(["--nothing"])


@pytest.mark.parametrize("words", [("--help",), ("status",), ("status", "--json"), ("query", "tracker", "SELECT 1"),
                                   ("explain", "--ticker", "ACME"), ("show", "5f3a9c")])
def test_imports(words: tuple[str, ...], home: Path) -> None:
    """What a person types often starts fast: none of the heavy packages is loaded."""
    done = run(*words, home=home, code="print(chr(10) + ' '.join(sys.modules))")
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "catalyst.cli" in loaded
    assert not loaded & set(HEAVY)


def test_main_imports_nothing(home: Path) -> None:
    """multiprocessing imports the main module again in every process that it starts."""
    program = ("import sys; before = set(sys.modules); import catalyst.__main__;"
               " print(*sorted(set(sys.modules) - before))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=home)
    assert set(done.stdout.split()) <= {"catalyst", "catalyst.__main__", "__future__"}


def test_reader_goes_away(home: Path) -> None:
    """A closed pipe ends the command quietly."""
    environment = {**os.environ, "CATALYST_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-m", "catalyst", "config", "show", "--json"], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(30) == cli.PIPE_CLOSED
        assert process.stderr.read() == b""


def test_interrupted(home: Path) -> None:
    """Ctrl-C ends a command that follows with 130 and without a word."""
    (home / "logs").mkdir()
    (home / "logs" / "market.jsonl").write_text('{"t": "now", "event": "x"}\n')
    environment = {**os.environ, "CATALYST_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-m", "catalyst", "logs", "-f", "--json"], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["event"] == "x"
        process.send_signal(2)
        assert process.wait(30) == cli.INTERRUPTED
        assert process.stderr.read() == ""


def test_classify_filter(home: Path) -> None:
    """One JSON line out for each in; a byte order mark is no fault, a bad line is answered and ends nothing."""
    lines = ['\ufeff{"id": "1", "title": "Acme (NASDAQ: ACME) receives FDA approval"}', "not json",
             '{"id": 2, "title": "Nothing happened"}']
    done = run("classify", home=home, stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["tickers"][0]["ticker"], first["decision"]) == ("1", "ACME", "alert")
    assert "line 2" in second["error"]
    assert third["decision"] == "drop"


def test_parse_feed_filter(home: Path) -> None:
    """One JSON line a file, in order; a file that cannot be read has an error and no entries, and ends it with 64."""
    (home / "good.xml").write_text("<rss version='2.0'><channel><title>t</title><item><title>Acme wins</title>"
                                   "<link>https://example.com/1</link></item></channel></rss>")
    done = run("parse-feed", "good.xml", "absent.xml", home=home)
    good, absent = map(json.loads, done.stdout.splitlines())
    assert (good["file"], good["error"], good["entries"][0]["title"]) == ("good.xml", None, "Acme wins")
    assert good["entries"][0]["published"] is None
    assert (absent["file"], absent["entries"]) == ("absent.xml", [])
    assert absent["error"]
    assert (done.returncode, done.stderr) == (64, "catalyst: absent.xml: cannot read it: No such file or directory\n")
    assert run("parse-feed", "good.xml", os.devnull, home=home).returncode == 0


def test_old_terminal(home: Path) -> None:
    """A terminal that is not Unicode is no reason to fail."""
    (home / "logs").mkdir()
    (home / "logs" / "market.jsonl").write_text('{"t": "now", "event": "\u25b2 \u2013"}\n')
    environment = {**os.environ, "CATALYST_HOME": str(home), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "catalyst", "logs"], env=environment, capture_output=True, check=True)
    assert b"\\u25b2" in done.stdout


def test_actor_names_in_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Who can be named is said where a name is asked for."""
    assert main(["restart", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert ", ".join(ALL) in text
