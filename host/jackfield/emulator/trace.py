"""What the probe outputs show during one run: held levels slot after slot, or nodes live."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, Trigger
from jackfield.emulator.draws import ProbeDraws
from jackfield.emulator.randomness import Randomness

__all__ = ["CABLE_F", "FADED_AFTER", "SETTLING_TIMES", "Levels", "Live", "ProbeTrace", "readout_noise"]

Floats = NDArray[np.float64]

CABLE_F = 100e-12  # cable and instrument input behind the output resistance
SETTLING_TIMES = 12  # time constants of the output amplifier within the part of a slot that is dropped
FADED_AFTER = 20  # time constants, 2e-9
NOISE_VALUES_A_SLOT = 40  # bandwidth of the readout noise: so many independent values in one slot
_NOISE_ORIGIN = 1 << 40  # noise has a value before the trigger too


@dataclass(frozen=True)
class Levels:
    """Piecewise levels that all probes switch at the same times `start_s[k]`, ascending.

    From `start_s[k]` on, probe p is connected to a source that is at `volts[p, k]` then and droops by
    `droop_V_per_s[p, k]`.
    """

    start_s: Floats
    volts: Floats
    droop_V_per_s: Floats


@dataclass(frozen=True)
class Live:
    """Node voltages `volts[probe, i]` at times `t_s[i]`, straight in between: what WATCH connects."""

    t_s: Floats
    volts: Floats


@dataclass(frozen=True)
class ProbeTrace:
    """A `Shot`: the probes' outputs with gain, offset, crosstalk, settling and readout noise."""

    spec: BoardSpec
    draws: ProbeDraws
    randomness: Randomness
    noise_V: float
    key: str
    duration_s: float
    levels: Levels
    live: Live | None = None

    @property
    def trigger(self) -> Trigger:
        """The board's pulse."""
        return self.spec.probe.trigger

    @property
    def output_ohm(self) -> float:
        """Source resistance of the probe outputs."""
        return self.spec.probe.output_ohm

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> Floats:
        """See Shot."""
        if not 1 <= jack <= self.spec.probe.count:
            return np.zeros(count)
        probe = jack - 1
        t = start_s + step_s * np.arange(count, dtype=np.float64)
        output = self._switched(probe, t)
        if self.live is not None:
            self._follow(self.live, probe, t, output)
        return np.asarray(output + self._noise(jack, t, step_s, window_s))

    def _switched(self, probe: int, t: Floats) -> Floats:
        level, droop, step = self._outputs(probe)
        starts = self.levels.start_s
        firsts = np.searchsorted(t, starts)
        lengths = np.diff(firsts, append=len(t))
        output = np.full(len(t), self.draws.offset_V[probe])
        body = output[firsts[0] :]
        since = t[firsts[0] :] - np.repeat(starts, lengths)
        body += np.repeat(level, lengths)
        body -= np.repeat(droop, lengths) * since
        fading = np.flatnonzero(since < FADED_AFTER * self._settling_s)
        body[fading] += np.repeat(step, lengths)[fading] * np.exp(since[fading] / -self._settling_s)
        return output

    @property
    def _settling_s(self) -> float:
        probe = self.spec.probe
        return probe.settle_fraction * probe.slot_s / SETTLING_TIMES + probe.output_ohm * CABLE_F

    def _outputs(self, probe: int) -> tuple[Floats, Floats, Floats]:
        """For each level: output settled to, without offset; its droop; the step that has yet to fade."""
        levels, gain = self.levels, self.draws.gain[probe]
        level = gain * (levels.volts[probe] + self.draws.crosstalk[probe] @ levels.volts)
        droop = gain * levels.droop_V_per_s[probe]  # the neighbour's is 1e-3 of 1e-3 and left out
        before = level[:-1] - droop[:-1] * np.diff(levels.start_s)
        return level, droop, np.concatenate([[0.0], before]) - level

    def _follow(self, live: Live, probe: int, t: Floats, output: Floats) -> None:
        inside = slice(*np.searchsorted(t, [live.t_s[0], live.t_s[-1]]))
        nodes = np.stack([np.interp(t[inside], live.t_s, volts) for volts in live.volts])
        seen = nodes[probe] + self.draws.crosstalk[probe] @ nodes
        output[inside] = self.draws.gain[probe] * seen + self.draws.offset_V[probe]

    def _noise(self, jack: int, t: Floats, step_s: float, window_s: float) -> Floats | float:
        grid_s = self.spec.probe.slot_s / NOISE_VALUES_A_SLOT
        name = f"readout noise {jack} {self.key}"
        return readout_noise(self.randomness, name, (self.noise_V, grid_s), t, step_s, window_s)


def readout_noise(
    randomness: Randomness, name: str, kind: tuple[float, float], t: Floats, step_s: float, window_s: float
) -> Floats | float:
    """Noise at times `t`, `step_s` apart, averaged over `window_s`; `kind`: its rms, and how long a value lasts."""
    noise_V, grid_s = kind
    if not noise_V or not len(t):
        return 0.0
    quieter = min(1.0, (grid_s / window_s) ** 0.5) if window_s > 0 else 1.0
    if step_s >= grid_s:
        return np.asarray(randomness.noise(name, len(t)) * (noise_V * quieter))
    index = np.floor(t / grid_s).astype(np.int64)
    values: Floats = randomness.noise(name, int(index[-1] - index[0]) + 1, _NOISE_ORIGIN + int(index[0]))
    return np.asarray(values[index - index[0]] * (noise_V * quieter))
