"""Gradients of transients: compensated replay. The board runs the recorded trajectory backwards while it still sees
perturbations through its own linearised circuit, which for reciprocal edges is the adjoint.
"""

from typing import ClassVar, final

import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from jackfield.tune.estimator import Estimator, Loss, Nudge, edge_products, output_error
from jackfield.tune.plant import Ability, Parameters, Plant

__all__ = ["CompensatedReplay"]


@final
class CompensatedReplay(Estimator):
    """Record v(t); rerun from v(T) -+ eps C^-1 e while injecting -2 C v'(T - t) into every node.

    The loss is that of v(T) after `duration`; `points` are taken and injected. Exact for constant capacitances and
    reciprocal edges as eps goes to 0, error O(eps^2) on smooth laws. `nudge` bounds eps e in volts times capacitance.
    """

    name: ClassVar[str] = "compensated_replay"
    needs = frozenset({Ability.WAVEFORM})

    def __init__(self, nudge: Nudge, duration: float, *, points: int = 129) -> None:
        super().__init__(nudge)
        self._duration, self._points = duration, points

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> tuple[Parameters, Tensor, Tensor, Tensor]:
        circuit = plant.circuit
        seen = plant.transient(start, self._points, self._duration)
        losses, error = output_error(circuit, seen[-1], loss)
        eps = self.nudge.of(error)
        capacitance = circuit.capacitance.detach()
        wave = (-2 * capacitance * self._slope(seen)).flip(0)
        wave[..., [node - 1 for node in circuit.clamped]] = 0
        step = eps * error / capacitance
        ends = [plant.transient(seen[-1] + sign * step, self._points, self._duration, wave) for sign in (-1, 1)]
        contrast = ((ends[0] - ends[1]) / (2 * eps)).flip(0)
        products = edge_products(circuit, contrast, seen)
        times = torch.linspace(0, self._duration, self._points, dtype=start.dtype)
        gradients = tuple(
            {name: torch.trapezoid(value, times, dim=0).mean(0) for name, value in one.items()} for one in products
        )
        return gradients, losses, seen[-1], torch.ones(len(start), dtype=torch.bool)

    def _slope(self, seen: Tensor) -> Tensor:
        times = torch.linspace(0, self._duration, self._points, dtype=seen.dtype).numpy()
        return torch.from_numpy(CubicSpline(times, seen.numpy())(times, 1))
