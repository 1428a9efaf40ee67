"""`catalyst config show`: every setting in force, where its value comes from and what it means; secrets masked."""

from __future__ import annotations

import argparse

from catalyst.commands.output import print_json, table
from catalyst.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst config show`."""
    parser.add_argument("do", choices=("show",), help="print every setting")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings. Raises ConfigError with every fault in them."""
    rows = load().shown()
    if arguments.json:
        for row in rows:
            print_json(row)
    else:
        print(table(("SETTING", "VALUE", "FROM", "MEANING"),
                    [(row["name"], str(row["value"]), row["origin"], row["meaning"]) for row in rows]))
    return 0
