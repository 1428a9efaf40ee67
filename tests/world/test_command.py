import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from catalyst.commands import world as command
from catalyst.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
START = "import sys, argparse; from catalyst.commands import world; parser = argparse.ArgumentParser(); " \
        "world.add_arguments(parser); sys.exit(world.run(parser.parse_args()))"


def parsed(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_writes_a_day(tmp_path, capsys):
    """`--generate` writes the folder and says so in one line."""
    assert command.run(parsed("--generate", 5, "--items", 12, "--duration", 30, "--json", tmp_path / "day")) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["name"], about["items"], about["filings"]) == ("generated-5", 12, 2)
    assert (tmp_path / "day" / "truth.jsonl").is_file()


@pytest.mark.parametrize("text", ["5", "5/", "0/2", "5/0", "a/b", "-1/2"])
def test_refuses_a_limit_that_is_none(text):
    """A usage error with an example."""
    with pytest.raises(UsageError, match="5/2"):
        command.parse_limit(text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_plays_until_it_is_told_to_end(day, tmp_path, number):
    """It prints its address at once, keeps what it was sent in the file, and ends cleanly within a second."""
    words = [sys.executable, "-c", START, str(day.folder), "--json", "--sent", str(tmp_path / "sent")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}) as process:
        about = json.loads(process.stdout.readline())
        urllib.request.urlopen(urllib.request.Request(f"{about['url']}/hook", b"{}"), timeout=5).close()
        assert json.loads((tmp_path / "sent").read_text())["event"]["body"] == "{}"
        asked = time.monotonic()
        process.send_signal(number)
        assert process.wait(5) == 0
        assert time.monotonic() - asked < 1
