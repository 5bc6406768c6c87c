"""What the probes show of ground and reference, over the records so far.

A record of one input has one ground and one reference slot a probe, and all nodes of that probe are corrected by them:
an error of either is in all of these readings. The levels are the same from record to record, so the mean of many
corrects better than those of one.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jackfield_calibration.routine import Reading
from jackfield_calibration.switches import through

__all__ = ["ProbeLevels"]

Floats = NDArray[np.float64]

_FEW = 8  # inputs: records of more know their levels well enough
_REMEMBERED = 128.0  # slots: drift of an instrument over minutes stays small beside the noise of so many
_ELSEWHERE = 6.0  # standard errors from the mean: another range of the instrument


class ProbeLevels:
    """Means of ground and reference `[level, probe]`, in volts at the instrument."""

    def __init__(self, reference_V: float) -> None:
        self._reference_V = reference_V
        self._mean: Floats | None = None
        self._slots = 0.0

    def steadied(self, reading: Reading) -> Reading:
        """`reading` corrected by the levels of all records so far, this one included."""
        own = np.stack([reading.ground.mean(0), reading.reference.mean(0)])
        if not (np.isfinite(own).all() and (own[1] > own[0]).all()):
            return reading  # of a board that reads its nodes itself
        count, before = len(reading.values), self._mean
        if before is None or self._elsewhere(reading, own, before, count):
            self._mean, self._slots = own, float(count)
            return reading
        self._slots = min(self._slots + count, _REMEMBERED)
        self._mean = before + (own - before) * count / self._slots
        return self._corrected(reading, own, self._mean) if count <= _FEW else reading

    def _elsewhere(self, reading: Reading, own: Floats, mean: Floats, count: int) -> bool:
        span = (own[1] - own[0]).mean() / self._reference_V
        slot_V = span * float(np.median(reading.se[reading.usable])) if reading.usable.any() else np.inf
        return bool(np.abs(own - mean).max() > _ELSEWHERE * slot_V * (1 / count + 1 / self._slots) ** 0.5)

    def _corrected(self, reading: Reading, own: Floats, mean: Floats) -> Reading:
        probes = through(reading, reading.values.shape[1])  # -1 for nodes not read, which stay NaN
        (ground, reference), (steady_ground, steady_reference) = own[:, probes], mean[:, probes]
        raw = reading.values / self._reference_V * (reference - ground) + ground
        share = (raw - steady_ground) / (steady_reference - steady_ground)
        by_levels = (1 - share) ** 2 + share**2
        shrunk = (1 + by_levels / self._slots) / (1 + by_levels / len(reading.values))
        return replace(reading, values=share * self._reference_V, se=reading.se * np.sqrt(shrunk))
