from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from jackfield.board import BoardSpec, RunProgram, schedule
from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.settings import Settings
from jackfield.emulator.trace import ProbeTrace

from .conftest import random_settings, rc_board

HALVES = (tuple(range(1, 9)), tuple(range(9, 17)))


def play(
    board: AnalogBoard, program: RunProgram, inputs: NDArray[np.int64], crc: int = 1, number: int = 1
) -> ProbeTrace:
    shown: list[ProbeTrace] = []
    board.listener = shown.append
    board.run(program, inputs, crc, number)
    return shown[0]


def slots(trace: ProbeTrace, spec: BoardSpec, program: RunProgram) -> NDArray[np.float64]:
    """Raw volts `[probe, input, slot]` in the middle of each slot's settled part."""
    plan = schedule(spec, program)
    at = plan.slot_start_s + 0.65 * plan.slot_s
    return np.array(
        [[[trace.volts(p + 1, t, 1.0, 1, 0.0)[0] for t in row] for row in at] for p in range(spec.probe.count)]
    )


def values(trace: ProbeTrace, spec: BoardSpec, program: RunProgram) -> NDArray[np.float64]:
    """Node volts `[input, node]`, corrected by ground and reference."""
    raw = slots(trace, spec, program)
    ground, reference = raw[:, :, :1], raw[:, :, 1:2]
    volts = (raw[:, :, 2:] - ground) / (reference - ground) * trace.draws.reference_V
    return np.concatenate(list(volts), axis=1)


def quiet(board: AnalogBoard) -> None:
    """No noise and no crosstalk, so that the small effects stand alone."""
    board.profile = replace(board.profile, node_noise_V=0.0, readout_noise_V=0.0)
    board.probes = replace(board.probes, crosstalk=np.zeros_like(board.probes.crosstalk))


def presets(spec: BoardSpec, count: int, limit: float = 0.5) -> NDArray[np.int64]:
    return spec.nodes.preset.code(np.random.default_rng(5).uniform(-limit, limit, (count, spec.nodes.count)))


def decay_matrix(spec: BoardSpec, settings: Settings, bank: int) -> NDArray[np.float64]:
    """A of dv/dt = A v for conductances between the nodes."""
    matrix = np.zeros((spec.nodes.count + 1,) * 2)
    gains = spec.groups[0].parameters["gain"].value(settings.codes["gain"][bank])
    for cell in np.flatnonzero(settings.enable[bank]):
        s, d = settings.source[bank, cell], settings.destination[bank, cell]
        for a, b in ((s, d), (d, s)):
            matrix[a, a] -= gains[cell]
            matrix[a, b] += gains[cell]
    return matrix[1:, 1:] / spec.nodes.capacitance_F


def test_a_linear_circuit_on_an_ideal_board_is_the_matrix_exponential() -> None:
    spec = rc_board()
    board, settings = AnalogBoard(spec, "ideal", 7), random_settings(spec, 40, 0.2)
    board.configure(settings)
    program = RunProgram(((0, 60), (1, 40)), HALVES, count=5)
    inputs = presets(spec, 5)
    flow = expm(decay_matrix(spec, settings, 1) * 40e-6) @ expm(decay_matrix(spec, settings, 0) * 60e-6)
    expected = spec.nodes.preset.value(inputs) @ flow.T
    assert np.abs(expected).max() < 0.95
    assert values(play(board, program, inputs), spec, program) == pytest.approx(expected, abs=1e-5)


def test_each_input_is_played_with_its_own_step() -> None:
    spec = rc_board()
    steps = [random_settings(spec, 40, 0.2, seed) for seed in range(3)]
    program, inputs = RunProgram(((0, 60),), HALVES, count=3, step=1), presets(spec, 3)
    traces: list[ProbeTrace] = []
    board = AnalogBoard(spec, "ideal", 7, listener=traces.append)
    board.run(program, inputs, 1, 1, steps)
    volts = spec.nodes.preset.value(inputs)
    expected = [expm(decay_matrix(spec, steps[i], 0) * 60e-6) @ volts[i] for i in range(3)]
    assert values(traces[0], spec, program) == pytest.approx(np.array(expected), abs=1e-5)
    board.run(program.part(0, 1), inputs[:1], 1, 1)
    stays = expm(decay_matrix(spec, steps[2], 0) * 60e-6) @ volts[0]
    assert values(traces[1], spec, program.part(0, 1))[0] == pytest.approx(stays, abs=1e-5)


def test_watch_follows_the_matrix_exponential_all_the_way() -> None:
    spec = rc_board()
    board, settings = AnalogBoard(spec, "ideal", 7), random_settings(spec, 40, 0.2)
    board.configure(settings)
    program, inputs = RunProgram(((0, 100),), ((3,), (9,)), mode="watch"), presets(spec, 1)
    trace, start_s = play(board, program, inputs), schedule(spec, program).watch_start_s
    shown = trace.volts(1, start_s + 0.5e-6, 1e-6, 100, 0.0)
    flow, state = expm(decay_matrix(spec, settings, 0) * 0.5e-6), spec.nodes.preset.value(inputs[0])
    expected = []
    for _ in range(100):
        state = flow @ state
        expected.append(state[2])
        state = flow @ state
    assert shown == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("profile", ["cmos", "ideal"])
def test_one_seed_is_one_trace(jf16: BoardSpec, profile: str) -> None:
    program, inputs = RunProgram(((0, 50),), HALVES, count=4), presets(jf16, 4)
    records = []
    for seed, crc, number in ((7, 1, 1), (7, 1, 1), (8, 1, 1), (7, 2, 1), (7, 1, 2)):
        board = AnalogBoard(jf16, profile, seed)
        board.configure(random_settings(jf16, 40, 0.2))
        records.append(play(board, program, inputs, crc, number).volts(1, -1e-4, 1e-6, 3000, 0.0))
    assert np.array_equal(records[0], records[1])
    differ = [not np.array_equal(records[0], other) for other in records[2:]]
    assert differ == [profile != "ideal"] * 3


def test_presets_reference_and_noise_are_those_of_the_board(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "rough", 7)
    settings = random_settings(jf16, 0, 0.0)
    board.configure(settings)
    program, inputs = RunProgram(((0, 10),), HALVES, count=64), presets(jf16, 64, 0.9)
    trace = play(board, program, inputs)
    raw = slots(trace, jf16, program)
    assert raw[:, :, 0].mean(axis=1) == pytest.approx(board.probes.offset_V, abs=4 * 5e-3 / 8)
    nodes = board.plant.nodes
    start = nodes.preset_gain * jf16.nodes.preset.value(inputs) + nodes.preset_offset_V
    moved = start + (nodes.offset_A - nodes.leak_S * start) / nodes.capacitance_F * 10e-6
    error = (np.concatenate(list(raw[:, :, 2:]), axis=1) - np.repeat(board.probes.offset_V, 8)) / np.repeat(
        board.probes.gain, 8
    ) - moved
    assert np.abs(error.mean(axis=0)).max() < 6e-3
    assert error.std() == pytest.approx((3e-3**2 + 5e-3**2) ** 0.5, rel=0.2)


def test_held_nodes_droop_at_their_own_rates(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "cmos", 7)
    board.configure(random_settings(jf16, 0, 0.0))
    quiet(board)
    early, late = (RunProgram(((0, 10),), HALVES, hold_ticks=ticks) for ticks in (0, 5000))
    inputs = jf16.nodes.preset.code(np.full((1, 16), 0.7))
    before, after = (values(play(board, program, inputs), jf16, program) for program in (early, late))
    assert np.log(before / after)[0] / 5e-3 == pytest.approx(board.plant.nodes.droop_per_s, rel=1e-3)


def test_trim_moves_a_node_and_a_bank_switch_leaves_its_charge(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "cmos", 7)
    quiet(board)
    settings = random_settings(jf16, 0, 0.0)
    inputs = jf16.nodes.preset.code(np.zeros((1, 16)))
    one, two = RunProgram(((0, 100),), HALVES), RunProgram(((0, 50), (1, 50)), HALVES)
    board.configure(settings)
    plain, switched = (values(play(board, program, inputs), jf16, program)[0] for program in (one, two))
    nodes = board.plant.nodes
    assert switched - plain == pytest.approx(nodes.switch_V + nodes.offset_A / nodes.capacitance_F * 1e-6, abs=3e-5)
    settings.trim[0, 2] += 20
    board.configure(settings)
    trimmed = values(play(board, one, inputs), jf16, one)[0] - plain
    step = nodes.trim_gain[2] * 20 * jf16.nodes.trim.lsb / nodes.capacitance_F[2] * 100e-6
    assert trimmed[2] == pytest.approx(step, rel=5e-3)
    assert np.abs(np.delete(trimmed, 2)).max() < 1e-12


def test_watch_follows_the_run_that_hold_ends(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "ideal", 7)
    board.configure(random_settings(jf16, 40, 0.1))
    watch, run = (RunProgram(((0, 80),), ((3,), (9,)), mode=mode) for mode in ("watch", "run"))
    inputs = presets(jf16, 1)
    plan, live = schedule(jf16, watch), play(board, watch, inputs)
    held = values(play(board, run, inputs), jf16, run)[0]
    for jack, node in ((1, 3), (2, 9)):
        t = plan.watch_start_s + np.array([1e-9, 80e-6 - 1e-9])
        shown = [live.volts(jack, float(s), 1.0, 1, 0.0)[0] for s in t]
        preset = float(jf16.nodes.preset.value(inputs[0, node - 1]))
        assert shown[0] == pytest.approx(preset, abs=1e-4)
        assert shown[1] == pytest.approx(held[jack - 1], abs=1e-4)
        assert live.volts(jack, plan.watch_stop_s + 1e-5, 1.0, 1, 0.0)[0] == pytest.approx(0.0, abs=1e-9)
        assert live.volts(jack, 1.6 * plan.slot_s, 1.0, 1, 0.0)[0] == pytest.approx(0.8, abs=1e-5)


def test_emulated_time_is_what_runs_took(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "cmos", 7, clock_s=100.0)
    board.configure(random_settings(jf16, 3, 0.1))
    program = RunProgram(((0, 50),), HALVES, count=3)
    play(board, program, presets(jf16, 3))
    assert board.time_s == pytest.approx(100.0 + schedule(jf16, program).total_s)
    board.run(replace(program, count=1, scan=((1,), (2,)), mode="hold_preset"), presets(jf16, 1), 1, 2)
    assert board.time_s == pytest.approx(100.0 + schedule(jf16, program).total_s)
