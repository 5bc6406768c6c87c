"""`jackfield tune`: train the codes of a model on the board itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.known_board import OtherBoard
from jackfield.cli.options import BenchPath, Json, ModelFolder, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.tune import Climb

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(tune))


def tune(
    model: ModelFolder,
    output_file: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.jfi", help="Where the image goes.")],
    bench: BenchPath = "bench.toml",
    record: Annotated[
        Path | None, typer.Option(metavar="NAME.record", help="Begin with codes corrected by this record.")
    ] = None,
    aware: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE|record",
            help="Train for many boards first: those of a profile of the spec, or those that the record allows.",
        ),
    ] = None,
    passes: Annotated[int, typer.Option(min=64, help="Inputs that the board may run for tuning.")] = 10_240,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="First step of a code, as a share of its range (0.005; 0.002 from codes that a record corrects).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the batches.")] = 0,
    inputs: Annotated[int | None, typer.Option(min=1, help="Score on so many of the held-out inputs.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run folder.")] = None,
    other_board: OtherBoard = False,
    runs: RunsFolder = Path("runs"),
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tune a model on a board: outputs from the board, gradients from its twin.

    Prints the ladder from the model to the tuned board with accuracies, output errors, device passes and wall time,
    and writes an image for this board alone. Every reading is on disk before it is used: after an interruption,
    --resume goes on where it ended. The board's flash is never written.
    """
    from jackfield.cli.files import new_file
    from jackfield.cli.tune_run import Asked, climbed

    output = Output(as_json)
    new_file(output_file.with_suffix(".jfi"), "an image")
    asked = Asked(model, record, aware, passes, rate, seed, inputs)
    found, folder = climbed(bench, asked, resume, runs, other_board, output)
    written = found.tuned.save(output_file)
    _print(output, found)
    output.say(f"image for board {found.tuned.record['board_id']}: {written}; run folder {folder}")
    output.result({"ladder": [h.to_dict() for h in found.heights], "image": written, "run": folder})


def _print(output: Output, found: "Climb") -> None:
    rows = []
    for height in found.heights:
        low, high = height.rung.interval
        error = "" if height.error_V is None else f"{1e3 * height.error_V:.2f}"
        accuracy = f"{height.rung.accuracy:.2%}", f"{low:.2%} to {high:.2%}"
        rows.append((height.rung.rung, *accuracy, error, height.passes, f"{height.seconds:.1f}"))
    output.table("ladder", ("rung", "accuracy", "95 %", "output error (mV)", "passes", "time (s)"), rows)
