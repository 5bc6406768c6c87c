"""`jackfield train` for densities in the plane: a continuous normalising flow, its likelihood, pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from jackfield.cli.files import writing
from jackfield.cli.output import Output
from jackfield.data import density_points
from jackfield.model import (
    DensityCheckpoint,
    DensityFacts,
    DensityPlan,
    KirchhoffDensity,
    measure_likelihood,
    save_density,
    train_density,
)
from jackfield.report import density_figure

__all__ = ["train_on_plane"]

_SHOWN = 4_000
_CELLS = 160  # of the picture of the density, along each axis
_MARGIN = 0.08  # of the points' range, around them
_SEEDS = 3  # of one training: points, held-out points, samples


def train_on_plane(
    name: str, model: Path, plan: DensityPlan, seed: int, unfinished: Path, picture: Path, output: Output
) -> None:
    """Train the density `name`; write the folder `model` and the `picture`, say how likely it makes the points.

    Raises DesignError as `model.train_density` and `model.save_density` do.
    """
    recipe = plan.recipe
    points = torch.from_numpy(density_points(name, recipe.points, _SEEDS * seed))
    held_out = torch.from_numpy(density_points(name, recipe.held_out, _SEEDS * seed + 1))
    density = KirchhoffDensity(plan.architecture, seed=seed)
    with output.progress("training") as advance:
        train_density(density, points, recipe, name=name, seed=seed, advance=advance, unfinished=unfinished)
    train, held = measure_likelihood(density, points), measure_likelihood(density, held_out)
    facts = DensityFacts(name, seed, train.nats, train.half_width, held.nats, held.half_width)
    with writing(picture) as part:
        _draw(name, density, held_out[:_SHOWN], _SEEDS * seed + 2, part)
    save_density(DensityCheckpoint(density, recipe, facts), model)
    output.say(f"negative log-likelihood: training {train}; held out {held}; {model}, {picture}")
    values: dict[str, Any] = {"model": model, "picture": picture, "data": name, "seed": seed}
    for part_name, likelihood in (("train", train), ("held_out", held)):
        values |= {f"{part_name}_nats": likelihood.nats, f"{part_name}_half_width": likelihood.half_width}
        values |= {f"{part_name}_n": likelihood.n}
    output.result(values)


def _draw(name: str, density: KirchhoffDensity, data: torch.Tensor, seed: int, file: Path) -> None:
    reach = float(data.abs().max()) * (1 + _MARGIN)
    edges = np.linspace(-reach, reach, _CELLS + 1)
    middles = torch.from_numpy(((edges[1:] + edges[:-1]) / 2).astype(np.float32))
    grid = torch.cartesian_prod(middles, middles).flip(1)  # row by row, the first node along the row
    with torch.no_grad():
        height = torch.cat([density.log_density(part) for part in torch.split(grid, 4_096)]).exp()
    samples = density.sample(len(data), seed=seed).numpy()
    figure = density_figure(name, data.numpy(), samples, edges, height.view(_CELLS, _CELLS).numpy())
    figure.savefig(file, format="png", dpi=120)
