"""What was asked of each cell and what its codes give."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec

__all__ = ["QuantisationReport"]


@dataclass(frozen=True)
class QuantisationReport:
    """One row a parameter of an edge, then one row a trim; SI units.

    `bank`, `edge` (number in the circuit's slice, -1 for a trim), `source`, `destination` (the trimmed node
    for a trim), `cell` (global index, -1 for a trim), `parameter`. `requested` is what the circuit asks,
    `target` what the re-fit on the twin asked instead (the same without re-fit), `actual` what the code gives
    on this board, `lsb` one step of the DAC there. `clipped` marks values brought into range.
    """

    bank: NDArray[np.int64]
    edge: NDArray[np.int64]
    source: NDArray[np.int64]
    destination: NDArray[np.int64]
    cell: NDArray[np.int64]
    parameter: NDArray[np.str_]
    requested: NDArray[np.float64]
    target: NDArray[np.float64]
    actual: NDArray[np.float64]
    lsb: NDArray[np.float64]
    clipped: NDArray[np.bool_]

    @classmethod
    def joined(cls, reports: Sequence[Self]) -> Self:
        """One report over several passes, `bank` counting on from pass to pass."""
        banks = np.cumsum([0, *(report.bank.max(initial=-1) + 1 for report in reports)])
        columns = {field.name: [getattr(report, field.name) for report in reports] for field in fields(cls)}
        columns["bank"] = [bank + first for bank, first in zip(columns["bank"], banks, strict=False)]
        return cls(**{name: np.concatenate(parts) for name, parts in columns.items()})

    @property
    def error_lsb(self) -> NDArray[np.float64]:
        """(actual - requested) in LSB."""
        return (self.actual - self.requested) / self.lsb

    @property
    def rounding_lsb(self) -> NDArray[np.float64]:
        """(actual - target) in LSB: within half an LSB where nothing was clipped."""
        return (self.actual - self.target) / self.lsb

    def rows_of(self, parameter: str) -> NDArray[np.bool_]:
        """Which rows concern `parameter` ("trim" for the node trims)."""
        return np.asarray(self.parameter == parameter)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the rows concern, each once, in the order of the rows."""
        begins = np.flatnonzero(self.parameter[1:] != self.parameter[:-1]) + 1
        return tuple(dict.fromkeys(str(name) for name in self.parameter[[0, *begins]]))

    def summary(self, spec: BoardSpec) -> str:
        """Lines for people: per parameter the number of values, the rms and largest error, what was clipped."""
        lines = []
        for name in self.parameters:
            rows = self.rows_of(name)
            error = self.error_lsb[rows]
            lines.append(
                f"{name}: {rows.sum()} values on board {spec.name}, error rms {np.sqrt(np.mean(error**2)):.3f} LSB, "
                f"largest {np.abs(error).max():.3f} LSB, {int(self.clipped[rows].sum())} clipped"
            )
        return "\n".join(lines)
