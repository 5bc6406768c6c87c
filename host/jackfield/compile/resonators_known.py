"""A board of resonators as a record describes it: what each of them makes of the currents it is driven with."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.errors import DesignError
from jackfield.physics import Resonators

__all__ = ["KnownResonators", "nominal_answer"]


def nominal_answer(spec: BoardSpec) -> complex:
    """Volts of a nominal resonator's settled phasor for a channel of phase 0 through a cell of one siemens.

    Raises DesignError where the board has no resonators.
    """
    oscillator = spec.oscillator
    if oscillator is None:
        raise DesignError(f"board {spec.name} has no resonators; phasor networks want a board of kind 'oscillator'")
    neuron = Resonators.alike(1, -np.pi / oscillator.quality(spec.nodes))
    drive = oscillator.drive_V / spec.nodes.capacitance_F / oscillator.frequency_Hz
    return complex(neuron.heard(np.array([drive + 0j]))[0])


@dataclass(frozen=True)
class KnownResonators:
    """`answer` [neuron] as `nominal_answer`, `gain_scale` [neuron, channel] over nominal, and which are `usable`.

    `resonators` are those that ring-downs found, all trims at zero.
    """

    resonators: Resonators
    answer: NDArray[np.complex128]
    gain_scale: NDArray[np.float64]
    usable: NDArray[np.bool_]

    @classmethod
    def from_record(cls, spec: BoardSpec, record: CalibrationRecord | None) -> Self:
        """What `record` says; nominal where it says nothing. Resonators that are not good are not usable."""
        nominal = nominal_answer(spec)
        assert spec.oscillator is not None
        neurons, channels = spec.oscillator.neurons, spec.nodes.count - spec.oscillator.neurons
        answer, usable = np.full(neurons, nominal), np.ones(neurons, dtype=np.bool_)
        scale, (detuning, quality) = np.ones((neurons, channels)), np.zeros((2, neurons))
        tables = {} if record is None else record.tables
        if "neuron_gain" in tables:
            gain, phase = tables["neuron_gain"], tables["neuron_phase_rad"]
            at = np.array([int(name) - 1 for name in gain.index], dtype=np.int64)
            answer[at] *= gain.value * np.exp(1j * phase.value)
            usable[at] = gain.good & phase.good
        if "detuning" in tables:
            detuning, quality = tables["detuning"].value, tables["quality_ratio"].value - 1
        if "gain_scale" in tables:
            table = tables["gain_scale"]
            cells = {str(cell): number for number, cell in enumerate(spec.cells)}
            scale.ravel()[[cells[name] for name in table.index]] = table.value
        decay = -np.pi / spec.oscillator.quality(spec.nodes)
        return cls(Resonators.drawn(decay, detuning, quality), answer, scale, usable)

    @property
    def detuning(self) -> NDArray[np.float64]:
        """Of each resonator, relative to the drive."""
        return np.asarray(self.resonators.k.imag / (2 * np.pi) - 1)

    def tuned(self, trim: NDArray[np.float64]) -> NDArray[np.complex128]:
        """`answer` once the resonances are moved by `trim` (relative, [neuron])."""
        omega = 2 * np.pi * (1 + self.detuning + trim)
        moved = Resonators(self.resonators.k.real * omega / self.resonators.k.imag + 1j * omega)
        drive = np.ones(len(trim), dtype=np.complex128)
        return np.asarray(self.answer * moved.heard(drive) / self.resonators.heard(drive))
