"""What a report shows: plain results, gathered by whoever ran the board."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CellMap", "Outputs", "ReportContent", "Spread", "Trace"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """One node over one run: requested at `requested_t_s`, read live at `measured_t_s`; volts."""

    node: int
    requested_t_s: Floats
    requested_V: Floats
    measured_t_s: Floats
    measured_V: Floats


@dataclass(frozen=True)
class Spread:
    """Errors of one cell parameter, a value a cell, in percent of full scale, before and after calibration."""

    quantity: str
    before: Floats
    after: Floats


@dataclass(frozen=True)
class CellMap:
    """Every cell of the board in spec order: whether the circuit uses it, and calibration's verdict."""

    used: NDArray[np.bool_]
    reason: tuple[str, ...]


@dataclass(frozen=True)
class Outputs:
    """Output volts `[input, output]`: what the twin predicts (with standard errors) and what was read."""

    predicted_V: Floats
    predicted_se_V: Floats
    measured_V: Floats


@dataclass(frozen=True)
class ReportContent:
    """The whole page; parts that are None are left out.

    `rungs` holds (name, accuracy, (low, high), n); `facts` are rows of the table beside the title.
    """

    title: str
    facts: Mapping[str, str]
    rungs: tuple[tuple[str, float, tuple[float, float], int], ...]
    confusion: NDArray[np.int64] | None = None
    traces: tuple[Trace, ...] = ()
    spreads: tuple[Spread, ...] = ()
    cells: CellMap | None = None
    outputs: Outputs | None = None
