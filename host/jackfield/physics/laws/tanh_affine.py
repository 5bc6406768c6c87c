"""`tanh_affine`: i = tanh(a v_s + b v_d + c), from KirchhoffNet's density models; not reciprocal.

Its amplitude is one unit of current, so it scales to no other unit of current.
"""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter
from jackfield.physics.laws.scalar import tanh


def scalar_current(v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return tanh(a * v_s + b * v_d + c)


def scalar_slopes(
    v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, a, b, c, knee."""
    level = tanh(a * v_s + b * v_d + c)
    slope = weight - weight * level * level
    return slope * a, slope * b, slope * v_s, slope * v_d, slope, 0.0


@final
class TanhAffine(ElementLaw):
    """i = tanh(a v_s + b v_d + c)."""

    name = "tanh_affine"
    parameters = (
        Parameter("a", "1/V", volts=-1),
        Parameter("b", "1/V", volts=-1),
        Parameter("c", ""),
    )
    reciprocal = False
    smooth = True
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        return torch.tanh(params["a"] * v_s + params["b"] * v_d + params["c"])

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        slope = 1 - torch.tanh(a * v_s + b * v_d + c) ** 2
        return {"v_s": slope * a, "v_d": slope * b, "a": slope * v_s, "b": slope * v_d, "c": slope}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        level = torch.tanh(a * v_s + b * v_d + c)
        slope = 1 - level * level
        bend = -2 * level * slope  # second derivative of tanh
        return {
            ("v_s", "v_s"): a * a * bend,
            ("v_s", "v_d"): a * b * bend,
            ("v_d", "v_d"): b * b * bend,
            ("v_s", "a"): slope + a * v_s * bend,
            ("v_s", "b"): a * v_d * bend,
            ("v_s", "c"): a * bend,
            ("v_d", "a"): b * v_s * bend,
            ("v_d", "b"): slope + b * v_d * bend,
            ("v_d", "c"): b * bend,
        }

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        return f"tanh({params['a']}*{v_s}+{params['b']}*{v_d}+{params['c']})"
