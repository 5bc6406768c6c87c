"""Spikes into resonate-and-fire neurons and out of them, integrated exactly between the edges of the input currents.

A spike at t is a current of height 1 from t - half_width to t + half_width. A neuron spikes where Im z has a maximum
above its threshold, at most once in its refractory time; z goes on undisturbed. All neurons start at z = 0 at t = 0.
Spike trains are float64 [example, source, slot], padded with NaN; times in periods.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError
from jackfield.physics import spike_kernel
from jackfield.physics.resonator import Resonators

__all__ = ["PhaseEncoding", "SpikeRule", "exact_spikes", "last_spikes", "periodic_spikes"]

_Real = NDArray[np.float64]
# Harmonics of the box that the fast first layer keeps: 8 leave 2e-4 T rms (measured against `exact_spikes`).
_HARMONICS = 8


@dataclass(frozen=True)
class SpikeRule:
    """`half_width` of the current of a spike, `threshold` of Im z, `refractory` time; in periods."""

    half_width: float = 0.05
    threshold: float = 0.03
    refractory: float = 0.25


@dataclass(frozen=True)
class PhaseEncoding:
    """Phases in units of pi, -1 to 1, as times: t = (x + 1)/2 + delay + whole periods."""

    delay: float = 0.0

    def train(self, phases: _Real, periods: float) -> _Real:
        """Trains [example, source, slot] of phases [example, source], all whose currents touch 0..periods."""
        cycles = np.arange(-1, int(np.ceil(periods)) + 1)
        return np.asarray((phases[..., None] + 1) / 2 + self.delay + cycles)

    def phase(self, times: _Real) -> _Real:
        """Phases of spike times; NaN stays NaN."""
        return np.asarray(2 * np.mod(times - self.delay, 1.0) - 1)

    def last_frame(self, periods: float) -> tuple[float, float]:
        """Begin and end of the last whole frame within a run of `periods`; DesignError where there is none."""
        begin = np.floor(periods - self.delay + 1e-9) - 1 + self.delay
        if begin < self.delay:
            raise DesignError(f"{periods:g} periods hold no frame behind a delay of {self.delay:g}; run longer")
        return float(begin), float(begin + 1)


def exact_spikes(trains: _Real, weights: _Real, neurons: Resonators, periods: float, rule: SpikeRule) -> _Real:
    """All spikes [example, neuron, slot] within `periods` of neurons fed by `trains` through weights [neuron, source].

    Edges of the currents are sorted and each stretch between them is closed form: the reference for the fast forms.
    """
    _check(trains.shape[1], weights, neurons)
    slots = int(np.ceil(periods / rule.refractory)) + 1
    out = np.full((len(trains), len(neurons), slots), np.nan)
    spike_kernel.exact(trains, weights, neurons.k, periods, *_numbers(rule), out)
    return out


def periodic_spikes(phases: _Real, weights: _Real, neurons: Resonators, periods: float, rule: SpikeRule) -> _Real:
    """As `exact_spikes` for inputs that repeat the phases [example, source] each period, from their Fourier series.

    One spike a period at most: [example, neuron, slot]; the truncated series moves a spike by some 1e-4 T.
    """
    _check(phases.shape[1], weights, neurons)
    order = np.arange(_HARMONICS + 1)
    with np.errstate(invalid="ignore"):
        box = np.where(order, np.sin(2 * np.pi * order * rule.half_width) / (np.pi * order), 2 * rule.half_width)
    angle = np.pi * (phases + 1)
    cosine, sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)  # 1e-7, below the series' error
    real, imaginary = np.ones_like(cosine), np.zeros_like(sine)
    series = np.empty((len(order), len(phases), len(weights)), dtype=complex)
    flat = weights.T.astype(np.float32)
    for number in order:
        series[number].real = (real @ flat) * box[number]
        series[number].imag = (imaginary @ flat) * -box[number]
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
    out = np.full((len(phases), len(neurons), int(np.ceil(periods)) + 10), np.nan)
    spike_kernel.periodic(series, neurons.k, periods, rule.threshold, rule.refractory, out)
    return out


def last_spikes(
    trains: _Real, weights: _Real, neurons: Resonators, frame: tuple[float, float], rule: SpikeRule
) -> _Real:
    """The last spike [example, neuron] of each neuron inside `frame` (begin, end), NaN where there is none.

    All currents before the frame enter in closed form; only the frame itself is searched.
    """
    _check(trains.shape[1], weights, neurons)
    out = np.full((len(trains), len(neurons)), np.nan)
    spike_kernel.last(trains, weights, neurons.k, *frame, *_numbers(rule), out)
    return out


def _numbers(rule: SpikeRule) -> tuple[float, float, float]:
    return rule.half_width, rule.threshold, rule.refractory


def _check(sources: int, weights: _Real, neurons: Resonators) -> None:
    if weights.shape != (len(neurons), sources):
        raise DesignError(
            f"weights {weights.shape} do not join {sources} sources to {len(neurons)} neurons; give [neuron, source]"
        )
