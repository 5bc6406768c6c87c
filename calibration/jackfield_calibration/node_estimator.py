"""What node runs say about each node: a fit of presets, leak, offset current, trim gain and droop.

With all cells off a node follows C dv/dt = I + trim - G v from its preset, and droops while it is held:
v = (v0 exp(-l T) + (r + t n) (1 - exp(-l T))/l) exp(-d h), l = G/C, r = I/C, t trim gain over C, h the time held.
Only ratios to C appear; the capacitance ratio comes later, from cell runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield_calibration.crosstalk import Crosstalk
from jackfield_calibration.gauss_newton import fit_each
from jackfield_calibration.node_routine import NodeRuns
from jackfield_calibration.routine import Reading
from jackfield_calibration.switches import Switch, stuck_switches, through

__all__ = ["NODE_PARAMETERS", "NodeFit", "estimate_nodes"]

Floats = NDArray[np.float64]

_ROUNDS = 6
_ROOM, _LEAST_WIDTH = 5.0, 1e-4  # of the median deviation: three of its standard deviations; of a volt
_USUAL = 0.25  # of the prior's width: beyond it a node costs, where two fits of it compete

NODE_PARAMETERS = ("preset_gain", "preset_offset_V", "leak_S", "node_offset_A", "trim_gain", "droop_per_s")
"""Columns of a node fit; leak, offset current and trim gain with the node's own capacitance as if nominal."""


@dataclass(frozen=True)
class NodeFit:
    """`value` and `se` `[node, parameter]` in the order of NODE_PARAMETERS; `noise_V` of one read beyond `se`.

    `covariance[node, 4, 4]` of the first four; `reads[node]`; `crosstalk` of the probes,
    `stuck` ones of their switches.
    """

    value: Floats
    se: Floats
    covariance: Floats
    noise_V: float
    reads: NDArray[np.int64]
    crosstalk: Crosstalk
    stuck: frozenset[Switch] = frozenset()

    def column(self, name: str) -> Floats:
        """The values of one parameter, `[node]`."""
        return np.asarray(self.value[:, NODE_PARAMETERS.index(name)])

    def at_hold(self, reading: Reading) -> Floats:
        """Volts `[input, node]` at HOLD: what was read, corrected for crosstalk and for the droop until then.

        NaN where a stuck switch lay between.
        """
        volts = _removed(reading, self.crosstalk, self.stuck)
        return np.asarray(volts * np.exp(self.column("droop_per_s") * reading.held_s))


def estimate_nodes(spec: BoardSpec, runs: Sequence[NodeRuns], readings: Sequence[Reading]) -> NodeFit:
    """Fit every node to its readings; the noise of a read and the crosstalk are estimated from the residuals."""
    model = _Model(spec, runs, readings)
    start, width = generous = model.prior(spec)
    crosstalk, extra = Crosstalk.none(spec.probe.count), 1e-3**2
    stuck: frozenset[Switch] = frozenset()
    for _ in range(_ROUNDS):
        measured, slot_variance, usable = _stacked(readings, crosstalk, stuck)
        weight = usable / (slot_variance + extra)
        fit = fit_each(model, measured, weight, start, start, width)
        extra = _excess(fit.residual, slot_variance, usable, len(NODE_PARAMETERS))
        weight = usable / (slot_variance + extra)
        cost = partial(_cost, model, measured, *generous)
        start, width = _usual(fit.value, generous[1])
        before, stuck = stuck, stuck | stuck_switches(readings, fit.residual, weight, cost)
        covariance = fit.covariance
        if stuck != before:
            continue  # what was read through it must not pass for crosstalk
        _, partials = model(fit.value, torch.arange(len(fit.value)))
        crosstalk, covariance = crosstalk.found(list(readings), fit.residual, weight, partials, fit.covariance)
    scale = model.scale.numpy()
    se = np.sqrt(np.diagonal(covariance.numpy(), axis1=1, axis2=2))
    return NodeFit(
        fit.value.numpy() * scale,
        se * scale,
        covariance[:, :4, :4].numpy() * np.outer(scale[:4], scale[:4]),
        float(np.sqrt(extra)),
        usable.sum(1).numpy(),
        crosstalk,
        stuck,
    )


def _usual(value: Tensor, widest: Tensor) -> tuple[Tensor, Tensor]:
    """What is usual among the nodes, and widths `[node, parameter]` that leave room around it.

    A node that one record could not read through a stuck switch may have nothing that tells its droop or its trim.
    """
    middle = value.median(0).values
    spread = _ROOM * (value - middle).abs().median(0).values
    return middle.expand_as(value), torch.minimum(spread.clamp(min=_LEAST_WIDTH).expand_as(value), widest)


def _cost(model: "_Model", measured: Tensor, start: Tensor, width: Tensor, rows: Tensor, weight: Tensor) -> Tensor:
    """The least chi^2 of the nodes `rows` with another `weight[row, reading]` and a narrower prior, `[row]`."""
    begin, width = start[rows], _USUAL * width[rows]
    fit = fit_each(lambda p, some: model(p, rows[some]), measured[rows], weight, begin, begin, width)
    return (weight * fit.residual**2).sum(1) + (((fit.value - begin) / width) ** 2).sum(1)


def _removed(reading: Reading, crosstalk: Crosstalk, stuck: frozenset[Switch]) -> Floats:
    """Volts `[input, node]` without crosstalk, NaN where a stuck switch lay between."""
    volts = crosstalk.removed(reading)
    probes = through(reading, volts.shape[1])
    for probe, node in stuck:
        if probes[node] == probe:
            volts[:, node] = np.nan
    return volts


def _stacked(
    readings: Sequence[Reading], crosstalk: Crosstalk, stuck: frozenset[Switch]
) -> tuple[Tensor, Tensor, Tensor]:
    """Volts without crosstalk, variance within the slot and whether they count, `[node, reading]`."""
    columns = (
        [_removed(r, crosstalk, stuck) for r in readings],
        [r.se**2 for r in readings],
        [r.usable for r in readings],
    )
    measured, variance, usable = (torch.from_numpy(np.concatenate(parts).T.copy()) for parts in columns)
    usable &= torch.isfinite(measured) & torch.isfinite(variance)
    nothing = torch.zeros_like(measured)
    return torch.where(usable, measured, nothing), torch.where(usable, variance, nothing + 1), usable


def _excess(residual: Tensor, slot_variance: Tensor, usable: Tensor, parameters: int) -> float:
    """Variance that residuals show beyond the scatter within slots, by the median so that a bad node is no guide."""
    freedom = (usable.sum(1) - parameters).clamp(min=1)
    beyond = (usable * (residual**2 - slot_variance * (freedom / usable.sum(1).clamp(min=1))[:, None])).sum(1)
    return max(float((beyond / freedom).median()), (1e-5) ** 2)


class _Model:
    """Predictions for all nodes at once; parameters scaled so that each moves a node by about a volt."""

    def __init__(self, spec: BoardSpec, runs: Sequence[NodeRuns], readings: Sequence[Reading]) -> None:
        capacitance, longest = spec.nodes.capacitance_F, max(run.run_s for run in runs)
        held = np.nan_to_num(np.stack([reading.held_s for reading in readings]))
        self.scale = torch.tensor(
            [1.0, 1.0, capacitance / longest, capacitance / longest, 1.0, 1 / held.max()], dtype=torch.float64
        )
        counts = [len(run.preset_V) for run in runs]
        self._preset = torch.from_numpy(np.concatenate([run.preset_V for run in runs]).T.copy())
        self._held = torch.from_numpy(np.repeat(held, counts, axis=0).T.copy()) / float(held.max())
        self._time = torch.from_numpy(np.repeat([run.run_s for run in runs], counts)) / longest
        push = np.stack([run.trim_A * run.run_s / capacitance for run in runs])
        self._push = torch.from_numpy(np.repeat(push, counts, axis=0).T.copy())

    def prior(self, spec: BoardSpec) -> tuple[Tensor, Tensor]:
        """Nominal values and generous widths, scaled, `[node, parameter]`."""
        start = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
        width = torch.tensor([0.2, 0.2, 0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
        return start.repeat(spec.nodes.count, 1), width.repeat(spec.nodes.count, 1)

    def __call__(self, p: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        preset, held, pushed = self._preset[rows], self._held[rows], self._push[rows]
        gain, offset, leak, rate, trim, droop = (p[:, i, None] for i in range(6))
        turn = leak * self._time
        decay = torch.exp(-turn)
        # (1 - exp(-x))/x and its slope, by series where x is small
        mean = torch.where(turn.abs() < 1e-4, 1 - turn / 2, -torch.expm1(-turn) / turn)
        bend = torch.where(turn.abs() < 1e-2, -0.5 + turn / 3 - turn**2 / 8, (decay - mean) / turn)
        push = rate * self._time + trim * pushed
        left = torch.exp(-droop * held)
        start = gain * preset + offset
        free = start * decay + push * mean
        by_leak = self._time * (push * bend - start * decay)
        partials = [preset * decay, decay, by_leak, self._time * mean, pushed * mean]
        columns = [column.expand_as(free) * left for column in partials] + [-held * free * left]
        return free * left, torch.stack(columns, dim=2)
