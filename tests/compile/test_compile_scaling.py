"""Voltage and time scales, and what stops them."""

import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.compile import choose_scaling
from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, EdgeSet, Slice


def circuit(gain: float = 0.5, threshold: float = 0.1, duration: float = 1.0) -> Circuit:
    parameters = {"gain": torch.tensor([gain, 0.01]), "threshold": torch.tensor([threshold, 0.0])}
    edges = EdgeSet("shifted_relu", torch.tensor([1, 2]), torch.tensor([2, 0]), parameters)
    return Circuit(2, (Slice(duration, (edges,)),), torch.ones(2), torch.zeros(2), inputs=(1,), outputs=(2,))


def test_volts_come_from_the_largest_voltage(jf96: BoardSpec) -> None:
    assert choose_scaling(circuit(), jf96, largest_v=1.5).volts_per_unit == pytest.approx(0.6)


def test_volts_are_bounded_by_thresholds(jf96: BoardSpec) -> None:
    scaling = choose_scaling(circuit(threshold=-0.5), jf96, largest_v=1.0)
    assert scaling.volts_per_unit == pytest.approx(0.3 / 0.5)


def test_time_is_the_shortest_in_which_the_largest_gain_fits(jf96: BoardSpec) -> None:
    scaling = choose_scaling(circuit(gain=-0.75), jf96, largest_v=1.5)
    assert scaling.seconds_per_unit == (pytest.approx(100e-6),)
    shorter = choose_scaling(circuit(gain=0.3), jf96, largest_v=1.5)
    assert shorter.seconds_per_unit == (pytest.approx(40e-6),)


def test_time_is_whole_ticks(jf96: BoardSpec) -> None:
    scaling = choose_scaling(circuit(gain=0.333), jf96, largest_v=1.5)
    assert scaling.seconds_per_unit[0] == pytest.approx(45e-6)
    given = choose_scaling(circuit(duration=2.0), jf96, volts_per_unit=0.5, seconds_per_unit=100.2e-6)
    assert given.seconds_per_unit[0] == pytest.approx(100e-6)


def test_short_runs_are_stretched_to_the_minimum(jf96: BoardSpec) -> None:
    assert choose_scaling(circuit(gain=1e-3), jf96, largest_v=1.5).seconds_per_unit[0] == pytest.approx(10e-6)


def test_factors_follow_the_law(jf96: BoardSpec) -> None:
    scaling = choose_scaling(circuit(gain=0.75), jf96, volts_per_unit=0.6)
    gain, threshold = LAWS["shifted_relu"].parameters
    assert scaling.factor(gain, 0, 10e-9) == pytest.approx(10e-9 / 100e-6)
    assert scaling.factor(threshold, 0, 10e-9) == pytest.approx(0.6)
    assert scaling.amperes_per_unit(0, 10e-9) == pytest.approx(10e-9 * 0.6 / 100e-6)


def test_an_unknown_scale_says_how_to_give_it(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match="--volts-per-unit"):
        choose_scaling(circuit(), jf96)


def test_a_run_that_is_too_long_names_the_limits(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match=r"the run would last 13.3 ms; board jf96 runs 10 us to 5 ms"):
        choose_scaling(circuit(gain=100.0), jf96, largest_v=1.5)
    with pytest.raises(DesignError, match="do not fit 1 slices"):
        choose_scaling(circuit(), jf96, largest_v=1.5, seconds_per_unit=(1e-4, 1e-4))
