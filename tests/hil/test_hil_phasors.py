"""Phasors of an emulated board of resonators through serial port and VISA, against the closed form."""

import numpy as np
import pytest

from jackfield.board import ConfigImage, RunProgram
from jackfield.errors import DesignError
from jackfield.session import open_bench


def test_settled_phasors_are_the_weighted_sums_of_the_drive() -> None:
    with open_bench("emulator://jf-osc64?profile=ideal&seed=1") as bench:
        spec = bench.spec
        assert spec.oscillator is not None
        neurons, reference = spec.oscillator.neurons, spec.nodes.count
        rng = np.random.default_rng(0)
        gains = rng.integers(-40, 41, (neurons, reference - neurons))
        image = ConfigImage.safe(spec).copy()
        image.enable[0], image.codes["gain"][0] = True, 128 + gains.ravel()
        assert bench.board.apply(image).verified
        phases = rng.uniform(-1, 1, (8, reference))
        phases[:, -1] = 0.0
        codes = spec.nodes.preset.code(phases)
        scan = ((reference, *range(1, 9)), (reference, *range(33, 41)))
        read = bench.phasors(codes, RunProgram(((0, 4000),), scan), run_number=1)
        with pytest.raises(DesignError, match="begin with its reference channel"):
            bench.phasors(codes, RunProgram(((0, 4000),), ((1,), (2,))))
    siemens = spec.groups[0].parameters["gain"].value(128 + gains)
    drive = np.exp(1j * np.pi * spec.nodes.preset.value(codes[:, neurons:])) @ siemens.T * spec.oscillator.drive_V
    turn, loss = 2 * np.pi * spec.oscillator.frequency_Hz * spec.nodes.capacitance_F, spec.nodes.leak_S
    expected = (drive * turn / (loss**2 + 2j * turn * loss))[:, np.array(read.nodes) - 1]
    loud = np.abs(expected) > 0.02
    away = np.angle(read.phasor_V / expected)[loud]
    assert loud.mean() > 0.8
    assert np.abs(away).max() < 0.03
    assert np.sqrt(np.mean((away / read.phase_se_rad[loud]) ** 2)) < 2.5
    assert not read.clipped.any()
