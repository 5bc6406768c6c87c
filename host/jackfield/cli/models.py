"""Trained models as verbs use them: for which board, on which data, compiled how."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledPasses, check_fit, compile_passes
from jackfield.data import Split, digits_split, find_mnist, mnist_split, two_moons
from jackfield.errors import DesignError
from jackfield.model import (
    Bounds,
    Checkpoint,
    Epoch,
    KirchhoffNet,
    Plan,
    TrainingFacts,
    TrainingResult,
    load_checkpoint,
    train,
)

__all__ = ["compiled_for", "data_of", "mnist_at", "model_for", "packaged_split", "some_inputs", "trained_for"]

FIT_INPUTS = 96
MNIST_FOLDER = "JACKFIELD_MNIST"
PACKAGED: Mapping[str, Callable[[], Split]] = {"digits": digits_split, "moons": lambda: two_moons(2_000)}


def model_for(path: Path, spec: BoardSpec) -> Checkpoint:
    """The model in folder `path`; DesignError where it is none or was trained for another board than `spec`."""
    checkpoint = load_checkpoint(path)
    checkpoint.check_board(spec)
    return checkpoint


def data_of(checkpoint: Checkpoint) -> Split:
    """The data that a model was trained on, divided as then; DesignError where that is not at hand."""
    wanted = checkpoint.facts.data
    for split in (make() for make in PACKAGED.values()):
        if wanted == split.name:
            return split
    if os.environ.get(MNIST_FOLDER):
        mnist = mnist_at(None)
        if wanted == mnist.name:
            return mnist
    raise DesignError(
        f"the model was trained on {wanted!r}, which is not at hand here; for MNIST set {MNIST_FOLDER} to the folder "
        "with its two training files, or use the classes of jackfield.evaluate with your own inputs and labels"
    )


def packaged_split(name: str) -> Split:
    """The data `name`, "digits" or "moons" (two classes in the plane), that need no file."""
    return PACKAGED[name]()


def mnist_at(folder: Path | None) -> Split:
    """MNIST from `folder`, or where the environment says; DesignError where neither is given or files are missing."""
    place = folder or os.environ.get(MNIST_FOLDER)
    if not place:
        raise DesignError(
            "MNIST does not come with the package; name the folder with train-images-idx3-ubyte and "
            f"train-labels-idx1-ubyte, plain or .gz, by --data or {MNIST_FOLDER}"
        )
    return mnist_split(*find_mnist(Path(place)))


def trained_for(
    spec: BoardSpec,
    data: Split,
    plan: Plan,
    seed: int,
    progress: Callable[[Epoch], None],
    *,
    advance: Callable[[int, int], None] | None = None,
    unfinished: Path | None = None,
) -> tuple[Checkpoint, TrainingResult]:
    """The network of `plan`, trained inside the rails and codes of `spec`; the rest as in `model.train`.

    Raises DesignError, before any training, where recipe and board differ or the network does not fit the board.
    """
    recipe = plan.recipe
    bounds = Bounds.from_spec(spec, recipe.volts_per_unit, recipe.seconds_per_unit, plan.architecture.law)
    network = KirchhoffNet(plan.architecture, bounds=bounds, seed=seed)
    check_fit(network.circuit(), spec)
    result = train(network, data, recipe, seed=seed, progress=progress, advance=advance, unfinished=unfinished)
    return Checkpoint(network, recipe, TrainingFacts.from_result(data.name, seed, result)), result


def compiled_for(
    checkpoint: Checkpoint,
    spec: BoardSpec,
    record: CalibrationRecord | None = None,
    *,
    volts_per_unit: float | None = None,
    seconds_per_unit: float | Sequence[float] | None = None,
    allow_clipped: int = 0,
) -> CompiledPasses:
    """The model as codes for `spec`, at the scale it was trained for unless another is given.

    With a `record` the codes are re-fitted on training inputs, where the model's data is at hand.
    Raises DesignError where the circuit does not fit the board.
    """
    bounds = checkpoint.network.bounds
    trained_for_board = bounds is not None and volts_per_unit is None and seconds_per_unit is None
    if bounds is not None and trained_for_board:
        volts_per_unit, seconds_per_unit = bounds.volts_per_unit, bounds.seconds_per_unit
    return compile_passes(
        # A corrected board is to do what the rounded model does; an uncorrected one gets the same codes either way.
        checkpoint.network.circuit(quantised=trained_for_board and record is not None),
        spec,
        record=record,
        largest_v=checkpoint.facts.largest_v,
        volts_per_unit=volts_per_unit,
        seconds_per_unit=seconds_per_unit,
        allow_clipped=allow_clipped,
        fit_inputs=None if record is None else _fit_inputs(checkpoint),
    )


def some_inputs(checkpoint: Checkpoint, count: int) -> NDArray[np.float32]:
    """`count` inputs `[input, input node]`: held-out ones of the model's data or, where that is not at hand, random."""
    try:
        return data_of(checkpoint).x_test[:count]
    except DesignError:
        size = (count, checkpoint.network.architecture.inputs)
        return np.random.default_rng(0).random(size, dtype=np.float32)


def _fit_inputs(checkpoint: Checkpoint) -> Tensor | None:
    try:
        return torch.from_numpy(data_of(checkpoint).x_train[:FIT_INPUTS])
    except DesignError:
        return None
