"""Whether a record belongs to the board at hand: what shows of the gain and threshold errors of 64 cells.

The cells follow from the spec's digest. Each runs once, all with the same codes and presets, so that what differs
between their readings is the board's own: one read a cell, 64 at most. Calibration keeps the readings in the record's
provenance; before the record is used on a bench they are taken again, and the correlation tells.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, RunProgram
from jackfield.errors import CalibrationError
from jackfield_calibration.groups import form_groups
from jackfield_calibration.node_routine import time_constant
from jackfield_calibration.routine import Bench, Reading, Routine, Setting, arrays_of, scan_lists

__all__ = ["MATCH", "Fingerprint", "FingerprintRoutine", "fingerprint_cells", "likeness", "read_fingerprint"]

Floats = NDArray[np.float64]

MATCH = 0.8
_CELLS = 64
_FEWEST = 8  # readings that both have, below which a correlation says nothing
_GAIN, _RUN, _START = -0.5, 0.8, 0.15  # of the largest gain; of C over that gain, k = 2gT/C; of the rail, either way
_WITHIN = 3.0  # standard errors, rms: two boards without errors of their own cannot be told apart


@dataclass(frozen=True)
class Fingerprint:
    """Names of cells, the volts read of each (NaN where unusable) and their standard errors."""

    cells: tuple[str, ...]
    volts: Floats
    se: Floats

    def to_provenance(self) -> dict[str, Any]:
        """As a table of record.toml."""
        return {"cells": list(self.cells), "volts": self.volts.tolist(), "se_V": self.se.tolist()}

    @classmethod
    def from_provenance(cls, provenance: Mapping[str, Any]) -> "Fingerprint":
        """The one in a record's provenance; raises CalibrationError where it has none."""
        try:
            table = provenance["fingerprint"]
            volts, se = (np.array(table[name], dtype=np.float64) for name in ("volts", "se_V"))
            found = cls(tuple(table["cells"]), volts, se)
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(
                "the record has no fingerprint of its board; calibrate the board again, or use --other-board"
            ) from error
        return found

    def likeness(self, other: "Fingerprint") -> float:
        """Correlation of the readings; 1 where both differ by no more than their noise, for want of errors to tell by.

        Raises CalibrationError where too few cells have readings in both.
        """
        mine, theirs = dict(zip(self.cells, self.volts, strict=True)), dict(zip(other.cells, other.volts, strict=True))
        pairs = np.array([(mine[cell], theirs[cell]) for cell in self.cells if cell in theirs]).reshape(-1, 2)
        pairs = pairs[np.isfinite(pairs).all(1)]
        if len(pairs) < _FEWEST:
            raise CalibrationError(
                f"the fingerprints share {len(pairs)} readings, {_FEWEST} are needed; calibrate the board again"
            )
        noise = np.hypot(np.nanmedian(self.se), np.nanmedian(other.se))
        if np.sqrt(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2)) <= _WITHIN * noise:
            return 1.0
        return float(np.corrcoef(pairs.T)[0, 1]) if pairs.std(0).all() else 0.0


def fingerprint_cells(spec: BoardSpec) -> NDArray[np.int64]:
    """Indices of the cells, from the spec's digest alone, ascending."""
    random = _random(spec)
    return np.sort(random.choice(spec.cell_count, min(_CELLS, spec.cell_count), replace=False))


def _random(spec: BoardSpec) -> np.random.Generator:
    return np.random.default_rng(int(spec.digest[:16], 16))


class FingerprintRoutine(Routine):
    """One input for each group of disjoint cells; of each cell its destination is read."""

    name = "fingerprint"

    def __init__(self, spec: BoardSpec) -> None:
        self._spec = spec
        self._groups = form_groups(spec, fingerprint_cells(spec), _random(spec))

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        spec = self._spec
        for number, group in enumerate(self._groups):
            image = ConfigImage.safe(spec)
            image.enable[0, group.cells] = True
            image.source[0, group.cells], image.destination[0, group.cells] = group.source, group.destination
            inputs = np.full((1, spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
            start = _START * spec.nodes.rail_V[1]
            inputs[0, group.source - 1] = spec.nodes.preset.code(start)
            inputs[0, group.destination - 1] = spec.nodes.preset.code(-start)
            for cell in group.cells:
                gain = spec.group_of(int(cell)).parameters.get("gain")
                if gain is not None:
                    share = abs(_GAIN) if gain.one_sided else _GAIN
                    image.codes["gain"][0, cell] = gain.code(gain.clip(share * gain.hi))
            run_s = float(np.clip(_RUN / (2 * abs(_GAIN)) * time_constant(spec), spec.run.min_s, spec.run.max_s))
            program = RunProgram(((0, round(run_s / spec.run.tick_s)),), scan_lists(spec, group.destination))
            yield Setting(f"{self.name}/{number}", image, inputs, program)

    def found(self, readings: list[Reading]) -> Fingerprint:
        """The fingerprint that the readings make."""
        volts: dict[int, float] = {}
        se: dict[int, float] = {}
        for group, reading in zip(self._groups, readings, strict=True):
            at = group.destination - 1
            usable = reading.usable[0, at]
            volts |= dict(zip(group.cells.tolist(), np.where(usable, reading.values[0, at], np.nan), strict=True))
            se |= dict(zip(group.cells.tolist(), reading.se[0, at], strict=True))
        cells = sorted(volts)
        names = tuple(str(self._spec.cells[cell]) for cell in cells)
        return Fingerprint(names, np.array([volts[cell] for cell in cells]), np.array([se[cell] for cell in cells]))


def read_fingerprint(bench: Bench, spec: BoardSpec) -> Fingerprint:
    """The fingerprint of the board on `bench`, read now, in at most 64 reads; the board gets other settings for it."""
    routine = FingerprintRoutine(spec)
    readings = []
    for setting in routine.settings():
        bench.board.apply(setting.image)
        arrays = arrays_of(bench.measure(setting.inputs, setting.program))
        readings.append(Reading.of(spec, setting.program, arrays))
    return routine.found(readings)


def likeness(one: CalibrationRecord, other: CalibrationRecord) -> float:
    """Correlation of two records' fingerprints; above MATCH they are of one board.

    Raises CalibrationError where one has none or they share too few readings.
    """
    first, second = (Fingerprint.from_provenance(record.provenance) for record in (one, other))
    return first.likeness(second)
