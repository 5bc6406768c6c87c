from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.emulator.draws import ProbeDraws
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.trace import Levels, ProbeTrace


@pytest.fixture
def trace(jf16: BoardSpec) -> ProbeTrace:
    levels = Levels(
        np.array([0.0, 20e-6, 40e-6]),
        np.array([[0.0, 0.8, 0.0], [0.0, 0.4, 0.0]]),
        np.array([[0.0, 100.0, 0.0], [0.0, 0.0, 0.0]]),
    )
    none = np.zeros((2, 16), dtype=np.bool_)
    draws = ProbeDraws(np.array([1.1, 1.0]), np.array([0.02, 0.0]), np.array([[0.0, 0.01], [0.0, 0.0]]), 0.8, none)
    return ProbeTrace(jf16, draws, Randomness("jf16", "cmos", 1), 0.0, "run 1", 60e-6, levels)


def test_gain_offset_crosstalk_droop_and_settling(trace: ProbeTrace) -> None:
    volts = trace.volts(1, -20e-6, 0.1e-6, 1000, 0.0)
    level = 1.1 * (0.8 + 0.01 * 0.4) + 0.02
    assert volts[:200] == pytest.approx(0.02)
    assert volts[470] == pytest.approx(level - 1.1 * 100.0 * 7e-6, abs=1e-5)
    assert volts[599] == pytest.approx(level - 1.1 * 100.0 * 19.9e-6, abs=1e-6)
    assert volts[405] == pytest.approx(0.02 + (level - 0.02) * (1 - np.exp(-0.5e-6 / 0.505e-6)), rel=1e-3)
    assert volts[-1] == pytest.approx(0.02)


def test_a_slot_has_settled_when_it_is_read(trace: ProbeTrace, jf16: BoardSpec) -> None:
    settled = 20e-6 + jf16.probe.settle_fraction * jf16.probe.slot_s
    at, end = (trace.volts(2, t, 1.0, 1, 0.0)[0] for t in (settled, 39.9e-6))
    assert at == pytest.approx(end, abs=1e-5)


def test_noise_is_the_same_however_it_is_sampled(trace: ProbeTrace) -> None:
    noisy = replace(trace, noise_V=2e-3)
    fine, shifted = noisy.volts(2, 3e-8, 0.1e-6, 500, 0.0), noisy.volts(2, 10.03e-6, 0.1e-6, 400, 0.0)
    assert fine[100:] == pytest.approx(shifted)
    long = noisy.volts(2, 1e-3, 0.6e-6, 50_000, 0.0)
    averaged = noisy.volts(2, 1e-3, 0.6e-6, 50_000, 50e-6)
    assert long.std() == pytest.approx(2e-3, rel=0.02)
    assert averaged.std() == pytest.approx(2e-4, rel=0.02)
    assert not np.array_equal(replace(noisy, key="run 2").volts(2, 3e-8, 0.1e-6, 500, 0.0), fine)


def test_a_jack_that_is_not_there_shows_nothing(trace: ProbeTrace) -> None:
    assert not trace.volts(3, 0.0, 1e-6, 10, 0.0).any()
