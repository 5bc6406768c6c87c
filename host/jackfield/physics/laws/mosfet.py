"""`mosfet`: i = k relu(gate - threshold - (v_s + v_d)/2) (v_s - v_d), a transistor in its triode region.

The edge of self-learning resistor networks; its gate is a parameter. It depends on the mean voltage and
is therefore not reciprocal.
"""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter, soft_relu, spice_relu
from jackfield.physics.laws.scalar import soft_relu as scalar_relu
from jackfield.physics.laws.scalar import soft_relu_slopes


def scalar_current(v_s: float, v_d: float, k: float, gate: float, threshold: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return k * scalar_relu(gate - threshold - 0.5 * (v_s + v_d), knee) * (v_s - v_d)


def scalar_slopes(
    v_s: float, v_d: float, k: float, gate: float, threshold: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, k, gate, threshold, knee."""
    opened, step, by_knee = soft_relu_slopes(gate - threshold - 0.5 * (v_s + v_d), knee, weight)
    scale = k * (v_s - v_d)
    along, mean = k * opened, step * scale
    half = 0.5 * mean
    return along - half, -along - half, opened * (v_s - v_d), mean, -mean, by_knee * scale


@final
class Mosfet(ElementLaw):
    """i = k relu(gate - threshold - (v_s + v_d)/2) (v_s - v_d)."""

    name = "mosfet"
    parameters = (
        Parameter("k", "A/V^2", volts=-2, amperes=1),
        Parameter("gate", "V", volts=1),
        Parameter("threshold", "V", volts=1),
    )
    reciprocal = False
    smooth = False
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        overdrive = params["gate"] - params["threshold"] - (v_s + v_d) / 2
        return params["k"] * soft_relu(overdrive, knee) * (v_s - v_d)

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        k, gate, threshold = (params[name] for name in self.parameter_names)
        overdrive, d = gate - threshold - (v_s + v_d) / 2, v_s - v_d
        along, mean = k * torch.relu(overdrive), k * (overdrive > 0) * d
        return {
            "v_s": along - mean / 2,
            "v_d": -along - mean / 2,
            "k": torch.relu(overdrive) * d,
            "gate": mean,
            "threshold": -mean,
        }

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        k, gate, threshold = (params[name] for name in self.parameter_names)
        overdrive, d = gate - threshold - (v_s + v_d) / 2, v_s - v_d
        on = (overdrive > 0).to(v_s.dtype)
        opened = torch.relu(overdrive)
        return {
            ("v_s", "v_s"): -k * on,
            ("v_d", "v_d"): k * on,
            ("v_s", "k"): opened - on * d / 2,
            ("v_d", "k"): -opened - on * d / 2,
            ("v_s", "gate"): k * on,
            ("v_d", "gate"): -k * on,
            ("v_s", "threshold"): -k * on,
            ("v_d", "threshold"): k * on,
        }

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        overdrive = f"{params['gate']}-{params['threshold']}-({v_s}+{v_d})/2"
        return f"{params['k']}*{spice_relu(overdrive, knee)}*({v_s}-{v_d})"
