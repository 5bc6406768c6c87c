"""`polynomial`: i = g1 d + g2 d^2 + g3 d^3 with d = v_s - v_d, boards of integrators and multipliers."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter


def scalar_current(v_s: float, v_d: float, g1: float, g2: float, g3: float, knee: float | None) -> float:
    """Kernel form of the current."""
    d = v_s - v_d
    return d * (g1 + d * (g2 + d * g3))


def scalar_slopes(
    v_s: float, v_d: float, g1: float, g2: float, g3: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, g1, g2, g3, knee."""
    d = v_s - v_d
    slope = weight * (g1 + d * (2.0 * g2 + d * 3.0 * g3))
    by_g1 = weight * d
    by_g2 = by_g1 * d
    return slope, -slope, by_g1, by_g2, by_g2 * d, 0.0


@final
class Polynomial(ElementLaw):
    """i = g1 d + g2 d^2 + g3 d^3 with d = v_s - v_d."""

    name = "polynomial"
    parameters = (
        Parameter("g1", "S", volts=-1, amperes=1),
        Parameter("g2", "A/V^2", volts=-2, amperes=1),
        Parameter("g3", "A/V^3", volts=-3, amperes=1),
    )
    reciprocal = True
    smooth = True
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        d = v_s - v_d
        return d * (params["g1"] + d * (params["g2"] + d * params["g3"]))

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        d = v_s - v_d
        slope = params["g1"] + 2 * params["g2"] * d + 3 * params["g3"] * d * d
        return {"v_s": slope, "v_d": -slope, "g1": d, "g2": d * d, "g3": d * d * d}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        d = v_s - v_d
        bend = 2 * params["g2"] + 6 * params["g3"] * d
        by_source = {"g1": torch.ones_like(d), "g2": 2 * d, "g3": 3 * d * d}
        mixed = {("v_s", name): value for name, value in by_source.items()}
        mixed |= {("v_d", name): -value for name, value in by_source.items()}
        return mixed | {("v_s", "v_s"): bend, ("v_s", "v_d"): -bend, ("v_d", "v_d"): bend}

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        d = f"({v_s}-{v_d})"  # products, for ngspice's power drops the sign of its base
        return f"{d}*({params['g1']}+{d}*({params['g2']}+{d}*{params['g3']}))"
