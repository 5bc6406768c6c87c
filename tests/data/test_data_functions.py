"""Functions and systems to fit: what they say of themselves holds."""

import numpy as np
import pytest

from jackfield.data import FUNCTIONS, trajectories
from jackfield.errors import DesignError


def test_the_saddle_is_the_function_it_is_named_after() -> None:
    data = trajectories("saddle", 40, seed=3)
    assert data.wanted_train.shape == (1, 20, 1)
    x = data.x_test
    assert data.wanted_test[0, :, 0] == pytest.approx(0.5 * (x[:, 0] ** 2 - x[:, 1] ** 2), abs=1e-6)


def test_populations_follow_their_equations() -> None:
    data = trajectories("populations", 40)
    assert data.wanted_train.shape == (4, 20, 2)
    u, x = data.wanted_train, data.x_train
    fine, steps = x.astype(np.float64), 4_000
    for _ in range(steps // 4):  # Euler, to the first of the four times
        fine = fine + (np.array([2.0, 1.2]) * fine * (1 - fine) + 0.6 * (fine[:, ::-1] - fine)) / steps
    assert u[0] == pytest.approx(fine, abs=1e-3)
    assert u.min() > 0
    assert u.max() < 1.05


def test_a_seed_is_a_data_set() -> None:
    assert set(FUNCTIONS) == {"saddle", "populations"}
    a, b, c = (trajectories("saddle", 10, seed) for seed in (1, 1, 2))
    assert np.array_equal(a.x_train, b.x_train)
    assert not np.array_equal(a.x_train, c.x_train)
    with pytest.raises(DesignError, match="there are saddle, populations"):
        trajectories("valley")
