"""`jackfield run`: inputs from a spreadsheet through the board, node voltages into another."""

from pathlib import Path
from typing import Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.known_board import OtherBoard, check_bench
from jackfield.cli.options import BenchPath, ImageFile, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]

InputSheet = Annotated[
    Path,
    typer.Option("--input", metavar="X.csv", help="One input a line; columns headed like 'n3 (V)', or bare units."),
]
OutputSheet = Annotated[Path, typer.Option("--output", metavar="Y.csv", help="Where the output voltages go.")]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(run))


def run(
    image: ImageFile,
    inputs: InputSheet,
    outputs: OutputSheet,
    bench: BenchPath = "bench.toml",
    other_board: OtherBoard = False,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run inputs on the board and write the output voltages.

    Each line of the output holds volts and standard errors of the output nodes, and what is wrong with it:
    ok, clipped (instrument at its limit) or railed (node at its rail). An image that was corrected by a record runs
    on the board of that record only: its fingerprint is read first.
    """
    import numpy as np

    from jackfield.cli.benches import load_for, opened_bench
    from jackfield.cli.files import existing, new_file
    from jackfield.cli.sheets import read_inputs, write_outputs
    from jackfield.evaluate import play

    output = Output(as_json)
    existing(image, "an image that `jackfield compile` wrote")
    existing(inputs, "a CSV file with one input a line")
    new_file(outputs, "a sheet of outputs")
    with opened_bench(bench, "run", runs, log_exchange) as opened:
        compiled = load_for(image, opened.board, other_board)
        if compiled.record_id:
            check_bench(compiled.record, opened, other_board, output)
        x = read_inputs(inputs, compiled.inputs, compiled.volts_per_unit)
        with output.progress("running") as advance:
            measured = play(opened, compiled, x, advance).measured
    at = [measured.nodes.index(node) for node in compiled.outputs]
    railed, clipped = measured.railed[:, at].any(axis=1), measured.clipped[:, at].any(axis=1)
    flags = np.where(clipped, "clipped", np.where(railed, "railed", "ok")).tolist()
    write_outputs(outputs, compiled.outputs, measured.values_V[:, at], measured.se_V[:, at], flags)
    odd = len(flags) - flags.count("ok")
    if odd:
        output.warn(f"{odd} of {len(flags)} inputs are clipped or railed; see the column 'flag'")
    output.say(f"{len(flags)} inputs, {len(compiled.outputs)} output nodes: {outputs}")
    output.result({"inputs": len(flags), "outputs": compiled.outputs, "output": outputs, "flagged": odd})
