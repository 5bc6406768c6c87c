"""The emulated board of resonators against scipy's solution of its two capacitors and transconductances."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jackfield.board import BoardSpec, RunProgram
from jackfield.emulator.oscillator import OscillatorBoard
from jackfield.emulator.oscillator_trace import OscillatorTrace
from jackfield.emulator.settings import Settings
from jackfield.physics import Resonators, SpikeRule, exact_spikes
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


SETTLE, PULSE = 27, 0.1  # periods


def begun(trace: OscillatorTrace, slot: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """When pulses of a slot on probe 1 begin, in periods from the drive's start: where the volts leave zero."""
    start, zero = trace.pieces.start_s[slot], trace.pieces.zero_s[slot]
    step, count = 0.05e-6, 12_000
    volts = trace.volts(1, start, step, count, step)
    rising = np.flatnonzero((volts[1:] > 1e-3) & (volts[:-1] <= 1e-3))
    return (start + rising * step - zero) * 10e3


def test_comparators_give_a_pulse_at_each_maximum(spec: BoardSpec) -> None:
    assert spec.oscillator is not None
    shots: list[OscillatorTrace] = []
    board = OscillatorBoard(spec, "ideal", 3, shots.append)
    held = settings(spec)
    board.configure(held)
    codes = np.random.default_rng(1).integers(1, 4096, (2, spec.nodes.count))
    program = RunProgram(((0, 100 * SETTLE),), ((849, 5), (6,)), count=2, mode="spikes")
    board.run(program, codes, 0, 1)
    phases = spec.nodes.preset.value(codes[0, 64:])
    gain = spec.groups[0].parameters["gain"].value(held.codes["gain"][0]).reshape(64, -1)[4:5]
    tuned = spec.nodes.trim.value(held.trim[0, 4:5])
    cell = Resonators.drawn(-np.pi / spec.oscillator.quality(spec.nodes), tuned, 0 * tuned)
    trains = ((phases[:, None] + 1) / 2 + np.arange(-1, SETTLE + 30) + PULSE / 2)[None]
    drive = gain * spec.oscillator.drive_V / spec.nodes.capacitance_F / spec.oscillator.frequency_Hz
    rule = SpikeRule(PULSE / 2, spec.oscillator.threshold_V, 0.25)
    spikes = exact_spikes(trains, drive, cell, SETTLE + 24.0, rule)[0, 0]
    seen = begun(shots[0], 3)
    assert len(seen) >= 5
    assert np.abs(seen[:, None] - spikes).min(axis=1, where=np.isfinite(spikes), initial=1) == pytest.approx(
        0, abs=2e-3
    )
    reference = begun(shots[0], 2)
    assert reference % 1 == pytest.approx((phases[-1] + 1) / 2 % 1, abs=2e-3)


def test_jitter_moves_comparators_and_not_channels(spec: BoardSpec) -> None:
    found = {}
    for profile in ("ideal", "cmos"):
        shots: list[OscillatorTrace] = []
        board = OscillatorBoard(spec, profile, 3, shots.append)
        board.configure(settings(spec))
        codes = np.tile(np.random.default_rng(1).integers(1, 4096, spec.nodes.count), (8, 1))
        board.run(RunProgram(((0, 2700),), ((849, 5), (6,)), count=8, mode="spikes"), codes, 0, 1)
        pulses = shots[0].pieces.pulses
        assert pulses is not None
        found[profile] = pulses.reshape(2, 8, -1, pulses.shape[-1])[0, :, 2:4]
    assert np.nanmax(np.ptp(found["ideal"], axis=0)) < 1e-9
    assert np.ptp(found["cmos"][:, 0], axis=0).max() < 1e-9
    early = found["cmos"][:, 1, :7]
    assert np.std((early - early[0, 0] + 0.5) % 1) == pytest.approx(0.002, rel=0.3)


def test_one_seed_is_one_board(spec: BoardSpec) -> None:
    same, other = OscillatorBoard(spec, "cmos", 7), OscillatorBoard(spec, "cmos", 8)
    again = OscillatorBoard(spec, "cmos", 7)
    assert np.array_equal(same.draws.gain_scale, again.draws.gain_scale)
    assert not np.array_equal(same.draws.detuning, other.draws.detuning)
    assert same.draws.detuning.std() == pytest.approx(0.03, rel=0.3)
    assert same.draws.gain_scale.std() == pytest.approx(0.05, rel=0.02)
