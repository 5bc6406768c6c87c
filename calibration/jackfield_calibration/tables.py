"""From estimates and verdicts to the tables of a record; see jackfield.board.QUANTITIES for what each holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BENDS, BITS, BoardSpec, Table
from jackfield_calibration.crosstalk import Crosstalk
from jackfield_calibration.node_estimator import NODE_PARAMETERS, NodeFit

__all__ = [
    "NOT_MEASURED",
    "CellResults",
    "board_table",
    "cell_tables",
    "crosstalk_table",
    "node_tables",
    "probe_tables",
    "ratio_table",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CURVE = (*(f"gain_bend_{k}_S" for k in BENDS), *(f"gain_bit_{k + 1}_S" for k in range(BITS)))
"""Quantities of a gain DAC's curve, in the order of the fit."""


NOT_MEASURED = "not_measured"
_OVER_CAPACITANCE = ("leak_S", "node_offset_A", "trim_gain")


@dataclass(frozen=True)
class CellResults:
    """Rows of all cell tables: `values` and `se` by quantity, residuals of verification, verdicts, `[cell]`."""

    cells: NDArray[np.int64]
    values: dict[str, Floats]
    se: dict[str, Floats]
    gain_residual: Floats
    threshold_residual_V: Floats
    reads: NDArray[np.int64]
    good: Flags
    reason: Sequence[str]


def cell_tables(spec: BoardSpec, results: CellResults) -> dict[str, Table]:
    """One table a quantity. A verification run tests the cell as a whole, so a cell's verdict stands in all.

    The residual of the gain's zero and curve is that of the gain at full scale, the one of the current offset
    that of the threshold at half of full scale.
    """
    largest = spec.group_of(int(results.cells[0])).parameters["gain"].hi
    in_siemens, in_amperes = results.gain_residual * largest, results.threshold_residual_V * largest / 2
    residual = dict.fromkeys(("gain_zero_S", *CURVE), in_siemens) | {
        "gain_scale": results.gain_residual,
        "threshold_offset_V": results.threshold_residual_V,
        "current_offset_A": in_amperes,
    }
    index = tuple(str(spec.cells[cell]) for cell in results.cells)
    return {
        name: Table(index, value, residual[name], results.se[name], results.reads, results.good, tuple(results.reason))
        for name, value in results.values.items()
    }


def node_tables(spec: BoardSpec, fit: NodeFit, again: NodeFit, ratio: Floats, ratio_se: Floats) -> dict[str, Table]:
    """Tables of the nodes; `again` is the fit of the verification runs alone.

    A node with a probe switch that does not close is not good, though the other probes show it.
    Node runs see G/C, I/C and trim/C: with `ratio` C_n/C_ref they become conductances and currents in the gauge.
    """
    index = tuple(str(node + 1) for node in range(spec.nodes.count))
    limits = _node_tolerances(spec)
    unread = np.isin(np.arange(spec.nodes.count), [node for _, node in fit.stuck | again.stuck])
    tables = {}
    for name in NODE_PARAMETERS:
        at = NODE_PARAMETERS.index(name)
        factor = ratio if name in _OVER_CAPACITANCE else np.ones_like(ratio)
        value, se = fit.value[:, at] * factor, fit.se[:, at] * factor
        if factor is ratio:
            se = np.hypot(se, fit.value[:, at] * ratio_se)
        residual, se_again = (again.value - fit.value)[:, at] * factor, again.se[:, at] * factor
        sure = np.maximum(se, se_again) <= limits[name] / 2
        good = sure & (np.abs(residual) <= limits[name])
        good &= ~unread
        reason = tuple("probe_fault" if lost else why for lost, why in zip(unread, _reasons(good, sure), strict=True))
        tables[name] = Table(index, value, residual, se, fit.reads + again.reads, good, reason)
    return tables


def ratio_table(spec: BoardSpec, ratio: Floats, ratio_se: Floats, measured: Flags) -> dict[str, Table]:
    """Capacitances of the nodes over nominal, the gauge being their mean over the `measured[node]` ones."""
    index = tuple(str(node + 1) for node in range(spec.nodes.count))
    good = measured & (ratio_se <= 0.5 * _node_tolerances(spec)["trim_gain"])
    none = np.zeros(len(index))
    reason = tuple("ok" if fine else "noisy" if met else NOT_MEASURED for fine, met in zip(good, measured, strict=True))
    return {"capacitance_ratio": Table(index, ratio, none, ratio_se, none.astype(np.int64), good, reason)}


def _node_tolerances(spec: BoardSpec) -> dict[str, float]:
    """Volts within the preset's tolerance, and what moves a node by so much in one fast time constant.

    Slow quantities are held to four times that: the trim DAC of a board is no finer.
    """
    volts = spec.tolerance.preset_lsb * spec.nodes.preset.lsb
    trim = spec.nodes.trim
    return {
        "preset_gain": 4 * volts / spec.nodes.rail_V[1],
        "preset_offset_V": volts,
        "leak_S": trim.lsb / spec.nodes.rail_V[1],
        "node_offset_A": trim.lsb / 2,
        "trim_gain": trim.lsb / trim.hi,
        "droop_per_s": 4 * volts / (spec.nodes.rail_V[1] * spec.probe.slot_s * spec.nodes.count / spec.probe.count),
    }


def _reasons(good: Flags, sure: Flags) -> tuple[str, ...]:
    return tuple("ok" if fine else "out_of_range" if known else "noisy" for fine, known in zip(good, sure, strict=True))


def probe_tables(
    spec: BoardSpec, first: tuple[Floats, Floats], again: tuple[Floats, Floats], volts: float
) -> dict[str, Table]:
    """Gain and offset of each probe from ground and reference slots `[slot, probe]` of two sets of records."""
    index = tuple(str(probe + 1) for probe in range(spec.probe.count))
    limit = spec.tolerance.probe_lsb * spec.nodes.preset.lsb
    (ground, reference), (ground_2, reference_2) = first, again
    reads = np.full(len(index), len(ground) + len(ground_2), dtype=np.int64)
    columns = {
        "probe_offset_V": (ground, ground_2, limit),
        "probe_gain": ((reference - ground) / volts, (reference_2 - ground_2) / volts, limit / volts),
    }
    tables = {}
    for name, (values, fresh, tolerance) in columns.items():
        value, residual = values.mean(0), fresh.mean(0) - values.mean(0)
        se = values.std(0, ddof=1) / np.sqrt(len(values))
        sure = se <= tolerance / 2
        good = sure & (np.abs(residual) <= tolerance)
        tables[name] = Table(index, value, residual, se, reads, good, _reasons(good, sure))
    return tables


def crosstalk_table(spec: BoardSpec, first: Crosstalk, again: Crosstalk, reads: int) -> Table:
    """A row for each ordered pair of neighbouring probes, the one that sees the other first."""
    pairs = sorted(first.share)
    value, se = (np.array([column[pair] for pair in pairs]) for column in (first.share, first.se))
    residual = np.array([again.share[pair] for pair in pairs]) - value
    limit = spec.tolerance.probe_lsb * spec.nodes.preset.lsb / spec.nodes.rail_V[1]
    sure = np.maximum(se, [again.se[pair] for pair in pairs]) <= limit / 2
    good = sure & (np.abs(residual) <= limit)
    index = tuple(f"{p + 1}-{q + 1}" for p, q in pairs)
    return Table(index, value, residual, se, np.full(len(pairs), reads), good, _reasons(good, sure))


def board_table(value: float, se: float, good: bool) -> Table:
    """One row named `board`; verification of the cells is what stands behind a value all cells share."""
    return Table(
        ("board",),
        np.array([value]),
        np.array([0.0]),
        np.array([se]),
        np.array([1]),
        np.array([good]),
        ("ok" if good else "noisy",),
    )
