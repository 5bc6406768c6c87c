"""Probe switches that do not close: what the probe shows in such a node's slot has nothing to do with the node.

Every node is read through several probes, since nodes are dealt out anew in each record. Where readings contradict the
node's curve, it is the switch without which they contradict it least: a curve through right and wrong readings is far
from both.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield_calibration.routine import Reading

__all__ = ["Switch", "stuck_switches", "through"]

Switch = tuple[int, int]
"""Probe and node, both from 0."""

_CONTRADICTS = 20.0  # times the variance expected; a healthy mean of 16 readings reaches 3


def through(reading: Reading, nodes: int) -> NDArray[np.int64]:
    """The probe that showed each node, `[node]`, -1 for none."""
    probes = np.full(nodes, -1, dtype=np.int64)
    for probe, scanned in enumerate(reading.scan):
        probes[np.array(scanned, dtype=np.int64) - 1] = probe
    return probes


def stuck_switches(
    readings: Sequence[Reading], residual: Tensor, weight: Tensor, cost: Callable[[Tensor, Tensor], Tensor]
) -> set[Switch]:
    """The switches to suspect after a fit that left `residual[node, reading]`: one of each node that is bad at all.

    `weight` is 1/V^2, 0 for readings that do not count; `cost(rows, weight)` gives the least chi^2 of the nodes `rows`
    with other weights, `[row]`, and with it what makes a node unusual: a few wrong readings are on some curve.
    """
    nodes = len(residual)
    probes = torch.from_numpy(
        np.repeat([through(r, nodes) for r in readings], [len(r.values) for r in readings], axis=0).T
    )
    through_each = [(probes == probe) & (weight > 0) for probe in range(int(probes.max()) + 1)]
    means = torch.stack([_mean(weight * residual**2, counted) for counted in through_each], 1)
    bad = torch.nonzero(means.max(1).values > _CONTRADICTS)[:, 0]
    if not len(bad):
        return set()
    excess = []
    for counted in through_each:
        without = weight[bad] * ~counted[bad]
        beyond = cost(bad, without) - (without > 0).sum(1)
        excess.append(torch.where(counted[bad].any(1), beyond, torch.inf))
    return {(int(probe), int(node)) for probe, node in zip(torch.stack(excess, 1).argmin(1), bad, strict=True)}


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return (values * counted).sum(1) / counted.sum(1).clamp(min=1)
