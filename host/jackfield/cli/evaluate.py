"""`jackfield evaluate`: how well a board does what the model does."""

from pathlib import Path
from typing import Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.known_board import OtherBoard, check_bench
from jackfield.cli.options import BenchPath, Json, LogExchange, ModelFolder, RunsFolder, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(evaluate))


def evaluate(
    model: ModelFolder,
    image: Annotated[
        Path | None, typer.Option(metavar="NAME.jfi", help="The image to run; the model is compiled if left out.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="NAME.record", help="What is known about the board, for the prediction.")
    ] = None,
    inputs: Annotated[int | None, typer.Option(min=1, help="Only so many of the held-out inputs.")] = None,
    bench: BenchPath = "bench.toml",
    other_board: OtherBoard = False,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Measure a board's accuracy on held-out inputs.

    Prints the accuracy with its Wilson 95 % interval, the output error against the rounded model, and
    measured minus predicted voltages in standard errors.
    """
    from jackfield.cli.benches import load_for, opened_bench
    from jackfield.cli.evaluation import evaluation
    from jackfield.cli.files import existing
    from jackfield.cli.handing_over import say_costs
    from jackfield.cli.models import compiled_for, model_for
    from jackfield.cli.record import load

    output = Output(as_json)
    existing(model, "a model folder that `jackfield train` wrote")
    known = load(record) if record else None
    with opened_bench(bench, "evaluate", runs, log_exchange) as opened:
        checkpoint = model_for(model, opened.spec)
        if known is not None:
            check_bench(known.provenance, opened, other_board, output)
        if image is not None:
            compiled = load_for(image, opened.board, other_board)
            # Codes tuned without a record know the board's id alone, which loading has checked.
            if "fingerprint" in compiled.record and known is None:
                check_bench(compiled.record, opened, other_board, output)
        else:
            compiled = compiled_for(checkpoint, opened.spec, known)
        with output.progress("measuring") as advance:
            found = evaluation(opened, checkpoint, compiled, known, inputs, advance)
    for rung in found.rungs:
        low, high = rung.interval
        output.say(f"{rung.rung:17s} {rung.accuracy:7.2%}  [{low:.2%}, {high:.2%}] of {rung.n}")
    say_costs(output, found.costs)
    output.say(f"output error {1e3 * found.error_rms_V:.2f} mV rms against the rounded model")
    if found.mean_abs_z >= 0:
        output.say(f"measured minus predicted {found.mean_abs_z:.2f} standard errors on average")
    else:
        output.warn("the record has no standard errors for cells in use: nothing follows from the prediction")
    output.result(found.to_dict())
