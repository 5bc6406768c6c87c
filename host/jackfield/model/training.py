"""Training a network inside a board's rails, ranges and codes; one seed, the same numbers."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from jackfield.errors import DesignError
from jackfield.model.augment import moved
from jackfield.model.course import Course, read_course, write_course
from jackfield.model.descent import Descent
from jackfield.model.headroom import headroom_penalty
from jackfield.model.measure import measure_accuracy, measure_largest_v
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import Recipe
from jackfield.model.result import Accuracy, Epoch, TrainingResult

__all__ = ["LabelledData", "train"]

_KEEP_EVERY_S = 30.0


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
    advance: Callable[[int, int], None] | None = None,
    unfinished: Path | None = None,
) -> TrainingResult:
    """Train `network` in place by `recipe`; `progress` hears of each epoch, `advance` of each step (done, total).

    The validation part is taken from the training part; the test part is used once, at the end. Afterwards the
    network's bounds have the volts per unit that bring the largest |v| to 0.9 of the rail.
    The file `unfinished`, where given, holds where the training stands; where it exists already, the training goes
    on from there, with the numbers of one that was never interrupted. It is left for the caller to remove.
    Raises DesignError where data and network do not fit each other, the loss is no number any more, or `unfinished`
    is another training's.
    """
    _check(network, data, recipe)
    run = _Run(network, data, recipe, seed)
    if unfinished is not None and unfinished.exists():
        read_course(run.course, unfinished)
    kept = time.monotonic()
    while run.course.step < run.total:
        ended = run.go_on()
        if advance is not None:
            advance(run.course.step, run.total)
        if unfinished is not None and (ended or time.monotonic() > kept + _KEEP_EVERY_S):
            write_course(run.course, unfinished)
            kept = time.monotonic()
        if ended and progress is not None:
            progress(run.history[-1])
    run.course.descent.keep_average()
    return _conclude(network, data, run.history)


class _Run:
    """A training's parts, divided data included."""

    def __init__(self, network: KirchhoffNet, data: LabelledData, recipe: Recipe, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
        order = torch.randperm(len(x), generator=generator)
        held_out = max(1, round(recipe.validation_share * len(x)))
        self._fit = x[order[held_out:]], y[order[held_out:]]
        self._held = x[order[:held_out]], y[order[:held_out]]
        self._network, self._recipe = network, recipe
        self._size = min(recipe.batch, len(x) - held_out)
        self._batches = (len(x) - held_out) // self._size
        self.total = self._batches * recipe.epochs
        descent = Descent(network, recipe, self.total)
        self.course = Course(_origin(network, data, recipe, seed), descent, generator)

    def go_on(self) -> bool:
        """Take one step; whether it ended an epoch."""
        course = self.course
        batch = course.step % self._batches
        if batch == 0:
            course.order = torch.randperm(len(self._fit[0]), generator=course.generator)
            course.loss = 0.0
        chosen = course.order[batch * self._size : (batch + 1) * self._size]
        number = course.step // self._batches + 1
        quantised = self._network.bounds is not None and number > self._recipe.quantise_from * self._recipe.epochs
        x, y = (part[chosen] for part in self._fit)
        course.loss += self._step(x, y, quantised)
        course.step += 1
        if batch + 1 < self._batches:
            return False
        self._end_epoch(number)
        return True

    def _step(self, x: Tensor, y: Tensor, quantised: bool) -> float:
        """The loss, before the step that follows from it."""
        network, recipe, course = self._network, self._recipe, self.course
        coarse = course.step < recipe.coarse_until * self.total
        # Polynomials can run away within a slice, to where there is no gradient: the board's rails stop them.
        rails = network.bounds is not None and network.architecture.law == "polynomial"
        states = network.states(
            _varied(x, network, recipe, course.generator),
            quantised=quantised,
            rails=rails,
            steps=recipe.coarse_steps if coarse else network.architecture.steps,
            snapshots=recipe.snapshots,
        )
        loss = cross_entropy(network.logits(states[-1]), y, label_smoothing=recipe.smoothing)
        course.descent.step(course.step, loss + recipe.headroom_weight * headroom_penalty(states, recipe.headroom_v))
        network.confine()
        course.descent.follow(course.step)
        return float(loss.detach())

    def _end_epoch(self, number: int) -> None:
        loss = self.course.loss / self._batches
        if not np.isfinite(loss):
            raise DesignError(
                f"the loss is {loss} in epoch {number}; train at a lower rate than {self._recipe.learning_rate:g}"
            )
        with self.course.descent.averaged():
            validation = measure_accuracy(self._network, *self._held)
        self.course.history.append(dataclasses.asdict(Epoch(number, self._recipe.epochs, loss, validation)))

    @property
    def history(self) -> tuple[Epoch, ...]:
        """The epochs done."""
        return tuple(Epoch(**epoch | {"validation": Accuracy(**epoch["validation"])}) for epoch in self.course.history)


def _varied(x: Tensor, network: KirchhoffNet, recipe: Recipe, generator: torch.Generator) -> Tensor:
    grid = network.architecture.grid
    if grid is not None and (recipe.shift_px > 0 or recipe.rotate_deg > 0):
        x = moved(x, grid, recipe.shift_px, recipe.rotate_deg, generator)
    return x + recipe.noise * torch.randn(x.shape, generator=generator) if recipe.noise > 0 else x


def _origin(network: KirchhoffNet, data: LabelledData, recipe: Recipe, seed: int) -> dict[str, Any]:
    bounds = network.bounds
    return {
        "data": data.name,
        "examples": len(data.x_train),
        "seed": seed,
        "board": None if bounds is None else bounds.board,
        "spec_digest": None if bounds is None else bounds.spec_digest,
        "architecture": network.architecture.to_table(),
        **dataclasses.asdict(recipe),
    }


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
    if shape.steps % recipe.snapshots:
        raise DesignError(
            f"the recipe looks {recipe.snapshots} times at a slice of {shape.steps} steps; give a divisor of the steps"
        )
    if (recipe.shift_px > 0 or recipe.rotate_deg > 0) and shape.grid is None:
        raise DesignError(
            "the recipe moves pictures, the network's inputs are no grid; set shift_px = 0 and rotate_deg = 0"
        )


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
