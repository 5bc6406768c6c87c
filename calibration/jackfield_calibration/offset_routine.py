"""A node's summed offset: the cells of an image at gain zero, and what that says about each cell's current.

140 to 170 cells share a node of a dense board; no gain or threshold code removes the sum of their offset
currents. One record a bank measures it with exactly the routes that will be used. The cells' own estimates are
then corrected by as little as makes their sums agree.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield_calibration.node_estimator import NodeFit
from jackfield_calibration.node_routine import time_constant
from jackfield_calibration.routine import Reading, Routine, Setting, scan_lists

__all__ = ["OffsetRoutine", "condition_offsets"]

Floats = NDArray[np.float64]

_INPUTS = 16


class OffsetRoutine(Routine):
    """One record a bank: all cells of `image` enabled at gain zero and the highest threshold, presets zero."""

    def __init__(self, spec: BoardSpec, image: ConfigImage) -> None:
        self.name = "offsets"
        self._spec, self._image = spec, image
        self.banks = [bank for bank in range(spec.run.banks) if image.enable[bank].any()]
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
        scan = scan_lists(spec, np.arange(1, nodes.count + 1))
        for bank in self.banks:
            yield Setting(f"{self.name}/{bank}", image, inputs, RunProgram(((bank, self.ticks),), scan, count=_INPUTS))

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
        return np.array(flows), np.array(variances)


def condition_offsets(
    image: ConfigImage, banks: list[int], offset_A: Floats, variance: Floats, sums: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Cell offsets `[cell]` (A) and variances, corrected so that their node sums agree with `sums`.

    `offset_A` and `variance` are what is known of each cell alone. Sums not read (NaN) say nothing.
    """
    flows, noise = (part.ravel() for part in sums)
    nodes = sums[0].shape[1]
    incidence = np.zeros((len(banks) * nodes, len(offset_A)))
    for row, bank in enumerate(banks):
        cells = np.flatnonzero(image.enable[bank])
        for sign, ends in ((-1.0, image.source[bank, cells]), (1.0, image.destination[bank, cells])):
            inside = ends > 0
            np.add.at(incidence, (row * nodes + ends[inside] - 1, cells[inside]), sign)
    read = np.isfinite(flows)
    incidence, flows, noise = incidence[read], flows[read], noise[read]
    spread = incidence * variance
    gain = np.linalg.solve(spread @ incidence.T + np.diag(noise), spread).T
    corrected = offset_A + gain @ (flows - incidence @ offset_A)
    return corrected, np.maximum(variance - np.einsum("ij,ji->i", gain, spread), 0.0)
