"""Driven nodes and injected currents of an ideal board against closed forms."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.settings import Settings

from .test_emulator_analog import quiet, values


def settings(spec: BoardSpec, gain_S: float | None = None) -> Settings:
    """Nothing enabled but, where a gain is given, cell A1 from node 1 to node 2 in every bank."""
    image = ConfigImage.safe(spec)
    if gain_S is not None:
        image.enable[:, 0], image.source[:, 0], image.destination[:, 0] = True, 1, 2
        image.codes["gain"][:, 0] = spec.groups[0].parameters["gain"].code(gain_S)
    return Settings(image.enable, image.source, image.destination, dict(image.codes), image.trim)


def played(
    spec: BoardSpec, program: RunProgram, inputs: NDArray[np.int64], used: Settings, injected: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Volts `[input, node]` of an ideal board."""
    shown: list[NDArray[np.float64]] = []
    board = AnalogBoard(spec, "ideal", 1, listener=lambda trace: shown.append(values(trace, spec, program)))
    quiet(board)
    board.configure(used)
    board.run(program, inputs, 1, 1, (), injected)
    return shown[0]


def presets(spec: BoardSpec, volts: list[float]) -> NDArray[np.int64]:
    codes = np.full((len(volts), spec.nodes.count), spec.nodes.preset.middle)
    codes[:, 0] = spec.nodes.preset.code(np.array(volts))
    return codes


def test_a_driven_node_stays_and_its_neighbour_settles_to_the_divider(jf16s: BoardSpec) -> None:
    used = settings(jf16s, 50e-6)
    gain = float(jf16s.groups[0].parameters["gain"].value(int(used.codes["gain"][0, 0])))
    program = RunProgram(((0, 2500), (1, 2500)), ((1, 2), (3,)), count=2, clamp=(1,))
    codes = presets(jf16s, [0.3, 0.7])
    volts = played(jf16s, program, codes, used, None)
    driven = jf16s.nodes.preset.value(codes[:, 0])
    assert volts[:, 0] == pytest.approx(driven, abs=1e-6)
    assert volts[:, 1] == pytest.approx(driven * gain / (gain + jf16s.nodes.leak_S), abs=1e-5)


def test_a_constant_current_charges_a_leaking_node(jf16s: BoardSpec) -> None:
    injection = jf16s.nodes.injection
    assert injection is not None
    codes = np.full((2, 1, 16), injection.dac.middle)
    codes[:, 0, 1] = injection.dac.code(np.array([5e-6, -12e-6]))
    amperes = injection.dac.value(codes[:, 0, 1])
    program = RunProgram(((0, 700),), ((2,), (3,)), count=2, inject=True)
    volts = played(jf16s, program, presets(jf16s, [0.0, 0.0]), settings(jf16s), codes)
    leak, rate = jf16s.nodes.leak_S, jf16s.nodes.leak_S / jf16s.nodes.capacitance_F
    assert volts[:, 0] == pytest.approx(amperes / leak * (1 - np.exp(-rate * 700e-6)), abs=3e-5)
    assert volts[:, 1] == pytest.approx(0.0, abs=1e-6)


def test_a_waveform_is_played_once_over_the_run_with_straight_lines(jf16w: BoardSpec) -> None:
    injection = jf16w.nodes.injection
    assert injection is not None
    wanted = 20e-6 * np.sin(np.linspace(0, 2.5, injection.points))
    codes = np.full((1, injection.points, 16), injection.dac.middle)
    codes[0, :, 4] = injection.dac.code(wanted)
    program = RunProgram(((0, 300),), ((5,), (6,)), inject=True)
    volts = played(jf16w, program, presets(jf16w, [0.0]), settings(jf16w), codes)
    charge = np.trapezoid(injection.dac.value(codes[0, :, 4]), np.linspace(0, 300e-6, injection.points))
    assert volts[0, 0] == pytest.approx(charge / jf16w.nodes.capacitance_F, abs=1e-5)
