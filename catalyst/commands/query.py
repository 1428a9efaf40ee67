"""`catalyst query`: read-only SQL on an actor's database, answered by the actor between two transactions."""

from __future__ import annotations

import argparse
import sys

from catalyst.commands.home import QUERY_ANSWER_S, Home, known
from catalyst.commands.output import print_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst query ACTOR SQL`."""
    parser.add_argument("actor", metavar="ACTOR", help="whose database")
    parser.add_argument("sql", metavar="SQL", help="one statement that only reads; bytes are shown as hexadecimal")


def run(arguments: argparse.Namespace) -> int:
    """Print the rows. Raises UsageError with SQLite's words for a statement that is wrong or would write."""
    with Home() as home:
        answer = home.ask(known(arguments.actor), "query", QUERY_ANSWER_S, sql=arguments.sql)
    columns, rows = answer["columns"], answer["rows"]
    if arguments.json:
        for row in rows:
            print_json(dict(zip(columns, row, strict=True)))
    elif columns:
        print(table(columns, rows))
    if answer["more"]:
        sys.stderr.write(f"catalyst: there is more than these {len(rows)} rows; add LIMIT and OFFSET\n")
    return 0
