"""What one batch of runs was read as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measurement"]

_BY_INPUT = ("values_V", "se_V", "clipped", "railed", "ground_V", "reference_V")


@dataclass(frozen=True)
class Measurement:
    """Node voltages `[input, node]` at HOLD with their standard errors, in volts at the board's reference.

    Each value is corrected by its own record's ground and reference slots. `clipped` marks readings at a
    code limit of the instrument, `railed` those above 0.98 of the rail; neither enters a fit.
    `ground_V` and `reference_V` are the uncorrected slot readings `[input, probe]`; `clock_ratio` is the
    instrument's second over the board's.
    """

    nodes: tuple[int, ...]
    values_V: NDArray[np.float64]
    se_V: NDArray[np.float64]
    clipped: NDArray[np.bool_]
    railed: NDArray[np.bool_]
    ground_V: NDArray[np.float64]
    reference_V: NDArray[np.float64]
    clock_ratio: float

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Batches of one scan, one after the other."""
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_INPUT}
        return cls(nodes=parts[0].nodes, clock_ratio=float(np.mean([part.clock_ratio for part in parts])), **arrays)
