"""Gradients of circuits at rest: equilibrium propagation three ways, and coupled learning.

Scellier and Bengio, Front. Comput. Neurosci. 11, 24 (2017); Kendall et al., arXiv 2006.01981; Laborieux et al., Front.
Neurosci. 15 (2021) for both signs of the nudge; Anisetti et al. for an error as a slow oscillation; Stern et al.,
Phys. Rev. X 11, 021045 (2021) for coupled learning. Co-content plays the part of the energy.
"""

from math import pi
from typing import ClassVar, final

import torch
from torch import Tensor

from jackfield.tune.estimator import (
    Estimator,
    Loss,
    Nudge,
    edge_products,
    mean_over,
    output_error,
    usable_of,
)
from jackfield.tune.plant import Ability, Parameters, Plant

__all__ = ["CenteredPropagation", "CoupledLearning", "LockInPropagation", "OneSidedPropagation"]

_Found = tuple[Parameters, Tensor, Tensor, Tensor]


@final
class CenteredPropagation(Estimator):
    """Settle free, then under -beta e and +beta e at the outputs; error O(beta^2) on smooth laws, none on linear."""

    name: ClassVar[str] = "ep_centered"
    needs = frozenset({Ability.SETTLE})
    forcible = True

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> _Found:
        free = plant.settle(start)
        losses, error = output_error(plant.circuit, free.values, loss)
        beta = self.nudge.of(error)
        plus, minus = plant.settle(start, -beta * error), plant.settle(start, beta * error)
        usable = usable_of(free, plus, minus)
        contrast = (plus.values - minus.values) / (2 * beta)
        products = edge_products(plant.circuit, contrast, free.values)
        return mean_over(products, usable), losses, free.values, usable


@final
class OneSidedPropagation(Estimator):
    """Settle free, then under -beta e; error O(beta)."""

    name: ClassVar[str] = "ep_one_sided"
    needs = frozenset({Ability.SETTLE})
    forcible = True

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> _Found:
        free = plant.settle(start)
        losses, error = output_error(plant.circuit, free.values, loss)
        beta = self.nudge.of(error)
        nudged = plant.settle(start, -beta * error)
        usable = usable_of(free, nudged)
        products = edge_products(plant.circuit, (nudged.values - free.values) / beta, free.values)
        return mean_over(products, usable), losses, free.values, usable


@final
class LockInPropagation(Estimator):
    """One run in which the nudge swings as -beta e sin(2 pi t/period), slowly; voltages are demodulated.

    The first of `cycles` is left out. The lag of the circuit falls out to first order, since it is in quadrature.
    """

    name: ClassVar[str] = "ep_lock_in"
    needs = frozenset({Ability.SETTLE, Ability.WAVEFORM})
    forcible = True

    def __init__(
        self, nudge: Nudge, period: float, *, cycles: int = 2, points: int = 64, approximate: bool = False
    ) -> None:
        super().__init__(nudge, approximate=approximate)
        self._period, self._cycles, self._points = period, cycles, points

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> _Found:
        free = plant.settle(start)
        losses, error = output_error(plant.circuit, free.values, loss)
        beta = self.nudge.of(error)
        count = self._cycles * self._points + 1
        carrier = torch.sin(2 * pi * torch.arange(count, dtype=start.dtype) / self._points)[:, None, None]
        seen = plant.transient(free.values, count, self._cycles * self._period, -beta * error * carrier)
        late = slice(self._points, count - 1)
        contrast = 2 * (seen[late] * carrier[late]).mean(0) / beta
        usable = usable_of(free)
        return mean_over(edge_products(plant.circuit, contrast, free.values), usable), losses, free.values, usable


@final
class CoupledLearning(Estimator):
    """Settle free, then with the outputs held a little nearer to where the loss falls: a direction of descent only.

    Holding the outputs, rather than pushing them, weighs the output nodes by the circuit's own stiffness.
    """

    name: ClassVar[str] = "coupled_learning"
    needs = frozenset({Ability.SETTLE})
    forcible = True

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> _Found:
        free = plant.settle(start)
        losses, error = output_error(plant.circuit, free.values, loss)
        eta = self.nudge.of(error)
        outputs = torch.tensor(plant.circuit.outputs) - 1
        held = start.index_copy(1, outputs, (free.values - eta * error)[:, outputs])
        clamped = plant.settle(held, driven=plant.circuit.outputs)
        usable = usable_of(free, clamped)
        contrast, middle = (clamped.values - free.values) / eta, (clamped.values + free.values) / 2
        return mean_over(edge_products(plant.circuit, contrast, middle), usable), losses, free.values, usable
