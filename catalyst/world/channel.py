"""What a reader of the channel sees: the messages of one webhook as a page in Discord's manner, for the eye only.

Of Discord's Markdown it knows what cards use: escapes with a backslash, bold, masked links. Everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

MARKUP = re.compile(r"\\(?P<escaped>[^A-Za-z0-9\s])|\*\*(?P<bold>[^*]+)\*\*"
                    r"|\[(?P<label>(?:\\.|[^\]\\])+)\]\(<?(?P<link>https?://[^)>\s]+)>?\)")
STYLE = """
:root { color-scheme: dark } body { background: #313338; color: #dbdee1; font: 16px/1.375 system-ui, sans-serif;
  margin: 0 auto; padding: 1rem; max-width: 46rem }
article { margin: 0 0 1.25rem } header { color: #f2f3f5; font-weight: 600 } header small { color: #949ba4;
  font-weight: 400; font-size: .75rem; margin-left: .5rem } .edited { color: #949ba4; font-size: .65rem }
.embed { background: #2b2d31; border-left: 4px solid; border-radius: 4px; padding: .75rem 1rem; margin-top: .25rem;
  max-width: 32rem } .author { font-size: .85rem } .title { font-weight: 600; margin: .4rem 0 } a { color: #00a8fc;
  text-decoration: none } .description, .field { font-size: .875rem; white-space: pre-line; overflow-wrap: anywhere }
.fields { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin-top: .5rem } .wide {
  grid-column: 1 / -1 } .field b { display: block; color: #f2f3f5 } img { width: 100%; border-radius: 4px;
  margin-top: .75rem } .footer { font-size: .75rem; color: #b5bac1; margin-top: .5rem }
"""


def channel_page(messages: Iterable[Mapping[str, Any]]) -> str:
    """The page of messages in the shape of Discord's message object, in the order given."""
    shown = "\n".join(_message(message) for message in messages) or "<p>No message yet.</p>"
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The channel</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
            f"<body>{shown}</body></html>")


def marked_up(text: str) -> str:
    """Discord's Markdown as HTML, as far as cards use it."""
    parts, place = [], 0
    for match in MARKUP.finditer(text):
        parts.append(escape(text[place:match.start()]))
        place = match.end()
        if match["escaped"]:
            parts.append(escape(match["escaped"]))
        elif match["bold"]:
            parts.append(f"<strong>{marked_up(match['bold'])}</strong>")
        else:
            parts.append(f'<a href="{escape(match["link"])}" rel="noreferrer">{marked_up(match["label"])}</a>')
    return "".join([*parts, escape(text[place:])])


def _message(message: Mapping[str, Any]) -> str:
    edited = ' <span class="edited">(edited)</span>' if message.get("edited_timestamp") else ""
    files = {file.get("filename", ""): file.get("url", "") for file in message.get("attachments") or []}
    embeds = "".join(_embed(embed, files) for embed in message.get("embeds") or [])
    when = escape(str(message.get("timestamp") or "")[11:19])
    return (f"<article><header>Catalyst<small>APP {when} UTC</small></header>"
            f"<div>{marked_up(str(message.get('content') or ''))}{edited}</div>{embeds}</article>")


def _embed(embed: Mapping[str, Any], files: Mapping[str, str]) -> str:
    title, url = marked_up(str(embed.get("title") or "")), str(embed.get("url") or "")
    if url.startswith(("http://", "https://")):
        title = f'<a href="{escape(url)}" rel="noreferrer">{title}</a>'
    fields = "".join(_field(field) for field in embed.get("fields") or [])
    image = str((embed.get("image") or {}).get("url") or "")
    picture = files.get(image.removeprefix("attachment://"), "") if image.startswith("attachment://") else ""
    author = str((embed.get("author") or {}).get("name") or "")
    footer = str((embed.get("footer") or {}).get("text") or "")
    return (f'<div class="embed" style="border-color: #{int(embed.get("color") or 0):06x}">'
            + (f'<div class="author">{escape(author)}</div>' if author else "")
            + f'<div class="title">{title}</div>'
            f'<div class="description">{marked_up(str(embed.get("description") or ""))}</div>'
            f'<div class="fields">{fields}</div>'
            + (f'<img src="{escape(picture)}" alt="chart">' if picture else "")
            + f'<div class="footer">{escape(footer)}</div></div>')


def _field(field: Mapping[str, Any]) -> str:
    return (f'<div class="field{"" if field.get("inline") else " wide"}"><b>{marked_up(str(field["name"]))}</b>'
            f"{marked_up(str(field['value']))}</div>")
