"""Gradients of circuits at rest: equilibrium propagation three ways, and coupled learning.

Scellier and Bengio, Front. Comput. Neurosci. 11, 24 (2017); Kendall et al., arXiv 2006.01981; Laborieux et al., Front.
Neurosci. 15 (2021) for both signs of the nudge; Anisetti et al. for an error as a slow oscillation; Stern et al.,
Phys. Rev. X 11, 021045 (2021) for coupled learning. Co-content plays the part of the energy.
"""

from abc import abstractmethod
from math import pi
from typing import ClassVar, final

import torch
from torch import Tensor

from jackfield.tune.estimator import Estimator, Loss, Nudge, edge_products, mean_over, output_error, usable_of
from jackfield.tune.plant import Ability, Parameters, Plant, Settled

__all__ = ["CenteredPropagation", "CoupledLearning", "LockInPropagation", "OneSidedPropagation"]

_Contrast = tuple[Tensor, Tensor, tuple[Settled, ...]]


class _AtRest(Estimator):
    """Settle free, look at the error there, then settle otherwise: the contrast is what the heirs measure."""

    needs = frozenset({Ability.SETTLE})
    forcible = True

    @final
    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> tuple[Parameters, Tensor, Tensor, Tensor]:
        free = plant.settle(start)
        losses, error = output_error(plant.circuit, free.values, loss)
        contrast, seen, nudged = self._contrast(plant, start, free.values, error, self.nudge.of(error))
        usable = usable_of(free, *nudged)
        return mean_over(edge_products(plant.circuit, contrast, seen), usable), losses, free.values, usable

    @abstractmethod
    def _contrast(self, plant: Plant, start: Tensor, free: Tensor, error: Tensor, beta: Tensor) -> _Contrast:
        """From the free state and the error `[sample, node]` and beta `[sample, 1]`: the contrast, the voltages
        `[sample, node]` at which the edges' partials are taken, and the nudged states."""


@final
class CenteredPropagation(_AtRest):
    """Settle free, then under -beta e and +beta e at the outputs; error O(beta^2) on smooth laws, none on linear."""

    name: ClassVar[str] = "ep_centered"

    def _contrast(self, plant: Plant, start: Tensor, free: Tensor, error: Tensor, beta: Tensor) -> _Contrast:
        plus, minus = plant.settle(start, -beta * error), plant.settle(start, beta * error)
        return (plus.values - minus.values) / (2 * beta), free, (plus, minus)


@final
class OneSidedPropagation(_AtRest):
    """Settle free, then under -beta e; error O(beta)."""

    name: ClassVar[str] = "ep_one_sided"

    def _contrast(self, plant: Plant, start: Tensor, free: Tensor, error: Tensor, beta: Tensor) -> _Contrast:
        nudged = plant.settle(start, -beta * error)
        return (nudged.values - free) / beta, free, (nudged,)


@final
class LockInPropagation(_AtRest):
    """One run in which the nudge swings as -beta e sin(2 pi t/period), slowly; voltages are demodulated.

    The first of `cycles` is left out. The lag of the circuit falls out to first order, since it is in quadrature.
    """

    name: ClassVar[str] = "ep_lock_in"
    needs = frozenset({Ability.SETTLE, Ability.WAVEFORM})

    def __init__(
        self, nudge: Nudge, period: float, *, cycles: int = 2, points: int = 64, approximate: bool = False
    ) -> None:
        super().__init__(nudge, approximate=approximate)
        self._period, self._cycles, self._points = period, cycles, points

    def _contrast(self, plant: Plant, start: Tensor, free: Tensor, error: Tensor, beta: Tensor) -> _Contrast:
        count = self._cycles * self._points + 1
        carrier = torch.sin(2 * pi * torch.arange(count, dtype=start.dtype) / self._points)[:, None, None]
        seen = plant.transient(free, count, self._cycles * self._period, -beta * error * carrier)
        late = slice(self._points, count - 1)
        return 2 * (seen[late] * carrier[late]).mean(0) / beta, free, ()


@final
class CoupledLearning(_AtRest):
    """Settle free, then with the outputs held a little nearer to where the loss falls: a direction of descent only.

    Holding the outputs, rather than pushing them, weighs the output nodes by the circuit's own stiffness.
    """

    name: ClassVar[str] = "coupled_learning"

    def _contrast(self, plant: Plant, start: Tensor, free: Tensor, error: Tensor, beta: Tensor) -> _Contrast:
        outputs = torch.tensor(plant.circuit.outputs) - 1
        held = start.index_copy(1, outputs, (free - beta * error)[:, outputs])
        clamped = plant.settle(held, driven=plant.circuit.outputs)
        return (clamped.values - free) / beta, (clamped.values + free) / 2, (clamped,)
