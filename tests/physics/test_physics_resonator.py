"""Resonators against the differential equation itself, solved by scipy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp  # type: ignore[import-untyped]

from jackfield.errors import DesignError
from jackfield.physics import Resonators


def test_settled_waves_solve_the_equation() -> None:
    neurons = Resonators.drawn(-0.2, np.array([0.03, -0.05]), np.array([0.1, -0.2]))
    drive, start = np.array([1.0 + 0.5j, -0.3j]), np.array([0.2, -0.1 + 0.4j])

    def slope(t: float, z: np.ndarray) -> np.ndarray:
        return np.asarray(neurons.k * z + drive * np.exp(2j * np.pi * t))

    solved = solve_ivp(slope, (0, 7.3), start, rtol=1e-10, atol=1e-12, method="DOP853").y[:, -1]
    assert neurons.settled(drive, start, 7.3) == pytest.approx(solved, rel=1e-7)


def test_a_wave_that_began_settled_stays_so() -> None:
    neurons = Resonators.drawn(-0.4, np.array([0.02]), np.array([0.0]))
    steady = neurons.steady(np.array([1.0j]))
    assert neurons.settled(np.array([1.0j]), steady, 3.0) == pytest.approx(steady, rel=1e-12)


def test_quality_is_that_of_the_circuit() -> None:
    assert Resonators.alike(3, -0.2).quality == pytest.approx(np.pi / 0.2)
    drawn = Resonators.drawn(-0.2, np.array([0.05]), np.array([-0.1]))
    assert drawn.quality == pytest.approx(0.9 * np.pi / 0.2)


@pytest.mark.parametrize("k", [np.array([0.1 + 6j]), np.array([complex("nan")]), np.array([[-1 + 6j]])])
def test_growing_resonators_are_refused(k: np.ndarray) -> None:
    with pytest.raises(DesignError, match="do not die away"):
        Resonators(k)
