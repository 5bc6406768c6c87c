"""`jackfield train`: a network inside a board's rails, ranges and codes."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BoardName, Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.model import Recipe, TrainingResult

__all__ = ["register"]


class Data(StrEnum):
    """Data sets that come with the package."""

    DIGITS = "digits"
    TWO_MOONS = "two-moons"


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(train))


def train(
    data: Annotated[
        Data,
        typer.Argument(help="What to learn: the 8 x 8 handwritten digits, or two moons in the plane (fits a LUCIDAC)."),
    ],
    board: BoardName,
    model: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.model", help="Where the model goes.")],
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Another recipe than the data's own.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Train for so many epochs instead of the recipe's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order and noise.")] = 0,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Train a network for a board.

    The network stays inside the board's rails and parameter ranges and learns with its codes.
    """
    from jackfield.cli.files import vacant
    from jackfield.cli.models import TASKS, trained_for
    from jackfield.model import Epoch, save_checkpoint
    from jackfield.session import load_spec

    output = Output(as_json)
    vacant(model, "a model")
    task = TASKS[data.value]
    chosen = _recipe(task.recipe, recipe, epochs)
    with output.progress("training") as advance:

        def heard(epoch: Epoch) -> None:
            advance(epoch.number, epoch.count)
            if verbose:
                output.say(f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation {epoch.validation}")

        checkpoint, result = trained_for(load_spec(board), task.data(), chosen, seed, heard, task.architecture)
    save_checkpoint(checkpoint, model)
    output.say(f"test {result.test} inside the rails, {result.test_quantised} with the board's codes; {model}")
    output.result({"model": model, "board": board, "epochs": chosen.epochs, "seed": seed} | _summary(result))


def _recipe(usual: "Recipe", file: Path | None, epochs: int | None) -> "Recipe":
    """The data's own recipe, or the one in a file, with its epochs replaced."""
    from dataclasses import replace

    from jackfield.errors import DesignError
    from jackfield.model import Recipe

    try:
        chosen = usual if file is None else Recipe.from_toml(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise DesignError(f"recipe {file} cannot be read: {error}; name a TOML file in UTF-8") from error
    return chosen if epochs is None else replace(chosen, epochs=epochs)


def _summary(result: "TrainingResult") -> dict[str, Any]:
    return {
        "validation": result.validation.share,
        "test": result.test.share,
        "test_quantised": result.test_quantised.share if result.test_quantised else None,
        "test_n": result.test.n,
        "largest_v": result.largest_v,
    }
