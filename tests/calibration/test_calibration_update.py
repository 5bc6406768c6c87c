"""Sentinels find what moved, and only that is measured again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.errors import CalibrationError
from jackfield.journal import Run
from jackfield_calibration import calibrate, make_update_plan, update
from jackfield_calibration.observer import Silent
from jackfield_calibration.reader import Reader
from jackfield_calibration.sentinel import SentinelRoutine, moved_cells, watched_cells

GIVEN = {"board_id": "5A31-0007", "started_utc": "2026-03-04T05:06:07Z"}
LATER = GIVEN | {"started_utc": "2026-04-04T05:06:07Z"}
MOVED = (4, 17, 30)


@pytest.fixture(scope="module")
def board(make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A bench, its record, and where runs go."""
    bench, folder = make_bench(small_spec, "cmos", 3), tmp_path_factory.mktemp("runs")
    with Run.create(folder, "calibrate", "b1") as run:
        return bench, calibrate(bench, small_spec, run, seed=5, provenance=GIVEN), folder


def moved_by(record: Any, spec: BoardSpec, deviations: float) -> tuple[Any, Any]:
    """Relative gain and threshold by which the cells of MOVED move, `[cell]`."""
    gain, threshold = np.zeros(spec.cell_count), np.zeros(spec.cell_count)
    for turn, cell in enumerate(MOVED):
        gain[cell] = deviations * record.tables["gain_scale"].se[cell] * (1, -1, 1)[turn]
        threshold[cell] = deviations * record.tables["threshold_offset_V"].se[cell] * (1, -1, -1)[turn]
    return gain, threshold


def test_what_moved_is_found_and_nothing_else_is_measured(board: Any, small_spec: BoardSpec) -> None:
    bench, record, folder = board
    gain, threshold = moved_by(record, small_spec, 20.0)
    truth, before = bench.truth, bench.measured
    assert not np.isin(MOVED, np.flatnonzero(~bench.sound)).any()
    bench.truth = replace(truth, scale=truth.scale * (1 + gain), threshold_V=truth.threshold_V + threshold)
    with Run.create(folder, "update", "b1") as run:
        found = update(bench, small_spec, run, record, seed=6, provenance=LATER)
        keys = run.keys()
    names = [str(small_spec.cells[cell]) for cell in MOVED]
    assert found.provenance["update"]["moved"] == names
    assert found.provenance["parent"] == record.digest
    assert found.provenance["started_utc"] == LATER["started_utc"]
    assert make_update_plan(small_spec, record).reads <= small_spec.cell_count
    assert len([key for key in keys if key.startswith("sentinels/")]) == make_update_plan(small_spec, record).settings
    assert not [key for key in keys if key.startswith("nodes")]
    true = {
        "gain_scale": bench.truth.scale / bench.gauge,
        "threshold_offset_V": bench.truth.threshold_V,
    }
    for name, values in true.items():
        table, old = found.tables[name], record.tables[name]
        rest = ~np.isin(table.index, names)
        np.testing.assert_array_equal(table.value[rest], old.value[rest])
        np.testing.assert_array_less(
            np.abs(table.value - values)[~rest], 5 * table.se[~rest] + 1e-3 * np.abs(values[~rest])
        )
        np.testing.assert_array_less(10 * old.se[~rest], np.abs(table.value - old.value)[~rest])
        assert table.good[~rest].all()
    assert bench.measured - before < 200
    bench.truth = truth


def test_errors_of_gain_and_threshold_hide_each_other_in_no_cell(
    make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path: Path
) -> None:
    """Cells of the rough profile: weak ones, offset currents of a tenth of what they can drive."""
    bench = make_bench(small_spec, "rough", 4)
    with Run.create(tmp_path, "calibrate", "b1") as run:
        record = calibrate(bench, small_spec, run, seed=5, provenance=GIVEN)
    steps = [
        5 * float(np.median(record.tables[name].se[record.tables[name].good]))
        for name in ("gain_scale", "threshold_offset_V")
    ]
    truth, routine = bench.truth, SentinelRoutine(small_spec, record, watched_cells(small_spec, record))
    for sign in (1, -1):
        bench.truth = replace(
            truth, scale=truth.scale * (1 + steps[0]), threshold_V=truth.threshold_V + sign * steps[1]
        )
        with Run.create(tmp_path, f"moved-{sign}", "b1") as run:
            reader = Reader(bench, small_spec, run, make_update_plan(small_spec, record), Silent())
            reader.reference_V()
            moved = moved_cells(small_spec, record, routine.found(reader.read_all(routine)))
        assert len(moved.cells) == len(moved.watched)


def test_nothing_moved_is_said_and_the_record_is_renewed(board: Any, small_spec: BoardSpec) -> None:
    bench, record, folder = board
    with Run.create(folder, "again", "b1") as run:
        found = update(bench, small_spec, run, record, seed=7, provenance=LATER)
    assert found.provenance["update"]["moved"] == []
    assert found.tables == record.tables
    assert found.provenance["reads"] <= small_spec.cell_count + 64


def test_a_board_that_moved_as_a_whole_is_to_be_calibrated_again(board: Any, small_spec: BoardSpec) -> None:
    bench, record, folder = board
    truth = bench.truth
    bench.truth = replace(truth, threshold_V=truth.threshold_V + 0.02)
    with Run.create(folder, "whole", "b1") as run, pytest.raises(CalibrationError, match="the whole board"):
        update(bench, small_spec, run, record, seed=6, provenance=LATER)
    bench.truth = truth


def test_another_boards_record_is_not_updated(board: Any, small_spec: BoardSpec) -> None:
    bench, record, folder = board
    with Run.create(folder, "other", "b1") as run, pytest.raises(CalibrationError, match="from the beginning"):
        update(bench, small_spec, run, record, seed=6, provenance=LATER | {"board_id": "0000-0001"})
    bare = replace(record, tables={name: table for name, table in record.tables.items() if name != "sentinel_V"})
    with pytest.raises(CalibrationError, match="no sentinels"):
        make_update_plan(small_spec, bare)
