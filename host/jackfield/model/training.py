"""Training a network inside a board's rails, ranges and codes; one seed, the same numbers."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from jackfield.errors import DesignError
from jackfield.model.augment import shifted
from jackfield.model.headroom import headroom_penalty
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import Recipe
from jackfield.model.result import Accuracy, Epoch, TrainingResult

__all__ = ["LabelledData", "measure_accuracy", "measure_largest_v", "train"]

_WARM_UP = 0.25
_EVALUATION_BATCH = 2_048  # bounds the memory of large sets


class LabelledData(Protocol):
    """Inputs `[example, input]` in machine units and labels `[example]`, such as `data.Split`."""

    @property
    def name(self) -> str: ...
    @property
    def x_train(self) -> NDArray[np.float32]: ...
    @property
    def y_train(self) -> NDArray[np.int64]: ...
    @property
    def x_test(self) -> NDArray[np.float32]: ...
    @property
    def y_test(self) -> NDArray[np.int64]: ...


def train(
    network: KirchhoffNet,
    data: LabelledData,
    recipe: Recipe,
    *,
    seed: int = 0,
    progress: Callable[[Epoch], None] | None = None,
) -> TrainingResult:
    """Train `network` in place by `recipe`; `progress` hears of each epoch.

    The validation part is taken from the training part; the test part is used once, at the end. Afterwards the
    network's bounds have the volts per unit that bring the largest |v| to 0.9 of the rail.
    Raises DesignError where data and network do not fit each other, or the loss is no number any more.
    """
    _check(network, data, recipe)
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    order = torch.randperm(len(x), generator=generator)
    held_out = max(1, round(recipe.validation_share * len(x)))
    fit, held = order[held_out:], order[:held_out]
    descent = _Descent(network, recipe, len(fit))
    history = []
    for number in range(1, recipe.epochs + 1):
        quantised = network.bounds is not None and number > recipe.quantise_from * recipe.epochs
        loss = descent.epoch(x[fit], y[fit], generator, quantised)
        if not np.isfinite(loss):
            raise DesignError(
                f"the loss is {loss} in epoch {number}; train at a lower rate than {recipe.learning_rate:g}"
            )
        history.append(Epoch(number, recipe.epochs, loss, measure_accuracy(network, x[held], y[held])))
        if progress is not None:
            progress(history[-1])
    return _conclude(network, data, tuple(history))


def measure_accuracy(
    network: KirchhoffNet, x: Tensor, y: Tensor, *, quantised: bool = False, rails: bool = False
) -> Accuracy:
    """How many of the inputs `x` [example, input] the network answers with their labels `y`."""
    correct = 0
    with torch.no_grad():
        for part, labels in zip(_parts(x), _parts(y), strict=True):
            states = network.states(part, quantised=quantised, rails=rails)
            correct += int((network.logits(states[-1]).argmax(1) == labels).sum())
    return Accuracy(correct, len(y))


def measure_largest_v(network: KirchhoffNet, x: Tensor) -> float:
    """The largest |v| in machine units that the inputs `x` [example, input] cause at any step, without rails."""
    steps = network.architecture.steps
    with torch.no_grad():
        peaks = [network.states(part, snapshots=steps).abs().max() for part in _parts(x)]
    return max(float(x.abs().max()), *(float(peak) for peak in peaks))


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    return torch.split(values, _EVALUATION_BATCH)


def _check(network: KirchhoffNet, data: LabelledData, recipe: Recipe) -> None:
    shape = network.architecture
    if data.x_train.shape[1] != shape.inputs:
        raise DesignError(
            f"{data.name} has {data.x_train.shape[1]} inputs, the network takes {shape.inputs}; choose one to fit"
        )
    labels = np.concatenate([data.y_train, data.y_test])
    if labels.min() < 0 or labels.max() >= shape.outputs:
        raise DesignError(
            f"{data.name} has labels {labels.min()}..{labels.max()}, the network answers 0..{shape.outputs - 1}; "
            "give it one output a class"
        )
    if len(data.x_train) < 2:
        raise DesignError(f"{data.name} has {len(data.x_train)} example to train on; give 2 or more")
    if recipe.shift_px > 0 and shape.grid is None:
        raise DesignError("the recipe shifts pictures, the network's inputs are no grid; set shift_px = 0")
    if shape.steps % recipe.snapshots:
        raise DesignError(
            f"the recipe looks {recipe.snapshots} times at a slice of {shape.steps} steps; give a divisor of the steps"
        )


class _Descent:
    """The optimiser's state over the epochs."""

    def __init__(self, network: KirchhoffNet, recipe: Recipe, examples: int) -> None:
        self._network = network
        self._recipe = recipe
        self._batches = max(1, examples // recipe.batch)
        self._optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
        total = self._batches * recipe.epochs + 1  # one more, so that the last step is not at rate zero
        self._rate = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            recipe.learning_rate,
            total_steps=total,
            pct_start=max(_WARM_UP, 2 / total),  # the rise takes a step at least
        )

    def epoch(self, x: Tensor, y: Tensor, generator: torch.Generator, quantised: bool) -> float:
        """Every batch once, in random order; the mean loss."""
        order = torch.randperm(len(x), generator=generator)
        size = min(self._recipe.batch, len(x))
        total = 0.0
        for chosen in order[: self._batches * size].view(self._batches, size):
            total += self._step(self._varied(x[chosen], generator), y[chosen], quantised)
        return total / self._batches

    def _varied(self, x: Tensor, generator: torch.Generator) -> Tensor:
        grid = self._network.architecture.grid
        if self._recipe.shift_px > 0 and grid is not None:
            x = shifted(x, grid, self._recipe.shift_px, generator)
        return x + self._recipe.noise * torch.randn(x.shape, generator=generator)

    def _step(self, x: Tensor, y: Tensor, quantised: bool) -> float:
        network, recipe = self._network, self._recipe
        # Polynomials can run away within a slice, to where there is no gradient: the board's rails stop them.
        rails = network.bounds is not None and network.architecture.law == "polynomial"
        states = network.states(x, quantised=quantised, rails=rails, snapshots=recipe.snapshots)
        loss = cross_entropy(network.logits(states[-1]), y)
        penalty = recipe.headroom_weight * headroom_penalty(states, recipe.headroom_v)
        self._optimiser.zero_grad()
        (loss + penalty).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        self._optimiser.step()
        self._rate.step()
        network.confine()
        return float(loss.detach())


def _conclude(network: KirchhoffNet, data: LabelledData, history: tuple[Epoch, ...]) -> TrainingResult:
    largest_v = measure_largest_v(network, torch.from_numpy(data.x_train))
    on_board = network.bounds is not None
    if network.bounds is not None:
        volts = network.bounds.fitting_volts(largest_v, dict(network.values))
        network.bounds = dataclasses.replace(network.bounds, volts_per_unit=volts)
    x, y = torch.from_numpy(data.x_test), torch.from_numpy(data.y_test)
    return TrainingResult(
        history,
        history[-1].validation,
        measure_accuracy(network, x, y, rails=on_board),
        measure_accuracy(network, x, y, rails=True, quantised=True) if on_board else None,
        largest_v,
    )
