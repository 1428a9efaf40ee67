"""`catalyst keys`: the key pairs of this host's actors and the public keys of other hosts. It prints no private key."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from catalyst.commands.output import print_json, table
from catalyst.runtime.keys import OPERATOR, PUBLIC, Keys, Public
from catalyst.runtime.roster import WORKERS
from catalyst.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst keys [--init | --import FILE [--replace] | --forget FINGERPRINT]`."""
    do = parser.add_mutually_exclusive_group()
    do.add_argument("--init", action="store_true", help="make the key pairs that this host's actors lack")
    do.add_argument("--import", metavar="FILE", type=Path, dest="file", help="trust the public.txt of another host")
    do.add_argument("--forget", metavar="FINGERPRINT", help="trust an imported key no more")
    parser.add_argument("--replace", action="store_true", help="with --import: new keys take the place of old ones")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for, then show the keys that there are."""
    settings = load()
    keys = Keys(settings.key_folder)
    if arguments.init:
        keys.make((*(name for name in WORKERS if not settings.actors or name in settings.actors), OPERATOR))
    elif arguments.file is not None:
        keys.take_over(arguments.file, replace=arguments.replace)
    elif arguments.forget is not None:
        keys.forget(arguments.forget)
    rows = [*(_row(found, here=True) for found in keys.own), *(_row(found, here=False) for found in keys.known)]
    if arguments.json:
        for row in rows:
            print_json(row)
    elif not rows:
        print("no keys: they are needed for tcp:// endpoints only; catalyst keys --init makes them")
    else:
        print(table(("NAME", "FINGERPRINT", "FROM"), [tuple(row.values()) for row in rows]))
        print(f"for the other hosts: {keys.folder / PUBLIC}" if keys.own else "none of this host: catalyst keys --init")
        if arguments.init or arguments.file is not None or arguments.forget is not None:
            print("actors use changed keys from their next start on")
    return 0


def _row(found: Public, *, here: bool) -> dict[str, Any]:
    return {"name": found.name, "fingerprint": found.fingerprint, "from": "this host" if here else "another host"}
