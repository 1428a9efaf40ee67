"""How a story sounds."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clients.files import SENTIMENT, load_sentiment
from catalyst.core.sentiment import BODY_LIMIT, CAUSES, CLEAR, TITLE_LIMIT, Sentiment, to_text, words_of
from catalyst.errors import ConfigError

TRAIN = Path(__file__).resolve().parents[2] / "../shared/data/sentiment/headlines_train.csv"
HEAD = {"data_sha256": "", "rows": 0, "scale": 10, "up": -10, "down": -10, "temperature": 1.0, "lean": 1.0}
SMALL = to_text(HEAD, {"good": (20, -20), "not": (0, 0), "not good": (-60, 50), "loss": (-10, 20), "narrows": (0, 5),
                       "narrows loss": (40, -40)})


@pytest.mark.parametrize(
    ("title", "tone"),
    [
        ("Acme beats estimates and raises guidance", 1),
        ("Acme shares surge on FDA approval", 1),
        ("Acme narrows loss", 1),
        ("Acme cuts debt", 1),
        ("Acme wins record contract", 1),
        ("Acme shares plunge on weak sales", -1),
        ("Acme misses estimates", -1),
        ("Acme did not meet primary endpoint", -1),
        ("Acme warns of lower demand, cuts outlook", -1),
        ("Acme files for bankruptcy", -1),
        ("Acme not profitable", -1),
        ("Acme Reports Third Quarter Results", 0),
        ("Acme to Participate in Investor Conference", 0),
        ("Form 10-Q Filing", 0),
        ("", 0),
    ],
)
def test_tone(title: str, tone: int) -> None:
    """Beyond +-0.15 a text is positive or negative; a negation and a smaller loss turn what their words say."""
    found = load_sentiment().score(title)
    assert (found > CLEAR) - (found < -CLEAR) == tone, found


def test_the_body_counts_and_the_title_counts_more() -> None:
    """A plain title with a strong body is not neutral, and the title outweighs the body."""
    model = load_sentiment()
    assert model.score("Form 10-Q Filing", "Record profit, strong growth and a raised outlook") > CLEAR
    assert model.score("Form 10-Q Filing", "Profit falls, weak demand and a default") < -CLEAR
    assert model.score("Shares plunge on weak sales", "strong growth") < -CLEAR
    assert abs(model.score("strong growth")) > abs(model.score("Update", "strong growth")) > 0


def test_words_behind_the_limit_are_not_read() -> None:
    """A long body is read to its limit, so that its length costs no time."""
    model = load_sentiment()
    assert model.tone("Update", "x " * BODY_LIMIT + "plunge") == model.tone("Update", "x " * BODY_LIMIT)
    assert model.tone("x " * TITLE_LIMIT + "plunge") == model.tone("x " * TITLE_LIMIT)


def test_names_and_figures_do_not_part_a_pair() -> None:
    """What the model does not know is passed over, and so are case, signs and figures."""
    model = Sentiment.from_text(SMALL)
    assert model.tone("Narrows loss") == model.tone("NARROWS its Q3 Zyxco 12% loss!") != model.tone("loss narrows")
    assert model.score("Acme good") > CLEAR
    assert model.score("Acme not good") < -CLEAR
    assert words_of("Acme’s loss, 5%") == ["acme's", "loss"]


def test_what_is_unknown_has_no_tone() -> None:
    """Without a known word the value is 0 and the likeliest is neutral."""
    tone = Sentiment.from_text(SMALL).tone("Acme Inc.", "1234")
    assert tone.value == 0
    assert tone.neutral > tone.up == tone.down


def test_causes_are_the_strongest_words() -> None:
    """A value is explained by literal words with their places, of the side that it is on, a pair before its words; the
    body is asked only where the title says nothing."""
    model = Sentiment.from_text(SMALL)
    (only,) = model.causes("Acme Narrows  Its Loss", "a good year", 0.5)
    assert (only.words, only.start, only.in_title) == ("Narrows  Its Loss", 5, True)
    (only,) = model.causes("Acme", "a good year", 0.5)
    assert (only.words, only.start, only.in_title) == ("good", 2, False)
    assert model.causes("Acme", "a good year", 0.0) == model.causes("Acme", "", 0.5) == ()


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text(title: str, summary: str) -> None:
    """The value is from -1 to 1, the probabilities add up to 1, and both are the same each time."""
    model = load_sentiment()
    tone = model.tone(title, summary)
    assert tone == model.tone(title, summary)
    assert -1 <= tone.value <= 1
    assert tone.up + tone.neutral + tone.down == pytest.approx(1)


@given(st.lists(st.sampled_from(
    ["Profit", "falls", "not", "İstanbul", "good", "loss", "narrows", "…", "“strong”", "12%", "\ud800", "\n", "🚀"]),
    max_size=40).map(" ".join), st.booleans())
def test_causes_are_literal(text: str, in_body: bool) -> None:
    """Each cause stands in the story where it says, whatever letters are around it; there are few of them."""
    title, body = ("Update", text) if in_body else (text, "")
    model = load_sentiment()
    causes = model.causes(title, body, model.score(title, body))
    assert len(causes) <= CAUSES
    for one in causes:
        told = title if one.in_title else body
        assert told[one.start:one.start + len(one.words)] == one.words != ""


@pytest.mark.parametrize("text", ["", "{}", SMALL.replace('"scale": 10', '"scale": 0'), SMALL + "word\n",
                                  SMALL + "word\tx\t1\n", SMALL.replace('"format": 1', '"format": 2')])
def test_wrong_weights_are_refused(text: str) -> None:
    """A file that is cut, of another format or no model at all says so in one line."""
    with pytest.raises(ConfigError, match="sentiment weights"):
        Sentiment.from_text(text)


def test_the_shipped_weights_are_small() -> None:
    """They stay below 1 MB and carry no word of the market that they were learnt in."""
    text = SENTIMENT.read_text(encoding="ascii")
    assert len(text) < 1_000_000
    words = {word for line in text.splitlines()[1:] for word in line.partition("\t")[0].split()}
    assert words.isdisjoint({"rupee", "sensex", "nifty", "crore", "infosys", "wipro", "rbi"})


@pytest.mark.skipif(not TRAIN.is_file(), reason="the labelled headlines are not here")
def test_the_shipped_weights_are_of_this_data() -> None:
    """The weights name the file that they were trained on; another file means that they are to be trained again."""
    assert load_sentiment().data_sha256 == hashlib.sha256(TRAIN.read_bytes()).hexdigest()


def test_a_long_story_costs_no_more_than_its_head() -> None:
    """100 KB take at most three times what 2 KB take."""
    model, costs = load_sentiment(), []
    for size in (2_000, 100_000):
        body = ("profit falls and demand is strong " * 3_000)[:size]
        best = 1.0
        for _ in range(7):
            began = time.process_time()
            for _ in range(20):
                model.score("Acme Reports Results", body)
            best = min(best, time.process_time() - began)
        costs.append(best)
    assert costs[1] < 3 * costs[0]
