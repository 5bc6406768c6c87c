"""`jackfield abk`: AN231E04 boards of Anadigm/Okika, which take what the vendor's software exported."""

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Port, Verbose
from jackfield.cli.output import Output
from jackfield.errors import DesignError

if TYPE_CHECKING:
    from jackfield.device import AbkTemplate

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(abk))


def abk(
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE.toml", help="Names the exported configuration and what may be changed.")
    ],
    port: Port = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A named parameter; may be repeated.")
    ] = None,
    sweep: Annotated[
        str,
        typer.Option(metavar="NAME=A,B,C", help="Change it while the chip runs, read at each value."),
    ] = "",
    channels: Annotated[
        list[str] | None, typer.Option("--read", metavar="A7", help="A converter input, A or V; may be repeated.")
    ] = None,
    to: Annotated[Path | None, typer.Option("-o", "--output", metavar="Y.csv", help="Where the volts go.")] = None,
    settle_s: Annotated[float, typer.Option(min=0.0, help="Seconds between a change and its reading.")] = 0.1,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Upload an exported configuration with some parameters changed, read converter inputs, reset the chip.

    With --sweep the parameter is changed while the chip runs, and the inputs are read at each value.
    """
    from jackfield.cli.files import new_file, writing
    from jackfield.device import AbkBoard

    output, known = Output(as_json), _template(template)
    given, inputs = dict(_pair(text) for text in values or ()), [_input(text) for text in channels or ()]
    name, steps = _sweep(sweep)
    for value in steps or (None,):
        known.patched(given if value is None else given | {name: value})  # refuses before the chip is touched
    if not port:
        raise DesignError("no port is given; name the board's, such as --port /dev/ttyUSB0")
    if to is not None:
        new_file(to, "a sheet of readings")
    rows: list[list[float]] = []
    with AbkBoard.at(port) as board:
        version = board.version
        board.upload(known, given)
        for value in steps or (None,):
            if value is not None:
                board.patch(known, given | {name: value})
            time.sleep(settle_s)
            row = [board.read_volts(number, letter) for letter, number in inputs]
            rows.append([*([] if value is None else [value]), *row])
    heads = [*([name] if steps else []), *(f"{letter}{number} (V)" for letter, number in inputs)]
    if to is not None:
        with writing(to) as part, part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([heads, *rows])
    output.table(f"board {version}", heads, [[f"{value:.4f}" for value in row] for row in rows])
    output.result({"board": version, "columns": heads, "rows": rows})


def _template(path: Path) -> "AbkTemplate":
    from jackfield.cli.files import existing
    from jackfield.device import AbkTemplate

    text = existing(path, "a template file (device/abk_template.py shows one)").read_text("utf-8")
    beside = {
        file.name: file.read_text("latin-1") for file in path.parent.iterdir() if file.is_file() and file.name in text
    }
    return AbkTemplate.from_toml(text, beside)


def _pair(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise DesignError(f"{text!r} is no NAME=VALUE with a number; write it as --set gain=2.5") from error


def _sweep(text: str) -> tuple[str, tuple[float, ...]]:
    if not text:
        return "", ()
    name, _, values = text.partition("=")
    return name, tuple(_pair(f"{name}={value}")[1] for value in values.split(","))


def _input(text: str) -> tuple[str, int]:
    if text[:1] not in ("A", "V") or not text[1:].isdigit():
        raise DesignError(f"{text!r} is no converter input; write it as --read A7")
    return text[0], int(text[1:])
