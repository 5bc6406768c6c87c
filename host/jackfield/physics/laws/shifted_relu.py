"""`shifted_relu`: i = gain relu(v_s - v_d - threshold), gain of either sign.

The edge of KirchhoffNet (Gao, Sun, Rohrer, Boning, ICCAD 2024, arXiv 2310.15872) and of the reference boards.
"""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter, soft_relu, spice_relu
from jackfield.physics.laws.scalar import soft_relu as scalar_relu
from jackfield.physics.laws.scalar import soft_relu_slopes


def scalar_current(v_s: float, v_d: float, gain: float, threshold: float, _: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return gain * scalar_relu(v_s - v_d - threshold, knee)


def scalar_slopes(
    v_s: float, v_d: float, gain: float, threshold: float, _: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, gain, threshold, nothing, knee."""
    by_gain, step, by_knee = soft_relu_slopes(v_s - v_d - threshold, knee, weight)
    slope = gain * step
    return slope, -slope, by_gain, -slope, 0.0, gain * by_knee


@final
class ShiftedRelu(ElementLaw):
    """i = gain relu(v_s - v_d - threshold)."""

    name = "shifted_relu"
    parameters = (Parameter("gain", "S", volts=-1, amperes=1), Parameter("threshold", "V", volts=1))
    reciprocal = True
    smooth = False
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        return params["gain"] * soft_relu(v_s - v_d - params["threshold"], knee)

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        x = v_s - v_d - params["threshold"]
        slope = params["gain"] * (x > 0)
        return {"v_s": slope, "v_d": -slope, "gain": torch.relu(x), "threshold": -slope}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        on = (v_s - v_d - params["threshold"] > 0).to(v_s.dtype)
        return {("v_s", "gain"): on, ("v_d", "gain"): -on}

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        argument = f"{v_s}-{v_d}-{params['threshold']}"
        return f"{params['gain']}*{spice_relu(argument, knee)}"
