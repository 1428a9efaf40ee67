"""`catalyst version`: what a report of a fault should begin with."""

from __future__ import annotations

import argparse

from catalyst.commands.output import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst version` has no words of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Print the versions."""
    import platform
    import sqlite3

    import zmq

    from catalyst import __version__

    versions = {"version": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
                "libzmq": zmq.zmq_version()}
    if arguments.json:
        print_json(versions)
    else:
        print("Catalyst {version} (Python {python}, SQLite {sqlite}, libzmq {libzmq})".format(**versions))
    return 0
