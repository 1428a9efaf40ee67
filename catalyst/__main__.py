"""Where the program `catalyst` begins; it imports nothing at the top, since multiprocessing imports it again."""

from __future__ import annotations


def main() -> int:
    """Run the command line; the exit code. Whatever it and its children write belongs to the user alone."""
    import os

    from catalyst.cli import main as run

    os.umask(0o077)
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
