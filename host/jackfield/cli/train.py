"""`jackfield train`: a network inside a board's rails, ranges and codes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BoardName, Json, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]


class Data(StrEnum):
    """Data sets that come with the package."""

    DIGITS = "digits"


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(train))


def train(
    data: Annotated[Data, typer.Argument(help="What to learn: the 8 x 8 handwritten digits.")],
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
    from dataclasses import replace

    from jackfield.cli.files import vacant
    from jackfield.data import digits_split
    from jackfield.model import (
        DIGITS_ARCHITECTURE,
        DIGITS_RECIPE,
        Bounds,
        Checkpoint,
        Epoch,
        KirchhoffNet,
        Recipe,
        TrainingFacts,
        save_checkpoint,
    )
    from jackfield.model import train as fit
    from jackfield.session import load_spec

    output = Output(as_json)
    vacant(model, "a model")
    chosen = DIGITS_RECIPE if recipe is None else Recipe.from_toml(recipe.read_text(encoding="utf-8"))
    chosen = chosen if epochs is None else replace(chosen, epochs=epochs)
    split = digits_split()
    bounds = Bounds.from_spec(load_spec(board), chosen.volts_per_unit, chosen.seconds_per_unit)
    network = KirchhoffNet(DIGITS_ARCHITECTURE, bounds=bounds, seed=seed)
    with output.progress("training") as advance:

        def heard(epoch: Epoch) -> None:
            advance(epoch.number, epoch.count)
            if verbose:
                output.say(f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation {epoch.validation}")

        result = fit(network, split, chosen, seed=seed, progress=heard)
    save_checkpoint(Checkpoint(network, chosen, TrainingFacts.from_result(split.name, seed, result)), model)
    output.say(f"test {result.test} inside the rails, {result.test_quantised} with the board's codes; {model}")
    output.result(
        {
            "model": model,
            "board": board,
            "epochs": chosen.epochs,
            "seed": seed,
            "validation": result.validation.share,
            "test": result.test.share,
            "test_quantised": result.test_quantised.share if result.test_quantised else None,
            "test_n": result.test.n,
            "largest_v": result.largest_v,
        }
    )
