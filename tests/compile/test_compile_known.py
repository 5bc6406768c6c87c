"""Curves of a board: inversion, uncertainty, rows that make no sense."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile.known import KnownBoard, uncertainties
from jackfield.errors import CalibrationError

Recorder = Callable[..., CalibrationRecord]


@pytest.mark.parametrize("profile", ["modules", "cmos", "rough"])
def test_curves_invert(jf96: BoardSpec, make_record: Recorder, profile: str) -> None:
    known = KnownBoard.from_record(jf96, make_record(jf96, profile, seed=2))
    cells = np.arange(jf96.cell_count)
    rng = np.random.default_rng(1)
    for name, scale in jf96.groups[0].parameters.items():
        nominal = rng.uniform(scale.lo, scale.hi, len(cells))
        actual = known.to_actual(name, cells, nominal)
        near = np.abs(known.to_nominal(name, cells, actual) - nominal) < 1e-6 * scale.hi
        assert near.mean() > 0.999


def test_slopes_hold_up_to_the_ends_of_the_range(jf96: BoardSpec, make_record: Recorder) -> None:
    known = KnownBoard.from_record(jf96, make_record(jf96, "rough", seed=2))
    cells, scale = np.arange(jf96.cell_count), jf96.groups[0].parameters["gain"]
    ones, step = np.ones(len(cells)), 1e-4 * scale.hi
    for end, inside in ((scale.lo, step), (scale.hi, -step)):
        there, near = (known.to_actual("gain", cells, at * ones) for at in (end, end + inside))
        slope = (near - there) / inside
        clear = slope > 0.6 * known.gain_scale  # below that a curve counts as folded
        assert clear.mean() > 0.9
        assert known.slope("gain", cells, end * ones)[clear] == pytest.approx(slope[clear], rel=0.01)


def test_the_nominal_board_is_its_spec(jf16: BoardSpec) -> None:
    known = KnownBoard.from_record(jf16, None)
    codes = np.arange(48)
    np.testing.assert_array_equal(known.to_actual("gain", codes, codes * 1e-6), codes * 1e-6)
    assert not known.bad.any()
    assert not known.node_offsets(codes[:3] + 1, codes[:3] + 2, codes[:3]).any()


def test_rows_that_are_missing_or_empty_leave_the_nominal_value(jf96: BoardSpec, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=2)
    old = record.tables["threshold_offset_V"]
    value = old.value.copy()
    value[3] = np.nan
    partial = replace(old, value=value)
    known = KnownBoard.from_record(
        jf96, CalibrationRecord(record.provenance, {**record.tables, "threshold_offset_V": partial})
    )
    assert known.threshold_offset_V[3] == 0
    assert known.threshold_offset_V[4] == old.value[4]


def changed(record: CalibrationRecord, name: str, se: float, residual: float) -> CalibrationRecord:
    old = record.tables[name]
    size = np.ones(len(old.index))
    return CalibrationRecord(
        record.provenance, {**record.tables, name: replace(old, se=size * se, residual=size * residual)}
    )


def test_standard_errors_stand_where_nothing_was_verified(jf96: BoardSpec, make_record: Recorder) -> None:
    sigma = uncertainties(jf96, changed(make_record(jf96, "cmos", seed=2), "gain_scale", 0.01, 0.0))
    assert (sigma["gain_scale"] == 0.01).all()
    assert not sigma["gain_zero_S"].any()
    assert "current_offset_A" not in sigma


def test_what_verification_found_counts_once(jf96: BoardSpec, make_record: Recorder) -> None:
    record = changed(make_record(jf96, "cmos", seed=2, bad=(1,)), "gain_scale", 0.01, 0.02)
    record = changed(changed(record, "gain_zero_S", 5e-8, 4e-7), "gain_bend_2_S", 3e-7, 0.0)
    residual = record.tables["gain_scale"].residual
    residual[1] = 9.0  # a bad cell's says nothing about the others
    sigma = uncertainties(jf96, record)
    assert sigma["gain_scale"] == pytest.approx(0.02)
    assert sigma["gain_zero_S"] == pytest.approx(5e-8)
    assert not sigma["gain_curve_S"].any()


def test_a_row_for_a_cell_that_does_not_exist_is_named(jf96: BoardSpec, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=2)
    old = record.tables["gain_scale"]
    strange = replace(old, index=("Z9", *old.index[1:]))
    with pytest.raises(CalibrationError, match="table gain_scale of the record has a row 'Z9'"):
        KnownBoard.from_record(jf96, CalibrationRecord(record.provenance, {**record.tables, "gain_scale": strange}))
