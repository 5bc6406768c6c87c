"""Calibrates a board of integrators and lanes: gains and offsets of lanes, multipliers, integrators, presets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield_calibration.lane_estimator import LaneFit, fit_lanes, names_of
from jackfield_calibration.lane_routines import IdleRoutine, LaneRoutine, MultiplierRoutine
from jackfield_calibration.plan import Plan, PlannedStep
from jackfield_calibration.reader import Reader
from jackfield_calibration.routine import Reading, Routine, Setting

__all__ = ["calibrate_lanes", "plan_lanes"]

Floats = NDArray[np.float64]
TAGS = ("measure", "verify")
LANE_SETTINGS, MULTIPLIER_SETTINGS, INPUTS = 32, 24, 8
TABLES = {
    "gain_scale": (("lane_gain", "product_gain"), 1.0),
    "current_offset_A": (("lane_offset", "product_offset"), 0.0),
    "node_offset_A": (("input_offset",), 0.0),
    "capacitance_ratio": (("speed",), 1.0),
    "preset_gain": (("preset_gain",), 1.0),
    "preset_offset_V": (("preset_offset",), 0.0),
    "probe_gain": (("reading_gain",), 1.0),
    "probe_offset_V": (("reading_offset",), 0.0),
}
"""A record's quantities: the kinds of parameters in it, and their nominal value."""


def plan_lanes(spec: BoardSpec) -> Plan:
    """What `calibrate_lanes` will set and read."""
    steps = []
    for routine in (routine for tag in TAGS for routine in _routines(spec, tag, 0)):
        settings = list(routine.settings())
        ticks = sum(setting.program.steps[0][1] * len(setting.inputs) for setting in settings)
        reads = sum(setting.reads for setting in settings)
        board_s = ticks * spec.run.tick_s
        steps.append(PlannedStep(routine.name, len(settings), reads, board_s, board_s))  # it reads itself: no bench
    return Plan(tuple(steps), len(names_of(spec)))


def _routines(spec: BoardSpec, tag: str, seed: int) -> list[Routine]:
    # Verification takes as much again, with other codes: fewer readings would call good gains noisy.
    random = np.random.default_rng([seed, 1 + TAGS.index(tag)])
    return [
        IdleRoutine(spec, tag, INPUTS, random),
        LaneRoutine(spec, tag, LANE_SETTINGS, INPUTS, random),
        MultiplierRoutine(spec, tag, MULTIPLIER_SETTINGS, INPUTS, random),
    ]


def calibrate_lanes(
    spec: BoardSpec, reader: Reader, seed: int, given: Mapping[str, Any], plan: Plan
) -> CalibrationRecord:
    """The record of a board: a joint fit, verified on fresh runs with other codes."""
    fit = fit_lanes(spec, *_read(spec, reader, "measure", seed))
    again = fit_lanes(spec, *_read(spec, reader, "verify", seed), start=fit.value)
    provenance = {
        **given,
        "spec": spec.name,
        "spec_digest": spec.digest,
        "gauge": "lanes and integrators about nominal on average, volts as the board's converters read them",
        "planned_settings": plan.settings,
        "planned_reads": plan.reads,
        "settings": reader.settings,
        "reads": reader.reads,
        "reads_per_parameter": reader.reads / plan.parameters,
        "misfit": fit.misfit,
        "tolerance": {"gain_lsb": spec.tolerance.gain_lsb, "preset_lsb": spec.tolerance.preset_lsb},
    }
    return CalibrationRecord(provenance, _tables(spec, fit, again, reader.reads))


def _read(spec: BoardSpec, reader: Reader, tag: str, seed: int) -> tuple[list[Setting], list[Reading]]:
    settings, readings = [], []
    for routine in _routines(spec, tag, seed):
        for setting in routine.settings():
            settings.append(setting)
            readings.append(reader.read(routine.name, setting))
    return settings, readings


def _tables(spec: BoardSpec, fit: LaneFit, again: LaneFit, reads: int) -> dict[str, Table]:
    names, residual = names_of(spec), again.value - fit.value
    tolerance = spec.tolerance.gain_lsb * spec.group("L").parameters["coefficient"].lsb
    tables = {}
    for quantity, (kinds, nominal) in TABLES.items():
        rows = [row for kind in kinds for row, (name, _) in enumerate(names) if name == kind]
        value = nominal + fit.value[rows]
        if quantity == "capacitance_ratio":
            value = 1 / value  # a slow integrator is a large capacitor
        good = (np.abs(residual[rows]) <= tolerance) & (fit.se[rows] <= tolerance / 2)
        reason = tuple(_reason(fine, sure) for fine, sure in zip(good, fit.se[rows] <= tolerance / 2, strict=True))
        count = np.full(len(rows), reads // len(names), dtype=np.int64)
        tables[quantity] = Table(
            _index(spec, kinds, rows, names), value, residual[rows], fit.se[rows], count, good, reason
        )
    return tables


def _index(spec: BoardSpec, kinds: tuple[str, ...], rows: list[int], names: list[tuple[str, int]]) -> tuple[str, ...]:
    groups = {"lane": "L", "product": "M"}
    if kinds[0].startswith("lane"):
        return tuple(f"{groups[names[row][0].split('_')[0]]}{names[row][1] + 1}" for row in rows)
    return tuple(str(names[row][1] + 1) for row in rows)


def _reason(good: bool, sure: bool) -> str:
    return "ok" if good else "out_of_range" if sure else "noisy"
