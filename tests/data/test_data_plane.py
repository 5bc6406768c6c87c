import numpy as np
import pytest

from jackfield.data import two_moons
from jackfield.errors import DesignError


def test_moons_lie_on_their_half_circles_without_noise() -> None:
    split = two_moons(400, noise=0.0)
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert np.bincount(y).tolist() == [100, 100]
        centre = np.where(y == 0, -1.0, 1.0)[:, None] * np.array([0.5, 0.25]) / 1.5
        assert np.allclose(np.linalg.norm(x - centre, axis=1), 1 / 1.5, atol=1e-6)
        assert np.abs(x).max() <= 1.0


def test_moons_are_seeded() -> None:
    assert np.array_equal(two_moons(seed=1).x_test, two_moons(seed=1).x_test)
    assert not np.array_equal(two_moons(seed=1).x_test, two_moons(seed=2).x_test)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(DesignError, match="give 4 or more"):
        two_moons(3)
