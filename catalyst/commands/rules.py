"""`catalyst rules check`: whether a rule table is right, and what in it can never happen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from catalyst.clients.files import BUNDLED_RULES, check_kinds, load_gates, read_text
from catalyst.commands.output import plain, print_json
from catalyst.core.rule_check import Remark, check
from catalyst.core.rules import Rules
from catalyst.errors import ConfigError
from catalyst.settings import load

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst rules check [FILE]`."""
    parser.add_argument("action", choices=("check",), metavar="check", help="read the table and say what is odd in it")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE",
                        help="a rule table (default: the one in force, CATALYST_RULES or the bundled one)")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found. Raises ConfigError that names the rule and the field for a table that would be refused."""
    settings = load()
    path: Path = arguments.file or settings.rules or BUNDLED_RULES
    text = read_text(path, "rules")
    if not arguments.json and sys.stderr.isatty():
        sys.stderr.write(f"checking {plain(path)} ...\n")
    rules = Rules.from_toml(text)
    remarks, counts = check(text)
    gate = None
    try:
        load_gates(settings, rules)
        check_kinds(settings, rules)
    except ConfigError as error:
        gate = str(error)
    said: Row = {"file": str(path), "version": rules.version, **counts,
                 "remarks": [_plain(one) for one in remarks], "gate": gate}
    if arguments.json:
        print_json(said)
    else:
        print(as_text(said))
    return 0 if gate is None else ConfigError.exit_code


def _plain(remark: Remark) -> Row:
    return {"rule": remark.rule, "phrase": remark.phrase, "what": remark.what, "text": remark.text}


def as_text(said: Row) -> str:
    """A line a remark, then the counts."""
    lines = [f"{row['rule']}: “{row['phrase']}” {row['text']}" for row in said["remarks"]]
    lines += [said["gate"]] if said["gate"] else []
    lines.append(f"{said['file']} (version {said['version']}) is right: {said['kinds']} kinds, {said['noise']} of"
                 f" noise, {said['filings']} of filings, {said['phrases']:,} phrases, {said['needs']} needs,"
                 f" {said['exceptions']:,} exceptions; {len(said['remarks'])} remarks")
    return "\n".join(plain(line) for line in lines)
