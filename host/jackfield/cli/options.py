"""Options that several verbs share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BenchPath",
    "BoardName",
    "Emulator",
    "ImageFile",
    "Json",
    "LogExchange",
    "ModelFolder",
    "Port",
    "RunsFolder",
    "Verbose",
]

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
Emulator = Annotated[
    str,
    typer.Option("--emulator", metavar="URL", help="A board for this call only: emulator://jf96?profile=cmos&seed=7."),
]
BoardName = Annotated[str, typer.Option("--board", metavar="BOARD", help="A board's name, or a path to its spec.")]


def _model_folder(path: Path) -> Path:
    """A bare name that is no path here means the packaged model of that name."""
    if path.exists() or path.name != str(path):
        return path
    from jackfield.model import packaged_model

    return packaged_model(path.name) or path


ModelFolder = Annotated[
    Path,
    typer.Argument(
        metavar="NAME.model",
        callback=_model_folder,
        help="A model folder that `jackfield train` wrote, or the packaged model mnist.",
    ),
]
ImageFile = Annotated[Path, typer.Argument(metavar="IMAGE", help="An image (.jfi) that `jackfield compile` wrote.")]


def _port_url(text: str) -> str:
    """A bare port name becomes a URL."""
    return text if not text or "://" in text else f"serial://{text}"


Port = Annotated[
    str,
    typer.Option(
        "--port",
        metavar="PORT|URL",
        callback=_port_url,
        help="The board's port: /dev/ttyUSB0, COM3, serial:///dev/ttyUSB0, socket://127.0.0.1:5000.",
    ),
]
