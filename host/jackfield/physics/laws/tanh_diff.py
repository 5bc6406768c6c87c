"""`tanh_diff`: i = a tanh(b (v_s - v_d) + c), a transconductance amplifier.

The saturating pair of field-programmable analog arrays with floating gates.
"""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter
from jackfield.physics.laws.scalar import tanh


def scalar_current(v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return a * tanh(b * (v_s - v_d) + c)


def scalar_slopes(
    v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, a, b, c, knee."""
    difference = v_s - v_d
    level = tanh(b * difference + c)
    by_a = weight * level
    by_c = a * (weight - by_a * level)
    return by_c * b, -by_c * b, by_a, by_c * difference, by_c, 0.0


@final
class TanhDiff(ElementLaw):
    """i = a tanh(b (v_s - v_d) + c)."""

    name = "tanh_diff"
    parameters = (
        Parameter("a", "A", amperes=1),
        Parameter("b", "1/V", volts=-1),
        Parameter("c", ""),
    )
    reciprocal = True
    smooth = True
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        return params["a"] * torch.tanh(params["b"] * (v_s - v_d) + params["c"])

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        level = torch.tanh(b * (v_s - v_d) + c)
        by_c = a * (1 - level * level)
        return {"v_s": by_c * b, "v_d": -by_c * b, "a": level, "b": by_c * (v_s - v_d), "c": by_c}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        level = torch.tanh(b * (v_s - v_d) + c)
        slope = 1 - level * level
        bend = -2 * level * slope  # second derivative of tanh
        by_source = {
            "v_s": a * b * b * bend,
            "a": b * slope,
            "b": a * slope + a * b * (v_s - v_d) * bend,
            "c": a * b * bend,
        }
        mixed = {("v_s", name): value for name, value in by_source.items()}
        mixed |= {("v_d", name): -value for name, value in by_source.items() if name != "v_s"}
        return mixed | {("v_s", "v_d"): -by_source["v_s"], ("v_d", "v_d"): by_source["v_s"]}

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        return f"{params['a']}*tanh({params['b']}*({v_s}-{v_d})+{params['c']})"
