import numpy as np
import pytest
from numpy.typing import NDArray

from jackfield.data import DENSITIES, density_points
from jackfield.errors import DesignError


@pytest.mark.parametrize("name", DENSITIES)
def test_a_seed_gives_the_same_points_another_gives_others(name: str) -> None:
    one = density_points(name, 50, 3)
    assert (one.shape, one.dtype) == ((50, 2), np.float32)
    assert np.array_equal(one, density_points(name, 50, 3))
    assert not np.isin(one, density_points(name, 50, 4)).any()


def test_points_lie_where_the_densities_formulas_say() -> None:
    points = {name: density_points(name, 20_000, 0).astype(float) for name in DENSITIES}
    radius = {name: np.hypot(*xy.T) for name, xy in points.items()}
    # Distance from the nearer of the two arcs: nearly that of a normal number of width 0.1 from zero.
    distance = np.minimum(_from_arc(points["two_moons"]), _from_arc([1.0, 0.5] - points["two_moons"]))
    assert np.mean(distance**2) == pytest.approx(0.1**2, rel=0.04)
    # E r^2 of centre and spot: (4^2 + 2 0.5^2)/2; each eighth of the circle has its share.
    assert np.mean(radius["eight_gaussians"] ** 2) == pytest.approx(8.25, rel=0.01)
    angle = np.arctan2(*points["eight_gaussians"].T[::-1])
    shares = np.bincount(np.rint(angle / (np.pi / 4)).astype(int) % 8) / len(angle)
    assert shares == pytest.approx(np.full(8, 1 / 8), abs=0.01)
    # Area-uniform turns: E turn^2 = (3 pi)^2/2, and the offset and the noise beside it.
    assert np.mean(radius["two_spirals"] ** 2) == pytest.approx((3 * np.pi) ** 2 / 2 / 9, rel=0.05)
    assert np.mean(radius["pinwheel"] ** 2) == pytest.approx(4 * (1 + 0.3**2 + 0.1**2), rel=0.02)
    # E turn^2 over [1.5 pi, 4.5 pi] is 9.75 pi^2; noise 1 in two directions.
    assert np.mean(radius["swiss_roll"] ** 2) == pytest.approx((9.75 * np.pi**2 + 2) / 25, rel=0.02)
    outer = radius["ring"] > 0.75
    assert np.mean(outer) == pytest.approx(0.5, abs=0.02)
    assert np.std(radius["ring"][outer]) == pytest.approx(0.06, rel=0.05)


def _from_arc(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance [point] from the upper half of the unit circle."""
    angle = np.arctan2(points[:, 1], points[:, 0])
    nearest = np.clip(np.where(angle < -np.pi / 2, np.pi, angle), 0.0, np.pi)
    return np.hypot(points[:, 0] - np.cos(nearest), points[:, 1] - np.sin(nearest))


def test_unknown_sets_and_no_points_are_refused() -> None:
    with pytest.raises(DesignError, match=r"5 points of 'three_moons' are asked; give 1 or more of one of two_moons"):
        density_points("three_moons", 5, 0)
    with pytest.raises(DesignError, match="0 points of 'ring'"):
        density_points("ring", 0, 0)
