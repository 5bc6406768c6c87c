"""`jackfield train`: a network inside a board's rails, ranges and codes."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BoardName, Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.data import Split
    from jackfield.model import Plan, TrainingResult

__all__ = ["register"]


class Data(StrEnum):
    """Data sets to learn."""

    DIGITS = "digits"
    MNIST = "mnist"
    MOONS = "moons"
    SADDLE = "saddle"
    POPULATIONS = "populations"
    TWO_MOONS = "two_moons"
    EIGHT_GAUSSIANS = "eight_gaussians"
    TWO_SPIRALS = "two_spirals"
    PINWHEEL = "pinwheel"
    SWISS_ROLL = "swiss_roll"
    RING = "ring"


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(train))


def train(
    data: Annotated[
        Data,
        typer.Argument(help="Classes (digits, mnist, moons), a function (saddle), a system (populations), a density."),
    ],
    model: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.model", help="Where the model goes.")],
    board: BoardName = "",
    folder: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Where MNIST's files are; or JACKFIELD_MNIST.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Another recipe than the data's own.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Train for so many epochs instead of the recipe's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order and noise.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was interrupted.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Train a network for a board: classes, a function, a dynamical system; or a density in the plane.

    A network stays inside the board's rails and parameter ranges and learns with its codes; the board is the recipe's
    where none is named. A density is drawn beside the model. What was interrupted goes on with --resume, with the
    same numbers.
    """
    from jackfield.cli.files import vacant

    output = Output(as_json)
    vacant(model, "a model")
    unfinished = _unfinished(model, resume)
    try:
        if data in (Data.DIGITS, Data.MNIST, Data.MOONS):
            plan = _plan(data, recipe, epochs)
            _train_network(data, folder, board, plan, seed, model, unfinished, output, verbose)
        elif data in (Data.SADDLE, Data.POPULATIONS):
            _refuse(data, {"--data": folder, "--resume": resume})
            _fit_voltages(data, board, recipe, epochs, seed, model, output)
        else:
            _refuse(data, {"--board": board, "--data": folder, "--epochs": epochs})
            _train_density(data, recipe, seed, model, unfinished, output)
    except KeyboardInterrupt as error:
        if unfinished.exists():
            error.add_note(f"the training so far is in {unfinished}; the same command with --resume goes on")
        raise
    unfinished.unlink(missing_ok=True)


def _train_network(
    data: Data,
    folder: Path | None,
    board: str,
    plan: "Plan",
    seed: int,
    model: Path,
    unfinished: Path,
    output: Output,
    verbose: bool,
) -> None:
    from jackfield.cli.models import trained_for
    from jackfield.model import Epoch, save_checkpoint
    from jackfield.session import load_spec

    spec, split = load_spec(board or plan.board), _split(data, folder)

    def heard(epoch: Epoch) -> None:
        if verbose:
            output.say(f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation {epoch.validation}")

    with output.progress("training") as advance:
        checkpoint, result = trained_for(spec, split, plan, seed, heard, advance=advance, unfinished=unfinished)
    save_checkpoint(checkpoint, model)
    output.say(f"test {result.test} inside the rails, {result.test_quantised} with the board's codes; {model}")
    output.result({"model": model, "board": spec.name, "epochs": plan.recipe.epochs, "seed": seed} | _summary(result))


def _fit_voltages(
    data: Data, board: str, recipe: Path | None, epochs: int | None, seed: int, model: Path, output: Output
) -> None:
    from jackfield.cli.train_fit import train_voltages
    from jackfield.model import FitPlan

    plan = FitPlan.packaged(data.value) if recipe is None else FitPlan.from_toml(_text(recipe))
    train_voltages(data.value, board, plan, epochs, seed, model, output)


def _train_density(data: Data, recipe: Path | None, seed: int, model: Path, unfinished: Path, output: Output) -> None:
    from jackfield.cli.files import vacant
    from jackfield.cli.train_density import train_on_plane
    from jackfield.model import DensityPlan

    picture = vacant(model.with_suffix(".png"), "a picture")
    plan = DensityPlan.packaged() if recipe is None else DensityPlan.from_toml(_text(recipe))
    train_on_plane(data.value, model, plan, seed, unfinished, picture, output)


def _refuse(data: Data, options: dict[str, Any]) -> None:
    from jackfield.errors import DesignError

    for name, value in options.items():
        if value:
            raise DesignError(f"{name} {value} is not for {data}; leave it away")


def _unfinished(model: Path, resume: bool) -> Path:
    """The file beside `model` that says where its training stands."""
    from jackfield.errors import DesignError

    file = model.with_name(model.name + ".unfinished")
    if resume and not file.exists():
        raise DesignError(f"there is no unfinished training {file}; leave --resume away to train from the start")
    if file.exists() and not resume:
        raise DesignError(f"{file} is an unfinished training; go on with it by --resume, or remove it")
    return file


def _split(data: Data, folder: Path | None) -> "Split":
    from jackfield.cli.models import mnist_at, packaged_split
    from jackfield.errors import DesignError

    if data == Data.MNIST:
        return mnist_at(folder)
    if folder is not None:
        raise DesignError(f"{data} come with the package, --data {folder} is for mnist; leave it away")
    return packaged_split(data.value)


def _plan(data: Data, file: Path | None, epochs: int | None) -> "Plan":
    """The data's own recipe, or the one in a file, with its epochs replaced."""
    from dataclasses import replace

    from jackfield.model import Plan, packaged_plan

    plan = packaged_plan(data.value) if file is None else Plan.from_toml(_text(file))
    return plan if epochs is None else replace(plan, recipe=replace(plan.recipe, epochs=epochs))


def _text(file: Path) -> str:
    from jackfield.errors import DesignError

    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise DesignError(f"recipe {file} cannot be read: {error}; name a TOML file in UTF-8") from error


def _summary(result: "TrainingResult") -> dict[str, Any]:
    return {
        "validation": result.validation.share,
        "test": result.test.share,
        "test_quantised": result.test_quantised.share if result.test_quantised else None,
        "test_n": result.test.n,
        "largest_v": result.largest_v,
    }
