"""`calibrate`: from a bench and a run folder to the record of one board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.bench import BenchTime
from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage
from jackfield.compile import is_lane_board
from jackfield.errors import CalibrationError
from jackfield_calibration import recipe
from jackfield_calibration.baseline import planned_baseline, with_fingerprint, with_sentinels
from jackfield_calibration.cell_calibration import CellCalibration, CellOutcome, one_group
from jackfield_calibration.cell_routine import CellRoutine, Known
from jackfield_calibration.graph import Asked
from jackfield_calibration.lane_calibration import calibrate_lanes, plan_lanes
from jackfield_calibration.node_estimator import NodeFit, estimate_nodes
from jackfield_calibration.node_routine import NodeRoutine
from jackfield_calibration.observer import Observer, Silent
from jackfield_calibration.offset_routine import OffsetRoutine, condition_offsets
from jackfield_calibration.plan import Plan, RecordTime, planned_step
from jackfield_calibration.reader import Reader
from jackfield_calibration.resonator_calibration import calibrate_resonators, plan_resonators
from jackfield_calibration.routine import Bench, Journal, Reading, Routine
from jackfield_calibration.shared import refined_nodes
from jackfield_calibration.tables import (
    CURVE,
    CellResults,
    board_table,
    cell_tables,
    crosstalk_table,
    node_tables,
    probe_tables,
    ratio_table,
)

__all__ = ["calibrate", "make_plan", "measured_cells"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_INPUTS, _INPUTS_AGAIN = 64, 32
_SPARES, _FEWEST_SPARES = 0.04, 8  # of the cells in use; the roughest profile refuses 2.5 %
_OFFSET_WIDTH = 0.03  # of the output limit: current offsets before anything is known


def make_plan(
    spec: BoardSpec,
    *,
    image: ConfigImage | None = None,
    cells: Integers | None = None,
    level: str = "cells",
    only: Sequence[str] = (),
    record_s: RecordTime | None = None,
) -> Plan:
    """What `calibrate` with the same arguments will set and read, repeats at the spec's own read noise.

    `record_s` says what a record takes on the bench at hand (None: on one with its instruments on a network).
    Raises CalibrationError for an unknown level, cells of several groups or of none with a gain.
    """
    asked = Asked.of(level, only)
    if is_lane_board(spec):
        return plan_lanes(spec)
    if spec.oscillator is not None:
        return plan_resonators(spec, level, record_s or BenchTime.of(spec).record_s)
    _check_laws(spec)
    wanted = _wanted(spec, image, cells, asked)
    random = np.random.default_rng(0)
    record_s = record_s or BenchTime.of(spec).record_s
    routines: list[Routine] = [
        NodeRoutine(spec, tag, min(inputs, spec.run.inputs), random, asked.records)
        for tag, inputs in (("measure", _INPUTS), ("verify", _INPUTS_AGAIN))
    ]
    if image is not None and "offsets" in asked.measured:
        routines.append(OffsetRoutine(spec, image))
    steps = [planned_step(spec, routine, record_s) for routine in routines]
    if len(wanted):
        known = Known.nothing(len(wanted))
        stages = [step for stage in recipe.STAGES for step in stage]
        for tag, step in [("set", step) for step in stages] + [("verify", step) for step in recipe.VERIFY]:
            steps.append(planned_step(spec, CellRoutine(spec, wanted, step, tag, known, random), record_s))
    steps += planned_baseline(spec, wanted, record_s)
    return Plan(tuple(steps), 2 * len(wanted) if len(wanted) else 2 * spec.nodes.count)


def calibrate(
    bench: Bench,
    spec: BoardSpec,
    run: Journal,
    *,
    seed: int,
    image: ConfigImage | None = None,
    cells: Integers | None = None,
    level: str = "cells",
    only: Sequence[str] = (),
    provenance: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
) -> CalibrationRecord:
    """Measure the board and return its record; every reading goes through `run` and is never taken twice.

    `image` is the compiled circuit: its cells and some spares are the wanted ones (unless `cells` lists indices in
    spec order) and the summed offsets of exactly its good cells and routes are measured, bank by bank. Without
    both, all cells are wanted. Level `nodes` leaves cells at nominal and measures presets, trims, leak, offsets
    and sums. `only` names parts (`jackfield_calibration.PARTS`): they and what they rely on are measured, the record
    gets the tables of these parts alone and says what they rely on.
    `provenance` needs `board_id`. Raises CalibrationError for what cannot be calibrated; errors of board and
    instruments pass through, and the run can be resumed.
    """
    given = dict(provenance or {})
    if "board_id" not in given:
        raise CalibrationError("a record belongs to one board; give its board_id in the provenance")
    asked = Asked.of(level, only)
    plan = make_plan(spec, image=image, cells=cells, level=level, only=only)
    reader = Reader(bench, spec, run, plan, observer or Silent())
    given |= {"level": level, "seed": seed}
    if is_lane_board(spec):
        return calibrate_lanes(spec, reader, seed, given, plan)
    if spec.oscillator is not None:
        return calibrate_resonators(spec, reader, level, seed, given, plan)
    wanted = _wanted(spec, image, cells, asked)
    if only:
        given |= {"only": list(asked.parts), "relies_on": list(asked.relies_on)}
    return _Calibration(spec, reader, image, wanted, seed, asked).record(given, plan)


def _check_laws(spec: BoardSpec) -> None:
    """Raise CalibrationError where no cell of the board has a gain: runs are timed by the largest."""
    if not any("gain" in group.parameters for group in spec.groups):
        laws = ", ".join(sorted({group.law for group in spec.groups}))
        raise CalibrationError(
            f"board {spec.name} has cells of law {laws}; boards whose cells have a gain can be calibrated, "
            "others are tuned in the loop from nominal codes (jackfield tune)"
        )


def _wanted(spec: BoardSpec, image: ConfigImage | None, cells: Integers | None, asked: Asked) -> Integers:
    """Cells to measure, ascending."""
    if "cells" not in asked.measured:
        return np.zeros(0, dtype=np.int64)
    if cells is None:
        cells = np.arange(spec.cell_count) if image is None else _with_spares(spec, image)
    wanted = np.unique(cells).astype(np.int64)
    if wanted[0] < 0 or wanted[-1] >= spec.cell_count:
        raise CalibrationError(f"cell index {wanted[-1]} is asked, board {spec.name} has 0..{spec.cell_count - 1}")
    one_group(spec, wanted)
    return wanted


def _with_spares(spec: BoardSpec, image: ConfigImage) -> Integers:
    """The cells that `image` enables, and verified ones for the edges of those that turn out bad."""
    enabled = image.enable.any(axis=0)
    used, unused = np.flatnonzero(enabled), np.flatnonzero(~enabled)
    count = min(len(unused), max(_FEWEST_SPARES, round(_SPARES * len(used))))
    spread = np.linspace(0, len(unused) - 1, count).round().astype(np.int64) if count else unused
    return np.concatenate([used, unused[spread]])


def _only(image: ConfigImage, cells: Integers) -> ConfigImage:
    """`image` with every cell but `cells` disabled: those that will be used are summed, no others."""
    kept = image.copy()
    kept.enable[:, np.setdiff1d(np.arange(kept.enable.shape[1]), cells)] = False
    return kept


@dataclass
class _Calibration:
    """One calibration under way."""

    spec: BoardSpec
    reader: Reader
    image: ConfigImage | None
    wanted: Integers
    seed: int
    asked: Asked

    def record(self, provenance: Mapping[str, Any], plan: Plan) -> CalibrationRecord:
        volts = self.reader.reference_V()
        nodes, readings = self._nodes("measure", _INPUTS)
        tables = {"reference_V": board_table(volts, 0.0, True)}
        outcome = None
        if len(self.wanted):
            random = np.random.default_rng([self.seed, 2])
            outcome = CellCalibration(self.spec, self.wanted, nodes, self.reader, random).run()
            nodes = refined_nodes(nodes, outcome.shared, outcome.shared_se)
        ratio, ratio_se, measured = self._ratio(outcome)
        results = self._results(outcome, nodes, ratio)
        again, fresh = self._nodes("verify", _INPUTS_AGAIN)
        tables |= node_tables(self.spec, nodes, again, ratio, ratio_se)
        tables |= ratio_table(self.spec, ratio, ratio_se, measured)
        tables |= probe_tables(self.spec, _slots(readings), _slots(fresh), volts)
        tables["crosstalk"] = crosstalk_table(self.spec, nodes.crosstalk, again.crosstalk, int(nodes.reads.sum()))
        tables |= cell_tables(self.spec, results)
        if outcome is not None:
            knee, limit = float(outcome.shared.knee_V), float(outcome.shared.limit)
            knee_se, limit_se = float(outcome.shared_se[-2]) / (2 * knee), float(outcome.shared_se[-1])
            most = bool(np.mean(results.good) > 0.5)
            tables["knee_V"] = board_table(knee, knee_se, most)
            tables["saturation"] = board_table(1 / limit, limit_se / limit**2, most)
        provenance = with_fingerprint(provenance, self.spec, self.reader)
        tables = with_sentinels(tables, self.spec, self.reader, self.wanted, nodes.noise_V)
        if outcome is not None:
            provenance["misfit"] = outcome.fit.noise_V / nodes.noise_V
        kept = {name: table for name, table in tables.items() if self.asked.keeps(name)}
        return CalibrationRecord(self._provenance(provenance, plan), kept)

    def _provenance(self, given: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
        parameters = max(plan.parameters, 1)
        return {
            **given,
            "spec": self.spec.name,
            "spec_digest": self.spec.digest,
            "gauge": "currents over nominal capacitance, mean ln C 0 over measured nodes, volts at the reference",
            "planned_settings": plan.settings,
            "planned_reads": plan.reads,
            "settings": self.reader.settings,
            "reads": self.reader.reads,
            "reads_per_parameter": self.reader.reads / parameters,
            "tolerance": {
                name: getattr(self.spec.tolerance, name)
                for name in ("gain_lsb", "threshold_lsb", "preset_lsb", "probe_lsb")
            },
        }

    def _nodes(self, tag: str, inputs: int) -> tuple[NodeFit, list[Reading]]:
        random = np.random.default_rng([self.seed, 1, inputs])
        routine = NodeRoutine(self.spec, tag, min(inputs, self.spec.run.inputs), random, self.asked.records)
        readings = self.reader.read_all(routine)
        return estimate_nodes(self.spec, routine.runs, readings), readings

    def _ratio(self, outcome: CellOutcome | None) -> tuple[Floats, Floats, Flags]:
        """C_n/C_ref, its standard errors, and whether it was measured."""
        count = self.spec.nodes.count
        if outcome is None:
            return np.ones(count), np.full(count, 0.05), np.zeros(count, dtype=np.bool_)
        ratio = torch.exp(outcome.shared.log_capacitance).numpy()
        return ratio, ratio * outcome.shared_se[:count].numpy(), outcome.shared.in_gauge.numpy()

    def _results(self, outcome: CellOutcome | None, nodes: NodeFit, ratio: Floats) -> CellResults:
        """All rows of the cell tables; at level `nodes` the cells of the image, of which only sums are known."""
        spec = self.spec
        cells = self.wanted
        if outcome is None:
            enabled = None if self.image is None else np.flatnonzero(self.image.enable.any(axis=0))
            cells = np.arange(spec.cell_count) if enabled is None else enabled
        part = spec.group_of(int(cells[0]))
        offset = np.zeros(spec.cell_count)
        variance = np.full(spec.cell_count, (_OFFSET_WIDTH * part.output_limit_A) ** 2)
        if outcome is not None:
            offset[cells] = outcome.fit.value[:, 3].numpy() * part.output_limit_A
            variance[cells] = outcome.fit.covariance[:, 3, 3].numpy() * part.output_limit_A**2
        if self.image is not None and "offsets" in self.asked.measured:
            image = self.image if outcome is None else _only(self.image, cells[outcome.verdict.good])
            routine = OffsetRoutine(spec, image)
            if routine.banks:
                sums = routine.sums(self.reader.read_all(routine), nodes, ratio * spec.nodes.capacitance_F)
                offset, variance = condition_offsets(image, routine.banks, offset, variance, sums)
        if outcome is None:
            return _unmeasured(cells, offset[cells], np.sqrt(variance[cells]))
        return measured_cells(cells, part.parameters["gain"].hi, outcome, offset[cells], np.sqrt(variance[cells]))


def measured_cells(
    cells: Integers, largest: float, outcome: CellOutcome, offset: Floats, offset_se: Floats
) -> CellResults:
    """Rows of the cell tables for `outcome`; current offsets and their standard errors `[cell]` in A."""
    value, se = outcome.fit.value.numpy(), np.sqrt(np.diagonal(outcome.fit.covariance.numpy(), axis1=1, axis2=2))
    names = {"gain_zero_S": 1, **{name: 4 + k for k, name in enumerate(CURVE)}}
    values = {"gain_scale": 1 + value[:, 0], "threshold_offset_V": value[:, 2], "current_offset_A": offset}
    errors = {"gain_scale": se[:, 0], "threshold_offset_V": se[:, 2], "current_offset_A": offset_se}
    verdict = outcome.verdict
    return CellResults(
        cells,
        values | {name: value[:, at] * largest for name, at in names.items()},
        errors | {name: se[:, at] * largest for name, at in names.items()},
        verdict.gain_residual,
        verdict.threshold_residual_V,
        outcome.reads,
        verdict.good,
        outcome.reason,
    )


def _unmeasured(cells: Integers, offset: Floats, offset_se: Floats) -> CellResults:
    none, unknown = np.zeros(len(cells)), np.full(len(cells), np.inf)
    names = ("threshold_offset_V", "gain_zero_S", *CURVE)
    return CellResults(
        cells,
        {"gain_scale": none + 1, "current_offset_A": offset} | dict.fromkeys(names, none),
        {"gain_scale": unknown, "current_offset_A": offset_se} | dict.fromkeys(names, unknown),
        none,
        none,
        np.zeros(len(cells), dtype=np.int64),
        np.zeros(len(cells), dtype=np.bool_),
        ["not_measured"] * len(cells),
    )


def _slots(readings: list[Reading]) -> tuple[Floats, Floats]:
    """Ground and reference slots of all records, `[slot, probe]`."""
    return (
        np.concatenate([reading.ground for reading in readings]),
        np.concatenate([reading.reference for reading in readings]),
    )
