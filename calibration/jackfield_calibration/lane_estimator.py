"""From readings of a board of integrators and lanes to its parameters: one joint Gauss-Newton fit with a prior."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield.compile import LaneParameters, LaneSettings, lane_response
from jackfield_calibration.routine import Reading, Setting

__all__ = ["LaneFit", "fit_lanes", "jacobian_of", "names_of"]

Floats = NDArray[np.float64]
STEPS = 8  # of a run of about one time constant: wrong by less than 1e-5
ITERATIONS = 3
PRIOR = {
    "lane_gain": 0.03,
    "product_gain": 0.03,
    "lane_offset": 0.01,
    "product_offset": 0.01,
    "input_offset": 0.01,
    "speed": 0.03,
    "preset_gain": 0.02,
    "preset_offset": 0.02,
    "reading_gain": 0.01,
    "reading_offset": 0.01,
}
"""How far boards of this kind are thought to be from nominal, one standard deviation."""
GAUGE = ("speed", "reading_gain")
"""Kinds whose mean is nominal: readings cannot tell a factor common to all integrators from one of all lanes."""
GAUGE_WIDTH = 1e-6
NOISE_V = 4e-4  # of one reading beyond what its own standard error says


@dataclass(frozen=True)
class LaneFit:
    """`value` and `covariance` of the parameters in the order of `names_of`; `misfit`: rms of residuals over sigma."""

    value: Floats
    covariance: Floats
    misfit: float

    @property
    def se(self) -> Floats:
        """Standard errors."""
        return np.sqrt(np.diag(self.covariance))


def names_of(spec: BoardSpec) -> list[tuple[str, int]]:
    """Each parameter: its kind, and which of that kind from 0. Gains and speeds count from 1, in relative terms."""
    lanes, multipliers, integrators = (spec.group(name).count for name in "LMK")
    counts = {
        "lane_gain": lanes,
        "product_gain": multipliers,
        "lane_offset": lanes,
        "product_offset": multipliers,
        "input_offset": spec.nodes.count,
        "speed": integrators,
        "preset_gain": integrators,
        "preset_offset": integrators,
        "reading_gain": integrators,
        "reading_offset": integrators,
    }
    return [(kind, number) for kind, count in counts.items() for number in range(count)]


def fit_lanes(
    spec: BoardSpec, settings: Sequence[Setting], readings: Sequence[Reading], start: Floats | None = None
) -> LaneFit:
    """The parameters that `readings` of `settings` tell, from the prior about nominal, or about `start`."""
    model = _Model(spec, settings)
    names = names_of(spec)
    width = torch.tensor([PRIOR[kind] for kind, _ in names], dtype=torch.float64)
    centre = torch.zeros(len(names), dtype=torch.float64) if start is None else torch.from_numpy(start)
    integrators = spec.group("K").count
    read = torch.from_numpy(np.concatenate([reading.values[:, :integrators] for reading in readings]))
    se = torch.from_numpy(np.concatenate([reading.se[:, :integrators] for reading in readings]))
    usable = torch.from_numpy(np.concatenate([reading.usable[:, :integrators] for reading in readings]))
    usable &= usable.all(dim=1, keepdim=True)  # a node at its rail takes those that it drives with it
    weight = usable / torch.hypot(se, torch.full_like(se, NOISE_V))
    target = torch.where(usable, read, torch.zeros_like(read))

    def residual(theta: Tensor) -> Tensor:
        return (torch.where(usable, model(theta), torch.zeros_like(read)) - target) * weight

    gauge = torch.stack([torch.tensor([float(kind == fixed) for kind, _ in names]).double() for fixed in GAUGE])
    gauge = gauge / gauge.sum(dim=1, keepdim=True) / GAUGE_WIDTH
    theta = centre.clone()
    for _ in range(ITERATIONS):
        jacobian = jacobian_of(residual, theta)
        misses = residual(theta).reshape(-1)
        normal = jacobian.T @ jacobian + torch.diag(width**-2) + gauge.T @ gauge
        pull = (theta - centre) / width**2 + gauge.T @ (gauge @ theta)
        theta = theta - torch.linalg.solve(normal, jacobian.T @ misses + pull)
    covariance = torch.linalg.inv(normal).numpy()
    misses = residual(theta)
    misfit = float(misses.square().sum().div(max(int(usable.sum()), 1)).sqrt())
    return LaneFit(theta.numpy(), covariance, misfit)


def jacobian_of(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Derivatives `[value, parameter]`, forwards: there are far fewer parameters than readings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own forward mode uses what torch calls outdated
        derivatives: Tensor = torch.func.jacfwd(function)(at)
    return derivatives.reshape(-1, len(at))


class _Model:
    """Predicted readings `[run, integrator]` of all settings, as a function of the parameters."""

    def __init__(self, spec: BoardSpec, settings: Sequence[Setting]) -> None:
        images = [setting.image for setting in settings for _ in setting.inputs]
        self._settings = LaneSettings.of(images, spec)
        self._counts = [spec.group(name).count for name in "LMK"]
        lanes, multipliers, integrators = self._counts
        kinds = [lanes, multipliers, lanes, multipliers, spec.nodes.count, *(5 * [integrators])]
        self._split = kinds
        codes = np.concatenate([setting.inputs for setting in settings])
        self._nominal = torch.from_numpy(spec.nodes.preset.value(codes)[:, :integrators])
        ticks = [sum(ticks for _, ticks in setting.program.steps) for setting in settings for _ in setting.inputs]
        self._seconds = torch.tensor(ticks, dtype=torch.float64) * spec.run.tick_s

    def __call__(self, theta: Tensor) -> Tensor:
        parts: tuple[Tensor, ...] = theta.split(self._split)  # type: ignore[no-untyped-call]
        lane, product, lane_offset, product_offset, inputs, speed, gain, offset, reading, zero = parts
        idle = theta.new_zeros(self._counts[2])
        more = theta.new_zeros(len(inputs) - len(reading))
        board = LaneParameters(
            gain=1 + torch.cat([lane, product, idle]),
            offset=torch.cat([lane_offset, product_offset, idle]),
            input_offset=inputs,
            speed=1 + speed,
            reading_gain=1 + torch.cat([reading, more]),
            reading_offset_V=torch.cat([zero, more]),
        )
        start = self._nominal * (1 + gain) + offset
        return lane_response(board, self._settings, start, self._seconds, STEPS)[-1]
