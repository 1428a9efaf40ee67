"""What stands in Discord's own refusals, and which refusals are not its own. Pure.

Discord answers in JSON with a number of its own (API documentation, "JSON Error Codes", August 2026). A page of HTML is
of a proxy or of a portal on the way: it says nothing of the webhook, and passes.
"""

from __future__ import annotations

from typing import Any

import msgspec

STRAY = frozenset({401, 403, 404})  # statuses that others on the way use as well; what they refuse is not done
GONE = {10015: "unknown_webhook", 50027: "invalid_token"}  # of a webhook
GONE_BOT = {10003: "unknown_channel", 50027: "invalid_token"}  # of a bot's channel


def fields_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; empty for anything else."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def says_gone(status: int | None, body: bytes, *, by_bot: bool = False) -> str:
    """In a word why a webhook, or a bot's way to its channel, is gone, in Discord's own words; empty where the answer
    says no such thing. A bot's token that is wrong has the code 0, which any route may answer.
    """
    if status not in (401, 404):
        return ""
    code = _code(body)
    if by_bot:
        return GONE_BOT.get(code, "invalid_token" if (status, code) == (401, 0) else "")
    return GONE.get(code, "")


def why_gone(status: int | None, body: bytes, *, by_bot: bool = False, is_edit: bool = False) -> str:
    """The same of the answer to a post or an edit: any 401 or 404 to a post says it, but a page of somebody on the way.
    An edit of a deleted message is a 404 too (10008).
    """
    said = says_gone(status, body, by_bot=by_bot)
    return said or (f"status_{status}" if status in (401, 404) and not is_edit and not _is_page(body) else "")


def is_stray(status: int | None, body: bytes) -> bool:
    """Whether a refusal is none of Discord's: a page of HTML, where Discord has none."""
    return status in STRAY and _is_page(body)


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def _code(body: bytes) -> int:
    """Discord's number; 0 is its general one, -1: there is none."""
    code = fields_of(body).get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else -1
