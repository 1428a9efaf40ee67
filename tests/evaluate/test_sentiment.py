"""Training and measuring the sentiment, without scikit-learn: what leads to the weights and what follows from them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from catalyst.clients.files import load_sentiment
from catalyst.errors import ConfigError
from catalyst.evaluate import train_sentiment as train
from catalyst.evaluate.sentiment import calibration_error, reliability, transfer

CSV = b"title,sentiment\nAcme profit jumps,positive\nacme PROFIT jumps,negative\nAcme to meet,neutral\n"


def test_a_title_is_read_once() -> None:
    """The first label of a title stays, whatever its case."""
    assert train.read(CSV) == [train.Headline("Acme profit jumps", train.UP),
                               train.Headline("Acme to meet", train.NEUTRAL)]


@pytest.mark.parametrize("data", [b"\xff\xff", b"title\nx\n", b"title,sentiment\nx,glad\n"])
def test_wrong_data_is_refused(data: bytes) -> None:
    """What is no CSV of titles and known labels is named as that."""
    with pytest.raises(ConfigError, match="training data"):
        train.read(data)


def test_missing_data_is_unavailable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the headlines nothing is written, and the exit code is 69."""
    out = tmp_path / "weights.tsv"
    assert train.main(["--data", str(tmp_path / "none.csv"), "--out", str(out)]) == 69
    assert "training data" in capsys.readouterr().err
    assert not out.exists()


def test_names_and_local_words_have_no_weight() -> None:
    """A word that is written large as a rule is a name; the market's own words are left out; our lists are in."""
    titles = ["Shares of Zyxco climb on rupee gains", "Bulls push Zyxco as shares climb on rupee"] * 2
    known = train.known_words(titles)
    assert {"shares", "climb", "push", "skyrockets"} <= known
    assert known.isdisjoint({"zyxco", "rupee", "of"})


def test_lists_speak_of_pairs() -> None:
    """A smaller loss is good and what is not strong is bad, beyond what the single words say."""
    assert sum(map(train.listed, ("narrows", "loss"))) + train.listed("narrows", "loss") == 3.5
    assert train.listed("strong") + train.listed("not", "strong") < 0
    assert train.listed("blue", "strong") == 0


def test_folds_share_out_the_labels() -> None:
    """Each headline is held once, the labels are spread evenly, and the folds are the same each time."""
    headlines = [train.Headline(f"title {number}", number % 3) for number in range(60)]
    held = [held for _, held in train.folds(headlines, 5)]
    assert sorted(one.title for fold in held for one in fold) == sorted(one.title for one in headlines)
    assert all(Counter(one.label for one in fold) == {0: 4, 1: 4, 2: 4} for fold in held)
    assert [set(fold) for fold in held] == [set(fold) for _, fold in train.folds(headlines[::-1], 5)]


def test_calibration() -> None:
    """The error is the gap between the mean probability and the share right, weighted by number."""
    sure = [(0.9, True)] * 3 + [(0.9, False)] + [(0.5, True), (0.5, False)]
    assert reliability(sure) == [(0.5, 2, 0.5, 0.5), (0.9, 4, 0.9, 0.75)]
    assert calibration_error(sure) == pytest.approx(0.15 * 4 / 6)


def test_transfer_leaves_noise_out() -> None:
    """Rules decide before the model, and stories that are noise have no direction to tell."""
    rows = [("Acme Announces Pricing of $10 Million Public Offering", "down", None),
            ("Acme profit jumps", "up", None), ("Acme profit falls", None, "law_firm")]
    lines = [json.dumps({"title": title, "summary": "", "truth": {"direction": direction, "noise": noise}})
             for title, direction, noise in rows]
    ways = transfer(lines, load_sentiment())
    assert ways["both"] == [(train.DOWN, train.DOWN), (train.UP, train.UP)]
    assert ways["rules"][0] == (train.DOWN, train.DOWN)
