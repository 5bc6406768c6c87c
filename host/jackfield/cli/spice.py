"""`jackfield spice`: a model or an image as a netlist for ngspice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from torch import Tensor

    from jackfield.physics import Circuit

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(spice))


def spice(
    source: Annotated[Path, typer.Argument(metavar="NAME.model|NAME.jfi", help="What is to be written.")],
    netlist: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.cir", help="Where the netlist goes.")],
    board: Annotated[str, typer.Option(help="For an image: the board's name or spec, if not the image's own.")] = "",
    record: Annotated[
        Path | None, typer.Option(metavar="NAME.record", help="For an image: the board of this record.")
    ] = None,
    inputs: Annotated[Path | None, typer.Option("--input", metavar="X.csv", help="Inputs, as for `run`.")] = None,
    row: Annotated[int, typer.Option(min=1, help="Which input of the sheet.")] = 1,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write a netlist that `ngspice -b` runs.

    A model is written in its own units, an image in volts and seconds as the board of the record, or the
    nominal board, would run it. One run of one input; without --input all nodes start at zero.
    """
    from jackfield.cli.files import existing, new_file, writing
    from jackfield.physics import spice_netlist

    output = Output(as_json)
    existing(source, "a model or an image")
    new_file(netlist, "a netlist")
    circuit, volts_per_unit = _model(source) if source.is_dir() else _image(source, board, record)
    text = spice_netlist(circuit, _start(circuit, inputs, row, volts_per_unit))
    with writing(netlist) as part:
        part.write_text(text, encoding="utf-8")
    edges = sum(len(edges) for part in circuit.slices for edges in part.edges)
    slices = sum(bool(part.edges) for part in circuit.slices)  # between two banks none conducts
    output.say(f"{circuit.nodes} nodes, {edges} edges in {slices} slices: ngspice -b {netlist}")
    output.result({"netlist": netlist, "nodes": circuit.nodes, "edges": edges, "slices": slices})


def _model(source: Path) -> "tuple[Circuit, float]":
    from jackfield.model import load_checkpoint

    return load_checkpoint(source).network.circuit(), 1.0


def _image(source: Path, board: str, record: Path | None) -> "tuple[Circuit, float]":
    from jackfield.cli.record import load
    from jackfield.compile import CompiledCircuit, LaneTwin, read_image_file, twin
    from jackfield.errors import DesignError
    from jackfield.session import load_spec

    spec = load_spec(board or read_image_file(source).spec_name)
    compiled = CompiledCircuit.load(source, spec)
    found = twin(compiled, spec, load(record) if record else None)
    if isinstance(found, LaneTwin):
        raise DesignError(
            f"an image for {spec.name} is lanes and multipliers, which have no SPICE text here; give the model instead"
        )
    return found.circuit, compiled.scaling.volts_per_unit


def _start(circuit: "Circuit", inputs: Path | None, row: int, volts_per_unit: float) -> "Tensor":
    """v(0) `[node]`; the sheet's volts count as units where the circuit is in machine units."""
    import torch

    from jackfield.cli.sheets import read_inputs
    from jackfield.errors import DesignError

    v0 = torch.zeros(circuit.nodes, dtype=circuit.dtype)
    if inputs is not None:
        table = read_inputs(inputs, circuit.inputs, volts_per_unit)
        if row > len(table):
            raise DesignError(f"row {row} of {inputs} is asked, it has {len(table)}; choose another --row")
        v0[torch.tensor(circuit.inputs) - 1] = torch.from_numpy(table[row - 1] * volts_per_unit).to(circuit.dtype)
    return v0
