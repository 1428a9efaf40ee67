"""`catalyst sources import`: adds the feeds of an OPML file to the user's list of sources."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from catalyst.commands.output import plain, print_json
from catalyst.errors import ConfigError


def run_import(arguments: argparse.Namespace, path: Path) -> int:
    """Print what was added and what was passed over, and where. Raises ConfigError for a file that is no such list."""
    from catalyst.clients.files import read_text, replace_file
    from catalyst.clients.polls import BUNDLED_SOURCES
    from catalyst.core.opml import MOST_BYTES, add_feeds, read_opml
    from catalyst.settings import load

    settings = load()
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    try:
        outlines = read_opml(body)
    except ConfigError as error:
        raise ConfigError(f"{path} cannot be imported: {error}") from error
    target = settings.sources or settings.home / "sources.toml"
    is_new = settings.sources is None and not target.exists()
    imported = add_feeds(read_text(BUNDLED_SOURCES if is_new else target, "sources"), outlines)
    if imported.added:
        replace_file(target, imported.text.encode())
    line = f"CATALYST_SOURCES={target}" if settings.sources is None and imported.added else None
    said = {"file": str(target), "added": [{"name": source.name, "url": source.url, "kind": source.kind}
                                           for source in imported.added],
            "skipped": [{"title": outline.title, "url": outline.url, "why": why} for outline, why in imported.skipped],
            "env_line": line}
    if arguments.json:
        print_json(said)
    else:
        print(as_text(said))
    return 0


def as_text(said: dict[str, Any]) -> str:
    """A line a feed, then what is left to do."""
    lines = [f"added    {row['name']}  {row['url']}" for row in said["added"]]
    lines += [f"skipped  {row['title'] or '-'}  {row['url']}: {row['why']}" for row in said["skipped"]]
    added = len(said["added"])
    lines.append(f"{added} added, {len(said['skipped'])} skipped" + (f"; in {said['file']}" if added else ""))
    if said["env_line"]:
        lines.append(f"put this line into .env: {said['env_line']}")
    if added:
        lines.append("then: catalyst sources --check, catalyst reload")
    return "\n".join(plain(line) for line in lines)
