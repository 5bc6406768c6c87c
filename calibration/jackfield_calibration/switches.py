"""Probe switches that do not close: what the probe shows in such a node's slot has nothing to do with the node.

Every node is read through several probes, since nodes are dealt out anew in each record. Where the readings through one
of them contradict the node's curve and the others do not, it is that switch.
"""

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


def stuck_switches(readings: list[Reading], residual: Tensor, weight: Tensor, known: frozenset[Switch]) -> set[Switch]:
    """The switches to suspect after a fit that left `residual[node, reading]`: of each node the worst, if bad at all.

    `weight` is 1/V^2, 0 for readings that do not count; `known` ones are kept.
    """
    nodes = len(residual)
    probes = torch.from_numpy(
        np.repeat([through(r, nodes) for r in readings], [len(r.values) for r in readings], axis=0).T
    )
    square = weight * residual**2
    found = set(known)
    count = int(probes.max()) + 1
    means = torch.stack([_mean(square, (probes == probe) & (weight > 0)) for probe in range(count)], 1)
    worst, probe = means.max(1)
    bad = torch.nonzero(worst > _CONTRADICTS)[:, 0]
    return found | {(int(probe[node]), int(node)) for node in bad}


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return (values * counted).sum(1) / counted.sum(1).clamp(min=1)
