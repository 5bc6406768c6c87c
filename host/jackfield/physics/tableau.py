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

    @lru_cache  # noqa: B019  tableaus are module constants
    def arrays(self, dtype: "np.dtype[Any]") -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
        """`stages` as a square, `weights`, and the time of each stage as a fraction of the step."""
        square = np.zeros((len(self.weights), len(self.weights)))
        for stage, row in enumerate(self.stages):
            square[stage, : len(row)] = row
        return square.astype(dtype), np.array(self.weights, dtype), square.sum(axis=1)


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
