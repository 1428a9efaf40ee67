"""Where alerts go: Discord, by webhook or bot, the user's own signed webhook, and the addresses of CATALYST_NOTIFY. It
never repeats by itself.

What to do after each outcome is decided in catalyst.core.delivery, when to send in catalyst.core.limiter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec

from catalyst.clients import notify
from catalyst.clients.http import Http
from catalyst.clock import Clock
from catalyst.core.card import CHART_NAME, Moment, discord_card, ops_card
from catalyst.core.delivery import DISCORD, OPS, WEBHOOK, Deliver, Outcome, Sent
from catalyst.core.digest import DIGEST, digest_card
from catalyst.core.event import event_bytes, sign, webhook_event
from catalyst.core.notify import PER_MINUTE, SCHEME, addresses, alert_text, digest_text, is_notify
from catalyst.core.refusals import STRAY, is_stray, says_gone
from catalyst.errors import ConfigError, FetchError
from catalyst.settings import Settings

DEADLINE_S = 10.0
ASK_S = 4.0  # of the question before a post: both together are one job
NONCE_LIMIT = 25  # characters ("Create Message"); an alert's id has 20
MOST_ASKED = 100  # messages that one question gets ("Get Channel Messages")
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
AGAIN = frozenset({408, 425, 429})  # of the 4xx, those that ask for another try (RFC 9110, 8470, 6585)
HOPELESS = frozenset({"forbidden_address", "redirect", "bad_url"})  # reasons that no further try can change


class DiscordSink:
    """One Discord webhook, at the address that the user pasted."""

    by_bot = False

    def __init__(self, http: Http, clock: Clock, url: str, deadline_s: float = DEADLINE_S):
        self._http = http
        self._clock = clock
        self._deadline_s = deadline_s
        self._url = urlsplit(url if is_usable(url) else "")

    def send(self, card: Mapping[str, Any], message_id: str | None = None, png: bytes | None = None,
             nonce: str = "") -> Sent:
        """Post the card, or edit the message `message_id` to show it; `png` is the picture that the card names.

        `nonce` tells this post from every other; a webhook has no use for it.
        """
        method = "POST" if message_id is None else "PATCH"
        url = self._post_url() if message_id is None else self._message_url(message_id)
        begun_ms = self._clock.now_ms()
        named = {} if message_id else self._named(nonce)
        body, content_type = event_bytes({**card, **named}), "application/json"
        if png is not None:
            body, content_type = with_file(body, CHART_NAME, png)
        headers = {"Content-Type": content_type, **self._headers()}
        sent = _request(self._http, self._clock, method, url, body, headers, begun_ms, self._deadline_s)
        if sent.outcome == "delivered":
            return replace(sent, message_id=message_id or _message_id(sent.body))
        return self._own(sent)

    def greet(self) -> Sent:
        """Ask for the webhook itself, which changes nothing: delivered where it answers ("Get Webhook with Token").

        What stands behind an address of the user's may know no such question: its refusal is an answer too, unless it
        says that the webhook is gone. Any other outcome is that of the question, never ambiguous.
        """
        begun_ms = self._clock.now_ms()
        query = [pair for pair in parse_qsl(self._url.query) if pair[0] not in ("wait", "thread_id")]
        url = urlunsplit(self._url._replace(query=urlencode(query), fragment=""))
        deadline_s = min(ASK_S, self._deadline_s)
        asked = _request(self._http, self._clock, "GET", url, b"", self._headers(), begun_ms, deadline_s)
        if asked.outcome == "ambiguous" or (asked.outcome == "delivered" and asked.reason):  # not whole
            return replace(asked, outcome="retry")
        if asked.status is not None and asked.outcome == "refused" and not says_gone(asked.status, asked.body):
            return replace(asked, outcome="delivered")
        return asked

    def _own(self, sent: Sent) -> Sent:
        """What came of a request: a refusal that is not Discord's own passes."""
        return replace(sent, outcome="retry") if is_stray(sent.status, sent.body) else sent

    def _headers(self) -> dict[str, str]:
        """Who asks; a webhook's address says it."""
        return {}

    def _named(self, nonce: str) -> dict[str, Any]:
        """The fields that let the sink know a post again."""
        return {}

    def _post_url(self) -> str:
        """With `wait=true` the answer is the message; without it a message that was not saved looks like success."""
        query = [pair for pair in parse_qsl(self._url.query) if pair[0] != "wait"]
        return urlunsplit(self._url._replace(query=urlencode([*query, ("wait", "true")]), fragment=""))

    def _message_url(self, message_id: str) -> str:
        """Keeps `thread_id`, which an edit in a thread needs too."""
        query = [pair for pair in parse_qsl(self._url.query) if pair[0] == "thread_id"]
        path = f"{self._url.path.rstrip('/')}/messages/{message_id}"
        return urlunsplit(self._url._replace(path=path, query=urlencode(query), fragment=""))


class BotSink(DiscordSink):
    """A channel into which a bot of ours posts. Discord makes a post with a known nonce once, within some minutes;
    later the channel itself is asked (Discord's API documentation, "Create Message" and "Get Channel Messages")."""

    by_bot = True

    def __init__(self, http: Http, clock: Clock, channel_url: str, token: str):
        super().__init__(http, clock, channel_url)
        self._token = token

    def send(self, card: Mapping[str, Any], message_id: str | None = None, png: bytes | None = None,
             nonce: str = "") -> Sent:
        """As a webhook does; where only the body of a good answer is missing, the channel can tell the message's id."""
        sent = super().send(card, message_id, png, nonce)
        is_nameless = sent.outcome == "delivered" and sent.message_id is None and bool(sent.reason)
        return replace(sent, outcome="ambiguous") if is_nameless else sent

    def find(self, wanted: str) -> Sent:
        """Ask for the message of an alert or a digest among the newest: delivered with its id, or `refused` as
        `absent`. An alert that stands in a digest is delivered without one: that message is not its own to edit.

        Any other outcome is that of the question.
        """
        begun_ms = self._clock.now_ms()
        path = f"{self._url.path.rstrip('/')}/messages"
        url = urlunsplit(self._url._replace(path=path, query=urlencode({"limit": MOST_ASKED}), fragment=""))
        asked = _request(self._http, self._clock, "GET", url, b"", self._headers(), begun_ms, ASK_S)
        if asked.outcome != "delivered":
            return replace(asked, outcome="retry") if asked.outcome == "ambiguous" else self._own(asked)
        if (messages := _messages(asked.body)) is None:
            return replace(asked, outcome="retry", reason="no_list")
        found = next((str(message.get("id")) for message in messages if name_of(message) == wanted), "")
        if MESSAGE_ID.fullmatch(found):
            return replace(asked, message_id=found)
        if any(wanted in alerts_in(message) for message in messages):
            return asked
        return replace(asked, outcome="refused", reason="absent")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bot {self._token}"}

    def _named(self, nonce: str) -> dict[str, Any]:
        return {"nonce": nonce[:NONCE_LIMIT], "enforce_nonce": True} if nonce else {}

    def _post_url(self) -> str:
        return urlunsplit(self._url._replace(path=f"{self._url.path.rstrip('/')}/messages", query="", fragment=""))


class WebhookSink:
    """The user's own receiver of signed JSON; without a secret the events go out unsigned."""

    def __init__(self, http: Http, clock: Clock, url: str, secret: str):
        self._http = http
        self._clock = clock
        self._url = url
        self._secret = secret

    def send(self, event: Mapping[str, Any], key: str) -> Sent:
        """Post the event; `key` is the same for each try, so that the receiver knows a repeat."""
        begun_ms = self._clock.now_ms()
        body = event_bytes(dict(event))
        timestamp = str(begun_ms // 1000)
        headers = {"Idempotency-Key": key, "X-Catalyst-Event": str(event["event"]), "X-Catalyst-Timestamp": timestamp}
        if self._secret:
            headers["X-Catalyst-Signature"] = sign(self._secret, timestamp, body)
        return _request(self._http, self._clock, "POST", self._url, body, headers, begun_ms)


def address(settings: Settings, sink: str) -> str:
    """The address of a sink, empty where it is not set; for the bot that of its channel."""
    if can_be_asked(settings, sink):
        return f"{settings.discord_base_url.rstrip('/')}/api/v10/channels/{quote(settings.discord_channel_id, safe='')}"
    if is_notify(sink):
        return notify.sinks(settings).get(sink, "")
    return str({DISCORD: settings.discord_webhook_url, OPS: settings.discord_admin_webhook,
                WEBHOOK: settings.webhook_url}[sink])


def alert_sinks(settings: Settings) -> tuple[str, ...]:
    """The sinks that alerts go to: those that are set, each a lane of its own."""
    return (*(sink for sink in (DISCORD, WEBHOOK) if address(settings, sink)), *notify.sinks(settings))


def all_sinks(settings: Settings) -> tuple[str, ...]:
    """Every sink that is set, the operator's own channel too."""
    return (*alert_sinks(settings), *([OPS] if address(settings, OPS) else []))


def per_minute(settings: Settings, lane: str) -> int:
    """Our own cap of a lane's requests in any minute, 0 for none."""
    return 0 if lane == WEBHOOK else PER_MINUTE if is_notify(lane) else int(settings.discord_per_minute)


def can_be_asked(settings: Settings, sink: str) -> bool:
    """Whether alerts go out by a bot, who can read what he posted; a webhook cannot."""
    return bool(sink == DISCORD and settings.discord_bot_token and settings.discord_channel_id)


def discord_sink(http: Http, clock: Clock, settings: Settings, sink: str) -> DiscordSink:
    """The way to a sink that is a channel of Discord."""
    if can_be_asked(settings, sink):
        return BotSink(http, clock, address(settings, sink), settings.discord_bot_token)
    return DiscordSink(http, clock, address(settings, sink))


def lane_of(settings: Settings, sink: str) -> str:
    """A sink's lane; the operator's channel shares Discord's where both are one webhook, hence one limit."""
    same = settings.discord_admin_webhook == settings.discord_webhook_url
    return DISCORD if sink == OPS and same else sink


def is_usable(url: str) -> bool:
    """Whether an address can be asked at all: http or https, a host, a port that is one, no blank."""
    try:
        parts = urlsplit(url)
        return (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
                and not re.search(r"[\s\x00-\x1f\x7f]", url))
    except ValueError:
        return False


def setting_of(settings: Settings, sink: str) -> str:
    """The name of the setting that holds a sink's address."""
    if can_be_asked(settings, sink):
        return "DISCORD_BASE_URL"
    return {DISCORD: "DISCORD_WEBHOOK_URL", OPS: "DISCORD_ADMIN_WEBHOOK", WEBHOOK: "CATALYST_WEBHOOK_URL"}[sink]


def check_addresses(settings: Settings) -> None:
    """Raises ConfigError for a sink whose address nobody could ask; it holds no word of the address, a secret."""
    for sink in (DISCORD, OPS, WEBHOOK):
        if (url := address(settings, sink)) and not is_usable(url):
            raise ConfigError(f"{setting_of(settings, sink)} is no http or https address (https://host/path)")
    if not all(map(SCHEME.match, addresses(settings.notify).values())):
        raise ConfigError("CATALYST_NOTIFY: an address in it does not begin with the name of a service (ntfy://...)")


def fingerprint(settings: Settings, sink: str) -> str:
    """Tells whether a sink's address changed, without keeping the address, which is a secret."""
    text = address(settings, sink) + (settings.discord_bot_token if can_be_asked(settings, sink) else "")
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def deliver(http: Http, clock: Clock, settings: Settings, payload: Deliver) -> Sent:
    """Render the payload as it is at this moment and hand it to its sink."""
    url = address(settings, payload.sink)
    now_ms = clock.now_ms()
    if not url:
        return Sent("refused", now_ms, now_ms, reason="not_configured")
    if payload.sink == WEBHOOK:
        return WebhookSink(http, clock, url, settings.webhook_secret).send(webhook_event(payload, now_ms), payload.key)
    if is_notify(payload.sink):
        return _notify(clock, settings, payload, url)
    channel = discord_sink(http, clock, settings, payload.sink)
    if payload.must_ask and isinstance(channel, BotSink):
        found = channel.find(payload.id)
        if found.reason != "absent":
            return found
    elif payload.must_greet and (answer := channel.greet()).outcome != "delivered":
        return replace(answer, reason=f"asked_{answer.reason}")
    doubtful = payload.possible_repeat and not isinstance(channel, BotSink)
    moment = Moment(payload.sent_ms or now_ms, ZoneInfo(settings.tz), doubtful)
    if payload.notice is not None:
        card = ops_card(payload.notice, moment)
    elif payload.digest is not None:
        card = digest_card(payload.id, payload.digest, moment)
    elif payload.alert is not None:
        card = discord_card(payload.alert, payload.sources, moment, payload.chart and payload.chart.alt,
                            payload.corrections, payload.followed)
    else:
        return Sent("refused", now_ms, now_ms, reason="empty")
    return channel.send(card, payload.message_id, payload.chart and payload.chart.png, payload.id)


def _notify(clock: Clock, settings: Settings, payload: Deliver, url: str) -> Sent:
    """The alert, and a correction as one more message."""
    now_ms = clock.now_ms()
    if payload.digest is not None:
        return notify.post(clock, url, *digest_text(payload.digest))
    if payload.alert is None:
        return Sent("refused", now_ms, now_ms, reason="empty")
    moment = Moment(now_ms, ZoneInfo(settings.tz), payload.possible_repeat)
    return notify.post(clock, url, *alert_text(payload.alert, moment, payload.corrections))


def with_file(payload_json: bytes, name: str, png: bytes) -> tuple[bytes, str]:
    """Body and content type of a message with a picture: parts `payload_json` and `files[0]`.

    From Discord's API documentation, "Uploading Files" (August 2026).
    """
    from urllib3.fields import RequestField  # only an alert with a chart needs them
    from urllib3.filepost import encode_multipart_formdata

    text = RequestField("payload_json", payload_json)
    text.make_multipart(content_type="application/json")
    picture = RequestField("files[0]", png, filename=name)
    picture.make_multipart(content_type="image/png")
    return encode_multipart_formdata([text, picture])


def _request(http: Http, clock: Clock, method: str, url: str, body: bytes, headers: Mapping[str, str],
             begun_ms: int, deadline_s: float = DEADLINE_S) -> Sent:
    """One request and what its answer, or the lack of one, means."""
    if not is_usable(url):
        return Sent("refused", begun_ms, begun_ms, reason="bad_url")
    headers = {"Content-Type": "application/json", **headers}
    try:
        response = http.send(method, url, body=body, headers=headers, deadline_s=deadline_s)
    except FetchError as error:
        if error.status is not None:  # it was answered, only the body cannot be read
            outcome = "retry" if error.status in STRAY else _meaning(error.status)  # whose refusal is not known
            reason = f"body_{error.reason}" if outcome == "delivered" else f"status_{error.status}"
            return Sent(outcome, begun_ms, clock.now_ms(), error.status, reason, headers=error.headers)
        failed: Outcome = "ambiguous" if error.ambiguous else "refused" if error.reason in HOPELESS else "retry"
        return Sent(failed, begun_ms, clock.now_ms(), reason=error.reason)
    outcome = _meaning(response.status)
    reason = "" if outcome == "delivered" else f"status_{response.status}"
    return Sent(outcome, begun_ms, response.done_ms, response.status, reason, headers=response.headers,
                body=response.body)


def alerts_in(message: Mapping[str, Any]) -> list[str]:
    """The ids of the alerts that a message of Discord tells of: each card's footer begins with `id ALERT`."""
    return [words[1] for text in _footers(message) if len(words := text.split()) > 1 and words[0] == "id"]


def name_of(message: Mapping[str, Any]) -> str:
    """The id of the digest that a message is, which its last footer names, else that of its alert; empty for none."""
    _, found, rest = (_footers(message) or [""])[-1].partition(f" · {DIGEST}")
    return (rest.split() or [""])[0] if found else next(iter(alerts_in(message)), "")


def _footers(message: Mapping[str, Any]) -> list[str]:
    embeds = message.get("embeds")
    footers = [embed.get("footer") for embed in embeds if isinstance(embed, dict)] if isinstance(embeds, list) else []
    return [str(footer.get("text", "")) for footer in footers if isinstance(footer, dict)]


def _messages(body: bytes) -> list[dict[str, Any]] | None:
    """The messages of an answer, None where it is no list."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else None


def _meaning(status: int) -> Outcome:
    """What a status says; a redirect is not followed, so it is a refusal."""
    if 200 <= status < 300:
        return "delivered"
    return "retry" if status >= 500 or status in AGAIN else "refused"


def _message_id(body: bytes) -> str | None:
    """The id in the created message's JSON; None where the answer is something else."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = fields.get("id") if isinstance(fields, dict) else None
    return found if isinstance(found, str) and MESSAGE_ID.fullmatch(found) else None
