"""`conductance`: i = gain (v_s - v_d), Ohm's law; every board has it."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter


def scalar_current(v_s: float, v_d: float, gain: float, _1: float, _2: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return gain * (v_s - v_d)


def scalar_slopes(
    v_s: float, v_d: float, gain: float, _1: float, _2: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, gain, nothing, nothing, knee."""
    slope = weight * gain
    return slope, -slope, weight * (v_s - v_d), 0.0, 0.0, 0.0


@final
class Conductance(ElementLaw):
    """i = gain (v_s - v_d)."""

    name = "conductance"
    parameters = (Parameter("gain", "S", volts=-1, amperes=1),)
    reciprocal = True
    smooth = True
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        return params["gain"] * (v_s - v_d)

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        gain = params["gain"] * torch.ones_like(v_s - v_d)
        return {"v_s": gain, "v_d": -gain, "gain": v_s - v_d}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        one = torch.ones_like(v_s - v_d)
        return {("v_s", "gain"): one, ("v_d", "gain"): -one}

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        return f"{params['gain']}*({v_s}-{v_d})"
