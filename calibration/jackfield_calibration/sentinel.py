"""Sentinels: one read a cell that shows whether the cell still is what the record says.

Each runs at a negative gain, where the overdrive grows before it is read (at a positive one where the DACs have no
other), with codes and presets that follow from the cell's own rows of the record and from nothing else. Calibration
takes them last and keeps the volts in the record (`sentinel_V`); later readings are compared with those, so that no
error of a model comes between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, RunProgram, Table
from jackfield.errors import CalibrationError
from jackfield_calibration.groups import Group, form_groups
from jackfield_calibration.node_routine import time_constant
from jackfield_calibration.routine import Reading, Routine, Setting, scan_lists

__all__ = [
    "AIMED_BY",
    "AIMED_BY_NODES",
    "TABLE",
    "Moved",
    "SentinelRoutine",
    "moved_cells",
    "sentinel_table",
    "watched_cells",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TABLE = "sentinel_V"
AIMED_BY = ("gain_scale", "gain_zero_S", "threshold_offset_V", "current_offset_A")
"""The cell's quantities that its sentinel follows from."""
AIMED_BY_NODES = ("preset_gain", "preset_offset_V", "node_offset_A")
"""Those of the nodes."""
# Of the largest gain; k = 2 g T/C. The overdrive grows 80 times, so that what a threshold's error adds outweighs what a
# gain's error takes away and they do not hide each other.
_GAIN, _TURN = -0.8, 4.4
_DECAY = 1.0  # the turn where the overdrive decays: a gain's error shows most
_CURRENT, _SWING, _SHARE = 0.8, 1.6, 0.55  # of the output limit; of the rail between two nodes; of what these allow
_SURE = 4.0  # standard errors: one cell in 16,000 strays so far
_PACES = (1, 2, 4)  # a weak cell aims at so many times less and runs so many times longer: it turns as far
_REACHED = 0.75  # of the largest gain, times its pace: what a cell has to hold
_LEAST_SCALE = 0.2  # a cell of less gain has no code to aim with


class SentinelRoutine(Routine):
    """Groups of disjoint cells, always the same for a spec, so that a cell meets the same nodes each time."""

    def __init__(self, spec: BoardSpec, record: CalibrationRecord, cells: Integers, name: str = "sentinels") -> None:
        """For `cells` of `record`. Raises CalibrationError where the record does not have one of them."""
        self.name = name
        self._prepare(spec, cells, *(_column(spec, record, quantity) for quantity in AIMED_BY))
        self._nodes = tuple(record.tables[quantity].value for quantity in AIMED_BY_NODES)

    @classmethod
    def nominal(cls, spec: BoardSpec, cells: Integers) -> "SentinelRoutine":
        """For cells of which nothing is known: what a plan counts."""
        routine = cls.__new__(cls)
        routine.name = "sentinels"
        none = np.zeros(spec.cell_count)
        routine._prepare(spec, cells, none + 1, none, none, none)
        nothing = np.zeros(spec.nodes.count)
        routine._nodes = (nothing + 1, nothing, nothing)
        return routine

    def _prepare(
        self, spec: BoardSpec, cells: Integers, scale: Floats, zero: Floats, threshold: Floats, current: Floats
    ) -> None:
        self._spec = spec
        lacking = cells[~np.isfinite((scale + zero + threshold + current)[cells])]
        if len(lacking):
            raise CalibrationError(f"the record does not have cell {spec.cells[lacking[0]]}; calibrate it first")
        part = spec.group_of(int(cells[0]))
        everything = np.arange(part.first, part.first + part.count)
        self._gain, self._threshold = part.parameters["gain"], part.parameters["threshold"]
        self._limit_A = part.output_limit_A
        self._scale = np.where(np.abs(scale) < _LEAST_SCALE, 1.0, scale)
        self._zero, self._offset, self._current = zero, threshold, current
        aim, self._turn = _GAIN, _TURN
        if self._gain.one_sided:
            aim, self._turn = -_GAIN, _DECAY
        enough = np.abs(self._scale)[:, None] * np.array(_PACES) >= _REACHED
        pace = np.where(enough.any(1), np.array(_PACES)[enough.argmax(1)], _PACES[-1])
        self._aim_S = aim * self._gain.hi / pace
        groups = form_groups(spec, everything, np.random.default_rng(int(spec.digest[16:32], 16)))
        self._groups = [
            (kept, slower)
            for slower in _PACES
            for group in groups
            if len(kept := _of(group, cells[pace[cells] == slower]))
        ]

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        spec = self._spec
        run_s = self._turn * time_constant(spec) / (2 * abs(_GAIN))
        for number, (group, slower) in enumerate(self._groups):
            ticks = round(float(np.clip(run_s * slower, spec.run.min_s, spec.run.max_s)) / spec.run.tick_s)
            image = ConfigImage.safe(spec)
            image.enable[0, group.cells] = True
            image.source[0, group.cells], image.destination[0, group.cells] = group.source, group.destination
            nominal = ((self._aim_S - self._zero) / self._scale)[group.cells]
            image.codes["gain"][0, group.cells] = self._gain.code(self._gain.clip(nominal))
            image.codes["threshold"][0, group.cells] = self._threshold.middle
            left_A = self._stilled(image, group)
            half = self._start_V(group, left_A, ticks * spec.run.tick_s) / 2
            volts = np.zeros(spec.nodes.count)
            volts[group.source - 1], volts[group.destination - 1] = half, -half
            preset = spec.nodes.preset
            inputs = preset.code(preset.clip((volts - self._nodes[1]) / self._nodes[0]))[None]
            program = RunProgram(((0, ticks),), scan_lists(spec, group.destination))
            yield Setting(f"{self.name}/{number}", image, inputs, program)

    def _stilled(self, image: ConfigImage, group: Group) -> Floats:
        """Let the trims hold what offset currents of cell and nodes drive through each cell; what is left of it, A.

        Offset currents move the point that the voltage grows away from, with a gain's error as with a threshold's, so
        that the two could hide each other.
        """
        trim, node_A = self._spec.nodes.trim, self._nodes[2]
        flows = self._current[group.cells] + (node_A[group.destination - 1] - node_A[group.source - 1]) / 2
        against = trim.code(trim.clip(flows))
        image.trim[0, group.source - 1] = against
        image.trim[0, group.destination - 1] = trim.code(-trim.value(against))
        return np.asarray(flows - trim.value(against))

    def _start_V(self, group: Group, flows: Floats, run_s: float) -> Floats:
        """Voltage across each cell at the start, so that growth ends inside rails and below saturation."""
        cells = group.cells
        aim_S = self._aim_S[cells]
        growth = np.maximum(1.0, np.exp(-2 * aim_S * run_s / self._spec.nodes.capacitance_F))
        threshold = self._threshold.value(np.full(len(cells), self._threshold.middle)) + self._offset[cells]
        rail = self._spec.nodes.rail_V[1]
        over = np.minimum(_CURRENT * self._limit_A / np.abs(aim_S), _SWING * rail - np.abs(threshold)) / growth
        return np.asarray(threshold + _SHARE * over - flows / aim_S)

    def found(self, readings: list[Reading]) -> tuple[Integers, Floats, Floats]:
        """Cells (ascending), volts (NaN where unusable) and standard errors within the slot."""
        cells = np.concatenate([group.cells for group, _ in self._groups])
        volts, se = np.zeros(len(cells)), np.zeros(len(cells))
        start = 0
        for (group, _), reading in zip(self._groups, readings, strict=True):
            at, rows = group.destination - 1, slice(start, start + len(group))
            volts[rows] = np.where(reading.usable[0, at], reading.values[0, at], np.nan)
            se[rows] = reading.se[0, at]
            start += len(group)
        order = np.argsort(cells)
        return cells[order], volts[order], se[order]


def _of(group: Group, cells: Integers) -> Group:
    kept = np.isin(group.cells, cells)
    return Group(group.cells[kept], group.source[kept], group.destination[kept])


def _column(spec: BoardSpec, record: CalibrationRecord, name: str) -> Floats:
    """Values of a cell table `[cell]`, NaN where the record has none."""
    values = np.full(spec.cell_count, np.nan)
    table = record.tables[name]
    places = {str(cell): place for place, cell in enumerate(spec.cells)}
    values[[places[index] for index in table.index]] = table.value
    return values


def sentinel_table(
    spec: BoardSpec, found: tuple[Integers, Floats, Floats], noise_V: float, reasons: dict[str, str]
) -> Table:
    """What was read, for the record: `noise_V` is the noise of a read beyond its slot, `reasons` those of the cells."""
    cells, volts, se = found
    index = tuple(str(spec.cells[cell]) for cell in cells)
    usable = np.isfinite(volts)
    reason = [reasons.get(name, "ok") if fine else "not_measured" for name, fine in zip(index, usable, strict=True)]
    good = np.array([why == "ok" for why in reason], dtype=np.bool_)
    value, spread = np.where(usable, volts, 0.0), np.hypot(np.nan_to_num(se), noise_V)
    return Table(index, value, np.zeros(len(cells)), spread, np.ones(len(cells), dtype=np.int64), good, tuple(reason))


def watched_cells(spec: BoardSpec, record: CalibrationRecord) -> Integers:
    """Indices of the cells with a good sentinel, ascending. Raises CalibrationError where there are none."""
    table = record.tables.get(TABLE)
    if table is None or not table.good.any():
        raise CalibrationError(f"the record has no sentinels ({TABLE}.csv); calibrate the board at level 'cells'")
    places = {str(cell): place for place, cell in enumerate(spec.cells)}
    return np.array(sorted(places[name] for name, good in zip(table.index, table.good, strict=True) if good), dtype=int)


@dataclass(frozen=True)
class Moved:
    """`cells` whose sentinels moved, of `watched`; `z[cell in watched]` by how many standard errors."""

    cells: Integers
    watched: Integers
    z: Floats


def moved_cells(spec: BoardSpec, record: CalibrationRecord, found: tuple[Integers, Floats, Floats]) -> Moved:
    """Which of the cells with a good sentinel in `record` moved, by readings `found` now.

    A reading that became unusable counts as moved.
    """
    table = record.tables[TABLE]
    before = {name: row for row, name in enumerate(table.index) if table.good[row]}
    cells, volts, se = found
    kept = np.array([str(spec.cells[cell]) in before for cell in cells], dtype=np.bool_)
    rows = np.array([before[str(spec.cells[cell])] for cell in cells[kept]], dtype=np.int64)
    now = np.maximum(np.nan_to_num(se[kept]), table.se[rows])  # the noise of a run is in the record's
    z = (volts[kept] - table.value[rows]) / np.hypot(now, table.se[rows])
    far = ~(np.abs(z) < _SURE)
    return Moved(cells[kept][far], cells[kept], z)
