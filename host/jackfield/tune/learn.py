"""Learning from measured gradients alone: no record, no twin, nothing but node voltages of the plant itself."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jackfield.tune.estimator import Estimator, Loss
from jackfield.tune.plant import Parameters, Plant

__all__ = ["Bounds", "LearnRecipe", "learn"]

Bounds = dict[str, tuple[float, float]]
"""Range of each parameter by its name, such as {"gain": (0.0, 1.0)}; a parameter that is not named stays."""


@dataclass(frozen=True)
class LearnRecipe:
    """Adam with cosine decay over `steps` batches of `batch` samples; `rate` is in units of each parameter's range.

    Batches of less than 16 mislead it, nudges of one peak for each sample (`Nudge(peak=...)`) need no search for beta.
    What it ends with is the mean of the parameters over the last share `averaged` of the steps, which evens out the
    noise of gradients and costs no passes; 0 takes those of the last step. `memory`, 10 or more, is how many steps
    Adam's scale of gradients looks back; a long one slows the end where these fall by orders of magnitude, as those of
    square losses do.
    """

    steps: int = 600
    batch: int = 24
    rate: float = 0.02
    seed: int = 0
    averaged: float = 0.0
    memory: int = 1_000


def learn(
    plant: Plant,
    estimator: Estimator,
    starts: Tensor,
    loss_of: Callable[[Tensor], Loss],
    bounds: Bounds,
    recipe: LearnRecipe,
    advance: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> Parameters:
    """Trains the parameters named in `bounds` and leaves them in the plant; returns them.

    `starts` `[sample, node]` are presets, `loss_of(indices)` the loss of these samples. `advance` hears of steps done
    and of the loss of the readings. Raises as `Estimator.estimate`.
    """
    values = tuple(
        {name: value.detach().clone().requires_grad_() for name, value in one.parameters.items() if name in bounds}
        for one in plant.circuit.slices[0].edges
    )
    ranges = {name: high - low for name, (low, high) in bounds.items()}
    groups = [{"params": [value], "lr": recipe.rate * ranges[name]} for one in values for name, value in one.items()]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 1 - 1 / recipe.memory))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    rng, order = np.random.default_rng(recipe.seed), np.zeros(0, dtype=np.int64)
    late = deque([_whole(plant, values)], max(1, round(recipe.averaged * recipe.steps)))
    for step in range(recipe.steps):
        if len(order) < recipe.batch:
            order = np.concatenate([order, rng.permutation(len(starts))])
        chosen, order = torch.from_numpy(order[: recipe.batch]), order[recipe.batch :]
        found = estimator.estimate(plant, starts[chosen], loss_of(chosen))
        for one, gradients in zip(values, found.gradients, strict=True):
            for name, value in one.items():
                value.grad = gradients[name].clone()
        optimiser.step()
        schedule.step()
        _confine(values, bounds)
        late.append(_whole(plant, values))
        plant.configure(late[-1])
        advance(step + 1, recipe.steps, float(found.loss.mean()))
    mean = _mean(tuple(late))
    plant.configure(mean)
    return mean


def _confine(values: Parameters, bounds: Bounds) -> None:
    with torch.no_grad():
        for one in values:
            for name, value in one.items():
                value.clamp_(*bounds[name])


def _mean(several: Sequence[Parameters]) -> Parameters:
    return tuple(
        {name: torch.stack([one[name] for one in same]).mean(0) for name in same[0]}
        for same in zip(*several, strict=True)
    )


def _whole(plant: Plant, values: Parameters) -> Parameters:
    sets = plant.circuit.slices[0].edges
    return tuple(
        dict(edges.parameters) | {name: value.detach().clone() for name, value in one.items()}
        for edges, one in zip(sets, values, strict=True)
    )
