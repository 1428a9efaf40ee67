"""What Discord refuses in a message: the limits of its own API documentation (docs/resources/message, August 2026).

Lengths are counted in UTF-16 units, the strictest reading of "characters". Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
DESCRIPTION_LIMIT = 1024  # of an attachment


@dataclass(frozen=True, slots=True)
class Upload:
    """One part `files[n]` of a multipart request."""

    part: str
    name: str
    size_bytes: int
    data: bytes = field(default=b"", compare=False, repr=False)


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
    known = {file["id"] for file in there} | {part_number(upload.part) for upload in uploads}
    faults = [f"attachments[{index}].id {entry['id']} names no file" for index, entry in enumerate(listed)
              if str(entry["id"]) not in known]
    for index, entry in enumerate(listed):
        text = entry.get("description")
        if text is not None and (not isinstance(text, str) or length(text) > DESCRIPTION_LIMIT):
            faults.append(f"attachments[{index}].description is not a text of at most {DESCRIPTION_LIMIT} characters")
    return faults


def part_number(part: str) -> str:
    """`2` of a part that is called `files[2]`."""
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


def referred(payload: dict[str, Any]) -> set[str]:
    """File names that embeds refer to as `attachment://NAME`."""
    addresses = [str((embed.get(place) or {}).get("url", ""))
                 for embed in payload.get("embeds") or [] for place in ("image", "thumbnail")]
    return {address.removeprefix("attachment://") for address in addresses if address.startswith("attachment://")}
