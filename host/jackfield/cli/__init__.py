"""The command line: parse, call, print. `main` is the program `jackfield`."""

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 failed, 2 usage, 130 interrupted."""
    try:
        from jackfield.cli.app import run  # here, so that a Ctrl-C during imports is one too

        return run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
