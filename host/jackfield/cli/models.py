"""Trained models as verbs use them: for which board, on which data, compiled how."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledCircuit, check_fit, compile_circuit
from jackfield.data import Split, digits_split, two_moons
from jackfield.errors import DesignError
from jackfield.model import (
    DIGITS_ARCHITECTURE,
    DIGITS_RECIPE,
    MOONS_ARCHITECTURE,
    MOONS_RECIPE,
    Architecture,
    Bounds,
    Checkpoint,
    Epoch,
    KirchhoffNet,
    Recipe,
    TrainingFacts,
    TrainingResult,
    load_checkpoint,
    train,
)

__all__ = ["TASKS", "Task", "compiled_for", "data_of", "model_for", "trained_for"]

FIT_INPUTS = 96
MOONS = 2_000


@dataclass(frozen=True)
class Task:
    """Data that come with the package, and the network and the recipe that are known to learn them."""

    data: Callable[[], Split]
    architecture: Architecture
    recipe: Recipe


TASKS = {
    "digits": Task(digits_split, DIGITS_ARCHITECTURE, DIGITS_RECIPE),
    "two-moons": Task(lambda: two_moons(MOONS), MOONS_ARCHITECTURE, MOONS_RECIPE),
}


def model_for(path: Path, spec: BoardSpec) -> Checkpoint:
    """The model in folder `path`; DesignError where it is none or was trained for another board than `spec`."""
    checkpoint = load_checkpoint(path)
    checkpoint.check_board(spec)
    return checkpoint


def data_of(checkpoint: Checkpoint) -> Split:
    """The data that a model was trained on, divided as then; DesignError where that is not at hand."""
    splits = [task.data() for task in TASKS.values()]
    for split in splits:
        if checkpoint.facts.data == split.name:
            return split
    raise DesignError(
        f"the model was trained on {checkpoint.facts.data!r}, only {', '.join(repr(split.name) for split in splits)} "
        "are at hand here; use the classes of jackfield.evaluate with your own inputs and labels"
    )


def trained_for(
    spec: BoardSpec,
    data: Split,
    recipe: Recipe,
    seed: int,
    progress: Callable[[Epoch], None],
    architecture: Architecture = DIGITS_ARCHITECTURE,
) -> tuple[Checkpoint, TrainingResult]:
    """A network, trained inside the rails and codes of `spec`.

    Raises DesignError, before any training, where recipe and board differ or the network does not fit the board.
    """
    bounds = Bounds.from_spec(spec, recipe.volts_per_unit, recipe.seconds_per_unit, architecture.law)
    network = KirchhoffNet(architecture, bounds=bounds, seed=seed)
    check_fit(network.circuit(), spec)
    result = train(network, data, recipe, seed=seed, progress=progress)
    return Checkpoint(network, recipe, TrainingFacts.from_result(data.name, seed, result)), result


def compiled_for(
    checkpoint: Checkpoint,
    spec: BoardSpec,
    record: CalibrationRecord | None = None,
    *,
    volts_per_unit: float | None = None,
    seconds_per_unit: float | Sequence[float] | None = None,
    allow_clipped: int = 0,
) -> CompiledCircuit:
    """The model as codes for `spec`, at the scale it was trained for unless another is given.

    With a `record` the codes are re-fitted on training inputs, where the model's data is at hand.
    Raises DesignError where the circuit does not fit the board.
    """
    bounds = checkpoint.network.bounds
    trained_for_board = bounds is not None and volts_per_unit is None and seconds_per_unit is None
    if bounds is not None and trained_for_board:
        volts_per_unit, seconds_per_unit = bounds.volts_per_unit, bounds.seconds_per_unit
    return compile_circuit(
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


def _fit_inputs(checkpoint: Checkpoint) -> Tensor | None:
    try:
        return torch.from_numpy(data_of(checkpoint).x_train[:FIT_INPUTS])
    except DesignError:
        return None
