"""The twin: what a record says of a board becomes a circuit, a prediction and its standard errors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.compile import CompiledCircuit, Twin, compile_circuit, twin
from jackfield.compile.known import uncertainties
from jackfield.errors import CalibrationError
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_spec

Recorder = Callable[..., CalibrationRecord]


def with_se(record: CalibrationRecord, name: str, se: float, residual: float = 0.0) -> CalibrationRecord:
    old: Table = record.tables[name]
    new = replace(old, se=np.full(len(old.index), se), residual=np.full(len(old.index), residual))
    return CalibrationRecord(record.provenance, {**record.tables, name: new})


def test_every_quantity_of_the_record_is_in_the_circuit(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=8)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    circuit, value = twin(compiled, jf96, record).circuit, {n: t.value for n, t in record.tables.items()}
    assert circuit.rails == (-1.0, 1.0)
    np.testing.assert_allclose(circuit.capacitance.numpy(), 10e-9 * value["capacitance_ratio"])
    np.testing.assert_allclose(circuit.leak.numpy(), value["leak_S"])
    assert compiled.placement is not None
    switched = circuit.slices[1]
    assert (switched.edges, switched.duration) == ((), jf96.run.bank_switch_s)
    for bank, part in enumerate(circuit.slices[::2]):
        edges, cells = part.edges[0], np.sort(compiled.placement.cells[bank])
        assert edges.source.tolist() == compiled.image.source[bank, cells].tolist()
        assert part.duration == pytest.approx(compiled.program.steps[bank][1] * 1e-6)
        threshold = jf96.groups[0].parameters["threshold"].value(compiled.image.codes["threshold"][bank, cells])
        shifted = threshold + value["threshold_offset_V"][cells]
        np.testing.assert_allclose(edges.parameters["threshold"].numpy(), shifted)
        assert edges.imperfection is not None
        assert float(edges.imperfection.knee) == pytest.approx(0.005)
        assert float(edges.imperfection.saturation) == pytest.approx(1.3 * 45e-6)
        np.testing.assert_allclose(edges.imperfection.offset.numpy(), value["current_offset_A"][cells])
        trims = jf96.nodes.trim.value(compiled.image.trim[bank]) * value["trim_gain"]
        assert part.injection is not None
        np.testing.assert_allclose(part.injection.numpy(), trims + value["node_offset_A"])


def test_trims_flow_while_banks_change_and_cells_do_not(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    slow = replace(jf96, run=replace(jf96.run, bank_switch_s=50e-6))
    record = make_record(slow, "cmos", seed=8)
    still = {
        name: record.tables[name] for name in ("current_offset_A", "node_offset_A", "trim_gain", "preset_offset_V")
    }
    pushed = replace(small, slices=tuple(replace(part, injection=torch.full((12,), 0.01)) for part in small.slices))
    compiled = compile_circuit(pushed, slow, record=CalibrationRecord(record.provenance, still), largest_v=2.0)
    times = np.array([ticks * slow.run.tick_s for _, ticks in compiled.program.steps])
    # All nodes at 0 V and thresholds at the top of their range: cells carry nothing but their offsets.
    codes = {**compiled.image.codes, "threshold": np.full_like(compiled.image.codes["threshold"], 255)}
    idle = replace(compiled, image=replace(compiled.image, codes=codes))
    predicted = twin(idle, slow, CalibrationRecord(record.provenance, still)).states(np.zeros((1, 6)))[-1, 0]
    pushed_V = 0.01 * compiled.scaling.volts_per_unit * sum(part.duration for part in small.slices)
    half_lsb = slow.nodes.trim.lsb / 2 * 1.02 / slow.nodes.capacitance_F
    # Each trim is half an LSB off at most; without its share for the switch the second one would be 5 LSB off.
    assert np.abs(predicted[:12] - pushed_V).max() <= half_lsb * (times.sum() + slow.run.bank_switch_s) + 1e-3


def test_standard_errors_follow_the_record(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=8)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    x = np.random.default_rng(3).random((20, 6))
    small_se, large_se, found = (
        twin(compiled, jf96, with_se(record, "node_offset_A", se, residual)).predict(x)[1]
        for se, residual in ((1e-8, 0.0), (1e-7, 0.0), (1e-8, 1e-7))
    )
    assert small_se.shape == (20, 10)
    assert large_se.mean() == pytest.approx(10 * small_se.mean(), rel=0.05)
    np.testing.assert_allclose(found, large_se)


def test_standard_errors_cover_another_likely_board(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "modules", seed=9)
    for name, se in (("gain_scale", 0.01), ("threshold_offset_V", 2e-3), ("preset_offset_V", 1e-3)):
        record = with_se(record, name, se)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    believed = twin(compiled, jf96, record)
    x = np.random.default_rng(3).random((50, 6))
    volts, se = believed.predict(x)
    z = []
    for seed in range(6):
        truth = believed.known.drawn(uncertainties(jf96, record), np.random.default_rng(100 + seed))
        z.append((replace(believed, known=truth, record=None).predict(x)[0] - volts) / se)
    assert 0.6 < np.sqrt(np.mean(np.square(z))) < 1.7


def test_an_unmeasured_cell_has_no_finite_standard_error(
    jf96: BoardSpec, small: Circuit, make_record: Recorder
) -> None:
    record = with_se(make_record(jf96, "cmos", seed=8), "gain_scale", np.inf)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    volts, se = twin(compiled, jf96, record).predict(np.zeros((2, 6)))
    assert np.isfinite(volts).all()
    assert np.isinf(se).all()


def test_held_nodes_droop_until_they_are_scanned(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "modules", seed=9)
    numbers = tuple(str(n + 1) for n in range(96))
    nothing = np.zeros(96)
    table = Table(numbers, nothing + 10.0, nothing, nothing, nothing.astype(int), nothing == 0, ("ok",) * 96)
    drooping = CalibrationRecord(record.provenance, {**record.tables, "droop_per_s": table})
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    x = np.random.default_rng(3).random((5, 6))
    volts, less = (twin(compiled, jf96, r).predict(x)[0] for r in (record, drooping))
    held_s = (2.65 + np.array([0, 1, 2, 3, 4] * 2)) * 20e-6
    np.testing.assert_allclose(less, volts * np.exp(-10.0 * held_s))


def test_states_end_at_the_prediction(jf96: BoardSpec, small: Circuit) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.0)
    mirror = twin(compiled, jf96)
    x = np.random.default_rng(3).random((4, 6))
    states = mirror.states(x, snapshots=16)
    assert states.shape == (32, 4, 96)
    np.testing.assert_allclose(states[-1][:, 2:12], mirror.predict(x)[0], atol=1e-12)


def test_one_seed_gives_one_prediction(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = with_se(make_record(jf96, "cmos", seed=8), "gain_scale", 0.01)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    x = torch.rand(3, 6, generator=torch.Generator().manual_seed(1))
    first, second = (twin(compiled, jf96, record, seed=4).predict(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_record_of_another_spec_is_refused(
    jf16: BoardSpec, jf96: BoardSpec, small: Circuit, make_record: Recorder
) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.0)
    with pytest.raises(CalibrationError, match="calibrate the board again"):
        twin(compiled, jf96, make_record(jf16, "cmos", seed=8))


def test_driven_nodes_stay_and_the_rest_comes_to_rest(tmp_path: Path) -> None:
    """A run of 30 time constants: node 1 is driven, node 2 ends where the current from it is what leaks."""
    jf16s = load_spec("jf16s")
    values = {"gain": torch.tensor([0.8]), "threshold": torch.tensor([0.1])}
    part = Slice(30.0, (EdgeSet("shifted_relu", torch.tensor([1]), torch.tensor([2]), values),))
    circuit = Circuit(2, (part,), torch.ones(2), torch.tensor([0.2, 0.2]), None, (1,), (1, 2), (1,))
    compiled = compile_circuit(circuit, jf16s, volts_per_unit=1.0, seconds_per_unit=1e-4)
    assert compiled.program.clamp == (1,)
    loaded = CompiledCircuit.load(compiled.save(tmp_path / "driven.jfi"), jf16s)
    assert loaded.program == compiled.program
    model = twin(loaded, jf16s)
    assert isinstance(model, Twin)
    gain, threshold = (jf16s.groups[0].parameters[name] for name in ("gain", "threshold"))
    cell = np.flatnonzero(compiled.image.enable[0])
    g, shift = (
        dac.value(compiled.image.codes[name][0, cell]) for name, dac in (("gain", gain), ("threshold", threshold))
    )
    x = np.array([[0.9], [0.5]])
    driven = jf16s.nodes.preset.value(compiled.input_codes(x))[:, 0]
    wanted = np.stack([driven, g * (driven - shift) / (g + jf16s.nodes.leak_S)], axis=1)
    assert model.predict(x)[0] == pytest.approx(wanted, abs=1e-6)
    assert model.states(x, 4)[-1][:, :2] == pytest.approx(wanted, abs=1e-6)
