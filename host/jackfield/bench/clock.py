"""Where the board's times lie on the instrument's clock, from the edges between ground and reference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.digitizer import Waveform
from jackfield.board import Schedule
from jackfield.errors import InstrumentError

__all__ = ["Clock", "fit_clock"]

# What is known before the first edge is seen, as standard deviations: two crystals, and trigger plus settling.
RATIO_SPREAD = 100e-6
OFFSET_SPREAD_SLOTS = 0.1
LEAST_STEP = 0.25  # of the reference: a step below this is no reference edge


@dataclass(frozen=True)
class Clock:
    """instrument time = `offset_s` + `ratio` * board time, both after the trigger edge."""

    offset_s: float
    ratio: float

    def sample(self, waveform: Waveform, board_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sample positions (not rounded) of board times."""
        instrument_s = self.offset_s + self.ratio * board_s
        return np.asarray((instrument_s - waveform.start_s) / waveform.step_s)


def fit_clock(waveforms: Sequence[Waveform], plan: Schedule, reference_V: float) -> Clock:
    """The clock that fits the ground-to-reference edges of all inputs and probes.

    The first quarter of the batch is fitted first: over a long batch the two clocks may part by more than
    the half slot in which an edge is looked for. Raises InstrumentError where there are no edges.
    """
    edges = plan.slot_start_s[:, 1]
    clock = Clock(0.0, 1.0)
    for used in (edges[: -(-len(edges) // 4)], edges):
        seen = np.stack(
            [_edge_times(waveform, used, plan.slot_s, clock, reference_V, p) for p, waveform in enumerate(waveforms)]
        )
        clock = _fit(used, seen.mean(axis=0), len(seen), plan.slot_s, waveforms[0].step_s)
    return clock


def _fit(edges: NDArray[np.float64], seen: NDArray[np.float64], probes: int, slot_s: float, step_s: float) -> Clock:
    """Least squares for offset and ratio - 1 with their spreads as priors; an edge is good to one sample."""
    design = np.stack([np.ones_like(edges), edges], axis=1)
    weight = probes / step_s**2
    normal = weight * (design.T @ design)
    normal += np.diag([(OFFSET_SPREAD_SLOTS * slot_s) ** -2, RATIO_SPREAD**-2])
    offset, excess = np.linalg.solve(normal, weight * (design.T @ (seen - edges)))
    return Clock(float(offset), 1.0 + float(excess))


def _edge_times(
    waveform: Waveform, edges: NDArray[np.float64], slot_s: float, clock: Clock, reference_V: float, probe: int
) -> NDArray[np.float64]:
    """Instrument times at which the waveform crosses halfway, half a slot around each expected edge."""
    half = int(0.5 * slot_s / waveform.step_s)
    first = np.rint(clock.sample(waveform, edges)).astype(np.int64) - half
    if first.min() < 0 or first.max() + 2 * half > len(waveform.volts):
        raise InstrumentError(
            f"the record of probe {probe + 1} does not reach over the whole scan; choose a longer window"
        )
    around = waveform.volts[first[:, None] + np.arange(2 * half)]
    ground, reference = np.median(around[:, : half // 2]), np.median(around[:, -(half // 2) :])
    if abs(reference - ground) < LEAST_STEP * abs(reference_V):
        raise InstrumentError(
            f"probe {probe + 1} shows no step from ground to the reference of {reference_V:g} V ({ground:.3g} V, "
            f"then {reference:.3g} V); check its cable, its channel in the bench file and the attenuation"
        )
    progress = np.clip((around - ground) / (reference - ground), 0.0, 1.0)
    return np.asarray(
        waveform.start_s + waveform.step_s * (first + 2 * half - progress.sum(axis=1) - 0.5), dtype=np.float64
    )
