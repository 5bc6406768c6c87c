"""Means and standard errors of all slots of one waveform."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.clock import Clock
from jackfield.bench.digitizer import Waveform
from jackfield.board import Schedule
from jackfield.errors import InstrumentError

__all__ = ["GUARD", "SlotReadings", "read_slots"]

GUARD = 0.05  # of a slot, left out at its end: an edge is seen late by the probe's settling, and so is each slot
UNSETTLED = 5.0  # a slot whose scatter lies this many deviations above the others' keeps its own

Kind = TypeVar("Kind", np.float32, np.bool_)


@dataclass(frozen=True)
class SlotReadings:
    """Raw volts `[input, slot]` at the instrument, their standard errors and whether a sample was clipped."""

    mean_V: NDArray[np.float64]
    se_V: NDArray[np.float64]
    clipped: NDArray[np.bool_]


def read_slots(waveform: Waveform, plan: Schedule, clock: Clock, settle_fraction: float, probe: int) -> SlotReadings:
    """Average each slot after its first `settle_fraction`.

    Raises InstrumentError where the record is too short, too coarse, or has holes in a slot.
    """
    length = int(clock.ratio * (1 - settle_fraction - GUARD) * plan.slot_s / waveform.step_s)
    begin = clock.sample(waveform, plan.slot_start_s + settle_fraction * plan.slot_s)
    first = np.ceil(begin).astype(np.int64)
    if length < 4:
        raise InstrumentError(f"probe {probe} has {length} samples a slot; ask for a record of more points")
    if first.min() < 0 or first.max() + length > len(waveform.volts):
        raise InstrumentError(f"the record of probe {probe} does not cover the scan; choose a longer window")
    if waveform.holes is not None and _windows(waveform.holes, first, length).any():
        raise InstrumentError(f"the record of probe {probe} has holes (samples not taken); repeat the run")
    samples = _windows(waveform.volts, first, length)
    mean = samples.mean(axis=-1, dtype=np.float64)
    clipped: NDArray[np.bool_] = np.zeros(mean.shape, dtype=np.bool_)
    if waveform.clipped is not None:
        clipped |= _windows(waveform.clipped, first, length).any(axis=-1)
    rest = samples - mean[..., None].astype(np.float32)
    return SlotReadings(mean, _standard_errors(rest, waveform.resolution_V), clipped)


def _windows(values: NDArray[Kind], first: NDArray[np.int64], length: int) -> NDArray[Kind]:
    return np.lib.stride_tricks.sliding_window_view(values, length)[first]


def _standard_errors(rest: NDArray[np.float32], resolution_V: float) -> NDArray[np.float64]:
    """Standard errors `[input, slot]` of the means, from the scatter `rest[input, slot, sample]` about them.

    The noise is one process in all slots: its variance and autocorrelation are pooled. Where it is too small
    to dither the converter, half a step of rounding does not average out and is added.
    """
    length = rest.shape[-1]
    own = np.einsum("isn,isn->is", rest, rest, dtype=np.float64) / length
    pooled = float(own.mean())
    inflation = min(_inflation(rest, pooled), length / 2)
    limit = pooled * (1 + UNSETTLED * np.sqrt(2 * inflation / length))
    variance = np.where(own > limit, own, pooled) * length / (length - inflation)
    rounding = resolution_V**2 / 12 * np.exp(-((2 * np.pi / resolution_V) ** 2) * variance)
    return np.asarray(np.sqrt(variance * inflation / length + rounding))


def _inflation(rest: NDArray[np.float32], pooled: float) -> float:
    """By how much autocorrelation raises the variance of a mean: 1 + 2 sum of (1 - lag/n) rho(lag).

    The sum ends at the first correlation that is not positive. Deviations from a mean of n samples correlate
    by -1/n on their own, which is taken out.
    """
    length, inflation = rest.shape[-1], 1.0
    for lag in range(1, length // 4 + 1):
        product = float(np.einsum("isn,isn->", rest[..., lag:], rest[..., :-lag], dtype=np.float64))
        count = rest.shape[0] * rest.shape[1] * (length - lag)
        rho = (product / count / pooled if pooled > 0 else 0.0) + 1.0 / length
        if rho <= 2.0 / np.sqrt(count):
            break
        inflation += 2 * (1 - lag / length) * min(rho, 1.0)
    return inflation
