"""The program `jackfield`: finds the verb, imports only its module, runs it."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jackfield import __version__

__all__ = ["VERBS", "run"]

VERBS = (
    "demo",
    "boards",
    "emulate",
    "train",
    "compile",
    "upload",
    "run",
    "measure",
    "calibrate",
    "record",
    "evaluate",
    "tune",
    "spice",
    "patch",
    "abk",
    "bench",
    "poke",
    "safe",
    "conformance",
    "doctor",
)
"""Each verb is the module of that name in this package, with a function `register(app)`."""


class _InOrder(TyperGroup):
    """Lists verbs in the order of the work."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [verb for verb in VERBS if verb in self.commands]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # OpenMP's threads spin for milliseconds behind each operation of torch, on the cores on which the kernel's threads
    # want to work; libgomp reads this when torch is loaded. host/README.md says what it gains.
    os.environ.setdefault("GOMP_SPINCOUNT", "100")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _program(words)(words, prog_name="jackfield")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _program(words: Sequence[str]) -> typer.Typer:
    app = typer.Typer(
        cls=_InOrder, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback()(_top)
    verb = words[0] if words else ""
    for name in [verb] if verb in VERBS else VERBS:
        importlib.import_module(f"jackfield.cli.{name}").register(app)
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"jackfield {__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Analog circuits trained in PyTorch, run, calibrated and verified on a programmable analog board."""
