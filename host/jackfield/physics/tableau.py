"""Explicit Runge-Kutta rules with fixed steps.

`rk4` is the 3/8 rule (Kutta 1901), order 4; `heun` is the trapezoidal predictor-corrector, order 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray


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


@lru_cache
def scaled(
    tableau: Tableau, h: float, dtype: "np.dtype[np.generic]"
) -> tuple[list[NDArray[Any]], NDArray[Any], list[NDArray[Any]]]:
    """Times the step `h`: rows [stage], weights, and a column for each stage.

    A column holds at its own stage the step's weight of that stage, after it the weights of later uses.
    """
    square = np.zeros((len(tableau.weights), len(tableau.weights)))
    for stage, row in enumerate(tableau.stages):
        square[stage, : len(row)] = row
    weights = np.array(tableau.weights)
    rows, step, columns = ((h * x).astype(dtype) for x in (square, weights, square.T + np.diag(weights)))
    return list(rows), step, list(columns)
