"""The whole calibration on an in-process board: what it finds, what it never calls good, how it resumes."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jackfield.board import BENDS, BITS, BoardSpec, CalibrationRecord, CodeScale, ConfigImage, curve_terms
from jackfield.errors import CalibrationError
from jackfield.journal import Run, load_record, save_record
from jackfield_calibration import MATCH, calibrate, likeness, make_plan
from jackfield_calibration.routine import Bench

Made = Callable[..., Any]
GIVEN = {"board_id": "5A31-0007"}


def record_of(bench: Bench, spec: BoardSpec, folder: Path, seed: int = 5, **options: Any) -> CalibrationRecord:
    with Run.create(folder, "calibrate", "b1") as run:
        return calibrate(bench, spec, run, seed=seed, provenance=GIVEN, **options)


@pytest.fixture(scope="module")
def calibrated_with(
    make_bench: Made, small_spec: BoardSpec, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Any]:
    """The board and its record, read with the noise of a number: what holds for one draw of it says little."""

    @cache
    def once(noise: int) -> Any:
        bench = make_bench(small_spec, "cmos", 3, noise)
        return bench, record_of(bench, small_spec, tmp_path_factory.mktemp("runs"))

    return once


@pytest.fixture
def calibrated(calibrated_with: Callable[[int], Any]) -> Any:
    return calibrated_with(0)


@pytest.fixture(params=(0, 1, 2))
def drawn(calibrated_with: Callable[[int], Any], request: pytest.FixtureRequest) -> Any:
    return calibrated_with(request.param)


def true_gain(bench: Any, nominal: Any) -> Any:
    part, truth = bench.spec.groups[0], bench.truth
    return (nominal * truth.scale + truth.zero_S + bench.bent(nominal / part.parameters["gain"].hi)) / bench.gauge


def recorded_gain(record: CalibrationRecord, codes: Any, gain: CodeScale) -> Any:
    names = [f"gain_bend_{k}_S" for k in BENDS] + [f"gain_bit_{k + 1}_S" for k in range(BITS)]
    curve = np.stack([record.tables[name].value for name in names], axis=1)
    scale, zero = record.tables["gain_scale"].value, record.tables["gain_zero_S"].value
    return gain.value(codes) * scale + zero + (curve * curve_terms(gain)[codes]).sum(1)


def test_calibration_shrinks_the_spread(drawn: Any) -> None:
    bench, record = drawn
    part, sound = bench.spec.groups[0], bench.sound
    gain = part.parameters["gain"]
    codes = gain.code(np.random.default_rng(1).uniform(-0.6, 0.6, bench.spec.cell_count) * gain.hi)
    nominal = gain.value(codes)
    before = (true_gain(bench, nominal) - nominal)[sound]
    after = (true_gain(bench, nominal) - recorded_gain(record, codes, gain))[sound]
    assert np.std(after) < 0.05 * np.std(before)
    threshold = record.tables["threshold_offset_V"]
    errors = (threshold.value - bench.truth.threshold_V)[sound]
    assert np.std(errors) < 0.05 * np.std(bench.truth.threshold_V)


def test_standard_errors_are_honest(drawn: Any) -> None:
    bench, record = drawn
    truth, sound = bench.truth, bench.sound
    pairs = {
        "threshold_offset_V": truth.threshold_V,
        "current_offset_A": truth.offset_A / bench.gauge,
        "gain_scale": truth.scale / bench.gauge,
    }
    inside = [
        np.abs(record.tables[name].value - true)[sound] < 1.96 * record.tables[name].se[sound]
        for name, true in pairs.items()
    ]
    assert 0.85 <= np.mean(inside) <= 1.0
    nodes = {"preset_offset_V": truth.preset_offset_V, "trim_gain": truth.trim_gain / bench.gauge}
    inside = [np.abs(record.tables[name].value - true) < 3 * record.tables[name].se for name, true in nodes.items()]
    assert np.mean(inside) > 0.9


def test_what_all_cells_share_is_found(drawn: Any) -> None:
    """Saturation and a bend that all gains have in common look alike: neither may run away with the other."""
    bench, record = drawn
    part = bench.spec.groups[0]
    true = {"saturation": bench.truth.saturation_A / part.output_limit_A / bench.gauge, "knee_V": bench.truth.knee_V}
    for name, value in true.items():
        table = record.tables[name]
        assert abs(table.value[0] - value) < 3.5 * table.se[0]
    assert record.tables["saturation"].se[0] < 0.1
    assert 0.8 < record.provenance["misfit"] < 1.2


def test_healthy_cells_are_good_and_defects_never(drawn: Any) -> None:
    bench, record = drawn
    table = record.tables["gain_scale"]
    assert np.mean(table.good[bench.sound]) > 0.95
    assert not table.good[~bench.sound].any()
    assert all(table.reason[cell] == "dead" for cell in bench.truth.dead)
    assert all(table.reason[cell] != "ok" for cell in np.flatnonzero(~bench.sound))


def test_a_record_survives_its_files(calibrated: Any, tmp_path: Path) -> None:
    _, record = calibrated
    again = CalibrationRecord.from_files(load_record(save_record(record, tmp_path / "b1.record")))
    assert again.to_files() == record.to_files()
    assert again.provenance["board_id"] == "5A31-0007"


class _KilledError(Exception):
    pass


class _Mortal:
    """A bench that dies after some records."""

    def __init__(self, bench: Any, lives: int) -> None:
        self._bench, self._lives, self.board = bench, lives, bench.board

    def reference_V(self) -> float:
        return float(self._bench.reference_V())

    def measure(self, codes: Any, program: Any, run_number: int | None = None) -> Any:
        self._lives -= 1
        if self._lives < 0:
            raise _KilledError
        return self._bench.measure(codes, program, run_number)


def test_a_killed_run_resumes_to_the_same_bytes(
    make_bench: Made, small_spec: BoardSpec, calibrated: Any, tmp_path: Path
) -> None:
    bench, whole = calibrated
    again = make_bench(small_spec, "cmos", 3)
    with Run.create(tmp_path, "calibrate", "b1") as run:
        folder = run.folder
        with pytest.raises(_KilledError):
            calibrate(_Mortal(again, 40), small_spec, run, seed=5, provenance=GIVEN)
    with Run.open(folder) as run:
        record = calibrate(again, small_spec, run, seed=5, provenance=GIVEN)
    assert record.to_files() == whole.to_files()
    assert again.measured == bench.measured


def test_resuming_with_another_seed_is_refused(make_bench: Made, small_spec: BoardSpec, tmp_path: Path) -> None:
    bench = make_bench(small_spec, "cmos", 3)
    with Run.create(tmp_path, "calibrate", "b1") as run:
        with pytest.raises(_KilledError):
            calibrate(_Mortal(bench, 8), small_spec, run, seed=5, provenance=GIVEN)
        with pytest.raises(CalibrationError, match="another setting"):
            calibrate(bench, small_spec, run, seed=6, provenance=GIVEN)


def test_two_boards_share_no_record(make_bench: Made, small_spec: BoardSpec, calibrated: Any, tmp_path: Path) -> None:
    _, record = calibrated
    same = record_of(make_bench(small_spec, "cmos", 3), small_spec, tmp_path / "same", seed=6, level="nodes")
    other = record_of(make_bench(small_spec, "cmos", 4), small_spec, tmp_path / "other", level="nodes")
    assert likeness(record, same) > MATCH
    assert likeness(record, other) < 0.5


def test_node_level_finds_presets_and_the_sums_of_an_image(
    make_bench: Made, small_spec: BoardSpec, tmp_path: Path
) -> None:
    bench = make_bench(small_spec, "cmos", 3)
    image = ConfigImage.safe(small_spec)
    image.enable[0] = image.source[0] != image.destination[0]
    record = record_of(bench, small_spec, tmp_path, image=image, level="nodes")
    table, on = record.tables["current_offset_A"], np.flatnonzero(image.enable[0])
    assert not table.good.any()
    assert set(table.reason) == {"not_measured"}
    errors, raw = np.zeros(small_spec.nodes.count + 1), np.zeros(small_spec.nodes.count + 1)
    true = np.where(np.isin(on, bench.truth.dead), 0.0, bench.truth.offset_A[on] / bench.gauge)
    turned = np.where(np.isin(on, bench.truth.swapped), -1.0, 1.0)
    for ends, sign in ((image.source[0, on], -1.0), (image.destination[0, on], 1.0)):
        np.add.at(errors, ends, sign * (table.value - turned * true))
        np.add.at(raw, ends, sign * true)
    assert np.std(errors[1:]) < 0.15 * np.std(raw[1:])
    assert record.tables["preset_gain"].good.mean() > 0.9


def test_a_part_alone_says_what_it_relies_on(make_bench: Made, small_spec: BoardSpec, tmp_path: Path) -> None:
    bench = make_bench(small_spec, "cmos", 3)
    record = record_of(bench, small_spec, tmp_path, only=["trims"])
    assert set(record.tables) == {"trim_gain"}
    assert record.provenance["relies_on"] == ["presets"]
    table, true = record.tables["trim_gain"], bench.truth.trim_gain / bench.gauge
    assert np.abs(table.value - true).max() < 0.05
    assert bench.measured < 20


def test_what_cannot_be_calibrated_is_said(make_bench: Made, small_spec: BoardSpec, tmp_path: Path) -> None:
    bench = make_bench(small_spec, "cmos", 3)
    with Run.create(tmp_path, "calibrate", "b1") as run:
        with pytest.raises(CalibrationError, match="level"):
            calibrate(bench, small_spec, run, seed=1, level="all", provenance=GIVEN)
        with pytest.raises(CalibrationError, match="board_id"):
            calibrate(bench, small_spec, run, seed=1)
        with pytest.raises(CalibrationError, match="cell index"):
            calibrate(bench, small_spec, run, seed=1, cells=np.array([10_000]), provenance=GIVEN)
        group = small_spec.groups[0]
        parameters = dict.fromkeys(("a", "b", "c"), group.parameters["gain"])
        tanh = replace(small_spec, groups=(replace(group, law="tanh_diff", parameters=parameters),))
        with pytest.raises(CalibrationError, match="cells of law tanh_diff"):
            calibrate(bench, tanh, run, seed=1, level="nodes", provenance=GIVEN)
    assert bench.measured == 0


def test_the_plan_counts_what_will_be_read(calibrated: Any, small_spec: BoardSpec) -> None:
    _, record = calibrated
    plan = make_plan(small_spec)
    assert plan.settings == record.provenance["planned_settings"] <= record.provenance["settings"]
    assert plan.parameters == 2 * small_spec.cell_count
    assert "reads a parameter" in str(plan)
