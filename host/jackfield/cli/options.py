"""Options that several verbs share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["BenchPath", "Json", "LogExchange", "RunsFolder", "Verbose"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more; show the traceback of an error.")]
LogExchange = Annotated[
    bool,
    typer.Option("--log-exchange", help="Write every frame and SCPI line with its time into the run folder."),
]
RunsFolder = Annotated[
    Path, typer.Option("--runs", envvar="JACKFIELD_RUNS", metavar="DIR", help="Where run folders are made.")
]
BenchPath = Annotated[
    str,
    typer.Option("--bench", metavar="FILE|URL", help="A bench file, or emulator://jf96?profile=cmos&seed=7."),
]
