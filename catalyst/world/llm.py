"""Language models on loopback: one deterministic analyst behind the interfaces of OpenAI and of Gemini.

    POST /v1/chat/completions                      chat completions, as OpenAI, Ollama, Groq and others speak them
    POST /v1beta/models/MODEL:generateContent      Gemini

It reads the last message of the user and answers with JSON in the text: `sentiment` (-1 to 1), `summary`, `keywords`.
The same prompt gives the same answer. Faults come by `?fault=` or `X-Fault` for one call, or by `disturb` for the next
calls: `429`, `500`, `slow` (or `slow:SECONDS`), `safety`, `empty` (cut off before any text), `garbage` (no JSON).
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FAULTS = ("429", "500", "slow", "safety", "empty", "garbage")
SLOW_S = 20.0
SUMMARY_CHARS = 240
PROMPT_CHARS = 4_000  # of each prompt, kept in the log
CHARS_PER_TOKEN = 4
GARBAGE = "Certainly! Here is the analysis you asked for: {\"sentiment\": very positive, \"summary\": \"The comp"
_UP = ("approval", "approved", "met its primary endpoint", "positive topline", "record revenue", "exceeded", "awarded",
       "exclusive license", "acquired by", "raised its guidance", "breakthrough therapy", "fast track", "buyback",
       "regained compliance", "purchase order", "open market purchase")
_DOWN = ("offering", "dilut", "warrants", "delist", "deficiency", "bankruptcy", "chapter 11", "non-reliance",
         "should no longer be relied", "restate", "complete response letter", "did not meet", "going concern",
         "lowered its guidance", "reverse stock split", "net loss widened", "resigned", "terminated", "default")
_MONEY = re.compile(r"\$\s?\d[\d,.]*\d(?:\s?(?:million|billion))?|\$\s?\d", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, to be sent after `delay_s`; `body` a JSON value."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


class Analyst:
    """The model. Thread-safe; keeps a log of its calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: deque[str] = deque()
        self._calls: list[dict[str, Any]] = []

    def disturb(self, faults: Sequence[str]) -> None:
        """Let the next calls fail, one for each name; an empty list ends that. Raises ValueError for an unknown one."""
        if isinstance(faults, str) or not all(isinstance(fault, str) for fault in faults):
            raise ValueError("a list of names is wanted")
        unknown = next((fault for fault in faults if not _is_fault(fault)), None)
        if unknown is not None:
            raise ValueError(f"{unknown!r} is none of {', '.join(FAULTS)}")
        with self._lock:
            self._faults = deque(faults)

    def log(self) -> dict[str, Any]:
        """All calls so far: at, api, model, prompt (its beginning), status, fault, tokens."""
        with self._lock:
            return {"calls": list(self._calls), "faults_left": list(self._faults)}

    def answer(self, name: str, body: bytes, fault: str, at: str) -> Reply:
        """The reply to a call. `name` is the last part of Gemini's address, empty for chat completions."""
        with self._lock:
            if not fault and self._faults:
                fault = self._faults.popleft()
        gemini = bool(name)
        asked = _read_gemini(body, name) if gemini else _read_chat(body)
        if asked is None or (fault and not _is_fault(fault)):
            reply, model, prompt = _error(gemini, 400, "Invalid request."), name, ""
        else:
            model, prompt = asked[:2]
            reply = _faulty(gemini, fault) or self._analysis(gemini, fault, asked)
        tokens = _tokens(reply.body)
        with self._lock:
            self._calls.append({"at": at, "api": "gemini" if gemini else "openai", "model": model,
                                "prompt": prompt[:PROMPT_CHARS], "status": reply.status, "fault": fault or None,
                                "tokens": tokens})
        return reply

    def _analysis(self, gemini: bool, fault: str, asked: tuple[str, str, int]) -> Reply:
        model, prompt, whole_chars = asked
        word, _, seconds = fault.partition(":")
        text = GARBAGE if word == "garbage" else "" if word in ("safety", "empty") else \
            json.dumps(analyse(prompt), ensure_ascii=False)
        sent, made = max(1, whole_chars // CHARS_PER_TOKEN), len(text) // CHARS_PER_TOKEN
        make = _gemini if gemini else _chat
        key = hashlib.blake2b(f"{model}\n{prompt}".encode("utf-8", "replace"), digest_size=9).hexdigest()
        delay_s = float(seconds or SLOW_S) if word == "slow" else 0.0
        return Reply(200, make(model, text, word, (sent, made), key), {}, delay_s)


def _is_fault(fault: str) -> bool:
    word, _, seconds = fault.partition(":")
    return word in FAULTS and (not seconds or (word == "slow" and re.fullmatch(r"\d{1,3}(\.\d{1,3})?", seconds)
                                               is not None))


def analyse(text: str) -> dict[str, Any]:
    """What the analyst thinks of a text: sentiment by counted words, the first telling sentence, the words found."""
    plain = " ".join(text.split())
    low = plain.lower()
    up, down = [word for word in _UP if word in low], [word for word in _DOWN if word in low]
    total = len(up) + len(down)
    sentiment = round((len(up) - len(down)) / total * min(1.0, 0.5 + 0.1 * total), 2) if total else 0.0
    sentences = _SENTENCE.split(plain)
    telling = next((sentence for sentence in sentences if any(word in sentence.lower() for word in up + down)),
                   sentences[0])
    amounts = [match[0] for match in _MONEY.finditer(plain)][:3]
    return {"sentiment": sentiment, "summary": telling[:SUMMARY_CHARS], "keywords": (up + down)[:8] + amounts}


def _read_chat(body: bytes) -> tuple[str, str, int] | None:
    """Model, the user's last message, length of all messages; None for what is no request."""
    try:
        asked = json.loads(body)
        texts = [(message["role"], _text(message["content"])) for message in asked["messages"]]
        model = asked["model"]
    except (ValueError, KeyError, TypeError):
        return None
    prompt = next((text for role, text in reversed(texts) if role == "user"), None)
    return None if prompt is None or not isinstance(model, str) else (model, prompt, sum(len(t) for _, t in texts))


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _read_gemini(body: bytes, name: str) -> tuple[str, str, int] | None:
    model, _, method = name.partition(":")
    try:
        asked = json.loads(body)
        texts = [(turn.get("role", "user"), _text(turn["parts"])) for turn in asked["contents"]]
        system = asked.get("systemInstruction") or asked.get("system_instruction") or {"parts": []}
        chars = sum(len(text) for _, text in texts) + len(_text(system["parts"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    prompt = next((text for role, text in reversed(texts) if role == "user"), None)
    return None if prompt is None or method != "generateContent" else (model, prompt, chars)


def _faulty(gemini: bool, fault: str) -> Reply | None:
    if fault == "429":
        return Reply(429, _error(gemini, 429, "Rate limit reached.").body, {"Retry-After": "2"})
    return _error(gemini, 500, "The server had an error.") if fault == "500" else None


def _error(gemini: bool, status: int, text: str) -> Reply:
    if gemini:
        names = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
        return Reply(status, {"error": {"code": status, "message": text, "status": names[status]}})
    kinds = {400: "invalid_request_error", 429: "rate_limit_exceeded", 500: "server_error"}
    return Reply(status, {"error": {"message": text, "type": kinds[status], "param": None, "code": kinds[status]}})


def _chat(model: str, text: str, fault: str, tokens: tuple[int, int], key: str) -> dict[str, Any]:
    finish = {"safety": "content_filter", "empty": "length"}.get(fault, "stop")
    return {"id": f"chatcmpl-{key}", "object": "chat.completion", "created": 1_750_000_000, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": None,
                         "finish_reason": finish}],
            "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}}


def _gemini(model: str, text: str, fault: str, tokens: tuple[int, int], key: str) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP",
                                 "index": 0}
    usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "totalTokenCount": sum(tokens)}
    if fault == "safety":
        candidate = {"content": {}, "finishReason": "SAFETY", "safetyRatings": [
            {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "MEDIUM", "blocked": True}]}
    elif fault == "empty":
        candidate = {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    if not text:
        del usage["candidatesTokenCount"]
    return {"candidates": [candidate], "modelVersion": model, "responseId": key, "usageMetadata": usage}


def _tokens(body: Mapping[str, Any]) -> dict[str, int]:
    """Prompt and completion tokens of an answer, whatever its interface."""
    usage = body.get("usage") or {}
    gemini = body.get("usageMetadata") or {}
    return {"prompt": usage.get("prompt_tokens", gemini.get("promptTokenCount", 0)),
            "completion": usage.get("completion_tokens", gemini.get("candidatesTokenCount", 0))}
