"""What every element law offers; a law is one file beside this one with all of its spellings."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor


@dataclass(frozen=True)
class Parameter:
    """A parameter of a law: SI `unit`, bounds, and how it scales from machine units to SI.

    With U volts per machine unit and A = C_ref U / tau amperes per machine unit of current,
    value_SI = value * U**volts * A**amperes.
    """

    name: str
    unit: str
    volts: int = 0
    amperes: int = 0
    lower: float = -float("inf")
    upper: float = float("inf")


@dataclass(frozen=True, eq=False)
class Imperfection:
    """How real cells differ from their law: tensors of one value per edge, or 0-dim for all edges.

    `knee` rounds each rectifier: relu(x) becomes (x + sqrt(x^2 + knee^2))/2, knee in the unit of x
    (volts for `shifted_relu` and `mosfet`, the current for `relu_affine`, without effect elsewhere).
    `saturation` (a current, > 0) limits: i becomes i/(1 + (i/saturation)^4)^(1/4).
    `offset` (a current) is added last. The defaults change nothing.
    """

    knee: Tensor = field(default_factory=lambda: torch.tensor(0.0))
    saturation: Tensor = field(default_factory=lambda: torch.tensor(float("inf")))
    offset: Tensor = field(default_factory=lambda: torch.tensor(0.0))


class ElementLaw(ABC):
    """The current from source to destination of a two-terminal edge, i(v_s, v_d; parameters).

    Machine units throughout, or SI throughout. `reciprocal`: i depends on v_s - v_d alone, so a circuit
    of such edges has a symmetric Jacobian. `smooth`: infinitely differentiable when perfect.
    `scalar_current(v_s, v_d, p0, p1, p2, knee)` and `scalar_slopes(..., knee, weight)` (`weight` times the
    partials to the same six) are the kernel's form: plain functions of module level over numbers, made of
    arithmetic and `laws.scalar`, that numba compiles for vectors. Absent parameters are 0; knee None is sharp.
    """

    name: str
    parameters: tuple[Parameter, ...]
    reciprocal: bool
    smooth: bool
    scalar_current: Callable[..., float]
    scalar_slopes: Callable[..., tuple[float, float, float, float, float, float]]

    @final
    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names in the order of the kernel's arguments."""
        return tuple(parameter.name for parameter in self.parameters)

    @final
    def current(
        self,
        v_s: Tensor,
        v_d: Tensor,
        params: Mapping[str, Tensor],
        imperfection: Imperfection | None = None,
    ) -> Tensor:
        """Current from source to destination; all arguments broadcast."""
        if imperfection is None:
            return self.ideal_current(v_s, v_d, params, None)
        i = self.ideal_current(v_s, v_d, params, imperfection.knee)
        limited = i * (1 + (i / imperfection.saturation) ** 4) ** -0.25
        return limited + imperfection.offset

    @abstractmethod
    def ideal_current(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor], knee: Tensor | None) -> Tensor:
        """Current before saturation and offset; `knee` None is the sharp law."""

    @abstractmethod
    def first_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Partials of the perfect current: keys "v_s", "v_d" and every parameter's name."""

    @abstractmethod
    def second_partials(self, v_s: Tensor, v_d: Tensor, params: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """Second partials of the perfect current that are not zero everywhere.

        Keys (a, b) with a in ("v_s", "v_d") and b a voltage or parameter; ("v_s", "v_d") stands for
        both orders. The delta at a kink is left out.
        """

    @final
    def spice(self, v_s: str, v_d: str, params: Mapping[str, float], imperfection: tuple[float, float, float]) -> str:
        """ngspice expression of the current; `v_s` and `v_d` are expressions such as "V(n3)" or "0".

        `imperfection` is (knee, saturation, offset), (0, inf, 0) for a perfect cell.
        """
        knee, saturation, offset = imperfection
        text = self.ideal_spice(v_s, v_d, {name: f"({value!r})" for name, value in params.items()}, knee)
        if saturation != float("inf"):
            text = f"({text})/sqrt(sqrt(1+pow(abs({text})*{1 / saturation!r},4)))"
        return text if offset == 0 else f"({text})+({offset!r})"

    @abstractmethod
    def ideal_spice(self, v_s: str, v_d: str, params: Mapping[str, str], knee: float) -> str:
        """ngspice expression before saturation and offset; parameters come as bracketed numbers."""


def soft_relu(x: Tensor, knee: Tensor | None) -> Tensor:
    """relu(x), rounded by `knee` where that is above zero."""
    if knee is None:
        return torch.relu(x)
    rounded = knee > 0
    width = torch.where(rounded, knee, torch.ones_like(knee))  # keeps sqrt differentiable at 0
    return torch.where(rounded, (x + torch.sqrt(x * x + width * width)) / 2, torch.relu(x))


def spice_relu(x: str, knee: float) -> str:
    """ngspice expression of `soft_relu`."""
    return f"max({x},0)" if knee == 0 else f"((({x})+sqrt(({x})*({x})+{knee * knee!r}))/2)"
