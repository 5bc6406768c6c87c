"""A node's summed offset: the cells of an image at gain zero, and what that says about each cell's current.

140 to 170 cells share a node of a dense board; no gain or threshold code removes the sum of their offset
currents. One record a bank measures it with exactly the routes that will be used. The cells' own estimates are
then corrected by as little as makes their sums agree.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield_calibration.node_estimator import NodeFit
from jackfield_calibration.node_routine import time_constant
from jackfield_calibration.routine import Reading, Routine, Setting, scans_of_all

__all__ = ["OffsetRoutine", "condition_offsets"]

Floats = NDArray[np.float64]

_INPUTS = 16
_BLOCK = 8192  # cells at a time, for their memory


class OffsetRoutine(Routine):
    """One record a bank: all cells of `image` enabled at gain zero and the highest threshold, presets zero.

    On a large board one for each part of the nodes.
    """

    def __init__(self, spec: BoardSpec, image: ConfigImage) -> None:
        self.name = "offsets"
        self._spec, self._image = spec, image
        self.banks = [bank for bank in range(spec.run.banks) if image.enable[bank].any()]
        self._scans = scans_of_all(spec, np.arange(1, spec.nodes.count + 1))
        self.ticks = round(max(time_constant(spec), spec.run.min_s) / spec.run.tick_s)

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        spec, nodes = self._spec, self._spec.nodes
        image = ConfigImage.safe(spec)
        for name in ("enable", "source", "destination"):
            getattr(image, name)[:] = getattr(self._image, name)
        for part in spec.groups:
            if "threshold" in part.parameters:
                image.codes["threshold"][:, part.members] = part.parameters["threshold"].code_range[1]
        inputs = np.full((_INPUTS, nodes.count), nodes.preset.middle, dtype=np.int64)
        for bank in self.banks:
            for number, scan in enumerate(self._scans):
                key = f"{self.name}/{bank}" + (f"/{number}" if len(self._scans) > 1 else "")
                yield Setting(key, image, inputs, RunProgram(((bank, self.ticks),), scan, count=_INPUTS))

    def sums(self, readings: list[Reading], nodes: NodeFit, capacitance_F: Floats) -> tuple[Floats, Floats]:
        """Current of all cells into each node and its variance, `[bank, node]`, A and A^2."""
        run_s = self.ticks * self._spec.run.tick_s
        start = nodes.column("preset_offset_V")
        rate = nodes.column("leak_S") / self._spec.nodes.capacitance_F
        own = nodes.column("node_offset_A") / self._spec.nodes.capacitance_F
        flows, variances = [], []
        for reading in readings:
            count = np.where(reading.usable.any(axis=0), reading.usable.sum(axis=0), np.nan)
            volts = np.where(reading.usable, nodes.at_hold(reading), 0.0).sum(axis=0) / count
            # C dv/dt = I - G v, the leak taken at the mean of start and end
            slope = (volts - start) / run_s + rate * (volts + start) / 2
            flows.append((slope - own) * capacitance_F)
            variance = (nodes.noise_V**2 / count + nodes.covariance[:, 1, 1]) / run_s**2
            variances.append(variance * capacitance_F**2)
        return self._of_banks(flows), self._of_banks(variances)

    def _of_banks(self, found: list[Floats]) -> Floats:
        """`[bank, node]` of what each part, NaN where it scanned nothing, says."""
        parts = np.array(found).reshape(len(self.banks), len(self._scans), -1)
        read = np.isfinite(parts).any(axis=1)
        return np.where(read, np.nansum(parts, axis=1), np.nan)


def condition_offsets(
    image: ConfigImage, banks: list[int], offset_A: Floats, variance: Floats, sums: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Cell offsets `[cell]` (A) and variances, corrected so that their node sums agree with `sums`.

    `offset_A` and `variance` are what is known of each cell alone. Sums not read (NaN) say nothing.
    """
    flows, noise = (part.ravel() for part in sums)
    nodes = sums[0].shape[1]
    rows, columns, signs = [], [], []
    for row, bank in enumerate(banks):
        cells = np.flatnonzero(image.enable[bank])
        for sign, ends in ((-1.0, image.source[bank, cells]), (1.0, image.destination[bank, cells])):
            inside = ends > 0
            rows.append(row * nodes + ends[inside] - 1)
            columns.append(cells[inside])
            signs.append(np.full(inside.sum(), sign))
    read = np.isfinite(flows)
    entries = (np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns)))
    incidence = csr_array(entries, shape=(len(banks) * nodes, len(offset_A)))[read]
    spread = (incidence * variance).tocsr()  # a cell has four ends at most: all but `inverse` is sparse
    inverse = np.linalg.inv((spread @ incidence.T).toarray() + np.diag(noise[read]))
    corrected = offset_A + spread.T @ (inverse @ (flows[read] - incidence @ offset_A))
    return corrected, np.maximum(variance - _taken(spread.T.tocsr(), inverse), 0.0)


def _taken(spread: Any, inverse: Floats) -> Floats:
    """Diagonal of spread inverse spread^T, `[cell]`, of a sparse `spread[cell, sum]`."""
    blocks = (spread[first : first + _BLOCK] for first in range(0, spread.shape[0], _BLOCK))
    return np.concatenate([np.asarray(block.multiply(block @ inverse).sum(axis=1)).ravel() for block in blocks])
