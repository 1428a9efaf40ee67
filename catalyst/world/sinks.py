"""The addresses of the world to which alerts go: Discord's webhooks, a bot's channel, the signed webhook.

What they keep and answer is the desk's (discord.py) and the world's; here a request is taken apart and, where the sink
is in trouble, its answer withheld.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from catalyst.world.discord import REFUSALS, Reply, Request, read_body, refusal
from catalyst.world.trouble import SLOW_S

MOST_READ = 100  # messages of a channel that one question gets


class SinkRoutes(BaseHTTPRequestHandler):
    """The part of the world's handler that serves the sinks; `self.server.world` is the World."""

    server: Any

    def _json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        data = b"" if value is None else json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        self._send(status, data, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, data: bytes, headers: Mapping[str, str], *, missing: int = 0) -> None:
        """Answer; with `missing` the head promises so many bytes more than there are."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data) + missing))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(data)

    def _webhook(self, rest: list[str], query: dict[str, str], body: bytes) -> None:
        match rest:
            case [number, token]:
                message_id = None
            case [number, token, "messages", message_id]:
                pass
            case _:
                return self._json(404, {"message": "404: Not Found", "code": 0})
        if (message_id is None) != (self.command == "POST") and self.command != "GET":
            return self._json(405, {"message": "405: Method Not Allowed", "code": 0})
        return self._desk(f"{number}/{token}", message_id, query.get("wait", "false").lower() in ("true", "1"), body)

    def _channel(self, rest: list[str], query: dict[str, str], body: bytes) -> None:
        """What a bot does in a channel; any token will do, but one must be there."""
        if not (self.headers.get("Authorization") or "").startswith("Bot "):
            return self._json(401, {"message": "401: Unauthorized", "code": 0})
        match rest:
            case [number, "messages"] if self.command == "GET":
                asked = query.get("limit", "50")
                most = int(asked) if asked.isdigit() else 0
                if not 1 <= most <= MOST_READ:
                    return self._json(400, {"message": "Invalid Form Body", "code": 50035})
                return self._json(200, self.server.world.desk.channel(f"channels/{number}", most))
            case [number, "messages"] if self.command == "POST":
                return self._desk(f"channels/{number}", None, True, body)
            case [number, "messages", message_id] if self.command in ("PATCH", "DELETE"):
                return self._desk(f"channels/{number}", message_id, True, body)
        return self._json(404, {"message": "404: Not Found", "code": 0})

    def _desk(self, webhook: str, message_id: str | None, is_waiting: bool, body: bytes) -> None:
        world = self.server.world
        payload, uploads = read_body(self.headers.get("Content-Type") or "", body)
        trouble = world.trouble.at("discord", world.clock.monotonic_s())
        if self.command == "GET" and trouble in REFUSALS:
            return self._late(trouble, refusal(trouble))
        request = Request(webhook, self.command, message_id, payload, uploads, len(body), is_waiting)
        return self._late(trouble, world.desk.handle(request, world.clock.now_ms(), trouble))

    def _hook(self, body: bytes) -> None:
        world = self.server.world
        trouble = world.trouble.at("hook", world.clock.monotonic_s())
        if trouble in REFUSALS:
            world.refuse_event(self.headers.get("Idempotency-Key") or "")
            return self._late(trouble, refusal(trouble))
        is_new = world.take_event(dict(self.headers.items()), body, trouble)
        return self._late(trouble, Reply(200, {"ok": True, "repeated": not is_new}))

    def _late(self, trouble: str, reply: Reply) -> None:
        """Answer, or fail to, after the request has taken effect where it does."""
        if trouble in ("reset_before", "reset_after"):
            self.close_connection = True
            return None
        if trouble == "slow":
            self.server.world.closing.wait(SLOW_S)
        if trouble == "truncated" and reply.body is not None:
            self.close_connection = True
            data = json.dumps(reply.body).encode()
            return self._send(reply.status, data[:len(data) // 2], {"Content-Type": "application/json"},
                              missing=len(data) - len(data) // 2)
        return self._json(reply.status, reply.body, reply.headers)

    def _trouble(self, body: bytes) -> None:
        world = self.server.world
        try:
            begun = world.trouble.begin(json.loads(body), world.clock.monotonic_s())
        except ValueError as error:
            return self._json(400, {"error": str(error)})
        return self._json(200, begun)

    def _attachment(self, data: bytes | None) -> None:
        if data is None:
            self._json(404, {"error": "no such attachment"})
        else:
            kind = "image/png" if data.startswith(b"\x89PNG") else "application/octet-stream"
            self._send(200, data, {"Content-Type": kind})
