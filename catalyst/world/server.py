"""The outside world on loopback: plays a day over HTTP/1.1, starting now.

Addresses: `/feeds/NAME.xml`, `/files/company_tickers.json`, `/v8/finance/chart/TICKER`, `/api/webhooks/...` and
`/attachments/ID/NAME` (Discord), `/hook` (the signed webhook), `/cgi-bin/browse-edgar` and `/Archives/edgar/data/...`
(EDGAR), `/v1/chat/completions` and `/v1beta/models/MODEL:generateContent` (language models); `/_sent`, `/_channel`,
`/_llm`, `/_edgar` and `/_day` for whoever looks on, `POST /_faults`, `/_trouble` and `/_gate` for whoever disturbs.
Anything else is a 404 in JSON. It is a test bench: it listens on 127.0.0.1 unless it is told otherwise, and trusts its
caller.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import zlib
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from catalyst.clock import Clock, SystemClock, from_iso, iso
from catalyst.errors import ConfigError, UnavailableError
from catalyst.world.channel import channel_page
from catalyst.world.day import Day, Shift
from catalyst.world.discord import UPLOAD_LIMIT_BYTES, Desk
from catalyst.world.edgar import Answer, Edgar
from catalyst.world.feeds import Tape, moments, read_document
from catalyst.world.llm import Analyst
from catalyst.world.quotes import Prices
from catalyst.world.sinks import SinkRoutes
from catalyst.world.trouble import Trouble

BODY_LIMIT_BYTES = UPLOAD_LIMIT_BYTES + 2**20
ALERTS = "1/alerts"  # the webhook to which `catalyst.world.day.environment` sends alerts
_JSON = "application/json"


class World:
    """A running stand-in for the outside world; a context manager. `url` is its base address.

    `edgar_limit` requests a second is what EDGAR allows (0: any number), `strict_sec` makes it ask who asks.

    `speed` 2 plays the day twice as fast; `discord_limit` (5, 2.0) allows five changing requests in two seconds a
    webhook; `state` is a file that remembers when the day began, so that a restarted world goes on with it; `sent` is a
    file to which every webhook request is appended at once and from which a restarted world takes them back.
    Raises ConfigError for a day, state or sent file that cannot be played, UnavailableError for a taken port.
    """

    def __init__(self, day: Day, port: int = 0, speed: float = 1.0, discord_limit: tuple[int, float] | None = None,
                 clock: Clock | None = None, *, state: Path | None = None, sent: Path | None = None,
                 edgar_limit: int = 0, strict_sec: bool = False, host: str = "127.0.0.1"):
        if speed <= 0:
            raise ConfigError(f"speed {speed:g} is not above 0")
        self.day = day
        self.speed, self.host = speed, host
        self.clock = clock or SystemClock()
        self.shift = Shift(day.starts_ms, _start_ms(day, speed, self.clock, state), speed)
        self.tapes = {feed.name: self._tape(feed.file, feed.window) for feed in day.feeds if feed.kind != "edgar"}
        self.edgar = Edgar(day, self.shift, edgar_limit, strict_sec)
        self.analyst = Analyst()
        self.closing = threading.Event()
        self.trouble = Trouble()
        self.gate_ms: int | None = None  # nothing that appears later is shown before somebody moves the gate
        self.companies = day.companies.read_bytes() if day.companies else None
        self.prices = Prices(day.bars, day.bar_s)
        self._events: list[dict[str, Any]] = []
        self._event_keys: set[str] = set()
        self._refused: list[str] = []
        self._events_lock = threading.Lock()
        self._sent_lock = threading.Lock()
        self._sent_fd = -1
        self.desk = Desk(discord_limit, self._keep)
        if sent is not None:
            self._restore(sent)
            self._sent_fd = os.open(sent, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._server = _listen(port, self)
        self.port = int(self._server.server_address[1])
        self.url = self.desk.base_url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="world", daemon=True)
        self._thread.start()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, cut the connections that are still open, close the sent file. May be called twice."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
        self._server.cut()
        with self._sent_lock:
            if self._sent_fd >= 0:
                os.close(self._sent_fd)
                self._sent_fd = -1

    def about(self) -> dict[str, Any]:
        """What is playing, and how far it is: `published` items have appeared; a filing is one item."""
        now_ms = self.clock.now_ms()
        seen_ms = self.shown_ms()
        return {
            "name": self.day.name, "started": iso(self.shift.real_start_ms), "now": iso(now_ms),
            "ends": iso(self.shift.real_ms(self.day.starts_ms + int(self.day.duration_s * 1000))),
            "speed": self.speed, "items": sum(len(tape) for tape in self.tapes.values()) + len(self.edgar),
            "published": sum(tape.visible(seen_ms) for tape in self.tapes.values()) + self.edgar.visible(seen_ms),
        }

    def shown_ms(self) -> int:
        """The moment up to which feeds and EDGAR show what there is: now, or where the gate stands (`POST /_gate`)."""
        now_ms = self.clock.now_ms()
        return now_ms if self.gate_ms is None else min(now_ms, self.gate_ms)

    def sent(self) -> dict[str, Any]:
        """All webhook requests so far, refused ones too (`status`), in the order of their arrival."""
        with self._events_lock:
            events = list(self._events)
            refused = list(self._refused)
        return {**self.desk.snapshot(), "events": events, "refused": refused, "troubled": self.trouble.met()}

    def refuse_event(self, key: str) -> None:
        """Note the Idempotency-Key of a request to `/hook` that was refused on purpose."""
        with self._events_lock:
            self._refused.append(key)

    def take_event(self, headers: Mapping[str, str], body: bytes, trouble: str = "") -> bool:
        """Keep one request to `/hook`; False when its Idempotency-Key was there before."""
        text = body.decode("utf-8", "replace")
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        record = {"at": iso(self.clock.now_ms()), "headers": dict(headers), "body": text, "json": parsed,
                  "trouble": trouble}
        with self._events_lock:
            is_new = self._add_event(record)
            self._keep({"event": record})
        return is_new

    def _add_event(self, record: dict[str, Any]) -> bool:
        key = next((value for name, value in record["headers"].items() if name.lower() == "idempotency-key"), None)
        record["repeated"] = key is not None and key in self._event_keys
        if key is not None:
            self._event_keys.add(key)
        self._events.append(record)
        return not record["repeated"]

    def _tape(self, file: Path, window: int) -> Tape:
        document = read_document(file.read_bytes(), str(file))
        appear_ms = [self.shift.real_ms(moment) for moment in moments(document.items, self.day.starts_ms)]
        return Tape(document, appear_ms, window)

    def _keep(self, record: dict[str, Any]) -> None:
        with self._sent_lock:
            if self._sent_fd >= 0:
                os.write(self._sent_fd, json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def _restore(self, file: Path) -> None:
        if not file.is_file():
            return
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                record = json.loads(line)
                if "discord" in record:
                    self.desk.restore(record["discord"])
                else:
                    self._add_event(record["event"])
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(f"{file}, line {number} is not a kept request: {error!r}") from error


def _start_ms(day: Day, speed: float, clock: Clock, state: Path | None) -> int:
    """When the day began here: from the state file, else now, which is then written there."""
    now_ms = clock.now_ms()
    if state is None:
        return now_ms
    if state.is_file():
        try:
            saved = json.loads(state.read_text("utf-8"))
            known = (saved["day"], saved["seed"], saved["speed"])
            started_ms = from_iso(saved["started"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{state} is not a world's state: {error!r}") from error
        if known != (day.name, day.seed, speed):
            raise ConfigError(f"{state} belongs to day {known[0]} at speed {known[2]}; remove it to start over")
        return started_ms
    fresh = state.with_name(state.name + ".new")
    fresh.write_text(json.dumps({"day": day.name, "seed": day.seed, "speed": speed, "started": iso(now_ms)}), "utf-8")
    fresh.replace(state)
    return now_ms


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port: int, world: World):
        self.world = world
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((world.host, port), _Handler)

    def server_bind(self) -> None:
        """Like the parent's, without its look-up of the host's own name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address

    def note(self, connection: socket.socket, *, is_open: bool) -> None:
        """Remember a connection for `cut`, or forget it."""
        with self._open_lock:
            (self._open.add if is_open else self._open.discard)(connection)

    def cut(self) -> None:
        """Close what is still open: a client that keeps its connection must notice that this world has ended."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is not worth a traceback."""


def _listen(port: int, world: World) -> _Server:
    try:
        return _Server(port, world)
    except OSError as error:
        raise UnavailableError(f"port {port} on {world.host} cannot be used: {error.strerror}") from error


class _Handler(SinkRoutes):
    protocol_version = "HTTP/1.1"
    server_version = "catalyst-world"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 120
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.note(self.connection, is_open=True)

    def finish(self) -> None:
        self.server.note(self.connection, is_open=False)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged; what matters is kept."""

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PATCH = do_DELETE = do_GET

    def _answer(self) -> None:
        world = self.server.world
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.split("/") if part]
        query = dict(parse_qsl(address.query))
        body = self._body()
        if body is None:
            return
        match parts:
            case ["feeds", file] if self._is_read() and file.removesuffix(".xml") in world.tapes:
                data, etag = world.tapes[file.removesuffix(".xml")].at(world.shown_ms())
                self._document(data, etag, "application/xml")
            case ["files", "company_tickers.json"] if self._is_read() and world.companies is not None:
                self._document(world.companies, f'"{zlib.crc32(world.companies):08x}"', _JSON)
            case ["v8", "finance", "chart", ticker] if self._is_read():
                self._json(*world.prices.chart(ticker, query, world.clock.now_ms(), world.shift))
            case ["api", "webhooks", *rest] | ["api", "v10", "webhooks", *rest]:
                self._webhook(rest, query, body)
            case ["attachments", number, name] if self._is_read():
                self._attachment(world.desk.file(number, name))
            case ["api", "v10", "channels", *rest]:
                self._channel(rest, query, body)
            case ["hook"] if self.command == "POST":
                self._hook(body)
            case ["cgi-bin", "browse-edgar"] | ["ix"] | ["Archives", "edgar", "data" | "daily-index", *_] if (
                    self._is_read()):
                self._edgar(parts, query)
            case ["v1", "chat", "completions"] | ["v1beta", "models", _] if self.command == "POST":
                self._model(parts, query, body)
            case ["_faults"] if self.command == "POST":
                self._faults(body)
            case ["_trouble"] if self.command == "POST":
                self._trouble(body)
            case ["_gate"] if self.command == "POST":
                self._gate(body)
            case ["_llm"] if self._is_read():
                self._json(200, world.analyst.log())
            case ["_edgar"] if self._is_read():
                self._json(200, world.edgar.counts())
            case ["_sent"] if self._is_read():
                self._json(200, world.sent())
            case ["_channel", *webhook] if self._is_read():
                page = channel_page(world.desk.channel("/".join(webhook) or ALERTS))
                self._send(200, page.encode("utf-8", "replace"), {"Content-Type": "text/html; charset=utf-8"})
            case ["_day"] if self._is_read():
                self._json(200, world.about())
            case _:
                self._json(404, {"error": "not found", "path": address.path})

    def _is_read(self) -> bool:
        return self.command in ("GET", "HEAD")

    def _body(self) -> bytes | None:
        """The request's body; None when it could not be taken and the answer has gone out."""
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._refused(411, "a length is required")
        text = self.headers.get("Content-Length") or "0"
        if not text.isdigit():
            return self._refused(400, "Content-Length is not a number")
        if int(text) > BODY_LIMIT_BYTES:
            return self._refused(413, "the body is too large")
        body = self.rfile.read(int(text))
        if len(body) < int(text):  # the sender died in the middle: no request has arrived
            self.close_connection = True
            return None
        return body

    def _refused(self, status: int, why: str) -> bytes | None:
        self.close_connection = True
        self._json(status, {"error": why})
        return None

    def _edgar(self, parts: list[str], query: dict[str, str]) -> None:
        world = self.server.world
        now_ms = world.shown_ms()
        answer: Answer | None = world.edgar.admit(self.headers.get("User-Agent") or "", now_ms)
        if answer is None:
            match parts:
                case ["cgi-bin", *_]:
                    answer = world.edgar.latest(query, now_ms)
                case ["ix"]:
                    answer = world.edgar.viewer()
                case [_, _, "daily-index", *_]:
                    answer = world.edgar.index(parts[-1], now_ms)
                case _:
                    answer = world.edgar.archive(parts[3:], now_ms)
        if answer.etag is None:
            self._send(answer.status, answer.body, {"Content-Type": answer.content_type})
        elif not self._document(answer.body, answer.etag, answer.content_type):
            world.edgar.note_not_modified()

    def _model(self, parts: list[str], query: dict[str, str], body: bytes) -> None:
        world = self.server.world
        fault = query.get("fault") or self.headers.get("X-Fault") or ""
        name = "" if parts[0] == "v1" else parts[-1]
        reply = world.analyst.answer(name, body, fault, str(iso(world.clock.now_ms())))
        if reply.delay_s:
            world.closing.wait(reply.delay_s)
        self._json(reply.status, reply.body, reply.headers)

    def _faults(self, body: bytes) -> None:
        try:
            wanted = json.loads(body)["llm"]
            self.server.world.analyst.disturb(wanted)
        except (ValueError, KeyError, TypeError) as error:
            return self._json(400, {"error": f"not a list of faults: {error}"})
        return self._json(200, {"llm": wanted})

    def _gate(self, body: bytes) -> None:
        """Show what appears until the day's own moment `until` (ISO), and nothing later; null opens the gate."""
        world = self.server.world
        try:
            until = json.loads(body)["until"]
            until_ms = None if until is None else from_iso(until)
        except (ValueError, KeyError, TypeError) as error:
            return self._json(400, {"error": f"not a moment: {error}"})
        world.gate_ms = None if until_ms is None else world.shift.real_ms(until_ms)
        return self._json(200, {"published": world.about()["published"]})

    def _document(self, data: bytes, etag: str, content_type: str) -> bool:
        """Answer with the document, or a 304 where the asker has it; whether the whole of it went out."""
        asked = self.headers.get("If-None-Match") or ""
        known = etag in [word.strip().removeprefix("W/") for word in asked.split(",")]
        if known:
            self._send(304, b"", {"ETag": etag})
        else:
            self._send(200, data, {"ETag": etag, "Content-Type": content_type})
        return not known
