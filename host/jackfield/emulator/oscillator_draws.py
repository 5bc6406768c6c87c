"""One board of resonators: every quantity drawn once, each under its own name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.emulator.profiles import REFERENCE_SHARE, statistics_of
from jackfield.emulator.randomness import Randomness
from jackfield.physics import Resonators

__all__ = ["OscillatorDraws", "OscillatorProfile"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OscillatorProfile:
    """How much boards of resonators differ, standard deviations; see jackfield.board.OSCILLATOR_STATISTICS."""

    frequency_relative: float
    quality_relative: float
    gain_relative: float
    phase_offset_deg: float
    comparator_jitter: float
    probe_gain: float
    probe_offset_V: float
    reference_relative: float
    crosstalk: float
    readout_noise_V: float

    @classmethod
    def of(cls, spec: BoardSpec, name: str) -> "OscillatorProfile":
        """The profile `name` of `spec`; DesignError where the spec has no such statistics."""
        s = dict(statistics_of(spec, name))
        rail_V = max(abs(volts) for volts in spec.nodes.rail_V)
        offset, noise = s.pop("probe_offset") * rail_V, s.pop("readout_noise") * rail_V
        reference = s["probe_gain"] * REFERENCE_SHARE
        return cls(**s, probe_offset_V=offset, readout_noise_V=noise, reference_relative=reference)


@dataclass(frozen=True)
class OscillatorDraws:
    """`detuning`, `quality` (both relative) and `phase_rad` of resonators [neuron], `gain_scale` [neuron, channel]."""

    detuning: Floats
    quality: Floats
    phase_rad: Floats
    gain_scale: Floats

    @classmethod
    def draw(cls, spec: BoardSpec, profile: OscillatorProfile, randomness: Randomness) -> "OscillatorDraws":
        """One draw for each resonator and each cell of `spec`, which is a board of kind "oscillator"."""
        assert spec.oscillator is not None
        neurons, group = spec.oscillator.neurons, spec.groups[0]
        gain = randomness.normals(f"{group.name} gain scale", group.count).reshape(neurons, -1)
        return cls(
            detuning=profile.frequency_relative * randomness.normals("resonator frequency", neurons),
            quality=profile.quality_relative * randomness.normals("resonator quality", neurons),
            phase_rad=np.deg2rad(profile.phase_offset_deg) * randomness.normals("resonator phase", neurons),
            gain_scale=1 + profile.gain_relative * gain,
        )

    def resonators(self, spec: BoardSpec, tuned: Floats) -> Resonators:
        """All neurons, their resonances moved by `tuned` (relative, [neuron])."""
        assert spec.oscillator is not None
        decay = -np.pi / spec.oscillator.quality(spec.nodes)
        return Resonators.drawn(decay, self.detuning + tuned, self.quality)
