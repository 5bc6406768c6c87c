"""What the probes of a board of resonators show: ground, reference, and nodes that oscillate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, Trigger
from jackfield.emulator.draws import ProbeDraws
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.trace import CABLE_F, FADED_AFTER, SETTLING_TIMES, readout_noise

__all__ = ["OscillatorTrace", "Pieces"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

NOISE_VALUES_A_PERIOD = 40


@dataclass(frozen=True)
class Pieces:
    """What all probes switch to at `start_s[piece]`, ascending, counted from the drive's start `zero_s[piece]`.

    In periods p since then probe q shows level_V + Re(steady exp(i 2 pi p)) + Re(fading exp(rate p)),
    all of them [probe, piece], and pulses that begin at `pulses` [probe, piece, number], NaN where there is none.
    """

    start_s: Floats
    zero_s: Floats
    level_V: Floats
    steady_V: Complexes
    fading_V: Complexes
    rate: Complexes
    pulses: Floats | None = None


@dataclass(frozen=True)
class OscillatorTrace:
    """A `Shot`: the probes' outputs with gain, offset, crosstalk, settling, rails and readout noise."""

    spec: BoardSpec
    draws: ProbeDraws
    randomness: Randomness
    noise_V: float
    key: str
    duration_s: float
    pieces: Pieces

    @property
    def trigger(self) -> Trigger:
        """The board's pulse."""
        return self.spec.probe.trigger

    @property
    def output_ohm(self) -> float:
        """Source resistance of the probe outputs."""
        return self.spec.probe.output_ohm

    @property
    def _frequency_Hz(self) -> float:
        assert self.spec.oscillator is not None
        return self.spec.oscillator.frequency_Hz

    @property
    def _settling_s(self) -> float:
        probe = self.spec.probe
        return probe.settle_fraction * probe.slot_s / SETTLING_TIMES + probe.output_ohm * CABLE_F

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> Floats:
        """See Shot. A sample is taken in the middle of its window, which is short against a period."""
        if not 1 <= jack <= self.spec.probe.count:
            return np.zeros(count)
        t = start_s + step_s * np.arange(count, dtype=np.float64)
        piece = np.maximum(np.searchsorted(self.pieces.start_s, t, side="right") - 1, 0)
        output = self._nodes(jack - 1, piece, t)
        before = np.maximum(np.arange(len(self.pieces.start_s)) - 1, 0)
        starts = self.pieces.start_s
        step = self._nodes(jack - 1, before, starts) - self._nodes(jack - 1, np.arange(len(starts)), starts)
        since = (t - starts[piece]) / self._settling_s
        fading = np.flatnonzero((since >= 0) & (since < FADED_AFTER))
        output[fading] += step[piece[fading]] * np.exp(-since[fading])
        output = self.draws.gain[jack - 1] * output + self.draws.offset_V[jack - 1]
        kind = self.noise_V, 1 / self._frequency_Hz / NOISE_VALUES_A_PERIOD
        name = f"readout noise {jack} {self.key}"
        return np.asarray(output + readout_noise(self.randomness, name, kind, t, step_s, window_s))

    def _nodes(self, probe: int, piece: NDArray[np.int64], t: Floats) -> Floats:
        """What probe's switch shows at `t` of `piece`, the neighbours' share with it."""
        total = self._shown(probe, piece, t)
        for other in np.flatnonzero(self.draws.crosstalk[probe]):
            total += self.draws.crosstalk[probe, other] * self._shown(int(other), piece, t)
        return total

    def _shown(self, probe: int, piece: NDArray[np.int64], t: Floats) -> Floats:
        pieces = self.pieces
        periods = (t - pieces.zero_s[piece]) * self._frequency_Hz
        angle, steady = 2 * np.pi * periods, pieces.steady_V[probe]
        volts = pieces.level_V[probe, piece] + steady.real[piece] * np.cos(angle) - steady.imag[piece] * np.sin(angle)
        alive = np.flatnonzero(pieces.fading_V[probe, piece])
        here = piece[alive]
        volts[alive] += (pieces.fading_V[probe, here] * np.exp(pieces.rate[probe, here] * periods[alive])).real
        if pieces.pulses is not None:
            volts += self._pulses(periods, pieces.pulses[probe, piece])
        return np.asarray(np.clip(volts, *self.spec.nodes.rail_V))

    def _pulses(self, periods: Floats, begin: Floats) -> Floats:
        """Pulses that `begin` [time, number], rounded off by the probe's amplifier, at `periods` [time]."""
        oscillator = self.spec.oscillator
        assert oscillator is not None
        since_s = (periods[:, None] - begin) / self._frequency_Hz
        up, down = (-np.expm1(-np.maximum(s, 0.0) / self._settling_s) for s in (since_s, since_s - oscillator.pulse_s))
        return np.asarray(oscillator.drive_V * np.nansum(up - down, axis=1))
