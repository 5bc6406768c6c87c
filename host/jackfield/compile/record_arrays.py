"""The tables of a record as arrays in spec order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.errors import CalibrationError

__all__ = ["RecordArrays"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_HOPELESS = ("dead", "open", "stuck", "swapped", "probe_fault")


@dataclass(frozen=True)
class RecordArrays:
    """Reads quantities of `record` for the cells and nodes of `spec`."""

    spec: BoardSpec
    record: CalibrationRecord

    def values(self, name: str, start: Floats) -> Floats:
        """`start`, `[cell]`, `[node]` or `[]`, with the values that the record has."""
        table = self.record.tables.get(name)
        return start if table is None else self._filled(start, name, table, table.value)

    def standard_errors(self, name: str, start: Floats) -> Floats:
        """`start` with the standard errors that the record has."""
        table = self.record.tables.get(name)
        return start if table is None else self._filled(start, name, table, table.se)

    def residual_rms(self, name: str) -> float:
        """Rms of what verification found on rows that it passed; 0 where there are none."""
        table = self.record.tables.get(name)
        residual = np.zeros(0) if table is None else table.residual[table.good & np.isfinite(table.residual)]
        return float(np.sqrt(np.mean(residual**2))) if residual.size else 0.0

    def unfit_cells(self) -> tuple[Mask, Mask]:
        """Cells that are defective, and cells merely not verified (those without a row too), `[cell]` each."""
        bad, doubtful = (np.zeros(self.spec.cell_count, dtype=np.bool_) for _ in range(2))
        for name in ("gain_scale", "threshold_offset_V"):
            if name in self.record.tables:
                table = self.record.tables[name]
                rows = self._rows(name, table)
                hopeless = np.array([reason in _HOPELESS for reason in table.reason], dtype=np.bool_)
                verified = np.zeros(self.spec.cell_count, dtype=np.bool_)
                verified[rows] = table.good
                bad[rows] |= hopeless & ~table.good
                doubtful |= ~verified
        return bad, doubtful & ~bad

    def _filled(self, start: Floats, name: str, table: Table, column: Floats) -> Floats:
        known = ~np.isnan(column)
        filled = np.atleast_1d(start.copy())
        filled[self._rows(name, table)[known]] = column[known]
        return filled.reshape(start.shape)

    def _rows(self, name: str, table: Table) -> Integers:
        """Where each row of `table` stands in arrays."""
        try:
            return np.array([self._positions[index] for index in table.index], dtype=np.int64)
        except KeyError as error:
            raise CalibrationError(
                f"table {name} of the record has a row {error}, board {self.spec.name} has no such instance; "
                "calibrate the board again"
            ) from error

    @cached_property
    def _positions(self) -> dict[str, int]:
        cells = {str(cell): position for position, cell in enumerate(self.spec.cells)}
        nodes = {str(position + 1): position for position in range(self.spec.nodes.count)}
        return cells | nodes | {"board": 0}
