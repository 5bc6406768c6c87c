"""Whether a record belongs to the board at hand: gain and threshold errors of 64 cells chosen by the spec."""

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.errors import CalibrationError

__all__ = ["MATCH", "fingerprint", "fingerprint_cells", "likeness"]

Floats = NDArray[np.float64]

MATCH = 0.8
_CELLS = 64


def fingerprint_cells(spec: BoardSpec) -> NDArray[np.int64]:
    """Indices of the cells, from the spec's digest alone, ascending."""
    random = np.random.default_rng(int(spec.digest[:16], 16))
    return np.sort(random.choice(spec.cell_count, min(_CELLS, spec.cell_count), replace=False))


def fingerprint(spec: BoardSpec, record: CalibrationRecord) -> Floats:
    """Gain errors, then threshold errors, each over its own spread; NaN for cells that are not good.

    What is found of a dead or noisy cell is another value each time: it would hide the likeness of all others.
    """
    parts = []
    for name, nominal in (("gain_scale", 1.0), ("threshold_offset_V", 0.0)):
        table = record.tables.get(name)
        measured = [] if table is None else zip(table.index, table.value - nominal, table.good, strict=True)
        known = {name: value for name, value, good in measured if good}
        values = np.array([known.get(str(spec.cells[cell]), np.nan) for cell in fingerprint_cells(spec)])
        spread = np.nanstd(values) if np.isfinite(values).any() else 1.0
        parts.append(values / (spread or 1.0))
    return np.concatenate(parts)


def likeness(spec: BoardSpec, one: CalibrationRecord, other: CalibrationRecord) -> float:
    """Correlation of two fingerprints; above MATCH they are of one board.

    Raises CalibrationError where the records share fewer than eight of the cells.
    """
    first, second = fingerprint(spec, one), fingerprint(spec, other)
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 16:
        raise CalibrationError(
            f"the records share {both.sum() // 2} of the fingerprint's {len(first) // 2} cells, 8 are needed; "
            "calibrate the board at level 'cells'"
        )
    return float(np.corrcoef(first[both], second[both])[0, 1])
