"""Training a density on points, by maximum likelihood; one seed, the same numbers."""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.course import Course, read_course, write_course
from jackfield.model.density import KirchhoffDensity
from jackfield.model.descent import Descent
from jackfield.model.recipe import packaged_text, read_recipe_file
from jackfield.model.tables import from_table

__all__ = ["DensityPlan", "DensityRecipe", "Likelihood", "measure_likelihood", "train_density"]

_KEEP_EVERY_S = 30.0
_BATCH = 4_096  # bounds the memory of large sets
_A_TIME = 10  # iterations of L-BFGS between looks


@dataclass(frozen=True)
class DensityRecipe:
    """`descents` steps of Adam on batches of `points` training points, with a one-cycle rate that rises over `warm_up`
    (share of the steps) to `learning_rate`, gradient norm clipped at `clip_norm`; weights are averaged with decay
    `average`.

    Each descent integrates a slice in another number of steps from `fewest_steps` to `most_steps`, so that no error
    of the solver is learned. After them `polish` iterations of L-BFGS on all points, in the architecture's steps, take
    the noise of the batches out. `held_out` further points are for the final figure. DesignError on wrong numbers.
    """

    points: int
    held_out: int
    descents: int
    batch: int
    learning_rate: float
    warm_up: float
    clip_norm: float
    average: float
    fewest_steps: int
    most_steps: int
    polish: int

    def __post_init__(self) -> None:
        for name in ("points", "held_out", "descents", "batch", "learning_rate", "clip_norm", "fewest_steps"):
            if not getattr(self, name) > 0:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be above zero")
        if not (0 < self.warm_up < 1 and 0 <= self.average < 1):
            raise DesignError(f"recipe: warm_up = {self.warm_up}, average = {self.average} must lie between 0 and 1")
        if self.polish < 0:
            raise DesignError(f"recipe: polish = {self.polish} must not be below zero")
        if self.most_steps < self.fewest_steps:
            raise DesignError(f"recipe: most_steps = {self.most_steps} is below fewest_steps = {self.fewest_steps}")


@dataclass(frozen=True)
class DensityPlan:
    """A recipe file of a density: which network, trained how."""

    architecture: Architecture
    recipe: DensityRecipe

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The plan in a TOML text; DesignError where it is no TOML or a key is missing, unknown or wrong."""
        table = read_recipe_file(text, {"architecture": dict, "recipe": dict})
        architecture = Architecture.from_table(table["architecture"], "architecture")
        return cls(architecture, from_table(DensityRecipe, table["recipe"], "recipe"))

    @classmethod
    def packaged(cls) -> Self:
        """The package's own plan, for any density in the plane."""
        return cls.from_toml(packaged_text("density"))


@dataclass(frozen=True)
class Likelihood:
    """Mean negative logarithm of the density (`nats`) at `n` points, and its 95 % interval's `half_width`."""

    nats: float
    half_width: float
    n: int

    def __str__(self) -> str:
        return f"{self.nats:.4f} +- {self.half_width:.4f} nats at {self.n} points"


def train_density(
    density: KirchhoffDensity,
    points: Tensor,
    recipe: DensityRecipe,
    *,
    name: str,
    seed: int = 0,
    advance: Callable[[int, int], None] | None = None,
    unfinished: Path | None = None,
) -> None:
    """Train `density` in place on `points` [point, node], known as `name`; `advance` hears of each step (done, total).

    `unfinished` is as in `train`. Raises DesignError where the loss is no number any more.
    """
    descent = Descent(density, recipe, recipe.descents)
    origin = {"data": name, "seed": seed, "architecture": density.architecture.to_table()}
    course = Course(origin | dataclasses.asdict(recipe), descent, torch.Generator().manual_seed(seed))
    if unfinished is not None and unfinished.exists():
        read_course(course, unfinished)
    kept, total = time.monotonic(), recipe.descents + recipe.polish
    while course.step < recipe.descents:
        _descend(density, points, recipe, course)
        if advance is not None:
            advance(course.step, total)
        if unfinished is not None and time.monotonic() > kept + _KEEP_EVERY_S:
            write_course(course, unfinished)
            kept = time.monotonic()
    descent.keep_average()
    _polish(density, points, recipe, (lambda done: None) if advance is None else lambda done: advance(done, total))


def _polish(density: KirchhoffDensity, points: Tensor, recipe: DensityRecipe, done: Callable[[int], None]) -> None:
    """L-BFGS on all points; an interrupted training begins it anew, from the same weights to the same numbers."""
    optimizer = torch.optim.LBFGS(
        density.parameters(), max_eval=2 * _A_TIME, history_size=20, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )  # fmt: skip

    def loss() -> float:
        optimizer.zero_grad()
        value = -density.log_density(points).mean()  # in coarser steps it would learn the error of the solver
        value.backward()  # type: ignore[no-untyped-call]
        return float(value.detach())

    for iteration in range(0, recipe.polish, _A_TIME):
        optimizer.param_groups[0]["max_iter"] = min(_A_TIME, recipe.polish - iteration)
        value = float(optimizer.step(loss))  # type: ignore[no-untyped-call]
        if not math.isfinite(value):
            raise DesignError(f"the loss is {value} while polishing; train at a lower learning_rate, or polish = 0")
        done(recipe.descents + min(iteration + _A_TIME, recipe.polish))


def _descend(density: KirchhoffDensity, points: Tensor, recipe: DensityRecipe, course: Course) -> None:
    generator = course.generator
    chosen = points[torch.randint(len(points), (recipe.batch,), generator=generator)]
    steps = int(torch.randint(recipe.fewest_steps, recipe.most_steps + 1, (1,), generator=generator))
    loss = -density.log_density(chosen, steps=steps).mean()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise DesignError(f"the loss is {value} in step {course.step}; train at a lower learning_rate")
    course.descent.step(course.step, loss)
    course.descent.follow(course.step)
    course.step += 1


@torch.no_grad()
def measure_likelihood(density: KirchhoffDensity, points: Tensor, *, steps: int | None = None) -> Likelihood:
    """How likely the density makes `points` [point, node]; `steps` a slice override the architecture's."""
    nats = -torch.cat([density.log_density(part, steps=steps) for part in torch.split(points, _BATCH)]).double()
    return Likelihood(float(nats.mean()), 1.96 * float(nats.std()) / math.sqrt(len(nats)), len(nats))
