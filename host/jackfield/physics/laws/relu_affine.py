"""`relu_affine`: i = relu(a v_s + b v_d + c), from KirchhoffNet's generation; not reciprocal."""

from collections.abc import Mapping
from typing import final

from torch import Tensor

from jackfield.physics.laws.law import ElementLaw, Parameter, soft_relu, spice_relu
from jackfield.physics.laws.scalar import soft_relu as scalar_relu
from jackfield.physics.laws.scalar import soft_relu_slopes


def scalar_current(v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None) -> float:
    """Kernel form of the current."""
    return scalar_relu(a * v_s + b * v_d + c, knee)


def scalar_slopes(
    v_s: float, v_d: float, a: float, b: float, c: float, knee: float | None, weight: float
) -> tuple[float, float, float, float, float, float]:
    """Kernel form of `weight` times the partials to v_s, v_d, a, b, c, knee."""
    _, step, by_knee = soft_relu_slopes(a * v_s + b * v_d + c, knee, weight)
    return step * a, step * b, step * v_s, step * v_d, step, by_knee


@final
class ReluAffine(ElementLaw):
    """i = relu(a v_s + b v_d + c)."""

    name = "relu_affine"
    parameters = (
        Parameter("a", "S", volts=-1, amperes=1),
        Parameter("b", "S", volts=-1, amperes=1),
        Parameter("c", "A", amperes=1),
    )
    reciprocal = False
    smooth = False
    scalar_current = staticmethod(scalar_current)
    scalar_slopes = staticmethod(scalar_slopes)

    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """See ElementLaw."""
        return soft_relu(params["a"] * v_s + params["b"] * v_d + params["c"], knee)

    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        on = (a * v_s + b * v_d + c > 0).to(v_s.dtype)
        return {"v_s": on * a, "v_d": on * b, "a": on * v_s, "b": on * v_d, "c": on}

    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """See ElementLaw."""
        a, b, c = (params[name] for name in self.parameter_names)
        on = (a * v_s + b * v_d + c > 0).to(v_s.dtype)
        return {("v_s", "a"): on, ("v_d", "b"): on}

    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """See ElementLaw."""
        return spice_relu(f"{params['a']}*{v_s}+{params['b']}*{v_d}+{params['c']}", knee)
