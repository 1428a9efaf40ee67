#!/usr/bin/env python3
"""The running house on one screen, `catalyst top`: `scripts/top.py [--once] [--json] [--interval S]`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"


def run() -> int:
    """In the checkout's .venv where there is one, else with the packages of this Python."""
    python = VENV / "bin/python"
    if python.exists() and not VENV.samefile(sys.prefix):
        os.execv(python, [str(python), __file__, *sys.argv[1:]])  # noqa: S606 - the checkout's own Python
    sys.path.insert(0, str(ROOT))
    try:
        from catalyst.cli import main

        return main(["top", *sys.argv[1:]])
    except ModuleNotFoundError as error:
        print(f"top: {error.name} is not installed here; scripts/setup makes .venv", file=sys.stderr)
        return 69


if __name__ == "__main__":
    sys.exit(run())
