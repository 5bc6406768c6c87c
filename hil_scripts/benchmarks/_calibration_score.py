"""A record against the truth of its board: for scoring alone, calibration never sees it.

A healthy cell has no defect, and what is asked of it, uniform over +-0.6 of full scale, lies inside its corrected
range.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BENDS, BITS, BoardSpec, CalibrationRecord, CodeScale, curve_terms
from jackfield.emulator.inl import inl_shapes
from jackfield.emulator.truth import regauged

__all__ = ["Score", "Spread", "score", "spread"]

Floats = NDArray[np.float64]
REQUESTS = 20
HIGHEST = 0.6
INSIDE = 1.959964


@dataclass(frozen=True)
class Score:
    """Counts over one board; `inside[quantity]` how many of its `rows[quantity]` intervals of 95 % hold the truth."""

    defects: int
    defects_good: int
    healthy: int
    healthy_bad: int
    inside: Mapping[str, int]
    rows: Mapping[str, int]
    reads_per_parameter: float


@dataclass(frozen=True)
class Spread:
    """Sums of squares of actual minus requested, in LSB: before, after, and with perfect knowledge (rounding alone)."""

    before: float
    after: float
    floor: float
    count: int


def score(spec: BoardSpec, record: CalibrationRecord, truth: Mapping[str, Any]) -> Score:
    """Verdicts of cells and probe switches, intervals of what is called good."""
    truth = _in_gauge(record, truth)
    tables, true = record.tables, truth["quantities"]
    names, good = tables["gain_scale"].index, _good(record)
    defective = np.array([name in truth["defects"] for name in names])
    asked = np.abs(np.random.default_rng(5).uniform(-HIGHEST, HIGHEST, len(names)))
    within = np.array([true["gain_scale"][name] for name in names]) > asked * 1.02
    switches = {str(node): str(probe) for probe, node in truth["stuck_probes"]}
    presets = tables["preset_gain"]
    passed = sum(bool(presets.good[presets.index.index(node)]) for node in switches)
    inside, rows = {}, {}
    for quantity in ("gain_scale", "threshold_offset_V", "trim_gain", "preset_gain", "preset_offset_V"):
        table = tables[quantity]
        known = table.good & ~np.array([name in truth["defects"] or name in switches for name in table.index])
        z = (table.value - np.array([true[quantity][name] for name in table.index]))[known] / table.se[known]
        inside[quantity], rows[quantity] = int((np.abs(z) < INSIDE).sum()), int(known.sum())
    return Score(
        defects=int(defective.sum()) + len(switches),
        defects_good=int((defective & good).sum()) + passed,
        healthy=int((~defective & within).sum()),
        healthy_bad=int((~defective & within & ~good).sum()),
        inside=inside,
        rows=rows,
        reads_per_parameter=float(record.provenance["reads_per_parameter"]),
    )


def _in_gauge(record: CalibrationRecord, truth: Mapping[str, Any]) -> Mapping[str, Any]:
    ratio = record.tables["capacitance_ratio"]
    return regauged(truth, [node for node, why in zip(ratio.index, ratio.reason, strict=True) if why != "not_measured"])


def _good(record: CalibrationRecord) -> NDArray[np.bool_]:
    return np.asarray(record.tables["gain_scale"].good & record.tables["threshold_offset_V"].good)


def spread(spec: BoardSpec, record: CalibrationRecord, truth: Mapping[str, Any]) -> dict[str, Spread]:
    """Gain and threshold of the good healthy cells, requests inside their corrected ranges."""
    truth = _in_gauge(record, truth)
    names = record.tables["gain_scale"].index
    rows = np.flatnonzero(_good(record) & np.array([name not in truth["defects"] for name in names]))
    part, random = spec.groups[0], np.random.default_rng(0)
    gain, threshold = part.parameters["gain"], part.parameters["threshold"]
    actual, believed = (curve[rows] for curve in (_true_gain(gain, truth, names), _recorded_gain(gain, record)))
    offset = record.tables["threshold_offset_V"].value[rows, None] + 0 * threshold.value(_codes(threshold))
    true = np.array([truth["quantities"]["threshold_offset_V"][names[row]] for row in rows])[:, None]
    nominal = threshold.value(_codes(threshold))
    return {
        "gain": _spread(gain, actual, believed, random),
        "threshold": _spread(threshold, nominal + true, nominal + offset, random),
    }


def _codes(scale: CodeScale) -> NDArray[np.int64]:
    return np.arange(scale.code_range[0], scale.code_range[1] + 1)


def _spread(scale: CodeScale, actual: Floats, believed: Floats, random: np.random.Generator) -> Spread:
    """Curves `[cell, code]` of what codes give and what they are believed to give."""
    wanted = random.uniform(-HIGHEST, HIGHEST, (len(actual), REQUESTS)) * scale.hi
    within = (wanted > actual.min(1, keepdims=True)) & (wanted < actual.max(1, keepdims=True))
    nominal, cells = scale.value(_codes(scale)), np.arange(len(actual))
    sums = dict.fromkeys(("before", "after", "floor"), 0.0)
    for column, kept in zip(wanted.T, within.T, strict=True):
        for name, curve in (("before", nominal[None]), ("after", believed), ("floor", actual)):
            chosen = np.abs(curve - column[:, None]).argmin(1)
            off = (actual[cells, chosen] - column)[kept] / scale.lsb
            sums[name] += float(off @ off)
    return Spread(**sums, count=int(within.sum()))


def _true_gain(scale: CodeScale, truth: Mapping[str, Any], names: tuple[str, ...]) -> Floats:
    def column(quantity: str) -> Floats:
        return np.array([truth["quantities"][quantity][name] for name in names])

    codes = _codes(scale)
    if "gain_bit_1_S" in truth["quantities"]:
        weights = np.stack([column(f"gain_bit_{bit + 1}_S") for bit in range(scale.bits)], axis=1)
        curve = weights @ inl_shapes("binary", scale)[codes].T
    else:
        curve = np.stack([column(f"gain_bend_{k}_S") for k in BENDS], 1) @ curve_terms(scale)[codes, : len(BENDS)].T
    return column("gain_scale")[:, None] * scale.value(codes) + column("gain_zero_S")[:, None] + curve


def _recorded_gain(scale: CodeScale, record: CalibrationRecord) -> Floats:
    names = [f"gain_bend_{k}_S" for k in BENDS] + [f"gain_bit_{k + 1}_S" for k in range(BITS)]
    weights = np.stack([record.tables[name].value for name in names], axis=1)
    scaled = record.tables["gain_scale"].value[:, None] * scale.value(_codes(scale))
    return scaled + record.tables["gain_zero_S"].value[:, None] + weights @ curve_terms(scale)[_codes(scale)].T
