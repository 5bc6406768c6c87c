"""Fitting a network's voltages to numbers: regression, and dynamical systems from their trajectories."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.headroom import headroom_penalty
from jackfield.model.measure import measure_largest_v
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import packaged_text, read_recipe_file
from jackfield.model.tables import from_table

__all__ = ["FitFacts", "FitPlan", "FitRecipe", "FitResult", "fit", "fit_error"]

_HEADROOM_WEIGHT = 1.0


@dataclass(frozen=True)
class FitRecipe:
    """Adam over the whole set for `epochs` steps, its rate falling as a cosine from `learning_rate`.

    Parameters are rounded to the board's codes from `quantise_from` (share of the epochs) on. For a board the scale
    `volts_per_unit`, `seconds_per_unit` sets the ranges.
    """

    epochs: int = 300
    learning_rate: float = 1e-1
    quantise_from: float = 0.7
    volts_per_unit: float = 0.6
    seconds_per_unit: float = 300e-6

    def __post_init__(self) -> None:
        if self.epochs < 1 or not self.learning_rate > 0:
            raise DesignError(f"{self.epochs} epochs at a rate of {self.learning_rate:g}; both must be above zero")


@dataclass(frozen=True)
class FitResult:
    """`rms` of the output nodes' voltages minus what was wanted, machine units, with the board's codes where there is
    a board; `largest_v` in the run."""

    rms: float
    largest_v: float


@dataclass(frozen=True)
class FitFacts:
    """How a fitted network came about: data, seed, largest |v| and rms errors (machine units), the last held out."""

    data: str
    seed: int
    largest_v: float
    rms: float
    test_rms: float


@dataclass(frozen=True)
class FitPlan:
    """A recipe file: which network, for which `board` (its name or a path to its spec), fitted how."""

    board: str
    architecture: Architecture
    recipe: FitRecipe

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The plan in a TOML text; DesignError where it is no TOML or a key is missing, unknown or wrong."""
        table = read_recipe_file(text, {"board": str, "architecture": dict, "fit": dict})
        architecture = Architecture.from_table(table["architecture"], "architecture")
        return cls(table["board"], architecture, from_table(FitRecipe, table["fit"], "fit"))

    @classmethod
    def packaged(cls, name: str) -> Self:
        """The recipe file `name` of the package; DesignError where there is none of that name."""
        return cls.from_toml(packaged_text(name))


def fit(
    network: KirchhoffNet,
    x: Tensor,
    wanted: Tensor,
    recipe: FitRecipe | None = None,
    *,
    advance: Callable[[int, int], None] | None = None,
) -> FitResult:
    """Fit the output nodes' voltages to `wanted` `[time, example, output]` from inputs `x` `[example, input]`.

    The times are equally spaced in each slice, the last one its end: one time is a regression, more of them are
    trajectories of a dynamical system. Trained in place; then the network's bounds have the volts per unit that bring
    the largest |v| to 0.9 of the rail. Raises DesignError where the shapes do not fit the network.
    """
    recipe, shape = recipe or FitRecipe(), network.architecture
    snapshots, left = divmod(len(wanted), shape.slices)
    if left or not snapshots or shape.steps % snapshots or wanted.shape[1:] != (len(x), shape.outputs):
        raise DesignError(
            f"wanted has shape {tuple(wanted.shape)}; give [time, {len(x)}, {shape.outputs}] with a number of times in "
            f"each of {shape.slices} slices that divides its {shape.steps} steps"
        )
    on_board = network.bounds is not None
    optimiser = torch.optim.Adam(network.values.parameters(), lr=recipe.learning_rate)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs)
    for epoch in range(recipe.epochs):
        quantised = on_board and epoch >= recipe.quantise_from * recipe.epochs
        states = network.states(x, quantised=quantised, rails=on_board, snapshots=snapshots)
        loss = (states[..., -shape.outputs :] - wanted).square().mean()
        if network.bounds is not None:
            loss = loss + _HEADROOM_WEIGHT * headroom_penalty(states, network.bounds.largest_v)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rate.step()
        network.confine()
        if advance is not None:
            advance(epoch + 1, recipe.epochs)
    rms, largest_v = fit_error(network, x, wanted), measure_largest_v(network, x)
    if network.bounds is not None:
        volts = network.bounds.fitting_volts(largest_v, dict(network.values))
        network.bounds = dataclasses.replace(network.bounds, volts_per_unit=volts)
    return FitResult(rms, largest_v)


def fit_error(network: KirchhoffNet, x: Tensor, wanted: Tensor) -> float:
    """The rms of the output nodes' voltages minus `wanted`, machine units, with a board's codes where there is one."""
    on_board, snapshots = network.bounds is not None, len(wanted) // network.architecture.slices
    with torch.no_grad():
        states = network.states(x, quantised=on_board, rails=on_board, snapshots=snapshots)
        return float((states[..., -network.architecture.outputs :] - wanted).square().mean().sqrt())
