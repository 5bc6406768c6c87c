"""What a calibration tells whoever watches it: how far it is, what it has found so far, what verification saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evidence", "Observer", "Silent", "Standing"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How a calibration stands: `spread` is what it has found of each cell parameter.

    By parameter: rms deviation from nominal over the cells, and rms standard error that is left of it, both in LSB.
    `failing` maps the names of cells that do not look sound to why.
    """

    spread: Mapping[str, tuple[float, float]]
    failing: Mapping[str, str]


@dataclass(frozen=True)
class Evidence:
    """Verification's usable readings, one an entry of each array: which cell (index in spec order) at which nominal
    gain (S) and threshold (V), what was predicted and measured, and the standard error of the difference, in V.
    """

    cell: NDArray[np.int64]
    gain_S: Floats
    threshold_V: Floats
    predicted_V: Floats
    measured_V: Floats
    se_V: Floats


class Observer(Protocol):
    """Hears of each event as it happens; must not change anything."""

    def advanced(self, step: str, done: int, planned: int, reads: int) -> None:
        """`done` of `planned` settings are read, `reads` slots in all, the last one for `step`."""

    def stands(self, standing: Standing) -> None:
        """Another fit is done."""

    def verified(self, evidence: Evidence) -> None:
        """Verification has read and compared."""


@final
class Silent:
    """Nobody watches."""

    def advanced(self, step: str, done: int, planned: int, reads: int) -> None:
        """Nothing."""

    def stands(self, standing: Standing) -> None:
        """Nothing."""

    def verified(self, evidence: Evidence) -> None:
        """Nothing."""
