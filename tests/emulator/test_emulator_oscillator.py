"""The emulated board of resonators against scipy's solution of its two capacitors and transconductances."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jackfield.board import BoardSpec, RunProgram
from jackfield.emulator.oscillator import OscillatorBoard
from jackfield.emulator.oscillator_trace import OscillatorTrace
from jackfield.emulator.settings import Settings
from jackfield.session import load_spec


@pytest.fixture(scope="module")
def spec() -> BoardSpec:
    return load_spec("jf-osc64")


def settings(spec: BoardSpec) -> Settings:
    """Random gains in bank 0, nothing in bank 1; one resonator tuned."""
    shape = (spec.run.banks, spec.cell_count)
    gain = np.full(shape, 128)
    gain[0] += np.random.default_rng(0).integers(-30, 31, spec.cell_count)
    enable = np.zeros(shape, dtype=np.bool_)
    enable[0] = True
    trim = np.full((2, spec.nodes.count), spec.nodes.trim.middle)
    trim[:, 4] += 40
    empty = np.zeros(shape, dtype=np.int64)
    return Settings(enable, empty, empty, {"gain": gain}, trim)


def test_a_run_and_its_ring_down_are_those_of_the_circuit(spec: BoardSpec) -> None:
    assert spec.oscillator is not None
    shots: list[OscillatorTrace] = []
    board = OscillatorBoard(spec, "cmos", 3, shots.append)
    held = settings(spec)
    board.configure(held)
    codes = np.random.default_rng(1).integers(1, 4096, (1, spec.nodes.count))
    program = RunProgram(steps=((0, 700), (1, 500)), scan=((5,), (849,)), mode="watch")
    board.run(program, codes, 0, 1)
    draws, neuron, omega = board.draws, 4, 2 * np.pi * spec.oscillator.frequency_Hz
    own = omega * (1 + draws.detuning[neuron] + spec.nodes.trim.value(held.trim[0, neuron]))
    loss = own / (2 * spec.oscillator.quality(spec.nodes) * (1 + draws.quality[neuron]))
    gain = spec.groups[0].parameters["gain"].value(held.codes["gain"][0]).reshape(64, -1)[neuron]
    phases = np.pi * spec.nodes.preset.value(codes[0, 64:])
    weights = gain * draws.gain_scale[neuron] * spec.oscillator.drive_V / spec.nodes.capacitance_F

    def slope(t: float, v: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
        drive = float(weights @ np.cos(omega * t + phases)) if t < 700e-6 else 0.0
        return [drive - loss * v[0] - own * v[1], own * v[0] - loss * v[1]]

    t = np.arange(0, 1.2e-3, 5e-6)
    expected = solve_ivp(slope, (0, 1.2e-3), [0, 0], t_eval=t, rtol=1e-8, atol=1e-10, max_step=2e-6).y[1]
    pieces, shown = shots[0].pieces, np.zeros(len(t))
    at = np.searchsorted(pieces.start_s, 2 * spec.probe.slot_s + t, side="right") - 1
    for i, piece in enumerate(at):  # without the probe's own phase
        turned = np.exp(2j * np.pi * t[i] * spec.oscillator.frequency_Hz) * pieces.steady_V[0, piece]
        faded = pieces.fading_V[0, piece] * np.exp(pieces.rate[0, piece] * t[i] * spec.oscillator.frequency_Hz)
        shown[i] = ((turned + faded) * np.exp(-1j * draws.phase_rad[neuron])).real
    assert np.abs(expected).max() > 0.01
    assert shown == pytest.approx(expected, abs=2e-3 * np.abs(expected).max())


def test_one_seed_is_one_board(spec: BoardSpec) -> None:
    same, other = OscillatorBoard(spec, "cmos", 7), OscillatorBoard(spec, "cmos", 8)
    again = OscillatorBoard(spec, "cmos", 7)
    assert np.array_equal(same.draws.gain_scale, again.draws.gain_scale)
    assert not np.array_equal(same.draws.detuning, other.draws.detuning)
    assert same.draws.detuning.std() == pytest.approx(0.03, rel=0.3)
    assert same.draws.gain_scale.std() == pytest.approx(0.05, rel=0.02)
