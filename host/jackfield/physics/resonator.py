"""The resonate-and-fire neuron: dz/dt = k z + S(t), k = decay + i omega, S the weighted sum of its input currents.

Izhikevich, "Resonate-and-fire neurons", Neural Networks 14 (2001); used for phases by Olin-Ammentorp and Bazhenov,
arXiv 2106.11908. Time is counted in periods T of the reference, so that omega = 2 pi without detuning.
As a circuit: two capacitors C coupled by gm, each damped by gd: omega = gm/C, decay = -gd/C, v2 = Im z; or a series
RLC with omega = 1/sqrt(LC), decay = -R/(2L), Im z the capacitor's voltage.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError

__all__ = ["Resonators"]

_Complex = NDArray[np.complex128]
_Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Resonators:
    """`k` complex [neuron], per period: decay (negative) + i 2 pi (1 + detuning). Raises DesignError where k grows."""

    k: _Complex

    def __post_init__(self) -> None:
        if self.k.ndim != 1 or not np.isfinite(self.k).all() or not (self.k.real < 0).all():
            raise DesignError(f"resonators of k = {self.k} do not die away; give [neuron] with a negative real part")

    @classmethod
    def alike(cls, count: int, decay: float) -> Self:
        """`count` neurons on the reference's frequency that all lose `decay` (negative) a period."""
        return cls(np.full(count, decay + 2j * np.pi))

    @classmethod
    def drawn(cls, decay: float, detuning: _Real, quality: _Real) -> Self:
        """Neurons off the reference by `detuning` and off the nominal Q by `quality`, both relative [neuron]."""
        omega = 2 * np.pi * (1 + detuning)
        return cls(decay * (1 + detuning) / (1 + quality) + 1j * omega)

    def __len__(self) -> int:
        return len(self.k)

    @property
    def quality(self) -> _Real:
        """Q [neuron] = omega / (2 |decay|)."""
        return np.asarray(self.k.imag / (-2 * self.k.real))

    def steady(self, amplitude: _Complex) -> _Complex:
        """The amplitude A of z = A exp(i 2 pi t) once S = `amplitude` exp(i 2 pi t) [..., neuron] has settled.

        Exact at any Q: sources at the reference's frequency give each neuron one constant factor.
        """
        return np.asarray(amplitude / (2j * np.pi - self.k))

    def counter(self, amplitude: _Complex) -> _Complex:
        """The amplitude B [..., neuron] of exp(-i 2 pi t) in z where S = conj(`amplitude`) exp(-i 2 pi t) has settled.

        A real current Re(a exp(i 2 pi t)) is half of the drive of `steady` and half of this one.
        """
        return np.asarray(np.conj(amplitude) / (-2j * np.pi - self.k))

    def heard(self, amplitude: _Complex) -> _Complex:
        """The phasor P [..., neuron] of the settled Im z = Re(P exp(i 2 pi t)) under a real Re(a exp(i 2 pi t))."""
        return np.asarray(-0.5j * (self.steady(amplitude) - np.conj(self.counter(amplitude))))

    def settled(self, amplitude: _Complex, start: _Complex, periods: float) -> _Complex:
        """z [..., neuron] at `periods` after the drive of `steady` began with z = `start`."""
        final = self.steady(amplitude)
        return np.asarray(final * np.exp(2j * np.pi * periods) + (start - final) * np.exp(self.k * periods))
