"""Circuits as codes: round trips, reports, errors that name what is wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, delta
from jackfield.compile import CompiledCircuit, compile_circuit, twin
from jackfield.errors import CalibrationError, DesignError
from jackfield.physics import Circuit, EdgeSet, Slice, integrate

Recorder = Callable[..., CalibrationRecord]


def one_edge(gain: float = 0.1, threshold: float = 0.0, injection: float | None = None) -> Circuit:
    parameters = {"gain": torch.tensor([gain]), "threshold": torch.tensor([threshold])}
    edges = EdgeSet("shifted_relu", torch.tensor([3]), torch.tensor([9]), parameters)
    current = None if injection is None else torch.full((9,), injection)
    return Circuit(9, (Slice(1.0, (edges,), current),), torch.ones(9), torch.zeros(9), inputs=(3,), outputs=(9,))


def test_codes_are_within_half_an_lsb_and_the_report_says_so(jf96: BoardSpec, small: Circuit) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.0)
    report, placement, image = compiled.report, compiled.placement, compiled.image
    assert report is not None
    assert placement is not None
    assert np.abs(report.error_lsb).max() <= 0.5 + 1e-9
    for bank, part in enumerate(small.slices):
        cells, factor = placement.cells[bank], 10e-9 / compiled.scaling.seconds_per_unit[bank]
        wanted = part.edges[0].parameters["gain"].double().numpy() * factor
        scale = jf96.groups[0].parameters["gain"]
        given = scale.value(image.codes["gain"][bank, cells])
        assert np.abs(given - wanted).max() <= 0.5001 * scale.lsb
        rows = report.rows_of("gain") & (report.bank == bank)
        np.testing.assert_allclose(report.requested[rows], wanted)
        np.testing.assert_array_equal(report.actual[rows], given)
        assert image.enable[bank].sum() == len(cells)
    assert "gain: 252 values on board jf96" in report.summary(jf96)


def test_without_a_record_trims_rest(jf96: BoardSpec, small: Circuit) -> None:
    assert (compile_circuit(small, jf96, largest_v=2.0).image.trim == jf96.nodes.trim.middle).all()


def test_injection_is_played_by_the_trims(jf96: BoardSpec) -> None:
    compiled = compile_circuit(one_edge(gain=0.75, injection=0.2), jf96, volts_per_unit=0.6)
    amperes = jf96.nodes.trim.value(compiled.image.trim[0])
    assert amperes[:9] == pytest.approx(0.2 * 60e-6, abs=jf96.nodes.trim.lsb)
    assert not amperes[9:].any()


def test_the_image_survives_its_bytes_and_small_changes_stay_small(jf96: BoardSpec, small: Circuit) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.0)
    payload = compiled.image.payload(jf96)
    again = ConfigImage.from_payload(jf96, payload)
    assert again.digest(jf96) == compiled.image.digest(jf96)
    first = small.slices[0].edges[0]
    gains = first.parameters["gain"].clone()
    gains[5] += 0.05
    moved = replace(first, parameters={"gain": gains, "threshold": first.parameters["threshold"]})
    other = replace(small, slices=(replace(small.slices[0], edges=(moved,)), small.slices[1]))
    pieces = delta(payload, compile_circuit(other, jf96, largest_v=2.0).image.payload(jf96))
    assert 0 < sum(len(piece) for _, piece in pieces) <= 8


def test_outputs_are_shared_out_over_the_probes(jf96: BoardSpec, small: Circuit) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.0)
    assert compiled.program.scan == ((3, 4, 5, 6, 7), (8, 9, 10, 11, 12))
    slots = compiled.held_s / compiled.spec.probe.slot_s
    assert slots == pytest.approx([2.65, 3.65, 4.65, 5.65, 6.65] * 2)
    compiled.program.check(jf96)


def test_a_gain_out_of_range_names_edge_cell_and_cure(jf96: BoardSpec) -> None:
    message = (
        r"gain 100 uS on edge 0 \(n3->n9\) in bank 0 is above the 75 uS of cell A1 on board jf96; "
        r"rescale with --seconds-per-unit or .* --allow-clipped 1"
    )
    with pytest.raises(DesignError, match=message):
        compile_circuit(one_edge(gain=1.0), jf96, volts_per_unit=0.6, seconds_per_unit=100e-6)
    with pytest.raises(DesignError, match=r"threshold -400 mV on edge 0 .* below the -300 mV .*--volts-per-unit"):
        compile_circuit(one_edge(threshold=-0.4), jf96, volts_per_unit=1.0)


def test_clipping_is_counted_when_allowed(jf96: BoardSpec) -> None:
    compiled = compile_circuit(one_edge(1.0), jf96, volts_per_unit=0.6, seconds_per_unit=100e-6, allow_clipped=1)
    assert compiled.report is not None
    assert compiled.report.clipped.sum() == 1
    assert compiled.image.codes["gain"][0, 0] == 255


def test_inputs_become_preset_codes(jf96: BoardSpec) -> None:
    compiled = compile_circuit(one_edge(), jf96, volts_per_unit=0.5)
    codes = compiled.input_codes([[1.0], [-2.0]])
    volts = jf96.nodes.preset.value(codes)
    assert volts[:, 2] == pytest.approx([0.5, -1.0], abs=jf96.nodes.preset.lsb / 2)
    assert not np.delete(volts, 2, axis=1).any()
    with pytest.raises(DesignError, match=r"input 0 asks 1\.5 V of node 3, whose preset reaches -1 V to 1 V"):
        compiled.input_codes([[3.0]])
    with pytest.raises(DesignError, match=r"give \[batch, 1\]"):
        compiled.input_codes([[1.0, 2.0]])


def test_a_record_corrects_codes_presets_and_trims(jf96: BoardSpec, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=5)
    compiled = compile_circuit(one_edge(0.5, 0.1), jf96, record=record, volts_per_unit=0.5, seconds_per_unit=100e-6)
    value = {name: table.value[0] for name, table in record.tables.items()}
    gain, threshold = (jf96.groups[0].parameters[name] for name in ("gain", "threshold"))
    nominal = gain.value(compiled.image.codes["gain"][0, 0])
    bend = value["gain_bend_2_S"] * (3 * (nominal / gain.hi) ** 2 - 1) / 2
    actual = value["gain_scale"] * nominal + value["gain_zero_S"] + bend
    assert actual == pytest.approx(50e-6, abs=0.6 * gain.lsb)
    shifted = threshold.value(compiled.image.codes["threshold"][0, 0]) + value["threshold_offset_V"]
    assert shifted == pytest.approx(0.05, abs=0.51 * threshold.lsb)
    trim = jf96.nodes.trim.value(compiled.image.trim[0]) * record.tables["trim_gain"].value
    summed = record.tables["node_offset_A"].value.copy()
    summed[8] += value["current_offset_A"]
    summed[2] -= value["current_offset_A"]
    assert np.abs(trim + summed).max() <= 0.55 * jf96.nodes.trim.lsb
    preset = compiled.preset_volts(compiled.input_codes([[1.0]]))[0]
    assert preset[2] == pytest.approx(0.5, abs=0.6 * jf96.nodes.preset.lsb)
    assert np.abs(np.delete(preset, 2)).max() <= 0.6 * jf96.nodes.preset.lsb


def test_bad_cells_are_avoided(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=5, bad=(0, 7))
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0)
    assert compiled.placement is not None
    assert not compiled.image.enable[:, [0, 7]].any()


def test_doubtful_cells_are_used_only_for_want_of_verified_ones(jf16: BoardSpec, make_record: Recorder) -> None:
    able = [cell for cell in range(48) if jf16.groups[0].reach.allows(cell, 1, 5)]
    pairs = [(1, 5)] * len(able)
    source, destination = (torch.tensor(ends) for ends in zip(*pairs, strict=True))
    parameters = {"gain": torch.full((len(pairs),), 0.1), "threshold": torch.zeros(len(pairs))}
    part = Slice(1.0, (EdgeSet("shifted_relu", source, destination, parameters),))
    circuit = Circuit(5, (part,), torch.ones(5), torch.zeros(5), inputs=(1,), outputs=(5,))
    record = make_record(jf16, "modules", seed=1, bad=(able[0],))
    with pytest.raises(DesignError, match="finds no cell"):
        compile_circuit(circuit, jf16, record=record, volts_per_unit=0.5)
    noisy = {
        name: replace(table, reason=tuple("ok" if good else "noisy" for good in table.good))
        for name, table in record.tables.items()
    }
    compiled = compile_circuit(circuit, jf16, record=CalibrationRecord(record.provenance, noisy), volts_per_unit=0.5)
    assert compiled.image.enable[0].sum() == len(pairs)


def test_large_values_move_to_cells_that_can_hold_them(jf96: BoardSpec, make_record: Recorder) -> None:
    record = make_record(jf96, "rough", seed=6)
    gain = np.where(np.arange(2000) % 2, 0.74, 0.05)
    threshold = np.where(np.arange(2000) % 3, 0.0, 0.48)
    parameters = {"gain": torch.from_numpy(gain).float(), "threshold": torch.from_numpy(threshold).float()}
    source, destination = torch.ones(2000, dtype=torch.int64), 2 + torch.arange(2000) % 90
    part = Slice(1.0, (EdgeSet("shifted_relu", source, destination, parameters),))
    circuit = Circuit(96, (part,), torch.ones(96), torch.zeros(96), inputs=(1,), outputs=(2,))
    compiled = compile_circuit(
        circuit, jf96, record=record, volts_per_unit=0.6, seconds_per_unit=100e-6, allow_clipped=2
    )
    assert compiled.report is not None
    assert not compiled.report.clipped[~compiled.report.rows_of("trim")].any()


def test_a_record_of_another_spec_is_refused(jf16: BoardSpec, jf96: BoardSpec, make_record: Recorder) -> None:
    with pytest.raises(CalibrationError, match="the record was made with a spec of digest"):
        compile_circuit(one_edge(), jf96, record=make_record(jf16, "cmos", seed=5), volts_per_unit=0.5)


def test_conductances_on_jf16_agree_with_the_matrix_exponential(jf16: BoardSpec) -> None:
    reach = jf16.groups[0].reach
    both = [
        (s, d)
        for s in range(1, 17)
        for d in range(s + 1, 17)
        if any(reach.allows(c, s, d) for c in range(48)) and any(reach.allows(c, d, s) for c in range(48))
    ][::6][:8]
    source, destination = (torch.tensor(ends) for ends in zip(*both, strict=True))
    gain = torch.linspace(0.1, 0.6, len(both), dtype=torch.float64)
    part = Slice(1.0, (EdgeSet("conductance", source, destination, {"gain": gain}),))
    zero = torch.zeros(16, dtype=torch.float64)
    circuit = Circuit(16, (part,), zero + 1, zero, inputs=tuple(range(1, 17)), outputs=tuple(range(1, 17)))
    compiled = compile_circuit(circuit, jf16, volts_per_unit=0.8)
    matrix = torch.zeros(16, 16, dtype=torch.float64)
    for s, d, g in zip(source - 1, destination - 1, gain, strict=True):
        matrix[s, s] -= g
        matrix[d, d] -= g
        matrix[s, d] += g
        matrix[d, s] += g
    x = torch.rand(20, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    wanted = (x @ torch.linalg.matrix_exp(matrix)).numpy() * 0.8
    volts, se = twin(compiled, jf16).predict(x)
    assert np.abs(volts - wanted).max() < 2e-3
    assert not se.any()


def quantised(compiled: CompiledCircuit, circuit: Circuit) -> Circuit:
    """The machine-unit circuit with the parameters that the codes stand for."""
    assert compiled.placement is not None
    parts = []
    for bank, part in enumerate(circuit.slices):
        cells, edges = compiled.placement.cells[bank], part.edges[0]
        tau = compiled.scaling.seconds_per_unit[bank]
        factor = {"gain": tau / 10e-9, "threshold": 1 / compiled.scaling.volts_per_unit}
        scales = compiled.spec.groups[0].parameters
        parameters = {
            name: torch.from_numpy(scales[name].value(compiled.image.codes[name][bank, cells]) * factor[name])
            for name in ("gain", "threshold")
        }
        parts.append(Slice(part.duration, (replace(edges, parameters=parameters),)))
    one = torch.ones(circuit.nodes, dtype=torch.float64)
    return Circuit(circuit.nodes, tuple(parts), one, one * 0, None, circuit.inputs, circuit.outputs)


def test_the_twin_without_a_record_is_the_quantised_circuit(jf96: BoardSpec, small: Circuit) -> None:
    compiled = compile_circuit(small, jf96, largest_v=2.5)
    codes = compiled.input_codes(np.random.default_rng(2).random((10, 6)))
    start = torch.from_numpy(compiled.preset_volts(codes)[:, :12] / compiled.scaling.volts_per_unit)
    wanted = integrate(quantised(compiled, small), start, steps=32)[-1][:, 2:] * compiled.scaling.volts_per_unit
    volts, _ = twin(compiled, jf96).predict_codes(codes)
    np.testing.assert_allclose(volts, wanted.numpy(), atol=1e-9)
