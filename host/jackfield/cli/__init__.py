"""The command line: parse, call, print. `main` is the program `jackfield`."""

from jackfield.cli.app import main

__all__ = ["main"]
