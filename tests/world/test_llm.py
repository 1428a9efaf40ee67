import json
import time
from pathlib import Path

import pytest

from catalyst.world.llm import analyse
from catalyst.world.server import World

DATA = Path(__file__).resolve().parents[2] / "../shared/data/api/llm"
CHAT, GEMINI = "/v1/chat/completions", "/v1beta/models/gemini-2.5-flash:generateContent"
OFFER = "The Company priced an offering of 5,000,000 shares and warrants for gross proceeds of $12.5 million."


def chat(prompt):
    return {"model": "m", "messages": [{"role": "system", "content": "You read filings."},
                                       {"role": "user", "content": prompt}]}


def gemini(prompt):
    return {"contents": [{"role": "user", "parts": [{"text": prompt}]}],
            "systemInstruction": {"parts": [{"text": "You read filings."}]}}


def told(answer):
    body = answer.json
    if "choices" in body:
        return body["choices"][0]["message"]["content"]
    return body["candidates"][0]["content"]["parts"][0]["text"]


@pytest.mark.parametrize(("path", "make"), [(CHAT, chat), (GEMINI, gemini)])
def test_answers_the_same_question_the_same(day, client, path, make):
    """JSON in the text with sentiment, summary and keywords; tokens are counted; the log has every call."""
    with World(day) as world:
        browser = client(world)
        first, again = (browser.send("POST", path, make(OFFER)) for _ in range(2))
        good = browser.send("POST", path, make("The FDA has approved the drug. Approval was granted on Monday."))
        calls = browser.get("/_llm").json["calls"]
    assert first.status == 200
    assert first.body == again.body
    opinion = json.loads(told(first))
    assert opinion["sentiment"] < 0 < json.loads(told(good))["sentiment"]
    assert opinion["summary"] == OFFER
    assert "$12.5 million" in opinion["keywords"]
    assert [call["status"] for call in calls] == [200, 200, 200]
    assert calls[0]["prompt"] == OFFER
    assert calls[0]["tokens"]["prompt"] > 20
    assert calls[0]["tokens"]["completion"] > 20


def test_nothing_to_say_is_neutral():
    """A text without a telling word has sentiment 0; an empty one is no fault."""
    assert analyse("The Company held its annual meeting.")["sentiment"] == 0
    assert analyse("") == {"sentiment": 0.0, "summary": "", "keywords": []}


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside the project")
@pytest.mark.parametrize(("path", "make", "file", "fault"), [
    (CHAT, chat, "openai_chat_completions_json_schema.json", ""), (GEMINI, gemini, "gemini_generateContent.json", ""),
    (GEMINI, gemini, "gemini_safety_block.json", "safety"), (GEMINI, gemini, "gemini_max_tokens_empty.json", "empty"),
    (CHAT, chat, "openai_http_error.json", "429"),
])
def test_answers_have_the_real_shape(day, client, path, make, file, fault):
    """Every field that we send is in the recorded answer of that sort, at the same place."""
    real = json.loads((DATA / file).read_text())[0]["response"]["body"]
    with World(day) as world:
        ours = client(world).send("POST", f"{path}?fault={fault}", make(OFFER)).json

    def fields(value, name=""):
        if isinstance(value, dict):
            return {name} | {found for key, inner in value.items() for found in fields(inner, f"{name}.{key}")}
        if isinstance(value, list):
            return {found for inner in value for found in fields(inner, f"{name}[]")}
        return {name}

    missing = {field for field in fields(ours) if not field.endswith((".role", ".index", ".logprobs"))} - fields(real)
    assert not missing


@pytest.mark.parametrize(("path", "make"), [(CHAT, chat), (GEMINI, gemini)])
def test_faults_come_when_asked_for(day, client, path, make):
    """By address, by header, and for the next calls one after the other; then all is well again."""
    with World(day) as world:
        browser = client(world)
        limited = browser.send("POST", f"{path}?fault=429", make(OFFER))
        assert (limited.status, limited.headers["retry-after"]) == (429, "2")
        assert "error" in limited.json
        headed = browser.ask("POST", path, json.dumps(make(OFFER)).encode(), {"X-Fault": "500"})
        assert headed.status == 500
        assert browser.send("POST", "/_faults", {"llm": ["garbage", "500", "safety"]}).status == 200
        garbage = browser.send("POST", path, make(OFFER))
        with pytest.raises(ValueError):
            json.loads(told(garbage))
        assert browser.send("POST", path, make(OFFER)).status == 500
        blocked = browser.send("POST", path, make(OFFER)).json
        assert "SAFETY" in json.dumps(blocked) or blocked["choices"][0]["finish_reason"] == "content_filter"
        assert browser.send("POST", path, make(OFFER)).status == 200
        assert [call["fault"] for call in browser.get("/_llm").json["calls"]] == [
            "429", "500", "garbage", "500", "safety", None]


def test_a_slow_answer_ends_with_the_world(day, client):
    """It takes its time; closing the world does not wait for it."""
    with World(day) as world:
        began = time.monotonic()
        assert client(world).send("POST", f"{CHAT}?fault=slow:0.2", chat(OFFER)).status == 200
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("path", "body"), [
    (CHAT, b"{"), (CHAT, b'{"model": "m", "messages": []}'), (CHAT, b'{"messages": "x"}'), (GEMINI, b"[]"),
    (GEMINI, b'{"contents": [{"parts": 3}]}'), (GEMINI.replace("generate", "count"), b'{"contents": []}'),
    (f"{CHAT}?fault=nonsense", json.dumps(chat("x")).encode()),
    ("/_faults", b"{}"), ("/_faults", b'{"llm": ["nonsense"]}'), ("/_faults", b'{"llm": "429"}'),
])
def test_nonsense_is_a_400(day, client, path, body):
    """An error in the interface's own shape, and the connection goes on."""
    with World(day) as world:
        browser = client(world)
        answer = browser.ask("POST", path, body)
        assert answer.status == 400
        assert "error" in answer.json
        assert browser.get("/_day").status == 200
