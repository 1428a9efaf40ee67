"""Discord's webhooks as far as Catalyst uses them: limits, rate limit, message ids, edits, files. It keeps what it got.

The limits are those of Discord's own API documentation (docs/resources/message and webhook, topics/rate-limits, August
2026). Lengths are counted in UTF-16 units, the strictest reading of "characters". The rate limit is a fixed window a
webhook over everything that changes something; without one no rate-limit headers are sent. Nothing here opens a socket.
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

EMBED_LIMITS = {"title": 256, "description": 4096}
CONTENT_LIMIT = 2000
EMBEDS_LIMIT = 10
EMBED_SUM_LIMIT = 6000
FIELDS_LIMIT = 25
FIELD_LIMITS = {"name": 256, "value": 1024}
FOOTER_LIMIT = 2048
AUTHOR_LIMIT = 256
USERNAME_LIMIT = 80
FILES_LIMIT = 10
UPLOAD_LIMIT_BYTES = 10 * 2**20
DESCRIPTION_LIMIT = 1024  # of an attachment
KEPT_FILES_BYTES = 64 * 2**20  # of the newest files; older ones are forgotten
_SNOWFLAKE_EPOCH_MS = 1_420_070_400_000  # first second of 2015: docs/reference, "Snowflakes"
_NO_MENTIONS: dict[str, Any] = {"parse": []}
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_PARAMETER = re.compile(r'[; ](name|filename)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Upload:
    """One part `files[n]` of a multipart request."""

    part: str
    name: str
    size_bytes: int
    data: bytes = field(default=b"", compare=False, repr=False)


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


class Desk:
    """All webhooks of one world. `limit` is (requests, seconds) or None; `keep` is told of every record at once."""

    def __init__(self, limit: tuple[int, float] | None, keep: Callable[[dict[str, Any]], None] = lambda record: None):
        self._limit = limit
        self._keep = keep
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, int]] = {}  # webhook -> (start of the window in ms, requests in it)
        self._messages: dict[tuple[str, str], dict[str, Any]] = {}
        self._records: list[dict[str, Any]] = []
        self._violations: list[str] = []
        self._rate_limited = 0
        self._files: dict[str, Upload] = {}  # by the attachment's id, the oldest first
        self.base_url = ""  # what stands before the path of an attachment's url

    def handle(self, request: Request, now_ms: int) -> Reply:
        """Answer one request and keep it."""
        with self._lock:
            headers: dict[str, str] = {}
            if request.method == "GET":
                return self._read(request)
            wait_ms = self._count(request.webhook, now_ms, headers)
            reply = self._refused(wait_ms, headers) if wait_ms else self._apply(request, now_ms)
            reply = Reply(reply.status, reply.body, {**headers, **reply.headers})
            message_id = request.message_id or (reply.body or {}).get("id")
            if request.method == "POST" and reply.status == 204:
                message_id = next(reversed(self._messages))[1]
            record = {"webhook": request.webhook, "method": request.method, "message_id": message_id,
                      "at": iso(now_ms), "payload": request.payload, "status": reply.status,
                      "attachments": [upload.name for upload in request.uploads],
                      "files": [{"part": upload.part, "name": upload.name, "size": upload.size_bytes}
                                for upload in request.uploads],
                      "shown": self._shown(request.webhook, message_id)}
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
        if record["method"] == "POST":
            self._messages[key] = _message(record["message_id"], record["webhook"], record["payload"] or {}, files,
                                           from_iso(record["at"]))
        elif key in self._messages:
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
        message_id = str(((now_ms - _SNOWFLAKE_EPOCH_MS) << 22) + len(self._records))
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
            entry = entries.get(_part_number(upload.part), {})
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
        for name in sorted(_referred(payload) - attached):
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
    number = webhook.split("/", 1)[0]
    return {"id": message_id, "type": 0, "channel_id": number, "webhook_id": number,
            "author": {"id": number, "username": payload.get("username") or "world", "bot": True},
            "content": payload.get("content") or "", "embeds": payload.get("embeds") or [], "attachments": files,
            "timestamp": iso(now_ms), "edited_timestamp": None, "nonce": payload.get("nonce"),
            "mentions": [], "mention_everyone": False, "pinned": False, "tts": False}


def length(text: str) -> int:
    """UTF-16 units of `text`."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def body_faults(payload: dict[str, Any], uploads: tuple[Upload, ...], *, is_edit: bool) -> list[str]:
    """What Discord would refuse in a message's body; empty when it is fine."""
    content = payload.get("content")
    embeds = payload.get("embeds") or []
    faults: list[str] = []
    if content is not None and not isinstance(content, str):
        faults.append("content is not a text")
    elif content and length(content) > CONTENT_LIMIT:
        faults.append(f"content has {length(content)} characters, at most {CONTENT_LIMIT}")
    if not is_edit and not (content or embeds or uploads or payload.get("components")):
        faults.append("an empty message: one of content, embeds, components, files must be there")
    if not isinstance(embeds, list) or not all(isinstance(embed, dict) for embed in embeds):
        return [*faults, "embeds is not a list of objects"]
    if len(embeds) > EMBEDS_LIMIT:
        faults.append(f"{len(embeds)} embeds, at most {EMBEDS_LIMIT}")
    if len(uploads) > FILES_LIMIT:
        faults.append(f"{len(uploads)} files, at most {FILES_LIMIT}")
    username = payload.get("username")
    if username is not None and not 1 <= length(str(username)) <= USERNAME_LIMIT:
        faults.append(f"username has {length(str(username))} characters, 1 to {USERNAME_LIMIT}")
    total = 0
    for index, embed in enumerate(embeds):
        size, found = _embed_faults(embed)
        total += size
        faults += [f"embeds[{index}].{fault}" for fault in found]
    if total > EMBED_SUM_LIMIT:
        faults.append(f"embeds have {total} characters together, at most {EMBED_SUM_LIMIT}")
    return faults


def attachment_faults(payload: dict[str, Any], uploads: tuple[Upload, ...], there: list[dict[str, Any]]) -> list[str]:
    """What is wrong with `attachments`: each names an attachment that is there, or by its number a part `files[n]`."""
    listed = payload.get("attachments")
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) and "id" in entry for entry in listed):
        return ["attachments is not a list of objects with an id"]
    known = {file["id"] for file in there} | {_part_number(upload.part) for upload in uploads}
    faults = [f"attachments[{index}].id {entry['id']} names no file" for index, entry in enumerate(listed)
              if str(entry["id"]) not in known]
    for index, entry in enumerate(listed):
        text = entry.get("description")
        if text is not None and (not isinstance(text, str) or length(text) > DESCRIPTION_LIMIT):
            faults.append(f"attachments[{index}].description is not a text of at most {DESCRIPTION_LIMIT} characters")
    return faults


def _part_number(part: str) -> str:
    return part.removeprefix("files[").removesuffix("]")


def _embed_faults(embed: dict[str, Any]) -> tuple[int, list[str]]:
    """Characters that count towards the sum, and what is wrong."""
    fields = embed.get("fields") or []
    if not isinstance(fields, list) or not all(isinstance(entry, dict) for entry in fields):
        return 0, ["fields is not a list of objects"]
    texts = [(name, embed.get(name), limit, False) for name, limit in EMBED_LIMITS.items()]
    texts += [("footer.text", (embed.get("footer") or {}).get("text"), FOOTER_LIMIT, False),
              ("author.name", (embed.get("author") or {}).get("name"), AUTHOR_LIMIT, False)]
    texts += [(f"fields[{index}].{name}", entry.get(name), limit, True)
              for index, entry in enumerate(fields) for name, limit in FIELD_LIMITS.items()]
    faults = [f"fields: {len(fields)}, at most {FIELDS_LIMIT}"] if len(fields) > FIELDS_LIMIT else []
    total = 0
    for name, value, limit, is_required in texts:
        size = length(value) if isinstance(value, str) else 0
        total += size
        if value is not None and not isinstance(value, str):
            faults.append(f"{name} is not a text")
        elif is_required and not size:
            faults.append(f"{name} is required")
        elif size > limit:
            faults.append(f"{name} has {size} characters, at most {limit}")
    for name, address in (("url", embed.get("url")), ("image.url", (embed.get("image") or {}).get("url"))):
        if address is not None and not str(address).startswith(("http://", "https://", "attachment://")):
            faults.append(f"{name} is not an http or attachment address")
    return total, faults


def _referred(payload: dict[str, Any]) -> set[str]:
    """File names that embeds refer to as `attachment://NAME`."""
    addresses = [str((embed.get(place) or {}).get("url", ""))
                 for embed in payload.get("embeds") or [] for place in ("image", "thumbnail")]
    return {address.removeprefix("attachment://") for address in addresses if address.startswith("attachment://")}


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
