"""Discord's webhooks, and a bot's posts into a channel, as far as Catalyst uses them: rate limit, message ids, edits,
files, nonces. It keeps what it got.

The rules are those of Discord's own API documentation (docs/resources/message, webhook and channel, topics/rate-limits,
August 2026); a channel of the bot is kept as a webhook named `channels/ID`. The rate limit is a fixed window a webhook
over everything that changes something; without one no rate-limit headers are sent. Nothing here opens a socket.
"""

from __future__ import annotations

import json
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalyst.clock import from_iso, iso
from catalyst.world.discord_rules import Upload, attachment_faults, body_faults, part_number, referred

UPLOAD_LIMIT_BYTES = 10 * 2**20
NONCE_MS = 120_000  # "the past few minutes"
KEPT_FILES_BYTES = 64 * 2**20  # of the newest files; older ones are forgotten
_SNOWFLAKE_EPOCH_MS = 1_420_070_400_000  # first second of 2015: docs/reference, "Snowflakes"
_NO_MENTIONS: dict[str, Any] = {"parse": []}
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_PARAMETER = re.compile(r'[; ](name|filename)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook request taken apart. `payload` None: no readable JSON object. `webhook` is `ID/TOKEN`."""

    webhook: str
    method: str
    message_id: str | None
    payload: dict[str, Any] | None
    uploads: tuple[Upload, ...]
    size_bytes: int
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: `body` None means no body."""

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


REFUSALS = {"429": 429, "500": 500, "503": 503, "reset_before": 0}  # troubles in which nothing is done: the answer


def refusal(trouble: str) -> Reply:
    """The answer of a sink in trouble, which has not done what it was asked for; status 0: it hangs up."""
    if trouble == "429":
        return Reply(429, {"message": "You are being rate limited.", "retry_after": 0.5, "global": False},
                     {"Retry-After": "1", "X-RateLimit-Scope": "shared"})
    return Reply(REFUSALS[trouble], {"message": f"{trouble}: on purpose", "code": 0})


class Desk:
    """All webhooks of one world. `limit` is (requests, seconds) or None; `keep` is told of every record at once."""

    def __init__(self, limit: tuple[int, float] | None, keep: Callable[[dict[str, Any]], None] = lambda record: None):
        self._limit = limit
        self._keep = keep
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, int]] = {}  # webhook -> (start of the window in ms, requests in it)
        self._messages: dict[tuple[str, str], dict[str, Any]] = {}
        self._records: list[dict[str, Any]] = []
        self._nonces: dict[tuple[str, str], tuple[int, str]] = {}  # channel and nonce -> when made, which message
        self._violations: list[str] = []
        self._rate_limited = 0
        self._files: dict[str, Upload] = {}  # by the attachment's id, the oldest first
        self.base_url = ""  # what stands before the path of an attachment's url

    def handle(self, request: Request, now_ms: int, trouble: str = "") -> Reply:
        """Answer one request and keep it, with what is wrong with this sink just now (catalyst.world.trouble)."""
        with self._lock:
            headers: dict[str, str] = {}
            if request.method == "GET":
                return self._read(request)
            wait_ms = self._count(request.webhook, now_ms, headers)
            before = len(self._messages)
            reply = (self._refused(wait_ms, headers) if wait_ms else refusal(trouble) if trouble in REFUSALS
                     else self._apply(request, now_ms))
            reply = Reply(reply.status, reply.body, {**headers, **reply.headers})
            known = request.method == "POST" and reply.status == 200 and len(self._messages) == before
            message_id = request.message_id or (reply.body or {}).get("id")
            if request.method == "POST" and reply.status == 204:
                message_id = next(reversed(self._messages))[1]
            record = {"webhook": request.webhook, "method": request.method, "message_id": message_id,
                      "at": iso(now_ms), "payload": request.payload, "status": reply.status,
                      "attachments": [upload.name for upload in request.uploads],
                      "files": [{"part": upload.part, "name": upload.name, "size": upload.size_bytes}
                                for upload in request.uploads],
                      "shown": self._shown(request.webhook, message_id), "repeated": known, "trouble": trouble}
            self._records.append(record)
            self._keep({"discord": record})
            return reply

    def file(self, number: str, name: str) -> bytes | None:
        """The bytes of an attachment; None for one that is not there or was forgotten."""
        with self._lock:
            found = self._files.get(number)
        return found.data if found is not None and found.name == name else None

    def _shown(self, webhook: str, message_id: str | None) -> list[dict[str, Any]]:
        """What is attached to a message now."""
        message = self._messages.get((webhook, message_id or ""), {})
        return [{"id": file["id"], "name": file["filename"], "size": file.get("size"), "url": file.get("url")}
                for file in message.get("attachments", [])]

    def restore(self, record: dict[str, Any]) -> None:
        """Take back a record that an earlier world kept, so that its message can still be edited."""
        self._records.append(record)
        self._rate_limited += record["status"] == 429
        key = (record["webhook"], record["message_id"])
        if record["status"] not in (200, 204) or not record["message_id"]:
            return
        if record["method"] == "DELETE":
            self._messages.pop(key, None)
            return
        files = [{"id": file["id"], "filename": file["name"], "size": file["size"], "url": file["url"]}
                 for file in record.get("shown", [])]
        if record["method"] == "POST" and not record.get("repeated"):
            nonce = str((record["payload"] or {}).get("nonce") or "")
            self._nonces[record["webhook"], nonce] = (from_iso(record["at"]) or 0, record["message_id"])
            self._messages[key] = _message(record["message_id"], record["webhook"], record["payload"] or {}, files,
                                           from_iso(record["at"]))
        elif record["method"] == "PATCH" and key in self._messages:
            self._messages[key].update({name: value for name, value in (record["payload"] or {}).items()
                                        if name in ("content", "embeds")})
            self._messages[key]["attachments"] = files

    def channel(self, webhook: str, most: int = 50) -> list[dict[str, Any]]:
        """The newest messages of a webhook as they stand now, the newest first."""
        with self._lock:
            found = [dict(message) for (name, _), message in self._messages.items() if name == webhook]
        return found[:-most - 1:-1]

    def snapshot(self) -> dict[str, Any]:
        """The records so far, how many requests met the rate limit, and what broke a rule."""
        with self._lock:
            return {"messages": list(self._records), "rate_limited": self._rate_limited,
                    "violations": list(self._violations)}

    def _count(self, webhook: str, now_ms: int, headers: dict[str, str]) -> int:
        """Milliseconds to wait, 0 when the request fits into the window; fills the rate-limit headers."""
        if self._limit is None:
            return 0
        most, seconds = self._limit
        length_ms = int(seconds * 1000)
        start_ms, used = self._windows.get(webhook, (now_ms, 0))
        if not start_ms <= now_ms < start_ms + length_ms:
            start_ms, used = now_ms, 0
        left_ms = start_ms + length_ms - now_ms
        wait_ms = left_ms if used >= most else 0
        self._windows[webhook] = (start_ms, used if wait_ms else used + 1)
        headers.update({
            "X-RateLimit-Limit": str(most), "X-RateLimit-Remaining": str(0 if wait_ms else most - used - 1),
            "X-RateLimit-Reset": f"{(start_ms + length_ms) / 1000:.3f}",
            "X-RateLimit-Reset-After": f"{left_ms / 1000:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(webhook.encode()):08x}",
        })
        return wait_ms

    def _refused(self, wait_ms: int, headers: dict[str, str]) -> Reply:
        self._rate_limited += 1
        headers.update({"Retry-After": str(-(-wait_ms // 1000)), "X-RateLimit-Scope": "user"})
        return Reply(429, {"message": "You are being rate limited.", "retry_after": wait_ms / 1000, "global": False})

    def _apply(self, request: Request, now_ms: int) -> Reply:
        key = (request.webhook, request.message_id or "")
        if request.method != "POST" and key not in self._messages:
            return _unknown_message()
        if request.method == "DELETE":
            del self._messages[key]
            return Reply(204)
        if request.size_bytes > UPLOAD_LIMIT_BYTES:
            return self._invalid(request, 413, 40005, ["the request is larger than 10 MiB"])
        if request.payload is None:
            return self._invalid(request, 400, 50109, ["the body is not a JSON object"])
        faults = body_faults(request.payload, request.uploads, is_edit=request.method == "PATCH")
        there = self._messages[key]["attachments"] if request.method == "PATCH" else []
        faults = faults or attachment_faults(request.payload, request.uploads, there)
        if faults:
            return self._invalid(request, 400, 50035, faults)
        attached = self._attached(request, there, now_ms)
        self._check_rules(request, {file["filename"] for file in attached})
        if request.method == "PATCH":
            message = self._messages[key]
            for name in ("content", "embeds"):
                if name in request.payload:
                    message[name] = request.payload[name] or ([] if name == "embeds" else "")
            message |= {"attachments": attached, "edited_timestamp": iso(now_ms)}
            return Reply(200, dict(message))
        nonce = str(request.payload.get("nonce") or "") if request.payload.get("enforce_nonce") is True else ""
        made_ms, message_id = self._nonces.get((request.webhook, nonce), (0, ""))
        if nonce and now_ms - made_ms < NONCE_MS and (request.webhook, message_id) in self._messages:
            return Reply(200, dict(self._messages[request.webhook, message_id]))
        message_id = str(((now_ms - _SNOWFLAKE_EPOCH_MS) << 22) + len(self._records))
        self._nonces[request.webhook, nonce] = (now_ms, message_id)
        message = _message(message_id, request.webhook, request.payload, attached, now_ms)
        self._messages[(request.webhook, message_id)] = message
        return Reply(200, dict(message)) if request.is_waiting else Reply(204)

    def _attached(self, request: Request, there: list[dict[str, Any]], now_ms: int) -> list[dict[str, Any]]:
        """A message's attachments after a request.

        Without `attachments` the old ones stay; with it those that it lists, by their id. New files join in any case;
        an entry whose id is the number of a part `files[n]` describes that one.
        """
        listed = (request.payload or {}).get("attachments")
        entries = {str(entry["id"]): entry for entry in listed or []}
        kept = [file for file in there if listed is None or file["id"] in entries]
        added = []
        for index, upload in enumerate(request.uploads):
            number = str(((now_ms - _SNOWFLAKE_EPOCH_MS) << 22) + (len(self._records) << 4) + index)
            entry = entries.get(part_number(upload.part), {})
            added.append({"id": number, "filename": upload.name, "size": upload.size_bytes,
                          "description": entry.get("description"),
                          "url": f"{self.base_url}/attachments/{number}/{upload.name}"})
            self._files[number] = upload
        while len(self._files) > 1 and sum(len(upload.data) for upload in self._files.values()) > KEPT_FILES_BYTES:
            del self._files[next(iter(self._files))]
        return kept + added

    def _check_rules(self, request: Request, attached: set[str]) -> None:
        """What Discord allows but Catalyst promised not to do."""
        payload = request.payload or {}
        if payload.get("allowed_mentions") != _NO_MENTIONS:
            self._violations.append(f"{request.method} {request.webhook}: allowed_mentions is not {_NO_MENTIONS}")
        for name in sorted(referred(payload) - attached):
            self._violations.append(f"{request.method} {request.webhook}: attachment {name} is referred to, but not"
                                    " there")

    def _invalid(self, request: Request, status: int, code: int, faults: list[str]) -> Reply:
        self._violations += [f"{request.method} {request.webhook}: {fault}" for fault in faults]
        return Reply(status, {"message": "Invalid Form Body", "code": code,
                              "errors": {"_errors": [{"code": "INVALID", "message": fault} for fault in faults]}})

    def _read(self, request: Request) -> Reply:
        if request.message_id is None:
            number, token = request.webhook.split("/", 1)
            return Reply(200, {"id": number, "type": 1, "name": "world", "token": token, "channel_id": number})
        message = self._messages.get((request.webhook, request.message_id))
        return _unknown_message() if message is None else Reply(200, dict(message))


def _unknown_message() -> Reply:
    return Reply(404, {"message": "Unknown Message", "code": 10008})


def _message(message_id: str, webhook: str, payload: dict[str, Any], files: list[dict[str, Any]],
             now_ms: int) -> dict[str, Any]:
    number = webhook.removeprefix("channels/").split("/", 1)[0]
    return {"id": message_id, "type": 0, "channel_id": number, "webhook_id": number,
            "author": {"id": number, "username": payload.get("username") or "world", "bot": True},
            "content": payload.get("content") or "", "embeds": payload.get("embeds") or [], "attachments": files,
            "timestamp": iso(now_ms), "edited_timestamp": None, "nonce": payload.get("nonce"),
            "mentions": [], "mention_everyone": False, "pinned": False, "tts": False}


def read_body(content_type: str, body: bytes) -> tuple[dict[str, Any] | None, tuple[Upload, ...]]:
    """The JSON object and the files of a webhook's body, plain JSON or multipart/form-data."""
    if not content_type.lower().startswith("multipart/form-data"):
        return _object(body), ()
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return None, ()
    payload: dict[str, Any] | None = None
    plain: dict[str, Any] = {}
    uploads: list[Upload] = []
    for part in body.split(b"--" + boundary.group(1).encode("latin-1"))[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        data = data.removesuffix(b"\r\n")
        words = dict(_PARAMETER.findall(head.decode("utf-8", "replace")))
        name = words.get("name", "")
        if name == "payload_json":
            payload = _object(data)
            if payload is None:
                return None, ()
        elif "filename" in words:
            uploads.append(Upload(name, words["filename"], len(data), data))
        elif name:
            plain[name] = data.decode("utf-8", "replace")
    return (plain if payload is None else payload), tuple(uploads)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
