"""Circuits of more slices than banks: the passes do what one long run does, but for what carrying costs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledCircuit, CompiledPasses, compile_circuit, compile_passes, twin, twin_of_passes
from jackfield.errors import DesignError
from jackfield.physics import Circuit

Recorder = Callable[..., CalibrationRecord]

X = np.random.default_rng(4).random((8, 6))


def with_banks(spec: BoardSpec, banks: int) -> BoardSpec:
    return replace(spec, run=replace(spec.run, banks=banks))


def test_slices_are_shared_out_over_passes_that_hand_every_node_on(jf96: BoardSpec, deep: Circuit) -> None:
    passes = compile_passes(deep, jf96, largest_v=2.0).passes
    every = tuple(range(1, 13))
    assert [len(part.program.steps) for part in passes] == [2, 2, 1]
    assert [part.inputs for part in passes] == [deep.inputs, every, every]
    assert [part.outputs for part in passes] == [every, every, deep.outputs]
    assert len({part.scaling.volts_per_unit for part in passes}) == 1
    assert sorted(node for nodes in passes[0].program.scan for node in nodes) == list(every)


def test_what_fits_the_banks_is_one_pass(jf96: BoardSpec, small: Circuit) -> None:
    (only,) = compile_passes(small, jf96, largest_v=2.0).passes
    same = compile_circuit(small, jf96, largest_v=2.0)
    assert only.image.payload(jf96) == same.image.payload(jf96)
    assert (only.program, only.scaling) == (same.program, same.scaling)
    np.testing.assert_array_equal(
        twin_of_passes(CompiledPasses((only,)), jf96).predict(X)[0], twin(same, jf96).predict(X)[0]
    )


def test_too_many_slices_for_one_pass_are_refused(jf96: BoardSpec, deep: Circuit) -> None:
    with pytest.raises(DesignError, match=r"5 slices.*2 banks.*compile_passes"):
        compile_circuit(deep, jf96, largest_v=2.0)


def test_one_long_run_and_three_passes_differ_by_preset_rounding(jf96: BoardSpec, deep: Circuit) -> None:
    long = twin(compile_circuit(deep, with_banks(jf96, 5), largest_v=2.0), with_banks(jf96, 5)).predict(X)[0]
    found = twin_of_passes(compile_passes(deep, jf96, largest_v=2.0), jf96)
    error = np.sqrt(np.mean((found.predict(X)[0] - long) ** 2))
    costs = found.costs(X)
    # Two independent handings over; no other error, so nothing else may show.
    assert 0 < error < 1.5 * np.hypot(*(cost.predicted_V for cost in costs))
    for cost in costs:
        assert (cost.nodes, cost.readout_V, cost.droop_V) == (12, 0.0, 0.0)
        assert cost.rounding_V == pytest.approx(jf96.nodes.preset.lsb / 12**0.5)
        assert cost.measured_V == pytest.approx(cost.predicted_V, rel=0.3)


def test_the_cost_of_readout_and_droop_is_predicted_and_seen(
    jf96: BoardSpec, deep: Circuit, make_record: Recorder
) -> None:
    record = make_record(jf96, "modules", seed=5)
    droop = replace(record.tables["leak_S"], value=np.full(96, 10.0), se=np.full(96, 5.0))
    known = CalibrationRecord(record.provenance, record.tables | {"droop_per_s": droop})
    compiled = compile_passes(deep, jf96, record=known, largest_v=2.0)
    for cost in twin_of_passes(compiled, jf96, known, readout_V=1e-3).costs(X):
        # Read 3 to 8 slots of 20 us after HOLD: 5/s of 0.1 ms of some tenths of a volt.
        assert cost.droop_V == pytest.approx(5 * 1.1e-4 * 0.3, rel=0.7)
        assert cost.predicted_V > cost.readout_V / 2
        assert cost.measured_V == pytest.approx(cost.predicted_V, rel=0.3)


def test_presets_that_no_code_corrects_cost_too(jf96: BoardSpec, deep: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "rough", seed=7)
    for options, off_V in (({}, 0.012), ({"record": record}, 0.0)):
        compiled = compile_passes(deep, jf96, largest_v=2.0, **options)
        for cost in twin_of_passes(compiled, jf96, record).costs(X):
            assert cost.preset_V == pytest.approx(off_V, rel=0.5, abs=1e-9)
            assert cost.measured_V == pytest.approx(cost.predicted_V, rel=0.5)


def test_droop_is_taken_off_before_voltages_are_handed_on(jf96: BoardSpec, deep: Circuit) -> None:
    compiled = compile_passes(deep, jf96, largest_v=2.0)
    drooping = [replace(part, droop_per_s=np.full(96, 40.0)) for part in compiled.passes]
    volts = np.linspace(-0.9, 0.9, 24).reshape(2, 12)
    # Held 6 slots and more of 20 us each, at 40/s: a loss of half a per cent, 10 LSB at the ends.
    shown = volts * np.exp(-40.0 * drooping[0].held_s)
    assert np.abs(shown - volts).max() > 5 * jf96.nodes.preset.lsb
    carried = CompiledPasses(tuple(drooping)).carried(0, shown)
    assert np.abs(jf96.nodes.preset.value(carried)[:, :12] - volts).max() <= 0.51 * jf96.nodes.preset.lsb
    assert (carried[:, 12:] == jf96.nodes.preset.middle).all()


def test_a_reading_beyond_the_presets_is_brought_into_their_range(jf96: BoardSpec, deep: Circuit) -> None:
    compiled = compile_passes(deep, jf96, largest_v=2.0)
    codes = compiled.carried(0, np.full((1, 12), 1.02) * np.resize([1.0, -1.0], 12))
    assert codes[0, :2].tolist() == [jf96.nodes.preset.code_range[1], jf96.nodes.preset.code_range[0]]


def test_standard_errors_hold_the_readings_noise(jf96: BoardSpec, deep: Circuit) -> None:
    compiled = compile_passes(deep, jf96, largest_v=2.0)
    assert not twin_of_passes(compiled, jf96).predict(X)[1].any()
    found = twin_of_passes(compiled, jf96, readout_V=2e-3)
    wanted = np.hypot(*(cost.predicted_V for cost in found.costs(X)))
    se = found.predict(X)[1]
    assert np.sqrt(np.mean(se**2)) == pytest.approx(wanted, rel=0.3)


def test_a_record_corrects_every_pass(jf96: BoardSpec, deep: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=6)
    ideal = twin_of_passes(compile_passes(deep, jf96, largest_v=2.0), jf96).predict(X)[0]

    def error_V(**options: object) -> float:
        compiled = compile_passes(deep, jf96, largest_v=2.0, **options)  # type: ignore[arg-type]
        found = twin_of_passes(compiled, jf96, record).predict(X)[0]
        return float(np.sqrt(np.mean((found - ideal) ** 2)))

    raw, corrected = error_V(), error_V(record=record)
    assert corrected < 0.4 * raw


def test_passes_come_back_from_a_file(tmp_path: Path, jf96: BoardSpec, deep: Circuit) -> None:
    compiled = compile_passes(deep, jf96, largest_v=2.0)
    path = compiled.save(tmp_path / "deep")
    again = CompiledPasses.load(path, jf96)
    assert (again.inputs, again.outputs, again.volts_per_unit, again.record_id) == (
        compiled.inputs,
        compiled.outputs,
        compiled.volts_per_unit,
        "",
    )
    for found, part in zip(again.passes, compiled.passes, strict=True):
        assert (found.program, found.image.payload(jf96)) == (part.program, part.image.payload(jf96))
    with pytest.raises(DesignError, match="runs in 3 passes"):
        CompiledCircuit.load(path, jf96)


def test_seconds_per_unit_go_to_their_slices(jf96: BoardSpec, deep: Circuit) -> None:
    taus = [100e-6, 110e-6, 120e-6, 130e-6, 140e-6]
    passes = compile_passes(deep, jf96, largest_v=2.0, seconds_per_unit=taus).passes
    assert [ticks for part in passes for _, ticks in part.program.steps] == [100, 110, 120, 130, 140]
    with pytest.raises(DesignError, match="do not fit"):
        compile_passes(deep, jf96, largest_v=2.0, seconds_per_unit=taus[:3])
