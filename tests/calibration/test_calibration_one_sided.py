"""Boards whose gains have one sign: the same steps at positive gains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.journal import Run
from jackfield_boards import spec_folder
from jackfield_calibration import MATCH, calibrate, likeness
from jackfield_calibration.cell_routine import Step

Made = Callable[..., Any]
CELLS = np.arange(24)


@pytest.fixture(scope="module")
def spec() -> BoardSpec:
    return BoardSpec.from_toml((spec_folder() / "jf16s.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def calibrated(make_bench: Made, spec: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = make_bench(spec, "cmos", 3)
    return bench, record_of(bench, spec, tmp_path_factory.mktemp("runs"), cells=CELLS)


def record_of(bench: Any, spec: BoardSpec, folder: Path, **options: Any) -> CalibrationRecord:
    with Run.create(folder, "calibrate", "b1") as run:
        return calibrate(bench, spec, run, seed=5, provenance={"board_id": "5A31-0007"}, **options)


def test_a_step_keeps_to_gains_that_exist(spec: BoardSpec) -> None:
    asked = Step("minus", -0.5, 1.0, (1.0,))
    gain = spec.groups[0].parameters["gain"]
    assert gain.one_sided
    assert asked.within(gain).gain == 0.5
    assert asked.within(spec.groups[0].parameters["threshold"]) == asked


def test_sound_cells_are_known_and_called_good(calibrated: Any) -> None:
    bench, record = calibrated
    sound, truth = bench.sound[CELLS], bench.truth
    good = np.array(record.tables["gain_scale"].good)
    assert np.count_nonzero(sound & ~good) <= 1
    assert not np.any(good & ~sound)
    gains = record.tables["gain_scale"].value * bench.gauge - truth.scale[CELLS]
    thresholds = record.tables["threshold_offset_V"].value - truth.threshold_V[CELLS]
    assert np.std(gains[good]) < 0.1 * np.std(truth.scale)
    assert np.std(thresholds[good]) < 0.1 * np.std(truth.threshold_V)


def test_another_board_is_told_apart(calibrated: Any, make_bench: Made, spec: BoardSpec, tmp_path: Path) -> None:
    _, record = calibrated
    assert likeness(record, record_of(make_bench(spec, "cmos", 3, 9), spec, tmp_path / "same", level="nodes")) > MATCH
    assert likeness(record, record_of(make_bench(spec, "cmos", 4), spec, tmp_path / "other", level="nodes")) < 0.6


def test_sentinels_say_what_was_read(calibrated: Any) -> None:
    _, record = calibrated
    assert np.count_nonzero(record.tables["sentinel_V"].good) >= len(CELLS) - 2
