"""Explicit Runge-Kutta rules with fixed steps.

`rk4` is the 3/8 rule (Kutta 1901), order 4; `heun` is the trapezoidal predictor-corrector, order 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Tableau:
    """`stages[i][j]` weighs slope j in the state of stage i, `weights[i]` slope i in the step."""

    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    order: int


TABLEAUS: Mapping[str, Tableau] = MappingProxyType(
    {
        "rk4": Tableau(
            stages=((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
            weights=(1 / 8, 3 / 8, 3 / 8, 1 / 8),
            order=4,
        ),
        "heun": Tableau(stages=((), (1.0,)), weights=(1 / 2, 1 / 2), order=2),
    }
)
