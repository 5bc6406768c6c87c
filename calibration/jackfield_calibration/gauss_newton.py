"""Weighted Gauss-Newton for thousands of small fits at once, each with a prior."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Fit", "Model", "fit_each", "with_prior"]

Model = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Parameters `[fit, parameter]` of the fits `rows` int64 `[fit]` to predictions `[fit, reading]` and their
partials `[fit, reading, parameter]`."""

_DAMPING_START = 1e-3
_DAMPING_MOST = 1e6
_LEAST_GAIN, _LEAST_SHARE = 3e-3, 1e-4  # of chi^2, absolute and of what it is: less is not worth a step
_STEPS_AT_MOST = 40


@dataclass(frozen=True)
class Fit:
    """`value[fit, parameter]`, its `covariance[fit, parameter, parameter]`, the `residual[fit, reading]` measured minus
    predicted, and what readings alone say, no prior in it: linearised, they are likeliest at p where
    `information[fit, parameter, parameter]` p = `pull[fit, parameter]`.
    """

    value: Tensor
    covariance: Tensor
    residual: Tensor
    information: Tensor
    pull: Tensor


def fit_each(model: Model, measured: Tensor, weight: Tensor, start: Tensor, prior: Tensor, width: Tensor) -> Fit:
    """Minimise sum of weight (measured - predicted)^2 + ((p - prior)/width)^2, fit by fit.

    `measured` and `weight` (1/V^2, 0 for readings that do not count) are `[fit, reading]`; `start`, `prior`,
    `width` `[fit, parameter]` in any units. Levenberg's damping is each fit's own; a fit that has settled is
    not evaluated again. Standard errors are those of the linearised problem.
    """
    value, damping = start.clone(), torch.full((len(start),), _DAMPING_START, dtype=start.dtype)
    predicted, partials = model(value, torch.arange(len(start)))
    cost = _cost(measured - predicted, weight, value, prior, width)
    for _ in range(_STEPS_AT_MOST):
        normal, slope = _normal(measured - predicted, partials, weight)
        normal, slope = normal + torch.diag_embed(width**-2), slope + (prior - value) / width**2
        loaded = normal + torch.diag_embed(damping[:, None] * torch.diagonal(normal, dim1=1, dim2=2))
        step = torch.linalg.solve(loaded, slope[:, :, None])[:, :, 0]
        # a damped step promises less, and that little is left to be had is not what it means
        promised = (step * slope).sum(1) * (1 + damping)
        rows = torch.nonzero((promised > _LEAST_GAIN + _LEAST_SHARE * cost) & (damping < _DAMPING_MOST))[:, 0]
        if not len(rows):
            break
        trial = value[rows] + step[rows]
        there, bent = model(trial, rows)
        found = _cost(measured[rows] - there, weight[rows], trial, prior[rows], width[rows])
        better = found <= cost[rows]
        taken = rows[better]
        value[taken], predicted[taken], partials[taken] = trial[better], there[better], bent[better]
        cost[taken] = found[better]
        damping[rows] = torch.where(better, damping[rows] / 10, damping[rows] * 10)
    residual = measured - predicted
    information, slope = _normal(residual, partials, weight)
    pull = (information @ value[:, :, None])[:, :, 0] + slope
    return Fit(value, with_prior(information, width), residual, information, pull)


def with_prior(information: Tensor, width: Tensor) -> Tensor:
    """Covariance `[fit, parameter, parameter]` of what readings tell by `information` and a prior by `width`.

    In units of the widths: what is inverted is one plus a positive matrix, however small the widths.
    """
    scaled = width[..., :, None] * information * width[..., None, :]
    one = torch.eye(information.shape[-1], dtype=information.dtype)
    inverse: Tensor = torch.linalg.inv(one + scaled)
    return width[..., :, None] * inverse * width[..., None, :]


def _cost(residual: Tensor, weight: Tensor, value: Tensor, prior: Tensor, width: Tensor) -> Tensor:
    cost = (weight * residual**2).sum(1) + (((value - prior) / width) ** 2).sum(1)
    return torch.nan_to_num(cost, nan=float("inf"))


def _normal(residual: Tensor, partials: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    weighted = (partials * weight[:, :, None]).transpose(1, 2)
    return weighted @ partials, (weighted @ residual[:, :, None])[:, :, 0]
