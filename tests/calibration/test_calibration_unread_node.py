"""A node that no probe shows: its capacitance stays unknown, and what is known of the cells does not suffer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec, CalibrationRecord, Measurement
from jackfield.journal import Run
from jackfield_calibration import calibrate

UNREAD = 5


@pytest.fixture(scope="module")
def records(
    make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, CalibrationRecord, CalibrationRecord]:
    """The bench, a record of all of it, and one without the node."""
    found = []
    for name, lost in (("whole", ()), ("blind", (UNREAD,))):
        bench = make_bench(small_spec, "cmos", 3)
        bench.measure = _clipped(bench.measure, lost)
        with Run.create(tmp_path_factory.mktemp(name), "calibrate", "b1") as run:
            found.append(calibrate(bench, small_spec, run, seed=5, provenance={"board_id": "5A31-0007"}))
    return bench, *found


def _clipped(measure: Callable[..., Measurement], lost: tuple[int, ...]) -> Callable[..., Measurement]:
    def read(*words: Any, **options: Any) -> Measurement:
        reading = measure(*words, **options)
        reading.clipped[:, np.isin(reading.nodes, lost)] = True
        return reading

    return read


def test_its_capacitance_is_said_to_be_unknown(records: Any) -> None:
    _, whole, blind = records
    reasons = np.array(blind.tables["capacitance_ratio"].reason)
    assert np.flatnonzero(reasons == "not_measured").tolist() == [UNREAD - 1]
    assert "not_measured" not in whole.tables["capacitance_ratio"].reason
    known = np.delete(blind.tables["capacitance_ratio"].value, UNREAD - 1)
    assert np.log(known).sum() == pytest.approx(0.0, abs=1e-9)


def test_cells_are_known_as_well_as_with_it(records: Any) -> None:
    bench, whole, blind = records
    before, after = whole.tables["gain_scale"], blind.tables["gain_scale"]
    assert np.median(after.se) < 1.2 * np.median(before.se)
    assert np.count_nonzero(before.good & ~after.good) <= 1
    ratios = np.delete(bench.truth.capacitance_F, UNREAD - 1) / bench.spec.nodes.capacitance_F
    gauge = np.exp(np.mean(np.log(ratios)))
    z = ((after.value - bench.truth.scale / gauge) / after.se)[after.good]
    assert np.sqrt(np.mean(z**2)) < 1.4
