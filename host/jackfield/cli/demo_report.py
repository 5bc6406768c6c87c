"""The demo's results as the content of a report."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.demo_run import DemoResult
from jackfield.evaluate import confusion_matrix
from jackfield.report import CellMap, Outputs, ReportContent, Spread, Trace

__all__ = ["cell_reasons", "cell_score", "cell_spreads", "demo_content", "used_cells"]

# Quantity of the record, its nominal value and the cell parameter it belongs to.
_SPREADS = (("gain", "gain_scale", 1.0), ("threshold", "threshold_offset_V", 0.0))


def demo_content(result: DemoResult, spec: BoardSpec, profile: str, seed: int) -> ReportContent:
    """What the page shows; the same results give the same page."""
    used = used_cells(result)
    flags = np.zeros(spec.cell_count, dtype=np.bool_)
    flags[used] = True
    return ReportContent(
        title="Handwritten digits on an analog board",
        facts=_facts(result, spec, profile, seed),
        rungs=tuple((rung.rung, rung.accuracy, rung.interval, rung.n) for rung in result.rungs),
        confusion=confusion_matrix(result.answers.held_V, result.labels),
        traces=tuple(
            Trace(wanted.node, wanted.t_s, wanted.volts, seen.t_s, seen.volts)
            for wanted, seen in zip(result.requested, result.measured, strict=True)
        ),
        spreads=cell_spreads(result.record, spec),
        cells=CellMap(flags, cell_reasons(result.record, spec)),
        outputs=Outputs(
            result.predicted[0], np.hypot(result.answers.se_V, result.predicted[1]), result.answers.shown_V
        ),
    )


def used_cells(result: DemoResult) -> NDArray[np.int64]:
    """Cells that the uncorrected image enables: those that are calibrated."""
    return np.flatnonzero(result.raw.image.enable.any(axis=0)).astype(np.int64)


def cell_score(
    record: CalibrationRecord, spec: BoardSpec, cells: NDArray[np.int64], defects: Collection[str]
) -> dict[str, int]:
    """Of `cells`: how many there are, how many of those with true `defects` (cell names) calibration refuses, how
    many have one, and how many healthy ones it refuses besides."""
    table = record.tables["gain_scale"]
    refused = {name for name, good in zip(table.index, table.good, strict=True) if not good}
    used = {str(spec.cells[cell]) for cell in cells}
    bad = used & set(defects)
    return {
        "used": len(used),
        "bad_found": len(bad & refused),
        "bad_true": len(bad),
        "healthy_refused": len((used & refused) - bad),
    }


def _facts(result: DemoResult, spec: BoardSpec, profile: str, seed: int) -> dict[str, str]:
    raw, calibrated = (a.error_rms_V(result.wanted_V) for a in (result.raw_answers, result.answers))
    used = len(used_cells(result))
    record, slices = result.record.provenance, len(result.raw.program.steps)
    return {
        "board": f"{spec.name}, emulated, profile {profile}, seed {seed}, id {result.board_id}",
        "circuit": f"{spec.nodes.count} nodes, {used} cells in use of {spec.cell_count}, {slices} slices",
        "upload": f"{result.upload.bytes} bytes, read back and compared code by code",
        "calibration": f"{record['reads']} reads, {record['reads_per_parameter']:.1f} a parameter",
        "output error, rms": f"{1e3 * raw:.1f} mV raw, {1e3 * calibrated:.1f} mV calibrated",
        "measured - predicted": f"{result.mean_abs_z:.2f} standard errors on average",
    }


def cell_spreads(record: CalibrationRecord, spec: BoardSpec) -> tuple[Spread, ...]:
    """Errors of gain and threshold as the board came and what verification leaves of them, in % of full scale."""
    found = []
    for parameter, quantity, nominal in _SPREADS:
        table = record.tables[quantity]
        # Cells that the compiler will not use say nothing about those that it does.
        known = np.array([reason in ("ok", "noisy") for reason in table.reason])
        scale = spec.groups[0].parameters[parameter]
        full = 1.0 if quantity == "gain_scale" else scale.hi
        found.append(Spread(parameter, 100 * (table.value[known] - nominal) / full, 100 * table.residual[known] / full))
    return tuple(found)


def cell_reasons(record: CalibrationRecord, spec: BoardSpec) -> tuple[str, ...]:
    """The verdict on each cell in spec order; the worse one where gain and threshold differ."""
    verdicts = dict.fromkeys((str(cell) for cell in spec.cells), "not_measured")
    for quantity in ("threshold_offset_V", "gain_scale"):
        table = record.tables[quantity]
        for name, reason in zip(table.index, table.reason, strict=True):
            if verdicts[name] in ("not_measured", "ok"):
                verdicts[name] = reason
    return tuple(verdicts.values())
