"""`refine`: the record corrected by what a whole image does on the board, all cells and banks at once.

Calibration measures each cell alone, at codes of its own choice. An image asks for other codes: what a curve leaves out
there shows in the ends of the image's own runs only. These are read from many presets, after each bank, and the
corrections that they make likely, the record being the prior, go into the record. Inputs that were kept back judge it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import BenchTime
from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, RunProgram, Table
from jackfield.compile import KnownBoard, uncertainties
from jackfield.errors import CalibrationError
from jackfield_calibration.baseline import with_sentinels
from jackfield_calibration.cell_calibration import one_group
from jackfield_calibration.observer import Observer, Silent
from jackfield_calibration.plan import Plan, RecordTime, planned_step
from jackfield_calibration.reader import Reader
from jackfield_calibration.refinement_model import CELLS, NODES, Observed, RefinementModel, fit
from jackfield_calibration.routine import Bench, Journal, Reading, Routine, Setting, scans_of_all
from jackfield_calibration.sentinel import TABLE, SentinelRoutine, watched_cells

__all__ = ["make_refine_plan", "refine"]

_INPUTS = 96
_KEPT_BACK = 4  # of so many inputs one
_REACH = 0.6  # of the presets' range

Integers = NDArray[np.int64]


class _RefineRoutine(Routine):
    """The runs of `image` from `codes[input, node]`, ended after each bank in turn, all nodes read."""

    name = "refine"

    def __init__(self, spec: BoardSpec, image: ConfigImage, program: RunProgram, codes: Integers) -> None:
        self._spec, self._image, self._program, self.codes = spec, image, program, codes

    def settings(self) -> Iterator[Setting]:
        for steps, part, program in self._programs():
            batch = self.codes[part]
            yield Setting(f"refine/{len(steps)}/{part.start}/{program.scan[0][0]}", self._image, batch, program)

    def _programs(self) -> Iterator[tuple[tuple[tuple[int, int], ...], slice, RunProgram]]:
        every = np.arange(1, self._spec.nodes.count + 1)
        most, whole = self._spec.run.inputs, self._program.steps
        for count in range(1, len(whole) + 1):
            for start in range(0, len(self.codes), most):
                part = slice(start, min(start + most, len(self.codes)))
                for scan in scans_of_all(self._spec, every):
                    program = replace(self._program, first=0, count=part.stop - start, steps=whole[:count], scan=scan)
                    yield whole[:count], part, program

    def observed(self, readings: list[Reading], droop_per_s: NDArray[np.float64]) -> list[Observed]:
        """What the runs of each length ended with."""
        shape = (len(self.codes), self._spec.nodes.count)
        found: dict[int, Observed] = {}
        for (steps, part, _), reading in zip(self._programs(), readings, strict=True):
            blank = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
            whole = found.setdefault(len(steps), Observed(steps, self.codes, *blank))
            seen = np.isfinite(reading.values)
            held = reading.values / np.exp(-droop_per_s * reading.held_s)
            for target, values in ((whole.end_V, held), (whole.se_V, reading.se), (whole.usable, reading.usable)):
                target[part][seen] = values[seen]
        return list(found.values())


def make_refine_plan(
    spec: BoardSpec,
    record: CalibrationRecord,
    image: ConfigImage,
    program: RunProgram,
    codes: Integers | None = None,
    record_s: RecordTime | None = None,
) -> Plan:
    """What `refine` reads. Errors as for `refine`."""
    record_s = record_s or BenchTime.of(spec).record_s
    routine = _routine(spec, record, image, program, codes, 0)
    sentinels = SentinelRoutine(spec, record, watched_cells(spec, record), "sentinels-refined")
    steps = tuple(planned_step(spec, each, record_s) for each in (routine, sentinels))
    return Plan(steps, 2 * int(image.enable.any(axis=0).sum()))


def refine(
    bench: Bench,
    spec: BoardSpec,
    run: Journal,
    record: CalibrationRecord,
    image: ConfigImage,
    program: RunProgram,
    *,
    seed: int,
    provenance: Mapping[str, Any],
    codes: Integers | None = None,
    observer: Observer | None = None,
) -> CalibrationRecord:
    """`record` with gains, thresholds, leaks, offsets and capacitances as the runs of `image` show them.

    `codes` `[input, node]` are presets like those that the image will meet; without them random ones are played. The
    standard errors stay those of the record, which are upper bounds now, and so do the verdicts. Sentinels are read
    anew, aimed by the new values. Raises CalibrationError where the record is another board's or has not measured the
    image's cells, and where inputs that were kept back are not predicted better than before: `record` then stays right.
    """
    if provenance["board_id"] != record.provenance["board_id"]:
        raise CalibrationError(
            f"the record is that of board {record.provenance['board_id']}, board {provenance['board_id']} is "
            "connected; calibrate this one first"
        )
    plan = make_refine_plan(spec, record, image, program, codes)
    reader = Reader(bench, spec, run, plan, observer or Silent())
    reader.reference_V()
    routine = _routine(spec, record, image, program, codes, seed)
    known = KnownBoard.from_record(spec, record)
    observed = routine.observed(reader.read_all(routine), known.droop_per_s)
    kept = slice(0, len(routine.codes) // _KEPT_BACK)
    judges = [part.part(kept) for part in observed]
    model = RefinementModel(spec, image, known, uncertainties(spec, record))
    values = fit(model, [part.part(slice(kept.stop, None)) for part in observed])
    before, after = model.rms_V(model.none(), judges), model.rms_V(values, judges)
    if not after < before:
        raise CalibrationError(
            f"the record predicts {len(routine.codes[kept])} inputs within {1e3 * before:.2f} mV rms, refined "
            f"{1e3 * after:.2f} mV: there is nothing to refine; use the record as it is"
        )
    tables = _shifted(spec, record, model.shifts(values))
    cells = watched_cells(spec, record)
    noise_V = float(np.median(record.tables[TABLE].se))
    tables = with_sentinels(tables, spec, reader, cells, noise_V, "sentinels-refined")
    said = {"image": image.digest(spec), "inputs": len(routine.codes), "off_before_V": before, "off_after_V": after}
    counted = {"seed": seed, "settings": reader.settings, "reads": reader.reads, "parent": record.digest}
    counted |= {"planned_settings": plan.settings, "planned_reads": plan.reads, "refined": said}
    before_it = {name: value for name, value in record.provenance.items() if name != "update"}  # what another run did
    return CalibrationRecord({**before_it, **provenance, **counted}, tables)


def _routine(
    spec: BoardSpec,
    record: CalibrationRecord,
    image: ConfigImage,
    program: RunProgram,
    codes: Integers | None,
    seed: int,
) -> _RefineRoutine:
    used = np.flatnonzero(image.enable.any(axis=0))
    if program.clamp or program.inject:
        raise CalibrationError(
            "the image drives nodes during its run, which cannot be refined; use the record as it is"
        )
    if not len(used):
        raise CalibrationError("the image enables no cell; give the image that the board is to run")
    one_group(spec, used)
    measured = record.tables["gain_scale"].index if "gain_scale" in record.tables else ()
    lacking = sorted({str(spec.cells[int(cell)]) for cell in used}.difference(measured))
    if lacking:
        raise CalibrationError(
            f"the record has not measured {len(lacking)} cells of the image ({lacking[0]}, ...); compile the image "
            "with the record, or calibrate its cells first"
        )
    if codes is None:
        preset = spec.nodes.preset
        random = np.random.default_rng([seed, 4])
        codes = preset.code(_REACH * preset.hi * random.uniform(-1, 1, (_INPUTS, spec.nodes.count)))
    return _RefineRoutine(spec, image, program, codes)


def _shifted(spec: BoardSpec, record: CalibrationRecord, shifts: Mapping[str, NDArray[np.float64]]) -> dict[str, Table]:
    places = {str(cell): place for place, cell in enumerate(spec.cells)}
    tables = dict(record.tables)
    for name in (*CELLS, *NODES):
        table = tables[name]
        rows = [places[key] if name in CELLS else int(key) - 1 for key in table.index]
        tables[name] = replace(table, value=table.value + shifts[name][rows])
    return tables
