"""`catalyst send-test`, `parse-feed` and `classify`: words of the command line for what other modules do."""

from __future__ import annotations

import argparse

from catalyst.commands.output import plain, print_json, table


def add_arguments_send_test(parser: argparse.ArgumentParser) -> None:
    """`catalyst send-test [SINK] [--sample KIND] [--preview [--out FOLDER]]`."""
    parser.add_argument("sink", nargs="?", metavar="SINK",
                        help="discord, ops, webhook or notify (default: all that are set)")
    parser.add_argument("--sample", metavar="KIND", help="show an alert of this kind, marked as a test")
    parser.add_argument("--preview", action="store_true", help="print what would be sent, send nothing")
    parser.add_argument("--out", metavar="FOLDER", help="with --preview: write SINK.json and SINK.png there")


def run_send_test(arguments: argparse.Namespace) -> int:
    """Try the sinks; 69 where one of them did not take the card."""
    from pathlib import Path

    from catalyst.clock import SystemClock
    from catalyst.commands import send_test
    from catalyst.errors import UnavailableError, UsageError
    from catalyst.settings import load

    settings = load()
    if arguments.out is not None and not arguments.preview:
        raise UsageError("--out goes with --preview")
    if arguments.preview:
        folder = Path(arguments.out) if arguments.out is not None else None
        for row in send_test.preview(settings, arguments.sink, SystemClock().now_ms(), arguments.sample, folder):
            if folder is None or arguments.json:
                print_json(row)
            else:
                print("\n".join(row["files"]))
        return 0
    rows = send_test.run(settings, arguments.sink, sample=arguments.sample)
    if arguments.json:
        for row in rows:
            print_json(row)
    else:
        print(table(("SINK", "OUTCOME", "STATUS", "REASON", "MS"), [
            (row["sink"], row["outcome"], row["status"] or "-", plain(row["reason"] or "-"), row["time_ms"])
            for row in rows]))
        for row in rows:
            if row["opened"]:
                print(f"{row['sink']} was closed; alerts go there again")
    return 0 if all(row["outcome"] == "delivered" for row in rows) else UnavailableError.exit_code


def add_arguments_classify(parser: argparse.ArgumentParser) -> None:
    """`catalyst classify` reads standard input."""
    parser.description = "Judge items, one JSON object a line of standard input; one JSON line each to standard output."


def run_classify(arguments: argparse.Namespace) -> int:
    """Filter standard input. A line that is no item gives a line with `error`, and the filter goes on."""
    from catalyst.commands import classify
    from catalyst.settings import load

    # A byte that is no UTF-8 reaches the reader of the line, whose complaint then names the line; a byte order mark at
    # the start is what some editors write.
    with open(0, encoding="utf-8-sig", errors="surrogateescape", closefd=False) as lines:
        for answer in classify.run(lines, load()):
            print_json(answer)
    return 0


def add_arguments_parse_feed(parser: argparse.ArgumentParser) -> None:
    """`catalyst parse-feed FILE...`."""
    parser.description = "Read feed documents (RSS, Atom, RDF); one JSON line a file."
    parser.add_argument("files", nargs="+", metavar="FILE", help="a feed document, - for standard input")


def run_parse_feed(arguments: argparse.Namespace) -> int:
    """A line a file, in order; a file that is no feed gives `error` and no entries; 64 where one cannot be read."""
    from catalyst.commands import parse_feed
    from catalyst.commands.documents import print_rows

    return print_rows(parse_feed.run(arguments.files))
