"""A bench as the target of a sweep: any code, route, preset, trim, time or source set, any node or instrument read."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import BoardSpec, ConfigImage, Measurement, RunProgram
from jackfield.device import AbstractBoard
from jackfield.errors import DesignError, InstrumentError
from jackfield_calibration.routine import scan_lists
from jackfield_calibration.sweep import Axis
from jackfield_calibration.sweep_names import Named, parse_read, parse_set

__all__ = ["BoardTarget"]

Integers = NDArray[np.int64]

_ROUTES = ("source", "destination")


@final
class BoardTarget:
    """Sets quantities by name on `bench`, `fixed` ones from the beginning, and reads those of `read`.

    Without `image` all cells are off but those that are set, and bank 0 runs for `run.duration` (the shortest run if
    not set); with an image its banks run for the image's own `steps`, and what is set changes it.
    """

    def __init__(
        self,
        bench: Bench[AbstractBoard],
        fixed: Mapping[str, float],
        read: Sequence[str],
        image: ConfigImage | None = None,
        steps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Raises DesignError for a name that is nothing, or a value that the board cannot take."""
        self._bench, self._spec = bench, bench.spec
        self._read = {name: parse_read(self._spec, name) for name in read}
        self._image, self._steps = image, tuple(steps)
        self._fixed = dict(fixed)
        self._point: Mapping[str, float] = {}
        self._applied: bytes | None = None
        self._settings({})

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """Each quantity that is read, nodes with their standard error and with what is wrong (0 nothing)."""
        columns: list[tuple[str, str]] = []
        for name, found in self._read.items():
            columns.append((name, found.unit))
            if found.kind == "node":
                columns += [(f"{name} se", found.unit), (f"{name} flag", "")]
        return columns

    def check(self, axes: Sequence[Axis]) -> None:
        """Raise DesignError where a value of an axis is none that the board can take."""
        first = {axis.name: axis.values[0] for axis in axes if axis.values}
        for axis in axes:
            for value in axis.values:
                self._settings({**first, axis.name: value})

    def set(self, point: Mapping[str, float]) -> None:
        """See `Target`; settings go to the board when it is read."""
        self._point = dict(point)
        for name, value in self._point.items():
            found = parse_set(self._spec, name)
            if found.kind == "source":
                self._bench.sources[self._source(found)].drive(value)

    def read(self, number: int) -> list[float]:
        """See `Target`: one record of the scanned nodes, then the meter and the board."""
        image, presets, program = self._settings(self._point)
        payload = image.payload(self._spec)
        if payload != self._applied:
            self._bench.board.apply(image)
            self._applied = payload
        measured = self._bench.measure(presets, program, 1 + number)
        return [value for found in self._read.values() for value in self._values(found, measured)]

    def _values(self, found: Named, measured: Measurement) -> list[float]:
        if found.kind == "node":
            at = measured.nodes.index(found.number)
            flag = 2 * bool(measured.clipped[0, at]) + bool(measured.railed[0, at])
            return [float(measured.values_V[0, at]), float(measured.se_V[0, at]), float(flag)]
        if found.kind == "probe":
            return [float(getattr(measured, f"{found.what}_V")[0, found.number - 1])]
        if found.kind == "scope":
            return [measured.clock_ratio]
        if found.kind == "meter":
            if self._bench.voltmeter is None:
                raise InstrumentError("meter.reference is to be read, the bench has no meter; add [instruments.dmm]")
            return [self._bench.voltmeter.read_volts()]
        degrees = self._bench.board.status().temperature_C
        return [float("nan") if degrees is None else degrees]

    def _settings(self, point: Mapping[str, float]) -> tuple[ConfigImage, Integers, RunProgram]:
        """Image, preset codes `[1, node]` and program of a point."""
        spec = self._spec
        image = (self._image or ConfigImage.safe(spec)).copy()
        presets = np.full((1, spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
        seconds = {"duration": spec.run.min_s, "hold": 0.0}
        asked = [(parse_set(spec, name), value) for name, value in {**self._fixed, **point}.items()]
        for found, value in sorted(asked, key=lambda pair: pair[0].what not in _ROUTES):  # routes before codes
            if found.kind == "cell":
                _set_cell(spec, image, found, value, fresh=self._image is None)
            elif found.kind == "run":
                self._check_time(found)
                seconds[found.what] = value
            elif found.kind == "source":
                self._source(found)
            elif found.what == "preset":
                presets[0, found.number - 1] = spec.nodes.preset.code(value)
            else:
                image.trim[:, found.number - 1] = spec.nodes.trim.code(value)
        return image, presets, self._program(seconds["duration"], seconds["hold"])

    def _program(self, run_s: float, hold_s: float) -> RunProgram:
        tick_s = self._spec.run.tick_s
        nodes = [found.number for found in self._read.values() if found.kind == "node"] or [1]  # a record shows one
        steps = self._steps or ((0, max(1, round(run_s / tick_s))),)
        scan = scan_lists(self._spec, np.array(nodes, dtype=np.int64))
        program = RunProgram(steps, scan, count=1, hold_ticks=round(hold_s / tick_s))
        program.check(self._spec)
        return program

    def _check_time(self, found: Named) -> None:
        if self._steps and found.what == "duration":
            raise DesignError("run.duration is to be set; an image brings its own times, sweep without one")

    def _source(self, found: Named) -> int:
        count = len(self._bench.sources)
        if not 1 <= found.number <= count:
            raise DesignError(f"source {found.number} is to be set, the bench has {count}; add [instruments.smu]")
        return found.number - 1


def _set_cell(spec: BoardSpec, image: ConfigImage, found: Named, value: float, fresh: bool) -> None:
    """One code or route of a cell, in bank 0 or in the banks where the image has it on; a fresh cell is switched on."""
    cell, group = found.number, spec.group_of(found.number)
    banks = [bank for bank in range(spec.run.banks) if image.enable[bank, cell]] or [0]
    if fresh and not image.enable[0, cell]:
        image.enable[0, cell] = True
        image.source[0, cell], image.destination[0, cell] = _first_route(spec, cell)
    for bank in banks:
        if found.what in _ROUTES:
            getattr(image, found.what)[bank, cell] = int(value)
            ends = int(image.source[bank, cell]), int(image.destination[bank, cell])
            if not group.reach.allows(cell - group.first, *ends):
                raise DesignError(f"cell {spec.cells[cell]} cannot run from node {ends[0]} to node {ends[1]}")
            continue
        name = found.what.removesuffix(".code")
        scale = group.parameters[name]
        code = int(value) if found.what.endswith(".code") else int(scale.code(value))
        low, high = scale.code_range
        if not low <= code <= high:
            raise DesignError(f"{name} code {code} is asked of cell {spec.cells[cell]}, it takes {low}..{high}")
        image.codes[name][bank, cell] = code


def _first_route(spec: BoardSpec, cell: int) -> tuple[int, int]:
    group = spec.group_of(cell)
    number = cell - group.first
    pairs = ((s, d) for s in group.reach.sources(number) for d in group.reach.destinations(number))
    return next(((s, d) for s, d in pairs if s and d and s != d), (0, 0))
